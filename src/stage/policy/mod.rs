//! The policy stage: facts about a change become a verdict.
//!
//! Must never allow because something went wrong: a rule that is broken, undefined or too slow is a deny that names it.
//! The stage of a run reads the artifacts and the base commit, never the working tree, and holds no dangerous power.
//!
//! # Layout
//!
//! - `cfg`: settings and levels, checked
//! - `bundle`: which rules judge; `rule`, `metadata`: one rule, checked before it runs
//! - `prepared`: the pack in this binary, checked before it was built in; `wakes`: which facts a rule needs to fire
//! - `pack`: bundles from elsewhere, checked against what the config pins
//! - `alone`: the `input` of a change or tree that no run made; `document`: of a run;
//!   `facts`: what scanners say; `lines`: what is new in a file; `reach`: what depends on what it touches
//! - `engine`: the rules evaluated, with limits; what mends and runs Rego is `crate::rego`
//! - `aside`: waivers and the baseline
//! - `decide`: violations and levels become a decision
//! - `tester`: the tests of rules, written in Rego
//! - `diags`: the codes of the stage itself

pub mod alone;
pub mod aside;
pub mod bundle;
pub mod cfg;
pub mod data;
pub mod decide;
pub mod diags;
pub mod document;
pub mod engine;
pub mod facts;
pub mod lines;
pub mod metadata;
pub mod pack;
pub mod prepared;
pub mod reach;
pub mod rule;
pub mod tester;
pub mod wakes;

mod answer;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::artifact::day::Day;
use crate::artifact::digest::CanonicalError;
use crate::artifact::digest::Digest;
use crate::artifact::id::StageId;
use crate::artifact::kind::slot;
use crate::artifact::types::change_set::ChangeSet;
use crate::artifact::types::manifest::Material;
use crate::artifact::types::policy_input::{PolicyInput, SubjectKind};
use crate::artifact::types::task::Task;
use crate::artifact::types::verdict::{Decision, Effect, Finding, SkippedRule, Verdict};
use crate::config::{Config, Level};
use crate::diagnostic::{Class, Failure};
use crate::ports::vcs::VcsRead;
use crate::rego::Policies;

use super::spec::{EffectKind, Input, Permission, StageSpec};
use super::{Finished, Inputs, Outputs, Stage, StageContext, StageError};

use aside::Lists;
use bundle::{Bundle, BundleError, Sources};
use cfg::PolicyConfig;
use decide::{Decided, Terms, Violation, decide};
use document::{DocumentError, Pieces};
use engine::{Job, Limits};
use reach::Wanted;
use rule::{Ready, Rule};

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
        let policy = &cx.config.policy;
        let vcs = cx.vcs()?;
        let tree = vcs.head()?.tree;
        let sources = Sources::gather(vcs, &tree, &policy.packs)?;
        let bundle = Material { name: "policy-bundle".into(), digest: sources.digest().clone() };
        let mut materials = vec![bundle];
        materials.extend(aside::materials(policy, vcs, &tree)?);
        Ok(materials)
    }

    fn run(&self, cx: &StageContext<'_>, inputs: &Inputs) -> Result<Finished, StageError> {
        let (input, verdict) = judge_run(cx.config, cx.vcs()?, inputs)?;
        let mut outputs = Outputs::default();
        outputs.put(slot::POLICY_INPUT, &input)?;
        outputs.put(slot::VERDICT, &verdict)?;
        Ok(finish(outputs, &verdict))
    }
}

/// Judges the files of a run as the stage does; the same files and config give the same document and the same verdict.
pub fn judge_run(
    config: &Config,
    vcs: &dyn VcsRead,
    inputs: &Inputs,
) -> Result<(PolicyInput, Verdict), StageError> {
    let pieces = Pieces {
        task: inputs.get(slot::TASK)?,
        plan: inputs.get(slot::PLAN)?,
        tests: inputs.get(slot::TESTS)?,
        tests_digest: inputs.file(slot::TESTS)?.digest.clone(),
        red: inputs.get(slot::RED)?,
        edits: inputs.get(slot::EDITS)?,
        green: inputs.get(slot::GREEN)?,
    };
    let bundle = Bundle::parse(&Sources::gather(vcs, &pieces.task.base.tree, &config.policy.packs)?);
    let config = given(config, &bundle, vcs, &pieces.task, Some(&pieces.edits))?;
    let today = day(&pieces.task);
    let input = document::build(vcs, pieces, config.settings.clone(), Wanted::of(&bundle, &config))?;
    let verdict = check(&config, &bundle, &input, today.as_deref(), Limits::default())
        .map_err(|error| internal(&error))?;
    Ok((input, verdict))
}

