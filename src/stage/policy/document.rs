//! The `input` document of the rules, built from the artifacts of a run and the base commit.
//!
//! Must never judge, and must never take an artifact's word for what the base holds: contents before are read from the base
//! and compared with the digests the change sets give.

use std::collections::BTreeMap;

use crate::artifact::digest::Digest;
use crate::artifact::id::{CommitId, TreeId};
use crate::artifact::path::RepoPath;
use crate::artifact::types::change_set::{ChangeError, ChangeSet, FileChange, FileMode, FileOp, TestSet};
use crate::artifact::types::plan::Plan;
use crate::artifact::types::policy_input::{
    ChangeSize, ChangedFile, Origin, PolicyInput, Subject, TestEvidence,
};
use crate::artifact::types::task::Task;
use crate::artifact::types::verification::{Phase, Verification};
use crate::diagnostic::{Class, Failure};
use crate::ports::vcs::{VcsError, VcsRead};

use super::facts::{self, Looked};
use super::lines::lines;
use super::reach::{self, Wanted};

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

/// Builds the document of a run; `settings` are passed on as they are.
pub fn build(
    vcs: &dyn VcsRead,
    pieces: Pieces,
    settings: serde_json::Map<String, serde_json::Value>,
    wanted: Wanted,
) -> Result<PolicyInput, DocumentError> {
    check_together(&pieces)?;
    let tree = &pieces.task.base.tree;
    let mut changes = Vec::with_capacity(pieces.tests.files.len() + pieces.edits.files.len());
    let mut looked: BTreeMap<String, Looked> = BTreeMap::new();
    let sets = [("tests", Origin::Tests, &pieces.tests.files), ("edits", Origin::Edits, &pieces.edits.files)];
    for (what, origin, files) in sets {
        if let Some(path) = twice(files) {
            return Err(DocumentError::Twice { what, path: path.clone() });
        }
        for file in files {
            let path = file.path.as_str().to_owned();
            let at_base = match looked.get(&path) {
                Some(earlier) => earlier.before.clone(),
                None => vcs.file(tree, &path)?,
            };
            let before = looked.get(&path).map_or(at_base.as_deref(), |earlier| earlier.after.as_deref());
            let after = file.bytes()?;
            changes.push(changed(file, origin, before, after.as_deref())?);
            looked.insert(path.clone(), Looked { path, before: at_base, after });
        }
    }
    changes.sort_by(|a, b| {
        let key = |c: &ChangedFile| (c.path.clone(), c.origin == Origin::Edits);
        key(a).cmp(&key(b))
    });
    let looked: Vec<Looked> = looked.into_values().collect();
    let today = pieces.task.created_at.get(..10);
    let after = facts::ChangedTree::new(vcs, tree, &looked);
    let facts = facts::of_change(&looked, &after, today);
    let facts = after.seen(facts)?;
    let size = size(&changes);
    let paths: Vec<&str> = looked.iter().map(|file| file.path.as_str()).collect();
    let blast_radius = reach::of(vcs, tree, &paths, wanted)?;
    let Pieces { task, plan, tests, tests_digest, red, edits: _, green } = pieces;
    Ok(PolicyInput {
        subject: Subject::run(task.base.commit.clone()),
        task: Some(task),
        plan: Some(plan),
        changes: Some(changes),
        size: Some(size),
        blast_radius,
        facts,
        unread: Vec::new(),
        tests: Some(TestEvidence { set: tests, digest: tests_digest, red, green }),
        settings,
    })
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
    Ok(shown(file.path.as_str(), origin, file.mode, before, after))
}

/// Returns a changed file as rules see it.
pub fn shown(
    path: &str,
    origin: Origin,
    mode: FileMode,
    before: Option<&[u8]>,
    after: Option<&[u8]>,
) -> ChangedFile {
    let text = after.and_then(|bytes| std::str::from_utf8(bytes).ok());
    let (added, removed) = lines(before.unwrap_or_default(), text.unwrap_or_default().as_bytes());
    ChangedFile {
        path: path.to_owned(),
        name: path.rsplit('/').next().unwrap_or_default().to_owned(),
        origin,
        op: match (before, after) {
            (None, _) => FileOp::Create,
            (_, None) => FileOp::Delete,
            _ => FileOp::Modify,
        },
        mode,
        binary: after.is_some() && text.is_none_or(|text| text.contains('\0')),
        after: after.map(Digest::of),
        added,
        removed,
    }
}

/// Adds up the size of a change; the files are sorted by path.
pub fn size(changes: &[ChangedFile]) -> ChangeSize {
    let mut paths: Vec<&str> = changes.iter().map(|c| c.path.as_str()).collect();
    paths.dedup();
    ChangeSize {
        files: paths.len() as u64,
        added: changes.iter().map(|c| c.added.len() as u64).sum(),
        removed: changes.iter().map(|c| c.removed).sum(),
    }
}
