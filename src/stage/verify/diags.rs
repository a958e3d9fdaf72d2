//! The codes of the reasons why a phase does not pass.
//!
//! Codes are kept: a code once published never changes its meaning.

use crate::artifact::types::verification::Reason;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $help:literal;)+) => {
        /// A stable code of a verification.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($(#[$doc])* $variant,)+ }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Returns the code as it stands in reports.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// Returns what to do next.
            pub const fn help(self) -> &'static str {
                match self { $(Self::$variant => $help,)+ }
            }
        }
    };
}

codes! {
    /// A new test passes without the change.
    AlreadyPasses = "verify/already-passes",
        "The test proves nothing about the change; make it ask for what the base does not do yet, or drop the request if the base does it.";
    /// A new test cannot be read.
    SyntaxError = "verify/syntax-error",
        "Mend the file named in the message; a test must fail because of what it asks for, not because it cannot be read.";
    /// The machine lacks something a test needs.
    Environment = "verify/environment",
        "Make the missing program, package or service available to the sandbox (`commands.setup`, `sandbox.setup_network`, `sandbox.read`), then start again.";
    /// An expected test was not told of.
    NotCollected = "verify/not-collected",
        "Check the test's name and file, and that the test command collects it; a runner that stops at the first broken file hides the others.";
    /// An expected test was skipped.
    Skipped = "verify/skipped",
        "Remove the skip marker or its condition; a skipped test proves nothing.";
    /// A command or test was stopped at a limit.
    Stopped = "verify/stopped",
        "Look at the log for what hangs or grows; raise `sandbox.limits` only if the command truly needs it.";
    /// A failure that tells nothing.
    Unclear = "verify/unclear",
        "Make the test fail by an assertion. Single results are understood of cargo test, pytest, python -m unittest, node --test, go test, jest, vitest, mocha and JUnit XML.";
    /// No test command is configured.
    NoTestCommand = "verify/no-test-command",
        "Set `commands.test` in orch.yml; `orch init` proposes one.";
    /// The test set expects nothing and is not exempt.
    NoExpectedTests = "verify/no-expected-tests",
        "Name at least one test that is red before and green after the change.";
    /// A frozen test file is not as it was written.
    FrozenChanged = "verify/frozen-changed",
        "Acceptance tests may not change once they are written; leave them out of the edits, and let no command rewrite them.";
    /// The red phase does not vouch for the tests at hand.
    NotRed = "verify/not-red",
        "Run `verify-red` for these tests first; green counts only for tests that were seen to fail.";
    /// A setup command failed.
    SetupFailed = "verify/setup-failed",
        "Look at the command's output in the log; setup has no network unless `sandbox.setup_network` is set.";
    /// A build command failed.
    BuildFailed = "verify/build-failed",
        "Mend what the compiler says; the command's last lines are in the report.";
    /// A lint command failed.
    LintFailed = "verify/lint-failed",
        "Mend what the linter says; the command's last lines are in the report.";
    /// A test command failed, or an expected test is not green.
    TestsFailed = "verify/tests-failed",
        "Mend the change until every test passes; the messages are in the report.";
    /// A test that fails on the base too.
    BaseBroken = "verify/base-broken",
        "The test fails without the change as well, and green means that all pass; mend the base first.";
    /// Without the edits the expected tests are not red again.
    RevertNotRed = "verify/revert-not-red",
        "The tests pass without the edits, so something else made them green (a cache, a leftover file); find out what.";
    /// Another run gave another result.
    Flaky = "verify/flaky",
        "Make the named tests independent of time, order and chance.";
    /// Red-then-green is waived.
    Exempt = "verify/exempt",
        "Nothing; the test set says why no test can cover this change.";
}

impl Code {
    /// Returns a reason with this code.
    pub fn reason(self, message: impl Into<String>) -> Reason {
        Reason { code: self.as_str().into(), message: message.into(), help: self.help().into() }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_unique_and_have_one_sentence_of_help() {
        let mut names: Vec<_> = Code::ALL.iter().map(|c| c.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
        for code in Code::ALL {
            assert!(code.as_str().starts_with("verify/") && code.help().ends_with('.'), "{code:?}");
        }
    }

    #[test]
    fn every_code_has_a_page_and_every_page_a_code() {
        let pages = crate::diagnostic::explain::codes();
        let pages: BTreeSet<&str> = pages
            .iter()
            .map(crate::diagnostic::Code::as_str)
            .filter(|code| code.starts_with("verify/"))
            .collect();
        assert_eq!(pages, Code::ALL.iter().map(|code| code.as_str()).collect());
    }
}
