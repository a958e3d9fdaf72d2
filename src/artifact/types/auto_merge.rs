//! `auto-merge.json`: whether a pull request was let merge by itself, at which head, and why not.
//!
//! Must never say that something merges which was not both judged and reviewed at that very head.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::artifact::digest::Digest;
use crate::artifact::envelope::Artifact;
use crate::artifact::id::CommitId;
use crate::artifact::kind::ArtifactKind;

/// Whether a pull request was let merge by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AutoMerge {
    /// The number of the pull request.
    pub number: u64,
    /// The only head that may be merged.
    pub head: CommitId,
    /// What came of it.
    pub outcome: MergeOutcome,
    /// How it merges: merge, squash or rebase; absent where it is off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Why it does not, and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// `policy/verdict.json`.
    pub verdict: Digest,
    /// `review.json`.
    pub review: Digest,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MergeOutcome {
    /// The config does not ask for it.
    Off,
    /// It merges by itself once everything the forge requires is there.
    Armed,
    /// Nothing was missing, so it is merged.
    Merged,
    /// The repository or its rules do not let it.
    Declined,
}

impl Artifact for AutoMerge {
    const KIND: ArtifactKind = ArtifactKind::AutoMerge;
}
