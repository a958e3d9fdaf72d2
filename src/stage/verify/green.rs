//! `verify-green`: everything passes with the change, again and again, and is red once more without it.
//!
//! Must never run anything when the tests were not seen red, or when the edits touch them.

use super::classify::Known;
use super::decide::{self, Ran};
use super::diags::Code;
use super::phase::{Phase, of_role};
use super::{GREEN_SPEC, MAIN, finish, junit_out, log, planned, protection};
use crate::artifact::kind::slot;
use crate::artifact::types::change_set::{ChangeSet, TestSet};
use crate::artifact::types::plan::Plan;
use crate::artifact::types::task::Task;
use crate::artifact::types::verification::{
    self as report, CommandRole, Probe, ProbeKind, Reason, TestStatus, Verification, VerificationOutcome,
};
use crate::stage::spec::StageSpec;
use crate::stage::{Finished, Inputs, Outputs, Stage, StageContext, StageError};

/// The run without the edits.
const REVERT: &str = "revert";

/// The green phase.
#[derive(Clone, Copy, Debug)]
pub struct VerifyGreen;

/// What the phase works on.
struct Work {
    task: Task,
    plan: Plan,
    tests: TestSet,
    red: Verification,
    edits: ChangeSet,
}

impl Stage for VerifyGreen {
    fn spec(&self) -> &'static StageSpec {
        &GREEN_SPEC
    }

    fn run(&self, cx: &StageContext<'_>, inputs: &Inputs) -> Result<Finished, StageError> {
        let work = Work {
            task: inputs.get(slot::TASK)?,
            plan: inputs.get(slot::PLAN)?,
            tests: inputs.get(slot::TESTS)?,
            red: inputs.get(slot::RED)?,
            edits: inputs.get(slot::EDITS)?,
        };
        let (report, ran) = verify(cx, &work)?;
        let main: Vec<&Ran> = ran.iter().filter(|ran| ran.run == MAIN).collect();
        let mut outputs = Outputs::default();
        outputs.put(slot::GREEN, &report)?;
        outputs.put_bytes(slot::GREEN_LOG, log::render(&ran));
        outputs.put_bytes(slot::GREEN_JUNIT, junit_out::render(&main));
        Ok(finish(&report, outputs))
    }
}

fn verify(cx: &StageContext<'_>, work: &Work) -> Result<(Verification, Vec<Ran>), StageError> {
    let mut report = blank(cx, work)?;
    report.reasons = refusals(cx, work);
    if !report.reasons.is_empty() {
        return Ok((report, Vec::new()));
    }
    let known = Known::new(&work.plan, !cx.config.commands.setup.is_empty());
    let mut phase = Phase::start(cx, &work.task.base.tree, &work.tests)?;
    phase.apply(&work.edits.files)?;
    main_run(&mut phase)?;
    let frozen = phase.frozen(&work.tests)?;
    let exempt = work.tests.exempt.is_some();
    // A change that needs no test may be made where there is no test yet.
    let main: Vec<&Ran> = phase.of(MAIN).into_iter().filter(|ran| !(exempt && ran.found_no_test())).collect();
    let observed = decide::observe(&work.tests, &main, &known);
    // Without single results the revert probe is what ties the pass to the edits.
    let unseen_ok = exempt || cx.config.verify.revert_probe;
    let mut reasons = decide::not_green(&observed, &main, &work.red.other_failures, unseen_ok);
    reasons.extend(decide::thawed(&frozen));
    report.frozen = frozen;
    report.tests = observed.tests;
    report.totals = observed.totals;
    report.other_failures = observed.others;
    if reasons.is_empty() {
        probe(cx, &mut phase, work, &known, &mut report, &mut reasons)?;
    } else {
        report.probes =
            [ProbeKind::Flake, ProbeKind::Revert].map(|kind| idle(kind, "the main run failed")).into();
    }
    if let Some(why) = work.tests.exempt.as_ref().filter(|_| reasons.is_empty()) {
        report.outcome = VerificationOutcome::Exempt;
        reasons.push(Code::Exempt.reason(exemption(cx, why, &phase.of(MAIN))));
    } else if reasons.is_empty() {
        report.outcome = VerificationOutcome::Passed;
    }
    report.reasons = reasons;
    report.protection = protection::weakest(&phase.ran, cx.config.sandbox.setup_network, report.protection);
    report.commands = phase.ran.iter().map(Ran::report).collect();
    Ok((report, phase.ran))
}

