//! `lint/untrusted-artifact`: files of a pull request's run are taken into a run with rights.
//!
//! Must never complain of files of the same run.

use super::prelude::*;
use crate::lint::doc::input;

pub(super) static RULE: Rule = Rule {
    code: "lint/untrusted-artifact",
    severity: Severity::High,
    help: "Unpack into a folder of `runner.temp`, take single values, check each, and never run or source a file of it.",
    check,
};

fn check(doc: &Doc<'_>, hits: &mut Hits) {
    if doc.flow.trigger("workflow_run").is_none() {
        return;
    }
    for job in &doc.flow.jobs {
        for step in &job.steps {
            let by_action = action(step).is_some_and(|(name, _)| {
                name == "actions/download-artifact" || name == "dawidd6/action-download-artifact"
            }) && (input(step, "run-id").is_some()
                || input(step, "run_id").is_some()
                || action(step).is_some_and(|(name, _)| name.starts_with("dawidd6")));
            let apart = input(step, "path").is_some_and(|path| path.contains("runner.temp"));
            let script = text(step, "run");
            let by_command = script.contains("gh run download") && !script.contains("RUNNER_TEMP");
            if (by_action && !apart) || by_command {
                let node = step
                    .get("uses")
                    .or_else(|| step.get("run"))
                    .map_or(step.range.clone(), |node| node.range.clone());
                hits.at(&node, format!("the job `{}` unpacks files of another run, which a stranger may have made, into its folder", job.name));
            }
        }
    }
}
