//! `orch policy`: Rego policies of your own: check files with them, test them, begin one, ask one; verdicts shown; and what a
//! team lives with: waivers and a baseline.

mod baseline;
mod check;
mod eval;
mod explain;
mod fetch;
mod init;
mod levels;
mod replay;
mod show;
mod test;
mod waive;

use clap::{Args, Subcommand, ValueEnum};

pub(super) use show::FormArgs;

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
    /// Tell which rules judge changes here, and how each is taken
    Explain(explain::ExplainArgs),
    /// Waive findings of a rule until a day, for a reason
    Waive(waive::WaiveArgs),
    /// Fetch the bundles of rules that orch.yml pins
    Fetch(fetch::FetchArgs),
    /// Judge recorded runs by other rules, beside what was decided then
    Replay(replay::ReplayArgs),
    /// Write down what is found in the whole tree today, so that only new findings count
    Baseline(baseline::BaselineArgs),
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
    match &args.command {
        PolicyCommand::Check(args) => enter(global).and_then(|()| check::run(args, output)),
        PolicyCommand::Test(args) => enter(global).and_then(|()| test::run(args, output)),
        PolicyCommand::Eval(args) => enter(global).and_then(|()| eval::run(args, output)),
        PolicyCommand::Init(args) => enter(global).and_then(|()| init::run(args, output)),
        // These work on a repository, and find it themselves.
        PolicyCommand::Show(args) => show::run(args, global, output),
        PolicyCommand::Explain(args) => explain::run(args, global, output),
        PolicyCommand::Waive(args) => waive::run(args, global, output),
        PolicyCommand::Baseline(args) => baseline::run(args, global, output),
        PolicyCommand::Replay(args) => replay::run(args, global, output),
        PolicyCommand::Fetch(args) => fetch::run(args, global, output),
    }
}

/// Enters the folder of `-C`: every path of the commands that follow is the caller's own word.
fn enter(global: &Global) -> Result<(), CommandError> {
    let Some(folder) = &global.directory else { return Ok(()) };
    std::env::set_current_dir(folder)
        .map_err(|source| IoError { what: format!("enter {}", folder.display()), source }.into())
}
