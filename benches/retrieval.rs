//! How files are found, and how soon: the tasks of a scorer answered by the real program, and what an index costs.
//!
//! `ORCH_BENCH_DATA=FOLDER ORCH_BENCH_MIRRORS=FOLDER cargo bench --bench retrieval` has `orch util retrieval` answer
//! `retrieval_tasks.jsonl` of the first folder from the bare repositories `owner+name/repo` of the second, and runs `../score.py`
//! over the answers. `ORCH_BENCH_REPO=FOLDER` names a repository with a checkout that is cloned, indexed, changed by a commit of ten
//! files and indexed again, side by side with ripgrep and with a BM25 in Python where those are there (`rg` and `python3` on
//! `PATH`). `ORCH_BENCH_LARGE=FOLDER` names a repository of which only requests are measured. It shows processor time, since
//! that is what other work on the machine changes least, and asserts nothing about it.
#![expect(clippy::disallowed_methods, reason = "a bench starts programs itself, and reads its own variables")]
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints, and stops at the first fault")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use orch::index::Index;
use orch::ports::vcs::{GitRepository, VcsRead as _};

const ORCH: &str = env!("CARGO_BIN_EXE_orch");
const ROUNDS: usize = 5;
const QUERY: &str = "retry the request when the connection is refused";
/// Requests that are asked one after the other of an index in memory.
const QUERIES: [&str; 5] = [
    QUERY,
    "fix: a panic in the parser when the configuration file is empty",
    "add an option to print the version of the plugin and exit",
    "cache: evict entries that were not read for a day, and log how many went",
    "Rename the handler of the session token and update the tests for the login form",
];
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
    match std::env::var_os("ORCH_BENCH_LARGE") {
        Some(repository) => large(Path::new(&repository), folder.path()),
        None => println!("SKIPPED a large repository: name one: ORCH_BENCH_LARGE"),
    }
}

/// Makes the index of a large repository, then has it asked as a process and in memory.
fn large(repository: &Path, folder: &Path) {
    let cache = folder.join("large");
    let mut rows = [
        Row { what: "a first index with a request", costs: Vec::new() },
        Row { what: "a request, from the cache", costs: Vec::new() },
    ];
    for round in 0..ROUNDS {
        let mut command = Command::new(ORCH);
        command.current_dir(repository).args(["context", "--quiet", "--cache"]).arg(&cache).arg(QUERY);
        rows[usize::from(round > 0)].costs.extend(cost(&mut command).map(|(cost, _)| cost));
    }
    rows.iter_mut().for_each(Row::show);
    requests(repository, &cache);
}

/// Asks an index in memory, as a run does that asks more than once.
fn requests(repository: &Path, cache: &Path) {
    let vcs = GitRepository::open(repository).unwrap();
    let commit = vcs.head().unwrap().commit;
    let index = Index::open(&vcs.past(), &commit, Some(cache)).unwrap();
    index.rank(QUERY, 20);
    let mut row = Row { what: "a request alone, the index in memory", costs: Vec::new() };
    for query in QUERIES.iter().cycle().take(4 * QUERIES.len()) {
        let (before, start) = (used(UsageWho::RUSAGE_SELF), Instant::now());
        index.rank(query, 20);
        let processor = used(UsageWho::RUSAGE_SELF).saturating_sub(before);
        row.costs.push(Cost { processor, wall: start.elapsed() });
    }
    println!("{} files", index.told().files);
    row.show();
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

/// Returns the processor time that was used up to now.
fn used(who: UsageWho) -> Duration {
    let usage = getrusage(who).unwrap();
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Duration::from_micros(micros.unsigned_abs())
}

/// Runs a program and returns what it took; nothing where it cannot be started.
fn cost(command: &mut Command) -> Option<(Cost, Output)> {
    let (before, start) = (used(UsageWho::RUSAGE_CHILDREN), Instant::now());
    let said = command.stdin(Stdio::null()).output().ok()?;
    let processor = used(UsageWho::RUSAGE_CHILDREN).saturating_sub(before);
    Some((Cost { processor, wall: start.elapsed() }, said))
}

/// What is measured again and again, in turn.
struct Row {
    what: &'static str,
    costs: Vec<Cost>,
}

impl Row {
    /// Prints the median by processor time, the least, and the times on the clock.
    fn show(&mut self) {
        self.costs.sort_by(|a, b| a.partial_cmp(b).unwrap());
        let mut walls: Vec<Duration> = self.costs.iter().map(|cost| cost.wall).collect();
        walls.sort_unstable();
        match (self.costs.first(), self.costs.get(self.costs.len() / 2)) {
            (Some(least), Some(middle)) => println!(
                "{:<48} processor {:>8.1?} (least {:.1?}), wall {:.1?} (least {:.1?})",
                self.what,
                middle.processor,
                least.processor,
                walls[walls.len() / 2],
                walls[0]
            ),
            _ => println!("{:<48} SKIPPED: it cannot be started", self.what),
        }
    }
}

fn speed(repository: &Path, folder: &Path) {
    let clone = folder.join("clone");
    git(folder, &["clone", "-q", "--shared", &repository.display().to_string(), "clone"]);
    let files = text(&git(&clone, &["ls-files"]).stdout);
    println!("{}: {} files", repository.display(), files.lines().count());
    let names = [
        "ripgrep, one word counted in all files",
        "a BM25 in Python, parts of names",
        "a BM25 in Python, the words that orch counts",
        "the same, indexed by rank_bm25",
        "a first index with a request",
        "the same, of one commit without its past",
        "a request, from the cache",
        "a commit of ten files, then a request",
        "the start of the program alone",
    ];
    let mut rows: Vec<Row> = names.iter().map(|what| Row { what, costs: Vec::new() }).collect();
    // The same tree as the only commit of a repository: contents without the past.
    let flat = folder.join("flat");
    git(folder, &["init", "-q", "flat"]);
    copy(&clone, &flat, &files);
    commit(&flat);
    // As a clone has it: a commit leaves a file for each content.
    git(&flat, &["repack", "-adq"]);
    let has_okapi = Command::new("python3").args(["-c", "import rank_bm25"]).output();
    let has_okapi = has_okapi.is_ok_and(|said| said.status.success());
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
        let python = |words: &[&str]| {
            let mut command = Command::new("python3");
            command.arg(BM25).args(words).arg(&flat).arg(QUERY);
            command
        };
        add(1, &mut python(&[]));
        add(2, &mut python(&["--names"]));
        if has_okapi {
            add(3, &mut python(&["--names", "--okapi"]));
        }
        add(4, &mut orch(&clone, &cache));
        add(5, &mut orch(&flat, &folder.join(format!("flat-{round}"))));
        add(6, &mut orch(&clone, &cache));
        for path in files.lines().filter(|path| is_source(path)).skip(100 * round).take(10) {
            let path = clone.join(path);
            let text = fs::read(&path).unwrap();
            fs::write(path, [&text[..], format!("\n// round {round}\n").as_bytes()].concat()).unwrap();
        }
        commit(&clone);
        add(7, &mut orch(&clone, &cache));
        add(8, Command::new(ORCH).arg("--version"));
    }
    rows.iter_mut().for_each(Row::show);
    requests(&clone, &folder.join(format!("cache-{}", ROUNDS - 1)));
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
