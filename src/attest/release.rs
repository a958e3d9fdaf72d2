//! The predicate of a release: what was judged for which environment, what was decided by which rules, and what was done.
//!
//! Made from the files of the run alone, as that of a change. Must never call a release passed that its decision does not
//! promote, and must never name an artifact by anything but the digest that was judged.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::change::{Product, StagePart, producers, products, stages, there};
use super::opened::OpenRun;
use super::statement::Resource;
use crate::artifact::digest::Digest;
use crate::artifact::envelope::Producer;
use crate::artifact::id::{CommitId, RunId, Slug, StageId};
use crate::artifact::kind::{Slot, slot};
use crate::artifact::types::release::{ControlOutcome, ControlState, ReleaseDecision, ReleaseOutcome};

const OWN: &str = env!("CARGO_PKG_REPOSITORY");

/// The type of the predicate.
pub const TYPE: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/orch-release/v1");

/// What was decided about a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Release {
    /// The run.
    pub run: RunId,
    /// The programs that wrote the files.
    pub producers: Vec<Producer>,
    /// Where it was to go.
    pub environment: Slug,
    /// The decision.
    pub outcome: ReleaseOutcome,
    /// When the evidence was collected, RFC 3339: the judge's clock.
    pub judged_at: String,
    /// The digest over all rules that judged.
    pub rules: Digest,
    /// The digest of what they judged.
    pub evidence: Digest,
    /// Every control that was asked for.
    pub controls: Vec<ControlPart>,
    /// The commit to go back to; absent: there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_good: Option<CommitId>,
    /// Every finished stage, in order.
    pub stages: Vec<StagePart>,
    /// The newest file of each slot: decision and evidence, and what was done then.
    pub products: Vec<Product>,
}

/// A control with what it said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ControlPart {
    /// Its code.
    pub control: String,
    /// Measured, missing or waived.
    pub state: ControlState,
    /// What it said.
    pub outcome: ControlOutcome,
}

fn decision(run: &OpenRun<'_>) -> Result<Option<ReleaseDecision>, String> {
    if run.is_release() { there(run.body(slot::RELEASE_DECISION)) } else { Ok(None) }
}

/// Makes the predicate of a release's run.
pub(super) fn release(run: &OpenRun<'_>) -> Result<Option<Value>, String> {
    let Some(decision) = decision(run)? else { return Ok(None) };
    let part = |control: &crate::artifact::types::release::Control| ControlPart {
        control: control.control.clone(),
        state: control.state,
        outcome: control.outcome,
    };
    let release = Release {
        run: run.run.clone(),
        producers: producers(run),
        environment: decision.environment,
        outcome: decision.outcome,
        judged_at: decision.at,
        rules: decision.rules,
        evidence: decision.evidence,
        controls: decision.controls.iter().map(part).collect(),
        last_good: decision.last_good.map(|good| good.commit),
        stages: stages(run),
        products: products(run),
    };
    serde_json::to_value(release).map(Some).map_err(|error| error.to_string())
}

/// Returns the subjects of every statement about a release: each artifact that was judged, the commit and its tree.
pub(super) fn subjects(run: &OpenRun<'_>) -> Result<Vec<Resource>, String> {
    let Some(decision) = decision(run)? else { return Err("it was not judged yet".into()) };
    let subject = decision.subject;
    let mut subjects: Vec<Resource> = subject
        .artifacts
        .iter()
        .map(|artifact| Resource::new(artifact.name.clone(), "sha256", artifact.digest.hex()))
        .collect();
    subjects.push(Resource::new("commit", "gitCommit", subject.commit.as_str()));
    subjects.extend(subject.tree.map(|tree| Resource::new("tree", "gitTree", tree.as_str())));
    Ok(subjects)
}

/// Returns what the statement of the whole is about besides: what was known, and what was decided from it. A signer that
/// knows files by their SHA-256 alone has a subject in them also where no artifact is named.
pub(super) fn files(run: &OpenRun<'_>) -> Vec<Resource> {
    let file = |slot: Slot| Some(Resource::new(slot.path, "sha256", run.digest(slot)?.hex()));
    [slot::RELEASE_EVIDENCE, slot::RELEASE_DECISION].into_iter().filter_map(file).collect()
}

/// Says what was decided, as a SLSA verification summary; what is not promoted did not pass.
pub(super) fn summary(run: &OpenRun<'_>) -> Result<Option<Value>, String> {
    let Some(decision) = decision(run)? else { return Ok(None) };
    let Some(gate) = run.last(StageId::ReleaseGate) else { return Ok(None) };
    let (result, level) = match decision.outcome {
        ReleaseOutcome::Promote => ("PASSED", "ORCH_RELEASE_PROMOTED"),
        ReleaseOutcome::Hold | ReleaseOutcome::Rollback | ReleaseOutcome::Deny => ("FAILED", "FAILED"),
    };
    let seen = [slot::RELEASE_EVIDENCE, slot::RELEASE_DECISION].map(|slot| {
        let digest = run.digest(slot).map(Digest::hex);
        json!({ "uri": format!("{OWN}/runs/{}/{}", run.run, slot.path), "digest": { "sha256": digest } })
    });
    Ok(Some(json!({
        "verifier": { "id": format!("{OWN}/release-gate/v{}", gate.link.stage_version) },
        "timeVerified": decision.at,
        "resourceUri": format!("{OWN}/environments/{}", decision.environment),
        "policy": { "uri": format!("{OWN}/policies/release"), "digest": { "sha256": decision.rules.hex() } },
        "inputAttestations": seen,
        "verificationResult": result,
        "verifiedLevels": [level],
        "slsaVersion": "1.0",
    })))
}
