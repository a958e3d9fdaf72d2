//! The `input` document of the rules, built from the artifacts of a run and the base commit.
//!
//! Must never judge, and must never take an artifact's word for what the base holds: contents before are read from the base
//! and compared with the digests the change sets give.

use std::collections::HashMap;

use similar::{Algorithm, DiffTag, capture_diff_slices};

use crate::artifact::digest::Digest;
use crate::artifact::id::{CommitId, TreeId};
use crate::artifact::path::RepoPath;
use crate::artifact::types::change_set::{ChangeError, ChangeSet, FileChange, FileOp, TestSet};
use crate::artifact::types::plan::Plan;
use crate::artifact::types::policy_input::{
    ChangeSize, ChangedFile, Line, Origin, PolicyInput, TestEvidence,
};
use crate::artifact::types::task::Task;
use crate::artifact::types::verification::{Phase, Verification};
use crate::diagnostic::{Class, Failure};
use crate::ports::vcs::{VcsError, VcsRead};

/// The artifacts that are judged together.
#[derive(Clone, Debug)]
pub struct Pieces {
    /// The task.
    pub task: Task,
    /// The plan.
    pub plan: Plan,
    /// The acceptance tests.
    pub tests: TestSet,
    /// The digest of `tests.json`.
    pub tests_digest: Digest,
    /// The red phase.
    pub red: Verification,
    /// The edits.
    pub edits: ChangeSet,
    /// The green phase.
    pub green: Verification,
}

