//! Clean copies: folders outside the working tree in which a change is tried.
//!
//! Must never lie inside the repository, and must never outlive the process that made it, killed or not.

use std::path::Path;

use crate::artifact::digest::Digest;
use crate::artifact::id::TreeId;
use crate::artifact::path::RepoPath;
use crate::artifact::types::change_set::FileChange;
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
