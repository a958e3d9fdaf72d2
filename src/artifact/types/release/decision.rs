//! `release/decision.json`: what follows from the evidence, control by control.
//!
//! Must never be more lenient than its strictest control.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::facts::LastGood;
use super::request::ReleaseSubject;
use crate::artifact::digest::Digest;
use crate::artifact::envelope::Artifact;
use crate::artifact::id::Slug;
use crate::artifact::kind::ArtifactKind;

/// What follows from the evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseDecision {
    /// The decision.
    pub outcome: ReleaseOutcome,
    /// What was judged.
    pub subject: ReleaseSubject,
    /// Where it was to go.
    pub environment: Slug,
    /// When the evidence was collected, RFC 3339: the judge's clock.
    pub at: String,
    /// What to go back to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_good: Option<LastGood>,
    /// Every control that was asked for, strictest first, then by name.
    pub controls: Vec<Control>,
    /// Controls that the environment does not ask for.
    pub not_asked: Vec<NotAsked>,
    /// The digest of the evidence's body.
    pub evidence: Digest,
    /// The digest over all rules that judged.
    pub rules: Digest,
}

/// A decision about a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReleaseOutcome {
    /// It may go out.
    Promote,
    /// Not now: something is missing or has to be waited for.
    Hold,
    /// It is out and does harm: back to the last good release.
    Rollback,
    /// It may not go out.
    Deny,
}

impl ReleaseOutcome {
    /// Every one.
    pub const ALL: &'static [Self] = &[Self::Promote, Self::Hold, Self::Rollback, Self::Deny];

    /// Returns the word of files and pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Promote => "promote",
            Self::Hold => "hold",
            Self::Rollback => "rollback",
            Self::Deny => "deny",
        }
    }
}

/// One control.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// Its stable code, as `release/checks`; `orch explain CODE` tells more.
    pub control: String,
    /// Whether there was something to judge.
    pub state: ControlState,
    /// What it says.
    pub outcome: ControlOutcome,
    /// Why, one line.
    pub reason: String,
    /// What to do next.
    pub help: String,
}

/// Whether there was something to judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ControlState {
    /// There was.
    Measured,
    /// There was not, or too little.
    Missing,
    /// A person answers for it, for a time.
    Waived,
}

impl ControlState {
    /// Returns the word of files and pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Missing => "missing",
            Self::Waived => "waived",
        }
    }
}

/// What a control says, strictest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ControlOutcome {
    /// Nothing speaks against the release.
    Pass,
    /// The numbers do not decide; counts as hold.
    Inconclusive,
    /// Not now.
    Hold,
    /// What is out does harm.
    Rollback,
    /// Never as it is.
    Deny,
}

impl ControlOutcome {
    /// Returns the word of files and pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Inconclusive => "inconclusive",
            Self::Hold => "hold",
            Self::Rollback => "rollback",
            Self::Deny => "deny",
        }
    }
}

/// A control that the environment does not ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NotAsked {
    /// Its code.
    pub control: String,
    /// Why, to be read after "not asked:".
    pub why: String,
}

impl Artifact for ReleaseDecision {
    const KIND: ArtifactKind = ArtifactKind::ReleaseDecision;
}
