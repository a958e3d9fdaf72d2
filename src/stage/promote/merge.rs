//! The pull request whose head was judged: merged now, or let merge by itself once everything required is there.
//!
//! Must never merge another head than the one that was judged.

use crate::artifact::types::promotion::{Act, ActKind};
use crate::artifact::types::pull_request::Outcome;
use crate::config::AutoMerge;
use crate::ports::forge::{ForgeError, MergeDraft, MergeMethod, Pull, PullNumber, PullState};
use crate::stage::StageError;

use super::Work;

/// Merges the pull request, or finds it merged.
pub(super) fn ensure(work: &Work<'_>) -> Result<Act, StageError> {
    let subject = &work.order.decision.subject;
    let pulls = work.order.evidence.facts.pulls.as_deref().unwrap_or_default();
    let mut of_head = pulls.iter().filter(|pull| pull.head == subject.commit);
    let (Some(judged), None) = (of_head.next(), of_head.next()) else {
        let why =
            format!("the evidence does not name just one pull request whose head is {}", subject.commit);
        return Ok(work.done(ActKind::Merge, Outcome::Conflict).because(why));
    };
    let pull = work.hub.read.pull(PullNumber(judged.number))?;
    let done = |outcome, state: &str| {
        let mut act = work.done(ActKind::Merge, outcome);
        act.number = Some(pull.number.0);
        act.url = Some(pull.url.clone());
        act.state = Some(state.to_owned());
        act
    };
    let conflict = |why: String| Ok(done(Outcome::Conflict, state(&pull)).because(why));
    if pull.head_commit != subject.commit {
        return conflict(format!(
            "the head is {} by now, and {} was judged",
            pull.head_commit, subject.commit
        ));
    }
    match pull.state {
        PullState::Merged => return Ok(done(Outcome::Unchanged, "merged")),
        PullState::Closed => return conflict("a person closed the pull request".into()),
        PullState::Open => {}
    }
    if pull.draft {
        return conflict("the pull request is a draft".into());
    }
    if pull.mergeable == Some(false) {
        return conflict("the pull request conflicts with its target".into());
    }
    let Some(method) = method(work.terms.merge) else {
        return conflict("`promote.merge` is off".into());
    };
    if pull.auto_merge {
        return Ok(done(Outcome::Unchanged, "merges by itself"));
    }
    let draft = MergeDraft { node: pull.node.clone(), method, expected: subject.commit.clone() };
    match work.hub.write.merge(pull.number, &draft) {
        Ok(_) => Ok(done(Outcome::Created, "merged")),
        // Something that is required is not there yet; the forge waits for it, if it may.
        Err(ForgeError::Conflict { why, .. }) if work.repository.auto_merge != Some(false) => {
            match work.hub.write.enable_auto_merge(&draft) {
                Ok(()) => Ok(done(Outcome::Created, "merges by itself")),
                Err(ForgeError::Conflict { .. } | ForgeError::Invalid { .. }) => conflict(why),
                Err(error) => Err(error.into()),
            }
        }
        Err(ForgeError::Conflict { why, .. }) => conflict(why),
        Err(error) => Err(error.into()),
    }
}

const fn method(word: AutoMerge) -> Option<MergeMethod> {
    match word {
        AutoMerge::Off => None,
        AutoMerge::Merge => Some(MergeMethod::Merge),
        AutoMerge::Squash => Some(MergeMethod::Squash),
        AutoMerge::Rebase => Some(MergeMethod::Rebase),
    }
}

const fn state(pull: &Pull) -> &'static str {
    match pull.state {
        PullState::Open => "open",
        PullState::Closed => "closed",
        PullState::Merged => "merged",
    }
}
