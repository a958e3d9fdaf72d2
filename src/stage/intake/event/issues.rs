//! `issues`: a label of ours starts a change.
//!
//! Must never take an issue for a request because it was opened: a stranger opens issues, a label is put on by who may.

use crate::artifact::types::event::Intent;

use super::{EventError, Reader, Said};

pub(super) fn read(reader: &Reader<'_>) -> Result<Said, EventError> {
    let (issue, subject) = reader.issue()?;
    let label = reader.payload.label.as_ref().map(|label| label.name.to_lowercase());
    let ours = |ours: &String| label.as_deref() == Some(ours.to_lowercase().as_str());
    let (intent, texts) = if !reader.is_action("labeled") {
        (nothing("only putting a label on an issue starts a change"), Vec::new())
    } else if !reader.config.labels.iter().any(ours) {
        (nothing("the label is none of `intake.labels`"), Vec::new())
    } else {
        (Intent::Run, Reader::texts_of_issue(issue, &subject, None)?)
    };
    Ok(Said { intent, subject: Some(subject), comment: None, tenant: None, texts })
}

fn nothing(why: &str) -> Intent {
    Intent::Nothing { why: why.into() }
}
