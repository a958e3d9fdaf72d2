//! Predicates of others that fit: SLSA provenance v1 and verification summary v1, in-toto's test-result v0.1 and Simple
//! Verification Result v0.1.
//!
//! Fields are those of the specifications (slsa.dev/spec/v1.0/provenance and `verification_summary`; in-toto/attestation, spec/predicates). Must never
//! stretch a predicate to say more than its specification means.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::change::there;
use super::opened::OpenRun;
use crate::artifact::envelope::Producer;
use crate::artifact::id::StageId;
use crate::artifact::kind::slot;
use crate::artifact::types::manifest::{Manifest, Material};
use crate::artifact::types::task::Task;
use crate::artifact::types::verdict::{Decision, Verdict};
use crate::artifact::types::verification::{TestStatus, Verification, VerificationOutcome};

/// SLSA provenance.
pub const PROVENANCE: &str = "https://slsa.dev/provenance/v1";
/// In-toto's test result.
pub const TEST_RESULT: &str = "https://in-toto.io/attestation/test-result/v0.1";
/// In-toto's Simple Verification Result.
pub const SVR: &str = "https://in-toto.io/attestation/svr/v0.1";

/// SLSA's verification summary.
pub const VSA: &str = "https://slsa.dev/verification_summary/v1";

const OWN: &str = env!("CARGO_PKG_REPOSITORY");

/// Returns the tests that failed without the change and pass with it, as `path::name`.
pub(super) fn proven(red: &Verification, green: &Verification) -> Vec<String> {
    let failed = |test: &&crate::artifact::types::verification::TestReport| {
        red.tests.iter().any(|r| {
            r.path == test.path
                && r.name == test.name
                && matches!(r.status, TestStatus::Failed | TestStatus::NotSeen)
        })
    };
    let passed = green.tests.iter().filter(|test| test.status == TestStatus::Passed);
    passed.filter(failed).map(|test| format!("{}::{}", test.path, test.name)).collect()
}

/// Says how the change was made.
pub fn provenance(run: &OpenRun<'_>) -> Result<Option<Value>, String> {
    let Some(task) = there(run.body::<Task>(slot::TASK))? else { return Ok(None) };
    let Some(digest) = run.digest(slot::TASK) else { return Ok(None) };
    let base =
        json!({ "name": "base", "digest": { "gitCommit": task.base.commit, "gitTree": task.base.tree } });
    let materials: BTreeSet<&Material> = run.chain.bodies().flat_map(|m| &m.link.materials).collect();
    let material = |m: &&Material| json!({ "name": m.name, "digest": { "sha256": m.digest.hex() } });
    let dependencies: Vec<Value> = std::iter::once(base).chain(materials.iter().map(material)).collect();
    let versions: serde_json::Map<String, Value> =
        run.chain.bodies().map(|m| (m.link.stage.to_string(), m.link.stage_version.into())).collect();
    let logs: Vec<Value> = run
        .chain
        .bodies()
        .flat_map(|m| &m.records)
        .map(|file| json!({ "name": file.path, "digest": { "sha256": file.digest.hex() } }))
        .collect();
    let started = run.chain.bodies().map(|m| m.timing.started_at.as_str()).min();
    let finished = run.chain.bodies().filter_map(finished).max();
    Ok(Some(json!({
        "buildDefinition": {
            "buildType": format!("{OWN}/change-pipeline/v1"),
            "externalParameters": {
                "task": { "name": "task.json", "digest": { "sha256": digest.hex() } },
                "service": task.service,
                "engine": task.assignment.engine,
            },
            "internalParameters": { "stageVersions": versions },
            "resolvedDependencies": dependencies,
        },
        "runDetails": {
            "builder": { "id": format!("{OWN}/orch"), "version": version(run) },
            "metadata": {
                "invocationId": run.run,
                "startedOn": started,
                "finishedOn": finished.map(|at| at.to_string()),
            },
            "byproducts": logs,
        },
    })))
}

fn version(run: &OpenRun<'_>) -> Value {
    let all: BTreeSet<&str> = run.chain.manifests.iter().map(|m| m.producer.version.as_str()).collect();
    json!({ Producer::this().name: all.into_iter().collect::<Vec<_>>().join(", ") })
}

