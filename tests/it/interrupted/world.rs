//! A run without the program: a repository in memory, commands by script, and a place to break at any call.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use orch::artifact::chain::Chain;
use orch::artifact::id::{CommitId, RunId, StageId, TreeId};
use orch::artifact::store::{ArtifactStore, DirStore, StoreError};
use orch::artifact::types::change_set::{ChangeSet, TestSet};
use orch::artifact::types::manifest::Material;
use orch::artifact::types::plan::Plan;
use orch::artifact::types::task::{Base, Channel, Task};
use orch::artifact::types::verification::{Ended, Protection, Verification};
use orch::config::{Command as Words, Config};
use orch::engine::template::TemplateEngine;
use orch::engine::{Engine, EngineError, Proposed, View};
use orch::pipeline::{Bounds, CHANGE, Pipeline, Walk, walk};
use orch::ports::clock::FakeClock;
use orch::ports::observe::FakeObserver;
use orch::ports::process::{Command, FakeProcesses, Outcome, ProcessError, Processes, Sandbox, outcome};
use orch::ports::vcs::{
    BranchDraft, BranchTip, CommitOutcome, ExportReport, FakeRepository, TreeEntry, VcsError, VcsRead,
    VcsWrite,
};
use orch::ports::workspace::{CleanCopy, TempWorkspaces, WorkspaceError, Workspaces};
use orch::stage::runner::{RunError, Runner};
use orch::stage::{Ports, Request};
use orch::telemetry::Silent;

use crate::env::{files_below, sample};

/// Which calls fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    None,
    VcsRead,
    VcsWrite,
    Workspaces,
    Processes,
    Engine,
}

/// A repository, a run folder and a temporary folder of one run.
pub struct World {
    folder: tempfile::TempDir,
    pub repository: FakeRepository,
    config: Config,
    engine: TemplateEngine,
}

impl World {
    pub fn new() -> Self {
        let sample = sample();
        let files = sample.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice()));
        let mut config = Config { service: Some("greeter".parse().unwrap()), ..Config::default() };
        config.commands.test = vec![Words(vec!["cargo".into(), "test".into()])];
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("tmp")).unwrap();
        Self {
            repository: FakeRepository::new(files).with_remote("origin"),
            folder,
            config,
            engine: TemplateEngine::new(Vec::new()),
        }
    }

    /// The run folder as it is on disk.
    pub fn store(&self) -> DirStore {
        DirStore::new(self.folder.path().join("run"))
    }

    /// Walks the whole pipeline on a store.
    pub fn run(&self, store: &dyn ArtifactStore, from: Option<StageId>) -> Result<Walk, RunError> {
        self.run_breaking(store, from, Port::None, usize::MAX).0
    }

    /// Walks the whole pipeline; from its `nth` call on (counted from 0), a port fails. Returns the number of calls too.
    pub fn run_breaking(
        &self,
        store: &dyn ArtifactStore,
        from: Option<StageId>,
        port: Port,
        nth: usize,
    ) -> (Result<Walk, RunError>, usize) {
        let counter = |own: Port| Breaking {
            at: if own == port { nth } else { usize::MAX },
            calls: AtomicUsize::new(0),
            world: self,
        };
        let temp = self.folder.path().join("tmp");
        let workspaces = TempWorkspaces::open_in(&self.repository, &temp).unwrap();
        let processes = FakeProcesses::new(answer);
        let (reads, writes) = (counter(Port::VcsRead), counter(Port::VcsWrite));
        let copies = Copies { breaking: counter(Port::Workspaces), inner: &workspaces };
        let commands = Commands { breaking: counter(Port::Processes), inner: &processes };
        let engine = Proposals { breaking: counter(Port::Engine), inner: &self.engine };
        let runner = Runner {
            store,
            run: &run(),
            config: &self.config,
            ports: Ports {
                clock: &FakeClock::at(1_767_225_600),
                vcs: &reads,
                forge: &writes,
                hub: None,
                observe: &FakeObserver::default(),
                workspaces: &copies,
                processes: &commands,
                engine: &engine,
                models: &orch::agent::NoModels,
            },
            events: &Silent,
        };
        let request = Request::to_engine("template", "add a /health endpoint", Channel::CommandLine);
        let pipeline = Pipeline::parse(CHANGE, "(embedded)").unwrap();
        let walked = walk(&pipeline, &runner, Bounds { from, until: None }, Some(&request));
        let calls = match port {
            Port::None => 0,
            Port::VcsRead => reads.calls(),
            Port::VcsWrite => writes.calls(),
            Port::Workspaces => copies.breaking.calls(),
            Port::Processes => commands.breaking.calls(),
            Port::Engine => engine.breaking.calls(),
        };
        (walked, calls)
    }

    /// The files of the finished run, earlier attempts left out.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let chain = Chain::read(&self.store(), &run()).unwrap();
        assert!(chain.breaks.is_empty() && chain.leftovers.is_empty(), "{:?}", chain.breaks);
        let mut files = files_below(self.store().root());
        files.retain(|path, _| !path.starts_with("attempts/"));
        files
    }

    /// What is left of clean copies.
    pub fn copies_left(&self) -> usize {
        let homes = fs::read_dir(self.folder.path().join("tmp")).unwrap();
        let entries = homes.flat_map(|home| fs::read_dir(home.unwrap().path()).unwrap());
        entries.filter(|e| e.as_ref().unwrap().file_name().to_string_lossy().starts_with("copy-")).count()
    }
}

