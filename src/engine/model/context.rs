//! What each step is shown, stable pieces first: the request, project memory, the plan, the files.
//!
//! Must never show a file but from the base or the submitted change, and must never read the working tree.

use std::collections::BTreeSet;

use crate::agent::context::{Cut, MAX_NOTES, Piece, Source, TreeSource, numbered, ranked_paths};
use crate::artifact::path::RepoPath;
use crate::artifact::types::change_set::{FileChange, TestSet};
use crate::artifact::types::debate::DebateRisk;
use crate::artifact::types::plan::{FileRole, Plan};
use crate::artifact::types::task::Task;
use crate::edit::patch::{self, Before};
use crate::engine::EngineError;
use crate::ports::vcs::VcsError;

/// The most files that are shown because their names fit the request.
const RELATED: usize = 5;
const MAX_RELATED: usize = 16 * 1024;
const MAX_PATHS: usize = 2000;

/// The request and project memory: what every step of a run begins with.
pub(super) fn request(
    task: &Task,
    source: &TreeSource<'_>,
    notes: Option<&RepoPath>,
) -> Result<Vec<Piece>, EngineError> {
    let mut pieces = vec![Piece::new("the request", &task.request, 9, Cut::Head)];
    if let Some(path) = notes
        && let Some(mut text) = source.text(path.as_str())?
    {
        let end = (0..=text.len().min(MAX_NOTES)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        pieces.push(Piece::new(format!("notes of the project, {path}"), text, 6, Cut::Head));
    }
    Ok(pieces)
}

/// The repository as a whole: its paths, those first that fit the request, and the files that fit best.
pub(super) fn overview(task: &Task, source: &TreeSource<'_>) -> Result<Vec<Piece>, EngineError> {
    let paths = source.paths();
    let ranked = ranked_paths(&paths, &task.request);
    let listed = ranked.iter().take(MAX_PATHS).copied().collect::<Vec<_>>().join("\n");
    let mut pieces =
        vec![Piece::new(format!("paths of the repository ({})", paths.len()), listed, 5, Cut::Head)];
    let readme = paths.iter().find(|path| path.to_lowercase().starts_with("readme")).copied();
    let mut shown: Vec<&str> = readme.into_iter().collect();
    for path in ranked {
        if shown.len() > RELATED {
            break;
        }
        if !shown.contains(&path) {
            shown.push(path);
        }
    }
    for path in shown {
        if let Some(text) = source.text(path)?.filter(|text| text.len() <= MAX_RELATED) {
            pieces.push(Piece::new(format!("file {path}"), text, 3, Cut::Head));
        }
    }
    Ok(pieces)
}

/// The plan, as it was agreed on.
pub(super) fn plan(plan: &Plan) -> Piece {
    Piece::new("the plan (JSON)", pretty(plan), 9, Cut::Head)
}

/// The files of the base a plan names in a role, as they are.
pub(super) fn planned(
    plan: &Plan,
    role: FileRole,
    source: &TreeSource<'_>,
) -> Result<Vec<Piece>, EngineError> {
    let mut pieces = Vec::new();
    for file in plan.files.iter().filter(|file| file.role == role && file.exists) {
        if let Some(text) = source.text(file.path.as_str())? {
            pieces.push(Piece::new(format!("file {}", file.path), text, 8, Cut::Head));
        }
    }
    Ok(pieces)
}

/// The frozen tests, for reading.
pub(super) fn frozen(tests: &TestSet) -> Vec<Piece> {
    let piece = |file: &FileChange| {
        let text = String::from_utf8(file.bytes().ok()??).ok()?;
        Some(Piece::new(format!("frozen test file {}, for reading only", file.path), text, 7, Cut::Head))
    };
    tests.files.iter().filter_map(piece).collect()
}

/// A submitted change: the diff, then each changed file with line numbers and its digest.
pub(super) fn submitted(
    changes: &[FileChange],
    source: &TreeSource<'_>,
    with_numbers: bool,
) -> Result<Vec<Piece>, EngineError> {
    let mut pieces = vec![Piece::new("the submitted change (diff)", diff(changes, source)?, 9, Cut::Head)];
    for change in changes {
        let Some(text) = change.bytes().ok().flatten().and_then(|bytes| String::from_utf8(bytes).ok()) else {
            continue;
        };
        let digest = change.after.as_ref().map(crate::artifact::digest::Digest::short).unwrap_or_default();
        let (label, text) = if with_numbers {
            let lines = numbered(&text, 0, usize::MAX);
            (format!("file {}@{digest} after the submitted change, lines numbered", change.path), lines)
        } else {
            (format!("file {} after the submitted change", change.path), text)
        };
        pieces.push(Piece::new(label, text, 7, Cut::Head));
    }
    Ok(pieces)
}

/// Returns changes as one patch against the base.
pub(super) fn diff(changes: &[FileChange], source: &TreeSource<'_>) -> Result<String, VcsError> {
    let mut with_before = Vec::with_capacity(changes.len());
    for change in changes {
        let path = change.path.as_str();
        let before = source.bytes(path)?.map(|bytes| Before { bytes, mode: source.mode(path) });
        with_before.push((change, before));
    }
    // Changes of a draft go with the base they were made on; what cannot be shown is said.
    Ok(patch::render_from(&with_before).map_or_else(
        |error| format!("the change cannot be shown: {error}\n"),
        |bytes| String::from_utf8_lossy(&bytes).into_owned(),
    ))
}

/// Returns a value as JSON for reading.
pub(super) fn pretty<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|error| format!("cannot be shown: {error}"))
}

/// Returns what a role has to answer: the risks others see, and the faults code found.
pub(super) fn to_answer(risks: &[DebateRisk], faults: &BTreeSet<String>) -> Vec<Piece> {
    let mut material = Vec::new();
    if !risks.is_empty() {
        material.push(Piece::new("risks to answer (JSON)", pretty(&risks), 9, Cut::Head));
    }
    if !faults.is_empty() {
        let list = faults.iter().cloned().collect::<Vec<_>>().join("\n");
        material.push(Piece::new("faults found by checks", list, 9, Cut::Head));
    }
    material
}
