//! `lint/unsafe-checkout`: the guard of the checkout is switched off.
//!
//! Must never complain of `false`.

use super::prelude::*;
use crate::lint::doc::input;

pub(super) static RULE: Rule = Rule {
    code: "lint/unsafe-checkout",
    severity: Severity::High,
    help: "Leave `allow-unsafe-pr-checkout` out, and look at a stranger's code on `pull_request`.",
    check,
};

fn check(doc: &Doc<'_>, hits: &mut Hits) {
    for job in &doc.flow.jobs {
        for step in &job.steps {
            if input(step, "allow-unsafe-pr-checkout").is_some_and(|value| value != "false") {
                hits.at(&step.range, format!("the job `{}` lets the checkout take a stranger's code with the rights of the repository", job.name));
            }
            let submodules = input(step, "submodules").is_some_and(|value| value != "false");
            if submodules && doc.open_event(job).is_some() {
                hits.rated(
                    Severity::Medium,
                    &step.range,
                    format!(
                        "the job `{}` follows submodules, which a stranger's `.gitmodules` can name",
                        job.name
                    ),
                );
            }
        }
    }
}
