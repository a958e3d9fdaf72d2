//! What controls answered, as a decision.
//!
//! A control is as strict as its strictest result that no waiver sets aside. Of the controls: evidence that is not to be
//! trusted and a rule that did not answer deny, whatever the others say, since nothing may be done on their word, a
//! rollback neither. Else a release that is out and does harm goes back, also where others deny or hold: to go back is not
//! to promote. Else deny, else hold, else promote. Must never count a result it does not understand as a pass.

use serde::Deserialize;
use serde_json::Value;

use super::pack::{ACTIVE, CONTROL, PackRule};
use crate::artifact::digest::Digest;
use crate::artifact::types::release::{
    Control, ControlOutcome, ControlState, NotAsked, ReleaseDecision, ReleaseEvidence, ReleaseOutcome,
};
use crate::stage::policy::engine::Answer;

/// What to do about a rule that did not answer.
pub const HELP_OF_FAULTS: &str =
    "This is a fault of the rule or of orch, and not of the release; please report it.";

/// The control that says whether the evidence can be judged at all.
const EVIDENCE: &str = "release/evidence";

/// The control that alone says which waivers are in force.
const WAIVERS: &str = "release/waivers";

/// A control with what the others cannot outweigh.
#[derive(Clone, Debug)]
pub(super) enum Judged {
    /// It was asked for.
    Asked(Control),
    /// Nothing may be done on its word.
    Fault(Control),
    /// The environment does not ask for it.
    NotAsked(NotAsked),
}

/// A result of a rule.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answered {
    state: State,
    outcome: ControlOutcome,
    reason: String,
    #[serde(default)]
    scope: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Measured,
    Missing,
    NotAsked,
}

/// A waiver that is in force.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Waiver {
    control: String,
    scope: Option<String>,
    owner: String,
    reason: String,
    expires: String,
}

/// Returns the control of evidence that is not to be trusted.
pub(super) fn untrusted(why: &str) -> Judged {
    Judged::Fault(Control {
        control: EVIDENCE.into(),
        state: ControlState::Measured,
        outcome: ControlOutcome::Deny,
        reason: format!("the evidence is not to be trusted: {why}"),
        help: "Collect it again with `orch stage release-gate`.".into(),
    })
}

/// Returns the control of a file that should judge and cannot.
pub(super) fn broken(why: &str) -> Judged {
    fault("release/evidence", format!("a rule cannot judge: {why}"))
}

fn fault(control: &str, reason: String) -> Judged {
    Judged::Fault(Control {
        control: control.to_owned(),
        state: ControlState::Missing,
        outcome: ControlOutcome::Deny,
        reason,
        help: HELP_OF_FAULTS.into(),
    })
}

/// Makes controls of what the rules answered.
pub(super) fn controls(asked: &[(&PackRule, Answer)]) -> Vec<Judged> {
    let waivers = waivers(asked);
    asked.iter().map(|(rule, answer)| control(rule, answer, &waivers)).collect()
}

/// Returns the waivers in force; an element that cannot be read is no waiver, and the rule's own control says so.
fn waivers(asked: &[(&PackRule, Answer)]) -> Vec<Waiver> {
    let own = asked.iter().filter(|(rule, _)| rule.metadata.code.as_str() == WAIVERS);
    let sets = own.flat_map(|(rule, answer)| set(rule, answer, ACTIVE));
    let read = |value: &Value| serde_json::from_value(value.clone()).ok();
    sets.filter_map(read).collect()
}

/// Returns the elements of one entry set of a rule.
fn set<'a>(rule: &PackRule, answer: &'a Answer, name: &str) -> &'a [Value] {
    let at = rule.entries.iter().position(|path| path.rsplit('.').next() == Some(name));
    let sets = answer.as_ref().ok();
    at.and_then(|at| sets?.get(at)).map(Vec::as_slice).unwrap_or_default()
}

fn control(rule: &PackRule, answer: &Answer, waivers: &[Waiver]) -> Judged {
    let code = rule.metadata.code.as_str();
    if let Err(why) = answer {
        return fault(code, format!("the rule did not answer: {why}"));
    }
    let elements = set(rule, answer, CONTROL);
    let read: Result<Vec<Answered>, _> = elements.iter().cloned().map(serde_json::from_value).collect();
    let results = match read {
        Ok(results) if results.is_empty() => {
            return fault(code, "the rule did not answer: its set is empty".into());
        }
        Ok(results) => results,
        Err(error) => {
            return fault(code, format!("the rule did not answer: an element is no result: {error}"));
        }
    };
    let (out, asked): (Vec<_>, Vec<_>) =
        results.into_iter().partition(|result| result.state == State::NotAsked);
    if asked.is_empty() {
        let why = out.into_iter().map(|result| result.reason).next().unwrap_or_default();
        return Judged::NotAsked(NotAsked { control: code.to_owned(), why });
    }
    Judged::Asked(strictest(rule, asked, waivers))
}

