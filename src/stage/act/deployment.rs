//! One deployment of one decision: found by its record, else made; its status set where it is not what it has to be.
//!
//! Must never make a second one for the same decision, nor call one good again that was taken back meanwhile.

use crate::artifact::id::CommitId;
use crate::artifact::types::promotion::{Act, ActKind};
use crate::artifact::types::pull_request::Outcome;
use crate::ports::forge::{
    Deployment, DeploymentState, DeploymentStatus, DeploymentStatusDraft, ForgeError, NewDeployment,
};
use crate::stage::StageError;

use super::Hub;
use super::record::{Marker, Record};

/// So many deployments of one commit to one environment are looked at.
const LOOKED_AT: u32 = 100;

/// A deployment as it has to be.
pub(in crate::stage) struct Wanted<'a> {
    pub(in crate::stage) commit: &'a CommitId,
    pub(in crate::stage) environment: &'a str,
    pub(in crate::stage) record: &'a Record,
    pub(in crate::stage) description: String,
    pub(in crate::stage) production: bool,
    pub(in crate::stage) status: DeploymentStatusDraft,
}

/// Makes the deployment, or finds the one that an earlier try made, and sets its status.
pub(in crate::stage) fn ensure(hub: Hub<'_>, wanted: &Wanted<'_>) -> Result<Act, StageError> {
    let (found, all) = find(hub, wanted)?;
    if let Some(found) = found {
        return settle(hub, wanted, &found);
    }
    // The gate may have judged anew since: what its word led to then is not done a second time.
    for earlier in all.iter().filter(|one| is_same(one, wanted.record)) {
        let statuses = hub.read.deployment_statuses(earlier.id)?;
        match standing(&statuses, wanted.status.state) {
            Standing::Open => return settle(hub, wanted, earlier),
            Standing::Reached(state) if is_current(hub, wanted, earlier, state)? => {
                let act = told(wanted, earlier, Outcome::Unchanged, Some(state));
                return Ok(act.because("an earlier decision of this run led to it"));
            }
            // It is over: to be there again it has to be made again.
            _ => {}
        }
    }
    let made = make(hub, wanted)?;
    let set = hub.write.set_deployment_status(made.id, &wanted.status)?;
    Ok(told(wanted, &made, Outcome::Created, set.state))
}

fn told(
    wanted: &Wanted<'_>,
    deployment: &Deployment,
    outcome: Outcome,
    state: Option<DeploymentState>,
) -> Act {
    let mut act = Act::new(ActKind::Deployment, outcome, wanted.commit.clone());
    act.number = Some(deployment.id.0);
    act.name = Some(wanted.environment.to_owned());
    act.state = state.map(|state| state.as_str().to_owned());
    act
}

/// Brings a deployment that is there to the state it is to have.
fn settle(hub: Hub<'_>, wanted: &Wanted<'_>, deployment: &Deployment) -> Result<Act, StageError> {
    let id = deployment.id;
    let conflict = |state, why: String| Ok(told(wanted, deployment, Outcome::Conflict, state).because(why));
    let named = Record::read(&deployment.payload).map(|record| record.artifacts);
    if named.as_ref() != Some(&wanted.record.artifacts) {
        return conflict(None, format!("the deployment {id} does not name the digests that were judged"));
    }
    match standing(&hub.read.deployment_statuses(id)?, wanted.status.state) {
        Standing::Open => {
            let set = hub.write.set_deployment_status(id, &wanted.status)?;
            Ok(told(wanted, deployment, Outcome::Repaired, set.state))
        }
        Standing::Reached(state) => Ok(told(wanted, deployment, Outcome::Unchanged, Some(state))),
        Standing::Over(state) => {
            let why = format!("it was good, and is {} by now; it stays so", state.as_str());
            Ok(told(wanted, deployment, Outcome::Unchanged, Some(state)).because(why))
        }
        Standing::Unknown => {
            conflict(None, format!("the deployment {id} is in a state that this program does not know"))
        }
        Standing::Bad(state) => {
            let (is, wanted) = (state.as_str(), wanted.status.state.as_str());
            conflict(
                Some(state),
                format!("somebody set the deployment {id} to {is}, so it is not called {wanted}"),
            )
        }
    }
}

/// Tells whether nothing came after a deployment: it is what the environment runs, or is about to.
fn is_current(
    hub: Hub<'_>,
    wanted: &Wanted<'_>,
    deployment: &Deployment,
    state: DeploymentState,
) -> Result<bool, StageError> {
    if state == DeploymentState::Success {
        return Ok(current(hub, wanted.environment)?.is_some_and(|one| one.id == deployment.id));
    }
    let newest = hub.read.deployments(Some(wanted.environment), None, 1)?;
    Ok(newest.first().is_some_and(|one| one.id == deployment.id))
}

