//! `auto-merge`: lets a pull request merge by itself, once verdict and review gate say so in their files.
//!
//! Must never go by how a job ended, merge another head than the one that was judged and reviewed, or merge where the config
//! does not ask for it.

#[cfg(test)]
mod tests;

use crate::artifact::id::{CommitId, StageId};
use crate::artifact::kind::slot;
use crate::artifact::types::auto_merge::{AutoMerge, MergeOutcome};
use crate::artifact::types::pull_request::PullRequest;
use crate::artifact::types::review::{Review, ReviewOutcome};
use crate::config::AutoMerge as Wanted;
use crate::diagnostic::{Class, Failure as _};
use crate::ports::forge::{
    ForgeError, ForgeRead, ForgeWrite, MergeDraft, MergeMethod, Pull, PullNumber, PullState,
};

use super::pr::{Consent, Evidence, made_from};
use super::spec::{EffectKind, Input, Permission, StageSpec};
use super::{Finished, Inputs, Outputs, Stage, StageContext, StageError};

/// What the stage declares.
pub static SPEC: StageSpec = StageSpec {
    id: StageId::AutoMerge,
    version: 1,
    summary: "Lets a pull request merge by itself where policy and the review gate allow it",
    about: "Reads verdict, approval and review as files, not how their jobs ended: the change has to be allowed or approved, \
            the review has to be a pass, and all have to be of the very head the pull request has now. Then, with \
            `pr.auto_merge`, the forge is told to merge that head and no other. Where the target branch requires nothing, it \
            is left to a person.",
    inputs: &[
        Input::required(slot::TASK),
        Input::required(slot::PLAN),
        Input::required(slot::TESTS),
        Input::required(slot::RED),
        Input::required(slot::EDITS),
        Input::required(slot::GREEN),
        Input::required(slot::VERDICT),
        Input::optional(slot::APPROVAL),
        Input::required(slot::PULL_REQUEST),
        Input::required(slot::REVIEW),
    ],
    outputs: &[slot::AUTO_MERGE],
    may_write: &[],
    effects: &[EffectKind::ForgeRead, EffectKind::ForgeWrite],
    config: &["pr"],
    permissions: &[Permission::ContentsWrite, Permission::PullRequestsWrite],
    exits: &[3, 4, 6, 78],
};

/// The stage.
#[derive(Clone, Copy, Debug, Default)]
pub struct AutoMergeStage;

/// What was judged and reviewed, as the files say it.
struct Judged {
    number: PullNumber,
    head: CommitId,
}

impl Stage for AutoMergeStage {
    fn spec(&self) -> &'static StageSpec {
        &SPEC
    }

    fn run(&self, cx: &StageContext<'_>, inputs: &Inputs) -> Result<Finished, StageError> {
        let evidence = Evidence::load(inputs)?;
        let consent = Consent::decide(cx.run, &evidence, inputs.find(slot::APPROVAL)?, || cx.clock().now())?;
        if consent.is_wanted() {
            return Err(refused(
                Class::NeedsApproval,
                "policy asks for a person's approval, and there is none that holds".into(),
                "Comment `/orch approve DIGEST` on the pull request.",
            ));
        }
        let request: PullRequest = inputs.get(slot::PULL_REQUEST)?;
        let review: Review = inputs.get(slot::REVIEW)?;
        made_from::<Review>(inputs, slot::REVIEW, &[slot::PULL_REQUEST])?;
        if request.provenance != evidence.provenance {
            return Err(denied("the pull request was made from other evidence than what lies here"));
        }
        let judged = judged(&request, &review)?;
        let mut made = AutoMerge {
            number: judged.number.0,
            head: judged.head.clone(),
            outcome: MergeOutcome::Off,
            method: None,
            why: None,
            verdict: evidence.provenance.verdict.clone(),
            review: inputs.file(slot::REVIEW)?.digest.clone(),
        };
        if let Some(method) = method(cx.config.pr.auto_merge) {
            made.method = Some(method.as_str().to_owned());
            let (Some(read), Some(write)) = (cx.hub()?, cx.hub_write()?) else {
                return Err(refused(
                    Class::Usage,
                    "there is no forge to merge on".into(),
                    "Set ORCH_FORGE_TOKEN or GITHUB_TOKEN, and run in a checkout whose remote is on a forge.",
                ));
            };
            (made.outcome, made.why) = arm(&judged, method, &request, read, write)?;
        }
        let told = made.why.clone().unwrap_or_default();
        cx.note(match made.outcome {
            MergeOutcome::Off => "`pr.auto_merge` is off, so a person merges".into(),
            MergeOutcome::Armed => format!("pull request {} merges by itself at {}", made.number, made.head),
            MergeOutcome::Merged => format!("pull request {} is merged at {}", made.number, made.head),
            MergeOutcome::Declined => {
                format!("pull request {} does not merge by itself: {told}", made.number)
            }
        });
        let mut outputs = Outputs::default();
        outputs.put(slot::AUTO_MERGE, &made)?;
        Ok(Finished::done(outputs))
    }

    /// A person may have taken it back, or pushed: it is looked at again each time.
    fn still_holds(&self, _cx: &StageContext<'_>, _outputs: &Inputs) -> Result<bool, StageError> {
        Ok(false)
    }
}

