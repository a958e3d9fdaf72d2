//! Tokens, secrets, machines and conditions of a workflow.
//!
//! Must never take a right that is only read for one that writes.

use std::sync::LazyLock;

use regex::Regex;

use super::super::yaml::Node;
use super::expression::{expressions, names};
use super::model::{Flow, Job, is_block, text};
use super::{Confidence, Note, PERMISSIONS, Report, SECRETS, SELF_HOSTED, TRUST};

pub fn scan(flow: &Flow<'_>, report: &mut Report<'_, '_>) {
    permissions(flow.root, "the workflow", report);
    for job in &flow.jobs {
        permissions(job.node, &format!("the job `{}`", job.name), report);
        self_hosted(flow, job, report);
        condition(flow, job.node, job.name, report);
        for step in &job.steps {
            condition(flow, step, job.name, report);
        }
        secrets(job, report);
    }
    missing(flow, report);
}

fn permissions(node: &Node, whose: &str, report: &mut Report<'_, '_>) {
    let Some((key, value)) = node.entry("permissions") else { return };
    if value.text() == Some("write-all") {
        report.add(Note {
            code: PERMISSIONS,
            places: std::slice::from_ref(&(key.range.start..value.range.end)),
            message: format!("{whose} has a token that can write everything"),
            key: format!("{whose}\0write-all"),
            confidence: Confidence::High,
            kind: "write-all",
            action: "",
        });
    }
    for (name, right) in value.entries() {
        let (Some(of), Some("write")) = (name.text(), right.text()) else { continue };
        report.add(Note {
            code: PERMISSIONS,
            places: std::slice::from_ref(&(name.range.start..right.range.end)),
            message: format!("{whose} has a token that can write `{of}`"),
            key: format!("{whose}\0{of}"),
            confidence: Confidence::Medium,
            kind: "write",
            action: "",
        });
    }
}

/// Commands that need a token that writes.
static WRITES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"\bgit\s+push\b|\bgh\s+(?:pr|issue|release|label)\s+(?:create|comment|edit|merge|close|review|upload|delete)\b|github\.rest\.\w+\.(?:create|update|add|remove|delete|merge)",
    )
    .ok()
});

fn missing(flow: &Flow<'_>, report: &mut Report<'_, '_>) {
    if flow.action || flow.root.get("permissions").is_some() {
        return;
    }
    for job in flow.jobs.iter().filter(|job| job.node.get("permissions").is_none()) {
        let writing = job.steps.iter().find_map(|step| {
            let with = step.get("with").and_then(|with| with.get("script"));
            let script = step.get("run").or(with)?;
            let found = WRITES.as_ref()?.find(script.text()?)?;
            Some((script, found.as_str().to_owned()))
        });
        let places = match (&writing, flow.privileged()) {
            (Some((node, command)), _) => vec![report.place(&node.range, command)],
            (None, Some((trigger, _))) => vec![trigger.range.clone()],
            (None, None) => continue,
        };
        report.add(Note {
            code: PERMISSIONS,
            places: &places,
            message: format!("the job `{}` does not say which rights its token has", job.name),
            key: format!("{}\0missing", job.name),
            confidence: Confidence::Medium,
            kind: "missing",
            action: "",
        });
    }
}

fn self_hosted(flow: &Flow<'_>, job: &Job<'_>, report: &mut Report<'_, '_>) {
    let Some((trigger, event)) =
        flow.triggers.iter().find(|(_, name)| matches!(*name, "pull_request" | "pull_request_target"))
    else {
        return;
    };
    let Some((key, runner)) = job.node.entry("runs-on") else { return };
    if flow.leaves_out(text(job.node, "if"), event) {
        return;
    }
    let labels = runner.get("labels").unwrap_or(runner);
    let own = |label: &str| label.eq_ignore_ascii_case("self-hosted");
    let named = match labels.text() {
        // A condition may choose it.
        Some(text) => own(text) || (text.contains("${{") && text.contains("self-hosted")),
        None => labels.names().iter().any(|(_, label)| own(label)),
    };
    if named {
        report.add(Note {
            code: SELF_HOSTED,
            places: &[key.range.start..runner.range.end, trigger.range.clone()],
            message: format!("the job `{}` runs pull requests on a machine of your own", job.name),
            key: job.name.to_owned(),
            confidence: Confidence::Medium,
            kind: "",
            action: "",
        });
    }
}

