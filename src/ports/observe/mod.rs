//! What is known of a release outside the forge: files that earlier steps made, numbers of a metrics server, change runs.
//!
//! Must never start a program: a number that a command gives comes as a file that an earlier step made, since whoever
//! decides on a release, and holds the right to make one, runs no code of the repository.

mod disk;
mod fake;
mod prometheus;

pub use disk::DiskFiles;
pub use fake::FakeObserver;
pub use prometheus::Prometheus;

use serde::{Deserialize, Serialize};

use crate::artifact::id::{CommitId, RunId, TreeId};
use crate::artifact::path::RepoPath;
use crate::artifact::types::release::ChangeRun;

/// Why something was not seen; a gate goes on, and counts it as missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{why}")]
pub struct Unseen {
    /// One line.
    pub why: String,
}

impl Unseen {
    /// Returns a reason.
    pub fn new(why: impl Into<String>) -> Self {
        Self { why: why.into() }
    }
}

/// What was seen, or why not.
pub type Seen<T> = Result<T, Unseen>;

/// The largest file that is read.
pub const MAX_FILE: u64 = 16 * 1024 * 1024;
/// The most commits of one release.
pub const MAX_COMMITS: usize = 1000;

/// A question to a metrics server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The address of the server.
    pub server: String,
    /// The query.
    pub query: String,
    /// The moment it is about, in seconds since 1970.
    pub at_seconds: i64,
    /// How many seconds back; 0: that moment only.
    pub back_seconds: u64,
    /// The distance of the points of a range, in seconds.
    pub step_seconds: u64,
}

/// A point of a series: the moment, and the number as the server writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// In seconds since 1970.
    pub at_seconds: i64,
    /// The number, as text.
    pub value: String,
}

/// A commit of a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitSeen {
    /// The commit.
    pub id: CommitId,
    /// Its tree.
    pub tree: TreeId,
    /// Its parents.
    pub parents: Vec<CommitId>,
    /// The run that its trailer names.
    pub run: Option<RunId>,
    /// Whether it only joins others: a merge with just what one of its parents has.
    pub joins: bool,
}

/// Looks at what earlier steps, a metrics server and change runs say.
pub trait Observe: Send + Sync {
    /// Returns a file below the repository root; `None` where there is none. At most [`MAX_FILE`] bytes.
    fn file(&self, path: &RepoPath) -> Seen<Option<Vec<u8>>>;

    /// Returns the points of the one series that a query has, oldest first; none where it has no series.
    fn points(&self, question: &Question) -> Seen<Vec<Point>>;

    /// Returns a commit and all before it that `since` does not have, newest first; at most [`MAX_COMMITS`].
    fn commits(&self, since: Option<&CommitId>, until: &CommitId) -> Seen<Vec<CommitSeen>>;

    /// Tells whether a commit is on a branch of this clone or of its remote.
    fn is_on_branch(&self, commit: &CommitId, branch: &str) -> Seen<bool>;

    /// Returns what the files of a change run say, checked as `orch verify` does; `None` where there is no such run.
    fn change(&self, run: &RunId) -> Seen<Option<ChangeRun>>;
}
