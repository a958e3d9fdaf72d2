//! The one pull request of a branch: opened, or brought up to date.
//!
//! Must never change words that a person has written into it.

use crate::artifact::types::pull_request::{Outcome, Warning};
use crate::diagnostic::Failure as _;
use crate::ports::forge::{ForgeError, NewPull, Pull, PullEdit, PullState};
use crate::stage::StageError;

use super::branch::Place;
use super::commits::Written;
use super::marker::{Claim, claim};
use super::{Hub, Known};

/// The pull request, and what was done about it.
pub(super) struct Asked {
    pub(super) pull: Pull,
    pub(super) created: bool,
    pub(super) edited: bool,
    pub(super) warnings: Vec<Warning>,
}

/// Opens the pull request, or brings the open one up to date.
pub(super) fn ensure(
    hub: &Hub<'_>,
    known: &Known<'_>,
    place: &Place,
    written: &Written,
) -> Result<Asked, StageError> {
    let draft = known.wanted;
    let (pull, created) = match place.open() {
        Some(pull) => (pull.clone(), false),
        None => open(hub, known, place, draft)?,
    };
    let mut asked = Asked { pull, created, edited: false, warnings: Vec::new() };
    if !created {
        edit(hub, known, &mut asked)?;
        // A person who made it ready has decided; a new change is another thing.
        let back = draft && !asked.pull.draft && written.made > 0;
        if (!draft && asked.pull.draft) || back {
            state(hub, &mut asked, draft)?;
        }
    }
    // What the list told of the head may be from before the commits.
    asked.pull.head_commit = written.head.clone();
    Ok(asked)
}

fn open(hub: &Hub<'_>, known: &Known<'_>, place: &Place, draft: bool) -> Result<(Pull, bool), StageError> {
    let mut new = NewPull {
        title: known.draft.title.clone(),
        body: known.body.clone(),
        head: place.branch.clone(),
        base: known.target.clone(),
        draft,
    };
    let found = |hub: &Hub<'_>| -> Result<Option<Pull>, ForgeError> {
        Ok(hub.read.pulls_of(&place.branch)?.into_iter().find(|pull| pull.state == PullState::Open))
    };
    match hub.write.open_pull(&new) {
        Ok(pull) => Ok((pull, true)),
        Err(error @ ForgeError::Conflict { .. }) => Ok((found(hub)?.ok_or(error)?, false)),
        // Private repositories of free plans have no drafts; the check and the text still say what is missing.
        Err(ForgeError::Invalid { why, .. }) if draft && why.to_ascii_lowercase().contains("draft") => {
            new.draft = false;
            Ok((hub.write.open_pull(&new)?, true))
        }
        Err(error) => Err(error.into()),
    }
}

fn edit(hub: &Hub<'_>, known: &Known<'_>, asked: &mut Asked) -> Result<(), StageError> {
    let task = &known.draft.provenance.task;
    let pull = &asked.pull;
    let mut edit = PullEdit::default();
    match claim(&pull.body, task) {
        Claim::Ours => {
            let same = pull.body.replace("\r\n", "\n").trim_end() == known.body.trim_end();
            edit.body = (!same).then(|| known.body.clone());
            edit.title =
                (pull.title != known.draft.title && edit.body.is_some()).then(|| known.draft.title.clone());
        }
        // The text is that of the change this one goes on with; its commits tell what was mended.
        Claim::Other if known.evidence.task.follows.is_some() => {}
        claim => {
            let what = if claim == Claim::Edited {
                "a person changed the text of the pull request, so it stays as it is"
            } else {
                "the pull request of the branch was opened by somebody else, so its text stays as it is"
            };
            asked.warnings.push(Warning { what: what.into(), help: None, again: false });
        }
    }
    if !edit.is_empty() {
        asked.pull = hub.write.edit_pull(asked.pull.number, &edit)?;
        asked.edited = true;
    }
    Ok(())
}

fn state(hub: &Hub<'_>, asked: &mut Asked, draft: bool) -> Result<(), StageError> {
    match hub.write.set_draft(&asked.pull.node, draft) {
        Ok(()) => {
            asked.pull.draft = draft;
            asked.edited = true;
            Ok(())
        }
        Err(error) if error.is_temporary() => Err(error.into()),
        Err(error) => {
            asked.warnings.push(warning(&error));
            Ok(())
        }
    }
}

/// Puts an error into words for somebody who reads them later.
pub(super) fn warning(error: &ForgeError) -> Warning {
    Warning { what: error.to_string(), help: error.help(), again: error.is_temporary() }
}

/// What it comes to.
pub(super) fn outcome(place: &Place, written: &Written, asked: &Asked) -> Outcome {
    let fresh = place.tip.is_none();
    if asked.created {
        return if fresh { Outcome::Created } else { Outcome::Repaired };
    }
    if written.made > 0 && !written.renewed {
        return Outcome::Repaired;
    }
    if written.made > 0 || asked.edited { Outcome::Updated } else { Outcome::Unchanged }
}
