//! The order a stage acts on: a decision of the release gate with the evidence it rests on, checked to belong together.
//!
//! Must never trust a word of the decision that the evidence does not bear out.

use jiff::Timestamp;

use crate::artifact::digest::Digest;
use crate::artifact::envelope::{Artifact, Envelope};
use crate::artifact::id::RunId;
use crate::artifact::kind::{Slot, slot};
use crate::artifact::types::release::{ControlOutcome, ReleaseDecision, ReleaseEvidence, ReleaseOutcome};
use crate::diagnostic::Class;
use crate::stage::release_gate::judged;
use crate::stage::{Inputs, StageContext, StageError};

use super::denied;

/// The stage that decides.
const GATE: &str = "release-gate";
/// Clocks of two machines may be so many seconds apart.
const SKEW: i64 = 300;

/// A decision with what it rests on.
#[derive(Clone, Debug)]
pub(in crate::stage) struct Order {
    /// The run.
    pub(in crate::stage) run: RunId,
    /// What was decided.
    pub(in crate::stage) decision: ReleaseDecision,
    /// The digest of `release/decision.json`.
    pub(in crate::stage) digest: Digest,
    /// What it was decided from.
    pub(in crate::stage) evidence: ReleaseEvidence,
    /// The digest of `release/evidence.json`.
    pub(in crate::stage) evidence_digest: Digest,
}

impl Order {
    /// Loads the decision and refuses one that does not hold, or does not say `wanted`.
    pub(in crate::stage) fn load(
        cx: &StageContext<'_>,
        inputs: &Inputs,
        wanted: ReleaseOutcome,
    ) -> Result<Self, StageError> {
        let (evidence, evidence_digest) = open::<ReleaseEvidence>(cx, inputs, slot::RELEASE_EVIDENCE)?;
        let (decision, digest) = open::<ReleaseDecision>(cx, inputs, slot::RELEASE_DECISION)?;
        if inputs.link(slot::RELEASE_EVIDENCE) != inputs.link(slot::RELEASE_DECISION) {
            return Err(denied("the evidence and the decision are of two attempts"));
        }
        let order = Self { run: cx.run.clone(), decision, digest, evidence, evidence_digest };
        order.check_bound()?;
        order.check_outcome(wanted)?;
        order.check_terms(cx)?;
        order.check_judged()?;
        Ok(order)
    }

    /// Checks that the evidence was judged by what `orch.yml` asks of the environment now.
    fn check_terms(&self, cx: &StageContext<'_>) -> Result<(), StageError> {
        let environment = &self.evidence.environment;
        let Some(asked) = cx.config.release.environments.get(environment) else {
            return Err(denied(format!(
                "orch.yml does not say what the environment `{environment}` asks for"
            )));
        };
        if asked.terms != self.evidence.terms {
            return Err(denied(format!("`{environment}` was judged by other terms than orch.yml asks for")));
        }
        if cx.config.release.packs.is_empty() != self.evidence.rules.is_empty() {
            return Err(denied("the evidence was judged with other packs of rules than orch.yml names"));
        }
        Ok(())
    }

    /// Judges the evidence once more: nothing is done on the word of a file alone.
    fn check_judged(&self) -> Result<(), StageError> {
        let again = judged(&self.evidence)?;
        if again.rules != self.decision.rules {
            return Err(denied("the decision was made by other rules than this orch has"));
        }
        if again == self.decision {
            return Ok(());
        }
        let (said, is) = (self.decision.outcome.as_str(), again.outcome.as_str());
        Err(denied(if said == is {
            format!("the evidence gives `{is}` for other reasons than the decision says")
        } else {
            format!("the evidence gives `{is}`, and the decision says `{said}`")
        }))
    }

    /// Checks that the decision is about this evidence, and repeats of it nothing but what it says.
    fn check_bound(&self) -> Result<(), StageError> {
        let (decision, evidence) = (&self.decision, &self.evidence);
        let seal = evidence.digest_of_parts().ok();
        if seal.as_ref() != Some(&evidence.seal) {
            return Err(denied("the evidence was changed after it was sealed"));
        }
        let body = Digest::of_json(evidence).ok();
        if body.as_ref() != Some(&decision.evidence) {
            return Err(denied("the decision rests on other evidence than is here"));
        }
        for (same, what) in [
            (decision.subject == evidence.subject, "commit or digests"),
            (decision.environment == evidence.environment, "environment"),
            (decision.at == evidence.now, "time"),
            (decision.last_good == evidence.facts.last_good, "last good release"),
        ] {
            if !same {
                return Err(denied(format!("the decision names another {what} than its evidence")));
            }
        }
        Ok(())
    }

    /// Checks that the decision says what is asked for, and that no control of it says otherwise.
    fn check_outcome(&self, wanted: ReleaseOutcome) -> Result<(), StageError> {
        let decision = &self.decision;
        if decision.outcome != wanted {
            let class = match decision.outcome {
                ReleaseOutcome::Hold => Class::Temporary,
                _ if wanted == ReleaseOutcome::Rollback => Class::Nothing,
                _ => Class::Denied,
            };
            return Err(StageError::Refused {
                class,
                what: format!("the release gate says {}, not {}", decision.outcome.as_str(), wanted.as_str()),
                help: "Read the controls in release/decision.json; nothing was done.".into(),
            });
        }
        if decision.controls.is_empty() {
            return Err(denied("the decision rests on no control at all"));
        }
        let strictest = decision.controls.iter().map(|control| control.outcome).max();
        let allowed = match wanted {
            ReleaseOutcome::Promote => strictest == Some(ControlOutcome::Pass),
            ReleaseOutcome::Rollback => {
                decision.controls.iter().any(|control| control.outcome == ControlOutcome::Rollback)
            }
            ReleaseOutcome::Hold | ReleaseOutcome::Deny => false,
        };
        if allowed {
            return Ok(());
        }
        Err(denied("the decision is not what its own controls come to"))
    }

    /// Refuses a decision that is too old to act on: what it was decided from may be over.
    pub(in crate::stage) fn check_age(&self, now: Timestamp, minutes: u64) -> Result<(), StageError> {
        let at: Timestamp = self.decision.at.parse().map_err(|_| denied("the decision has no time"))?;
        let age = now.as_second().saturating_sub(at.as_second());
        let most = i64::try_from(minutes.saturating_mul(60)).unwrap_or(i64::MAX);
        if age < -SKEW {
            return Err(denied(format!("the decision is of {}, which is yet to come", self.decision.at)));
        }
        if age <= most {
            return Ok(());
        }
        Err(StageError::Refused {
            class: Class::Temporary,
            what: format!("the decision is of {}, more than {minutes} minutes ago", self.decision.at),
            help: "Run `orch stage release-gate` again: what it was decided from may be over by now.".into(),
        })
    }
}

/// Opens a file of the gate: of this run and that stage, with the bytes its digest names.
fn open<T: Artifact>(cx: &StageContext<'_>, inputs: &Inputs, slot: Slot) -> Result<(T, Digest), StageError> {
    let file = inputs.file(slot)?;
    if Digest::of(&file.bytes) != file.digest {
        return Err(denied(format!("`{}` is not the file its digest names", file.path)));
    }
    let envelope = Envelope::<T>::from_bytes(&file.bytes)
        .map_err(|source| StageError::BadArtifact { path: file.path.clone(), source })?;
    if envelope.run != *cx.run || envelope.stage.as_str() != GATE {
        return Err(denied(format!("`{}` is of another run or stage", file.path)));
    }
    Ok((envelope.body, file.digest.clone()))
}
