//! The report of the last round, in the words a repair needs.
//!
//! Must never leave out why it failed, and must never show more of an output than the report holds.

use std::fmt::Write as _;

use crate::agent::context::{Cut, Piece};
use crate::agent::debate::citation::ended;
use crate::artifact::types::verification::{TestStatus, Verification};

/// Returns a report as a piece of a prompt.
pub(super) fn piece(report: &Verification) -> Piece {
    let mut text = String::new();
    for reason in &report.reasons {
        let _ = writeln!(text, "{}: {}", reason.code, reason.message);
    }
    for test in report.tests.iter().filter(|test| test.status != TestStatus::Passed) {
        let status = match test.status {
            TestStatus::Passed => "passed",
            TestStatus::Failed => "failed",
            TestStatus::Skipped => "was skipped",
            TestStatus::NotSeen => "was not seen",
        };
        let _ = writeln!(text, "\ntest {}::{} {status}", test.path, test.name);
        if let Some(message) = &test.message {
            let _ = writeln!(text, "{message}");
        }
    }
    for name in &report.other_failures {
        let _ = writeln!(text, "\nalso failed: {name}");
    }
    for command in report.commands.iter().filter(|command| !command.ended.ok()) {
        let _ = writeln!(
            text,
            "\ncommand {} ({}): {}",
            command.argv.join(" "),
            command.run,
            ended(&command.ended)
        );
        for violation in &command.violations {
            let _ = writeln!(text, "not allowed: {violation}");
        }
        if let Some(excerpt) = &command.excerpt {
            let _ = writeln!(text, "{excerpt}");
        }
    }
    Piece::new("the report of the last run", text, 8, Cut::Head)
}

/// Returns how many of the expected tests passed.
pub(super) fn passed(report: &Verification) -> u64 {
    report.tests.iter().filter(|test| test.status == TestStatus::Passed).count() as u64
}
