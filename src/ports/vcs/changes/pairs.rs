//! Which paths differ between two trees of git, without their contents.
//!
//! Must never walk into trees that are the same, and must never pass a new name that git itself refuses to check out.

use std::collections::{BTreeMap, BTreeSet};

use gix::objs::tree::{EntryKind as GitKind, EntryMode};
use gix::{ObjectId, Repository};

use super::super::tree::{check_name, children, unsafe_entry};
use super::super::{EntryKind, VcsError};

/// A path longer than this fits no file system.
const MAX_PATH: usize = 4096;
/// More changed paths than this are an attack: trees that hold each other many times over.
const MAX_PATHS: usize = 2_000_000;

/// Paths that differ.
pub(super) type Pairs = BTreeMap<Vec<u8>, Pair>;

/// What a path was and is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) before: Option<Entry>,
    pub(super) after: Option<Entry>,
}

/// Something at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) kind: EntryKind,
    pub(super) at: At,
}

/// Where the content of a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// In the object database; for a submodule its commit.
    Object(ObjectId),
    /// In the working tree.
    Disk,
    /// In several versions in the index.
    Conflict,
    /// Nowhere: a repository in the working tree that git does not know.
    Nested,
}

impl Entry {
    /// Returns an entry of a tree that is no tree.
    pub(super) fn of(mode: EntryMode, id: ObjectId) -> Self {
        let kind = match mode.kind() {
            GitKind::BlobExecutable => EntryKind::Executable,
            GitKind::Link => EntryKind::Link,
            GitKind::Commit => EntryKind::Submodule,
            GitKind::Blob | GitKind::Tree => EntryKind::File,
        };
        Self { kind, at: At::Object(id) }
    }
}

/// The names of a folder of a tree; no tree has none.
pub(super) type Names = BTreeMap<Vec<u8>, (EntryMode, ObjectId)>;

/// Reads the names of a folder.
pub(super) fn names(repo: &Repository, tree: Option<ObjectId>, path: &[u8]) -> Result<Names, VcsError> {
    let Some(tree) = tree else { return Ok(Names::new()) };
    Ok(children(repo, tree, path)?.into_iter().map(|(name, mode, id)| (name, (mode, id))).collect())
}

/// Notes a path that differs.
pub(super) fn note(
    pairs: &mut Pairs,
    path: Vec<u8>,
    before: Option<Entry>,
    after: Option<Entry>,
) -> Result<(), VcsError> {
    if before == after {
        return Ok(());
    }
    if pairs.len() >= MAX_PATHS || path.len() > MAX_PATH {
        return Err(unsafe_entry(&path, "is one path too many or too long"));
    }
    pairs.insert(path, Pair { before, after });
    Ok(())
}

/// Notes every path below two trees that differs; `prefix` is empty or ends with a slash.
pub(super) fn trees(
    repo: &Repository,
    prefix: Vec<u8>,
    before: Option<ObjectId>,
    after: Option<ObjectId>,
    pairs: &mut Pairs,
) -> Result<(), VcsError> {
    // A list, not the call stack: a deep tree cannot overflow it.
    let mut todo = vec![(prefix, before, after)];
    while let Some((prefix, before, after)) = todo.pop() {
        if before == after {
            continue;
        }
        if prefix.len() > MAX_PATH {
            return Err(unsafe_entry(&prefix, "is too long"));
        }
        let (old, new) = (names(repo, before, &prefix)?, names(repo, after, &prefix)?);
        for name in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
            let (was, is) = (old.get(name), new.get(name));
            if was == is {
                continue;
            }
            let path = [&prefix[..], name].concat();
            if let Some((mode, _)) = is {
                check_name(&path, name, *mode)?;
            }
            let tree = |side: Option<&(EntryMode, ObjectId)>| {
                side.filter(|(mode, _)| mode.is_tree()).map(|(_, id)| *id)
            };
            let leaf = |side: Option<&(EntryMode, ObjectId)>| {
                side.filter(|(mode, _)| !mode.is_tree()).map(|(mode, id)| Entry::of(*mode, *id))
            };
            if tree(was).is_some() || tree(is).is_some() {
                todo.push(([&path[..], b"/"].concat(), tree(was), tree(is)));
            }
            note(pairs, path, leaf(was), leaf(is))?;
        }
    }
    Ok(())
}
