//! A report as a table for people, or as JSON.

use std::io::{self, Write};

use super::{Report, State};

/// Prints one line per check, with what it means and what to do below where it is not ok.
pub fn human(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let width = report.checks.iter().map(|c| c.id.len()).max().unwrap_or_default();
    for check in &report.checks {
        writeln!(out, "{:<7}  {:<width$}  {}", check.state.as_str(), plain(&check.id), plain(&check.what))?;
        for (word, text) in [("means", &check.means), ("do", &check.fix)] {
            if let Some(text) = text {
                writeln!(out, "{:<7}  {:<width$}  {word}: {}", "", "", plain(text))?;
            }
        }
    }
    writeln!(out)?;
    match report.worst() {
        State::Ok => writeln!(out, "A run is possible."),
        State::Warn => writeln!(out, "A run is possible; read the warnings."),
        State::Missing => writeln!(out, "No run is possible: see what is missing."),
    }
}

/// Prints one JSON document.
pub fn json(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let document = serde_json::json!({ "can_run": report.can_run(), "checks": report.checks });
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

/// Text that may hold names from the repository: one line, no control characters.
fn plain(text: &str) -> String {
    crate::config::starter::one_line(text)
}
