//! Models that answer from a table, and the world they are asked in.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail anywhere, its helpers too")]

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use orch::agent::{Answer, Ask, CallFailure, Calls};
use orch::artifact::digest::Digest;
use orch::artifact::envelope::{Artifact, Envelope, Producer};
use orch::artifact::id::{Round, RunId, StageId, TreeId};
use orch::artifact::kind::{Slot, slot};
use orch::artifact::types::change_set::{ChangeSet, FileChange, FileMode, TestSet};
use orch::artifact::types::plan::{Criterion, FileRole, Plan, PlannedFile, Risk, RiskLevel};
use orch::artifact::types::task::{Assignment, Channel, Requester, Task};
use orch::artifact::types::verification::Verification;
use orch::config::Config;
use orch::diagnostic::Class;
use orch::engine::model::{ModelEngine, Setup};
use orch::engine::{Engine, EngineError, Proposed, View};
use orch::ports::clock::FakeClock;
use orch::ports::observe::FakeObserver;
use orch::ports::vcs::{FakeRepository, VcsRead as _};
use orch::stage::{Finished, Inputs, Loaded, Ports, Stage, StageContext, StageError};
use orch::telemetry::Silent;
use serde_json::{Value, json};

use crate::support::Forbidden;

/// What a model does when it is asked.
#[derive(Clone)]
pub enum Does {
    /// Answers.
    Answers(Value),
    /// Gives JSON that need not fit the form: the calls under the engine let it through.
    Says(Value),
    /// Asks for context.
    Wants(Value),
    /// Says that it cannot be done.
    Cannot(&'static str),
    /// Fails.
    Fails(Class),
}

/// Models by role: answers in order, the last one for ever.
#[derive(Default)]
pub struct Table {
    answers: Mutex<BTreeMap<String, VecDeque<Does>>>,
    pub asked: Mutex<Vec<Ask>>,
}

impl Table {
    pub fn of(rows: Vec<(&str, Vec<Does>)>) -> Self {
        let answers = rows.into_iter().map(|(step, does)| (step.to_owned(), does.into())).collect();
        Self { answers: Mutex::new(answers), asked: Mutex::default() }
    }

    pub fn asked(&self, step: &str) -> Vec<Ask> {
        self.asked.lock().unwrap().iter().filter(|ask| ask.step == step).cloned().collect()
    }

