//! What the forge says of deployments and releases: of the commit, and of the environment before it.
//!
//! Must never call a deployment good that failed once, and must never take a list for whole that may be cut.

use jiff::Timestamp;

use super::{Collector, Gathered, Gathering, whole_seconds};
use crate::artifact::id::CommitId;
use crate::artifact::types::release::{
    DeploymentSeen, DeploymentState as Stands, FactName, LastGood, ReleaseSeen,
};
use crate::ports::forge::{Answer, Deployment, DeploymentState, DeploymentStatus, ForgeError, ForgeRead};
use crate::stage::act::record::Record;

/// The collector.
pub struct DeploymentsCollector;

/// So many deployments are looked at.
const LOOKED_AT: u32 = 100;
/// So many releases are told.
const RELEASES: u32 = 30;

impl Collector for DeploymentsCollector {
    fn name(&self) -> &'static str {
        "deployments"
    }

    fn collect(&self, of: &Gathering<'_>, into: &mut Gathered) {
        let Some(hub) = of.hub else {
            for fact in [FactName::Deployments, FactName::Releases, FactName::LastGood] {
                into.absent(fact, self.name(), "there is no forge, or no token for it");
            }
            return;
        };
        match of_commit(hub, of) {
            Ok(all) => {
                into.found_value(FactName::Deployments, "deployments of the commit", &all);
                into.facts.deployments = Some(all);
            }
            Err(error) => into.failed(FactName::Deployments, "deployments of the commit", error),
        }
        match releases(hub) {
            Ok(all) => {
                into.found_value(FactName::Releases, "releases and their tags", &all);
                into.facts.releases = Some(all);
            }
            Err(error) => into.failed(FactName::Releases, "releases and their tags", error),
        }
        let from = format!("deployments to {}", of.request.environment);
        match last_good(hub, of, into.facts.releases.as_deref().unwrap_or_default()) {
            Ok(Some(good)) => {
                into.found_value(FactName::LastGood, from, &good);
                into.facts.last_good = Some(good);
            }
            Ok(None) => {
                into.absent(FactName::LastGood, from, "nothing else was ever deployed there with success");
            }
            Err(error) => into.failed(FactName::LastGood, from, error),
        }
    }
}

fn cut(what: &str, most: u32) -> ForgeError {
    ForgeError::Broken {
        what: what.into(),
        why: format!("there are {most} or more, and older ones are not looked at"),
    }
}

fn of_commit(hub: &dyn ForgeRead, of: &Gathering<'_>) -> Answer<Vec<DeploymentSeen>> {
    let all = hub.deployments(None, Some(&of.request.subject.commit), LOOKED_AT)?;
    if all.len() >= LOOKED_AT as usize {
        return Err(cut("read the deployments of the commit", LOOKED_AT));
    }
    all.into_iter()
        .map(|one| {
            let statuses = hub.deployment_statuses(one.id)?;
            Ok(seen(one, &statuses))
        })
        .collect()
}

fn seen(deployment: Deployment, statuses: &[DeploymentStatus]) -> DeploymentSeen {
    let at: Timestamp = statuses.first().map_or(deployment.created_at, |status| status.created_at);
    DeploymentSeen {
        id: deployment.id.0,
        environment: super::line(&deployment.environment),
        commit: deployment.commit,
        state: stands(statuses),
        at: whole_seconds(at),
        at_seconds: at.as_second(),
    }
}

/// Says how a deployment stands; one that became inactive without ever being good did not work out.
fn stands(statuses: &[DeploymentStatus]) -> Stands {
    use DeploymentState::{Error, Failure, Inactive, Success};
    let was = |word| statuses.iter().any(|status| status.state == Some(word));
    match statuses.first().and_then(|status| status.state) {
        Some(Success) => Stands::Success,
        Some(Inactive) if was(Success) && !was(Failure) && !was(Error) => Stands::Inactive,
        Some(Inactive | Failure | Error) => Stands::Failed,
        // No status, one that is no end, and one that this program has no word for.
        _ => Stands::Running,
    }
}

fn releases(hub: &dyn ForgeRead) -> Answer<Vec<ReleaseSeen>> {
    hub.releases(RELEASES)?
        .into_iter()
        .map(|release| {
            // A draft has no tag yet, and says where it will be made.
            let commit = if release.draft { release.target.parse().ok() } else { hub.tag(&release.tag)? };
            Ok(ReleaseSeen {
                tag: super::line(&release.tag),
                commit,
                draft: release.draft,
                prerelease: release.prerelease,
            })
        })
        .collect()
}

/// Finds the newest deployment of another commit that was good and never failed.
fn last_good(hub: &dyn ForgeRead, of: &Gathering<'_>, releases: &[ReleaseSeen]) -> Answer<Option<LastGood>> {
    let environment = of.request.environment.as_str();
    let all = hub.deployments(Some(environment), None, LOOKED_AT)?;
    let full = all.len() >= LOOKED_AT as usize;
    for deployment in all {
        if deployment.commit == of.request.subject.commit {
            continue;
        }
        let statuses = hub.deployment_statuses(deployment.id)?;
        if matches!(stands(&statuses), Stands::Success | Stands::Inactive) {
            let mut artifacts =
                Record::read(&deployment.payload).map(|record| record.artifacts).unwrap_or_default();
            artifacts.sort_by(|a, b| a.name.cmp(&b.name));
            let tag = tag_of(releases, &deployment.commit);
            return Ok(Some(LastGood { commit: deployment.commit, artifacts, tag }));
        }
    }
    if full { Err(cut("look for the last good release", LOOKED_AT)) } else { Ok(None) }
}

fn tag_of(releases: &[ReleaseSeen], commit: &CommitId) -> Option<String> {
    let of = |release: &&ReleaseSeen| !release.draft && release.commit.as_ref() == Some(commit);
    releases.iter().find(of).map(|release| release.tag.clone())
}
