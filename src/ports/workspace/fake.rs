//! Clean copies in memory, for tests of stages that only look at files through the port.
//!
//! Must never be more lenient than the real ones: both pass the same suite.

use std::collections::BTreeMap;
use std::path::Path;

use crate::artifact::digest::Digest;
use crate::artifact::id::TreeId;
use crate::artifact::path::RepoPath;
use crate::artifact::types::change_set::{FileChange, FileMode};
use crate::ports::vcs::{EntryKind, ExportReport, VcsError, VcsRead, apply_in_memory};

use super::{CleanCopy, WorkspaceError, Workspaces};

/// Makes clean copies in memory; their folder does not exist.
pub struct FakeWorkspaces<'a> {
    vcs: &'a dyn VcsRead,
}

impl std::fmt::Debug for FakeWorkspaces<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FakeWorkspaces")
    }
}

impl<'a> FakeWorkspaces<'a> {
    /// Returns a maker of copies of a repository's trees.
    pub fn new(vcs: &'a dyn VcsRead) -> Self {
        Self { vcs }
    }
}

impl Workspaces for FakeWorkspaces<'_> {
    fn clean_copy(&self, tree: &TreeId) -> Result<Box<dyn CleanCopy>, WorkspaceError> {
        let mut files = BTreeMap::new();
        for entry in self.vcs.entries(tree)?.iter() {
            let mode = match entry.kind {
                EntryKind::File => FileMode::Regular,
                EntryKind::Executable => FileMode::Executable,
                EntryKind::Link | EntryKind::Submodule => continue,
            };
            let Some(path) = entry.utf8_path() else { continue };
            if let Some(bytes) = self.vcs.file(tree, path)? {
                files.insert(path.to_owned(), (mode, bytes));
            }
        }
        let exported = ExportReport { files: files.len() as u64, ..ExportReport::default() };
        Ok(Box::new(FakeCopy { files, exported }))
    }
}

#[derive(Debug)]
struct FakeCopy {
    files: BTreeMap<String, (FileMode, Vec<u8>)>,
    exported: ExportReport,
}

impl CleanCopy for FakeCopy {
    fn root(&self) -> &Path {
        Path::new("/nonexistent/orch-copy")
    }

    fn exported(&self) -> &ExportReport {
        &self.exported
    }

    fn apply(&mut self, files: &[FileChange]) -> Result<(), WorkspaceError> {
        apply_in_memory(&mut self.files, files).map_err(|error| match error {
            VcsError::Conflict { path, why } => WorkspaceError::Refused { path, why },
            error => WorkspaceError::Vcs(error),
        })
    }

    fn digest(&self, path: &RepoPath) -> Result<Option<Digest>, WorkspaceError> {
        Ok(self.files.get(path.as_str()).map(|(_, bytes)| Digest::of(bytes)))
    }
}
