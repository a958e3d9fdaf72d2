//! `pr.json`: the branch, its commits and the pull request.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::artifact::digest::Digest;
use crate::artifact::envelope::Artifact;
use crate::artifact::id::{CommitId, TreeId};
use crate::artifact::kind::ArtifactKind;

/// The branch, its commits and the pull request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PullRequest {
    /// The forge, as `local`.
    pub forge: String,
    /// The branch with the change.
    pub branch: String,
    /// The branch it is to be merged into; absent when the base was a detached HEAD.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The commits, oldest first: tests, then the change.
    pub commits: Vec<CommitRef>,
    /// The remote the branch was pushed to; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,
    /// The title.
    pub title: String,
    /// The digest of `pr.md`.
    pub body: Digest,
    /// The number of the pull request; absent where there is only a branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// True when a person has to approve first.
    pub draft: bool,
    /// The digests the change is bound to.
    pub provenance: Provenance,
}

/// One commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommitRef {
    /// The commit.
    pub id: CommitId,
    /// Its tree.
    pub tree: TreeId,
    /// The first line of its message.
    pub subject: String,
}

/// The digests a pull request is bound to; the same as in the commit trailers and the footer of `pr.md`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// `task.json`.
    pub task: Digest,
    /// `tests.json`.
    pub tests: Digest,
    /// The last `edits.json`.
    pub edits: Digest,
    /// The last `build-test/report.json`.
    pub report: Digest,
    /// `policy/verdict.json`.
    pub verdict: Digest,
}

impl Artifact for PullRequest {
    const KIND: ArtifactKind = ArtifactKind::PullRequest;
}
