//! A recorded run in memory, with as many rounds as asked for, that can be replayed and tampered with.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use orch::agent::NoModels;
use orch::artifact::digest::{Digest, canonical_json};
use orch::artifact::envelope::Envelope;
use orch::artifact::id::{RunId, StageId};
use orch::artifact::path::RepoPath;
use orch::artifact::store::{ArtifactStore, MemoryStore};
use orch::artifact::types::change_set::{ChangeSet, FileChange, FileMode, TestSet};
use orch::artifact::types::manifest::{Manifest, Material};
use orch::artifact::types::plan::{FileRole, Plan, PlannedFile};
use orch::artifact::types::task::{Channel, Task};
use orch::artifact::types::verification::{Ended, Verification};
use orch::config::{Command as Words, Config};
use orch::engine::template::TemplateEngine;
use orch::engine::{Engine, EngineError, Proposed, View};
use orch::pipeline::{Bounds, CHANGE, Pipeline, Walk, walk};
use orch::ports::clock::SystemClock;
use orch::ports::observe::FakeObserver;
use orch::ports::process::{Command, FakeProcesses, Outcome, outcome};
use orch::ports::vcs::{FakeRepository, VcsRead, VcsWrite};
use orch::ports::workspace::TempWorkspaces;
use orch::replay::{Comparison, Replay, ReplayError, replay};
use orch::stage::runner::Runner;
use orch::stage::{Ports, Request};
use orch::telemetry::Silent;

use crate::env::sample;

/// The template engine, which tries the same change again where the real one gives up.
pub struct Stubborn(TemplateEngine, u32);

impl Stubborn {
    pub fn new() -> Self {
        Self::wide(0)
    }

    /// Adds so many files of one line to the change.
    pub fn wide(extra: u32) -> Self {
        Self(TemplateEngine::new(Vec::new()), extra)
    }

    fn paths(&self) -> impl Iterator<Item = RepoPath> {
        (0..self.1).map(|n| format!("src/more/file-{n:04}.txt").parse().unwrap())
    }
}

impl Engine for Stubborn {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn materials(&self) -> Result<Vec<Material>, EngineError> {
        self.0.materials()
    }

    fn plan(&self, view: &View<'_>, task: &Task) -> Result<Proposed<Plan>, EngineError> {
        let mut proposed = self.0.plan(view, task)?;
        let planned = |path| PlannedFile { path, role: FileRole::Change, exists: false };
        if let Some(plan) = &mut proposed.value {
            plan.files.extend(self.paths().map(planned));
            plan.files.sort_by(|a, b| a.path.cmp(&b.path));
        }
        Ok(proposed)
    }

    fn tests(&self, view: &View<'_>, task: &Task, plan: &Plan) -> Result<TestSet, EngineError> {
        self.0.tests(view, task, plan)
    }

    fn edits(
        &self,
        view: &View<'_>,
        task: &Task,
        plan: &Plan,
        tests: &TestSet,
        _feedback: Option<&Verification>,
    ) -> Result<Proposed<ChangeSet>, EngineError> {
        let mut proposed = self.0.edits(view, task, plan, tests, None)?;
        let file = |path: RepoPath| {
            let text = format!("{path}\n").into_bytes();
            FileChange::write(path, None, text, FileMode::Regular)
        };
        if let Some(edits) = &mut proposed.value {
            edits.files.extend(self.paths().map(file));
            edits.files.sort_by(|a, b| a.path.cmp(&b.path));
        }
        Ok(proposed)
    }
}

pub fn run() -> RunId {
    "add-a-health-endpoint-0123456789ab".parse().unwrap()
}

pub fn config() -> Config {
    let mut config = Config { service: Some("greeter".parse().unwrap()), ..Config::default() };
    config.commands.test = vec![Words(vec!["cargo".into(), "test".into()])];
    config
}

pub fn repository() -> FakeRepository {
    let sample = sample();
    let files = sample.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice()));
    FakeRepository::new(files).with_remote("origin")
}

/// A repository and the run that is recorded in it.
pub struct World {
    pub repository: FakeRepository,
    pub store: MemoryStore,
    temp: tempfile::TempDir,
    /// How often the tests fail with the change before they pass.
    failures: u32,
    /// So many files are in the change besides its own.
    extra: u32,
}

impl World {
    pub fn new(failures: u32) -> Self {
        Self::wide(failures, 0)
    }

    pub fn wide(failures: u32, extra: u32) -> Self {
        Self {
            extra,
            repository: repository(),
            store: MemoryStore::default(),
            temp: tempfile::tempdir().unwrap(),
            failures,
        }
    }

