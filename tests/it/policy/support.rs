//! A good change to start from, and a world that has nothing but a base tree.

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::Forbidden;
use orch::artifact::digest::Digest;
use orch::artifact::envelope::{Artifact, Envelope, Producer};
use orch::artifact::id::{Round, RunId, StageId, TreeId};
use orch::artifact::kind::{Slot, slot};
use orch::artifact::types::change_set::{ChangeSet, FileChange, FileMode, FileOp, TestSet};
use orch::artifact::types::plan::Plan;
use orch::artifact::types::policy_input::PolicyInput;
use orch::artifact::types::task::{Base, Task};
use orch::artifact::types::verdict::Verdict;
use orch::artifact::types::verification::Verification;
use orch::config::Config;
use orch::ports::clock::FakeClock;
use orch::ports::observe::FakeObserver;
use orch::ports::vcs::{EntryKind, ExportReport, TreeEntry, VcsError, VcsRead};
use orch::stage::policy::{PolicyStage, SPEC};
use orch::stage::{Finished, Inputs, Loaded, Ports, Stage, StageContext, StageError};
use orch::telemetry::Silent;
use serde_json::{Value, json};

pub const COMMIT: &str = "1111111111111111111111111111111111111111";
pub const TREE: &str = "2222222222222222222222222222222222222222";
pub const TEST: &str = "def test_health():\n    assert client.get(\"/health\").status_code == 200\n";

/// A base tree in memory.
#[derive(Default)]
pub struct Tree {
    pub files: BTreeMap<String, Vec<u8>>,
    pub links: Vec<String>,
}

impl VcsRead for Tree {
    fn head(&self) -> Result<Base, VcsError> {
        Ok(Base { commit: COMMIT.parse().unwrap(), tree: TREE.parse().unwrap(), branch: None })
    }

    fn entries(&self, tree: &TreeId) -> Result<std::sync::Arc<[TreeEntry]>, VcsError> {
        assert_eq!(tree.as_str(), TREE, "rules come from the base");
        let entry = |path: &String, kind| TreeEntry { path: path.as_bytes().to_vec(), kind };
        let files = self.files.keys().map(|path| entry(path, EntryKind::File));
        Ok(files.chain(self.links.iter().map(|path| entry(path, EntryKind::Link))).collect())
    }

    fn file(&self, tree: &TreeId, path: &str) -> Result<Option<Vec<u8>>, VcsError> {
        assert_eq!(tree.as_str(), TREE, "contents come from the base");
        Ok(self.files.get(path).cloned())
    }

    fn export(&self, _: &TreeId, _: &Path) -> Result<ExportReport, VcsError> {
        unreachable!("policy writes no copy")
    }
}

/// A change to judge: the base, the config, the files, and a JSON merge patch over the artifacts made of them.
pub struct Case {
    pub tree: Tree,
    pub config: Config,
    pub tests: Vec<FileChange>,
    pub edits: Vec<FileChange>,
    pub patch: Value,
}

impl Default for Case {
    fn default() -> Self {
        let mut case = Self {
            tree: Tree::default(),
            config: Config::default(),
            tests: Vec::new(),
            edits: Vec::new(),
            patch: json!({}),
        };
        case.base("app.py", "app = App()\n");
        case.tests.push(case.written("tests/test_health.py", TEST.into()));
        case.edits.push(case.written("app.py", b"app = App()\napp.get(\"/health\", lambda: {})\n".into()));
        case
    }
}

impl Case {
    pub fn base(&mut self, path: &str, text: &str) {
        self.tree.files.insert(path.into(), text.into());
    }

    pub fn written(&self, path: &str, bytes: Vec<u8>) -> FileChange {
        let before = self.tree.files.get(path).map(Vec::as_slice);
        FileChange::write(path.parse().unwrap(), before, bytes, FileMode::Regular)
    }

    pub fn edit(&mut self, path: &str, text: &str) {
        let change = self.written(path, text.into());
        self.edits.push(change);
    }

    pub fn delete(&mut self, path: &str) {
        let before = Some(Digest::of(&self.tree.files[path]));
        let path = path.parse().unwrap();
        let (op, mode) = (FileOp::Delete, FileMode::Regular);
        self.edits.push(FileChange { path, op, mode, before, after: None, content: None });
    }

