//! Asks programs for a review, each in the way that works for it, once per head commit.
//!
//! Must never ask again where the same was asked for the same head, and must never say that it asked where it could not.

use std::collections::BTreeMap;

use crate::config::ReviewProgram;
use crate::ports::forge::{ForgeError, ForgeRead, ForgeWrite, Pull, TokenKind};
use crate::stage::StageError;

use super::decide::Asked;

/// Asks every program.
pub(super) fn all(
    programs: &[ReviewProgram],
    pull: &Pull,
    hub: &dyn ForgeRead,
    write: &dyn ForgeWrite,
) -> Result<BTreeMap<ReviewProgram, Asked>, StageError> {
    let mut asked = BTreeMap::new();
    for program in programs {
        let how = match program {
            ReviewProgram::Copilot => copilot(pull, write)?,
            ReviewProgram::Coderabbit => coderabbit(pull, hub, write)?,
        };
        asked.insert(*program, how);
    }
    Ok(asked)
}

/// By its own endpoint: it says what is missing, where a request for a reviewer is dropped without a word.
fn copilot(pull: &Pull, write: &dyn ForgeWrite) -> Result<Asked, StageError> {
    Ok(match write.request_copilot(pull.number) {
        Ok(()) => Asked::Yes("asked by the forge's endpoint".into()),
        Err(ForgeError::Conflict { .. }) => Asked::Yes("its review was on its way already".into()),
        Err(ForgeError::Unsupported { why, .. } | ForgeError::Invalid { why, .. }) => Asked::No(why),
        Err(ForgeError::Forbidden { missing, .. }) => Asked::No(format!("needs another token: {missing}")),
        Err(ForgeError::NotFound { .. }) => Asked::No("this forge has no Copilot code review".into()),
        Err(error) => return Err(error.into()),
    })
}

/// By a comment of a person's token: it does not answer the token of a workflow, and does not review what a program opened.
fn coderabbit(pull: &Pull, hub: &dyn ForgeRead, write: &dyn ForgeWrite) -> Result<Asked, StageError> {
    let identity = hub.identity()?;
    if identity.kind != TokenKind::Person {
        let by_itself = pull.author.as_ref().is_some_and(|author| !author.bot) && !pull.draft;
        return Ok(if by_itself {
            Asked::Yes("it reviews pull requests of people by itself".into())
        } else {
            Asked::No(format!("needs a person's token; {} is not answered by CodeRabbit", identity.kind))
        });
    }
    // The mark binds the question to the head: a comment is written once for each.
    let mark = format!("<!-- orch-review-gate {} -->", pull.head_commit);
    let comments = hub.comments(pull.number.issue(), None)?;
    let ours = |by: Option<&crate::ports::forge::Login>| by.is_some() && by == identity.login.as_ref();
    let before = comments.iter().any(|comment| {
        comment.body.contains(&mark) && ours(comment.author.as_ref().map(|author| &author.login))
    });
    if before {
        return Ok(Asked::Yes("asked by a comment before".into()));
    }
    match write.add_comment(pull.number.issue(), &format!("@coderabbitai review\n\n{mark}")) {
        Ok(_) => Ok(Asked::Yes("asked by a comment".into())),
        Err(ForgeError::Forbidden { missing, .. }) => Ok(Asked::No(missing)),
        Err(error) => Err(error.into()),
    }
}
