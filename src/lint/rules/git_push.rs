//! `lint/git-push`: strangers choose what is pushed, or where.
//!
//! Must never complain of a fixed remote and a fixed branch.

use std::sync::LazyLock;

use regex::Regex;

use super::prelude::*;
use crate::lint::doc::strangers;
use crate::scan::workflows::checkout::variables;

pub(super) static RULE: Rule = Rule {
    code: "lint/git-push",
    severity: Severity::High,
    help: "Push one fixed refspec to one fixed address, with `core.hooksPath=/dev/null`.",
    check,
};

static PUSH: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\bgit\s+(?:-\S+(?:\s+\S+=\S+)?\s+)*push\b[^\n;&|]*").ok());

fn check(doc: &Doc<'_>, hits: &mut Hits) {
    for job in &doc.flow.jobs {
        doc.scripts(job, &mut |step, node, code| {
            for found in PUSH.as_ref().into_iter().flat_map(|push| push.find_iter(code)) {
                let command = found.as_str();
                let program = command.contains("--receive-pack")
                    || command.contains("ext::")
                    || command.contains("--exec");
                let chosen = strangers(command).is_some()
                    || variables(command).any(|name| doc.strangers_variable(job, step, name));
                if program || (chosen && doc.open_event(job).is_some()) {
                    hits.at(
                        &doc.within(node, command.trim_end()),
                        format!(
                            "a stranger can choose what the job `{}` pushes, or the program that receives it",
                            job.name
                        ),
                    );
                }
            }
        });
    }
}
