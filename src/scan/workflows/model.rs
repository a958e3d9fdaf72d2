//! A workflow or action as far as its safety goes: what starts it, its jobs, their steps.
//!
//! Must never be stricter than GitHub: what is of the wrong form is passed over.

use super::super::yaml::{Node, Value};
use super::expression;

/// Events that a stranger causes while the run has the rights of the repository.
pub const PRIVILEGED: [&str; 3] = ["pull_request_target", "workflow_run", "issue_comment"];
/// More of them, which bring text of strangers but no code.
const TEXT: [&str; 8] = [
    "issues",
    "discussion",
    "discussion_comment",
    "gollum",
    "fork",
    "watch",
    "pull_request_review",
    "pull_request_review_comment",
];

/// A workflow or action.
pub struct Flow<'f> {
    pub root: &'f Node,
    /// What starts it, by name; none for an action.
    pub triggers: Vec<(&'f Node, &'f str)>,
    pub jobs: Vec<Job<'f>>,
    pub action: bool,
}

/// A job, or all of a composite action.
pub struct Job<'f> {
    pub name: &'f str,
    pub node: &'f Node,
    pub steps: Vec<&'f Node>,
}

impl<'f> Flow<'f> {
    pub fn new(root: &'f Node, action: bool) -> Self {
        if action {
            let jobs = root.get("runs").map(|node| Job { name: "runs", node, steps: steps(node) });
            return Self { root, triggers: Vec::new(), jobs: jobs.into_iter().collect(), action };
        }
        let triggers = root.get("on").map(Node::names).unwrap_or_default();
        let jobs = root.get("jobs").map(Node::entries).unwrap_or_default();
        let jobs = jobs
            .iter()
            .map(|(key, node)| Job { name: key.text().unwrap_or_default(), node, steps: steps(node) })
            .collect();
        Self { root, triggers, jobs, action }
    }

    /// Returns the trigger of that name.
    pub fn trigger(&self, name: &str) -> Option<&'f Node> {
        self.triggers.iter().find(|(_, n)| *n == name).map(|(node, _)| *node)
    }

    /// Returns the first trigger with which strangers' code can run with rights.
    pub fn privileged(&self) -> Option<(&'f Node, &'f str)> {
        self.triggers.iter().find(|(_, name)| PRIVILEGED.contains(name)).copied()
    }

    /// Tells whether strangers start it while it has rights.
    pub fn has_rights(&self) -> bool {
        self.triggers.iter().any(|(_, name)| PRIVILEGED.contains(name) || TEXT.contains(name))
    }

    /// Tells whether an event is left out by a job's or step's condition, as far as it says so plainly.
    pub fn leaves_out(&self, condition: &str, event: &str) -> bool {
        let condition = condition.replace('"', "'");
        let named = |op: &str, name: &str| {
            condition.contains(&format!("github.event_name {op} '{name}'"))
                || condition.contains(&format!("github.event_name{op}'{name}'"))
        };
        if named("!=", event) {
            return !condition.contains("||");
        }
        let others = self.triggers.iter().any(|(_, name)| *name != event && named("==", name));
        others && !named("==", event) && !condition.contains("||")
    }

    /// Returns the environment variable's value that a step sees.
    pub fn variable(&self, job: &Job<'f>, step: &'f Node, name: &str) -> Option<&'f str> {
        [step, job.node, self.root].iter().find_map(|node| {
            let entries = node.get("env")?.entries();
            entries.iter().find(|(k, _)| k.text().is_some_and(|k| k.eq_ignore_ascii_case(name)))?.1.text()
        })
    }
}

/// Returns the steps, those that run beside each other (`parallel`) one after another.
fn steps(node: &Node) -> Vec<&Node> {
    let items = node.get("steps").map(Node::items).unwrap_or_default();
    items
        .iter()
        .flat_map(|step| match step.get("parallel") {
            Some(parallel) => parallel.items().iter().map(|step| &**step).collect(),
            None => vec![&**step],
        })
        .collect()
}

/// Returns the text of a step's key; empty when there is none.
pub fn text<'n>(node: &'n Node, key: &str) -> &'n str {
    node.get(key).and_then(Node::text).unwrap_or_default()
}

/// Returns the name of an action in lower case and its ref: `actions/checkout` and `v4`.
pub fn action(step: &Node) -> Option<(String, &str)> {
    let uses = step.get("uses")?.text()?;
    let (name, reference) = uses.split_once('@').unwrap_or((uses, ""));
    Some((name.trim().to_lowercase(), reference.trim()))
}

/// Returns the major version of a ref such as `v4` or `v4.1.2`; a commit, whose version follows in a comment, has none.
pub fn major(reference: &str) -> Option<u32> {
    let digits = reference.strip_prefix('v').unwrap_or(reference);
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    (end <= 3 && (end == digits.len() || digits[end..].starts_with('.')))
        .then(|| digits[..end].parse().ok())?
}

/// Tells whether a ref is a full commit.
pub fn is_commit(reference: &str) -> bool {
    matches!(reference.len(), 40 | 64) && reference.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Calls back with each key and value of `with`.
pub fn inputs(step: &Node) -> impl Iterator<Item = (&str, &Node)> {
    let entries = step.get("with").map(Node::entries).unwrap_or_default();
    entries.iter().filter_map(|(key, value)| Some((key.text()?, &**value)))
}

/// Tells whether any text of a node names a context that is so.
pub fn mentions(node: &Node, is: &dyn Fn(&str) -> bool) -> bool {
    let mut found = false;
    node.each_text(&mut |_, text| {
        for expression in expression::expressions(text) {
            expression::names(expression.inner, &mut |path| found |= is(path));
        }
    });
    found
}

/// Tells whether a node is a text of several lines.
pub fn is_block(node: &Node) -> bool {
    matches!(node.value, Value::Scalar(_, true))
}
