//! Secrets that are put in must not come out: in no form, in no file, stream, child or dump.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::env::{TestEnv, files_below};

/// A key of a known shape and one of no shape at all, with what has to be escaped in it.
const KNOWN: &str =
    concat!("sk-ant", "-api03-Zx9Kq2Lm7Np4Rt6Vw8Yb1Cd3Ef5Gh0JkZx9Kq2Lm7Np4Rt6Vw8Yb1Cd3Ef5Gh0Jk");
const ODD: &str = "k3y/with+\"odd\"=characters&more?7";

/// Returns every form a secret may be printed in.
fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned()];
    for skip in 0..3 {
        let padded = format!("{}{secret}", "x".repeat(skip));
        let (from, to) = ((skip * 8).div_ceil(6), padded.len() * 8 / 6);
        forms.push(STANDARD_NO_PAD.encode(&padded)[from..to].to_owned());
        forms.push(URL_SAFE_NO_PAD.encode(&padded)[from..to].to_owned());
    }
    let hex = secret.bytes().fold(String::new(), |hex, b| hex + &format!("{b:02x}"));
    forms.push(hex.to_uppercase());
    forms.push(hex);
    let url = |kept: &str, upper: bool| -> String {
        let one = |b: u8| {
            if b.is_ascii_alphanumeric() || kept.contains(char::from(b)) {
                char::from(b).to_string()
            } else if upper {
                format!("%{b:02X}")
            } else {
                format!("%{b:02x}")
            }
        };
        secret.bytes().map(one).collect()
    };
    forms.extend([url("-_.~", true), url("-_.~", false), url("", true)]);
    let json = Value::from(secret).to_string();
    forms.push(json.trim_matches('"').to_owned());
    forms.push(secret.bytes().fold(String::new(), |escaped, b| escaped + &format!("\\u{b:04x}")));
    forms.sort();
    forms.dedup();
    forms
}

#[track_caller]
fn holds_none(what: &str, bytes: &[u8], secrets: &[&str]) {
    for form in secrets.iter().flat_map(|secret| forms(secret)) {
        let found = bytes.windows(form.len()).any(|window| window == form.as_bytes());
        assert!(!found, "{what} holds {form}");
    }
}

/// Scans a folder: files, their names, and git's objects as they are before compression.
#[track_caller]
fn scan(env: &TestEnv, folder: &Path, secrets: &[&str]) {
    for (path, bytes) in files_below(folder) {
        holds_none("a name", path.as_bytes(), secrets);
        holds_none(&path, &bytes, secrets);
    }
    if folder.join(".git").is_dir() {
        let objects = env.git(folder, &["cat-file", "--batch-all-objects", "--batch", "--unordered"]);
        holds_none("git's objects", objects.as_bytes(), secrets);
        holds_none("git's refs", env.git(folder, &["for-each-ref"]).as_bytes(), secrets);
    }
}

fn with_keys(env: &TestEnv, root: &Path, args: &[&str]) -> (i32, Vec<u8>) {
    let mut command = env.orch_command(root, args);
    command
        .env("ANTHROPIC_API_KEY", KNOWN)
        .env("MY_SERVICE_TOKEN", ODD)
        .env("GH_TOKEN", "forge-token-0123456789");
    let output = command.output().unwrap();
    (output.status.code().unwrap_or(-1), [output.stdout, output.stderr].concat())
}

/// A command that tells all it can find out about the environments around it, in more than one form.
const CURIOUS: &str = r"
env
cat /proc/*/environ /proc/*/cmdline 2>/dev/null | tr '\0' '\n'
env | base64
";

fn curious_service(env: &TestEnv, name: &str) -> PathBuf {
    let root = env.service(name);
    fs::write(root.join("curious.sh"), CURIOUS).unwrap();
    fs::write(root.join("orch.yml"), "version: 1\ncommands:\n  test: cargo test\n  lint: sh curious.sh\n")
        .unwrap();
    env.git(&root, &["add", "-A"]);
    env.git(&root, &["commit", "-q", "-m", "a curious command"]);
    root
}

