//! One question on its way to an answer: candidates, attempts, the one repair. Each step is reserve, send, absorb.
//!
//! Must never touch the books from `send`, and must never take an outcome from anywhere but a reply or its record.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jsonschema::Validator;

use super::failure::{self, Trouble};
use super::retry::{self, Bill};
use super::stage::{StageGateway, State};
use super::wire::{note, raw_of, recorded_error, redacted};
use super::{GatewayConfig, Mode, RedactFn, answer};
use crate::agent::budget::{Measure, Reservation, ReserveError, Worst, estimate};
use crate::agent::route::{Candidate, apart};
use crate::agent::{Answer, Ask, CallFailure};
use crate::artifact::digest::Digest;
use crate::artifact::money::NanoUsd;
use crate::artifact::types::exchange::{Attempt, Exchange, Prepared, RecordedReply, Usage};
use crate::diagnostic::{Class, Failure};
use crate::ports::model::{CallError, ModelRequest, RawReply, Reading, ReplySchema};

/// The longest a call may take.
const LONGEST: Duration = Duration::from_mins(10);
/// What is left before a deadline to wrap up, and the least a call must have, milliseconds.
const MARGIN_MS: u64 = 5_000;
const LEAST_MS: u64 = 1_000;
/// The longest a count may take.
const COUNT_WITHIN: Duration = Duration::from_secs(20);

/// What comes next for a question.
pub(super) enum Step {
    /// It has its answer, or an error.
    Done(Result<Answer, CallFailure>),
    /// The same request is under way: its answer will do.
    Wait,
    /// It is to be sent.
    Send {
        /// The key of the request.
        key: Digest,
    },
}

/// What came of sending.
pub(super) struct Sent {
    started_at: String,
    took_ms: u64,
    outcome: Result<RawReply, CallError>,
}

/// A request in the form of one candidate.
struct Built {
    request: ModelRequest,
    prepared: Prepared,
    key: Digest,
}

/// A call that is under way.
struct Call {
    built: Built,
    bound: u64,
    counted: Option<u64>,
    worst: Worst,
    reservation: u64,
    wait: Duration,
    timeout: Duration,
    attempts: Vec<Attempt>,
    recorded: Option<Exchange>,
}

/// What the money of an attempt became.
#[derive(Default)]
struct Paid {
    usage: Option<Usage>,
    estimated: bool,
    price: Option<String>,
    cost: Option<NanoUsd>,
}

/// An attempt with everything that is known of it.
struct Outcome {
    attempt: Attempt,
    reply: Option<RecordedReply>,
    reading: Option<Reading>,
    error: Option<CallError>,
    should_retry: Option<String>,
}

/// One question.
pub(super) struct Job {
    ask: Ask,
    slice: Option<String>,
    validator: Result<Arc<Validator>, Option<CallFailure>>,
    candidates: Vec<Candidate>,
    at: usize,
    built: BTreeMap<usize, Result<Built, CallError>>,
    troubles: Vec<Trouble>,
    repaired: bool,
    unusable: u32,
    call: Option<Call>,
}

impl Job {
    /// Takes a question in, with the secrets taken out of it.
    pub(super) fn new(stage: &StageGateway<'_>, ask: &Ask, slice: Option<&str>) -> Self {
        let redact = stage.config().redact;
        let ask = Ask {
            role: ask.role.clone(),
            step: ask.step.clone(),
            system: redact(&ask.system).into_owned(),
            context: redact(&ask.context).into_owned(),
            prompt: redact(&ask.prompt).into_owned(),
            schema: ReplySchema { name: ask.schema.name.clone(), schema: ask.schema.schema.clone() },
            max_output: ask.max_output,
            avoid: ask.avoid.clone(),
        };
        let routes = stage.config().routes;
        Self {
            validator: stage.gateway.schemas.of(&ask.schema).map_err(Some),
            candidates: apart(routes, routes.candidates(&ask.role), ask.avoid.as_deref()),
            ask,
            slice: slice.map(str::to_owned),
            at: 0,
            built: BTreeMap::new(),
            troubles: Vec::new(),
            repaired: false,
            unusable: 0,
            call: None,
        }
    }

