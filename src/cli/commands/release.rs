//! `orch release`: evidence collected by itself, and judged by itself.

use std::fs;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::artifact::envelope::{Envelope, Producer};
use crate::artifact::id::{Round, RunId, StageId};
use crate::artifact::kind::ArtifactKind;
use crate::artifact::types::release::{ReleaseDecision, ReleaseEvidence};
use crate::cli::CommandError;
use crate::cli::args::Global;
use crate::cli::error::{IoError, UsageError};
use crate::cli::output::Output;
use crate::cli::release::{self, ReleaseArgs};
use crate::cli::session::Session;
use crate::ports::vcs::VcsRead;
use crate::stage::StageError;
use crate::stage::release_gate::collect::{Gathering, collect};
use crate::stage::release_gate::judge::Pack;
use crate::stage::release_gate::{class, environment_of, judged, rules_at};

/// Collect what is known of a release, or judge it, each by itself
///
/// `orch stage release-gate` does both in a run folder. `judge` is a pure function of one file: offline, years later, it
/// gives the same bytes.
#[derive(Debug, Args)]
pub struct ReleaseCommandArgs {
    #[command(subcommand)]
    command: ReleaseCommand,
}

#[derive(Debug, Subcommand)]
enum ReleaseCommand {
    /// Collect evidence and write it, without judging it
    Collect {
        #[command(flatten)]
        release: ReleaseArgs,
        /// Where to; absent: standard output
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Judge evidence: no network, no clock, no repository
    ///
    /// Exit code 0: promote; 75: hold; 3: deny or rollback, which the decision tells apart.
    Judge {
        /// The evidence, as `release/evidence.json` of a run folder
        evidence: PathBuf,
        /// Write `decision.json` here too, as the stage writes it
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// List the controls
    Controls,
}

/// Collects or judges.
pub fn run(args: &ReleaseCommandArgs, global: &Global, output: &Output) -> Result<u8, CommandError> {
    match &args.command {
        ReleaseCommand::Collect { release, out } => gather(release, out.as_ref(), global, output),
        ReleaseCommand::Judge { evidence, out } => decide(evidence, out.as_ref(), output),
        ReleaseCommand::Controls => controls(output),
    }
}

fn gather(
    args: &ReleaseArgs,
    out: Option<&PathBuf>,
    global: &Global,
    output: &Output,
) -> Result<u8, CommandError> {
    let session = Session::open(global)?;
    let asked = args.request(&session)?.ok_or_else(|| UsageError {
        what: "nobody said where the release is to go".into(),
        help: "Name the environment with --to.".into(),
    })?;
    let (_, run) = release::stage_request(&asked)?;
    let evidence = collect(&Gathering {
        request: &asked,
        config: &session.config,
        environment: environment_of(&session.config, &asked)?,
        hub: session.hub().filter(|hub| hub.slug().is_some()),
        observe: session.observer(),
        vcs: &session.vcs as &dyn VcsRead,
        rules: rules_at(&session.vcs, &session.config, &asked).map_err(failed)?,
        now: session.clock().now(),
    })
    .map_err(|error| unwritable(&error))?;
    let bytes = bytes_of(ArtifactKind::ReleaseEvidence, run, Round::FIRST, &evidence)?;
    match out {
        Some(path) => write(path, &bytes)?,
        None => output.print_exact(&bytes)?,
    }
    Ok(0)
}

fn decide(path: &PathBuf, out: Option<&PathBuf>, output: &Output) -> Result<u8, CommandError> {
    let bytes =
        fs::read(path).map_err(|source| IoError { what: format!("read {}", path.display()), source })?;
    let evidence = Envelope::<ReleaseEvidence>::from_bytes(&bytes).map_err(|error| {
        let why = std::error::Error::source(&error).map(|source| format!(": {source}")).unwrap_or_default();
        UsageError {
            what: format!("{} cannot be judged: {error}{why}", path.display()),
            help: "Nothing is promoted on its word. Collect the evidence again; `orch schema release-evidence` has its form."
                .into(),
        }
    })?;
    let decision = judged(&evidence.body).map_err(failed)?;
    if let Some(path) = out {
        let bytes = bytes_of(ArtifactKind::ReleaseDecision, evidence.run, evidence.round, &decision)?;
        write(path, &bytes)?;
    }
    release::show(&decision, output)?;
    Ok(exit(&decision))
}

/// Returns the documented exit code of a decision.
fn exit(decision: &ReleaseDecision) -> u8 {
    class(decision.outcome).map_or(0, crate::diagnostic::Class::exit_code)
}

fn controls(output: &Output) -> Result<u8, CommandError> {
    let pack = Pack::embedded().map_err(StageError::from).map_err(failed)?;
    let rows: Vec<_> = pack
        .rules
        .iter()
        .map(|rule| serde_json::json!({
            "control": rule.metadata.code.as_str(), "title": rule.metadata.title, "waivable": !rule.metadata.locked,
        }))
        .collect();
    output
        .show(&rows, |out| {
            pack.rules.iter().try_for_each(|rule| {
                let note = if rule.metadata.locked { " (cannot be waived)" } else { "" };
                writeln!(out, "{:<22} {}{note}", rule.metadata.code.as_str(), rule.metadata.title)
            })
        })
        .map(|()| 0)
}

fn failed(error: StageError) -> CommandError {
    CommandError::from(error)
}

/// Returns the bytes of a file as the stage writes them.
fn bytes_of<T: serde::Serialize>(
    kind: ArtifactKind,
    run: RunId,
    round: Round,
    body: &T,
) -> Result<Vec<u8>, CommandError> {
    crate::artifact::digest::canonical_json(&Envelope {
        kind,
        schema: kind.version(),
        run,
        stage: StageId::ReleaseGate,
        round,
        producer: Producer::this(),
        inputs: Vec::new(),
        body,
    })
    .map_err(|error| unwritable(&error))
}

fn write(path: &PathBuf, bytes: &[u8]) -> Result<(), CommandError> {
    Ok(fs::write(path, bytes)
        .map_err(|source| IoError { what: format!("write {}", path.display()), source })?)
}

fn unwritable(error: &dyn std::fmt::Display) -> CommandError {
    UsageError {
        what: format!("the file has no canonical form: {error}"),
        help: "This is a fault of orch; please report it.".into(),
    }
    .into()
}
