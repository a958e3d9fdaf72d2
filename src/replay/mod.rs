//! `orch replay`: a finished run, run again from its record, and every file compared.
//!
//! Each stage goes through the same runner as before, with its config, its round and its tape from the record. Must never
//! start a program, reach the network, or write to the repository or to the run it reads.

mod compare;
mod error;
mod models;

use std::collections::BTreeSet;
use std::path::Path;

pub use compare::{Comparison, FileResult, State};
pub use error::ReplayError;
pub use models::{RecordedModels, RecordedRun};

use crate::agent::Models;
use crate::artifact::chain::{Chain, is_statement};
use crate::artifact::envelope::{Envelope, Producer};
use crate::artifact::id::{Round, RunId};
use crate::artifact::kind::{StageFile, slot};
use crate::artifact::store::ArtifactStore;
use crate::artifact::types::manifest::Manifest;
use crate::artifact::types::tape::Header;
use crate::artifact::types::task::Task;
use crate::config::Config;
use crate::engine::Engine;
use crate::engine::template::{TemplateEngine, read_folder};
use crate::ports::tape::Player;
use crate::ports::vcs::{VcsForesee, VcsRead};
use crate::stage::runner::{Position, RunError, Runner};
use crate::stage::spec::EffectKind;
use crate::stage::{Ports, Request, Stage, registry};
use crate::telemetry::Silent;

/// What a replay needs.
#[derive(Clone, Copy)]
pub struct Replay<'a> {
    /// The run.
    pub run: &'a RunId,
    /// Its files; only read.
    pub recorded: &'a dyn ArtifactStore,
    /// Where the files of the replay go.
    pub replayed: &'a dyn ArtifactStore,
    /// The repository, for reading; it must have the commits of the run.
    pub vcs: &'a dyn VcsRead,
    /// Makes commits again, in memory.
    pub commits: &'a dyn VcsForesee,
    /// Returns the engine that wrote the change; templates have [`templates`].
    pub engine: &'a EngineOf<'a>,
    /// Answers for the models, from the run's exchanges.
    pub models: &'a dyn Models,
}

/// Returns the engine a task was given to, set up as a stage's config says; there is no task before intake.
pub type EngineOf<'a> =
    dyn Fn(Option<&Task>, &Config) -> Result<Box<dyn Engine + 'a>, ReplayError> + Send + Sync + 'a;

/// Runs a recorded run again and compares all its files.
pub fn replay(replay: &Replay<'_>) -> Result<Comparison, ReplayError> {
    let chain = Chain::read(replay.recorded, replay.run)?;
    if let Some(first) = chain.breaks.first() {
        return Err(RunError::Broken { first: first.clone(), more: chain.breaks.len() - 1 }.into());
    }
    if chain.manifests.is_empty() {
        return Err(ReplayError::cannot(
            format!("no stage of `{}` is finished", replay.run),
            "Run it first; a replay needs at least one finished stage.",
        ));
    }
    let task = replay.task(&chain)?;
    let carried = replay.carried(&chain)?;
    replay.carry(&carried, |path| path.starts_with(ATTEMPTS))?;
    let (mut same, mut ended_early) = (true, None);
    for manifest in in_order(&chain) {
        match replay.stage(manifest, task.as_ref()) {
            Ok(()) => same = same && replay.is_same(manifest)?,
            Err(error) if same => return Err(error),
            // A consequence; what went before tells more.
            Err(error) => {
                ended_early = Some(error.to_string());
                break;
            }
        }
    }
    // What an unfinished stage left comes last: a stage that starts clears it away.
    replay.carry(&carried, |path| !path.starts_with(ATTEMPTS))?;
    let files = compare::compare(replay.recorded, replay.replayed, &carried)?;
    Ok(Comparison { files, ended_early })
}

const ATTEMPTS: &str = "attempts/";

/// Returns the manifests so that each comes after those whose files it read; in pipeline order otherwise.
fn in_order(chain: &Chain) -> Vec<&Envelope<Manifest>> {
    let mut rest: Vec<&Envelope<Manifest>> = chain.manifests.iter().collect();
    let (mut ordered, mut done) = (Vec::new(), BTreeSet::new());
    while !rest.is_empty() {
        let ready = |m: &&Envelope<Manifest>| m.body.link.parents.iter().all(|p| done.contains(&p.manifest));
        // An intact chain has no circle; with one, the runner tells which file is missing.
        let next = rest.remove(rest.iter().position(ready).unwrap_or_default());
        done.insert(Manifest::path(next.body.link.stage, next.body.link.round));
        ordered.push(next);
    }
    ordered
}

