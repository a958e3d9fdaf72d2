//! A recorded run's request again, with the candidate in place of what is the default.
//!
//! The request, its base, the time-independent part of its config and its engine are those of the record; everything else
//! is made anew, as a run makes it, up to the verdict. Must never write a branch, ask a forge, or spend more than is left.

use std::collections::BTreeMap;

use crate::agent::budget::Spend;
use crate::artifact::id::{Round, StageId};
use crate::artifact::kind::slot;
use crate::artifact::money::NanoUsd;
use crate::artifact::store::{ArtifactStore as _, DirStore};
use crate::artifact::types::manifest::Manifest;
use crate::artifact::types::task::Task;
use crate::attest::OpenRun;
use crate::cli::CommandError;
use crate::cli::desk::{Desk, Trial, Words};
use crate::cli::history::Recorded;
use crate::cli::output::Output;
use crate::cli::session::{self, Session};
use crate::config::Config;
use crate::engine::template::TemplateSource;
use crate::engine::{model, template};
use crate::pipeline::{Bounds, Pipeline, plan, walk};
use crate::report::Report;
use crate::stage::Ports;
use crate::stage::runner::Runner;
use crate::upgrade::at::At;
use crate::upgrade::measure::measured;
use crate::upgrade::types::{Kind, Measured, Proposal};

/// Where requests are tried again.
pub struct Bench<'a> {
    /// The repository.
    pub session: &'a Session,
    /// The candidate.
    pub proposal: &'a Proposal,
    /// Where the files of the tried runs go.
    pub folder: std::path::PathBuf,
    /// Where progress is told.
    pub output: &'a Output,
}

/// One run that is to be tried.
pub struct Try {
    task: Task,
    config: Config,
    /// What was recorded.
    pub current: Measured,
}

