//! The plan to go back, as the released commit has it, and when that very plan was tried.
//!
//! Must never take the rehearsal of another plan for one of this.

use serde::Deserialize;

use super::file::{json, most, read, time};
use super::{Collector, Gathered, Gathering, line};
use crate::artifact::digest::Digest;
use crate::artifact::id::Slug;
use crate::artifact::types::release::{FactName, RehearsalSeen, RollbackSeen};
use crate::ports::observe::Seen;

/// The collector.
pub struct RollbackCollector;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    rehearsals: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    plan: Digest,
    at: String,
    worked: bool,
    environment: Slug,
    by: String,
}

impl Collector for RollbackCollector {
    fn name(&self) -> &'static str {
        "rollback"
    }

    fn collect(&self, of: &Gathering<'_>, into: &mut Gathered) {
        let Some(term) = &of.environment.terms.rollback else { return };
        let Some(tree) = &of.request.subject.tree else {
            return into.absent(FactName::Rollback, self.name(), "the tree of the commit is not known");
        };
        let plan = match of.vcs.file(tree, &term.plan) {
            Ok(plan) => plan.filter(|bytes| !bytes.trim_ascii().is_empty()),
            Err(error) => return into.failed(FactName::Rollback, &term.plan, error),
        };
        let mut seen = RollbackSeen {
            plan: term.plan.clone(),
            digest: plan.as_ref().map(Digest::of),
            rehearsals: Vec::new(),
        };
        match &plan {
            Some(bytes) => into.found(FactName::Rollback, &term.plan, bytes),
            None => into.absent(
                FactName::Rollback,
                &term.plan,
                "the released commit has no such file, or an empty one",
            ),
        }
        if term.rehearsed_days > 0
            && let Some((from, bytes)) = read(of, into, FactName::Rollback, &of.environment.rehearsals)
        {
            match rehearsals(&bytes) {
                Ok(rehearsals) => {
                    into.found(FactName::Rollback, &from, &bytes);
                    seen.rehearsals = rehearsals;
                }
                Err(unseen) => into.failed(FactName::Rollback, &from, format!("`{from}` {unseen}")),
            }
        }
        into.facts.rollback = Some(seen);
    }
}

fn rehearsals(bytes: &[u8]) -> Seen<Vec<RehearsalSeen>> {
    let file: File = json(bytes)?;
    let one = |row: Row| {
        let (at, at_seconds) = time(&row.at)?;
        let Row { plan, worked, environment, by, .. } = row;
        Ok(RehearsalSeen { plan, at, at_seconds, worked, environment, by: line(&by) })
    };
    let mut all: Vec<_> = most(file.rehearsals)?.into_iter().map(one).collect::<Seen<_>>()?;
    all.sort_by_key(|rehearsal| rehearsal.at_seconds);
    Ok(all)
}
