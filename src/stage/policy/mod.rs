//! The policy stage: facts about a change become a verdict.
//!
//! Must never allow because something went wrong: a rule that is broken, undefined or too slow is a deny that names it.
//! It reads the artifacts and the base commit, never the working tree, and holds no dangerous power.
//!
//! # Layout
//!
//! - `cfg`: settings and levels, checked
//! - `bundle`: which rules judge; `rule`, `metadata`: one rule, checked before it runs
//! - `document`: the `input` rules see; `facts`: what scanners say; `lines`: what is new in a file
//! - `engine`: the rules evaluated, with limits; what mends and runs Rego is `crate::rego`
//! - `decide`: violations and levels become a decision
//! - `tester`: the tests of rules, written in Rego
//! - `diags`: the codes of the stage itself

pub mod bundle;
pub mod cfg;
pub mod decide;
pub mod diags;
pub mod document;
pub mod engine;
pub mod facts;
pub mod lines;
pub mod metadata;
pub mod rule;
pub mod tester;

mod answer;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::artifact::digest::CanonicalError;
use crate::artifact::digest::Digest;
use crate::artifact::id::StageId;
use crate::artifact::kind::slot;
use crate::artifact::types::manifest::Material;
use crate::artifact::types::policy_input::PolicyInput;
use crate::artifact::types::verdict::{Decision, Effect, SkippedRule, Verdict};
use crate::config::Level;
use crate::diagnostic::{Class, Failure};

use super::spec::{EffectKind, Input, Permission, StageSpec};
use super::{Finished, Inputs, Outputs, Stage, StageContext, StageError};

use bundle::{Bundle, BundleError, Sources};
use cfg::PolicyConfig;
use decide::{Decided, Violation, decide};
use document::{DocumentError, Pieces};
use engine::{Job, Limits};
use rule::Rule;

/// What the stage declares.
pub static SPEC: StageSpec = StageSpec {
    id: StageId::Policy,
    version: 1,
    summary: "Judges the change by the rules",
    about: "Builds one document of the task, the plan, the changed lines and the evidence of both test phases, and lets \
            every rule judge it in Rego: the pack in this binary and the packs of the repository, read from the base \
            commit. The strictest finding decides: allow, needs approval, or deny. A rule that is broken, undefined or \
            too slow denies.",
    inputs: &[
        Input::required(slot::TASK),
        Input::required(slot::PLAN),
        Input::required(slot::TESTS),
        Input::required(slot::RED),
        Input::required(slot::EDITS),
        Input::required(slot::GREEN),
    ],
    outputs: &[slot::POLICY_INPUT, slot::VERDICT],
    may_write: &[],
    effects: &[EffectKind::RepositoryRead],
    config: &["paths", "policy", "sandbox", "verify"],
    permissions: &[Permission::ContentsRead],
    exits: &[3, 4],
};

/// The policy stage.
#[derive(Clone, Copy, Debug, Default)]
pub struct PolicyStage;

impl Stage for PolicyStage {
    fn spec(&self) -> &'static StageSpec {
        &SPEC
    }

    fn materials(&self, cx: &StageContext<'_>) -> Result<Vec<Material>, StageError> {
        let packs = &cx.config.policy.packs;
        let vcs = cx.vcs()?;
        let sources = if packs.is_empty() {
            Sources::embedded()?
        } else {
            Sources::gather(vcs, &vcs.head()?.tree, packs)?
        };
        Ok(vec![Material { name: "policy-bundle".into(), digest: sources.digest().clone() }])
    }

    fn run(&self, cx: &StageContext<'_>, inputs: &Inputs) -> Result<Finished, StageError> {
        let pieces = Pieces {
            task: inputs.get(slot::TASK)?,
            plan: inputs.get(slot::PLAN)?,
            tests: inputs.get(slot::TESTS)?,
            tests_digest: inputs.file(slot::TESTS)?.digest.clone(),
            red: inputs.get(slot::RED)?,
            edits: inputs.get(slot::EDITS)?,
            green: inputs.get(slot::GREEN)?,
        };
        let vcs = cx.vcs()?;
        let bundle = Bundle::parse(&Sources::gather(vcs, &pieces.task.base.tree, &cx.config.policy.packs)?);
        let config = PolicyConfig::new(cx.config, &bundle).map_err(|e| refused(&e))?;
        let input = document::build(vcs, pieces, config.settings.clone())?;
        let verdict = check(&config, &bundle, &input, Limits::default()).map_err(|error| internal(&error))?;
        let mut outputs = Outputs::default();
        outputs.put(slot::POLICY_INPUT, &input)?;
        outputs.put(slot::VERDICT, &verdict)?;
        Ok(finish(outputs, &verdict))
    }
}

