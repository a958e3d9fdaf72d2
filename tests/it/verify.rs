//! The verify stages, with real cargo projects in real folders, and with scripted commands for what is hard to provoke.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod runners;
mod world;

use orch::artifact::digest::Digest;
use orch::artifact::envelope::{Artifact, Envelope, Producer};
use orch::artifact::id::{Round, RunId, StageId};
use orch::artifact::kind::{Slot, slot};
use orch::artifact::types::change_set::{ChangeSet, ExpectedTest, FileChange, TestSet};
use orch::artifact::types::plan::{FileRole, Plan, PlannedFile};
use orch::artifact::types::task::{Assignment, Base, Channel, Requester, Task};
use orch::artifact::types::verification::{
    Ended, ProbeKind, StopReason, TestStatus, Verification, VerificationOutcome,
};
use orch::config::{Command as Words, Config};
use orch::diagnostic::Class;
use orch::ports::clock::FakeClock;
use orch::ports::observe::FakeObserver;
use orch::ports::process::{Command, Processes};
use orch::stage::verify::{VerifyGreen, VerifyRed};
use orch::stage::{Inputs, Loaded, Output, Ports, Stage, StageContext, StageResult};
use orch::telemetry::Silent;

use crate::support::Forbidden;
use world::{Answer, Copies, Direct, Files, Scripted, change, files, removal};

/// A change to verify.
struct Case {
    base: Files,
    config: Config,
    task: Task,
    plan: Plan,
    tests: TestSet,
    edits: ChangeSet,
}

/// What a stage gave.
struct Given {
    report: Verification,
    bytes: Vec<u8>,
    result: StageResult,
    files: Vec<(Slot, Vec<u8>)>,
}

impl Given {
    fn codes(&self) -> Vec<&str> {
        self.report.reasons.iter().map(|r| r.code.as_str()).collect()
    }

    fn file(&self, slot: Slot) -> String {
        let (_, bytes) = self.files.iter().find(|(s, _)| *s == slot).expect("the file was written");
        String::from_utf8(bytes.clone()).unwrap()
    }
}

fn words(text: &str) -> Words {
    Words(text.split(' ').map(str::to_owned).collect())
}

impl Case {
    fn new(base: Files, test_file: (&str, &str), expected: &[&str], edits: Vec<FileChange>) -> Self {
        let tree: orch::artifact::id::TreeId = "1".repeat(40).parse().unwrap();
        let tests = TestSet {
            base_tree: tree.clone(),
            files: vec![change(&base, test_file.0, test_file.1)],
            expected: expected
                .iter()
                .map(|name| ExpectedTest {
                    path: test_file.0.parse().unwrap(),
                    name: (*name).into(),
                    criteria: vec![],
                })
                .collect(),
            uncovered: std::collections::BTreeMap::new(),
            exempt: None,
        };
        let planned = |edit: &FileChange| PlannedFile {
            path: edit.path.clone(),
            role: FileRole::Change,
            exists: edit.before.is_some(),
        };
        let plan = Plan {
            summary: "s".into(),
            change_type: "feat".into(),
            scope: "health".parse().unwrap(),
            subject: "s".into(),
            steps: vec![],
            files: edits.iter().map(planned).collect(),
            criteria: vec![],
            risks: vec![],
            rollback: "r".into(),
            template: None,
        };
        let task = Task {
            request: "r".into(),
            title: "t".into(),
            requester: Requester::at_hand(Channel::CommandLine),
            base: Base { commit: "2".repeat(40).parse().unwrap(), tree: tree.clone(), branch: None },
            service: "demo".parse().unwrap(),
            assignment: Assignment::to_engine("template"),
            created_at: "2026-11-21T00:00:00Z".into(),
            source: None,
            review_round: None,
            follows: None,
            hidden: Vec::new(),
        };
        let mut config = Config::default();
        config.commands.test = vec![words("cargo test --offline")];
        Self { base, config, task, plan, tests, edits: ChangeSet { base_tree: tree, files: edits } }
    }

    fn red(&self, processes: &dyn Processes) -> Given {
        self.run(&VerifyRed, processes, slot::RED, None)
    }

