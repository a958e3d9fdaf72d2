//! What each step is shown, stable pieces first: the request, project memory, the plan, the files.
//!
//! Must never show a file but from the base or the submitted change, and must never read the working tree.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::agent::context::pack::{Want, pack};
use crate::agent::context::{
    Cite, Cut, MAX_NOTES, Piece, Source, TreeSource, numbered, ranked_paths, whole_file,
};
use crate::artifact::path::RepoPath;
use crate::artifact::types::change_set::{FileChange, TestSet};
use crate::artifact::types::debate::DebateRisk;
use crate::artifact::types::plan::{FileRole, Plan};
use crate::artifact::types::task::Task;
use crate::edit::patch::{self, Before};
use crate::engine::EngineError;
use crate::ports::vcs::VcsError;

/// The most tokens of what is shown because it fits the request.
pub(super) const FITTING: u32 = 14_000;
/// The most tokens of what is shown around a change.
pub(super) const AROUND: u32 = 8000;
const MAX_README: usize = 16 * 1024;
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

/// What is shown of the repository, and what it is cited by.
pub(super) struct Shown {
    pub pieces: Vec<Piece>,
    pub cites: Vec<Cite>,
}

/// The repository for a request: what fits it, whole, with its tests and users; its paths, those first that fit.
pub(super) fn overview(task: &Task, source: &TreeSource<'_>, ceiling: u32) -> Result<Shown, EngineError> {
    let want = Want { text: &task.request, ceiling, shown: &[] };
    let pack = pack(&want, source)?;
    let paths = source.paths();
    let listed =
        ranked_paths(&paths, &task.request).into_iter().take(MAX_PATHS).collect::<Vec<_>>().join("\n");
    let mut pieces =
        vec![Piece::new(format!("paths of the repository ({})", paths.len()), listed, 2, Cut::Head)];
    let readme = paths.iter().find(|path| path.to_lowercase().starts_with("readme")).copied();
    if let Some(path) = readme.filter(|path| !pack.parts.iter().any(|part| part.cite.path == *path))
        && let Some(text) = source.text(path)?.filter(|text| text.len() <= MAX_README)
    {
        pieces.push(whole_file(path, text, 1));
    }
    pieces.extend(pack.pieces());
    pieces.extend(neighbours(&pack.files(), source)?);
    Ok(Shown { pieces, cites: pack.cites() })
}

/// What the first of some files import, what imports them and which tests cover them, by name: what else a change may concern.
fn neighbours(files: &[&str], source: &TreeSource<'_>) -> Result<Option<Piece>, EngineError> {
    const FILES: usize = 6;
    let files: Vec<&str> = files.iter().take(FILES).copied().collect();
    let mut text = String::new();
    for related in source.related(&files)? {
        let _ = write!(text, "{}", related.path);
        for (what, list) in
            [("imports", &related.imports), ("imported by", &related.importers), ("tests", &related.tests)]
        {
            if !list.is_empty() {
                let _ = write!(text, "; {what}: {}", list.join(", "));
            }
            if what == "imported by" && related.more > 0 {
                let _ = write!(text, " and {} more", related.more);
            }
        }
        text.push('\n');
    }
    let label = "what depends on what, by imports; there may be more";
    Ok((!text.is_empty()).then(|| Piece::new(label, text, 3, Cut::Head)))
}

/// What belongs to the files a plan changes: tests, users, a neighbour; the files themselves are shown elsewhere.
pub(super) fn around(
    job: &Plan,
    request: &str,
    source: &TreeSource<'_>,
    ceiling: u32,
) -> Result<Shown, EngineError> {
    let files: Vec<&str> = job.files.iter().map(|file| file.path.as_str()).collect();
    let existing: Vec<&str> =
        job.files.iter().filter(|file| file.exists).map(|file| file.path.as_str()).collect();
    let text = format!("{request}\n{}\n{}", job.summary, files.join("\n"));
    let pack = pack(&Want { text: &text, ceiling, shown: &existing }, source)?;
    let mut pieces = pack.pieces();
    pieces.extend(neighbours(&existing, source)?);
    Ok(Shown { pieces, cites: pack.cites() })
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
            pieces.push(whole_file(file.path.as_str(), text, 8));
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
