//! Runs answered from the record of another run, in a clone that has no model.

use std::fs;

use serde_json::json;

use super::world::*;
use crate::env::{TestEnv, run_folder};
use crate::fastapi;

#[test]
fn a_fresh_clone_is_answered_from_the_record_and_another_question_is_a_miss() {
    let env = TestEnv::new();
    let (alpha, beta) = readme();
    let root = shop(&env, "shop", &alpha, &beta);
    run(&env, &root, REQUEST, &[]).exits(0);
    let folder = run_folder(&root).display().to_string();
    let clone = env.path("elsewhere/shop");
    let (from, to) = (root.display().to_string(), clone.display().to_string());
    env.git(&env.path(""), &["clone", "-q", "--single-branch", "--branch", "main", &from, &to]);
    assert!(!clone.join(".orch/alpha.json").exists());
    run(&env, &clone, REQUEST, &["--replay", &folder]).exits(0).says("CONVERGED after 3 turns");
    for path in ["plan.json", "edits.json", "messages/generate.jsonl", "ledger/generate.jsonl"] {
        let read = |root: &std::path::Path| fs::read_to_string(run_folder(root).join(path)).unwrap();
        assert_eq!(read(&root), read(&clone), "{path}");
    }
    env.orch(&clone, &["artifacts", "verify"]).exits(0);
    env.orch(&clone, &["replay"]).exits(0);

    let said = run(&env, &clone, "add a README chapter", &["--replay", &folder]).exits(3);
    assert!(said.stderr.contains("section") && said.stderr.contains("chapter"), "{}", said.stderr);
    run(&env, &clone, REQUEST, &["--replay", "no-such-run"]).exits(2);
}

#[test]
fn live_calls_are_made_anew() {
    let env = TestEnv::new();
    let (alpha, beta) = readme();
    let root = shop(&env, "shop", &alpha[1..], &beta);
    // Nobody judges the plan: the stage stops after its first answer.
    run(&env, &root, REQUEST, &[]).exits(2);
    assert_eq!(calls(&root)["plan.propose"], 1);
    says(&root, "alpha", &alpha);
    let said = run(&env, &root, REQUEST, &["--live", "--until", "plan"]).exits(0);
    assert!(!said.stderr.contains("from the record"), "{}", said.stderr);
    assert_eq!(calls(&root)["plan.propose"], 2);
    let before = spent(&root);
    // A stage that is to run again is answered from what was paid for, unless it is to ask anew.
    env.orch(&root, &["run", REQUEST, "--from", "plan", "--until", "plan"]).exits(0);
    assert_eq!((calls(&root)["plan.propose"], spent(&root)), (2, before));
    env.orch(&root, &["run", REQUEST, "--from", "plan", "--live"]).exits(0);
    assert_eq!(calls(&root)["plan.propose"], 3);
    assert!(spent(&root) >= before + 5 * 4_000_000);
    env.orch(&root, &["artifacts", "verify"]).exits(0);
    env.orch(&root, &["replay"]).exits(0);
}

const HEALTH_TEST: &str = "from fastapi.testclient import TestClient\n\nfrom app.main import app\n\n\ndef test_health() -> None:\n    assert TestClient(app).get(\"/health\").status_code == 200\n";

#[test]
fn a_full_run_on_a_fastapi_repository_replays_without_network_python_or_key() {
    let Some(venv) = fastapi::venv() else { return };
    let env = TestEnv::new();
    let routes = |path: &str| {
        format!(
            "\n\n@app.get(\"{path}\")\ndef health() -> dict[str, str]:\n    return {{\"status\": \"ok\"}}\n"
        )
    };
    let root_only = "    return {\"service\": \"shop\"}\n";
    let tests = answer(&json!({
        "files": [{ "path": "tests/test_health.py", "op": "create", "content": HEALTH_TEST, "replacements": null, "executable": null }],
        "expected": [{ "path": "tests/test_health.py", "name": "test_health", "criteria": ["c1"] }],
        "uncovered": [], "exempt": null,
    }));
    let alpha = [
        entry(PLAN_JUDGED, judges(&json!([]))),
        entry(TESTS, tests),
        // The first edit serves another address: the tests stay red, and a second round mends it.
        entry(
            BUILD,
            replaces(
                "app/main.py",
                &[(root_only, &format!("{root_only}{}", routes("/healthy")))],
                &json!([]),
            ),
        ),
        entry(MEND, replaces("app/main.py", &[("/healthy", "/health")], &json!([]))),
    ];
    let plan = plans(&[("app/main.py", "change"), ("tests/test_health.py", "test")]);
    let beta = [entry(PLAN, plan), entry(JUDGED, judges(&json!([]))), entry(JUDGED, judges(&json!([])))];
    let root = env.repository(
        "shop",
        &[
            ("app/__init__.py", ""),
            ("app/main.py", fastapi::APP),
            ("tests/test_root.py", fastapi::APP_TEST),
            ("requirements.txt", "fastapi\nhttpx\npytest\n"),
            ("pytest.ini", "[pytest]\npythonpath = .\n"),
            (".orch/models.toml", MODELS),
            (".gitignore", ".orch/*.json\n"),
        ],
    );
    says(&root, "alpha", &alpha);
    says(&root, "beta", &beta);
    let mut command =
        fastapi::orch(&env, &venv, &root, &["run", "add a /health endpoint", "--engine", "model"]);
    let output = command.env_remove("SOURCE_DATE_EPOCH").output().unwrap();
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert_eq!(calls(&root)["generate.repair"], 1, "{text}");
    assert_eq!(file(&root, "rounds/2/build-test/report.json")["body"]["outcome"], "passed");
    env.orch(&root, &["artifacts", "verify"]).exits(0);
    for provider in ["alpha", "beta"] {
        fs::remove_file(root.join(format!(".orch/{provider}.json"))).unwrap();
    }
    crate::replay::replays(&env, &root);
}
