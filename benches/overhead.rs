//! What `orch` itself costs: start-up, whole runs by size of the repository, and a run with real tests.
//!
//! `cargo bench --bench overhead` prints medians, and ratios against a floor measured in the same run (`git` doing
//! comparable work on the same files), since machines are noisy. With `-- 1000 tests` it measures only these. It
//! asserts nothing: figures belong in a bench, never in a timed test.
//!
//! A **child** is a command of `orch.yml` in its sandbox (`command-finished` in the journals; setting the sandbox up
//! counts as the child's) or the `git` program (timed by this program, which stands in for it in `PATH`). The time of
//! children is taken out of `own`; `wall` has nothing taken out.
#![expect(clippy::disallowed_methods, reason = "a bench starts programs itself, and reads its own variables")]
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints, and stops at the first fault")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const ORCH: &str = env!("CARGO_BIN_EXE_orch");
const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/samples/rust-service");

/// The word that makes this program measure another one: memory is told per child, so each gets a fresh parent.
const MEASURE: &str = "--measure";
/// Where the stand-in for git finds the real one, and where it writes how long that took.
const GIT: &str = "ORCH_BENCH_GIT";
const GIT_LOG: &str = "ORCH_BENCH_GIT_LOG";

fn main() {
    let words: Vec<_> = std::env::args_os().collect();
    if Path::new(&words[0]).file_name().is_some_and(|name| name == "git") {
        stand_in_for_git(&words[1..]);
    } else if words.get(1).is_some_and(|word| word == MEASURE) {
        measure(&words[2..]);
    } else {
        bench();
    }
}

fn bench() {
    let folder = tempfile::tempdir().unwrap();
    let megabytes = Duration::from_micros(fs::metadata(ORCH).unwrap().len()).as_secs_f64();
    let cores = std::thread::available_parallelism().unwrap();
    println!("orch {}, {megabytes:.1} MB, {cores} cores", env!("CARGO_PKG_VERSION"));
    start_up();
    let bench = Bench::new(folder.path());
    let named: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let wanted = |name: &str| named.is_empty() || named.iter().any(|word| word == name);
    let mut before = None;
    for (files, rounds) in [(1_000, 11), (10_000, 5), (100_000, 3)] {
        if wanted(&files.to_string()) {
            before = Some(bench.size(files, rounds, before));
        }
    }
    if wanted("tests") {
        bench.with_tests(3);
    }
}

fn start_up() {
    let floor = median(31, || time(Command::new("git").arg("--version")));
    let own = median(31, || time(Command::new(ORCH).arg("--version")));
    println!(
        "start-up: orch --version {}, git --version {}, {:.2}x\n",
        ms(own),
        ms(floor),
        ratio(own, floor)
    );
}

struct Bench {
    folder: PathBuf,
    path: std::ffi::OsString,
    git: PathBuf,
    log: PathBuf,
}

/// One run, taken apart.
#[derive(Clone, Debug, Default)]
struct Sample {
    wall: Duration,
    commands: Vec<Duration>,
    git: Vec<Duration>,
    /// Processor time of it and everything below it: what a busy machine changes least.
    cpu: Duration,
    memory_kb: u64,
    /// The time of each stage without its commands, in the order in which they ran.
    stages: Vec<(String, Duration)>,
}

impl Sample {
    fn children(&self) -> Duration {
        self.commands.iter().chain(&self.git).sum()
    }

    fn own(&self) -> Duration {
        self.wall.saturating_sub(self.children())
    }
}

impl Bench {
    fn new(folder: &Path) -> Self {
        let path = std::env::var_os("PATH").unwrap();
        let git = std::env::split_paths(&path).map(|at| at.join("git")).find(|at| at.is_file()).unwrap();
        let stand_in = folder.join("bin");
        fs::create_dir(&stand_in).unwrap();
        let name = stand_in.join("git");
        fs::hard_link(std::env::current_exe().unwrap(), &name)
            .or_else(|_| fs::copy(std::env::current_exe().unwrap(), &name).map(drop))
            .unwrap();
        let path = std::env::join_paths([stand_in].into_iter().chain(std::env::split_paths(&path))).unwrap();
        Self { folder: folder.to_owned(), path, git, log: folder.join("git.log") }
    }

