//! `lint/artifact-name`: an artifact that clashes with another, or with the one of the attempt before.
//!
//! Must never complain where the upload overwrites on purpose.

use super::prelude::*;
use crate::lint::doc::input;

pub(super) static RULE: Rule = Rule {
    code: "lint/artifact-name",
    severity: Severity::Low,
    help: "Put `${{ github.run_attempt }}`, and in a matrix its key, into the name.",
    check,
};

fn check(doc: &Doc<'_>, hits: &mut Hits) {
    for job in &doc.flow.jobs {
        for step in &job.steps {
            if action(step).is_none_or(|(name, _)| name != "actions/upload-artifact")
                || input(step, "overwrite") == Some("true")
            {
                continue;
            }
            let name = input(step, "name").unwrap_or_default();
            let place = step.get("uses").map_or(step.range.clone(), |node| node.range.clone());
            let matrix = job.node.at(&["strategy", "matrix"]).is_some();
            let tells = |word: &str| {
                // What a step made up is not seen from here.
                name.contains(word)
                    || name.contains("steps.")
                    || name.contains("needs.")
                    || (name.contains("inputs.") && doc.flow.action)
            };
            if matrix && !tells("matrix.") && !tells("strategy.job-index") {
                hits.rated(
                    Severity::Medium,
                    &place,
                    format!("every job of the matrix `{}` uploads an artifact of the same name", job.name),
                );
            } else if !tells("run_attempt") {
                hits.at(&place, format!("the artifact of the job `{}` has the same name in every attempt: a re-run fails, or reads what is stale", job.name));
            }
        }
    }
}
