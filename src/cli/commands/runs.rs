//! `orch runs`: the small files of runs, kept with the repository below a ref of their own.

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::attest::OpenRun;
use crate::cli::args::Global;
use crate::cli::output::Output;
use crate::cli::{CommandError, session};
use crate::config::env::Environment;
use crate::diagnostic::text::count;
use crate::ports::clock::{Clock as _, SystemClock};
use crate::ports::vcs::{GitRepository, RECORDS, Signature, VcsError};
use crate::proof::keep;

/// How often others may push between before a push is given up.
const PUSHES: usize = 4;

/// Keep the small files of runs with the repository
///
/// A run folder is gone when the machine is, and what a CI service keeps ends after some weeks. Kept below a ref of the
/// repository are manifests, verdict, reports, task, pull request and signed statements, no logs and no source: enough for
/// `orch verify COMMIT` years later. Files are only ever added; branches, index and working tree are left alone.
#[derive(Debug, Args)]
pub struct RunsArgs {
    #[command(subcommand)]
    command: RunsCommand,
    /// The ref
    #[arg(long = "ref", global = true, value_name = "REF", default_value = RECORDS)]
    at: String,
}

#[derive(Debug, Subcommand)]
enum RunsCommand {
    /// Keep a run; again adds nothing but what was signed since
    Keep {
        /// The run: its id, the start of its id, or its folder; absent: the newest
        run: Option<String>,
        /// Push the ref to this remote too, without force; what others pushed meanwhile is joined with it
        #[arg(long, value_name = "REMOTE")]
        push: Option<String>,
        /// Keep what rules judged too, with the added lines of the change, so that later rules can judge it again
        #[arg(long)]
        document: bool,
    },
    /// List the runs that are kept
    List,
    /// Fetch what a remote keeps, and join it with what is kept here
    Fetch {
        /// The remote
        #[arg(default_value = "origin")]
        remote: String,
    },
}

#[derive(Serialize)]
struct Kept<'a> {
    run: &'a str,
    state: String,
    at: &'a str,
    added: usize,
}

/// Keeps, lists or fetches.
pub fn run(args: &RunsArgs, global: &Global, output: &Output) -> Result<u8, CommandError> {
    let repository = GitRepository::open(session::folder(global)?)?;
    match &args.command {
        RunsCommand::Keep { run, push, document } => {
            let found = session::find_run(global, run.as_deref())?;
            let opened = OpenRun::open(&found.run, &found.store, false)?;
            if let Some(remote) = push {
                // What others kept of this very state is seen before it is kept again.
                repository.fetch_records(remote, &args.at, &author()?)?;
            }
            let added = keep::keep(&repository, &args.at, &opened, &author()?, *document)?;
            if let Some(remote) = push {
                push_joined(&repository, remote, &args.at)?;
            }
            let state = opened.state().short().to_owned();
            let kept = Kept { run: found.run.as_str(), state, at: &args.at, added: added.files };
            output.show(&kept, |out| match kept.added {
                0 => writeln!(out, "{} was kept below {} before.", kept.run, kept.at),
                n => writeln!(out, "{} is kept below {}: {}.", kept.run, kept.at, count(n, "file")),
            })?;
        }
        RunsCommand::List => {
            let kept = keep::kept(&repository, &args.at)?;
            output.show(&kept, |out| {
                if kept.is_empty() {
                    writeln!(out, "No run is kept below {}; `orch runs keep` keeps one.", args.at)?;
                }
                kept.iter().try_for_each(|run| {
                    writeln!(out, "{} {} {}", run.run, run.state, count(run.files, "file"))
                })
            })?;
        }
        RunsCommand::Fetch { remote } => {
            let new = repository.fetch_records(remote, &args.at, &author()?)?;
            output.show(&new, |out| writeln!(out, "{} new below {}.", count(new, "file"), args.at))?;
        }
    }
    Ok(0)
}

/// Joins and pushes again while others push between.
fn push_joined(repository: &GitRepository, remote: &str, at: &str) -> Result<(), CommandError> {
    for _ in 0..PUSHES {
        match repository.push_records(remote, at) {
            Err(VcsError::Records { .. }) => repository.fetch_records(remote, at, &author()?)?,
            done => return Ok(done?),
        };
    }
    Ok(repository.push_records(remote, at)?)
}

/// Who keeps: the program, at the time of the clock.
fn author() -> Result<Signature, CommandError> {
    let clock = SystemClock::new(Environment::of_process().fixed_time()?);
    let defaults = crate::config::Config::default().pr.author;
    Ok(Signature { name: defaults.name, email: defaults.email, time: clock.now() })
}
