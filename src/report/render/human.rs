//! The whole report for a terminal.

use std::io::{self, Write};

use super::{decision, plain, status, wall_time};
use crate::artifact::types::change_set::FileOp;
use crate::artifact::types::verification::MeasureState;
use crate::report::Report;
use crate::report::verdict::{Options, VerdictFormat, render};

/// How many lines of a failed command are shown: its last ones; the log has them all.
const SAID: usize = 20;

/// Writes the whole report as plain text.
pub fn human(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "run       {}", report.run)?;
    if let Some(task) = &report.task {
        writeln!(out, "request   {}", plain(&task.request))?;
        let branch = task.base.branch.as_deref().unwrap_or("detached HEAD");
        writeln!(out, "base      {} ({})", report.base(), plain(branch))?;
    }
    stages(report, out)?;
    plan(report, out)?;
    discussions(report, out)?;
    files(report, out)?;
    tests(report, out)?;
    verdict(report, out)?;
    if let Some(pull) = &report.pull_request {
        writeln!(out, "\npull request")?;
        writeln!(out, "  title    {}", plain(&pull.title))?;
        writeln!(out, "  branch   {}", plain(&pull.branch))?;
        writeln!(out, "  remote   {}", pull.remote.as_deref().map_or_else(|| "none".into(), plain))?;
        for commit in &pull.commits {
            writeln!(out, "  commit   {} {}", &commit.id.as_str()[..12], plain(&commit.subject))?;
        }
    }
    Ok(())
}

fn stages(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\nstages")?;
    for stage in &report.stages {
        let round = if stage.round.get() > 1 { format!(" (round {})", stage.round) } else { String::new() };
        let name = format!("{}{round}", stage.stage);
        let reason = stage.reason.as_deref().map(|r| format!("  {}", plain(r))).unwrap_or_default();
        writeln!(out, "  {name:<24} exit {:<3} {:>12}{reason}", stage.exit, wall_time(stage.duration_ms))?;
    }
    Ok(())
}

fn plan(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let Some(plan) = &report.plan else { return Ok(()) };
    writeln!(out, "\nplan\n  {}", plain(&plan.summary))?;
    for criterion in &plan.criteria {
        writeln!(out, "  must hold  {}: {}", plain(&criterion.id), plain(&criterion.text))?;
    }
    for risk in &plan.risks {
        let level = format!("{:?}", risk.level).to_lowercase();
        writeln!(out, "  risk       {level}: {} -> {}", plain(&risk.text), plain(&risk.mitigation))?;
    }
    Ok(())
}

fn discussions(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for said in &report.discussions {
        let round = if said.round.get() > 1 { format!(", round {}", said.round) } else { String::new() };
        writeln!(out, "\ndiscussion of {}{round}: {}", said.stage, plain(&said.ended))?;
        for speaker in &said.speakers {
            let model = speaker.model.as_deref().map_or_else(|| "code".into(), plain);
            writeln!(out, "  {:<20} {model}", plain(&speaker.role))?;
        }
        for risk in &said.high_risks {
            writeln!(out, "  high risk  {}", plain(risk))?;
        }
        if said.dropped_citations > 0 {
            writeln!(out, "  {} citations did not resolve and count for nothing", said.dropped_citations)?;
        }
        if let Some(bundle) = &said.escalation {
            writeln!(out, "  escalated  {}: {}", plain(&bundle.reason), plain(&bundle.summary))?;
            writeln!(out, "  way back   {}", plain(&bundle.rollback))?;
        }
    }
    Ok(())
}

fn files(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if report.files.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nfiles")?;
    for file in &report.files {
        let op = match file.op {
            FileOp::Create => "new",
            FileOp::Modify => "changed",
            FileOp::Delete => "gone",
        };
        writeln!(out, "  {op:<8} {}{}", file.path, if file.test { "  (test)" } else { "" })?;
    }
    Ok(())
}

fn tests(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if let Some(tests) = &report.tests {
        writeln!(out, "\ntests")?;
        if let Some(why) = &report.test_exemption {
            writeln!(out, "  none: {}", plain(why))?;
        }
        for test in tests {
            let before = test.before.as_ref().map_or("not run", |t| status(t.status));
            let after = test.after.map_or("not run", status);
            writeln!(out, "  {before:>8} -> {after:<8} {} in {}", plain(&test.name), test.path)?;
            if let Some(message) = test.before.as_ref().and_then(|t| t.message.as_deref()) {
                writeln!(out, "           before: {}", plain(&telling(message)))?;
            }
        }
    }
    for probe in report.probes.iter().flatten() {
        let held = if probe.held { "held" } else { "did not hold" };
        let kind = format!("{:?}", probe.kind).to_lowercase();
        writeln!(out, "  {kind} probe {held}: {}", plain(&probe.message))?;
    }
    for report in &report.failed {
        for reason in &report.reasons {
            writeln!(out, "  {}: {}\n    {}", reason.code, plain(&reason.message), plain(&reason.help))?;
        }
        for command in report.commands.iter().filter(|command| !command.ended.ok()) {
            let Some(said) = &command.excerpt else { continue };
            writeln!(out, "  $ {}", plain(&shell_words::join(&command.argv)))?;
            let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
            for line in &lines[lines.len().saturating_sub(SAID)..] {
                writeln!(out, "    | {}", plain(line))?;
            }
        }
    }
    if let Some(protection) = &report.protection {
        writeln!(out, "\nprotection while repository code ran")?;
        for (name, measure) in protection.measures() {
            let state = match measure.state {
                MeasureState::Absent => "ABSENT",
                MeasureState::Partial => "partial",
                MeasureState::Enforced => "enforced",
            };
            writeln!(out, "  {name:<12} {state:<9} {}", plain(&measure.by))?;
        }
    }
    Ok(())
}

/// Returns the part of a failure's message that says what was wrong, as far as runners are known.
fn telling(message: &str) -> String {
    let mut lines = message.lines().map(str::trim).filter(|line| !line.is_empty());
    if let Some(line) = message.lines().find_map(|line| line.strip_prefix("E  ")) {
        return line.trim().to_owned();
    }
    match lines.next() {
        // Rust says where on the first line, and what after it.
        Some(first) if first.starts_with("thread '") && first.contains(" panicked at ") => {
            let said: Vec<&str> = lines.take_while(|line| !line.starts_with("note:")).take(3).collect();
            if said.is_empty() { first.to_owned() } else { said.join(" ") }
        }
        first => first.unwrap_or_default().to_owned(),
    }
}

fn verdict(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let Some(verdict) = &report.verdict else { return Ok(()) };
    writeln!(out, "\nverdict  {}\n", decision(verdict.decision))?;
    render(verdict, VerdictFormat::Human, &Options::default(), out)
}
