//! The events and who they go to.

use std::borrow::Cow;

use serde::Serialize;

use crate::artifact::id::{Round, RunId, StageId};
use crate::artifact::types::verification::CommandRole;
use crate::diagnostic::redact::redact;

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

/// Masks every secret of an event before it is passed on.
pub struct Masked(Box<dyn Events>);

impl Masked {
    /// Passes masked events on to `next`.
    pub fn new(next: Box<dyn Events>) -> Self {
        Self(next)
    }
}

impl Events for Masked {
    fn emit(&self, event: &Event) {
        self.0.emit(&event.masked());
    }
}

impl Event {
    /// Returns the event with every secret of its texts masked.
    #[must_use]
    pub fn masked(&self) -> Self {
        let mut event = self.clone();
        let hide = |text: &mut String| {
            if let Cow::Owned(masked) = redact(text) {
                *text = masked;
            }
        };
        match &mut event {
            Self::RunStarted { pipeline, folder, .. } => [pipeline, folder].into_iter().for_each(hide),
            Self::StageStarted { .. } | Self::StageReused { .. } => {}
            Self::StageSkipped { why, .. } => hide(why),
            Self::StageNote { message, .. } => hide(message),
            Self::CommandStarted { argv, .. } => argv.iter_mut().for_each(hide),
            Self::CommandFinished { argv, ended, .. } => argv.iter_mut().chain([ended]).for_each(hide),
            Self::StageFinished { why, .. } => why.iter_mut().for_each(hide),
        }
        event
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_masked() {
        let key = format!("sk-ant-api03-{}", "aB3dE5gH7jK9mN1pQ".repeat(3));
        let events = [
            Event::StageNote { stage: StageId::Plan, round: Round::FIRST, message: key.clone() },
            Event::StageSkipped { stage: StageId::Plan, why: key.clone() },
            Event::CommandStarted { role: CommandRole::Test, argv: vec!["x".into(), key.clone()] },
            Event::StageFinished {
                stage: StageId::Plan,
                round: Round::FIRST,
                exit: 1,
                why: Some(key.clone()),
                duration_ms: 1,
            },
        ];
        for event in events {
            let text = serde_json::to_string(&event.masked()).unwrap();
            assert!(text.contains("[redacted:anthropic-key]") && !text.contains(&key), "{text}");
        }
    }
}