    fn next(&self, ask: &Ask) -> Does {
        let mut answers = self.answers.lock().unwrap();
        let by_role = format!("{}/{}", ask.role, ask.step);
        let key = if answers.contains_key(&by_role) { by_role } else { ask.step.clone() };
        let queue =
            answers.get_mut(&key).unwrap_or_else(|| panic!("nobody answers {} of {}", ask.step, ask.role));
        if queue.len() > 1 { queue.pop_front().unwrap() } else { queue.front().unwrap().clone() }
    }
}

impl Calls for Table {
    fn ask(&self, ask: &Ask) -> Result<Answer, CallFailure> {
        self.asked.lock().unwrap().push(ask.clone());
        let outer = |outcome: &str, reason: Value, context: Value, answer: Value| json!({ "outcome": outcome, "reason": reason, "context": context, "answer": answer });
        let value = match self.next(ask) {
            Does::Answers(answer) => outer("answer", Value::Null, Value::Null, answer),
            Does::Wants(context) => outer("need-context", Value::Null, context, Value::Null),
            Does::Cannot(why) => outer("cannot-be-done", why.into(), Value::Null, Value::Null),
            Does::Says(value) => return Ok(answer(ask, value)),
            Does::Fails(class) => {
                let declined = class == Class::NotConverged;
                let (what, help) = ("the model did not answer".into(), "h".into());
                return Err(CallFailure { class, what, help, declined });
            }
        };
        let form = jsonschema::validator_for(&ask.schema.schema).unwrap();
        if let Err(error) = form.validate(&value) {
            panic!(
                "the table's answer to {} does not fit its form: {error} at {}",
                ask.step,
                error.instance_path()
            );
        }
        Ok(answer(ask, value))
    }
}

fn answer(ask: &Ask, value: Value) -> Answer {
    let family = if ask.role == "builder" { "fake/alpha" } else { "other/beta" };
    let exchange = Digest::of(format!("{}{}{}", ask.system, ask.context, ask.prompt));
    Answer { value, model: family.into(), cost: None, exchange }
}

/// A repository, a task, a plan and tests.
pub struct World {
    pub repo: FakeRepository,
    pub tree: TreeId,
    pub task: Task,
    pub plan: Plan,
    pub tests: TestSet,
    pub setup: Setup,
    pub notes: Mutex<Vec<String>>,
    pub earlier: Option<ChangeSet>,
}

pub const README: &str = "# Shop\n\nSells things.\n";
pub const PRICE: &str = "def unit_price(total, count):\n    return total\n";
pub const TEST: &str = "def test_price():\n    assert unit_price(4, 2) == 2\n";

impl World {
    pub fn new(request: &str) -> Self {
        let repo = FakeRepository::new([
            ("README.md", README.as_bytes()),
            ("src/price.py", PRICE.as_bytes()),
            ("docs/notes.md", b"Money is in cents.\n"),
        ]);
        let base = repo.head().unwrap();
        let file = |path: &str, role, exists| PlannedFile { path: path.parse().unwrap(), role, exists };
        let tests = vec![FileChange::write(
            "tests/test_price.py".parse().unwrap(),
            None,
            TEST.into(),
            FileMode::Regular,
        )];
        let plan = Plan {
            summary: "s".into(),
            change_type: "feat".into(),
            scope: "shop".parse().unwrap(),
            subject: "do it".into(),
            steps: vec!["do".into()],
            files: vec![
                file("README.md", FileRole::Change, true),
                file("src/price.py", FileRole::Change, true),
                file("tests/test_price.py", FileRole::Test, false),
            ],
            criteria: vec![Criterion { id: "c1".into(), text: "it works".into() }],
            risks: vec![Risk { level: RiskLevel::Low, text: "little".into(), mitigation: "none".into() }],
            rollback: "git revert".into(),
            template: None,
        };
        let task = Task {
            request: request.into(),
            title: request.lines().next().unwrap_or_default().into(),
            requester: Requester::at_hand(Channel::CommandLine),
            service: "shop".parse().unwrap(),
            assignment: Assignment::to_engine("model"),
            created_at: "2026-11-21T12:00:00Z".into(),
            source: None,
            review_round: None,
            follows: None,
            hidden: Vec::new(),
            base: base.clone(),
        };
        let expected = vec![orch::artifact::types::change_set::ExpectedTest {
            path: "tests/test_price.py".parse().unwrap(),
            name: "test_price".into(),
            criteria: vec!["c1".into()],
        }];
        let tests = TestSet {
            base_tree: base.tree.clone(),
            files: tests,
            expected,
            uncovered: BTreeMap::new(),
            exempt: None,
        };
        let setup = Setup { notes: Some("docs/notes.md".parse().unwrap()), ..Setup::default() };
        let (tree, notes) = (base.tree, Mutex::default());
        Self { repo, tree, task, plan, tests, setup, notes, earlier: None }
    }

    pub fn engine(&self) -> ModelEngine {
        ModelEngine::new(self.setup.clone()).unwrap()
    }

