//! `orch context --embeddings`: a model of embeddings as one more signal, and all that may go wrong with it.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::env::{Said, TestEnv};
use crate::providers::server::{Act, Seen, Server, reply};

const REQUEST: &str = "remove expired entries from the cache";
/// No word of the request tells the first two apart.
const FILES: &[(&str, &str)] = &[
    ("src/pages.py", "\"\"\"The cache of pages.\"\"\"\n\ndef load(cache):\n    return cache.pages()\n"),
    (
        "src/users.py",
        "\"\"\"The cache of users.\"\"\"\n\ndef purge(cache):\n    cache.clear()\n    return None  # done here\n",
    ),
    ("src/mail.py", "\"\"\"Sends mail.\"\"\"\n\ndef send(cache):\n    pass\n"),
];
const PRICE: &str = "[[price]]\nmodel = \"*\"\nprovider = \"near\"\neffective_from = 2026-01-01\nsource = \"a test\"\nin = \"20.00\"\n\
                     out = \"0\"\n";

/// What stands for texts in a server of a test: those that tell of forgetting are near the request.
fn direction(text: &str) -> [f32; 2] {
    if text == REQUEST || text.contains("purge") { [1.0, 0.1] } else { [0.0, 1.0] }
}

/// Makes the vector of a text at a place of a request.
type Vectors = dyn Fn(usize, &str) -> [f32; 2] + Send + Sync;

