//! Where questions are asked: prompts made, context requests answered, answers read, one second chance each.
//!
//! Must never ask a question more often than its bounds, and must never hide that something was left out.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::agent::context::{
    Assembled, ContextRequest, Found, MAX_FOUND_BYTES, MAX_REQUESTS, Piece, TreeSource, assemble,
    left_out_text,
};
use crate::agent::debate::{ExitRule, Speaker};
use crate::agent::fence::one_line;
use crate::agent::prompt::Text;
use crate::agent::role::Role;
use crate::agent::{Answer, Ask, CallFailure};
use crate::artifact::types::debate::LeftOut;
use crate::engine::{EngineError, View};
use crate::ports::model::ReplySchema;

use super::ModelEngine;

/// The longest text about an answer that cannot be used.
const MAX_ERROR: usize = 4000;
/// The most bytes the sections after a question may add: found context, and what was wrong.
pub(super) const MAX_EXTRA: u64 =
    (MAX_FOUND_BYTES as u64 + 8192) * MAX_REQUESTS as u64 + 3 * MAX_ERROR as u64 + 8192;
/// How often one question is asked at most: as it is, after each request for context, after a fault, after a refusal.
pub(super) const MAX_ASKS: u32 = 1 + MAX_REQUESTS + 2;

/// The place one stage asks from.
pub(super) struct Desk<'a> {
    pub engine: &'a ModelEngine,
    pub view: &'a View<'a>,
    pub source: &'a TreeSource<'a>,
}

/// A question.
pub(super) struct Question<'q> {
    pub role: &'q Role,
    pub step: &'static str,
    /// The stable part, the same for every question of the role in the stage.
    pub context: &'q [Piece],
    /// The part that differs.
    pub material: Vec<Piece>,
    pub schema: ReplySchema,
    /// The model whose family should not answer.
    pub avoid: Option<String>,
}

/// What came of a question.
pub(super) struct Reply<T> {
    pub by: Speaker,
    pub said: Outcome<T>,
    pub left_out: Vec<LeftOut>,
}

/// What a role said.
pub(super) enum Outcome<T> {
    /// An answer.
    Answer(T),
    /// That it cannot be done.
    CannotBeDone(String),
    /// Nothing, twice.
    Stopped(ExitRule, String),
}

/// A question on its way.
struct Pending {
    ask: Ask,
    left_out: Vec<LeftOut>,
    requests: u32,
    faults: u32,
    refusals: u32,
}

