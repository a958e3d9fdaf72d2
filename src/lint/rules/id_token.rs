//! `lint/id-token`: code of the repository runs in a job that may ask for an identity.
//!
//! Must never complain of a job that only hands over what another built.

use super::prelude::*;
use crate::lint::powers::{grants, permissions, runs_code};

pub(super) static RULE: Rule = Rule {
    code: "lint/id-token",
    severity: Severity::High,
    help: "Build in one job, and let another, which runs nothing of the repository, ask for the identity.",
    check,
};

fn check(doc: &Doc<'_>, hits: &mut Hits) {
    for job in &doc.flow.jobs {
        let Some(place) = grants(permissions(doc.flow, job, None), "id-token") else { continue };
        if let Some((what, _)) = runs_code(job) {
            hits.at(
                &place,
                format!(
                    "the job `{}` may ask for an identity while {what} runs: every program in it can",
                    job.name
                ),
            );
        }
    }
}
