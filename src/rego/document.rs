//! Documents that become `data`, put together.
//!
//! Must never let one document silently replace another: two values for one key are refused.

use serde_json::{Map, Value};

/// Puts the fields of a document into another; the error is the key that has another value already.
pub fn merge(into: &mut Map<String, Value>, from: Map<String, Value>) -> Result<(), String> {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (None, value) => drop(into.insert(key, value)),
            (Some(Value::Object(old)), Value::Object(new)) => {
                merge(old, new).map_err(|below| format!("{key}.{below}"))?;
            }
            (Some(old), new) if *old == new => {}
            _ => return Err(key),
        }
    }
    Ok(())
}

/// Puts a value below keys, the outermost first.
pub fn below<'a>(keys: impl DoubleEndedIterator<Item = &'a str>, value: Value) -> Value {
    keys.rev().fold(value, |value, key| Value::Object(Map::from_iter([(key.to_owned(), value)])))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn documents_are_put_together_and_never_over_each_other() {
        let fields = |value: Value| value.as_object().cloned().unwrap();
        let mut all = fields(json!({ "a": { "b": 1 }, "c": [1] }));
        merge(&mut all, fields(json!({ "a": { "d": 2 }, "c": [1] }))).unwrap();
        assert_eq!(Value::Object(all.clone()), json!({ "a": { "b": 1, "d": 2 }, "c": [1] }));
        assert_eq!(merge(&mut all, fields(json!({ "a": { "b": 3 } }))), Err("a.b".into()));
        assert_eq!(merge(&mut all, fields(json!({ "c": {} }))), Err("c".into()));
        assert_eq!(below(["x", "y"].into_iter(), json!(1)), json!({ "x": { "y": 1 } }));
    }
}
