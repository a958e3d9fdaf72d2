//! Red before, green after: the same tests, frozen, named in both reports, with the very edits.

use crate::artifact::digest::Digest;
use crate::artifact::envelope::Envelope;
use crate::artifact::kind::slot;
use crate::artifact::types::change_set::{Content, TestSet};
use crate::artifact::types::verification::{
    CommandRole, Ended, FailureClass, Phase, ProbeKind, TestReport, TestStatus, Verification,
    VerificationOutcome,
};
use crate::attest::opened::Lacking;
use crate::proof::case::Case;
use crate::proof::outcome::Outcome;

pub(super) fn look(case: &Case<'_>) -> Outcome {
    let run = &case.opened;
    let reports = || Ok::<_, Lacking>((run.envelope(slot::RED)?, run.envelope(slot::GREEN)?));
    let (red, green): (Envelope<Verification>, Envelope<Verification>) = match reports() {
        Ok(reports) => reports,
        Err(lacking) => return lacking.into(),
    };
    let tests: TestSet = match run.body(slot::TESTS) {
        Ok(tests) => tests,
        // The reports alone tell a part: the same names, red and green.
        Err(Lacking::NotKept(why)) => return kept(&red.body, &green.body, &why),
        Err(lacking) => return lacking.into(),
    };
    let mut problems = Vec::new();
    phases(&red.body, &green.body, tests.exempt.is_some(), &mut problems);
    sources(case, &red, &green, &mut problems);
    if tests.exempt.is_some() {
        let why = tests.exempt.unwrap_or_default();
        return Outcome::of(problems, || format!("nothing a test could run against: {why}"));
    }
    if tests.expected.is_empty() {
        problems.push("no test is expected, and nothing says why".into());
    }
    for expected in &tests.expected {
        let of = |report: &Verification| {
            let seen = report.tests.iter().find(|t| t.path == expected.path && t.name == expected.name);
            seen.cloned()
        };
        let name = format!("`{}` in `{}`", expected.name, expected.path);
        match of(&red.body) {
            Some(test) if is_red(&test) => {}
            _ => problems.push(format!("the red report does not show that {name} fails without the change")),
        }
        match of(&green.body) {
            Some(test) if is_green(&test, &green.body) => {}
            _ => problems.push(format!("the green report does not show that {name} passes with the change")),
        }
    }
    frozen(&tests, &red.body, "red", &mut problems);
    frozen(&tests, &green.body, "green", &mut problems);
    commands(&green.body, &red.body, &mut problems);
    let probe = green.body.probes.iter().find(|probe| probe.kind == ProbeKind::Revert);
    if probe.is_some_and(|probe| probe.runs > 0 && !probe.held) {
        problems.push("without the edits the tests stayed green".into());
    }
    let count = tests.expected.len();
    let probed = probe.is_some_and(|probe| probe.runs > 0);
    Outcome::of(problems, || {
        let again = if probed { "red again without the edits" } else { "the revert probe was off" };
        format!("{count} tests, red by assertion, then green; {again}")
    })
}

fn is_red(test: &TestReport) -> bool {
    let class = matches!(test.class, Some(FailureClass::Assertion | FailureClass::MissingBehaviour));
    class && matches!(test.status, TestStatus::Failed | TestStatus::NotSeen)
}

/// A runner that is not understood tells of no test; then the exit status counts, and only with the revert probe.
fn is_green(test: &TestReport, report: &Verification) -> bool {
    let probed = report.probes.iter().any(|p| p.kind == ProbeKind::Revert && p.held && p.runs > 0);
    match test.status {
        TestStatus::Passed => true,
        TestStatus::NotSeen => report.totals.is_none() && probed,
        TestStatus::Failed | TestStatus::Skipped => false,
    }
}

