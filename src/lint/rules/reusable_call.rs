//! `lint/reusable-call`: a call of a workflow that GitHub refuses, or that does not do what it says.
//!
//! Must never complain of keys a call may have.

use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    code: "lint/reusable-call",
    severity: Severity::Medium,
    help: "A call may have name, uses, with, secrets, strategy, needs, if, concurrency and permissions; set the rest in the called workflow.",
    check,
};

const MAY: [&str; 9] =
    ["name", "uses", "with", "secrets", "strategy", "needs", "if", "concurrency", "permissions"];

fn check(doc: &Doc<'_>, hits: &mut Hits) {
    for job in &doc.flow.jobs {
        let Some(uses) = job.node.get("uses") else { continue };
        for (key, _) in job.node.entries() {
            if let Some(name) = key.text().filter(|name| !MAY.contains(name)) {
                hits.at(
                    &key.range,
                    format!("the job `{}` calls a workflow and has `{name}`, which GitHub refuses", job.name),
                );
            }
        }
        let name = uses.text().unwrap_or_default();
        let path = name.split('@').next().unwrap_or_default();
        let inner = path.split(".github/workflows/").nth(1).unwrap_or_default();
        if inner.contains('/') {
            hits.at(
                &uses.range,
                format!("`{name}` lies in a folder below `.github/workflows`, where GitHub does not look"),
            );
        }
        if name.contains("@refs/") {
            hits.at(&uses.range, format!("`{name}`: a ref begins with no `refs/`"));
        }
    }
}
