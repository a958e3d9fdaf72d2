//! `orch templates`: what the built-in engine can do.

use clap::Args;
use serde::Serialize;

use crate::cli::CommandError;
use crate::cli::args::Global;
use crate::cli::output::Output;
use crate::cli::session;
use crate::diagnostic::text::plain;

/// List the templates of the built-in engine, with a request each one serves
#[derive(Debug, Args)]
pub struct TemplatesArgs {}

#[derive(Serialize)]
struct Row {
    name: String,
    summary: String,
    examples: Vec<String>,
}

/// Prints the list: embedded templates and those of the repository.
pub fn run(_args: &TemplatesArgs, global: &Global, output: &Output) -> Result<u8, CommandError> {
    let engine = session::engine(global)?;
    let rows: Vec<Row> = engine
        .templates()?
        .iter()
        .map(|t| Row {
            name: t.name().to_owned(),
            summary: t.manifest.summary.clone(),
            examples: t.manifest.examples.clone(),
        })
        .collect();
    output
        .show(&rows, |out| {
            for row in &rows {
                writeln!(out, "{:<18} {}", plain(&row.name), plain(&row.summary))?;
                for example in &row.examples {
                    writeln!(out, "{:<18} orch run {}", "", quoted(&plain(example)))?;
                }
            }
            Ok(())
        })
        .map(|()| 0)
}

/// Returns a request as one word for a shell, in the quotes that need the fewest others.
fn quoted(text: &str) -> String {
    if text.contains(['"', '`', '$', '\\', '!']) {
        shell_words::quote(text).into_owned()
    } else {
        format!("\"{text}\"")
    }
}
