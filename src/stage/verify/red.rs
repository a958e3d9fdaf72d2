//! `verify-red`: the new tests must fail without the change.
//!
//! Must never see the edits.

use super::classify::Known;
use super::decide::{self, Observed, Ran};
use super::diags::Code;
use super::phase::{Phase, of_role};
use super::{MAIN, RED_SPEC, finish, log, planned, protection};
use crate::artifact::kind::slot;
use crate::artifact::types::change_set::TestSet;
use crate::artifact::types::plan::Plan;
use crate::artifact::types::task::Task;
use crate::artifact::types::verification::{
    self as report, CommandRole, FrozenFile, Reason, Verification, VerificationOutcome,
};
use crate::stage::spec::StageSpec;
use crate::stage::{Finished, Inputs, Outputs, Stage, StageContext, StageError};

/// The red phase.
#[derive(Clone, Copy, Debug)]
pub struct VerifyRed;

impl Stage for VerifyRed {
    fn spec(&self) -> &'static StageSpec {
        &RED_SPEC
    }

    fn run(&self, cx: &StageContext<'_>, inputs: &Inputs) -> Result<Finished, StageError> {
        let task: Task = inputs.get(slot::TASK)?;
        let plan: Plan = inputs.get(slot::PLAN)?;
        let tests: TestSet = inputs.get(slot::TESTS)?;
        let (report, ran) = verify(cx, &task, &plan, &tests)?;
        let mut outputs = Outputs::default();
        outputs.put(slot::RED, &report)?;
        outputs.put_bytes(slot::RED_LOG, log::render(&ran));
        Ok(finish(&report, outputs))
    }
}

fn verify(
    cx: &StageContext<'_>,
    task: &Task,
    plan: &Plan,
    tests: &TestSet,
) -> Result<(Verification, Vec<Ran>), StageError> {
    let mut report = blank(cx, task)?;
    if let Some(reason) = without_a_run(cx, tests) {
        if reason.code == Code::Exempt.as_str() {
            cx.note(format!("red-then-green is waived: {}", reason.message));
            report.outcome = VerificationOutcome::Exempt;
        }
        report.reasons.push(reason);
        return Ok((report, Vec::new()));
    }
    let known = Known::new(plan, !cx.config.commands.setup.is_empty());
    let mut phase = Phase::start(cx, &task.base.tree, tests)?;
    let mut reasons = Vec::new();
    if ready(&mut phase, plan)? {
        look(&mut phase, MAIN, tests, &known)?;
    } else {
        reasons.extend(phase.ran.last().map(|ran| {
            let words = ran.argv.join(" ");
            Code::SetupFailed.reason(format!("`{words}` {}", decide::ended(&ran.ended)))
        }));
    }
    let frozen = phase.frozen(tests)?;
    let ran = phase.of(MAIN);
    let observed = decide::observe(tests, &ran, &known);
    if reasons.is_empty() {
        reasons = decide::not_red(&observed, &ran);
    }
    reasons.extend(decide::thawed(&frozen));
    if !observed.others.is_empty() {
        cx.note(format!("{} other tests fail on the base", observed.others.len()));
    }
    let protection =
        protection::weakest(&phase.ran, cx.config.sandbox.setup_network, report.protection.clone());
    fill(&mut report, reasons, protection, &phase.ran, observed, frozen);
    Ok((report, phase.ran))
}

/// Builds and runs the tests without the edits, as the red phase and the revert probe do.
///
/// What does not build may be the very thing the change is to make, so the tests run in any case.
pub(super) fn look(
    phase: &mut Phase<'_>,
    run: &str,
    tests: &TestSet,
    known: &Known,
) -> Result<Observed, StageError> {
    phase.run(CommandRole::Build, run, true)?;
    phase.run(CommandRole::Test, run, false)?;
    let observed = decide::observe(tests, &phase.of(run), known);
    if phase.run_alone(run, &observed)? {
        Ok(decide::observe(tests, &phase.of(run), known))
    } else {
        Ok(observed)
    }
}

/// Runs setup and tells whether to go on; a setup that fails for want of a file the change makes is no hindrance.
fn ready(phase: &mut Phase<'_>, plan: &Plan) -> Result<bool, StageError> {
    if phase.run(CommandRole::Setup, MAIN, true)? {
        return Ok(true);
    }
    let to_come =
        plan.files.iter().filter(|f| !f.exists && f.role == crate::artifact::types::plan::FileRole::Change);
    let wanted = phase.ran.last().is_some_and(|ran| {
        let exited = matches!(ran.ended, report::Ended::Exited { .. });
        let text = format!("{}\n{}", ran.stderr, ran.stdout);
        exited
            && to_come.into_iter().any(|file| super::classify::names(&text, &file.path, file.path.as_str()))
    });
    Ok(wanted)
}

/// Returns why nothing is run, where that is so.
fn without_a_run(cx: &StageContext<'_>, tests: &TestSet) -> Option<Reason> {
    if let Some(why) = &tests.exempt {
        return Some(Code::Exempt.reason(why.clone()));
    }
    if of_role(cx.config, CommandRole::Test).is_empty() {
        return Some(Code::NoTestCommand.reason("orch.yml names no test command"));
    }
    tests.expected.is_empty().then(|| {
        Code::NoExpectedTests
            .reason("the test set expects no test to be red, and does not say that it is exempt")
    })
}

/// Returns a failed report of a phase in which nothing ran yet.
fn blank(cx: &StageContext<'_>, task: &Task) -> Result<Verification, StageError> {
    Ok(Verification {
        phase: report::Phase::Red,
        outcome: VerificationOutcome::Failed,
        reasons: Vec::new(),
        base: task.base.commit.clone(),
        protection: planned(cx)?,
        commands: Vec::new(),
        tests: Vec::new(),
        totals: None,
        other_failures: Vec::new(),
        frozen: Vec::new(),
        probes: Vec::new(),
    })
}

fn fill(
    report: &mut Verification,
    reasons: Vec<Reason>,
    protection: report::Protection,
    ran: &[Ran],
    observed: Observed,
    frozen: Vec<FrozenFile>,
) {
    report.outcome =
        if reasons.is_empty() { VerificationOutcome::Passed } else { VerificationOutcome::Failed };
    report.reasons = reasons;
    report.protection = protection;
    report.commands = ran.iter().map(Ran::report).collect();
    report.tests = observed.tests;
    report.totals = observed.totals;
    report.other_failures = observed.others;
    report.frozen = frozen;
}
