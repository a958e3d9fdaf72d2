//! `task.json`: what is asked, by whom, how far trusted, on which base.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::artifact::envelope::Artifact;
use crate::artifact::id::{CommitId, Slug, StageId, TreeId};
use crate::artifact::kind::ArtifactKind;
use crate::artifact::money::Usd;

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

/// Who writes the change, and what for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Assignment {
    /// The engine, as `template` or `model`.
    pub engine: String,
    /// The agent that is asked to do it.
    #[serde(default = "own_name")]
    pub agent_id: Slug,
    /// The version of the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The model every role is to use, as `anthropic/claude-sonnet-5-5`; absent: what the routes say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What may be spent, where it was said with the request; absent: what the config says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<AssignedBudget>,
    /// How long the stages that call models may work, where it was said with the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_ms: Option<u64>,
    /// The same for single stages, where it was said with the request.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stages: BTreeMap<StageId, StageAssignment>,
}

/// What may be spent; what is absent is bounded by the config.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignedBudget {
    /// The most that may be spent, in dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_cost_usd: Option<Usd>,
    /// The most tokens that may be used, input and output together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
}

/// What one stage may use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StageAssignment {
    /// What may be spent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<AssignedBudget>,
    /// How long the stage may work in one round.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_ms: Option<u64>,
}

fn own_name() -> Slug {
    Slug::fold("orch", 4, "orch")
}

impl Assignment {
    /// Returns the assignment of an engine of this program, bounded by the config alone.
    pub fn to_engine(engine: &str) -> Self {
        Self {
            engine: engine.into(),
            agent_id: own_name(),
            version: Some(env!("CARGO_PKG_VERSION").into()),
            model: None,
            budget: None,
            ttl_ms: None,
            stages: BTreeMap::new(),
        }
    }
}

impl Artifact for Task {
    const KIND: ArtifactKind = ArtifactKind::Task;
}