    /// Finds the answer in the record, or reserves the next call.
    pub(super) fn prepare(
        &mut self,
        stage: &StageGateway<'_>,
        books: &mut State<'_>,
        under_way: &[Digest],
    ) -> Step {
        if let Err(error) = &mut self.validator {
            let error = error.take().unwrap_or_else(|| failure::fault("a schema is broken".into()));
            return Step::Done(Err(error));
        }
        if let Some(call) = &self.call {
            let key = call.built.key.clone();
            return match self.reserve(stage, books) {
                Ok(()) => Step::Send { key },
                // What was tried is recorded, whatever the end.
                Err(error) => Step::Done(Err(self
                    .finish(stage, books, None, None, Paid::default())
                    .err()
                    .unwrap_or(error))),
            };
        }
        let found = match stage.config().mode {
            Mode::Live => self.fresh(stage, books),
            Mode::Record => {
                self.recorded_here(stage, books, under_way).unwrap_or_else(|| self.fresh(stage, books))
            }
            Mode::Replay(_) => self.replayed(stage, books, under_way),
        };
        found.unwrap_or_else(|error| Step::Done(Err(error)))
    }

    /// Returns the request of a candidate.
    fn build(&mut self, at: usize) -> Option<Result<&Built, CallError>> {
        let candidate = self.candidates.get(at)?;
        let ask = &self.ask;
        let built = self.built.entry(at).or_insert_with(|| {
            let request = ModelRequest {
                model: candidate.model.clone(),
                system: ask.system.clone(),
                context: ask.context.clone(),
                prompt: ask.prompt.clone(),
                schema: Some(ask.schema.clone()),
                max_output: ask.max_output.min(candidate.max_output),
                effort: candidate.effort.clone(),
                cache_prefix: true,
                extra: candidate.extra.clone(),
            };
            let prepared = candidate.provider.prepare(&request)?;
            let key = prepared.key().map_err(|e| CallError::Unsupported { what: e.to_string() })?;
            Ok(Built { request, prepared, key })
        });
        Some(built.as_ref().map_err(Clone::clone))
    }

    /// Looks for an answer of any candidate in this run's record.
    fn recorded_here(
        &mut self,
        stage: &StageGateway<'_>,
        books: &mut State<'_>,
        under_way: &[Digest],
    ) -> Option<Result<Step, CallFailure>> {
        if books.cassette.is_empty() && under_way.is_empty() {
            return None;
        }
        for at in self.at..self.candidates.len() {
            let Some(Ok(built)) = self.build(at) else { continue };
            let key = built.key.clone();
            if under_way.contains(&key) {
                return Some(Ok(Step::Wait));
            }
            let validator = self.validator.as_ref().ok()?;
            let provider = &self.candidates[at].provider;
            let same = |exchange: &Exchange| exchange.provider == provider.name();
            let found = books.cassette.find(&key).filter(same).find_map(|exchange| {
                let raw = raw_of(exchange.reply.as_ref()?)?;
                answer::read(validator, &provider.read(&raw).result.ok()?).ok()
            });
            if let Some(value) = found {
                if let Err(error) = books.ledger.reuse(&key, &self.ask.role, &self.ask.step) {
                    return Some(Err(failure::from(&error)));
                }
                let model = self.candidates[at].name();
                (stage.site.note)(format!(
                    "{} {}: {model}, answered from the record of this run",
                    self.ask.role, self.ask.step
                ));
                let answer = Answer { value, model, cost: Some(NanoUsd::ZERO), exchange: key };
                return Some(Ok(Step::Done(Ok(answer))));
            }
        }
        None
    }

