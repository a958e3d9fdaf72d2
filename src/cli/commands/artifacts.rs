//! `orch artifacts`: the runs of a repository, their files, and whether they still are what they were.

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::agent::budget::{LedgerError, RunLedgers};
use crate::artifact::chain::{Chain, split_round};
use crate::artifact::id::{Round, RunId, StageId};
use crate::artifact::kind::StageFile;
use crate::artifact::store::ArtifactStore;
use crate::cli::args::Global;
use crate::cli::error::UsageError;
use crate::cli::output::Output;
use crate::cli::{CommandError, session};
use crate::diagnostic::Class;
use crate::diagnostic::text::plain;

/// List, show and verify the artifacts of runs
#[derive(Debug, Args)]
pub struct ArtifactsArgs {
    #[command(subcommand)]
    command: ArtifactsCommand,
}

#[derive(Debug, Subcommand)]
enum ArtifactsCommand {
    /// List the runs in the artifacts folder
    List,
    /// Re-hash a run and name the first broken link; exit 3 when it is not what it was
    Verify {
        /// The run: its id, the start of its id, or its folder; absent: the newest
        run: Option<String>,
    },
    /// Copy the files of one stage, to hand them to the next job
    Part(super::parts::PartArgs),
    /// Put a run together from the parts of earlier jobs; exit 3 when they do not belong together
    Merge(super::parts::MergeArgs),
    /// Take over what earlier attempts of a stage spent, before it runs again
    Spent(super::parts::SpentArgs),
    /// Print one file of a run, JSON made readable
    Show {
        /// The file, as `plan.json` or `policy/verdict.json`
        path: String,
        /// The run: its id, the start of its id, or its folder; absent: the newest
        #[arg(long)]
        run: Option<String>,
    },
}

#[derive(Serialize)]
struct Verified {
    run: RunId,
    intact: bool,
    stages: Vec<(StageId, Round)>,
    files: usize,
    /// What a stage that has not finished was answered and has paid: it goes on from there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unfinished: Vec<String>,
    problems: Vec<Problem>,
}

#[derive(Serialize)]
struct Problem {
    path: String,
    why: String,
}

/// Lists, verifies or shows.
pub fn run(args: &ArtifactsArgs, global: &Global, output: &Output) -> Result<u8, CommandError> {
    match &args.command {
        ArtifactsCommand::List => list(global, output),
        ArtifactsCommand::Verify { run } => verify(run.as_deref(), global, output),
        ArtifactsCommand::Part(args) => super::parts::part(args, global, output),
        ArtifactsCommand::Merge(args) => super::parts::merge(args, global, output),
        ArtifactsCommand::Spent(args) => super::parts::spent(args, global, output),
        ArtifactsCommand::Show { path, run } => show(path, run.as_deref(), global, output),
    }
}

fn list(global: &Global, output: &Output) -> Result<u8, CommandError> {
    let runs = session::runs(global)?;
    output.show(&runs, |out| {
        if runs.is_empty() {
            writeln!(out, "There is no run yet; `orch run \"...\"` makes one.")?;
        }
        runs.iter().try_for_each(|run| writeln!(out, "{run}"))
    })?;
    Ok(0)
}

fn verify(run: Option<&str>, global: &Global, output: &Output) -> Result<u8, CommandError> {
    let found = session::find_run(global, run)?;
    let chain = Chain::read(&found.store, &found.run)?;
    let mut problems: Vec<Problem> =
        chain.breaks.iter().map(|b| Problem { path: b.path.clone(), why: b.why.clone() }).collect();
    let (unfinished, strays): (Vec<String>, Vec<String>) =
        chain.leftovers.iter().cloned().partition(|path| is_of_a_stage_that_goes_on(&chain, path));
    problems.extend(strays.into_iter().map(|path| Problem {
        path,
        why: "is vouched for by no manifest: its stage is not finished, or its manifest is gone".into(),
    }));
    if let Some(problem) =
        money(&found.store).filter(|one| problems.iter().all(|known| known.path != one.path))
    {
        problems.push(problem);
    }
    if chain.manifests.is_empty() && problems.is_empty() {
        problems.push(Problem {
            path: "manifest".into(),
            why: "has no file: no stage of this run is finished".into(),
        });
    }
    let verified = Verified {
        run: found.run.clone(),
        intact: problems.is_empty(),
        stages: chain.bodies().map(|m| (m.link.stage, m.link.round)).collect(),
        files: chain.bodies().map(|m| m.files().count() + 1).sum(),
        unfinished,
        problems,
    };
    output.show(&verified, |out| {
        for problem in &verified.problems {
            writeln!(out, "broken: `{}` {}", plain(&problem.path), plain(&problem.why))?;
        }
        for path in &verified.unfinished {
            writeln!(out, "unfinished: `{}`: its stage goes on from there", plain(path))?;
        }
        if verified.intact {
            let (files, stages) = (verified.files, verified.stages.len());
            writeln!(
                out,
                "{} is intact: {files} files of {stages} stages, every digest and link holds.",
                verified.run
            )
        } else {
            writeln!(out, "{} is not what it was; the first broken link stands first.", verified.run)
        }
    })?;
    Ok(if verified.intact { 0 } else { Class::Denied.exit_code() })
}

/// Tells whether a file is the ledger or the record of a stage that was stopped before it had anything else to show.
fn is_of_a_stage_that_goes_on(chain: &Chain, path: &str) -> bool {
    let (round, base) = split_round(path);
    StageFile::of(base)
        .is_some_and(|(file, stage)| file.outlives_a_kill() && chain.manifest(stage, round).is_none())
}

/// Ledgers are chained to each other, so that one that is not sealed yet can be checked too.
fn money(store: &dyn ArtifactStore) -> Option<Problem> {
    match RunLedgers::read(store).err()? {
        LedgerError::Broken { path, why } => Some(Problem { path, why }),
        error => Some(Problem { path: "ledger".into(), why: error.to_string() }),
    }
}

fn show(path: &str, run: Option<&str>, global: &Global, output: &Output) -> Result<u8, CommandError> {
    let found = session::find_run(global, run)?;
    let known = found.store.list()?;
    let bytes = if known.iter().any(|p| p == path) { found.store.read(path)? } else { None };
    let Some(bytes) = bytes else {
        return Err(UsageError {
            what: format!("the run `{}` has no file `{path}`", found.run),
            help: format!("It has {}.", known.join(", ")),
        }
        .into());
    };
    match serde_json::from_slice::<serde_json::Value>(&bytes) {
        Ok(value) if std::path::Path::new(path).extension().is_some_and(|e| e == "json") => {
            output.print_json(&value)?;
        }
        _ => {
            let text = String::from_utf8_lossy(&bytes);
            output.print(|out| text.lines().try_for_each(|line| writeln!(out, "{}", plain(line))))?;
        }
    }
    Ok(0)
}
