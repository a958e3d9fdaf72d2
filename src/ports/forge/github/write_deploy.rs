//! GitHub, changed: deployments and releases.
//!
//! Must never deploy a branch (it may move), nor let GitHub merge something into what was judged.

use serde_json::json;

use super::GitHub;
use super::client::Method;
use super::wire::read;
use super::wire_deploy::{WireDeployment, WireDeploymentStatus, WireRelease};
use super::write::{CONTENTS, MAX_DESCRIPTION, cut};
use crate::ports::forge::{
    Answer, Deployment, DeploymentId, DeploymentStatus, DeploymentStatusDraft, NewDeployment, NewRelease,
    Release, ReleaseId,
};

const DEPLOYMENTS: &str = "deployments: write";

impl GitHub {
    pub(super) fn deploy(&self, new: &NewDeployment) -> Answer<Deployment> {
        let body = json!({
            "ref": new.commit,
            "environment": new.environment,
            "task": new.task,
            "payload": new.payload,
            "description": cut(&new.description, MAX_DESCRIPTION),
            "production_environment": new.production,
            // By default GitHub merges the default branch into what is deployed.
            "auto_merge": false,
            // Which checks must be green, of which app, was judged before; here a name alone would do.
            "required_contexts": [],
        });
        let ask = self.write(Method::Post, "/deployments", "make the deployment", DEPLOYMENTS).with(body);
        Ok(read::<WireDeployment>(&ask, self.send(&ask)?)?.into())
    }

    pub(super) fn deployed(
        &self,
        deployment: DeploymentId,
        status: &DeploymentStatusDraft,
    ) -> Answer<DeploymentStatus> {
        let rest = format!("/deployments/{deployment}/statuses");
        let mut body = json!({
            "state": status.state,
            "description": cut(&status.description, MAX_DESCRIPTION),
            "auto_inactive": status.auto_inactive,
        });
        if let Some(url) = &status.environment_url {
            body["environment_url"] = json!(url);
        }
        let ask = self.write(Method::Post, &rest, "set the status of the deployment", DEPLOYMENTS).with(body);
        Ok(read::<WireDeploymentStatus>(&ask, self.send(&ask)?)?.into())
    }

    pub(super) fn make_release(&self, new: &NewRelease) -> Answer<Release> {
        let body = json!({
            "tag_name": new.tag,
            "target_commitish": new.commit,
            "name": new.name,
            "body": new.body,
            "draft": true,
            "prerelease": new.prerelease,
        });
        let ask = self.write(Method::Post, "/releases", "make the release", CONTENTS).with(body);
        Ok(read::<WireRelease>(&ask, self.send(&ask)?)?.into())
    }

    pub(super) fn publish(&self, release: ReleaseId) -> Answer<Release> {
        let rest = format!("/releases/{release}");
        let ask = self.write(Method::Patch, &rest, "publish the release", CONTENTS);
        let ask = ask.with(json!({ "draft": false }));
        Ok(read::<WireRelease>(&ask, self.send(&ask)?)?.into())
    }
}
