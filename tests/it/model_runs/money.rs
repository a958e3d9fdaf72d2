//! Limits, the record of what was paid, and runs that go on: nothing is paid twice, nothing goes over.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::world::*;
use crate::env::{TestEnv, files_below, run_folder};

/// An entry whose reply used many tokens.
fn dear(step: &str, reply: Value, output: u64) -> Value {
    let mut entry = entry(step, reply);
    entry["usage"]["output"] = output.into();
    entry
}

#[test]
fn a_ceiling_below_need_stops_before_the_call_and_a_higher_one_goes_on() {
    let env = TestEnv::new();
    let (mut alpha, beta) = readme();
    alpha[1] = dear(TESTS, exempt(), 11_000);
    let root = shop(&env, "shop", &alpha, &beta);
    let said = run(&env, &root, REQUEST, &["--max-cost-usd", "0.12"]).exits(5);
    let ceiling = 120_000_000;
    assert!(spent(&root) <= ceiling, "{}", spent(&root));
    for told in
        ["`generate.implement` of `builder` was not asked", "of its $0.120000", "--max-cost-usd", "to $0.12"]
    {
        assert!(said.stderr.contains(told), "{told}: {}", said.stderr);
    }
    env.orch(&root, &["artifacts", "verify"]).exits(0).says("is intact");
    env.orch(&root, &["replay"]).exits(0);
    let before = (calls(&root), spent(&root));
    assert_eq!(before.0.values().sum::<usize>(), 3);

    // Only the rest is left in the scripts: whoever was answered before is not asked again.
    says(&root, "alpha", &alpha[2..]);
    says(&root, "beta", &beta[1..]);
    let said = run(&env, &root, REQUEST, &["--max-cost-usd", "0.5"]).exits(0);
    for stage in ["intake", "plan", "test-write", "verify-red"] {
        assert!(said.stderr.contains(&format!("{stage}: reused")), "{stage}: {}", said.stderr);
    }
    assert_eq!(calls(&root).values().sum::<usize>(), 5);
    assert_eq!(spent(&root), before.1 + 8_000_000);
    env.orch(&root, &["replay"]).exits(0);
    costs_what_the_ledgers_say(&env, &root);
}

#[test]
fn a_ceiling_within_a_stage_keeps_what_was_answered() {
    let env = TestEnv::new();
    let (alpha, mut beta) = readme();
    beta[0] = dear(PLAN, plans(&[("README.md", "change")]), 7_000);
    let root = shop(&env, "shop", &alpha, &beta);
    run(&env, &root, REQUEST, &["--max-cost-usd", "0.09"]).exits(5).says("plan.critique");
    assert!(spent(&root) <= 90_000_000);
    assert_eq!(calls(&root), BTreeMap::from([("plan.propose".into(), 1)]));
    env.orch(&root, &["artifacts", "verify"]).exits(0);
    says(&root, "beta", &beta[1..]);
    let said = run(&env, &root, REQUEST, &["--max-cost-usd", "1"]).exits(0);
    assert!(
        said.stderr.contains("plan.propose: beta/lens, answered from the record of this run"),
        "{}",
        said.stderr
    );
    assert_eq!(calls(&root)["plan.propose"], 1);
    env.orch(&root, &["replay"]).exits(0).says("byte for byte");
    costs_what_the_ledgers_say(&env, &root);
}