fn finish(outputs: Outputs, verdict: &Verdict) -> Finished {
    match verdict.decision {
        Decision::Allow => Finished::done(outputs),
        Decision::NeedsApproval => Finished::stopped(
            outputs,
            Class::NeedsApproval,
            format!("a person has to approve: {}", why(verdict, Effect::RequireApproval)),
        ),
        Decision::Deny => Finished::stopped(
            outputs,
            Class::Denied,
            format!("policy denies the change: {}", why(verdict, Effect::Deny)),
        ),
    }
}

/// Says the first finding that decided, and how many more there are.
fn why(verdict: &Verdict, effect: Effect) -> String {
    let mut decisive = verdict.findings.iter().filter(|f| f.effect == effect);
    let first = decisive.next().map(|f| format!("{} ({})", f.message, f.code)).unwrap_or_default();
    match decisive.count() {
        0 => first,
        more => format!("{first}, and {more} more"),
    }
}

/// Judges a document; no IO, and an error only when the document has no canonical form.
pub fn check(
    config: &PolicyConfig,
    bundle: &Bundle,
    input: &PolicyInput,
    limits: Limits,
) -> Result<Verdict, CanonicalError> {
    let document = crate::artifact::digest::canonical_json(input)?;
    let digest = Digest::of(&document);
    let mut violations: Vec<Violation> = bundle.broken.iter().map(answer::broken).collect();
    let mut judged = Judged::default();
    if document.len() > limits.input_bytes {
        violations.push(answer::too_large(document.len(), limits.input_bytes));
    } else {
        let text = String::from_utf8_lossy(&document).into_owned();
        judged = judge(config, bundle, &absent(input), text, limits);
        violations.append(&mut judged.violations);
    }
    let Decided { decision, findings, set_aside } = decide(&config.levels, violations);
    Ok(Verdict {
        subject: input.subject.clone(),
        decision,
        findings,
        set_aside,
        bundle: bundle.digest.clone(),
        input: digest,
        rules: judged.ran,
        skipped: judged.skipped,
    })
}

/// Returns the optional parts a document does not have.
fn absent(input: &PolicyInput) -> BTreeSet<&'static str> {
    let there = |part: &str| match part {
        "task" => input.task.is_some(),
        "plan" => input.plan.is_some(),
        "changes" => input.changes.is_some(),
        "size" => input.size.is_some(),
        _ => input.tests.is_some(),
    };
    rule::OPTIONAL.into_iter().filter(|part| !there(part)).collect()
}

/// What the rules said.
#[derive(Debug, Default)]
struct Judged {
    ran: Vec<String>,
    skipped: Vec<SkippedRule>,
    violations: Vec<Violation>,
}

/// Lets every rule judge that is not off and has what it needs.
fn judge(
    config: &PolicyConfig,
    bundle: &Bundle,
    absent: &BTreeSet<&'static str>,
    document: String,
    limits: Limits,
) -> Judged {
    let mut judged = Judged::default();
    let mut judges: Vec<&Rule> = Vec::new();
    for rule in &bundle.rules {
        let code = &rule.metadata.code;
        let missing: Vec<&str> = rule.needs.intersection(absent).copied().collect();
        if config.levels.get(code.as_str()) == Some(&Level::Off) {
            judged.skipped.push(SkippedRule { code: code.to_string(), why: "it is off in orch.yml".into() });
        } else if !missing.is_empty() {
            let why = format!("this subject has no {}", missing.join(", no "));
            judged.skipped.push(SkippedRule { code: code.to_string(), why });
        } else if let Some(name) = rule.settings.iter().find(|name| !config.settings.contains_key(*name)) {
            judged.violations.push(answer::without_setting(rule, name));
        } else {
            judges.push(rule);
        }
    }
    let job = |rule: &&Rule| Job {
        policies: Arc::clone(&rule.policies),
        entries: rule.entries.iter().map(|(path, _)| path.clone()).collect(),
    };
    let answers = engine::evaluate(judges.iter().map(job).collect(), document, limits);
    for (rule, answer) in judges.into_iter().zip(answers) {
        match answer {
            Ok(sets) => {
                judged.ran.push(rule.metadata.code.to_string());
                judged.violations.extend(answer::violations(rule, sets));
            }
            Err(fault) => judged.violations.push(answer::fault(rule, &fault.to_string())),
        }
    }
    judged
}

fn refused(error: &dyn Failure) -> StageError {
    let mut what = error.to_string();
    if let Some(source) = error.source() {
        what = format!("{what}: {source}");
    }
    StageError::Refused { class: error.class(), what, help: error.help().unwrap_or_default() }
}

fn internal(error: &CanonicalError) -> StageError {
    StageError::Refused {
        class: Class::Internal,
        what: error.to_string(),
        help: "This is a fault of orch; please report it.".into(),
    }
}

impl From<BundleError> for StageError {
    fn from(error: BundleError) -> Self {
        match error {
            BundleError::Vcs(error) => Self::Vcs(error),
            error => refused(&error),
        }
    }
}

impl From<DocumentError> for StageError {
    fn from(error: DocumentError) -> Self {
        match error {
            DocumentError::Vcs(error) => Self::Vcs(error),
            error => refused(&error),
        }
    }
}
