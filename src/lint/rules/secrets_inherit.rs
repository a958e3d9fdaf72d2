//! `lint/secrets-inherit`: a called workflow gets every secret there is.
//!
//! Must never complain of secrets handed over by name.

use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    code: "lint/secrets-inherit",
    severity: Severity::Medium,
    help: "Name the secrets the called workflow needs, one by one.",
    check,
};

fn check(doc: &Doc<'_>, hits: &mut Hits) {
    for job in &doc.flow.jobs {
        let Some((key, value)) =
            job.node.entry("secrets").filter(|(_, value)| value.text() == Some("inherit"))
        else {
            continue;
        };
        let uses = text(job.node, "uses");
        let severity =
            if uses.starts_with("./") || uses.starts_with("$/") { Severity::Medium } else { Severity::High };
        hits.rated(
            severity,
            &(key.range.start..value.range.end),
            format!(
                "the job `{}` gives every secret to `{}`",
                job.name,
                uses.split('@').next().unwrap_or_default()
            ),
        );
    }
}