/// Tokens and single stages have ceilings too; each names what to raise, and the higher one goes on from where it was.
#[test]
fn ceilings_of_tokens_and_of_single_stages_hold() {
    let env = TestEnv::new();
    let (alpha, beta) = readme();
    let root = shop(&env, "tokens", &alpha, &beta);
    // The first call may use more than that: nobody is asked.
    let said = run(&env, &root, REQUEST, &["--max-tokens", "1000"]).exits(5);
    for told in ["was not asked", "tokens", "--max-tokens"] {
        assert!(said.stderr.contains(told), "{told}: {}", said.stderr);
    }
    assert!(calls(&root).is_empty() && spent(&root) == 0);
    run(&env, &root, REQUEST, &["--max-tokens", "2000000"]).exits(0);
    assert_eq!(calls(&root).values().sum::<usize>(), 5);

    for (name, limit, says_what) in [
        ("dollars", "max_cost_usd: \"0.000001\"", "(`max_cost_usd` below `budget.stages` in orch.yml)"),
        ("words", "max_tokens: 1000", "(`max_tokens` below `budget.stages` in orch.yml)"),
    ] {
        let with = |stage: &str| {
            let root = shop(&env, &format!("{name}-{stage}"), &alpha, &beta);
            let budget = format!("budget:\n  stages:\n    {stage}:\n      {limit}\n");
            let config = "commands:\n  test: [\"sh test.sh\"]\n".to_owned() + &budget;
            std::fs::write(root.join("orch.yml"), config).unwrap();
            env.git(&root, &["commit", "-qam", "a ceiling"]);
            // What the whole run may use does not help a stage that has its own.
            let said = run(&env, &root, REQUEST, &["--max-cost-usd", "100"]).exits(5);
            assert!(said.stderr.contains(says_what), "{says_what}: {}", said.stderr);
            calls(&root)
        };
        assert!(with("plan").is_empty());
        // A stage that has none is not held by another's.
        let made = with("generate");
        assert_eq!(made.keys().filter(|step| step.starts_with("plan.")).count(), 2, "{made:?}");
        assert_eq!(made.keys().filter(|step| step.starts_with("generate.")).count(), 0, "{made:?}");
    }
    let root = shop(&env, "wrong", &alpha, &beta);
    for (flag, value) in
        [("--max-tokens", "0"), ("--max-tokens", "many"), ("--ttl-minutes", "0"), ("--ttl-minutes", "1e3")]
    {
        run(&env, &root, REQUEST, &[flag, value]).exits(2).says(flag);
    }
}

/// On a runner that knows nothing of the first attempt: its ledger comes along, and nothing else of it.
#[test]
fn what_an_earlier_attempt_of_a_job_spent_counts_in_the_next() {
    let env = TestEnv::new();
    let (alpha, mut beta) = readme();
    beta[0] = dear(PLAN, plans(&[("README.md", "change")]), 7_000);
    let root = shop(&env, "shop", &alpha, &beta);
    let request = ["stage", "intake", "--task", REQUEST, "--engine", "model"];
    env.orch(&root, &[&request[..], &["--max-cost-usd", "0.09"]].concat()).exits(0);
    let plan = |dollars: &str| env.orch(&root, &["stage", "plan", "--max-cost-usd", dollars]);
    plan("0.09").exits(5);
    let before = spent(&root);
    assert_eq!(calls(&root), BTreeMap::from([("plan.propose".into(), 1)]));
    let (parts, earlier) = (env.path("parts"), env.path("earlier"));
    for (stage, folder) in
        [("intake", parts.join("x-intake-r1-a1")), ("plan", earlier.join("orch-x-plan-r1-a1"))]
    {
        env.orch(&root, &["artifacts", "part", stage, "--into", &folder.display().to_string()]).exits(0);
    }
    let fresh = || {
        std::fs::remove_dir_all(root.join("artifacts")).unwrap();
        env.orch(&root, &["artifacts", "merge", &parts.display().to_string()]).exits(0);
        says(&root, "alpha", &alpha);
        says(&root, "beta", &beta);
    };
    let take = || {
        let from = earlier.display().to_string();
        env.orch(&root, &["artifacts", "spent", "plan", "--from", &from])
    };
    // Without it the second attempt begins at nothing.
    fresh();
    plan("0.09").exits(5);
    assert_eq!((spent(&root), calls(&root)["plan.propose"]), (before, 1));
    // With it, one ceiling holds over all of them, however often it is tried.
    let mut run = PathBuf::new();
    for attempt in 2..=5 {
        fresh();
        take().exits(0).says("what they spent counts");
        run = run_folder(&root);
        let taken = files_below(&run).into_keys().filter(|path| path.contains("plan")).collect::<Vec<_>>();
        assert_eq!(taken, ["ledger/plan.jsonl"], "nothing else of it");
        plan("0.09").exits(5);
        assert!(spent(&root) <= 90_000_000, "attempt {attempt}: {}", spent(&root));
        take().exits(2).says("of its own already");
        let part = earlier.join(format!("orch-x-plan-r1-a{attempt}")).display().to_string();
        env.orch(&root, &["artifacts", "part", "plan", "--into", &part]).exits(0);
    }
    let total = spent(&root);
    assert!(total >= 2 * before && total < 4 * before, "{total}");
    // A higher ceiling counts all of them, too.
    fresh();
    take().exits(0);
    plan("1").exits(0);
    assert_eq!(spent(&root), total + before + 4_000_000);
    let ledger = lines(&root, "ledger/plan.jsonl");
    assert_eq!(ledger.iter().filter(|line| line["entry"]["entry"] == "open").count(), 6);
    env.orch(&root, &["artifacts", "verify"]).exits(0).says("is intact");
    // One that was shortened in the middle is refused, and one of another run is not taken.
    let place = earlier.join("orch-x-plan-r1-a1").join(run.file_name().unwrap()).join("ledger/plan.jsonl");
    let text = std::fs::read_to_string(&place).unwrap();
    std::fs::write(&place, text.replacen("plan.propose", "plan.other", 1)).unwrap();
    fresh();
    take().exits(3).says("ledger/plan.jsonl");
    std::fs::remove_dir_all(&earlier).unwrap();
    let other = earlier.join("a/another-run/ledger");
    std::fs::create_dir_all(&other).unwrap();
    std::fs::write(other.join("plan.jsonl"), text).unwrap();
    take().exits(0).says("No earlier attempt of plan spent anything");
}

