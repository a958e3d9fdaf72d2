//! `pull_request`: starts no change; other stages want to know where it comes from.
//!
//! Must never take the text of a pull request for a request.

use super::{EventError, Reader, Said};

pub(super) fn read(reader: &Reader<'_>) -> Result<Said, EventError> {
    let (_, subject) = reader.pull_request()?;
    Ok(Said { subject: Some(subject), ..Said::nothing("a pull request starts no change") })
}
