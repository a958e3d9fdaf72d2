//! Context with "..." in place of lines that were left out.
//!
//! Must never take a line for an ellipsis that the file has itself at that place, or let one stand for a changed line.

use super::super::hunk::{HunkLine, Sign};
use super::block::{self, Reading};
use super::folds::Fold;
use super::target::Target;

/// More lines than this are not left out by an ellipsis.
const FAR: usize = 2000;

/// Tells whether a line stands for lines left out: dots, alone or in a comment, or a remark about existing code.
pub fn is_ellipsis(line: &str) -> bool {
    let line = line.trim();
    let bare = line
        .trim_start_matches(['/', '#', '*', '-', '<', '!', ';', '%', '{', '(', ' '])
        .trim_end_matches(['/', '*', '-', '>', '}', ')', ' ']);
    let dots = |text: &str| text.strip_prefix("...").or_else(|| text.strip_prefix('…')).map(str::to_owned);
    let Some(rest) = dots(bare) else { return false };
    let words = rest.trim_matches(['.', '…', ' ', '(', ')', '[', ']']).to_lowercase();
    words.is_empty()
        || (words.len() <= 60
            && [
                "existing",
                "unchanged",
                "rest of",
                "omitted",
                "other code",
                "remaining",
                "same as",
                "elided",
            ]
            .iter()
            .any(|known| words.contains(known)))
}

/// Returns the ways in which the parts around the ellipses stand in the file; each maps old lines to lines of it.
pub fn places(target: &Target<'_>, old: &[&HunkLine], fold: Fold) -> Vec<Vec<Option<usize>>> {
    let mut parts: Vec<(usize, Vec<&HunkLine>)> = vec![(0, Vec::new())];
    for (at, line) in old.iter().enumerate() {
        if line.sign == Sign::Same && is_ellipsis(&line.text) {
            parts.push((at + 1, Vec::new()));
        } else if let Some((_, part)) = parts.last_mut() {
            part.push(line);
        }
    }
    parts.retain(|(_, part)| !part.is_empty());
    let mut ways: Vec<Vec<Option<usize>>> = vec![vec![None; old.len()]];
    let mut ends: Vec<usize> = vec![0];
    for (number, (first, part)) in parts.iter().enumerate() {
        let starts = block::places(target, part, fold, Reading::Either);
        let (mut next, mut next_ends) = (Vec::new(), Vec::new());
        for (way, end) in ways.iter().zip(&ends) {
            let fits =
                starts.iter().filter(|start| **start >= *end && (number == 0 || **start - *end <= FAR));
            let changes =
                parts.iter().skip(number).any(|(_, part)| part.iter().any(|l| l.sign != Sign::Same));
            // Context after the last change is where it is found first; what changes may have no second place.
            let take = if changes { usize::MAX } else { 1 };
            for start in fits.take(take) {
                let mut longer = way.clone();
                for offset in 0..part.len() {
                    if let Some(slot) = longer.get_mut(first + offset) {
                        *slot = Some(start + offset);
                    }
                }
                next.push(longer);
                next_ends.push(start + part.len());
                if next.len() > 64 {
                    return next;
                }
            }
        }
        (ways, ends) = (next, next_ends);
    }
    ways
}

#[cfg(test)]
mod tests {
    use super::is_ellipsis;

    #[test]
    fn ellipses_are_told_from_code() {
        for line in [
            "...",
            "  ...",
            "# ...",
            "// ... existing code ...",
            "/* ... */",
            "…",
            "<!-- ... -->",
            "{/* ... rest of the file ... */}",
        ] {
            assert!(is_ellipsis(line), "{line}");
        }
        for line in ["...args", "f(...)", "return ...x", "", "# comment", "..", "def f(): ..."] {
            assert!(!is_ellipsis(line), "{line}");
        }
    }
}
