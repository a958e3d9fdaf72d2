//! Which test after a change is which test before it.
//!
//! Must never look at every pair of many tests: likeness is asked for only among those no name matches, and that share a rare line.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::compare::Sides;
use super::lang::Role;
use super::model::Test;

/// A test before and after.
pub struct Pair<'a> {
    /// The test before.
    pub old: &'a Test,
    /// The test after.
    pub new: &'a Test,
    /// Which file it is in afterwards.
    pub new_file: usize,
}

/// Every test of a change.
#[derive(Default)]
pub struct Pairs<'a> {
    /// Those that are there before and after.
    pub both: Vec<Pair<'a>>,
    /// Those that are gone, with their file.
    pub only_before: Vec<(usize, &'a Test)>,
    /// Those that are new, with their file.
    pub only_after: Vec<(usize, &'a Test)>,
}

/// Matches tests by file and name, by name, then by what is in them.
pub fn find<'a>(sides: &'a [Sides<'_>]) -> Pairs<'a> {
    let mut pairs = Pairs::default();
    for (file, side) in sides.iter().enumerate() {
        let empty: &[Test] = &[];
        let before = side.before.as_ref().map_or(empty, |f| &f.tests);
        let after = side.after.as_ref().map_or(empty, |f| &f.tests);
        let mut by_name: BTreeMap<(&str, Role2), Vec<&Test>> = BTreeMap::new();
        for test in after.iter().rev() {
            by_name.entry((&test.name, test.role.into())).or_default().push(test);
        }
        for old in before {
            match by_name.get_mut(&(old.name.as_str(), old.role.into())).and_then(Vec::pop) {
                Some(new) => pairs.both.push(Pair { old, new, new_file: file }),
                None => pairs.only_before.push((file, old)),
            }
        }
        // In the file's order: the last of those with one name is first in its list.
        let left: BTreeSet<*const Test> = by_name.into_values().flatten().map(std::ptr::from_ref).collect();
        pairs
            .only_after
            .extend(after.iter().filter(|t| left.contains(&std::ptr::from_ref(*t))).map(|t| (file, t)));
    }
    same_name(&mut pairs);
    alike(&mut pairs);
    pairs
}

/// The role, in an order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Role2(u8);

impl From<Role> for Role2 {
    fn from(role: Role) -> Self {
        Self(match role {
            Role::Test => 0,
            Role::Group => 1,
            Role::Helper => 2,
        })
    }
}

/// Matches tests that went to another file or group.
fn same_name(pairs: &mut Pairs<'_>) {
    let mut by_name: BTreeMap<(&str, Role2), Vec<usize>> = BTreeMap::new();
    for (at, (_, new)) in pairs.only_after.iter().enumerate().rev() {
        if !new.own.is_empty() {
            by_name.entry((&new.own, new.role.into())).or_default().push(at);
        }
    }
    let mut taken = BTreeSet::new();
    let (mut both, mut left) = (Vec::new(), Vec::new());
    for (file, old) in std::mem::take(&mut pairs.only_before) {
        match by_name.get_mut(&(old.own.as_str(), old.role.into())).and_then(Vec::pop) {
            Some(at) => {
                if let Some((new_file, new)) = pairs.only_after.get(at) {
                    both.push(Pair { old, new, new_file: *new_file });
                    taken.insert(at);
                }
            }
            None => left.push((file, old)),
        }
    }
    pairs.only_before = left;
    pairs.both.extend(both);
    let mut at = 0;
    pairs.only_after.retain(|_| {
        at += 1;
        !taken.contains(&(at - 1))
    });
}

/// Matches tests that were renamed: most of what is in them is the same.
fn alike(pairs: &mut Pairs<'_>) {
    const ENOUGH: usize = 45;
    let prints: Vec<Vec<u64>> = pairs.only_after.iter().map(|(_, t)| print(t)).collect();
    let holders = holders(&prints);
    let mut found: Vec<(usize, usize, usize)> = Vec::new();
    for (at, (file, old)) in pairs.only_before.iter().enumerate() {
        let own = print(old);
        if own.len() < 2 {
            continue;
        }
        for other in candidates(&own, &holders, pairs.only_after.len()) {
            let Some((new_file, new)) = pairs.only_after.get(other) else { continue };
            let Some(theirs) = prints.get(other).filter(|p| new.role == old.role && p.len() > 1) else {
                continue;
            };
            if theirs.len() > own.len() * 3 || own.len() > theirs.len() * 3 {
                continue;
            }
            let share = common(&own, theirs) * 200 / (own.len() + theirs.len());
            if share >= ENOUGH {
                found.push((share * 2 + usize::from(file == new_file), at, other));
            }
        }
    }
    found.sort_by(|a, b| b.0.cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let (mut olds, mut news) = (BTreeSet::new(), BTreeSet::new());
    for (_, at, other) in found {
        if olds.contains(&at) || news.contains(&other) {
            continue;
        }
        if let Some(((_, old), (new_file, new))) = pairs.only_before.get(at).zip(pairs.only_after.get(other))
        {
            pairs.both.push(Pair { old, new, new_file: *new_file });
            olds.insert(at);
            news.insert(other);
        }
    }
    let mut at = 0;
    pairs.only_before.retain(|_| {
        at += 1;
        !olds.contains(&(at - 1))
    });
    at = 0;
    pairs.only_after.retain(|_| {
        at += 1;
        !news.contains(&(at - 1))
    });
}

/// A line that more tests have than this tells none of them from the others.
const SHARED: usize = 16;

/// Returns which tests hold a line, for lines that few do.
fn holders(prints: &[Vec<u64>]) -> BTreeMap<u64, Vec<usize>> {
    let mut holders: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (at, print) in prints.iter().enumerate() {
        for line in print {
            let of_line = holders.entry(*line).or_default();
            if of_line.len() <= SHARED {
                of_line.push(at);
            }
        }
    }
    holders
}

/// Returns the tests worth a look: all where they are few, else those with most of the rarer lines.
fn candidates(own: &[u64], holders: &BTreeMap<u64, Vec<usize>>, all: usize) -> Vec<usize> {
    const FEW: usize = 8;
    if all <= SHARED {
        return (0..all).collect();
    }
    let mut shared: BTreeMap<usize, usize> = BTreeMap::new();
    for of_line in own.iter().filter_map(|line| holders.get(line)).filter(|of| of.len() <= SHARED) {
        super::steps::count(of_line.len());
        for at in of_line {
            *shared.entry(*at).or_default() += 1;
        }
    }
    let mut best: Vec<(usize, usize)> = shared.into_iter().map(|(at, lines)| (lines, at)).collect();
    best.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    best.into_iter().take(FEW).map(|(_, at)| at).collect()
}

/// Counts what is in both of two sorted lists.
fn common(one: &[u64], other: &[u64]) -> usize {
    super::steps::count(one.len() + other.len());
    let (mut at, mut common) = (0, 0);
    for line in one {
        while other.get(at).is_some_and(|theirs| theirs < line) {
            at += 1;
        }
        common += usize::from(other.get(at) == Some(line));
    }
    common
}

/// Returns what is in a test, sorted, each once.
fn print(test: &Test) -> Vec<u64> {
    let mut all = test.rest.clone();
    for assertion in &test.assertions {
        let mut hash = DefaultHasher::new();
        assertion.key().hash(&mut hash);
        all.push(hash.finish());
    }
    all.sort_unstable();
    all.dedup();
    all
}
