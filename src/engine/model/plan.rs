//! `plan` with models: the Architect proposes, the Builder judges once, the Architect revises once.
//!
//! Must never take from a model what code can find out, as whether a path exists.

use std::collections::{BTreeMap, BTreeSet};

use crate::agent::context::{Cite, Cut, Piece, Source as _, TreeSource};
use crate::agent::debate::{
    Debate, End, Event, Limits, Resolver, Step, Submission, read_answers, read_claims,
};
use crate::agent::role::{ARCHITECT, BUILDER};
use crate::artifact::digest::Digest;
use crate::artifact::types::debate::{DebateRisk, Escalation};
use crate::artifact::types::plan::Plan;
use crate::artifact::types::task::Task;
use crate::diagnostic::text::count;
use crate::engine::rules::{self, RuleError};
use crate::engine::{EngineError, Proposed, View};

use super::desk::{Desk, Outcome, Question};
use super::edits::{change_of, summary};
use super::judge::{Hearing, judge};
use super::{ModelEngine, context, note_end, note_refused, reply, schema};

/// The work on one plan.
struct Work<'a> {
    desk: Desk<'a>,
    debate: Debate,
    context: Vec<Piece>,
    cites: Vec<Cite>,
    last: Option<Plan>,
    author: Option<String>,
    sound: BTreeMap<Digest, Plan>,
}

/// Proposes a plan.
pub(super) fn plan(
    engine: &ModelEngine,
    view: &View<'_>,
    task: &Task,
) -> Result<Proposed<Plan>, EngineError> {
    let source = TreeSource::of(view.vcs, view.tree)?.at(&task.base.commit).telling(view.note);
    let mut pieces = context::request(task, &source, engine.setup.notes.as_ref())?;
    let shown = context::overview(task, &source, context::FITTING)?;
    pieces.extend(shown.pieces);
    let mut work = Work {
        desk: Desk { engine, view, source: &source },
        debate: Debate::new(Limits::PLAN),
        context: pieces,
        cites: shown.cites,
        last: None,
        author: None,
        sound: BTreeMap::new(),
    };
    loop {
        let event = match work.debate.step().clone() {
            Step::Submit { risks, faults } => work.propose(&risks, &faults)?,
            Step::Critique => work.judge()?,
            Step::End(end) => return Ok(work.finish(&end)),
        };
        work.debate.on(event);
    }
}

impl Work<'_> {
    fn exists(&self, path: &str) -> bool {
        self.desk.source.kind(path).is_some()
    }

    fn propose(&mut self, risks: &[DebateRisk], faults: &BTreeSet<String>) -> Result<Event, EngineError> {
        let engine = self.desk.engine;
        let mut material = context::to_answer(risks, faults);
        material.extend(self.last.as_ref().map(submitted));
        let question = Question {
            role: engine.cast().role(ARCHITECT)?,
            step: if self.last.is_some() { "plan.revise" } else { "plan.propose" },
            context: &self.context,
            material,
            schema: schema::plan(),
            avoid: None,
        };
        let base = |path: &str| self.desk.source.bytes(path).ok().flatten();
        let resolver = Resolver::new(vec![&base]).with_shown(&self.cites);
        let reply = self.desk.ask(question, &|answer| {
            let plan = reply::plan(answer, &|path| self.exists(path))?;
            Ok((plan, read_claims(answer, &resolver)?, read_answers(answer)?))
        })?;
        note_refused(self.desk.view, &resolver);
        let (plan, claims, answers) = match reply.said {
            Outcome::Answer(answer) => answer,
            Outcome::CannotBeDone(reason) => return Ok(Event::CannotBeDone { by: reply.by, reason }),
            Outcome::Stopped(rule, why) => return Ok(Event::Stopped { rule, why }),
        };
        let faults = self.faults(&plan);
        (self.desk.view.note)(format!(
            "turn {}: {} ({}) proposes {} in {}, {}",
            self.debate.turn(),
            reply.by.role,
            reply.by.model.as_deref().unwrap_or("nobody"),
            count(plan.steps.len(), "step"),
            count(plan.files.len(), "file"),
            count(plan.criteria.len(), "criterion").replace("criterions", "criteria"),
        ));
        let text = context::pretty(&plan);
        let before = self.last.as_ref().map(context::pretty);
        let subject = Digest::of(&text);
        if faults.is_empty() {
            self.sound.insert(subject.clone(), plan.clone());
        }
        self.author.clone_from(&reply.by.model);
        let submission = Submission {
            by: reply.by,
            subject,
            change: change_of("plan", before.as_deref(), &text),
            size: text.lines().count() as u64,
            faults,
            summary: plan.summary.clone(),
            claims: claims.items,
            answers,
            dropped: claims.dropped,
            left_out: reply.left_out,
        };
        self.last = Some(plan);
        Ok(Event::Submitted(Box::new(submission)))
    }

    fn faults(&self, plan: &Plan) -> BTreeSet<String> {
        match rules::plan(plan, |path| self.exists(path)) {
            Ok(()) => BTreeSet::new(),
            Err(RuleError::Broken(what)) => BTreeSet::from([what]),
            Err(RuleError::Vcs(error)) => BTreeSet::from([error.to_string()]),
        }
    }

    fn judge(&self) -> Result<Event, EngineError> {
        let base = |path: &str| self.desk.source.bytes(path).ok().flatten();
        let material: Vec<Piece> = self.last.iter().map(submitted).collect();
        let hearing = Hearing {
            judge: BUILDER,
            step: "plan.critique",
            context: &self.context,
            material: &material,
            resolver: &Resolver::new(vec![&base]).with_shown(&self.cites),
            author: self.author.clone(),
            turn: self.debate.turn(),
        };
        judge(&self.desk, &hearing)
    }

    fn finish(mut self, end: &End) -> Proposed<Plan> {
        note_end(self.desk.view, end);
        let messages = self.debate.messages().to_vec();
        let last = self.last.take();
        if end.converged() {
            return Proposed { value: last, messages, escalation: None };
        }
        let best = self.debate.best().and_then(|subject| self.sound.remove(subject));
        let shown = best.as_ref().or(last.as_ref());
        let (risks, claims) = self.debate.open();
        let escalation = Escalation {
            reason: end.rule.as_str().into(),
            summary: summary(end),
            diff: String::new(),
            claims: claims.to_vec(),
            risks: risks.to_vec(),
            planned_risks: shown.map(|plan| plan.risks.clone()).unwrap_or_default(),
            rollback: "Nothing was changed.".into(),
        };
        Proposed { value: best, messages, escalation: Some(escalation) }
    }
}

fn submitted(plan: &Plan) -> Piece {
    Piece::new("the submitted plan (JSON)", context::pretty(plan), 9, Cut::Head)
}
