//! `orch upgrade show`: an upgrade as its documents tell it.

use std::io::{self, Write};

use serde::Serialize;

use super::{Found, find};
use crate::artifact::money::NanoUsd;
use crate::artifact::types::verdict::Decision;
use crate::cli::CommandError;
use crate::cli::output::Output;
use crate::cli::session::Session;
use crate::diagnostic::text::{count, plain};
use crate::upgrade::files::{self, DECISION, EVALUATION, PROPOSAL};
use crate::upgrade::switch::{Standing, standing};
use crate::upgrade::types::{
    Action, Compared, ControlOutcome, Evaluation, Kind, Measured, Proposal, Switch, UpgradeDecision,
};

#[derive(Serialize)]
struct Shown {
    proposal: Proposal,
    #[serde(skip_serializing_if = "Option::is_none")]
    evaluation: Option<Evaluation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<UpgradeDecision>,
    switches: Vec<Switch>,
    /// How the files of the working tree stand to the candidate.
    in_place: &'static str,
}

/// Shows an upgrade.
pub fn run(name: Option<&str>, session: &Session, output: &Output) -> Result<u8, CommandError> {
    let found = find(session, name)?;
    show(&found, session, output)?;
    Ok(0)
}

/// Shows an upgrade that was found.
pub(super) fn show(found: &Found, session: &Session, output: &Output) -> Result<(), CommandError> {
    let proposal = files::needed::<Proposal>(&found.store, PROPOSAL, "Propose it first.")?.body;
    let shown = Shown {
        in_place: match standing(&session.root, &proposal.files) {
            Standing::After => "candidate",
            Standing::Before => "former",
            Standing::Neither => "neither",
        },
        evaluation: files::read::<Evaluation>(&found.store, EVALUATION)?.map(|read| read.body),
        decision: files::read::<UpgradeDecision>(&found.store, DECISION)?.map(|read| read.body),
        switches: files::switches(&found.store)?,
        proposal,
    };
    output.show(&shown, |out| human(&shown, out))
}

fn human(shown: &Shown, out: &mut dyn Write) -> io::Result<()> {
    let Proposal { id, kind, files, reason, .. } = &shown.proposal;
    writeln!(out, "{id}: another {}, {}", kind.as_str(), count(files.len(), "file"))?;
    if let Some(reason) = reason {
        writeln!(out, "  {}", plain(reason))?;
    }
    if let Some(evaluation) = &shown.evaluation {
        table(evaluation, out)?;
    }
    if let Some(decision) = &shown.decision {
        writeln!(out)?;
        for control in &decision.controls {
            let mark = match control.outcome {
                ControlOutcome::Held => "held",
                ControlOutcome::NotMeasured => "not measured",
                ControlOutcome::Failed => "FAILED",
            };
            writeln!(out, "  {mark:<13} {:<10} {}", plain(&control.name), plain(&control.why))?;
        }
        writeln!(out, "Decision: {}.", decision.decision.as_str())?;
    }
    for switch in &shown.switches {
        let action = match switch.action {
            Action::Promote => "promoted",
            Action::Rollback => "rolled back",
        };
        let by = switch.by.as_deref().map(|by| format!(" by {}", plain(by))).unwrap_or_default();
        writeln!(out, "{action} at {}{by}", switch.at)?;
    }
    match shown.in_place {
        "candidate" => writeln!(out, "In place: the candidate."),
        "former" => writeln!(out, "In place: what was there before."),
        _ => writeln!(out, "In place: neither the candidate nor what was there before."),
    }
}

fn table(evaluation: &Evaluation, out: &mut dyn Write) -> io::Result<()> {
    let wide = evaluation.runs.iter().map(|row| row.run.len()).max().unwrap_or(3).clamp(3, 48);
    let writes = evaluation.kind != Kind::Policy;
    write!(out, "\n{:<wide$}  {:<32}", "run", "verdict")?;
    if writes {
        write!(out, "  {:<18}  {:<26}", "tests", "cost")?;
    }
    writeln!(out)?;
    for Compared { run, current, candidate, not_measured, .. } in &evaluation.runs {
        let run: String = run.chars().take(wide).collect();
        let (Some(current), Some(candidate)) = (current, candidate) else {
            writeln!(
                out,
                "{run:<wide$}  not compared: {}",
                plain(not_measured.as_deref().unwrap_or_default())
            )?;
            continue;
        };
        let both = |one: String, other: String| {
            if one == other { one } else { format!("{one} -> {other}") }
        };
        write!(out, "{run:<wide$}  {:<32}", both(verdict(current), verdict(candidate)))?;
        if writes {
            let tests = both(tests(current), tests(candidate));
            let cost = both(cost(current.cost_nano_usd), cost(candidate.cost_nano_usd));
            write!(out, "  {tests:<18}  {cost:<26}")?;
        }
        writeln!(out)?;
        let mut whys = candidate.ended.iter().filter(|_| current.ended != candidate.ended);
        if let Some(why) = whys.next() {
            writeln!(out, "{:<wide$}  {}", "", plain(why))?;
        }
    }
    let totals = &evaluation.totals;
    write!(
        out,
        "\n{} compared, {} not; {} better, {} worse",
        totals.compared, totals.not_measured, totals.better, totals.worse
    )?;
    if writes {
        let (now, then) = (cost(totals.cost_current_nano_usd), cost(totals.cost_candidate_nano_usd));
        writeln!(out, "; tests: {} won, {} lost; cost {now} -> {then}", totals.tests_won, totals.tests_lost)?;
    } else {
        writeln!(out, "; decisions: {} looser, {} stricter", totals.looser, totals.stricter)?;
    }
    if let Some(spend) = &evaluation.spend {
        writeln!(
            out,
            "The evaluation spent {} of {} it may spend; {} at most by listed prices.",
            spend.spent_nano_usd,
            spend.ceiling_nano_usd,
            cost(spend.worst_case_nano_usd)
        )?;
    }
    Ok(())
}

fn verdict(measured: &Measured) -> String {
    match measured.decision {
        Some(Decision::Allow) => "allow".into(),
        Some(Decision::NeedsApproval) => "needs approval".into(),
        Some(Decision::Deny) => "deny".into(),
        None if measured.refused => "no change".into(),
        None => "not judged".into(),
    }
}

fn tests(measured: &Measured) -> String {
    match measured.green {
        Some(true) => format!("green {}", measured.passing),
        Some(false) => "red".into(),
        None => "not run".into(),
    }
}

fn cost(amount: Option<NanoUsd>) -> String {
    amount.map_or_else(|| "unknown".to_owned(), |amount| amount.to_string())
}
