//! `lint/agent-prompt`: text of strangers goes into the prompt of an agent that holds rights.
//!
//! Must never complain of an agent without a token that writes and without tools.

use super::prelude::*;
use crate::lint::doc::{agent, secrets, strangers};
use crate::lint::powers::{is_model_key, permissions, runs_code, writes};

pub(super) static RULE: Rule = Rule {
    code: "lint/agent-prompt",
    severity: Severity::High,
    help: "Let the agent only answer, in a job without rights and tools; check its answer in code; write in another job.",
    check,
};

fn check(doc: &Doc<'_>, hits: &mut Hits) {
    for job in &doc.flow.jobs {
        let open = doc.open_event(job);
        let rights = permissions(doc.flow, job, None);
        let powerful = rights.is_none_or(|rights| !writes(rights).is_empty())
            || runs_code(job).is_some()
            || secrets(job.node).iter().any(|(_, name)| !is_model_key(name));
        for step in &job.steps {
            let Some(place) = agent(step) else { continue };
            let mut said = None;
            for key in ["with", "env", "run"] {
                if let Some(node) = step.get(key) {
                    node.each_text(&mut |_, value| said = said.take().or_else(|| strangers(value)));
                }
            }
            let tools = tools(step);
            match (said, open) {
                (Some(path), _) if powerful || tools => {
                    hits.rated(if powerful && tools { Severity::Critical } else { Severity::High }, &place, format!("`{path}`, which a stranger can write, steers an agent of the job `{}` that holds rights or tools", job.name));
                }
                (None, Some((_, event))) if powerful => {
                    hits.at(&place, format!("the agent of the job `{}` is started by `{event}`, reads what strangers write, and holds rights", job.name));
                }
                _ => {}
            }
        }
    }
}

/// Tells whether the agent is given a shell or may do what it likes.
fn tools(step: &Node) -> bool {
    let mut found = false;
    step.each_text(&mut |_, value| {
        found |= [
            "Bash",
            "--dangerously",
            "--yolo",
            "danger-full-access",
            "bypassPermissions",
            "--approval-mode yolo",
            "run_shell_command",
        ]
        .iter()
        .any(|word| value.contains(word));
    });
    found
}
