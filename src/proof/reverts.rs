//! What a release that was taken back and the run that puts the branch back say of each other.
//!
//! Each has evidence of its own. Must never take the one for the other's: both are looked at, and a run that is not here is
//! nothing that was seen.

use super::case::Case;
use super::outcome::{Checked, Outcome, Overall};
use super::prove;
use crate::artifact::kind::slot;
use crate::artifact::types::release::{ReleaseDecision, ReleaseOutcome};
use crate::artifact::types::rollback::Rollback;
use crate::artifact::types::task::Task;
use crate::attest::OpenRun;
use crate::engine::revert::Revert;

/// Returns the start of the ids of runs that may put back what a release brought, and of that release where a run does.
pub fn beside(run: &OpenRun<'_>) -> Option<String> {
    if let Some(revert) = asked(run) {
        return Some(revert.release.to_string());
    }
    let rollback: Rollback = run.body(slot::ROLLBACK).ok()?;
    let revert = Revert::read(&rollback.request?)?;
    // A run's id begins with the words of its request.
    let first = revert.request().lines().next().unwrap_or_default().to_owned();
    Some(crate::artifact::id::Slug::fold(&first, ID_WORDS, "run").to_string())
}

/// So many letters of the words are looked for; an id may hold more of them.
const ID_WORDS: usize = 30;

/// Looks whether both say the same, where a run is one of the two; `others` are the runs that were found.
pub(super) fn look(case: &Case<'_>, others: &[OpenRun<'_>]) -> Option<Checked> {
    let outcome = if let Some(revert) = asked(&case.opened) {
        of_release(&revert, others)
    } else {
        let rollback: Rollback = case.opened.body(slot::ROLLBACK).ok()?;
        of_run(case, &Revert::read(&rollback.request?)?, others)
    };
    Some(Checked {
        name: "revert",
        shows: "the release and the run that takes it back say the same",
        outcome,
    })
}

/// Returns what a run takes back, if it does.
fn asked(run: &OpenRun<'_>) -> Option<Revert> {
    let task: Task = run.body(slot::TASK).ok()?;
    Revert::read(&task.request)
}

/// The release says that it was taken back, from and to just these.
fn of_release(revert: &Revert, others: &[OpenRun<'_>]) -> Outcome {
    let Some(release) = others.iter().find(|run| *run.run == revert.release) else {
        return Outcome::not_measured(format!("the run `{}` of the release is not here", revert.release));
    };
    if let Some(first) = release.chain.breaks.first() {
        return Outcome::failed(format!(
            "the run `{}` of the release is not what it was: {first}",
            release.run
        ));
    }
    let (decision, rollback): (ReleaseDecision, Rollback) =
        match (release.body(slot::RELEASE_DECISION), release.body(slot::ROLLBACK)) {
            (Ok(decision), Ok(rollback)) => (decision, rollback),
            (Err(lacking), _) | (_, Err(lacking)) => {
                return Outcome::failed(format!("the run `{}` took nothing back: {lacking}", release.run));
            }
        };
    let good = decision.last_good.as_ref().map(|good| &good.commit);
    let same = [
        ("decision", release.digest(slot::RELEASE_DECISION) == Some(&revert.decision)),
        ("outcome", decision.outcome == ReleaseOutcome::Rollback),
        ("commit", decision.subject.commit == revert.bad && good == Some(&revert.good)),
        ("tree", decision.subject.tree.as_ref().is_none_or(|tree| *tree == revert.bad_tree)),
        ("request", rollback.request.is_none_or(|text| Revert::read(&text).as_ref() == Some(revert))),
    ];
    let other = same.into_iter().filter(|(_, same)| !same);
    let problems: Vec<String> =
        other.map(|(what, _)| format!("the run `{}` names another {what}", release.run)).collect();
    Outcome::of(problems, || format!("{} decided to take it back", release.run))
}

/// Every run that was asked to take it back holds.
fn of_run(case: &Case<'_>, revert: &Revert, others: &[OpenRun<'_>]) -> Outcome {
    let (mut held, mut open, mut problems) = (Vec::new(), Vec::new(), Vec::new());
    for other in others.iter().filter(|run| asked(run).as_ref() == Some(revert)) {
        let opened = match OpenRun::open(other.run, other.store, other.kept) {
            Ok(opened) => opened,
            Err(error) => return Outcome::needed(error.to_string()),
        };
        // Who signed it is asked of it itself.
        let proof = prove(&Case { opened, repository: case.repository, head: None, keys: &[] }, "");
        match proof.result {
            Overall::Held => held.push(other.run.to_string()),
            Overall::NotMeasured => open.push(other.run.to_string()),
            Overall::Failed => {
                problems.extend(proof.checks.iter().filter_map(|check| match &check.outcome {
                    Outcome::Failed { problems } => {
                        Some(format!("{}: {}: {}", other.run, check.name, problems.first()?))
                    }
                    _ => None,
                }));
            }
        }
    }
    if !problems.is_empty() {
        return Outcome::Failed { problems };
    }
    match (held.is_empty(), open.first()) {
        (false, _) => Outcome::held(format!("{} puts the branch back, proven", held.join(", "))),
        (true, Some(run)) => Outcome::not_measured(format!(
            "{run} puts the branch back; `orch verify {run}` tells what is open"
        )),
        (true, None) => Outcome::not_measured(format!(
            "the run that puts the branch back is not here; `orch run --revert {}` makes it",
            case.opened.run
        )),
    }
}
