//! Reads what `python -m unittest -v` prints.
//!
//! A test that prints without a line break may hide its own result line; it then counts as not seen.

use std::collections::BTreeMap;

use super::super::pattern::patterns;
use super::{Broken, Case, Parsed, Place, Printed};
use crate::artifact::types::verification::TestStatus;

patterns! {
    RAN = r"^Ran \d+ tests? in ";
    TEST = r"^ *(\w+) \(([\w.]+)\)(.*)$";
    ENDED = r"^(?:.*) \.\.\. (.*)$";
    FAILURE = r"^(?:FAIL|ERROR): (\w+) \(([\w.]+)\)";
}

/// The class unittest puts in place of a module it could not import.
const UNLOADED: &str = "unittest.loader._FailedTest";

/// Reads the output of unittest; `None` when it has no closing `Ran N tests`.
pub(super) fn read(printed: &Printed<'_>) -> Option<Parsed> {
    let text = printed.stderr;
    if !text.lines().any(|line| RAN.is_match(line)) {
        return None;
    }
    let mut parsed = Parsed::default();
    let told = failures(text);
    for ((name, place), message) in &told {
        if place.starts_with(UNLOADED) {
            parsed.broken.push(Broken { place: Place::Module(name.clone()), message: message.clone() });
        }
    }
    let mut open: Option<(String, String)> = None;
    for line in text.lines().take_while(|line| !line.starts_with("=====")) {
        let rest = match TEST.captures(line) {
            Some(found) => {
                open = Some((found[1].to_owned(), found[2].to_owned()));
                found[3].to_owned()
            }
            None => format!(" {line}"),
        };
        let Some(ended) = ENDED.captures(&rest) else { continue };
        // A test with parts ends without a word of its own; its parts are below it.
        if ended[1].is_empty() {
            continue;
        }
        if let Some((name, place)) = open.take() {
            add(&mut parsed, name, &place, &ended[1], &told);
        }
    }
    Some(parsed)
}

fn add(
    parsed: &mut Parsed,
    name: String,
    place: &str,
    word: &str,
    told: &BTreeMap<(String, String), String>,
) {
    if place.starts_with(UNLOADED) {
        return;
    }
    let status = match word.split([' ', '\'', '"']).next().unwrap_or_default() {
        "ok" | "unexpected" => TestStatus::Passed,
        "skipped" | "expected" => TestStatus::Skipped,
        "FAIL" | "ERROR" => TestStatus::Failed,
        _ => return,
    };
    // `module.Class.test` since Python 3.11, `module.Class` before.
    let holder = place.strip_suffix(&format!(".{name}")).unwrap_or(place);
    let (module, class) = holder.rsplit_once('.').unwrap_or(("", holder));
    let message = if status == TestStatus::Failed {
        told.get(&(name.clone(), place.to_owned())).cloned().unwrap_or_default()
    } else {
        String::new()
    };
    parsed.cases.push(Case {
        place: Place::Module(module.to_owned()),
        path: vec![class.to_owned(), name],
        status,
        message,
    });
}

/// Returns what was said of every failure, by test and place.
fn failures(text: &str) -> BTreeMap<(String, String), String> {
    let mut failures = BTreeMap::new();
    let mut open: Option<((String, String), String)> = None;
    for line in text.lines() {
        if line.starts_with("=====") || RAN.is_match(line) {
            failures.extend(open.take());
        } else if let Some(found) = FAILURE.captures(line) {
            failures.extend(open.take());
            open = Some(((found[1].to_owned(), found[2].to_owned()), String::new()));
        } else if let Some((_, body)) = &mut open
            && !line.starts_with("-----")
        {
            body.push_str(line);
            body.push('\n');
        }
    }
    failures.extend(open);
    failures
}
