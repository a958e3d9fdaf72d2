//! A repository whose models are reached over the wire, what they answer, and what a run left behind.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use orch::ports::model::WireFormat;
use serde_json::{Value, json};

use crate::env::{Said, TestEnv, files_below, run_folder};
use crate::providers::server::{Act, Seen, Server, reply};
use crate::providers::wires;

/// 2026-11-27, when the built-in prices hold.
pub const TODAY: &str = "1795737600";
pub const REQUEST: &str = "add a README section about refunds";
pub const ANTHROPIC_KEY: &str = "sk-ant-api03-Wr9Kq2Lm7Np4Rt6Vw8Yb1Cd3Ef5Gh0JkZx9Kq2Lm7Np4Rt6";
pub const OPENAI_KEY: &str = "0p3n/k3y+with=\"odd\"&signs?7";
const JSON: (&str, &str) = ("content-type", "application/json");

/// What is asked, by words only its prompt has, and what a model answers.
pub fn answers() -> Vec<(&'static str, Value)> {
    let answer =
        |answer: Value| json!({ "outcome": "answer", "reason": null, "context": null, "answer": answer });
    let plan = json!({
        "summary": "A section about refunds.", "type": "docs", "scope": "readme", "subject": "tell how refunds work",
        "steps": ["Add the section."], "files": [{ "path": "README.md", "role": "change" }],
        "criteria": [{ "id": "c1", "text": "The README says within how many days money is given back." }],
        "risks": [], "rollback": "Revert the commit.",
    });
    let judged = answer(json!({ "summary": "It is right.", "claims": [], "risks": [] }));
    let edit = json!({ "path": "README.md", "op": "replace", "content": null, "executable": null,
        "replacements": [{ "find": "Sells things.\n", "replace": "Sells things.\n\n## Refunds\n\nWithin 30 days.\n" }] });
    vec![
        (
            "Plan the change the request asks for.",
            answer(json!({ "plan": plan, "claims": [], "answers": [] })),
        ),
        ("A plan was submitted for the request. Judge", judged.clone()),
        (
            "Write the acceptance tests of the plan.",
            answer(json!({ "files": [], "expected": [], "exempt": "A text; nothing can be run.",
                "uncovered": [{ "criterion": "c1", "why": "A reader decides it." }] })),
        ),
        (
            "Make the edits of the plan",
            answer(json!({ "summary": "As planned.", "edits": [edit], "claims": [], "answers": [] })),
        ),
        ("A change was submitted for the plan. Judge", judged),
    ]
}

/// Returns the step of a request and its answer.
pub fn answer_to(seen: &Seen) -> Option<(&'static str, Value)> {
    let body = String::from_utf8_lossy(&seen.body);
    answers().into_iter().find(|(words, _)| body.contains(words))
}

/// Returns a whole reply with the answer to a request; it tells as many tokens as the request is long.
pub fn answered(format: WireFormat, seen: &Seen) -> Vec<u8> {
    let Some((_, answer)) = answer_to(seen) else {
        return reply(400, &[JSON], wires::error(format, 400, false).to_string().as_bytes());
    };
    let mut body = wires::answer(format, &answer.to_string());
    let usage = &mut body["usage"];
    usage["input_tokens"] = (seen.body.len() / 4).into();
    if format == WireFormat::OpenaiResponses {
        usage["total_tokens"] = (seen.body.len() / 4 + 9).into();
    }
    reply(200, &[JSON, ("request-id", "req_1")], body.to_string().as_bytes())
}

/// Returns a reply of a provider that has too much to do.
pub fn overloaded(format: WireFormat) -> Vec<u8> {
    let body = wires::error(format, 529, false).to_string();
    reply(529, &[JSON, ("retry-after", "0")], body.as_bytes())
}

/// Starts a provider; `down` tells which requests it turns away.
pub fn provider(format: WireFormat, down: impl Fn(&Seen) -> bool + Send + Sync + 'static) -> Server {
    Server::start(Act::Answer(Arc::new(
        move |seen| {
            if down(seen) { overloaded(format) } else { answered(format, seen) }
        },
    )))
}

/// Returns the models of a repository: the Architect's and the Builder's are of two vendors, each the other's fallback.
pub fn models(anthropic: &str, openai: &str) -> String {
    models_named(anthropic, openai, ("claude-sonnet-5-5", "gpt-6.1-sol"), "")
}

/// The same with other models, and headers both providers are sent.
pub fn models_named(anthropic: &str, openai: &str, (claude, gpt): (&str, &str), headers: &str) -> String {
    let (claude, gpt) = (format!("anthropic/{claude}"), format!("openai/{gpt}"));
    format!(
        "[[provider]]\nname = \"anthropic\"\nformat = \"anthropic-messages\"\nbase_url = \"{anthropic}\"\n\
         credential = {{ env = \"ANTHROPIC_API_KEY\" }}\n{headers}\n\
         [[provider]]\nname = \"openai\"\nformat = \"openai-responses\"\nbase_url = \"{openai}/v1\"\n\
         credential = {{ env = \"OPENAI_API_KEY\" }}\n{headers}\n\
         [routes]\narchitect = [\"{gpt}\", \"{claude}\"]\nbuilder = [\"{claude}\", \"{gpt}\"]\n\
         test-writer = [\"{gpt}\", \"{claude}\"]\n"
    )
}

