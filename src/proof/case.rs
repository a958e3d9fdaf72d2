//! What is looked at: the run's files, the repository, the keys that are trusted, and the commit that was asked for.
//!
//! Must never hold anything that can write.

use crate::artifact::id::CommitId;
use crate::artifact::id::StageId;
use crate::artifact::kind::slot;
use crate::artifact::types::pull_request::PullRequest;
use crate::attest::PublicKey;
use crate::attest::opened::{Lacking, OpenRun};
use crate::config::Config;
use crate::ports::vcs::{CommitRef, VcsChanges, VcsForesee, VcsHistory};

/// A repository, for reading alone.
pub trait Repository: VcsChanges + VcsForesee + VcsHistory {}

impl<T: VcsChanges + VcsForesee + VcsHistory> Repository for T {}

/// What is looked at.
pub struct Case<'a> {
    /// The run.
    pub opened: OpenRun<'a>,
    /// The repository; without one, nothing is made again.
    pub repository: Option<&'a dyn Repository>,
    /// The commit that was asked for; absent: the run's own.
    pub head: Option<CommitRef>,
    /// The keys that are trusted.
    pub keys: &'a [PublicKey],
}

impl Case<'_> {
    /// Returns the pull request, if there is a readable one.
    pub fn pull_request(&self) -> Result<PullRequest, Lacking> {
        self.opened.body(slot::PULL_REQUEST)
    }

    /// Tells whether the run is no change but the way of a release.
    pub fn is_release(&self) -> bool {
        self.opened.is_release()
    }

    /// Returns the last commit the run wrote.
    pub fn own_head(&self) -> Option<CommitId> {
        self.pull_request().ok()?.commits.pop().map(|commit| commit.id)
    }

    /// Returns the config a stage was started with, as its tape says.
    pub fn config(&self, stage: StageId) -> Result<Config, Lacking> {
        let absent = || Lacking::Unwritten(format!("the stage `{stage}` is not finished"));
        let round = self.opened.last(stage).ok_or_else(absent)?.link.round;
        let header = self.opened.header(stage, round)?;
        Config::of_slice(&header.config)
            .map_err(|error| Lacking::Wrong(format!("the config of `{stage}` cannot be read: {error}")))
    }
}
