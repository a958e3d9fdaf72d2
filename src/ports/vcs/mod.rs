//! The version-control system: reading a base, writing a branch, pushing it.
//!
//! Must never touch the person's working tree, index, HEAD, config, hooks or any ref but the one branch it was given.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::artifact::id::{CommitId, TreeId};
use crate::artifact::types::change_set::FileChange;
use crate::artifact::types::graph::RepositoryGraph;
use crate::artifact::types::task::Base;

pub mod changes;
mod commit;
mod create;
mod deltas;
mod error;
mod export;
mod fake;
mod git;
mod history;
mod hooks;
mod hosted;
mod keep;
mod message;
pub mod past;
mod program;
mod records;
mod remote;
mod tree;
mod unstage;

pub use changes::{CommitRef, Delta, Side, Span, Unread, VcsChanges, WorkFile};
pub use create::create_repository;
pub use error::VcsError;
pub use fake::FakeRepository;
pub(crate) use fake::apply as apply_in_memory;
pub use git::GitRepository;
pub use history::VcsHistory;
pub use hooks::{HookError, HookFolder, Hooks};
pub use hosted::{HostedPush, PushError};
pub use keep::{Fetched, KEPT};
pub use past::{PastCommit, PastReader};
pub use records::{Added, RECORDS, VcsRecords};

/// Reads a repository.
pub trait VcsRead: Send + Sync {
    /// Returns the commit HEAD points to, its tree and the branch.
    fn head(&self) -> Result<Base, VcsError>;

    /// Returns every entry of a tree, recursively, sorted by the bytes of the path.
    ///
    /// Several stages ask for the same tree; the list is shared, not read again.
    fn entries(&self, tree: &TreeId) -> Result<Arc<[TreeEntry]>, VcsError>;

    /// Returns the content of a file of a tree; `None` where there is no regular file at the path.
    fn file(&self, tree: &TreeId, path: &str) -> Result<Option<Vec<u8>>, VcsError>;

    /// Returns a policy bundle that was put by for this checkout, by its name; nothing says yet that it is what it should be.
    fn kept(&self, _name: &str) -> Result<Option<Vec<u8>>, VcsError> {
        Ok(None)
    }

    /// Returns the files of a commit that a text concerns, the best first; nothing where nobody keeps an index.
    ///
    /// The answer depends on how much of the past is in this clone, so it is no function of the commit alone. Where there should
    /// be an index and is none, the error is [`VcsError::Index`], and who asks goes on as without one.
    fn ranked(&self, _commit: &CommitId, _text: &str, _most: usize) -> Result<Option<Vec<Ranked>>, VcsError> {
        Ok(None)
    }

    /// Returns what depends on what in a tree; nothing where nobody keeps that. It is a function of the tree alone.
    fn graph(&self, _tree: &TreeId) -> Result<Option<Arc<RepositoryGraph>>, VcsError> {
        Ok(None)
    }

    /// Returns what files of a tree have to do with others, by imports and tests; nothing where nobody keeps that.
    fn related(&self, _tree: &TreeId, _paths: &[&str]) -> Result<Option<Vec<Related>>, VcsError> {
        Ok(None)
    }

    /// Writes a tree below an existing empty folder and tells what could not be written as it is.
    ///
    /// Files are written byte for byte as git stores them: no line-end conversion, no filter, no LFS download.
    fn export(&self, tree: &TreeId, folder: &Path) -> Result<ExportReport, VcsError>;
}

/// Tells which commits a draft makes, without making them.
pub trait VcsForesee: Send + Sync {
    /// Returns the commits of a draft, with their trees, as [`VcsWrite::commit`] writes them; no object, no ref is written.
    fn foresee(&self, draft: &BranchDraft) -> Result<Vec<(CommitId, TreeId)>, VcsError>;
}

/// Writes one branch and pushes it.
pub trait VcsWrite: Send + Sync {
    /// Writes the commits of a draft and points its branch at the last one; says what it found there before.
    ///
    /// Blobs, trees and commits are written before the ref moves; the ref moves only from the value that was read.
    fn commit(&self, draft: &BranchDraft) -> Result<CommitOutcome, VcsError>;

    /// Returns the trees a draft's commits have, without writing anything.
    fn trees(&self, draft: &BranchDraft) -> Result<Vec<TreeId>, VcsError>;

