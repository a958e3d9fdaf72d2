//! What a stage is handed: the run, the config, and the ports its spec names.

use crate::agent::{Calls, Models, NoModels};
use crate::artifact::id::{Round, RunId};
use crate::artifact::types::event::Event as ForgeEvent;
use crate::artifact::types::task::{After, Assignment, Channel};
use crate::config::Config;
use crate::engine::Engine;
use crate::ports::clock::Clock;
use crate::ports::forge::{Forge, ForgeRead, ForgeWrite};
use crate::ports::observe::Observe;
use crate::ports::process::Processes;
use crate::ports::tape::{Recorder, World};
use crate::ports::vcs::{VcsRead, VcsWrite};
use crate::ports::workspace::Workspaces;
use crate::telemetry::{Event, Events};

use super::StageError;
use super::spec::{EffectKind, StageSpec};

/// The event that started the run: what intake turns into a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The text as given; untrusted.
    pub text: String,
    /// Where it came from.
    pub channel: Channel,
    /// The event of a forge it comes from, where it does.
    pub event: Option<ForgeEvent>,
    /// The task whose review it is made of, where it is.
    pub after: Option<After>,
    /// Who is to do it. What may be spent is no part of the stage's key: raising it changes no file that was paid for.
    pub assignment: Assignment,
}

impl Request {
    /// Returns a request that no event of a forge is behind.
    pub fn new(text: impl Into<String>, channel: Channel, assignment: Assignment) -> Self {
        Self { text: text.into(), channel, event: None, after: None, assignment }
    }

    /// Returns a request to an engine of this program.
    pub fn to_engine(engine: &str, text: impl Into<String>, channel: Channel) -> Self {
        Self::new(text, channel, Assignment::to_engine(engine))
    }
}

/// Every port there is; the runner holds it, stages get a part of it.
#[derive(Clone, Copy)]
pub struct Ports<'a> {
    /// The clock.
    pub clock: &'a dyn Clock,
    /// Reads the repository.
    pub vcs: &'a dyn VcsRead,
    /// Writes a branch.
    pub forge: &'a dyn VcsWrite,
    /// The forge's API, where there is one.
    pub hub: Option<&'a dyn Forge>,
    /// Looks at what is known of a release.
    pub observe: &'a dyn Observe,
    /// Makes clean copies.
    pub workspaces: &'a dyn Workspaces,
    /// Runs repository code.
    pub processes: &'a dyn Processes,
    /// Proposes plans, tests and edits.
    pub engine: &'a dyn Engine,
    /// Opens the calls of a stage to models.
    pub models: &'a dyn Models,
}

impl<'a> Ports<'a> {
    /// Returns the ports whose answers are recorded.
    pub fn world(self) -> World<'a> {
        let Self { clock, vcs, forge, hub, observe, workspaces, processes, .. } = self;
        World { clock, vcs, forge, hub, observe, workspaces, processes }
    }

    /// Returns the same ports, reached through a recorder of this world.
    #[must_use]
    pub fn through<'b>(self, recorder: &'b Recorder<'b>) -> Ports<'b>
    where
        'a: 'b,
    {
        Ports {
            clock: recorder,
            vcs: recorder,
            forge: recorder,
            hub: Some(recorder),
            observe: recorder,
            workspaces: recorder,
            processes: recorder,
            engine: self.engine,
            models: self.models,
        }
    }
}

/// What a stage is handed.
pub struct StageContext<'a> {
    /// The run.
    pub run: &'a RunId,
    /// The round, 1 outside a loop.
    pub round: Round,
    /// The valid config.
    pub config: &'a Config,
    /// The event that started the run; only intake has one.
    pub request: Option<&'a Request>,
    spec: &'static StageSpec,
    ports: Ports<'a>,
    calls: &'a dyn Calls,
    events: &'a dyn Events,
}

impl<'a> StageContext<'a> {
    /// Returns the context of one stage; made by the runner and by tests only.
    pub fn new(
        spec: &'static StageSpec,
        run: &'a RunId,
        round: Round,
        config: &'a Config,
        request: Option<&'a Request>,
        ports: Ports<'a>,
        events: &'a dyn Events,
    ) -> Self {
        Self { run, round, config, request, spec, ports, calls: &NoModels, events }
    }

    /// Returns the same with a way to call models.
    #[must_use]
    pub fn with_calls(self, calls: &'a dyn Calls) -> Self {
        Self { calls, ..self }
    }

    /// Returns the models the engine may ask.
    pub fn calls(&self) -> Result<&'a dyn Calls, StageError> {
        self.declared(EffectKind::Model).map(|()| self.calls)
    }

    fn declared(&self, effect: EffectKind) -> Result<(), StageError> {
        if self.spec.effects.contains(&effect) { Ok(()) } else { Err(StageError::Undeclared(effect)) }
    }

    /// Returns the clock; time changes no decision, so every stage has it.
    pub fn clock(&self) -> &'a dyn Clock {
        self.ports.clock
    }

    /// Returns the repository, for reading.
    pub fn vcs(&self) -> Result<&'a dyn VcsRead, StageError> {
        self.declared(EffectKind::RepositoryRead).map(|()| self.ports.vcs)
    }

    /// Returns the repository, for writing a branch.
    pub fn forge(&self) -> Result<&'a dyn VcsWrite, StageError> {
        self.declared(EffectKind::ForgeWrite).map(|()| self.ports.forge)
    }

    /// Returns the forge's API, for looking; `None` where no forge is configured or no token is there.
    pub fn hub(&self) -> Result<Option<&'a dyn ForgeRead>, StageError> {
        self.declared(EffectKind::ForgeRead)?;
        Ok(self.ports.hub.filter(|hub| hub.slug().is_some()).map(|hub| hub as &dyn ForgeRead))
    }

    /// Returns the forge's API, for changing.
    pub fn hub_write(&self) -> Result<Option<&'a dyn ForgeWrite>, StageError> {
        self.declared(EffectKind::ForgeWrite)?;
        Ok(self.ports.hub.filter(|hub| hub.slug().is_some()).map(|hub| hub as &dyn ForgeWrite))
    }

    /// Returns who looks at what is known of a release.
    pub fn observe(&self) -> Result<&'a dyn Observe, StageError> {
        self.declared(EffectKind::Observe).map(|()| self.ports.observe)
    }

    /// Returns the maker of clean copies.
    pub fn workspaces(&self) -> Result<&'a dyn Workspaces, StageError> {
        self.declared(EffectKind::Process).map(|()| self.ports.workspaces)
    }

    /// Returns the runner of repository code.
    pub fn processes(&self) -> Result<&'a dyn Processes, StageError> {
        self.declared(EffectKind::Process).map(|()| self.ports.processes)
    }

    /// Returns the engine that proposes changes.
    pub fn engine(&self) -> Result<&'a dyn Engine, StageError> {
        self.declared(EffectKind::Model).map(|()| self.ports.engine)
    }

    /// Tells the listeners something about the work in hand, one short line.
    pub fn note(&self, message: impl Into<String>) {
        self.events.emit(&Event::StageNote {
            stage: self.spec.id,
            round: self.round,
            message: message.into(),
        });
    }

    /// Tells the listeners of a finished command.
    pub fn emit(&self, event: &Event) {
        self.events.emit(event);
    }
}