    /// Measures runs in a repository of `files` files, with one command that does nothing.
    fn size(&self, files: u32, rounds: usize, before: Option<(u32, Duration)>) -> (u32, Duration) {
        let root = self.folder.join(format!("repo-{files}"));
        fill(&root, files);
        commit(&root);
        let copy = self.folder.join("copy");
        let floor = median(rounds, || {
            let prefix = format!("--prefix={}/", copy.display());
            time(Command::new(&self.git).args(["checkout-index", "-a", &prefix]).current_dir(&root))
                + time(Command::new("rm").arg("-rf").arg(&copy))
        });
        let request = "add an MIT license for ACME";
        // The first run warms the page cache and does not count.
        let mut samples: Vec<Sample> = (0..=rounds)
            .map(|_| {
                let _ = fs::remove_dir_all(root.join("artifacts"));
                let _ = Command::new(&self.git)
                    .args(["branch", "-D", "-q"])
                    .args(branches(&root))
                    .current_dir(&root)
                    .output();
                self.run(&root, request)
            })
            .skip(1)
            .collect();
        // Its journals tell of the commands of the first run; none is run again.
        let again = median(rounds, || self.run(&root, request).wall);
        let own = middle(samples.iter().map(Sample::own).collect());
        let wall = middle(samples.iter().map(|s| s.wall).collect());
        samples.sort_by_key(Sample::own);
        let (fastest, slowest) = (samples[0].own(), samples[samples.len() - 1].own());
        let command = middle(samples.iter().flat_map(|s| s.commands.clone()).collect());
        let cpu = middle(samples.iter().map(|s| s.cpu).collect());
        let memory = samples.iter().map(|s| s.memory_kb).max().unwrap_or_default();
        println!(
            "{files} files: own {} ({}..{}), wall {}, processor {}",
            ms(own),
            ms(fastest),
            ms(slowest),
            ms(wall),
            ms(cpu)
        );
        println!(
            "  git checkout-index and rm of one copy {}, own is {:.2}x of it; peak memory {:.0} MB",
            ms(floor),
            ratio(own, floor),
            Duration::from_millis(memory).as_secs_f64() / 1.024
        );
        println!(
            "  {} commands (`true`) of {} each, sandbox included; {} git programs; the same run again, reused: own {}",
            samples[0].commands.len(),
            ms(command),
            samples[0].git.len(),
            ms(again)
        );
        if let Some((fewer, less)) = before {
            let each = own.saturating_sub(less) / (files - fewer);
            println!(
                "  from {fewer} files: {:.1}x the time for {}x the files, {each:.1?} for each more",
                ratio(own, less),
                files / fewer
            );
        }
        stages(&samples);
        (files, own)
    }

    /// Measures runs of the demo's request on its sample: tests written, seen red, seen green, judged, pushed.
    fn with_tests(&self, rounds: usize) {
        let samples: Vec<Sample> = (0..rounds)
            .map(|round| {
                let (root, remote) =
                    (self.folder.join(format!("demo-{round}")), self.folder.join(format!("remote-{round}")));
                copy_folder(Path::new(SAMPLE), &root);
                commit(&root);
                let mut git = Command::new(&self.git);
                time(git.args(["clone", "-q", "--bare", "."]).arg(&remote).current_dir(&root));
                let mut git = Command::new(&self.git);
                time(git.args(["remote", "add", "origin"]).arg(&remote).current_dir(&root));
                self.run(&root, "add a /health endpoint")
            })
            .collect();
        let of = |part: fn(&Sample) -> Duration| ms(middle(samples.iter().map(part).collect()));
        println!(
            "the demo's request, tests and push included: own {}, wall {}",
            of(Sample::own),
            of(|s| s.wall)
        );
        println!(
            "  {} commands of cargo {}; {} git programs {}",
            samples[0].commands.len(),
            of(|s| s.commands.iter().sum()),
            samples[0].git.len(),
            of(|s| s.git.iter().sum())
        );
        stages(&samples);
    }

