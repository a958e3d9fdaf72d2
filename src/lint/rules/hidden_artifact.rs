//! `lint/hidden-artifact`: an artifact that stays empty, since its files are hidden ones.
//!
//! Must never complain where hidden files are asked for.

use super::prelude::*;
use crate::lint::doc::input;

pub(super) static RULE: Rule = Rule {
    code: "lint/hidden-artifact",
    severity: Severity::Low,
    help: "Use a folder without a dot, or add `include-hidden-files: true`.",
    check,
};

fn check(doc: &Doc<'_>, hits: &mut Hits) {
    for job in &doc.flow.jobs {
        for step in &job.steps {
            if action(step).is_none_or(|(name, _)| name != "actions/upload-artifact")
                || input(step, "include-hidden-files") == Some("true")
            {
                continue;
            }
            let Some((_, path)) = inputs(step).find(|(key, _)| *key == "path") else { continue };
            let hidden = path.text().unwrap_or_default().lines().find(|line| {
                line.trim().split('/').any(|part| part.len() > 1 && part.starts_with('.') && part != "..")
            });
            if let Some(line) = hidden {
                hits.at(
                    &doc.within(path, line.trim()),
                    format!(
                        "the upload of the job `{}` leaves out hidden files, so `{}` stays empty",
                        job.name,
                        line.trim()
                    ),
                );
            }
        }
    }
}