pub fn run() -> RunId {
    "add-a-health-endpoint-0123456789ab".parse().unwrap()
}

/// Answers as cargo would: what the tests say depends on whether the copy has the route.
fn answer(command: &Command) -> Outcome {
    let source = fs::read_to_string(command.cwd.join("src/lib.rs")).unwrap();
    let names = ["health_answers_200", "health_says_ok"];
    let started = "     Running tests/health.rs (target/debug/deps/health-1)\n";
    if source.contains("/health") {
        let lines = names.map(|name| format!("test {name} ... ok\n")).concat();
        let text = format!("\nrunning 2 tests\n{lines}\ntest result: ok. 2 passed; 0 failed\n\n");
        return outcome(Ended::Exited { code: 0 }, &text, started);
    }
    let lines = names.map(|name| format!("test {name} ... FAILED\n")).concat();
    let panics = names.map(|name| {
        format!(
            "---- {name} stdout ----\n\nthread '{name}' panicked at tests/health.rs:7:5:\n\
             assertion `left == right` failed\n  left: 404\n right: 200\n\n"
        )
    });
    let text = format!(
        "\nrunning 2 tests\n{lines}\nfailures:\n\n{}\nfailures:\n    {}\n    {}\n\ntest result: FAILED. 0 passed; 2 failed\n\n",
        panics.concat(),
        names[0],
        names[1]
    );
    outcome(Ended::Exited { code: 101 }, &text, started)
}

/// A store whose process is killed at a given operation: the file at work is left half-written, and nothing comes after.
pub struct Dying {
    pub inner: DirStore,
    pub at: usize,
    pub done: AtomicUsize,
}

impl Dying {
    pub fn new(inner: DirStore, at: usize) -> Self {
        Self { inner, at, done: AtomicUsize::new(0) }
    }

    pub fn died(&self) -> bool {
        self.done.load(Ordering::SeqCst) > self.at
    }

    fn alive(&self) -> Result<(), StoreError> {
        if self.died() { Err(killed()) } else { Ok(()) }
    }

    /// Counts an operation; tells whether it is the last one.
    fn last(&self) -> Result<bool, StoreError> {
        self.alive()?;
        Ok(self.done.fetch_add(1, Ordering::SeqCst) == self.at)
    }
}

fn killed() -> StoreError {
    StoreError::Io { what: "go on", path: "killed".into(), source: ErrorKind::Interrupted.into() }
}

/// Leaves half of a file as a killed process would.
fn half(root: &Path, path: &str, bytes: &[u8]) {
    let file = root.join(format!("{path}.4194305.partial"));
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, &bytes[..bytes.len() / 2]).unwrap();
}

impl ArtifactStore for Dying {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.alive()?;
        self.inner.read(path)
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        if self.last()? {
            half(self.inner.root(), path, bytes);
            return Err(killed());
        }
        self.inner.write(path, bytes)
    }

    fn append(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        if self.last()? { Err(killed()) } else { self.inner.append(path, bytes) }
    }

    fn remove(&self, path: &str) -> Result<(), StoreError> {
        if self.last()? { Err(killed()) } else { self.inner.remove(path) }
    }

    fn list(&self) -> Result<Vec<String>, StoreError> {
        self.alive()?;
        self.inner.list()
    }

    fn sweep(&self) -> Result<(), StoreError> {
        if self.last()? { Err(killed()) } else { self.inner.sweep() }
    }

    fn preserve(&self, paths: &[String], folder: &str) -> Result<(), StoreError> {
        // As many kills as there are files: each one file further.
        for (done, path) in paths.iter().enumerate() {
            if self.last()? {
                for path in &paths[..done] {
                    if let Some(bytes) = self.inner.read(path)? {
                        self.inner.write(&format!("{folder}.partial/{path}"), &bytes)?;
                    }
                }
                let bytes = self.inner.read(path)?.unwrap_or_default();
                half(self.inner.root(), &format!("{folder}.partial/{path}"), &bytes);
                return Err(killed());
            }
        }
        self.inner.preserve(paths, folder)
    }
}

