//! Why a stage could not finish.

use crate::agent::CallFailure;
use crate::artifact::envelope::EnvelopeError;
use crate::artifact::kind::Slot;
use crate::diagnostic::{Class, Failure};
use crate::engine::EngineError;
use crate::ports::forge::ForgeError;
use crate::ports::process::ProcessError;
use crate::ports::vcs::VcsError;
use crate::ports::workspace::WorkspaceError;

use super::spec::EffectKind;

/// Why a stage could not finish; nothing was committed.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// A file the stage needs is not in the run folder.
    #[error("the run has no `{path}`")]
    MissingInput {
        /// The path in the run folder.
        path: String,
    },
    /// A file is not what it should be.
    #[error("`{path}` cannot be used")]
    BadArtifact {
        /// The path in the run folder.
        path: String,
        /// Why.
        #[source]
        source: EnvelopeError,
    },
    /// A stage wrote something it did not declare, or not all that it declared: a fault of this program.
    #[error("the stage {why} `{}`", slot.path)]
    Outputs {
        /// Which file.
        slot: Slot,
        /// `did not write` or `wrote, undeclared,`.
        why: &'static str,
    },
    /// A stage asked for a port its spec does not name: a fault of this program.
    #[error("the stage used `{}` without declaring it", .0.as_str())]
    Undeclared(EffectKind),
    /// The stage refuses its inputs.
    #[error("{what}")]
    Refused {
        /// Who must act.
        class: Class,
        /// What was refused, on what.
        what: String,
        /// What to do next.
        help: String,
    },
    /// The engine could not do it.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A model could not be called.
    #[error(transparent)]
    Call(#[from] CallFailure),
    /// The repository could not be read or written.
    #[error(transparent)]
    Vcs(#[from] VcsError),
    /// The forge did not do what was asked.
    #[error(transparent)]
    Forge(#[from] ForgeError),
    /// A clean copy could not be made or changed.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// A command could not be run safely.
    #[error(transparent)]
    Process(#[from] ProcessError),
}

impl Failure for StageError {
    fn class(&self) -> Class {
        match self {
            Self::MissingInput { .. } | Self::BadArtifact { .. } => Class::Usage,
            Self::Outputs { .. } | Self::Undeclared(_) => Class::Internal,
            Self::Refused { class, .. } => *class,
            Self::Engine(e) => e.class(),
            Self::Call(e) => e.class(),
            Self::Vcs(e) => e.class(),
            Self::Forge(e) => e.class(),
            Self::Workspace(e) => e.class(),
            Self::Process(e) => e.class(),
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::MissingInput { .. } => {
                Some("Run the stage that writes it first; `orch stages` tells which.".into())
            }
            Self::BadArtifact { .. } => {
                Some("Run `orch artifacts verify` on the run; start it again if a file was changed.".into())
            }
            Self::Outputs { .. } | Self::Undeclared(_) => {
                Some("This is a fault of orch; please report it.".into())
            }
            Self::Refused { help, .. } => Some(help.clone()),
            Self::Engine(e) => e.help(),
            Self::Call(e) => e.help(),
            Self::Vcs(e) => e.help(),
            Self::Forge(e) => e.help(),
            Self::Workspace(e) => e.help(),
            Self::Process(e) => e.help(),
        }
    }
}