/// Artifacts that do not belong together.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// A change contradicts itself.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// A change set was made against another tree.
    #[error("the {what} were made against tree {found}, not against the task's base {wanted}")]
    Tree {
        /// Which change set.
        what: &'static str,
        /// Its tree.
        found: TreeId,
        /// The task's tree.
        wanted: TreeId,
    },
    /// A verification copied another commit.
    #[error("the {what} phase ran on commit {found}, not on the task's base {wanted}")]
    Commit {
        /// Which phase.
        what: &'static str,
        /// Its commit.
        found: CommitId,
        /// The task's commit.
        wanted: CommitId,
    },
    /// A verification is of the other phase.
    #[error("the report of the {0} phase is of another phase")]
    Phase(&'static str),
    /// The base holds something else than a change set says.
    #[error("the change of `{path}` does not fit: {why}")]
    Base {
        /// The file.
        path: RepoPath,
        /// How it does not fit.
        why: &'static str,
    },
    /// A path that a change set has twice.
    #[error("the {what} change `{path}` twice")]
    Twice {
        /// Which change set.
        what: &'static str,
        /// The file.
        path: RepoPath,
    },
    /// The repository could not be read.
    #[error(transparent)]
    Vcs(#[from] VcsError),
}

impl Failure for DocumentError {
    fn class(&self) -> Class {
        match self {
            Self::Vcs(error) => error.class(),
            _ => Class::Denied,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Vcs(error) => error.help(),
            _ => Some("The artifacts do not belong together; start the run again from its task.".into()),
        }
    }
}

/// Builds the document; `settings` are passed on as they are.
pub fn build(
    vcs: &dyn VcsRead,
    pieces: Pieces,
    settings: serde_json::Map<String, serde_json::Value>,
) -> Result<PolicyInput, DocumentError> {
    check_together(&pieces)?;
    let tree = &pieces.task.base.tree;
    let mut after_tests: HashMap<RepoPath, Option<Vec<u8>>> = HashMap::new();
    let mut changes = Vec::with_capacity(pieces.tests.files.len() + pieces.edits.files.len());
    for file in &pieces.tests.files {
        let before = vcs.file(tree, file.path.as_str())?;
        let after = file.bytes()?;
        changes.push(changed(file, Origin::Tests, before.as_deref(), after.as_deref())?);
        if after_tests.insert(file.path.clone(), after).is_some() {
            return Err(DocumentError::Twice { what: "tests", path: file.path.clone() });
        }
    }
    for file in &pieces.edits.files {
        let before = match after_tests.get(&file.path) {
            Some(bytes) => bytes.clone(),
            None => vcs.file(tree, file.path.as_str())?,
        };
        let after = file.bytes()?;
        changes.push(changed(file, Origin::Edits, before.as_deref(), after.as_deref())?);
    }
    if let Some(path) = twice(&pieces.edits.files) {
        return Err(DocumentError::Twice { what: "edits", path: path.clone() });
    }
    changes.sort_by(|a, b| {
        let key = |c: &ChangedFile| (c.path.clone(), c.origin == Origin::Edits);
        key(a).cmp(&key(b))
    });
    let size = size(&changes);
    let Pieces { task, plan, tests, tests_digest, red, edits: _, green } = pieces;
    let tests = TestEvidence { set: tests, digest: tests_digest, red, green };
    Ok(PolicyInput { task, plan, changes, size, tests, settings })
}

fn check_together(pieces: &Pieces) -> Result<(), DocumentError> {
    let base = &pieces.task.base;
    for (what, found) in [("tests", &pieces.tests.base_tree), ("edits", &pieces.edits.base_tree)] {
        if found != &base.tree {
            return Err(DocumentError::Tree { what, found: found.clone(), wanted: base.tree.clone() });
        }
    }
    for (what, phase, report) in [("red", Phase::Red, &pieces.red), ("green", Phase::Green, &pieces.green)] {
        if report.base != base.commit {
            let (found, wanted) = (report.base.clone(), base.commit.clone());
            return Err(DocumentError::Commit { what, found, wanted });
        }
        if report.phase != phase {
            return Err(DocumentError::Phase(what));
        }
    }
    Ok(())
}

fn twice(files: &[FileChange]) -> Option<&RepoPath> {
    let mut paths: Vec<&RepoPath> = files.iter().map(|f| &f.path).collect();
    paths.sort();
    paths.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
}

fn changed(
    file: &FileChange,
    origin: Origin,
    before: Option<&[u8]>,
    after: Option<&[u8]>,
) -> Result<ChangedFile, DocumentError> {
    let refuse = |why| DocumentError::Base { path: file.path.clone(), why };
    match (file.op, before, &file.before) {
        (FileOp::Create, Some(_), _) => return Err(refuse("it creates a file that is there already")),
        (FileOp::Modify | FileOp::Delete, None, _) => {
            return Err(refuse("it changes a file that is not there"));
        }
        (_, Some(bytes), Some(digest)) if &Digest::of(bytes) != digest => {
            return Err(refuse("it was made against other content than the base has"));
        }
        _ => {}
    }
    let text = after.and_then(|bytes| std::str::from_utf8(bytes).ok());
    let (added, removed) = lines(before.unwrap_or_default(), text.unwrap_or_default());
    Ok(ChangedFile {
        path: file.path.as_str().to_owned(),
        name: file.path.file_name().to_owned(),
        origin,
        op: file.op,
        mode: file.mode,
        binary: after.is_some() && text.is_none_or(|text| text.contains('\0')),
        after: file.after.clone(),
        added,
        removed,
    })
}

fn size(changes: &[ChangedFile]) -> ChangeSize {
    let mut paths: Vec<&str> = changes.iter().map(|c| c.path.as_str()).collect();
    paths.dedup();
    ChangeSize {
        files: paths.len() as u64,
        added: changes.iter().map(|c| c.added.len() as u64).sum(),
        removed: changes.iter().map(|c| c.removed).sum(),
    }
}

/// The largest table a line diff may need; above it lines are counted, which is linear.
const DIFF_CELLS: usize = 4_000_000;

/// Returns the lines a file gains, and how many it loses.
fn lines(before: &[u8], after: &str) -> (Vec<Line>, u64) {
    let old: Vec<&[u8]> = before.split_inclusive(|b| *b == b'\n').collect();
    let new: Vec<&[u8]> = after.as_bytes().split_inclusive(|b| *b == b'\n').collect();
    let start = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[start..], &new[start..]);
    let end = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[..old.len() - end], &new[..new.len() - end]);
    let (indexes, removed) =
        if old.len().saturating_mul(new.len()) <= DIFF_CELLS { diffed(old, new) } else { counted(old, new) };
    let line = |at: usize| {
        let text = String::from_utf8_lossy(new[at]);
        let text = text.strip_suffix('\n').map_or(&*text, |t| t.strip_suffix('\r').unwrap_or(t));
        Line { line: u32::try_from(start + at + 1).unwrap_or(u32::MAX), text: text.to_owned() }
    };
    (indexes.into_iter().map(line).collect(), removed)
}

