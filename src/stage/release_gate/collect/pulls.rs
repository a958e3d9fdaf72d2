//! The pull requests a release is made of, and what people said of them.
//!
//! Must never count a word that its writer took back, nor leave out who wrote a part of what was approved.

use std::collections::BTreeMap;

use super::{Collector, Gathered, Gathering};
use crate::artifact::id::CommitId;
use crate::artifact::types::event::Standing;
use crate::artifact::types::release::{ApprovalGiven, ApprovalHow, Asker, FactName, PullSeen};
use crate::ports::forge::{Actor, Answer, ForgeError, ForgeRead, Pull, PullState, Review, ReviewState};

/// The collector.
pub struct PullsCollector;

/// GitHub itself, as committer of what people merge on its pages.
const WEB_FLOW: &str = "web-flow";
/// So many commits of a pull request are told.
const COMMITS: usize = 250;

impl Collector for PullsCollector {
    fn name(&self) -> &'static str {
        "pull requests of the commits"
    }

    fn collect(&self, of: &Gathering<'_>, into: &mut Gathered) {
        let Some(hub) = of.hub else {
            return into.absent(FactName::Pulls, self.name(), "there is no forge, or no token for it");
        };
        let Some(commits) = &into.facts.commits else {
            return into.failed(
                FactName::Pulls,
                self.name(),
                "which commits the release brings is not known",
            );
        };
        let commits: Vec<CommitId> = commits.iter().map(|one| one.commit.clone()).collect();
        match pulls(hub, &commits) {
            Ok(all) => {
                into.found_value(FactName::Pulls, self.name(), &all);
                into.facts.pulls = Some(all);
            }
            Err(error) => into.failed(FactName::Pulls, self.name(), error),
        }
    }
}

/// Asks for each commit which pull requests brought it; one that a person closed brought nothing.
fn pulls(hub: &dyn ForgeRead, commits: &[CommitId]) -> Answer<Vec<PullSeen>> {
    let mut found: BTreeMap<u64, (Pull, Vec<CommitId>)> = BTreeMap::new();
    for commit in commits {
        for pull in hub.pulls_with(commit)? {
            if pull.state != PullState::Closed {
                let entry = found.entry(pull.number.0).or_insert_with(|| (pull, Vec::new()));
                entry.1.push(commit.clone());
            }
        }
    }
    let mut standing = BTreeMap::new();
    found.into_values().map(|(pull, commits)| seen(hub, pull, commits, &mut standing)).collect()
}

fn seen(
    hub: &dyn ForgeRead,
    pull: Pull,
    commits: Vec<CommitId>,
    standing: &mut BTreeMap<u64, Standing>,
) -> Answer<PullSeen> {
    let written = hub.pull_commits(pull.number)?;
    if written.len() >= COMMITS {
        let what = format!("read who wrote pull request {}", pull.number);
        return Err(ForgeError::Broken { what, why: "more commits than are told of".into() });
    }
    let author = pull.author.map(asker);
    let mut writers: BTreeMap<u64, Asker> = BTreeMap::new();
    for actor in written.into_iter().flat_map(|commit| [commit.author, commit.committer]).flatten() {
        if actor.login.as_str() != WEB_FLOW && author.as_ref().is_none_or(|author| author.id != actor.id) {
            writers.insert(actor.id, asker(actor));
        }
    }
    Ok(PullSeen {
        number: pull.number.0,
        author,
        writers: writers.into_values().collect(),
        head: pull.head_commit,
        commits,
        approvals: words(hub, hub.reviews(pull.number)?, standing)?,
    })
}

fn asker(actor: Actor) -> Asker {
    Asker { id: actor.id, login: actor.login.as_str().to_owned(), bot: actor.bot }
}

/// Returns the newest word of each account that is more than a comment.
fn words(
    hub: &dyn ForgeRead,
    reviews: Vec<Review>,
    standing: &mut BTreeMap<u64, Standing>,
) -> Answer<Vec<ApprovalGiven>> {
    let mut newest: BTreeMap<u64, (Actor, ApprovalHow, Review)> = BTreeMap::new();
    // Oldest first, so a later word takes the place of an earlier one.
    for review in reviews {
        let how = match review.state {
            ReviewState::Approved => ApprovalHow::Approved,
            ReviewState::ChangesRequested => ApprovalHow::ChangesRequested,
            ReviewState::Dismissed => ApprovalHow::Dismissed,
            ReviewState::Commented | ReviewState::Pending => continue,
        };
        if let Some(actor) = review.author.clone() {
            newest.insert(actor.id, (actor, how, review));
        }
    }
    newest
        .into_values()
        .filter_map(|(actor, how, review)| Some((actor, how, review.submitted_at?, review)))
        .map(|(actor, how, at, review)| {
            let stands = if let Some(known) = standing.get(&actor.id) {
                *known
            } else {
                let stands = Standing::from(hub.access(&actor.login)?);
                standing.insert(actor.id, stands);
                stands
            };
            Ok(ApprovalGiven {
                by: asker(actor),
                standing: stands,
                how,
                commit: review.commit,
                at: super::whole_seconds(at),
                at_seconds: at.as_second(),
            })
        })
        .collect()
}
