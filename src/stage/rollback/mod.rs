//! `rollback`: back to the last good release: its digests restored, the harmful deployment marked, the branch put back.
//!
//! Must never go back from anything but what was judged, run code of the repository, or move a branch of people.

mod back;
mod body;
mod change;
mod revert;

use crate::artifact::id::StageId;
use crate::artifact::kind::slot;
use crate::artifact::types::promotion::{Act, ActKind};
use crate::artifact::types::pull_request::{Outcome, Warning};
use crate::artifact::types::release::{LastGood, ReleaseOutcome};
use crate::artifact::types::rollback::{Rollback, RollbackCommand};
use crate::config::Reverts;
use crate::diagnostic::Class;
use crate::ports::forge::{Commit, ForgeError};

use super::act::order::Order;
use super::act::record::{Cause, Marker, Record};
use super::act::{Hub, conflict, denied, hub, lasting};
use super::spec::{EffectKind, Input, Permission, StageSpec};
use super::{Finished, Inputs, Outputs, Stage, StageContext, StageError};
use revert::Back;

/// What the stage declares.
pub static SPEC: StageSpec = StageSpec {
    id: StageId::Rollback,
    version: 2,
    summary: "Goes back to the last good release: its digests, the deployment's status, a revert pull request",
    about: "Acts only on a release/decision.json that says rollback, whose digests hold and that follows again from its \
            evidence, and only where the environment \
            still runs what was judged. The last good commit and its digests become the newest good deployment of the \
            environment, the harmful deployment is marked as failed, and the request of a run is written down that puts \
            the branch back, with tests and evidence of its own. Where a run could not make it, as later commits changed the same \
            files, the whole last good tree is proposed as a draft that names what it takes back; `rollback.revert: propose` lets \
            the inverse change be proposed at once, made from the trees and read back before anybody sees it. The repository's own command to \
            go back is written down for a job without a token. A second run after any failure ends in the same single state.",
    inputs: &[Input::required(slot::RELEASE_EVIDENCE), Input::required(slot::RELEASE_DECISION)],
    outputs: &[slot::ROLLBACK],
    may_write: &[slot::REVERT_TEXT],
    effects: &[EffectKind::ForgeRead, EffectKind::ForgeWrite],
    config: &["release", "rollback"],
    permissions: &[Permission::ContentsWrite, Permission::DeploymentsWrite, Permission::PullRequestsWrite],
    exits: &[3, 4, 75, 78],
};

/// The stage.
#[derive(Clone, Copy, Debug, Default)]
pub struct RollbackStage;

impl Stage for RollbackStage {
    fn spec(&self) -> &'static StageSpec {
        &SPEC
    }

    fn run(&self, cx: &StageContext<'_>, inputs: &Inputs) -> Result<Finished, StageError> {
        let order = Order::load(cx, inputs, ReleaseOutcome::Rollback)?;
        order.check_age(cx.clock().now(), cx.config.rollback.max_age_minutes)?;
        let (hub, slug) = hub(cx)?;
        let work = Work::prepare(cx, hub, &order)?;
        let mut rollback = Rollback {
            repository: slug.to_string(),
            subject: order.decision.subject.clone(),
            environment: order.decision.environment.clone(),
            last_good: work.last_good.clone(),
            decision: order.digest.clone(),
            evidence: order.evidence_digest.clone(),
            acts: Vec::new(),
            revert: None,
            request: None,
            command: command(cx, &work.good),
            warnings: work.warnings(),
        };
        let mut text = None;
        let stopped = work.restore(cx, &mut rollback.acts)?;
        // What is not restored on the record is not carried out either.
        rollback.command = rollback.command.filter(|_| !stopped);
        if !stopped && cx.config.rollback.revert != Reverts::None {
            text = work.put_back(cx, &mut rollback)?;
        }
        let mut outputs = Outputs::default();
        outputs.put(slot::ROLLBACK, &rollback)?;
        if let Some(text) = text {
            outputs.put_bytes(slot::REVERT_TEXT, text);
        }
        Ok(match conflict(&rollback.acts) {
            Some(why) => Finished::stopped(outputs, Class::NeedsApproval, why),
            None => Finished::done(outputs),
        })
    }

    /// What is on the forge may be gone or changed: it is looked at again each time, and nothing is done twice.
    fn still_holds(&self, _cx: &StageContext<'_>, _outputs: &Inputs) -> Result<bool, StageError> {
        Ok(false)
    }
}

