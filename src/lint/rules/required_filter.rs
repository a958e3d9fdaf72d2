//! `lint/required-filter`: a check that is waited for and, by a filter, never starts.
//!
//! Must never guess which checks are required: only where the file itself says so.

use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    code: "lint/required-filter",
    severity: Severity::Medium,
    help: "Start the workflow always and decide by an `if:` of the job: a skipped job counts as passed, a workflow that never starts waits for ever.",
    check,
};

fn check(doc: &Doc<'_>, hits: &mut Hits) {
    let Some(on) = doc.flow.root.get("on") else { return };
    let mut names = vec![text(doc.flow.root, "name")];
    names.extend(doc.flow.jobs.iter().flat_map(|job| [job.name, text(job.node, "name")]));
    let said = names.join(" ");
    let required = doc.flow.trigger("merge_group").is_some()
        || said.to_lowercase().contains("required")
        || said.contains("all-green");
    for event in ["pull_request", "pull_request_target"] {
        let Some(filters) = on.get(event) else { continue };
        for filter in ["paths", "paths-ignore"] {
            if let Some((key, value)) = filters.entry(filter).filter(|_| required) {
                hits.at(
                    &(key.range.start..value.range.end),
                    format!("`{filter}` can keep a check from starting that others wait for"),
                );
            }
        }
    }
    if required
        && doc.flow.trigger("merge_group").is_none()
        && doc.flow.trigger("pull_request").is_some()
        && said.contains("merge queue")
    {
        hits.at(&on.range, "a required check without `merge_group` keeps the merge queue waiting");
    }
}
