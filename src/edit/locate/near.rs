//! The places of a file that are most like what was sought, for a message a model can act on.
//!
//! Must never be used to make a change.

use super::super::hunk::{HunkLine, Sign};
use super::folds::Fold;
use super::similar::ratio;
use super::target::Target;

/// A line like one that was sought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Near {
    /// Its number, from 1.
    pub line: usize,
    /// The line.
    pub text: String,
}

/// Lines looked at; the rest of a huge file is not.
const MOST: usize = 20_000;

/// Returns the first old line that the file does not have, and up to three lines of the file most like it.
pub fn nearest(target: &Target<'_>, old: &[&HunkLine]) -> Option<(String, Vec<Near>)> {
    let index = target.indexed(Fold::Signs);
    let absent = |line: &&&HunkLine| index.id(&Fold::Signs.of(&line.text)).is_none();
    let telling = |line: &&&HunkLine| line.text.chars().any(char::is_alphanumeric);
    let mut missing = old.iter().filter(telling).filter(absent);
    let line = missing.clone().find(|line| line.sign == Sign::Gone).or_else(|| missing.next())?;
    let wanted = Fold::Signs.of(&line.text).into_owned();
    let mut alike: Vec<(f64, usize)> = (0..target.text.len().min(MOST))
        .map(|at| (ratio(&wanted, &Fold::Signs.of(target.line(at))), at))
        .filter(|(alike, _)| *alike >= 0.5)
        .collect();
    alike.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let near = alike.iter().take(3).map(|(_, at)| Near { line: at + 1, text: target.line(*at).to_owned() });
    Some((line.text.clone(), near.collect()))
}
