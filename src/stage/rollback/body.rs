//! The words of the revert pull request.
//!
//! Must never put text of others into it as it came.

use std::fmt::Write as _;

use crate::artifact::types::release::ControlOutcome;
use crate::artifact::types::rollback::Revert;
use crate::stage::pr::markdown::{code, text};

use super::Work;

/// So many paths and commits are listed.
const LISTED: usize = 50;
/// So many digits of a commit are in a title.
const SHORT: usize = 12;

/// Returns the title, also the first line of the commit.
pub(super) fn title(work: &Work<'_>) -> String {
    let short = |text: &str| text.chars().take(SHORT).collect::<String>();
    format!("revert: go back from {} to {}", short(work.bad.id.as_str()), short(work.good.id.as_str()))
}

/// Returns the text.
pub(super) fn render(work: &Work<'_>, revert: &Revert) -> String {
    let mut out = String::new();
    let decision = &work.order.decision;
    let environment = code(decision.environment.as_str());
    let _ = writeln!(
        out,
        "The release gate took the release of {} to {environment} back. This puts {} back as well.\n",
        code(work.bad.id.as_str()),
        code(&revert.target),
    );
    why(&mut out, work);
    change(&mut out, work, revert);
    digests(&mut out, work);
    let _ = writeln!(out, "## Evidence\n");
    for (name, digest) in [("decision", &work.order.digest), ("evidence", &work.order.evidence_digest)] {
        let _ = writeln!(out, "- {name}: {}", code(digest.as_str()));
    }
    let _ = writeln!(out, "- run: {}\n\n{}", code(work.order.run.as_str()), work.record.line());
    out
}

fn why(out: &mut String, work: &Work<'_>) {
    out.push_str("## Why\n\n");
    let spoke = |outcome| matches!(outcome, ControlOutcome::Rollback | ControlOutcome::Deny);
    for control in work.order.decision.controls.iter().filter(|control| spoke(control.outcome)) {
        let _ = writeln!(out, "- {}: {}", code(&control.control), text(&control.reason));
    }
    out.push('\n');
}

fn change(out: &mut String, work: &Work<'_>, revert: &Revert) {
    out.push_str("## Change\n\n");
    let good = code(work.good.id.as_str());
    if revert.exact {
        let _ = writeln!(out, "The tree is exactly that of the last good release, {good}.\n");
    } else {
        let _ = writeln!(
            out,
            "The files of the change are as in the last good release, {good}; later work stays.\n"
        );
    }
    if !revert.conflicts.is_empty() {
        let _ = writeln!(
            out,
            "**Later commits changed the same files**, so the change alone cannot be taken back. This proposes the newest \
             tree that is known to be good, and takes these commits back with it:\n"
        );
        list(out, revert.also.iter().map(crate::artifact::id::CommitId::as_str));
        let _ = writeln!(out, "Changed again since:\n");
        list(out, revert.conflicts.iter().map(String::as_str));
    }
    let _ = writeln!(out, "Files that change:\n");
    list(out, revert.files.iter().map(|file| file.path.as_str()));
}

fn list<'a>(out: &mut String, all: impl ExactSizeIterator<Item = &'a str>) {
    let more = all.len().saturating_sub(LISTED);
    for one in all.take(LISTED) {
        let _ = writeln!(out, "- {}", code(one));
    }
    if more > 0 {
        let _ = writeln!(out, "- and {more} more");
    }
    out.push('\n');
}

fn digests(out: &mut String, work: &Work<'_>) {
    if work.record.artifacts.is_empty() {
        return;
    }
    out.push_str("## Digests that are restored\n\n");
    for artifact in &work.record.artifacts {
        let _ = writeln!(out, "- {}: {}", code(&artifact.name), code(artifact.digest.as_str()));
    }
    out.push('\n');
}
