//! What `orch` itself costs: start-up, and a whole run with its children's time taken out.
//!
//! `cargo bench` prints medians and ratios against a floor measured in the same run (`git --version`, `git status`), since
//! machines are noisy. It asserts nothing: figures belong in a bench, never in a timed test.
#![expect(clippy::disallowed_methods, reason = "a bench starts programs itself")]
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints, and stops at the first fault")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const ORCH: &str = env!("CARGO_BIN_EXE_orch");

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let size = fs::metadata(ORCH).unwrap().len();
    println!("binary {:.1} MB", Duration::from_micros(size).as_secs_f64());
    let floor = median(21, || time(Command::new("git").arg("--version")));
    let start = median(21, || time(Command::new(ORCH).arg("--version")));
    println!(
        "start-up: orch --version {start:.1?}, git --version {floor:.1?}, ratio {:.2}",
        ratio(start, floor)
    );
    let mut last: Option<(usize, Duration)> = None;
    for files in [1_000, 10_000, 100_000] {
        let root = repository(folder.path(), files);
        let rounds = if files > 10_000 { 3 } else { 7 };
        let floor =
            median(rounds, || time(Command::new("git").args(["status", "--porcelain"]).current_dir(&root)));
        let (mut own, mut whole) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            let _ = fs::remove_dir_all(root.join("artifacts"));
            let wall = time(
                Command::new(ORCH).args(["run", "-q", "add an MIT license for ACME"]).current_dir(&root),
            );
            own.push(wall.saturating_sub(children(&root)));
            whole.push(wall);
        }
        let (own, whole) = (middle(own), middle(whole));
        let growth = last.map_or(String::new(), |(n, before)| {
            format!(", {:.1}x the time for {}x the files", ratio(own, before), files / n)
        });
        println!(
            "{files:>7} files: own {own:.1?} of {whole:.1?}, git status {floor:.1?}, ratio {:.2}, peak memory of all so far {} MB{growth}",
            ratio(own, floor),
            peak_memory_mb()
        );
        last = Some((files, own));
    }
}

/// Makes a repository of small files in folders of a hundred.
fn repository(folder: &Path, files: usize) -> std::path::PathBuf {
    let root = folder.join(format!("repo-{files}"));
    for n in 0..files {
        let file = root.join(format!("src/part{:04}/module{n}.txt", n / 100));
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, format!("line one of {n}\nline two of {n}\n").repeat(20)).unwrap();
    }
    fs::write(root.join("orch.yml"), "commands: { test: [\"true\"] }\npr: { push: false }\n").unwrap();
    for words in [&["init", "-q", "-b", "main"][..], &["add", "-A"], &["commit", "-q", "-m", "base"]] {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=b", "-c", "user.email=b@example.invalid"]).args(words).current_dir(&root);
        assert!(git.status().unwrap().success());
    }
    root
}

fn time(command: &mut Command) -> Duration {
    let start = Instant::now();
    let output = command.stdin(Stdio::null()).output().unwrap();
    let elapsed = start.elapsed();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    elapsed
}

/// Returns the time the run's commands took, as its journals tell it.
fn children(root: &Path) -> Duration {
    let mut total = 0;
    for run in fs::read_dir(root.join("artifacts")).unwrap().flatten() {
        for journal in fs::read_dir(run.path().join("events")).into_iter().flatten().flatten() {
            for line in fs::read_to_string(journal.path()).unwrap().lines() {
                let event: serde_json::Value = serde_json::from_str(line).unwrap();
                if event["event"] == "command-finished" {
                    total += event["duration_ms"].as_u64().unwrap();
                }
            }
        }
    }
    Duration::from_millis(total)
}

fn median(rounds: usize, mut measure: impl FnMut() -> Duration) -> Duration {
    middle((0..rounds).map(|_| measure()).collect())
}

fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64()
}

#[cfg(unix)]
fn peak_memory_mb() -> i64 {
    use nix::sys::resource::{UsageWho, getrusage};
    getrusage(UsageWho::RUSAGE_CHILDREN).map_or(0, |usage| usage.max_rss() / 1024)
}

#[cfg(not(unix))]
fn peak_memory_mb() -> i64 {
    0
}