    fn green(&self, processes: &dyn Processes, red: &Verification) -> Given {
        self.run(&VerifyGreen, processes, slot::GREEN, Some(red))
    }

    fn run(
        &self,
        stage: &dyn Stage,
        processes: &dyn Processes,
        wanted: Slot,
        red: Option<&Verification>,
    ) -> Given {
        let (run, clock, copies): (RunId, _, _) =
            ("r1".parse().unwrap(), FakeClock::at(0), Copies(self.base.clone()));
        let ports = Ports {
            clock: &clock,
            vcs: &Forbidden,
            forge: &Forbidden,
            hub: None,
            observe: &FakeObserver::default(),
            workspaces: &copies,
            processes,
            engine: &Forbidden,
            models: &orch::agent::NoModels,
        };
        let cx = StageContext::new(stage.spec(), &run, Round::FIRST, &self.config, None, ports, &Silent);
        let mut inputs = Inputs::default();
        put(&mut inputs, slot::TASK, &self.task);
        put(&mut inputs, slot::PLAN, &self.plan);
        put(&mut inputs, slot::TESTS, &self.tests);
        if let Some(red) = red {
            put(&mut inputs, slot::RED, red);
            put(&mut inputs, slot::EDITS, &self.edits);
        }
        let finished = stage.run(&cx, &inputs).unwrap();
        let written: Vec<Slot> = finished.outputs.iter().map(|(slot, _)| *slot).collect();
        let mut declared = stage.spec().outputs.to_vec();
        declared.sort_by_key(|slot| slot.path);
        assert_eq!(written, declared, "a stage writes what it declares, passed or failed");
        let files: Vec<(Slot, Vec<u8>)> = finished
            .outputs
            .iter()
            .map(|(slot, output)| match output {
                Output::Body(body) => (*slot, orch::artifact::digest::canonical_json(body).unwrap()),
                Output::Bytes(bytes) => (*slot, bytes.clone()),
            })
            .collect();
        let bytes = files.iter().find(|(slot, _)| *slot == wanted).unwrap().1.clone();
        let report: Verification = serde_json::from_slice(&bytes).unwrap();
        let failed = report.outcome == VerificationOutcome::Failed;
        assert_eq!(report.reasons.is_empty(), report.outcome == VerificationOutcome::Passed);
        assert_eq!(matches!(finished.result, StageResult::Stopped { class: Class::TestsFailed, .. }), failed);
        Given { report, bytes, result: finished.result, files }
    }
}

fn put<T: Artifact>(inputs: &mut Inputs, slot: Slot, body: &T) {
    let envelope = Envelope {
        kind: T::KIND,
        schema: T::KIND.version(),
        run: "r1".parse().unwrap(),
        stage: StageId::Plan,
        round: Round::FIRST,
        producer: Producer::this(),
        inputs: vec![],
        body: serde_json::to_value(body).unwrap(),
    };
    let bytes = orch::artifact::digest::canonical_json(&envelope).unwrap();
    inputs.insert(slot, Loaded { path: slot.path.into(), digest: Digest::of(&bytes), bytes });
}

const LIB: &str = "pub fn greet() -> &'static str {\n    \"hi\"\n}\n";
const WITH_HEALTH: &str =
    "pub fn greet() -> &'static str {\n    \"hi\"\n}\n\npub fn health() -> &'static str {\n    \"ok\"\n}\n";
const TEST: &str = "#[test]\nfn health_is_ok() {\n    assert_eq!(demo::health(), \"ok\");\n}\n";

fn crate_files() -> Files {
    let manifest = "[package]\nname = \"demo\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[workspace]\n";
    files(&[("Cargo.toml", manifest), ("src/lib.rs", LIB)])
}

fn health() -> Case {
    let base = crate_files();
    let edits = vec![change(&base, "src/lib.rs", WITH_HEALTH)];
    Case::new(base, ("tests/health.rs", TEST), &["health_is_ok"], edits)
}

