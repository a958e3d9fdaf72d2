//! What the gateway itself costs: one governed call of a 200 kB prompt, and the replay of many exchanges.
//!
//! `cargo bench --bench calls` prints medians. The provider answers at once, so what is measured is build, reserve, record,
//! redact and settle, into a real folder. It asserts nothing: figures belong in a bench, never in a timed test.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints, and stops at the first fault")]

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use orch::agent::gateway::{Gateway, GatewayConfig, Mode, Records};
use orch::agent::price::{PriceRow, Rates};
use orch::agent::route::{Candidate, Routes};
use orch::agent::{Ask, CallSite, Models as _};
use orch::artifact::id::{Round, RunId, StageId};
use orch::artifact::money::NanoUsd;
use orch::artifact::store::{ArtifactStore as _, DirStore};
use orch::artifact::types::ledger::LedgerLimits;
use orch::ports::clock::SystemClock;
use orch::ports::model::{
    CallError, ModelRequest, Prepared, Provider, RawReply, Reading, ReplySchema, Usage, WireFormat,
};
use serde_json::json;

struct Instantly;

impl Provider for Instantly {
    fn name(&self) -> &'static str {
        "instantly"
    }

    fn format(&self) -> WireFormat {
        WireFormat::OpenaiChat
    }

    fn prepare(&self, request: &ModelRequest) -> Result<Prepared, CallError> {
        let body = json!({ "messages": [
            { "role": "system", "content": request.system },
            { "role": "user", "content": request.context },
            { "role": "user", "content": request.prompt },
        ] });
        let target = "https://instantly.invalid/v1/chat/completions".into();
        Ok(Prepared { format: self.format(), target, headers: BTreeMap::new(), body })
    }

    fn send(&self, _: &Prepared, _: Duration) -> Result<RawReply, CallError> {
        Ok(RawReply { status: 200, headers: BTreeMap::new(), body: b"{\"text\":\"yes\"}".into(), cut: false })
    }

    fn read(&self, reply: &RawReply) -> Reading {
        Reading {
            result: Ok(String::from_utf8_lossy(&reply.body).into_owned()),
            usage: Some(Usage { input: 50_000, output: 10, ..Usage::default() }),
            model: None,
            tier: None,
            request_id: None,
            stop: None,
        }
    }

    fn count(&self, _: &ModelRequest, _: Duration) -> Result<Option<u64>, CallError> {
        Ok(None)
    }
}

struct One;

impl Routes for One {
    fn candidates(&self, _: &str) -> Vec<Candidate> {
        let rates = Rates {
            input: NanoUsd(2_000_000_000),
            cache_read: NanoUsd(100_000_000),
            cache_write_short: None,
            cache_write_long: None,
            output: NanoUsd(10_000_000_000),
        };
        vec![Candidate {
            provider: Arc::new(Instantly),
            model: "m".into(),
            family: "f".into(),
            context: 1_000_000,
            max_output: 8_000,
            price: Some(PriceRow { id: "m@2026-01-01".into(), rates, long: None, tiers: BTreeMap::new() }),
            effort: None,
            extra: serde_json::Map::new(),
        }]
    }

    fn family(&self, _: &str) -> Option<String> {
        None
    }
}

fn ask(number: usize, bytes: usize) -> Ask {
    Ask {
        role: "architect".into(),
        step: "plan.propose".into(),
        system: "You plan changes.".into(),
        context: "fn main() { println!(\"a line of code, {}\", 7); }\n".repeat(bytes / 50),
        prompt: format!("question {number}"),
        schema: ReplySchema {
            name: "text".into(),
            schema: json!({ "type": "object", "required": ["text"], "properties": { "text": { "type": "string" } } }),
        },
        max_output: 4000,
        avoid: None,
    }
}

/// Asks so many questions in a new run folder and returns the time of each.
fn ask_all(store: &DirStore, mode: Mode<'_>, calls: usize, bytes: usize) -> Vec<Duration> {
    let (clock, run) = (SystemClock::new(None), "bench".parse::<RunId>().unwrap());
    let gateway = Gateway::new(GatewayConfig {
        limits: LedgerLimits::default(),
        stages: BTreeMap::new(),
        mode,
        routes: &One,
        clock: &clock,
        redact: &|text| Cow::Borrowed(text),
        price_of: &|_, _| None,
        sleep: &|_| (),
    });
    let site = CallSite { store, run: &run, stage: StageId::Plan, round: Round::FIRST, note: &|_| () };
    let stage = gateway.open(site).unwrap();
    let asks: Vec<Ask> = (0..calls).map(|n| ask(n, bytes)).collect();
    let times = asks.iter().map(|ask| {
        let start = Instant::now();
        stage.ask(ask).unwrap();
        start.elapsed()
    });
    let times = times.collect();
    for (file, bytes) in stage.close().unwrap() {
        store.write(&file.path(StageId::Plan, Round::FIRST), &bytes).unwrap();
    }
    times
}

fn main() {
    let ms = |time: Duration| format!("{:.2} ms", time.as_secs_f64() * 1000.0);
    let folder = tempfile::tempdir().unwrap();
    for bytes in [2_000, 20_000, 200_000] {
        let store = DirStore::new(folder.path().join(format!("call-{bytes}")));
        let mut times = ask_all(&store, Mode::Record, 51, bytes);
        times.sort_unstable();
        println!("one call of a {} kB prompt: {} (at most {})", bytes / 1000, ms(times[25]), ms(times[50]));
    }
    for calls in [250, 500, 1_000] {
        let recorded = DirStore::new(folder.path().join(format!("recorded-{calls}")));
        ask_all(&recorded, Mode::Record, calls, 20_000);
        let replayed = DirStore::new(folder.path().join(format!("replayed-{calls}")));
        let start = Instant::now();
        let records = Records::of_run(&recorded).unwrap();
        ask_all(&replayed, Mode::Replay(&records), calls, 20_000);
        let took = start.elapsed();
        let each = took / u32::try_from(calls).unwrap();
        println!("replay of {calls} exchanges of 20 kB: {}, {} each", ms(took), ms(each));
        for path in recorded.list().unwrap() {
            assert_eq!(recorded.read(&path).unwrap(), replayed.read(&path).unwrap(), "{path}");
        }
    }
}
