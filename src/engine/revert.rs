//! The engine that takes a release back: the inverse of the change between two trees, and nothing else.
//!
//! What it proposes is a change as any other: planned, tested, judged, with evidence of its own. Must never touch a file
//! that the base has otherwise than the release that did harm, and must never guess at what it cannot compare.

use std::collections::{BTreeMap, BTreeSet};

use crate::artifact::digest::Digest;
use crate::artifact::id::{CommitId, RunId, Slug, StageId, TreeId};
use crate::artifact::path::RepoPath;
use crate::artifact::types::change_set::{ChangeSet, FileChange, FileMode, FileOp, TestSet};
use crate::artifact::types::manifest::Material;
use crate::artifact::types::plan::{Criterion, FileRole, Plan, PlannedFile, Risk, RiskLevel};
use crate::artifact::types::task::Task;
use crate::artifact::types::verification::Verification;
use crate::ports::vcs::{EntryKind, VcsRead};

use super::{Engine, EngineError, Proposed, View};

/// The name of the engine.
pub const NAME: &str = "revert";
/// So many digits of a commit are in a title.
const SHORT: usize = 12;

/// A release that is taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revert {
    /// The commit that did harm.
    pub bad: CommitId,
    /// Its tree.
    pub bad_tree: TreeId,
    /// The last good one.
    pub good: CommitId,
    /// Its tree.
    pub good_tree: TreeId,
    /// The run whose decision says so.
    pub release: RunId,
    /// The digest of that decision.
    pub decision: Digest,
}

impl Revert {
    /// Returns the request for it.
    pub fn request(&self) -> String {
        format!(
            "revert {} to {}\n\nbad tree: {}\ngood tree: {}\nrelease run: {}\ndecision: {}\n",
            self.bad, self.good, self.bad_tree, self.good_tree, self.release, self.decision
        )
    }

    /// Reads a request; `None`: it is none of these.
    pub fn read(text: &str) -> Option<Self> {
        let mut words = text.lines().next()?.split_whitespace();
        let (Some("revert"), Some(bad), Some("to"), Some(good), None) =
            (words.next(), words.next(), words.next(), words.next(), words.next())
        else {
            return None;
        };
        let line = |name: &str| {
            let mut found = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            found.next().filter(|_| found.next().is_none())
        };
        Some(Self {
            bad: bad.parse().ok()?,
            bad_tree: line("bad tree")?.trim().parse().ok()?,
            good: good.parse().ok()?,
            good_tree: line("good tree")?.trim().parse().ok()?,
            release: line("release run")?.trim().parse().ok()?,
            decision: line("decision")?.trim().parse().ok()?,
        })
    }

    /// Returns the branch that goes back from one commit to another: the same, whoever makes it and however often.
    pub fn branch(bad: &CommitId, good: &CommitId) -> String {
        format!("revert/{}-to-{}", short(bad), short(good))
    }

    fn subject(&self) -> String {
        format!("go back from {} to {}", short(&self.bad), short(&self.good))
    }
}

fn short(commit: &CommitId) -> String {
    commit.as_str().chars().take(SHORT).collect()
}

/// The engine.
#[derive(Clone, Copy, Debug, Default)]
pub struct RevertEngine;

impl Engine for RevertEngine {
    fn name(&self) -> &'static str {
        NAME
    }

    fn materials(&self) -> Result<Vec<Material>, EngineError> {
        Ok(Vec::new())
    }

    fn plan(&self, view: &View<'_>, task: &Task) -> Result<Proposed<Plan>, EngineError> {
        let revert = asked(task)?;
        let files = inverse(view, &revert)?;
        if files.is_empty() {
            return Err(EngineError::AlreadyDone {
                what: "the base does not hold the change any more".into(),
            });
        }
        let planned = |file: &FileChange| PlannedFile {
            path: file.path.clone(),
            role: FileRole::Change,
            exists: file.before.is_some(),
        };
        Ok(Proposed::undiscussed(Plan {
            summary: format!(
                "The release gate took the release of {} back (run {}, decision {}). This puts its files back to those of the \
                 last good release, {}.",
                revert.bad, revert.release, revert.decision, revert.good
            ),
            change_type: "revert".into(),
            scope: Slug::fold("release", 40, "release"),
            subject: revert.subject(),
            steps: vec!["Put every file of the change back to what the last good release has".into()],
            files: files.iter().map(planned).collect(),
            criteria: vec![Criterion {
                id: "c1".into(),
                text: "Each file of the change is byte for byte that of the last good release".into(),
            }],
            risks: vec![Risk {
                level: RiskLevel::Medium,
                text: "Work that rests on the change, in other files, may need it".into(),
                mitigation: "All tests run with the files put back, and a person reads the change".into(),
            }],
            rollback: "Revert the commit of this change".into(),
            template: None,
        }))
    }

    fn tests(&self, view: &View<'_>, _task: &Task, _plan: &Plan) -> Result<TestSet, EngineError> {
        let why = "the files are those of a release that was tested and ran; the tests of the repository run with them";
        Ok(TestSet {
            base_tree: view.tree.clone(),
            files: Vec::new(),
            expected: Vec::new(),
            uncovered: BTreeMap::from([("c1".to_owned(), "bytes are compared, not behaviour".to_owned())]),
            exempt: Some(why.into()),
        })
    }

    fn edits(
        &self,
        view: &View<'_>,
        task: &Task,
        _plan: &Plan,
        _tests: &TestSet,
        feedback: Option<&Verification>,
    ) -> Result<Proposed<ChangeSet>, EngineError> {
        if let Some(report) = feedback {
            return Err(EngineError::stuck(NAME, report));
        }
        let files = inverse(view, &asked(task)?)?;
        Ok(Proposed::undiscussed(ChangeSet { base_tree: view.tree.clone(), files }))
    }

    fn planned_calls(&self, _stage: StageId) -> Vec<crate::agent::PlannedCall> {
        Vec::new()
    }
}

