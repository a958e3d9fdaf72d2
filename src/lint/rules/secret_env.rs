//! `lint/secret-env`: a secret lies in the environment of more than needs it, or of code of the repository.
//!
//! Must never complain of the one step that uses it.

use super::prelude::*;
use crate::lint::doc::{checkouts, secrets};
use crate::lint::powers::command;

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
        for step in &job.steps {
            let runs = checkouts(job).next().is_some() && command(text(step, "run")).is_some();
            let Some(env) = step.get("env").filter(|_| runs) else { continue };
            for (node, name) in secrets(env) {
                hits.rated(
                    Severity::High,
                    &node.range,
                    format!("the secret `{name}` is in the environment of code of the repository"),
                );
            }
        }
    }
}
