//! A FastAPI repository with dependencies from PyPI, judged by the real pytest.
//!
//! Needs a virtual environment with fastapi, httpx and pytest, named by `ORCH_TEST_VENV`; `.ci/run` makes one.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test may fail anywhere, its helpers too")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::env::{TestEnv, files_below, run_folder};

const APP: &str = "from fastapi import FastAPI\n\napp = FastAPI(title=\"shop\")\n\n\n@app.get(\"/\")\ndef root() -> dict[str, str]:\n    return {\"service\": \"shop\"}\n";
const APP_TEST: &str = "from fastapi.testclient import TestClient\n\nfrom app.main import app\n\n\ndef test_root() -> None:\n    assert TestClient(app).get(\"/\").status_code == 200\n";

fn venv() -> Option<PathBuf> {
    let venv = std::env::var_os("ORCH_TEST_VENV").map(PathBuf::from);
    if venv.is_none() {
        eprintln!(
            "SKIPPED: the FastAPI cases need ORCH_TEST_VENV, a virtual environment with fastapi, httpx and pytest"
        );
    }
    venv
}

fn orch(env: &TestEnv, venv: &Path, root: &Path, args: &[&str]) -> Command {
    let mut command = env.orch_command(root, args);
    let path = std::env::join_paths(
        std::iter::once(venv.join("bin"))
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
    );
    command.env("PATH", path.unwrap()).env("VIRTUAL_ENV", venv);
    command
}

/// Runs the request twice and checks red, green, branch and reuse.
fn red_then_green(env: &TestEnv, venv: &Path, root: &Path, class: &str) {
    fs::write(root.join("scratch.txt"), "not committed").unwrap();
    let mine = |root: &Path| {
        let mut files = files_below(root);
        files.retain(|path, _| !path.starts_with(".git/") && !path.starts_with("artifacts/"));
        files
    };
    let work_tree = mine(root);
    let run = |args: &[&str]| {
        let output = orch(env, venv, root, args).output().unwrap();
        let text =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (output.status.code(), text)
    };
    let (exit, text) = run(&["run", "add a /health endpoint"]);
    assert_eq!(exit, Some(0), "{text}");
    let folder = run_folder(root);
    let file = |path: &str| -> serde_json::Value {
        serde_json::from_slice(&fs::read(folder.join(path)).unwrap()).unwrap()
    };
    let (before, after) = (file("build-test/red.json"), file("build-test/report.json"));
    assert_eq!((&before["body"]["outcome"], &after["body"]["outcome"]), (&"passed".into(), &"passed".into()));
    for (before, after) in
        before["body"]["tests"].as_array().unwrap().iter().zip(after["body"]["tests"].as_array().unwrap())
    {
        assert_eq!(
            (&before["status"], &before["class"], &after["status"]),
            (&"failed".into(), &class.into(), &"passed".into())
        );
    }
    assert!(!before["body"]["tests"].as_array().unwrap().is_empty());
    let argv = after["body"]["commands"][0]["argv"].to_string();
    assert!(argv.contains("pytest"), "{argv}");
    assert!(fs::read_to_string(folder.join("pr.md")).unwrap().contains("orchestrator-provenance"));
    let branches = env.git(root, &["branch", "--list", "feat/*", "--format=%(refname:short) %(objectname)"]);
    assert_eq!(branches.lines().count(), 1, "{branches}");
    let (exit, text) = run(&["run", "add a /health endpoint"]);
    assert_eq!(exit, Some(0), "{text}");
    assert_eq!(text.matches(": reused").count(), 8, "{text}");
    assert_eq!(
        env.git(root, &["branch", "--list", "feat/*", "--format=%(refname:short) %(objectname)"]),
        branches
    );
    assert!(mine(root) == work_tree);
    crate::replay::replays(env, root);
}

#[test]
fn an_existing_app_is_extended() {
    let Some(venv) = venv() else { return };
    let env = TestEnv::new();
    let root = env.repository(
        "shop",
        &[
            ("app/__init__.py", ""),
            ("app/main.py", APP),
            ("tests/test_root.py", APP_TEST),
            ("requirements.txt", "fastapi\nhttpx\npytest\n"),
            ("pytest.ini", "[pytest]\npythonpath = .\n"),
            ("README.md", "# shop\n"),
        ],
    );
    red_then_green(&env, &venv, &root, "assertion");
}

#[test]
fn a_repository_without_an_app_gets_one() {
    let Some(venv) = venv() else { return };
    let env = TestEnv::new();
    let root = env
        .repository("fresh", &[("README.md", "# fresh\n"), ("requirements.txt", "fastapi\nhttpx\npytest\n")]);
    red_then_green(&env, &venv, &root, "missing-behaviour");
}
