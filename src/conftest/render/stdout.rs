//! Lines for people, as conftest writes them.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::line;
use crate::conftest::check::Report;
use crate::conftest::outcome::{Outcome, Totals};

/// Writes the outcomes and their totals.
pub(super) fn render(outcomes: &[Outcome], suppress_exceptions: bool, out: &mut dyn Write) -> io::Result<()> {
    let colour = |c: AnsiColor| Style::new().fg_color(Some(c.into()));
    let (blue, red, yellow, cyan) =
        (colour(AnsiColor::Blue), colour(AnsiColor::Red), colour(AnsiColor::Yellow), colour(AnsiColor::Cyan));
    for print in outcomes.iter().flat_map(|o| &o.prints) {
        writeln!(out, "{blue}PRNT {blue:#}  {}", line(print))?;
    }
    for outcome in outcomes {
        let at = format!("{} {}", dashed(&outcome.filename, ""), dashed(&outcome.namespace, " -"));
        let groups = [
            ("WARN", yellow, &outcome.warnings),
            ("FAIL", red, &outcome.failures),
            ("EXCP", cyan, &outcome.exceptions),
        ];
        for (word, style, findings) in groups {
            if word == "EXCP" && suppress_exceptions {
                continue;
            }
            for finding in findings {
                writeln!(out, "{style}{word}{style:#} {at} {}", line(&finding.msg))?;
            }
        }
    }
    let totals = Totals::of(outcomes);
    let style = match totals {
        Totals { failures: 1.., .. } => red,
        Totals { warnings: 1.., .. } => yellow,
        Totals { exceptions: 1.., .. } => cyan,
        _ => colour(AnsiColor::Green),
    };
    writeln!(out, "\n{style}{}{style:#}", totals.line())
}

/// Returns a name between dashes; standard input is one dash.
pub(super) fn dashed(name: &str, after: &str) -> String {
    if name == "-" { "-".into() } else { format!("- {}{after}", line(name)) }
}

/// Writes what was asked of which rule, and what it answered.
pub(super) fn trace(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for trace in &report.traces {
        writeln!(out, "file: {} | query: {}", line(&trace.filename), trace.query)?;
        writeln!(out, "TRAC   {}: {}", trace.place, line(&trace.answer))?;
    }
    for print in report.outcomes.iter().flat_map(|o| &o.prints) {
        writeln!(out, "PRNT   {}", line(print))?;
    }
    Ok(())
}
