//! Reads what vitest prints with its `verbose` reporter; the default one names failures only.

use std::collections::BTreeMap;

use super::super::pattern::patterns;
use super::{Broken, Case, Parsed, Place, Printed};
use crate::artifact::types::verification::TestStatus;

patterns! {
    START = r"^ ?(?:RUN|DEV) +v\d+\.";
    MARK = r"^ *(✓|×|↓) (\S+\.[cm]?[jt]sx?) > (.*?)(?: +\d+(?:\.\d+)?m?s)?(?: \[skipped\])?$";
    FAILED = r"^ FAIL  (\S+\.[cm]?[jt]sx?) > (.*)$";
    UNLOADED = r"^ FAIL  (\S+\.[cm]?[jt]sx?) \[ .* \]$";
}

/// Reads the output of vitest; `None` when it has no `RUN` line.
pub(super) fn read(printed: &Printed<'_>) -> Option<Parsed> {
    if !printed.stdout.lines().any(|line| START.is_match(line)) {
        return None;
    }
    let mut parsed = Parsed::default();
    let mut messages = messages(printed.stderr, &mut parsed);
    for found in printed.stdout.lines().filter_map(|line| MARK.captures(line)) {
        let status = match &found[1] {
            "✓" => TestStatus::Passed,
            "×" => TestStatus::Failed,
            _ => TestStatus::Skipped,
        };
        let message = messages.remove(&(found[2].to_owned(), found[3].to_owned())).unwrap_or_default();
        let path = found[3].split(" > ").map(str::to_owned).collect();
        parsed.cases.push(Case { place: Place::file(&found[2]), path, status, message });
    }
    // Failures the lines above did not show, as the default reporter leaves them out.
    for ((file, title), message) in messages {
        let path = title.split(" > ").map(str::to_owned).collect();
        parsed.cases.push(Case { place: Place::file(&file), path, status: TestStatus::Failed, message });
    }
    Some(parsed)
}

/// Returns what was said of every failed test; files that could not be loaded are added to the results.
fn messages(stderr: &str, parsed: &mut Parsed) -> BTreeMap<(String, String), String> {
    let mut messages = BTreeMap::new();
    let mut open: Option<((String, Option<String>), String)> = None;
    let mut close = |open: &mut Option<((String, Option<String>), String)>| match open.take() {
        Some(((file, Some(title)), text)) => {
            messages.insert((file, title), text);
        }
        Some(((file, None), text)) => {
            parsed.broken.push(Broken { place: Place::file(&file), message: text });
        }
        None => {}
    };
    for line in stderr.lines() {
        let failed = FAILED.captures(line).map(|found| (found[1].to_owned(), Some(found[2].to_owned())));
        let header = failed.or_else(|| UNLOADED.captures(line).map(|found| (found[1].to_owned(), None)));
        if header.is_some() || line.starts_with('⎯') {
            close(&mut open);
            open = header.map(|key| (key, String::new()));
        } else if let Some((_, text)) = &mut open {
            text.push_str(line);
            text.push('\n');
        }
    }
    close(&mut open);
    messages
}
