//! What an upgrade writes down: the proposal, the evaluation, the decision, and each switch.
//!
//! Each later document names the digest of the one it rests on. What was not measured is absent, never zero.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::artifact::digest::Digest;
use crate::artifact::id::{CommitId, RunId};
use crate::artifact::money::NanoUsd;
use crate::artifact::types::change_set::FileChange;
use crate::artifact::types::verdict::Decision as PolicyDecision;
use crate::config::Upgrade as Limits;

/// What is to become another.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Which models are asked, or at what price they are known.
    Model,
    /// What models are told: roles and prompts.
    Prompt,
    /// The rules that judge.
    Policy,
    /// A change template.
    Template,
}

impl Kind {
    /// Returns the word of files and pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Prompt => "prompt",
            Self::Policy => "policy",
            Self::Template => "template",
        }
    }
}

/// `upgrade/proposal.json`: what is to become the default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    /// The upgrade.
    pub id: RunId,
    /// What it changes.
    pub kind: Kind,
    /// Why, in the words of who proposed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The commit it was proposed on.
    pub base: CommitId,
    /// The files it changes, with the digest of what is there now and the whole content of then.
    pub files: Vec<FileChange>,
}

/// `upgrade/evaluation.json`: the candidate beside what is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    /// The upgrade.
    pub id: RunId,
    /// What it changes.
    pub kind: Kind,
    /// The digest of `upgrade/proposal.json`.
    pub proposal: Digest,
    /// What it may spend and spent; absent where no model can be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spend: Option<Spend>,
    /// Every run that was named, by its name.
    pub runs: Vec<Compared>,
    /// The sums.
    pub totals: Totals,
}

/// What an evaluation may spend and spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spend {
    /// The most all its runs may spend together: no call starts that could go over it.
    pub ceiling_nano_usd: NanoUsd,
    /// The most its runs can cost by listed prices; absent where a price is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worst_case_nano_usd: Option<NanoUsd>,
    /// What it spent.
    pub spent_nano_usd: NanoUsd,
}

/// One recorded run, and the same request with the candidate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Compared {
    /// The run.
    pub run: String,
    /// The digest of its manifests' seals: which state of it was compared.
    pub state: Digest,
    /// What was recorded; absent where it cannot be compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<Measured>,
    /// What the candidate came to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<Measured>,
    /// Why it was not compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_measured: Option<String>,
}

/// What a run came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// What policy decided; absent where the run ended before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<PolicyDecision>,
    /// Where it ended and why, where that was before policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    /// Whether nobody wrote a change: models refused, or did not agree.
    pub refused: bool,
    /// How many findings count, by code.
    pub findings: BTreeMap<String, u32>,
    /// Whether the green phase passed; absent: it did not run, or other rules alone were tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub green: Option<bool>,
    /// Acceptance tests that pass with the change.
    pub passing: u32,
    /// Rounds of generate and verify.
    pub rounds: u32,
    /// What it cost, where models were asked and the cost is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_nano_usd: Option<NanoUsd>,
    /// How many calls.
    pub calls: u64,
}

/// The sums of an evaluation; only runs that were compared count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    /// Runs that were compared.
    pub compared: u32,
    /// Runs that were not.
    pub not_measured: u32,
    /// Runs that end better.
    pub better: u32,
    /// Runs that end worse.
    pub worse: u32,
    /// Decisions that become looser.
    pub looser: u32,
    /// Decisions that become stricter.
    pub stricter: u32,
    /// Runs whose tests passed, and pass no more.
    pub tests_lost: u32,
    /// Runs whose tests pass now, and did not.
    pub tests_won: u32,
    /// Runs without a change, as recorded.
    pub refused_current: u32,
    /// Runs without a change with the candidate.
    pub refused_candidate: u32,
    /// What the recorded runs cost; absent: not known of one of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_current_nano_usd: Option<NanoUsd>,
    /// What they cost with the candidate; absent: not known of one of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_candidate_nano_usd: Option<NanoUsd>,
}

/// `upgrade/decision.json`: whether the candidate may become the default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpgradeDecision {
    /// The upgrade.
    pub id: RunId,
    /// What was decided.
    pub decision: Outcome,
    /// The digest of `upgrade/evaluation.json`.
    pub evaluation: Digest,
    /// The digest of the rules that decided.
    pub rules: Digest,
    /// The thresholds.
    pub limits: Limits,
    /// Every control, by name.
    pub controls: Vec<Control>,
}

/// What is decided about an upgrade, strictest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It may become the default.
    Promote,
    /// There is not enough to decide by.
    Hold,
    /// It may not.
    Refuse,
}

impl Outcome {
    /// Returns the word of files and pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Promote => "promote",
            Self::Hold => "hold",
            Self::Refuse => "refuse",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// Its name.
    pub name: String,
    /// What it says.
    pub outcome: ControlOutcome,
    /// Why, one line.
    pub why: String,
}

/// What a control says, strictest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ControlOutcome {
    /// It is as it must be.
    Held,
    /// It was not measured.
    NotMeasured,
    /// It is not as it must be.
    Failed,
}

/// `upgrade/switch-<n>.json`: files put in place, or put back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Switch {
    /// The upgrade.
    pub id: RunId,
    /// Which switch of it this is, from 1.
    pub number: u32,
    /// What was done.
    pub action: Action,
    /// The digest of `upgrade/decision.json` it rests on.
    pub decision: Digest,
    /// Who did it, as git knows them; absent: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When, RFC 3339 UTC.
    pub at: String,
    /// The files as they were written.
    pub files: Vec<FileChange>,
    /// What puts them back, byte for byte.
    pub undo: Vec<FileChange>,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// The candidate became the default.
    Promote,
    /// What was before became the default again.
    Rollback,
}
