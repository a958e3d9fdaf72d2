//! `lint/persist-credentials`: a checkout leaves a token where every later step can read it.
//!
//! Must never complain of a job that pushes with git and runs no code of the repository.

use super::prelude::*;
use crate::lint::doc::{checkouts, input};
use crate::lint::powers::{permissions, runs_code, writes};

pub(super) static RULE: Rule = Rule {
    code: "lint/persist-credentials",
    severity: Severity::Low,
    help: "Add `persist-credentials: false` to the checkout.",
    check,
};

fn check(doc: &Doc<'_>, hits: &mut Hits) {
    for job in &doc.flow.jobs {
        let code = runs_code(job).is_some();
        let written = permissions(doc.flow, job, None).is_some_and(|rights| !writes(rights).is_empty());
        for (_, step) in checkouts(job) {
            if input(step, "persist-credentials").is_some_and(|value| value == "false") {
                continue;
            }
            if written && !code && input(step, "persist-credentials").is_some() {
                continue;
            }
            let severity = if code && written {
                Severity::High
            } else if code {
                Severity::Medium
            } else {
                Severity::Low
            };
            let place = step.get("uses").map_or(step.range.clone(), |node| node.range.clone());
            let who = if code { "code of the repository that runs later" } else { "every later step" };
            hits.rated(
                severity,
                &place,
                format!("the checkout of the job `{}` leaves its token where {who} can read it", job.name),
            );
        }
    }
}
