//! Who writes the change: an engine proposes a plan, tests and edits; code decides what becomes of them.
//!
//! Must never write a file or run a command: an engine returns values.

pub mod template;

use crate::artifact::money::NanoUsd;
use crate::artifact::types::change_set::{ChangeSet, TestSet};
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

    /// Returns the worst case of one stage's calls; zero when no model is called.
    fn worst_case(&self) -> NanoUsd;

    /// Returns what its proposals depend on besides the arguments (templates, prompts, model ids).
    fn materials(&self) -> Result<Vec<Material>, EngineError>;

    /// Proposes a plan for a task.
    fn plan(&self, view: &View<'_>, task: &Task) -> Result<Plan, EngineError>;

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
    ) -> Result<ChangeSet, EngineError>;
}

/// What an engine may look at: the tree of the base, nothing else.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The repository.
    pub vcs: &'a dyn VcsRead,
    /// The tree of the base.
    pub tree: &'a crate::artifact::id::TreeId,
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
}

impl Failure for EngineError {
    fn class(&self) -> Class {
        match self {
            Self::NoFit { .. } | Self::AlreadyDone { .. } => Class::Nothing,
            Self::Conflict { .. } => Class::Denied,
            Self::Stuck { .. } => Class::NotConverged,
            Self::Broken { .. } => Class::Usage,
            Self::Vcs(error) => error.class(),
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::NoFit { help, .. } | Self::Conflict { help, .. } => Some(help.clone()),
            Self::AlreadyDone { .. } => None,
            Self::Stuck { .. } => {
                Some("Read the report and the log of the last round; a person has to take over.".into())
            }
            Self::Broken { .. } => {
                Some("Mend the template, or remove its folder from `templates` in orch.yml.".into())
            }
            Self::Vcs(error) => error.help(),
        }
    }
}
