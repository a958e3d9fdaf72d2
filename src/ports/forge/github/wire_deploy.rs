//! GitHub's JSON of deployments, releases and trees read into the words of the port.
//!
//! Must never take a missing field for a harmless value where that value decides something.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::client::Ask;
use super::reply::broken;
use super::wire::{WireActor, actor};
use crate::artifact::id::{CommitId, TreeId};
use crate::ports::forge::{
    Answer, Deployment, DeploymentId, DeploymentStatus, ForgeError, Release, ReleaseId, TreeItem, WholeTree,
};

#[derive(Deserialize)]
pub(super) struct WireDeployment {
    id: u64,
    sha: CommitId,
    #[serde(rename = "ref")]
    reference: String,
    environment: String,
    task: String,
    #[serde(default)]
    payload: Value,
    description: Option<String>,
    creator: Option<WireActor>,
    created_at: Timestamp,
}

impl From<WireDeployment> for Deployment {
    fn from(wire: WireDeployment) -> Self {
        // What was sent as an object comes back as one, or as its text.
        let payload = match wire.payload {
            Value::String(text) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
            other => other,
        };
        Self {
            id: DeploymentId(wire.id),
            commit: wire.sha,
            reference: wire.reference,
            environment: wire.environment,
            task: wire.task,
            payload,
            description: wire.description.unwrap_or_default(),
            creator: actor(wire.creator),
            created_at: wire.created_at,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct WireDeploymentStatus {
    id: u64,
    state: String,
    #[serde(default)]
    description: String,
    environment_url: Option<String>,
    creator: Option<WireActor>,
    created_at: Timestamp,
}

impl From<WireDeploymentStatus> for DeploymentStatus {
    fn from(wire: WireDeploymentStatus) -> Self {
        Self {
            id: wire.id,
            state: serde_json::from_value(Value::String(wire.state)).ok(),
            description: wire.description,
            environment_url: wire.environment_url.filter(|url| !url.is_empty()),
            creator: actor(wire.creator),
            created_at: wire.created_at,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct WireRelease {
    id: u64,
    tag_name: String,
    target_commitish: String,
    name: Option<String>,
    body: Option<String>,
    draft: bool,
    prerelease: bool,
    html_url: String,
    created_at: Timestamp,
    published_at: Option<Timestamp>,
}

impl From<WireRelease> for Release {
    fn from(wire: WireRelease) -> Self {
        Self {
            id: ReleaseId(wire.id),
            tag: wire.tag_name,
            target: wire.target_commitish,
            name: wire.name.unwrap_or_default(),
            body: wire.body.unwrap_or_default(),
            draft: wire.draft,
            prerelease: wire.prerelease,
            url: wire.html_url,
            created_at: wire.created_at,
            published_at: wire.published_at,
        }
    }
}

#[derive(Deserialize)]
struct WireItem {
    path: String,
    mode: String,
    #[serde(rename = "type")]
    kind: String,
    sha: CommitId,
}

#[derive(Deserialize)]
pub(super) struct WireTree {
    sha: TreeId,
    tree: Vec<WireItem>,
    truncated: bool,
}

impl WireTree {
    /// A tree of over 100,000 entries is cut: half a tree must not be taken for one.
    pub(super) fn whole(self, ask: &Ask, asked: &TreeId) -> Answer<WholeTree> {
        if self.truncated {
            let why = "the tree has too many entries to be told whole".to_owned();
            return Err(ForgeError::Unsupported { what: ask.what.into(), why });
        }
        if self.sha != *asked {
            return Err(broken(ask, "it is another tree"));
        }
        let entries = self.tree.into_iter().filter(|item| item.kind != "tree");
        let mut items: Vec<TreeItem> =
            entries.map(|item| TreeItem { path: item.path, mode: item.mode, object: item.sha }).collect();
        items.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(WholeTree { id: self.sha, items })
    }
}
