//! Why a run could not be replayed to its end.

use crate::artifact::id::{CommitId, StageId};
use crate::artifact::store::StoreError;
use crate::diagnostic::{Class, Failure};
use crate::engine::EngineError;
use crate::ports::tape::Divergence;
use crate::ports::vcs::VcsError;
use crate::stage::StageError;
use crate::stage::runner::RunError;

/// Why a run could not be replayed to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// It cannot be replayed by this program, here.
    #[error("{what}")]
    Cannot {
        /// What is in the way.
        what: String,
        /// What to do next.
        help: String,
    },
    /// The repository does not have what the run was made on.
    #[error("the base commit {commit} of the run is not in this clone")]
    Base {
        /// The commit.
        commit: CommitId,
        /// What was looked for.
        #[source]
        source: VcsError,
    },
    /// A tape is not one.
    #[error("`{path}` cannot be played: {why}")]
    Tape {
        /// The file.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// A stage asked otherwise than it did.
    #[error(transparent)]
    Diverged(#[from] Divergence),
    /// A stage that was finished could not be finished again.
    #[error("`{stage}` was finished when it was recorded, and cannot be finished now")]
    Failed {
        /// The stage.
        stage: StageId,
        /// Why.
        #[source]
        source: RunError,
    },
    /// The recorded files are not what they were.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Files could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The templates could not be read.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl ReplayError {
    /// Returns the error of a run that cannot be replayed here: why, and what to do next.
    pub fn cannot(what: impl Into<String>, help: &str) -> Self {
        Self::Cannot { what: what.into(), help: help.into() }
    }
}

impl Failure for ReplayError {
    fn class(&self) -> Class {
        match self {
            Self::Cannot { .. } | Self::Base { .. } => Class::Usage,
            Self::Failed { source: RunError::Stage { source: StageError::Vcs(error), .. }, .. } => {
                error.class()
            }
            Self::Failed { source: RunError::Store(error), .. } | Self::Store(error) => error.class(),
            Self::Tape { .. } | Self::Diverged(_) | Self::Failed { .. } => Class::Denied,
            Self::Run(error) => error.class(),
            Self::Engine(error) => error.class(),
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Cannot { help, .. } => Some(help.clone()),
            Self::Base { .. } => Some(
                "Fetch it (`git fetch --unshallow`, or from the remote that has it), or name the right clone with -C."
                    .into(),
            ),
            Self::Tape { .. } | Self::Diverged(_) => Some(
                "The record is not one of a run of this program: a file was changed and sealed again, or orch has a fault."
                    .into(),
            ),
            Self::Failed { source, .. } | Self::Run(source) => source.help(),
            Self::Store(error) => error.help(),
            Self::Engine(error) => error.help(),
        }
    }
}
