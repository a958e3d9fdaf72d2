//! orch doctor.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, as tests, panic where they must not go on"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use orch::artifact::id::TreeId;
use orch::artifact::types::change_set::{ChangeSet, TestSet};
use orch::artifact::types::manifest::Material;
use orch::artifact::types::plan::Plan;
use orch::artifact::types::task::{Base, Task};
use orch::artifact::types::verification::{Ended, Measure, MeasureState, Protection, Verification};
use orch::config::env::Environment;
use orch::config::{self, Config, Loaded};
use orch::doctor::{Patient, Report, State, look, render};
use orch::engine::{Engine, EngineError, Proposed, View};
use orch::ports::process::{Captured, Command, Outcome, ProcessError, Processes, Sandbox};
use orch::ports::vcs::{EntryKind, ExportReport, TreeEntry, VcsError, VcsRead};

/// A machine and a repository a test can break in one place.
struct World {
    root: tempfile::TempDir,
    bin: tempfile::TempDir,
    temp: tempfile::TempDir,
    branch: Option<&'static str>,
    entries: Vec<(&'static str, EntryKind)>,
    files: BTreeMap<&'static str, &'static str>,
    state: MeasureState,
    refuses: bool,
    answers: i32,
    broken_engine: bool,
    asked: std::sync::Mutex<Vec<Vec<String>>>,
}

impl World {
    fn new() -> Self {
        let world = Self {
            root: tempfile::tempdir().unwrap(),
            bin: tempfile::tempdir().unwrap(),
            temp: tempfile::tempdir().unwrap(),
            branch: Some("main"),
            entries: vec![("src/lib.rs", EntryKind::File)],
            files: BTreeMap::new(),
            state: MeasureState::Enforced,
            refuses: false,
            answers: 0,
            broken_engine: false,
            asked: std::sync::Mutex::default(),
        };
        for name in ["git", "cargo", "python3"] {
            world.program(name);
        }
        world.write("Cargo.toml", "[package]\nname='x'\n");
        world
    }

