//! Every reader against recorded output of the real runner, and against damaged output.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::super::classify::{Known, classify};
use super::super::excerpt;
use super::*;
use crate::artifact::types::plan::{FileRole, Plan, PlannedFile};

/// The folders of recorded runs.
const RUNNERS: [&str; 6] = ["cargo", "pytest", "unittest", "node", "go", "js"];

/// One recorded run.
struct Golden {
    name: String,
    stdout: String,
    stderr: String,
    junit: Vec<String>,
}

fn goldens(runner: &str) -> Vec<Golden> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/verify").join(runner);
    let text = |path: &PathBuf, end: &str| {
        let text = std::fs::read_to_string(path.with_extension(end)).unwrap_or_default();
        let portable = if end == "xml" { excerpt::portable_xml } else { excerpt::portable };
        portable(&text, Path::new("/tmp/copy"))
    };
    let mut exits: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "exit"))
        .collect();
    exits.sort();
    assert!(!exits.is_empty(), "no recorded runs of {runner}");
    let golden = |path: &PathBuf| Golden {
        name: path.file_stem().unwrap().to_string_lossy().into_owned(),
        stdout: text(path, "out"),
        stderr: text(path, "err"),
        junit: Some(text(path, "xml")).filter(|xml| !xml.is_empty()).into_iter().collect(),
    };
    exits.iter().map(golden).collect()
}

/// The plan of the recorded projects: they are to make `service/health.py` and `health.js`.
fn known() -> Known {
    let file =
        |path: &str| PlannedFile { path: path.parse().unwrap(), role: FileRole::Change, exists: false };
    let plan = Plan {
        summary: String::new(),
        change_type: "feat".into(),
        scope: "health".parse().unwrap(),
        subject: String::new(),
        steps: vec![],
        files: ["service/health.py", "health.js"].map(file).into(),
        criteria: vec![],
        risks: vec![],
        rollback: String::new(),
        template: None,
    };
    Known::new(&plan, false)
}

fn show(runner: &str, use_junit: bool) -> String {
    let mut shown = String::new();
    let known = known();
    let line = |message: &str| excerpt::stable(message.lines().find(|l| !l.is_empty()).unwrap_or_default());
    for golden in goldens(runner) {
        let junit = if use_junit { golden.junit.as_slice() } else { &[] };
        let printed = Printed { argv: &[], stdout: &golden.stdout, stderr: &golden.stderr, junit };
        let _ = writeln!(shown, "== {}", golden.name);
        let Some(parsed) = read(&printed) else {
            let _ = writeln!(shown, "not understood");
            continue;
        };
        for case in &parsed.cases {
            let class = (case.status == TestStatus::Failed).then(|| classify(&case.message, &known));
            let _ = writeln!(
                shown,
                "{:?} {:?} {:?} {class:?} {}",
                case.status,
                case.place,
                case.path,
                line(&case.message)
            );
        }
        for broken in &parsed.broken {
            let class = classify(&broken.message, &known);
            let _ = writeln!(shown, "Broken {:?} {class:?}", broken.place);
        }
    }
    shown
}

#[test]
fn recorded_runs_are_read_as_reviewed() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/verify/expected"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for runner in RUNNERS {
            insta::assert_snapshot!(runner, show(runner, false));
        }
        insta::assert_snapshot!("pytest-junit", show("pytest", true));
        insta::assert_snapshot!("node-junit", show("node", true));
    });
}

/// Recorded output of every runner, joined.
fn all_outputs() -> Vec<Golden> {
    RUNNERS.into_iter().flat_map(goldens).collect()
}

fn read_all(stdout: &str, stderr: &str, junit: &[String]) {
    let printed = Printed { argv: &[], stdout, stderr, junit };
    for (_, reader) in READERS {
        reader(&printed);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_is_read_without_a_panic(out in "(?s).{0,600}", err in "(?s).{0,200}") {
        read_all(&out, &err, std::slice::from_ref(&out));
    }

    #[test]
    fn damaged_output_is_read_without_a_panic(pick in any::<prop::sample::Index>(), cut in any::<prop::sample::Index>(),
        drop in 0_usize..40, insert in "(?s).{0,12}") {
        static GOLDENS: std::sync::LazyLock<Vec<Golden>> = std::sync::LazyLock::new(all_outputs);
        let golden = pick.get(&GOLDENS);
        let damage = |text: &str| {
            let chars: Vec<char> = text.chars().collect();
            if chars.is_empty() { return String::new() }
            let at = cut.index(chars.len());
            let rest = chars[(at + drop).min(chars.len())..].iter().collect::<String>();
            chars[..at].iter().collect::<String>() + &insert + &rest
        };
        let junit: Vec<String> = golden.junit.iter().map(|xml| damage(xml)).collect();
        read_all(&damage(&golden.stdout), &damage(&golden.stderr), &junit);
    }
}

/// Reads one long output and tells how long it took.
fn timed(text: &str) -> std::time::Duration {
    let clock = std::time::Instant::now();
    read_all(text, text, &[]);
    clock.elapsed()
}

#[test]
fn reading_takes_time_in_proportion_to_the_output() {
    let recorded =
        all_outputs().into_iter().filter(|g| g.name.contains("mixed") || g.name.contains("assertion"));
    let mut parts: Vec<String> = recorded.map(|g| g.stdout + &g.stderr).collect();
    parts.extend(
        [
            "test a ... ok\n",
            "    ok 1 - x\n",
            "FAILED a.py::b - c\n",
            "= 1 passed, ",
            "{\"Action\":1}\n",
            "✖ ✖ ",
            "error: a\n",
        ]
        .map(|line| format!("running 1 test\nTAP version 13\n{line}")),
    );
    for part in parts.iter().filter(|part| !part.is_empty()) {
        let (short, long) = (part.repeat(10_000 / part.len()), part.repeat(200_000 / part.len()));
        // The best of some tries: another process may have had the machine.
        let best = |text: &str| (0..3).map(|_| timed(text)).min().unwrap_or_default();
        let (short, long) = (best(&short), best(&long));
        // Twenty times the text; quadratic work would take 400 times as long, the rest is room for a busy machine.
        let bound = short * 100 + std::time::Duration::from_millis(100);
        assert!(long < bound, "{short:?}, then {long:?} for\n{part}");
    }
}

#[test]
fn ten_megabytes_are_read() {
    let line = "test a ... ok\nok 1 - x\n--- PASS: TestX (0.00s)\n";
    let text = format!("running 1 test\nTAP version 13\n{}", line.repeat(10_000_000 / line.len()));
    let argv = ["cargo".to_owned(), "test".to_owned()];
    let parsed = read(&Printed { argv: &argv, stdout: &text, ..Printed::default() }).unwrap();
    assert_eq!(parsed.cases.len(), 10_000_000 / line.len());
}
