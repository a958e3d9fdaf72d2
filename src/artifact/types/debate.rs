//! `messages/<stage>.jsonl` and `escalation/<stage>.json`: what was said in a debate, and what a person needs where it ended
//! without agreement.
//!
//! Must never hold a claim whose evidence was not resolved against the tree.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::plan::{Risk, RiskLevel};
use crate::artifact::digest::Digest;
use crate::artifact::envelope::Artifact;
use crate::artifact::kind::ArtifactKind;
use crate::artifact::path::RepoPath;

/// One message of a debate; a line of `messages/<stage>.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// The turn, from 1.
    pub turn: u32,
    /// Who speaks, as `architect`.
    pub role: String,
    /// What kind of message it is.
    pub kind: MessageKind,
    /// The model that wrote it, as `anthropic/claude-sonnet-5-5`; absent: code did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The exchange it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange: Option<Digest>,
    /// What it is about: the digest of the proposal it makes or answers.
    pub subject: Digest,
    /// One paragraph.
    pub summary: String,
    /// What is claimed; only claims with resolved evidence can block.
    pub claims: Vec<Claim>,
    /// What may go wrong.
    pub risks: Vec<DebateRisk>,
    /// How the risks of the critique before were answered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<RiskAnswer>,
    /// How many citations did not resolve and were dropped.
    pub dropped_citations: u32,
    /// What the speaker was not shown, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
}

/// How a risk was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RiskAnswer {
    /// The risk, by its id in the critique.
    pub risk: String,
    /// What was done about it.
    pub outcome: RiskOutcome,
    /// How, or why not.
    pub why: String,
}

/// What was done about a risk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RiskOutcome {
    /// The submission mends it, as its author says.
    Fixed,
    /// The author holds that it is none.
    Rejected,
}

/// Something a prompt had no room for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// What, as `src/app.py`.
    pub what: String,
    /// Why, and how much of it.
    pub why: String,
}

/// The kinds of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MessageKind {
    /// A plan or an approach.
    Propose,
    /// An answer to a proposal.
    Critique,
    /// Edits.
    Implement,
    /// What code found out.
    Verify,
}

/// One claim with its evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// A short id, unique in the message.
    pub id: String,
    /// What is claimed.
    pub text: String,
    /// What supports it, resolved.
    pub evidence: Vec<Evidence>,
}

/// Evidence that was resolved by code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "kind", deny_unknown_fields)]
pub enum Evidence {
    /// Lines of a file, `path@blob:first-last`.
    Lines {
        /// The file.
        path: RepoPath,
        /// The digest of its content.
        blob: Digest,
        /// The first line, from 1.
        first: u32,
        /// The last line.
        last: u32,
    },
    /// A test of the test set.
    Test {
        /// Its id: `path::name`.
        id: String,
    },
    /// The result of a command in a verification report.
    Command {
        /// The words, as they stand in the report.
        command: String,
        /// How it ended, as it stands in the report.
        result: String,
    },
}

/// A risk a role sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DebateRisk {
    /// A short id, unique in the message.
    pub id: String,
    /// How bad.
    pub severity: RiskLevel,
    /// The kind of fault in a few words, as `unchecked-division`: the same fault has the same name each time.
    pub rule: String,
    /// Why.
    pub why: String,
    /// What exactly would mend it.
    pub fix: String,
    /// What supports it, resolved; a high risk without any cannot block.
    pub evidence: Vec<Evidence>,
}

/// What a person needs where a debate ended without agreement: the rationale bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Escalation {
    /// The exit rule that ended the debate, as `repetition`.
    pub reason: String,
    /// What happened, one paragraph.
    pub summary: String,
    /// The last proposal as a patch; empty where there are no edits.
    pub diff: String,
    /// The claims still open.
    pub claims: Vec<Claim>,
    /// The risks still open.
    pub risks: Vec<DebateRisk>,
    /// What the plan named as risks.
    pub planned_risks: Vec<Risk>,
    /// How to undo the change.
    pub rollback: String,
}

impl Artifact for Escalation {
    const KIND: ArtifactKind = ArtifactKind::Escalation;
}
