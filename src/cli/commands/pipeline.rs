//! `orch pipeline`: the pipeline definition in use.

use clap::{Args, Subcommand};

use crate::cli::CommandError;
use crate::cli::args::Global;
use crate::cli::output::Output;
use crate::cli::session;
use crate::pipeline::{CHANGE, Pipeline};

/// Show the embedded pipeline definition, or check one of your own
#[derive(Debug, Args)]
pub struct PipelineArgs {
    #[command(subcommand)]
    command: PipelineCommand,
}

#[derive(Debug, Subcommand)]
enum PipelineCommand {
    /// Print the embedded definition; a file `workflows/change.yml` below `.orch/` of the repository replaces it
    Show,
    /// Check the definition this repository uses
    Check,
}

/// Prints or checks a definition.
pub fn run(args: &PipelineArgs, global: &Global, output: &Output) -> Result<u8, CommandError> {
    match args.command {
        PipelineCommand::Show => {
            let pipeline = Pipeline::parse(CHANGE, "(embedded)")?;
            output.show(&pipeline, |out| out.write_all(CHANGE.as_bytes()))?;
        }
        PipelineCommand::Check => {
            let root = session::root(global)?;
            let (pipeline, origin) = session::pipeline(&root)?;
            output.show(&pipeline, |out| {
                writeln!(out, "{origin} is a valid pipeline of {} stages.", pipeline.stages().count())
            })?;
        }
    }
    Ok(0)
}
