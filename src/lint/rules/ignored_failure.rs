//! `lint/ignored-failure`: a check whose failure counts for nothing.
//!
//! Must never complain of a step whose outcome is read later.

use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    code: "lint/ignored-failure",
    severity: Severity::Medium,
    help: "Let the check fail the job, or read `steps.<id>.outcome` in a later step that decides.",
    check,
};

const CHECKS: [&str; 14] = [
    "test",
    "lint",
    "scan",
    "audit",
    "policy",
    "verify",
    "check",
    "gate",
    "detect",
    "threat",
    "clippy",
    "verdict",
    "typecheck",
    "secret",
];

fn check(doc: &Doc<'_>, hits: &mut Hits) {
    for job in &doc.flow.jobs {
        let whole = doc.text.get(job.node.range.clone()).map(String::from_utf8_lossy).unwrap_or_default();
        let is_check = |text: &str| CHECKS.iter().any(|word| text.to_lowercase().contains(word));
        if job.node.get("continue-on-error").and_then(Node::text) == Some("true") && is_check(job.name) {
            hits.at(
                &key_of(doc, job),
                format!("the job `{}` is a check whose failure counts for nothing", job.name),
            );
        }
        for step in &job.steps {
            let told = format!("{} {} {}", text(step, "name"), text(step, "run"), text(step, "uses"));
            let read = |id: &str| {
                !id.is_empty()
                    && (whole.contains(&format!("steps.{id}.outcome"))
                        || whole.contains(&format!("steps.{id}.outputs")))
            };
            if let Some((key, value)) = step.entry("continue-on-error")
                && value.text() == Some("true")
                && is_check(&told)
                && !read(text(step, "id"))
            {
                hits.at(
                    &(key.range.start..value.range.end),
                    format!("a check of the job `{}` may fail and nobody reads it", job.name),
                );
            }
            let Some(run) = step.get("run") else { continue };
            if let Some(line) = text(step, "run").lines().find(|line| {
                let line = line.trim();
                (line.ends_with("|| true") || line.ends_with("|| :") || line.ends_with("|| exit 0"))
                    && is_check(line.split("||").next().unwrap_or_default())
                    && !line.contains("grep")
            }) {
                hits.at(
                    &doc.within(run, line.trim()),
                    format!("a check of the job `{}` may fail and the script goes on", job.name),
                );
            }
        }
    }
}
