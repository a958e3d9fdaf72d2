//! `generate` with models: the Builder edits, the Architect judges what was submitted, the Builder mends it.
//!
//! Must never let an edit reach a frozen test or a path outside the plan: that ends the work at once.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::agent::context::{Cite, Piece, TreeSource};
use crate::agent::debate::{
    Change, Debate, End, Event, ExitRule, Limits, Resolver, Step, Submission, read_answers, read_claims,
};
use crate::agent::role::{ARCHITECT, BUILDER};
use crate::artifact::digest::Digest;
use crate::artifact::path::RepoPath;
use crate::artifact::types::change_set::{ChangeSet, FileChange, TestSet};
use crate::artifact::types::debate::{Claim, DebateRisk, Escalation, RiskAnswer};
use crate::artifact::types::plan::{FileRole, Plan};
use crate::artifact::types::task::Task;
use crate::artifact::types::verification::Verification;
use crate::diagnostic::text::count;
use crate::edit::format::Format;
use crate::edit::lines::added_lines;
use crate::engine::rules::{self, RuleError};
use crate::engine::{EngineError, Proposed, View};

use super::desk::{Desk, Outcome, Question};
use super::draft::{Draft, EditError};
use super::judge::{Hearing, judge};
use super::{ModelEngine, context, note_end, note_refused, reply, report, schema};

/// What is to be done.
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    pub task: &'a Task,
    pub plan: &'a Plan,
    pub tests: &'a TestSet,
    pub feedback: Option<&'a Verification>,
}

/// What a Builder's answer says once its edits are applied.
struct Made<'a> {
    draft: Draft<'a>,
    summary: String,
    claims: Vec<Claim>,
    dropped: u32,
    answers: Vec<RiskAnswer>,
}

/// The work on one change.
struct Work<'a> {
    desk: Desk<'a>,
    job: Job<'a>,
    debate: Debate,
    /// The latest state, and whether anything was submitted in this or an earlier round.
    draft: Draft<'a>,
    submitted: bool,
    author: Option<String>,
    /// Sound submissions by digest.
    sound: BTreeMap<Digest, ChangeSet>,
    builder_context: Vec<Piece>,
    architect_context: Vec<Piece>,
    cites: Vec<Cite>,
}

/// Proposes edits.
pub(super) fn edits(
    engine: &ModelEngine,
    view: &View<'_>,
    job: Job<'_>,
) -> Result<Proposed<ChangeSet>, EngineError> {
    let source = TreeSource::of(view.vcs, view.tree)?.at(&job.task.base.commit).telling(view.note);
    let allowed = job.plan.files.iter().filter(|file| file.role == FileRole::Change).map(|file| &file.path);
    let planned_tests =
        job.plan.files.iter().filter(|file| file.role == FileRole::Test).map(|file| &file.path);
    let frozen: Vec<&RepoPath> = job.tests.files.iter().map(|file| &file.path).chain(planned_tests).collect();
    let mut draft = Draft::new(&source, allowed, frozen);
    let base = draft.clone();
    let debate = match view.earlier {
        Some(earlier) => {
            draft.take(&earlier.files);
            let passed = job.feedback.map(report::passed).unwrap_or_default();
            Debate::resume(Limits::CHANGE, subject(earlier)?, draft.since(&base)?, passed)
        }
        None => Debate::new(Limits::CHANGE),
    };
    let mut shared = context::request(job.task, &source, engine.setup.notes.as_ref())?;
    shared.push(context::plan(job.plan));
    shared.extend(context::frozen(job.tests));
    let around = context::around(job.plan, &job.task.request, &source, context::AROUND)?;
    shared.extend(around.pieces);
    let mut builder_context = shared.clone();
    builder_context.extend(context::planned(job.plan, FileRole::Change, &source)?);
    let work = Work {
        desk: Desk { engine, view, source: &source },
        job,
        debate,
        draft,
        submitted: view.earlier.is_some(),
        author: None,
        sound: BTreeMap::new(),
        builder_context,
        architect_context: shared,
        cites: around.cites,
    };
    work.run()
}

