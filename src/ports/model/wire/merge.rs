//! Settings of the user merged into a body.
//!
//! Must never let one of them replace what is set here, and must never drop one.

use serde_json::{Map, Value};

use super::super::CallError;

/// Settings that would change how the reply has to be read, or who else sees the call.
const REFUSED: &[&str] = &[
    "stream",
    "stream_options",
    "n",
    "background",
    "candidateCount",
    "previous_response_id",
    "conversation",
    "input",
    "messages",
    "contents",
    "system",
    "instructions",
    "systemInstruction",
];

/// Merges settings into a body; objects are merged member by member.
pub(super) fn merge(body: &mut Map<String, Value>, extra: &Map<String, Value>) -> Result<(), CallError> {
    if let Some(name) = REFUSED.iter().find(|name| extra.contains_key(**name)) {
        return Err(CallError::Unsupported {
            what: format!("the setting `{name}` cannot be given: it is made from the request"),
        });
    }
    within(body, extra, "")
}

fn within(body: &mut Map<String, Value>, extra: &Map<String, Value>, path: &str) -> Result<(), CallError> {
    for (name, value) in extra {
        let here = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match (body.get_mut(name), value) {
            (None, value) => {
                body.insert(name.clone(), value.clone());
            }
            (Some(Value::Object(ours)), Value::Object(theirs)) => within(ours, theirs, &here)?,
            (Some(_), _) => {
                let what = format!(
                    "the setting `{here}` is set already from the request, so it cannot be given again"
                );
                return Err(CallError::Unsupported { what });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn settings_are_added_and_never_replace() {
        let cases = [
            (json!({ "a": 1 }), json!({ "b": 2 }), Ok(json!({ "a": 1, "b": 2 }))),
            (json!({ "a": { "x": 1 } }), json!({ "a": { "y": 2 } }), Ok(json!({ "a": { "x": 1, "y": 2 } }))),
            (json!({ "a": { "x": 1 } }), json!({ "a": { "x": 1 } }), Err("a.x")),
            (json!({ "a": 1 }), json!({ "a": { "x": 1 } }), Err("`a`")),
            (json!({ "a": { "x": 1 } }), json!({ "a": null }), Err("`a`")),
            (json!({}), json!({ "stream": true }), Err("`stream`")),
            (json!({}), json!({ "n": 2 }), Err("`n`")),
        ];
        for (ours, theirs, wanted) in cases {
            let mut body = ours.as_object().unwrap().clone();
            match (merge(&mut body, theirs.as_object().unwrap()), wanted) {
                (Ok(()), Ok(wanted)) => assert_eq!(Value::Object(body), wanted),
                (Err(error), Err(named)) => assert!(error.to_string().contains(named), "{error}"),
                (got, wanted) => panic!("{theirs}: {got:?}, wanted {wanted:?}"),
            }
        }
    }
}
