//! Waivers, a baseline and hooks where no run is judged: real commits, the program itself.

use std::fs;
use std::path::Path;

use crate::env::TestEnv;

const WAIVERS: &str = ".orch/waivers.yml";
const BASELINE: &str = ".orch/baseline.json";
/// A finding of every tree it is in.
const SECRET: &str = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEAxb3Qk9vT0mJ1hV2yQeLr5nP8sD4gK7cW1zX6aB3uF9iR0oTm\nYqN5jE8lH2vC7kS4dG1wA6pZ3xU9bI0fMrT5yQ8nJ2eL7hV4cK1sD6gW3zX9aP0u\nF5iB8oRmTyN2qE7jH4lC1vS6kG3dA9wZ0pU5xI8bMrF2yT7nQ4eJ1hL6cV3sK9gD\n-----END RSA PRIVATE KEY-----\n";

fn judged(env: &TestEnv, root: &Path, what: &[&str]) -> (i32, serde_json::Value) {
    let words = [&["stage", "policy", "--format", "json"], what].concat();
    let said = env.orch(root, &words);
    let verdict =
        serde_json::from_str(&said.stdout).unwrap_or_else(|_| panic!("{}{}", said.stdout, said.stderr));
    (said.exit, verdict)
}

fn aside(verdict: &serde_json::Value) -> Vec<String> {
    let list = verdict["set_aside"].as_array().cloned().unwrap_or_default();
    list.iter()
        .map(|one| format!("{} {}", one["by"].as_str().unwrap(), one["finding"]["code"].as_str().unwrap()))
        .collect()
}

fn commit(env: &TestEnv, root: &Path) {
    env.git(root, &["add", "-A"]);
    env.git(root, &["commit", "-q", "--no-verify", "-m", "x"]);
}

#[test]
fn day_one_is_quiet_and_what_is_new_counts() {
    let env = TestEnv::new();
    let root = env.repository("repo", &[("old.pem", SECRET), ("a.txt", "a\n")]);
    let (exit, before) = judged(&env, &root, &["--all"]);
    assert_eq!(exit, 3, "{before}");
    let done = env.orch(&root, &["policy", "baseline", "--format", "json"]).exits(0).json();
    let (entries, added) = (done["entries"].as_u64().unwrap(), done["added"].as_u64().unwrap());
    assert!(entries > 0 && entries == added, "{done}");
    let text = fs::read_to_string(root.join(BASELINE)).unwrap();
    assert!(!text.contains("MIIEpAIBAAK"), "never a secret");
    assert!(text.contains("\"until\":\"2026-06-30\"") && text.contains("there before"), "{text}");
    let (exit, after) = judged(&env, &root, &["--all"]);
    assert_eq!((exit, after["findings"].as_array().unwrap().len()), (0, 0), "{after}");
    assert!(aside(&after).iter().all(|one| one.starts_with("baseline secrets/")), "{after}");
    assert_eq!(env.orch(&root, &["policy", "baseline", "--format", "json"]).exits(0).json()["added"], 0);
    commit(&env, &root);
    // A line above it moves it: still covered. Another one is new, and so is the old one's copy elsewhere.
    fs::write(root.join("old.pem"), format!("# moved\n\n{SECRET}")).unwrap();
    assert_eq!(judged(&env, &root, &["--all"]).0, 0);
    fs::write(root.join("new.pem"), SECRET).unwrap();
    assert_eq!(judged(&env, &root, &["--all"]).0, 3);
    env.git(&root, &["add", "-A"]);
    assert_eq!(judged(&env, &root, &["--staged"]).0, 3);
    fs::remove_file(root.join("new.pem")).unwrap();
    // What is mended goes out, and nothing comes in.
    fs::remove_file(root.join("old.pem")).unwrap();
    fs::write(root.join("third.pem"), SECRET).unwrap();
    let done = env.orch(&root, &["policy", "baseline", "--update", "--format", "json"]).exits(0).json();
    assert_eq!(
        (done["entries"].as_u64(), done["gone"].as_u64(), done["added"].as_u64()),
        (Some(0), Some(entries), Some(0))
    );
    env.orch(&root, &["policy", "baseline", "--until", "2027-06-01"]).exits(2).says("more than a year ahead");
    fs::write(root.join(BASELINE), "{").unwrap();
    env.orch(&root, &["policy", "baseline", "--update"]).exits(2).says("cannot be used");
    let (exit, broken) = judged(&env, &root, &["--all"]);
    assert!(exit == 3 && broken["findings"].to_string().contains("policy/baseline-broken"), "{broken}");
    env.orch(&root, &["policy", "baseline"]).exits(0);
    assert_eq!(judged(&env, &root, &["--all"]).0, 0);
}

