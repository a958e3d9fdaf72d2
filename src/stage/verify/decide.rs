//! From what commands printed to what was proved: the pure middle of both phases.
//!
//! Must never run anything, and must never count a test as red or green that no output vouches for. A runner that is not
//! understood tells only how its command ended: then a test counts as red when the command failed, its output names the
//! test or its file, and the failure has a clear class; and green rests on the exit status and the revert probe.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::classify::{Known, classify, names};
use super::diags::Code;
use super::excerpt::{self, COMMAND_BYTES, TEST_BYTES};
use super::expected;
use super::runner::{Broken, Case, Parsed, Place};
use crate::artifact::types::change_set::{ExpectedTest, TestSet};
use crate::artifact::types::verification::{
    CommandReport, CommandRole, Ended, FailureClass, FrozenFile, Protection, Reason, TestReport, TestStatus,
    Totals,
};

/// How many failing tests besides the expected ones are named.
const MAX_OTHERS: usize = 100;

/// The longest test name in a report, bytes; names come from the code under test.
const NAME_BYTES: usize = 300;

/// One command that ran, with what could be read from it.
#[derive(Clone, Debug)]
pub(super) struct Ran {
    /// What it is for.
    pub role: CommandRole,
    /// Which run it belongs to.
    pub run: String,
    /// The words.
    pub argv: Vec<String>,
    /// How it ended.
    pub ended: Ended,
    /// What it tried and was not allowed.
    pub violations: Vec<String>,
    /// What it printed, the copy's folder replaced.
    pub stdout: String,
    /// What it printed as errors, the copy's folder replaced.
    pub stderr: String,
    /// The results, where the output was understood.
    pub parsed: Option<Parsed>,
    /// The protection that was in force.
    pub protection: Protection,
    /// How long it took; for the log only.
    pub duration: Duration,
}

impl Ran {
    fn text(&self) -> String {
        format!("{}\n{}", self.stderr, self.stdout)
    }

    /// Tells whether the runner said that there is no test at all: pytest and unittest end with status 5 then.
    pub(super) fn found_no_test(&self) -> bool {
        self.role == CommandRole::Test
            && self.ended == Ended::Exited { code: 5 }
            && self.parsed.as_ref().is_none_or(|p| p.cases.is_empty() && p.broken.is_empty())
            && self.text().to_ascii_lowercase().contains("no tests ran")
    }

    /// Returns the report of the command: stable from run to run.
    pub(super) fn report(&self) -> CommandReport {
        let excerpt = (!self.ended.ok()).then(|| self.excerpt()).filter(|text| !text.is_empty());
        CommandReport {
            role: self.role,
            run: self.run.clone(),
            argv: self.argv.clone(),
            ended: self.ended.clone(),
            violations: self.violations.iter().map(|v| excerpt::stable(v)).collect(),
            excerpt,
        }
    }

    /// Tests end in any order, so failures that are understood are shown by name; the rest is shown as printed.
    fn excerpt(&self) -> String {
        let mut failures: Vec<(String, &str)> = Vec::new();
        if let Some(parsed) = &self.parsed {
            let failed = parsed.cases.iter().filter(|case| case.status == TestStatus::Failed);
            failures.extend(failed.map(|case| (case.id(), case.message.as_str())));
            failures.extend(parsed.broken.iter().map(|b| (b.place.as_str().to_owned(), b.message.as_str())));
        }
        if failures.is_empty() {
            return excerpt::tail(&format!("{}\n{}", self.stdout, self.stderr), COMMAND_BYTES);
        }
        failures.sort_unstable();
        let shown: Vec<String> = failures
            .into_iter()
            .take(MAX_OTHERS)
            .map(|(id, message)| format!("{id}\n{}\n", excerpt::head(message, TEST_BYTES)))
            .collect();
        excerpt::head(&shown.join("\n"), COMMAND_BYTES)
    }
}

/// What the tests of one run say.
#[derive(Clone, Debug)]
pub(super) struct Observed {
    /// The expected tests.
    pub tests: Vec<TestReport>,
    /// All tests by status; `None` when no runner was understood.
    pub totals: Option<Totals>,
    /// Failing tests that are not expected ones, by name.
    pub others: Vec<String>,
}

