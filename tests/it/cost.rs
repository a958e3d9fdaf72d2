//! What `orch cost` tells of runs whose calls went through the gateway.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use orch::agent::gateway::{Gateway, GatewayConfig, Mode};
use orch::agent::price::{PriceRow, Rates};
use orch::agent::route::{Candidate, Routes};
use orch::agent::{Ask, CallSite, Models as _};
use orch::artifact::id::{Round, RunId, StageId};
use orch::artifact::money::NanoUsd;
use orch::artifact::store::{ArtifactStore as _, DirStore};
use orch::artifact::types::ledger::LedgerLimits;
use orch::ports::clock::FakeClock;
use orch::ports::model::{
    CallError, ModelRequest, Prepared, Provider, RawReply, Reading, ReplySchema, Usage, WireFormat,
};
use serde_json::{Value, json};

use crate::env::TestEnv;

/// Answers every prompt; those that say so time out, or tell no usage.
struct Fake;

impl Provider for Fake {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn format(&self) -> WireFormat {
        WireFormat::OpenaiChat
    }

    fn prepare(&self, request: &ModelRequest) -> Result<Prepared, CallError> {
        let body = json!({ "messages": [{ "role": "user", "content": request.prompt }] });
        let target = "https://fake.invalid/v1/chat/completions".into();
        Ok(Prepared { format: self.format(), target, headers: BTreeMap::new(), body })
    }

    fn send(&self, prepared: &Prepared, within: Duration) -> Result<RawReply, CallError> {
        let prompt = prepared.body["messages"][0]["content"].as_str().unwrap();
        if prompt.starts_with("hang") {
            return Err(CallError::Timeout { within, maybe_billed: true });
        }
        let body = json!({ "in": prompt.len() }).to_string().into_bytes();
        Ok(RawReply { status: 200, headers: BTreeMap::new(), body, cut: false })
    }