    /// The artifacts, by slot path.
    pub fn artifacts(&self) -> BTreeMap<&'static str, Value> {
        let measure = json!({"state": "enforced", "by": "landlock"});
        let protection: Value = ["filesystem", "network", "processes", "privileges", "environment", "limits"]
            .into_iter()
            .map(|name| (name.to_owned(), measure.clone()))
            .collect::<serde_json::Map<_, _>>()
            .into();
        let command =
            json!({"role": "test", "run": "main", "argv": ["pytest"], "ended": {"how": "exited", "code": 1}});
        let test = json!({"path": "tests/test_health.py", "name": "test_health"});
        let verification = |phase: &str, test: Value, frozen: Value, probes: Value| {
            json!({
                "phase": phase, "outcome": "passed", "reasons": [], "base": COMMIT, "protection": protection,
                "commands": [command], "tests": [test], "frozen": frozen, "probes": probes,
            })
        };
        let with = |more: Value| {
            let mut test = test.clone();
            merge(&mut test, &more);
            test
        };
        let frozen: Vec<_> = self
            .tests
            .iter()
            .filter(|f| f.after.is_some())
            .map(|f| json!({"path": f.path, "expected": f.after, "found": f.after}))
            .collect();
        let probe = |kind| json!({"kind": kind, "runs": 1, "held": true, "message": "as it should be"});
        let planned = |files: &[FileChange], role: &str| -> Vec<Value> {
            files
                .iter()
                .map(|f| json!({"path": f.path, "role": role, "exists": f.before.is_some()}))
                .collect()
        };
        let files = [planned(&self.tests, "test"), planned(&self.edits, "change")].concat();
        let mut all = json!({
            "task.json": {
                "request": "add a /health endpoint", "title": "add a /health endpoint",
                "requester": {"channel": "command-line", "trust": "owner"},
                "base": {"commit": COMMIT, "tree": TREE, "branch": "main"},
                "service": "shop", "assignment": {"engine": "template"}, "created_at": "2026-11-21T12:00:00Z",
            },
            "plan.json": {
                "summary": "A health endpoint.", "change_type": "feat", "scope": "health",
                "subject": "add a health endpoint", "steps": ["add the route"],
                "files": files,
                "criteria": [{"id": "c1", "text": "GET /health answers 200"}],
                "risks": [{"level": "low", "text": "none to speak of", "mitigation": "a test"}],
                "rollback": "Revert the commits.",
            },
            "tests.json": {
                "base_tree": TREE, "files": self.tests,
                "expected": [{"path": "tests/test_health.py", "name": "test_health", "criteria": ["c1"]}],
            },
            "build-test/red.json":
                verification("red", with(json!({"status": "failed", "class": "missing-behaviour"})), json!([]), json!([])),
            "edits.json": {"base_tree": TREE, "files": self.edits},
            "build-test/report.json": verification(
                "green", with(json!({"status": "passed"})), json!(frozen), json!([probe("revert"), probe("flake")]),
            ),
        });
        merge(&mut all, &self.patch);
        [slot::TASK, slot::PLAN, slot::TESTS, slot::RED, slot::EDITS, slot::GREEN]
            .into_iter()
            .map(|slot| (slot.path, all[slot.path].clone()))
            .collect()
    }

    pub fn inputs(&self) -> Inputs {
        let artifacts = self.artifacts();
        let mut inputs = Inputs::default();
        let mut put = |slot: Slot, bytes: Vec<u8>| {
            inputs.insert(slot, Loaded { path: slot.path.into(), digest: Digest::of(&bytes), bytes });
        };
        put(slot::TASK, envelope::<Task>(StageId::Intake, &artifacts[slot::TASK.path]));
        put(slot::PLAN, envelope::<Plan>(StageId::Plan, &artifacts[slot::PLAN.path]));
        put(slot::TESTS, envelope::<TestSet>(StageId::TestWrite, &artifacts[slot::TESTS.path]));
        put(slot::RED, envelope::<Verification>(StageId::VerifyRed, &artifacts[slot::RED.path]));
        put(slot::EDITS, envelope::<ChangeSet>(StageId::Generate, &artifacts[slot::EDITS.path]));
        put(slot::GREEN, envelope::<Verification>(StageId::VerifyGreen, &artifacts[slot::GREEN.path]));
        inputs
    }

    pub fn run(&self) -> Result<Finished, StageError> {
        self.with_context(|cx| PolicyStage.run(cx, &self.inputs()))
    }

    pub fn with_context<T>(&self, f: impl FnOnce(&StageContext<'_>) -> T) -> T {
        let run: RunId = "r1".parse().unwrap();
        let clock = FakeClock::at(0);
        let ports = Ports {
            clock: &clock,
            vcs: &self.tree,
            forge: &Forbidden,
            hub: None,
            observe: &FakeObserver::default(),
            workspaces: &Forbidden,
            processes: &Forbidden,
            engine: &Forbidden,
            models: &orch::agent::NoModels,
        };
        f(&StageContext::new(&SPEC, &run, Round::FIRST, &self.config, None, ports, &Silent))
    }

    pub fn verdict(&self) -> Verdict {
        output(&self.run().unwrap(), slot::VERDICT)
    }

    pub fn input(&self) -> PolicyInput {
        output(&self.run().unwrap(), slot::POLICY_INPUT)
    }
}

pub fn output<T: Artifact>(finished: &Finished, slot: Slot) -> T {
    let found = finished.outputs.iter().find(|(s, _)| *s == slot).expect("every output is there");
    let orch::stage::Output::Body(body) = &found.1 else { panic!("a JSON artifact") };
    serde_json::from_value(body.clone()).unwrap()
}

fn envelope<T: Artifact>(stage: StageId, body: &Value) -> Vec<u8> {
    let body: T = serde_json::from_value(body.clone()).unwrap_or_else(|e| panic!("{stage}: {e}"));
    let envelope = Envelope {
        kind: T::KIND,
        schema: T::KIND.version(),
        run: "r1".parse().unwrap(),
        stage,
        round: Round::FIRST,
        producer: Producer::this(),
        inputs: Vec::new(),
        body,
    };
    envelope.to_bytes().unwrap()
}

/// JSON merge patch (RFC 7396).
pub fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (key, value) in patch {
        if value.is_null() {
            target.as_object_mut().unwrap().remove(key);
        } else {
            merge(&mut target[key], value);
        }
    }
}

/// The verdict as a person would list it.
pub fn listed(verdict: &Verdict) -> String {
    use std::fmt::Write as _;
    let mut text = format!("{}\n", name(&verdict.decision));
    for f in &verdict.findings {
        let line = f.line.map(|line| format!(":{line}")).unwrap_or_default();
        let place = f.path.as_ref().map(|path| format!(" {path}{line}")).unwrap_or_default();
        let _ = writeln!(text, "\n[{}] {}{place}\n  {}\n  -> {}", name(&f.effect), f.code, f.message, f.help);
    }
    text
}

fn name(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).unwrap().as_str().unwrap().to_owned()
}
