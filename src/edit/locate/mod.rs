//! Where the lines of a hunk stand in a file: a ladder of forms, each rung taken only when it has one answer.
//!
//! Must never take a looser rung when a stricter one has an answer or two, and must never choose between two answers.

pub mod align;
pub mod block;
pub mod elided;
pub mod folds;
pub mod indent;
pub mod near;
pub mod similar;
pub mod target;

use super::hunk::{Hunk, HunkLine, Sign};
use block::Reading;
use folds::Fold;
use target::Target;

/// The rung of the ladder a place was found on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rung {
    /// Every line in this form.
    Form(Fold),
    /// With ellipses.
    Elided,
    /// With lines of the file left out.
    Gaps,
    /// With context misquoted.
    Misquoted,
}

/// A place of a hunk.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The line of the file for each old line of the hunk.
    pub map: Vec<Option<usize>>,
    /// How it was found.
    pub rung: Rung,
}

/// Why a hunk has no place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lost {
    /// It quotes no line of the file.
    Nothing,
    /// Its lines are not there.
    Missing,
    /// They are there more than once: the first lines, from 0.
    Many(Vec<usize>),
    /// They are not, but what they should become is: its first line, from 0.
    Done(usize),
    /// The search took too long.
    Spent,
}

/// Finds the one place of a hunk.
pub fn locate(target: &Target<'_>, hunk: &Hunk) -> Result<Found, Lost> {
    let old: Vec<&HunkLine> = hunk.lines.iter().filter(|line| line.sign != Sign::New).collect();
    if old.is_empty() {
        return Err(Lost::Nothing);
    }
    let found = forms(target, hunk, &old)
        .or_else(|| done(target, hunk).map(|at| Err(Lost::Done(at))))
        .or_else(|| elided_places(target, hunk, &old))
        .or_else(|| aligned(target, hunk, &old, Rung::Gaps))
        .or_else(|| aligned(target, hunk, &old, Rung::Misquoted));
    match found {
        Some(found) => found,
        None if target.is_spent() => Err(Lost::Spent),
        None => Err(Lost::Missing),
    }
}

/// The lines one after the other, in stricter and looser forms.
fn forms(target: &Target<'_>, hunk: &Hunk, old: &[&HunkLine]) -> Option<Result<Found, Lost>> {
    if old.iter().all(|line| line.text.trim().is_empty()) && old.iter().all(|line| line.sign == Sign::Same) {
        // Blank lines alone are everywhere.
        return (hunk.start.is_none() && !hunk.at_end)
            .then_some(Err(Lost::Nothing))
            .or_else(|| exact(target, hunk, old));
    }
    for fold in Fold::ALL {
        for reading in [Reading::Text, Reading::Either] {
            if reading == Reading::Either && old.iter().all(|line| line.raw.is_none()) {
                continue;
            }
            let starts = block::places(target, old, fold, reading);
            if starts.is_empty() {
                continue;
            }
            let start = match pick(target, hunk, &starts, old.len()) {
                Ok(start) => start,
                Err(lost) => return Some(Err(lost)),
            };
            // The lines to come may follow there already.
            if let Some(at) = done_at(target, hunk, start, old.len()) {
                return Some(Err(Lost::Done(at)));
            }
            let map = (start..start + old.len()).map(Some).collect();
            return Some(Ok(Found { map, rung: Rung::Form(fold) }));
        }
    }
    None
}

fn exact(target: &Target<'_>, hunk: &Hunk, old: &[&HunkLine]) -> Option<Result<Found, Lost>> {
    let starts = block::places(target, old, Fold::Exact, Reading::Text);
    if starts.is_empty() {
        return None;
    }
    Some(pick(target, hunk, &starts, old.len()).map(|start| {
        let map = (start..start + old.len()).map(Some).collect();
        Found { map, rung: Rung::Form(Fold::Exact) }
    }))
}

/// Chooses the one place, or the one that the hunk itself points at.
fn pick(target: &Target<'_>, hunk: &Hunk, starts: &[usize], len: usize) -> Result<usize, Lost> {
    let ending: Vec<usize> =
        starts.iter().copied().filter(|start| start + len == target.text.len()).collect();
    if let (true, [only]) = (hunk.at_end, ending.as_slice()) {
        return Ok(*only);
    }
    if let [only] = starts {
        return Ok(*only);
    }
    if let Some(start) =
        hunk.start.and_then(|start| start.checked_sub(1)).filter(|start| starts.contains(start))
    {
        return Ok(start);
    }
    match below_anchors(target, hunk, starts).as_slice() {
        [only] => Ok(*only),
        _ => Err(Lost::Many(starts.to_vec())),
    }
}

