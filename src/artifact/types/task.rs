//! `task.json`: what is asked, by whom, how far trusted, on which base.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::artifact::envelope::Artifact;
use crate::artifact::id::{CommitId, Slug, TreeId};
use crate::artifact::kind::ArtifactKind;

/// What is asked, by whom, on which base.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// The request as it was given; untrusted text.
    pub request: String,
    /// The request's first line, shortened, for titles.
    pub title: String,
    /// Who asks.
    pub requester: Requester,
    /// The commit everything is measured against.
    pub base: Base,
    /// The service the change belongs to.
    pub service: Slug,
    /// Who writes the change.
    pub assignment: Assignment,
    /// When the task was made, RFC 3339 in UTC with whole seconds.
    pub created_at: String,
}

/// Who asks, and how far the text is trusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Requester {
    /// Where the request came from.
    pub channel: Channel,
    /// How far the text is trusted; even an owner's text is data, never a command line.
    pub trust: Trust,
}

/// Where a request came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// Words on the command line.
    CommandLine,
    /// A file named on the command line.
    TaskFile,
}

/// How far the request's text is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// Anybody may have written it.
    Untrusted,
    /// A person with write access to this checkout gave it.
    Owner,
}

/// The commit a change starts from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Base {
    /// The commit.
    pub commit: CommitId,
    /// Its tree.
    pub tree: TreeId,
    /// The branch that was checked out; absent when HEAD was detached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
}

/// Who writes the change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Assignment {
    /// The engine, as `template`.
    pub engine: String,
}

impl Artifact for Task {
    const KIND: ArtifactKind = ArtifactKind::Task;
}