    fn program(&self, name: &str) {
        let path = self.bin.path().join(name);
        fs::write(&path, "").unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn examine<T>(&self, then: impl FnOnce(&Patient<'_>) -> T) -> T {
        let config = config::load(self.root.path(), None);
        let environment = Environment::of([("PATH", self.bin.path()), ("TMPDIR", self.temp.path())]);
        then(&Patient {
            root: self.root.path(),
            environment: &environment,
            config: config.as_ref(),
            vcs: Ok(self),
            processes: self,
            engine: Ok(self),
            artifacts: None,
        })
    }

    fn look(&self) -> Report {
        self.examine(look)
    }
}

impl VcsRead for World {
    fn head(&self) -> Result<Base, VcsError> {
        let id = "0123456789abcdef".repeat(4);
        let (commit, tree) = (id[..40].parse().unwrap(), id[..40].parse().unwrap());
        Ok(Base { commit, tree, branch: self.branch.map(str::to_owned) })
    }

    fn entries(&self, _tree: &TreeId) -> Result<std::sync::Arc<[TreeEntry]>, VcsError> {
        let entry =
            |(path, kind): &(&str, EntryKind)| TreeEntry { path: path.as_bytes().to_vec(), kind: *kind };
        // What lies at the root is committed, but for a virtual environment.
        let names =
            fs::read_dir(self.root.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        let committed: Vec<String> = names.filter(|n| self.root.path().join(n).is_file()).collect();
        let from_disk =
            committed.iter().map(|n| TreeEntry { path: n.clone().into_bytes(), kind: EntryKind::File });
        Ok(self.entries.iter().map(entry).chain(from_disk).collect())
    }

    fn file(&self, _tree: &TreeId, path: &str) -> Result<Option<Vec<u8>>, VcsError> {
        let on_disk = (!path.contains('/')).then(|| fs::read(self.root.path().join(path)).ok()).flatten();
        Ok(self.files.get(path).map(|text| text.as_bytes().to_vec()).or(on_disk))
    }

    fn export(&self, _tree: &TreeId, _folder: &Path) -> Result<ExportReport, VcsError> {
        panic!("a doctor copies nothing")
    }
}

impl Processes for World {
    fn run(&self, command: &Command) -> Result<Outcome, ProcessError> {
        assert!(command.cwd.starts_with(self.temp.path()), "questions are asked in an empty folder");
        self.asked.lock().unwrap().push(command.argv.clone());
        let text = if command.argv[0] == "git" { "git version 2.51.0\n" } else { "" };
        Ok(Outcome {
            ended: Ended::Exited { code: self.answers },
            stdout: Captured { text: text.into(), bytes: text.len() as u64 },
            stderr: Captured::default(),
            protection: self.protection(&command.sandbox)?,
            violations: Vec::new(),
            duration: Duration::ZERO,
        })
    }

    fn protection(&self, _sandbox: &Sandbox) -> Result<Protection, ProcessError> {
        if self.refuses {
            return Err(ProcessError::Unprotected { missing: "no user namespaces".into() });
        }
        let measure = Measure { state: self.state, by: "a test".into() };
        Ok(Protection::uniform(measure))
    }
}

impl Engine for World {
    fn name(&self) -> &'static str {
        "template"
    }

    fn materials(&self) -> Result<Vec<Material>, EngineError> {
        if self.broken_engine {
            return Err(EngineError::Broken { name: "health".into(), why: "no manifest".into() });
        }
        Ok(Vec::new())
    }

    fn plan(&self, _: &View<'_>, _: &Task) -> Result<Proposed<Plan>, EngineError> {
        panic!("a doctor plans nothing")
    }

    fn tests(&self, _: &View<'_>, _: &Task, _: &Plan) -> Result<TestSet, EngineError> {
        panic!("a doctor writes nothing")
    }

    fn edits(
        &self,
        _: &View<'_>,
        _: &Task,
        _: &Plan,
        _: &TestSet,
        _: Option<&Verification>,
    ) -> Result<Proposed<ChangeSet>, EngineError> {
        panic!("a doctor writes nothing")
    }
}

fn state(report: &Report, id: &str) -> State {
    report.check(id).unwrap_or_else(|| panic!("{id}: {report:#?}")).state
}

#[test]
fn a_sound_machine_can_run() {
    let world = World::new();
    let report = world.look();
    assert_eq!(report.worst(), State::Ok, "{report:#?}");
    assert!(report.can_run());
    for id in [
        "config",
        "repository",
        "git",
        "commands.build[0]",
        "commands.test[0]",
        "sandbox.network",
        "engine",
        "artifacts",
        "temp",
    ] {
        assert_eq!(state(&report, id), State::Ok, "{id}");
    }
    assert_eq!(fs::read_dir(world.root.path()).unwrap().count(), 1, "nothing is left behind");
    assert_eq!(fs::read_dir(world.temp.path()).unwrap().count(), 0, "nothing is left behind");
}

/// One thing broken at a time: which check tells, how strongly, and with which remedy.
#[test]
fn what_is_broken_is_told_with_what_it_means_and_what_to_do() {
    type Break = fn(&mut World);
    let cases: &[(&str, State, &str, Break)] = &[
        ("config", State::Missing, "sandbox", |w| w.write("orch.yml", "sandbx: 1\n")),
        ("repository", State::Warn, "Check out a branch", |w| w.branch = None),
        ("repository.shallow", State::Warn, "--unshallow", |w| w.write(".git/shallow", "x")),
        ("repository.submodules", State::Warn, "commands.setup", |w| {
            w.entries.push(("lib/x", EntryKind::Submodule));
        }),
        ("repository.lfs", State::Warn, "fetch them", |w| {
            w.entries.push(("a/.gitattributes", EntryKind::File));
            w.files.insert("a/.gitattributes", "*.bin filter=lfs diff=lfs\n");
        }),
        ("git", State::Warn, "Install git", |w| fs::remove_file(w.bin.path().join("git")).unwrap()),
        ("commands.test[0]", State::Missing, "Install `cargo`", |w| {
            fs::remove_file(w.bin.path().join("cargo")).unwrap();
        }),
        ("commands.test", State::Warn, "commands.test", |w| {
            fs::remove_file(w.root.path().join("Cargo.toml")).unwrap();
        }),
        ("commands.test[0]", State::Missing, "Write `python3`", |w| {
            w.write("orch.yml", "commands: {test: python -m pytest}\n");
        }),
        ("commands.test[0].module", State::Missing, "virtual environment", |w| {
            w.write("orch.yml", "commands: {test: python3 -m pytest}\n");
            w.answers = 1;
        }),
        ("commands.test[0]", State::Missing, "Commit run", |w| {
            w.write("orch.yml", "commands: {test: ./run x}\n");
        }),
        ("commands.setup", State::Warn, "setup_network: true", |w| {
            w.program("npm");
            w.write("package.json", r#"{"dependencies":{"x":"1"},"scripts":{"test":"x"}}"#);
            w.write("package-lock.json", "{}");
        }),
        ("sandbox.network", State::Warn, "", |w| w.state = MeasureState::Partial),
        ("sandbox.filesystem", State::Missing, "sandbox.required: false", |w| w.state = MeasureState::Absent),
        ("sandbox.filesystem", State::Warn, "code you trust", |w| {
            w.state = MeasureState::Absent;
            w.write("orch.yml", "sandbox: {required: false}\n");
        }),
        ("sandbox", State::Missing, "sandbox.required: false", |w| w.refuses = true),
        ("engine", State::Missing, "Mend the template", |w| w.broken_engine = true),
        ("artifacts", State::Missing, "artifacts.folder", |w| w.write("artifacts", "a file")),
        ("temp", State::Warn, "Free some space", |w| {
            w.write("orch.yml", "sandbox: {limits: {disk_mb: 1048576}}\n");
        }),
    ];
    for (id, expected, remedy, harm) in cases {
        let mut world = World::new();
        harm(&mut world);
        let report = world.look();
        assert_eq!(state(&report, id), *expected, "{id}: {report:#?}");
        let check = report.check(id).unwrap();
        assert!(check.fix.as_deref().unwrap_or_default().contains(remedy), "{id}: {check:?}");
        assert!(check.means.is_some(), "{id}: {check:?}");
        assert_eq!(report.can_run(), *expected != State::Missing, "{id}: {report:#?}");
    }
}

#[test]
fn commands_below_the_root_are_found_in_the_repository_or_left_to_setup() {
    let mut world = World::new();
    world.files.insert("run.sh", "");
    world.write(".venv/bin/python", "not committed");
    world
        .write("orch.yml", "commands: {setup: cargo x, build: ./run.sh, test: .venv/bin/python -m pytest}\n");
    let report = world.look();
    assert!(report.check("commands.build[0]").unwrap().what.contains("is committed"));
    assert!(report.check("commands.test[0]").unwrap().what.contains("made by `commands.setup`"));
    assert!(
        world.asked.lock().unwrap().iter().all(|words| words[0] != ".venv/bin/python"),
        "it is not there yet"
    );
}

#[test]
fn what_is_not_committed_is_not_detected() {
    let world = World::new();
    fs::rename(world.root.path().join("Cargo.toml"), world.root.path().join("x")).unwrap();
    world.write("sub/Cargo.toml", "[package]\nname='x'\n");
    assert_eq!(state(&world.look(), "commands.test"), State::Warn);
}

#[test]
fn without_a_repository_everything_else_is_still_looked_at() {
    let world = World::new();
    let error = VcsError::NotARepository { folder: "here".into() };
    let report = world.examine(|patient| look(&Patient { vcs: Err(&error), ..*patient }));
    assert_eq!(state(&report, "repository"), State::Missing);
    assert_eq!(state(&report, "temp"), State::Ok);
    assert!(!report.can_run());
}

#[test]
fn the_table_reads_well_and_the_json_says_the_same() {
    let world = World::new();
    world.write("orch.yml", "service: x\n");
    let mut world = world;
    world.branch = None;
    world.state = MeasureState::Partial;
    let report = world.look();
    let mut table = Vec::new();
    render::human(&report, &mut table).unwrap();
    let table = String::from_utf8(table).unwrap();
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(&regex_escape(world.bin.path()), "[bin]");
    settings.add_filter(&regex_escape(world.temp.path()), "[temp]");
    settings.add_filter(r"\d+ MiB", "[n] MiB");
    settings.bind(|| insta::assert_snapshot!("doctor_table", table));

    let mut json = Vec::new();
    render::json(&report, &mut json).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["can_run"], true);
    assert_eq!(json["checks"].as_array().unwrap().len(), report.checks.len());
    assert!(
        json["checks"].as_array().unwrap().iter().any(|c| c["state"] == "warn" && c["means"].is_string())
    );
}

fn regex_escape(path: &Path) -> String {
    regex::escape(path.to_str().unwrap())
}

#[test]
fn the_defaults_need_no_file() {
    let world = World::new();
    let loaded = config::load(world.root.path(), None).unwrap();
    assert_eq!(loaded, Loaded { config: Config::default(), path: None, digest: loaded.digest.clone() });
    assert!(world.look().check("config").unwrap().what.contains("no orch.yml"));
}
