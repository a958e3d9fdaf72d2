//! Reads what node's test runner prints, as TAP and as its `spec` reporter.
//!
//! A file that cannot be loaded is told of as a failed test of the file's name, with the reason printed before it.

use super::super::pattern::patterns;
use super::{Broken, Case, Parsed, Place, Printed};
use crate::artifact::types::verification::TestStatus;

patterns! {
    TAP = r"^TAP version 1[34]$";
    SUBTEST = r"^( *)# Subtest: (.*)$";
    RESULT = r"^( *)(not ok|ok) \d+(?: - (.*?))?(?: # (SKIP|TODO)\b *(.*))?$";
    LOCATION = r"^ *location: '(.*?):\d+:\d+'$";
    SPEC = r"^ℹ tests \d+$";
    MARK = r"^( *)(✔|✖|﹣|▶) (.*?)(?: \([\d.]+m?s\))?(?: # ?(.*))?$";
    TEST_FILE = r"^\S+\.(?:[cm]?[jt]sx?)$";
}

/// Reads the output of node's test runner; `None` when it is neither TAP nor `spec`.
pub(super) fn read(printed: &Printed<'_>) -> Option<Parsed> {
    let text = printed.stdout;
    if text.lines().any(|line| TAP.is_match(line)) {
        Some(tap(text))
    } else if text.lines().any(|line| SPEC.is_match(line)) {
        Some(spec(text))
    } else {
        None
    }
}

/// A TAP result line whose block of details is being read.
struct Open {
    depth: usize,
    title: String,
    status: TestStatus,
    message: String,
    file: Option<String>,
    suite: bool,
}

fn tap(text: &str) -> Parsed {
    let mut parsed = Parsed::default();
    let mut parents: Vec<(usize, String)> = Vec::new();
    let mut comments = String::new();
    let mut open: Option<Open> = None;
    for line in text.lines() {
        if let Some(found) = SUBTEST.captures(line) {
            close(&mut parsed, &mut open, &parents, &mut comments);
            let depth = found[1].len();
            parents.retain(|(d, _)| *d < depth);
            parents.push((depth, found[2].to_owned()));
        } else if let Some(found) = RESULT.captures(line) {
            close(&mut parsed, &mut open, &parents, &mut comments);
            open = Some(opened(&found));
        } else if let Some(result) = &mut open {
            if line.trim() == "..." {
                close(&mut parsed, &mut open, &parents, &mut comments);
            } else {
                detail(result, line);
            }
        } else if let Some(comment) = line.trim_start().strip_prefix("# ") {
            comments.push_str(comment);
            comments.push('\n');
        }
    }
    close(&mut parsed, &mut open, &parents, &mut comments);
    parsed
}

fn opened(found: &regex::Captures<'_>) -> Open {
    let status = match (&found[2], found.get(4)) {
        (_, Some(_)) => TestStatus::Skipped,
        ("ok", None) => TestStatus::Passed,
        _ => TestStatus::Failed,
    };
    let title = found.get(3).map_or("", |m| m.as_str());
    let message = found.get(5).map_or("", |m| m.as_str()).to_owned();
    Open { depth: found[1].len(), title: unescape(title), status, message, file: None, suite: false }
}

fn unescape(title: &str) -> String {
    title.replace("\\#", "#").replace("\\\\", "\\")
}

fn detail(result: &mut Open, line: &str) {
    if line.trim() == "type: 'suite'" {
        result.suite = true;
    }
    if let Some(found) = LOCATION.captures(line) {
        result.file = Some(found[1].to_owned());
    } else if result.status == TestStatus::Failed && !line.trim().is_empty() {
        let line = line.trim();
        let noise =
            ["---", "duration_ms:", "failureType:", "type:", "stack:"].iter().any(|n| line.starts_with(n));
        if !noise {
            result.message.push_str(line);
            result.message.push('\n');
        }
    }
}

fn close(parsed: &mut Parsed, open: &mut Option<Open>, parents: &[(usize, String)], comments: &mut String) {
    let Some(result) = open.take() else { return };
    let said = if result.depth == 0 { std::mem::take(comments) } else { String::new() };
    if result.suite {
        return;
    }
    if result.status == TestStatus::Failed && result.depth == 0 && TEST_FILE.is_match(&result.title) {
        parsed.broken.push(Broken { place: Place::file(&result.title), message: said });
        return;
    }
    let mut path: Vec<String> =
        parents.iter().filter(|(d, _)| *d < result.depth).map(|(_, title)| unescape(title)).collect();
    path.push(result.title);
    let place = result.file.as_deref().map_or(Place::Unknown, Place::file);
    let message = if result.status == TestStatus::Passed { String::new() } else { result.message };
    parsed.cases.push(Case { place, path, status: result.status, message });
}

fn spec(text: &str) -> Parsed {
    let mut parsed = Parsed::default();
    let mut parents: Vec<(usize, String)> = Vec::new();
    let mut loose = String::new();
    let mut failing = false;
    for line in text.lines() {
        // The closing part repeats every failure.
        if SPEC.is_match(line) {
            break;
        }
        let Some(found) = MARK.captures(line) else {
            match parsed.cases.last_mut() {
                Some(case) if failing && line.starts_with(' ') => {
                    case.message.push_str(line.trim_start());
                    case.message.push('\n');
                }
                _ => {
                    loose.push_str(line);
                    loose.push('\n');
                }
            }
            continue;
        };
        failing = false;
        let depth = found[1].len();
        // A suite ends with a mark of its own, at the depth and with the title it was opened with.
        let closes = parents.iter().any(|(d, title)| *d == depth && *title == found[3]);
        parents.retain(|(d, _)| *d < depth);
        match &found[2] {
            "▶" => parents.push((depth, found[3].to_owned())),
            _ if closes => {}
            "✖" if depth == 0 && TEST_FILE.is_match(&found[3]) => {
                let message = std::mem::take(&mut loose);
                parsed.broken.push(Broken { place: Place::file(&found[3]), message });
            }
            mark => {
                let status = match mark {
                    "✔" => TestStatus::Passed,
                    "✖" => TestStatus::Failed,
                    _ => TestStatus::Skipped,
                };
                failing = status == TestStatus::Failed;
                let mut path: Vec<String> = parents.iter().map(|(_, title)| title.clone()).collect();
                path.push(found[3].to_owned());
                let message = found.get(4).map_or("", |m| m.as_str()).to_owned();
                parsed.cases.push(Case { place: Place::Unknown, path, status, message });
            }
        }
    }
    parsed
}
