//! What the files say they were made from, down to the pull request; the same look the `pr` stage takes.

use crate::artifact::kind::{Slot, slot};
use crate::diagnostic::Failure as _;
use crate::proof::case::Case;
use crate::proof::outcome::Outcome;
use crate::stage::pr::Evidence;

/// What a pull request is made from.
pub(super) const EVIDENCE: &[Slot] =
    &[slot::TASK, slot::PLAN, slot::TESTS, slot::RED, slot::EDITS, slot::GREEN, slot::VERDICT];

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
    Outcome::of(problems, || "task, plan, tests, reports, edits, verdict and pull request".into())
}

/// An error with what to do about it.
pub(super) fn one_line(error: &crate::stage::StageError) -> String {
    match error.help() {
        Some(help) if error.class() == crate::diagnostic::Class::Internal => format!("{error}; {help}"),
        _ => error.to_string(),
    }
}
