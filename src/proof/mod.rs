//! Whether a change is what its evidence says: every check of `orch verify`, one file each.
//!
//! Reads the run's files and the repository, and makes again what can be made again. Must never start a program, reach the
//! network or write, and must never count as held what it could not look at.
//!
//! # Layout
//!
//! - `case`: what is looked at; `outcome`: what a check can say; `checks`: one file per check, one line in its list
//! - `people`: what was changed by hand after the run's last commit
//! - `behind`: the commits of a release, and what a run behind it says
//! - `rejudge`: the recorded document by other rules
//! - `reverts`: a release that was taken back beside the run that puts the branch back
//! - `resolve`: which run made a commit; `keep`: a run's small files in a ref of the repository

pub mod behind;
mod case;
mod checks;
pub mod keep;
mod outcome;
mod people;
pub mod rejudge;
pub mod resolve;
pub mod reverts;

use serde::Serialize;

pub use case::{Case, Repository};
pub use checks::{CHECKS, Check, OF_RELEASES};
pub use outcome::{Checked, Outcome, Overall};
pub use people::{ByPeople, HandMade};

use crate::artifact::id::{CommitId, RunId};
use crate::attest::OpenRun;

/// What was found out about a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// The run.
    pub run: RunId,
    /// The commit that was asked for, or the last one of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<CommitId>,
    /// Where the evidence was found.
    pub source: String,
    /// What it comes to.
    pub result: Overall,
    /// Every check, in order.
    pub checks: Vec<Checked>,
    /// What was changed by hand after the run's last commit.
    pub people: ByPeople,
}

/// Makes every check, and looks at runs that belong to this one and are here.
pub fn prove_beside(case: &Case<'_>, source: &str, others: &[OpenRun<'_>]) -> Proof {
    let mut proof = prove(case, source);
    proof.checks.extend(reverts::look(case, others));
    proof.result = Overall::of(&proof.checks);
    proof
}

/// Makes every check.
pub fn prove(case: &Case<'_>, source: &str) -> Proof {
    let of = if case.is_release() { OF_RELEASES } else { CHECKS };
    let checks: Vec<Checked> = of.iter().map(|check| check.make(case)).collect();
    let people = people::by_people(case);
    Proof {
        run: case.opened.run.clone(),
        head: case.head.as_ref().map(|head| head.commit.clone()).or_else(|| case.own_head()),
        source: source.to_owned(),
        result: Overall::of(&checks),
        checks,
        people,
    }
}
