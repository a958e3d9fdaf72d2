//! The stages around the template engine, run as the runner runs them.

use crate::support::Forbidden;
use std::path::Path;

use orch::artifact::digest::Digest;
use orch::artifact::envelope::{Artifact, Envelope, Producer};
use orch::artifact::id::{Round, RunId};
use orch::artifact::kind::{Slot, slot};
use orch::artifact::path::RepoPath;
use orch::artifact::types::change_set::{ChangeSet, TestSet};
use orch::artifact::types::plan::Plan;
use orch::artifact::types::task::{Channel, Task};
use orch::artifact::types::verification::Verification;
use orch::config::{Config, Paths};
use orch::diagnostic::{Class, Failure as _};
use orch::engine::template::TemplateEngine;
use orch::ports::clock::FakeClock;
use orch::stage::{Inputs, Loaded, Ports, Request, Stage, StageContext, StageError};
use orch::telemetry::Silent;

use super::support::Memory;

/// A run: what was written so far.
struct Run {
    repo: Memory,
    config: Config,
    files: Vec<(Slot, Vec<u8>)>,
}

impl Run {
    fn of(repo: Memory, config: Config) -> Self {
        Self { repo, config, files: Vec::new() }
    }

    fn put<T: Artifact>(&mut self, slot: Slot, stage: &dyn Stage, body: T) {
        let envelope = Envelope {
            kind: T::KIND,
            schema: T::KIND.version(),
            run: "r1".parse().unwrap(),
            stage: stage.spec().id,
            round: Round::FIRST,
            producer: Producer::this(),
            inputs: vec![],
            body,
        };
        self.files.push((slot, envelope.to_bytes().unwrap()));
    }

    fn step(
        &self,
        stage: &dyn Stage,
        request: Option<&str>,
        round: Round,
    ) -> Result<orch::stage::Finished, StageError> {
        let (id, clock, engine): (RunId, _, _) =
            ("r1".parse().unwrap(), FakeClock::at(1_795_262_400), TemplateEngine::new(Vec::new()));
        let ports = Ports {
            clock: &clock,
            vcs: &self.repo,
            forge: &Forbidden,
            hub: None,
            observe: &orch::ports::observe::FakeObserver::default(),
            workspaces: &Forbidden,
            processes: &Forbidden,
            engine: &engine,
            models: &orch::agent::NoModels,
        };
        let request = request.map(|text| Request::to_engine("template", text, Channel::CommandLine));
        let cx = StageContext::new(stage.spec(), &id, round, &self.config, request.as_ref(), ports, &Silent);
        let mut inputs = Inputs::default();
        for input in stage.spec().inputs {
            if let Some((_, bytes)) = self.files.iter().find(|(slot, _)| *slot == input.slot) {
                let loaded =
                    Loaded { path: input.slot.path.into(), digest: Digest::of(bytes), bytes: bytes.clone() };
                inputs.insert(input.slot, loaded);
            }
        }
        assert!(stage.spec().powers().len() < 2);
        stage.run(&cx, &inputs)
    }

    fn body<T: Artifact>(
        &mut self,
        slot: Slot,
        stage: &dyn Stage,
        request: Option<&str>,
    ) -> Result<T, StageError> {
        let finished = self.step(stage, request, Round::FIRST)?;
        let found: Vec<_> = finished.outputs.iter().map(|(s, _)| *s).collect();
        let mut declared = stage.spec().outputs.to_vec();
        declared.sort_by_key(|s| s.path);
        let mut sorted = found.clone();
        sorted.sort_by_key(|s| s.path);
        assert_eq!(sorted, declared);
        for (written, output) in finished.outputs.iter() {
            if let orch::stage::Output::Body(value) = output
                && *written == slot
            {
                let body: T = serde_json::from_value(value.clone()).unwrap();
                self.put(slot, stage, serde_json::from_value::<T>(value.clone()).unwrap());
                return Ok(body);
            }
            if let orch::stage::Output::Bytes(bytes) = output {
                self.files.push((*written, bytes.clone()));
            }
        }
        panic!("no {}", slot.path)
    }
}

fn red(outcome: &str) -> Verification {
    let absent = serde_json::json!({"state": "absent", "by": "test"});
    let protection: std::collections::BTreeMap<_, _> =
        ["filesystem", "network", "processes", "privileges", "environment", "limits"]
            .map(|m| (m, &absent))
            .into();
    serde_json::from_value(serde_json::json!({
        "phase": "red", "outcome": outcome, "base": "a".repeat(40), "commands": [], "tests": [], "frozen": [],
        "probes": [], "reasons": [], "protection": protection,
    }))
    .unwrap()
}

