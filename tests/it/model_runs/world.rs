//! A repository whose models answer from two scripts, each of a family of its own.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::env::{Said, TestEnv, run_folder};

/// Architect and Builder are of different families; each has the other to fall back on where `fallback` says so.
pub const MODELS: &str = r#"
[[provider]]
name = "alpha"
format = "scripted"
script = ".orch/alpha.json"
family = "alpha"
context = 200000
max_output = 32000

[[provider]]
name = "beta"
format = "scripted"
script = ".orch/beta.json"
family = "beta"
context = 200000
max_output = 32000

[[price]]
model = "*"
provider = ["alpha", "beta"]
effective_from = 2025-12-01
source = "our contract"
in = "1.00"
out = "4.00"

[routes]
architect = ["beta/lens"]
builder = ["alpha/pen"]
test-writer = ["alpha/pen"]
"#;

pub const README: &str = "# Shop\n\nSells things.\n";
pub const PRICE: &str = "unit_price() {\n  echo \"$1\"\n}\n";
/// The test of a change to it.
pub const HALF: &str = ". ./price.sh\nif [ \"$(unit_price 4 2)\" = 2 ]; then exit 0; fi\necho 'assertion failed: half of 4 is 2'\nexit 1\n";
pub const REQUEST: &str = "add a README section";

/// What each question begins with, so that an entry is for one step.
pub const PLAN: &str = "Plan the change the request asks for.";
pub const PLAN_JUDGED: &str = "A plan was submitted for the request. Judge";
pub const TESTS: &str = "Write the acceptance tests of the plan.";
pub const BUILD: &str = "Make the edits of the plan";
pub const JUDGED: &str = "A change was submitted for the plan. Judge";
pub const MEND: &str = "Mend it.";

/// A repository with scripts for both providers.
pub fn shop(env: &TestEnv, name: &str, alpha: &[Value], beta: &[Value]) -> PathBuf {
    shop_with(env, name, MODELS, alpha, beta)
}

/// The same with a catalogue of one's choice.
pub fn shop_with(env: &TestEnv, name: &str, models: &str, alpha: &[Value], beta: &[Value]) -> PathBuf {
    let root = env.repository(
        name,
        &[
            ("README.md", README),
            ("price.sh", PRICE),
            ("orch.yml", "commands:\n  test: [\"sh test.sh\"]\n"),
            ("test.sh", TEST_RUNNER),
            (".orch/models.toml", models),
            (".gitignore", ".orch/*.json\n"),
        ],
    );
    says(&root, "alpha", alpha);
    says(&root, "beta", beta);
    root
}

