//! A table of four columns.

use std::io::{self, Write};

use super::line;
use crate::conftest::outcome::Outcome;

/// Writes the table; nothing when there is no check.
pub(super) fn render(outcomes: &[Outcome], out: &mut dyn Write) -> io::Result<()> {
    let mut rows: Vec<[String; 4]> = Vec::new();
    for outcome in outcomes {
        let mut row = |kind: &str, msg: &str| {
            rows.push([kind.to_owned(), line(&outcome.filename), outcome.namespace.clone(), line(msg)]);
        };
        (0..outcome.successes).for_each(|_| row("success", "SUCCESS"));
        outcome.exceptions.iter().for_each(|f| row("exception", &f.msg));
        outcome.warnings.iter().for_each(|f| row("warning", &f.msg));
        outcome.failures.iter().for_each(|f| row("failure", &f.msg));
    }
    if rows.is_empty() {
        return Ok(());
    }
    rows.insert(0, ["RESULT", "FILE", "NAMESPACE", "MESSAGE"].map(str::to_owned));
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2), width(3)];
    let rule = |left: &str, middle: &str, right: &str| {
        let bars: Vec<String> = widths.iter().map(|w| "─".repeat(w + 2)).collect();
        format!("{left}{}{right}", bars.join(middle))
    };
    writeln!(out, "{}", rule("┌", "┬", "┐"))?;
    for (at, row) in rows.iter().enumerate() {
        let cells: Vec<String> =
            row.iter().zip(widths).map(|(cell, width)| format!(" {cell:<width$} ")).collect();
        writeln!(out, "│{}│", cells.join("│"))?;
        if at == 0 {
            writeln!(out, "{}", rule("├", "┼", "┤"))?;
        }
    }
    writeln!(out, "{}", rule("└", "┴", "┘"))
}