#[test]
fn a_key_in_environment_and_request_comes_out_nowhere() {
    let env = TestEnv::new();
    let root = curious_service(&env, "service");
    let secrets = [KNOWN, ODD];
    // The odd key is known from the environment, the other one would be by its shape alone.
    let request = format!("add a /health endpoint {KNOWN} and {ODD}");
    for args in [
        vec!["run", &request, "--dry-run"],
        vec!["run", &request, "--format", "json"],
        vec!["run", &request],
        vec!["stage", "plan"],
        vec!["stage", "intake", "--task", &request, "--format", "json"],
        vec!["doctor"],
        vec!["doctor", "--format", "json"],
        vec!["report"],
        vec!["report", "--format", "json"],
        vec!["artifacts", "list"],
        vec!["artifacts", "verify"],
        vec!["run", "x", "--until", KNOWN],
        vec!["run", "x", "--until", ODD, "--format", "json"],
        vec!["stage", KNOWN, "--format=json"],
        vec![KNOWN],
        vec!["-C", KNOWN, "run", "x"],
        vec!["report", ODD],
    ] {
        let (_, said) = with_keys(&env, &root, &args);
        holds_none(&format!("what {args:?} says"), &said, &secrets);
    }
    // A request the engine takes, so that the curious command runs and sees an environment.
    let (exit, said) = with_keys(&env, &root, &["run", "add a /health endpoint"]);
    assert_eq!(exit, 0, "{}", String::from_utf8_lossy(&said));
    holds_none("what a whole run says", &said, &secrets);
    let files = files_below(&root.join("artifacts"));
    let text = |ending: &str| {
        let fitting =
            files.iter().filter(|(path, _)| path.ends_with(ending)).flat_map(|(_, bytes)| bytes.clone());
        String::from_utf8_lossy(&fitting.collect::<Vec<_>>()).into_owned()
    };
    let tasks = text("task.json");
    assert!(tasks.contains("[redacted:anthropic-key]") && tasks.contains("[redacted:credential]"), "{tasks}");
    assert!(text(".log").contains("TMPDIR="), "{}", text(".log"));
    scan(&env, &root, &secrets);
    scan(&env, &env.path("service.git"), &secrets);
    scan(&env, &env.path("tmp"), &secrets);
}

#[test]
fn a_key_in_a_config_file_is_not_shown_by_its_errors() {
    let env = TestEnv::new();
    let root = env.service("service");
    for text in [
        format!("version: 1\napi_key: {KNOWN}\n"),
        format!("version: 1\n{KNOWN}: 1\n"),
        format!("version: {KNOWN}\n"),
        format!("version: 1\nsandbox:\n  seconds: {KNOWN}\n"),
        format!("version: 1\ncommands:\n  test: \"{KNOWN} | x\"\n"),
        format!("[{KNOWN}"),
    ] {
        fs::write(root.join("orch.yml"), &text).unwrap();
        for args in
            [vec!["doctor"], vec!["run", "x"], vec!["run", "x", "--format", "json"], vec!["stage", "plan"]]
        {
            let said = env.orch(&root, &args);
            holds_none(&text, [said.stdout, said.stderr].concat().as_bytes(), &[KNOWN]);
        }
    }
}