impl Bench<'_> {
    /// Reads what is recorded of a run; the error says why it cannot be tried again, in one line.
    pub fn prepare(
        &self,
        recorded: &Recorded,
        opened: &OpenRun<'_>,
    ) -> Result<Result<Try, String>, CommandError> {
        if recorded.kept {
            return Ok(Err("only its small files were kept: it cannot be tried again".into()));
        }
        if let Some(first) = opened.chain.breaks.first() {
            return Ok(Err(format!("the run is not what its manifests say: {first}")));
        }
        let task: Task = match opened.body(slot::TASK) {
            Ok(task) => task,
            Err(lacking) => return Ok(Err(lacking.to_string())),
        };
        let wanted = match self.proposal.kind {
            Kind::Template => template::NAME,
            Kind::Model | Kind::Prompt | Kind::Policy => model::NAME,
        };
        if task.assignment.engine != wanted {
            return Ok(Err(format!(
                "it was made by the engine `{}`, which this upgrade does not touch",
                task.assignment.engine
            )));
        }
        let spend = Spend::read(recorded.store.as_ref())?;
        let report = Report::read(recorded.store.as_ref(), &recorded.run)?;
        let current = match measured(&report, &spend) {
            Ok(current) => current,
            Err(why) => return Ok(Err(why)),
        };
        Ok(self.config(opened).map(|config| Try { task, config, current }))
    }

    /// Returns the config the run had: what its tapes say, and the rest as it is now.
    fn config(&self, opened: &OpenRun<'_>) -> Result<Config, String> {
        let unreadable = |why: String| format!("the config of then is not at hand: {why}");
        let mut all =
            serde_json::to_value(&self.session.config).map_err(|error| unreadable(error.to_string()))?;
        let mut last: BTreeMap<StageId, Round> = BTreeMap::new();
        for manifest in opened.chain.bodies() {
            let round = last.entry(manifest.link.stage).or_insert(manifest.link.round);
            *round = (*round).max(manifest.link.round);
        }
        for (stage, round) in last {
            let header = opened.header(stage, round).map_err(|lacking| unreadable(lacking.to_string()))?;
            for (key, value) in header.config.as_object().into_iter().flatten() {
                all[key.as_str()] = value.clone();
            }
        }
        serde_json::from_value::<Config>(all).map_err(|error| unreadable(error.to_string()))
    }

    /// Returns the most the candidate can cost over a run, by listed prices; `None`: a price is not known.
    pub fn worst_case(&self, recorded: &Recorded, one: &Try) -> Result<Option<NanoUsd>, CommandError> {
        let desk = self.desk(one, NanoUsd::ZERO)?;
        let (pipeline, _) = session::pipeline(&self.session.root)?;
        let planned = plan(&pipeline, recorded.run.clone(), &desk, one.config.verify.rounds, UNTIL);
        Ok(planned.worst_case_nano_usd)
    }

    /// Tries a run with the candidate; the error says why it was not measured.
    pub fn measure(
        &self,
        recorded: &Recorded,
        one: &Try,
        limit: NanoUsd,
    ) -> Result<Result<Measured, String>, CommandError> {
        let store = DirStore::new(self.folder.join(recorded.run.as_str()));
        store.sweep()?;
        seed(recorded, &store)?;
        let desk = self.desk(one, limit)?;
        let (pipeline, _): (Pipeline, _) = session::pipeline(&self.session.root)?;
        let workspaces = self.session.workspaces()?;
        let at = At::new(self.session.reading(), one.task.base.clone());
        let events = self.output.events();
        let walked = desk.with_ports(self.session, &workspaces, |ports| {
            let ports = Ports { vcs: &at, hub: None, ..ports };
            let runner = Runner {
                store: &store,
                run: &recorded.run,
                config: &one.config,
                ports,
                events: events.as_ref(),
            };
            walk(&pipeline, &runner, UNTIL, None)
        });
        let walked = match walked {
            Ok(walked) => walked,
            Err(error) => return Ok(Err(CommandError::from(error).text())),
        };
        let report = Report::read(&store, &recorded.run)?;
        if report.verdict.is_none() && report.exit() == 0 {
            let reason = walked.reason.unwrap_or_default();
            return Ok(Err(format!("it ended with {}: {reason}", walked.exit)));
        }
        self.measured(recorded)
    }

    /// Returns what a run that was tried came to, from its files.
    pub fn measured(&self, recorded: &Recorded) -> Result<Result<Measured, String>, CommandError> {
        let store = DirStore::new(self.folder.join(recorded.run.as_str()));
        let report = Report::read(&store, &recorded.run)?;
        Ok(measured(&report, &Spend::read(&store)?))
    }

    /// Returns what the tried runs have spent, all but one of them.
    pub fn spent(&self, but: Option<&Recorded>) -> Result<NanoUsd, CommandError> {
        let mut sum = NanoUsd::ZERO;
        for entry in std::fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if but.is_none_or(|but| but.run.as_str() != name) {
                sum = sum + Spend::read(&DirStore::new(entry.path()))?.total.nano_usd;
            }
        }
        Ok(sum)
    }

    fn desk(&self, one: &Try, limit: NanoUsd) -> Result<Desk, CommandError> {
        Desk::trial(self.trial(one)?, &one.task.assignment, &one.config, limit)
    }

    fn trial(&self, one: &Try) -> Result<Trial, CommandError> {
        if self.proposal.kind == Kind::Template {
            return Ok(Trial::Templates(self.templates()?));
        }
        let mut words = Words::of(&self.session.vcs, &one.task.base.tree)?;
        let mut own = None;
        for file in &self.proposal.files {
            let bytes = file.bytes().ok().flatten();
            match self.proposal.kind {
                Kind::Model => own = bytes,
                _ => words.put(
                    file.path.as_str(),
                    String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned(),
                ),
            }
        }
        // A model that was named for the run would be asked whatever the candidate's routes say.
        let (setup, named) = if self.proposal.kind == Kind::Model {
            (self.session.models_with(own)?, None)
        } else {
            (self.session.models()?, one.task.assignment.model.clone())
        };
        Ok(Trial::Models { setup: Box::new(setup), named, words })
    }

    /// Returns the templates of the repository as the candidate leaves them.
    fn templates(&self) -> Result<Vec<TemplateSource>, CommandError> {
        let mut sources = self.session.template_sources()?;
        let folders = &self.session.config.templates.folders;
        for file in &self.proposal.files {
            let path = file.path.as_str();
            let below = folders.iter().find_map(|folder| {
                path.strip_prefix(folder.trim_start_matches("./").trim_end_matches('/'))?.strip_prefix('/')
            });
            let Some((name, rest)) = below.and_then(|below| below.split_once('/')) else { continue };
            let at = sources.iter().position(|source| source.name == name).unwrap_or_else(|| {
                sources.push(TemplateSource { name: name.to_owned(), files: BTreeMap::new() });
                sources.len() - 1
            });
            match file.bytes().ok().flatten() {
                Some(bytes) => drop(sources[at].files.insert(rest.to_owned(), bytes)),
                None => drop(sources[at].files.remove(rest)),
            }
        }
        sources.retain(|source| !source.files.is_empty());
        Ok(sources)
    }
}

/// The runs are tried up to the verdict: no branch is written.
const UNTIL: Bounds = Bounds { from: None, until: Some(StageId::Policy) };

/// Takes the files of intake over: the task is the recorded one, who asked and when included.
fn seed(recorded: &Recorded, store: &DirStore) -> Result<(), CommandError> {
    let manifest = Manifest::path(StageId::Intake, Round::FIRST);
    if store.read(&manifest)?.is_some() {
        return Ok(());
    }
    let opened = recorded.open()?;
    let Some(intake) = opened.chain.manifest(StageId::Intake, Round::FIRST) else { return Ok(()) };
    for file in intake.files() {
        if let Some(bytes) = recorded.store.read(&file.path)? {
            store.write(&file.path, &bytes)?;
        }
    }
    let bytes = recorded.store.read(&manifest)?.unwrap_or_default();
    Ok(store.write(&manifest, &bytes)?)
}
