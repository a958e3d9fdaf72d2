//! What changed in a repository, whoever changed it: the index, the working tree, commits; and every file there is.
//!
//! Must never run a hook, a filter, a text converter or any other program, never follow a link, and never leave out a
//! change without saying so.

use jiff::Timestamp;
use std::path::PathBuf;

use crate::artifact::id::{CommitId, TreeId};

use super::{EntryKind, VcsError, VcsRead};

mod disk;
mod fake;
mod fill;
mod index;
mod pairs;
mod patch;
mod real;

pub use patch::{LARGEST_PATCH, PatchError, of_patch};

/// A file larger than this is not read.
pub const LARGEST: u64 = 64 << 20;

/// The contents of one change, before and after, are read up to this size together.
pub const MOST: u64 = 256 << 20;

/// Tells what changed.
pub trait VcsChanges: VcsRead {
    /// Returns the commit a name stands for: an id, a branch, a tag, `HEAD~2`.
    fn commit_named(&self, name: &str) -> Result<CommitRef, VcsError>;

    /// Returns the best common ancestor of two commits; `None` when they have none.
    fn merge_base(&self, one: &CommitId, other: &CommitId) -> Result<Option<CommitRef>, VcsError>;

    /// Returns the branch of a remote that changes are made for, such as `refs/remotes/origin/main`.
    fn remote_default(&self) -> Result<Option<String>, VcsError>;

    /// Returns every path that differs, sorted, with what was and what is.
    ///
    /// A renamed file is one that went and one that came: what it holds is new where it is now.
    fn deltas(&self, span: &Span) -> Result<Vec<Delta>, VcsError>;

    /// Returns what a tree has at a path; `None` where it has no file, link or submodule there.
    fn side(&self, tree: &TreeId, path: &[u8]) -> Result<Option<Side>, VcsError>;

    /// Returns every file of the working tree that git tracks or would, sorted by the bytes of the path.
    fn working_files(&self) -> Result<Vec<WorkFile>, VcsError>;

    /// Reads a file of the working tree, or the target of a link, into a buffer, which is emptied first; tells whether it
    /// is there.
    fn read_working(&self, file: &WorkFile, buffer: &mut Vec<u8>) -> Result<bool, Unread>;
}

/// What is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Span {
    /// HEAD and the index; another index than the usual where git names one, as it does for `git commit FILE`.
    Staged {
        /// The file of the index.
        index: Option<PathBuf>,
    },
    /// HEAD and the working tree, with files that git does not track and does not ignore.
    Work,
    /// Two trees.
    Trees {
        /// What was; nothing when absent.
        before: Option<TreeId>,
        /// What is.
        after: TreeId,
    },
}

/// A commit that was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitRef {
    /// The commit.
    pub commit: CommitId,
    /// Its tree.
    pub tree: TreeId,
    /// Its parents, as the commit says; in a shallow clone they may not be here.
    pub parents: Vec<CommitId>,
    /// When it was committed, as the commit says.
    pub time: Timestamp,
}

/// A path that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delta {
    /// The path, as bytes: git knows no encoding.
    pub path: Vec<u8>,
    /// What was; absent when it is new.
    pub before: Option<Side>,
    /// What is; absent when it is gone.
    pub after: Option<Side>,
}

impl Delta {
    /// Tells whether both sides are known to be the same; what was not read is not.
    fn is_none(&self) -> bool {
        self.before == self.after
            && [&self.before, &self.after].into_iter().flatten().all(|s| s.content.is_ok())
    }
}

/// One side of a path that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// What it is.
    pub kind: EntryKind,
    /// What it holds: the bytes of a file, the target of a link.
    pub content: Result<Vec<u8>, Unread>,
}

/// Why something was not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// A file of more than [`LARGEST`].
    #[error("it has {bytes} bytes, and more than {} are not read", LARGEST)]
    Large {
        /// Its size.
        bytes: u64,
    },
    /// The change as a whole is of more than [`MOST`].
    #[error("the files of the change have more than {} bytes together", MOST)]
    Much,
    /// A submodule: what it holds is in another repository.
    #[error("it is a submodule{}", .commit.as_ref().map(|c| format!(" at commit {c}")).unwrap_or_default())]
    Submodule {
        /// The commit it is at, where that is known.
        commit: Option<String>,
    },
    /// A content that this clone does not have.
    #[error("its content {0} is not in this clone")]
    Absent(String),
    /// A merge that is not done.
    #[error("it has a merge conflict in the index")]
    Conflict,
    /// The machine refused.
    #[error("it cannot be read: {0}")]
    Failed(String),
}

/// A file of the working tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkFile {
    /// The path, as bytes.
    pub path: Vec<u8>,
    /// What it is.
    pub kind: EntryKind,
    /// Why it cannot be read, where that is known already.
    pub unread: Option<Unread>,
}
