//! The inverse of a change, made from trees: what the branch has, what did harm, what was good.
//!
//! Must never read a file's content, and must never touch a path that later commits changed unless it says so.

use std::collections::{BTreeMap, BTreeSet};

use crate::artifact::types::rollback::{GitEntry, Reverted};
use crate::ports::forge::WholeTree;

/// A tree by path.
pub(super) type Flat = BTreeMap<String, GitEntry>;

/// What puts a branch back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Inverse {
    /// What changes on the branch.
    pub(super) files: Vec<Reverted>,
    /// Paths that later commits changed again.
    pub(super) conflicts: Vec<String>,
}

/// Returns a tree by path.
pub(super) fn flat(tree: &WholeTree) -> Flat {
    let entry = |item: &crate::ports::forge::TreeItem| {
        (item.path.clone(), GitEntry { mode: item.mode.clone(), object: item.object.clone() })
    };
    tree.items.iter().map(entry).collect()
}

/// Returns the change that takes `good` to `bad` back, on a branch that holds `here`.
pub(super) fn inverse(good: &Flat, bad: &Flat, here: &Flat) -> Inverse {
    let mut inverse = Inverse::default();
    let paths: BTreeSet<&String> = good.keys().chain(bad.keys()).collect();
    for path in paths {
        let (good, bad, here) = (good.get(path), bad.get(path), here.get(path));
        if good == bad || here == good {
            continue;
        }
        if here == bad {
            inverse.files.push(changed(path, here, good));
        } else {
            inverse.conflicts.push(path.clone());
        }
    }
    // A file where a folder is by now, or the other way round, is in the way as well.
    let blocked =
        |file: &Reverted| file.after.is_some() && is_blocked(&file.path, &after(here, &inverse.files));
    let in_the_way: Vec<String> =
        inverse.files.iter().filter(|file| blocked(file)).map(|file| file.path.clone()).collect();
    inverse.conflicts.extend(in_the_way);
    inverse.conflicts.sort();
    inverse
}

/// Returns the change that makes a branch hold just `good`.
pub(super) fn whole(good: &Flat, here: &Flat) -> Vec<Reverted> {
    let paths: BTreeSet<&String> = good.keys().chain(here.keys()).collect();
    let differs = |path: &&String| good.get(*path) != here.get(*path);
    paths.into_iter().filter(differs).map(|path| changed(path, here.get(path), good.get(path))).collect()
}

/// Returns what a branch holds after a change.
pub(super) fn after(here: &Flat, files: &[Reverted]) -> Flat {
    let mut after = here.clone();
    for file in files {
        match &file.after {
            Some(entry) => after.insert(file.path.clone(), entry.clone()),
            None => after.remove(&file.path),
        };
    }
    after
}

fn changed(path: &str, before: Option<&GitEntry>, after: Option<&GitEntry>) -> Reverted {
    Reverted { path: path.to_owned(), before: before.cloned(), after: after.cloned() }
}

/// Tells whether a tree cannot hold a path, since a part of it is a file or it is a folder.
fn is_blocked(path: &str, tree: &Flat) -> bool {
    let below = format!("{path}/");
    let above = path.match_indices('/').any(|(at, _)| tree.contains_key(&path[..at]));
    above || tree.range(below.clone()..).next().is_some_and(|(other, _)| other.starts_with(&below))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> Flat {
        let entry = |(path, text): &(&str, &str)| {
            let (mode, text) = text.split_once(' ').unwrap_or(("100644", text));
            let object = crate::artifact::digest::Digest::of(text).as_str()[7..47].parse().unwrap();
            ((*path).to_owned(), GitEntry { mode: mode.into(), object })
        };
        files.iter().map(entry).collect()
    }

    #[test]
    fn the_inverse_gives_the_good_tree_back_or_says_what_is_in_the_way() {
        let good = tree(&[("a", "1"), ("b", "1"), ("gone", "1"), ("x", "100755 1")]);
        let bad = tree(&[("a", "2"), ("b", "1"), ("new", "1"), ("x", "100644 1")]);
        let back = inverse(&good, &bad, &bad);
        assert!(back.conflicts.is_empty());
        assert_eq!(after(&bad, &back.files), good);
        assert_eq!(back.files, whole(&good, &bad));
        // Later work elsewhere stays.
        let later = tree(&[("a", "2"), ("b", "9"), ("new", "1"), ("x", "100644 1"), ("later", "1")]);
        let back = inverse(&good, &bad, &later);
        assert!(back.conflicts.is_empty());
        let wanted = tree(&[("a", "1"), ("b", "9"), ("gone", "1"), ("x", "100755 1"), ("later", "1")]);
        assert_eq!(after(&later, &back.files), wanted);
        // Later work on the same files is in the way, in each of its forms.
        for (later, path) in [
            (tree(&[("a", "3"), ("b", "1"), ("new", "1"), ("x", "100644 1")]), "a"),
            (tree(&[("b", "1"), ("new", "1"), ("x", "100644 1")]), "a"),
            (tree(&[("a", "2"), ("b", "1"), ("new", "2"), ("x", "100644 1")]), "new"),
            (tree(&[("a", "2"), ("b", "1"), ("new", "1"), ("x", "100755 2")]), "x"),
            (tree(&[("a", "2"), ("b", "1"), ("new", "1"), ("x", "1"), ("gone/x", "1")]), "gone"),
        ] {
            assert_eq!(inverse(&good, &bad, &later).conflicts, [path]);
            assert_eq!(after(&later, &whole(&good, &later)), good);
        }
        // Somebody put it back already.
        assert_eq!(inverse(&good, &bad, &good), Inverse::default());
    }
}
