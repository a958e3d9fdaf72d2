//! A run folder, a clock and providers with scripts.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::agent::budget::RunLedgers;
use crate::agent::gateway::{Gateway, GatewayConfig, Mode};
use crate::agent::price::{PriceRow, Rates};
use crate::agent::route::{Candidate, Routes};
use crate::agent::{Ask, CallSite, Models as _, StageCalls};
use crate::artifact::id::{Round, RunId, StageId};
use crate::artifact::kind::StageFile;
use crate::artifact::money::NanoUsd;
use crate::artifact::store::{ArtifactStore as _, MemoryStore};
use crate::artifact::types::exchange::Exchange;
use crate::artifact::types::ledger::{Ceiling, LedgerLimits, Totals};
use crate::ports::clock::FakeClock;
use crate::ports::model::{
    CallError, ModelRequest, Prepared, Provider, RawReply, Reading, ReplySchema, Usage, WireFormat,
};

/// What a fake provider does with one call.
#[derive(Clone, Debug)]
pub enum Act {
    /// Answers with a text and 100 tokens in, 10 out.
    Say(String),
    /// Answers, and does not tell what was used.
    SayWithoutUsage(String),
    /// Fails before or while reading.
    Fail(CallError),
    /// Answers with an error status and headers.
    Status(u16, &'static str, &'static [(&'static str, &'static str)]),
}

pub fn say(value: &Value) -> Act {
    Act::Say(value.to_string())
}

/// A provider with a script; when it is used up it answers every question with its number.
pub struct Fake {
    name: String,
    pub script: Mutex<VecDeque<Act>>,
    pub sent: Mutex<Vec<String>>,
    pub billed: AtomicU64,
    pub count: Option<u64>,
}

impl Fake {
    pub fn new(name: &str, script: Vec<Act>) -> Arc<Self> {
        Arc::new(Self {
            name: name.into(),
            script: Mutex::new(script.into()),
            sent: Mutex::default(),
            billed: AtomicU64::new(0),
            count: None,
        })
    }

    pub fn calls(&self) -> usize {
        self.sent.lock().unwrap().len()
    }
}

/// The error of a status, as adapters map it.
fn error_of(status: u16, code: &str, headers: &BTreeMap<String, String>) -> CallError {
    let after = headers.get("retry-after").and_then(|v| v.parse().ok()).map(Duration::from_secs);
    let code = code.to_owned();
    match (status, code.as_str()) {
        (_, "spend") => CallError::Spend { code },
        (_, "refusal") => CallError::Refused { why: code },
        (_, "length") => CallError::Truncated { why: code },
        (401 | 403, _) => CallError::Auth { code },
        (429, _) => CallError::Wait { after, code },
        (500.., _) => CallError::Overloaded { status, after, code },
        _ => CallError::BadRequest { message: "no".into(), code },
    }
}

impl Provider for Fake {
    fn name(&self) -> &str {
        &self.name
    }

    fn format(&self) -> WireFormat {
        WireFormat::OpenaiChat
    }

    fn prepare(&self, request: &ModelRequest) -> Result<Prepared, CallError> {
        Ok(Prepared {
            format: WireFormat::OpenaiChat,
            target: format!("https://{}.invalid/v1/chat", self.name),
            headers: BTreeMap::new(),
            body: json!({
                "model": request.model, "system": request.system, "context": request.context,
                "prompt": request.prompt, "max": request.max_output,
            }),
        })
    }

    fn send(&self, prepared: &Prepared, _timeout: Duration) -> Result<RawReply, CallError> {
        self.sent.lock().unwrap().push(prepared.body["prompt"].as_str().unwrap().to_owned());
        let act = self.script.lock().unwrap().pop_front();
        let act = act.unwrap_or_else(|| Act::Say(json!({ "text": prepared.body["prompt"] }).to_string()));
        let reply = |status, headers: &[(&str, &str)], body: Value| RawReply {
            status,
            headers: headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            body: body.to_string().into_bytes(),
            cut: false,
        };
        match act {
            Act::Say(text) => {
                self.billed.fetch_add(100 * 2000 + 10 * 10_000, Ordering::SeqCst);
                let usage = json!({ "in": 100, "out": 10 });
                Ok(reply(200, &[], json!({ "text": text, "usage": usage, "model": prepared.body["model"] })))
            }
            Act::SayWithoutUsage(text) => Ok(reply(200, &[], json!({ "text": text }))),
            Act::Fail(error) => Err(error),
            Act::Status(status, code, headers) => Ok(reply(status, headers, json!({ "error": code }))),
        }
    }

    fn read(&self, reply: &RawReply) -> Reading {
        let mut reading = Reading {
            result: Err(CallError::Shape { what: "no JSON".into() }),
            usage: None,
            model: None,
            tier: None,
            request_id: None,
            stop: None,
        };
        let Ok(body) = serde_json::from_slice::<Value>(&reply.body) else { return reading };
        if let Some(usage) = body.get("usage") {
            let (input, output) = (usage["in"].as_u64().unwrap(), usage["out"].as_u64().unwrap());
            reading.usage = Some(Usage { input, output, ..Usage::default() });
        }
        reading.model = body["model"].as_str().map(str::to_owned);
        reading.result = match body["error"].as_str() {
            Some(code) => Err(error_of(reply.status, code, &reply.headers)),
            None => Ok(body["text"].as_str().unwrap_or_default().to_owned()),
        };
        reading
    }

    fn count(&self, _: &ModelRequest, _: Duration) -> Result<Option<u64>, CallError> {
        Ok(self.count)
    }
}

