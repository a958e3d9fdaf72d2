//! How files are found, and how soon: the tasks of a scorer answered by the real program, and what an index costs.
//!
//! `ORCH_BENCH_DATA=FOLDER ORCH_BENCH_MIRRORS=FOLDER cargo bench --bench retrieval` has `orch util retrieval` answer
//! `retrieval_tasks.jsonl` of the first folder from the bare repositories `owner+name/repo` of the second, and runs `../score.py`
//! over the answers. `ORCH_BENCH_REPO=FOLDER` names a repository with a checkout that is cloned, indexed, changed by a commit of ten
//! files and indexed again, side by side with ripgrep and with a BM25 in Python where those are there (`rg` and `python3` on
//! `PATH`). It shows processor time, since that is what other work on the machine changes least, and asserts nothing about it.
#![expect(clippy::disallowed_methods, reason = "a bench starts programs itself, and reads its own variables")]
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints, and stops at the first fault")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;

const ORCH: &str = env!("CARGO_BIN_EXE_orch");
const ROUNDS: usize = 5;
const QUERY: &str = "retry the request when the connection is refused";
const BM25: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/bm25.py");

fn main() {
    let folder = tempfile::tempdir().unwrap();
    match (std::env::var_os("ORCH_BENCH_DATA"), std::env::var_os("ORCH_BENCH_MIRRORS")) {
        (Some(data), Some(mirrors)) => tasks(Path::new(&data), Path::new(&mirrors), folder.path()),
        _ => println!(
            "SKIPPED the tasks: name them and their repositories: ORCH_BENCH_DATA, ORCH_BENCH_MIRRORS"
        ),
    }
    match std::env::var_os("ORCH_BENCH_REPO") {
        Some(repository) => speed(Path::new(&repository), folder.path()),
        None => println!("SKIPPED the cost: name a repository with a checkout: ORCH_BENCH_REPO"),
    }
}

/// Has all tasks answered, and scored where the scorer is beside.
fn tasks(data: &Path, mirrors: &Path, out: &Path) {
    let asked = data.join("retrieval_tasks.jsonl");
    let pred = out.join("orch-pred.jsonl");
    let start = Instant::now();
    let said = Command::new(ORCH)
        .args(["util", "retrieval"])
        .arg(&asked)
        .arg("--mirrors")
        .arg(mirrors)
        .stdout(fs::File::create(&pred).unwrap())
        .status();
    println!("answered in {:.1?} ({})", start.elapsed(), said.unwrap());
    let program = data.join("../score.py");
    if !program.is_file() {
        println!("SKIPPED the score: there is no score.py beside {}", data.display());
        return;
    }
    let scored =
        Command::new("python3").arg(program).args([&asked, &pred]).args(["--by", "repo", "--boot"]).output();
    match scored {
        Ok(said) => print!("{}{}", text(&said.stdout), text(&said.stderr)),
        Err(error) => println!("SKIPPED the score: python3 cannot be started: {error}"),
    }
}

/// What a program took.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
struct Cost {
    processor: Duration,
    wall: Duration,
}

/// Runs a program and returns what it took; nothing where it cannot be started.
fn cost(command: &mut Command) -> Option<(Cost, Output)> {
    let used = || {
        let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
        let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
        Duration::from_micros(micros.unsigned_abs())
    };
    let (before, start) = (used(), Instant::now());
    let said = command.stdin(Stdio::null()).output().ok()?;
    Some((Cost { processor: used().saturating_sub(before), wall: start.elapsed() }, said))
}

/// What is measured again and again, in turn.
struct Row {
    what: &'static str,
    costs: Vec<Cost>,
}

fn speed(repository: &Path, folder: &Path) {
    let clone = folder.join("clone");
    git(folder, &["clone", "-q", "--shared", &repository.display().to_string(), "clone"]);
    let files = text(&git(&clone, &["ls-files"]).stdout);
    println!("{}: {} files", repository.display(), files.lines().count());
    let names = [
        "ripgrep, one word counted in all files",
        "a BM25 in Python, the same files",
        "a first index with a request",
        "the same, of one commit without its past",
        "a request, from the cache",
        "a commit of ten files, then a request",
    ];
    let mut rows: Vec<Row> = names.iter().map(|what| Row { what, costs: Vec::new() }).collect();
    // The same tree as the only commit of a repository: contents without the past.
    let flat = folder.join("flat");
    git(folder, &["init", "-q", "flat"]);
    copy(&clone, &flat, &files);
    commit(&flat);
    for round in 0..ROUNDS {
        let cache = folder.join(format!("cache-{round}"));
        let orch = |root: &Path, cache: &Path| {
            let mut command = Command::new(ORCH);
            command.current_dir(root).args(["context", "--quiet", "--cache"]).arg(cache).arg(QUERY);
            command
        };
        let mut add = |at: usize, command: &mut Command| {
            if let Some((cost, said)) = cost(command) {
                assert!(said.status.code().is_some_and(|code| code < 2), "{}", text(&said.stderr));
                rows[at].costs.push(cost);
            }
        };
        add(0, Command::new("rg").args(["-c", "-w", "--hidden", "request"]).arg(&flat));
        add(1, Command::new("python3").arg(BM25).arg(&flat).arg(QUERY));
        add(2, &mut orch(&clone, &cache));
        add(3, &mut orch(&flat, &folder.join(format!("flat-{round}"))));
        add(4, &mut orch(&clone, &cache));
        for path in files.lines().filter(|path| is_source(path)).skip(100 * round).take(10) {
            let path = clone.join(path);
            let text = fs::read(&path).unwrap();
            fs::write(path, [&text[..], format!("\n// round {round}\n").as_bytes()].concat()).unwrap();
        }
        commit(&clone);
        add(5, &mut orch(&clone, &cache));
    }
    for row in &mut rows {
        row.costs.sort_by(|a, b| a.partial_cmp(b).unwrap());
        match (row.costs.first(), row.costs.get(row.costs.len() / 2)) {
            (Some(least), Some(middle)) => println!(
                "{:<48} processor {:>8.1?} (least {:.1?}), wall {:.1?}",
                row.what, middle.processor, least.processor, middle.wall
            ),
            _ => println!("{:<48} SKIPPED: it cannot be started", row.what),
        }
    }
}

fn is_source(path: &str) -> bool {
    let end = Path::new(path).extension().and_then(|end| end.to_str()).unwrap_or_default();
    ["go", "rs", "py", "js", "ts", "java", "php", "rb", "c", "cs", "kt"].contains(&end)
}

fn copy(from: &Path, to: &Path, files: &str) {
    for path in files.lines() {
        let (from, to): (PathBuf, PathBuf) = (from.join(path), to.join(path));
        if from.is_file() {
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(from, to).unwrap();
        }
    }
}

fn commit(root: &Path) {
    git(root, &["add", "--all", "--force"]);
    let who = ["-c", "user.name=bench", "-c", "user.email=bench@example.com"];
    git(root, &[&who[..], &["commit", "-q", "--no-verify", "-m", "feat: change ten files"]].concat());
}

fn git(root: &Path, words: &[&str]) -> Output {
    let said = Command::new("git").current_dir(root).args(words).output().unwrap();
    assert!(said.status.success(), "git {words:?}: {}", text(&said.stderr));
    said
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
