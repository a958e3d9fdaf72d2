//! An observer that knows what it was told.
//!
//! Must never make up an answer: what it was not told is not there.

use std::collections::BTreeMap;

use super::{CommitSeen, Observe, Point, Question, Seen, Unseen};
use crate::artifact::id::{CommitId, RunId};
use crate::artifact::path::RepoPath;
use crate::artifact::types::release::ChangeRun;

/// An observer that knows what it was told.
#[derive(Clone, Debug, Default)]
pub struct FakeObserver {
    /// Files by path.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Points by query.
    pub points: BTreeMap<String, Vec<Point>>,
    /// The commits of the release.
    pub commits: Vec<CommitSeen>,
    /// The branch they are on.
    pub branch: String,
    /// Change runs.
    pub changes: Vec<ChangeRun>,
}

impl Observe for FakeObserver {
    fn file(&self, path: &RepoPath) -> Seen<Option<Vec<u8>>> {
        Ok(self.files.get(path.as_str()).cloned())
    }

    fn points(&self, question: &Question) -> Seen<Vec<Point>> {
        let points = self.points.get(&question.query).cloned();
        points.ok_or_else(|| Unseen::new(format!("the metrics server refused `{}`", question.query)))
    }

    fn commits(&self, since: Option<&CommitId>, until: &CommitId) -> Seen<Vec<CommitSeen>> {
        let from = self.commits.iter().position(|commit| &commit.id == until);
        let from = from.ok_or_else(|| Unseen::new(format!("the commit {until} is not here")))?;
        let rest = self.commits.iter().skip(from);
        Ok(rest.take_while(|commit| Some(&commit.id) != since).cloned().collect())
    }

    fn is_on_branch(&self, commit: &CommitId, branch: &str) -> Seen<bool> {
        Ok(self.branch == branch && self.commits.iter().any(|seen| &seen.id == commit))
    }

    fn change(&self, run: &RunId) -> Seen<Option<ChangeRun>> {
        Ok(self.changes.iter().find(|change| &change.run == run).cloned())
    }
}
