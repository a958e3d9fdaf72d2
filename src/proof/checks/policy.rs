//! The verdict, made again: the same document, the same rules, the same decision.
//!
//! Other rules are no substitute: what cannot be judged by the rules of the recorded digest is not judged.

use crate::artifact::digest::Digest;
use crate::artifact::envelope::{Envelope, Producer};
use crate::artifact::id::StageId;
use crate::artifact::kind::slot;
use crate::artifact::types::policy_input::PolicyInput;
use crate::artifact::types::task::Task;
use crate::artifact::types::verdict::{Decision, Verdict};
use crate::attest::opened::Lacking;
use crate::config::Config;
use crate::proof::case::{Case, Repository};
use crate::proof::outcome::Outcome;
use crate::stage::policy::bundle::{BundleError, Sources};
use crate::stage::policy::judge_run;
use crate::stage::policy::pack::PackError;

use super::bindings::{EVIDENCE, one_line};

/// What was judged, and what came of it.
struct Recorded {
    input: Envelope<PolicyInput>,
    verdict: Envelope<Verdict>,
    config: Config,
    task: Task,
}

pub(super) fn look(case: &Case<'_>) -> Outcome {
    let recorded = match recorded(case) {
        Ok(recorded) => recorded,
        Err(lacking) => return lacking.into(),
    };
    let verdict = &recorded.verdict.body;
    match Digest::of_json(&recorded.input.body) {
        Ok(digest) if digest == verdict.input => {}
        _ => return Outcome::failed("the verdict is about another document than `policy/input.json`"),
    }
    let strictest = verdict.findings.iter().map(|f| f.effect.decision()).max().unwrap_or(Decision::Allow);
    if verdict.decision != strictest {
        return Outcome::failed("the decision is not that of the strictest finding");
    }
    if verdict.decision == Decision::Deny {
        return Outcome::failed("policy denies the change");
    }
    let Some(repository) = case.repository else {
        return Outcome::needed("there is no repository to read the base and the rules from");
    };
    again(case, repository, &recorded)
}

fn recorded(case: &Case<'_>) -> Result<Recorded, Lacking> {
    Ok(Recorded {
        verdict: case.opened.envelope(slot::VERDICT)?,
        input: case.opened.envelope(slot::POLICY_INPUT)?,
        config: case.config(StageId::Policy)?,
        task: case.opened.body(slot::TASK)?,
    })
}

fn again(case: &Case<'_>, repository: &dyn Repository, recorded: &Recorded) -> Outcome {
    let Recorded { input, verdict, config, task } = recorded;
    let bundle = &verdict.body.bundle;
    match Sources::gather(repository, &task.base.tree, &config.policy.packs) {
        Ok(sources) if sources.digest() == bundle => {}
        Ok(sources) => {
            return Outcome::needed(format!(
                "cannot be re-evaluated: rules of digest {bundle} are needed, and these are {}; use orch {}",
                sources.digest().short(),
                verdict.producer.version
            ));
        }
        Err(BundleError::Pack(error @ PackError::Missing { .. })) => {
            return Outcome::needed(format!(
                "cannot be re-evaluated: rules of digest {bundle} are needed, and {error}; `orch policy fetch` gets them"
            ));
        }
        Err(error) => {
            return Outcome::needed(format!(
                "cannot be re-evaluated: rules of digest {bundle} are needed, and they cannot be read: {error}"
            ));
        }
    }
    let inputs = match case.opened.inputs(EVIDENCE) {
        Ok(inputs) => inputs,
        Err(lacking) => return lacking.into(),
    };
    let (document, judged) = match judge_run(config, repository, &inputs) {
        Ok(made) => made,
        Err(error) if error_is_of_clone(&error) => return Outcome::needed(one_line(&error)),
        Err(error) => return Outcome::failed(one_line(&error)),
    };
    let same_document = document == input.body;
    if !same_document && verdict.producer != Producer::this() {
        return Outcome::needed(format!(
            "another version of orch looked at the change: re-evaluate with orch {}",
            verdict.producer.version
        ));
    }
    if !same_document {
        return Outcome::failed("`policy/input.json` is not what these files and this base make");
    }
    if judged != verdict.body {
        return Outcome::failed(format!(
            "the same rules give another verdict: {}",
            difference(&judged, &verdict.body)
        ));
    }
    let (ran, found) = (judged.rules.len(), judged.findings.len());
    let aside = match judged.set_aside.len() {
        0 => String::new(),
        n => format!(", {n} set aside"),
    };
    Outcome::held(format!("{} again: {ran} rules, {found} findings{aside}", shown(judged.decision)))
}

/// A clone that lacks objects is no evidence against a change.
fn error_is_of_clone(error: &crate::stage::StageError) -> bool {
    matches!(error, crate::stage::StageError::Vcs(crate::ports::vcs::VcsError::MissingObject { .. }))
}

fn difference(now: &Verdict, then: &Verdict) -> String {
    if now.decision != then.decision {
        return format!("{} instead of {}", shown(now.decision), shown(then.decision));
    }
    let only = |a: &Verdict, b: &Verdict| {
        a.findings.iter().find(|f| !b.findings.contains(f)).map(|f| f.code.clone())
    };
    match (only(now, then), only(then, now)) {
        (Some(code), _) => format!("a finding of `{code}` is not recorded"),
        (None, Some(code)) => format!("the recorded finding of `{code}` is not found again"),
        (None, None) => "the findings are the same, what was asked or set aside is not".into(),
    }
}

const fn shown(decision: Decision) -> &'static str {
    match decision {
        Decision::Allow => "allow",
        Decision::NeedsApproval => "needs approval",
        Decision::Deny => "deny",
    }
}
