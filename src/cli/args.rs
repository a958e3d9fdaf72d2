//! The words of the command line; parsing does nothing but parse.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::commands::{
    artifacts, attest, command, compile, completions, context, cost, demo, doctor, edit, event, explain,
    graph, index, init, lint, pipeline, policy, providers, release, replay, report, run, runs, sbom, schema,
    stage, stages, templates, upgrade, verify,
};

const AFTER: &str = "\
Start here:
  orch demo                                 a whole run in a throw-away repository; needs git and cargo
  orch init                                 write an orch.yml with what was found in this repository
  orch run \"add a /health endpoint\"         request in, tested and judged branch out
  orch run \"...\" --dry-run                  what would be done, by which stages, at what cost

Exit codes: 0 done, 1 internal, 2 usage or config, 3 denied, 4 needs approval, 5 exhausted, 6 tests failed,
7 not converged, 75 try again, 78 nothing to do.";

/// The governed change pipeline for coding agents.
#[derive(Debug, Parser)]
#[command(name = "orch", version, about, after_help = AFTER, arg_required_else_help = true, max_term_width = 120)]
pub struct Cli {
    /// Flags of every command.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags of every command.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub struct Global {
    /// Work in this folder instead of the current one
    #[arg(short = 'C', long, global = true, value_name = "FOLDER")]
    pub directory: Option<PathBuf>,
    /// Use this config file instead of orch.yml at the repository root
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Keep run folders here instead of below the repository root
    #[arg(long, global = true, value_name = "FOLDER")]
    pub artifacts: Option<PathBuf>,
    /// What to print: text for people, or JSON for programs
    #[arg(long, global = true, value_enum, default_value_t = Format::Human)]
    pub format: Format,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value_t = clap::ColorChoice::Auto)]
    pub color: clap::ColorChoice,
    /// Print no progress
    #[arg(short, long, global = true)]
    pub quiet: bool,
}

/// What is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Text for people.
    Human,
    /// JSON for programs; progress becomes one JSON object a line.
    Json,
}

/// The commands, in the order a new user meets them.
#[derive(Debug, Subcommand)]
#[expect(
    clippy::large_enum_variant,
    reason = "one is made in a process, and a box would be in every command's way"
)]
pub enum Command {
    /// Show a whole run in a throw-away repository
    Demo(demo::DemoArgs),
    /// Write an orch.yml with what was found in this repository
    Init(init::InitArgs),
    /// Tell what is present, what is missing, and what that means
    Doctor(doctor::DoctorArgs),
    /// Make edits as models write them: all of them or none
    Edit(edit::EditArgs),
    /// Turn a request into a tested, judged branch
    Run(run::RunArgs),
    /// Run one stage, or explain it
    Stage(stage::StageArgs),
    /// Tell which files a request concerns
    Context(context::ContextArgs),
    /// Tell what depends on what, and how far a change reaches
    Graph(graph::GraphArgs),
    /// Build what is known of a commit, and keep it
    Index(index::IndexArgs),
    /// List the stages with their powers, inputs and outputs
    Stages(stages::StagesArgs),
    /// Check files against Rego policies, and write such policies
    Policy(policy::PolicyArgs),
    /// Check workflows and actions of GitHub against what is known to go wrong
    Lint(lint::LintArgs),
    /// Make reusable workflows of GitHub from pipeline definitions
    Compile(compile::CompileArgs),
    /// Show or check a pipeline definition
    Pipeline(pipeline::PipelineArgs),
    /// List the providers of models, or try one
    Providers(providers::ProvidersArgs),
    /// Render a run again from its artifacts
    Report(report::ReportArgs),
    /// Collect what is known of a release, or judge it, each by itself
    Release(release::ReleaseCommandArgs),
    /// Run a recorded run again and compare every file byte for byte
    Replay(replay::ReplayArgs),
    /// Prove a change from its evidence: a run, a commit or a pull request
    Verify(verify::VerifyArgs),
    /// Sign what a run says, in the forms other tools read
    Attest(attest::AttestArgs),
    /// Keep the small files of runs with the repository
    Runs(runs::RunsArgs),
    /// List the packages a commit uses, as a bill of materials
    Sbom(sbom::SbomArgs),
    /// Try another model, prompt or set of rules over recorded runs, then make it the default
    Upgrade(upgrade::UpgradeArgs),
    /// Tell what a run spent, by stage, role, step and model
    Cost(cost::CostArgs),
    /// List, show and verify the artifacts of runs
    Artifacts(artifacts::ArtifactsArgs),
    /// List the templates of the built-in engine
    Templates(templates::TemplatesArgs),
    /// Tell what an event of GitHub asks for
    Event(event::EventCommandArgs),
    /// Carry out a command that somebody wrote into a comment
    #[command(name = "command")]
    Said(command::CommandArgs),
    /// Explain the code of a finding or reason
    Explain(explain::ExplainArgs),
    /// Print the JSON Schema of an artifact kind
    Schema(schema::SchemaArgs),
    /// Print shell completions
    Completions(completions::CompletionsArgs),
    /// Tools for working on orch itself
    #[command(hide = true)]
    Util(super::commands::util::UtilArgs),
}
