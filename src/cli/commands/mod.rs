//! One file per command: an args struct and one function.

pub mod artifacts;
pub mod attest;
pub mod command;
pub mod compile;
pub mod completions;
pub mod context;
pub mod cost;
pub mod demo;
pub mod doctor;
pub mod edit;
pub mod event;
pub mod explain;
pub mod graph;
pub mod index;
pub mod init;
pub mod judge;
pub mod lint;
pub mod parts;
pub mod pipeline;
pub mod policy;
pub mod providers;
pub mod release;
pub mod replay;
pub mod report;
pub mod retrieval;
pub mod run;
pub mod runs;
pub mod sbom;
pub mod scan;
pub mod schema;
pub mod stage;
pub mod stages;
pub mod templates;
pub mod upgrade;
pub mod util;
pub mod verify;

use super::CommandError;
use super::args::{Cli, Command};
use super::output::Output;

/// Runs the command that was asked for and returns its exit code.
pub fn dispatch(cli: Cli, output: &Output) -> Result<u8, CommandError> {
    let global = &cli.global;
    match &cli.command {
        Command::Demo(args) => demo::run(args, output),
        Command::Init(args) => init::run(args, global, output),
        Command::Doctor(args) => doctor::run(args, global, output),
        Command::Edit(args) => edit::run(args, global, output),
        Command::Run(args) => run::run(args, global, output),
        Command::Stage(args) => stage::run(args, global, output),
        Command::Context(args) => context::run(args, global, output),
        Command::Graph(args) => graph::run(args, global, output),
        Command::Index(args) => index::run(args, global, output),
        Command::Stages(args) => stages::run(args, output),
        Command::Policy(args) => policy::run(args, global, output),
        Command::Lint(args) => lint::run(args, global, output),
        Command::Compile(args) => compile::run(args, global, output),
        Command::Pipeline(args) => pipeline::run(args, global, output),
        Command::Providers(args) => providers::run(args, global, output),
        Command::Report(args) => report::run(args, global, output),
        Command::Release(args) => release::run(args, global, output),
        Command::Replay(args) => replay::run(args, global, output),
        Command::Verify(args) => verify::run(args, global, output),
        Command::Attest(args) => attest::run(args, global, output),
        Command::Runs(args) => runs::run(args, global, output),
        Command::Sbom(args) => sbom::run(args, global, output),
        Command::Upgrade(args) => upgrade::run(args, global, output),
        Command::Cost(args) => cost::run(args, global, output),
        Command::Artifacts(args) => artifacts::run(args, global, output),
        Command::Templates(args) => templates::run(args, global, output),
        Command::Said(args) => command::run(args, global, output),
        Command::Event(args) => event::run(args, global, output),
        Command::Explain(args) => explain::run(args, output),
        Command::Schema(args) => schema::run(args, output),
        Command::Completions(args) => completions::run(args, output),
        Command::Util(args) => util::run(args, output),
    }
}
