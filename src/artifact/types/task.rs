//! `task.json`: what is asked, by whom, how far trusted, on which base.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event::{Account, EventName, Hidden, Part, Repository, Standing};
use crate::artifact::digest::Digest;
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
    /// The event of a forge it comes from; absent for a request from the command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// Which round of review findings the request is made of; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review_round: Option<u32>,
    /// The pull request whose branch the change goes on; absent: it becomes one of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows: Option<Follows>,
    /// What was hidden in the text and taken out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hidden: Vec<HiddenIn>,
}

/// The event of a forge a task comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Which kind of event.
    pub event: EventName,
    /// The digest of the event's payload.
    pub payload: Digest,
    /// The repository; absent where the event does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<Repository>,
    /// The issue or pull request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// Whether `number` is a pull request's.
    #[serde(default)]
    pub is_pull_request: bool,
    /// The comment that asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<u64>,
    /// The tenant a dispatch spoke for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<Slug>,
    /// True when a plan was asked for and nothing more.
    #[serde(default)]
    pub plan_only: bool,
    /// Who wrote the texts, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub texts: Vec<Written>,
}

/// The task whose review findings a request is made of: who asked stays who asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct After {
    /// Which round of findings it is, from 1.
    pub round: u32,
    /// Who asked for the first change.
    pub requester: Requester,
    /// The event it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// The pull request the findings are about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows: Option<Follows>,
}

/// A pull request that a change goes on with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Follows {
    /// Its branch.
    pub branch: String,
    /// The commit that was judged and reviewed: the base of what follows.
    pub head: CommitId,
    /// The branch it is to be merged into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Its number, where it is on a forge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
}

/// A text of a request, and who wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// What it is a part of.
    pub part: Part,
    /// Who wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<Account>,
    /// What the author may do in the repository, as the forge said; absent: nobody was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<Standing>,
    /// The digest of the text as it came.
    pub raw: Digest,
}

/// What was hidden in a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HiddenIn {
    /// Which text.
    pub part: Part,
    /// What it was.
    pub what: Vec<Hidden>,
}

/// Who asks, and how far the text is trusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Requester {
    /// Where the request came from.
    pub channel: Channel,
    /// How far the text is trusted; even an owner's text is data, never a command line.
    pub trust: Trust,
    /// The account on the forge; absent for the command line and for a schedule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
    /// What the account may do in the repository, as the forge said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<Standing>,
}

impl Requester {
    /// Returns somebody who has the checkout in their hands, or a workflow, whose text may be anybody's.
    pub const fn at_hand(channel: Channel) -> Self {
        let trust = match channel {
            Channel::CommandLine | Channel::TaskFile => Trust::Owner,
            _ => Trust::Untrusted,
        };
        Self { channel, trust, account: None, standing: None }
    }
}

/// Where a request came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// Words on the command line.
    CommandLine,
    /// A file named on the command line.
    TaskFile,
    /// A text that a workflow handed over; whose it was is not known.
    Workflow,
    /// A label on an issue.
    Issue,
    /// A command in a comment or a review.
    Comment,
    /// A workflow started by hand or by the API.
    WorkflowDispatch,
    /// A program, by the API.
    RepositoryDispatch,
    /// The clock.
    Schedule,
    /// The findings of reviews.
    Review,
    /// The approval of a deployment environment.
    Environment,
}

/// How far the request's text is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// Anybody may have written it.
    Untrusted,
    /// People who may write to the repository wrote all of it.
    Collaborator,
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
