//! What an environment asks of a release; a part of the config, and kept in the evidence.
//!
//! Must never hold where a measure comes from: that is the collector's, and changes no decision.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::millionths::Millionths;
use crate::artifact::id::Slug;

/// What an environment asks of a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a question of its own, answered by yes or no in orch.yml"
)]
pub struct Terms {
    /// The checks that must be green at the commit.
    pub checks: Vec<RequiredCheck>,
    /// Whether every commit since the last good release must come from a run whose evidence holds.
    pub proven: bool,
    /// Whether the statement of each run must be signed by a key that is trusted.
    pub signed: bool,
    /// Whether the review gate of each run must have passed.
    pub reviewed: bool,
    /// How many people must have approved the head of each pull request.
    pub approvals: u32,
    /// How long an approval counts, in hours.
    pub approval_hours: u64,
    /// Whether the digests of what was tested must be those of what is promoted.
    pub same_artifacts: bool,
    /// Where the commit must have run before, and how long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soak: Option<SoakTerm>,
    /// Measures of the canary that are compared with the last good release, by name.
    pub canary: BTreeMap<String, CanaryTerm>,
    /// Objectives of the service, by name.
    pub slo: BTreeMap<String, SloTerm>,
    /// What must be left of the error budget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_budget: Option<BudgetTerm>,
    /// How old a measure may be, in minutes.
    pub measures_minutes: u64,
    /// What may change from the last good release to this one, by name, as `coverage` or `binary-size`.
    pub deltas: BTreeMap<String, DeltaTerm>,
    /// The plan to go back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback: Option<RollbackTerm>,
    /// What the list of components must say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licences: Option<LicenceTerm>,
}

/// A check that must be green.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequiredCheck {
    /// The app that has to make it: its short name, or its number.
    pub app: String,
    /// Its name.
    pub name: String,
    /// Whether skipped and neutral are taken for green.
    pub may_skip: bool,
}

/// Where a commit must have run before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SoakTerm {
    /// The environment.
    pub environment: Slug,
    /// For how many minutes.
    pub minutes: u64,
}

/// Which way a measure is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Better {
    /// As an error ratio, a latency.
    Lower,
    /// As a rate of success.
    Higher,
}

/// A measure of the canary that is compared with the last good release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CanaryTerm {
    /// Which way it is good.
    pub better: Better,
    /// How much worse it may be.
    pub tolerance: Millionths,
    /// So many samples must be behind each side.
    pub min_samples: u64,
}

/// An objective of the service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SloTerm {
    /// Which way the measure is good.
    pub better: Better,
    /// What it must reach.
    pub objective: Millionths,
    /// So many samples must be behind it.
    pub min_samples: u64,
}

/// What must be left of the error budget.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BudgetTerm {
    /// The part that must be left, from 0 to 1.
    pub min_remaining: Millionths,
}

/// What may change from the last good release to this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeltaTerm {
    /// Which way the measure is good.
    pub better: Better,
    /// How much worse it may become.
    pub tolerance: Millionths,
}

/// The plan to go back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RollbackTerm {
    /// The file of the released commit that holds the plan.
    pub plan: String,
    /// How many days ago it may have been rehearsed; 0: it need not have been.
    pub rehearsed_days: u64,
}

/// What the list of components must say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LicenceTerm {
    /// Licences that no component may have, as SPDX ids.
    pub deny: Vec<String>,
    /// Whether components without a known licence are let through.
    pub unknown: bool,
}

impl Default for Terms {
    /// What an environment asks that says nothing: proof, approval, a plan to go back; the checks it has to name itself.
    fn default() -> Self {
        Self {
            checks: Vec::new(),
            proven: true,
            signed: false,
            reviewed: true,
            approvals: 1,
            approval_hours: 720,
            same_artifacts: true,
            soak: None,
            canary: BTreeMap::new(),
            slo: BTreeMap::new(),
            error_budget: None,
            measures_minutes: 60,
            deltas: BTreeMap::new(),
            rollback: Some(RollbackTerm { plan: "ROLLBACK.md".into(), rehearsed_days: 90 }),
            licences: None,
        }
    }
}
