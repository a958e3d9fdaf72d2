//! The config of what a release gate's word leads to: what promotion means, and how to go back.
//!
//! Must never depend on the machine, as every valid config.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::valid::{AutoMerge, Command};

/// What promotion means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Promote {
    /// What is done, of `merge`, `tag`, `deployment`, `release`; in this order, whatever the order here.
    pub acts: Vec<PromoteAct>,
    /// What the deployment is said to be.
    pub state: PromotedState,
    /// The environment whose record has to name the same digests, for all but itself; empty: none.
    pub from: String,
    /// Where people find the environment, `{environment}` is filled in; empty: not told.
    pub url: String,
    /// The name of the tag; `{environment}`, `{date}` and `{commit}` are filled in.
    pub tag: String,
    /// How the pull request is merged.
    pub merge: AutoMerge,
    /// How old a decision may be.
    pub max_age_minutes: u64,
}

impl Default for Promote {
    fn default() -> Self {
        Self {
            acts: vec![PromoteAct::Deployment],
            state: PromotedState::Success,
            from: String::new(),
            url: String::new(),
            tag: "{environment}-{commit}".into(),
            merge: AutoMerge::Squash,
            max_age_minutes: 60,
        }
    }
}

/// A part of a promotion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PromoteAct {
    /// The pull request is merged.
    Merge,
    /// A tag is made.
    Tag,
    /// A deployment is made whose payload names the digests.
    Deployment,
    /// A release of the tag is published.
    Release,
}

impl std::str::FromStr for PromoteAct {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "merge" => Ok(Self::Merge),
            "tag" => Ok(Self::Tag),
            "deployment" => Ok(Self::Deployment),
            "release" => Ok(Self::Release),
            _ => Err(()),
        }
    }
}

/// What a deployment is said to be once it is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PromotedState {
    /// The record is what is deployed from: with it, the environment has been given the digests.
    #[default]
    Success,
    /// Another program carries it out, and says how it went.
    InProgress,
}

/// How a branch is put back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reverts {
    /// By a run: planned, tested, judged and proven as any change; proposed at once only where a run could not make it.
    #[default]
    Run,
    /// By a pull request that is made from the trees at once, without a run.
    Propose,
    /// Not at all.
    None,
}

/// How to go back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GoBack {
    /// How the branch is put back.
    pub revert: Reverts,
    /// The commands of the repository that carry it out; empty: none. A job without a token runs them, on the files of the
    /// last good release.
    pub commands: Vec<Command>,
    /// Whether those commands may reach the network.
    pub network: bool,
    /// Variables with credentials to deploy that those commands are handed, and nothing else is.
    pub env: Vec<String>,
    /// How old a decision may be.
    pub max_age_minutes: u64,
}

impl Default for GoBack {
    fn default() -> Self {
        Self {
            revert: Reverts::Run,
            commands: Vec::new(),
            network: false,
            env: Vec::new(),
            max_age_minutes: 1_440,
        }
    }
}
