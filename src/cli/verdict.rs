//! A verdict on its way to whoever asked: people, programs, or the runner of a workflow.
//!
//! Must never change the exit code: how a verdict is shown says nothing about what it is.

use super::CommandError;
use super::args::Format;
use super::output::Output;
use super::step_summary;
use crate::artifact::types::verdict::Verdict;
use crate::config::env::Environment;
use crate::report::verdict::{Options, SourceLines, VerdictFormat, render};

/// How a verdict is to be shown.
#[derive(Clone, Copy, Default)]
pub struct Showing<'a> {
    /// The form that was asked for; without one, what fits who reads.
    pub format: Option<VerdictFormat>,
    /// Every finding in full, in text for people.
    pub full: bool,
    /// Whether SARIF leaves out what was set aside.
    pub only_findings: bool,
    /// Where to look lines up.
    pub source: Option<&'a dyn SourceLines>,
}

/// Shows a verdict on standard output.
///
/// Without a form, JSON where the whole program speaks JSON, else text; on a GitHub runner annotations follow the text, and the
/// summary of the step gets the verdict too.
pub fn show(verdict: &Verdict, showing: Showing<'_>, output: &Output) -> Result<(), CommandError> {
    let environment = Environment::of_process();
    let repository = environment.repository();
    let options = Options {
        // What is no terminal gets none: standard output takes them away there.
        colour: true,
        width: output.width(),
        full: showing.full,
        set_aside: !showing.only_findings,
        repository: repository.as_deref(),
        source: showing.source,
    };
    let format = match (showing.format, output.format) {
        (Some(format), _) => format,
        (None, Format::Json) => VerdictFormat::Json,
        (None, Format::Human) => VerdictFormat::Human,
    };
    output.print(|out| render(verdict, format, &options, out))?;
    if showing.format.is_none() && output.format == Format::Human && environment.is_github() {
        output.print(|out| render(verdict, VerdictFormat::Github, &options, out))?;
        let mut text = Vec::new();
        if render(verdict, VerdictFormat::Summary, &options, &mut text).is_ok() {
            step_summary::add(&String::from_utf8_lossy(&text), output);
        }
    }
    Ok(())
}