    fn view<T>(&self, table: &Table, ask: impl FnOnce(&View<'_>) -> T) -> T {
        let note = |line: String| self.notes.lock().unwrap().push(line);
        ask(&View {
            calls: table,
            note: &note,
            vcs: &self.repo,
            tree: &self.tree,
            earlier: self.earlier.as_ref(),
        })
    }

    pub fn generate(&self, table: &Table) -> Result<Proposed<ChangeSet>, EngineError> {
        self.repair(table, None)
    }

    pub fn repair(
        &self,
        table: &Table,
        feedback: Option<&Verification>,
    ) -> Result<Proposed<ChangeSet>, EngineError> {
        let proposed = self
            .view(table, |view| self.engine().edits(view, &self.task, &self.plan, &self.tests, feedback))?;
        if let Some(edits) = &proposed.value {
            let base = |path: &str| self.repo.file(&self.tree, path);
            orch::stage::generate::check(edits, &self.plan, &self.tests, &self.tree, &base).unwrap();
        }
        Ok(proposed)
    }

    /// Runs the stage `generate` as the runner does, and returns what it hands back.
    pub fn run_stage(&self, stage: &dyn Stage, table: &Table) -> Result<Finished, StageError> {
        let (run, clock, config, engine) =
            ("r1".parse::<RunId>().unwrap(), FakeClock::at(0), Config::default(), self.engine());
        let ports = Ports {
            clock: &clock,
            vcs: &self.repo,
            forge: &Forbidden,
            hub: None,
            observe: &FakeObserver::default(),
            workspaces: &Forbidden,
            processes: &Forbidden,
            engine: &engine,
            models: &orch::agent::NoModels,
        };
        let cx = StageContext::new(stage.spec(), &run, Round::FIRST, &config, None, ports, &Silent);
        let mut inputs = Inputs::default();
        put(&mut inputs, slot::TASK, StageId::Intake, &self.task);
        put(&mut inputs, slot::PLAN, StageId::Plan, &self.plan);
        put(&mut inputs, slot::TESTS, StageId::TestWrite, &self.tests);
        put(&mut inputs, slot::RED, StageId::VerifyRed, &report("passed"));
        stage.run(&cx.with_calls(table), &inputs)
    }

    pub fn plan(&self, table: &Table) -> Result<Proposed<Plan>, EngineError> {
        self.view(table, |view| self.engine().plan(view, &self.task))
    }

    pub fn write_tests(&self, table: &Table) -> Result<TestSet, EngineError> {
        self.view(table, |view| self.engine().tests(view, &self.task, &self.plan))
    }

    pub fn said(&self) -> String {
        self.notes.lock().unwrap().join("\n")
    }
}

fn put<T: Artifact + Clone>(inputs: &mut Inputs, slot: Slot, stage: StageId, body: &T) {
    let envelope = Envelope {
        kind: T::KIND,
        schema: T::KIND.version(),
        run: "r1".parse().unwrap(),
        stage,
        round: Round::FIRST,
        producer: Producer::this(),
        inputs: Vec::new(),
        body: body.clone(),
    };
    let bytes = envelope.to_bytes().unwrap();
    inputs.insert(slot, Loaded { path: slot.path.into(), digest: Digest::of(&bytes), bytes });
}

/// A Builder's answer with replacements in one file.
pub fn replaces(path: &str, pairs: &[(&str, &str)], answers: Value) -> Does {
    let pairs: Vec<Value> = pairs.iter().map(|(f, r)| json!({ "find": f, "replace": r })).collect();
    let edit =
        json!({ "path": path, "op": "replace", "content": null, "replacements": pairs, "executable": null });
    Does::Answers(json!({ "summary": "as planned", "edits": [edit], "claims": [], "answers": answers }))
}

/// A Builder's answer that edits nothing more.
pub fn stays(answers: Value) -> Does {
    Does::Answers(json!({ "summary": "nothing to mend", "edits": [], "claims": [], "answers": answers }))
}

/// A judgement.
pub fn judges(risks: Value) -> Does {
    Does::Answers(json!({ "summary": "judged", "claims": [], "risks": risks }))
}

pub fn fixed(id: &str) -> Value {
    json!([{ "risk": id, "outcome": "fixed", "why": "done" }])
}

pub fn rejected(id: &str) -> Value {
    json!([{ "risk": id, "outcome": "rejected", "why": "it is fine" }])
}

/// A report of the green phase in which the one test fails.
pub fn report(outcome: &str) -> Verification {
    let measure = json!({ "state": "enforced", "by": "x" });
    let protection = json!({
        "filesystem": measure, "network": measure, "processes": measure, "privileges": measure,
        "environment": measure, "limits": measure,
    });
    serde_json::from_value(json!({
        "phase": "green", "outcome": outcome,
        "reasons": [{ "code": "verify/still-red", "message": "a test fails", "help": "h" }],
        "base": "a".repeat(40), "protection": protection,
        "commands": [{
            "role": "test", "run": "main", "argv": ["pytest", "-q"],
            "ended": { "how": "exited", "code": 1 }, "excerpt": "ZeroDivisionError: division by zero",
        }],
        "tests": [{ "path": "tests/test_price.py", "name": "test_price", "status": "failed" }],
        "frozen": [], "probes": [],
    }))
    .unwrap()
}
