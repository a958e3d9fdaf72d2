//! Why a stage was not run, or its files not written.
//!
//! Must never hide which stage and round it was.

use crate::artifact::chain::Break;
use crate::artifact::digest::CanonicalError;
use crate::artifact::id::{Round, StageId};
use crate::artifact::store::StoreError;
use crate::diagnostic::{Class, Failure};
use crate::stage::StageError;

/// Why a stage did not come to an end.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The run folder could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The chain of the run is broken.
    #[error("the run's artifacts are not what they were: {first}{}", if *more > 0 { format!(" (and {more} more)") } else { String::new() })]
    Broken {
        /// The first broken link.
        first: Break,
        /// How many more there are.
        more: usize,
    },
    /// The stage could not do it.
    #[error("{stage}{} could not finish", if *round > Round::FIRST { format!(" (round {round})") } else { String::new() })]
    Stage {
        /// The stage.
        stage: StageId,
        /// The round.
        round: Round,
        /// Why.
        #[source]
        source: StageError,
    },
    /// A value has no canonical form: a fault of this program.
    #[error("cannot write the manifest of {stage}")]
    Canonical {
        /// The stage.
        stage: StageId,
        /// Why.
        #[source]
        source: CanonicalError,
    },
}

impl Failure for RunError {
    fn class(&self) -> Class {
        match self {
            Self::Store(error) => error.class(),
            Self::Broken { .. } => Class::Denied,
            Self::Stage { source, .. } => source.class(),
            Self::Canonical { .. } => Class::Internal,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.help(),
            Self::Broken { .. } => Some(
                "Run `orch artifacts verify` for the whole list; put the file back, or remove the run folder to start again."
                    .into(),
            ),
            Self::Stage { source, .. } => source.help(),
            Self::Canonical { .. } => Some("This is a fault of orch; please report it.".into()),
        }
    }
}
