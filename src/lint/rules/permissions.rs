//! `lint/permissions`: a job whose token has rights nobody named, or the whole workflow's.
//!
//! Must never ask for rights of an action: those are the calling job's.

use super::prelude::*;
use crate::lint::powers::writes;

pub(super) static RULE: Rule = Rule {
    code: "lint/permissions",
    severity: Severity::Medium,
    help: "Write `permissions: {}` at the top and, in each job, the least it needs.",
    check,
};

fn check(doc: &Doc<'_>, hits: &mut Hits) {
    let Some(on) = doc.flow.root.get("jobs").filter(|_| !doc.flow.action) else { return };
    match doc.flow.root.get("permissions") {
        None => {
            let bare: Vec<&str> = doc
                .flow
                .jobs
                .iter()
                .filter(|job| job.node.get("permissions").is_none())
                .map(|job| job.name)
                .collect();
            if !bare.is_empty() {
                let place =
                    doc.flow.root.entry("jobs").map_or(on.range.clone(), |(key, _)| key.range.clone());
                hits.at(
                    &place,
                    format!(
                        "no rights are named for the token of {}: it has those of a setting",
                        list(&bare)
                    ),
                );
            }
        }
        Some(top) if doc.flow.jobs.len() > 1 => {
            for (right, place) in writes(top).into_iter().filter(|(right, _)| !right.contains("write-all")) {
                hits.rated(
                    Severity::Medium,
                    &place,
                    format!("`{right}` at the top is given to all {} jobs", doc.flow.jobs.len()),
                );
            }
        }
        Some(_) => {}
    }
}
