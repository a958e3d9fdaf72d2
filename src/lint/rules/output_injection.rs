//! `lint/output-injection`: the output of a step or job becomes part of a script.
//!
//! Must never complain of what a step of GitHub's own makes by itself: digests and numbers.

use super::prelude::*;
use crate::lint::doc::flowing;

pub(super) static RULE: Rule = Rule {
    code: "lint/output-injection",
    severity: Severity::Medium,
    help: "Hand the output over through `env:`: it may hold what a stranger wrote, and no linter follows it everywhere.",
    check,
};

/// What is made of digits and letters alone.
const PLAIN: [&str; 7] =
    ["artifact-id", "artifact-digest", "cache-hit", "digest", "exit", "sha256", "run-number"];

fn check(doc: &Doc<'_>, hits: &mut Hits) {
    for job in &doc.flow.jobs {
        doc.scripts(job, &mut |_, node, code| {
            flowing(code, &mut |path, whole| {
                let output =
                    (path.starts_with("steps.") || path.starts_with("needs.")) && path.contains(".outputs.");
                let all = path == "needs"
                    || path == "steps"
                    || (path.starts_with("needs.") && path.ends_with(".outputs"));
                let name = path.rsplit('.').next().unwrap_or_default();
                if (output || all) && !PLAIN.contains(&name) {
                    hits.at(
                        &doc.within(node, whole),
                        format!("`{path}` becomes part of a script of the job `{}`", job.name),
                    );
                }
            });
        });
    }
}
