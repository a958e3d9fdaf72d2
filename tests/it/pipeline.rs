//! orch run from end to end.

use std::fs;
use std::path::Path;

use crate::env::{TestEnv, files_below, is_raw_output, run_folder};

const REQUEST: &str = "add a /health endpoint";

/// Everything of a repository a person could lose: work tree, index, HEAD, config, own refs.
fn belongings(root: &Path) -> Vec<(String, Vec<u8>)> {
    files_below(root)
        .into_iter()
        .filter(|(path, _)| !path.starts_with("artifacts/") && !path.starts_with(".git/objects/"))
        .filter(|(path, _)| {
            !path.starts_with(".git/refs/heads/feat/") && !path.starts_with(".git/logs/refs/heads/feat/")
        })
        .filter(|(path, _)| {
            !path.starts_with(".git/refs/remotes/") && !path.starts_with(".git/logs/refs/remotes/")
        })
        .collect()
}

#[test]
fn a_request_becomes_a_tested_judged_branch_and_running_again_changes_nothing() {
    let env = TestEnv::new();
    let root = env.service("service");
    // A dirty work tree: changed, new and staged files must come through untouched.
    fs::write(root.join("README.md"), "my own notes\r\n").unwrap();
    fs::write(root.join("notes.txt"), "keep me").unwrap();
    env.git(&root, &["add", "notes.txt"]);
    let before = belongings(&root);

    env.orch(&root, &["run", REQUEST]).exits(0).says("is done");
    assert_eq!(belongings(&root), before);

    let folder = run_folder(&root);
    let pull: serde_json::Value = serde_json::from_slice(&fs::read(folder.join("pr.json")).unwrap()).unwrap();
    let branch = pull["body"]["branch"].as_str().unwrap();
    assert_eq!(branch, "feat/service/health/2026-01-01");
    let log = env.git(&root, &["log", "--format=%s", &format!("main..{branch}")]);
    let subjects: Vec<&str> = log.lines().collect();
    assert!(
        subjects.len() == 2 && subjects[0].starts_with("feat(") && subjects[1].starts_with("test("),
        "{log}"
    );
    let tip = env.git(&root, &["rev-parse", branch]);
    let remote = env.path("service.git");
    assert_eq!(env.git(&remote, &["rev-parse", branch]), tip);

    // The patch is the same change: applied to the base it gives the tree of the branch.
    let again = env.path("again");
    env.git(
        &root,
        &["clone", "-q", &remote.display().to_string(), &again.display().to_string(), "-b", branch],
    );
    env.git(&again, &["checkout", "-q", "HEAD~2"]);
    env.git(&again, &["apply", "--index", &folder.join("change.patch").display().to_string()]);
    assert_eq!(
        env.git(&again, &["write-tree"]),
        env.git(&root, &["rev-parse", &format!("{branch}^{{tree}}")])
    );

    // Every commit trailer names the run.
    let trailers = env.git(&root, &["log", "-1", "--format=%(trailers:key=Orch-Run,valueonly)", branch]);
    assert_eq!(trailers.trim(), folder.file_name().unwrap().to_string_lossy());

    let first = files_below(&folder);
    let said = env.orch(&root, &["run", REQUEST]).exits(0);
    for stage in ["intake", "plan", "test-write", "verify-red", "generate", "verify-green", "policy", "pr"] {
        assert!(said.stderr.contains(&format!("{stage}: reused")), "{stage}: {}", said.stderr);
    }
    assert_eq!(files_below(&folder), first);
    assert_eq!(env.git(&root, &["rev-parse", branch]), tip);
}

#[test]
fn the_branch_builds_and_its_first_commit_fails_without_the_second() {
    let env = TestEnv::new();
    let root = env.service("service");
    env.orch(&root, &["run", REQUEST]).exits(0);
    let branch = "feat/service/health/2026-01-01";
    let clone = env.path("clone");
    let remote = env.path("service.git").display().to_string();
    env.git(&root, &["clone", "-q", &remote, &clone.display().to_string(), "-b", branch]);
    let cargo_test = |env: &TestEnv| {
        let mut command = env.command("cargo", &clone);
        command.args(["test", "-q", "--offline"]).output().unwrap()
    };
    assert!(cargo_test(&env).status.success());
    env.git(&clone, &["checkout", "-q", "HEAD~1"]);
    let without = cargo_test(&env);
    assert!(!without.status.success());
    assert!(String::from_utf8_lossy(&without.stdout).contains("health"));
}