fn subject(set: &ChangeSet) -> Result<Digest, EngineError> {
    let fail = |error: crate::artifact::digest::CanonicalError| EngineError::Unusable {
        role: BUILDER.into(),
        step: "generate.implement".into(),
        why: error.to_string(),
    };
    Digest::of_json(set).map_err(fail)
}

impl<'a> Work<'a> {
    fn run(mut self) -> Result<Proposed<ChangeSet>, EngineError> {
        loop {
            let event = match self.debate.step().clone() {
                Step::Submit { risks, faults } => self.build(&risks, &faults)?,
                Step::Critique => self.judge()?,
                Step::End(end) => return self.finish(&end),
            };
            self.debate.on(event);
        }
    }

    fn set(&self, draft: &Draft<'_>) -> Result<ChangeSet, EngineError> {
        Ok(ChangeSet { base_tree: self.desk.view.tree.clone(), files: draft.changes()? })
    }

    /// Asks the Builder for edits on top of what there is.
    fn build(&mut self, risks: &[DebateRisk], faults: &BTreeSet<String>) -> Result<Event, EngineError> {
        let engine = self.desk.engine;
        let mut material = context::to_answer(risks, faults);
        if self.submitted {
            let set = self.set(&self.draft)?;
            material.extend(context::submitted(&set.files, self.desk.source, false)?);
        }
        material.extend(self.job.feedback.map(report::piece));
        let question = Question {
            role: engine.cast().role(BUILDER)?,
            step: if self.submitted { "generate.repair" } else { "generate.implement" },
            context: &self.builder_context,
            material,
            schema: schema::edits(engine.setup.edits),
            avoid: None,
        };
        let reply = self.desk.ask(question, &|answer| self.read(answer))?;
        let made = match reply.said {
            Outcome::Answer(Ok(made)) => made,
            Outcome::Answer(Err(what)) => return Err(EngineError::HardStop { role: reply.by.role, what }),
            Outcome::CannotBeDone(reason) => return Ok(Event::CannotBeDone { by: reply.by, reason }),
            Outcome::Stopped(rule, why) => return Ok(Event::Stopped { rule, why }),
        };
        let change = made.draft.since(&self.draft)?;
        let set = self.set(&made.draft)?;
        let (subject, faults) = (subject(&set)?, self.faults(&set)?);
        let size = self.tell(&reply.by.role, reply.by.model.as_deref(), &set.files, change.size());
        if faults.is_empty() {
            self.sound.insert(subject.clone(), set);
        }
        self.draft = made.draft;
        self.submitted = true;
        self.author.clone_from(&reply.by.model);
        Ok(Event::Submitted(Box::new(Submission {
            by: reply.by,
            subject,
            change,
            size,
            faults,
            summary: made.summary,
            claims: made.claims,
            answers: made.answers,
            dropped: made.dropped,
            left_out: reply.left_out,
        })))
    }

    /// Tells the listeners what was submitted, and returns its size in lines.
    fn tell(&self, role: &str, model: Option<&str>, files: &[FileChange], changed: u64) -> u64 {
        let (mut added, mut removed) = (0, 0);
        for file in files {
            let before = self.desk.view.vcs.file(self.desk.view.tree, file.path.as_str()).ok().flatten();
            let diff = added_lines(before.as_deref(), file.bytes().ok().flatten().as_deref());
            added += diff.added.len() as u64;
            removed += diff.removed;
        }
        let nothing = if changed == 0 { ", nothing new" } else { "" };
        (self.desk.view.note)(format!(
            "turn {}: {role} ({}) submits {}, +{added} -{removed}{nothing}",
            self.debate.turn(),
            model.unwrap_or("nobody"),
            count(files.len(), "file"),
        ));
        added + removed
    }

