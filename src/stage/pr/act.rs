//! A draft turned into a branch, here and on the remote.
//!
//! Must never move a branch whose tip somebody else made, and must heal what a killed run left half done.

use crate::artifact::types::pull_request::{CommitRef, PullRequest};
use crate::config::Pr as PrConfig;
use crate::ports::vcs::{BranchDraft, BranchTip, VcsError, VcsWrite};
use crate::stage::StageError;

use super::draft::{Draft, TASK_TRAILER};

/// What was written.
pub(super) struct Written {
    pub(super) branch: String,
    pub(super) commits: Vec<CommitRef>,
    pub(super) remote: Option<String>,
    pub(super) unchanged: bool,
}

/// Writes the branch, and pushes it where there is a remote.
pub(super) fn write(forge: &dyn VcsWrite, config: &PrConfig, draft: &Draft) -> Result<Written, StageError> {
    let remote = remote(forge, config)?;
    let place = choose(forge, remote, draft)?;
    let outcome = forge.commit(&BranchDraft {
        branch: place.name.clone(),
        base: draft.base.clone(),
        commits: draft.commits.clone(),
        author: draft.author.clone(),
        expected: place.local.map(|tip| tip.commit),
    })?;
    let tip = outcome.commits.last().map(|(commit, _)| commit);
    let there = place.remote.map(|tip| tip.commit);
    let pushed = there.as_ref() == tip;
    if let Some(remote) = remote.filter(|_| !pushed) {
        forge.push(remote, &place.name, there.as_ref())?;
    }
    let refs = outcome.commits.iter().zip(&draft.commits);
    let commits = refs
        .map(|((id, tree), commit)| CommitRef {
            id: id.clone(),
            tree: tree.clone(),
            subject: commit.subject.clone(),
        })
        .collect();
    let unchanged = outcome.unchanged && (remote.is_none() || pushed);
    Ok(Written { branch: place.name, commits, remote: remote.map(str::to_owned), unchanged })
}

/// The remote to push to: named in the config and known to the repository.
fn remote<'a>(forge: &dyn VcsWrite, config: &'a PrConfig) -> Result<Option<&'a str>, VcsError> {
    if !config.push || config.remote.is_empty() {
        return Ok(None);
    }
    Ok(forge.remote_url(&config.remote)?.map(|_| config.remote.as_str()))
}

/// A name whose branch may be written, with what is there now.
struct Place {
    name: String,
    local: Option<BranchTip>,
    remote: Option<BranchTip>,
}

/// Who made the tip of a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    /// There is no branch, or this task made it.
    Ours,
    /// Another task of orch made it.
    OtherTask,
    /// Somebody else did.
    Foreign,
}

fn owner(tip: Option<&BranchTip>, draft: &Draft) -> Owner {
    let Some(tip) = tip else { return Owner::Ours };
    // The branch of a change that this one goes on with ends in what was judged and reviewed.
    if tip.commit == draft.base {
        return Owner::Ours;
    }
    let person = format!("{} <{}>", draft.author.name, draft.author.email);
    match tip.trailers.get(TASK_TRAILER) {
        // An amended or rebased commit keeps its trailers, but not its committer.
        Some(_) if tip.committer != person => Owner::Foreign,
        Some(task) if task == draft.provenance.task.as_str() => Owner::Ours,
        Some(_) => Owner::OtherTask,
        None => Owner::Foreign,
    }
}

/// Takes the first name that is free or ours; a name another task has is passed over, somebody's branch is refused.
fn choose(forge: &dyn VcsWrite, remote: Option<&str>, draft: &Draft) -> Result<Place, VcsError> {
    for name in &draft.names {
        let local = forge.branch(name)?;
        let there = remote.map(|remote| forge.remote_tip(remote, name)).transpose()?.flatten();
        let owners = [owner(local.as_ref(), draft), owner(there.as_ref(), draft)];
        if owners.contains(&Owner::Foreign) {
            let on = if owners[0] == Owner::Foreign { "" } else { " on the remote" };
            let why = format!("ends{on} in a commit that orch did not make");
            return Err(VcsError::BranchMoved { branch: name.clone(), why });
        }
        if !owners.contains(&Owner::OtherTask) {
            return Ok(Place { name: name.clone(), local, remote: there });
        }
    }
    let [branch, other] = draft.names.clone();
    let why = format!("belongs to another task, and so does `{other}`");
    Err(VcsError::BranchMoved { branch, why })
}

/// Tells whether the branch still ends in the recorded commit, here and where it was pushed to.
pub(super) fn still_holds(
    forge: &dyn VcsWrite,
    config: &PrConfig,
    request: &PullRequest,
) -> Result<bool, StageError> {
    let Some(tip) = request.commits.last().map(|commit| &commit.id) else { return Ok(false) };
    let local = forge.branch(&request.branch)?;
    if local.is_none_or(|local| &local.commit != tip) {
        return Ok(false);
    }
    let remote = remote(forge, config)?;
    if remote != request.remote.as_deref() {
        return Ok(false);
    }
    match remote {
        None => Ok(true),
        Some(remote) => Ok(forge.remote_branch(remote, &request.branch)?.as_ref() == Some(tip)),
    }
}
