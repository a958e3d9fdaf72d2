//! Reads what `cargo test` prints: compile errors, test binaries, doc tests, failures.
//!
//! Test binaries print to stdout and cargo names them on stderr; a block belongs to a file only when both agree in number.

use std::collections::BTreeMap;

use super::super::pattern::patterns;
use super::{Broken, Case, Parsed, Place, Printed};
use crate::artifact::types::verification::TestStatus;

patterns! {
    BLOCK = r"^running \d+ tests?$";
    RESULT = r"^test (.+?)(?: - should panic)? \.\.\. (ok|FAILED|ignored.*)$";
    SECTION = r"^---- (.+) stdout ----$";
    BINARY = r"^ +(?:Running (?:unittests )?(\S+) \(.*\)|Doc-tests \S+)$";
    ERROR = r"^error(?:\[E\d+\])?: ";
    ARROW = r"^ *--> ([^:\s]+):\d+";
}

/// Reads the output of `cargo test`; `None` when it shows neither a test binary nor a compile error.
pub(super) fn read(printed: &Printed<'_>) -> Option<Parsed> {
    let cases = cases(printed.stdout, &binaries(printed.stderr));
    let broken = broken(printed.stderr);
    let seen = printed.stdout.lines().any(|line| BLOCK.is_match(line)) || !broken.is_empty();
    seen.then_some(Parsed { cases, broken })
}

/// Returns the file of every test binary, in the order cargo ran them; `None` for doc tests.
fn binaries(stderr: &str) -> Vec<Option<String>> {
    stderr
        .lines()
        .filter_map(|line| BINARY.captures(line))
        .map(|found| found.get(1).map(|file| file.as_str().to_owned()))
        .collect()
}

fn cases(stdout: &str, binaries: &[Option<String>]) -> Vec<Case> {
    let blocks = stdout.lines().filter(|line| BLOCK.is_match(line)).count();
    let aligned = blocks == binaries.len();
    let mut cases = Vec::new();
    let mut block: Option<usize> = None;
    // Whether the lines are the runner's own: what a test printed comes in the sections after `failures:`.
    let mut listing = false;
    let mut first = 0;
    let mut section: Option<(String, String)> = None;
    let mut messages: BTreeMap<String, String> = BTreeMap::new();
    let keep = |section: Option<(String, String)>, messages: &mut BTreeMap<String, String>| {
        if let Some((name, text)) = section {
            messages.insert(name, text);
        }
    };
    for line in stdout.lines() {
        if BLOCK.is_match(line) {
            keep(section.take(), &mut messages);
            attach(&mut cases[first..], &mut messages);
            first = cases.len();
            block = Some(block.map_or(0, |b| b + 1));
            listing = true;
        } else if line == "failures:" {
            keep(section.take(), &mut messages);
            listing = false;
        } else if let Some(found) = SECTION.captures(line).filter(|_| !listing) {
            keep(section.take(), &mut messages);
            section = Some((found[1].to_owned(), String::new()));
        } else if let Some((_, text)) = &mut section {
            text.push_str(line);
            text.push('\n');
        } else if let Some(found) = RESULT.captures(line).filter(|_| listing) {
            let file = block.filter(|_| aligned).and_then(|b| binaries[b].as_deref());
            cases.push(case(&found[1], &found[2], file));
        }
    }
    keep(section, &mut messages);
    attach(&mut cases[first..], &mut messages);
    cases
}

fn case(name: &str, result: &str, file: Option<&str>) -> Case {
    let status = match result {
        "ok" => TestStatus::Passed,
        "FAILED" => TestStatus::Failed,
        _ => TestStatus::Skipped,
    };
    let message = result.strip_prefix("ignored, ").unwrap_or_default().to_owned();
    // The tests of a library or program are in any of its files; those of `tests/x.rs` or its modules belong to it.
    let place = match file {
        Some(file) if file.starts_with("tests/") || file.contains("/tests/") => Place::file(file),
        _ => Place::Unknown,
    };
    Case { place, path: name.split("::").map(str::to_owned).collect(), status, message }
}

/// Gives the failed tests of one block what they printed.
fn attach(cases: &mut [Case], messages: &mut BTreeMap<String, String>) {
    for case in cases.iter_mut().filter(|c| c.status == TestStatus::Failed) {
        if let Some(text) = messages.remove(&case.path.join("::")) {
            let told = text.split("\nstack backtrace:").next().unwrap_or_default();
            told.trim().clone_into(&mut case.message);
        }
    }
    messages.clear();
}

/// Returns the compile errors, by file.
fn broken(stderr: &str) -> Vec<Broken> {
    let mut broken: Vec<Broken> = Vec::new();
    let mut error: Option<String> = None;
    for line in stderr.lines().chain([""]) {
        if let Some(text) = &mut error {
            if !line.is_empty() {
                text.push_str(line);
                text.push('\n');
                continue;
            }
            broken.extend(error.take().and_then(compile_error));
        }
        if ERROR.is_match(line) {
            error = Some(format!("{line}\n"));
        }
    }
    broken
}

/// Makes one error block a broken file; cargo's own closing lines are none.
fn compile_error(text: String) -> Option<Broken> {
    if let Some(found) = text.lines().find_map(|line| ARROW.captures(line)) {
        return Some(Broken { place: Place::file(&found[1]), message: text });
    }
    let closing =
        ["error: could not compile", "error: test failed", "error: aborting", "error: doctest failed"];
    let count = text.split(' ').nth(2).is_some_and(|w| w.starts_with("target"));
    let cargo = closing.iter().any(|c| text.starts_with(c)) || count;
    (!cargo).then_some(Broken { place: Place::Unknown, message: text })
}
