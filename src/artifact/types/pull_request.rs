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
    /// True when a person has to approve first.
    pub draft: bool,
    /// The digests the change is bound to.
    pub provenance: Provenance,
    /// The pull request on its forge; absent for a branch without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hosted: Option<Hosted>,
}

/// A pull request on its forge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hosted {
    /// The repository, `owner/name`.
    pub repository: String,
    /// The number; absent where there is none, because of a conflict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// Where people read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What was done about it.
    pub outcome: Outcome,
    /// Why, where a person has to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The last commit of the branch; another than ours where a person added commits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<CommitId>,
    /// Whether the forge vouches for the signatures of all our commits.
    pub signed: bool,
    /// Whether CI starts by itself.
    pub ci: CiStart,
    /// What was asked besides and did not work.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

/// What was done about a pull request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It was opened.
    Created,
    /// Its commits, title, text or state were changed.
    Updated,
    /// It was as it has to be.
    Unchanged,
    /// What an earlier run had left half done was finished.
    Repaired,
    /// A person had closed it, and it stays closed.
    Declined,
    /// The branch holds commits that are not ours and do not go with this change.
    Conflict,
}

/// Whether CI starts by itself on a pull request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CiStart {
    /// It does.
    ByItself,
    /// A person with write access has to press "Approve workflows to run".
    AfterApproval,
    /// Not known for this kind of token.
    Unknown,
}

/// Something that was asked besides and did not work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Warning {
    /// What happened, on what.
    pub what: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Whether another run tries it again.
    pub again: bool,
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
