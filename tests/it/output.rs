//! What the program prints: for people what happened and what to do next, for programs JSON and nothing else.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

use std::process::Stdio;

use crate::env::{Said, TestEnv};

/// Checks that standard output is one JSON document, or one on every line, and returns the last.
#[track_caller]
fn only_json(said: &Said) -> serde_json::Value {
    if let Ok(whole) = serde_json::from_str(&said.stdout) {
        return whole;
    }
    assert!(!said.stdout.is_empty(), "{}", said.stderr);
    let lines: Vec<_> = said.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    lines.into_iter().next_back().unwrap()
}

#[test]
fn programs_get_json_whatever_happens() {
    let env = TestEnv::new();
    let root = env.repository("notes", &[("README.md", "# Notes\n")]);
    for (exit, words) in [
        (0, "run|add an MIT license for ACME Inc"),
        (78, "run|make it faster"),
        (0, "run|x|--dry-run"),
        (2, "run"),
        (2, "run|x|--until|nothing"),
        (2, "nothing"),
        (2, "stage|nothing"),
        (0, "stage|plan|--explain"),
        (0, "stages"),
        (0, "templates"),
        (0, "doctor"),
        (0, "report"),
        (2, "report|nothing"),
        (0, "replay"),
        (2, "replay|nothing"),
        (0, "policy|replay|--all"),
        (2, "policy|replay"),
        (2, "upgrade|show"),
        (2, "upgrade|promote"),
        (0, "cost"),
        (2, "cost|nothing"),
        (0, "artifacts|list"),
        (0, "artifacts|verify"),
        (2, "explain|a/b"),
        (0, "schema|plan"),
        (0, "providers"),
        (0, "pipeline|show"),
        (0, "pipeline|check"),
        (0, "release|controls"),
        (2, "release|collect"),
        (0, "init|--print"),
        (0, "init"),
        (2, "init"),
    ] {
        let words: Vec<&str> = words.split('|').chain(["--format", "json"]).collect();
        let said = env.orch(&root, &words).exits(exit);
        let last = only_json(&said);
        if exit != 0 {
            assert_eq!((&last["exit"], last["error"].is_string()), (&exit.into(), true), "{words:?}: {last}");
        }
    }
}

#[test]
fn a_request_nobody_serves_is_answered_by_a_list_one_line_each() {
    let env = TestEnv::new();
    let root = env.repository("notes", &[("README.md", "# Notes\n")]);
    let said = env.orch(&root, &["run", "make it faster"]).exits(78);
    let lines: Vec<&str> = said.stderr.lines().map(str::trim_start).collect();
    for name in ["license ", "readme-section ", "health-fastapi "] {
        assert_eq!(lines.iter().filter(|line| line.starts_with(name)).count(), 1, "{}", said.stderr);
    }
}

#[test]
fn templates_are_listed_anywhere_as_words_a_shell_takes() {
    let env = TestEnv::new();
    let said = env.orch(&env.path("home"), &["templates"]).exits(0);
    let examples: Vec<_> = said.stdout.lines().filter_map(|l| l.trim().strip_prefix("orch run ")).collect();
    assert!(examples.len() > 10, "{}", said.stdout);
    for example in examples {
        let mut command = env.command("sh", &env.path("home"));
        let output = command.args(["-c", &format!("printf '%s\\n' {example}")]).output().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && output.stderr.is_empty(), "{example}");
        assert_eq!(printed.lines().count(), 1, "{example}: {printed}");
    }
}

#[test]
fn the_end_of_a_run_says_what_to_do_next() {
    let env = TestEnv::new();
    let root = env.repository("lib", &[("src/a.py", "A = 1\n"), ("requirements.txt", "requests\n")]);
    env.orch(&root, &["run", "set up CI", "--until", "plan"]).exits(0).says("has come as far as plan");
    // A workflow needs a person; the branch is there to be looked at.
    let said = env.orch(&root, &["run", "set up CI"]).exits(4);
    for words in ["waits for a person", "draft", "paths/workflows", "git log -p", "approve ", "orch explain"]
    {
        assert!(said.stdout.contains(words), "{words}: {}", said.stdout);
    }
    // What proves nothing says which code, and nothing of tests that never ran.
    let said = env.orch(&root, &["run", "create a FastAPI service with a /health endpoint"]).exits(6);
    said.says("orch explain verify/no-test-command").says("2 written, none has run");
    env.orch(&root, &["run", "x", "--from", "pr", "--until", "plan"]).exits(2).says("nothing would run");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let env = TestEnv::new();
    for words in [&["schema", "policy-input"][..], &["explain"], &["stages"], &["completions", "bash"]] {
        let mut command = env.orch_command(&env.path("home"), words);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!said.contains("panicked") && output.status.code() != Some(101), "{words:?}: {said}");
    }
}
