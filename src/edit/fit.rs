//! Hunks fitted to a file: what goes, what comes, with the file's own indentation, line ends and signs.
//!
//! Must never change a line that no hunk changes, and must never put a new line where it could as well stand elsewhere.

use std::borrow::Cow;
use std::ops::Range;

use super::hunk::{Hunk, HunkLine, Sign, Splice};
use super::locate::folds::{Fold, plain_sign};
use super::locate::indent::{Indenter, Style, lead};
use super::locate::target::Target;
use super::locate::{Found, Rung, block};

/// Where one run of changed lines goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The lines that go, from 0, in order.
    pub gone: Vec<usize>,
    /// New lines stand before this line of the file; by index in the hunk.
    pub new: Vec<(usize, usize)>,
}

/// Returns what goes and where each new line stands; none where that is open.
pub fn slots(hunk: &Hunk, map: &[Option<usize>], blank: &dyn Fn(usize) -> bool) -> Option<Slot> {
    let mut slot = Slot { gone: Vec::new(), new: Vec::new() };
    let (mut next_old, mut at) = (0, 0);
    while let Some(line) = hunk.lines.get(at) {
        match line.sign {
            Sign::Same => next_old += 1,
            Sign::Gone => {
                slot.gone.push(map.get(next_old).copied().flatten()?);
                next_old += 1;
            }
            Sign::New => {
                let run = hunk.lines[at..].iter().take_while(|l| l.sign == Sign::New).count();
                let place = insertion(hunk, map, at, run, next_old, blank)?;
                slot.new.extend((at..at + run).map(|index| (place, index)));
                at += run;
                continue;
            }
        }
        at += 1;
    }
    Some(slot)
}

/// Returns the line before which a run of new lines stands.
fn insertion(
    hunk: &Hunk,
    map: &[Option<usize>],
    at: usize,
    run: usize,
    next_old: usize,
    blank: &dyn Fn(usize) -> bool,
) -> Option<usize> {
    let above = next_old.checked_sub(1).map(|i| map.get(i).copied().flatten());
    let below = (next_old < map.len()).then(|| map.get(next_old).copied().flatten());
    let after_gone = at > 0 && hunk.lines[at - 1].sign == Sign::Gone;
    match (above, below) {
        (Some(Some(above)), _) if after_gone => in_place(hunk, map, at, next_old).then_some(above + 1),
        (Some(Some(above)), Some(Some(below))) if above + 1 == below => Some(below),
        (Some(Some(above)), Some(Some(below))) => {
            beside_gap(hunk, at..at + run, (above + 1..below).all(blank), above, below)
        }
        (Some(Some(above)), _) => Some(above + 1),
        (_, Some(Some(below))) => Some(below),
        _ => None,
    }
}

/// Tells whether the lines that new ones replace stand together; what was left out among them could go anywhere.
fn in_place(hunk: &Hunk, map: &[Option<usize>], at: usize, next_old: usize) -> bool {
    let gone = hunk.lines[..at].iter().rev().take_while(|line| line.sign == Sign::Gone).count();
    let run = map.get(next_old - gone..next_old).unwrap_or_default();
    run.windows(2).all(|pair| matches!(pair, [Some(a), Some(b)] if a + 1 == *b))
}

/// New lines between two that have one or more left out between them.
///
/// Beside blank lines a blank line of their own tells the side; beside others they must be able to slide to where
/// nothing was left out: past a line equal to their last one above, or to their first one below.
fn beside_gap(hunk: &Hunk, run: Range<usize>, blank_gap: bool, above: usize, below: usize) -> Option<usize> {
    let new = &hunk.lines[run.clone()];
    let (first, last) = (new.first()?, new.last()?);
    let before = hunk.lines[..run.start].iter().rev().find(|line| line.sign != Sign::New);
    let after = hunk.lines[run.end..].iter().find(|line| line.sign != Sign::New);
    let blank = |line: &HunkLine| line.text.trim().is_empty();
    let same = |line: &HunkLine, other: Option<&HunkLine>| other.is_some_and(|other| other.text == line.text);
    let (up, down) =
        if blank_gap { (blank(first), blank(last)) } else { (same(last, before), same(first, after)) };
    match (up, down) {
        (true, false) => Some(above + 1),
        (false, true) => Some(below),
        _ => None,
    }
}

