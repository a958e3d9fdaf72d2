//! `review-gate`: reviewers are asked, waited for and heard, at the head commit.
//!
//! Asks first, then looks until `decide` has its answer or the time is over. Must never be green for silence, and must
//! never rest on a check that a reviewer's own program makes.

mod ask;
pub mod decide;
mod page;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::artifact::id::StageId;
use crate::artifact::kind::slot;
use crate::artifact::types::event::Standing;
use crate::artifact::types::pull_request::PullRequest;
use crate::artifact::types::review::{Review, ReviewOutcome};
use crate::artifact::types::task::Task;
use crate::config::ReviewProgram;
use crate::diagnostic::Class;
use crate::ports::forge::{
    Actor, CheckDraft, Conclusion, ForgeError, ForgeRead, ForgeWrite, Pull, PullNumber, PullState,
    StatusDraft, StatusState,
};

use super::spec::{EffectKind, Input, Permission, StageSpec};
use super::{Finished, Inputs, Outputs, Stage, StageContext, StageError};
use decide::{Asked, CHECK, Evidence, decide};

/// What the stage declares.
pub static SPEC: StageSpec = StageSpec {
    id: StageId::ReviewGate,
    version: 1,
    summary: "Asks reviewers, waits for them and says whether the pull request may go on",
    about: "Asks the programs of `review.reviewers`, waits up to `review.wait_minutes`, and reads reviews, discussions and \
            checks at the head commit. It is green when enough have answered and nothing speaks against the change; silence, \
            an older or a dismissed review, a skipped check or one of another app is no answer. The result is a check of its \
            own, `orch / review-gate`. Findings become a request for another round.",
    inputs: &[Input::required(slot::TASK), Input::required(slot::PULL_REQUEST)],
    outputs: &[slot::REVIEW],
    may_write: &[slot::REVIEW_TASK],
    effects: &[EffectKind::ForgeRead, EffectKind::ForgeWrite],
    config: &["review"],
    permissions: &[
        Permission::ContentsRead,
        Permission::ChecksWrite,
        Permission::StatusesWrite,
        Permission::PullRequestsWrite,
        Permission::IssuesWrite,
    ],
    exits: &[3, 75, 78],
};

/// The longest wait between two looks.
const LONGEST_PAUSE: Duration = Duration::from_mins(2);
/// The first wait.
const FIRST_PAUSE: Duration = Duration::from_secs(10);

/// The stage.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReviewGate;

impl Stage for ReviewGate {
    fn spec(&self) -> &'static StageSpec {
        &SPEC
    }

    fn run(&self, cx: &StageContext<'_>, inputs: &Inputs) -> Result<Finished, StageError> {
        let (task, request) =
            (inputs.get::<Task>(slot::TASK)?, inputs.get::<PullRequest>(slot::PULL_REQUEST)?);
        // A branch without a pull request has nobody to review it: that is no failure, and no yes.
        let number = number(&request)?;
        let (Some(hub), Some(write)) = (cx.hub()?, cx.hub_write()?) else {
            return Err(StageError::Refused {
                class: Class::Usage,
                what: "there is no forge to ask".into(),
                help:
                    "Set ORCH_FORGE_TOKEN or GITHUB_TOKEN, and run in a checkout whose remote is on a forge."
                        .into(),
            });
        };
        let judged = request.commits.last().map(|commit| commit.id.clone()).ok_or_else(no_commit)?;
        let pull = open(hub.pull(number)?)?;
        let mut gate = Gate {
            cx,
            hub,
            asked: BTreeMap::new(),
            standing: BTreeMap::new(),
            judged,
            requester: task.requester.account.as_ref().map(|account| account.id),
        };
        gate.asked = ask::all(&cx.config.review.reviewers, &pull, hub, write)?;
        let mut review = gate.wait(number)?;
        if let Some(text) = page::request(&review).filter(|_| review.outcome == ReviewOutcome::Fail) {
            review.round = task.review_round.unwrap_or(0) + 1;
            cx.note(format!("{} findings for another round", text.matches("found by").count()));
        }
        review.check_run = show(&review, cx.run.as_str(), write)?;
        finished(&review)
    }

    /// Reviews come and go: what was found is looked at again each time.
    fn still_holds(&self, _cx: &StageContext<'_>, _outputs: &Inputs) -> Result<bool, StageError> {
        Ok(false)
    }
}

/// What one look at the forge needs.
struct Gate<'a> {
    cx: &'a StageContext<'a>,
    hub: &'a dyn ForgeRead,
    asked: BTreeMap<ReviewProgram, Asked>,
    standing: BTreeMap<u64, Standing>,
    judged: crate::artifact::id::CommitId,
    requester: Option<u64>,
}