/// Counts calls, and fails from a given one on.
struct Breaking<'a> {
    at: usize,
    calls: AtomicUsize,
    world: &'a World,
}

impl Breaking<'_> {
    fn fails(&self) -> bool {
        self.calls.fetch_add(1, Ordering::SeqCst) >= self.at
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    fn vcs(&self) -> Result<&FakeRepository, VcsError> {
        if self.fails() {
            let source = std::io::Error::from(ErrorKind::PermissionDenied).into();
            return Err(VcsError::Git { what: "reach the repository".into(), source });
        }
        Ok(&self.world.repository)
    }
}

impl VcsRead for Breaking<'_> {
    fn head(&self) -> Result<Base, VcsError> {
        self.vcs()?.head()
    }
    fn entries(&self, tree: &TreeId) -> Result<std::sync::Arc<[TreeEntry]>, VcsError> {
        self.vcs()?.entries(tree)
    }
    fn file(&self, tree: &TreeId, path: &str) -> Result<Option<Vec<u8>>, VcsError> {
        self.vcs()?.file(tree, path)
    }
    fn export(&self, tree: &TreeId, folder: &Path) -> Result<ExportReport, VcsError> {
        self.vcs()?.export(tree, folder)
    }
}

impl VcsWrite for Breaking<'_> {
    fn trees(&self, draft: &BranchDraft) -> Result<Vec<TreeId>, VcsError> {
        self.vcs()?.trees(draft)
    }
    fn commit(&self, draft: &BranchDraft) -> Result<CommitOutcome, VcsError> {
        self.vcs()?.commit(draft)
    }
    fn branch(&self, name: &str) -> Result<Option<BranchTip>, VcsError> {
        self.vcs()?.branch(name)
    }
    fn remote_branch(&self, remote: &str, name: &str) -> Result<Option<CommitId>, VcsError> {
        self.vcs()?.remote_branch(remote, name)
    }
    fn remote_tip(&self, remote: &str, name: &str) -> Result<Option<BranchTip>, VcsError> {
        self.vcs()?.remote_tip(remote, name)
    }
    fn push(&self, remote: &str, name: &str, expected: Option<&CommitId>) -> Result<(), VcsError> {
        self.vcs()?.push(remote, name, expected)
    }
    fn remote_url(&self, remote: &str) -> Result<Option<String>, VcsError> {
        self.vcs()?.remote_url(remote)
    }
}

struct Copies<'a> {
    breaking: Breaking<'a>,
    inner: &'a dyn Workspaces,
}

impl Workspaces for Copies<'_> {
    fn clean_copy(&self, tree: &TreeId) -> Result<Box<dyn CleanCopy>, WorkspaceError> {
        if self.breaking.fails() {
            let source = ErrorKind::StorageFull.into();
            return Err(WorkspaceError::Io { what: "make a clean copy".into(), source });
        }
        self.inner.clean_copy(tree)
    }
}

struct Commands<'a> {
    breaking: Breaking<'a>,
    inner: &'a dyn Processes,
}

impl Processes for Commands<'_> {
    fn run(&self, command: &Command) -> Result<Outcome, ProcessError> {
        if self.breaking.fails() {
            return Err(ProcessError::Unprotected { missing: "landlock is gone".into() });
        }
        self.inner.run(command)
    }

    fn protection(&self, sandbox: &Sandbox) -> Result<Protection, ProcessError> {
        if self.breaking.fails() {
            return Err(ProcessError::Unprotected { missing: "landlock is gone".into() });
        }
        self.inner.protection(sandbox)
    }
}

struct Proposals<'a> {
    breaking: Breaking<'a>,
    inner: &'a dyn Engine,
}

impl Proposals<'_> {
    fn up(&self) -> Result<(), EngineError> {
        if self.breaking.fails() {
            return Err(EngineError::Broken { name: "health-rust".into(), why: "the file is gone".into() });
        }
        Ok(())
    }
}

impl Engine for Proposals<'_> {
    fn name(&self) -> &'static str {
        self.inner.name()
    }
    fn materials(&self) -> Result<Vec<Material>, EngineError> {
        self.up()?;
        self.inner.materials()
    }
    fn plan(&self, view: &View<'_>, task: &Task) -> Result<Proposed<Plan>, EngineError> {
        self.up()?;
        self.inner.plan(view, task)
    }
    fn tests(&self, view: &View<'_>, task: &Task, plan: &Plan) -> Result<TestSet, EngineError> {
        self.up()?;
        self.inner.tests(view, task, plan)
    }
    fn edits(
        &self,
        view: &View<'_>,
        task: &Task,
        plan: &Plan,
        tests: &TestSet,
        feedback: Option<&Verification>,
    ) -> Result<Proposed<ChangeSet>, EngineError> {
        self.up()?;
        self.inner.edits(view, task, plan, tests, feedback)
    }
}
