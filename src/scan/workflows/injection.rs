//! Text that strangers write, put into a script before anything quotes it.
//!
//! Must never report a value that reaches the script as a variable of its environment.

use super::super::yaml::Node;
use super::expression::{expressions, flows, is_strangers};
use super::model::{Flow, Job, action, inputs, text};
use super::{Confidence, INJECTION, Note, Report};

/// Inputs of actions that are run as code.
const SCRIPTS: [(&str, &str); 8] = [
    ("actions/github-script", "script"),
    ("azure/cli", "inlinescript"),
    ("azure/powershell", "inlinescript"),
    ("nick-fields/retry", "command"),
    ("appleboy/ssh-action", "script"),
    ("cypress-io/github-action", "command"),
    ("mikefarah/yq", "cmd"),
    ("devcontainers/ci", "runcmd"),
];

/// Actions whose outputs are names of branches or files that strangers choose.
const TELLS: [(&str, &[&str]); 3] = [
    ("tj-actions/branch-names", &["head_ref_branch", "current_branch", "ref_branch"]),
    ("tj-actions/changed-files", &["files"]),
    ("xt0rted/pull-request-comment-branch", &["head_ref"]),
];

pub fn scan(flow: &Flow<'_>, report: &mut Report<'_, '_>) {
    for job in &flow.jobs {
        for step in &job.steps {
            if let Some(node) = step.get("run") {
                script(flow, job, step, node, report);
            }
            let Some((name, _)) = action(step) else { continue };
            for (key, node) in inputs(step) {
                let key = key.to_lowercase();
                if SCRIPTS.iter().any(|(action, input)| *action == name && *input == key) {
                    script(flow, job, step, node, report);
                }
            }
        }
    }
}

fn script(flow: &Flow<'_>, job: &Job<'_>, step: &Node, node: &Node, report: &mut Report<'_, '_>) {
    let Some(code) = node.text() else { return };
    let mut from = node.range.start;
    for expression in expressions(code) {
        let mut source: Option<(String, bool)> = None;
        flows(expression.inner, &mut |path| {
            if source.is_none() {
                source = strangers(flow, job, step, path);
            }
        });
        let whole = code.get(expression.range.clone()).unwrap_or_default();
        // The next one of the same spelling is another one.
        let rest = from.min(node.range.end)..node.range.end;
        let place = report.place(&rest, whole);
        if place != rest {
            from = place.end;
        }
        let Some((path, direct)) = source else { continue };
        let place = if place == rest { node.range.clone() } else { place };
        let sure = direct && flow.has_rights();
        let mut places = vec![place];
        if let Some((trigger, _)) =
            flow.triggers.iter().find(|(_, name)| !matches!(*name, "push" | "pull_request"))
        {
            places.push(trigger.range.clone());
        }
        report.add(Note {
            code: INJECTION,
            places: &places,
            message: format!("`{path}`, which a stranger can write, becomes part of a script"),
            key: format!("{}\0{path}", job.name),
            confidence: if sure { Confidence::High } else { Confidence::Medium },
            kind: if flow.has_rights() { "rights" } else { "" },
            action: "",
        });
    }
}

/// Returns what a context gets from strangers, and whether it is their text itself.
fn strangers(flow: &Flow<'_>, job: &Job<'_>, step: &Node, path: &str) -> Option<(String, bool)> {
    if is_strangers(path) {
        return Some((path.to_owned(), true));
    }
    if let Some(name) = path.strip_prefix("env.") {
        let value = flow.variable(job, step, name)?;
        return of_text(value).map(|_| (path.to_owned(), true));
    }
    let rest = path.strip_prefix("steps.")?;
    let (id, output) = rest.split_once(".outputs.")?;
    let other = job.steps.iter().find(|step| text(step, "id").eq_ignore_ascii_case(id))?;
    if let Some((name, _)) = action(other) {
        let (_, outputs) = TELLS.iter().find(|(action, _)| *action == name)?;
        let tells =
            outputs.iter().any(|known| output == *known || (*known == "files" && output.ends_with("files")));
        return tells.then(|| (path.to_owned(), false));
    }
    let writes = text(other, "run").lines().find(|line| {
        line.contains("GITHUB_OUTPUT")
            && line.to_lowercase().contains(&format!("{output}="))
            && line.split('$').skip(1).any(|name| {
                let name = name.trim_start_matches('{');
                let end = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
                flow.variable(job, other, &name[..end]).is_some_and(|value| of_text(value).is_some())
            })
    });
    writes.map(|_| (path.to_owned(), false))
}

fn of_text(value: &str) -> Option<String> {
    let mut found = None;
    for expression in expressions(value) {
        flows(expression.inner, &mut |path| {
            if found.is_none() && is_strangers(path) {
                found = Some(path.to_owned());
            }
        });
    }
    found
}
