//! `approval.md`: what a person has to look at before approving, with the digest to give.
//!
//! Must never hold text of others that was not made harmless.

use std::fmt::Write as _;

use crate::artifact::digest::Digest;
use crate::artifact::types::approval::Bound;
use crate::artifact::types::change_set::{FileChange, FileOp};
use crate::artifact::types::plan::RiskLevel;
use crate::artifact::types::task::Trust;
use crate::artifact::types::verdict::{Effect, Finding};
use crate::artifact::types::verification::VerificationOutcome;
use crate::config::Approve;
use crate::stage::pr::Evidence;
use crate::stage::pr::markdown::{code, text};

/// Longer lists are cut, and say so.
const MAX_ITEMS: usize = 100;

/// Returns the text.
pub(super) fn render(bound: &Bound, digest: &Digest, evidence: &Evidence, config: &Approve) -> String {
    let Evidence { task, plan, tests, edits, verdict, green, .. } = evidence;
    let mut page = String::new();
    let _ = writeln!(page, "# To approve: {}\n", text(&task.title));
    let _ = writeln!(page, "{}\n", text(&plan.summary));
    let _ = writeln!(page, "{}\n", asked_by(evidence));
    section(
        &mut page,
        "What needs a person",
        verdict.findings.iter().filter(|f| needs_a_person(f)).map(finding),
    );
    section(
        &mut page,
        "What is warned of",
        verdict.findings.iter().filter(|f| f.effect == Effect::Warn).map(finding),
    );
    section(&mut page, "Files", tests.files.iter().chain(&edits.files).map(file));
    let claims = plan.criteria.iter().map(|criterion| {
        let covered = tests.expected.iter().filter(|t| t.criteria.contains(&criterion.id)).count();
        format!("{} {} ({covered} tests)", code(&criterion.id), text(&criterion.text))
    });
    section(&mut page, "What the change claims", claims);
    let exempt = green.outcome == VerificationOutcome::Exempt || tests.exempt.is_some();
    let proven = if exempt {
        "No test was seen to fail first: the change is exempt."
    } else {
        "The tests failed before the change and pass with it."
    };
    let _ = writeln!(page, "{proven}\n");
    section(
        &mut page,
        "Risks",
        plan.risks.iter().map(|risk| {
            let level = match risk.level {
                RiskLevel::Low => "low",
                RiskLevel::Medium => "medium",
                RiskLevel::High => "high",
            };
            format!("**{level}** {} Mitigation: {}", text(&risk.text), text(&risk.mitigation))
        }),
    );
    let _ = writeln!(page, "## Rollback\n\n{}\n", text(&plan.rollback));
    let _ = writeln!(page, "## To approve\n");
    let _ = writeln!(page, "Comment on the pull request, on the first line and with nothing else on it:\n");
    let _ = writeln!(page, "```text\n/orch approve {digest}\n```\n");
    let _ = writeln!(
        page,
        "For a run of this checkout: `orch stage approve --digest {digest}`. The approval holds for {} hours, and for \
         nothing but this:\n",
        config.ttl_hours
    );
    for (name, value) in [
        ("run", bound.run.to_string()),
        ("base", bound.base.to_string()),
        ("task", bound.task.to_string()),
        ("tests", bound.tests.to_string()),
        ("edits", bound.edits.to_string()),
        ("policy bundle", bound.bundle.to_string()),
        ("verdict", bound.verdict.to_string()),
    ] {
        let _ = writeln!(page, "- {name}: {}", code(&value));
    }
    page
}

fn needs_a_person(finding: &Finding) -> bool {
    finding.effect == Effect::RequireApproval
}

fn section(page: &mut String, title: &str, items: impl Iterator<Item = String>) {
    let items: Vec<_> = items.collect();
    let _ = writeln!(page, "## {title}\n");
    if items.is_empty() {
        page.push_str("Nothing.\n");
    }
    for item in items.iter().take(MAX_ITEMS) {
        let _ = writeln!(page, "- {item}");
    }
    if items.len() > MAX_ITEMS {
        let _ = writeln!(page, "- and {} more", items.len() - MAX_ITEMS);
    }
    page.push('\n');
}

fn asked_by(evidence: &Evidence) -> String {
    let requester = &evidence.task.requester;
    let who = requester.account.as_ref().map_or_else(
        || "Somebody at the command line, or the repository's own schedule".to_owned(),
        |account| format!("{} (account {})", code(account.login.as_str()), account.id),
    );
    let trust = match requester.trust {
        Trust::Untrusted => "part of the request was written by somebody who may not write to the repository",
        Trust::Collaborator => "all of the request was written by people who may write to the repository",
        Trust::Owner => "the request came from this checkout",
    };
    let hidden: u32 = evidence.task.hidden.iter().flat_map(|h| &h.what).map(|h| h.times).sum();
    let hidden =
        if hidden == 0 { String::new() } else { format!(" **{hidden} hidden parts were taken out of it.**") };
    format!("{who} asked for it; {trust}.{hidden}")
}

fn file(change: &FileChange) -> String {
    let lines = |content: &Option<crate::artifact::types::change_set::Content>| {
        content
            .as_ref()
            .and_then(crate::artifact::types::change_set::Content::to_bytes)
            .map_or(0, |bytes| bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty()).count())
    };
    let path = code(change.path.as_str());
    match change.op {
        FileOp::Create => format!("{path} new, {} lines", lines(&change.content)),
        FileOp::Modify => format!("{path} changed, {} lines now", lines(&change.content)),
        FileOp::Delete => format!("{path} deleted"),
    }
}

fn finding(finding: &Finding) -> String {
    let place = match (&finding.path, finding.line) {
        (None, _) => String::new(),
        (Some(path), None) => format!(" in {}", code(path)),
        (Some(path), Some(line)) => format!(" in {} line {line}", code(path)),
    };
    format!("{}{place}: {} {}", code(&finding.code), text(&finding.message), text(&finding.help))
}
