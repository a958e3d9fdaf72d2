//! One file as the rules see it, and the questions several of them ask.
//!
//! Must never be stricter than GitHub: what is of the wrong form is passed over.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::Files;
use crate::scan::workflows::expression::{expressions, flows, is_strangers, names};
use crate::scan::workflows::model::{Flow, Job, action, inputs, text};
use crate::scan::yaml::Node;

/// A workflow or action.
pub(super) struct Doc<'d> {
    pub path: &'d str,
    pub text: &'d [u8],
    pub flow: &'d Flow<'d>,
    pub files: &'d Files,
}

/// Events that strangers cause while the run may hold secrets and a token that writes.
pub(super) const OPEN: [&str; 8] = [
    "pull_request_target",
    "workflow_run",
    "issue_comment",
    "issues",
    "discussion",
    "discussion_comment",
    "pull_request_review",
    "pull_request_review_comment",
];

/// Actions that hand text to a model which may use tools.
const AGENTS: [&str; 9] = [
    "anthropics/claude-code-action",
    "anthropics/claude-code-base-action",
    "openai/codex-action",
    "google-github-actions/run-gemini-cli",
    "google-gemini/gemini-cli-action",
    "actions/ai-inference",
    "sourcegraph/amp-action",
    "warpdotdev/warp-agent-action",
    "cursor/cursor-agent-action",
];
static AGENT_COMMANDS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?m)(?:^|[\s;&|(`])(?:npx\s+(?:-\S+\s+)*)?(?:@anthropic-ai/claude-code|claude|@openai/codex|codex\s+exec|@google/gemini-cli|gemini|opencode\s+run|cursor-agent|aider)\s+-?\S").ok()
});

impl<'d> Doc<'d> {
    /// Returns the event strangers cause with which a job runs while it has rights.
    pub(super) fn open_event(&self, job: &Job<'_>) -> Option<(&'d Node, &'d str)> {
        let condition = text(job.node, "if");
        let mut found = self.flow.triggers.iter();
        found.find(|(_, name)| OPEN.contains(name) && !self.flow.leaves_out(condition, name)).copied()
    }

    /// Returns the range of a text within a node, as it is written.
    pub(super) fn within(&self, node: &Node, needle: &str) -> Range<usize> {
        let written = self.text.get(node.range.clone()).unwrap_or_default();
        match memchr::memmem::find(written, needle.as_bytes()) {
            Some(at) => node.range.start + at..node.range.start + at + needle.len(),
            None => node.range.clone(),
        }
    }

    #[expect(
        clippy::unused_self,
        reason = "every question is asked of the document, whatever it needs to know for it"
    )]
    /// Calls back with every script of a job: a `run`, or the `script` of an action that runs it.
    pub(super) fn scripts<'j>(&self, job: &Job<'j>, each: &mut dyn FnMut(&'j Node, &'j Node, &'j str)) {
        for step in &job.steps {
            if let Some((node, code)) = step.get("run").and_then(|node| Some((node, node.text()?))) {
                each(step, node, code);
            }
            if action(step).is_some_and(|(name, _)| name == "actions/github-script")
                && let Some((_, node)) = inputs(step).find(|(key, _)| *key == "script")
                && let Some(code) = node.text()
            {
                each(step, node, code);
            }
        }
    }

    /// Tells whether a job's text is turned into a variable of strangers, and which.
    pub(super) fn strangers_variable(&self, job: &Job<'d>, step: &'d Node, name: &str) -> bool {
        self.flow.variable(job, step, name).is_some_and(|value| strangers(value).is_some())
    }
}

/// Returns the context of strangers that flows into a text.
pub(super) fn strangers(value: &str) -> Option<String> {
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

/// Calls back with every context that flows into a text, and the expression as it is written.
pub(super) fn flowing<'t>(value: &'t str, each: &mut dyn FnMut(&str, &'t str)) {
    for expression in expressions(value) {
        let whole = value.get(expression.range.clone()).unwrap_or_default();
        flows(expression.inner, &mut |path| each(path, whole));
    }
}

/// Returns every secret a node names, in capitals, with the node it stands in; the job's own token is none.
pub(super) fn secrets<'n>(node: &'n Node) -> Vec<(&'n Node, String)> {
    let mut found: Vec<(&'n Node, String)> = Vec::new();
    node.each_text(&mut |place, value| {
        for expression in expressions(value) {
            // A comparison tells whether there is one, and hands none over.
            flows(expression.inner, &mut |path| {
                let Some(name) = path.strip_prefix("secrets.") else { return };
                if name != "github_token" {
                    found.push((place, name.to_uppercase()));
                }
            });
        }
    });
    found
}

/// Returns where a step hands text to a model that may use tools.
pub(super) fn agent(step: &Node) -> Option<Range<usize>> {
    if let Some((name, _)) = action(step) {
        let known = AGENTS.iter().any(|agent| name == *agent || name.starts_with(&format!("{agent}/")));
        return known.then(|| step.get("uses").map_or(0..0, |node| node.range.clone()));
    }
    let run = step.get("run")?;
    AGENT_COMMANDS.as_ref()?.is_match(run.text()?).then(|| run.range.clone())
}

/// Returns the checkouts of a job with their position.
pub(super) fn checkouts<'j>(job: &Job<'j>) -> impl Iterator<Item = (usize, &'j Node)> {
    let steps = job.steps.clone();
    steps
        .into_iter()
        .enumerate()
        .filter(|(_, step)| action(step).is_some_and(|(name, _)| name == "actions/checkout"))
}

/// Returns the text of an input of an action.
pub(super) fn input<'n>(step: &'n Node, name: &str) -> Option<&'n str> {
    inputs(step).find(|(key, _)| key.eq_ignore_ascii_case(name)).and_then(|(_, value)| value.text())
}

/// Tells whether a checkout takes the code of a pull request.
pub(super) fn takes_head(doc: &Doc<'_>, job: &Job<'_>, step: &Node) -> bool {
    let of = |name| {
        input(step, name).is_some_and(|text| {
            let mut found = text.contains("pull/") && text.contains("${{");
            for expression in expressions(text) {
                names(expression.inner, &mut |path| {
                    found |= path == "github.head_ref"
                        || path.starts_with("github.event.pull_request.head.")
                        || path.starts_with("github.event.workflow_run.head_")
                        || path == "github.event.pull_request.merge_commit_sha";
                    found |= path.starts_with("steps.")
                        && path.ends_with("sha")
                        && doc.flow.trigger("issue_comment").is_some();
                });
            }
            found
        })
    };
    let default = doc.flow.trigger("pull_request").is_some()
        && input(step, "ref").is_none()
        && input(step, "repository").is_none()
        && doc.open_event(job).is_none();
    of("ref") || of("repository") || default
}
