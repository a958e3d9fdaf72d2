//! `pull_request_review`: a command in the text of a review.
//!
//! Must never act for a pull request from a fork: the workflow that runs is then the fork's own.

use crate::artifact::types::event::{Account, CommentPlace};

use super::{EventError, Reader, Said, on_pull_request};

pub(super) fn read(reader: &Reader<'_>, actor: Option<&Account>) -> Result<Said, EventError> {
    let (_, subject) = reader.pull_request()?;
    if !reader.is_action("submitted") {
        return Ok(Said {
            subject: Some(subject),
            ..Said::nothing("only a new review is a command; write it in a new comment")
        });
    }
    let raw = reader.payload.review.as_ref();
    let comment = reader.comment(raw, CommentPlace::Review, actor)?;
    let body = raw.and_then(|raw| raw.body.as_deref()).unwrap_or_default();
    on_pull_request(subject, comment, body)
}