#[test]
fn a_real_change_is_red_then_green_then_red_without_the_edits() {
    let mut case = health();
    case.config.commands.build = vec![words("cargo build --offline")];
    let red = case.red(&Direct);
    assert_eq!(red.report.outcome, VerificationOutcome::Passed, "{:#?}", red.report);
    assert_eq!(red.report.tests[0].status, TestStatus::Failed);
    let green = case.green(&Direct, &red.report);
    assert_eq!(green.report.outcome, VerificationOutcome::Passed, "{:#?}", green.report);
    assert_eq!(green.report.tests[0].status, TestStatus::Passed);
    let probes: Vec<_> = green.report.probes.iter().map(|p| (p.kind, p.runs, p.held)).collect();
    assert_eq!(probes, [(ProbeKind::Flake, 1, true), (ProbeKind::Revert, 1, true)]);
    let runs: Vec<&str> = green.report.commands.iter().map(|c| c.run.as_str()).collect();
    assert_eq!(runs, ["main", "main", "flake-1", "revert", "revert"]);
    let junit = green.file(slot::GREEN_JUNIT);
    assert!(junit.contains("name=\"health_is_ok\"") && junit.starts_with("<?xml"), "{junit}");
    assert!(green.file(slot::GREEN_LOG).contains("test health_is_ok ... ok"));
    // Other folders, other times: the same bytes.
    assert_eq!(case.red(&Direct).bytes, red.bytes);
    assert_eq!(case.green(&Direct, &red.report).bytes, green.bytes);
}

#[test]
fn a_test_file_that_does_not_compile_does_not_hide_another() {
    let mut case = health();
    let second = "#[test]\nfn health_is_short() {\n    assert_eq!(demo::health().len(), 2);\n}\n";
    case.tests.files.push(change(&case.base, "tests/short.rs", second));
    let short = ExpectedTest {
        path: "tests/short.rs".parse().unwrap(),
        name: "health_is_short".into(),
        criteria: vec![],
    };
    case.tests.expected.push(short);
    let red = case.red(&Direct);
    assert_eq!(red.report.outcome, VerificationOutcome::Passed, "{:#?}", red.report);
    let green = case.green(&Direct, &red.report);
    assert_eq!(green.report.outcome, VerificationOutcome::Passed, "{:#?}", green.report);
    // The second file cannot hide behind the first: it is looked at alone.
    let vacuous = "#[test]\nfn health_is_short() {}\n";
    case.tests.files[1] = change(&case.base, "tests/short.rs", vacuous);
    assert_eq!(case.red(&Direct).codes(), ["verify/already-passes"]);
}

#[test]
fn red_refuses_tests_that_prove_nothing() {
    let with = |test: &str| {
        let mut case = health();
        case.tests.files = vec![change(&case.base, "tests/health.rs", test)];
        case.red(&Direct)
    };
    for (test, code) in [
        (
            "#[test]\nfn health_is_ok() {\n    assert_eq!(demo::greet(), \"hi\");\n}\n",
            "verify/already-passes",
        ),
        ("#[test]\nfn health_is_ok() {\n    assert_eq!(demo::greet(, \"hi\");\n}\n", "verify/syntax-error"),
        (
            "use serde_json::Value;\n#[test]\nfn health_is_ok() {\n    let _: Value;\n}\n",
            "verify/environment",
        ),
        ("#[test]\nfn another() {\n    assert_eq!(demo::greet(), \"ho\");\n}\n", "verify/not-collected"),
        ("#[test]\n#[ignore]\nfn health_is_ok() {\n    panic!();\n}\n", "verify/skipped"),
    ] {
        let mut given = with(test);
        // The plan makes `src/lib.rs`, so an unknown crate may be the crate itself; a package of others is not.
        if code == "verify/environment" {
            let mut case = health();
            case.plan.files.clear();
            case.tests.files = vec![change(&case.base, "tests/health.rs", test)];
            given = case.red(&Direct);
        }
        assert_eq!(given.codes(), [code], "{test}\n{:#?}", given.report);
        let StageResult::Stopped { why, .. } = &given.result else { panic!("not stopped") };
        assert!(why.starts_with(code), "{why}");
    }
}