fn exemption(cx: &StageContext<'_>, why: &str, main: &[&Ran]) -> String {
    if of_role(cx.config, CommandRole::Test).is_empty() {
        format!("{why}; no test command is configured, so no test was run")
    } else if main.iter().filter(|ran| ran.role == CommandRole::Test).all(|ran| ran.found_no_test()) {
        format!("{why}; the repository has no test yet, so no test was run")
    } else {
        format!("{why}; the existing tests pass with the change")
    }
}

/// Setup and build must succeed for the rest to mean anything; lint and tests are both told of.
fn main_run(phase: &mut Phase<'_>) -> Result<(), StageError> {
    if phase.run(CommandRole::Setup, MAIN, true)? && phase.run(CommandRole::Build, MAIN, true)? {
        phase.run(CommandRole::Lint, MAIN, false)?;
        phase.run(CommandRole::Test, MAIN, false)?;
    }
    Ok(())
}

/// Returns why nothing may be run at all.
fn refusals(cx: &StageContext<'_>, work: &Work) -> Vec<Reason> {
    let mut reasons = overlaps(&work.tests, &work.edits);
    if work.tests.exempt.is_some() {
        return reasons;
    }
    if of_role(cx.config, CommandRole::Test).is_empty() {
        reasons.push(Code::NoTestCommand.reason("orch.yml names no test command"));
    }
    if work.tests.expected.is_empty() {
        reasons.push(Code::NoExpectedTests.reason("the test set expects no test"));
    }
    reasons.extend(unproven(work).map(|what| Code::NotRed.reason(what)));
    reasons
}

/// Returns the reasons for edits of frozen files, whatever case their names are written in.
fn overlaps(tests: &TestSet, edits: &ChangeSet) -> Vec<Reason> {
    let folded = |path: &crate::artifact::path::RepoPath| path.as_str().to_lowercase();
    let frozen: std::collections::BTreeSet<String> = tests.files.iter().map(|f| folded(&f.path)).collect();
    let touched = edits.files.iter().filter(|edit| frozen.contains(&folded(&edit.path)));
    touched
        .map(|edit| Code::FrozenChanged.reason(format!("the edits touch the test file `{}`", edit.path)))
        .collect()
}

/// Returns why the red report does not vouch for these tests on this base.
fn unproven(work: &Work) -> Option<String> {
    let red = &work.red;
    if red.phase != report::Phase::Red || red.outcome != VerificationOutcome::Passed {
        return Some("the red phase did not pass".into());
    }
    if red.base != work.task.base.commit {
        return Some("the red phase ran on another base".into());
    }
    let same = |file: &crate::artifact::types::change_set::FileChange| {
        file.after.is_none()
            || red.frozen.iter().any(|f| f.path == file.path && Some(&f.expected) == file.after.as_ref())
    };
    if let Some(file) = work.tests.files.iter().find(|file| !same(file)) {
        return Some(format!("the red phase ran with another `{}`", file.path));
    }
    let failed = |path, name: &str| {
        red.tests.iter().any(|t| &t.path == path && t.name == name && t.status == TestStatus::Failed)
    };
    let unseen = work.tests.expected.iter().find(|test| !failed(&test.path, &test.name))?;
    Some(format!("`{}` in `{}` was not seen to fail", unseen.name, unseen.path))
}

