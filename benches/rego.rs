//! What judging by a Rego pack costs as a process, beside a plain call of regorus's interpreter.
//!
//! `cargo bench --bench rego -- PACK.rego QUERY` makes an input of 1,000 changed files with five hunks each and the data
//! the pack reads, then runs a plain caller (this program itself: parse, set input, evaluate, print) and `orch policy eval`
//! in turn, compares what they answer, and prints medians and the median of the ratios pair by pair. It asserts nothing
//! about time. `-- --write FOLDER` only writes `input.json` and `data.json`.
#![expect(clippy::disallowed_methods, reason = "a bench starts programs itself, and reads its own variables")]
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints, and stops at the first fault")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

const ORCH: &str = env!("CARGO_BIN_EXE_orch");
const ROUNDS: usize = 21;

/// The word that makes this program the plain caller.
const PLAIN: &str = "--plain";

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [PLAIN, pack, data, input, query] => plain(pack, data, input, query),
        ["--write", folder] => write(Path::new(folder)),
        [pack, query] => bench(pack, query),
        _ => println!("SKIPPED: name a pack and a query: cargo bench --bench rego -- PACK.rego data.x.y"),
    }
}

fn plain(pack: &str, data: &str, input: &str, query: &str) {
    let mut engine = regorus::Engine::new();
    engine.add_policy_from_file(pack).unwrap();
    engine.add_data(regorus::Value::from_json_file(data).unwrap()).unwrap();
    engine.set_input(regorus::Value::from_json_file(input).unwrap());
    println!("{}", engine.eval_rule(query.to_owned()).unwrap().to_json_str().unwrap());
}

fn write(folder: &Path) {
    let (input, data) = (input(1000, 5), data());
    fs::write(folder.join("input.json"), serde_json::to_string(&input).unwrap()).unwrap();
    fs::write(folder.join("data.json"), serde_json::to_string(&data).unwrap()).unwrap();
}

fn bench(pack: &str, query: &str) {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (input, data) = (path("input.json"), path("data.json"));
    let this = std::env::current_exe().unwrap();
    let plain = || {
        let mut command = Command::new(&this);
        command.args([PLAIN, pack, &data, &input, query]);
        command
    };
    let own = || {
        let mut command = Command::new(ORCH);
        command.args(["policy", "eval", query, "--policy", pack, "--data", &data, "--input", &input]);
        command
    };
    let answer = |mut command: Command| -> Value {
        serde_json::from_slice(&command.output().unwrap().stdout).unwrap()
    };
    let same = sorted(answer(plain())) == sorted(answer(own()));
    println!("{} bytes of input; the same answers: {same}", fs::metadata(&input).unwrap().len());
    let (mut theirs, mut ours, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (a, b) = (time(plain()), time(own()));
        ratios.push(a.as_secs_f64() / b.as_secs_f64());
        theirs.push(a);
        ours.push(b);
    }
    ratios.sort_by(f64::total_cmp);
    theirs.sort();
    ours.sort();
    println!(
        "regorus {:.1?}, orch {:.1?}, {:.2} times as fast (medians of {ROUNDS}, {} cores)",
        theirs[ROUNDS / 2],
        ours[ROUNDS / 2],
        ratios[ROUNDS / 2],
        std::thread::available_parallelism().unwrap()
    );
}

fn time(mut command: Command) -> Duration {
    let start = Instant::now();
    assert!(command.stdout(Stdio::null()).status().unwrap().success());
    start.elapsed()
}

/// Sets are arrays in JSON: regorus writes them in its own order.
fn sorted(value: Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.into_iter().map(sorted).collect();
            items.sort_by_key(Value::to_string);
            Value::Array(items)
        }
        Value::Object(map) => {
            let mut pairs: Vec<(String, Value)> = map.into_iter().map(|(k, v)| (k, sorted(v))).collect();
            pairs.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(pairs.into_iter().collect())
        }
        one => one,
    }
}

fn input(files: usize, hunks: usize) -> Value {
    let folders = [
        "src/api",
        "src/core",
        "web/app",
        "docs",
        "tests/unit",
        "db/migrations",
        ".github/workflows",
        "scripts",
    ];
    let ends = ["rs", "ts", "py", "md", "go", "up.sql", "yml", "sh"];
    let texts = [
        "let total = compute(items);",
        "uses: actions/checkout@v4",
        "console.log(value)",
        "return render(page, context)",
        "permissions: write-all",
        "print(result)",
        "SELECT id FROM users",
        "# a remark about nothing",
    ];
    let file = |n: usize| {
        let at = n % folders.len();
        let path = format!(
            "{}/part_{n}{}.{}",
            folders[at],
            if n.is_multiple_of(11) { "_test" } else { "" },
            ends[at]
        );
        let hunks: Vec<Value> = (0..hunks)
            .map(|h| json!({ "line": h * 17 + 1, "text": texts[(n * 7 + h * 3) % texts.len()] }))
            .collect();
        json!({
            "path": path, "status": (["modified", "added", "deleted"][n % 3]), "additions": n % 40, "deletions": n % 13,
            "binary": n.is_multiple_of(97), "size": n * 31, "mode": if n.is_multiple_of(53) { "100755" } else { "100644" },
            "old_mode": "100644", "target": "", "hunks": hunks,
        })
    };
    let secrets: Vec<Value> = (0..20)
        .map(|n| json!({ "rule": "token", "path": format!("src/api/part_{n}.rs"), "line": n, "severity": (["low", "high"][n % 2]), "fingerprint": format!("f{n}") }))
        .collect();
    let pii: Vec<Value> = (0..20)
        .map(|n| json!({ "kind": "email", "path": format!("docs/part_{n}.md"), "line": n, "score": n * 5 }))
        .collect();
    let added: Vec<Value> = (0..30)
        .map(|n| json!({ "name": format!("lib{n}"), "version": "1.0.0", "license": (["MIT", "GPL-3.0-only", "NOASSERTION"][n % 3]) }))
        .collect();
    json!({
        "change": { "files": (0..files).map(file).collect::<Vec<_>>(), "labels": ["size/l"] },
        "plan": { "allow": ["src/**", "web/**", "tests/**", "docs/**/*.md"] },
        "findings": { "secrets": secrets, "pii": pii },
        "dependencies": { "added": added },
        "run": { "usd": 12 },
        "approvals": [{ "team": "core" }],
        "debate": { "claims": [{ "id": "c1", "text": "it works", "evidence": [] }, { "id": "c2", "text": "it is tested", "evidence": ["e1"] }] },
    })
}

fn data() -> Value {
    json!({ "policy": {
        "protected": [".github/**", "db/**", "**/secrets/**", "scripts/deploy*"],
        "source_ext": [".rs", ".ts", ".py", ".go"],
        "baseline": ["f1", "f2"], "pii_threshold": 50, "denied_licenses": ["GPL-3.0-only", "AGPL-3.0-only"],
        "max_files": 500, "max_lines": 5000, "max_binary": 1000, "max_usd": 10,
        "owners": [{ "glob": "src/**", "team": "core" }, { "glob": "web/**", "team": "web" }, { "glob": "db/**", "team": "data" }],
    } })
}
