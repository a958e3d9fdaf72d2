//! Clean copies: folders outside the working tree in which a change is tried.
//!
//! Must never lie inside the repository, and must never outlive the process that made it, killed or not.

use std::path::Path;

use crate::artifact::digest::Digest;
use crate::artifact::id::TreeId;
use crate::artifact::path::RepoPath;
use crate::artifact::types::change_set::{FileChange, FileMode};
use crate::diagnostic::{Class, Failure};
use crate::edit::apply::ApplyError;
use crate::ports::vcs::{ExportReport, VcsError};

mod fake;
mod temp;

pub use fake::FakeWorkspaces;
pub use temp::TempWorkspaces;

/// Makes clean copies.
pub trait Workspaces: Send + Sync {
    /// Returns a fresh copy of a tree.
    fn clean_copy(&self, tree: &TreeId) -> Result<Box<dyn CleanCopy>, WorkspaceError>;
}

/// A folder with a copy of a tree; it goes away when dropped.
pub trait CleanCopy: Send {
    /// Returns the folder.
    fn root(&self) -> &Path;

    /// Returns what could not be copied as it is.
    fn exported(&self) -> &ExportReport;

    /// Applies changes, all or none; every `before` digest is checked first.
    fn apply(&mut self, files: &[FileChange]) -> Result<(), WorkspaceError>;

    /// Returns the digest of a file now, or `None` when there is no regular file.
    fn digest(&self, path: &RepoPath) -> Result<Option<Digest>, WorkspaceError>;

    /// Returns the bytes and mode of a file now, or `None` when there is no regular file or it is larger than `limit`.
    ///
    /// A link anywhere on the way is never followed: code that ran in the copy may have put it there.
    fn read(&self, path: &RepoPath, limit: u64) -> Result<Option<(Vec<u8>, FileMode)>, WorkspaceError> {
        read_below(self.root(), path, limit)
    }
}

fn read_below(
    root: &Path,
    path: &RepoPath,
    limit: u64,
) -> Result<Option<(Vec<u8>, FileMode)>, WorkspaceError> {
    let failed = |source| WorkspaceError::Io { what: format!("read `{path}` in the clean copy"), source };
    let absent = |error: &std::io::Error| {
        matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
    };
    let mut file = root.to_path_buf();
    let mut found = None;
    for part in path.as_str().split('/') {
        file.push(part);
        match std::fs::symlink_metadata(&file) {
            Ok(metadata) if metadata.is_symlink() => return Ok(None),
            Ok(metadata) => found = Some(metadata),
            Err(error) if absent(&error) => return Ok(None),
            Err(error) => return Err(failed(error)),
        }
    }
    let Some(metadata) = found.filter(|m| m.is_file() && m.len() <= limit) else { return Ok(None) };
    let bytes = std::fs::read(&file).map_err(failed)?;
    Ok(Some((bytes, mode(&metadata))))
}

#[cfg(unix)]
fn mode(metadata: &std::fs::Metadata) -> FileMode {
    use std::os::unix::fs::PermissionsExt as _;
    if metadata.permissions().mode() & 0o100 == 0 { FileMode::Regular } else { FileMode::Executable }
}

#[cfg(not(unix))]
fn mode(_metadata: &std::fs::Metadata) -> FileMode {
    FileMode::Regular
}

/// What can go wrong with a copy.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// The repository could not be read.
    #[error(transparent)]
    Vcs(#[from] VcsError),
    /// A change does not fit, or tries to leave the copy.
    #[error("cannot change `{path}`: it {why}")]
    Refused {
        /// The file.
        path: String,
        /// The reason, to be read after `it`.
        why: String,
    },
    /// The machine refused something.
    #[error("cannot {what}")]
    Io {
        /// What was tried, on what.
        what: String,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
}

impl Failure for WorkspaceError {
    fn class(&self) -> Class {
        match self {
            Self::Vcs(error) => error.class(),
            Self::Refused { .. } => Class::Denied,
            Self::Io { .. } => Class::Internal,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Vcs(error) => error.help(),
            Self::Refused { .. } => Some("Nothing was written; the change has to name another file.".into()),
            Self::Io { .. } => Some("Check free space and rights of the temporary folder (TMPDIR).".into()),
        }
    }
}

impl From<ApplyError> for WorkspaceError {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::Refused(refusal) => Self::Refused { path: refusal.path, why: refusal.why },
            ApplyError::Io { what, source } => Self::Io { what, source },
        }
    }
}
