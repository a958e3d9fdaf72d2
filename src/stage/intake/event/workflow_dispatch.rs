//! `workflow_dispatch`: the inputs `request` and `command` (`run` or `plan`).
//!
//! Must never read another input.

use serde_json::Value;

use crate::artifact::types::event::{Account, Intent, Part};

use super::{EventError, Reader, Said};

pub(super) fn read(reader: &Reader<'_>, actor: Option<&Account>) -> Result<Said, EventError> {
    let inputs = reader.payload.inputs.as_ref();
    let input = |name: &str| match inputs.and_then(|inputs| inputs.get(name)) {
        Some(Value::String(text)) => Ok(text.as_str()),
        None | Some(Value::Null) => Ok(""),
        Some(_) => Err(()),
    };
    let intent = match input("command") {
        Ok("" | "run") => Intent::Run,
        Ok("plan") => Intent::Plan,
        _ => return Err(reader.field("inputs.command")),
    };
    let request = input("request").map_err(|()| reader.field("inputs.request"))?;
    let texts: Vec<_> = Reader::words(Part::Input, request, actor.cloned())?.into_iter().collect();
    if texts.iter().all(|words| words.text.is_empty()) {
        return Err(reader.field("inputs.request"));
    }
    Ok(Said { intent, texts, ..Said::nothing("") })
}
