//! Conditions of jobs: how earlier jobs must have ended, as expressions of GitHub.
//!
//! Must never rest on a job's result alone: a result says that a job ran, its `exit` says what came of it.

use std::collections::BTreeSet;

/// Returns the condition that a job ended with one of these codes.
///
/// As a text that is no number: a job without the output gives null, and null equals '0', since both are turned into numbers.
pub(super) fn ended(job: &str, exits: &BTreeSet<u8>) -> String {
    let outputs = format!("format('exit {{0}}', needs.{job}.outputs.exit)");
    let exit = match exits.iter().collect::<Vec<_>>().as_slice() {
        [one] => format!("{outputs} == 'exit {one}'"),
        several => {
            let codes: Vec<String> = several.iter().map(|code| format!("\"exit {code}\"")).collect();
            format!("contains(fromJSON('[{}]'), {outputs})", codes.join(","))
        }
    };
    format!("needs.{job}.result == 'success' && {exit}")
}

/// Returns the condition that a job ended with 0.
pub(super) fn done(job: &str) -> String {
    ended(job, &BTreeSet::from([0]))
}

/// Returns the condition that one of several holds.
pub(super) fn any(conditions: &[String]) -> String {
    match conditions {
        [one] => one.clone(),
        several => {
            let parts: Vec<String> = several.iter().map(|one| format!("({one})")).collect();
            format!("({})", parts.join(" || "))
        }
    }
}
