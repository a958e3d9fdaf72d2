//! `orch util`: tools for working on orch itself.

use std::fs;
use std::path::Path;

use clap::{Args, Subcommand};

use crate::cli::CommandError;
use crate::cli::error::{IoError, UsageError};
use crate::cli::output::Output;
use crate::cli::reference::pages;

/// Tools for working on orch itself
#[derive(Debug, Args)]
pub struct UtilArgs {
    #[command(subcommand)]
    command: UtilCommand,
}

#[derive(Debug, Subcommand)]
enum UtilCommand {
    /// Write the generated pages of docs/reference, or check that they are what the code would write
    Generate {
        /// Write nothing; end with 2 when a page has drifted
        #[arg(long)]
        check: bool,
    },
    /// Show what the scanners see in a folder, without judging it
    Scan(super::scan::ScanArgs),
    /// Rank files for tasks with known answers, one JSON object a line
    Retrieval(super::retrieval::TaskArgs),
    /// Fit the weights of the ranking to tasks with known answers
    FitRanking(super::retrieval::TaskArgs),
}

/// Runs the tool.
pub fn run(args: &UtilArgs, output: &Output) -> Result<u8, CommandError> {
    match &args.command {
        UtilCommand::Generate { check } => generate(*check, output),
        UtilCommand::Scan(args) => super::scan::run(args, output),
        UtilCommand::Retrieval(args) => super::retrieval::predict(args, output),
        UtilCommand::FitRanking(args) => super::retrieval::fit_ranking(args, output),
    }
}

fn generate(check: bool, output: &Output) -> Result<u8, CommandError> {
    if !Path::new("docs/reference").is_dir() {
        return Err(UsageError {
            what: "there is no folder docs/reference here".into(),
            help: "Run it at the root of orch's own repository.".into(),
        }
        .into());
    }
    let pages = pages();
    let drifted: Vec<_> = pages
        .iter()
        .filter(|page| fs::read(&page.path).ok().as_deref() != Some(page.text.as_bytes()))
        .collect();
    if check && !drifted.is_empty() {
        let names: Vec<_> = drifted.iter().map(|page| page.path.as_str()).collect();
        return Err(UsageError {
            what: format!("generated pages have drifted: {}", names.join(", ")),
            help: "`cargo run -- util generate` writes them again.".into(),
        }
        .into());
    }
    for page in &drifted {
        let write = || {
            if let Some(folder) = Path::new(&page.path).parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&page.path, &page.text)
        };
        write().map_err(|source| IoError { what: format!("write {}", page.path), source })?;
    }
    output.print(|out| writeln!(out, "{} pages, {} written.", pages.len(), drifted.len()))?;
    Ok(0)
}
