//! `lint/app-token`: the token of an App with every right the App has.
//!
//! Must never complain of rights named one by one.

use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    code: "lint/app-token",
    severity: Severity::Medium,
    help: "Name what the token needs: `permission-contents: write`, `permission-pull-requests: write`.",
    check,
};

fn check(doc: &Doc<'_>, hits: &mut Hits) {
    for job in &doc.flow.jobs {
        for step in &job.steps {
            let makes = action(step).is_some_and(|(name, _)| {
                name.ends_with("/create-github-app-token") || name == "tibdex/github-app-token"
            });
            if makes && !inputs(step).any(|(key, _)| key.starts_with("permission-") || key == "permissions") {
                let place = step.get("uses").map_or(step.range.clone(), |node| node.range.clone());
                hits.at(
                    &place,
                    format!("the token that the job `{}` makes has every right of the App", job.name),
                );
            }
        }
    }
}
