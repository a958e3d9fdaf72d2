//! `lint/input-injection`: an input becomes part of a script.
//!
//! Must never complain of an input that can only be a number, yes or no, or one of a list.

use super::prelude::*;
use crate::lint::doc::flowing;

pub(super) static RULE: Rule = Rule {
    code: "lint/input-injection",
    severity: Severity::High,
    help: "Hand the input over through `env:` and name the variable in quotes in the script.",
    check,
};

fn check(doc: &Doc<'_>, hits: &mut Hits) {
    for job in &doc.flow.jobs {
        doc.scripts(job, &mut |_, node, code| {
            flowing(code, &mut |path, whole| {
                let name = path.strip_prefix("inputs.").or_else(|| path.strip_prefix("github.event.inputs."));
                let payload = path.starts_with("github.event.client_payload");
                if payload || name.is_some_and(|name| !is_bounded(doc, name)) {
                    hits.at(
                        &doc.within(node, whole),
                        format!("`{path}` becomes part of a script of the job `{}`", job.name),
                    );
                }
            });
        });
    }
}

/// Tells whether an input can hold no text of its own; in an action every input is text.
fn is_bounded(doc: &Doc<'_>, name: &str) -> bool {
    ["workflow_call", "workflow_dispatch"].iter().any(|event| {
        let inputs = doc.flow.root.at(&["on", event, "inputs"]).map(Node::entries).unwrap_or_default();
        let input =
            inputs.iter().find(|(key, _)| key.text().is_some_and(|key| key.eq_ignore_ascii_case(name)));
        input.is_some_and(|(_, node)| matches!(text(node, "type"), "boolean" | "number" | "choice"))
    })
}
