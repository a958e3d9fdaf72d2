//! The graph of a tree of a repository: outlines from the cache or read now, on all cores.
//!
//! Must never read a blob twice, and must give the same graph with a cache and without.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use crate::artifact::id::TreeId;
use crate::artifact::types::graph::RepositoryGraph;
use crate::ports::vcs::past::{Id, PastReader};
use crate::ports::vcs::{EntryKind, VcsError, VcsRead};

use super::super::kind::Kinds;
use super::super::over::Changes;
use super::cache::{self, Cache, Key};
use super::{LANGUAGES, Outline, build, part};

/// The largest file that is looked into.
pub const MAX_FILE: usize = 1 << 20;

/// What was done to have a graph.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct GraphTold {
    /// Files whose imports were read now.
    pub read: usize,
    /// The cache that could not be written, with the reason.
    pub unkept: Option<(PathBuf, String)>,
}

/// Makes the graph of a tree, with what is cached of it.
pub fn of_reader(
    reader: &PastReader,
    tree: &TreeId,
    cache: Option<&Path>,
) -> Result<(RepositoryGraph, GraphTold), VcsError> {
    made(reader, tree, cache, true, None)
}

/// Makes the graph of a working tree over the tree it is on; what is cached is used, and nothing is written.
pub fn of_worktree(
    reader: &PastReader,
    tree: &TreeId,
    cache: Option<&Path>,
    changes: &Changes,
) -> Result<(RepositoryGraph, GraphTold), VcsError> {
    made(reader, tree, cache, true, Some(changes))
}

/// Returns the graph of a tree without what is defined; the last one is kept as it is, what files say by their blobs.
pub fn kept(reader: &PastReader, tree: &TreeId, folder: &Path) -> Result<RepositoryGraph, VcsError> {
    let last = folder.join("graph.last");
    if let Some(graph) = cache::last(&last, tree) {
        return Ok(graph);
    }
    let (graph, _) = made(reader, tree, Some(&folder.join("graph.bin")), false, None)?;
    // What cannot be kept is made again the next time.
    let _ = cache::keep_last(&last, &graph);
    Ok(graph)
}

fn made(
    reader: &PastReader,
    tree: &TreeId,
    cache: Option<&Path>,
    defined: bool,
    changes: Option<&Changes>,
) -> Result<(RepositoryGraph, GraphTold), VcsError> {
    let mut files = reader.tree_files(tree)?;
    let laid = changes.map(|changes| changes.lay(&mut files)).unwrap_or_default();
    let laid: HashMap<Id, &[u8]> = laid.into_iter().collect();
    let blob = |id: &Id| laid.get(id).map(|bytes| bytes.to_vec()).or_else(|| reader.blob(id));
    files.retain(|(path, _)| is_text(path));
    let kept = cache.map(Cache::read).unwrap_or_default();
    let mut kinds = Kinds::default();
    let mut key = |path: &str, id: &Id| {
        let (language, _) = part(path, &mut kinds)?;
        Some((*id, u8::try_from(language).ok()?))
    };
    let keys: Vec<Option<Key>> = files.iter().map(|(path, id)| key(path, id)).collect();
    let mut missing: Vec<Key> = keys.iter().flatten().copied().filter(|key| !kept.holds(key)).collect();
    missing.sort_unstable();
    missing.dedup();
    let (here, missing): (Vec<Key>, Vec<Key>) =
        missing.into_iter().partition(|(id, _)| laid.contains_key(id));
    let mut fresh = read(reader, &missing);
    let here = here.into_iter().map(|key| (key, outline(usize::from(key.1), laid.get(&key.0).copied())));
    fresh.extend(here);
    let mut told = GraphTold { read: fresh.len(), unkept: None };
    if let Some(path) = cache.filter(|_| changes.is_none())
        && (!fresh.is_empty() || !path.is_file())
    {
        let alive: HashSet<Key> = keys.iter().flatten().copied().collect();
        let few = kept.len() <= 2 * alive.len() + 200;
        if let Err(error) = kept.write(path, &fresh, |key| few || alive.contains(key)) {
            told.unkept = Some((path.to_owned(), error.to_string()));
        }
    }
    let fresh: HashMap<Key, Outline> = fresh.into_iter().collect();
    let known = |key: &Key| {
        let needed = defined || LANGUAGES.get(usize::from(key.1)).is_some_and(|language| language.by_name());
        fresh.get(key).cloned().or_else(|| kept.get(key, needed))
    };
    let outlines: Vec<Option<Outline>> = keys.iter().map(|key| key.as_ref().and_then(known)).collect();
    drop(kept);
    let by_path: HashMap<&str, &Id> = files.iter().map(|(path, id)| (path.as_str(), id)).collect();
    let text = |path: &str| {
        let bytes = blob(by_path.get(path)?).filter(|bytes| bytes.len() <= MAX_FILE)?;
        String::from_utf8(bytes).ok()
    };
    let paths: Vec<String> = files.iter().map(|(path, _)| path.clone()).collect();
    let mut graph = build(tree, &paths, &outlines, &text);
    if !defined {
        graph.modules.iter_mut().for_each(|module| module.symbols = Vec::new());
        graph.counts.symbols_left_out = 0;
    }
    Ok((graph, told))
}

/// Reads blobs as the languages they are of, on all cores.
fn read(reader: &PastReader, missing: &[Key]) -> Vec<(Key, Outline)> {
    let mut languages: HashMap<Id, Vec<u8>> = HashMap::new();
    let mut ids: Vec<Id> = Vec::new();
    for (id, language) in missing {
        languages.entry(*id).or_default().push(*language);
        ids.push(*id);
    }
    ids.dedup();
    let read = reader.blobs(&ids, |id, bytes| {
        let bytes = bytes();
        let of = languages.get(id).map_or(&[][..], Vec::as_slice);
        let one = |language: &u8| ((*id, *language), outline(usize::from(*language), bytes.as_deref()));
        of.iter().map(one).collect::<Vec<_>>()
    });
    read.into_iter().flatten().collect()
}

/// Tells whether a path is what git has: bytes that are no text were made visible by this sign.
fn is_text(path: &str) -> bool {
    !path.contains('\u{fffd}')
}

fn outline(language: usize, bytes: Option<&[u8]>) -> Outline {
    bytes.map_or_else(
        || Outline { unread: true, ..Outline::default() },
        |bytes| Outline::read(language, bytes),
    )
}

/// Makes the graph of a tree of any repository, file by file: what it takes is as much as there are source files.
pub fn of_vcs(vcs: &dyn VcsRead, tree: &TreeId) -> Result<RepositoryGraph, VcsError> {
    let entries = vcs.entries(tree)?;
    let regular =
        entries.iter().filter(|entry| matches!(entry.kind, EntryKind::File | EntryKind::Executable));
    let text = regular.filter_map(|entry| entry.utf8_path());
    let mut paths: Vec<String> = text.filter(|path| is_text(path)).map(str::to_owned).collect();
    paths.sort_unstable();
    let mut outlines = Vec::with_capacity(paths.len());
    let mut kinds = Kinds::default();
    for path in &paths {
        outlines.push(match part(path, &mut kinds) {
            Some((number, _)) => Some(outline(number, vcs.file(tree, path)?.as_deref())),
            None => None,
        });
    }
    let text = |path: &str| {
        let bytes = vcs.file(tree, path).ok().flatten().filter(|bytes| bytes.len() <= MAX_FILE)?;
        String::from_utf8(bytes).ok()
    };
    Ok(build(tree, &paths, &outlines, &text))
}
