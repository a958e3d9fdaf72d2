//! The checks of `orch verify`: one file each, one line in the list.
//!
//! Must never depend on each other: each says what it saw, whatever the others say.

mod acts;
mod approval;
mod bindings;
mod chain;
mod commits;
mod keys;
mod ledger;
mod policy;
mod red_green;
mod release;
mod signature;

pub(super) use approval::used_at;

use super::case::Case;
use super::outcome::{Checked, Outcome};

/// A check.
#[derive(Clone, Copy)]
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// What it shows when it holds.
    pub shows: &'static str,
    /// Looks.
    pub look: fn(&Case<'_>) -> Outcome,
}

/// Every check, in the order they are told.
pub const CHECKS: &[Check] = &[
    Check { name: "chain", shows: "every file is the one its manifest vouches for", look: chain::look },
    Check {
        name: "keys",
        shows: "every stage key follows from config, inputs and materials",
        look: keys::look,
    },
    Check { name: "bindings", shows: "each file was made from the files beside it", look: bindings::look },
    Check {
        name: "red-green",
        shows: "the tests failed without the change and pass with it",
        look: red_green::look,
    },
    Check { name: "policy", shows: "the same rules give the same verdict again", look: policy::look },
    Check { name: "approval", shows: "a person approved what policy left to a person", look: approval::look },
    Check { name: "ledger", shows: "the money adds up and stayed within its limits", look: ledger::look },
    Check {
        name: "commits",
        shows: "tests and edits on the base give the very commits",
        look: commits::look,
    },
    Check { name: "signature", shows: "a trusted key signed what the run says", look: signature::look },
];

/// The checks of a run that is no change but the way of a release.
pub const OF_RELEASES: &[Check] = &[
    CHECKS[0],
    CHECKS[1],
    Check {
        name: "release",
        shows: "the same rules give the same decision from the same evidence",
        look: release::look,
    },
    Check { name: "acts", shows: "what was done is what was decided", look: acts::look },
    Check { name: "signature", shows: "a trusted key signed what the run says", look: signature::look },
];

impl Check {
    /// Makes the check.
    pub fn make(&self, case: &Case<'_>) -> Checked {
        Checked { name: self.name, shows: self.shows, outcome: (self.look)(case) }
    }
}