#[test]
fn tests_that_fail_on_the_base_are_noted_in_red_and_refused_in_green() {
    let mut case = health();
    case.base.insert(
        "tests/old.rs".into(),
        "#[test]\nfn old() {\n    assert_eq!(demo::greet(), \"ho\");\n}\n".into(),
    );
    // An assertion instead of a missing name, so that cargo can build all tests of the base.
    let base = case.base.clone();
    let test = "#[test]\nfn health_is_ok() {\n    assert_eq!(demo::greet(), \"hello\");\n}\n";
    case.tests.files = vec![change(&base, "tests/health.rs", test)];
    case.edits.files = vec![change(&base, "src/lib.rs", &LIB.replace("hi", "hello"))];
    let red = case.red(&Direct);
    assert_eq!(red.report.outcome, VerificationOutcome::Passed, "{:#?}", red.report);
    assert_eq!(red.report.other_failures, ["tests/old.rs::old"]);
    let green = case.green(&Direct, &red.report);
    assert_eq!(green.codes(), ["verify/tests-failed", "verify/base-broken"]);
}

fn exited(code: i32, out: &str) -> Answer {
    (Ended::Exited { code }, out.to_owned(), String::new())
}

const PASSES: &str = "\nrunning 1 test\ntest health_is_ok ... ok\n";
const FAILS: &str = "\nrunning 1 test\ntest health_is_ok ... FAILED\n\nfailures:\n\n---- health_is_ok stdout ----\nthread 'health_is_ok' (7) panicked at tests/health.rs:3:5:\nassertion `left == right` failed\n";

/// Red where the edits are not in the copy, green where they are.
fn honest(command: &Command, _call: usize) -> Answer {
    let lib = std::fs::read_to_string(command.cwd.join("src/lib.rs")).unwrap_or_default();
    if lib.contains("health") { exited(0, PASSES) } else { exited(101, FAILS) }
}

fn proven(case: &Case) -> Verification {
    let red = case.red(&Scripted::new(honest));
    assert_eq!(red.report.outcome, VerificationOutcome::Passed, "{:#?}", red.report);
    red.report
}

#[test]
fn green_by_anything_but_the_edits_is_refused() {
    let case = health();
    let red = proven(&case);
    let always = Scripted::new(|_: &Command, _| exited(0, PASSES));
    let green = case.green(&always, &red);
    assert_eq!(green.codes(), ["verify/revert-not-red"]);
    assert!(!green.report.probes[1].held);
    let flaky =
        Scripted::new(|c: &Command, call| if call == 2 { exited(101, FAILS) } else { honest(c, call) });
    assert_eq!(case.green(&flaky, &red).codes(), ["verify/flaky"]);
    assert_eq!(
        case.green(&Scripted::new(|_: &Command, _| exited(0, "")), &red).codes(),
        ["verify/revert-not-red"]
    );
    let silent = Scripted::new(|_: &Command, _| exited(0, "\nrunning 0 tests\n"));
    assert_eq!(case.green(&silent, &red).codes(), ["verify/not-collected"]);
}

#[test]
fn frozen_tests_may_not_change_by_edits_or_by_commands() {
    let mut case = health();
    let red = proven(&case);
    let runner = Scripted::new(honest);
    case.edits.files.push(change(&case.base, "Tests/Health.rs", "// weaker"));
    assert_eq!(case.green(&runner, &red).codes(), ["verify/frozen-changed"]);
    assert_eq!(runner.calls(), 0, "nothing runs when the edits touch the tests");
    case.edits.files.pop();
    let sly = Scripted::new(|command: &Command, call| {
        std::fs::write(command.cwd.join("tests/health.rs"), "// gone").unwrap();
        honest(command, call)
    });
    assert_eq!(case.green(&sly, &red).codes(), ["verify/frozen-changed"]);
    assert_eq!(case.red(&sly).codes(), ["verify/frozen-changed"]);
}

