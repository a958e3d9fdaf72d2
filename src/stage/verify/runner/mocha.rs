//! Reads what mocha prints with its default `spec` reporter; it tells no files.

use std::collections::BTreeMap;

use super::super::pattern::patterns;
use super::{Broken, Case, Parsed, Place, Printed};
use crate::artifact::types::verification::TestStatus;

patterns! {
    SUMMARY = r"^  \d+ passing \(\d+m?s\)$";
    EXCEPTION = r"^ ?Exception during run: ";
    MARK = r"^( +)(✔|✓|-|\d+\)) (.*?)(?: \(\d+ms\))?$";
    SUITE = r"^( {2,})(\S.*)$";
    SECTION = r"^  (\d+)\) \S";
}

/// Reads the output of mocha; `None` when it has neither a summary nor an exception while loading.
pub(super) fn read(printed: &Printed<'_>) -> Option<Parsed> {
    let unloaded = printed.stderr.lines().any(|line| EXCEPTION.is_match(line));
    if !unloaded && !printed.stdout.lines().any(|line| SUMMARY.is_match(line)) {
        return None;
    }
    let mut parsed = Parsed::default();
    if unloaded {
        parsed.broken.push(Broken { place: Place::Unknown, message: printed.stderr.trim().to_owned() });
    }
    let mut messages = messages(printed.stdout);
    let mut suites: Vec<(usize, String)> = Vec::new();
    for line in printed.stdout.lines().take_while(|line| !SUMMARY.is_match(line)) {
        if let Some(found) = MARK.captures(line) {
            suites.retain(|(depth, _)| *depth < found[1].len());
            let path = suites.iter().map(|(_, title)| title.clone()).chain([found[3].to_owned()]).collect();
            let (status, message) = match &found[2] {
                "✔" | "✓" => (TestStatus::Passed, None),
                "-" => (TestStatus::Skipped, None),
                number => (TestStatus::Failed, messages.remove(number.trim_end_matches(')'))),
            };
            parsed.cases.push(Case {
                place: Place::Unknown,
                path,
                status,
                message: message.unwrap_or_default(),
            });
        } else if let Some(found) = SUITE.captures(line) {
            suites.retain(|(depth, _)| *depth < found[1].len());
            suites.push((found[1].len(), found[2].to_owned()));
        }
    }
    Some(parsed)
}

/// Returns what was said of every failure, by its number.
fn messages(stdout: &str) -> BTreeMap<String, String> {
    let mut messages = BTreeMap::new();
    let mut open: Option<(String, String)> = None;
    for line in stdout.lines().skip_while(|line| !SUMMARY.is_match(line)) {
        if let Some(found) = SECTION.captures(line) {
            messages.extend(open.take());
            open = Some((found[1].to_owned(), String::new()));
        } else if let Some((_, text)) = &mut open {
            text.push_str(line.trim_start());
            text.push('\n');
        }
    }
    messages.extend(open);
    messages
}
