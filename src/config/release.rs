//! The config of releases: what each environment asks for, and where what is known of a release comes from.
//!
//! Must never depend on the machine, as every valid config, and must never name a credential.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::artifact::id::Slug;
use crate::artifact::types::release::Terms;

use super::valid::Pack;

/// What releases need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// More controls: packs of the released commit, and bundles of an organisation.
    pub packs: Vec<Pack>,
    /// The file of the released commit with waivers of controls, below the repository root.
    pub waivers: String,
    /// Times without releases, by name.
    pub freezes: BTreeMap<Slug, Freeze>,
    /// More of them: iCalendar or JSON files that an earlier step made, or that are committed.
    pub calendars: Vec<String>,
    /// The address of the Prometheus server that queries go to; empty: none.
    pub prometheus: String,
    /// Files with public keys that statements of runs may be signed with.
    pub keys: Vec<String>,
    /// What each environment asks for, by name.
    pub environments: BTreeMap<Slug, ReleaseEnvironment>,
}

/// A time without releases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Freeze {
    /// From when, RFC 3339.
    pub from: String,
    /// Until when, not included.
    pub to: String,
    /// The environments it is for; empty: all.
    pub environments: Vec<Slug>,
    /// Why.
    pub reason: String,
}

/// What an environment asks for, and where what is known comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseEnvironment {
    /// What it asks for.
    pub terms: Terms,
    /// The file with the digests of what was tested; empty: none.
    pub tested: String,
    /// Files with measures and the error budget.
    pub measures: Vec<String>,
    /// Queries for measures of canary and last good release, by name.
    pub canary: BTreeMap<String, CanaryQueries>,
    /// Queries for objectives of the service, by name.
    pub slo: BTreeMap<String, Query>,
    /// The query for what is left of the error budget, and the days of its window.
    pub error_budget: BudgetQuery,
    /// The file with measures before and after; empty: none.
    pub deltas: String,
    /// The file with rehearsals of the rollback; empty: none.
    pub rehearsals: String,
    /// The file with the list of components; empty: none.
    pub sbom: String,
}

impl Default for ReleaseEnvironment {
    fn default() -> Self {
        Self {
            terms: Terms::default(),
            tested: String::new(),
            measures: Vec::new(),
            canary: BTreeMap::new(),
            slo: BTreeMap::new(),
            error_budget: BudgetQuery { query: String::new(), window_days: 30 },
            deltas: String::new(),
            rehearsals: String::new(),
            sbom: String::new(),
        }
    }
}

/// How canary and last good release are measured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CanaryQueries {
    /// Of the canary.
    pub canary: Query,
    /// Of the last good release.
    pub last_good: Query,
}

/// A query, with the query for how many samples are behind its answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// For the value; empty: it comes from a file.
    pub value: String,
    /// For the number of samples; empty: the points of the range are counted.
    pub samples: String,
    /// For the number of samples that are events, of a ratio; empty: it is not one.
    pub events: String,
    /// How many minutes back; 0: the value at this moment.
    pub minutes: u64,
    /// What becomes of the points of a range.
    pub statistic: Statistic,
}

/// What becomes of the points of a range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Statistic {
    /// Their mean.
    #[default]
    Mean,
    /// The one in the middle.
    Median,
    /// The largest.
    Max,
    /// The smallest.
    Min,
    /// The newest.
    Last,
}

impl Statistic {
    /// Returns the word of the config.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Median => "median",
            Self::Max => "max",
            Self::Min => "min",
            Self::Last => "last",
        }
    }
}

/// How what is left of the error budget is measured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BudgetQuery {
    /// The query; empty: it comes from a file.
    pub query: String,
    /// The days of its window.
    pub window_days: u64,
}

impl Default for Release {
    fn default() -> Self {
        Self {
            packs: Vec::new(),
            waivers: ".orch/release-waivers.yml".into(),
            freezes: BTreeMap::new(),
            calendars: Vec::new(),
            prometheus: String::new(),
            keys: Vec::new(),
            environments: BTreeMap::new(),
        }
    }
}
