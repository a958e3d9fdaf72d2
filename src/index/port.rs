//! A repository that can tell which files a text concerns: the port of a repository, with an index behind it.
//!
//! Must never answer anything else otherwise than the repository does, and must never fail for want of a cache.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::artifact::id::{CommitId, TreeId};
use crate::artifact::types::graph::RepositoryGraph;
use crate::artifact::types::task::Base;
use crate::ports::vcs::{ExportReport, GitRepository, Ranked, Related, TreeEntry, VcsError, VcsRead};

use super::graph::{self, Query};
use super::{Found, Index};

/// An index, or why there is none.
type Made = Result<Arc<Index>, String>;

/// A repository with its index, which is made when it is first needed and kept below the git folder.
#[derive(Debug)]
pub struct Indexed {
    vcs: GitRepository,
    cache: PathBuf,
    open: Mutex<Option<(CommitId, Made)>>,
    graph: Mutex<Option<(TreeId, Arc<RepositoryGraph>)>>,
}

impl Indexed {
    /// Returns a repository with its index.
    pub fn of(vcs: GitRepository) -> Self {
        let cache = vcs.common_dir().join("orch").join("index.bin");
        Self { vcs, cache, open: Mutex::new(None), graph: Mutex::new(None) }
    }

    /// Returns a repository with an index that was made already; it is not kept again.
    pub fn with(vcs: GitRepository, commit: CommitId, index: Index) -> Self {
        let open = Mutex::new(Some((commit, Ok(Arc::new(index)))));
        Self { open, ..Self::of(vcs) }
    }

    /// Returns the index at a commit; it is made, or fails, once for each.
    pub fn index(&self, commit: &CommitId) -> Result<Arc<Index>, VcsError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let known = open.as_ref().filter(|(known, _)| known == commit).map(|(_, index)| index.clone());
        let index = known.unwrap_or_else(|| {
            let made = Index::open(&self.vcs.past(), commit, Some(&self.cache));
            let index = made.map(Arc::new).map_err(|error| causes(&error));
            if let Ok(index) = &index {
                // What cannot be kept is made again the next time.
                let _ = index.save(&self.cache);
            }
            *open = Some((commit.clone(), index.clone()));
            index
        });
        index.map_err(|why| VcsError::Index { why })
    }
}

/// Returns an error with all its causes.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Returns what the port tells of a file that was found.
fn told(found: Found) -> Ranked {
    let lines = found.chunk.as_deref().and_then(|chunk| {
        let (first, last) = chunk.rsplit_once(':')?.1.split_once('-')?;
        Some((first.parse().ok()?, last.parse().ok()?))
    });
    Ranked { path: found.path, lines }
}

/// Returns what a module has to do with others; nothing where there is nothing to say.
fn related(query: &Query<'_>, path: &str) -> Option<Related> {
    const MOST: usize = 8;
    let module = query.find(path)?;
    let names = |list: &mut dyn Iterator<Item = u32>| -> Vec<String> {
        list.take(MOST).map(|module| query.graph().path(module)).collect()
    };
    let all: Vec<u32> = query.importers(module).iter().copied().filter(|at| !query.is_test(*at)).collect();
    let related = Related {
        path: path.to_owned(),
        imports: names(&mut query.imports(module).iter().copied()),
        importers: names(&mut all.iter().copied()),
        more: all.len().saturating_sub(MOST),
        tests: names(&mut query.tests(&[module]).into_iter()),
    };
    let says = !(related.imports.is_empty() && related.importers.is_empty() && related.tests.is_empty());
    says.then_some(related)
}

impl VcsRead for Indexed {
    fn head(&self) -> Result<Base, VcsError> {
        self.vcs.head()
    }

    fn entries(&self, tree: &TreeId) -> Result<Arc<[TreeEntry]>, VcsError> {
        self.vcs.entries(tree)
    }

    fn file(&self, tree: &TreeId, path: &str) -> Result<Option<Vec<u8>>, VcsError> {
        self.vcs.file(tree, path)
    }

    fn kept(&self, name: &str) -> Result<Option<Vec<u8>>, VcsError> {
        self.vcs.kept(name)
    }

    fn ranked(&self, commit: &CommitId, text: &str, most: usize) -> Result<Option<Vec<Ranked>>, VcsError> {
        Ok(Some(self.index(commit)?.rank(text, most).into_iter().map(told).collect()))
    }

    fn graph(&self, tree: &TreeId) -> Result<Option<Arc<RepositoryGraph>>, VcsError> {
        let mut last = self.graph.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, graph)) = last.as_ref().filter(|(known, _)| known == tree) {
            return Ok(Some(Arc::clone(graph)));
        }
        let folder = self.cache.parent().unwrap_or(Path::new("."));
        let graph = Arc::new(graph::kept(&self.vcs.past(), tree, folder)?);
        *last = Some((tree.clone(), Arc::clone(&graph)));
        Ok(Some(graph))
    }

    fn related(&self, tree: &TreeId, paths: &[&str]) -> Result<Option<Vec<Related>>, VcsError> {
        let graph = self.graph(tree).map_err(|error| VcsError::Index { why: causes(&error) })?;
        Ok(graph.map(|graph| {
            let query = Query::of(&graph);
            paths.iter().filter_map(|path| related(&query, path)).collect()
        }))
    }

    fn export(&self, tree: &TreeId, folder: &Path) -> Result<ExportReport, VcsError> {
        self.vcs.export(tree, folder)
    }
}