    /// Takes the next exchange from the record of another run.
    fn replayed(
        &mut self,
        stage: &StageGateway<'_>,
        books: &mut State<'_>,
        under_way: &[Digest],
    ) -> Result<Step, CallFailure> {
        let Mode::Replay(records) = stage.config().mode else {
            return Err(failure::fault("there is no record to replay".into()));
        };
        let place = (stage.site.stage, stage.site.round);
        for at in self.at..self.candidates.len() {
            let Some(Ok(built)) = self.build(at) else { continue };
            let key = built.key.clone();
            let key = (key, self.candidates[at].provider.name().to_owned());
            let used = books.replayed.get(&key).copied().unwrap_or_default();
            if let Some(exchange) = records.get(place, &key, used) {
                books.replayed.insert(key, used + 1);
                self.at = at;
                return self.begin(stage, books, Some(exchange.clone()));
            }
        }
        if let Some(found) = self.recorded_here(stage, books, under_way) {
            return found;
        }
        if !self.troubles.is_empty() {
            return Err(failure::nobody(&self.ask, &self.troubles));
        }
        let names = (self.ask.role.clone(), self.ask.step.clone());
        match self.build(self.at) {
            None => Err(failure::nobody(&self.ask, &self.troubles)),
            Some(Err(error)) => Err(failure::from(&error)),
            Some(Ok(built)) => Err(records.miss(place, (&names.0, &names.1), &built.prepared)),
        }
    }

    /// Reserves a call of the first candidate that may be asked.
    fn fresh(&mut self, stage: &StageGateway<'_>, books: &mut State<'_>) -> Result<Step, CallFailure> {
        while let Some(candidate) = self.candidates.get(self.at) {
            let (name, provider) = (candidate.name(), candidate.provider.name().to_owned());
            let known = candidate.price.is_some() || books.ledger.budget().limits().allow_unknown_cost;
            if let Some(door) = books.doors.closed(&provider, stage.config().clock.now()) {
                let what = format!("given up a moment ago: {}", door.message);
                let class = match door.reason.as_str() {
                    "spend" => Class::Exhausted,
                    "auth" => Class::Usage,
                    _ => Class::Temporary,
                };
                let help = "Mend what it says, or wait five minutes and run again.".into();
                self.troubles.push(Trouble { name, what, help, class });
            } else if known {
                match self.build(self.at) {
                    Some(Ok(_)) => return self.begin(stage, books, None),
                    Some(Err(error)) => return Err(failure::from(&error)),
                    None => {}
                }
            } else {
                self.troubles.push(Trouble {
                    name,
                    what: "its price is not known, so no limit could hold".into(),
                    help: "Give it a price in models.toml, or allow unknown cost.".into(),
                    class: Class::Usage,
                });
            }
            self.at += 1;
        }
        Err(failure::nobody(&self.ask, &self.troubles))
    }

    /// Starts a call of the candidate in hand.
    fn begin(
        &mut self,
        stage: &StageGateway<'_>,
        books: &mut State<'_>,
        recorded: Option<Exchange>,
    ) -> Result<Step, CallFailure> {
        let Some(Ok(built)) = self.built.remove(&self.at) else {
            return Err(failure::fault("a call begins without its request".into()));
        };
        let key = built.key.clone();
        let bound = estimate::upper_bound([
            built.request.system.as_str(),
            built.request.context.as_str(),
            built.request.prompt.as_str(),
            &self.ask.schema.schema.to_string(),
        ]);
        self.call = Some(Call {
            bound,
            counted: recorded.as_ref().and_then(|exchange| exchange.counted),
            worst: Worst { cost: None, tokens: 0 },
            reservation: 0,
            wait: Duration::ZERO,
            timeout: LONGEST,
            attempts: Vec::new(),
            recorded,
            built,
        });
        if let Err(error) = self.reserve(stage, books) {
            self.call = None;
            return Err(error);
        }
        Ok(Step::Send { key })
    }

    /// Reserves the next attempt; where the bound does not fit, the provider is asked to count.
    fn reserve(&mut self, stage: &StageGateway<'_>, books: &mut State<'_>) -> Result<(), CallFailure> {
        let (Some(call), Some(candidate)) = (&mut self.call, self.candidates.get(self.at)) else {
            return Err(failure::fault("nothing is to be reserved".into()));
        };
        call.timeout = time_for(stage, books, call.wait)?;
        loop {
            call.worst = worst(call, candidate);
            let wanted = Reservation {
                exchange: &call.built.key,
                provider: candidate.provider.name(),
                model: &candidate.model,
                role: &self.ask.role,
                step: &self.ask.step,
                worst: call.worst,
                price: candidate.price.as_ref().map(|row| row.id.as_str()),
                slice: self.slice.as_deref(),
            };
            match books.ledger.reserve(&wanted) {
                Ok(id) => {
                    call.reservation = id;
                    return Ok(());
                }
                Err(ReserveError::Ledger(error)) => return Err(failure::from(&error)),
                Err(ReserveError::Exhausted(full)) => {
                    let ask =
                        call.counted.is_none() && call.recorded.is_none() && full.measure != Measure::Time;
                    let within = COUNT_WITHIN.min(call.timeout);
                    let counted =
                        ask.then(|| candidate.provider.count(&call.built.request, within).ok().flatten());
                    match counted.flatten() {
                        Some(count) => call.counted = Some(count),
                        None => return Err(failure::from(&full)),
                    }
                }
            }
        }
    }

