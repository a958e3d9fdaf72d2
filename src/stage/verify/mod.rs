//! `verify-red` and `verify-green`: what commands and tests say in clean copies.
//!
//! Red: base and tests, and every expected test must fail because behaviour is missing. Green: base, tests and edits, and
//! everything must pass, again and again, and be red once more without the edits. Must never pass a phase on anything but
//! what a command was seen to do.

mod classify;
mod decide;
mod diags;
mod excerpt;
mod expected;
mod green;
mod junit_out;
mod log;
mod pattern;
mod phase;
mod protection;
mod red;
mod runner;

pub use diags::Code;
pub use green::VerifyGreen;
pub use red::VerifyRed;

pub(super) use decide::ended;
pub(super) use excerpt::portable;

use crate::artifact::kind::slot;
use crate::artifact::types::verification::{Protection, Reason, Verification, VerificationOutcome};
use crate::diagnostic::Class;

use super::spec::{EffectKind, Input, Permission, StageSpec};
use super::{Finished, Outputs, StageContext, StageError};

/// What `verify-red` declares.
pub static RED_SPEC: StageSpec = StageSpec {
    id: crate::artifact::id::StageId::VerifyRed,
    version: 1,
    summary: "Shows that the new tests fail without the change",
    about: "Makes a clean copy of the base with the tests and runs setup, build and test commands in a sandbox. Every \
            expected test must be seen to fail, by an assertion or because what the change is to make is missing. A test \
            that passes already, is skipped, is not collected, cannot be read or fails for want of a package or service \
            is refused, each with its own code. Other tests that fail on the base are noted.",
    inputs: &[Input::required(slot::TASK), Input::required(slot::PLAN), Input::required(slot::TESTS)],
    outputs: &[slot::RED, slot::RED_LOG],
    may_write: &[],
    effects: &[EffectKind::Process],
    config: &["commands", "sandbox", "verify"],
    permissions: &[Permission::ContentsRead],
    exits: &[6],
};

/// What `verify-green` declares.
pub static GREEN_SPEC: StageSpec = StageSpec {
    id: crate::artifact::id::StageId::VerifyGreen,
    version: 1,
    summary: "Shows that everything passes with the change, and only with it",
    about: "Makes a clean copy of the base with the tests and the edits and runs setup, build, lint and test commands in a \
            sandbox. All must succeed, every expected test must be seen to pass, and the test files must be byte-equal \
            afterwards. The tests are run again and must give the same results, and once more without the edits, where \
            the expected tests must be red again.",
    inputs: &[
        Input::required(slot::TASK),
        Input::required(slot::PLAN),
        Input::required(slot::TESTS),
        Input::required(slot::RED),
        Input::required(slot::EDITS),
    ],
    outputs: &[slot::GREEN, slot::GREEN_LOG, slot::GREEN_JUNIT],
    may_write: &[],
    effects: &[EffectKind::Process],
    config: &["commands", "sandbox", "verify"],
    permissions: &[Permission::ContentsRead],
    exits: &[6],
};

/// The name of the first run of a phase.
const MAIN: &str = "main";

/// Returns the protection commands would get; for reports of phases in which none ran.
fn planned(cx: &StageContext<'_>) -> Result<Protection, StageError> {
    Ok(cx.processes()?.protection(&cx.config.sandbox.for_commands())?)
}

/// Ends a stage as its report says; the files are kept either way.
fn finish(report: &Verification, outputs: Outputs) -> Finished {
    if report.outcome == VerificationOutcome::Failed {
        Finished::stopped(outputs, Class::TestsFailed, why(&report.reasons))
    } else {
        Finished::done(outputs)
    }
}

/// Returns one line that tells why: the first reason and how many more there are.
fn why(reasons: &[Reason]) -> String {
    let Some(first) = reasons.first() else { return "no reason was given".into() };
    let more = match reasons.len() - 1 {
        0 => String::new(),
        1 => " (and one more reason)".into(),
        n => format!(" (and {n} more reasons)"),
    };
    format!("{}: {}{more}", first.code, first.message)
}
