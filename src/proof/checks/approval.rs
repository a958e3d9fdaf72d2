//! What policy left to a person, a person has approved.
//!
//! An approval is `approval.json`, a file of the run like any other: sealed by its manifest, naming by digest what it is
//! about. Whatever else it says is its own stage's to judge.

use serde_json::Value;

use crate::artifact::kind::slot;
use crate::artifact::types::verdict::{Decision, Verdict};
use crate::attest::change::APPROVAL;
use crate::proof::case::Case;
use crate::proof::outcome::Outcome;

pub(super) fn look(case: &Case<'_>) -> Outcome {
    let verdict: Verdict = match case.opened.body(slot::VERDICT) {
        Ok(verdict) => verdict,
        Err(lacking) => return lacking.into(),
    };
    let needs = verdict.decision == Decision::NeedsApproval;
    let Some((manifest, file)) = case.opened.find(APPROVAL) else {
        return if needs {
            Outcome::failed("policy leaves the change to a person, and the run holds no approval")
        } else {
            Outcome::held("policy left nothing to a person")
        };
    };
    let bytes = match case.opened.store.read(&file.path) {
        Ok(Some(bytes)) => bytes,
        Ok(None) if case.opened.kept => return Outcome::needed(format!("`{APPROVAL}` was not kept")),
        _ => return Outcome::failed(format!("`{APPROVAL}` cannot be read")),
    };
    let Ok(value) = serde_json::from_slice::<Value>(&bytes) else {
        return Outcome::failed(format!("`{APPROVAL}` is no JSON"));
    };
    // It has to be about this verdict and these edits: read by its stage, or named in its body.
    let names = |path: &str| {
        let Some((_, wanted)) = case.opened.find(path) else { return false };
        let read = manifest.link.inputs.iter().any(|i| i.path == wanted.path && i.digest == wanted.digest);
        read || holds(&value["body"], wanted.digest.as_str())
    };
    let mut problems = Vec::new();
    for path in [slot::VERDICT.path, slot::EDITS.path] {
        if !names(path) {
            problems.push(format!("the approval is not of this `{path}`"));
        }
    }
    if manifest.link.exit != 0 {
        problems.push("the approval was not given".into());
    }
    Outcome::of(problems, || "of this verdict and these edits".into())
}

/// Tells whether a text stands anywhere in a document.
fn holds(value: &Value, text: &str) -> bool {
    match value {
        Value::String(found) => found == text,
        Value::Array(items) => items.iter().any(|item| holds(item, text)),
        Value::Object(fields) => fields.values().any(|item| holds(item, text)),
        _ => false,
    }
}