    /// Sends the call in hand once; touches nothing but the world. A recorded one is not sent.
    pub(super) fn send(&self, config: &GatewayConfig<'_>) -> Option<Sent> {
        let call = self.call.as_ref().filter(|call| call.recorded.is_none())?;
        let provider = &self.candidates.get(self.at)?.provider;
        if !call.wait.is_zero() {
            (config.sleep)(call.wait);
        }
        let (started_at, before) = (config.clock.now().to_string(), config.clock.elapsed());
        let outcome = provider.send(&call.built.prepared, call.timeout).map_err(retry::plainly);
        let took = config.clock.elapsed().saturating_sub(before);
        Some(Sent { started_at, took_ms: millis(took), outcome })
    }

    /// Takes in what came; returns the end of the question, if this is it.
    pub(super) fn absorb(
        &mut self,
        stage: &StageGateway<'_>,
        books: &mut State<'_>,
        sent: Option<Sent>,
    ) -> Option<Result<Answer, CallFailure>> {
        let outcome = self.outcome(stage.config().redact, sent)?;
        let name = self.candidates.get(self.at)?.provider.name().to_owned();
        let said = outcome.attempt.message.clone().unwrap_or_default();
        books.doors.saw(&name, outcome.error.as_ref(), &said, &outcome.attempt.started_at);
        let paid = match self.pay(stage, books, &outcome) {
            Ok(paid) => paid,
            Err(error) => return Some(Err(error)),
        };
        let Outcome { attempt, reply, reading, error, should_retry } = outcome;
        let call = self.call.as_mut()?;
        call.attempts.push(attempt);
        if let Some(error) = &error {
            let again = if let Some(exchange) = &call.recorded {
                let next = exchange.attempts.get(call.attempts.len());
                next.map(|next| Duration::from_millis(next.waited_ms))
            } else {
                let tries = call.attempts.len();
                retry::wait_before_next(error, should_retry.as_deref(), tries, &call.built.key)
                    .filter(|wait| time_for(stage, books, *wait).is_ok())
            };
            if let Some(wait) = again {
                call.wait = wait;
                return None;
            }
        }
        match self.finish(stage, books, reply, error.as_ref(), paid) {
            Ok((key, cost)) => self.judge(reading, error.map(|error| (error, said)), (key, cost)),
            Err(failed) => Some(Err(failed)),
        }
    }

    /// Returns what an attempt brought, from the wire with the secrets taken out, or from the record.
    fn outcome(&self, redact: RedactFn<'_>, sent: Option<Sent>) -> Option<Outcome> {
        let call = self.call.as_ref()?;
        let provider = &self.candidates.get(self.at)?.provider;
        if let Some(exchange) = &call.recorded {
            let at = call.attempts.len();
            let attempt = exchange.attempts.get(at)?.clone();
            let last = at + 1 == exchange.attempts.len();
            let reply = exchange.reply.clone().filter(|_| last);
            let reading = reply.as_ref().and_then(raw_of).map(|raw| provider.read(&raw));
            let error = (attempt.outcome != "ok").then(|| {
                let read = reading.as_ref().and_then(|reading| reading.result.clone().err());
                read.unwrap_or_else(|| recorded_error(&attempt))
            });
            return Some(Outcome { attempt, reply, reading, error, should_retry: None });
        }
        let sent = sent.unwrap_or_else(|| Sent {
            started_at: String::new(),
            took_ms: 0,
            outcome: Err(CallError::Cut { why: "the client failed".into() }),
        });
        let (mut reply, mut reading) = (None, None);
        let mut error = None;
        match sent.outcome {
            Err(failed) => error = Some(failed),
            Ok(raw) => {
                let (raw, recorded) = redacted(redact, raw);
                let read = provider.read(&raw);
                error = error.or_else(|| read.result.as_ref().err().cloned());
                if raw.cut && error.is_none() {
                    error = Some(CallError::Cut { why: "the body ended early".into() });
                }
                (reply, reading) = (Some(recorded), Some(read));
            }
        }
        let attempt = Attempt {
            started_at: sent.started_at,
            waited_ms: millis(call.wait),
            took_ms: sent.took_ms,
            outcome: error.as_ref().map_or("ok", CallError::kind).to_owned(),
            message: error.as_ref().map(|e| redact(&e.to_string()).into_owned()),
            status: reply.as_ref().map(|r| r.status),
            request_id: reading.as_ref().and_then(|r| r.request_id.clone()),
        };
        let should_retry = reply.as_ref().and_then(|r| r.headers.get("x-should-retry").cloned());
        Some(Outcome { attempt, reply, reading, error, should_retry })
    }