fn make(hub: Hub<'_>, wanted: &Wanted<'_>) -> Result<Deployment, ForgeError> {
    hub.write.create_deployment(&NewDeployment {
        commit: wanted.commit.clone(),
        environment: wanted.environment.to_owned(),
        task: "deploy".into(),
        payload: wanted.record.payload(),
        description: wanted.description.clone(),
        production: wanted.production,
    })
}

/// Finds the oldest deployment of the marker, and returns all that were looked at, newest first: a second one of the
/// marker, should there be one, is not ours to mend.
fn find(hub: Hub<'_>, wanted: &Wanted<'_>) -> Result<(Option<Deployment>, Vec<Deployment>), StageError> {
    let all = hub.read.deployments(Some(wanted.environment), Some(wanted.commit), LOOKED_AT)?;
    let found = all.iter().rev().find(|one| is_of(one, &wanted.record.orch)).cloned();
    if found.is_none() && all.len() >= LOOKED_AT as usize {
        let why = format!("{LOOKED_AT} or more deployments of one commit are more than are looked at");
        return Err(ForgeError::Broken { what: "look for the deployment".into(), why }.into());
    }
    Ok((found, all))
}

/// Tells whether a deployment says that it was made for a decision.
fn is_of(deployment: &Deployment, marker: &Marker) -> bool {
    Record::read(&deployment.payload).is_some_and(|record| record.orch == *marker)
}

/// Tells whether a deployment was made by the same run for the same cause and digests, whatever the decision.
fn is_same(deployment: &Deployment, wanted: &Record) -> bool {
    Record::read(&deployment.payload).is_some_and(|record| {
        let (a, b) = (&record.orch, &wanted.orch);
        a.cause == b.cause && a.run == b.run && record.artifacts == wanted.artifacts
    })
}

/// How a deployment stands to the state it is to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// It has not ended.
    Open,
    /// It is what it has to be.
    Reached(DeploymentState),
    /// It was good, and something came after.
    Over(DeploymentState),
    /// It never was good, and ended.
    Bad(DeploymentState),
    /// It is in a state that has no word here.
    Unknown,
}

fn standing(statuses: &[DeploymentStatus], wanted: DeploymentState) -> Standing {
    use DeploymentState::{Error, Failure, InProgress, Inactive, Pending, Queued, Success};
    let Some(newest) = statuses.first() else { return Standing::Open };
    let Some(newest) = newest.state else { return Standing::Unknown };
    let was_good = statuses.iter().any(|status| status.state == Some(Success));
    match newest {
        state if state == wanted => Standing::Reached(state),
        // Who carries it out has said more than we were to say.
        Success => Standing::Reached(Success),
        state @ (Error | Failure | Inactive) if was_good => Standing::Over(state),
        state @ (Error | Failure | Inactive) => Standing::Bad(state),
        InProgress | Pending | Queued => Standing::Open,
    }
}

/// Returns what an environment runs by its records: the newest deployment that is good now.
pub(in crate::stage) fn current(hub: Hub<'_>, environment: &str) -> Result<Option<Deployment>, StageError> {
    for deployment in hub.read.deployments(Some(environment), None, LOOKED_AT)? {
        let statuses = hub.read.deployment_statuses(deployment.id)?;
        if statuses.first().is_some_and(|status| status.state == Some(DeploymentState::Success)) {
            return Ok(Some(deployment));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ended_is_not_called_good_again() {
        use DeploymentState::{Failure, InProgress, Inactive, Success};
        let of = |states: &[Option<DeploymentState>]| -> Vec<DeploymentStatus> {
            let one = |state: &Option<DeploymentState>| DeploymentStatus {
                id: 1,
                state: *state,
                description: String::new(),
                environment_url: None,
                creator: None,
                created_at: jiff::Timestamp::UNIX_EPOCH,
            };
            states.iter().map(one).collect()
        };
        for (newest_first, wanted, is) in [
            (&[][..], Success, Standing::Open),
            (&[Some(InProgress)], Success, Standing::Open),
            (&[None, Some(Success)], Success, Standing::Unknown),
            (&[Some(Success), Some(InProgress)], Success, Standing::Reached(Success)),
            (&[Some(Success)], InProgress, Standing::Reached(Success)),
            (&[Some(InProgress)], InProgress, Standing::Reached(InProgress)),
            (&[Some(Inactive), Some(Success)], Success, Standing::Over(Inactive)),
            (&[Some(Failure), Some(Success)], Success, Standing::Over(Failure)),
            (&[Some(Failure)], Success, Standing::Bad(Failure)),
            (&[Some(Inactive)], InProgress, Standing::Bad(Inactive)),
        ] {
            assert_eq!(standing(&of(newest_first), wanted), is, "{newest_first:?}");
        }
    }
}