fn phases(red: &Verification, green: &Verification, exempt: bool, problems: &mut Vec<String>) {
    for (report, phase, name) in [(red, Phase::Red, "red"), (green, Phase::Green, "green")] {
        if report.phase != phase {
            problems.push(format!("the {name} report is of another phase"));
        }
        let fine = report.outcome == VerificationOutcome::Passed
            || (exempt && report.outcome == VerificationOutcome::Exempt);
        if !fine {
            problems.push(format!("the {name} phase did not pass"));
        }
        if report.outcome == VerificationOutcome::Passed && !report.reasons.is_empty() {
            problems.push(format!("the {name} report passed and gives reasons why it did not"));
        }
    }
    if red.base != green.base {
        problems.push("the reports are of different commits".into());
    }
}

/// Both reports name the tests they ran, and the green one the edits.
fn sources(
    case: &Case<'_>,
    red: &Envelope<Verification>,
    green: &Envelope<Verification>,
    problems: &mut Vec<String>,
) {
    let names = |report: &Envelope<Verification>, slot: crate::artifact::kind::Slot| {
        let Some((_, file)) = case.opened.find(slot.path) else { return false };
        report.inputs.iter().any(|input| input.path == file.path && input.digest == file.digest)
    };
    for (holds, what) in [
        (names(red, slot::TESTS), "the red report was made with other tests than `tests.json`"),
        (names(green, slot::TESTS), "the green report was made with other tests than `tests.json`"),
        (names(green, slot::EDITS), "the green report was made with other edits than `edits.json`"),
        (names(green, slot::RED), "the green report was made after another red report"),
    ] {
        if !holds {
            problems.push(what.into());
        }
    }
}

/// Every test file was byte-equal to `tests.json` after the run.
fn frozen(tests: &TestSet, report: &Verification, phase: &str, problems: &mut Vec<String>) {
    for file in &tests.files {
        let Some(after) = &file.after else { continue };
        let seen = report.frozen.iter().find(|frozen| frozen.path == file.path);
        let held = seen.is_some_and(|f| &f.expected == after && f.found.as_ref() == Some(after));
        if !held {
            problems.push(format!("the {phase} report does not show `{}` as it was written", file.path));
        }
        if file.content.as_ref().and_then(Content::to_bytes).map(Digest::of).as_ref() != Some(after) {
            problems.push(format!("`tests.json` gives `{}` a digest that is not its content's", file.path));
        }
    }
}

/// Commands of the main green run ended well, or failed only where tests failed on the base too.
fn commands(green: &Verification, red: &Verification, problems: &mut Vec<String>) {
    for command in green.commands.iter().filter(|command| command.run == "main") {
        let fails_before = command.role == CommandRole::Test && !red.other_failures.is_empty();
        let fine = command.ended.ok() || (fails_before && matches!(command.ended, Ended::Exited { .. }));
        if !fine {
            problems.push(format!("the command `{}` of the green phase failed", command.argv.join(" ")));
        }
    }
    if !green.commands.iter().any(|c| c.run == "main" && c.role == CommandRole::Test) {
        problems.push("no test command ran in the green phase".into());
    }
    let new = green.other_failures.iter().find(|name| !red.other_failures.contains(name));
    if let Some(name) = new {
        problems.push(format!("`{name}` fails with the change and did not fail without it"));
    }
}

fn kept(red: &Verification, green: &Verification, why: &str) -> Outcome {
    let mut problems = Vec::new();
    let exempt = red.outcome == VerificationOutcome::Exempt;
    phases(red, green, exempt, &mut problems);
    for test in green.tests.iter().filter(|_| !exempt) {
        let before = red.tests.iter().find(|t| t.path == test.path && t.name == test.name);
        if !before.is_some_and(is_red) || !is_green(test, green) {
            problems.push(format!("`{}` in `{}` is not red, then green", test.name, test.path));
        }
    }
    commands(green, red, &mut problems);
    if problems.is_empty() {
        return Outcome::not_measured(format!(
            "the reports agree; {why}, so the tests themselves were not compared"
        ));
    }
    Outcome::Failed { problems }
}