fn finished(manifest: &Manifest) -> Option<Timestamp> {
    let started: Timestamp = manifest.timing.started_at.parse().ok()?;
    let took = SignedDuration::from_millis(i64::try_from(manifest.timing.duration_ms).ok()?);
    started.checked_add(took).ok()
}

/// Says what the tests said with the change.
pub fn test_result(run: &OpenRun<'_>) -> Result<Option<Value>, String> {
    let Some(green) = there(run.body::<Verification>(slot::GREEN))? else { return Ok(None) };
    let Some((_, file)) = run.find(slot::GREEN.path) else { return Ok(None) };
    let names = |wanted: &dyn Fn(TestStatus) -> bool| -> Vec<String> {
        let tests = green.tests.iter().filter(|test| wanted(test.status));
        tests.map(|test| format!("{}::{}", test.path, test.name)).collect()
    };
    let mut failed = names(&|status| status == TestStatus::Failed);
    failed.extend(green.other_failures.iter().cloned());
    let result = match green.outcome {
        VerificationOutcome::Passed if failed.is_empty() => "PASSED",
        VerificationOutcome::Passed | VerificationOutcome::Exempt => "WARNED",
        VerificationOutcome::Failed => "FAILED",
    };
    Ok(Some(json!({
        "result": result,
        "configuration": [{ "name": file.path, "digest": { "sha256": file.digest.hex() } }],
        "passedTests": names(&|status| status == TestStatus::Passed),
        "warnedTests": names(&|status| matches!(status, TestStatus::Skipped | TestStatus::NotSeen)),
        "failedTests": failed,
    })))
}

/// Says which rules a change passed; nothing where policy did not allow it.
pub fn svr(run: &OpenRun<'_>) -> Result<Option<Value>, String> {
    let Some(verdict) = there(run.body::<Verdict>(slot::VERDICT))? else { return Ok(None) };
    let Some(manifest) = run.last(StageId::Policy).filter(|_| verdict.decision == Decision::Allow) else {
        return Ok(None);
    };
    let found: BTreeSet<&str> = verdict.findings.iter().map(|f| f.code.as_str()).collect();
    let aside: BTreeSet<&str> = verdict.set_aside.iter().map(|s| s.finding.code.as_str()).collect();
    let passed =
        verdict.rules.iter().filter(|code| !found.contains(code.as_str()) && !aside.contains(code.as_str()));
    let properties: Vec<String> = passed.map(|code| property(code)).collect();
    Ok(Some(json!({
        "verifier": {
            "id": format!("{OWN}/policy/v{}", manifest.link.stage_version),
            "policy": { "uri": format!("{OWN}/policies"), "digest": { "sha256": verdict.bundle.hex() } },
        },
        "timeCreated": manifest.timing.started_at,
        "properties": properties,
    })))
}

/// Says what policy decided about a change; a change that waits for a person, or that policy denies, did not pass.
///
/// The level is one of our own, as the specification allows: no level of SLSA is claimed.
pub fn vsa(run: &OpenRun<'_>) -> Result<Option<Value>, String> {
    if run.is_release() {
        return super::release::summary(run);
    }
    let Some(verdict) = there(run.body::<Verdict>(slot::VERDICT))? else { return Ok(None) };
    let Some(manifest) = run.last(StageId::Policy) else { return Ok(None) };
    let Some(finished) = finished(manifest) else { return Ok(None) };
    let (result, level) = match verdict.decision {
        Decision::Allow => ("PASSED", "ORCH_POLICY_ALLOWED"),
        Decision::NeedsApproval | Decision::Deny => ("FAILED", "FAILED"),
    };
    Ok(Some(json!({
        "verifier": { "id": format!("{OWN}/policy/v{}", manifest.link.stage_version), "version": version(run) },
        "timeVerified": finished.to_string(),
        "resourceUri": format!("{OWN}/runs/{}", run.run),
        "policy": { "uri": format!("{OWN}/policies"), "digest": { "sha256": verdict.bundle.hex() } },
        "verificationResult": result,
        "verifiedLevels": [level],
        "slsaVersion": "1.0",
    })))
}

/// `paths/protected` as a property: `ORCH_PATHS_PROTECTED`.
fn property(code: &str) -> String {
    let word = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    format!("ORCH_{}", code.chars().map(word).collect::<String>())
}