/// Returns what the commands of one run say about the tests.
pub(super) fn observe(set: &TestSet, ran: &[&Ran], known: &Known) -> Observed {
    let parsed: Vec<&Parsed> =
        ran.iter().filter(|r| r.role == CommandRole::Test).filter_map(|r| r.parsed.as_ref()).collect();
    let cases = || parsed.iter().flat_map(|p| p.cases.iter());
    let broken: Vec<&Broken> =
        ran.iter().filter_map(|r| r.parsed.as_ref()).flat_map(|p| p.broken.iter()).collect();
    let mut expected_cases: BTreeSet<*const Case> = BTreeSet::new();
    let tests = set
        .expected
        .iter()
        .map(|test| {
            let found = expected::find(test, cases());
            expected_cases.extend(found.iter().map(|case| std::ptr::from_ref(*case)));
            let seen = seen(&found, known).or_else(|| unloaded(test, set, &broken, known));
            report(test, seen.unwrap_or_else(|| unseen(test, ran, known)))
        })
        .collect();
    let others = others(set, cases(), &expected_cases, &broken);
    // A compile error may be told of by file and by package: one failure.
    let unloaded: BTreeSet<&str> =
        parsed.iter().flat_map(|p| &p.broken).map(|b| b.message.as_str()).collect();
    let totals = (!parsed.is_empty()).then(|| totals(cases(), unloaded.len()));
    Observed { tests, totals, others }
}

/// How an expected test went, why, and what was said.
type Seen = (TestStatus, Option<FailureClass>, String);

fn report(test: &ExpectedTest, (status, class, message): Seen) -> TestReport {
    let message = Some(excerpt::head(&message, TEST_BYTES)).filter(|text| !text.is_empty());
    TestReport { path: test.path.clone(), name: test.name.clone(), status, class, message }
}

/// Judges the cases of one expected test: parameters make several; one that fails makes it fail.
fn seen(found: &[&Case], known: &Known) -> Option<Seen> {
    let with = |status| found.iter().find(|case| case.status == status);
    let case = with(TestStatus::Failed).or_else(|| with(TestStatus::Passed)).or_else(|| found.first())?;
    let class = (case.status == TestStatus::Failed).then(|| classify(&case.message, known));
    Some((case.status, class, case.message.clone()))
}

/// Judges a test whose file, or a file it is written with, could not be loaded or compiled.
fn unloaded(test: &ExpectedTest, set: &TestSet, broken: &[&Broken], known: &Known) -> Option<Seen> {
    let of = |path| {
        broken.iter().find(|b| {
            let place = expected::same_place(&b.place, path);
            place == Some(true) || (place.is_none() && matches!(b.place, Place::Package(_) | Place::Unknown))
        })
    };
    let support =
        || set.files.iter().filter(|f| f.path != test.path && !expects(set, f)).find_map(|f| of(&f.path));
    let found = of(&test.path).or_else(support)?;
    Some((TestStatus::Failed, Some(classify(&found.message, known)), found.message.clone()))
}

fn expects(set: &TestSet, file: &crate::artifact::types::change_set::FileChange) -> bool {
    set.expected.iter().any(|test| test.path == file.path)
}

/// Judges a test no runner told of, by the commands that failed.
fn unseen(test: &ExpectedTest, ran: &[&Ran], known: &Known) -> Seen {
    let mut why: Option<(FailureClass, String)> = None;
    for command in ran.iter().filter(|r| !r.ended.ok()) {
        match &command.ended {
            Ended::Stopped { .. } => why = why.or(Some((FailureClass::Stopped, shown(command)))),
            Ended::NotStarted { .. } => why = why.or(Some((FailureClass::Environment, shown(command)))),
            Ended::Exited { .. } | Ended::Signalled { .. } => {
                let output = command.text();
                let class = classify(&output, known);
                let named = names(&output, &test.path, &test.name);
                let told = command.parsed.as_ref().is_some_and(|p| !p.cases.is_empty());
                if named && !told && is_red(class) {
                    return (TestStatus::Failed, Some(class), output);
                }
                if named && !told || matches!(class, FailureClass::Environment) {
                    why = why.or(Some((class, output)));
                }
            }
        }
    }
    match why {
        Some((class, said)) if !is_red(class) => (TestStatus::NotSeen, Some(class), said),
        _ => (TestStatus::NotSeen, None, String::new()),
    }
}