const fn method(wanted: Wanted) -> Option<MergeMethod> {
    match wanted {
        Wanted::Off => None,
        Wanted::Merge => Some(MergeMethod::Merge),
        Wanted::Squash => Some(MergeMethod::Squash),
        Wanted::Rebase => Some(MergeMethod::Rebase),
    }
}

/// Returns the head that verdict and review are about; they have to agree.
fn judged(request: &PullRequest, review: &Review) -> Result<Judged, StageError> {
    if review.outcome != ReviewOutcome::Pass {
        return Err(denied(&format!("the review gate says `{}`, and not `pass`", review.outcome.as_str())));
    }
    let hosted = request.hosted.as_ref();
    let number = hosted.and_then(|hosted| hosted.number).filter(|number| *number == review.number);
    let number = number.ok_or_else(|| denied("the review is of another pull request than the run's"))?;
    let head = request.commits.last().map(|commit| commit.id.clone()).filter(|head| *head == review.head);
    let head = head.ok_or_else(|| denied("the commit that was reviewed is not the one that was judged"))?;
    Ok(Judged { number: PullNumber(number), head })
}

/// Tells the forge, at that head and no other.
fn arm(
    judged: &Judged,
    method: MergeMethod,
    request: &PullRequest,
    read: &dyn ForgeRead,
    write: &dyn ForgeWrite,
) -> Result<(MergeOutcome, Option<String>), StageError> {
    let declined = |what: &str, help: &str| Ok((MergeOutcome::Declined, Some(format!("{what}. {help}"))));
    let pull: Pull = read.pull(judged.number)?;
    match pull.state {
        PullState::Merged => return Ok((MergeOutcome::Merged, None)),
        PullState::Closed => {
            return Err(refused(
                Class::Nothing,
                format!("pull request {} is closed", judged.number),
                "Reopen it to go on.",
            ));
        }
        PullState::Open => {}
    }
    if pull.head_commit != judged.head {
        return Err(denied("the head of the pull request is not the commit that was judged and reviewed"));
    }
    if pull.draft {
        return declined(
            "the pull request is a draft",
            "Make it ready for review, then run this stage again.",
        );
    }
    if pull.auto_merge {
        return Ok((MergeOutcome::Armed, None));
    }
    if read.repository()?.auto_merge == Some(false) {
        return declined(
            "the repository does not allow auto-merge",
            "Tick \"Allow auto-merge\" in its Settings, General.",
        );
    }
    // Where nothing is required the forge would merge at once, before its own checks have run.
    let target = request.target.clone().unwrap_or_else(|| pull.base.clone());
    let rules = read.branch_rules(&target)?;
    if rules.checks.is_empty() && rules.approvals == 0 {
        return declined(
            "no ruleset requires a check or an approval on the target branch",
            "Add a ruleset that requires `orch / review-gate` or an approval.",
        );
    }
    let draft = MergeDraft { node: pull.node.clone(), method, expected: judged.head.clone() };
    match write.enable_auto_merge(&draft) {
        Ok(()) => Ok((MergeOutcome::Armed, None)),
        // Everything that is required is there already, and the forge arms only what has to wait.
        Err(ForgeError::Invalid { why, .. }) if why.to_ascii_lowercase().contains("clean status") => {
            write.merge(judged.number, &draft)?;
            Ok((MergeOutcome::Merged, None))
        }
        Err(error) if error.is_temporary() => Err(error.into()),
        Err(error) => {
            declined(&error.to_string(), &error.help().unwrap_or_else(|| "Let a person merge it.".into()))
        }
    }
}

fn denied(what: &str) -> StageError {
    refused(Class::Denied, what.to_owned(), "Run `orch stage pr` and `orch stage review-gate` again.")
}

fn refused(class: Class, what: String, help: &str) -> StageError {
    StageError::Refused { class, what, help: help.to_owned() }
}