/// Runs each test of `tests/` and tells of it as a well-known runner does.
pub const TEST_RUNNER: &str = r#"bad=0
told=
echo "running 1 test"
for file in tests/*.sh; do
  [ -f "$file" ] || continue
  name=$(basename "$file" .sh)
  if out=$(sh "$file" 2>&1); then
    echo "test $name ... ok"
  else
    bad=1
    echo "test $name ... FAILED"
    told="$told
---- $name stdout ----
$out
"
  fi
done
[ $bad = 0 ] || printf '\nfailures:\n%s\n' "$told"
echo "test result: done"
exit $bad
"#;

/// Writes the script of a provider; it is no part of the base commit.
pub fn says(root: &Path, provider: &str, replies: &[Value]) {
    let script = json!({ "version": 1, "replies": replies });
    fs::write(root.join(format!(".orch/{provider}.json")), script.to_string()).unwrap();
}

/// An entry: what a question that holds `step` is answered, with what it used.
pub fn entry(step: &str, reply: Value) -> Value {
    json!({
        "match": step, "reply": reply,
        "usage": { "input": 2000, "cache_read": 0, "cache_write_short": 0, "cache_write_long": 0, "output": 500, "reasoning": 0 },
    })
}

/// An entry that fails; `times` 0: without end.
pub fn fails(kind: &str, status: u16, times: u64) -> Value {
    json!({ "error": { "kind": kind, "status": status, "message": format!("{kind} for a test") }, "times": times })
}

pub fn answer(answer: &Value) -> Value {
    json!({ "outcome": "answer", "reason": null, "context": null, "answer": answer })
}

pub fn cannot(why: &str) -> Value {
    json!({ "outcome": "cannot-be-done", "reason": why, "context": null, "answer": null })
}

pub fn wants(paths: &[&str], symbols: &[&str]) -> Value {
    json!({ "outcome": "need-context", "reason": null, "answer": null,
            "context": { "paths": paths, "symbols": symbols, "queries": [] } })
}

/// A plan over files, each with its role.
pub fn plans(files: &[(&str, &str)]) -> Value {
    let files: Vec<Value> = files.iter().map(|(path, role)| json!({ "path": path, "role": role })).collect();
    answer(&json!({
        "plan": {
            "summary": "What was asked for.", "type": "docs", "scope": "readme", "subject": "say how refunds work",
            "steps": ["write it"], "files": files,
            "criteria": [{ "id": "c1", "text": "a reader finds what they need" }],
            "risks": [{ "level": "low", "text": "little", "mitigation": "read it" }], "rollback": "git revert",
        },
        "claims": [], "answers": [],
    }))
}

/// No tests, with the reason.
pub fn exempt() -> Value {
    answer(&json!({
        "files": [], "expected": [], "uncovered": [{ "criterion": "c1", "why": "a text" }],
        "exempt": "nothing of a text can be run",
    }))
}

/// A judgement.
pub fn judges(risks: &Value) -> Value {
    answer(&json!({ "summary": "judged", "claims": [], "risks": risks }))
}

/// Replacements in one file.
pub fn replaces(path: &str, pairs: &[(&str, &str)], answers: &Value) -> Value {
    let pairs: Vec<Value> = pairs.iter().map(|(f, r)| json!({ "find": f, "replace": r })).collect();
    let edit =
        json!({ "path": path, "op": "replace", "content": null, "replacements": pairs, "executable": null });
    answer(&json!({ "summary": "as planned", "edits": [edit], "claims": [], "answers": answers }))
}

pub fn section() -> Value {
    replaces(
        "README.md",
        &[("Sells things.\n", "Sells things.\n\n## Refunds\n\nWithin 30 days.\n")],
        &json!([]),
    )
}

/// What both say when a README section is asked for and all goes well.
pub fn readme() -> (Vec<Value>, Vec<Value>) {
    let alpha = vec![entry(PLAN_JUDGED, judges(&json!([]))), entry(TESTS, exempt()), entry(BUILD, section())];
    let beta = vec![entry(PLAN, plans(&[("README.md", "change")])), entry(JUDGED, judges(&json!([])))];
    (alpha, beta)
}

/// Runs a request with models.
pub fn run(env: &TestEnv, root: &Path, request: &str, more: &[&str]) -> Said {
    let words = [&["run", request, "--engine", "model"], more].concat();
    env.orch(root, &words)
}

/// Returns a file of the one run.
#[track_caller]
pub fn file(root: &Path, path: &str) -> Value {
    serde_json::from_slice(&fs::read(run_folder(root).join(path)).unwrap()).unwrap()
}

/// Returns the lines of a file of the one run.
#[track_caller]
pub fn lines(root: &Path, path: &str) -> Vec<Value> {
    let text = fs::read_to_string(run_folder(root).join(path)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Every line of every file of one kind, earlier attempts included, by path.
pub fn all_lines(root: &Path, folder: &str) -> BTreeMap<String, Vec<Value>> {
    let files = crate::env::files_below(&run_folder(root)).into_iter();
    let wanted = |path: &str| path.split('/').any(|part| part == folder);
    files
        .filter(|(path, _)| wanted(path))
        .map(|(path, bytes)| {
            let text = String::from_utf8(bytes).unwrap();
            (path, text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
        })
        .collect()
}

/// Everything that is spent by the ledgers of the one run, in billionths of a dollar: settled, kept, or never given back.
pub fn spent(root: &Path) -> i64 {
    let mut total = 0;
    for lines in all_lines(root, "ledger").values() {
        let mut open = BTreeMap::new();
        for line in lines {
            let entry = &line["entry"];
            let id = entry["id"].as_u64().unwrap_or_default();
            match entry["entry"].as_str().unwrap() {
                "reserve" => drop(open.insert(id, entry["worst_nano_usd"].as_i64().unwrap())),
                "settle" => {
                    open.remove(&id).unwrap();
                    total += entry["cost_nano_usd"].as_i64().unwrap();
                }
                "release" => drop(open.remove(&id).unwrap()),
                _ => {}
            }
        }
        total += open.values().sum::<i64>();
    }
    total
}

/// How many calls were sent, by the step, earlier attempts included.
pub fn calls(root: &Path) -> BTreeMap<String, usize> {
    let mut calls = BTreeMap::new();
    for lines in all_lines(root, "ledger").values() {
        for line in lines.iter().filter(|line| line["entry"]["entry"] == "reserve") {
            *calls.entry(line["entry"]["step"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    calls
}