fn shown(command: &Ran) -> String {
    format!("`{}` {}", command.argv.join(" "), ended(&command.ended))
}

/// Tells whether a failure of this class shows that behaviour is missing.
fn is_red(class: FailureClass) -> bool {
    matches!(class, FailureClass::Assertion | FailureClass::MissingBehaviour)
}

fn totals<'a>(cases: impl Iterator<Item = &'a Case>, broken: usize) -> Totals {
    let mut totals = Totals { failed: broken as u64, ..Totals::default() };
    for case in cases {
        match case.status {
            TestStatus::Passed => totals.passed += 1,
            TestStatus::Failed => totals.failed += 1,
            TestStatus::Skipped | TestStatus::NotSeen => totals.skipped += 1,
        }
    }
    totals
}

fn others<'a>(
    set: &TestSet,
    cases: impl Iterator<Item = &'a Case>,
    expected_cases: &BTreeSet<*const Case>,
    broken: &[&Broken],
) -> Vec<String> {
    let failed =
        cases.filter(|c| c.status == TestStatus::Failed && !expected_cases.contains(&std::ptr::from_ref(*c)));
    let own = |b: &Broken| set.files.iter().any(|f| expected::same_place(&b.place, &f.path) != Some(false));
    let unloaded = broken.iter().filter(|b| !own(b)).map(|b| b.place.as_str().to_owned());
    let names: BTreeSet<String> =
        failed.map(Case::id).chain(unloaded).map(|id| excerpt::head(&id, NAME_BYTES)).collect();
    names.into_iter().take(MAX_OTHERS).collect()
}

/// Returns how a command ended, to be read after its words.
pub(in crate::stage) fn ended(ended: &Ended) -> String {
    use crate::artifact::types::verification::StopReason as S;
    match ended {
        Ended::Exited { code: 0 } => "succeeded".into(),
        Ended::Exited { code } => format!("ended with status {code}"),
        Ended::Signalled { signal } => format!("was ended by signal {signal}"),
        Ended::NotStarted { why } => format!("could not be started: {why}"),
        Ended::Stopped { why } => {
            let limit = match why {
                S::Deadline => "time",
                S::Disk => "disk",
                S::Processes => "process",
                S::Memory => "memory",
                S::Output => "output",
            };
            format!("was stopped at its {limit} limit")
        }
    }
}

/// Returns the reasons why a run is not red as it must be; none when it is.
pub(super) fn not_red(observed: &Observed, ran: &[&Ran]) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = observed.tests.iter().filter_map(|t| not_red_test(t, observed)).collect();
    let told = |code: Code| move |r: &Reason| r.code == code.as_str();
    for command in ran {
        if matches!(command.ended, Ended::Stopped { .. }) && !reasons.iter().any(told(Code::Stopped)) {
            reasons.push(Code::Stopped.reason(shown(command)));
        }
    }
    reasons
}

fn not_red_test(test: &TestReport, observed: &Observed) -> Option<Reason> {
    let name = format!("`{}` in `{}`", test.name, test.path);
    let said = test.message.as_deref().map(telling_line).unwrap_or_default();
    let by_class = |class: FailureClass, verb: &str| {
        let code = match class {
            FailureClass::Assertion | FailureClass::MissingBehaviour => return None,
            FailureClass::Syntax => Code::SyntaxError,
            FailureClass::Environment => Code::Environment,
            FailureClass::Stopped => Code::Stopped,
            FailureClass::Unclear => Code::Unclear,
        };
        Some(code.reason(format!("{name} {verb}: {said}")))
    };
    match (test.status, test.class) {
        (TestStatus::Passed, _) => {
            Some(Code::AlreadyPasses.reason(format!("{name} passes without the change")))
        }
        (TestStatus::Skipped, _) => Some(Code::Skipped.reason(format!("{name} was skipped"))),
        (TestStatus::Failed, class) => {
            by_class(class.unwrap_or(FailureClass::Unclear), "failed for another reason")
        }
        (TestStatus::NotSeen, Some(class)) => by_class(class, "did not run"),
        (TestStatus::NotSeen, None) if observed.totals.is_none() => {
            Some(Code::Unclear.reason(format!("the test command's output does not tell how {name} went")))
        }
        (TestStatus::NotSeen, None) => {
            Some(Code::NotCollected.reason(format!("the runner did not tell of {name}")))
        }
    }
}

