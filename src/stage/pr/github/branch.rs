//! The branch of a task on GitHub: which name it has, what is on it, and whose that is.
//!
//! Must never take a commit for ours that somebody else could have put there unseen.

use crate::artifact::id::{CommitId, RunId};
use crate::artifact::types::pull_request::CommitRef;
use crate::ports::forge::{Commit, Comparison, Pull, PullState};
use crate::ports::vcs::CommitDraft;
use crate::stage::StageError;

use super::super::draft::{RUN_TRAILER, TASK_TRAILER};
use super::marker::{self, Claim};
use super::{Hub, Known};

/// GitHub's own committer, for commits made through its API or pages.
const GITHUB: &str = "GitHub <noreply@github.com>";
const WEB_FLOW: &str = "web-flow";

/// What was found.
pub(super) enum Found {
    /// A branch that is ours or can be.
    Place(Place),
    /// The pull request of this task is closed or merged.
    Closed {
        /// Its branch.
        branch: String,
        /// It.
        pull: Box<Pull>,
    },
    /// The branch is somebody else's.
    Foreign {
        /// The branch.
        branch: String,
        /// Where it is.
        head: CommitId,
        /// Why it is not ours.
        why: String,
    },
}

/// A branch that is ours or can be.
pub(super) struct Place {
    /// Its name.
    pub(super) branch: String,
    /// Where it is; `None`: there is none.
    pub(super) tip: Option<CommitId>,
    /// Our commits on it, oldest first.
    pub(super) ours: Vec<CommitRef>,
    /// Whether GitHub vouches for all of them.
    pub(super) signed: bool,
    /// Whether a person put commits on top.
    pub(super) extended: bool,
    /// What differs from the base.
    pub(super) compared: Option<Comparison>,
    /// The pull requests of the branch, newest first.
    pub(super) pulls: Vec<Pull>,
}

impl Place {
    /// Returns the open pull request.
    pub(super) fn open(&self) -> Option<&Pull> {
        self.pulls.iter().find(|pull| pull.state == PullState::Open)
    }
}

/// Takes the first name that is free or ours.
pub(super) fn find(hub: &Hub<'_>, known: &Known<'_>) -> Result<Found, StageError> {
    for name in &known.draft.names {
        if let Some(found) = look(hub, known, name)? {
            return Ok(found);
        }
    }
    let [branch, _] = known.draft.names.clone();
    let head = hub.read.branch_head(&branch)?.unwrap_or_else(|| known.draft.base.clone());
    Ok(Found::Foreign {
        branch,
        head,
        why: "the branch belongs to another task, and so does the second name".into(),
    })
}

/// Looks at one name; `None`: another task has it.
fn look(hub: &Hub<'_>, known: &Known<'_>, name: &str) -> Result<Option<Found>, StageError> {
    let tip = hub.read.branch_head(name)?;
    let pulls = hub.read.pulls_of(name)?;
    let task = &known.draft.provenance.task;
    let of_task = |pull: &&Pull| marker::claim(&pull.body, task) != Claim::Other;
    let open = pulls.iter().any(|pull| pull.state == PullState::Open);
    // The newest of this task decides: one that was closed, and then opened anew by a person, is open.
    if let Some(pull) = pulls.iter().find(of_task).filter(|_| !open) {
        return Ok(Some(Found::Closed { branch: name.to_owned(), pull: Box::new(pull.clone()) }));
    }
    // What is mended in a pull request that a person closed stays closed with it.
    let follows = known.evidence.task.follows.as_ref();
    if let Some(pull) = pulls.first().filter(|_| !open && follows.is_some()) {
        return Ok(Some(Found::Closed { branch: name.to_owned(), pull: Box::new(pull.clone()) }));
    }
    let mut place = Place {
        branch: name.to_owned(),
        tip: tip.clone(),
        ours: Vec::new(),
        signed: true,
        extended: false,
        compared: None,
        pulls,
    };
    let Some(tip) = tip else { return Ok(Some(Found::Place(place))) };
    if tip == known.draft.base {
        return Ok(Some(Found::Place(place)));
    }
    let compared = hub.read.compare(known.draft.base.as_str(), tip.as_str())?;
    let foreign =
        |why: &str| Ok(Some(Found::Foreign { branch: name.to_owned(), head: tip.clone(), why: why.into() }));
    let owners: Vec<Owner> = compared.commits.iter().map(|commit| owner(known, commit)).collect();
    let ours = owners.iter().take_while(|owner| **owner == Owner::Ours).count();
    if ours == 0 {
        if !owners.is_empty() && owners.iter().all(|owner| *owner == Owner::OtherTask) {
            return Ok(None);
        }
        return foreign(&format!("the branch `{name}` holds commits that orch did not make"));
    }
    if compared.behind_by > 0 || compared.merge_base != known.draft.base {
        return foreign(&format!("the branch `{name}` does not start from the base of this change"));
    }
    let own = compared.commits.get(..ours).unwrap_or_default();
    place.signed = own.iter().all(|commit| commit.verified);
    place.extended = ours < owners.len();
    place.ours = own.iter().map(reference).collect();
    place.compared = Some(compared);
    Ok(Some(Found::Place(place)))
}

/// Whose a commit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Ours,
    OtherTask,
    Foreign,
}

/// An amended commit keeps its trailers, but not its committer.
fn owner(known: &Known<'_>, commit: &Commit) -> Owner {
    let Some(task) = trailer(&commit.message, TASK_TRAILER) else { return Owner::Foreign };
    let author = &known.draft.author;
    let account = commit.committer.as_ref().map(|account| &account.login);
    let by_api = commit.committed_by == GITHUB
        || account.is_some_and(|login| login.as_str() == WEB_FLOW)
        || account.is_some_and(|login| known.who.login.as_ref() == Some(login))
        // Without GraphQL nobody tells who the token is; what GitHub signed for an App no person wrote.
        || (known.who.login.is_none() && commit.verified && commit.committer.as_ref().is_some_and(|one| one.bot));
    if !by_api && commit.committed_by != format!("{} <{}>", author.name, author.email) {
        return Owner::Foreign;
    }
    if task == known.draft.provenance.task.as_str() { Owner::Ours } else { Owner::OtherTask }
}

/// Returns the run that a commit says it was made by; anybody can write such a line.
pub fn run_of(message: &str) -> Option<RunId> {
    trailer(message, RUN_TRAILER)?.parse().ok()
}

/// Returns what a commit's last paragraph says of a name.
fn trailer<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    let message = message.trim_end();
    let last = message.rfind("\n\n").map_or("", |at| &message[at..]);
    last.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).map(str::trim)
}

pub(super) fn reference(commit: &Commit) -> CommitRef {
    CommitRef {
        id: commit.id.clone(),
        tree: commit.tree.clone(),
        subject: commit.message.lines().next().unwrap_or_default().to_owned(),
    }
}

/// Returns the message of a commit below its first line.
pub(super) fn below(draft: &CommitDraft) -> String {
    let trailers: Vec<String> = draft.trailers.iter().map(|(key, value)| format!("{key}: {value}")).collect();
    let parts = [draft.body.trim().to_owned(), trailers.join("\n")];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
}
