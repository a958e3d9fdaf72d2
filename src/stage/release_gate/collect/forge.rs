//! What the forge says of a commit: its checks, by name and app, whatever their colour.
//!
//! Must never leave out a check because another one of the same name is there.

use super::{Collector, Gathered, Gathering};
use crate::artifact::types::release::{CheckSeen, CheckSort, CheckState, FactName};
use crate::ports::forge::{Answer, CheckRun, CommitStatus, Conclusion, ForgeRead, StatusState};

/// The collector.
pub struct ForgeCollector;

impl Collector for ForgeCollector {
    fn name(&self) -> &'static str {
        "forge"
    }

    fn collect(&self, of: &Gathering<'_>, into: &mut Gathered) {
        let Some(hub) = of.hub else {
            return into.absent(FactName::Checks, self.name(), "there is no forge, or no token for it");
        };
        match checks(hub, of) {
            Ok(checks) => {
                into.found_value(FactName::Checks, "check runs and statuses of the commit", &checks);
                into.facts.checks = Some(checks);
            }
            Err(error) => into.failed(FactName::Checks, self.name(), error),
        }
    }
}

fn checks(hub: &dyn ForgeRead, of: &Gathering<'_>) -> Answer<Vec<CheckSeen>> {
    let commit = &of.request.subject.commit;
    let runs = hub.check_runs(commit)?.into_iter().map(run);
    let statuses = hub.statuses(commit)?.into_iter().map(|one| status(one, of));
    let mut all: Vec<CheckSeen> = runs.chain(statuses).collect();
    all.sort_by(|a, b| (&a.name, &a.app, a.state).cmp(&(&b.name, &b.app, b.state)));
    Ok(all)
}

fn run(check: CheckRun) -> CheckSeen {
    let state = match check.conclusion {
        None => CheckState::Running,
        Some(Conclusion::Success) => CheckState::Success,
        Some(Conclusion::Neutral) => CheckState::Neutral,
        Some(Conclusion::Skipped) => CheckState::Skipped,
        Some(_) => CheckState::Red,
    };
    let CheckRun { name, app, app_id, commit, .. } = check;
    CheckSeen { name, app, app_id, commit, sort: CheckSort::CheckRun, state }
}

/// A status says who set it, not by which app; so it is never the check of an app, and red it counts all the same.
fn status(status: CommitStatus, of: &Gathering<'_>) -> CheckSeen {
    let state = match status.state {
        StatusState::Success => CheckState::Success,
        StatusState::Pending => CheckState::Running,
        StatusState::Error | StatusState::Failure => CheckState::Red,
    };
    let commit = of.request.subject.commit.clone();
    CheckSeen { name: status.context, app: None, app_id: None, commit, sort: CheckSort::Status, state }
}
