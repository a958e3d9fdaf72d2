//! Outputs of a step: what a stage came to, in the file a GitHub runner reads them from.
//!
//! Must never let a value end its own block: the delimiter is the digest of the value, which no value can hold.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

use super::output::Output;
use crate::agent::budget::RunLedgers;
use crate::artifact::digest::Digest;
use crate::artifact::envelope::Envelope;
use crate::artifact::id::RunId;
use crate::artifact::kind::slot;
use crate::artifact::store::ArtifactStore;
use crate::artifact::types::release::ReleaseDecision;
use crate::artifact::types::rollback::Rollback;
use crate::config::env::Environment;
use crate::diagnostic::redact::redact;
use crate::report::Report;

/// Writes the outputs of a stage, however it ended, where a runner asks for them; elsewhere nothing.
pub fn write(exit: u8, reason: Option<&str>, store: &dyn ArtifactStore, run: &RunId, output: &Output) {
    let Some(file) = Environment::of_process().step_output() else { return };
    let mut values: Vec<(&str, String)> = vec![("exit", exit.to_string()), ("run-id", run.to_string())];
    // What nobody knows is not written: a missing amount is no zero.
    if let Some(spent) =
        RunLedgers::read(store).ok().map(|ledgers| ledgers.spent()).filter(|spent| spent.unknown == 0)
    {
        values.push(("cost-usd", spent.nano_usd.to_string().trim_start_matches('$').to_owned()));
    }
    if let Some(reason) = reason {
        values.push(("reason", reason.split_whitespace().collect::<Vec<_>>().join(" ")));
    }
    if let Ok(report) = Report::read(store, run) {
        let document = serde_json::to_value(report).unwrap_or_default();
        for (name, pointers) in FIELDS {
            let found = pointers.iter().find_map(|pointer| document.pointer(pointer));
            let text = match found {
                Some(serde_json::Value::String(text)) => text.clone(),
                Some(serde_json::Value::Null) | None => continue,
                Some(value) => value.to_string(),
            };
            values.push((name, text));
        }
    }
    // A release has no verdict: what its gate decided is the decision.
    let decided = store.read(slot::RELEASE_DECISION.path).ok().flatten();
    if let Some(decision) = decided.and_then(|bytes| Envelope::<ReleaseDecision>::from_bytes(&bytes).ok()) {
        values.push(("decision", decision.body.outcome.as_str().to_owned()));
    }
    let back = store.read(slot::ROLLBACK.path).ok().flatten();
    let back = back.and_then(|bytes| Envelope::<Rollback>::from_bytes(&bytes).ok());
    // Where its pull request is open, nobody has to make it.
    let asked = back.filter(|back| back.body.revert.is_none()).and_then(|back| back.body.request);
    values.extend(asked.map(|request| ("revert", request)));
    if let Err(error) = append(&values, &file) {
        output.note(&format!("the outputs of the step were not written to {}: {error}", file.display()));
    }
}

/// Writes outputs of a command that is no stage, where a runner asks for them.
pub fn write_values(values: &[(&str, String)], output: &Output) {
    let Some(file) = Environment::of_process().step_output() else { return };
    if let Err(error) = append(values, &file) {
        output.note(&format!("the outputs of the step were not written to {}: {error}", file.display()));
    }
}

/// Outputs, and where in the report they stand.
const FIELDS: &[(&str, &[&str])] = &[
    ("decision", &["/verdict/decision"]),
    ("branch", &["/pull_request/branch"]),
    ("pr-number", &["/pull_request/hosted/number"]),
    ("pr-url", &["/pull_request/hosted/url"]),
    ("pr-head", &["/pull_request/hosted/head"]),
];

fn append(values: &[(&str, String)], file: &Path) -> io::Result<()> {
    let mut text = String::new();
    for (name, value) in values {
        let value = redact(value);
        let end = format!("end-{}", Digest::of(value.as_bytes()).hex());
        let _ = write!(text, "{name}<<{end}\n{value}\n{end}\n");
    }
    OpenOptions::new().create(true).append(true).open(file)?.write_all(text.as_bytes())
}
