//! The suite in the words of programs and scripts, and the sample program.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use orch::ports::model::conformance::{self, CaseOutcome};
use orch::ports::model::exec::{ExecSpec, ExecValue, exec_provider};
use orch::ports::model::scripted::scripted_provider;
use orch::ports::model::{CallError, Provider, WireFormat};
use orch::ports::secret::Secret;
use serde_json::json;

use super::server::{Act, Server, reply};
use super::wires;

const LONG: Duration = Duration::from_secs(30);

fn spec(words: &[&str], variables: &[(&str, ExecValue)]) -> ExecSpec {
    ExecSpec {
        name: "program".into(),
        words: words.iter().map(|word| (*word).to_owned()).collect(),
        base: env!("CARGO_MANIFEST_DIR").into(),
        repository: None,
        path: std::env::var_os("PATH").unwrap_or_default(),
        home: None,
        variables: variables.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
    }
}

fn ask(provider: &dyn Provider) -> Result<String, CallError> {
    let prepared = provider.prepare(&conformance::request("m"))?;
    provider.read(&provider.send(&prepared, LONG)?).result
}

fn kind(result: &Result<String, CallError>) -> &'static str {
    result.as_ref().map_or_else(CallError::kind, |_| "ok")
}

/// Every case that a program or a script can tell, by both.
#[test]
fn programs_and_scripts_tell_the_same_cases() {
    let cases = [
        (json!({ "text": "hi" }), json!({ "reply": "hi" }), "ok"),
        (json!({ "text": "{\"a\":1}" }), json!({ "reply": { "a": 1 } }), "ok"),
        (json!({ "refusal": "no" }), json!({ "refusal": "no" }), "refused"),
        (
            json!({ "text": "ha", "stop": "max_tokens" }),
            json!({ "reply": "ha", "stop": "max_tokens" }),
            "truncated",
        ),
        (
            json!({ "error": { "kind": "wait", "retry_after_ms": 7 } }),
            json!({ "error": { "kind": "wait", "retry_after_ms": 7 } }),
            "wait",
        ),
        (json!({ "error": { "kind": "spend" } }), json!({ "error": { "kind": "spend" } }), "spend"),
        (
            json!({ "error": { "kind": "overloaded", "status": 529 } }),
            json!({ "error": { "kind": "overloaded", "status": 529 } }),
            "overloaded",
        ),
        (json!({ "error": { "kind": "auth" } }), json!({ "error": { "kind": "auth" } }), "auth"),
        (
            json!({ "error": { "kind": "bad-request" } }),
            json!({ "error": { "kind": "bad-request" } }),
            "bad-request",
        ),
        (
            json!({ "error": { "kind": "too-large" } }),
            json!({ "error": { "kind": "too-large" } }),
            "too-large",
        ),
        (json!({ "error": { "kind": "cut" } }), json!({ "error": { "kind": "cut" } }), "cut"),
    ];
    for (said, entry, wanted) in cases {
        let script = json!({ "version": 1, "replies": [entry] }).to_string();
        let scripted = scripted_provider("script", "case.json", &script).unwrap();
        assert_eq!(kind(&ask(&*scripted)), wanted, "{entry}");
        let program = format!("cat >/dev/null; printf '%s' '{said}'");
        let program = exec_provider(spec(&["sh", "-c", &program], &[])).unwrap();
        assert_eq!(kind(&ask(&*program)), wanted, "{said}");
    }
}

#[test]
fn a_script_passes_the_live_suite() {
    let script = json!({ "version": 1, "replies": [{ "times": 0, "delay_ms": 5,
        "reply": { "answer": "pong", "sure": true }, "usage": { "input": 3, "output": 4 } }] });
    let provider = scripted_provider("script", "suite.json", &script.to_string()).unwrap();
    passes(&*provider);
}

