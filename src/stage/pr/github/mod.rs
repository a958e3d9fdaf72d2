//! A draft turned into a pull request on GitHub: look first, then write only what is missing.
//!
//! Every step can be the last one before the process dies: the next run finds what is there by branch, trailers and a
//! marker in the text, and goes on. Must never force a branch, write over a person's words, or open a second pull request.

mod branch;
mod commits;
mod extras;
mod limits;
mod marker;
mod request;

use crate::artifact::digest::Digest;
use crate::artifact::id::CommitId;
use crate::artifact::kind::slot;
use crate::artifact::types::pull_request::{CiStart, CommitRef, Hosted, Outcome, PullRequest, Warning};
use crate::config::{ForgeChoice, Pr as PrConfig};
use crate::diagnostic::Class;
use crate::ports::forge::{
    ForgeError, ForgeRead, ForgeWrite, Identity, Pull, PullNumber, PullState, Repository, RepositorySlug,
    TokenKind,
};
use crate::ports::vcs::{VcsRead, VcsWrite};
use crate::stage::{Finished, Outputs, StageContext, StageError};

use super::draft::Draft;
use super::evidence::Evidence;
pub use branch::run_of;
use branch::{Found, Place};

const FORGE: &str = "github";

/// What the work on GitHub needs.
pub(super) struct Hub<'a> {
    cx: &'a StageContext<'a>,
    slug: RepositorySlug,
    read: &'a dyn ForgeRead,
    write: &'a dyn ForgeWrite,
    vcs: &'a dyn VcsRead,
    local: &'a dyn VcsWrite,
    config: &'a PrConfig,
}

/// Returns GitHub where pull requests go there; `None`: only a branch is written.
pub(super) fn hub<'a>(cx: &'a StageContext<'a>) -> Result<Option<Hub<'a>>, StageError> {
    let config = &cx.config.pr;
    if config.forge == ForgeChoice::Local || (config.forge == ForgeChoice::Auto && !config.push) {
        return Ok(None);
    }
    let ports = (cx.hub()?, cx.hub_write()?);
    let (Some(read), Some(write)) = ports else {
        if config.forge == ForgeChoice::Auto {
            return Ok(None);
        }
        return Err(StageError::Refused {
            class: Class::Usage,
            what: "`pr.forge` is github, and the repository on it or a token for it is not known".into(),
            help: "Set ORCH_FORGE_TOKEN or GITHUB_TOKEN, and give `pr.remote` an address on GitHub or set GITHUB_REPOSITORY; or set `pr.forge: local`."
                .into(),
        });
    };
    let Some(slug) = read.slug() else { return Ok(None) };
    Ok(Some(Hub { cx, slug, read, write, vcs: cx.vcs()?, local: cx.forge()?, config }))
}

/// What is known before anything is written.
struct Known<'a> {
    draft: &'a Draft,
    evidence: &'a Evidence,
    /// Whether a person still has to approve.
    wanted: bool,
    who: Identity,
    target: String,
    /// The text, with the marker.
    body: String,
}

/// What was done, before it is put into words.
struct Done {
    branch: String,
    commits: Vec<CommitRef>,
    head: Option<CommitId>,
    pull: Option<Pull>,
    outcome: Outcome,
    why: Option<String>,
    signed: bool,
    warnings: Vec<Warning>,
}

/// Brings branch and pull request to where they have to be.
pub(super) fn write(
    hub: &Hub<'_>,
    draft: &Draft,
    evidence: Evidence,
    body: &str,
    wanted: bool,
) -> Result<Finished, StageError> {
    let repository = hub.read.repository()?;
    let who = hub.read.identity()?;
    refuse(hub, draft, &repository, &who)?;
    let followed = evidence.task.follows.as_ref().and_then(|follows| follows.target.clone());
    let target = followed.or_else(|| evidence.task.base.branch.clone());
    let target = target.unwrap_or_else(|| repository.default_branch.clone());
    let body = marker::add(body, &evidence.provenance.task, ci(&who));
    let known = Known { draft, evidence: &evidence, wanted, who, target, body };
    let done = match branch::find(hub, &known)? {
        Found::Place(place) => place_it(hub, &known, place)?,
        Found::Closed { branch, pull } => closed(branch, *pull),
        Found::Foreign { branch, head, why } => conflict(branch, Some(head), None, Vec::new(), why),
    };
    finish(hub, &known, done)
}

/// Refuses what cannot work before anything is written.
fn refuse(hub: &Hub<'_>, draft: &Draft, repository: &Repository, who: &Identity) -> Result<(), StageError> {
    let refused = |what: String, help: &str| {
        Err(StageError::Refused { class: Class::Usage, what, help: help.to_owned() })
    };
    if repository.archived {
        return refused(
            format!("the repository {} is archived, so it is read-only", hub.slug),
            "Un-archive it in its Settings, or set `pr.forge: local`.",
        );
    }
    let mut files = draft.commits.iter().flat_map(|commit| &commit.files);
    let workflow = files.find(|file| file.path.as_str().starts_with(".github/workflows/"));
    if let Some(file) = workflow.filter(|_| who.kind == TokenKind::Workflow) {
        return refused(
            format!("the change touches `{}`, which GITHUB_TOKEN may never write", file.path),
            "Set ORCH_FORGE_TOKEN to a token of a GitHub App with `workflows: write`, or to a person's token with the `workflow` scope.",
        );
    }
    match hub.read.commit(&draft.base) {
        Ok(_) => Ok(()),
        Err(ForgeError::NotFound { .. } | ForgeError::Invalid { .. }) => refused(
            format!("the base commit {} is not on {}", draft.base, hub.slug),
            "Push the branch you started from, then run again.",
        ),
        Err(error) => Err(error.into()),
    }
}