    /// Walks the pipeline with a config, from and to a stage.
    pub fn walk(&self, config: &Config, from: Option<StageId>, until: Option<StageId>) -> Walk {
        let place = Place { vcs: &self.repository, store: &self.store, temp: self.temp.path() };
        place.walk((self.failures, self.extra), config, Bounds { from, until })
    }

    /// Replays what is recorded, on a fresh clone of the base.
    pub fn replay(&self) -> Result<Comparison, ReplayError> {
        replay_of(&self.store)
    }
}

/// A repository, a run folder and a place for copies.
pub struct Place<'a, V> {
    pub vcs: &'a V,
    pub store: &'a dyn ArtifactStore,
    pub temp: &'a Path,
}

impl<V: VcsRead + VcsWrite> Place<'_, V> {
    /// Walks the pipeline: how often the tests fail first, and how many files more the change has.
    pub fn walk(&self, (failures, extra): (u32, u32), config: &Config, bounds: Bounds) -> Walk {
        let workspaces = TempWorkspaces::open_in(self.vcs, self.temp).unwrap();
        let asked = AtomicU32::new(0);
        let processes = FakeProcesses::new(move |command| answer(command, &asked, failures));
        let runner = Runner {
            store: self.store,
            run: &run(),
            config,
            ports: Ports {
                clock: &SystemClock::new(None),
                vcs: self.vcs,
                forge: self.vcs,
                hub: None,
                observe: &FakeObserver::default(),
                workspaces: &workspaces,
                processes: &processes,
                engine: &Stubborn::wide(extra),
                models: &NoModels,
            },
            events: &Silent,
        };
        let request = Request::to_engine("template", "add a /health endpoint", Channel::CommandLine);
        let pipeline = Pipeline::parse(CHANGE, "(embedded)").unwrap();
        walk(&pipeline, &runner, bounds, Some(&request)).unwrap()
    }
}

pub fn replay_of(recorded: &dyn ArtifactStore) -> Result<Comparison, ReplayError> {
    let fresh = repository();
    replay(&Replay {
        run: &run(),
        recorded,
        replayed: &MemoryStore::default(),
        vcs: &fresh,
        commits: &fresh,
        engine: &|_, _| Ok(Box::new(Stubborn::new())),
        models: &NoModels,
    })
}

/// Writes a file of a stage and seals the stage again, as somebody who wants to hide the change would.
pub fn reseal(store: &dyn ArtifactStore, manifest: &str, path: &str, bytes: &[u8]) {
    store.write(path, bytes).unwrap();
    let mut envelope = Envelope::<Manifest>::from_bytes(&store.read(manifest).unwrap().unwrap()).unwrap();
    let body = &mut envelope.body;
    for file in body.records.iter_mut().chain(&mut body.link.outputs).filter(|file| file.path == path) {
        file.digest = Digest::of(bytes);
        file.bytes = bytes.len() as u64;
    }
    *body = Manifest::seal(body.link.clone(), body.records.clone(), body.timing.clone()).unwrap();
    store.write(manifest, &canonical_json(&envelope).unwrap()).unwrap();
}

/// Returns a copy of a store.
pub fn copy(of: &dyn ArtifactStore) -> MemoryStore {
    let copy = MemoryStore::default();
    for path in of.list().unwrap() {
        copy.write(&path, &of.read(&path).unwrap().unwrap()).unwrap();
    }
    copy
}

/// Answers as cargo would; where the copy has the route, the tests fail as often as they are told to first.
fn answer(command: &Command, asked: &AtomicU32, failures: u32) -> Outcome {
    let source = fs::read_to_string(command.cwd.join("src/lib.rs")).unwrap();
    let names = ["health_answers_200", "health_says_ok"];
    let started =
        format!("     Running {}/tests/health.rs (target/debug/deps/health-1)\n", command.cwd.display());
    let passes = source.contains("/health") && asked.fetch_add(1, Ordering::SeqCst) >= failures;
    let verdict = if passes { "ok" } else { "FAILED" };
    let lines = names.map(|name| format!("test {name} ... {verdict}\n")).concat();
    if passes {
        let text = format!("\nrunning 2 tests\n{lines}\ntest result: ok. 2 passed; 0 failed\n\n");
        return outcome(Ended::Exited { code: 0 }, &text, &started);
    }
    let panics = names.map(|name| {
        format!(
            "---- {name} stdout ----\n\nthread '{name}' panicked at {}/tests/health.rs:7:5:\n\
             assertion `left == right` failed\n  left: 404\n right: 200\n\n",
            command.cwd.display()
        )
    });
    let text = format!(
        "\nrunning 2 tests\n{lines}\nfailures:\n\n{}\nfailures:\n    {}\n    {}\n\ntest result: FAILED. 0 passed; 2 failed\n\n",
        panics.concat(),
        names[0],
        names[1]
    );
    outcome(Ended::Exited { code: 101 }, &text, &started)
}