fn asked(task: &Task) -> Result<Revert, EngineError> {
    Revert::read(&task.request).ok_or_else(|| EngineError::NoFit {
        what: "the request does not say which release goes back to which".into(),
        help: "`orch run --revert RUN` makes it from the run of a release that was rolled back.".into(),
    })
}

/// A file of a tree: how it may be run, and its bytes.
type File = (FileMode, Vec<u8>);

/// Returns what takes the change back on the base, sorted by path.
fn inverse(view: &View<'_>, revert: &Revert) -> Result<Vec<FileChange>, EngineError> {
    let kinds = |tree: &TreeId| -> Result<BTreeMap<String, EntryKind>, EngineError> {
        let entries = view.vcs.entries(tree)?;
        Ok(entries.iter().filter_map(|entry| Some((entry.utf8_path()?.to_owned(), entry.kind))).collect())
    };
    let (good, bad, here) = (kinds(&revert.good_tree)?, kinds(&revert.bad_tree)?, kinds(view.tree)?);
    let mut files = Vec::new();
    let paths: BTreeSet<&String> = good.keys().chain(bad.keys()).collect();
    for path in paths {
        let of =
            |kinds: &BTreeMap<String, EntryKind>, tree: &TreeId| file(view.vcs, tree, path, kinds.get(path));
        let (before, harm) = (of(&good, &revert.good_tree)?, of(&bad, &revert.bad_tree)?);
        if before == harm {
            continue;
        }
        let now = of(&here, view.tree)?;
        if now == before {
            continue;
        }
        if now != harm {
            return Err(conflict(path, "was changed again since the release that did harm"));
        }
        files.push(change(path, before, now)?);
    }
    Ok(files)
}

fn file(
    vcs: &dyn VcsRead,
    tree: &TreeId,
    path: &str,
    kind: Option<&EntryKind>,
) -> Result<Option<File>, EngineError> {
    let mode = match kind {
        None => return Ok(None),
        Some(EntryKind::File) => FileMode::Regular,
        Some(EntryKind::Executable) => FileMode::Executable,
        Some(EntryKind::Link | EntryKind::Submodule) => {
            return Err(conflict(path, "is a link or a submodule, which is not compared"));
        }
    };
    Ok(vcs.file(tree, path)?.map(|bytes| (mode, bytes)))
}

fn change(path: &str, before: Option<File>, now: Option<File>) -> Result<FileChange, EngineError> {
    let path: RepoPath = path.parse().map_err(|_| conflict(path, "has a name that no change may have"))?;
    let bytes = now.as_ref().map(|(_, bytes)| bytes.as_slice());
    Ok(match before {
        Some((mode, text)) => FileChange::write(path, bytes, text, mode),
        None => FileChange {
            path,
            op: FileOp::Delete,
            mode: now.as_ref().map_or(FileMode::Regular, |(mode, _)| *mode),
            before: bytes.map(Digest::of),
            after: None,
            content: None,
        },
    })
}

fn conflict(path: &str, why: &str) -> EngineError {
    EngineError::Conflict {
        path: path.to_owned(),
        why: why.to_owned(),
        help:
            "A person has to take the change back; `orch stage rollback` proposes the whole last good tree."
                .into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_as_it_was_written_and_nothing_else_is_one() {
        let id = |digit: &str| digit.repeat(40);
        let revert = Revert {
            bad: id("a").parse().unwrap(),
            bad_tree: id("b").parse().unwrap(),
            good: id("c").parse().unwrap(),
            good_tree: id("d").parse().unwrap(),
            release: "release-production-1".parse().unwrap(),
            decision: Digest::of("decision"),
        };
        let text = revert.request();
        assert_eq!(Revert::read(&text), Some(revert.clone()));
        assert_eq!(Revert::read(text.trim_end()), Some(revert));
        for other in [
            "revert it".to_owned(),
            text.replace("revert ", "return "),
            text.replace("good tree", "tree"),
            format!("{text}bad tree: {}\n", id("e")),
            text.replace(" to ", " to the "),
            text.replace(&id("b"), "HEAD"),
        ] {
            assert_eq!(Revert::read(&other), None, "{other}");
        }
    }
}
