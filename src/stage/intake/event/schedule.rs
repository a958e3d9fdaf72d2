//! `schedule`: the clock starts the request that the config names.
//!
//! Must never take a word of the payload: the text is the repository's own.

use crate::artifact::types::event::{Intent, Part};

use super::{EventError, Reader, Said};

pub(super) fn read(reader: &Reader<'_>) -> Result<Said, EventError> {
    let texts: Vec<_> = Reader::words(Part::Config, &reader.config.scheduled, None)?.into_iter().collect();
    if texts.is_empty() {
        return Ok(Said::nothing("`intake.scheduled` names no request"));
    }
    Ok(Said { intent: Intent::Run, texts, ..Said::nothing("") })
}
