//! The decision: rules over an evaluation and thresholds, and nothing else.
//!
//! Must never promote because a control is missing, undefined or of an outcome nobody knows.

use std::sync::Arc;

use serde::Serialize;

use crate::artifact::digest::{Digest, canonical_json};
use crate::config::Upgrade as Limits;
use crate::rego::Policies;
use crate::rego::policies::Options;
use crate::stage::policy::engine::{Job, Limits as Time, evaluate};

use super::UpgradeError;
use super::files::Read;
use super::types::{Control, ControlOutcome, Evaluation, Kind, Outcome, Totals, UpgradeDecision};

/// The rules.
pub const RULES: &str = include_str!("../../upgrades/upgrade.rego");

/// The controls an upgrade of any kind has.
const ALWAYS: &[&str] = &["runs", "measured"];
/// Those of other rules.
const OF_POLICY: &[&str] = &["looser", "stricter"];
/// Those of whatever writes changes.
const OF_WRITERS: &[&str] = &["verdicts", "tests", "refusals", "cost"];

/// What the rules see.
#[derive(Serialize)]
struct Input<'a> {
    kind: Kind,
    totals: &'a Totals,
    limits: &'a Limits,
}

/// Judges an evaluation.
pub fn judge(evaluation: &Read<Evaluation>, limits: &Limits) -> Result<UpgradeDecision, UpgradeError> {
    let body = &evaluation.body;
    let input = canonical_json(&Input { kind: body.kind, totals: &body.totals, limits })?;
    let mut controls = ask(String::from_utf8_lossy(&input).into_owned());
    let own = if body.kind == Kind::Policy { OF_POLICY } else { OF_WRITERS };
    for name in ALWAYS.iter().chain(own) {
        if controls.iter().filter(|control| control.name == *name).count() != 1 {
            controls.push(failed(name, "the rules do not say whether it held"));
        }
    }
    controls.sort();
    let decision = match controls.iter().map(|control| control.outcome).max() {
        Some(ControlOutcome::Held) => Outcome::Promote,
        Some(ControlOutcome::NotMeasured) => Outcome::Hold,
        Some(ControlOutcome::Failed) | None => Outcome::Refuse,
    };
    Ok(UpgradeDecision {
        id: body.id.clone(),
        decision,
        evaluation: evaluation.digest.clone(),
        rules: Digest::of(RULES),
        limits: limits.clone(),
        controls,
    })
}

fn failed(name: &str, why: &str) -> Control {
    Control { name: name.to_owned(), outcome: ControlOutcome::Failed, why: why.to_owned() }
}

/// Asks the rules; whatever is no control is one that failed.
fn ask(input: String) -> Vec<Control> {
    let files = [("upgrades/upgrade.rego".to_owned(), RULES.to_owned())];
    let policies = Policies::load(&files, regorus::Value::new_object(), Options::default()).map(Arc::new);
    let job = Job { policies, entries: vec!["data.orch.upgrade.controls".into()] };
    match evaluate(vec![job], input, Time::default()).pop() {
        Some(Ok(mut sets)) => {
            let read = |value| {
                serde_json::from_value(value)
                    .unwrap_or_else(|error| failed("rules", &format!("an element is no control: {error}")))
            };
            sets.pop().unwrap_or_default().into_iter().map(read).collect()
        }
        Some(Err(fault)) => vec![failed("rules", &format!("they did not answer: {fault}"))],
        None => vec![failed("rules", "they did not answer")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(kind: Kind, totals: Totals) -> UpgradeDecision {
        let evaluation = Evaluation {
            id: "upgrade-prompt-0123456789ab".parse().unwrap(),
            kind,
            proposal: Digest::of("p"),
            spend: None,
            runs: Vec::new(),
            totals,
        };
        judge(&Read { body: evaluation, digest: Digest::of("e") }, &Limits::default()).unwrap()
    }

    #[test]
    fn nothing_measured_is_never_promoted() {
        for kind in [Kind::Model, Kind::Prompt, Kind::Template, Kind::Policy] {
            assert_eq!(judged(kind, Totals::default()).decision, Outcome::Hold, "{kind:?}");
        }
        let cost = Some(crate::artifact::money::NanoUsd(1));
        let good = Totals {
            compared: 10,
            cost_current_nano_usd: cost,
            cost_candidate_nano_usd: cost,
            ..Totals::default()
        };
        assert_eq!(judged(Kind::Prompt, good).decision, Outcome::Promote);
        // Hold and refuse together are a refusal.
        let both = Totals { worse: 1, not_measured: 1, ..good };
        assert_eq!(judged(Kind::Prompt, both).decision, Outcome::Refuse);
    }

    #[test]
    fn rules_that_do_not_answer_refuse() {
        let controls = ask("{}".into());
        assert!(controls.len() < 2, "{controls:?}");
    }
}
