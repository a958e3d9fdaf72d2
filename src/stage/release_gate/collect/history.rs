//! Which commits a release brings, and whether it is on its branch.
//!
//! Must never cut the list short without saying so.

use super::{Collector, Gathered, Gathering};
use crate::artifact::types::release::{FactName, LastGood, ReleaseCommit};
use crate::ports::observe::CommitSeen;

/// The collector.
pub struct HistoryCollector;

impl Collector for HistoryCollector {
    fn name(&self) -> &'static str {
        "history"
    }

    fn collect(&self, of: &Gathering<'_>, into: &mut Gathered) {
        let subject = &of.request.subject.commit;
        if let Some(commit) = &of.request.last_good {
            // What somebody names wins over the forge, and what the forge knows of that very commit stays.
            let known = into.facts.last_good.take().filter(|known| &known.commit == commit);
            let named = LastGood { commit: commit.clone(), artifacts: Vec::new(), tag: None };
            into.facts.last_good = Some(known.unwrap_or(named));
            into.found(FactName::LastGood, "named on the command line", commit.as_str());
        }
        let since = into.facts.last_good.as_ref().map(|good| good.commit.clone());
        match of.observe.commits(since.as_ref(), subject) {
            Ok(seen) => {
                into.found_value(FactName::Commits, "commits of this clone", &seen);
                into.facts.commits = Some(seen.into_iter().map(fact).collect());
            }
            Err(unseen) => into.failed(FactName::Commits, self.name(), unseen),
        }
        match of.observe.is_on_branch(subject, &of.request.branch) {
            Ok(on) => {
                let from = format!("the branch `{}` of this clone", of.request.branch);
                into.found_value(FactName::OnBranch, from, &on);
                into.facts.on_branch = Some(on);
            }
            Err(unseen) => into.failed(FactName::OnBranch, self.name(), unseen),
        }
    }
}

fn fact(seen: CommitSeen) -> ReleaseCommit {
    ReleaseCommit { commit: seen.id, tree: seen.tree, run: seen.run, joins: seen.joins }
}