impl Gate<'_> {
    /// Looks until there is an answer or the time is over; pauses grow.
    fn wait(&mut self, number: PullNumber) -> Result<Review, StageError> {
        let terms = &self.cx.config.review;
        let clock = self.cx.clock();
        let most = Duration::from_mins(terms.wait_minutes);
        let start = clock.elapsed();
        let mut pause = FIRST_PAUSE;
        loop {
            let waited = clock.elapsed().saturating_sub(start);
            let over = waited >= most;
            let review = decide(&self.look(number)?, terms, over);
            if review.outcome != ReviewOutcome::Waiting {
                return Ok(review);
            }
            // `over` turns every waiting into something else, so this ends.
            self.cx.note(format!("waiting: {}", review.reasons.join("; ")));
            clock.sleep(pause.min(most.saturating_sub(waited)).max(Duration::from_secs(1)));
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn look(&mut self, number: PullNumber) -> Result<Evidence, StageError> {
        let pull = open(self.hub.pull(number)?)?;
        let reviews = self.hub.reviews(number)?;
        let threads = self.hub.review_threads(number)?;
        let checks = self.hub.check_runs(&pull.head_commit)?;
        let statuses = self.hub.statuses(&pull.head_commit)?;
        let authors: Vec<Actor> =
            reviews.iter().filter_map(|review| review.author.clone()).chain(pull.author.clone()).collect();
        for actor in authors {
            self.stand(&actor)?;
        }
        Ok(Evidence {
            pull,
            judged: self.judged.clone(),
            reviews,
            threads,
            checks,
            statuses,
            standing: self.standing.clone(),
            asked: self.asked.clone(),
            requester: self.requester,
        })
    }

    fn stand(&mut self, actor: &Actor) -> Result<(), StageError> {
        if !actor.bot && !self.standing.contains_key(&actor.id) {
            let standing = self.hub.access(&actor.login)?.into();
            self.standing.insert(actor.id, standing);
        }
        Ok(())
    }
}

fn number(request: &PullRequest) -> Result<PullNumber, StageError> {
    request.hosted.as_ref().and_then(|hosted| hosted.number).map(PullNumber).ok_or_else(|| {
        StageError::Refused {
            class: Class::Nothing,
            what: "the run has no pull request on a forge, only a branch".into(),
            help: "Run `orch stage pr` where the forge can be reached; then run this again.".into(),
        }
    })
}

fn no_commit() -> StageError {
    StageError::Refused {
        class: Class::Usage,
        what: "pr.json names no commit".into(),
        help: "Run `orch artifacts verify` on the run.".into(),
    }
}

fn open(pull: Pull) -> Result<Pull, StageError> {
    match pull.state {
        PullState::Open => Ok(pull),
        PullState::Closed | PullState::Merged => Err(StageError::Refused {
            class: Class::Nothing,
            what: format!("pull request {} is not open any more", pull.number),
            help: "Nothing has to be done.".into(),
        }),
    }
}

fn finished(review: &Review) -> Result<Finished, StageError> {
    let mut outputs = Outputs::default();
    outputs.put(slot::REVIEW, review)?;
    if review.round > 0
        && let Some(text) = page::request(review)
    {
        outputs.put_bytes(slot::REVIEW_TASK, text);
    }
    let why = || {
        let more = review.reasons.len().saturating_sub(1);
        let first = review.reasons.first().cloned().unwrap_or_default();
        if more == 0 { first } else { format!("{first} (and {more} more)") }
    };
    Ok(match review.outcome {
        ReviewOutcome::Pass => Finished::done(outputs),
        ReviewOutcome::Fail => Finished::stopped(outputs, Class::Denied, why()),
        ReviewOutcome::Waiting | ReviewOutcome::Unavailable => {
            Finished::stopped(outputs, Class::Temporary, why())
        }
    })
}

/// Shows the result as a check run, or as a status where the token is no App's.
///
/// A required check counts as passed when it is neutral or skipped, so an answer that is not there is never one of these.
fn show(review: &Review, run: &str, write: &dyn ForgeWrite) -> Result<Option<u64>, StageError> {
    let (conclusion, state) = match review.outcome {
        ReviewOutcome::Pass => (Conclusion::Success, StatusState::Success),
        ReviewOutcome::Fail => (Conclusion::Failure, StatusState::Failure),
        ReviewOutcome::Waiting | ReviewOutcome::Unavailable => {
            (Conclusion::ActionRequired, StatusState::Pending)
        }
    };
    let title = match review.outcome {
        ReviewOutcome::Pass => "Reviewed, nothing speaks against it",
        ReviewOutcome::Fail => "Something speaks against it",
        ReviewOutcome::Waiting | ReviewOutcome::Unavailable => "Not enough reviewers have answered",
    };
    let draft = CheckDraft {
        name: CHECK.into(),
        commit: review.head.clone(),
        external_id: run.to_owned(),
        conclusion: Some(conclusion),
        title: title.into(),
        summary: page::summary(review),
        annotations: Vec::new(),
    };
    match write.create_check(&draft) {
        Ok(id) => Ok(Some(id.0)),
        Err(ForgeError::Forbidden { .. } | ForgeError::Unsupported { .. }) => {
            write.set_status(&StatusDraft {
                commit: review.head.clone(),
                context: CHECK.into(),
                state,
                description: title.into(),
            })?;
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}
