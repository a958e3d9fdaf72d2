//! Edits of many files turned into a list of changes, or into all the reasons why not.
//!
//! Must never return a part of the changes, and must never read a file outside the list of what may change.

use std::collections::BTreeMap;

use crate::artifact::digest::Digest;
use crate::artifact::path::RepoPath;
use crate::artifact::types::change_set::{FileChange, FileMode, FileOp};

use super::format::{Change, FileEdit};
use super::revise;

/// Why one file cannot be changed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// The file, as the edit names it.
    pub path: String,
    /// The line of the input the edit begins on, or its number in a list, from 1.
    pub at: usize,
    /// The reason in one word: `path`, `not-allowed`, `missing`, `ambiguous`, `stale`, `done`, `unfit`, `unread`.
    pub kind: &'static str,
    /// The reason, to be read after the path.
    pub why: String,
}

/// What is on disk, or in a tree.
pub trait Files {
    /// Returns a file as it is now; none where there is none. The error is to be read after the path.
    fn now(&self, path: &RepoPath) -> Result<Option<(Vec<u8>, FileMode)>, String>;

    /// Returns a file as it was shown; none where it was not, or as it is.
    fn shown(&self, path: &RepoPath) -> Result<Option<Vec<u8>>, String>;
}

/// All edits of one file.
struct Whole {
    at: usize,
    change: Change,
    to: Option<String>,
    executable: Option<bool>,
}

/// Plans the changes of all edits, sorted by path; `allow` tells which files may change.
pub fn plan(
    edits: Vec<FileEdit>,
    files: &dyn Files,
    allow: &dyn Fn(&RepoPath) -> bool,
) -> Result<Vec<FileChange>, Vec<Problem>> {
    let (mut changes, mut problems) = (Vec::new(), Vec::new());
    for (path, whole) in gather(edits, &mut problems) {
        let at = whole.at;
        match one(&path, whole, files, allow) {
            Ok(mut more) => changes.append(&mut more),
            Err((kind, why)) => problems.push(Problem { path, at, kind, why }),
        }
    }
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    for pair in changes.windows(2) {
        if pair[0].path == pair[1].path {
            let why = "is changed by one edit and moved or made by another".to_owned();
            problems.push(Problem { path: pair[0].path.to_string(), at: 1, kind: "unfit", why });
        }
    }
    if problems.is_empty() { Ok(changes) } else { Err(problems) }
}

/// Puts the edits of each file together.
fn gather(edits: Vec<FileEdit>, problems: &mut Vec<Problem>) -> BTreeMap<String, Whole> {
    let mut whole: BTreeMap<String, Whole> = BTreeMap::new();
    for edit in edits {
        let Some(known) = whole.get_mut(&edit.path) else {
            let one = Whole { at: edit.at, change: edit.change, to: edit.to, executable: edit.executable };
            whole.insert(edit.path, one);
            continue;
        };
        let mut fits = true;
        match (&mut known.change, edit.change) {
            (Change::Hunks(have), Change::Hunks(more)) => have.extend(more),
            (Change::Pairs(have), Change::Pairs(more)) => have.extend(more),
            (Change::Lines(have), Change::Lines(more)) => have.extend(more),
            _ => fits = false,
        }
        let moved_twice = known.to.is_some() && edit.to.is_some();
        if !fits || moved_twice {
            let why = "is changed by two edits in ways that do not go together: make one of them".to_owned();
            problems.push(Problem { path: edit.path, at: edit.at, kind: "unfit", why });
            continue;
        }
        known.to = edit.to.or(known.to.take());
        known.executable = edit.executable.or(known.executable);
    }
    whole
}

type Refusal = (&'static str, String);

fn checked(path: &str, allow: &dyn Fn(&RepoPath) -> bool) -> Result<RepoPath, Refusal> {
    let path: RepoPath =
        path.parse().map_err(|error: crate::artifact::path::PathError| ("path", error.why))?;
    if allow(&path) {
        Ok(path)
    } else {
        Err(("not-allowed", "is not among the files that may change".into()))
    }
}

fn one(
    path: &str,
    whole: Whole,
    files: &dyn Files,
    allow: &dyn Fn(&RepoPath) -> bool,
) -> Result<Vec<FileChange>, Refusal> {
    let path = checked(path, allow)?;
    let to = whole.to.as_deref().map(|to| checked(to, allow)).transpose()?.filter(|to| *to != path);
    let unfit = |why: String| ("unfit", why);
    let now = files.now(&path).map_err(unfit)?;
    let shown = files.shown(&path).map_err(unfit)?;
    if matches!(whole.change, Change::Delete) {
        let (bytes, mode) =
            now.ok_or_else(|| ("done", "does not exist: it may be gone already".to_owned()))?;
        if shown.is_some_and(|shown| shown != bytes) {
            return Err((
                "stale",
                "has changed since it was shown, and would be deleted: read it again".into(),
            ));
        }
        return Ok(vec![delete(path, &bytes, mode)]);
    }
    let bare = matches!(&whole.change, Change::Hunks(hunks) if hunks.is_empty());
    let bytes = now.as_ref().map(|(bytes, _)| bytes.as_slice());
    let after = match (bare, bytes) {
        (true, Some(bytes)) => bytes.to_vec(),
        _ => revise::change(shown.as_deref(), bytes, &whole.change).map_err(|r| (r.kind(), r.to_string()))?,
    };
    let old_mode = now.as_ref().map_or(FileMode::Regular, |(_, mode)| *mode);
    let mode = match whole.executable {
        Some(true) => FileMode::Executable,
        Some(false) => FileMode::Regular,
        None => old_mode,
    };
    let Some(to) = to else {
        if bytes == Some(after.as_slice()) && mode == old_mode {
            return Err(("done", "is like this already: nothing is left to do".into()));
        }
        return Ok(vec![FileChange::write(path, bytes, after, mode)]);
    };
    if files.now(&to).map_err(unfit)?.is_some() {
        return Err(("unfit", format!("cannot move to `{to}`, which exists already")));
    }
    let Some(old) = bytes else { return Err(("unfit", "does not exist, and cannot move".into())) };
    Ok(vec![delete(path, old, old_mode), FileChange::write(to, None, after, mode)])
}

fn delete(path: RepoPath, bytes: &[u8], mode: FileMode) -> FileChange {
    FileChange { path, op: FileOp::Delete, mode, before: Some(Digest::of(bytes)), after: None, content: None }
}
