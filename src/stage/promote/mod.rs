//! `promote`: what the release gate let through is put on the forge: merge, tag, deployment, release.
//!
//! Must never act for another commit or digest than the one that was judged, build anything, or do a thing twice.

mod merge;
mod release;
mod tag;

use crate::artifact::id::{Slug, StageId};
use crate::artifact::kind::slot;
use crate::artifact::types::promotion::{Act, ActKind, Promotion};
use crate::artifact::types::pull_request::Outcome;
use crate::artifact::types::release::ReleaseOutcome;
use crate::config::{Promote as Terms, PromoteAct, PromotedState};
use crate::diagnostic::Class;
use crate::ports::forge::{DeploymentState, DeploymentStatusDraft, ForgeError, Repository};

use super::act::order::Order;
use super::act::record::{Cause, Marker, Record};
use super::act::{Hub, conflict, denied, deployment, hub};
use super::spec::{EffectKind, Input, Permission, StageSpec};
use super::{Finished, Inputs, Outputs, Stage, StageContext, StageError};

/// What the stage declares.
pub static SPEC: StageSpec = StageSpec {
    id: StageId::Promote,
    version: 1,
    summary: "Puts on the forge what the release gate let through: merge, tag, deployment, release",
    about: "Acts only on a release/decision.json that says promote, whose digests hold, that follows again from its evidence \
            and what orch.yml asks for, and all of whose controls pass, for \
            exactly the commit and the digests it names. `promote.acts` says what promotion means. Nothing is built: the \
            deployment's payload names the digests that were judged. Each thing is looked for before it is made, by the run \
            and the digest of the decision, so a second run after any failure ends in the same single deployment and \
            release. What somebody else changed meanwhile is a conflict, and stays.",
    inputs: &[Input::required(slot::RELEASE_EVIDENCE), Input::required(slot::RELEASE_DECISION)],
    outputs: &[slot::PROMOTION],
    may_write: &[],
    effects: &[EffectKind::ForgeRead, EffectKind::ForgeWrite],
    config: &["promote", "release"],
    permissions: &[Permission::ContentsWrite, Permission::DeploymentsWrite, Permission::PullRequestsWrite],
    exits: &[3, 4],
};

/// The stage.
#[derive(Clone, Copy, Debug, Default)]
pub struct PromoteStage;

impl Stage for PromoteStage {
    fn spec(&self) -> &'static StageSpec {
        &SPEC
    }

    fn run(&self, cx: &StageContext<'_>, inputs: &Inputs) -> Result<Finished, StageError> {
        let order = Order::load(cx, inputs, ReleaseOutcome::Promote)?;
        order.check_age(cx.clock().now(), cx.config.promote.max_age_minutes)?;
        let (hub, slug) = hub(cx)?;
        let work = Work::prepare(cx, hub, &order)?;
        let mut acts: Vec<Act> = Vec::new();
        for act in &work.order_of_acts() {
            let done = work.act(*act)?;
            cx.note(format!("{} {}", word(done.outcome), told(&done)));
            let stop = done.is_conflict();
            acts.push(done);
            if stop {
                break;
            }
        }
        let promotion = Promotion {
            repository: slug.to_string(),
            subject: order.decision.subject.clone(),
            environment: order.decision.environment.clone(),
            from: work.record.from.clone(),
            decision: order.digest.clone(),
            evidence: order.evidence_digest.clone(),
            warnings: Vec::new(),
            acts,
        };
        let mut outputs = Outputs::default();
        outputs.put(slot::PROMOTION, &promotion)?;
        Ok(match conflict(&promotion.acts) {
            Some(why) => Finished::stopped(outputs, Class::NeedsApproval, why),
            None => Finished::done(outputs),
        })
    }

    /// What is on the forge may be gone or changed: it is looked at again each time, and nothing is done twice.
    fn still_holds(&self, _cx: &StageContext<'_>, _outputs: &Inputs) -> Result<bool, StageError> {
        Ok(false)
    }
}

/// What the acts need.
struct Work<'a> {
    hub: Hub<'a>,
    order: &'a Order,
    terms: &'a Terms,
    repository: Repository,
    record: Record,
    /// The name of the tag.
    tag: String,
}