    /// Settles, keeps or releases the reservation of an attempt.
    fn pay(
        &self,
        stage: &StageGateway<'_>,
        books: &mut State<'_>,
        outcome: &Outcome,
    ) -> Result<Paid, CallFailure> {
        let (Some(call), Some(candidate)) = (&self.call, self.candidates.get(self.at)) else {
            return Ok(Paid::default());
        };
        let attempt = &outcome.attempt;
        let took = attempt.took_ms.saturating_add(attempt.waited_ms);
        let told = outcome.reading.as_ref().and_then(|reading| reading.usage);
        let id = call.reservation;
        let (written, paid) = match retry::bill(&attempt.outcome, attempt.status, told.is_some()) {
            Bill::Release => (books.ledger.release(id, &attempt.outcome, took), Paid::default()),
            Bill::Keep => (books.ledger.keep(id, &attempt.outcome, took), Paid::default()),
            Bill::Settle => {
                let paid = price(stage, call, candidate, outcome.reading.as_ref());
                let usage = paid.usage.unwrap_or_default();
                (books.ledger.settle(id, usage, paid.cost, paid.estimated, took), paid)
            }
        };
        written.map(|()| paid).map_err(|error| failure::from(&error))
    }

    /// Writes the exchange down and tells people; the call is over.
    fn finish(
        &mut self,
        stage: &StageGateway<'_>,
        books: &mut State<'_>,
        reply: Option<RecordedReply>,
        error: Option<&CallError>,
        paid: Paid,
    ) -> Result<(Digest, Option<NanoUsd>), CallFailure> {
        let (Some(call), Some(candidate)) = (self.call.take(), self.candidates.get(self.at)) else {
            return Err(failure::fault("a call ends that never began".into()));
        };
        let key = call.built.key.clone();
        let exchange = Exchange {
            seq: books.cassette.next_seq(),
            key: key.clone(),
            role: self.ask.role.clone(),
            step: self.ask.step.clone(),
            provider: candidate.provider.name().to_owned(),
            model: candidate.model.clone(),
            request: call.recorded.map_or(call.built.prepared, |recorded| recorded.request),
            attempts: call.attempts,
            reply,
            reservation: call.reservation,
            counted: call.counted,
            usage: paid.usage,
            estimated: paid.estimated,
            price: paid.price,
            cost_nano_usd: paid.cost,
        };
        let noted = note(&exchange, error);
        books.cassette.append(&exchange)?;
        (stage.site.note)(noted);
        Ok((key, exchange.cost_nano_usd))
    }

