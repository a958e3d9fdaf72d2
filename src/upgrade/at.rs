//! The repository as it was when a run was made: everything as it is, HEAD at the run's base.
//!
//! Must never write.

use std::path::Path;
use std::sync::Arc;

use crate::artifact::id::{CommitId, TreeId};
use crate::artifact::types::task::Base;
use crate::ports::vcs::{ExportReport, Ranked, TreeEntry, VcsError, VcsRead};

/// A repository whose HEAD is another commit.
pub struct At<'a> {
    vcs: &'a dyn VcsRead,
    head: Base,
}

impl<'a> At<'a> {
    /// Returns the repository at a base.
    pub const fn new(vcs: &'a dyn VcsRead, head: Base) -> Self {
        Self { vcs, head }
    }
}

impl VcsRead for At<'_> {
    fn head(&self) -> Result<Base, VcsError> {
        Ok(self.head.clone())
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
        self.vcs.ranked(commit, text, most)
    }

    fn export(&self, tree: &TreeId, folder: &Path) -> Result<ExportReport, VcsError> {
        self.vcs.export(tree, folder)
    }
}