    fn run(&self, root: &Path, request: &str) -> Sample {
        let _ = fs::remove_file(&self.log);
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg(MEASURE).arg(ORCH).args(["run", "-q", request]).current_dir(root);
        command.env("PATH", &self.path).env(GIT, &self.git).env(GIT_LOG, &self.log);
        let output = command.stdin(Stdio::null()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        let mut numbers = text.split_whitespace().map(|n| n.parse().unwrap());
        let mut sample = Sample {
            wall: Duration::from_nanos(numbers.next().unwrap()),
            cpu: Duration::from_nanos(numbers.next().unwrap()),
            memory_kb: numbers.next().unwrap(),
            ..Sample::default()
        };
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        sample.git = log.lines().map(|line| Duration::from_nanos(line.parse().unwrap())).collect();
        for run in fs::read_dir(root.join("artifacts"))
            .unwrap()
            .flatten()
            .filter(|e| e.path().join("manifest").is_dir())
        {
            read_run(&run.path(), &mut sample);
        }
        // Only this stage starts git.
        let git: Duration = sample.git.iter().sum();
        for (_, own) in sample.stages.iter_mut().filter(|(stage, _)| stage == "pr") {
            *own = own.saturating_sub(git);
        }
        sample
    }
}

/// Adds what the manifests and journals of a run tell.
fn read_run(run: &Path, sample: &mut Sample) {
    let mut timed = Vec::new();
    for manifest in fs::read_dir(run.join("manifest")).unwrap().flatten() {
        let manifest: serde_json::Value =
            serde_json::from_slice(&fs::read(manifest.path()).unwrap()).unwrap();
        let (stage, timing) = (manifest["stage"].as_str().unwrap().to_owned(), &manifest["body"]["timing"]);
        let mut own = timing["duration_ms"].as_u64().unwrap();
        let journal = fs::read_to_string(run.join(format!("events/{stage}.jsonl"))).unwrap();
        for line in journal.lines() {
            let event: serde_json::Value = serde_json::from_str(line).unwrap();
            if event["event"] == "command-finished" {
                let took = event["duration_ms"].as_u64().unwrap();
                sample.commands.push(Duration::from_millis(took));
                own = own.saturating_sub(took);
            }
        }
        timed.push((ORDER.iter().position(|s| *s == stage), stage, Duration::from_millis(own)));
    }
    timed.sort();
    sample.stages = timed.into_iter().map(|(_, stage, own)| (stage, own)).collect();
}

const ORDER: &[&str] =
    &["intake", "plan", "test-write", "verify-red", "generate", "verify-green", "policy", "pr"];

/// Prints the medians of the stages; what is left is start, chain checks, commits and the end.
fn stages(samples: &[Sample]) {
    let mut by_stage: BTreeMap<usize, (String, Vec<Duration>)> = BTreeMap::new();
    for sample in samples {
        for (at, (stage, own)) in sample.stages.iter().enumerate() {
            by_stage.entry(at).or_insert((stage.clone(), Vec::new())).1.push(*own);
        }
    }
    let rest =
        samples.iter().map(|s| s.own().saturating_sub(s.stages.iter().map(|(_, own)| *own).sum())).collect();
    let parts: Vec<String> =
        by_stage.into_values().map(|(stage, own)| format!("{stage} {}", ms(middle(own)))).collect();
    println!("  own time by stage: {}; around them {}\n", parts.join(", "), ms(middle(rest)));
}

/// Makes small files in folders of a hundred.
fn fill(root: &Path, files: u32) {
    for n in 0..files {
        let file = root.join(format!("src/part{:04}/module{n}.txt", n / 100));
        if n % 100 == 0 {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
        }
        fs::write(file, format!("line one of {n}\nline two of {n}\n").repeat(20)).unwrap();
    }
    fs::write(root.join("orch.yml"), "commands: { test: [\"true\"] }\npr: { push: false }\n").unwrap();
}

fn commit(root: &Path) {
    for words in
        [&["init", "-q", "-b", "main"][..], &["add", "-A"], &["commit", "-q", "-m", "base"], &["gc", "-q"]]
    {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=b", "-c", "user.email=b@example.invalid"]);
        git.args(["-c", "gc.auto=0", "-c", "maintenance.auto=false"]).args(words).current_dir(root);
        time(&mut git);
    }
}

/// Returns the branches that runs made.
fn branches(root: &Path) -> Vec<String> {
    let mut git = Command::new("git");
    git.args(["for-each-ref", "--format=%(refname:short)", "refs/heads"]).current_dir(root);
    let text = String::from_utf8(git.output().unwrap().stdout).unwrap();
    text.lines().filter(|name| *name != "main").map(str::to_owned).collect()
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Runs the real git and writes down how long it took.
fn stand_in_for_git(words: &[std::ffi::OsString]) -> ! {
    let start = Instant::now();
    let status = Command::new(std::env::var_os(GIT).unwrap()).args(words).status().unwrap();
    let took = start.elapsed().as_nanos();
    let mut log =
        fs::OpenOptions::new().append(true).create(true).open(std::env::var_os(GIT_LOG).unwrap()).unwrap();
    log.write_all(format!("{took}\n").as_bytes()).unwrap();
    std::process::exit(status.code().unwrap_or(1))
}

/// Runs a program and prints wall and processor time in nanoseconds and peak memory, all with what ran below it.
fn measure(words: &[std::ffi::OsString]) {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).stdin(Stdio::null()).stdout(Stdio::null());
    let start = Instant::now();
    let status = command.status().unwrap();
    let wall = start.elapsed().as_nanos();
    let (cpu, memory) = usage();
    println!("{wall} {cpu} {memory}");
    std::process::exit(status.code().unwrap_or(1));
}

/// Returns the processor time in nanoseconds and the peak memory in kB of all that ran below this process.
#[cfg(unix)]
fn usage() -> (i64, i64) {
    use nix::sys::resource::{UsageWho, getrusage};
    use nix::sys::time::TimeValLike as _;
    getrusage(UsageWho::RUSAGE_CHILDREN).map_or((0, 0), |usage| {
        ((usage.user_time() + usage.system_time()).num_nanoseconds(), usage.max_rss())
    })
}

#[cfg(not(unix))]
fn usage() -> (i64, i64) {
    (0, 0)
}

fn time(command: &mut Command) -> Duration {
    let start = Instant::now();
    let output = command.stdin(Stdio::null()).output().unwrap();
    let elapsed = start.elapsed();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    elapsed
}

fn median(rounds: usize, mut measure: impl FnMut() -> Duration) -> Duration {
    middle((0..rounds).map(|_| measure()).collect())
}

fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64()
}

fn ms(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}