/// Makes a repository with these models.
pub fn shop(env: &TestEnv, name: &str, models: &str) -> PathBuf {
    let files = [
        ("README.md", "# Shop\n\nSells things.\n"),
        ("orch.yml", "version: 1\nservice: shop\ncommands:\n  test: \"true\"\n"),
        (".orch/models.toml", models),
    ];
    env.repository(name, &files)
}

/// Runs the program with both keys in its environment.
pub fn orch(env: &TestEnv, root: &Path, words: &[&str]) -> Said {
    with_keys(env, root, &[("ANTHROPIC_API_KEY", ANTHROPIC_KEY), ("OPENAI_API_KEY", OPENAI_KEY)], words)
}

/// Runs the program with these keys in its environment.
pub fn with_keys(env: &TestEnv, root: &Path, keys: &[(&str, &str)], words: &[&str]) -> Said {
    let mut command = env.orch_command(root, words);
    command.env("SOURCE_DATE_EPOCH", TODAY).envs(keys.iter().copied());
    let output = command.output().unwrap();
    Said {
        exit: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Returns what a run spent, in billionths of a dollar, as `orch cost` tells it.
pub fn spent(env: &TestEnv, root: &Path) -> u64 {
    let run = run_folder(root).display().to_string();
    let cost = env.orch(root, &["cost", &run, "--format", "json"]).exits(0).json();
    assert_eq!(cost["total"]["unknown_cost_calls"], 0, "{cost}");
    cost["total"]["nano_usd"].as_u64().unwrap()
}

/// Returns the lines of a stage's files of a kind, by the path of the file.
pub fn lines(root: &Path, kind: &str) -> Vec<(String, Value)> {
    let mut lines = Vec::new();
    for (path, bytes) in files_below(&run_folder(root)) {
        if path.starts_with(&format!("{kind}/")) || path.contains(&format!("/{kind}/")) {
            for line in String::from_utf8(bytes).unwrap().lines() {
                lines.push((path.clone(), serde_json::from_str(line).unwrap()));
            }
        }
    }
    lines
}

/// Checks every line of every ledger of a run: charges and reservations never pass the limit then in force. Returns how
/// many lines there were: none, where nothing was reserved.
#[track_caller]
pub fn never_over(root: &Path) -> usize {
    let mut checked = 0;
    let mut files: Vec<(String, Vec<Value>)> = Vec::new();
    for (path, line) in lines(root, "ledger") {
        match files.last_mut() {
            Some((last, all)) if *last == path => all.push(line),
            _ => files.push((path, vec![line])),
        }
    }
    for (path, all) in files {
        let (mut limit, mut earlier, mut spent) = (0, 0, 0);
        let mut open = std::collections::BTreeMap::new();
        for line in all {
            let entry = &line["entry"];
            let id = entry["id"].as_u64().unwrap_or_default();
            match entry["entry"].as_str().unwrap() {
                "open" => {
                    limit = entry["limits"]["run"]["max_nano_usd"].as_u64().unwrap();
                    earlier = entry["earlier"]["nano_usd"].as_u64().unwrap();
                }
                "reserve" => drop(open.insert(id, entry["worst_nano_usd"].as_u64().unwrap())),
                "settle" => {
                    open.remove(&id).unwrap();
                    spent += entry["cost_nano_usd"].as_u64().unwrap();
                }
                "keep" => spent += open.remove(&id).unwrap(),
                "release" => drop(open.remove(&id).unwrap()),
                _ => {}
            }
            let all = earlier + spent + open.values().sum::<u64>();
            assert!(all <= limit, "{path}: {all} of {limit} at {line}");
            checked += 1;
        }
    }
    checked
}

/// Returns the steps and attempts of a run's exchanges with a provider, as `step: outcome outcome`.
pub fn attempts(root: &Path, provider: &str) -> Vec<String> {
    let of = lines(root, "cassette").into_iter().filter(|(_, line)| line["provider"] == provider);
    of.map(|(_, line)| {
        let outcomes = line["attempts"].as_array().unwrap().iter();
        let outcomes: Vec<&str> = outcomes.map(|attempt| attempt["outcome"].as_str().unwrap()).collect();
        format!("{}: {}", line["step"].as_str().unwrap(), outcomes.join(" "))
    })
    .collect()
}

/// Returns what a run's stages found out about a provider.
pub fn door(root: &Path, stage: &str, provider: &str) -> Value {
    let path = run_folder(root).join("breaker").join(format!("{stage}.json"));
    let file: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    file[provider].clone()
}