const STAGES: (&dyn Stage, &dyn Stage, &dyn Stage, &dyn Stage) = (
    &orch::stage::intake::Intake,
    &orch::stage::plan::PlanStage,
    &orch::stage::test_write::TestWrite,
    &orch::stage::generate::Generate,
);

#[test]
fn a_request_becomes_edits_and_a_patch_git_takes() {
    let (intake, plan, test_write, generate) = STAGES;
    let mut run = Run::of(Memory::of_folder("samples/rust-service"), Config::default());
    let task: Task = run.body(slot::TASK, intake, Some("add a /health endpoint\u{200b}")).unwrap();
    assert_eq!((task.request.as_str(), task.service.as_str()), ("add a /health endpoint", "app"));
    assert_eq!(task.created_at, "2026-11-21T12:00:00Z");
    let planned: Plan = run.body(slot::PLAN, plan, None).unwrap();
    assert_eq!(planned.files.len(), 3);
    let tests: TestSet = run.body(slot::TESTS, test_write, None).unwrap();
    assert_eq!(tests.expected.len(), 2);
    assert!(matches!(run.step(generate, None, Round::FIRST), Err(StageError::MissingInput { .. })));
    run.put(slot::RED, generate, red("passed"));
    let edits: ChangeSet = run.body(slot::EDITS, generate, None).unwrap();
    let paths: Vec<&RepoPath> = edits.files.iter().map(|f| &f.path).collect();
    assert_eq!(paths.iter().map(|p| p.as_str()).collect::<Vec<_>>(), ["README.md", "src/lib.rs"]);
    let patch = &run.files.iter().find(|(s, _)| *s == slot::PATCH).unwrap().1;
    let after = run.repo.with(&tests.files).with(&edits.files);
    assert_eq!(applied(&run.repo, patch), after.files);
    assert!(matches!(run.step(generate, None, Round::FIRST.next()), Err(StageError::MissingInput { .. })));
    run.put(slot::GREEN, generate, red("failed"));
    let stuck = run.step(generate, None, Round::FIRST.next()).unwrap_err();
    assert_eq!(stuck.class(), Class::NotConverged);
}

/// Applies a patch with git, and returns the files.
fn applied(repo: &Memory, patch: &[u8]) -> std::collections::BTreeMap<String, Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    repo.write(folder.path());
    let file = folder.path().join("x.patch");
    std::fs::write(&file, patch).unwrap();
    git_apply(folder.path());
    std::fs::remove_file(file).unwrap();
    Memory::of_folder(folder.path().to_str().unwrap()).files
}

#[expect(clippy::disallowed_methods, reason = "this test runs git")]
fn git_apply(folder: &Path) {
    let said =
        std::process::Command::new("git").current_dir(folder).args(["apply", "x.patch"]).output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
}

#[test]
fn refusals_have_their_class() {
    let (intake, plan, test_write, generate) = STAGES;
    let rust = || Memory::of_folder("samples/rust-service");
    let mut run = Run::of(rust(), Config::default());
    assert_eq!(run.step(intake, None, Round::FIRST).unwrap_err().class(), Class::Usage);
    run.body::<Task>(slot::TASK, intake, Some("write a poem")).unwrap();
    assert_eq!(run.step(plan, None, Round::FIRST).unwrap_err().class(), Class::Nothing);
    // The config forbids a path, once for the tests and once for the edits.
    for (deny, stage) in [("tests/**", test_write), ("src/lib.rs", generate)] {
        let paths = Paths { deny: vec![deny.into()], ..Paths::default() };
        let mut run = Run::of(rust(), Config { paths, ..Config::default() });
        run.body::<Task>(slot::TASK, intake, Some("add a /health endpoint")).unwrap();
        run.body::<Plan>(slot::PLAN, plan, None).unwrap();
        if stage.spec().id == generate.spec().id {
            run.body::<TestSet>(slot::TESTS, test_write, None).unwrap();
            run.put(slot::RED, stage, red("passed"));
        }
        let error = run.step(stage, None, Round::FIRST).unwrap_err();
        assert!(error.class() == Class::Denied && error.to_string().contains("paths.deny"), "{error}");
    }
    // Tests that were not seen to fail get no edits.
    let mut run = Run::of(rust(), Config::default());
    run.body::<Task>(slot::TASK, intake, Some("add a /health endpoint")).unwrap();
    run.body::<Plan>(slot::PLAN, plan, None).unwrap();
    run.body::<TestSet>(slot::TESTS, test_write, None).unwrap();
    run.put(slot::RED, generate, red("failed"));
    assert_eq!(run.step(generate, None, Round::FIRST).unwrap_err().class(), Class::TestsFailed);
}
