//! A release decision for people: a table, annotations, a page for the summary of a step.
//!
//! Must never let a word from outside begin a command, be markup, or reach somebody; must never soften what was decided.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::verdict::{cell, data, property};
use crate::artifact::types::release::{Control, ControlOutcome, ReleaseDecision, ReleaseOutcome};
use crate::diagnostic::text::{count, plain};

/// The longest message of an annotation.
const LONGEST: usize = 4_000;
/// How many annotations of each level GitHub shows for a step.
const SHOWN: usize = 10;

/// Writes the decision as text.
pub fn text(decision: &ReleaseDecision, out: &mut dyn Write) -> io::Result<()> {
    let subject = plain(decision.subject.commit.as_str());
    let short = subject.get(..12).unwrap_or(&subject);
    let word = decision.outcome.as_str().to_uppercase();
    writeln!(out, "{word}  {short} to {}, as known at {}", decision.environment, plain(&decision.at))?;
    for control in &decision.controls {
        row(control, out)?;
    }
    if !decision.not_asked.is_empty() {
        let names: Vec<&str> = decision.not_asked.iter().map(|one| name(&one.control)).collect();
        writeln!(out, "  not asked     {}", plain(&names.join(", ")))?;
    }
    if let (ReleaseOutcome::Rollback, Some(good)) = (decision.outcome, &decision.last_good) {
        let tag = good.tag.as_deref().map(|tag| format!(" ({})", plain(tag))).unwrap_or_default();
        writeln!(out, "Go back to {}{tag}.", good.commit)?;
    }
    writeln!(out, "{}", conclusion(decision))
}

fn row(control: &Control, out: &mut dyn Write) -> io::Result<()> {
    let outcome = match control.outcome {
        ControlOutcome::Pass => "pass".to_owned(),
        other => other.as_str().to_uppercase(),
    };
    let (state, name) = (control.state.as_str(), name(&control.control));
    writeln!(out, "  {outcome:<13} {name:<13} {state:<9} {}", plain(&control.reason))?;
    if !control.help.is_empty() {
        writeln!(out, "  {:<13} {:<13} {:<9} -> {}", "", "", "", plain(&control.help))?;
    }
    Ok(())
}

/// Returns the name of a control without what all of them share.
fn name(code: &str) -> &str {
    code.strip_prefix("release/").unwrap_or(code)
}

/// Says in one sentence what follows.
fn conclusion(decision: &ReleaseDecision) -> String {
    let against = decision.controls.iter().filter(|control| control.outcome != ControlOutcome::Pass).count();
    let against = count(against, "control");
    match decision.outcome {
        ReleaseOutcome::Promote => {
            "It may go out: every control that was asked for passed or was waived.".into()
        }
        ReleaseOutcome::Hold => {
            format!("Not now: {against} not passed, none denies. Do what is said above, then ask again.")
        }
        ReleaseOutcome::Rollback => "It is out and does harm: `orch stage rollback` goes back.".into(),
        ReleaseOutcome::Deny => format!("It may not go out as it is: {against} not passed."),
    }
}

/// Writes annotations: one for each control that did not pass.
pub fn annotations(decision: &ReleaseDecision, out: &mut dyn Write) -> io::Result<()> {
    for level in ["error", "warning"] {
        let of = decision.controls.iter().filter(|control| annotated(control) == Some(level));
        for control in of.take(SHOWN) {
            let title = format!("{} [{}]", control.outcome.as_str(), control.control);
            let text: String = format!("{} {}", control.reason, control.help).chars().take(LONGEST).collect();
            writeln!(out, "::{level} title={}::{}", property(&title), data(text.trim_end()))?;
        }
    }
    Ok(())
}

fn annotated(control: &Control) -> Option<&'static str> {
    match control.outcome {
        ControlOutcome::Pass => None,
        ControlOutcome::Hold | ControlOutcome::Inconclusive => Some("warning"),
        ControlOutcome::Rollback | ControlOutcome::Deny => Some("error"),
    }
}

/// Writes a page in Markdown.
pub fn page(decision: &ReleaseDecision, out: &mut dyn Write) -> io::Result<()> {
    let mut page = format!(
        "## orch release-gate: {}\n\n<code>{}</code> to {}, as known at {}\n\n| | control | why | what to do |\n|---|---|---|---|\n",
        decision.outcome.as_str(),
        cell(decision.subject.commit.as_str()),
        cell(decision.environment.as_str()),
        cell(&decision.at)
    );
    for control in &decision.controls {
        let _ = writeln!(
            page,
            "| **{}**<br>{} | {} | {} | {} |",
            control.outcome.as_str(),
            control.state.as_str(),
            cell(&control.control),
            cell(&control.reason),
            cell(&control.help)
        );
    }
    if !decision.not_asked.is_empty() {
        let names: Vec<String> = decision.not_asked.iter().map(|one| cell(&one.control)).collect();
        let _ = writeln!(page, "\nNot asked: {}.", names.join(", "));
    }
    let _ = writeln!(page, "\n{}", conclusion(decision).replace('`', ""));
    let _ = writeln!(
        page,
        "\nEvidence {}, rules {}.",
        cell(decision.evidence.as_str()),
        cell(decision.rules.as_str())
    );
    out.write_all(page.as_bytes())
}