/// Returns the places that stand in what the last anchor heads.
fn below_anchors(target: &Target<'_>, hunk: &Hunk, starts: &[usize]) -> Vec<usize> {
    let Some((last, outer)) = hunk.above.split_last() else { return Vec::new() };
    let index = target.indexed(Fold::Signs);
    let places = |line: &String| index.id(&Fold::Signs.of(line)).map_or(&[][..], |id| index.places(id));
    let heads = places(last).iter().map(|at| *at as usize).filter(|at| {
        outer.iter().all(|line| {
            places(line)
                .iter()
                .any(|above| (*above as usize) < *at && is_within(target, *above as usize, *at))
        })
    });
    let heads: Vec<usize> = heads.collect();
    let mut within: Vec<usize> = starts
        .iter()
        .copied()
        .filter(|at| heads.iter().any(|head| head < at && is_within(target, *head, *at)))
        .collect();
    within.dedup();
    within
}

/// Tells whether a line is in the block that another one heads, by indentation.
fn is_within(target: &Target<'_>, head: usize, at: usize) -> bool {
    let depth = indent::lead(target.line(head)).len();
    let ends = |line: usize| {
        let text = target.line(line);
        let starts_word =
            text.trim_start().starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '@');
        starts_word && indent::lead(text).len() <= depth
    };
    at - head <= 5000 && target.spend(at - head) && !(head + 1..at).any(ends)
}

/// Returns where the new side of a hunk stands, if it does and shows that the change is made.
fn done(target: &Target<'_>, hunk: &Hunk) -> Option<usize> {
    let new: Vec<&HunkLine> = hunk.lines.iter().filter(|line| line.sign != Sign::Gone).collect();
    let telling = new.iter().filter(|line| line.text.chars().any(char::is_alphanumeric)).count();
    if telling == 0 || !hunk.changes() {
        return None;
    }
    let mut folds = Fold::ALL.into_iter();
    folds.find_map(|fold| block::places(target, &new, fold, Reading::Text).first().copied())
}

/// Tells whether the new side of a hunk stands just where the old one was found.
fn done_at(target: &Target<'_>, hunk: &Hunk, start: usize, old: usize) -> Option<usize> {
    if hunk.lines.iter().any(|line| line.sign == Sign::Gone) {
        return None;
    }
    let new: Vec<&HunkLine> = hunk.lines.iter().filter(|line| line.sign != Sign::Gone).collect();
    let added = new.len() - old;
    let telling = hunk.lines.iter().any(|line| line.sign == Sign::New && !line.text.trim().is_empty());
    let first = start.saturating_sub(added);
    (telling && added > 0).then(|| {
        let places = block::places(target, &new, Fold::Trailing, Reading::Text);
        places.into_iter().find(|at| (first..=start).contains(at))
    })?
}

fn elided_places(target: &Target<'_>, hunk: &Hunk, old: &[&HunkLine]) -> Option<Result<Found, Lost>> {
    if !old.iter().any(|line| line.sign == Sign::Same && elided::is_ellipsis(&line.text)) {
        return None;
    }
    for fold in Fold::ALL {
        let ways = elided::places(target, old, fold);
        if !ways.is_empty() {
            return Some(one(target, hunk, ways, Rung::Elided));
        }
    }
    None
}

fn aligned(target: &Target<'_>, hunk: &Hunk, old: &[&HunkLine], rung: Rung) -> Option<Result<Found, Lost>> {
    let allowed = align::Allowed { misquotes: rung == Rung::Misquoted, gaps: true };
    let ways = align::ways(target, old, allowed);
    if ways.is_empty() {
        return None;
    }
    Some(one(target, hunk, ways.into_iter().map(|way| way.map).collect(), rung))
}

/// Takes the one way, or those that come to the same change.
fn one(
    target: &Target<'_>,
    hunk: &Hunk,
    mut ways: Vec<Vec<Option<usize>>>,
    rung: Rung,
) -> Result<Found, Lost> {
    let effect = |map: &[Option<usize>]| super::fit::slots(hunk, map, &|at| target.is_blank(at));
    let first = ways.swap_remove(0);
    let wanted = effect(&first);
    if ways.iter().all(|way| effect(way) == wanted) {
        return Ok(Found { map: first, rung });
    }
    let mut starts: Vec<usize> =
        ways.iter().chain([&first]).filter_map(|way| way.iter().flatten().min().copied()).collect();
    starts.sort_unstable();
    starts.dedup();
    Err(Lost::Many(starts))
}