impl Desk<'_> {
    /// Asks one question.
    pub fn ask<T>(
        &self,
        question: Question<'_>,
        read: &dyn Fn(&Value) -> Result<T, String>,
    ) -> Result<Reply<T>, EngineError> {
        let step = question.step;
        let role = question.role.name.to_string();
        let reply = self.ask_all(vec![question], read)?.pop();
        reply.ok_or_else(|| EngineError::Unusable { role, step: step.into(), why: "there was none".into() })
    }

    /// Asks several questions at once; nobody who answers sees another's answer.
    pub fn ask_all<T>(
        &self,
        questions: Vec<Question<'_>>,
        read: &dyn Fn(&Value) -> Result<T, String>,
    ) -> Result<Vec<Reply<T>>, EngineError> {
        let prepared: Result<Vec<_>, _> = questions.iter().map(|question| self.prepare(question)).collect();
        let mut pending: Vec<Option<Pending>> = prepared?.into_iter().map(Some).collect();
        let mut done: Vec<Option<Reply<T>>> = pending.iter().map(|_| None).collect();
        for _ in 0..MAX_ASKS {
            let open: Vec<usize> = (0..pending.len()).filter(|at| pending[*at].is_some()).collect();
            let asks: Vec<Ask> =
                open.iter().filter_map(|at| Some(pending[*at].as_ref()?.ask.clone())).collect();
            if asks.is_empty() {
                break;
            }
            for (at, result) in open.into_iter().zip(self.view.calls.ask_all(&asks)) {
                let Some(mut question) = pending[at].take() else { continue };
                match self.take(&mut question, result, read)? {
                    Some(reply) => done[at] = Some(reply),
                    None => pending[at] = Some(question),
                }
            }
        }
        let replies: Option<Vec<_>> = done.into_iter().collect();
        replies.ok_or_else(|| EngineError::Unusable {
            role: questions.first().map(|q| q.role.name.to_string()).unwrap_or_default(),
            step: questions.first().map(|q| q.step.to_owned()).unwrap_or_default(),
            why: "a question was not answered within its bound".into(),
        })
    }

    fn prepare(&self, question: &Question<'_>) -> Result<Pending, EngineError> {
        let prompts = &self.engine.prompts;
        let prompt = prompts.of(question.step)?;
        let Assembled { text: context, mut left_out } = assemble(question.context, prompt.context_tokens);
        let material = assemble(&question.material, prompt.prompt_tokens);
        left_out.extend(material.left_out);
        let values = BTreeMap::from([
            ("material", Text::Own(material.text)),
            ("left_out", Text::Own(left_out_text(&left_out))),
            ("form", Text::Own(self.engine.form().unwrap_or_default().to_owned())),
        ]);
        let judges = question.step.ends_with(".critique");
        let ask = Ask {
            role: question.role.name.to_string(),
            step: question.step.to_owned(),
            system: prompts.system(question.role, judges)?,
            context,
            prompt: prompts.render(question.step, &values)?,
            schema: question.schema.clone(),
            max_output: question.role.max_output,
            avoid: question.avoid.clone(),
        };
        Ok(Pending { ask, left_out, requests: 0, faults: 0, refusals: 0 })
    }

    /// Takes what came back; `None`: the question is asked again.
    fn take<T>(
        &self,
        question: &mut Pending,
        result: Result<Answer, CallFailure>,
        read: &dyn Fn(&Value) -> Result<T, String>,
    ) -> Result<Option<Reply<T>>, EngineError> {
        let answer = match result {
            Ok(answer) => answer,
            Err(failure) if failure.declined => return self.refused(question, &failure),
            Err(failure) => return Err(failure.into()),
        };
        let by = Speaker {
            role: question.ask.role.clone(),
            model: Some(answer.model.clone()),
            exchange: Some(answer.exchange.clone()),
        };
        let reason = |value: &Value| {
            let reason = one_line(value.get("reason").and_then(Value::as_str).unwrap_or_default(), 2000);
            if reason.is_empty() { "no reason is given".to_owned() } else { reason }
        };
        let fault = match answer.value.get("outcome").and_then(Value::as_str) {
            Some("cannot-be-done") => {
                let said = Outcome::CannotBeDone(reason(&answer.value));
                return Ok(Some(Reply { by, said, left_out: std::mem::take(&mut question.left_out) }));
            }
            Some("need-context") => match self.find(question, &answer.value)? {
                Ok(()) => return Ok(None),
                Err(why) => why,
            },
            Some("answer") => match read(answer.value.get("answer").unwrap_or(&Value::Null)) {
                Ok(value) => {
                    let left_out = std::mem::take(&mut question.left_out);
                    return Ok(Some(Reply { by, said: Outcome::Answer(value), left_out }));
                }
                Err(why) => why,
            },
            _ => "outcome is not one of answer, need-context, cannot-be-done".to_owned(),
        };
        let fault: String = fault.chars().take(MAX_ERROR).collect();
        question.faults += 1;
        if question.faults > 1 {
            let (role, step) = (question.ask.role.clone(), question.ask.step.clone());
            return Err(EngineError::Unusable { role, step, why: one_line(&fault, 500) });
        }
        (self.view.note)(format!("{}: asked again: {}", question.ask.step, one_line(&fault, 200)));
        let values = BTreeMap::from([("error", Text::data("error", fault))]);
        self.add(question, "reply.invalid", &values)?;
        Ok(None)
    }

    fn refused<T>(
        &self,
        question: &mut Pending,
        failure: &CallFailure,
    ) -> Result<Option<Reply<T>>, EngineError> {
        question.refusals += 1;
        if question.refusals > 1 {
            let by = Speaker { role: question.ask.role.clone(), ..Speaker::default() };
            let said = Outcome::Stopped(ExitRule::Refusal, one_line(&failure.what, 500));
            return Ok(Some(Reply { by, said, left_out: std::mem::take(&mut question.left_out) }));
        }
        (self.view.note)(format!("{}: asked again: {}", question.ask.step, one_line(&failure.what, 200)));
        self.add(question, "reply.again", &BTreeMap::new())?;
        Ok(None)
    }

    /// Answers a request for context; the inner error tells the model why not.
    fn find(&self, question: &mut Pending, value: &Value) -> Result<Result<(), String>, EngineError> {
        let request = ContextRequest::read(value.get("context").unwrap_or(&Value::Null));
        if question.requests >= MAX_REQUESTS {
            return Ok(Err(format!(
                "context was asked for more than {MAX_REQUESTS} times; answer with what is there"
            )));
        }
        if request.is_empty() {
            return Ok(Err("`need-context` names no path, no symbol and no query".into()));
        }
        question.requests += 1;
        let Found { text, left_out } = self.engine.retriever.retrieve(&request, self.source)?;
        (self.view.note)(format!(
            "{}: more context, {} bytes, {} not found or left out",
            question.ask.step,
            text.len(),
            left_out.len()
        ));
        let told = left_out_text(&left_out);
        let last = if question.requests == MAX_REQUESTS { "yes" } else { "" };
        let values =
            BTreeMap::from([("found", Text::Own(format!("{text}{told}"))), ("last", Text::Own(last.into()))]);
        question.left_out.extend(left_out);
        self.add(question, "reply.context", &values)?;
        Ok(Ok(()))
    }

    fn add(
        &self,
        question: &mut Pending,
        step: &str,
        values: &BTreeMap<&str, Text>,
    ) -> Result<(), EngineError> {
        let section = self.engine.prompts.render(step, values)?;
        question.ask.prompt.push_str("\n\n");
        question.ask.prompt.push_str(&section);
        Ok(())
    }
}
