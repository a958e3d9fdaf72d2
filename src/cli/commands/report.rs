//! `orch report`: a run rendered again from its artifacts.

use clap::{Args, ValueEnum};

use crate::cli::args::{Format, Global};
use crate::cli::output::Output;
use crate::cli::{CommandError, session};
use crate::report::{Report, render};

/// Render a run again from its artifacts, any time later
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The run: its id, the start of its id, or its folder; absent: the newest
    run: Option<String>,
    /// How to render it
    #[arg(long = "as", value_enum, default_value_t = Shape::Terminal)]
    shape: Shape,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Shape {
    /// Plain text
    Terminal,
    /// Markdown, for a step summary or a comment
    Markdown,
    /// The few lines at the end of a run
    Summary,
}

/// Prints the report.
pub fn run(args: &ReportArgs, global: &Global, output: &Output) -> Result<u8, CommandError> {
    let found = session::find_run(global, args.run.as_deref())?;
    let report = Report::read(&found.store, &found.run)?;
    output.print(|out| match (output.format, args.shape) {
        (Format::Json, _) => render::json(&report, out),
        (_, Shape::Terminal) => render::human(&report, out),
        (_, Shape::Markdown) => render::markdown(&report, out),
        (_, Shape::Summary) => render::summary(&report, &found.folder.display().to_string(), out),
    })?;
    Ok(0)
}