#[test]
fn a_dry_run_calls_nothing_and_writes_nothing() {
    let env = TestEnv::new();
    let root = env.service("service");
    let said = env.orch(&root, &["run", REQUEST, "--dry-run"]).exits(0).says("nothing was called");
    for stage in ["intake", "verify-red", "generate", "policy", "pr"] {
        assert!(said.stdout.contains(stage), "{}", said.stdout);
    }
    assert!(said.stdout.contains("$0.000000"), "{}", said.stdout);
    assert!(!root.join("artifacts").exists());
    let json = env.orch(&root, &["run", REQUEST, "--dry-run", "--format", "json"]).exits(0).json();
    assert_eq!(json["worst_case_nano_usd"], 0);
    assert_eq!(json["stages"].as_array().unwrap().len(), 8);
}

#[test]
fn a_run_can_stop_early_go_on_from_its_artifacts_and_start_again_from_a_stage() {
    let env = TestEnv::new();
    let root = env.service("service");
    env.orch(&root, &["run", REQUEST, "--until", "test-write"]).exits(0);
    let folder = run_folder(&root);
    assert!(folder.join("tests.json").is_file() && !folder.join("build-test").exists());
    let name = folder.file_name().unwrap().to_string_lossy().into_owned();
    env.orch(&root, &["run", "--from-artifacts", &name]).exits(0).says("test-write: reused");
    let first = files_below(&folder);
    env.orch(&root, &["run", "--from-artifacts", &name, "--from", "policy"]).exits(0).says("policy: done");
    // The files of the first attempt are kept, and the chain still holds.
    for (path, bytes) in first.iter().filter(|(path, _)| path.starts_with("policy/")) {
        assert_eq!(&fs::read(folder.join("attempts/1").join(path)).unwrap(), bytes);
        assert_eq!(&fs::read(folder.join(path)).unwrap(), bytes);
    }
    env.orch(&root, &["artifacts", "verify"]).exits(0).says("is intact");
}

#[test]
fn stages_run_one_by_one_as_in_ci_and_merge_from_parts() {
    let env = TestEnv::new();
    let root = env.service("service");
    env.orch(&root, &["run", REQUEST]).exits(0);
    let whole = files_below(&run_folder(&root));

    let other = env.service("other");
    env.git(&other, &["fetch", "-q", &root.display().to_string(), "main"]);
    env.git(&other, &["reset", "-q", "--hard", "FETCH_HEAD"]);
    fs::write(other.join("orch.yml"), "service: service\n").unwrap();
    env.orch(&other, &["stage", "intake", "--task", REQUEST]).exits(0);
    for stage in ["plan", "test-write", "verify-red", "generate", "verify-green", "policy", "pr"] {
        // Every job starts from the parts of the jobs before it, merged into one folder.
        let folder = run_folder(&other);
        let parts = files_below(&folder);
        fs::remove_dir_all(&folder).unwrap();
        for (path, bytes) in parts {
            let file = folder.join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, bytes).unwrap();
        }
        env.orch(&other, &["stage", stage]).exits(0);
    }
    let parts = files_below(&run_folder(&other));
    for (path, bytes) in whole {
        // Times and raw output differ; everything else is the same run.
        let volatile = path.starts_with("manifest/") || path.starts_with("events/") || is_raw_output(&path);
        if !volatile {
            assert!(parts.get(&path) == Some(&bytes), "{path}");
        }
    }
}

#[test]
fn a_request_nobody_can_serve_says_what_can_be_done() {
    let env = TestEnv::new();
    let root = env.service("service");
    let said = env.orch(&root, &["run", "migrate the database to Postgres"]).exits(78);
    assert!(said.stderr.contains("health"), "{}", said.stderr);
    assert_eq!(env.git(&root, &["branch", "--list"]).trim(), "* main");
    let json =
        env.orch(&root, &["run", "migrate the database to Postgres", "--format", "json"]).exits(78).json();
    assert_eq!(json["exit"], 78);
}

#[test]
fn a_run_can_be_reported_at_any_time() {
    let env = TestEnv::new();
    let root = env.service("service");
    env.orch(&root, &["run", REQUEST]).exits(0);
    env.orch(&root, &["report"]).exits(0).says("protection while repository code ran");
    env.orch(&root, &["report", "--as", "markdown"]).exits(0).says("### Verdict");
    let json = env.orch(&root, &["report", "--format", "json"]).exits(0).json();
    assert_eq!(json["verdict"]["decision"], "allow");
    // From the folder alone, without the repository.
    let copy = env.path("copy");
    fs::create_dir_all(&copy).unwrap();
    let folder = run_folder(&root);
    let target = copy.join(folder.file_name().unwrap());
    fs::rename(&folder, &target).unwrap();
    env.orch(&copy, &["report", &target.display().to_string()]).exits(0).says("verdict  allow");
    env.orch(&copy, &["artifacts", "verify", &target.display().to_string()]).exits(0).says("is intact");
}