impl Replay<'_> {
    /// Returns the task of the run, having looked that its base is here.
    fn task(&self, chain: &Chain) -> Result<Option<Task>, ReplayError> {
        if chain.file(slot::TASK.path, Round::FIRST).is_none() {
            return Ok(None);
        }
        let bytes = self.recorded.read(slot::TASK.path)?.unwrap_or_default();
        let task = match Envelope::<Task>::from_bytes(&bytes) {
            Ok(envelope) => envelope.body,
            Err(error) => {
                return Err(ReplayError::cannot(error.to_string(), "Run it again with this version."));
            }
        };
        let base = &task.base;
        self.vcs
            .entries(&base.tree)
            .map_err(|source| ReplayError::Base { commit: base.commit.clone(), source })?;
        Ok(Some(task))
    }

    /// Returns the files that no finished stage of the run wrote: earlier attempts, statements, what an unfinished stage left.
    fn carried(&self, chain: &Chain) -> Result<BTreeSet<String>, ReplayError> {
        let aside = |path: &String| path.starts_with(ATTEMPTS) || is_statement(path);
        let attempts = self.recorded.list()?.into_iter().filter(aside);
        Ok(attempts.chain(chain.leftovers.iter().cloned()).collect())
    }

    fn carry(&self, paths: &BTreeSet<String>, which: impl Fn(&str) -> bool) -> Result<(), ReplayError> {
        for path in paths.iter().filter(|path| which(path)) {
            if let Some(bytes) = self.recorded.read(path)? {
                self.replayed.write(path, &bytes)?;
            }
        }
        Ok(())
    }

    /// Tells whether the manifest of a replayed stage is the recorded one; it seals everything the stage wrote.
    fn is_same(&self, manifest: &Envelope<Manifest>) -> Result<bool, ReplayError> {
        let path = Manifest::path(manifest.body.link.stage, manifest.body.link.round);
        Ok(self.recorded.read(&path)? == self.replayed.read(&path)?)
    }

    /// Runs one stage again.
    fn stage(&self, recorded: &Envelope<Manifest>, task: Option<&Task>) -> Result<(), ReplayError> {
        let link = &recorded.body.link;
        let (id, round) = (link.stage, link.round);
        let stage = known(recorded)?;
        let path = StageFile::Tape.path(id, round);
        if !recorded.body.records.iter().any(|record| record.path == path) {
            return Err(ReplayError::cannot(
                format!("the run has no `{path}`: it was recorded without tapes"),
                "Only runs made by a version that records tapes can be replayed; run it again with this one.",
            ));
        }
        let bytes = self.recorded.read(&path)?.unwrap_or_default();
        let bad = |why: String| ReplayError::Tape { path: path.clone(), why };
        let player = Player::new(&bytes, self.vcs, self.commits).map_err(|error| bad(error.to_string()))?;
        let header = player.header();
        if (header.stage, header.round) != (id, round) {
            return Err(bad(format!("is the tape of `{}` in round {}", header.stage, header.round)));
        }
        let config = Config::of_slice(&header.config)
            .map_err(|error| bad(format!("holds a config that cannot be read: {error}")))?;
        let engine = (self.engine)(task, &config)?;
        if stage.spec().effects.contains(&EffectKind::Model) {
            same_materials(recorded, engine.as_ref())?;
        }
        self.run(stage, &player, &config, engine.as_ref())
    }

    fn run(
        &self,
        stage: &dyn Stage,
        player: &Player<'_>,
        config: &Config,
        engine: &dyn Engine,
    ) -> Result<(), ReplayError> {
        let Header { round, horizon, request, .. } = player.header();
        let request = request.as_ref().map(|r| Request {
            text: r.text.clone(),
            channel: r.channel,
            event: r.event.clone(),
            after: r.after.clone(),
            assignment: r.assignment.clone(),
        });
        let ports = Ports {
            clock: player,
            vcs: player,
            forge: player,
            hub: Some(player),
            observe: player,
            workspaces: player,
            processes: player,
            engine,
            models: self.models,
        };
        let runner = Runner { store: self.replayed, run: self.run, config, ports, events: &Silent };
        let at = Position { round: *round, horizon: *horizon };
        let ran = runner.run(stage, at, request.as_ref());
        if let Some(divergence) = player.divergence(ran.is_ok()) {
            return Err(divergence.into());
        }
        ran.map(|_| ()).map_err(|source| ReplayError::Failed { stage: stage.spec().id, source })
    }
}

/// Returns the stage of a manifest, if this program has the very one that ran.
fn known(recorded: &Envelope<Manifest>) -> Result<&'static dyn Stage, ReplayError> {
    let (link, producer) = (&recorded.body.link, &recorded.producer);
    let this = Producer::this();
    let other =
        |what: String| ReplayError::cannot(what, &format!("Replay it with orch {}.", producer.version));
    if producer != &this {
        return Err(other(format!(
            "`{}` was recorded by {} {}, and this is {}",
            link.stage, producer.name, producer.version, this.version
        )));
    }
    match registry::stage(link.stage) {
        Some(stage) if stage.spec().version == link.stage_version => Ok(stage),
        found => Err(other(format!(
            "version {} of `{}` was recorded, and this program has {}",
            link.stage_version,
            link.stage,
            found.map_or_else(|| "none".to_owned(), |stage| format!("version {}", stage.spec().version))
        ))),
    }
}

/// Returns the template engine; a repository's own templates are below `root`.
pub fn templates(root: &Path, config: &Config) -> Result<Box<dyn Engine>, ReplayError> {
    let mut sources = Vec::new();
    for folder in &config.templates.folders {
        sources.extend(read_folder(&root.join(folder))?);
    }
    Ok(Box::new(TemplateEngine::new(sources)))
}

/// Templates and prompts of the repository are read from its folder; they have to be what they were.
fn same_materials(recorded: &Envelope<Manifest>, engine: &dyn Engine) -> Result<(), ReplayError> {
    let (then, now) = (&recorded.body.link.materials, engine.materials()?);
    let gone = then.iter().find(|material| !now.contains(material));
    match gone.or_else(|| now.iter().find(|material| !then.contains(material))) {
        None => Ok(()),
        Some(material) => Err(ReplayError::cannot(
            format!("`{}` is not what it was when `{}` ran", material.name, recorded.body.link.stage),
            "Check out the commit the run was made on, or put the folders of `templates` back as they were.",
        )),
    }
}
