//! `lint/environment-file`: what strangers write becomes a variable or a folder of programs for later steps.
//!
//! Must never complain of a fixed text.

use super::prelude::*;
use crate::lint::doc::strangers;
use crate::scan::workflows::checkout::variables;

pub(super) static RULE: Rule = Rule {
    code: "lint/environment-file",
    severity: Severity::High,
    help: "Write an output of the step instead, and hand it to the one step that needs it through `env:`.",
    check,
};

fn check(doc: &Doc<'_>, hits: &mut Hits) {
    for job in &doc.flow.jobs {
        let open = doc.open_event(job);
        doc.scripts(job, &mut |step, node, code| {
            let line = code.lines().find(|line| {
                let (value, file) = match (line.split_once("GITHUB_ENV"), line.split_once("GITHUB_PATH")) {
                    (Some((value, _)), _) => (value, "GITHUB_ENV"),
                    (_, Some((value, _))) => (value, "GITHUB_PATH"),
                    _ => return false,
                };
                let variable = variables(value)
                    .filter(|name| *name != file)
                    .any(|name| doc.strangers_variable(job, step, name) || (open.is_some() && !known(name)));
                let foreign = open.is_some()
                    && (value.contains("steps.")
                        || value.contains("needs.")
                        || value.contains("$(")
                        || value.contains("cat "));
                strangers(value).is_some() || variable || foreign
            });
            let Some(line) = line else { return };
            let message = format!(
                "a script of the job `{}` writes what strangers say into the environment of later steps",
                job.name
            );
            hits.at(&doc.within(node, line.trim()), message);
        });
    }
}

/// Variables whose value the runner alone sets.
fn known(name: &str) -> bool {
    name.is_empty()
        || name == "HOME"
        || name == "PATH"
        || name == "PWD"
        || (name.starts_with("RUNNER_") || name.starts_with("GITHUB_")) && !name.contains("REF")
}
