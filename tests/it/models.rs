//! Providers of models as a person meets them, without a network: what lacks, what a call costs, what is refused.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::thread;

use crate::env::{Said, TestEnv};

/// 2026-11-27, when the built-in prices hold.
const TODAY: &str = "1795737600";
const KEY: &str = "house-key-4f1d0c9b7a";

const SCRIPT: &str = "version: 1\nreplies:\n  - reply: pong\n    times: 0\n    model: parrot-1\n    usage: { input: 1000, cache_read: 0, cache_write_short: 0, cache_write_long: 0, output: 3, reasoning: 0 }\n";

const PARROT: &str = "
[[provider]]
name = \"parrot\"
format = \"scripted\"
script = \"replies.yml\"
context = 10000
max_output = 100

[routes]
builder = [\"parrot/bird\"]
";

const PRICE: &str = "
[[price]]
model = \"bird\"
provider = \"parrot\"
effective_from = 2026-11-01
source = \"our contract\"
in = \"0.10\"
out = \"0.333333333\"
";

fn orch(env: &TestEnv, root: &Path, variables: &[(&str, &str)], words: &[&str]) -> Said {
    let mut command = env.orch_command(root, words);
    command.env("SOURCE_DATE_EPOCH", TODAY).envs(variables.iter().copied());
    let output = command.output().unwrap();
    Said {
        exit: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn parrots(env: &TestEnv, models: &str) -> std::path::PathBuf {
    env.repository("parrots", &[(".orch/models.toml", models), ("replies.yml", SCRIPT)])
}

#[test]
fn without_a_key_the_list_says_what_lacks_and_a_ping_what_to_set() {
    let env = TestEnv::new();
    let home = env.path("home");
    let said = orch(&env, &home, &[], &["providers"]).exits(0);
    said.says("Set ANTHROPIC_API_KEY in the environment")
        .says("retires on 2026-11-30; take claude-sonnet-5-5");
    let list = orch(&env, &home, &[], &["providers", "list", "--format", "json"]).exits(0).json();
    let of = |name: &str| {
        list["providers"].as_array().unwrap().iter().find(|p| p["name"] == name).unwrap().clone()
    };
    assert_eq!((of("openai")["usable"].clone(), of("ollama")["usable"].clone()), (false.into(), true.into()));
    let sonnet = of("anthropic")["models"]
        .as_array()
        .unwrap()
        .iter()
        .find(|m| m["model"] == "claude-sonnet-5-5")
        .cloned();
    assert_eq!(sonnet.unwrap()["price"]["cache_read"], "0.10");
    assert!(list["routes"].as_array().unwrap().iter().all(|route| route["answers"].is_null()));
    for words in [&["providers", "ping", "anthropic"][..], &["providers", "test", "anthropic"]] {
        orch(&env, &home, &[], words).exits(2).says("Set ANTHROPIC_API_KEY");
    }
    orch(&env, &home, &[], &["providers", "ping", "antropic"]).exits(2).says("Did you mean `anthropic`?");
    let keyed = [("ANTHROPIC_API_KEY", KEY)];
    let list = orch(&env, &home, &keyed, &["providers", "--format", "json"]).exits(0);
    assert!(!format!("{}{}", list.stdout, list.stderr).contains(KEY));
    let list = list.json();
    let builder =
        list["routes"].as_array().unwrap().iter().find(|route| route["role"] == "builder").unwrap().clone();
    assert_eq!(builder["answers"], "anthropic/claude-sonnet-5-5");
}

#[test]
fn a_ping_tells_the_exact_cost_and_an_unknown_one_as_unknown() {
    let env = TestEnv::new();
    let root = parrots(&env, &format!("{PARROT}{PRICE}"));
    let pong =
        orch(&env, &root, &[], &["providers", "ping", "parrot/bird", "--format", "json"]).exits(0).json();
    // 1000 tokens at $0.10 and 3 at $0.333333333 per million: $0.000100999999999, rounded up to billionths.
    assert_eq!((&pong["cost_usd"], &pong["answered"]), (&"0.000101".into(), &"parrot-1".into()));
    assert_eq!((&pong["usage"]["output"], &pong["price"]), (&3.into(), &"bird@2026-11-01".into()));
    let entries: Vec<_> =
        pong["ledger"].as_array().unwrap().iter().map(|line| line["entry"]["entry"].clone()).collect();
    assert_eq!(entries, ["open", "reserve", "settle"]);
    let dear = ["providers", "ping", "parrot/bird", "--max-cost", "0.000000001"];
    orch(&env, &root, &[], &dear).exits(5);
    std::fs::write(root.join(".orch/models.toml"), PARROT).unwrap();
    let said = orch(&env, &root, &[], &["providers", "ping", "parrot"]).exits(0);
    said.says("cost     unknown").says("parrot/bird answered");
}

#[test]
fn a_retired_model_is_refused_by_its_date() {
    let env = TestEnv::new();
    let said =
        orch(&env, &env.path("home"), &[], &["providers", "ping", "anthropic/claude-3-7-sonnet-20250219"]);
    said.exits(2).says("was retired on 2026-02-19").says("anthropic/claude-sonnet-5-5");
}

#[test]
fn a_file_that_cannot_be_taken_is_refused_with_its_place_and_no_secret_is_shown() {
    let env = TestEnv::new();
    let root = parrots(&env, "[routes]\nbuilder = [\"openai/gpt-6.1-soll\"]\n");
    let said = orch(&env, &root, &[], &["providers"]).exits(2);
    said.says(".orch/models.toml:2:12:").says("Did you mean `gpt-6.1-sol`?");
    let secret = "sk-ant-api03-Zx81kQp02LmN84vRt67";
    std::fs::write(root.join(".orch/models.toml"), format!("[[provider]]\ncredential = \"{secret}\"\n"))
        .unwrap();
    for format in ["human", "json"] {
        let said = orch(&env, &root, &[], &["providers", "--format", format]).exits(2);
        assert!(!format!("{}{}", said.stdout, said.stderr).contains(&secret[8..]), "{}", said.stderr);
    }
    let elsewhere = [("ORCH_OPNAI_BASE_URL", "https://a.example")];
    orch(&env, &env.path("home"), &elsewhere, &["providers"])
        .exits(2)
        .says("ORCH_OPNAI_BASE_URL names no provider");
}

#[test]
fn a_ping_goes_to_the_address_of_the_environment_with_the_key_and_shows_it_to_nobody() {
    let env = TestEnv::new();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/v1", server.local_addr().unwrap());
    let asked = thread::spawn(move || {
        let (mut stream, _) = server.accept().unwrap();
        let (mut request, mut part) = (Vec::new(), [0; 4096]);
        // The body ends with the last brace of the JSON object.
        while !request.ends_with(b"}") {
            let read = stream.read(&mut part).unwrap();
            request.extend_from_slice(&part[..read]);
        }
        let body = r#"{"id":"r1","object":"response","model":"gpt-6-luna","status":"completed","service_tier":"flex","output":[{"type":"message","role":"assistant","content":[{"type":"output_text","text":"pong"}]}],"usage":{"input_tokens":20,"output_tokens":10,"total_tokens":30}}"#;
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
        String::from_utf8_lossy(&request).into_owned()
    });
    let variables = [("OPENAI_API_KEY", KEY), ("ORCH_OPENAI_BASE_URL", address.as_str())];
    let words = ["providers", "ping", "openai/gpt-6.1-sol", "--format", "json"];
    let said = orch(&env, &env.path("home"), &variables, &words).exits(0);
    let request = asked.join().unwrap();
    assert!(
        request.contains(&format!("Bearer {KEY}")) && request.starts_with("POST /v1/responses "),
        "{request}"
    );
    assert!(!format!("{}{}", said.stdout, said.stderr).contains(KEY));
    // Another model answered, at half its price: 20 x $0.10 + 10 x $0.50 per million, halved.
    let pong = said.json();
    assert_eq!((&pong["price"], &pong["cost_usd"]), (&"gpt-6-luna@2026-09-22".into(), &"0.0000035".into()));
}

#[test]
fn the_suite_runs_against_a_program_and_tells_each_case() {
    let env = TestEnv::new();
    let home = env.path("home");
    orch(&env, &home, &[], &["providers", "test", "--exec", "./no-such-program"]).exits(2).says("not found");
    let said = orch(&env, &home, &[], &["providers", "test", "--format", "json", "--exec", "true"]).exits(6);
    let cases = said.json();
    assert!(cases.as_array().unwrap().iter().any(|case| case["outcome"] == "failed"), "{cases}");
}
