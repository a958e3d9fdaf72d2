//! The decisions, on recorded output of real runners.

use std::path::Path;

use super::*;
use crate::artifact::types::change_set::{FileChange, FileMode};
use crate::artifact::types::plan::{FileRole, Plan, PlannedFile};
use crate::artifact::types::verification::{MeasureState, StopReason};
use crate::stage::verify::protection::tests::all;
use crate::stage::verify::runner::{Printed, read};

fn known(files: &[&str]) -> Known {
    let file =
        |path: &&str| PlannedFile { path: path.parse().unwrap(), role: FileRole::Change, exists: false };
    let plan = Plan {
        summary: String::new(),
        change_type: "feat".into(),
        scope: "health".parse().unwrap(),
        subject: String::new(),
        steps: vec![],
        files: files.iter().map(file).collect(),
        criteria: vec![],
        risks: vec![],
        rollback: String::new(),
        template: None,
    };
    Known::new(&plan, false)
}

fn set(path: &str, names: &[&str]) -> TestSet {
    let expected =
        |name: &&str| ExpectedTest { path: path.parse().unwrap(), name: (*name).into(), criteria: vec![] };
    TestSet {
        base_tree: "1".repeat(40).parse().unwrap(),
        files: vec![FileChange::write(path.parse().unwrap(), None, vec![], FileMode::Regular)],
        expected: names.iter().map(expected).collect(),
        uncovered: BTreeMap::new(),
        exempt: None,
    }
}

fn ran(role: CommandRole, ended: Ended, stdout: &str, stderr: &str, junit: &[String]) -> Ran {
    let parsed = read(&Printed { argv: &[], stdout, stderr, junit });
    Ran {
        role,
        run: "main".into(),
        argv: vec!["check".into()],
        ended,
        violations: vec![],
        stdout: stdout.into(),
        stderr: stderr.into(),
        parsed,
        protection: all(MeasureState::Enforced),
        duration: Duration::ZERO,
    }
}

fn exited(code: i32) -> Ended {
    Ended::Exited { code }
}

/// Takes a recorded run.
fn recorded(runner: &str, case: &str) -> Ran {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/verify").join(runner).join(case);
    let text = |end: &str| {
        let name = format!("{}.{end}", file.display());
        std::fs::read_to_string(name).ok()
    };
    let copy = Path::new("/tmp/copy");
    let code = text("exit").expect("a recorded run").trim().parse().unwrap();
    let [out, err] = ["out", "err"].map(|end| excerpt::portable(&text(end).unwrap_or_default(), copy));
    let junit: Vec<String> = text("xml").map(|xml| excerpt::portable_xml(&xml, copy)).into_iter().collect();
    ran(CommandRole::Test, exited(code), &out, &err, &junit)
}

fn codes(reasons: &[Reason]) -> Vec<&str> {
    reasons.iter().map(|r| r.code.as_str()).collect()
}

const RED: &str = "";

#[test]
fn recorded_runs_are_red_or_refused() {
    let files = ["service/health.py", "health.js"];
    let (py, flat) = (("tests/test_health.py", "test_health"), ("test_health.py", "test_health"));
    let (rs, js) = (("tests/health.rs", "health_returns_ok"), ("tests/health.test.js", "returns ok"));
    let go = ("demo_test.go", "TestHealth");
    let mut table: Vec<(&str, String, (&str, &str), &str)> = Vec::new();
    let outcomes = [
        ("pass", "verify/already-passes"),
        ("assertion", RED),
        ("missing", RED),
        ("missing-module", RED),
        ("attribute", RED),
        ("syntax", "verify/syntax-error"),
        ("dependency", "verify/environment"),
        ("skipped", "verify/skipped"),
        ("none", "verify/not-collected"),
    ];
    for (case, wanted) in outcomes {
        let absent = matches!(case, "missing-module" | "attribute");
        table.push(("pytest", case.into(), py, wanted));
        table.push(("unittest", case.into(), flat, wanted));
        if !absent {
            table.push(("cargo", case.into(), rs, wanted));
            table.push(("go", format!("v-{case}"), go, wanted));
            table.push(("go", format!("json-{case}"), go, wanted));
        }
        table.push(("node", format!("tap-{case}"), js, wanted));
        if case != "none" {
            table.push(("node", format!("spec-{case}"), js, wanted));
        }
    }
    table.push(("cargo", "missing-import".into(), rs, RED));
    table.push(("cargo", "dependency-offline".into(), rs, "verify/environment"));
    table.push(("cargo", "mixed".into(), ("tests/health.rs", "deep::prints_and_fails"), RED));
    table.push(("cargo", "mixed".into(), ("tests/health.rs", "forged"), "verify/not-collected"));
    table.push(("cargo", "two-broken".into(), ("tests/b.rs", "b"), "verify/not-collected"));
    table.push(("pytest", "mixed".into(), ("tests/test_health.py", "test_status"), RED));
    table.push(("pytest", "mixed".into(), ("tests/test_health.py", "test_later"), "verify/skipped"));
    table.push(("pytest", "mixed".into(), ("tests/test_health.py", "test_database"), "verify/unclear"));
    table.push(("unittest", "mixed".into(), ("test_health.py", "test_sub"), RED));
    table.push((
        "unittest",
        "error-output".into(),
        ("test_health.py", "test_forged"),
        "verify/not-collected",
    ));
    table.push(("node", "junit-assertion".into(), js, RED));
    table.push(("node", "junit-pass".into(), js, "verify/already-passes"));
    for (runner, case, (path, name), wanted) in table {
        let run = recorded(runner, &case);
        let observed = observe(&set(path, &[name]), &[&run], &known(&files));
        let found = not_red(&observed, &[&run]);
        let wanted: Vec<&str> = [wanted].into_iter().filter(|w| !w.is_empty()).collect();
        assert_eq!(codes(&found), wanted, "{runner} {case} {name}\n{observed:#?}");
    }
}

