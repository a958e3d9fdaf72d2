//! Which run made a commit, as its trailers say.
//!
//! Must never guess: a commit without a trailer, and without one among its first parents, belongs to no run.

use super::case::Repository;
use crate::artifact::id::RunId;
use crate::ports::vcs::{CommitRef, VcsError};
use crate::stage::pr::RUN_TRAILER;

/// So many first parents are looked at.
const DEPTH: usize = 500;

/// Returns the run of a commit: that of its own trailer, or of the nearest first parent that has one.
pub fn run_of(repository: &dyn Repository, commit: &CommitRef) -> Result<Option<RunId>, VcsError> {
    let mut at = commit.clone();
    for _ in 0..DEPTH {
        if let Some(run) = repository.commit_says(&at.commit)?.trailers.get(RUN_TRAILER) {
            return Ok(run.parse().ok());
        }
        let Some(parent) = at.parents.first() else { return Ok(None) };
        at = match repository.commit_named(parent.as_str()) {
            Ok(parent) => parent,
            // A shallow clone ends here.
            Err(VcsError::MissingObject { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
    }
    Ok(None)
}

/// Returns the commit of a pull request's head where a clone knows it under one of the usual names.
pub fn pull_request(repository: &dyn Repository, number: u64) -> Option<CommitRef> {
    let names = [
        format!("refs/pull/{number}/head"),
        format!("refs/remotes/origin/pull/{number}/head"),
        format!("refs/remotes/origin/pr/{number}"),
        format!("refs/remotes/pull/{number}"),
        format!("refs/heads/pr/{number}"),
        format!("refs/heads/pull/{number}"),
    ];
    names.iter().find_map(|name| repository.commit_named(name).ok())
}