/// Makes one control of its results: the strictest ones decide, and are told.
fn strictest(rule: &PackRule, results: Vec<Answered>, waivers: &[Waiver]) -> Control {
    let code = rule.metadata.code.as_str();
    let covers = |waiver: &&Waiver, result: &Answered| {
        waiver.control == code
            && !rule.metadata.locked
            && (waiver.scope.is_none() || waiver.scope == result.scope)
            && result.outcome != ControlOutcome::Pass
    };
    let mut rows: Vec<(ControlOutcome, ControlState, String)> = Vec::new();
    for result in results {
        let state =
            if result.state == State::Missing { ControlState::Missing } else { ControlState::Measured };
        // A pass of what is missing is none.
        let outcome = match (state, result.outcome) {
            (ControlState::Missing, ControlOutcome::Pass) => ControlOutcome::Hold,
            (_, outcome) => outcome,
        };
        match waivers.iter().find(|waiver| covers(waiver, &result)) {
            Some(waiver) => {
                let Waiver { owner, reason, expires, .. } = waiver;
                let why = format!("{} (waived by {owner} until {expires}: {reason})", result.reason);
                rows.push((ControlOutcome::Pass, ControlState::Waived, why));
            }
            None => rows.push((outcome, state, result.reason)),
        }
    }
    let worst = rows.iter().map(|(outcome, ..)| *outcome).max().unwrap_or(ControlOutcome::Deny);
    let waived =
        worst == ControlOutcome::Pass && rows.iter().any(|(_, state, _)| *state == ControlState::Waived);
    let mut told: Vec<&(ControlOutcome, ControlState, String)> = rows
        .iter()
        .filter(|(outcome, state, _)| *outcome == worst && (!waived || *state == ControlState::Waived))
        .collect();
    told.sort_by(|a, b| (a.1, &a.2).cmp(&(b.1, &b.2)));
    let state = told.first().map_or(ControlState::Missing, |(_, state, _)| *state);
    Control {
        control: code.to_owned(),
        state,
        outcome: worst,
        reason: reasons(&told),
        help: if worst == ControlOutcome::Pass { String::new() } else { rule.metadata.help.clone() },
    }
}

/// So many reasons of one control are told.
const TOLD: usize = 5;

fn reasons(told: &[&(ControlOutcome, ControlState, String)]) -> String {
    let mut text = told.iter().take(TOLD).map(|(.., reason)| reason.as_str()).collect::<Vec<_>>().join("; ");
    if told.len() > TOLD {
        text += "; and ";
        text += &(told.len() - TOLD).to_string();
        text += " more";
    }
    text
}

/// Adds the controls up.
pub(super) fn decision(
    evidence: &ReleaseEvidence,
    judged: Vec<Judged>,
    digest: Digest,
    rules: Digest,
) -> ReleaseDecision {
    let faulty = judged.iter().any(|one| matches!(one, Judged::Fault(_)));
    let (mut controls, mut not_asked) = (Vec::new(), Vec::new());
    for one in judged {
        match one {
            Judged::Asked(control) | Judged::Fault(control) => controls.push(control),
            Judged::NotAsked(control) => not_asked.push(control),
        }
    }
    controls.sort_by(|a, b| b.outcome.cmp(&a.outcome).then_with(|| a.control.cmp(&b.control)));
    ReleaseDecision {
        outcome: outcome(evidence, &controls, faulty),
        subject: evidence.subject.clone(),
        environment: evidence.environment.clone(),
        at: evidence.now.clone(),
        last_good: evidence.facts.last_good.clone(),
        controls,
        not_asked,
        evidence: digest,
        rules,
    }
}

fn outcome(evidence: &ReleaseEvidence, controls: &[Control], faulty: bool) -> ReleaseOutcome {
    let any = |of: ControlOutcome| controls.iter().any(|control| control.outcome == of);
    let harm = any(ControlOutcome::Rollback);
    let can_go_back = evidence.deployed
        && evidence.facts.last_good.as_ref().is_some_and(|good| good.commit != evidence.subject.commit);
    match () {
        // Nothing at all was asked: that is no reason to promote.
        () if faulty || controls.is_empty() => ReleaseOutcome::Deny,
        () if harm && can_go_back => ReleaseOutcome::Rollback,
        () if harm || any(ControlOutcome::Deny) => ReleaseOutcome::Deny,
        () if any(ControlOutcome::Hold) || any(ControlOutcome::Inconclusive) => ReleaseOutcome::Hold,
        () => ReleaseOutcome::Promote,
    }
}
