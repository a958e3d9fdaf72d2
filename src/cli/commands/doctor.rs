//! `orch doctor`: what is present, what is missing, what that means and what to do.

use clap::Args;

use crate::cli::CommandError;
use crate::cli::args::{Format, Global};
use crate::cli::output::Output;
use crate::cli::session;
use crate::config::Config;
use crate::config::env::Environment;
use crate::config::load::load;
use crate::diagnostic::Failure;
use crate::doctor::{Patient, look, render};
use crate::engine::Engine;
use crate::engine::template::{TemplateEngine, read_folder};
use crate::ports::process::SystemProcesses;
use crate::ports::vcs::{GitRepository, VcsRead};

/// Tell what is present, what is missing, and what that means
///
/// Ends with 0 when a run is possible and with 2 when it is not.
#[derive(Debug, Args)]
pub struct DoctorArgs {}

/// Looks, prints, and says by the exit code whether a run is possible.
pub fn run(_args: &DoctorArgs, global: &Global, output: &Output) -> Result<u8, CommandError> {
    let environment = Environment::of_process();
    let folder = session::folder(global)?;
    let vcs = GitRepository::open(&folder);
    let root = vcs.as_ref().map_or(folder.as_path(), GitRepository::root);
    let config = load(root, global.config.clone().or(environment.config_file()).as_deref());
    let fallback = Config::default();
    let folders = &config.as_ref().map_or(&fallback, |loaded| &loaded.config).templates.folders;
    let sources: Result<Vec<_>, _> = folders.iter().map(|folder| read_folder(&root.join(folder))).collect();
    let engine = sources.map(|sources| TemplateEngine::new(sources.into_iter().flatten().collect()));
    let processes = SystemProcesses::new()?;
    let artifacts = global.artifacts.clone().or(environment.artifacts_folder());
    let report = look(&Patient {
        root,
        environment: &environment,
        config: config.as_ref(),
        vcs: vcs.as_ref().map(|vcs| vcs as &dyn VcsRead),
        processes: &processes,
        engine: engine.as_ref().map(|engine| engine as &dyn Engine).map_err(|error| error as &dyn Failure),
        artifacts: artifacts.as_deref(),
    });
    output.print(|out| match output.format {
        Format::Human => render::human(&report, out),
        Format::Json => render::json(&report, out),
    })?;
    Ok(if report.can_run() { 0 } else { 2 })
}
