//! A release decision, judged once more from its evidence, and the evidence held against what the gate was asked.
//!
//! Must never take another rule set for a changed decision: where the rules are others by now, it says so.

use crate::artifact::id::StageId;
use crate::artifact::kind::slot;
use crate::artifact::types::release::{ReleaseDecision, ReleaseEvidence, ReleaseRequest};
use crate::attest::opened::Lacking;
use crate::proof::case::Case;
use crate::proof::outcome::Outcome;
use crate::stage::release_gate::judge::Pack;
use crate::stage::release_gate::{RULES, class, environment_of, judged, rules_at, why};

pub(super) fn look(case: &Case<'_>) -> Outcome {
    let (evidence, decision): (ReleaseEvidence, ReleaseDecision) =
        match (case.opened.body(slot::RELEASE_EVIDENCE), case.opened.body(slot::RELEASE_DECISION)) {
            (Ok(evidence), Ok(decision)) => (evidence, decision),
            (Err(lacking), _) | (_, Err(lacking)) => return lacking.into(),
        };
    let (mut problems, open) = match asked(case, &evidence) {
        Ok(problems) => (problems, ""),
        // The evidence was kept, and can be judged again; what the gate was asked was not.
        Err(Lacking::NotKept(_)) => (Vec::new(), "; what the gate was asked was not kept"),
        Err(lacking) => return lacking.into(),
    };
    let wanted = class(decision.outcome).map(|class| (class.exit_code(), Some(why(&decision))));
    let ended = case.opened.last(StageId::ReleaseGate).map(|gate| (gate.link.exit, gate.link.reason.clone()));
    if ended != Some(wanted.unwrap_or_default()) {
        problems.push("the gate ended otherwise than its decision says".into());
    }
    match judged(&evidence) {
        Err(error) => return Outcome::needed(error.to_string()),
        Ok(again) if again.rules != decision.rules && problems.is_empty() => {
            return Outcome::needed(
                "it was judged by other rules than this orch has; use the orch that judged it",
            );
        }
        Ok(again) if again != decision => {
            problems.push(format!(
                "its evidence gives `{}` by the same rules, or other reasons",
                again.outcome.as_str()
            ));
        }
        Ok(_) => {}
    }
    Outcome::of(problems, || format!("`{}` follows from the evidence{open}", decision.outcome.as_str()))
}

/// Returns where the evidence is of something else than the gate was asked and configured for.
fn asked(case: &Case<'_>, evidence: &ReleaseEvidence) -> Result<Vec<String>, Lacking> {
    let absent = || Lacking::Unwritten("the gate is not finished".into());
    let round = case.opened.last(StageId::ReleaseGate).ok_or_else(absent)?.link.round;
    let header = case.opened.header(StageId::ReleaseGate, round)?;
    let text = header.request.as_ref().map(|request| request.text.as_str()).unwrap_or_default();
    let request: ReleaseRequest = serde_json::from_str(text)
        .map_err(|error| Lacking::Wrong(format!("what the gate was asked cannot be read: {error}")))?;
    let config = case.config(StageId::ReleaseGate)?;
    let mut problems = Vec::new();
    let mut unlike = |what: &str, same: bool| {
        if !same {
            problems.push(format!("its {what} is not what the gate was asked for"));
        }
    };
    unlike("subject", evidence.subject == request.subject);
    unlike("environment", evidence.environment == request.environment);
    unlike("branch", evidence.branch == request.branch);
    unlike("word on whether it is out", evidence.deployed == request.deployed);
    let terms = environment_of(&config, &request).map(|environment| &environment.terms);
    unlike("list of terms", terms.is_ok_and(|terms| *terms == evidence.terms));
    let vouched = case.opened.last(StageId::ReleaseGate).into_iter().flat_map(|gate| &gate.link.materials);
    let digest = Pack::of_evidence(evidence).ok().map(|pack| pack.digest);
    let same = vouched.filter(|material| material.name == RULES).map(|material| Some(&material.digest));
    unlike("set of rules", same.eq([digest.as_ref()]));
    if let Some(repository) = case.repository {
        let rules = rules_at(repository, &config, &request);
        unlike("set of own rules", rules.is_ok_and(|rules| rules == evidence.rules));
    }
    Ok(problems)
}
