//! `pr`: branch, commits and pull request.
//!
//! Decides first, then acts: the draft is a value made from the inputs alone. Must never write a branch for a change
//! that was not judged, nor over commits that are not its own.

mod act;
mod consent;
mod draft;
mod evidence;
mod github;
pub(crate) mod markdown;
mod text;

use jiff::Timestamp;

use crate::artifact::digest::Digest;
use crate::artifact::id::{CommitId, RunId, StageId, TreeId};
use crate::artifact::kind::slot;
use crate::artifact::types::approval::Approval;
use crate::artifact::types::pull_request::{CommitRef, PullRequest};

use super::spec::{EffectKind, Input, Permission, StageSpec};
use super::{Finished, Inputs, Outputs, Stage, StageContext, StageError};

pub(super) use consent::Consent;
pub use draft::{Draft, LINK_TRAILER, RUN_TRAILER};
pub use evidence::Evidence;
pub(super) use evidence::made_from;
pub use github::run_of;

/// The forge of a branch without a forge: a local branch, pushed to a plain remote.
const FORGE: &str = "local";

/// What the stage declares.
pub static SPEC: StageSpec = StageSpec {
    id: StageId::Pr,
    version: 2,
    summary: "Writes the branch and opens the pull request, or pushes the branch and writes its text",
    about: "Writes two commits, first the tests and then the change, on a branch of its own, and pushes that branch alone. \
            It refuses a change that policy denied, evidence that does not belong together, and a branch that holds \
            commits of somebody else. A second run updates the branch instead of adding another. The working tree, the \
            index and the current branch stay as they are. On GitHub the commits are made through its API, which signs \
            them, and one pull request is opened or brought up to date: a person's commits are never overwritten, and \
            one that a person closed stays closed.",
    inputs: &[
        Input::required(slot::TASK),
        Input::required(slot::PLAN),
        Input::required(slot::TESTS),
        Input::required(slot::RED),
        Input::required(slot::EDITS),
        Input::required(slot::GREEN),
        Input::required(slot::VERDICT),
        Input::optional(slot::APPROVAL),
    ],
    outputs: &[slot::PULL_REQUEST, slot::PULL_REQUEST_TEXT],
    may_write: &[],
    effects: &[EffectKind::RepositoryRead, EffectKind::ForgeRead, EffectKind::ForgeWrite],
    config: &["pr"],
    permissions: &[
        Permission::ContentsWrite,
        Permission::PullRequestsWrite,
        Permission::ChecksWrite,
        Permission::StatusesWrite,
        Permission::SecurityEventsWrite,
    ],
    exits: &[3, 4, 6, 78],
};

/// The `pr` stage.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pr;

impl Stage for Pr {
    fn spec(&self) -> &'static StageSpec {
        &SPEC
    }

    fn run(&self, cx: &StageContext<'_>, inputs: &Inputs) -> Result<Finished, StageError> {
        let evidence = Evidence::load(inputs)?;
        let draft = Draft::decide(cx.run, &cx.config.pr, &evidence)?;
        let approval = inputs.find(slot::APPROVAL)?;
        let consent = Consent::decide(cx.run, &evidence, approval, || cx.clock().now())?;
        if let Consent::Wanted { void: Some(why), .. } = &consent {
            cx.note(format!("the approval {why}; the pull request stays a draft"));
        }
        let text = text::render(&draft, &evidence, &consent)?;
        if let Some(hub) = github::hub(cx)? {
            return github::write(&hub, &draft, evidence, &text, consent.is_wanted());
        }
        let written = act::write(cx.forge()?, &cx.config.pr, &draft)?;
        cx.note(format!("{} {}", if written.unchanged { "unchanged" } else { "wrote" }, written.branch));
        let body = Digest::of(&text);
        let request =
            request(&draft, &evidence, &consent, written.branch, written.commits, written.remote, body);
        let mut outputs = Outputs::default();
        outputs.put(slot::PULL_REQUEST, &request)?;
        outputs.put_bytes(slot::PULL_REQUEST_TEXT, text);
        Ok(Finished::done(outputs))
    }

    fn still_holds(&self, cx: &StageContext<'_>, outputs: &Inputs) -> Result<bool, StageError> {
        let request: PullRequest = outputs.get(slot::PULL_REQUEST)?;
        match (github::hub(cx)?, &request.hosted) {
            (Some(hub), Some(hosted)) => github::still_holds(&hub, hosted),
            (None, None) => act::still_holds(cx.forge()?, &cx.config.pr, &request),
            _ => Ok(false),
        }
    }
}

/// Returns `pr.json` for a branch that was written.
fn request(
    draft: &Draft,
    evidence: &Evidence,
    consent: &Consent,
    branch: String,
    commits: Vec<CommitRef>,
    remote: Option<String>,
    body: Digest,
) -> PullRequest {
    PullRequest {
        forge: FORGE.into(),
        branch,
        target: match &evidence.task.follows {
            Some(follows) => follows.target.clone(),
            None => evidence.task.base.branch.clone(),
        },
        commits,
        remote,
        title: draft.title.clone(),
        body,
        draft: consent.is_wanted(),
        provenance: evidence.provenance.clone(),
        hosted: None,
    }
}

/// Makes `pr.json` and `pr.md` once more for commits that were written; branch and remote are taken from `recorded`, and
/// `written_at` is when it was.
pub fn again(
    run: &RunId,
    draft: &Draft,
    evidence: &Evidence,
    approval: Option<(Approval, Timestamp)>,
    commits: &[(CommitId, TreeId)],
    recorded: &PullRequest,
) -> Result<(PullRequest, String), StageError> {
    let (approval, written_at) = approval.unzip();
    let consent = Consent::decide(run, evidence, approval, || written_at.unwrap_or(Timestamp::UNIX_EPOCH))?;
    let text = text::render(draft, evidence, &consent)?;
    let commits = commits.iter().zip(&draft.commits).map(|((id, tree), commit)| CommitRef {
        id: id.clone(),
        tree: tree.clone(),
        subject: commit.subject.clone(),
    });
    let (branch, remote) = (recorded.branch.clone(), recorded.remote.clone());
    let made = request(draft, evidence, &consent, branch, commits.collect(), remote, Digest::of(&text));
    Ok((made, text))
}