    /// Returns the commit a local branch points to.
    fn branch(&self, name: &str) -> Result<Option<BranchTip>, VcsError>;

    /// Returns the commit a branch of a remote points to.
    fn remote_branch(&self, remote: &str, name: &str) -> Result<Option<CommitId>, VcsError>;

    /// Returns the commit a branch of a remote points to with its trailers; fetches the commit where it is not here.
    ///
    /// Fetching adds objects only: no ref moves, nothing is checked out.
    fn remote_tip(&self, remote: &str, name: &str) -> Result<Option<BranchTip>, VcsError>;

    /// Pushes one branch to the same name on a remote, replacing only `expected`; no hooks, no other ref.
    fn push(&self, remote: &str, name: &str, expected: Option<&CommitId>) -> Result<(), VcsError>;

    /// Returns the location of a remote, without any password in it, or `None` when the repository has none of that name.
    fn remote_url(&self, remote: &str) -> Result<Option<String>, VcsError>;
}

/// A file that a text concerns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ranked {
    /// Its path.
    pub path: String,
    /// The first and last line of what fits best, from 1; none where only its name is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<(u32, u32)>,
}

/// What a file has to do with others, the nearest first by path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Related {
    /// Its path.
    pub path: String,
    /// What it imports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub imports: Vec<String>,
    /// What imports it; tests apart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub importers: Vec<String>,
    /// How many more import it than are named.
    #[serde(default)]
    pub more: usize,
    /// The tests that cover it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tests: Vec<String>,
}

/// Returns the digits of the id that git gives to a content; nothing where it cannot be had.
pub fn blob_id(bytes: &[u8]) -> Option<String> {
    let id = gix::objs::compute_hash(gix::hash::Kind::Sha1, gix::objs::Kind::Blob, bytes).ok()?;
    Some(id.to_hex().to_string())
}

/// One entry of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeEntry {
    /// The path, as bytes: git knows no encoding.
    pub path: Vec<u8>,
    /// What it is.
    pub kind: EntryKind,
}

impl TreeEntry {
    /// Returns the path where it is UTF-8.
    pub fn utf8_path(&self) -> Option<&str> {
        std::str::from_utf8(&self.path).ok()
    }
}

/// What a tree entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// An executable file.
    Executable,
    /// A symbolic link.
    Link,
    /// A submodule.
    Submodule,
}

/// What an export could not write as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportReport {
    /// Files written.
    pub files: u64,
    /// Submodules left as empty folders.
    pub submodules: Vec<String>,
    /// Files that are LFS pointers, not the content.
    pub lfs_pointers: Vec<String>,
    /// Links that point outside the tree, and were left out.
    pub outside_links: Vec<String>,
}

/// A branch to write: commits on top of a base.
#[derive(Clone, Debug)]
pub struct BranchDraft {
    /// The branch's short name, as `feat/api/health/2026-11-21`.
    pub branch: String,
    /// The commit to start from.
    pub base: CommitId,
    /// The commits, oldest first.
    pub commits: Vec<CommitDraft>,
    /// Who writes and commits.
    pub author: Signature,
    /// The value the branch must have now; `None`: it must not exist.
    pub expected: Option<CommitId>,
}

/// A commit to write.
#[derive(Clone, Debug)]
pub struct CommitDraft {
    /// The first line.
    pub subject: String,
    /// The text below it, without trailers.
    pub body: String,
    /// The trailers, in order.
    pub trailers: Vec<(String, String)>,
    /// What changes, against the commit before.
    pub files: Vec<FileChange>,
}

/// Who writes a commit, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The name.
    pub name: String,
    /// The mail address.
    pub email: String,
    /// The time, UTC.
    pub time: Timestamp,
}

/// The commits that were written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommitOutcome {
    /// The commits, oldest first, with their trees.
    pub commits: Vec<(CommitId, TreeId)>,
    /// True when the branch pointed there already.
    pub unchanged: bool,
}

/// Where a branch points, and who made that commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BranchTip {
    /// The commit.
    pub commit: CommitId,
    /// The trailers of that commit.
    pub trailers: BTreeMap<String, String>,
    /// Who committed it, as `Name <mail>`; an amended commit keeps its trailers, but not this.
    pub committer: String,
}