/// Judges the document of a run by other rules or another config, on the day of the run and with the waivers of its base.
///
/// `edits` are those of the run, where they are at hand: a change of the very files of waivers is judged by its new content.
pub fn judge_again(
    config: &Config,
    bundle: &Bundle,
    vcs: &dyn VcsRead,
    input: &PolicyInput,
    edits: Option<&ChangeSet>,
) -> Result<Verdict, StageError> {
    let Some(task) = &input.task else {
        return Err(StageError::MissingInput { path: slot::TASK.path.into() });
    };
    let config = given(config, bundle, vcs, task, edits)?;
    let input = PolicyInput { settings: config.settings.clone(), ..input.clone() };
    check(&config, bundle, &input, day(task).as_deref(), Limits::default()).map_err(|error| internal(&error))
}

/// What rules are given besides the document: settings, levels, and the waivers of the base as the change leaves them.
fn given(
    config: &Config,
    bundle: &Bundle,
    vcs: &dyn VcsRead,
    task: &Task,
    edits: Option<&ChangeSet>,
) -> Result<PolicyConfig, StageError> {
    let lists = Lists::of_tree(&config.policy, bundle, vcs, &task.base.tree)?.with_change(|path| {
        let file = edits?.files.iter().find(|file| file.path.as_str() == path)?;
        Some(file.bytes().unwrap_or_default())
    });
    Ok(PolicyConfig::new(config, bundle).map_err(|e| refused(&e))?.with_lists(lists))
}

/// Returns the day of a run.
fn day(task: &Task) -> Option<String> {
    task.created_at.get(..10).map(str::to_owned)
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

/// Judges a document on a day; no IO, and an error only when the document has no canonical form.
///
/// Without a day, and with one that is none, nothing is lenient: every rule counts, no waiver and no baseline does.
pub fn check(
    config: &PolicyConfig,
    bundle: &Bundle,
    input: &PolicyInput,
    today: Option<&str>,
    limits: Limits,
) -> Result<Verdict, CanonicalError> {
    let (digest, mut judged) = ask(config, bundle, input, limits)?;
    let violations = std::mem::take(&mut judged.violations);
    let starts = starts(bundle);
    let terms = terms(config, &starts, input, today, &judged.ran);
    let Decided { decision, findings, set_aside } = decide(&terms, violations);
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

/// Returns every finding of a document that counts, also those a verdict only gives the number of: for a baseline.
pub fn counted(
    config: &PolicyConfig,
    bundle: &Bundle,
    input: &PolicyInput,
    today: Option<&str>,
    limits: Limits,
) -> Result<Vec<Finding>, CanonicalError> {
    let (_, judged) = ask(config, bundle, input, limits)?;
    let starts = starts(bundle);
    Ok(decide::counted(&terms(config, &starts, input, today, &judged.ran), judged.violations))
}

/// Lets the rules judge a document, and returns its digest with all they said.
fn ask(
    config: &PolicyConfig,
    bundle: &Bundle,
    input: &PolicyInput,
    limits: Limits,
) -> Result<(Digest, Judged), CanonicalError> {
    let document = crate::artifact::digest::canonical_json(input)?;
    let digest = Digest::of(&document);
    let mut violations: Vec<Violation> = bundle.broken.iter().map(answer::broken).collect();
    violations.extend(input.unread.iter().map(|file| answer::unread(file, input.subject.kind)));
    let mut judged = Judged::default();
    if document.len() > limits.input_bytes {
        violations.push(answer::too_large(document.len(), limits.input_bytes));
    } else {
        let text = String::from_utf8_lossy(&document).into_owned();
        judged = judge(config, bundle, input, text, limits);
    }
    violations.append(&mut judged.violations);
    violations.extend(config.lists.problems.iter().cloned());
    judged.violations = violations;
    Ok((digest, judged))
}

/// Returns the first day of each rule that says one.
fn starts(bundle: &Bundle) -> BTreeMap<String, Day> {
    let start = |rule: &Rule| Some((rule.metadata.code.to_string(), rule.metadata.effective_on?));
    bundle.rules.iter().filter_map(start).collect()
}

fn terms<'a>(
    config: &'a PolicyConfig,
    starts: &'a BTreeMap<String, Day>,
    input: &PolicyInput,
    today: Option<&str>,
    ran: &'a [String],
) -> Terms<'a> {
    Terms {
        levels: &config.levels,
        starts,
        lists: &config.lists,
        today: today.and_then(|day| day.parse().ok()),
        whole: (input.subject.kind == SubjectKind::Tree).then_some(ran),
    }
}

