//! Which paths differ between a tree of git and the index.
//!
//! Must never trust the index's note of a tree that does not cover what the index holds.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

use gix::index::extension::Tree as Cached;
use gix::index::{State, entry::Flags, entry::Mode, entry::Stage};
use gix::{ObjectId, Repository};

use super::super::git::git;
use super::super::{EntryKind, VcsError};
use super::pairs::{At, Entry, Pairs, names, note, trees};

/// Reads an index; one that is not there is empty.
pub(super) fn read(repo: &Repository, named: Option<&Path>) -> Result<gix::index::File, VcsError> {
    let path = named.map_or_else(|| repo.index_path(), Path::to_owned);
    let hash = repo.object_hash();
    if named.is_none() && path.symlink_metadata().is_err() {
        return Ok(gix::index::File::from_state(State::new(hash), path));
    }
    let shown = format!("read the index {}", path.display());
    gix::index::File::at(path, hash, false, gix::index::decode::Options::default()).map_err(git(shown))
}

/// Returns what an entry of the index is.
pub(super) fn kind(mode: Mode) -> EntryKind {
    match mode {
        Mode::FILE_EXECUTABLE => EntryKind::Executable,
        Mode::SYMLINK => EntryKind::Link,
        Mode::COMMIT => EntryKind::Submodule,
        _ => EntryKind::File,
    }
}

/// A folder of the index: which entries lie below it, and the tree git last made of them.
struct Folder<'a> {
    prefix: Vec<u8>,
    tree: Option<ObjectId>,
    range: Range<usize>,
    cached: Option<&'a Cached>,
}

impl Folder<'_> {
    fn is_same(&self) -> bool {
        self.cached.is_some_and(|cached| {
            cached.num_entries.is_some_and(|n| n as usize == self.range.len()) && Some(cached.id) == self.tree
        })
    }
}

/// What the index has right below a folder.
#[derive(Default)]
struct Level<'a> {
    files: BTreeMap<Vec<u8>, Entry>,
    folders: BTreeMap<Vec<u8>, (Range<usize>, Option<&'a Cached>)>,
    /// Folders of a sparse index, as trees.
    sparse: BTreeMap<Vec<u8>, ObjectId>,
}

/// Notes every path that differs between a tree and the index.
pub(super) fn staged(
    repo: &Repository,
    head: Option<ObjectId>,
    index: &State,
    pairs: &mut Pairs,
) -> Result<(), VcsError> {
    let all = 0..index.entries().len();
    let mut todo = vec![Folder { prefix: Vec::new(), tree: head, range: all, cached: index.tree() }];
    while let Some(folder) = todo.pop() {
        if folder.is_same() {
            continue;
        }
        let level = level(index, &folder);
        let old = names(repo, folder.tree, &folder.prefix)?;
        let known = level.files.keys().chain(level.folders.keys()).chain(level.sparse.keys());
        for name in known.chain(old.keys()).collect::<BTreeSet<_>>() {
            let was = old.get(name);
            let tree = was.filter(|(mode, _)| mode.is_tree()).map(|(_, id)| *id);
            let leaf = was.filter(|(mode, _)| !mode.is_tree()).map(|(mode, id)| Entry::of(*mode, *id));
            let path = [&folder.prefix[..], name].concat();
            let below = || [&path[..], b"/"].concat();
            match (level.folders.get(name), level.sparse.get(name)) {
                (Some((range, cached)), _) => {
                    let (range, cached) = (range.clone(), *cached);
                    todo.push(Folder { prefix: below(), tree, range, cached });
                }
                (None, Some(id)) => trees(repo, below(), tree, Some(*id), pairs)?,
                (None, None) if tree.is_some() => trees(repo, below(), tree, None, pairs)?,
                (None, None) => {}
            }
            note(pairs, path, leaf, level.files.get(name).copied())?;
        }
    }
    Ok(())
}

fn level<'a>(index: &'a State, folder: &Folder<'a>) -> Level<'a> {
    let (entries, backing) = (index.entries(), index.path_backing());
    let mut level = Level::default();
    let mut at = folder.range.start;
    while let Some(entry) = entries.get(at).filter(|_| at < folder.range.end) {
        let path: &[u8] = entry.path_in(backing);
        let rest = path.get(folder.prefix.len()..).unwrap_or_default();
        let Some(slash) = rest.iter().position(|b| *b == b'/') else {
            // Only announced with `git add -N`: it is no part of the next commit.
            if !entry.flags.contains(Flags::INTENT_TO_ADD) {
                let conflict = entry.stage() != Stage::Unconflicted;
                let found = if conflict { At::Conflict } else { At::Object(entry.id) };
                level.files.insert(rest.to_vec(), Entry { kind: kind(entry.mode), at: found });
            }
            at += 1;
            continue;
        };
        let name = rest[..slash].to_vec();
        if entry.mode.is_sparse() && slash + 1 == rest.len() {
            level.sparse.insert(name, entry.id);
            at += 1;
            continue;
        }
        let prefix = &path[..=folder.prefix.len() + slash];
        let inside = |e: &gix::index::Entry| e.path_in(backing).starts_with(prefix);
        let count = entries[at..folder.range.end].partition_point(inside);
        let end = at + count.max(1);
        let cached = folder.cached.and_then(|c| c.children.iter().find(|c| c.name[..] == name[..]));
        level.folders.insert(name, (at..end, cached));
        at = end;
    }
    level
}
