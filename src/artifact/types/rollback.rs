//! `release/rollback.json` and `release/rollback-command.json`: the way back from a release that did harm.
//!
//! Must never name a tree that was not compared with what it is said to be.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::promotion::Act;
use super::pull_request::Warning;
use super::release::{LastGood, ReleaseSubject};
use super::verification::Ended;
use crate::artifact::digest::Digest;
use crate::artifact::envelope::Artifact;
use crate::artifact::id::{CommitId, Slug, TreeId};
use crate::artifact::kind::ArtifactKind;

/// What was done because a release gate said rollback.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rollback {
    /// The repository, `owner/name`.
    pub repository: String,
    /// What did harm.
    pub subject: ReleaseSubject,
    /// Where.
    pub environment: Slug,
    /// What it goes back to.
    pub last_good: LastGood,
    /// `release/decision.json`.
    pub decision: Digest,
    /// `release/evidence.json`.
    pub evidence: Digest,
    /// What was done, in order.
    pub acts: Vec<Act>,
    /// The change that was proposed to put the branch back; absent: none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revert: Option<Revert>,
    /// The request of the run that puts the branch back, word for word; absent: no run does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// The repository's own commands to go back; they are code of the repository, so a job without a token runs them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<RollbackCommand>,
    /// What a person has to know, besides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

/// The change that puts a branch back, made from trees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Revert {
    /// The branch it is for.
    pub target: String,
    /// Where that branch was.
    pub base: CommitId,
    /// The branch with the change.
    pub branch: String,
    /// The commit with the change.
    pub commit: CommitId,
    /// Its tree: read back and compared, entry by entry.
    pub tree: TreeId,
    /// Whether that is exactly the tree of the last good release.
    pub exact: bool,
    /// What changes against the base, by path.
    pub files: Vec<Reverted>,
    /// Paths that later commits changed again: the inverse change alone cannot be made, so the whole last good tree is proposed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<String>,
    /// Commits after the harmful one that the proposal takes back with it, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<CommitId>,
}

/// A path that is put back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reverted {
    /// The path.
    pub path: String,
    /// What is there on the branch; absent: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<GitEntry>,
    /// What is there afterwards; absent: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<GitEntry>,
}

/// An entry of a tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GitEntry {
    /// The mode, as `100644`.
    pub mode: String,
    /// The object.
    pub object: CommitId,
}

/// Commands of the repository, and what they are run on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RollbackCommand {
    /// The words of each, in order; no shell reads them.
    pub commands: Vec<Vec<String>>,
    /// The commit whose files they run in: the last good one, never the one that did harm.
    pub commit: CommitId,
    /// The tree of that commit.
    pub tree: TreeId,
}

/// How the repository's own commands to go back ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RollbackRun {
    /// What was run.
    pub command: RollbackCommand,
    /// `release/rollback.json`.
    pub rollback: Digest,
    /// How each ended that was run: the first that fails is the last.
    pub ended: Vec<Ended>,
    /// What the sandbox did not allow.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub violations: Vec<String>,
}

impl Artifact for Rollback {
    const KIND: ArtifactKind = ArtifactKind::Rollback;
}

impl Artifact for RollbackRun {
    const KIND: ArtifactKind = ArtifactKind::RollbackRun;
}
