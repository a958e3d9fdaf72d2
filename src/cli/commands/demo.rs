//! `orch demo`: a whole run in a throw-away repository.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::artifact::types::task::Channel;
use crate::cli::CommandError;
use crate::cli::args::Format;
use crate::cli::error::{IoError, UsageError};
use crate::cli::output::Output;
use crate::cli::session::Session;
use crate::ports::vcs::create_repository;
use crate::stage::Request;

/// The request of the demo.
const REQUEST: &str = "add a /health endpoint";

/// Show a whole run in a throw-away repository
///
/// Makes a small Rust service with a bare remote, turns "add a /health endpoint" into a branch with tests that failed before
/// and pass after, judges it, and leaves everything to look at. Needs git and cargo; no key, no network.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Put the repository here instead of in a new temporary folder; must not exist yet
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

/// The sample repository. `Cargo.toml.in` loses its ending when it is written: cargo leaves folders with a manifest of
/// their own out of packages.
#[derive(rust_embed::RustEmbed)]
#[folder = "samples/rust-service/"]
struct Sample;

/// Makes the repository, runs the request, and tells where to look.
pub fn run(args: &DemoArgs, output: &Output) -> Result<u8, CommandError> {
    let home = home(args)?;
    let (service, remote) = (home.join("service"), home.join("remote.git"));
    write_sample(&service)?;
    create_repository(&service, &remote)?;
    if output.format == Format::Human {
        output.print(|out| {
            writeln!(out, "repository  {} (a small Rust service)", service.display())?;
            writeln!(out, "remote      {} (bare)", remote.display())?;
            writeln!(out, "request     {REQUEST}\n")
        })?;
    }
    let session = Session::open_at(&service, None, None)?;
    let request = Request::to_engine(crate::engine::template::NAME, REQUEST, Channel::CommandLine);
    let (exit, run) = super::run::run_request(&session, request, output)?;
    if output.format == Format::Human {
        let orch = std::env::current_exe().map_or_else(|_| "orch".into(), |path| path.display().to_string());
        output.print(|out| {
            writeln!(out, "\nEverything is left for you to look at:\n")?;
            writeln!(out, "  cd {}", service.display())?;
            writeln!(out, "  alias orch={}", shell_words::quote(&orch))?;
            for (words, what) in [
                ("orch report".to_owned(), "the run again, from its artifacts"),
                ("orch artifacts verify".to_owned(), "every digest and link, re-hashed"),
                ("orch replay".to_owned(), "the run again from its record, without cargo: every file equal"),
                (format!("orch run \"{REQUEST}\""), "again: everything is reused"),
                (format!("cat artifacts/{run}/pr.md"), "the pull request's text"),
            ] {
                writeln!(out, "  {words:<55} # {what}")?;
            }
            Ok(())
        })?;
    }
    Ok(exit)
}

/// Returns the folder of the demo: a new one.
fn home(args: &DemoArgs) -> Result<PathBuf, CommandError> {
    let fail = |what: String| move |source| IoError { what, source };
    if let Some(folder) = &args.folder {
        if folder.exists() {
            return Err(UsageError {
                what: format!("the folder {} exists already", folder.display()),
                help: "Name a folder that does not exist yet, or leave --folder out.".into(),
            }
            .into());
        }
        fs::create_dir_all(folder).map_err(fail(format!("make the folder {}", folder.display())))?;
        return Ok(fs::canonicalize(folder).map_err(fail(format!("open {}", folder.display())))?);
    }
    let made = tempfile::Builder::new().prefix("orch-demo-").tempdir();
    let made = made.map_err(fail("make a temporary folder".into()))?.keep();
    Ok(fs::canonicalize(&made).map_err(fail(format!("open {}", made.display())))?)
}

fn write_sample(folder: &Path) -> Result<(), CommandError> {
    for path in Sample::iter() {
        let Some(file) = Sample::get(&path) else { continue };
        let target = folder.join(path.strip_suffix(".in").unwrap_or(&path));
        let parent = target.parent().unwrap_or(folder);
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&target, &file.data))
            .map_err(|source| IoError { what: format!("write {}", target.display()), source })?;
    }
    Ok(())
}