#[test]
fn green_counts_only_for_tests_that_were_red_here() {
    let case = health();
    let good = proven(&case);
    let runner = Scripted::new(honest);
    let spoils: [fn(&mut Verification); 5] = [
        |red| red.outcome = VerificationOutcome::Failed,
        |red| red.phase = orch::artifact::types::verification::Phase::Green,
        |red| red.base = "3".repeat(40).parse().unwrap(),
        |red| red.frozen[0].expected = Digest::of("other"),
        |red| red.tests[0].status = TestStatus::Passed,
    ];
    for spoil in spoils {
        let mut red = good.clone();
        spoil(&mut red);
        assert_eq!(case.green(&runner, &red).codes(), ["verify/not-red"]);
    }
    assert_eq!(runner.calls(), 0);
    assert_eq!(case.green(&runner, &good).report.outcome, VerificationOutcome::Passed);
}

#[test]
fn every_command_of_green_must_succeed() {
    let mut case = health();
    let red = proven(&case);
    case.config.commands.setup = vec![words("setup")];
    case.config.commands.build = vec![words("build")];
    case.config.commands.lint = vec![words("lint")];
    for (broken, codes, ran) in [
        ("setup", vec!["verify/setup-failed"], 1),
        ("build", vec!["verify/build-failed"], 2),
        ("lint", vec!["verify/lint-failed"], 4),
    ] {
        let runner = Scripted::new(move |command: &Command, call| {
            if command.argv[0] == broken { exited(1, "broken at 12:00:01") } else { honest(command, call) }
        });
        let green = case.green(&runner, &red);
        assert_eq!((green.codes(), green.report.commands.len()), (codes, ran));
        let failed = green.report.commands.iter().find(|c| !c.ended.ok()).unwrap();
        assert_eq!(failed.excerpt.as_deref(), Some("broken at <time>"));
    }
    let hangs = Scripted::new(|_: &Command, _| {
        (Ended::Stopped { why: StopReason::Deadline }, String::new(), String::new())
    });
    assert_eq!(case.green(&hangs, &red).codes(), ["verify/stopped"]);
    let absent = Scripted::new(|_: &Command, _| {
        (Ended::NotStarted { why: "no such program".into() }, String::new(), String::new())
    });
    assert_eq!(case.green(&absent, &red).codes(), ["verify/environment"]);
    case.config.commands.setup.clear();
    case.config.commands.build.clear();
    assert_eq!(case.red(&hangs).codes(), ["verify/stopped"]);
    assert_eq!(case.red(&absent).codes(), ["verify/environment"]);
}

#[test]
fn an_unknown_runner_proves_only_what_its_output_names() {
    let mut case = health();
    case.config.commands.test = vec![words("./check.sh")];
    for (output, code) in [
        ("something went wrong", "verify/unclear"),
        ("AssertionError: 1 != 2", "verify/unclear"),
        ("tests/health.rs: SyntaxError: bad", "verify/unclear"),
    ] {
        let red = case.red(&Scripted::new(move |_: &Command, _| exited(1, output)));
        assert_eq!(red.codes(), [code], "{output}");
    }
    let named = |command: &Command, call| match honest(command, call) {
        (Ended::Exited { code: 0 }, ..) => exited(0, "fine"),
        _ => exited(1, "checking tests/health.rs\nAssertionError: no health"),
    };
    let red = case.red(&Scripted::new(named));
    assert_eq!(red.report.outcome, VerificationOutcome::Passed, "{:#?}", red.report);
    assert_eq!(red.report.totals, None);
    let green = case.green(&Scripted::new(named), &red.report);
    assert_eq!(green.report.outcome, VerificationOutcome::Passed, "{:#?}", green.report);
    assert_eq!(green.report.tests[0].status, TestStatus::NotSeen, "it is not called passed");
    case.config.verify.revert_probe = false;
    assert_eq!(case.green(&Scripted::new(named), &red.report).codes(), ["verify/not-collected"]);
}