fn diffed(old: &[&[u8]], new: &[&[u8]]) -> (Vec<usize>, u64) {
    let mut added = Vec::new();
    let mut removed = 0;
    for op in capture_diff_slices(Algorithm::Myers, old, new) {
        if op.tag() != DiffTag::Equal {
            added.extend(op.new_range());
            removed += op.old_range().len() as u64;
        }
    }
    (added, removed)
}

/// Takes every line that was not there as often before for an added one: moved lines do not count, new ones always do.
fn counted(old: &[&[u8]], new: &[&[u8]]) -> (Vec<usize>, u64) {
    let mut left: HashMap<&[u8], u64> = HashMap::new();
    for line in old {
        *left.entry(line).or_default() += 1;
    }
    let mut added = Vec::new();
    for (at, line) in new.iter().enumerate() {
        match left.get_mut(line) {
            Some(count) if *count > 0 => *count -= 1,
            _ => added.push(at),
        }
    }
    (added, left.values().sum())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(before: &str, after: &str) -> (Vec<(u32, String)>, u64) {
        let (added, removed) = lines(before.as_bytes(), after);
        (added.into_iter().map(|l| (l.line, l.text)).collect(), removed)
    }

    #[test]
    fn added_lines_have_their_numbers_afterwards() {
        let line = |n: u32, t: &str| (n, t.to_owned());
        for (before, after, added, removed) in [
            ("", "", vec![], 0),
            ("", "a\r\nb", vec![line(1, "a"), line(2, "b")], 0),
            ("a\nb\nc\n", "a\nx\nc\ny\n", vec![line(2, "x"), line(4, "y")], 1),
            ("a\nb\n", "", vec![], 2),
            ("a", "a\n", vec![line(1, "a")], 1),
            ("a\n", "a\r\n", vec![line(1, "a")], 1),
            ("a\n}\nb\n}\n", "a\n}\nz\n}\nb\n}\n", vec![line(3, "z"), line(4, "}")], 0),
        ] {
            assert_eq!(texts(before, after), (added, removed), "{before:?} -> {after:?}");
        }
    }

    #[test]
    fn counting_finds_every_new_line_and_takes_little_time() {
        use std::fmt::Write as _;
        let (mut old, mut new) = (String::new(), String::new());
        for n in 0..60_000 {
            let _ = writeln!(old, "old {n}");
            let _ = writeln!(new, "new {}", 60_000 - n);
        }
        new.push_str("old 7\n");
        let (added, removed) = lines(old.as_bytes(), &new);
        assert_eq!((added.len(), removed), (60_000, 59_999));
    }

    proptest! {
        #[test]
        fn no_text_is_lost(before in any::<Vec<u8>>(), after in any::<String>()) {
            let (added, _) = lines(&before, &after);
            let total = after.split_inclusive('\n').count();
            prop_assert!(added.len() <= total);
            for line in &added {
                let want = after.split_inclusive('\n').nth(line.line as usize - 1).unwrap();
                prop_assert!(want.starts_with(&line.text));
            }
            // Whatever is not added was there before.
            let old: Vec<&[u8]> = before.split_inclusive(|b| *b == b'\n').collect();
            for (at, line) in after.split_inclusive('\n').enumerate() {
                let is_added = added.iter().any(|l| l.line as usize == at + 1);
                prop_assert!(is_added || old.contains(&line.as_bytes()));
            }
        }
    }
}
