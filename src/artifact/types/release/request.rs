//! What a release gate is asked about: a commit, on its way to an environment.
//!
//! Must never say anything of the commit that somebody did not look up.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::facts::ArtifactDigest;
use crate::artifact::id::{CommitId, RunId, Slug, TreeId};

/// What is to be released.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseSubject {
    /// The commit.
    pub commit: CommitId,
    /// Its tree; absent where nobody could look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree: Option<TreeId>,
    /// What is promoted, by digest, sorted by name.
    pub artifacts: Vec<ArtifactDigest>,
}

/// What somebody asks the gate: the text of the stage's request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseRequest {
    /// What is to be released.
    pub subject: ReleaseSubject,
    /// Where to.
    pub environment: Slug,
    /// The branch the commit has to be on.
    pub branch: String,
    /// The change runs behind it, where somebody names them; empty: those that the trailers of its commits name.
    pub runs: Vec<RunId>,
    /// The commit that is known to be good, where somebody names it; absent: what the forge says was deployed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_good: Option<CommitId>,
    /// Whether the environment runs the subject already: a canary, or a release that is looked at again.
    pub deployed: bool,
}
