//! What a run came to, and two of them beside each other.
//!
//! Must never take a run that a machine, a budget or a provider stopped for one that a candidate failed.

use crate::agent::budget::Spend;
use crate::artifact::id::StageId;
use crate::artifact::money::NanoUsd;
use crate::artifact::types::verdict::{Decision, Verdict};
use crate::artifact::types::verification::TestStatus;
use crate::diagnostic::Class;
use crate::report::Report;

use super::types::{Compared, Kind, Measured, Totals};

/// The stages that ask somebody to write.
const WRITING: [StageId; 3] = [StageId::Plan, StageId::TestWrite, StageId::Generate];

/// Returns what a run came to; the error says why that cannot be told, as of a run that a machine stopped.
pub fn measured(report: &Report, spend: &Spend) -> Result<Measured, String> {
    let ended = report.verdict.is_none().then(|| ended(report)).transpose()?;
    let stages = |id: StageId| report.stages.iter().filter(move |stage| stage.stage == id);
    let green = stages(StageId::VerifyGreen).next_back().map(|stage| stage.exit == 0);
    let tests = report.tests.iter().flatten();
    let passing = tests.filter(|test| test.after == Some(TestStatus::Passed)).count();
    let known = spend.total.unknown_cost_calls == 0;
    let refused = match (&report.verdict, ended.as_ref()) {
        (None, Some((stage, _))) => WRITING.contains(stage),
        _ => false,
    };
    Ok(Measured {
        refused,
        findings: report.verdict.as_ref().map(findings).unwrap_or_default(),
        decision: report.verdict.as_ref().map(|verdict| verdict.decision),
        ended: ended.map(|(_, why)| why),
        green,
        passing: u32::try_from(passing).unwrap_or(u32::MAX),
        rounds: u32::try_from(stages(StageId::Generate).count()).unwrap_or(u32::MAX),
        cost_nano_usd: known.then_some(spend.total.nano_usd),
        calls: spend.total.calls,
    })
}

/// Returns what a verdict comes to by itself: other rules run nothing and cost nothing.
pub fn judged(verdict: &Verdict) -> Measured {
    Measured {
        decision: Some(verdict.decision),
        ended: None,
        refused: false,
        findings: findings(verdict),
        green: None,
        passing: 0,
        rounds: 0,
        cost_nano_usd: None,
        calls: 0,
    }
}

fn findings(verdict: &Verdict) -> std::collections::BTreeMap<String, u32> {
    let mut counts = std::collections::BTreeMap::new();
    for finding in &verdict.findings {
        *counts.entry(finding.code.clone()).or_default() += 1;
    }
    counts
}

/// Tells where a run ended that policy did not judge.
fn ended(report: &Report) -> Result<(StageId, String), String> {
    let exit = report.exit();
    let reason = report.reason().unwrap_or("no reason is recorded");
    let last = report.stages.iter().rev().find(|stage| stage.exit == exit);
    let Some(stage) = last.filter(|_| exit != 0) else {
        return Err("it is not finished".into());
    };
    match Class::of_exit_code(exit) {
        Some(Class::Internal | Class::Usage | Class::Exhausted | Class::Temporary) | None => {
            Err(format!("`{}` ended with {exit}: {reason}", stage.stage))
        }
        Some(_) => Ok((stage.stage, format!("`{}` ended with {exit}: {reason}", stage.stage))),
    }
}

/// How far a run got: a change that may go on is more than one that may not, and that more than none.
const fn rank(measured: &Measured) -> u8 {
    match measured.decision {
        Some(Decision::Allow) => 3,
        Some(Decision::NeedsApproval) => 2,
        Some(Decision::Deny) => 1,
        None => 0,
    }
}

/// Returns the sums of rows.
pub fn totals(kind: Kind, runs: &[Compared]) -> Totals {
    let mut totals = Totals::default();
    let (mut now, mut then) = (Some(NanoUsd::ZERO), Some(NanoUsd::ZERO));
    let add = |sum: Option<NanoUsd>, cost: Option<NanoUsd>| Some(sum? + cost?);
    for row in runs {
        let (Some(current), Some(candidate)) = (&row.current, &row.candidate) else {
            totals.not_measured += 1;
            continue;
        };
        totals.compared += 1;
        match rank(candidate).cmp(&rank(current)) {
            std::cmp::Ordering::Greater => totals.better += 1,
            std::cmp::Ordering::Less => totals.worse += 1,
            std::cmp::Ordering::Equal => {}
        }
        if let (Some(before), Some(after)) = (current.decision, candidate.decision) {
            totals.looser += u32::from(after < before);
            totals.stricter += u32::from(after > before);
        }
        let (had, has) = (current.green == Some(true), candidate.green == Some(true));
        totals.tests_lost += u32::from(had && (!has || candidate.passing < current.passing));
        totals.tests_won += u32::from(!had && has);
        totals.refused_current += u32::from(current.refused);
        totals.refused_candidate += u32::from(candidate.refused);
        now = add(now, current.cost_nano_usd);
        then = add(then, candidate.cost_nano_usd);
    }
    if kind != Kind::Policy && totals.compared > 0 {
        totals.cost_current_nano_usd = now;
        totals.cost_candidate_nano_usd = then;
    }
    totals
}
