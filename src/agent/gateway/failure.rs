//! How a call that gave no answer is told: what each provider said, and what to do.
//!
//! Must never show a whole reply or a credential: texts come from errors that are one short line.

use std::fmt::Write as _;

use crate::agent::{Ask, CallFailure};
use crate::diagnostic::text::plain;
use crate::diagnostic::{Class, Failure};
use crate::ports::model::CallError;

/// Why one candidate gave no answer.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    /// The candidate.
    pub(super) name: String,
    /// What it said.
    pub(super) what: String,
    /// What to do.
    pub(super) help: String,
    /// Who must act.
    pub(super) class: Class,
}

impl Trouble {
    /// `said` is the error as it stands in the record, without secrets.
    pub(super) fn of(name: String, error: &CallError, said: &str) -> Self {
        let help = error.help().unwrap_or_default();
        Self { name, what: said.to_owned(), help, class: error.class() }
    }
}

/// Wraps any failure below.
pub(super) fn from(error: &dyn Failure) -> CallFailure {
    let mut what = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let _ = write!(what, ": {cause}");
        next = cause.source();
    }
    CallFailure { class: error.class(), what, help: error.help().unwrap_or_default() }
}

/// A file of the record that is not what it was.
pub(super) fn broken(path: &str, why: &str) -> CallFailure {
    CallFailure {
        class: Class::Denied,
        what: format!("`{path}` {why}"),
        help: "Put the file back, or remove the run folder to start again.".into(),
    }
}

/// A fault of this program.
pub(super) fn fault(what: String) -> CallFailure {
    CallFailure { class: Class::Internal, what, help: "This is a fault of orch; please report it.".into() }
}

/// No candidate of a role answered.
///
/// Only money is missing: exhausted. Only credentials or settings: usage. As soon as one may work later: temporary.
pub(super) fn nobody(ask: &Ask, troubles: &[Trouble]) -> CallFailure {
    if troubles.is_empty() {
        return CallFailure {
            class: Class::Usage,
            what: format!("no model is usable for the role `{}` (step `{}`)", ask.role, ask.step),
            help: "Run `orch providers`: it tells what each model of the route needs.".into(),
        };
    }
    let has = |class| troubles.iter().any(|t| t.class == class);
    let class = [Class::Temporary, Class::Exhausted].into_iter().find(|class| has(*class));
    let class = class.unwrap_or(Class::Usage);
    let said: Vec<String> = troubles.iter().map(|t| format!("{}: {}", t.name, plain(&t.what))).collect();
    let mut help = String::new();
    for (at, trouble) in troubles.iter().enumerate() {
        if troubles[..at].iter().all(|before| before.help != trouble.help) {
            let _ = write!(help, "{}{}: {}", if at > 0 { " " } else { "" }, trouble.name, trouble.help);
        }
    }
    if class == Class::Usage {
        help.push_str(" `orch providers` tells which models are usable.");
    }
    CallFailure {
        class,
        what: format!("no model answered `{}` for `{}`: {}", ask.step, ask.role, said.join("; ")),
        help,
    }
}
