//! The line of a finding, cut to a width, with a mark below what was found.
//!
//! Must never mark a place that is not certain: no mark is better than a wrong one.

use std::ops::Range;

use unicode_width::UnicodeWidthChar as _;

use super::{MASK, Options, last_line, line, line_of};
use crate::artifact::types::verdict::Finding;

/// A line to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Snippet {
    /// The line, harmless and no wider than asked.
    pub(super) text: String,
    /// Blanks and carets below it; empty where the place is not certain.
    pub(super) carets: String,
}

/// Narrower than this nothing is cut to.
const NARROWEST: usize = 40;
/// What is kept before the mark when a line is cut.
const BEFORE: usize = 24;

/// Returns the line of a finding, where there is one.
pub(super) fn of(found: &Finding, options: &Options<'_>) -> Option<Snippet> {
    let number = line(found)?;
    let path = found.path.as_deref()?;
    let looked_up = options.source.and_then(|source| source.line(path, number));
    let evidence = found.evidence.as_deref().filter(|text| !text.trim().is_empty());
    let text = line_of(evidence.or(looked_up.as_deref())?);
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let marks = marks(found, text, looked_up.as_deref());
    Some(fit(text, &marks, options.width.max(NARROWEST).saturating_sub(number.to_string().len() + 3)))
}

/// Returns where in the line the finding is, as far as that is certain.
fn marks(found: &Finding, text: &str, whole: Option<&str>) -> Vec<Range<usize>> {
    let masks: Vec<Range<usize>> = text.match_indices(MASK).map(|(at, mask)| at..at + mask.len()).collect();
    if !masks.is_empty() {
        return masks;
    }
    placed(found, text, whole).or_else(|| quoted(&found.message, text)).into_iter().collect()
}

/// By the column, where it is known how much was cut off before the line's first letter.
fn placed(found: &Finding, text: &str, whole: Option<&str>) -> Option<Range<usize>> {
    let column = usize::try_from(found.column?.checked_sub(1)?).ok()?;
    let indent = match whole {
        Some(whole) if line_of(whole).trim() == text => whole.len() - whole.trim_start().len(),
        _ if column == 0 => 0,
        _ => return None,
    };
    let start = column.checked_sub(indent)?;
    // Characters that were made visible have another length than in the file.
    if !text.get(..start)?.is_ascii() {
        return None;
    }
    let end = match (last_line(found), found.end_column) {
        (None, Some(end)) => usize::try_from(end).ok()?.checked_sub(1 + indent)?.min(text.len()),
        _ => text.len(),
    };
    (start < end && text.get(start..end).is_some_and(str::is_ascii)).then_some(start..end)
}

/// By what the message quotes, where the line holds it once.
fn quoted(message: &str, text: &str) -> Option<Range<usize>> {
    let mut places =
        message.split('`').skip(1).step_by(2).filter(|word| !word.is_empty()).filter_map(|word| {
            let at = text.find(word)?;
            let next = at + text.get(at..)?.chars().next()?.len_utf8();
            (!text.get(next..)?.contains(word)).then_some(at..at + word.len())
        });
    places.next()
}

/// Cuts a line to a width around its first mark, and draws the carets.
fn fit(text: &str, marks: &[Range<usize>], width: usize) -> Snippet {
    let cells: Vec<(char, usize, bool)> = text
        .char_indices()
        .map(|(at, c)| (c, c.width().unwrap_or(0), marks.iter().any(|mark| mark.contains(&at))))
        .collect();
    let total: usize = cells.iter().map(|(_, width, _)| width).sum();
    let first = cells.iter().position(|(_, _, marked)| *marked).unwrap_or(0);
    let mut skipped = 0;
    if total > width {
        let before: usize = cells.iter().take(first).map(|(_, width, _)| width).sum();
        let mut gone = 0;
        // The mark stays in sight.
        while gone + BEFORE.min(width / 2) < before && total - gone > width {
            gone += cells.get(skipped).map_or(1, |(_, width, _)| (*width).max(1));
            skipped += 1;
        }
    }
    let (mut shown, mut carets, mut used) = (String::new(), String::new(), 0);
    if skipped > 0 {
        (shown, carets, used) = ("…".into(), " ".into(), 1);
    }
    let rest: usize = cells.iter().skip(skipped).map(|(_, width, _)| width).sum();
    let limit = if used + rest > width { width.saturating_sub(1) } else { width };
    let mut whole = true;
    for (c, cell, marked) in cells.iter().skip(skipped) {
        if used + cell > limit {
            whole = false;
            break;
        }
        used += cell;
        shown.push(*c);
        carets.extend(std::iter::repeat_n(if *marked { '^' } else { ' ' }, *cell));
    }
    if !whole {
        shown.push('…');
    }
    Snippet { text: shown, carets: carets.trim_end().to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr as _;

    use super::*;

    #[expect(clippy::single_range_in_vec_init, reason = "a list of ranges that begins with one")]
    #[test]
    fn carets_stand_below_what_was_found() {
        let wide = fit("日本 x ********", &[9..17], 80);
        assert_eq!((wide.text.as_str(), wide.carets.as_str()), ("日本 x ********", "       ^^^^^^^^"));
        let long = format!("{} ******** {}", "a".repeat(300), "b".repeat(300));
        let cut = fit(&long, &[301..309], 60);
        assert_eq!(cut.text.width(), 60);
        let at = cut.carets.find('^').unwrap();
        assert_eq!(cut.text.chars().skip(at).take(8).collect::<String>(), MASK);
        assert!(cut.text.starts_with('…') && cut.text.ends_with('…'));
    }

    #[test]
    fn a_quoted_word_is_marked_when_it_is_there_once() {
        assert_eq!(quoted("uses `b` and `zz`", "a b c"), Some(2..3));
        assert_eq!(quoted("uses `a`", "a b a"), None);
        assert_eq!(quoted("no quotes", "a b"), None);
    }

    proptest! {
        #[expect(clippy::single_range_in_vec_init, reason = "a list of ranges that begins with one")]
        #[test]
        fn any_line_fits(text in any::<String>(), start in 0usize..40, len in 0usize..40, width in 40usize..120) {
            let text = line_of(&text);
            let shown = fit(&text, &[start..start + len], width);
            prop_assert!(shown.text.chars().map(|c| c.width().unwrap_or(0)).sum::<usize>() <= width);
            prop_assert!(shown.carets.len() <= width);
        }
    }
}