    fn read(&self, reply: &RawReply) -> Reading {
        let body: Value = serde_json::from_slice(&reply.body).unwrap();
        Reading {
            result: Ok("{}".into()),
            usage: Some(Usage { input: body["in"].as_u64().unwrap(), output: 10, ..Usage::default() }),
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

/// One priced model for every role, and one without a price for `guest`.
struct Fakes;

impl Routes for Fakes {
    fn candidates(&self, role: &str) -> Vec<Candidate> {
        let rates = Rates {
            input: NanoUsd(2_000_000_000),
            cache_read: NanoUsd(0),
            cache_write_short: None,
            cache_write_long: None,
            output: NanoUsd(10_000_000_000),
        };
        let price = PriceRow { id: "m@2026-01-01".into(), rates, long: None, tiers: BTreeMap::new() };
        vec![Candidate {
            provider: Arc::new(Fake),
            model: "m".into(),
            family: "f".into(),
            context: 1000,
            max_output: 1000,
            price: (role != "guest").then_some(price),
            effort: None,
            extra: serde_json::Map::new(),
        }]
    }

    fn family(&self, _: &str) -> Option<String> {
        None
    }
}

/// Asks in a stage of a run, in its folder; with `close` the stage comes to its end.
fn stage(folder: &Path, stage: StageId, asks: &[(&str, &str)], close: bool) {
    let (store, run) = (DirStore::new(folder), "spent".parse::<RunId>().unwrap());
    let clock = FakeClock::at(1_767_225_600);
    let gateway = Gateway::new(GatewayConfig {
        limits: LedgerLimits { allow_unknown_cost: true, ..LedgerLimits::default() },
        stages: BTreeMap::new(),
        mode: Mode::Record,
        routes: &Fakes,
        clock: &clock,
        redact: &|text| Cow::Borrowed(text),
        price_of: &|_, _| None,
        sleep: &|_| (),
    });
    let site = CallSite { store: &store, run: &run, stage, round: Round::FIRST, note: &|_| () };
    let calls = gateway.open(site).unwrap();
    for (role, prompt) in asks {
        let _ = calls.ask(&Ask {
            role: (*role).into(),
            step: format!("{stage}.ask"),
            system: String::new(),
            context: String::new(),
            prompt: (*prompt).into(),
            schema: ReplySchema { name: "any".into(), schema: json!({ "type": "object" }) },
            max_output: 100,
            avoid: None,
        });
    }
    if close {
        for (file, bytes) in calls.close().unwrap() {
            store.write(&file.path(stage, Round::FIRST), &bytes).unwrap();
        }
    }
}

fn spent(env: &TestEnv) -> PathBuf {
    let folder = env.path("spent");
    fs::create_dir_all(&folder).unwrap();
    stage(&folder, StageId::Plan, &[("architect", "\n  one short line\nmore"), ("critic", "a")], true);
    stage(&folder, StageId::Generate, &[("builder", &"dear ".repeat(100)), ("guest", "free?")], true);
    stage(&folder, StageId::TestWrite, &[("critic", "a"), ("tester", "hang for ever")], false);
    folder
}

#[test]
fn money_is_told_by_stage_role_step_and_model_with_what_is_kept_and_unknown() {
    let env = TestEnv::new();
    let folder = spent(&env);
    let name = folder.display().to_string();
    let json = env.orch(&folder, &["cost", &name, "--format", "json"]).exits(0).json();
    assert_eq!((&json["run"], &json["reused"]), (&json!("spent"), &json!(1)));
    assert_eq!(json["stages"]["plan"]["calls"], 2);
    assert_eq!(json["roles"]["builder"]["nano_usd"], 500 * 2000 + 10 * 10_000);
    assert_eq!(json["steps"]["generate.ask"]["unknown_cost_calls"], 1);
    assert_eq!(json["models"]["fake/m"]["calls"], json["total"]["calls"]);
    // Three tries that hung, each kept whole.
    assert_eq!(
        (&json["roles"]["tester"]["calls"], &json["roles"]["critic"]["calls"]),
        (&json!(3), &json!(1))
    );
    assert_eq!(json["roles"]["tester"]["kept_nano_usd"], json["roles"]["tester"]["nano_usd"]);
    let sum: u64 =
        json["stages"].as_object().unwrap().values().map(|p| p["nano_usd"].as_u64().unwrap()).sum();
    assert_eq!(json["total"]["nano_usd"], sum);
    let dearest = json["dearest"].as_array().unwrap();
    assert_eq!(dearest.len(), 3);
    assert!(dearest[0]["first_line"].as_str().unwrap().starts_with("dear dear"));
    assert_eq!(dearest[1]["first_line"], "one short line");
    let said = env.orch(&folder, &["cost", &name]).exits(0);
    said.says("kept for calls that may be billed")
        .says("unknown cost")
        .says("one short line")
        .says("dearest prompts");
}

#[test]
fn a_reservation_that_was_never_settled_shows_as_reserved() {
    let env = TestEnv::new();
    let folder = spent(&env);
    let path = folder.join("ledger/plan.jsonl");
    // As a kill in the first call of all would have left it.
    for other in ["ledger/generate.jsonl", "ledger/test-write.jsonl"] {
        fs::remove_file(folder.join(other)).unwrap();
    }
    let text = fs::read_to_string(&path).unwrap();
    let cut: Vec<&str> = text.lines().take(2).collect();
    fs::write(&path, cut.join("\n") + "\n").unwrap();
    let json =
        env.orch(&folder, &["cost", &folder.display().to_string(), "--format", "json"]).exits(0).json();
    assert_eq!(json["total"]["reserved_nano_usd"], json["total"]["nano_usd"]);
    assert!(json["total"]["nano_usd"].as_u64().unwrap() > 1_000_000);
}

#[test]
fn a_ledger_that_is_not_what_it_was_is_refused() {
    let env = TestEnv::new();
    let folder = spent(&env);
    let path = folder.join("ledger/plan.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("\"calls\":2", "\"calls\":1", 1)).unwrap();
    let name = folder.display().to_string();
    env.orch(&folder, &["cost", &name]).exits(3).says("ledger/plan.jsonl");
    fs::remove_file(&path).unwrap();
    env.orch(&folder, &["cost", &name]).exits(3).says("was changed, shortened or removed");
    let empty = env.path("empty");
    fs::create_dir_all(&empty).unwrap();
    env.orch(&empty, &["cost", &empty.display().to_string()]).exits(0).says("called no model");
}
