//! Reads what jest prints with `--verbose`; without it only failures have names.

use std::collections::BTreeMap;

use super::super::pattern::patterns;
use super::{Broken, Case, Parsed, Place, Printed};
use crate::artifact::types::verification::TestStatus;

patterns! {
    SUMMARY = r"^Test Suites: .* total$";
    FILE = r"^(?:PASS|FAIL) (?:\S+ )?(\S+\.[cm]?[jt]sx?)(?: \([\d.]+ m?s\))?$";
    MARK = r"^( +)(✓|✕|○|✎) (?:skipped |todo )?(.*?)(?: \([\d.]+ m?s\))?$";
    SUITE = r"^( {2,})(\S.*)$";
    SECTION = r"^ {2}● (.*)$";
}

/// The title jest gives to a file it could not load.
const UNLOADED: &str = "Test suite failed to run";

/// Reads the output of jest; `None` when it has no `Test Suites:` line.
pub(super) fn read(printed: &Printed<'_>) -> Option<Parsed> {
    let text = printed.stderr;
    if !text.lines().any(|line| SUMMARY.is_match(line)) {
        return None;
    }
    let mut parsed = Parsed::default();
    let mut file = Place::Unknown;
    let mut suites: Vec<(usize, String)> = Vec::new();
    let mut section: Option<(String, String)> = None;
    let mut messages: BTreeMap<(Place, String), String> = BTreeMap::new();
    for line in text.lines() {
        let ends = SUMMARY.is_match(line);
        if let Some(found) = FILE.captures(line) {
            keep(&mut parsed, &mut messages, &file, section.take());
            file = Place::file(&found[1]);
            suites.clear();
        } else if let Some(found) = SECTION.captures(line) {
            keep(&mut parsed, &mut messages, &file, section.take());
            section = Some((found[1].to_owned(), String::new()));
        } else if ends {
            // The repetition of all failures that may follow says nothing new.
            break;
        } else if let Some((_, body)) = &mut section {
            body.push_str(line.trim_start());
            body.push('\n');
        } else if let Some(found) = MARK.captures(line) {
            suites.retain(|(depth, _)| *depth < found[1].len());
            let path = suites.iter().map(|(_, title)| title.clone()).chain([found[3].to_owned()]).collect();
            let status = match &found[2] {
                "✓" => TestStatus::Passed,
                "✕" => TestStatus::Failed,
                _ => TestStatus::Skipped,
            };
            parsed.cases.push(Case { place: file.clone(), path, status, message: String::new() });
        } else if let Some(found) = SUITE.captures(line) {
            suites.retain(|(depth, _)| *depth < found[1].len());
            suites.push((found[1].len(), found[2].to_owned()));
        }
    }
    keep(&mut parsed, &mut messages, &file, section);
    for case in &mut parsed.cases {
        if let Some(message) = messages.remove(&(case.place.clone(), case.path.join(" › "))) {
            case.message = message;
        }
    }
    Some(parsed)
}

fn keep(
    parsed: &mut Parsed,
    messages: &mut BTreeMap<(Place, String), String>,
    file: &Place,
    section: Option<(String, String)>,
) {
    let Some((title, message)) = section else { return };
    if title == UNLOADED {
        parsed.broken.push(Broken { place: file.clone(), message });
    } else {
        messages.insert((file.clone(), title), message);
    }
}
