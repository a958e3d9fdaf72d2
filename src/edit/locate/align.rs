//! Old lines against a part of the file where some were left out or slightly misquoted.
//!
//! Must never let a line that goes be anything but what the file has, but for its form.

use super::super::hunk::{HunkLine, Sign};
use super::folds::Fold;
use super::similar::ratio;
use super::target::Target;

/// How much may be amiss.
#[derive(Clone, Copy, Debug)]
pub struct Allowed {
    /// Context lines may be misquoted.
    pub misquotes: bool,
    /// Lines of the file may be missing between those quoted.
    pub gaps: bool,
}

/// Lines of the file on either side of the pivot that are looked at besides as many as were quoted.
const SLACK: usize = 12;
/// Less alike lines are different lines.
const ALIKE: f64 = 0.6;
const BLANK_GAP: f64 = 0.15;
const LINE_GAP: f64 = 1.0;
const BLANK_EXTRA: f64 = 0.3;
const MISQUOTE: f64 = 0.3;
/// A pivot with more places is none.
const MOST_PIVOTS: usize = 40;
/// Hunks with more lines are not aligned.
const LONGEST: usize = 400;

/// A way in which the old lines stand in the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Way {
    /// The line of the file for each old line; none for a blank one the file does not have.
    pub map: Vec<Option<usize>>,
    /// How much is amiss.
    pub cost: f64,
}

/// Returns the ways in which old lines stand in the file, one or two for each place of the rarest line.
pub fn ways(target: &Target<'_>, old: &[&HunkLine], allowed: Allowed) -> Vec<Way> {
    let index = target.indexed(Fold::Signs);
    let places =
        |line: &HunkLine| index.id(&Fold::Signs.of(&line.text)).map_or(&[][..], |id| index.places(id));
    let gone_missing = old.iter().any(|l| l.sign == Sign::Gone && places(l).is_empty());
    if gone_missing || old.len() > LONGEST || old.len() < 2 {
        return Vec::new();
    }
    let telling = |line: &HunkLine| line.text.chars().filter(|c| c.is_alphanumeric()).count() >= 3;
    let pivot = old
        .iter()
        .enumerate()
        .filter(|(_, line)| telling(line) && !places(line).is_empty())
        .min_by_key(|(_, line)| (places(line).len(), line.sign != Sign::Gone));
    let Some((pivot, line)) = pivot.filter(|(_, line)| places(line).len() <= MOST_PIVOTS) else {
        return Vec::new();
    };
    let limit = limit(old);
    let mut found = Vec::new();
    for at in places(line) {
        let at = *at as usize;
        if !target.spend(old.len() * (old.len() + SLACK)) {
            break;
        }
        for late in [false, true] {
            let below = grid(target, &old[pivot + 1..], Side::Below(at), allowed, late);
            let above: Vec<&HunkLine> = old[..pivot].iter().rev().copied().collect();
            let above = grid(target, &above, Side::Above(at), allowed, late);
            let (Some((above, cost_above)), Some((below, cost_below))) = (above, below) else { continue };
            let mut map: Vec<Option<usize>> = above.into_iter().rev().collect();
            map.push(Some(at));
            map.extend(below);
            let way = Way { map, cost: cost_above + cost_below };
            if way.cost <= limit
                && sound(target, old, &way.map)
                && !found.iter().any(|w: &Way| w.map == way.map)
            {
                found.push(way);
            }
        }
    }
    found
}

/// How much may be amiss in all, by how much was quoted.
fn limit(old: &[&HunkLine]) -> f64 {
    let lines = old.iter().filter(|line| !line.text.trim().is_empty()).count();
    match lines {
        0 | 1 => 0.35,
        2..=11 => 1.35,
        more => 1.35 + 0.1 * f64::from(u32::try_from(more - 11).unwrap_or(40).min(20)),
    }
}

