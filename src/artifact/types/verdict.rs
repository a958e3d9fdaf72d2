//! `policy/verdict.json`: what policy decided, and why.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::artifact::digest::Digest;
use crate::artifact::envelope::Artifact;
use crate::artifact::kind::ArtifactKind;
use crate::artifact::types::policy_input::Subject;

/// What policy decided, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// What was judged.
    pub subject: Subject,
    /// The decision: the strictest effect of any finding.
    pub decision: Decision,
    /// Everything found, strictest first, then by path, line and code.
    pub findings: Vec<Finding>,
    /// What was found and does not count, for a stated reason, sorted like the findings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set_aside: Vec<SetAside>,
    /// The digest over all rules and data that judged.
    pub bundle: Digest,
    /// The digest of `policy/input.json`'s document.
    pub input: Digest,
    /// The rules that ran, by code.
    pub rules: Vec<String>,
    /// The rules that were not asked, by code.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<SkippedRule>,
}

/// A rule that was not asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SkippedRule {
    /// Its code.
    pub code: String,
    /// Why, to be read after "not asked:".
    pub why: String,
}

/// A finding that does not count, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetAside {
    /// The finding, with the effect it would have.
    pub finding: Finding,
    /// What sets it aside.
    pub by: AsideBy,
    /// The reason a person gave, or what the rule says.
    pub reason: String,
    /// The last day it holds, `2026-12-31`; absent where it has no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// What sets a finding aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AsideBy {
    /// A waiver in the repository.
    Waiver,
    /// The baseline of findings that were there before.
    Baseline,
    /// The rule is on trial: it is shown and does not count.
    Shadow,
    /// The rule counts from a later day on.
    NotYet,
}

/// A policy decision, strictest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// The change may go on.
    Allow,
    /// A person has to approve.
    NeedsApproval,
    /// The change may not go on.
    Deny,
}

/// One thing found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// The stable code of the rule, as `paths/protected`; `orch explain CODE` tells more.
    pub code: String,
    /// What it does to the decision.
    pub effect: Effect,
    /// How bad it is, whatever it does to the decision.
    pub severity: Severity,
    /// What was found, on what.
    pub message: String,
    /// What to do next.
    pub help: String,
    /// The file, if there is one; as text, since it may be a path that was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The column in bytes, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// The last line, where it is more than one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_line: Option<u32>,
    /// The column after the last byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_column: Option<u32>,
    /// The line as it is, with everything secret masked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// The same for the same thing when lines move; another when what was found is another.
    pub fingerprint: String,
}

impl Finding {
    /// Returns a finding without a place.
    pub fn new(
        code: impl Into<String>,
        effect: Effect,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        let severity = match effect {
            Effect::Deny => Severity::High,
            Effect::RequireApproval => Severity::Medium,
            Effect::Warn => Severity::Low,
        };
        Self {
            code: code.into(),
            effect,
            severity,
            message: message.into(),
            help: help.into(),
            path: None,
            line: None,
            column: None,
            end_line: None,
            end_column: None,
            evidence: None,
            fingerprint: String::new(),
        }
    }
}

/// How bad a finding is, worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing.
    Low,
    /// Worth mending soon.
    Medium,
    /// Harms somebody.
    High,
    /// Harms now.
    Critical,
}

impl Severity {
    /// Returns the name used in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// What a finding does to the decision, strictest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// It is shown, nothing more.
    Warn,
    /// A person has to approve.
    RequireApproval,
    /// The change may not go on.
    Deny,
}

impl Effect {
    /// Returns the decision this effect asks for by itself.
    pub const fn decision(self) -> Decision {
        match self {
            Self::Warn => Decision::Allow,
            Self::RequireApproval => Decision::NeedsApproval,
            Self::Deny => Decision::Deny,
        }
    }
}

impl Artifact for Verdict {
    const KIND: ArtifactKind = ArtifactKind::Verdict;
}