fn asked(seen: &Seen) -> Vec<String> {
    let body: Value = serde_json::from_slice(&seen.body).unwrap();
    body["input"].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn server(answer: impl Fn(&Seen) -> (u16, Value) + Send + Sync + 'static) -> Server {
    Server::start(Act::Answer(Arc::new(move |seen| {
        let (status, body) = answer(seen);
        reply(status, &[("content-type", "application/json")], body.to_string().as_bytes())
    })))
}

/// A server that gives the vectors in another order than the texts.
fn good() -> Server {
    server(|seen| {
        let texts = asked(seen);
        let item = |(at, text): (usize, &String)| json!({ "index": at, "embedding": direction(text) });
        let data: Vec<Value> = texts.iter().enumerate().map(item).rev().collect();
        (200, json!({ "data": data, "model": "m", "usage": { "prompt_tokens": 100, "total_tokens": 100 } }))
    })
}

fn repository(env: &TestEnv, name: &str, address: &str, more: &str) -> PathBuf {
    let models = format!(
        "[[provider]]\nname = \"near\"\nformat = \"openai-chat\"\nbase_url = \"{address}\"\n{more}\n{PRICE}"
    );
    let mut files = FILES.to_vec();
    files.push((".orch/models.toml", &models));
    env.repository(name, &files)
}

fn ask(env: &TestEnv, root: &Path, more: &[&str]) -> Said {
    env.orch(root, &[&["context", "--json", "--embeddings", "near/m"], more, &[REQUEST]].concat())
}

fn paths(said: &Said) -> Vec<String> {
    let found = said.json();
    found["files"].as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_words_mean_moves_a_file_up_and_is_paid_once() {
    let (env, server) = (TestEnv::new(), good());
    let root = repository(&env, "r", &server.url("/v1"), "");
    let plain = env.orch(&root, &["context", "--json", REQUEST]).exits(0);
    assert_eq!(paths(&plain)[0], "src/pages.py");
    assert!(
        server.seen().is_empty() && plain.json().get("embeddings").is_none(),
        "nothing leaves unless asked"
    );

    let near = ask(&env, &root, &[]).exits(0);
    assert_eq!(paths(&near)[0], "src/users.py");
    assert_eq!(paths(&near).len(), paths(&plain).len(), "no file comes or goes");
    let told = near.json()["embeddings"].clone();
    // 100 tokens at 20 dollars a million.
    assert_eq!(told, json!({ "model": "near/m", "sent": 4, "known": 0, "cost_usd": "0.002" }));
    let parts = near.json()["files"][0]["parts"].clone();
    assert!(parts.as_array().unwrap().iter().any(|part| part["signal"] == "meaning"), "{parts}");
    let seen = server.seen();
    assert_eq!(seen.len(), 1);
    assert!(seen[0].head.starts_with("POST /v1/embeddings "), "{}", seen[0].head);
    let mut texts = asked(&seen[0]);
    texts.sort();
    let users = "src users.py. The cache of users. def purge(cache): cache.clear() return None  # done here. def purge(cache)";
    assert_eq!((texts[0].as_str(), texts[3].as_str()), (REQUEST, users));

    let again = ask(&env, &root, &[]).exits(0);
    assert_eq!(again.json()["embeddings"], json!({ "model": "near/m", "sent": 0, "known": 4 }));
    assert_eq!(paths(&again), paths(&near));
    assert_eq!(server.seen().len(), 1, "what is known is not asked again");
    env.orch(&root, &["context", "--explain", "--embeddings", "near/m", REQUEST])
        .exits(0)
        .says("meaning 0.66");

    // What is new in the working tree is the only thing that is sent.
    fs::write(root.join("src/mail.py"), "def purge_mail(cache):\n    pass\n").unwrap();
    let changed = ask(&env, &root, &["--worktree"]).exits(0);
    assert_eq!(changed.json()["embeddings"]["sent"], 1);
    ask(&env, &root, &["--no-cache"]).exits(0);
    assert_eq!(server.seen().len(), 3, "without a cache all is asked again");
    assert_eq!(env.git(&root, &["status", "--porcelain", "--", "src/users.py", ".orch"]), "");
}

#[test]
fn a_model_that_cannot_be_asked_takes_nothing_away() {
    let env = TestEnv::new();
    for (at, (status, body, why)) in [
        (503, json!({}), "overloaded"),
        (429, json!({ "error": { "code": "rate_limit_exceeded", "message": "later" } }), "rate limit"),
        (200, json!({ "data": [] }), "vectors came for"),
        (200, json!({ "hello": 1 }), "cannot be read"),
    ]
    .into_iter()
    .enumerate()
    {
        let server = server(move |_| (status, body.clone()));
        let root = repository(&env, &format!("r{at}"), &server.url("/v1"), "");
        let plain = env.orch(&root, &["context", "--json", REQUEST]).exits(0);
        let said = ask(&env, &root, &[]).exits(0).says("in the order they have without near/m");
        assert_eq!(said.json()["files"], plain.json()["files"]);
        let failed = said.json()["embeddings"]["failed"].as_str().unwrap().to_owned();
        assert!(failed.contains(why), "{failed}");
        assert_eq!(server.seen().len(), 1, "nothing is tried again");
    }
    let gone = good();
    let root = repository(&env, "gone", &gone.url("/v1"), "");
    drop(gone);
    assert_eq!(paths(&ask(&env, &root, &[]).exits(0).says("cannot be reached"))[0], "src/pages.py");
}

#[test]
fn what_a_person_has_to_mend_ends_the_command() {
    let env = TestEnv::new();
    let server = server(|_| (401, json!({ "error": { "code": "invalid_api_key", "message": "no" } })));
    let root = repository(&env, "r", &server.url("/v1"), "");
    ask(&env, &root, &[]).exits(2).says("the credential is not accepted");
    let model = |name: &str| env.orch(&root, &["context", "--embeddings", name, REQUEST]);
    model("near").exits(2).says("names no model").says("PROVIDER/MODEL");
    model("nobody/m").exits(2).says("nobody");
    // Of other wires nothing is sent, whatever they cost.
    let free = PRICE.replace("near", "other").replace("20.00", "0");
    let other = format!(
        "[[provider]]\nname = \"other\"\nformat = \"anthropic-messages\"\nbase_url = \"https://127.0.0.1:1\"\n{free}"
    );
    let root = env.repository("other", &[("a.py", "cache = 1\n"), (".orch/models.toml", &other)]);
    env.orch(&root, &["context", "--embeddings", "other/m", "cache"])
        .exits(2)
        .says("which has no embeddings");
    env.orch(&root, &["context", "--embeddings", "other/m", "--pack", "500", "cache"]).exits(2);
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn nothing_is_sent_that_could_cost_more_than_allowed_or_nobody_knows_what() {
    let (env, server) = (TestEnv::new(), good());
    let root = repository(&env, "r", &server.url("/v1"), "");
    ask(&env, &root, &["--max-cost", "0.0001"]).exits(5).says("Raise the limit by at least $");
    ask(&env, &root, &["--max-cost", "much"]).exits(2).says("--max-cost");
    let models = fs::read_to_string(root.join(".orch/models.toml")).unwrap().replace(PRICE, "");
    fs::write(root.join(".orch/models.toml"), models).unwrap();
    // An endpoint on this machine has no price unless it is said; a row with zeros says it.
    ask(&env, &root, &[]).exits(2).says("what near/m costs is not known").says("[[price]]");
    assert!(server.seen().is_empty());
    fs::write(root.join("orch.yml"), "version: 1\nservice: r\nbudget:\n  allow_unknown_cost: true\n")
        .unwrap();
    let said = ask(&env, &root, &[]).exits(0).says("of unknown cost");
    assert!(said.json()["embeddings"].get("cost_usd").is_none());
}

#[test]
fn secrets_are_not_sent_and_spoiled_vectors_are_asked_again() {
    let (env, server) = (TestEnv::new(), good());
    let key = ["AKIA", "Q3EGV7T2MWZ5LKRB"].concat();
    let root = repository(&env, "r", &server.url("/v1"), "credential = { env = \"NEAR_API_KEY\" }");
    fs::write(root.join("src/mail.py"), format!("# cache key {key}, near-key-0123456789abcdef\n")).unwrap();
    env.git(&root, &["commit", "-qam", "a key"]);
    let ask = |key: &str| {
        let mut command = env.orch_command(&root, &["context", "--json", "--embeddings", "near/m", REQUEST]);
        command.env("NEAR_API_KEY", key);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    ask("near-key-0123456789abcdef");
    let seen = server.seen();
    let body = String::from_utf8_lossy(&seen[0].body).into_owned();
    assert!(body.contains("[redacted:") && !body.contains(&key) && !body.contains("near-key-"), "{body}");
    assert!(seen[0].head.contains("Bearer near-key-0123456789abcdef"));

    let folder = root.join(".git/orch");
    let kept = |entry: fs::DirEntry| {
        let path = entry.path();
        path.file_name().unwrap().to_string_lossy().starts_with("vectors-").then_some(path)
    };
    let path = fs::read_dir(&folder).unwrap().flatten().find_map(kept).unwrap();
    let whole = fs::read(&path).unwrap();
    assert!(!String::from_utf8_lossy(&whole).contains("purge"), "no text is kept");
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let again = ask("near-key-0123456789abcdef");
    let told = &again["embeddings"];
    assert!(told["sent"].as_u64() > Some(0) && told["sent"].as_u64() < Some(4), "{told}");
    assert_eq!(fs::read(&path).unwrap().len() % 4, 0);
}

#[test]
fn the_suite_tells_a_good_provider_from_one_that_mixes_things_up() {
    let env = TestEnv::new();
    let meaning = |text: &str| if text.contains("reset") { [1.0, 0.2] } else { [0.1, 1.0] };
    let fair = move |_: usize, text: &str| meaning(text);
    let mixed = |at: usize, _: &str| if at == 0 { [1.0, 0.0] } else { [0.0, 1.0] };
    let with = |vector: Arc<Vectors>| {
        server(move |seen| {
            let item = |(at, text): (usize, &String)| json!({ "index": at, "embedding": vector(at, text) });
            let data: Vec<Value> = asked(seen).iter().enumerate().map(item).collect();
            (200, json!({ "data": data, "usage": { "prompt_tokens": 3 } }))
        })
    };
    let test = |name: &str, server: &Server| {
        let root = repository(&env, name, &server.url("/v1"), "");
        env.orch(&root, &["providers", "test", "near", "--embeddings", "--model", "m"])
    };
    test("fair", &with(Arc::new(fair))).exits(0).says("0 of 6 cases failed");
    test("mixed", &with(Arc::new(mixed))).exits(6).says("depends on the texts beside it");

    // The sample program asks the same server, and a program is a provider like any other.
    let server = good();
    let root = repository(&env, "program", &server.url("/v1"), "");
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/samples/exec-provider/provider.py");
    let url = server.url("/v1");
    let mut command = env.orch_command(
        &root,
        &[
            "providers",
            "test",
            "--embeddings",
            "--model",
            "m",
            "--env",
            "ORCH_SAMPLE_URL",
            "--exec",
            "python3",
            sample,
        ],
    );
    let output = command.env("ORCH_SAMPLE_URL", url).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("passed   order") && said.contains("passed   many"), "{said}");
}

#[test]
#[ignore = "needs a model: tests/stand-ins/run minilm"]
fn a_real_model_on_this_machine_ranks_by_what_words_mean() {
    let Ok(python) = std::env::var("ORCH_STAND_IN_MINILM") else {
        println!("SKIPPED: ORCH_STAND_IN_MINILM is not set");
        return;
    };
    let env = TestEnv::new();
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/stand-ins/minilm/embed.py");
    let models = format!(
        "[[provider]]\nname = \"near\"\nformat = \"exec\"\ncommand = [\"{python}\", \"{program}\"]\n\n{}",
        PRICE.replace("20.00", "0")
    );
    let mut files = FILES.to_vec();
    files.push((".orch/models.toml", &models));
    let root = env.repository("r", &files);
    env.orch(&root, &["providers", "test", "near", "--embeddings", "--model", "m"]).exits(0);
    let plain = env.orch(&root, &["context", "--json", REQUEST]).exits(0);
    assert_eq!(paths(&plain)[0], "src/pages.py");
    let near = env.orch(&root, &["context", "--json", "--embeddings", "near/m", REQUEST]).exits(0);
    assert_eq!(paths(&near)[0], "src/users.py");
    assert_eq!(near.json()["embeddings"]["cost_usd"], "0.00");
}
