//! A model's request to see more: paths, symbols, queries.
//!
//! Must never let a model choose how much it gets: everything here is bounded.

use serde_json::{Value, json};

use crate::agent::fence::one_line;

/// How often a question may be answered by a request for context.
pub const MAX_REQUESTS: u32 = 2;

const MAX_ITEMS: usize = 10;
const MAX_ITEM: usize = 200;

/// What a model wants to see of the base.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContextRequest {
    /// Files, by their exact paths.
    pub paths: Vec<String>,
    /// Names whose definitions are looked for.
    pub symbols: Vec<String>,
    /// A few words each, looked for in names and texts.
    pub queries: Vec<String>,
}

impl ContextRequest {
    /// Returns the schema of a request that may be absent.
    pub fn schema() -> Value {
        let list = json!({ "type": "array", "items": { "type": "string" } });
        json!({
            "type": ["object", "null"],
            "properties": { "paths": list, "symbols": list, "queries": list },
            "required": ["paths", "symbols", "queries"],
            "additionalProperties": false,
        })
    }

    /// Reads a request of whatever form; what is too much or no text is left away.
    pub fn read(value: &Value) -> Self {
        let mut room = MAX_ITEMS;
        let mut list = |name: &str| -> Vec<String> {
            let items = value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            let texts = items.iter().filter_map(Value::as_str).map(|text| one_line(text, MAX_ITEM));
            let kept: Vec<String> = texts.filter(|text| !text.is_empty()).take(room).collect();
            room -= kept.len();
            kept
        };
        Self { paths: list("paths"), symbols: list("symbols"), queries: list("queries") }
    }

    /// Tells whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty() && self.symbols.is_empty() && self.queries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_bounded_whatever_they_are() {
        let many: Vec<String> = (0..50).map(|i| format!("p{i}")).collect();
        let read = ContextRequest::read(&json!({ "paths": many, "symbols": ["x"], "queries": [1, null] }));
        assert_eq!((read.paths.len(), read.symbols.len(), read.queries.len()), (10, 0, 0));
        for odd in [json!(null), json!([]), json!({ "paths": "x" }), json!({ "paths": [["x"]] }), json!(" ")]
        {
            assert!(ContextRequest::read(&odd).is_empty(), "{odd}");
        }
        let long = ContextRequest::read(&json!({ "queries": ["x".repeat(9999), " \u{200b} "] }));
        assert_eq!(long.queries.len(), 1);
        assert!(long.queries[0].chars().count() <= MAX_ITEM + 1);
    }
}
