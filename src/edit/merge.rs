//! Splices made for the text a model was shown, carried over to the text as it is now.
//!
//! Must never merge changes that touch each other: what changed beside an edit may be what it relied on.

use std::ops::Range;

use similar::DiffOp;

use super::hunk::Splice;
use super::lines::ops;
use super::locate::target::Target;

/// What became of splices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Merged {
    /// They fit the text as it is now, these of them that are not in it yet.
    Fits(Vec<Splice>),
    /// All of them are in it already.
    Done,
    /// The text changed where an edit is: the line of the current text, from 0.
    Conflict(usize),
}

/// A part of the shown text that is other lines now.
struct Moved {
    shown: Range<usize>,
    now: Range<usize>,
}

/// Carries splices over.
pub fn merge(shown: &Target<'_>, now: &Target<'_>, splices: &[Splice]) -> Merged {
    let changed: Vec<Moved> = ops(&shown.text.lines, &now.text.lines)
        .into_iter()
        .filter(|op| !matches!(op, DiffOp::Equal { .. }))
        .map(|op| Moved { shown: op.old_range(), now: op.new_range() })
        .collect();
    let mut fits = Vec::new();
    let mut done = 0;
    let mut at = 0;
    while at < splices.len() {
        // Splices and changes that touch one another, directly or through others, are one region.
        let mut region = splices[at].range.clone();
        let mut last = at + 1;
        loop {
            let before = (region.clone(), last);
            for moved in &changed {
                if touches(&moved.shown, &region) {
                    region = region.start.min(moved.shown.start)..region.end.max(moved.shown.end);
                }
            }
            let overlapped = changed.iter().any(|moved| touches(&moved.shown, &region));
            while overlapped && splices.get(last).is_some_and(|splice| touches(&splice.range, &region)) {
                region.end = region.end.max(splices[last].range.end);
                last += 1;
            }
            if before == (region.clone(), last) {
                break;
            }
        }
        let own = &splices[at..last];
        if changed.iter().any(|moved| touches(&moved.shown, &region)) {
            let there = carried(&changed, region.start, true)..carried(&changed, region.end, false);
            let wanted = with(shown, region, own);
            let have = now.text.lines.get(there.clone()).unwrap_or_default();
            if !wanted.iter().map(Vec::as_slice).eq(have.iter().copied()) {
                return Merged::Conflict(there.start);
            }
            done += own.len();
        } else {
            let by = |line| carried(&changed, line, true);
            fits.extend(own.iter().map(|splice| Splice {
                range: by(splice.range.start)..by(splice.range.start) + splice.range.len(),
                lines: splice.lines.clone(),
            }));
        }
        at = last;
    }
    if done > 0 && fits.is_empty() { Merged::Done } else { Merged::Fits(fits) }
}

fn touches(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start <= b.end && b.start <= a.end
}

/// Returns where a line of the shown text is now; at a change, its start or its end.
fn carried(changed: &[Moved], line: usize, start: bool) -> usize {
    let mut now = line;
    for moved in changed {
        let whole = if start { moved.shown.end < line } else { moved.shown.end <= line };
        if whole {
            now = moved.now.end + (line - moved.shown.end);
        }
    }
    now
}

/// The lines of a region of the shown text after splices.
fn with(shown: &Target<'_>, region: Range<usize>, splices: &[Splice]) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    let mut at = region.start;
    let copy = |lines: &mut Vec<Vec<u8>>, range: Range<usize>| {
        lines.extend(shown.text.lines.get(range).unwrap_or_default().iter().map(|line| line.to_vec()));
    };
    for splice in splices {
        copy(&mut lines, at..splice.range.start);
        lines.extend(splice.lines.iter().cloned());
        at = splice.range.end;
    }
    copy(&mut lines, at..region.end);
    lines
}
