//! `lint/concurrency`: a group that cancels what it should not.
//!
//! Must never complain of a group that only waits.

use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    code: "lint/concurrency",
    severity: Severity::Medium,
    help: "Put the pull request (or the ref) and the stage into the group; in a called workflow, do not use `github.workflow`.",
    check,
};

const OWN: [&str; 10] = [
    "github.ref",
    "head_ref",
    ".number",
    "github.run_id",
    "github.sha",
    "inputs.",
    "github.event.issue",
    "matrix.",
    "head.sha",
    "client_payload",
];

fn check(doc: &Doc<'_>, hits: &mut Hits) {
    let places = std::iter::once(doc.flow.root).chain(doc.flow.jobs.iter().map(|job| job.node));
    for node in places {
        let Some((key, value)) = node.entry("concurrency") else { continue };
        let group = value.get("group").unwrap_or(value);
        let Some(name) = group.text() else { continue };
        let whole = key.range.start..group.range.end;
        if doc.flow.trigger("workflow_call").is_some() && name.contains("github.workflow") {
            hits.rated(Severity::High, &whole, "`github.workflow` in a called workflow is the caller's name: the call waits for its caller, or cancels it");
            continue;
        }
        let cancels =
            value.get("cancel-in-progress").and_then(Node::text).is_some_and(|text| text != "false");
        if cancels && !OWN.iter().any(|own| name.contains(own)) {
            hits.at(
                &whole,
                format!("runs of the group `{name}` cancel each other, whatever pull request they are for"),
            );
        }
    }
}
