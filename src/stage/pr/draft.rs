//! The pull request as a value: names, commits, title, provenance.
//!
//! Must never read or write anything, and must never put text of others into a name or a commit as it came.

use jiff::Timestamp;

use crate::artifact::id::RunId;
use crate::artifact::types::change_set::FileChange;
use crate::artifact::types::pull_request::Provenance;
use crate::config::Pr as PrConfig;
use crate::diagnostic::Class;
use crate::diagnostic::text::is_hidden;
use crate::engine::revert::{NAME, Revert};
use crate::ports::vcs::{CommitDraft, Signature};
use crate::stage::StageError;

use super::evidence::Evidence;

/// The trailer that ties a commit to its task; also how a branch of ours is known.
pub(super) const TASK_TRAILER: &str = "Orch-Task";
/// The trailer with the run's id.
pub const RUN_TRAILER: &str = "Orch-Run";
/// The trailer with the digest of the manifest's link that vouches for the verdict: it fixes every link before it.
pub const LINK_TRAILER: &str = "Orch-Link";
const MAX_SUBJECT: usize = 72;
const MAX_BRANCH: usize = 200;

/// What will be written, decided before anything is.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The run.
    pub run: RunId,
    /// The branch's name, then the name to take where another task has the first.
    pub names: [String; 2],
    /// The commit to start from.
    pub base: crate::artifact::id::CommitId,
    /// The commits: the tests, then the change.
    pub commits: Vec<CommitDraft>,
    /// Who writes them.
    pub author: Signature,
    /// The title of the pull request.
    pub title: String,
    /// The digests the change is bound to.
    pub provenance: Provenance,
}

impl Draft {
    /// Decides everything from the evidence.
    pub fn decide(run: &RunId, config: &PrConfig, evidence: &Evidence) -> Result<Self, StageError> {
        let time = created_at(&evidence.task.created_at)?;
        let change_type = change_type(&evidence.plan.change_type);
        let names = if let Some(follows) = &evidence.task.follows {
            [follows.branch.clone(), follows.branch.clone()]
        } else if let Some(revert) = reverts(evidence) {
            // One branch for one way back: a second one would be a second pull request for the same.
            let name = Revert::branch(&revert.bad, &revert.good);
            [name.clone(), name]
        } else {
            let name = branch_name(&config.branch, change_type, evidence)?;
            let other = format!("{name}-{}", evidence.provenance.task.short());
            [name, other]
        };
        let title = subject(change_type, evidence.plan.scope.as_str(), &evidence.plan.subject);
        let author =
            Signature { name: person(&config.author.name), email: person(&config.author.email), time };
        Ok(Self {
            run: run.clone(),
            names,
            base: evidence.task.base.commit.clone(),
            commits: commits(run, evidence, &title),
            author,
            title,
            provenance: evidence.provenance.clone(),
        })
    }
}

/// Returns the release that the change takes back, if it does.
fn reverts(evidence: &Evidence) -> Option<Revert> {
    let task = &evidence.task;
    Some(task).filter(|task| task.assignment.engine == NAME).and_then(|task| Revert::read(&task.request))
}

fn created_at(text: &str) -> Result<Timestamp, StageError> {
    text.parse().map_err(|_| StageError::Refused {
        class: Class::Usage,
        what: format!("the task was made at `{text}`, which is no time"),
        help: "Start the run again.".into(),
    })
}

/// A Conventional Commits type: lower-case letters; anything else is a chore.
fn change_type(text: &str) -> &str {
    let known = (2..=12).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase());
    if known { text } else { "chore" }
}

fn branch_name(pattern: &str, change_type: &str, evidence: &Evidence) -> Result<String, StageError> {
    let date: String = evidence.task.created_at.chars().take(10).collect();
    let name = pattern
        .replace("{type}", change_type)
        .replace("{service}", evidence.task.service.as_str())
        .replace("{scope}", evidence.plan.scope.as_str())
        .replace("{date}", &date);
    let full = format!("refs/heads/{name}");
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b));
    let valid = gix::validate::reference::branch_name(full.as_str().into()).is_ok();
    if plain && valid && !name.starts_with('-') && name.len() <= MAX_BRANCH {
        return Ok(name);
    }
    Err(StageError::Refused {
        class: Class::Usage,
        what: format!("`pr.branch` gives {name:?}, which is no safe name for a branch"),
        help:
            "Use letters, digits, `-`, `_`, `.`, `/` and {type}, {service}, {scope}, {date} in `pr.branch`."
                .into(),
    })
}

