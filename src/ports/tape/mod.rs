//! What the world told a stage, recorded on the way in and told again later.
//!
//! One pair for all ports but the models: [`Recorder`] passes every ask on and keeps the answer, [`Player`] answers from
//! what was kept and reaches nothing but the objects of the repository. Must never give a stage an answer that the tape
//! does not hold word for word: what a stage sees when it is recorded is what it sees when it is replayed.

mod forge;
mod observe;
mod place;
mod player;
mod recorder;
#[cfg(test)]
mod tests;

pub use player::{Divergence, Player, Unreadable};
pub use recorder::Recorder;

use super::clock::Clock;
use super::forge::Forge;
use super::observe::Observe;
use super::process::Processes;
use super::vcs::{VcsRead, VcsWrite};
use super::workspace::Workspaces;

/// Every port that is recorded.
#[derive(Clone, Copy)]
pub struct World<'a> {
    /// The clock.
    pub clock: &'a dyn Clock,
    /// Reads the repository.
    pub vcs: &'a dyn VcsRead,
    /// Writes a branch.
    pub forge: &'a dyn VcsWrite,
    /// The forge's API, where there is one.
    pub hub: Option<&'a dyn Forge>,
    /// Looks at what is known of a release.
    pub observe: &'a dyn Observe,
    /// Makes clean copies.
    pub workspaces: &'a dyn Workspaces,
    /// Runs repository code.
    pub processes: &'a dyn Processes,
}
