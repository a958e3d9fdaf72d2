//! `issue_comment`: a command below an issue or a pull request.
//!
//! Must never act on a comment that was edited: whoever may edit comments of others would speak in their name.

use crate::artifact::types::event::{Account, CommentPlace, Intent};

use super::{EventError, Reader, Said, command, on_pull_request};

pub(super) fn read(reader: &Reader<'_>, actor: Option<&Account>) -> Result<Said, EventError> {
    let (issue, subject) = reader.issue()?;
    if !reader.is_action("created") {
        return Ok(Said {
            subject: Some(subject),
            ..Said::nothing("only a new comment is a command; write it in a new one")
        });
    }
    let raw = reader.payload.comment.as_ref();
    let comment = reader.comment(raw, CommentPlace::Issue, actor)?;
    let body = raw.and_then(|raw| raw.body.as_deref()).unwrap_or_default();
    if subject.is_pull_request {
        return on_pull_request(subject, comment, body);
    }
    let command::Asked { intent, rest } = command::read(body);
    let texts = if matches!(intent, Intent::Plan | Intent::Run) {
        Reader::texts_of_issue(issue, &subject, Some((rest, &comment.author)))?
    } else {
        Vec::new()
    };
    Ok(Said { intent, subject: Some(subject), comment: Some(comment), tenant: None, texts })
}