fn commits(run: &RunId, evidence: &Evidence, title: &str) -> Vec<CommitDraft> {
    let scope = evidence.plan.scope.as_str();
    let trailers = trailers(run, evidence);
    let commit = |subject: String, body: &str, files: &[FileChange]| CommitDraft {
        subject,
        body: body.to_owned(),
        trailers: trailers.clone(),
        files: files.to_vec(),
    };
    let mut commits = Vec::new();
    if !evidence.tests.files.is_empty() {
        let body = if evidence.tests.expected.is_empty() {
            ""
        } else {
            "These tests fail on the base and pass with the commit after this one."
        };
        let subject = subject("test", scope, &format!("cover \"{}\"", evidence.plan.subject));
        commits.push(commit(subject, body, &evidence.tests.files));
    }
    if !evidence.edits.files.is_empty() {
        commits.push(commit(title.to_owned(), "", &evidence.edits.files));
    }
    commits
}

fn trailers(run: &RunId, evidence: &Evidence) -> Vec<(String, String)> {
    let digest = |key: &str, digest: &crate::artifact::digest::Digest| (key.to_owned(), digest.to_string());
    let provenance = &evidence.provenance;
    let mut trailers = vec![
        (RUN_TRAILER.to_owned(), run.to_string()),
        digest(TASK_TRAILER, &provenance.task),
        digest("Orch-Tests", &provenance.tests),
        digest("Orch-Edits", &provenance.edits),
        digest("Orch-Report", &provenance.report),
        digest("Orch-Verdict", &provenance.verdict),
    ];
    trailers.extend(evidence.link.as_ref().map(|link| digest(LINK_TRAILER, link)));
    trailers
}

/// `type(scope): text` in one line of at most 72 characters.
fn subject(change_type: &str, scope: &str, text: &str) -> String {
    let text = neutral(&plain(text));
    let text = if text.is_empty() { "change".to_owned() } else { text };
    let whole = format!("{change_type}({scope}): {text}");
    if whole.chars().count() <= MAX_SUBJECT {
        return whole;
    }
    let cut: String = whole.chars().take(MAX_SUBJECT).collect();
    let cut = cut.rsplit_once(' ').map_or(cut.as_str(), |(head, _)| head);
    cut.trim_end_matches([' ', ',', ':', '-']).to_owned()
}

/// One line without control or hidden characters.
fn plain(text: &str) -> String {
    let visible: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).filter(|c| !is_hidden(*c)).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A part of a signature: git has no way to write angle brackets in one.
fn person(text: &str) -> String {
    plain(&text.replace(['<', '>'], " "))
}

/// Takes the power from words that act in a commit message: mentions, issue numbers, `[skip ci]`.
fn neutral(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied().unwrap_or(' ');
        match c {
            '@' if !before.is_alphanumeric() && next.is_alphanumeric() => out.push_str("(at)"),
            '#' if next.is_ascii_digit() => out.push_str("no. "),
            '[' => out.push('('),
            ']' => out.push(')'),
            _ => out.push(c),
        }
        before = c;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_short_plain_and_without_power() {
        for (text, wanted) in [
            ("add a /health endpoint", "feat(api): add a /health endpoint"),
            ("a\n\nOrch-Task: x", "feat(api): a Orch-Task: x"),
            ("thank @user, fixes #12 [skip ci]", "feat(api): thank (at)user, fixes no. 12 (skip ci)"),
            ("mail a@b.c", "feat(api): mail a@b.c"),
            ("x\u{202e}y\u{200b}z\u{e0041}", "feat(api): xyz"),
            ("", "feat(api): change"),
        ] {
            assert_eq!(subject("feat", "api", text), wanted);
        }
        let long = subject("feat", "api", &"word ".repeat(40));
        assert!(long.chars().count() <= MAX_SUBJECT && long.ends_with("word"), "{long}");
    }

    #[test]
    fn unknown_types_are_chores() {
        assert_eq!(change_type("feat"), "feat");
        for bad in ["", "f", "Feat", "feat!", "a b", "../x"] {
            assert_eq!(change_type(bad), "chore");
        }
    }
}