    /// Reads an answer and applies its edits to a copy; the inner error is a hard stop.
    fn read(&self, answer: &Value) -> Result<Result<Made<'a>, String>, String> {
        let answers = read_answers(answer)?;
        let mut draft = self.draft.clone();
        let applied = match self.desk.engine.setup.edits {
            Format::Json => draft.apply(&reply::edits(answer, "edits")?),
            format => draft.apply_text(format, reply::patch(answer)?),
        };
        match applied {
            Ok(()) => {}
            Err(EditError::Forbidden(what)) => return Ok(Err(what)),
            Err(EditError::Wrong(why)) => return Err(why),
            Err(EditError::Vcs(error)) => return Err(error.to_string()),
        }
        let after = |path: &str| draft.bytes(path).ok().flatten();
        let base = |path: &str| self.desk.view.vcs.file(self.desk.view.tree, path).ok().flatten();
        let resolver = self.resolver(vec![&after, &base]);
        let claims = read_claims(answer, &resolver)?;
        note_refused(self.desk.view, &resolver);
        let summary = reply::summary(answer);
        Ok(Ok(Made { draft, summary, claims: claims.items, dropped: claims.dropped, answers }))
    }

    fn resolver<'r>(&self, trees: Vec<&'r crate::agent::debate::citation::Reader<'r>>) -> Resolver<'r> {
        let resolver = Resolver::new(trees).with_tests(self.job.tests).with_shown(&self.cites);
        match self.job.feedback {
            Some(report) => resolver.with_report(report),
            None => resolver,
        }
    }

    /// What the rules of edits find wrong.
    fn faults(&self, set: &ChangeSet) -> Result<BTreeSet<String>, EngineError> {
        let view = self.desk.view;
        let base = |path: &str| view.vcs.file(view.tree, path);
        match rules::edits(set, self.job.plan, self.job.tests, view.tree, &base) {
            Ok(()) => Ok(BTreeSet::new()),
            Err(RuleError::Broken(what)) => Ok(BTreeSet::from([what])),
            Err(RuleError::Vcs(error)) => Err(error.into()),
        }
    }

    /// Asks the critics about the submission as it stands; evidence may point into it.
    fn judge(&self) -> Result<Event, EngineError> {
        let set = self.set(&self.draft)?;
        let material = context::submitted(&set.files, self.desk.source, true)?;
        let view = self.desk.view;
        let tests = &self.job.tests.files;
        let after = |path: &str| {
            let frozen = tests.iter().find(|file| file.path.as_str() == path);
            frozen.map_or_else(|| self.draft.bytes(path).ok().flatten(), |file| file.bytes().ok().flatten())
        };
        let base = |path: &str| view.vcs.file(view.tree, path).ok().flatten();
        let hearing = Hearing {
            judge: ARCHITECT,
            step: "generate.critique",
            context: &self.architect_context,
            material: &material,
            resolver: &self.resolver(vec![&after, &base]),
            author: self.author.clone(),
            turn: self.debate.turn(),
        };
        judge(&self.desk, &hearing)
    }

    fn finish(mut self, end: &End) -> Result<Proposed<ChangeSet>, EngineError> {
        note_end(self.desk.view, end);
        let messages = self.debate.messages().to_vec();
        let best = self.debate.best().and_then(|subject| self.sound.remove(subject));
        let last = self.set(&self.draft)?;
        if end.converged() {
            return Ok(Proposed { value: best.or(Some(last)), messages, escalation: None });
        }
        let shown = best.as_ref().map_or(&last.files, |set| &set.files);
        let (risks, claims) = self.debate.open();
        let escalation = Escalation {
            reason: end.rule.as_str().into(),
            summary: summary(end),
            diff: if shown.is_empty() { String::new() } else { context::diff(shown, self.desk.source)? },
            claims: claims.to_vec(),
            risks: risks.to_vec(),
            planned_risks: self.job.plan.risks.clone(),
            rollback: self.job.plan.rollback.clone(),
        };
        Ok(Proposed { value: best, messages, escalation: Some(escalation) })
    }
}

/// Returns what happened, for a person.
pub(super) fn summary(end: &End) -> String {
    let what = match end.rule {
        ExitRule::CannotBeDone => "a role says that it cannot be done",
        ExitRule::Refusal => "a model gave no answer twice",
        _ => "the roles did not come to agree",
    };
    format!("{what} ({}, {}): {}", end.rule, count(end.turns as usize, "turn"), end.why)
}

/// The change of a text that is no file.
pub(super) fn change_of(name: &str, before: Option<&str>, after: &str) -> Change {
    Change::of(name, before.map(str::as_bytes), Some(after.as_bytes()))
}