fn place_it(hub: &Hub<'_>, known: &Known<'_>, place: Place) -> Result<Done, StageError> {
    let written = match commits::write(hub, known, &place) {
        Ok(written) => written,
        Err(commits::Stop::Conflict { head, why }) => {
            let pull = place.open().cloned();
            return Ok(conflict(place.branch, head, pull, place.ours, why));
        }
        Err(commits::Stop::Error(error)) => return Err(*error),
    };
    let asked = request::ensure(hub, known, &place, &written)?;
    let mut done = Done {
        outcome: request::outcome(&place, &written, &asked),
        branch: place.branch,
        commits: written.commits,
        head: Some(written.head),
        pull: Some(asked.pull),
        why: None,
        signed: written.signed,
        warnings: asked.warnings,
    };
    if written.pushed {
        done.warnings.push(unsigned());
    }
    extras::add(hub, known, &mut done, asked.created);
    Ok(done)
}

/// What is told of commits that git pushed.
fn unsigned() -> Warning {
    Warning {
        what: "git pushed the commits, since GitHub's API takes no change of this size: GitHub does not show them as verified"
            .into(),
        help: Some(
            "Where the branch has to have signed commits, make the change smaller, or keep large files in Git LFS.".into(),
        ),
        again: false,
    }
}

fn closed(branch: String, pull: Pull) -> Done {
    let merged = pull.state == PullState::Merged;
    let number = pull.number;
    let why = if merged {
        format!("pull request {number} with this change is merged")
    } else {
        format!("a person closed pull request {number} with this change; reopen it to go on")
    };
    Done {
        branch,
        commits: Vec::new(),
        head: Some(pull.head_commit.clone()),
        outcome: if merged { Outcome::Unchanged } else { Outcome::Declined },
        pull: Some(pull),
        why: Some(why),
        signed: false,
        warnings: Vec::new(),
    }
}

fn conflict(
    branch: String,
    head: Option<CommitId>,
    pull: Option<Pull>,
    commits: Vec<CommitRef>,
    why: String,
) -> Done {
    let outcome = Outcome::Conflict;
    Done { branch, commits, head, pull, outcome, why: Some(why), signed: false, warnings: Vec::new() }
}

/// Whether what this token writes starts CI.
///
/// Source: GitHub changelog of 2026-06-11, "Bot-created pull requests can run workflows if approved".
const fn ci(who: &Identity) -> CiStart {
    match who.kind {
        TokenKind::Workflow => CiStart::AfterApproval,
        TokenKind::App | TokenKind::Person => CiStart::ByItself,
        TokenKind::Other => CiStart::Unknown,
    }
}

fn finish(hub: &Hub<'_>, known: &Known<'_>, done: Done) -> Result<Finished, StageError> {
    let Known { draft, evidence, .. } = known;
    for warning in &done.warnings {
        hub.cx.note(format!("warning: {}", warning.what));
    }
    let place = done.pull.as_ref().map_or_else(|| done.branch.clone(), |pull| pull.url.clone());
    hub.cx.note(format!("{} {place}", word(done.outcome)));
    let ci = ci(&known.who);
    if ci == CiStart::AfterApproval
        && matches!(done.outcome, Outcome::Created | Outcome::Updated | Outcome::Repaired)
    {
        hub.cx.note("its checks wait until a person presses \"Approve workflows to run\"; a GitHub App's token avoids that");
    }
    let request = PullRequest {
        forge: FORGE.into(),
        branch: done.branch,
        target: Some(known.target.clone()),
        commits: done.commits,
        remote: None,
        title: draft.title.clone(),
        body: Digest::of(&known.body),
        draft: done.pull.as_ref().map_or(known.wanted, |pull| pull.draft),
        provenance: evidence.provenance.clone(),
        hosted: Some(Hosted {
            repository: hub.slug.to_string(),
            number: done.pull.as_ref().map(|pull| pull.number.0),
            url: done.pull.map(|pull| pull.url),
            outcome: done.outcome,
            why: done.why.clone(),
            head: done.head,
            signed: done.signed,
            ci,
            warnings: done.warnings,
        }),
    };
    let mut outputs = Outputs::default();
    outputs.put(slot::PULL_REQUEST, &request)?;
    outputs.put_bytes(slot::PULL_REQUEST_TEXT, known.body.clone());
    Ok(match (done.outcome, done.why) {
        (Outcome::Conflict, Some(why)) => Finished::stopped(outputs, Class::NeedsApproval, why),
        (Outcome::Declined | Outcome::Unchanged, Some(why)) => {
            Finished::stopped(outputs, Class::Nothing, why)
        }
        _ => Finished::done(outputs),
    })
}

const fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Created => "created",
        Outcome::Updated => "updated",
        Outcome::Unchanged => "unchanged",
        Outcome::Repaired => "repaired",
        Outcome::Declined => "declined",
        Outcome::Conflict => "conflict:",
    }
}

/// Tells whether the pull request still is as recorded.
pub(super) fn still_holds(hub: &Hub<'_>, hosted: &Hosted) -> Result<bool, StageError> {
    let open = hosted.warnings.iter().any(|warning| warning.again) || hosted.outcome == Outcome::Conflict;
    let (Some(number), false) = (hosted.number, open) else { return Ok(false) };
    if hosted.repository != hub.slug.to_string() {
        return Ok(false);
    }
    let Some(pull) = ForgeError::optional(hub.read.pull(PullNumber(number)))? else { return Ok(false) };
    Ok(match pull.state {
        PullState::Merged => true,
        PullState::Open => {
            hosted.outcome != Outcome::Declined && Some(&pull.head_commit) == hosted.head.as_ref()
        }
        PullState::Closed => hosted.outcome == Outcome::Declined,
    })
}