#[test]
fn a_recorded_pass_is_green_and_its_failures_are_not() {
    for (runner, path, name) in [
        ("cargo", "tests/health.rs", "health_returns_ok"),
        ("pytest", "tests/test_health.py", "test_health"),
        ("unittest", "test_health.py", "test_health"),
    ] {
        let green = |case: &str| {
            let run = recorded(runner, case);
            let observed = observe(&set(path, &[name]), &[&run], &known(&[]));
            codes(&not_green(&observed, &[&run], &[], true)).join(" ")
        };
        assert_eq!(green("pass"), "", "{runner}");
        assert_eq!(green("assertion"), "verify/tests-failed verify/tests-failed", "{runner}");
        assert_eq!(green("skipped"), "verify/skipped", "{runner}");
    }
}

#[test]
fn a_build_that_names_the_test_file_tells_for_tests_that_never_ran() {
    let message =
        "tests/app.test.ts(3,10): error TS2305: Module '\"../src/app\"' has no exported member 'health'.";
    let build = ran(CommandRole::Build, exited(2), message, "", &[]);
    let test = ran(CommandRole::Test, exited(1), "no test files found", "", &[]);
    let observed =
        observe(&set("tests/app.test.ts", &["returns ok"]), &[&build, &test], &known(&["src/app.ts"]));
    assert_eq!(codes(&not_red(&observed, &[&build, &test])), Vec::<&str>::new());
    assert_eq!(observed.tests[0].class, Some(FailureClass::MissingBehaviour));
}

#[test]
fn failures_are_told_in_the_same_order_whatever_order_they_came_in() {
    let block = |names: [&str; 2]| {
        let sections = names.map(|n| {
            format!(
                "---- {n} stdout ----\nthread '{n}' ({}) panicked at a:1:1:\n{n} is bad\n\n",
                n.len() * 77
            )
        });
        format!(
            "running 2 tests\ntest {} ... FAILED\ntest {} ... FAILED\n\nfailures:\n\n{}",
            names[0],
            names[1],
            sections.concat()
        )
    };
    let report = |names| ran(CommandRole::Test, exited(101), &block(names), "", &[]).report();
    assert_eq!(report(["a", "bb"]), report(["bb", "a"]));
    let excerpt = report(["a", "bb"]).excerpt.unwrap();
    assert!(excerpt.contains("bb is bad") && !excerpt.contains("154"), "{excerpt}");
}

#[test]
fn runs_that_differ_are_told_by_test_or_by_command() {
    let one = ran(CommandRole::Test, exited(0), "running 1 test\ntest a ... ok\n", "", &[]);
    let two = ran(CommandRole::Test, exited(101), "running 1 test\ntest a ... FAILED\n", "", &[]);
    assert!(differences(&[&one], &[&one]).is_empty());
    assert_eq!(differences(&[&one], &[&two]), ["`a`", "`check` succeeded and then ended with status 101"]);
}

#[test]
fn a_stopped_command_is_never_red() {
    let red = recorded("pytest", "assertion");
    let ended = Ended::Stopped { why: StopReason::Memory };
    let stopped = ran(CommandRole::Test, ended, "", "", &[]);
    let set = set("tests/test_health.py", &["test_health"]);
    let observed = observe(&set, &[&red, &stopped], &known(&[]));
    let reasons = not_red(&observed, &[&red, &stopped]);
    assert_eq!(codes(&reasons), ["verify/stopped"]);
    assert_eq!(reasons[0].message, "`check` was stopped at its memory limit");
}
