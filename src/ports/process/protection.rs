//! Whether a protection is enough, and how a measure is put.
//!
//! Must never let a command run with less than its settings ask for.

use super::{Network, ProcessError, Sandbox};
use crate::artifact::types::verification::{Measure, MeasureState, Protection};

/// Returns the protection, or what is missing when the settings ask for more.
pub(super) fn accept(protection: Protection, sandbox: &Sandbox) -> Result<Protection, ProcessError> {
    let asked = |name: &str| match name {
        "filesystem" | "privileges" => true,
        "network" => sandbox.network == Network::Off,
        _ => false,
    };
    let missing: Vec<String> = protection
        .measures()
        .into_iter()
        .filter(|(name, measure)| sandbox.required && asked(name) && measure.state == MeasureState::Absent)
        .map(|(name, measure)| format!("{name} ({})", measure.by))
        .collect();
    if missing.is_empty() {
        Ok(protection)
    } else {
        Err(ProcessError::Unprotected { missing: missing.join(", ") })
    }
}

/// Returns a measure in force with the gap it names.
pub(super) fn partial(by: impl Into<String>) -> Measure {
    Measure { state: MeasureState::Partial, by: by.into() }
}

/// Returns a measure that is not in force.
pub(super) fn absent(by: impl Into<String>) -> Measure {
    Measure { state: MeasureState::Absent, by: by.into() }
}
