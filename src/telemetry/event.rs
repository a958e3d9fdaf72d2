//! The events and who they go to.

use serde::Serialize;

use crate::artifact::id::{Round, RunId, StageId};
use crate::artifact::types::verification::CommandRole;

/// Something that happened in a run; the JSON form is what `--format json` prints, one object a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum Event {
    /// A run starts or goes on.
    RunStarted {
        /// The run.
        run: RunId,
        /// The pipeline's name.
        pipeline: String,
        /// The run folder.
        folder: String,
    },
    /// A stage starts.
    StageStarted {
        /// The stage.
        stage: StageId,
        /// The round.
        round: Round,
    },
    /// A finished stage with the same key was found and is used again.
    StageReused {
        /// The stage.
        stage: StageId,
        /// The round.
        round: Round,
    },
    /// A stage was left out because its condition did not hold.
    StageSkipped {
        /// The stage.
        stage: StageId,
        /// Why.
        why: String,
    },
    /// Something about the work in hand.
    StageNote {
        /// The stage.
        stage: StageId,
        /// The round.
        round: Round,
        /// One short line.
        message: String,
    },
    /// A command starts.
    CommandStarted {
        /// What it is for.
        role: CommandRole,
        /// The words.
        argv: Vec<String>,
    },
    /// A command ended.
    CommandFinished {
        /// What it is for.
        role: CommandRole,
        /// The words.
        argv: Vec<String>,
        /// How it ended, for people.
        ended: String,
        /// Wall time.
        duration_ms: u64,
    },
    /// A stage ended.
    StageFinished {
        /// The stage.
        stage: StageId,
        /// The round.
        round: Round,
        /// Its documented exit code.
        exit: u8,
        /// Why it stopped the pipeline, if it did.
        #[serde(skip_serializing_if = "Option::is_none")]
        why: Option<String>,
        /// Wall time.
        duration_ms: u64,
    },
}

/// Takes events.
pub trait Events: Send + Sync {
    /// Takes one event.
    fn emit(&self, event: &Event);
}

/// Takes events and does nothing with them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Events for Silent {
    fn emit(&self, _event: &Event) {}
}
