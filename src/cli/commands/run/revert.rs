//! `orch run --revert RUN`: the request to take back a release that was rolled back.
//!
//! Must never take a rollback from a run that is not what its manifests say, or that this clone cannot follow.

use crate::artifact::id::CommitId;
use crate::artifact::kind::slot;
use crate::artifact::types::rollback::Rollback;
use crate::artifact::types::task::{Assignment, Channel};
use crate::attest::OpenRun;
use crate::cli::CommandError;
use crate::cli::args::Global;
use crate::cli::error::UsageError;
use crate::cli::session::{self, Session};
use crate::engine::revert::{NAME, Revert};
use crate::ports::vcs::VcsChanges as _;
use crate::stage::Request;

/// Returns the request.
pub(super) fn request(global: &Global, session: &Session, name: &str) -> Result<Request, CommandError> {
    let found = session::find_run(global, Some(name))?;
    let opened = OpenRun::open(&found.run, &found.store, false)?;
    if let Some(first) = opened.chain.breaks.first() {
        return Err(refused(format!("the run `{}` is not what its manifests say: {first}", found.run)));
    }
    let rollback: Rollback = opened
        .body(slot::ROLLBACK)
        .map_err(|lacking| refused(format!("the run `{}` took nothing back: {lacking}", found.run)))?;
    let tree = |commit: &CommitId| {
        let known = session.vcs.commit_named(commit.as_str());
        known
            .map(|known| known.tree)
            .map_err(|error| refused(format!("the commit {commit} is not here: {error}")))
    };
    let (bad, good) = (rollback.subject.commit, rollback.last_good.commit);
    let (bad_tree, good_tree) = (tree(&bad)?, tree(&good)?);
    if rollback.subject.tree.is_some_and(|judged| judged != bad_tree) {
        return Err(refused(format!("the commit {bad} has another tree than was judged")));
    }
    let revert =
        Revert { bad, bad_tree, good, good_tree, release: found.run.clone(), decision: rollback.decision };
    if rollback.request.is_some_and(|asked| asked != revert.request()) {
        return Err(refused(format!("the run `{}` asked for another change", found.run)));
    }
    Ok(Request::new(revert.request(), Channel::CommandLine, Assignment::to_engine(NAME)))
}

fn refused(what: String) -> CommandError {
    UsageError {
        what,
        help: "Name the run of a release that `orch stage rollback` took back, in a clone that has both commits.".into(),
    }
    .into()
}
