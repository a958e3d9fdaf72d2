//! `lint/gate`: a gate that does not gate: skipped with what it waits for, or blind to how that ended.
//!
//! Must never take a job for a gate that only waits.

use super::prelude::*;
use crate::lint::doc::input;
use crate::lint::powers::{permissions, writes};

pub(super) static RULE: Rule = Rule {
    code: "lint/gate",
    severity: Severity::High,
    help: "Give the gate `if: always()`, let it read every `needs.*.result` and the verdict itself, and fail unless all say yes.",
    check,
};

/// Names of jobs that stand for others.
const GATES: [&str; 9] = [
    "gate",
    "required",
    "all-green",
    "all_green",
    "alls-green",
    "all-checks",
    "ci-ok",
    "ci-success",
    "merge-ready",
];
/// Names of jobs that judge.
const JUDGES: [&str; 12] = [
    "detect", "threat", "policy", "gate", "verdict", "audit", "guard", "safety", "moderat", "approve",
    "triage", "classif",
];

fn check(doc: &Doc<'_>, hits: &mut Hits) {
    for job in doc.flow.jobs.iter().filter(|job| job.node.get("needs").is_some()) {
        let condition = text(job.node, "if");
        let name = format!("{} {}", job.name, text(job.node, "name")).to_lowercase();
        let always = condition.contains("always()") || condition.contains("cancelled()");
        let gate = GATES.iter().any(|gate| name.contains(gate));
        let place = job
            .node
            .entry("needs")
            .map_or(job.node.range.clone(), |(key, value)| key.range.start..value.range.end);
        let whole = doc.text.get(job.node.range.clone()).map(String::from_utf8_lossy).unwrap_or_default();
        if gate && !always && job.node.get("uses").is_none() {
            hits.at(&place, format!("the gate `{}` is skipped when a job before it fails, and a skipped check counts as passed", job.name));
        } else if always && !reads(&whole) && (gate || acts(doc, job)) {
            hits.at(
                &place,
                format!("the job `{}` runs always and looks at no result of the jobs it needs", job.name),
            );
        }
        verdict(doc, job, &whole, &place, hits);
    }
}

fn reads(whole: &str) -> bool {
    ["needs.", "toJSON(needs)", "toJson(needs)", "tojson(needs)", "failure()", "success()"]
        .iter()
        .any(|word| whole.contains(word))
}

/// Tells whether a job changes something.
fn acts(doc: &Doc<'_>, job: &Job<'_>) -> bool {
    job.node.get("environment").is_some()
        || permissions(doc.flow, job, None).is_some_and(|rights| !writes(rights).is_empty())
}

/// A job that writes after a judge, and takes the judge's success for its verdict.
fn verdict(doc: &Doc<'_>, job: &Job<'_>, whole: &str, place: &Range<usize>, hits: &mut Hits) {
    let needs = job.node.get("needs").map(Node::names).unwrap_or_default();
    let judge =
        needs.iter().map(|(_, name)| *name).find(|name| JUDGES.iter().any(|judge| name.contains(judge)));
    let Some(judge) = judge.filter(|_| acts(doc, job)) else { return };
    let downloads = job
        .steps
        .iter()
        .any(|step| action(step).is_some_and(|(name, _)| name == "actions/download-artifact"));
    let told = whole.contains(&format!("needs.{judge}.outputs"))
        || whole.contains(&format!("needs['{judge}'].outputs"))
        || job.steps.iter().any(|step| input(step, "verdict").is_some());
    if !told && !downloads && job.node.get("uses").is_none() {
        hits.rated(
            Severity::Medium,
            place,
            format!("the job `{}` goes by the result of `{judge}` alone, which says that it ran, not what it found", job.name),
        );
    }
}
