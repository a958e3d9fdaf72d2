//! What the files say they were made from, down to the pull request; the same look the `pr` stage takes.

use crate::artifact::id::StageId;
use crate::artifact::kind::{Slot, slot};
use crate::artifact::types::verdict::Decision;
use crate::diagnostic::Failure as _;
use crate::proof::case::Case;
use crate::proof::outcome::Outcome;
use crate::stage::pr::Evidence;

/// What a pull request is made from.
pub(super) const EVIDENCE: &[Slot] =
    &[slot::TASK, slot::PLAN, slot::TESTS, slot::RED, slot::EDITS, slot::GREEN, slot::VERDICT];

/// The stages whose files those are.
const JUDGED: &[StageId] = &[
    StageId::Intake,
    StageId::Plan,
    StageId::TestWrite,
    StageId::VerifyRed,
    StageId::Generate,
    StageId::VerifyGreen,
    StageId::Policy,
    StageId::Pr,
];

pub(super) fn look(case: &Case<'_>) -> Outcome {
    let inputs = match case.opened.inputs(EVIDENCE) {
        Ok(inputs) => inputs,
        Err(lacking) => return lacking.into(),
    };
    let evidence = match Evidence::load(&inputs) {
        Ok(evidence) => evidence,
        Err(error) => return Outcome::failed(one_line(&error)),
    };
    let request = match case.pull_request() {
        Ok(request) => request,
        Err(lacking) => return lacking.into(),
    };
    let mut problems = Vec::new();
    if request.provenance != evidence.provenance {
        problems.push("`pr.json` is bound to other files than these".to_owned());
    }
    if case.opened.digest(slot::PULL_REQUEST_TEXT) != Some(&request.body) {
        problems.push("`pr.json` names another text than `pr.md`".to_owned());
    }
    problems.extend(ends(case, &evidence));
    Outcome::of(problems, || "task, plan, tests, reports, edits, verdict and pull request".into())
}

/// The last manifest of each stage says it ended as its files say.
fn ends(case: &Case<'_>, evidence: &Evidence) -> Vec<String> {
    let wanted = |stage| match stage {
        StageId::Policy if evidence.verdict.decision == Decision::NeedsApproval => 4,
        _ => 0,
    };
    let last = JUDGED.iter().filter_map(|stage| case.opened.last(*stage));
    let odd = last.filter(|m| m.link.exit != wanted(m.link.stage));
    odd.map(|m| format!("`{}` ended with {}, and its files say otherwise", m.link.stage, m.link.exit))
        .collect()
}

/// An error with what to do about it.
pub(super) fn one_line(error: &crate::stage::StageError) -> String {
    match error.help() {
        Some(help) if error.class() == crate::diagnostic::Class::Internal => format!("{error}; {help}"),
        _ => error.to_string(),
    }
}