/// Returns the line of a message that tells most: the one that names an error, else the first.
fn telling_line(text: &str) -> &str {
    let telling =
        |line: &&str| line.contains("Error") || line.starts_with("error") || line.starts_with("E  ");
    let line = text.lines().find(telling).or_else(|| text.lines().next()).unwrap_or_default();
    line.trim_start_matches("E  ").trim()
}

/// Returns the reasons why the main run is not green; none when it is.
///
/// `base_failures` are the tests that failed in the red phase without being expected to.
pub(super) fn not_green(
    observed: &Observed,
    ran: &[&Ran],
    base_failures: &[String],
    unseen_ok: bool,
) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = ran.iter().filter_map(|r| failed_command(r)).collect();
    if !ran.iter().any(|r| r.role == CommandRole::Test) && !reasons.is_empty() {
        // A build that failed kept the tests from running; that they were not seen says nothing new.
        return reasons;
    }
    for test in &observed.tests {
        let name = format!("`{}` in `{}`", test.name, test.path);
        let said = test.message.as_deref().map(telling_line).unwrap_or_default();
        match test.status {
            TestStatus::Passed => {}
            TestStatus::Failed => reasons.push(Code::TestsFailed.reason(format!("{name} failed: {said}"))),
            TestStatus::Skipped => reasons.push(Code::Skipped.reason(format!("{name} was skipped"))),
            TestStatus::NotSeen if unseen_ok && observed.totals.is_none() => {}
            TestStatus::NotSeen => {
                reasons.push(Code::NotCollected.reason(format!("the runner did not tell of {name}")));
            }
        }
    }
    for other in &observed.others {
        let known = base_failures.contains(other);
        reasons.push(if known {
            Code::BaseBroken.reason(format!("`{other}` fails with and without the change"))
        } else {
            Code::TestsFailed.reason(format!("`{other}` fails"))
        });
    }
    reasons
}

/// Returns the reason a command that did not succeed gives; failed tests are told one by one where they are known.
fn failed_command(ran: &Ran) -> Option<Reason> {
    let code = match (&ran.ended, ran.role) {
        (Ended::Exited { code: 0 }, _) => return None,
        (Ended::Stopped { .. }, _) => Code::Stopped,
        (Ended::NotStarted { .. }, _) => Code::Environment,
        (_, CommandRole::Setup) => Code::SetupFailed,
        (_, CommandRole::Build) => Code::BuildFailed,
        (_, CommandRole::Lint) => Code::LintFailed,
        (_, CommandRole::Test) => Code::TestsFailed,
    };
    Some(code.reason(shown(ran)))
}

/// Returns what differs between two runs of the same commands, by test or by command; none when they agree.
pub(super) fn differences(first: &[&Ran], again: &[&Ran]) -> Vec<String> {
    let statuses = |ran: &[&Ran]| {
        let mut all: BTreeMap<String, Vec<TestStatus>> = BTreeMap::new();
        for parsed in ran.iter().filter_map(|r| r.parsed.as_ref()) {
            for case in &parsed.cases {
                all.entry(case.id()).or_default().push(case.status);
            }
        }
        for list in all.values_mut() {
            list.sort_unstable();
        }
        all
    };
    let (before, after) = (statuses(first), statuses(again));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let mut different: Vec<String> = names
        .into_iter()
        .filter(|name| before.get(*name) != after.get(*name))
        .map(|name| format!("`{}`", excerpt::head(name, NAME_BYTES)))
        .collect();
    for (one, two) in first.iter().zip(again).filter(|(one, two)| one.ended != two.ended) {
        different.push(format!(
            "`{}` {} and then {}",
            one.argv.join(" "),
            ended(&one.ended),
            ended(&two.ended)
        ));
    }
    different.truncate(MAX_OTHERS);
    different
}

/// Returns the reasons for frozen files that are not as written.
pub(super) fn thawed(frozen: &[FrozenFile]) -> Vec<Reason> {
    frozen
        .iter()
        .filter(|file| file.found.as_ref() != Some(&file.expected))
        .map(|file| {
            let what = if file.found.is_some() { "was changed" } else { "was removed" };
            Code::FrozenChanged.reason(format!("`{}` {what} while the commands ran", file.path))
        })
        .collect()
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
