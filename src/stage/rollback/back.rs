//! The environment's record: the last good digests restored, the harmful deployment marked as failed.
//!
//! Must never touch an environment that runs something else by now.

use crate::artifact::types::promotion::{Act, ActKind};
use crate::artifact::types::pull_request::Outcome;
use crate::ports::forge::{DeploymentState, DeploymentStatusDraft};
use crate::stage::StageError;

use super::super::act::deployment::{self, Wanted};
use super::Work;

impl Work<'_> {
    /// Returns what the environment runs where that is neither what was judged nor what it goes back to.
    pub(super) fn elsewhere(&self) -> Result<Option<String>, StageError> {
        let environment = self.order.decision.environment.as_str();
        let Some(current) = deployment::current(self.hub, environment)? else { return Ok(None) };
        if [&self.bad.id, &self.good.id].contains(&&current.commit) {
            return Ok(None);
        }
        Ok(Some(format!(
            "`{environment}` runs {} by now, which is neither what was judged nor what it goes back to",
            current.commit
        )))
    }

    /// Makes the last good release the newest good deployment again.
    pub(super) fn deploy_good(&self) -> Result<Act, StageError> {
        let environment = self.order.decision.environment.as_str();
        deployment::ensure(
            self.hub,
            &Wanted {
                commit: &self.good.id,
                environment,
                record: &self.record,
                description: format!("Rolled back by the release gate, run {}", self.order.run),
                production: environment == "production",
                status: DeploymentStatusDraft {
                    state: DeploymentState::Success,
                    description: format!("{} digests restored", self.record.artifacts.len()),
                    environment_url: None,
                    // Superseded is not failed: the harmful one is marked by itself, and older good ones stay good.
                    auto_inactive: false,
                },
            },
        )
    }

    /// Marks deployments of what did harm as failed; one that is inactive would count as good once.
    pub(super) fn take_back(&self) -> Result<Vec<Act>, StageError> {
        let environment = self.order.decision.environment.as_str();
        let mut acts = Vec::new();
        // The same commit with other digests is another release.
        let digests = &self.order.decision.subject.artifacts;
        for bad in self.hub.read.deployments(Some(environment), Some(&self.bad.id), 100)? {
            let record = super::Record::read(&bad.payload);
            if record.is_some_and(|record| record.artifacts != *digests) {
                continue;
            }
            let newest = self.hub.read.deployment_statuses(bad.id)?.into_iter().next();
            let ended = matches!(
                newest.and_then(|status| status.state),
                Some(DeploymentState::Failure | DeploymentState::Error)
            );
            let mut act = Act::new(
                ActKind::TakeBack,
                if ended { Outcome::Unchanged } else { Outcome::Updated },
                self.bad.id.clone(),
            );
            if !ended {
                self.hub.write.set_deployment_status(
                    bad.id,
                    &DeploymentStatusDraft {
                        state: DeploymentState::Failure,
                        description: format!("Taken back by the release gate, run {}", self.order.run),
                        environment_url: None,
                        auto_inactive: false,
                    },
                )?;
            }
            act.number = Some(bad.id.0);
            act.name = Some(environment.to_owned());
            act.state = Some("failure".into());
            acts.push(act);
        }
        Ok(acts)
    }
}