/// Candidates for every role, in order.
pub struct Fakes(pub Vec<Candidate>);

impl Routes for Fakes {
    fn candidates(&self, _: &str) -> Vec<Candidate> {
        self.0.clone()
    }

    fn family(&self, model: &str) -> Option<String> {
        self.0.iter().find(|one| one.name() == model).map(|one| one.family.clone())
    }
}

/// 2 dollars in, 10 out per million: a call of a fake costs 300 000.
pub fn price() -> PriceRow {
    let rates = Rates {
        input: NanoUsd(2_000_000_000),
        cache_read: NanoUsd(100_000_000),
        cache_write_short: None,
        cache_write_long: None,
        output: NanoUsd(10_000_000_000),
    };
    PriceRow { id: "m@2026-01-01".into(), rates, long: None, tiers: BTreeMap::new() }
}

pub fn candidate(provider: &Arc<Fake>, price: Option<PriceRow>) -> Candidate {
    Candidate {
        provider: Arc::clone(provider) as Arc<dyn Provider>,
        model: "m".into(),
        family: "f".into(),
        context: 100_000,
        max_output: 8_000,
        price,
        effort: None,
        extra: serde_json::Map::new(),
    }
}

pub const CALL: NanoUsd = NanoUsd(300_000);

/// A run.
pub struct World {
    pub store: MemoryStore,
    pub clock: FakeClock,
    pub run: RunId,
    pub fakes: Vec<Arc<Fake>>,
    pub limits: LedgerLimits,
    pub priced: bool,
    pub notes: Mutex<Vec<String>>,
    pub slept: Mutex<Vec<Duration>>,
    pub secret: String,
}

impl World {
    pub fn new(scripts: Vec<Vec<Act>>) -> Self {
        let fakes = scripts.into_iter().enumerate().map(|(n, script)| Fake::new(&format!("p{n}"), script));
        Self {
            store: MemoryStore::default(),
            clock: FakeClock::at(1_767_225_600),
            run: "run".parse().unwrap(),
            fakes: fakes.collect(),
            limits: LedgerLimits::default(),
            priced: true,
            notes: Mutex::default(),
            slept: Mutex::default(),
            secret: "sk-very-secret".into(),
        }
    }

    pub fn max_cost(mut self, nano: u64) -> Self {
        self.limits.run = Ceiling { max_nano_usd: Some(NanoUsd(nano)), ..self.limits.run };
        self
    }

    pub fn routes(&self) -> Fakes {
        Fakes(self.fakes.iter().map(|fake| candidate(fake, self.priced.then(price))).collect())
    }

    /// Opens the calls of a stage and does something with them.
    pub fn within<T>(
        &self,
        store: &MemoryStore,
        mode: Mode<'_>,
        stage: StageId,
        work: impl FnOnce(&dyn StageCalls) -> T,
    ) -> Result<T, crate::agent::CallFailure> {
        let routes = self.routes();
        let redact = |text: &str| -> Cow<'_, str> { Cow::Owned(text.replace(&self.secret, "[redacted]")) };
        // A closure takes any lifetime only where its type says so.
        let redact: &(dyn for<'t> Fn(&'t str) -> Cow<'t, str> + Sync) = &|text| {
            if text.contains(&self.secret) {
                Cow::Owned(redact(text).into_owned())
            } else {
                Cow::Borrowed(text)
            }
        };
        let sleep = |time| self.slept.lock().unwrap().push(time);
        let gateway = Gateway::new(GatewayConfig {
            limits: self.limits,
            stages: BTreeMap::new(),
            mode,
            routes: &routes,
            clock: &self.clock,
            redact,
            price_of: &|_, _| None,
            sleep: &sleep,
        });
        let note = |line: String| self.notes.lock().unwrap().push(line);
        let site = CallSite { store, run: &self.run, stage, round: Round::FIRST, note: &note };
        let calls = gateway.open(site)?;
        Ok(work(calls.as_ref()))
    }

    /// Opens a stage, works, closes, and writes what the runner seals.
    pub fn stage<T>(&self, stage: StageId, work: impl FnOnce(&dyn StageCalls) -> T) -> T {
        self.within(&self.store, Mode::Record, stage, |calls| {
            let result = work(calls);
            for (file, bytes) in calls.close().unwrap() {
                self.store.write(&file.path(stage, Round::FIRST), &bytes).unwrap();
            }
            result
        })
        .unwrap()
    }

    pub fn exchanges(&self, stage: StageId) -> Vec<Exchange> {
        let bytes =
            self.store.read(&StageFile::Cassette.path(stage, Round::FIRST)).unwrap().unwrap_or_default();
        let lines = bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
    }

    pub fn spent(&self) -> Totals {
        RunLedgers::read(&self.store).unwrap().spent()
    }

    pub fn ledger(&self, stage: StageId) -> String {
        let bytes =
            self.store.read(&StageFile::Ledger.path(stage, Round::FIRST)).unwrap().unwrap_or_default();
        String::from_utf8(bytes).unwrap()
    }
}

pub fn ask(prompt: &str) -> Ask {
    Ask {
        role: "architect".into(),
        step: "plan.propose".into(),
        system: "You plan.".into(),
        context: "files".into(),
        prompt: prompt.into(),
        schema: ReplySchema {
            name: "text".into(),
            schema: json!({
                "type": "object", "required": ["text"], "additionalProperties": false,
                "properties": { "text": { "type": "string" } },
            }),
        },
        max_output: 1000,
        avoid: None,
    }
}
