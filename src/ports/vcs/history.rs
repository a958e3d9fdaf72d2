//! What a commit says of itself: its trailers, and who made it.
//!
//! Must never write, and must never take a branch's word for what only a commit can say.

use gix::bstr::ByteSlice as _;

use crate::artifact::id::CommitId;

use super::git::{commit_id, commit_oid, git, lookup};
use super::{BranchTip, FakeRepository, GitRepository, VcsError, message};

/// Reads commits by their ids.
pub trait VcsHistory: Send + Sync {
    /// Returns the trailers and the committer of a commit.
    fn commit_says(&self, commit: &CommitId) -> Result<BranchTip, VcsError>;
}

impl VcsHistory for GitRepository {
    fn commit_says(&self, commit: &CommitId) -> Result<BranchTip, VcsError> {
        let id = commit_oid(commit)?;
        let repo = self.local();
        let found = repo.find_commit(id).map_err(lookup(format!("the commit {id}")))?;
        let broken = || git(format!("read the commit {id}"));
        let text = found.message_raw().map_err(broken())?.to_str_lossy().into_owned();
        let committer = found.committer().map_err(broken())?;
        Ok(BranchTip {
            commit: commit_id(&id)?,
            trailers: message::trailers(&text),
            committer: format!("{} <{}>", committer.name, committer.email),
        })
    }
}

impl VcsHistory for FakeRepository {
    fn commit_says(&self, commit: &CommitId) -> Result<BranchTip, VcsError> {
        let absent = || VcsError::MissingObject { what: format!("the commit {commit}") };
        self.known(commit).map(|(_, tip)| tip).ok_or_else(absent)
    }
}
