//! Reads what pytest prints, for the case that its JUnit file cannot be had.
//!
//! Only tests it names are seen: with plain dots a passing test has no name.

use std::collections::BTreeMap;

use super::super::pattern::patterns;
use super::{Broken, Case, Parsed, Place, Printed};
use crate::artifact::types::verification::TestStatus;

patterns! {
    MARK = r"^=* ?(?:\d+ \w+(?:, )?)+ in [\d.]+s(?: \([\d:]+\))? ?=*$|^=+ test session starts =+$";
    VERBOSE = r"^(\S+?\.py)::(.+?) (PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS)\b(?: +\(.*\))?(?: +\[ *\d+%\])?$";
    SUMMARY = r"^(PASSED|FAILED|ERROR|XFAIL|XPASS) ([^\s:]+?\.py)(?:::(.+?))?(?: - (.*))?$";
    SKIP = r"^SKIPPED \[\d+\] ([^\s:]+\.py)(?::\d+)?: (.*)$";
    HEADER = r"^_{3,} (?:ERROR (collecting|at \w+ of) )?(.+?) _{3,}$";
}

/// Reads the output of pytest; `None` when it shows no sign of pytest.
pub(super) fn read(printed: &Printed<'_>) -> Option<Parsed> {
    let text = printed.stdout;
    if !text.lines().any(|line| MARK.is_match(line)) {
        return None;
    }
    let told = sections(text);
    let mut parsed = Parsed::default();
    let mut seen = BTreeMap::new();
    for line in text.lines() {
        if let Some(found) = VERBOSE.captures(line) {
            add(&mut parsed, &mut seen, &told, &found[3], &found[1], Some(&found[2]), "");
        } else if let Some(found) = SUMMARY.captures(line) {
            let name = found.get(3).map(|m| m.as_str());
            let why = found.get(4).map_or("", |m| m.as_str());
            add(&mut parsed, &mut seen, &told, &found[1], &found[2], name, why);
        } else if SKIP.is_match(line) {
            // A skipped test is named by file and line only; `not seen` says as much.
        }
    }
    Some(parsed)
}

fn add(
    parsed: &mut Parsed,
    seen: &mut BTreeMap<(String, String), usize>,
    told: &BTreeMap<String, String>,
    word: &str,
    file: &str,
    name: Option<&str>,
    why: &str,
) {
    let place = Place::file(file);
    let Some(name) = name else {
        let message = told.get(file).cloned().unwrap_or_else(|| why.to_owned());
        parsed.broken.push(Broken { place, message });
        return;
    };
    let status = match word {
        "PASSED" | "XPASS" => TestStatus::Passed,
        "SKIPPED" | "XFAIL" => TestStatus::Skipped,
        _ => TestStatus::Failed,
    };
    let path: Vec<String> = name.split("::").map(str::to_owned).collect();
    let message = if status == TestStatus::Failed {
        let section = told.get(&path.join(".")).or_else(|| path.last().and_then(|own| told.get(own)));
        section.cloned().unwrap_or_else(|| why.to_owned())
    } else {
        String::new()
    };
    // The summary repeats what the verbose lines said.
    let at = *seen.entry((file.to_owned(), name.to_owned())).or_insert(parsed.cases.len());
    match parsed.cases.get_mut(at) {
        Some(case) if case.status < status => case.status = status,
        Some(_) => {}
        None => parsed.cases.push(Case { place, path, status, message }),
    }
}

/// Returns what stands below every `____ name ____` header.
fn sections(text: &str) -> BTreeMap<String, String> {
    let mut sections = BTreeMap::new();
    let mut open: Option<(String, String)> = None;
    for line in text.lines() {
        let header = HEADER.captures(line);
        if header.is_some() || line.starts_with("=====") {
            sections.extend(open.take());
            open = header.map(|found| (found[2].to_owned(), String::new()));
        } else if let Some((_, body)) = &mut open {
            body.push_str(line);
            body.push('\n');
        }
    }
    sections.extend(open);
    sections
}