/// Tells whether enough lines that say something are as in the file.
fn sound(target: &Target<'_>, old: &[&HunkLine], map: &[Option<usize>]) -> bool {
    let same = |line: &HunkLine, at: usize| Fold::Signs.of(&line.text) == Fold::Signs.of(target.line(at));
    let telling = old.iter().zip(map).filter(|(line, _)| line.text.chars().any(char::is_alphanumeric));
    let (mut equal, mut all) = (0, 0);
    for (line, at) in telling {
        all += 1;
        equal += usize::from(at.is_some_and(|at| same(line, at)));
    }
    equal >= 1 && equal * 2 >= all
}

/// From where the lines go on.
#[derive(Clone, Copy)]
enum Side {
    Above(usize),
    Below(usize),
}

impl Side {
    /// The line of the file `step` lines on, from 0.
    fn line(self, step: usize, len: usize) -> Option<usize> {
        match self {
            Self::Above(at) => at.checked_sub(step + 1),
            Self::Below(at) => (at + step + 1 < len).then_some(at + step + 1),
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Step {
    None,
    Match,
    Gap,
    Extra,
}

/// Aligns lines with the file going away from the pivot; `late` prefers the farther of equal ways.
fn grid(
    target: &Target<'_>,
    old: &[&HunkLine],
    side: Side,
    allowed: Allowed,
    late: bool,
) -> Option<(Vec<Option<usize>>, f64)> {
    let (rows, columns) = (old.len(), old.len() + if allowed.gaps { SLACK } else { 0 });
    let width = columns + 1;
    let mut cost = vec![f64::INFINITY; (rows + 1) * width];
    let mut step = vec![Step::None; (rows + 1) * width];
    cost[0] = 0.0;
    for row in 0..=rows {
        for column in 0..=columns {
            let here = cost[row * width + column];
            if !here.is_finite() {
                continue;
            }
            let mut reach = |row: usize, column: usize, price: f64, how: Step| {
                let at = row * width + column;
                if let Some(known) = cost.get_mut(at) {
                    let total = here + price;
                    let better = total < *known - 1e-9;
                    // A match after a gap against a gap after a match: only one of the two is tried first.
                    let even = (total - *known).abs() <= 1e-9 && late && how == Step::Gap;
                    if better || even {
                        (*known, step[at]) = (total, how);
                    }
                }
            };
            let file = side.line(column, target.text.len()).filter(|_| column < columns);
            if let (Some(line), Some(file)) = (old.get(row), file)
                && let Some(price) = price(line, target.line(file), allowed.misquotes)
            {
                reach(row + 1, column + 1, price, Step::Match);
            }
            if let Some(line) = old.get(row) {
                if line.sign == Sign::Same && line.text.trim().is_empty() {
                    reach(row + 1, column, BLANK_EXTRA, Step::Extra);
                }
                if let Some(file) = file.filter(|_| allowed.gaps) {
                    let price = if target.is_blank(file) { BLANK_GAP } else { LINE_GAP };
                    reach(row, column + 1, price, Step::Gap);
                }
            }
        }
    }
    let last = &cost[rows * width..];
    let best = last.iter().copied().fold(f64::INFINITY, f64::min);
    let pick = |cost: &&usize| (last[**cost] - best).abs() <= 1e-9;
    let ends: Vec<usize> = (0..=columns).collect();
    let end = if late { ends.iter().rev().find(pick) } else { ends.iter().find(pick) };
    let mut column = *end.filter(|_| best.is_finite())?;
    let (mut row, mut map) = (rows, vec![None; rows]);
    while row > 0 || column > 0 {
        match step[row * width + column] {
            Step::Match => {
                row -= 1;
                column -= 1;
                map[row] = side.line(column, target.text.len());
            }
            Step::Gap => column -= 1,
            Step::Extra => row -= 1,
            Step::None => return None,
        }
    }
    Some((map, best))
}

/// What it costs to take an old line for a line of the file.
fn price(line: &HunkLine, file: &str, misquotes: bool) -> Option<f64> {
    let (a, b) = (Fold::Signs.of(&line.text), Fold::Signs.of(file));
    if a == b {
        return Some(0.0);
    }
    if !misquotes || line.sign != Sign::Same || a.is_empty() || b.is_empty() {
        return None;
    }
    let alike = ratio(&a, &b);
    (alike >= ALIKE).then_some(MISQUOTE + 2.0 * (1.0 - alike))
}
