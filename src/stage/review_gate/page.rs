//! The gate for people: the summary of its check run, and the findings as the request of another round.
//!
//! Must never hold text of others that was not made harmless.

use std::fmt::Write as _;

use crate::artifact::types::review::{Review, ReviewOutcome};
use crate::stage::pr::markdown::{code, text};

/// The longest request that intake takes, with room for what is around it.
const MAX_REQUEST: usize = 48 * 1024;

/// Returns the summary of the check run, Markdown.
pub(super) fn summary(review: &Review) -> String {
    let mut page = String::new();
    let head = review.head.as_str();
    let _ = writeln!(page, "At the head commit {}: **{}**.\n", code(head), review.outcome.as_str());
    for reason in &review.reasons {
        let _ = writeln!(page, "- {}", text(reason));
    }
    if !review.reviewers.is_empty() {
        page.push_str("\n| reviewer | says | why |\n|---|---|---|\n");
    }
    for one in &review.reviewers {
        let _ = writeln!(page, "| {} | {} | {} |", code(&one.name), one.outcome.as_str(), text(&one.why));
    }
    if !review.checks.is_empty() {
        page.push_str("\n| check | says | why |\n|---|---|---|\n");
    }
    for check in &review.checks {
        let name = format!("{}: {}", check.app, check.name);
        let _ = writeln!(page, "| {} | {} | {} |", code(&name), check.outcome.as_str(), text(&check.why));
    }
    if review.outcome == ReviewOutcome::Unavailable {
        page.push_str(
            "\nA person who may write to the repository can approve the head commit instead; then run this check again.\n",
        );
    }
    page
}

/// Returns the findings as the request of another round; `None` where none of them counts.
pub(super) fn request(review: &Review) -> Option<String> {
    let counted: Vec<_> = review.findings.iter().filter(|finding| finding.counts).collect();
    if counted.is_empty() {
        return None;
    }
    let mut page = format!("Mend what reviewers found in pull request {}\n", review.number);
    let mut left = 0;
    for finding in counted {
        let mut item = String::new();
        let place = match (&finding.path, finding.line) {
            (Some(path), Some(line)) => format!("{path} line {line}"),
            (Some(path), None) => path.clone(),
            (None, _) => "in general".into(),
        };
        let _ = writeln!(item, "\n{place}, found by {}:\n", finding.by);
        for line in finding.text.lines() {
            let _ = writeln!(item, "    {line}");
        }
        if page.len() + item.len() > MAX_REQUEST {
            left += 1;
        } else {
            page.push_str(&item);
        }
    }
    if left > 0 {
        let _ = writeln!(page, "\n{left} more are in review.json.");
    }
    Some(page)
}
