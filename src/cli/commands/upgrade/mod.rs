//! `orch upgrade`: another model, prompt, set of rules or template, tried over recorded runs before it becomes the default.

mod bench;
mod evaluate;
mod propose;
mod show;
mod switch;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::artifact::id::RunId;
use crate::artifact::store::DirStore;
use crate::cli::CommandError;
use crate::cli::args::Global;
use crate::cli::output::Output;
use crate::cli::session::Session;
use crate::upgrade::UpgradeError;

/// Try another model, prompt, set of rules or template over recorded runs, then make it the default
///
/// Propose a candidate, evaluate it, and promote it where the decision says so; roll back puts the files back byte for byte.
#[derive(Debug, Args)]
pub struct UpgradeArgs {
    #[command(subcommand)]
    command: UpgradeCommand,
}

#[derive(Debug, Subcommand)]
enum UpgradeCommand {
    /// Write down what is to become the default; nothing is changed
    Propose(propose::ProposeArgs),
    /// Try the candidate over recorded runs, and decide
    Evaluate(evaluate::EvaluateArgs),
    /// Show what is known of an upgrade
    Show {
        /// The upgrade, or the start of its id; absent: the newest
        upgrade: Option<String>,
    },
    /// Make the candidate the default, where the decision says so
    Promote {
        /// The upgrade, or the start of its id; absent: the newest
        upgrade: Option<String>,
    },
    /// Put back what was the default before
    Rollback {
        /// The upgrade, or the start of its id; absent: the newest
        upgrade: Option<String>,
    },
}

/// Runs one of the commands.
pub fn run(args: &UpgradeArgs, global: &Global, output: &Output) -> Result<u8, CommandError> {
    let session = Session::open(global)?;
    match &args.command {
        UpgradeCommand::Propose(args) => propose::run(args, &session, global, output),
        UpgradeCommand::Evaluate(args) => evaluate::run(args, &session, global, output),
        UpgradeCommand::Show { upgrade } => show::run(upgrade.as_deref(), &session, output),
        UpgradeCommand::Promote { upgrade } => switch::promote(upgrade.as_deref(), &session, global, output),
        UpgradeCommand::Rollback { upgrade } => switch::rollback(upgrade.as_deref(), &session, output),
    }
}

/// An upgrade that was found.
struct Found {
    id: RunId,
    folder: PathBuf,
    store: DirStore,
}

/// Finds an upgrade by its id or the start of it; without a name, the one that was proposed last.
fn find(session: &Session, name: Option<&str>) -> Result<Found, CommandError> {
    let mut known: Vec<(std::time::SystemTime, RunId)> = Vec::new();
    for entry in std::fs::read_dir(session.artifacts()).into_iter().flatten().flatten() {
        let proposal = entry.path().join(crate::upgrade::files::PROPOSAL);
        if let (Ok(id), Ok(about)) =
            (entry.file_name().to_string_lossy().parse::<RunId>(), std::fs::metadata(&proposal))
        {
            let at = about.modified().unwrap_or(std::time::SystemTime::UNIX_EPOCH);
            known.push((at, id));
        }
    }
    known.sort();
    let fitting: Vec<&RunId> = match name {
        Some(name) => known.iter().map(|(_, id)| id).filter(|id| id.as_str().starts_with(name)).collect(),
        None => known.iter().rev().map(|(_, id)| id).take(1).collect(),
    };
    match fitting.as_slice() {
        [id] => {
            let folder = session.folder(id);
            Ok(Found { id: (*id).clone(), store: DirStore::new(&folder), folder })
        }
        [] => Err(UpgradeError::refused(
            name.map_or_else(
                || "there is no upgrade".to_owned(),
                |name| format!("there is no upgrade `{name}`"),
            ),
            "`orch upgrade propose` makes one.",
        )
        .into()),
        several => Err(UpgradeError::refused(
            format!("{} upgrades start with `{}`", several.len(), name.unwrap_or_default()),
            "Give more of the id.",
        )
        .into()),
    }
}
