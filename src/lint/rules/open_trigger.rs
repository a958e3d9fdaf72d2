//! `lint/open-trigger`: anybody can start a job that holds rights or keys.
//!
//! Must never complain where the job asks who it is, or a person has to say yes first.

use super::prelude::*;
use crate::lint::doc::secrets;
use crate::lint::powers::{permissions, writes};

pub(super) static RULE: Rule = Rule {
    code: "lint/open-trigger",
    severity: Severity::Medium,
    help: "Ask who it is first (`author_association` of OWNER, MEMBER or COLLABORATOR, or the permission by the API), or put the job behind an environment.",
    check,
};

const ASKS: [&str; 9] = [
    "author_association",
    "permission",
    "label",
    "github.actor ==",
    "sender.login ==",
    "user.login ==",
    "head.repo.full_name == github.repository",
    "fork == false",
    "outputs.",
];

fn check(doc: &Doc<'_>, hits: &mut Hits) {
    if let Some(trigger) = doc.flow.trigger("pull_request_target") {
        hits.at(&trigger.range, "`pull_request_target` runs strangers' pull requests with the rights of the repository; public repositories block it by default");
    }
    for job in &doc.flow.jobs {
        let Some((trigger, event)) = doc
            .open_event(job)
            .filter(|(_, event)| !event.starts_with("pull_request_target") && *event != "workflow_run")
        else {
            continue;
        };
        let rights = permissions(doc.flow, job, None);
        let holds = rights
            .is_none_or(|rights| writes(rights).iter().any(|(right, _)| !right.starts_with("issues")))
            || !secrets(job.node).is_empty()
            || job.node.get("secrets").is_some();
        let whole = doc.text.get(job.node.range.clone()).map(String::from_utf8_lossy).unwrap_or_default();
        let condition = text(job.node, "if");
        let labelled = doc.flow.root.at(&["on", event, "types"]).is_some_and(|types| {
            types.names().iter().all(|(_, name)| *name == "labeled" || *name == "assigned")
        });
        let asks = ASKS.iter().any(|word| condition.contains(word))
            || whole.contains("getCollaboratorPermissionLevel")
            || whole.contains("/permission")
            || labelled;
        if holds && !asks && job.node.get("environment").is_none() {
            hits.at(
                &trigger.range,
                format!(
                    "anybody can start the job `{}` by `{event}`, and it holds rights or secrets",
                    job.name
                ),
            );
        }
    }
}
