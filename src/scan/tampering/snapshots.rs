//! Files that hold what tests expect: snapshots, golden and approved files.
//!
//! Must never report one that only grew: new tests bring new snapshots.

use std::collections::BTreeMap;

use super::EDITED;
use crate::scan::{Confidence, FileChange, Found};

/// Tells whether a file holds what tests expect.
fn is_snapshot(path: &str) -> bool {
    let low = path.to_ascii_lowercase();
    let (dirs, name) = low.rsplit_once('/').unwrap_or(("", &low));
    let ending = name.rsplit_once('.').map_or("", |(_, e)| e);
    matches!(ending, "snap" | "ambr" | "golden" | "approved" | "snapshot")
        || name.contains(".approved.")
        || name.contains(".verified.")
        || name.contains(".golden.")
        || dirs.split('/').any(|dir| matches!(dir, "__snapshots__" | "__snapshot__" | "__file_snapshots__"))
}

/// Looks at one file.
pub fn look(file: &FileChange<'_>, sink: &mut dyn FnMut(&str, Found)) {
    let Some(before) = file.before.filter(|_| is_snapshot(file.path)) else { return };
    let Some(after) = file.after else {
        // It goes with its test, or without: the tests themselves tell.
        return;
    };
    let mut left: BTreeMap<&[u8], usize> = BTreeMap::new();
    for line in after.split(|b| *b == b'\n') {
        *left.entry(line).or_default() += 1;
    }
    let gone = before
        .split(|b| *b == b'\n')
        .filter(|line| match left.get_mut(line).filter(|n| **n > 0) {
            Some(n) => {
                *n -= 1;
                false
            }
            None => !line.trim_ascii().is_empty(),
        })
        .count();
    let came = after.split(|b| *b == b'\n').count();
    if gone == 0 || came < 2 {
        return;
    }
    let message =
        format!("the expected output in `{}` is another one: {gone} lines of it are gone", file.path);
    sink(
        file.path,
        Found::file(EDITED, message, file.path, Confidence::Medium)
            .with("kind", "snapshot")
            .with("count", gone.to_string()),
    );
}