/// What the work needs.
struct Work<'a> {
    hub: Hub<'a>,
    order: &'a Order,
    last_good: LastGood,
    /// The last good commit.
    good: Commit,
    /// The harmful one.
    bad: Commit,
    record: Record,
}

impl<'a> Work<'a> {
    /// Looks whether the forge has both ends of the way, before anything is written.
    fn prepare(cx: &StageContext<'_>, hub: Hub<'a>, order: &'a Order) -> Result<Self, StageError> {
        let decision = &order.decision;
        let Some(last_good) = decision.last_good.clone() else {
            return Err(denied("the decision names no release to go back to"));
        };
        if last_good.commit == decision.subject.commit && last_good.artifacts == decision.subject.artifacts {
            return Err(denied("the release to go back to is the one that does harm"));
        }
        let find = |commit| match hub.read.commit(commit) {
            Err(ForgeError::NotFound { .. } | ForgeError::Invalid { .. }) => {
                Err(denied(format!("the commit {commit} is not on the forge")))
            }
            other => Ok(other?),
        };
        let (good, bad) = (find(&last_good.commit)?, find(&decision.subject.commit)?);
        if decision.subject.tree.as_ref().is_some_and(|tree| *tree != bad.tree) {
            return Err(denied(format!("the commit {} has another tree than was judged", bad.id)));
        }
        let marker = Marker { cause: Cause::Rollback, run: cx.run.clone(), decision: order.digest.clone() };
        let record = Record { orch: marker, artifacts: last_good.artifacts.clone(), from: None };
        Ok(Self { hub, order, last_good, good, bad, record })
    }

    fn warnings(&self) -> Vec<Warning> {
        if !self.last_good.artifacts.is_empty() || self.order.decision.subject.artifacts.is_empty() {
            return Vec::new();
        }
        vec![Warning {
            what: format!("nobody kept the digests of the last good release {}", self.good.id),
            help: Some("The record names its commit alone: deploy what was built from it then, do not build it again.".into()),
            again: false,
        }]
    }

    /// Restores the former digests; tells whether a person has to look first.
    fn restore(&self, cx: &StageContext<'_>, acts: &mut Vec<Act>) -> Result<bool, StageError> {
        if let Some(why) = self.elsewhere()? {
            acts.push(Act::new(ActKind::Deployment, Outcome::Conflict, self.good.id.clone()).because(why));
            return Ok(true);
        }
        let restored = self.deploy_good()?;
        cx.note(format!("deployment of {} to {}", self.good.id, self.order.decision.environment));
        let stop = restored.is_conflict();
        acts.push(restored);
        if !stop {
            acts.extend(self.take_back()?);
        }
        Ok(stop)
    }

    /// What a run is asked that puts the branch back.
    fn request(&self, cx: &StageContext<'_>) -> revert::Request {
        revert::Request {
            bad: self.bad.id.clone(),
            bad_tree: self.bad.tree.clone(),
            good: self.good.id.clone(),
            good_tree: self.good.tree.clone(),
            release: cx.run.clone(),
            decision: self.order.digest.clone(),
        }
    }

    /// Puts the branch back, or leaves it to a run; what cannot be done there keeps nothing from being restored.
    fn put_back(&self, cx: &StageContext<'_>, rollback: &mut Rollback) -> Result<Option<String>, StageError> {
        match self.revert(cx.config.rollback.revert == Reverts::Run) {
            Ok(Back { by_run, done }) => {
                rollback.request = by_run.then(|| self.request(cx).request());
                let Some(done) = done else {
                    cx.note(format!("revert: left to a run, which `orch run --revert {}` begins", cx.run));
                    return Ok(None);
                };
                cx.note(format!(
                    "revert: {}",
                    done.act.why.as_deref().or(done.act.url.as_deref()).unwrap_or("made")
                ));
                rollback.acts.push(done.act);
                rollback.revert = done.revert;
                Ok(done.text)
            }
            Err(error) => {
                let warning = lasting(error)?;
                let act = Act::new(ActKind::Revert, Outcome::Conflict, self.bad.id.clone());
                rollback.acts.push(act.because(warning.what.clone()));
                rollback.warnings.push(warning);
                Ok(None)
            }
        }
    }
}

/// Returns the repository's own commands, with what they are to be run on: the files of the last good release.
fn command(cx: &StageContext<'_>, good: &Commit) -> Option<RollbackCommand> {
    let commands: Vec<Vec<String>> =
        cx.config.rollback.commands.iter().map(|command| command.0.clone()).collect();
    let some = RollbackCommand { commands, commit: good.id.clone(), tree: good.tree.clone() };
    Some(some).filter(|command| !command.commands.is_empty())
}
