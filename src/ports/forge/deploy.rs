//! Deployments, releases, tags and trees: what a forge tells of them, and what it is asked to write.
//!
//! Must never be trusted where it was read: payloads and texts in here were written by somebody, and a deployment that
//! says `success` says only that somebody with a token said so.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::types::Actor;
use crate::artifact::id::{CommitId, TreeId};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)+) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )+ };
}

ids! {
    /// The id of a deployment; newer ones have larger ids.
    DeploymentId
    /// The id of a release.
    ReleaseId
}

/// The state of a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeploymentState {
    /// It could not be found out.
    Error,
    /// Bad.
    Failure,
    /// Replaced by another, or taken back.
    Inactive,
    /// At work.
    InProgress,
    /// Waits for its turn.
    Queued,
    /// Waits for something else.
    Pending,
    /// Good.
    Success,
}

impl DeploymentState {
    /// Returns the word the forge uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Failure => "failure",
            Self::Inactive => "inactive",
            Self::InProgress => "in_progress",
            Self::Queued => "queued",
            Self::Pending => "pending",
            Self::Success => "success",
        }
    }
}

/// A deployment: the record that a commit is to be, or was, in an environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// Its id.
    pub id: DeploymentId,
    /// The commit.
    pub commit: CommitId,
    /// The ref as it was asked for; untrusted.
    pub reference: String,
    /// The environment.
    pub environment: String,
    /// What is done, as `deploy`.
    pub task: String,
    /// What its maker put with it, JSON or text; untrusted.
    pub payload: Value,
    /// What it says; untrusted.
    pub description: String,
    /// Who made it; absent for a deleted account.
    pub creator: Option<Actor>,
    /// When.
    pub created_at: Timestamp,
}

/// One status of a deployment; the newest counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentStatus {
    /// Its id.
    pub id: u64,
    /// The state; `None`: a word this program does not know.
    pub state: Option<DeploymentState>,
    /// What it says; untrusted.
    pub description: String,
    /// Where the environment is; untrusted.
    pub environment_url: Option<String>,
    /// Who set it; absent for a deleted account.
    pub creator: Option<Actor>,
    /// When.
    pub created_at: Timestamp,
}

/// A release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Its id.
    pub id: ReleaseId,
    /// Its tag; a draft's need not exist yet.
    pub tag: String,
    /// What the tag is made from where it does not exist; a branch or a commit.
    pub target: String,
    /// Its title; untrusted.
    pub name: String,
    /// Its text; untrusted.
    pub body: String,
    /// Whether only those who may write see it.
    pub draft: bool,
    /// Whether it is not for everybody.
    pub prerelease: bool,
    /// Where people read it.
    pub url: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was published; absent for a draft.
    pub published_at: Option<Timestamp>,
}

/// One entry of a tree that a forge told whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeItem {
    /// The path.
    pub path: String,
    /// The mode: `100644`, `100755`, `120000`, `160000`.
    pub mode: String,
    /// The blob, or the commit of a submodule.
    pub object: CommitId,
}

/// A deployment to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewDeployment {
    /// The commit: never a branch, which may move.
    pub commit: CommitId,
    /// The environment.
    pub environment: String,
    /// What is done, as `deploy`.
    pub task: String,
    /// What goes with it; whoever carries the deployment out reads it.
    pub payload: Value,
    /// One line for people; up to 140 characters.
    pub description: String,
    /// Whether people use what runs there.
    pub production: bool,
}

/// A status to set on a deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentStatusDraft {
    /// The state.
    pub state: DeploymentState,
    /// One line for people; up to 140 characters.
    pub description: String,
    /// Where the environment is.
    pub environment_url: Option<String>,
    /// Whether the forge marks older good ones of the environment as inactive.
    pub auto_inactive: bool,
}

/// A release to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewRelease {
    /// The tag; it has to exist when the release is published, or it is made at `commit`.
    pub tag: String,
    /// The commit.
    pub commit: CommitId,
    /// The title.
    pub name: String,
    /// The text.
    pub body: String,
    /// Whether it is not for everybody.
    pub prerelease: bool,
}

/// A tree of a forge with every entry below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WholeTree {
    /// The tree.
    pub id: TreeId,
    /// Files, links and submodules, sorted by path.
    pub items: Vec<TreeItem>,
}
