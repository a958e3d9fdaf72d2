//! The config of upgrades: what a candidate has to hold to before it becomes the default.
//!
//! Must never depend on the machine, as every valid config.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::raw::RawUpgrade;

/// What an upgrade has to hold to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Upgrade {
    /// The least runs that are compared.
    pub runs: u32,
    /// The most runs that may end worse.
    pub worse: u32,
    /// The most runs whose tests may pass no more.
    pub tests: u32,
    /// The most runs more that may end without a change.
    pub refusals: u32,
    /// The most it may cost more, all runs together, in percent.
    pub cost_percent: u32,
    /// The most recorded decisions that other rules may make looser.
    pub looser: u32,
    /// The most recorded decisions that other rules may make stricter.
    pub stricter: u32,
}

impl Default for Upgrade {
    fn default() -> Self {
        Self { runs: 10, worse: 0, tests: 0, refusals: 0, cost_percent: 10, looser: 0, stricter: 0 }
    }
}

impl Upgrade {
    /// Returns what is written, with the defaults.
    pub(super) fn of(raw: &RawUpgrade) -> Self {
        let default = Self::default();
        Self {
            runs: raw.runs.unwrap_or(default.runs),
            worse: raw.worse.unwrap_or(default.worse),
            tests: raw.tests.unwrap_or(default.tests),
            refusals: raw.refusals.unwrap_or(default.refusals),
            cost_percent: raw.cost_percent.unwrap_or(default.cost_percent),
            looser: raw.looser.unwrap_or(default.looser),
            stricter: raw.stricter.unwrap_or(default.stricter),
        }
    }
}