/// Returns the optional parts a document does not have.
fn absent(input: &PolicyInput) -> BTreeSet<&'static str> {
    let there = |part: &str| match part {
        "task" => input.task.is_some(),
        "plan" => input.plan.is_some(),
        "changes" => input.changes.is_some(),
        "size" => input.size.is_some(),
        reach::PART => input.blast_radius.is_some(),
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
    input: &PolicyInput,
    document: String,
    limits: Limits,
) -> Judged {
    let absent = absent(input);
    let mut judged = Judged::default();
    let mut asked: Vec<&Rule> = Vec::new();
    for rule in &bundle.rules {
        let code = &rule.metadata.code;
        let missing: Vec<&str> = rule.needs.intersection(&absent).copied().collect();
        if config.levels.get(code.as_str()) == Some(&Level::Off) {
            judged.skipped.push(SkippedRule { code: code.to_string(), why: "it is off in orch.yml".into() });
        } else if !missing.is_empty() {
            let why = format!("this subject has no {}", missing.join(", no "));
            judged.skipped.push(SkippedRule { code: code.to_string(), why });
        } else if let Some(name) = rule.settings.iter().find(|name| !config.settings.contains_key(*name)) {
            judged.violations.push(answer::without_setting(rule, name));
        } else {
            asked.push(rule);
        }
    }
    let codes: BTreeSet<&str> = input.facts.iter().map(|fact| fact.code.as_str()).collect();
    let awake: Vec<bool> = asked.iter().map(|rule| can_fire(rule, &codes)).collect();
    let woken: Vec<&Rule> = asked.iter().zip(&awake).filter(|(_, awake)| **awake).map(|(r, _)| *r).collect();
    let mut answers = engine::evaluate(jobs(&woken), document, limits).into_iter();
    for (rule, awake) in asked.into_iter().zip(awake) {
        let answer = if awake { answers.next().unwrap_or_else(engine::silent) } else { Ok(Vec::new()) };
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

/// Tells whether a rule can have a finding where there are facts with these codes.
fn can_fire(rule: &Rule, codes: &BTreeSet<&str>) -> bool {
    rule.wakes.as_ref().is_none_or(|wakes| wakes.iter().any(|code| codes.contains(code.as_str())))
}

/// Makes rules ready to be evaluated; those that were checked before they were built in share one engine.
fn jobs(rules: &[&Rule]) -> Vec<Job> {
    let mut later: BTreeMap<&str, &str> = BTreeMap::new();
    for rule in rules {
        if let Ready::Later { files, texts } = &rule.ready {
            let text = |file: &String| texts.get_key_value(file);
            later.extend(files.iter().filter_map(text).map(|(file, text)| (file.as_str(), text.as_str())));
        }
    }
    let together = Policies::ready(&later).map(Arc::new);
    let job = |rule: &&Rule| Job {
        policies: match &rule.ready {
            Ready::Now { policies, .. } => Ok(Arc::clone(policies)),
            Ready::Later { .. } => together.clone(),
        },
        entries: rule.entries.iter().map(|(path, _)| path.clone()).collect(),
    };
    rules.iter().map(job).collect()
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
