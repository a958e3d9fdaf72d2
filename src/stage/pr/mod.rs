//! `pr`: branch, commits and pull request.
//!
//! Decides first, then acts: the draft is a value made from the inputs alone. Must never write a branch for a change
//! that was not judged, nor over commits that are not its own.

mod act;
mod draft;
mod evidence;
mod markdown;
mod text;

use crate::artifact::digest::Digest;
use crate::artifact::id::{CommitId, StageId, TreeId};
use crate::artifact::kind::slot;
use crate::artifact::types::pull_request::{CommitRef, PullRequest};
use crate::artifact::types::verdict::Decision;

use super::spec::{EffectKind, Input, Permission, StageSpec};
use super::{Finished, Inputs, Outputs, Stage, StageContext, StageError};

pub use draft::{Draft, LINK_TRAILER, RUN_TRAILER};
pub use evidence::Evidence;

/// The forge of a branch without a forge: a local branch, pushed to a plain remote.
const FORGE: &str = "local";

/// What the stage declares.
pub static SPEC: StageSpec = StageSpec {
    id: StageId::Pr,
    version: 2,
    summary: "Writes the branch, pushes it and writes the pull request's text",
    about: "Writes two commits, first the tests and then the change, on a branch of its own, and pushes that branch alone. \
            It refuses a change that policy denied, evidence that does not belong together, and a branch that holds \
            commits of somebody else. A second run updates the branch instead of adding another. The working tree, the \
            index and the current branch stay as they are.",
    inputs: &[
        Input::required(slot::TASK),
        Input::required(slot::PLAN),
        Input::required(slot::TESTS),
        Input::required(slot::RED),
        Input::required(slot::EDITS),
        Input::required(slot::GREEN),
        Input::required(slot::VERDICT),
    ],
    outputs: &[slot::PULL_REQUEST, slot::PULL_REQUEST_TEXT],
    may_write: &[],
    effects: &[EffectKind::RepositoryRead, EffectKind::ForgeWrite],
    config: &["pr"],
    permissions: &[Permission::ContentsWrite, Permission::PullRequestsWrite],
    exits: &[3, 6],
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
        let body = text::render(&draft, &evidence)?;
        let written = act::write(cx.forge()?, &cx.config.pr, &draft)?;
        cx.note(format!("{} {}", if written.unchanged { "unchanged" } else { "wrote" }, written.branch));
        let request =
            request(&draft, &evidence, written.branch, written.commits, written.remote, Digest::of(&body));
        let mut outputs = Outputs::default();
        outputs.put(slot::PULL_REQUEST, &request)?;
        outputs.put_bytes(slot::PULL_REQUEST_TEXT, body);
        Ok(Finished::done(outputs))
    }

    fn still_holds(&self, cx: &StageContext<'_>, outputs: &Inputs) -> Result<bool, StageError> {
        act::still_holds(cx.forge()?, &cx.config.pr, &outputs.get(slot::PULL_REQUEST)?)
    }
}

/// Returns `pr.json` for a branch that was written.
fn request(
    draft: &Draft,
    evidence: &Evidence,
    branch: String,
    commits: Vec<CommitRef>,
    remote: Option<String>,
    body: Digest,
) -> PullRequest {
    PullRequest {
        forge: FORGE.into(),
        branch,
        target: evidence.task.base.branch.clone(),
        commits,
        remote,
        title: draft.title.clone(),
        body,
        draft: evidence.verdict.decision != Decision::Allow,
        provenance: evidence.provenance.clone(),
    }
}

/// Makes `pr.json` and `pr.md` once more for commits that were written; branch and remote are taken from `recorded`.
pub fn again(
    draft: &Draft,
    evidence: &Evidence,
    commits: &[(CommitId, TreeId)],
    recorded: &PullRequest,
) -> Result<(PullRequest, String), StageError> {
    let body = text::render(draft, evidence)?;
    let commits = commits.iter().zip(&draft.commits).map(|((id, tree), commit)| CommitRef {
        id: id.clone(),
        tree: tree.clone(),
        subject: commit.subject.clone(),
    });
    let (branch, remote) = (recorded.branch.clone(), recorded.remote.clone());
    let made = request(draft, evidence, branch, commits.collect(), remote, Digest::of(&body));
    Ok((made, body))
}
