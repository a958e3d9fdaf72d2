//! `policy/verdict.json`: what policy decided, and why.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::artifact::digest::Digest;
use crate::artifact::envelope::Artifact;
use crate::artifact::kind::ArtifactKind;

/// What policy decided, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// The decision: the strictest effect of any finding.
    pub decision: Decision,
    /// Everything found, strictest first, then by path, line and code.
    pub findings: Vec<Finding>,
    /// The digest over all rules and data that judged.
    pub bundle: Digest,
    /// The digest of `policy/input.json`'s document.
    pub input: Digest,
    /// The rules that ran, by code.
    pub rules: Vec<String>,
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
