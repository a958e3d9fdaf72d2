//! `orch replay`: a run, run again from its record.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use crate::artifact::id::RunId;
use crate::artifact::store::{ArtifactStore, DirStore, MemoryStore};
use crate::artifact::types::task::Task;
use crate::cli::args::Global;
use crate::cli::error::{IoError, UsageError};
use crate::cli::models::{ConfiguredRoutes, ModelSetup};
use crate::cli::output::Output;
use crate::cli::session::FoundRun;
use crate::cli::{CommandError, desk, session};
use crate::config::env::Environment;
use crate::config::{Config, load};
use crate::diagnostic::Class;
use crate::diagnostic::text::plain;
use crate::engine::revert::RevertEngine;
use crate::engine::{Engine, model, revert, template};
use crate::ports::clock::{Clock as _, SystemClock};
use crate::ports::vcs::GitRepository;
use crate::replay::{
    Comparison, FileResult, RecordedModels, RecordedRun, Replay, ReplayError, State, replay, templates,
};

/// Run a recorded run again and compare every file byte for byte
///
/// Time, commands, the remote and models answer from the record: no program is started, no network is used, and nothing
/// is written to the repository. Exit code 0 means that every file is equal, 3 that the record or a file is not.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The run: its id, the start of its id, or its folder; absent: the newest
    run: Option<String>,
    /// Keep the replayed files in this folder, which must be new or empty
    #[arg(long, value_name = "FOLDER")]
    keep: Option<PathBuf>,
}

#[derive(Serialize)]
struct Document<'a> {
    run: &'a RunId,
    equal: bool,
    #[serde(flatten)]
    comparison: &'a Comparison,
}

/// Replays the run.
pub fn run(args: &ReplayArgs, global: &Global, output: &Output) -> Result<u8, CommandError> {
    let found = session::find_run(global, args.run.as_deref())?;
    let vcs = GitRepository::open(session::folder(global)?)?;
    let replayed: Box<dyn ArtifactStore> = match &args.keep {
        Some(folder) => Box::new(kept(folder)?),
        None => Box::new(MemoryStore::default()),
    };
    let record = Record::read(global, &found, &vcs)?;
    let price = |provider: &str, model: &str| record.setup.price(provider, model);
    let clock = SystemClock::new(None);
    let models = RecordedModels::new(&record.run, &record.routes, &clock, &price);
    let compared = replay(&Replay {
        run: &found.run,
        recorded: &found.store,
        replayed: replayed.as_ref(),
        vcs: &vcs,
        commits: &vcs,
        engine: &|task, config| record.engine(&vcs, task, config),
        models: &models,
    })?;
    let document = Document { run: &found.run, equal: compared.is_equal(), comparison: &compared };
    output.show(&document, |out| show(&document, out))?;
    Ok(if document.equal { 0 } else { Class::Denied.exit_code() })
}

/// What answers for the models of a run.
struct Record {
    run: RecordedRun,
    setup: ModelSetup,
    routes: ConfiguredRoutes,
    /// The model every role was to use, where one was named.
    named: Option<String>,
}

impl Record {
    fn read(global: &Global, found: &FoundRun, vcs: &GitRepository) -> Result<Self, CommandError> {
        let task = desk::task(&found.store)?;
        let run = RecordedRun::read(&found.store)?;
        let environment = Environment::of_process();
        let named = global.config.clone().or(environment.config_file());
        let file = load(vcs.root(), named.as_deref())?.config.models.file;
        // Prices are those of the day the run was made.
        let day =
            run.began().and_then(|text| text.parse().ok()).unwrap_or_else(|| SystemClock::new(None).now());
        let setup = ModelSetup::open(vcs.root(), &file, environment, day)?;
        let named = task.as_ref().and_then(|task| task.assignment.model.clone());
        let asked = run.began().is_some();
        let mut routes =
            if asked { desk::routes(&setup, named.as_deref(), true)? } else { ConfiguredRoutes::default() };
        // A base that is not here is told of by the replay itself.
        if let Some(cast) = task.and_then(|task| desk::cast(vcs, &task.base.tree).ok()) {
            routes = routes.with_cast(&cast);
        }
        Ok(Self { run, setup, routes, named })
    }

    /// Returns the engine a task was given to, set up as a stage's config says.
    fn engine(
        &self,
        vcs: &GitRepository,
        task: Option<&Task>,
        config: &Config,
    ) -> Result<Box<dyn Engine>, ReplayError> {
        let Some(task) = task.filter(|task| task.assignment.engine != template::NAME) else {
            return templates(vcs.root(), config);
        };
        if task.assignment.engine == revert::NAME {
            return Ok(Box::new(RevertEngine));
        }
        if task.assignment.engine != model::NAME {
            return Err(ReplayError::cannot(
                format!(
                    "the run was made by the engine `{}`, which this program does not have",
                    task.assignment.engine
                ),
                "Replay it with the orch that made it.",
            ));
        }
        let made = desk::Words::of(vcs, &task.base.tree)
            .and_then(|words| desk::model_engine(&self.setup, self.named.as_deref(), config, words));
        match made {
            Ok(engine) => Ok(Box::new(engine)),
            Err(error) => Err(ReplayError::cannot(
                format!("the model engine of the run cannot be set up: {}", error.text()),
                "Check out the commit the run was made on.",
            )),
        }
    }
}

/// Returns the store of a folder that holds nothing yet.
fn kept(folder: &Path) -> Result<DirStore, CommandError> {
    let refused = |why: &str| UsageError {
        what: format!("the folder {} {why}", folder.display()),
        help: "Name a new or an empty folder with --keep.".into(),
    };
    match fs::read_dir(folder).map(|mut entries| entries.next().is_none()) {
        Ok(true) => {}
        Ok(false) => return Err(refused("is not empty").into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(refused("is no folder").into());
        }
        Err(source) => {
            return Err(IoError { what: format!("look into {}", folder.display()), source }.into());
        }
    }
    Ok(DirStore::new(folder))
}

fn show(document: &Document<'_>, out: &mut dyn Write) -> io::Result<()> {
    let compared = document.comparison;
    for FileResult { path, state } in &compared.files {
        match state {
            State::Equal | State::Carried => {}
            State::Missing => writeln!(out, "missing: `{path}`: the run has it, the replay has not")?,
            State::Extra => writeln!(out, "extra: `{path}`: the replay has it, the run has not")?,
            State::Different { at, recorded, replayed } => {
                let at = if at.is_empty() { "as a whole".to_owned() } else { format!("at {}", plain(at)) };
                writeln!(out, "different: `{path}` {at}")?;
                writeln!(out, "  recorded: {}", plain(recorded))?;
                writeln!(out, "  replayed: {}", plain(replayed))?;
            }
        }
    }
    if let Some(why) = &compared.ended_early {
        writeln!(out, "Later stages were not replayed: {}", plain(why))?;
    }
    let equal = compared.count(&State::Equal);
    let carried = compared.count(&State::Carried);
    if document.equal {
        writeln!(out, "{} replays: {equal} files are equal, byte for byte.", document.run)?;
    } else {
        let not = compared.files.len() - equal - carried;
        writeln!(out, "{} does not replay: {equal} files are equal, {not} are not.", document.run)?;
    }
    if carried > 0 {
        writeln!(
            out,
            "{carried} files of earlier attempts or unfinished stages were not replayed, only copied."
        )?;
    }
    Ok(())
}