#[test]
fn a_waiver_counts_once_it_is_in_the_base() {
    let env = TestEnv::new();
    let root = env.repository("repo", &[("a.txt", "a\n")]);
    fs::write(root.join("key.pem"), SECRET).unwrap();
    env.git(&root, &["add", "-A"]);
    let (exit, verdict) = judged(&env, &root, &["--staged"]);
    assert_eq!(exit, 3);
    let codes: std::collections::BTreeSet<&str> =
        verdict["findings"].as_array().unwrap().iter().map(|f| f["code"].as_str().unwrap()).collect();
    for code in &codes {
        let words = [
            "policy",
            "waive",
            code,
            "--path",
            "*.pem",
            "--until",
            "2026-02-01",
            "--reason",
            "made up",
            "--by",
            "jo",
        ];
        env.orch(&root, &words).exits(0);
    }
    env.git(&root, &["add", "-A"]);
    assert_eq!(judged(&env, &root, &["--staged"]).0, 3, "a change does not waive itself");
    env.git(&root, &["reset", "-q", "key.pem"]);
    env.git(&root, &["commit", "-q", "-m", "waive"]);
    env.git(&root, &["add", "key.pem"]);
    let (exit, verdict) = judged(&env, &root, &["--staged"]);
    assert_eq!(exit, 0, "{verdict}");
    assert_eq!(aside(&verdict).len(), codes.len());
    // The whole tree is judged by the file of the working tree, and there an entry that does nothing is named.
    fs::write(root.join(WAIVERS), "").unwrap();
    assert_eq!(judged(&env, &root, &["--all"]).0, 3);
    let idle = [
        "policy",
        "waive",
        "secrets/env-file",
        "--path",
        "x",
        "--until",
        "2026-02-01",
        "--reason",
        "r",
        "--by",
        "j",
    ];
    env.orch(&root, &idle).exits(0);
    let (_, verdict) = judged(&env, &root, &["--all"]);
    assert!(verdict["findings"].to_string().contains("is about nothing that is there"), "{verdict}");
}

#[cfg(unix)]
#[test]
fn hooks_stop_a_secret_and_let_the_rest_pass() {
    let env = TestEnv::new();
    let root = env.repository("repo", &[("a.txt", "a\n"), ("b.txt", "b\n")]);
    env.orch(&root, &["init", "--hooks"]).exits(0);
    let bin = Path::new(env!("CARGO_BIN_EXE_orch")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let git = |words: &[&str]| {
        let all = [&["-c", "user.name=t", "-c", "user.email=t@example.invalid"], words].concat();
        let said = env.command("git", &root).args(all).env("PATH", &path).output().unwrap();
        (
            said.status.success(),
            format!("{}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr)),
        )
    };
    let (pushed, said) = git(&["push", "-q", "origin", "main"]);
    assert!(pushed, "{said}");
    fs::write(root.join("a.txt"), "fine\n").unwrap();
    let (done, said) = git(&["commit", "-q", "-am", "fine"]);
    assert!(done, "{said}");
    // `commit -a`, `commit FILE` and a plain commit use three different indexes.
    for (name, words) in [
        ("b.txt", &["commit", "-q", "-am", "x"][..]),
        ("b.txt", &["commit", "-q", "-m", "x", "b.txt"]),
        ("c.pem", &["commit", "-q", "-m", "x"]),
    ] {
        fs::write(root.join(name), SECRET).unwrap();
        if name == "c.pem" {
            env.git(&root, &["add", name]);
        }
        let (done, said) = git(words);
        assert!(!done && said.contains("secrets/"), "{words:?}: {said}");
        assert!(!said.contains("MIIEpAIBAAK"), "{said}");
        env.git(&root, &["reset", "-q", "--hard"]);
    }
    // What goes past the first hook is stopped by the second.
    fs::write(root.join("b.txt"), SECRET).unwrap();
    assert!(git(&["commit", "-q", "--no-verify", "-am", "x"]).0);
    let (pushed, said) = git(&["push", "-q", "origin", "main"]);
    assert!(!pushed && said.contains("secrets/"), "{said}");
    env.git(&root, &["reset", "-q", "--hard", "HEAD~1"]);
    let (pushed, said) = git(&["push", "-q", "origin", "main"]);
    assert!(pushed, "{said}");
    // A workflow needs a person's approval, which is no matter for a commit.
    fs::create_dir_all(root.join(".github/workflows")).unwrap();
    fs::write(root.join(".github/workflows/x.yml"), "on: push\npermissions: {}\njobs: {}\n").unwrap();
    env.git(&root, &["add", "-A"]);
    let (done, said) = git(&["commit", "-q", "-m", "workflow"]);
    assert!(done && said.contains("a person has to approve"), "{said}");
}