#[test]
fn without_tests_only_an_exempt_change_passes() {
    let mut case = health();
    case.config.commands.test.clear();
    let runner = Scripted::new(honest);
    assert_eq!(case.red(&runner).codes(), ["verify/no-test-command"]);
    case.config.commands.test = vec![words("cargo test")];
    case.tests.expected.clear();
    assert_eq!(case.red(&runner).codes(), ["verify/no-expected-tests"]);
    assert_eq!(runner.calls(), 0);

    case.tests.files.clear();
    case.tests.exempt = Some("only a licence is added".into());
    let red = case.red(&runner);
    assert_eq!((red.report.outcome, runner.calls()), (VerificationOutcome::Exempt, 0));
    let green = case.green(&runner, &red.report);
    assert_eq!(green.report.outcome, VerificationOutcome::Exempt, "{:#?}", green.report);
    assert_eq!(runner.calls(), 2, "the existing tests run, and once more for flakes");
    let breaks = Scripted::new(|_: &Command, _| exited(101, FAILS));
    assert_eq!(case.green(&breaks, &red.report).report.outcome, VerificationOutcome::Failed);
    case.config.commands.test.clear();
    let green = case.green(&runner, &red.report);
    assert_eq!(green.report.outcome, VerificationOutcome::Exempt);
    assert!(green.report.reasons[0].message.contains("no test was run"));

    // A runner that says there is no test yet is no failure; one that only ends the same way is.
    case.config.commands.test = vec![words("python3 -m pytest")];
    let none = Scripted::new(|_: &Command, _| exited(5, "collected 0 items\n\nno tests ran in 0.01s\n"));
    let green = case.green(&none, &red.report);
    assert_eq!(green.report.outcome, VerificationOutcome::Exempt, "{:#?}", green.report);
    assert!(green.report.reasons[0].message.contains("has no test yet"), "{:#?}", green.report);
    let other = Scripted::new(|_: &Command, _| exited(5, "make: ***\n"));
    assert_eq!(case.green(&other, &red.report).codes(), ["verify/tests-failed"]);
}

#[test]
fn the_revert_probe_puts_back_changed_created_and_removed_files() {
    let mut case = health();
    let base = case.base.clone();
    case.base.insert("old.txt".into(), "old".into());
    let all = case.base.clone();
    case.edits.files.extend([change(&base, "new.txt", "new"), removal(&all, "old.txt")]);
    let red = proven(&case);
    let watch = Scripted::new(|command: &Command, call| {
        let there = |name: &str| command.cwd.join(name).exists();
        if call <= 2 {
            assert!(there("new.txt") && !there("old.txt"));
            // What a command makes of an edited file does not matter either.
            std::fs::write(command.cwd.join("new.txt"), "formatted").unwrap();
        } else {
            assert!(!there("new.txt"));
            assert_eq!(std::fs::read_to_string(command.cwd.join("old.txt")).unwrap(), "old");
        }
        honest(command, call)
    });
    let green = case.green(&watch, &red);
    assert_eq!(green.report.outcome, VerificationOutcome::Passed, "{:#?}", green.report);
    assert_eq!(watch.calls(), 3);
}

#[test]
fn a_result_file_of_the_base_is_never_read_as_a_result() {
    let mut case = health();
    case.config.commands.test = vec![words("./check.sh")];
    let forged = "<testsuites><testsuite><testcase name=\"health_is_ok\"/></testsuite></testsuites>";
    case.base.insert("junit.xml".into(), forged.into());
    let fails = Scripted::new(|_: &Command, _| exited(1, "tests/health.rs\nAssertionError: no health"));
    assert_eq!(case.red(&fails).report.outcome, VerificationOutcome::Passed);
    let writes = Scripted::new(move |command: &Command, _| {
        std::fs::write(command.cwd.join("junit.xml"), format!("{forged}\n")).unwrap();
        exited(0, "")
    });
    assert_eq!(case.red(&writes).codes(), ["verify/already-passes"]);
}

#[cfg(unix)]
#[test]
fn a_result_file_that_is_a_link_is_not_followed() {
    let mut case = health();
    case.config.commands.test = vec![words("./check.sh")];
    let outside = tempfile::NamedTempFile::new().unwrap();
    let forged = "<testsuite><testcase name=\"health_is_ok\"/></testsuite>";
    std::fs::write(outside.path(), forged).unwrap();
    let links = Scripted::new(|command: &Command, _| {
        std::os::unix::fs::symlink(outside.path(), command.cwd.join("junit.xml")).unwrap();
        exited(0, "")
    });
    assert_eq!(case.red(&links).codes(), ["verify/unclear"]);
}