fn passes(provider: &dyn Provider) {
    let results = conformance::check(provider, "m", None, LONG);
    let failed: Vec<_> = results.iter().filter(|r| matches!(r.outcome, CaseOutcome::Failed(_))).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

fn sample(variables: &[(&str, ExecValue)]) -> Option<Arc<dyn Provider>> {
    let found = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .any(|folder| folder.join("python3").is_file());
    if !found {
        eprintln!("SKIPPED: the sample provider needs python3 on PATH");
        return None;
    }
    Some(exec_provider(spec(&["samples/exec-provider/provider.py"], variables)).unwrap())
}

fn plain(text: impl Into<String>) -> ExecValue {
    ExecValue::Plain(text.into())
}

#[test]
fn the_sample_is_short() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("samples/exec-provider/provider.py");
    assert!(std::fs::read_to_string(path).unwrap().lines().count() < 200);
}

#[test]
fn the_sample_passes_the_live_suite_by_command_and_by_server() {
    let command =
        plain("sh -c 'cat >/dev/null; echo \"{\\\"answer\\\": \\\"pong\\\", \\\"sure\\\": true}\"'");
    let Some(by_command) = sample(&[("ORCH_SAMPLE_COMMAND", command)]) else { return };
    passes(&*by_command);
    let answer = wires::answer(WireFormat::OpenaiChat, "{\"answer\": \"pong\", \"sure\": true}");
    let server = Server::start(Act::Send(reply(
        200,
        &[("content-type", "application/json")],
        answer.to_string().as_bytes(),
    )));
    let key = ExecValue::Secret(Secret::new("s3cr3t-k3y".into()));
    let by_server =
        sample(&[("ORCH_SAMPLE_URL", plain(server.url("/v1"))), ("ORCH_SAMPLE_KEY", key)]).unwrap();
    passes(&*by_server);
    let prepared = by_server.prepare(&conformance::request("m")).unwrap();
    let reading = by_server.read(&by_server.send(&prepared, LONG).unwrap());
    let usage = reading.usage.unwrap();
    assert_eq!((usage.input, usage.cache_read, usage.output, usage.reasoning), (10, 20, 9, 5));
    assert_eq!(reading.model.as_deref(), Some("model-answered"));
    let seen = server.seen();
    assert!(
        seen[0].head.contains("Bearer s3cr3t-k3y") && seen[0].head.starts_with("POST /v1/chat/completions")
    );
}

#[test]
fn the_sample_tells_faults_apart() {
    let json = ("content-type", "application/json");
    let chat = WireFormat::OpenaiChat;
    let body = |status| wires::error(chat, status, false).to_string();
    for (bytes, wanted) in [
        (reply(429, &[json, ("retry-after", "7")], body(429).as_bytes()), "wait"),
        (reply(402, &[json], body(402).as_bytes()), "spend"),
        (reply(401, &[json], body(401).as_bytes()), "auth"),
        (reply(413, &[json], body(413).as_bytes()), "too-large"),
        (reply(529, &[json], body(529).as_bytes()), "overloaded"),
        (reply(400, &[json], body(400).as_bytes()), "bad-request"),
        (reply(302, &[json, ("location", "http://127.0.0.1:1/")], b"{}"), "bad-request"),
        (reply(200, &[json], b"{\"cho"), "cut"),
        (reply(200, &[json], wires::truncated(chat).to_string().as_bytes()), "truncated"),
        (reply(200, &[json], wires::refusals(chat)[0].to_string().as_bytes()), "refused"),
    ] {
        let server = Server::start(Act::Send(bytes));
        let Some(provider) = sample(&[("ORCH_SAMPLE_URL", plain(server.url("/v1")))]) else { return };
        let result = ask(&*provider);
        assert_eq!(kind(&result), wanted, "{result:?}");
        if wanted == "wait" {
            assert!(
                matches!(result, Err(CallError::Wait { after: Some(after), .. }) if after == Duration::from_secs(7))
            );
        }
    }
    let provider = sample(&[]).unwrap();
    assert_eq!(kind(&ask(&*provider)), "offline");
    let provider = sample(&[("ORCH_SAMPLE_URL", plain("http://127.0.0.1.evil.example/v1"))]).unwrap();
    assert_eq!(kind(&ask(&*provider)), "bad-request");
    assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/exec-provider.md").is_file());
}
