//! Commands in comments, from the first word to the answer: who may, which run is meant, what is done, what is replied.
//!
//! Must never do anything for somebody the forge does not let, answer a program, or repeat a word of a comment.

pub mod act;
pub mod find;
pub mod reply;

use crate::artifact::types::event::{AccountKind, Event, Intent};
use crate::config::{Config, Intake};
use crate::diagnostic::{Class, Failure as _};
use crate::ports::forge::ForgeRead;
use crate::stage::StageError;
use crate::stage::intake;

/// What an event comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It asks for something, and whoever asked may.
    Go(Intent),
    /// It asks for something that cannot be, and is told why.
    Teach {
        /// What is told; our own words.
        text: String,
        /// Whether the same is told to the same account once in a discussion, however often it asks.
        once: bool,
    },
    /// It asks for nothing.
    Nothing {
        /// Why.
        why: String,
    },
}

impl Heard {
    /// Returns the word that tells a workflow which job is next.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Go(intent) => intent.as_str(),
            Self::Teach { .. } => "teach",
            Self::Nothing { .. } => "nothing",
        }
    }

    /// Returns the exit code that goes with it.
    pub const fn exit(&self) -> u8 {
        match self {
            Self::Go(_) => 0,
            Self::Teach { .. } => Class::Denied.exit_code(),
            Self::Nothing { .. } => Class::Nothing.exit_code(),
        }
    }
}

/// Hears an event out; the forge is asked who may.
///
/// A program is never answered: two that answer each other never end.
pub fn hear(event: &Event, hub: Option<&dyn ForgeRead>, config: &Config) -> Result<Heard, StageError> {
    if let Intent::Nothing { why } = &event.intent {
        return Ok(Heard::Nothing { why: why.clone() });
    }
    let rights = match event.intent {
        // Approvals have a permission of their own, and no program gives one.
        Intent::Approve { .. } => {
            Intake { allow: config.approve.allow, bots: Vec::new(), ..config.intake.clone() }
        }
        _ => config.intake.clone(),
    };
    let person = event.actor.as_ref().is_none_or(|actor| actor.kind == AccountKind::Person);
    match intake::admitted(event, hub, &rights) {
        Ok(_) => Ok(match &event.intent {
            Intent::Unknown { reply } => Heard::Teach { text: reply.clone(), once: false },
            intent => Heard::Go(intent.clone()),
        }),
        Err(error) if error.class() == Class::Denied && person && hub.is_some() => {
            Ok(Heard::Teach { text: told(&error), once: true })
        }
        Err(error) if error.class() == Class::Denied && hub.is_some() => {
            Ok(Heard::Nothing { why: error.to_string() })
        }
        Err(error) => Err(error),
    }
}

fn told(error: &StageError) -> String {
    let mut text = sentence(&error.to_string());
    if let Some(help) = error.help() {
        text.push_str("\n\n");
        text.push_str(&help);
    }
    text
}

/// Returns a fragment of an error as a sentence.
fn sentence(fragment: &str) -> String {
    let mut letters = fragment.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}