/// A name of a robot, or of any robot, compared with who caused the run.
static ACTOR: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?ix)(?:github\.(?:triggering_)?actor|github\.event\.sender\.login)\s*==\s*'[^']*\[bot\]'
        | '[^']*\[bot\]'\s*==\s*github\.(?:triggering_)?actor
        | (?:endswith|contains)\(\s*(?:github\.(?:triggering_)?actor|github\.event\.(?:sender|\w+\.user)\.login)\s*,\s*'\[?bot\]?'",
    )
    .ok()
});
/// Whether a whole list of words in one text holds what a stranger may name.
static WITHIN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)contains\(\s*'[^']*[ ,|][^']*'\s*,\s*(?:github\.(?:ref|ref_name|head_ref|base_ref|actor|repository|event[\w.]*))\s*\)").ok()
});

fn condition(flow: &Flow<'_>, node: &Node, job: &str, report: &mut Report<'_, '_>) {
    let Some((key, value)) = node.entry("if") else { return };
    let Some(condition) = value.text() else { return };
    let mut add = |message: String, kind, confidence, place| {
        report.add(Note {
            code: TRUST,
            places: &[place],
            message,
            key: format!("{job}\0{kind}\0{condition}"),
            confidence,
            kind,
            action: "",
        });
    };
    let whole = key.range.start..value.range.end;
    let found = expressions(condition);
    let outside = found.iter().fold(condition.len(), |left, e| left - e.range.len());
    let blank = match found.as_slice() {
        [only] => {
            let around = [condition.get(..only.range.start), condition.get(only.range.end..)];
            // A block keeps its line end, and a text is always true.
            around.iter().flatten().all(|text| text.is_empty())
                || (!is_block(value) && around.iter().flatten().all(|t| t.trim().is_empty()))
        }
        _ => false,
    };
    if !found.is_empty() && outside > 0 && !blank {
        let message =
            format!("the condition in the job `{job}` is a text around an expression, which is always true");
        add(message, "always", Confidence::High, whole.clone());
    }
    if let Some(found) = ACTOR.as_ref().and_then(|actor| actor.find(condition)) {
        let any = !found.as_str().contains("==");
        let sure = flow.has_rights();
        let message = if any {
            format!("the job `{job}` trusts everybody whose name ends like a robot's")
        } else {
            format!("the job `{job}` trusts who caused the run last, not who wrote what it runs on")
        };
        let confidence = if sure { Confidence::High } else { Confidence::Medium };
        add(message, "actor", confidence, whole.clone());
    }
    if WITHIN.as_ref().is_some_and(|within| within.is_match(condition)) {
        let message = format!(
            "the condition in the job `{job}` is true for every part of a text, not only for its words"
        );
        add(message, "within", Confidence::Medium, whole);
    }
}

fn secrets(job: &Job<'_>, report: &mut Report<'_, '_>) {
    let mut all: Vec<(std::ops::Range<usize>, String)> = Vec::new();
    job.node.each_text(&mut |node, value| {
        for expression in expressions(value) {
            let inner = expression.inner.replace(' ', "").to_lowercase();
            if inner.contains("tojson(secrets)") {
                let whole = value.get(expression.range.clone()).unwrap_or_default();
                all.push((report.place(&node.range, whole), job.name.to_owned()));
            }
        }
    });
    for (place, name) in all {
        report.add(Note {
            code: SECRETS,
            places: &[place],
            message: format!("the job `{name}` is given every secret of the repository"),
            key: format!("all\0{name}"),
            confidence: Confidence::High,
            kind: "all",
            action: "",
        });
    }
    for step in &job.steps {
        let Some(run) = step.get("run") else { continue };
        let script = run.text().unwrap_or_default();
        for expression in expressions(script) {
            let mut secret = None;
            names(expression.inner, &mut |path| {
                if secret.is_none() && path.starts_with("secrets.") && path != "secrets.github_token" {
                    secret = path.strip_prefix("secrets.").map(str::to_uppercase);
                }
            });
            let Some(secret) =
                secret.filter(|_| !expression.inner.contains("==") && !expression.inner.contains("!="))
            else {
                continue;
            };
            let whole = script.get(expression.range.clone()).unwrap_or_default();
            report.add(Note {
                code: SECRETS,
                places: &[report.place(&run.range, whole)],
                message: format!("the secret `{secret}` is written into a script of the job `{}`", job.name),
                key: format!("run\0{}\0{secret}", job.name),
                confidence: Confidence::Medium,
                kind: "run",
                action: "",
            });
        }
    }
}
