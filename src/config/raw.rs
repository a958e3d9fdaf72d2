//! `orch.yml` exactly as it is parsed: every key optional, nothing filled in.
//!
//! Must never hold a default, and must never be used outside `config`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::artifact::types::release::Better;
use crate::diagnostic::Problem;

use super::acts::{PromotedState, Reverts};
use super::people::Permitted;
use super::release::Statistic;
use super::valid::{AutoMerge, EngineChoice, ForgeChoice, Level};
use super::walk;

macro_rules! raw {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty,)+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub(super) struct $name { $(
            #[serde(skip_serializing_if = "Option::is_none")]
            pub(super) $field: Option<$type>,
        )+ }
    )+};
}

raw! {
    /// The whole file.
    Raw {
        version: u64,
        service: String,
        engine: EngineChoice,
        models: RawModels,
        budget: RawBudget,
        commands: RawCommands,
        paths: RawPaths,
        verify: RawVerify,
        sandbox: RawSandbox,
        policy: RawPolicy,
        pr: RawPr,
        artifacts: RawArtifacts,
        templates: RawTemplates,
        intake: RawIntake,
        approve: RawApprove,
        review: RawReview,
        release: RawRelease,
        promote: RawPromote,
        rollback: RawGoBack,
        upgrade: RawUpgrade,
    }
    RawModels { file: String, notes: String, critics: Vec<String>, }
    RawBudget {
        max_cost_usd: String,
        max_tokens: u64,
        ttl_minutes: u64,
        allow_unknown_cost: bool,
        stages: RawStageBudgets,
    }
    RawStageLimits { max_cost_usd: String, max_tokens: u64, ttl_minutes: u64, }
    RawCommands { setup: Vec<RawCommand>, build: Vec<RawCommand>, lint: Vec<RawCommand>, test: Vec<RawCommand>, }
    RawPaths { allow: Vec<String>, protect: Vec<String>, deny: Vec<String>, }
    RawVerify { rounds: u32, flake_runs: u32, revert_probe: bool, }
    RawSandbox {
        required: bool,
        setup_network: bool,
        env: Vec<String>,
        read: Vec<String>,
        write: Vec<String>,
        limits: RawLimits,
    }
    RawLimits {
        seconds: u64,
        output_mb: u64,
        disk_mb: u64,
        file_mb: u64,
        memory_mb: u64,
        processes: u64,
        open_files: u64,
    }
    RawPolicy {
        packs: Vec<RawPack>,
        waivers: String,
        baseline: String,
        levels: BTreeMap<String, Level>,
        settings: BTreeMap<String, Value>,
    }
    RawPr {
        forge: ForgeChoice,
        branch: String,
        remote: String,
        push: bool,
        labels: Vec<String>,
        assignees: Vec<String>,
        reviewers: Vec<String>,
        check: bool,
        auto_merge: AutoMerge,
        sarif: bool,
        author: RawAuthor,
    }
    RawAuthor { name: String, email: String, }
    RawArtifacts { folder: String, }
    RawTemplates { folders: Vec<String>, }
    RawIntake {
        allow: Permitted,
        bots: Vec<String>,
        labels: Vec<String>,
        tenants: Vec<String>,
        scheduled: String,
    }
    RawPromote {
        acts: Vec<String>,
        state: PromotedState,
        from: String,
        url: String,
        tag: String,
        merge: AutoMerge,
        max_age_minutes: u64,
    }
    RawGoBack {
        revert: Reverts,
        commands: Vec<RawCommand>,
        network: bool,
        env: Vec<String>,
        max_age_minutes: u64,
    }
    RawApprove { allow: Permitted, ttl_hours: u64, environment: String, }
    RawReview {
        reviewers: Vec<String>,
        answers: u32,
        approvals: u32,
        checks: Vec<String>,
        wait_minutes: u64,
        rounds: u32,
    }
    RawRelease {
        packs: Vec<RawPack>,
        waivers: String,
        freezes: BTreeMap<String, RawFreeze>,
        calendars: Vec<String>,
        prometheus: String,
        keys: Vec<String>,
        environments: BTreeMap<String, RawReleaseEnvironment>,
    }
    RawFreeze { from: String, to: String, environments: Vec<String>, reason: String, }
    RawReleaseEnvironment {
        checks: Vec<String>,
        may_skip: Vec<String>,
        proven: bool,
        signed: bool,
        reviewed: bool,
        approvals: u32,
        approval_hours: u64,
        same_artifacts: bool,
        tested: String,
        soak: RawSoak,
        measures: Vec<String>,
        measures_minutes: u64,
        canary: BTreeMap<String, RawCanary>,
        slo: BTreeMap<String, RawSlo>,
        error_budget: RawErrorBudget,
        deltas: BTreeMap<String, RawDelta>,
        deltas_file: String,
        rollback: RawRollback,
        licences: RawLicences,
    }
    RawSoak { environment: String, minutes: u64, }
    RawCanary { better: Better, tolerance: String, min_samples: u64, canary: RawQuery, last_good: RawQuery, }
    RawQuery { value: String, samples: String, events: String, minutes: u64, statistic: Statistic, }
    RawSlo { better: Better, objective: String, min_samples: u64, query: RawQuery, }
    RawErrorBudget { min_remaining: String, query: String, window_days: u64, }
    RawDelta { better: Better, tolerance: String, }
    RawRollback { plan: String, rehearsed_days: u64, rehearsals: String, }
    RawLicences { deny: Vec<String>, unknown: bool, sbom: String, }
    RawUpgrade {
        runs: u32,
        worse: u32,
        tests: u32,
        refusals: u32,
        cost_percent: u32,
        looser: u32,
        stricter: u32,
    }
}

/// The budgets of single stages.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawStageBudgets {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) plan: Option<RawStageLimits>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) test_write: Option<RawStageLimits>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) generate: Option<RawStageLimits>,
}

/// A pack as written: a folder, or the words of a bundle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum RawPack {
    /// A folder of the repository.
    Folder(String),
    /// A bundle from elsewhere.
    Bundle(BTreeMap<String, String>),
}

/// A command as written: one text, or its words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum RawCommand {
    /// To be split as a shell would.
    Text(String),
    /// The words themselves.
    Words(Vec<String>),
}

/// Parses the text of a file.
pub(super) fn parse(text: &str) -> Result<Raw, Problem> {
    let value = walk::read(text)?;
    if value.is_null() {
        return Ok(Raw::default());
    }
    serde_json::from_value(value).map_err(|error| Problem::new(error.to_string(), None))
}