/// Returns the splices that a hunk makes in a file; none where a new line's place or indentation is open.
pub fn splices(target: &Target<'_>, hunk: &Hunk, found: &Found) -> Option<Vec<Splice>> {
    let slot = slots(hunk, &found.map, &|at| target.is_blank(at))?;
    let writer = Writer::of(target, hunk, found);
    let mut splices: Vec<Splice> = Vec::new();
    for gone in slot.gone {
        match splices.last_mut() {
            Some(last) if last.range.end == gone => last.range.end += 1,
            _ => splices.push(Splice { range: gone..gone + 1, lines: Vec::new() }),
        }
    }
    for (place, index) in slot.new {
        let line = writer.write(&hunk.lines[index].text)?;
        // Lines in place of others go with them, at the end of what goes.
        let own = splices.iter_mut().find(|s| s.range.end == place || s.range == (place..place));
        match own {
            Some(splice) => splice.lines.push(line),
            None => match splices.iter_mut().find(|s| s.range.start == place) {
                Some(splice) => splice.lines.push(line),
                None => splices.push(Splice { range: place..place, lines: vec![line] }),
            },
        }
    }
    splices.sort_by_key(|splice| (splice.range.start, splice.range.end));
    Some(splices)
}

/// Writes new lines as the file would.
struct Writer {
    indenter: Indenter,
    plain: bool,
}

impl Writer {
    fn of(target: &Target<'_>, hunk: &Hunk, found: &Found) -> Self {
        let old = hunk.old();
        let (mut pairs, mut plain) = (Vec::new(), false);
        for ((_, line), at) in old.iter().zip(&found.map) {
            let Some(file) = at.map(|at| target.line(at)) else { continue };
            let quoted = block::read_as(line, file);
            if !quoted.trim().is_empty() {
                pairs.push((lead(quoted), lead(file)));
            }
            plain |= Fold::Indent.of(quoted) != Fold::Indent.of(file)
                && has_typographic(quoted)
                && !has_typographic(file);
        }
        if found.rung == Rung::Form(Fold::Exact) {
            plain = false;
        }
        let new: Vec<&str> = hunk
            .lines
            .iter()
            .filter(|line| line.sign == Sign::New && !line.text.trim().is_empty())
            .map(|line| lead(&line.text))
            .collect();
        let style = || Style::of(target.shown.iter().map(Cow::as_ref));
        let indenter = Indenter::of(&pairs, &new, style);
        // New lines lose their quotes' curls only with a file that has none at all.
        let plain = plain && !target.shown.iter().any(|line| has_typographic(line));
        Self { indenter, plain }
    }

    fn write(&self, line: &str) -> Option<Vec<u8>> {
        let line = self.indenter.apply(line)?;
        if !self.plain || !has_typographic(&line) {
            return Some(line.into_bytes());
        }
        let mut out = String::with_capacity(line.len());
        for c in line.chars() {
            match plain_sign(c).filter(|_| is_quote(c)) {
                Some(sign) => out.push_str(sign),
                None => out.push(c),
            }
        }
        Some(out.into_bytes())
    }
}

const fn is_quote(c: char) -> bool {
    matches!(c, '\u{2018}'..='\u{201f}')
}

fn has_typographic(line: &str) -> bool {
    line.chars().any(is_quote)
}

/// Returns the file after splices, which are in order and do not overlap.
pub fn spliced(target: &Target<'_>, splices: &[Splice], final_newline: Option<bool>) -> Vec<u8> {
    let text = &target.text;
    let mut out: Vec<u8> = text.mark.to_vec();
    let mut at = 0;
    let copy = |out: &mut Vec<u8>, range: Range<usize>| {
        for line in range {
            out.extend_from_slice(text.lines[line]);
            out.extend_from_slice(text.ends[line]);
        }
    };
    let mut end: &[u8] = b"\n";
    for splice in splices {
        copy(&mut out, at..splice.range.start);
        for (offset, line) in splice.lines.iter().enumerate() {
            let like = if splice.range.is_empty() {
                splice.range.start.saturating_sub(1)
            } else {
                (splice.range.start + offset).min(splice.range.end - 1)
            };
            end = text.end_near(like);
            if out.len() > text.mark.len() && out.last() != Some(&b'\n') {
                out.extend_from_slice(end);
            }
            out.extend_from_slice(line);
            out.extend_from_slice(end);
        }
        at = splice.range.end;
    }
    let touched = at >= text.len() && !splices.is_empty();
    copy(&mut out, at..text.len());
    if touched {
        end_as(&mut out, final_newline.unwrap_or(!text.is_cut()), end, text.mark.len());
    }
    out
}

/// Makes a content end in a line end, or not.
fn end_as(out: &mut Vec<u8>, newline: bool, end: &[u8], least: usize) {
    let has = out.last() == Some(&b'\n');
    if newline && !has && out.len() > least {
        out.extend_from_slice(end);
    } else if !newline && has {
        out.pop();
        if out.last() == Some(&b'\r') {
            out.pop();
        }
    }
}