/// Waits until a file is there.
fn wait_for(path: &Path) {
    let start = Instant::now();
    while !path.exists() {
        assert!(start.elapsed() < Duration::from_mins(1), "{} did not appear", path.display());
        thread::sleep(Duration::from_millis(20));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_running_process_shows_no_key_and_leaves_none_when_it_dies() {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;

    let env = TestEnv::new();
    let root = env.service("service");
    fs::write(root.join("orch.yml"), "version: 1\ncommands:\n  test: sleep 60\n").unwrap();
    env.git(&root, &["add", "-A"]);
    env.git(&root, &["commit", "-q", "-m", "a test command that sleeps"]);
    // The shell raises the limit, then becomes the program.
    let mut command = env.command("sh", &root);
    let orch = env!("CARGO_BIN_EXE_orch");
    command.args([
        "-c",
        "ulimit -c unlimited 2>/dev/null; exec \"$0\" \"$@\"",
        orch,
        "run",
        "add a /health endpoint",
    ]);
    command.env("ANTHROPIC_API_KEY", KNOWN).env("MY_SERVICE_TOKEN", ODD);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for(&root.join("artifacts"));
    thread::sleep(Duration::from_millis(500));
    let proc = PathBuf::from(format!("/proc/{}", child.id()));
    // Readable by root only; where it is not, that is the better answer.
    if let Ok(environ) = fs::read(proc.join("environ")) {
        holds_none("environ", &environ, &[KNOWN, ODD]);
        assert!(!environ.is_empty() && environ.windows(5).any(|window| window == b"HOME="));
    }
    let open = fs::read_dir(proc.join("fd")).into_iter().flatten().flatten();
    let targets: Vec<_> = open.filter_map(|entry| fs::read_link(entry.path()).ok()).collect();
    assert!(targets.iter().all(|target| !target.to_string_lossy().contains("memfd:orch")), "{targets:?}");
    if let Ok(limits) = fs::read_to_string(proc.join("limits")) {
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(core.split_whitespace().rev().nth(2), Some("0"), "{core}");
    }
    kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGABRT).unwrap();
    let status = child.wait().unwrap();
    assert!(!std::os::unix::process::ExitStatusExt::core_dumped(&status));
    let cores = files_below(&root).into_keys().filter(|path| path.starts_with("core"));
    assert_eq!(cores.count(), 0);
    scan(&env, &root, &[KNOWN, ODD]);
}

#[cfg(target_os = "linux")]
#[test]
fn starting_again_changes_nothing_but_the_environment() {
    let env = TestEnv::new();
    let root = env.repository("empty", &[("a", "b")]);
    // Exit codes and streams of a command are those of the program without a key.
    for args in
        [vec!["--version"], vec!["stage", "nonsense"], vec!["run"], vec!["stages", "--format", "json"]]
    {
        let plain = env.orch_command(&root, &args).output().unwrap();
        let keyed = env.orch_command(&root, &args).env("ANTHROPIC_API_KEY", KNOWN).output().unwrap();
        assert_eq!(plain, keyed, "{args:?}");
    }
    // Standard input comes through, and so does the folder.
    let mut command = env.orch_command(&root, &["run", "--task-file", "-", "--dry-run", "--format", "json"]);
    command
        .env("ANTHROPIC_API_KEY", KNOWN)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"add a /health endpoint").unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("add-a-health-endpoint"), "{output:?}");
}

/// Credential helpers of git still get the tokens of forges, and no other.
#[cfg(unix)]
#[test]
fn git_gets_forge_tokens_and_no_key_of_a_model() {
    use std::os::unix::fs::PermissionsExt as _;

    let env = TestEnv::new();
    let root = env.service("service");
    let (bin, seen) = (env.path("bin"), env.path("seen"));
    fs::create_dir_all(&bin).unwrap();
    let git = Command::new("sh").args(["-c", "command -v git"]).output().unwrap();
    let git = String::from_utf8(git.stdout).unwrap();
    let script = format!("#!/bin/sh\nenv >>'{}'\nexec '{}' \"$@\"\n", seen.display(), git.trim());
    fs::write(bin.join("git"), script).unwrap();
    fs::set_permissions(bin.join("git"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = std::env::var("PATH").unwrap();
    let mut command = env.orch_command(&root, &["run", "add a /health endpoint"]);
    command.env("PATH", format!("{}:{path}", bin.display()));
    command.env("ANTHROPIC_API_KEY", KNOWN).env("GH_TOKEN", "forge-token-0123456789");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let seen = fs::read_to_string(seen).unwrap();
    assert!(seen.contains("GH_TOKEN=forge-token-0123456789"), "{seen}");
    holds_none("git's environment", seen.as_bytes(), &[KNOWN]);
}
