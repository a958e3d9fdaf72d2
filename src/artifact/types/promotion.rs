//! `release/promotion.json`: what was done on the forge because a release gate said promote.
//!
//! Must never call something done that was not seen afterwards.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pull_request::{Outcome, Warning};
use super::release::ReleaseSubject;
use crate::artifact::digest::Digest;
use crate::artifact::envelope::Artifact;
use crate::artifact::id::{CommitId, Slug};
use crate::artifact::kind::ArtifactKind;

/// What was done because a release gate said promote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Promotion {
    /// The repository, `owner/name`.
    pub repository: String,
    /// What went out: the very commit and digests that were judged.
    pub subject: ReleaseSubject,
    /// Where to.
    pub environment: Slug,
    /// The environment whose record names the same digests; absent: none was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Slug>,
    /// `release/decision.json`.
    pub decision: Digest,
    /// `release/evidence.json`.
    pub evidence: Digest,
    /// What was done, in order.
    pub acts: Vec<Act>,
    /// What a person has to know, besides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

/// One thing that was done on the forge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Act {
    /// What.
    pub kind: ActKind,
    /// How it went.
    pub outcome: Outcome,
    /// The commit it is about.
    pub commit: CommitId,
    /// Its number on the forge: of the deployment, the release, the pull request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// Its name: of the tag, the branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How it stands now, in the forge's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Where people read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Why, where a person has to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What can be done on a forge for a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ActKind {
    /// The pull request is merged, or let merge by itself.
    Merge,
    /// A tag at exactly the commit.
    Tag,
    /// A deployment whose payload names the digests, with its status.
    Deployment,
    /// A release of the tag.
    Release,
    /// The deployment that did harm is marked as failed.
    TakeBack,
    /// A pull request that puts the branch back.
    Revert,
}

impl ActKind {
    /// Returns the word of files, config and pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Tag => "tag",
            Self::Deployment => "deployment",
            Self::Release => "release",
            Self::TakeBack => "take-back",
            Self::Revert => "revert",
        }
    }
}

impl Act {
    /// Returns an act about a commit, with nothing more to tell.
    pub const fn new(kind: ActKind, outcome: Outcome, commit: CommitId) -> Self {
        Self { kind, outcome, commit, number: None, name: None, state: None, url: None, why: None }
    }

    /// Returns the same with a reason.
    #[must_use]
    pub fn because(mut self, why: impl Into<String>) -> Self {
        self.why = Some(why.into());
        self
    }

    /// Tells whether a person has to act.
    pub const fn is_conflict(&self) -> bool {
        matches!(self.outcome, Outcome::Conflict)
    }
}

impl Artifact for Promotion {
    const KIND: ArtifactKind = ArtifactKind::Promotion;
}