/// Runs the probes and adds what they found; the revert probe is last, since it takes the edits out of the copy.
fn probe(
    cx: &StageContext<'_>,
    phase: &mut Phase<'_>,
    work: &Work,
    known: &Known,
    report: &mut Verification,
    reasons: &mut Vec<Reason>,
) -> Result<(), StageError> {
    let (flake, found) = flake(cx, phase)?;
    reasons.extend(found);
    let (revert, found) = revert(cx, phase, work, known)?;
    reasons.extend(found);
    report.probes = vec![flake, revert];
    // The probes ran in the same copy; the tests must have survived them as well.
    let frozen = phase.frozen(&work.tests)?;
    reasons.extend(decide::thawed(&frozen));
    report.frozen = frozen;
    Ok(())
}

fn idle(kind: ProbeKind, why: &str) -> Probe {
    Probe { kind, runs: 0, held: false, message: format!("not run: {why}") }
}

fn flake(cx: &StageContext<'_>, phase: &mut Phase<'_>) -> Result<(Probe, Vec<Reason>), StageError> {
    let wanted = cx.config.verify.flake_runs;
    if wanted == 0 {
        return Ok((idle(ProbeKind::Flake, "`verify.flake_runs` is 0"), Vec::new()));
    }
    if of_role(cx.config, CommandRole::Test).is_empty() {
        return Ok((idle(ProbeKind::Flake, "there is no test command"), Vec::new()));
    }
    for n in 1..=wanted {
        let name = format!("flake-{n}");
        cx.note(format!("running the tests again ({n} of {wanted})"));
        phase.run(CommandRole::Test, &name, false)?;
        let tests = |run: &str| -> Vec<&Ran> {
            phase.ran.iter().filter(|r| r.run == run && r.role == CommandRole::Test).collect()
        };
        let different = decide::differences(&tests(MAIN), &tests(&name));
        if !different.is_empty() {
            let message = format!("run {n} differs in {}", different.join(", "));
            let probe = Probe { kind: ProbeKind::Flake, runs: n, held: false, message: message.clone() };
            return Ok((probe, vec![Code::Flaky.reason(message)]));
        }
    }
    let message = "every run gave the same result".into();
    Ok((Probe { kind: ProbeKind::Flake, runs: wanted, held: true, message }, Vec::new()))
}

/// Takes the edits out of the same copy, caches and all, and runs build and tests as the red phase does.
fn revert(
    cx: &StageContext<'_>,
    phase: &mut Phase<'_>,
    work: &Work,
    known: &Known,
) -> Result<(Probe, Vec<Reason>), StageError> {
    if !cx.config.verify.revert_probe {
        return Ok((idle(ProbeKind::Revert, "`verify.revert_probe` is off"), Vec::new()));
    }
    if work.tests.exempt.is_some() {
        return Ok((idle(ProbeKind::Revert, "the test set expects no test"), Vec::new()));
    }
    cx.note("running the tests without the edits");
    phase.revert()?;
    let observed = super::red::look(phase, REVERT, &work.tests, known)?;
    let reasons = decide::not_red(&observed, &phase.of(REVERT));
    let probe = |held, message: String| Probe { kind: ProbeKind::Revert, runs: 1, held, message };
    let Some(first) = reasons.first() else {
        return Ok((probe(true, "without the edits every expected test is red again".into()), Vec::new()));
    };
    let message = format!("without the edits: {}", first.message);
    Ok((probe(false, message.clone()), vec![Code::RevertNotRed.reason(message)]))
}

/// Returns a failed report of a phase in which nothing ran yet.
fn blank(cx: &StageContext<'_>, work: &Work) -> Result<Verification, StageError> {
    let nothing = "nothing was run";
    Ok(Verification {
        phase: report::Phase::Green,
        outcome: VerificationOutcome::Failed,
        reasons: Vec::new(),
        base: work.task.base.commit.clone(),
        protection: planned(cx)?,
        commands: Vec::new(),
        tests: Vec::new(),
        totals: None,
        other_failures: Vec::new(),
        frozen: Vec::new(),
        probes: [ProbeKind::Flake, ProbeKind::Revert].map(|kind| idle(kind, nothing)).into(),
    })
}
