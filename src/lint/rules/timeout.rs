//! `lint/timeout`: a job without an end of its own runs up to six hours.
//!
//! Must never ask for it where GitHub refuses it: a job that calls a workflow.

use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    code: "lint/timeout",
    severity: Severity::Low,
    help: "Add `timeout-minutes:` to the job, a little over what it usually takes.",
    check,
};

fn check(doc: &Doc<'_>, hits: &mut Hits) {
    for job in doc.flow.jobs.iter().filter(|job| !doc.flow.action && job.node.get("uses").is_none()) {
        let limit = job.node.get("timeout-minutes");
        if limit.is_none() {
            hits.at(
                &key_of(doc, job),
                format!("the job `{}` has no `timeout-minutes`: it can hang for six hours", job.name),
            );
        } else if let Some(limit) = limit
            && limit.text().and_then(|text| text.parse::<f64>().ok()).is_some_and(|minutes| minutes > 360.0)
        {
            hits.at(
                &limit.range,
                format!("the job `{}` may run longer than the six hours of a hosted runner", job.name),
            );
        }
    }
}
