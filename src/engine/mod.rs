//! Who writes the change: an engine proposes a plan, tests and edits; code decides what becomes of them.
//!
//! Must never write a file or run a command: an engine returns values.

pub mod model;
pub mod revert;
pub mod rules;
pub mod template;

use crate::agent::role::DataError;
use crate::agent::{CallFailure, Calls, NoModels, PlannedCall};
use crate::artifact::id::StageId;
use crate::artifact::types::change_set::{ChangeSet, TestSet};
use crate::artifact::types::debate::{Escalation, Message};
use crate::artifact::types::manifest::Material;
use crate::artifact::types::plan::Plan;
use crate::artifact::types::task::Task;
use crate::artifact::types::verification::Verification;
use crate::diagnostic::{Class, Failure};
use crate::ports::vcs::{VcsError, VcsRead};

/// Proposes changes.
pub trait Engine: Send + Sync {
    /// Returns the engine's name, as `template`.
    fn name(&self) -> &'static str;

    /// Returns the calls one stage may make at most, so that a dry run can price them; none where no model is called.
    fn planned_calls(&self, _stage: StageId) -> Vec<PlannedCall> {
        Vec::new()
    }

    /// Returns what its proposals depend on besides the arguments (templates, prompts, model ids).
    fn materials(&self) -> Result<Vec<Material>, EngineError>;

    /// Proposes a plan for a task.
    fn plan(&self, view: &View<'_>, task: &Task) -> Result<Proposed<Plan>, EngineError>;

    /// Proposes acceptance tests for a plan.
    fn tests(&self, view: &View<'_>, task: &Task, plan: &Plan) -> Result<TestSet, EngineError>;

    /// Proposes edits; `feedback` is the report of the round before, if there was one.
    fn edits(
        &self,
        view: &View<'_>,
        task: &Task,
        plan: &Plan,
        tests: &TestSet,
        feedback: Option<&Verification>,
    ) -> Result<Proposed<ChangeSet>, EngineError>;
}

/// A proposal with how it came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposed<T> {
    /// What is proposed; where there is an escalation, the best state of it, or nothing where it came to none.
    pub value: Option<T>,
    /// What was said on the way, oldest first; empty where nothing was discussed.
    pub messages: Vec<Message>,
    /// Set when there was no agreement: a person has to decide.
    pub escalation: Option<Escalation>,
}

impl<T> Proposed<T> {
    /// A proposal nobody discussed.
    pub const fn undiscussed(value: T) -> Self {
        Self { value: Some(value), messages: Vec::new(), escalation: None }
    }
}

/// What an engine may look at, the tree of the base, and whom it may ask.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The models it may ask; every call is reserved, recorded and settled there.
    pub calls: &'a dyn Calls,
    /// Tells the listeners something about the work in hand, one short line.
    pub note: &'a (dyn Fn(String) + Sync),
    /// The repository.
    pub vcs: &'a dyn VcsRead,
    /// The tree of the base.
    pub tree: &'a crate::artifact::id::TreeId,
    /// The edits of the round before, where there was one.
    pub earlier: Option<&'a ChangeSet>,
}

impl<'a> View<'a> {
    /// A view with nobody to ask and nobody who listens.
    pub const fn of(vcs: &'a dyn VcsRead, tree: &'a crate::artifact::id::TreeId) -> Self {
        Self { calls: &NoModels, note: &|_| (), vcs, tree, earlier: None }
    }
}

/// Why an engine has no proposal.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Nothing it knows fits the request.
    #[error("{what}")]
    NoFit {
        /// What does not fit, on what.
        what: String,
        /// What the engine can do, and how to configure another.
        help: String,
    },
    /// The base already has what is asked for.
    #[error("nothing to do: {what}")]
    AlreadyDone {
        /// What is there already.
        what: String,
    },
    /// A file is in the way, or cannot be extended safely.
    #[error("cannot change `{path}`: it {why}")]
    Conflict {
        /// The file.
        path: String,
        /// The reason, to be read after `it`.
        why: String,
        /// What to do next.
        help: String,
    },
    /// The report of the last round cannot be answered.
    #[error("the {engine} engine cannot mend its own change: {why}")]
    Stuck {
        /// The engine.
        engine: &'static str,
        /// What failed.
        why: String,
    },
    /// A role says that it cannot be done as asked.
    #[error("it cannot be done as asked: {why}")]
    CannotBeDone {
        /// What the role says.
        why: String,
    },
    /// A role did what no role may: the work ends at once.
    #[error("the {role} {what}")]
    HardStop {
        /// The role.
        role: String,
        /// What it did, to be read after its name.
        what: String,
    },
    /// An answer could not be used, and neither could the one after it.
    #[error("the answers of the {role} for `{step}` cannot be used: {why}")]
    Unusable {
        /// The role.
        role: String,
        /// The step.
        step: String,
        /// What is wrong.
        why: String,
    },
    /// A role or a prompt is broken.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The engine's own data is wrong.
    #[error("the template `{name}` is broken: {why}")]
    Broken {
        /// The template.
        name: String,
        /// What is wrong, where.
        why: String,
    },
    /// The repository could not be read.
    #[error(transparent)]
    Vcs(#[from] VcsError),
    /// A model could not be asked, or gave no answer.
    #[error(transparent)]
    Call(#[from] CallFailure),
}

impl EngineError {
    /// An engine without a second idea: what it made failed, for the first reason of the report.
    fn stuck(engine: &'static str, report: &Verification) -> Self {
        let why = report.reasons.first().map_or("the report gives no reason", |r| r.message.as_str());
        Self::Stuck { engine, why: why.to_owned() }
    }
}

impl Failure for EngineError {
    fn class(&self) -> Class {
        match self {
            Self::NoFit { .. } | Self::AlreadyDone { .. } => Class::Nothing,
            Self::Conflict { .. } | Self::HardStop { .. } => Class::Denied,
            Self::Stuck { .. } | Self::CannotBeDone { .. } | Self::Unusable { .. } => Class::NotConverged,
            Self::Data(error) => error.class(),
            Self::Broken { .. } => Class::Usage,
            Self::Vcs(error) => error.class(),
            Self::Call(error) => error.class(),
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::NoFit { help, .. } | Self::Conflict { help, .. } => Some(help.clone()),
            Self::AlreadyDone { .. } => None,
            Self::Stuck { .. } => {
                Some("Read the report and the log of the last round; a person has to take over.".into())
            }
            Self::CannotBeDone { .. } => {
                Some("Read the reason; a person has to change the request, the plan or the tests. `--live` asks anew.".into())
            }
            Self::HardStop { .. } => {
                Some("Nothing was kept. Read the exchanges of the stage in `cassette/`; if it was a slip, run again with `--live`, which asks anew.".into())
            }
            Self::Unusable { .. } => {
                Some("Run again with `--live`, which asks anew, or put another model first in the role's route in models.toml.".into())
            }
            Self::Data(error) => error.help(),
            Self::Broken { .. } => {
                Some("Mend the template, or remove its folder from `templates` in orch.yml.".into())
            }
            Self::Vcs(error) => error.help(),
            Self::Call(error) => error.help(),
        }
    }
}
