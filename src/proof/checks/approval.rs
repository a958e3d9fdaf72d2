//! What policy left to a person, a person has approved.
//!
//! The approval is held against everything it is bound to, and against the time at which it was used.

use jiff::Timestamp;

use crate::artifact::id::StageId;
use crate::artifact::kind::slot;
use crate::artifact::types::approval::Approval;
use crate::artifact::types::verdict::{Decision, Verdict};
use crate::attest::opened::Lacking;
use crate::proof::case::Case;
use crate::proof::outcome::Outcome;
use crate::stage::approve::bound;
use crate::stage::pr::Evidence;

use super::bindings::{EVIDENCE, one_line};

pub(super) fn look(case: &Case<'_>) -> Outcome {
    let verdict: Verdict = match case.opened.body(slot::VERDICT) {
        Ok(verdict) => verdict,
        Err(lacking) => return lacking.into(),
    };
    let approval: Approval = match case.opened.body(slot::APPROVAL) {
        Ok(approval) => approval,
        Err(Lacking::Unwritten(_)) if verdict.decision == Decision::NeedsApproval => {
            return Outcome::failed("policy leaves the change to a person, and the run holds no approval");
        }
        Err(Lacking::Unwritten(_)) => return Outcome::held("policy left nothing to a person"),
        Err(lacking) => return lacking.into(),
    };
    let inputs = match case.opened.inputs(EVIDENCE) {
        Ok(inputs) => inputs,
        Err(lacking) => return lacking.into(),
    };
    let evidence = match Evidence::load(&inputs) {
        Ok(evidence) => evidence,
        Err(error) => return Outcome::failed(one_line(&error)),
    };
    let Some(at) = used_at(case, &approval) else {
        return Outcome::failed("the approval does not say when it was given");
    };
    match approval.covers(&bound(case.opened.run, &evidence), at) {
        Ok(()) => Outcome::held("of this verdict and these edits, in its time"),
        Err(void) => Outcome::failed(format!("the approval {void}")),
    }
}

/// Returns when the approval was used: when the pull request was written, or, before there is one, when it was given.
pub(in crate::proof) fn used_at(case: &Case<'_>, approval: &Approval) -> Option<Timestamp> {
    let written = case.opened.last(StageId::Pr).map(|manifest| &manifest.timing.started_at);
    let from = approval.approved_at.parse::<Timestamp>().ok()?;
    match written.and_then(|at| at.parse::<Timestamp>().ok()) {
        // A pull request of before the approval did not use it.
        Some(at) if at >= from => Some(at),
        _ => Some(from),
    }
}