#[test]
fn a_run_killed_in_a_call_does_not_pay_again_for_what_was_answered_and_replays() {
    let env = TestEnv::new();
    let (mut alpha, beta) = readme();
    alpha[0]["delay_ms"] = 120_000.into();
    let root = shop(&env, "shop", &alpha, &beta);
    let mut child = env.start(&root, &["run", REQUEST, "--engine", "model"]);
    let start = Instant::now();
    let reserved = || {
        let ledgers = if root.join("artifacts").is_dir() { all_lines_now(&root) } else { String::new() };
        ledgers.matches("\"reserve\"").count() == 2
    };
    while !reserved() && start.elapsed() < Duration::from_mins(1) {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let kept = spent(&root) - 4_000_000;
    assert!(kept > 10_000_000, "the call under way is taken at its worst: {kept}");
    env.orch(&root, &["artifacts", "verify"]).exits(0);

    // A ledger that is not sealed yet is chained all the same.
    let ledger = run_folder(&root).join("ledger/plan.jsonl");
    let text = std::fs::read_to_string(&ledger).unwrap();
    std::fs::write(&ledger, text.replace("\"output\":500", "\"output\":400")).unwrap();
    env.orch(&root, &["artifacts", "verify"]).exits(3).says("ledger/plan.jsonl");
    run(&env, &root, REQUEST, &[]).exits(3).says("ledger/plan.jsonl");
    std::fs::write(&ledger, text).unwrap();

    alpha[0]["delay_ms"] = 0.into();
    says(&root, "alpha", &alpha);
    says(&root, "beta", &beta[1..]);
    let said = run(&env, &root, REQUEST, &[]).exits(0);
    assert!(
        said.stderr.contains("plan.propose: beta/lens, answered from the record of this run"),
        "{}",
        said.stderr
    );
    assert_eq!(spent(&root), kept + 5 * 4_000_000);
    env.orch(&root, &["artifacts", "verify"]).exits(0).says("is intact");
    env.orch(&root, &["replay"]).exits(0).says("byte for byte");
    costs_what_the_ledgers_say(&env, &root);
}

/// Every ledger as it is now, half-written lines too.
fn all_lines_now(root: &std::path::Path) -> String {
    let files = files_below(&root.join("artifacts")).into_iter();
    let ledgers = files.filter(|(path, _)| path.contains("/ledger/"));
    ledgers.map(|(_, bytes)| String::from_utf8_lossy(&bytes).into_owned()).collect()
}

fn costs_what_the_ledgers_say(env: &TestEnv, root: &std::path::Path) {
    let cost = env.orch(root, &["cost", "--format", "json"]).exits(0).json();
    assert_eq!(cost["total"]["nano_usd"], spent(root), "{cost}");
    assert_eq!(cost["total"]["calls"], calls(root).values().sum::<usize>());
    for by in ["stages", "roles", "steps", "models"] {
        let parts = cost[by].as_object().unwrap().values();
        assert_eq!(
            parts.map(|part| part["nano_usd"].as_i64().unwrap()).sum::<i64>(),
            spent(root),
            "{by}: {cost}"
        );
    }
    assert!(cost["dearest"].as_array().unwrap().len() <= 3);
}

#[test]
fn a_dry_run_tells_the_worst_case_of_each_stage_and_calls_nothing() {
    let env = TestEnv::new();
    let root = shop(&env, "shop", &[], &[]);
    let words = ["--dry-run", "--max-cost-usd", "0.25"];
    let said = run(&env, &root, REQUEST, &words).exits(0).says("of which $0.250000 may be spent");
    let plan = run(&env, &root, REQUEST, &[&words[..], &["--format", "json"]].concat()).exits(0).json();
    assert_eq!((&plan["engine"], &plan["ceiling_nano_usd"]), (&"model".into(), &250_000_000.into()));
    let stages = plan["stages"].as_array().unwrap();
    let cost = |stage: &Value| stage["worst_case_nano_usd"].as_i64().unwrap();
    for stage in stages {
        let calls = ["plan", "test-write", "generate"].contains(&stage["stage"].as_str().unwrap());
        assert_eq!(cost(stage) > 0, calls, "{stage}");
    }
    assert_eq!(stages.iter().map(cost).sum::<i64>(), plan["worst_case_nano_usd"].as_i64().unwrap());
    assert!(said.stdout.contains("generate"), "{}", said.stdout);
    assert!(!root.join("artifacts").exists() || run_folders(&root) == 0);
}

fn run_folders(root: &std::path::Path) -> usize {
    let runs = std::fs::read_dir(root.join("artifacts")).unwrap();
    runs.filter(|entry| entry.as_ref().unwrap().path().join("manifest").is_dir()).count()
}

#[test]
fn engines_take_turns_and_nothing_is_lost() {
    let env = TestEnv::new();
    let (mut alpha, mut beta) = readme();
    alpha[2] = entry(
        BUILD,
        answer(&json!({
            "summary": "s", "claims": [], "answers": [],
            "edits": [{ "path": "LICENSE", "op": "create", "content": "Free.\n", "replacements": null, "executable": null }],
        })),
    );
    beta[0] = entry(PLAN, plans(&[("LICENSE", "change")]));
    let root = shop(&env, "shop", &alpha, &beta);
    let request = "add an MIT license for ACME Inc";
    env.orch(&root, &["run", request, "--engine", "template"]).exits(0);
    let folder = run_folder(&root);
    let first = files_below(&folder);
    run(&env, &root, request, &[]).exits(0);
    let both = files_below(&folder);
    for (path, bytes) in &first {
        let moved = format!("attempts/1/{path}");
        assert!(both.get(path) == Some(bytes) || both.get(&moved) == Some(bytes), "{path} is lost");
    }
    env.orch(&root, &["artifacts", "verify"]).exits(0);
    let paid = spent(&root);
    assert_eq!(paid, 5 * 4_000_000);
    env.orch(&root, &["run", request, "--engine", "template"]).exits(0);
    let three = files_below(&folder);
    for (path, bytes) in both.iter().filter(|(path, _)| !path.starts_with("attempts/")) {
        let kept = three.iter().any(|(now, found)| now.ends_with(path.as_str()) && found == bytes);
        assert!(kept, "{path} is lost");
    }
    assert_eq!(spent(&root), paid, "what was paid stays on the books");
    env.orch(&root, &["artifacts", "verify"]).exits(0);
    env.orch(&root, &["cost"]).exits(0).says("$0.02");
}

#[test]
fn without_any_model_what_is_finished_is_used_again() {
    let env = TestEnv::new();
    let (alpha, beta) = readme();
    let root = shop(&env, "shop", &alpha, &beta);
    run(&env, &root, REQUEST, &["--until", "test-write"]).exits(0);
    for provider in ["alpha", "beta"] {
        std::fs::remove_file(root.join(format!(".orch/{provider}.json"))).unwrap();
    }
    // As on a machine without any key: the run stays with models, and says what lacks.
    let said = env.orch(&root, &["run", REQUEST]).exits(2);
    for told in ["plan: reused", "test-write: reused", ".orch/alpha.json"] {
        assert!(said.stderr.contains(told), "{told}: {}", said.stderr);
    }
    says(&root, "alpha", &alpha[2..]);
    says(&root, "beta", &beta[1..]);
    env.orch(&root, &["run", REQUEST]).exits(0);
    for provider in ["alpha", "beta"] {
        std::fs::remove_file(root.join(format!(".orch/{provider}.json"))).unwrap();
    }
    let said = env.orch(&root, &["run", REQUEST]).exits(0);
    assert_eq!(said.stderr.matches(": reused").count(), 8, "{}", said.stderr);
    env.orch(&root, &["replay"]).exits(0);
}
