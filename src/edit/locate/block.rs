//! Lines that stand in a file one after the other, in one of the forms.
//!
//! Must never stop at the first place: whether there is a second one is the question.

use super::super::hunk::{HunkLine, Sign};
use super::folds::Fold;
use super::target::Target;

/// So many places are enough to know that there are too many.
const ENOUGH: usize = 64;

/// Which of two readings of a line is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// As the format says.
    Text,
    /// That, or as it was written, for each line by itself.
    Either,
}

/// Returns where a block of lines begins in the file, in order; empty for no lines.
pub fn places(target: &Target<'_>, block: &[&HunkLine], fold: Fold, reading: Reading) -> Vec<usize> {
    let index = target.indexed(fold);
    let mut wanted = Vec::with_capacity(block.len());
    for line in block {
        let text = index.id(&fold.of(&line.text));
        let raw = match (&line.raw, reading) {
            (Some(raw), Reading::Either) if line.sign == Sign::Same => index.id(&fold.of(raw)),
            _ => None,
        };
        if text.is_none() && raw.is_none() {
            return Vec::new();
        }
        wanted.push([text, raw]);
    }
    let count =
        |ids: &[Option<u32>; 2]| ids.iter().flatten().map(|id| index.places(*id).len()).sum::<usize>();
    let Some((pivot, ids)) = wanted.iter().enumerate().min_by_key(|(_, ids)| count(ids)) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut tried: Vec<usize> =
        ids.iter().flatten().flat_map(|id| index.places(*id)).map(|at| *at as usize).collect();
    if ids.iter().flatten().count() > 1 {
        tried.sort_unstable();
        tried.dedup();
    }
    for at in tried {
        let Some(start) = at.checked_sub(pivot) else { continue };
        let Some(here) = index.ids.get(start..start + wanted.len()) else { continue };
        let same = here.iter().zip(&wanted).take_while(|(id, wanted)| wanted.contains(&Some(**id))).count();
        if !target.spend(same + 1) || found.len() >= ENOUGH {
            break;
        }
        if same == wanted.len() {
            found.push(start);
        }
    }
    found
}

/// Returns the lines of the file that an old line matched at `at` was read from: its text, or as it was written.
pub fn read_as<'l>(line: &'l HunkLine, file: &str) -> &'l str {
    match &line.raw {
        Some(raw) if line.text != file && raw == file => raw,
        Some(raw) if line.text.trim_end() != file.trim_end() && raw.trim_end() == file.trim_end() => raw,
        _ => &line.text,
    }
}
