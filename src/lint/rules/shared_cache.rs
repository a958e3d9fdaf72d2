//! `lint/shared-cache`: a run that strangers start fills the cache that trusted runs take from.
//!
//! Must never complain of `pull_request`, whose cache is its own.

use super::prelude::*;
use crate::lint::doc::{agent, checkouts, input, takes_head};

pub(super) static RULE: Rule = Rule {
    code: "lint/shared-cache",
    severity: Severity::High,
    help: "Use no cache in runs that strangers start; or only restore (`actions/cache/restore`).",
    check,
};

fn check(doc: &Doc<'_>, hits: &mut Hits) {
    for job in &doc.flow.jobs {
        let Some((_, event)) = doc.open_event(job) else { continue };
        let foreign = checkouts(job).any(|(_, step)| takes_head(doc, job, step))
            || job.steps.iter().any(|step| agent(step).is_some());
        if !foreign {
            continue;
        }
        for step in &job.steps {
            let Some((name, _)) = action(step) else { continue };
            let saves =
                name == "actions/cache" || name == "actions/cache/save" || name == "swatinem/rust-cache";
            let asked = name.contains("/setup-")
                && input(step, "cache").is_some_and(|value| !value.is_empty() && value != "false");
            if saves || asked {
                let place = step.get("uses").map_or(step.range.clone(), |node| node.range.clone());
                hits.at(
                    &place,
                    format!(
                        "the job `{}` runs on `{event}` and fills the cache of the default branch",
                        job.name
                    ),
                );
            }
        }
    }
}
