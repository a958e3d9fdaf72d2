//! `lint/secret-env`: a secret lies in the environment of more than needs it, or of code of the repository.
//!
//! Must never complain of the one step that uses it.

use super::prelude::*;
use crate::lint::doc::{checkouts, secrets};
use crate::lint::powers::{command, runs_code};

pub(super) static RULE: Rule = Rule {
    code: "lint/secret-env",
    severity: Severity::Medium,
    help: "Put the secret into `env:` of the one step that needs it, in a job that runs no code of the repository.",
    check,
};

fn check(doc: &Doc<'_>, hits: &mut Hits) {
    if let Some(env) = doc.flow.root.get("env") {
        for (node, name) in secrets(env) {
            hits.at(
                &node.range,
                format!("the secret `{name}` is in the environment of every step of every job"),
            );
        }
    }
    for job in &doc.flow.jobs {
        if let Some(env) = job.node.get("env") {
            for (node, name) in secrets(env) {
                hits.at(
                    &node.range,
                    format!(
                        "the secret `{name}` is in the environment of every step of the job `{}`",
                        job.name
                    ),
                );
            }
        }
        // Only what is on the way to it: what code of the repository leaves behind reads the environment of later steps.
        let code = runs_code(job).map(|(_, place)| place.start);
        for step in &job.steps {
            let runs = checkouts(job).next().is_some() && command(text(step, "run")).is_some();
            let late = step.get("run").is_some_and(|run| code.is_some_and(|code| code <= run.range.start));
            let Some(env) = step.get("env").filter(|_| runs || late) else { continue };
            for (node, name) in secrets(env) {
                let (severity, whose) = if runs {
                    (Severity::High, "of code of the repository")
                } else {
                    (Severity::Medium, "of a step after code of the repository ran in the same job")
                };
                hits.rated(
                    severity,
                    &node.range,
                    format!("the secret `{name}` is in the environment {whose}"),
                );
            }
        }
    }
}
