//! `lint/instruction-files`: an agent with rights reads its instructions from the code of a pull request.
//!
//! Must never complain where the head is taken without rights and keys.

use super::prelude::*;
use crate::lint::doc::{agent, checkouts, secrets, takes_head};
use crate::lint::powers::{permissions, writes};
use crate::scan::workflows::checkout::FETCHES;

pub(super) static RULE: Rule = Rule {
    code: "lint/instruction-files",
    severity: Severity::High,
    help: "Check out the base commit for the agent, so that CLAUDE.md, AGENTS.md, .mcp.json, hooks and settings are those of the base.",
    check,
};

fn check(doc: &Doc<'_>, hits: &mut Hits) {
    for job in &doc.flow.jobs {
        let fetched = job
            .steps
            .iter()
            .find(|step| FETCHES.as_ref().is_some_and(|fetches| fetches.is_match(text(step, "run"))));
        let head = checkouts(job)
            .find(|(_, step)| takes_head(doc, job, step))
            .map(|(_, step)| step)
            .or(fetched.copied());
        let Some(head) = head else { continue };
        let rights = permissions(doc.flow, job, None);
        let privileged = doc.open_event(job).is_some()
            || !secrets(job.node).is_empty()
            || rights.is_some_and(|rights| !writes(rights).is_empty());
        if !privileged {
            continue;
        }
        let mut after = job.steps.iter().skip_while(|step| !std::ptr::eq(**step, head));
        if let Some(place) = after.find_map(|step| agent(step)) {
            hits.at(
                &place,
                format!(
                    "the agent of the job `{}` reads its instructions from the code of the pull request",
                    job.name
                ),
            );
        }
    }
}
