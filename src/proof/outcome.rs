//! What a check can say: it held, it failed, or it was not measured.
//!
//! Must never make one of the three out of another: what was not measured is neither held nor failed.

use serde::Serialize;

use crate::attest::opened::Lacking;
use crate::diagnostic::Class;

/// What a check says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "outcome")]
pub enum Outcome {
    /// It is so.
    Held {
        /// What was seen.
        what: String,
    },
    /// It is not so.
    Failed {
        /// Every reason, the first one first.
        problems: Vec<String>,
    },
    /// It was not looked at.
    NotMeasured {
        /// Why.
        why: String,
        /// True when the change cannot be called proven without it.
        needed: bool,
    },
}

/// A check with what it said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// The name of the check.
    pub name: &'static str,
    /// What it shows when it holds.
    pub shows: &'static str,
    /// What it said.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What all checks come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Overall {
    /// Everything that is needed held.
    Held,
    /// Something failed.
    Failed,
    /// Nothing failed, and something that is needed was not measured.
    NotMeasured,
}

impl Outcome {
    /// It is so.
    pub fn held(what: impl Into<String>) -> Self {
        Self::Held { what: what.into() }
    }

    /// It is not so, for one reason.
    pub fn failed(problem: impl Into<String>) -> Self {
        Self::Failed { problems: vec![problem.into()] }
    }

    /// It was not looked at, and the change is not proven without it.
    pub fn needed(why: impl Into<String>) -> Self {
        Self::NotMeasured { why: why.into(), needed: true }
    }

    /// It was not looked at, and there is no need to.
    pub fn not_measured(why: impl Into<String>) -> Self {
        Self::NotMeasured { why: why.into(), needed: false }
    }

    /// Held where there is no problem.
    pub fn of(problems: Vec<String>, what: impl FnOnce() -> String) -> Self {
        if problems.is_empty() { Self::held(what()) } else { Self::Failed { problems } }
    }
}

/// A file that was not kept leaves a check open and no more: what a kept run shows rests on its signature.
impl From<Lacking> for Outcome {
    fn from(lacking: Lacking) -> Self {
        match lacking {
            Lacking::Wrong(why) => Self::failed(why),
            Lacking::Unwritten(why) => Self::needed(why),
            Lacking::NotKept(why) => Self::not_measured(why),
        }
    }
}

impl Overall {
    /// Adds the checks up.
    pub fn of(checks: &[Checked]) -> Self {
        let any = |wanted: fn(&Outcome) -> bool| checks.iter().any(|check| wanted(&check.outcome));
        if any(|o| matches!(o, Outcome::Failed { .. })) {
            Self::Failed
        } else if any(|o| matches!(o, Outcome::NotMeasured { needed: true, .. })) {
            Self::NotMeasured
        } else {
            Self::Held
        }
    }

    /// Returns the documented exit code.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Held => 0,
            Self::Failed => Class::Denied.exit_code(),
            Self::NotMeasured => Class::Usage.exit_code(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_outweighs_and_what_is_needed_is_never_a_pass() {
        let of = |outcomes: &[Outcome]| {
            let checks: Vec<Checked> = outcomes
                .iter()
                .map(|outcome| Checked { name: "x", shows: "y", outcome: outcome.clone() })
                .collect();
            Overall::of(&checks)
        };
        let (held, failed) = (Outcome::held("x"), Outcome::failed("x"));
        let (needed, open) = (Outcome::needed("x"), Outcome::not_measured("x"));
        assert_eq!(of(&[held.clone(), open.clone()]), Overall::Held);
        assert_eq!(of(&[held.clone(), needed.clone()]), Overall::NotMeasured);
        assert_eq!(of(&[needed, failed, open, held]), Overall::Failed);
        let codes = [Overall::Held, Overall::Failed, Overall::NotMeasured].map(Overall::exit_code);
        assert_eq!(codes, [0, 3, 2]);
    }
}
