//! Reads what `go test` prints, as text (`-v`) and as `-json`.
//!
//! The runner names packages, not files: a test's place is its package.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::pattern::patterns;
use super::{Broken, Case, Parsed, Place, Printed};
use crate::artifact::types::verification::TestStatus;

patterns! {
    PACKAGE = r"^(?:ok  |FAIL|\?   )\t(\S+)(?:\t| \[|$)";
    UNBUILT = r"^FAIL\t(\S+) \[(?:build|setup) failed\]";
    RESULT = r"^ *--- (PASS|FAIL|SKIP): (\S+) \(\d";
    STARTED = r"^=== (?:RUN|CONT|NAME|PAUSE) +(\S+)$";
    COMPILER = r"^# (\S+)(?: \[\S+\])?$";
    LOCATED = r"^(?:vet: )?(\S+\.go):\d+(?::\d+)?: ";
}

/// Sub-tests deeper than this do not explain their parents.
const MAX_DEPTH: usize = 8;

/// One line of `go test -json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Line {
    action: String,
    #[serde(default)]
    package: String,
    #[serde(default)]
    test: String,
    #[serde(default)]
    output: String,
}

/// Reads the output of `go test`; `None` when it tells of no package.
pub(super) fn read(printed: &Printed<'_>) -> Option<Parsed> {
    let json: Vec<Line> = printed
        .stdout
        .lines()
        .filter(|line| line.starts_with('{'))
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let mut cases = if json.is_empty() { text(printed.stdout) } else { events(&json) };
    explain_parents(&mut cases);
    let broken = broken(printed);
    let seen = !json.is_empty() || printed.stdout.lines().any(|line| PACKAGE.is_match(line));
    seen.then_some(Parsed { cases, broken })
}

fn status(word: &str) -> Option<TestStatus> {
    match word {
        "PASS" | "pass" => Some(TestStatus::Passed),
        "FAIL" | "fail" => Some(TestStatus::Failed),
        "SKIP" | "skip" => Some(TestStatus::Skipped),
        _ => None,
    }
}

fn case(package: &str, test: &str, status: TestStatus, message: &str) -> Case {
    let message = if status == TestStatus::Passed { "" } else { message.trim() };
    Case {
        place: Place::Package(package.to_owned()),
        path: test.split('/').map(str::to_owned).collect(),
        status,
        message: message.to_owned(),
    }
}

fn events(lines: &[Line]) -> Vec<Case> {
    let mut said: BTreeMap<(&str, &str), String> = BTreeMap::new();
    let mut cases = Vec::new();
    for line in lines.iter().filter(|line| !line.test.is_empty()) {
        let key = (line.package.as_str(), line.test.as_str());
        if line.action == "output" {
            if !line.output.starts_with("=== ") && !line.output.trim_start().starts_with("--- ") {
                said.entry(key).or_default().push_str(&line.output);
            }
        } else if let Some(status) = status(&line.action) {
            cases.push(case(key.0, key.1, status, said.get(&key).map_or("", String::as_str)));
        }
    }
    cases
}

/// A test that failed by a sub-test says nothing itself; it is given what the first failed sub-test said.
fn explain_parents(cases: &mut [Case]) {
    let mut said: BTreeMap<(Place, Vec<String>), String> = BTreeMap::new();
    for case in cases.iter().filter(|c| c.status == TestStatus::Failed && !c.message.is_empty()) {
        for depth in 1..case.path.len().min(MAX_DEPTH) {
            let parent = (case.place.clone(), case.path[..depth].to_vec());
            said.entry(parent).or_insert_with(|| case.message.clone());
        }
    }
    for case in cases.iter_mut().filter(|c| c.status == TestStatus::Failed && c.message.is_empty()) {
        if let Some(message) = said.remove(&(case.place.clone(), case.path.clone())) {
            case.message = message;
        }
    }
}

/// Reads `-v` text: a package is named after its tests.
fn text(stdout: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut said: BTreeMap<String, String> = BTreeMap::new();
    let mut current = String::new();
    let mut pending: Vec<(String, TestStatus)> = Vec::new();
    for line in stdout.lines() {
        if let Some(found) = STARTED.captures(line) {
            found[1].clone_into(&mut current);
        } else if let Some(found) = RESULT.captures(line) {
            found[2].clone_into(&mut current);
            pending.extend(status(&found[1]).map(|status| (found[2].to_owned(), status)));
        } else if let Some(found) = PACKAGE.captures(line) {
            flush(&mut cases, &mut pending, &mut said, &found[1]);
            current.clear();
        } else if !current.is_empty() && !matches!(line, "PASS" | "FAIL") {
            let text = said.entry(current.clone()).or_default();
            text.push_str(line.trim_start());
            text.push('\n');
        }
    }
    flush(&mut cases, &mut pending, &mut said, "");
    cases
}

fn flush(
    cases: &mut Vec<Case>,
    pending: &mut Vec<(String, TestStatus)>,
    said: &mut BTreeMap<String, String>,
    package: &str,
) {
    for (test, status) in pending.drain(..) {
        cases.push(case(package, &test, status, said.get(&test).map_or("", String::as_str)));
    }
    said.clear();
}

/// Returns the files the compiler or `go vet` complains about, or the packages where no file is named.
fn broken(printed: &Printed<'_>) -> Vec<Broken> {
    let mut files: BTreeMap<Place, String> = BTreeMap::new();
    let mut said: BTreeMap<String, String> = BTreeMap::new();
    let mut package = String::new();
    for line in printed.stderr.lines().chain(printed.stdout.lines()) {
        if let Some(found) = COMPILER.captures(line) {
            found[1].clone_into(&mut package);
        } else if let Some(found) = LOCATED.captures(line).filter(|_| !package.is_empty()) {
            add(&mut files, Place::file(&found[1]), line);
            add(&mut said, package.clone(), line);
        } else if PACKAGE.is_match(line) {
            package.clear();
        }
    }
    for line in printed.stdout.lines().filter_map(|line| UNBUILT.captures(line)) {
        let message = said.remove(&line[1]).unwrap_or_else(|| line[0].to_owned());
        files.insert(Place::Package(line[1].to_owned()), message);
    }
    files.into_iter().map(|(place, message)| Broken { place, message }).collect()
}

fn add<K: Ord>(map: &mut BTreeMap<K, String>, key: K, line: &str) {
    let text = map.entry(key).or_default();
    text.push_str(line);
    text.push('\n');
}
