//! Short ways through a JSON value.
//!
//! Must never tell a missing member from one of another type: both are not there.

use serde_json::{Map, Value};

/// Parses a document whose top is an object.
pub fn object(text: &str) -> Option<Map<String, Value>> {
    match serde_json::from_str(text) {
        Ok(Value::Object(map)) => Some(map),
        _ => None,
    }
}

/// Returns a text member.
pub fn text<'a>(map: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    map.get(name).and_then(Value::as_str)
}

/// Returns the members of an object member; none when it is not there.
pub fn members<'a>(map: &'a Map<String, Value>, name: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    map.get(name).and_then(Value::as_object).into_iter().flatten()
}

/// Returns the items of a list member; none when it is not there.
pub fn items<'a>(map: &'a Map<String, Value>, name: &str) -> impl Iterator<Item = &'a Value> {
    map.get(name).and_then(Value::as_array).into_iter().flatten()
}

/// Tells whether a member is `true`.
pub fn is_true(map: &Map<String, Value>, name: &str) -> bool {
    map.get(name).and_then(Value::as_bool) == Some(true)
}
