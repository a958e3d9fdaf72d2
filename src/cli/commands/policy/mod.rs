//! `orch policy`: Rego policies of your own: check files with them, test them, begin one, ask one; and verdicts shown.

mod check;
mod eval;
mod init;
pub mod show;
mod test;

use std::path::Path;

use clap::{Args, Subcommand, ValueEnum};

use crate::cli::CommandError;
use crate::cli::args::Global;
use crate::cli::error::IoError;
use crate::cli::output::Output;
use crate::rego::Version;

/// Check files against Rego policies, and write such policies
#[derive(Debug, Args)]
pub struct PolicyArgs {
    #[command(subcommand)]
    command: PolicyCommand,
}

#[derive(Debug, Subcommand)]
enum PolicyCommand {
    /// Check configuration files against Rego policies, by conftest's conventions
    Check(check::CheckArgs),
    /// Run the tests of Rego policies
    Test(test::TestArgs),
    /// Evaluate a query against Rego policies
    Eval(eval::EvalArgs),
    /// Begin a policy: a rule, its test and its page
    Init(init::InitArgs),
    /// Show the verdict of a run, or one from a file, in any form
    Show(show::ShowArgs),
}

/// The version of Rego, where it is not told from the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RegoVersion {
    /// Before OPA 1.0.
    V0,
    /// Since OPA 1.0.
    V1,
}

impl From<RegoVersion> for Version {
    fn from(version: RegoVersion) -> Self {
        match version {
            RegoVersion::V0 => Self::V0,
            RegoVersion::V1 => Self::V1,
        }
    }
}

/// Runs one of the commands.
pub fn run(args: &PolicyArgs, global: &Global, output: &Output) -> Result<u8, CommandError> {
    if let Some(folder) = &global.directory {
        enter(folder)?;
    }
    match &args.command {
        PolicyCommand::Check(args) => check::run(args, output),
        PolicyCommand::Test(args) => test::run(args, output),
        PolicyCommand::Eval(args) => eval::run(args, output),
        PolicyCommand::Init(args) => init::run(args, output),
        PolicyCommand::Show(args) => show::run(args, global, output),
    }
}

/// Enters the folder of `-C`: every path of these commands is the caller's own word.
fn enter(folder: &Path) -> Result<(), CommandError> {
    std::env::set_current_dir(folder)
        .map_err(|source| IoError { what: format!("enter {}", folder.display()), source }.into())
}