impl<'a> Work<'a> {
    /// Looks whether the forge has what was judged, before anything is written.
    fn prepare(cx: &'a StageContext<'_>, hub: Hub<'a>, order: &'a Order) -> Result<Self, StageError> {
        let (terms, subject) = (&cx.config.promote, &order.decision.subject);
        let repository = hub.read.repository()?;
        if repository.archived {
            return Err(StageError::Refused {
                class: Class::Usage,
                what: format!("the repository {} is archived, so it is read-only", repository.slug),
                help: "Un-archive it in its Settings.".into(),
            });
        }
        let commit = match hub.read.commit(&subject.commit) {
            Err(ForgeError::NotFound { .. } | ForgeError::Invalid { .. }) => {
                return Err(denied(format!("the commit {} is not on {}", subject.commit, repository.slug)));
            }
            other => other?,
        };
        if subject.tree.as_ref().is_some_and(|tree| *tree != commit.tree) {
            return Err(denied(format!("the commit {} has another tree than was judged", subject.commit)));
        }
        let from = match terms.from.as_str() {
            // What is first put where others come from has no record there yet.
            name if name.is_empty() || name == order.decision.environment.as_str() => None,
            name => Some(from(hub, order, name)?),
        };
        let marker =
            Marker { cause: Cause::Promotion, run: order.run.clone(), decision: order.digest.clone() };
        let record = Record { orch: marker, artifacts: subject.artifacts.clone(), from };
        Ok(Self { hub, order, terms, repository, record, tag: tag::name(&terms.tag, order)? })
    }

    /// Returns the acts of the config, each once, in the order in which they lead to each other.
    fn order_of_acts(&self) -> Vec<PromoteAct> {
        let mut acts = self.terms.acts.clone();
        if acts.contains(&PromoteAct::Release) {
            acts.push(PromoteAct::Tag);
        }
        acts.sort_unstable();
        acts.dedup();
        acts
    }

    fn act(&self, act: PromoteAct) -> Result<Act, StageError> {
        match act {
            PromoteAct::Merge => merge::ensure(self),
            PromoteAct::Tag => tag::ensure(self),
            PromoteAct::Deployment => self.deploy(),
            PromoteAct::Release => release::ensure(self),
        }
    }

    fn deploy(&self) -> Result<Act, StageError> {
        let environment = self.order.decision.environment.as_str();
        let state = match self.terms.state {
            PromotedState::Success => DeploymentState::Success,
            PromotedState::InProgress => DeploymentState::InProgress,
        };
        deployment::ensure(
            self.hub,
            &deployment::Wanted {
                commit: &self.order.decision.subject.commit,
                environment,
                record: &self.record,
                description: format!("Promoted by the release gate, run {}", self.order.run),
                production: environment == "production",
                status: DeploymentStatusDraft {
                    state,
                    description: format!(
                        "{} digests, decision {}",
                        self.record.artifacts.len(),
                        self.order.digest
                    ),
                    environment_url: Some(self.terms.url.replace("{environment}", environment))
                        .filter(|url| !url.is_empty()),
                    auto_inactive: true,
                },
            },
        )
    }

    fn done(&self, kind: ActKind, outcome: Outcome) -> Act {
        Act::new(kind, outcome, self.order.decision.subject.commit.clone())
    }
}

/// Looks for the record of the environment before: a good deployment of the same commit that names the same digests.
fn from(hub: Hub<'_>, order: &Order, name: &str) -> Result<Slug, StageError> {
    let subject = &order.decision.subject;
    let environment: Slug = name
        .parse()
        .map_err(|error: crate::artifact::id::IdError| denied(format!("`promote.from`: {error}")))?;
    let same = |payload: &serde_json::Value| {
        Record::read(payload).is_some_and(|record| record.artifacts == subject.artifacts)
    };
    for deployment in hub.read.deployments(Some(name), Some(&subject.commit), 100)? {
        if !same(&deployment.payload) {
            continue;
        }
        let statuses = hub.read.deployment_statuses(deployment.id)?;
        // A newer one there may have made it inactive; failed is another thing.
        let newest = statuses.first().and_then(|status| status.state);
        let good = statuses.iter().any(|status| status.state == Some(DeploymentState::Success));
        if good && matches!(newest, Some(DeploymentState::Success | DeploymentState::Inactive)) {
            return Ok(environment);
        }
    }
    Err(StageError::Refused {
        class: Class::Denied,
        what: format!("no good deployment to `{name}` names the commit and the digests that were judged"),
        help: format!("Promote the same digests to `{name}` first, or take `promote.from` out of orch.yml."),
    })
}

const fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Created => "made",
        Outcome::Updated => "changed",
        Outcome::Unchanged => "unchanged:",
        Outcome::Repaired => "finished",
        Outcome::Declined => "declined:",
        Outcome::Conflict => "conflict:",
    }
}

fn told(act: &Act) -> String {
    let name = act.name.clone().or_else(|| act.number.map(|number| number.to_string())).unwrap_or_default();
    format!("{} {name}", act.kind.as_str()).trim_end().to_owned()
}
