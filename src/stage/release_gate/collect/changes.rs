//! The change runs behind a release, each checked as `orch verify` does.
//!
//! Must never take a run for one that is behind the release because somebody named it: its commits have to be in it.

use std::collections::BTreeMap;

use super::{Collector, Gathered, Gathering};
use crate::artifact::id::{CommitId, RunId};
use crate::artifact::types::release::{ChangeRun, FactName};
use crate::ports::observe::CommitSeen;

/// The collector.
pub struct ChangesCollector;

impl Collector for ChangesCollector {
    fn name(&self) -> &'static str {
        "changes"
    }

    fn collect(&self, of: &Gathering<'_>, into: &mut Gathered) {
        let since = into.facts.last_good.as_ref().map(|good| good.commit.clone());
        let commits = match of.observe.commits(since.as_ref(), &of.request.subject.commit) {
            Ok(commits) => commits,
            Err(unseen) => return into.failed(FactName::Changes, self.name(), unseen),
        };
        let mut by_run = runs_of(&commits);
        for run in &of.request.runs {
            by_run.entry(run.clone()).or_default();
        }
        let mut changes: Vec<ChangeRun> = Vec::new();
        let mut open = false;
        for (run, commits) in by_run {
            match into.take(FactName::Changes, run.as_str(), of.observe.change(&run)) {
                Some(change) => changes.push(ChangeRun { commits, ..change }),
                // One run that is named and not here leaves the others; its commits belong to nobody then.
                None => open = true,
            }
        }
        if changes.is_empty() && open {
            return;
        }
        into.found_value(FactName::Changes, "run folders, and runs kept with the repository", &changes);
        into.facts.changes = Some(changes);
    }
}

/// Returns the commits of each run: those whose trailer names it.
fn runs_of(commits: &[CommitSeen]) -> BTreeMap<RunId, Vec<CommitId>> {
    let mut by_run: BTreeMap<RunId, Vec<CommitId>> = BTreeMap::new();
    for commit in commits {
        if let Some(run) = &commit.run {
            by_run.entry(run.clone()).or_default().push(commit.id.clone());
        }
    }
    by_run
}
