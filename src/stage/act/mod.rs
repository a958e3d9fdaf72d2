//! What `promote` and `rollback` share: the order they act on, the record they leave on the forge, deployments.
//!
//! Must never act on a decision whose digests do not hold, and must never do a thing twice.

pub(super) mod deployment;
pub(super) mod order;
pub mod record;

use crate::artifact::types::promotion::Act;
use crate::artifact::types::pull_request::Warning;
use crate::diagnostic::{Class, Failure as _};
use crate::ports::forge::{ForgeError, ForgeRead, ForgeWrite, RepositorySlug};

use super::{StageContext, StageError};

/// The forge, for looking and for changing.
#[derive(Clone, Copy)]
pub(super) struct Hub<'a> {
    pub(super) read: &'a dyn ForgeRead,
    pub(super) write: &'a dyn ForgeWrite,
}

/// Returns the forge of the repository and its name.
pub(super) fn hub<'a>(cx: &'a StageContext<'a>) -> Result<(Hub<'a>, RepositorySlug), StageError> {
    let found = (cx.hub()?, cx.hub_write()?);
    if let (Some(read), Some(write)) = found
        && let Some(slug) = read.slug()
    {
        return Ok((Hub { read, write }, slug));
    }
    Err(StageError::Refused {
        class: Class::Usage,
        what: "there is no forge to act on".into(),
        help: "Set ORCH_FORGE_TOKEN or GITHUB_TOKEN, and run in a checkout whose remote is on a forge."
            .into(),
    })
}

/// Says that a file is not what the decision rests on.
pub(super) fn denied(what: impl Into<String>) -> StageError {
    StageError::Refused {
        class: Class::Denied,
        what: what.into(),
        help:
            "Run `orch artifacts verify` on the run, then `orch stage release-gate` again; nothing was done."
                .into(),
    }
}

/// Returns what keeps a stage from being done: the first act that a person has to look at.
pub(super) fn conflict(acts: &[Act]) -> Option<String> {
    let act = acts.iter().find(|act| act.is_conflict())?;
    let why = act.why.as_deref().unwrap_or("it is not as expected");
    Some(format!("{}: {why}", act.kind.as_str()))
}

/// Puts an error that another try cannot mend into words; one that may pass is handed on, so that the stage is run again.
pub(super) fn lasting(error: StageError) -> Result<Warning, StageError> {
    match error {
        StageError::Forge(error) if !passes(&error) => {
            Ok(Warning { what: error.to_string(), help: error.help(), again: false })
        }
        error => Err(error),
    }
}

/// Tells whether another try may end otherwise.
const fn passes(error: &ForgeError) -> bool {
    error.is_temporary()
        || matches!(
            error,
            ForgeError::Broken { .. } | ForgeError::Unauthorised { .. } | ForgeError::Conflict { .. }
        )
}