    /// Decides what an exchange means for the question.
    fn judge(
        &mut self,
        reading: Option<Reading>,
        error: Option<(CallError, String)>,
        (key, cost): (Digest, Option<NanoUsd>),
    ) -> Option<Result<Answer, CallFailure>> {
        let model = self.candidates.get(self.at)?.name();
        let Some((error, said)) = error else {
            let text = reading.and_then(|reading| reading.result.ok()).unwrap_or_default();
            let validator = self.validator.as_ref().ok()?;
            return match answer::read(validator, &text) {
                Ok(value) => Some(Ok(Answer { value, model, cost, exchange: key })),
                Err(problems) if self.repaired => Some(Err(answer::misfit(&self.ask, &model, &problems))),
                Err(problems) => {
                    self.repaired = true;
                    self.ask.prompt = answer::repair_prompt(&self.ask.prompt, &text, &problems);
                    self.built.clear();
                    None
                }
            };
        };
        match error {
            CallError::Refused { .. } | CallError::Truncated { .. } => {
                self.unusable += 1;
                if self.unusable > 1 {
                    return Some(Err(twice(&self.ask, &model, &error, &said)));
                }
                // Another model may take it; where there is none, the same once more.
                if self.at + 1 < self.candidates.len() {
                    self.at += 1;
                }
                None
            }
            CallError::BadRequest { .. } | CallError::Unsupported { .. } => Some(Err(CallFailure {
                what: format!("{model} did not take `{}`: {said}", self.ask.step),
                ..failure::from(&error)
            })),
            _ => {
                self.troubles.push(Trouble::of(model, &error, &said));
                self.at += 1;
                None
            }
        }
    }
}

/// Returns how long a call may take after a wait, or the limit that leaves no time for one.
fn time_for(stage: &StageGateway<'_>, books: &State<'_>, wait: Duration) -> Result<Duration, CallFailure> {
    let budget = books.ledger.budget();
    let ttl = [budget.limits().run.ttl_ms, budget.limits().stage.ttl_ms].into_iter().flatten().min();
    let margin = MARGIN_MS.min(ttl.unwrap_or(u64::MAX) / 10);
    let worked = millis(stage.worked()).saturating_add(millis(wait));
    let least = LEAST_MS.min(ttl.unwrap_or(u64::MAX) / 10).saturating_add(margin);
    let left = budget.time_left(worked, least).map_err(|error| failure::from(&error))?;
    Ok(left.map_or(LONGEST, |left| LONGEST.min(Duration::from_millis(left.saturating_sub(margin)))))
}

/// Returns the worst case of a call.
fn worst(call: &Call, candidate: &Candidate) -> Worst {
    let input = call.counted.map_or(call.bound, estimate::of_count);
    let output = u64::from(call.built.request.max_output);
    let tier = candidate.extra.get("service_tier").and_then(|tier| tier.as_str());
    let cost = candidate.price.as_ref().map(|row| row.worst_case(input, output, tier));
    Worst { cost, tokens: input.saturating_add(output) }
}

/// Returns what a billed call cost: from the record, by what the provider told, or at its worst where it told nothing.
fn price(stage: &StageGateway<'_>, call: &Call, candidate: &Candidate, reading: Option<&Reading>) -> Paid {
    if let Some(exchange) = &call.recorded {
        return Paid {
            usage: exchange.usage,
            estimated: exchange.estimated,
            price: exchange.price.clone(),
            cost: exchange.cost_nano_usd,
        };
    }
    let answered = reading.and_then(|reading| reading.model.as_deref());
    let row = answered
        .filter(|model| *model != candidate.model)
        .and_then(|model| (stage.config().price_of)(candidate.provider.name(), model))
        .or_else(|| candidate.price.clone());
    let price = row.as_ref().map(|row| row.id.clone());
    if let Some(usage) = reading.and_then(|reading| reading.usage) {
        let tier = reading.and_then(|reading| reading.tier.as_deref());
        let cost = row.map(|row| row.cost(&usage, tier));
        return Paid { usage: Some(usage), estimated: false, price, cost };
    }
    let usage = Usage {
        input: call.counted.map_or(call.bound, estimate::of_count),
        output: u64::from(call.built.request.max_output),
        ..Usage::default()
    };
    let price = candidate.price.as_ref().map(|row| row.id.clone());
    Paid { usage: Some(usage), estimated: true, price, cost: call.worst.cost }
}

/// A model refused, or was cut off, twice.
fn twice(ask: &Ask, model: &str, error: &CallError, said: &str) -> CallFailure {
    CallFailure {
        class: error.class(),
        what: format!(
            "`{}` of `{}` has no answer after two tries, the last of {model}: {said}",
            ask.step, ask.role
        ),
        help: error.help().unwrap_or_default(),
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
