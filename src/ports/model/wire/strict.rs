//! The subset of JSON Schema that every provider takes strictly.
//!
//! Must never say that a schema fits which one of the vendors refuses.

use serde_json::{Map, Value};

/// Keywords that every vendor takes.
const KNOWN: &[&str] = &[
    "type",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "enum",
    "const",
    "anyOf",
    "description",
    "title",
];
const TYPES: &[&str] = &["object", "array", "string", "integer", "number", "boolean", "null"];
/// Nesting and properties in all: the lowest limits that vendors publish.
const DEEPEST: usize = 10;
const PROPERTIES: usize = 100;

/// Checks that a schema is in the subset; the error tells where it is not.
pub fn strict_subset(schema: &Value) -> Result<(), String> {
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        return Err("the root has to be of type object".into());
    }
    let mut properties = 0;
    walk(schema, "", 0, &mut properties)
}

fn walk(schema: &Value, path: &str, depth: usize, properties: &mut usize) -> Result<(), String> {
    let here = if path.is_empty() { "/" } else { path };
    let Some(schema) = schema.as_object() else { return Err(format!("{here} is no object")) };
    if depth > DEEPEST {
        return Err(format!("{here} is nested deeper than {DEEPEST}"));
    }
    if let Some(name) = schema.keys().find(|name| !KNOWN.contains(&name.as_str())) {
        return Err(format!("{here} has `{name}`"));
    }
    let types = types(schema, here)?;
    if types.is_empty() && !["enum", "const", "anyOf"].iter().any(|name| schema.contains_key(*name)) {
        return Err(format!("{here} has no type"));
    }
    if types.contains(&"object") || schema.contains_key("properties") {
        members(schema, path, here, depth, properties)?;
    }
    if types.contains(&"array") || schema.contains_key("items") {
        let Some(items) = schema.get("items") else {
            return Err(format!("{here} is an array without `items`"));
        };
        walk(items, &format!("{path}/items"), depth + 1, properties)?;
    }
    if let Some(any) = schema.get("anyOf") {
        let Some(any) = any.as_array().filter(|any| !any.is_empty()) else {
            return Err(format!("`anyOf` of {here} is no list of schemas"));
        };
        for (at, one) in any.iter().enumerate() {
            walk(one, &format!("{path}/anyOf/{at}"), depth + 1, properties)?;
        }
    }
    match schema.get("enum") {
        Some(Value::Array(values)) if !values.is_empty() && !values.iter().any(nested) => Ok(()),
        None => Ok(()),
        Some(_) => Err(format!("`enum` of {here} is no list of plain values")),
    }
}

fn nested(value: &Value) -> bool {
    value.is_object() || value.is_array()
}

fn types<'a>(schema: &'a Map<String, Value>, here: &str) -> Result<Vec<&'a str>, String> {
    let types: Option<Vec<&str>> = match schema.get("type") {
        None => Some(Vec::new()),
        Some(Value::String(one)) => Some(vec![one]),
        // Optional is said as the type or null; no other union of types is taken by all.
        Some(Value::Array(many)) => {
            let many: Option<Vec<&str>> = many.iter().map(Value::as_str).collect();
            many.filter(|many| many.len() == 2 && many.contains(&"null") && many[0] != many[1])
        }
        Some(_) => None,
    };
    types
        .filter(|types| types.iter().all(|name| TYPES.contains(name)))
        .ok_or_else(|| format!("`type` of {here} is neither one type nor one type and null"))
}

fn members(
    schema: &Map<String, Value>,
    path: &str,
    here: &str,
    depth: usize,
    properties: &mut usize,
) -> Result<(), String> {
    if schema.get("additionalProperties") != Some(&Value::Bool(false)) {
        return Err(format!("`additionalProperties` of {here} is not false"));
    }
    let Some(members) = schema.get("properties").and_then(Value::as_object) else {
        return Err(format!("{here} has no `properties`"));
    };
    let required: Vec<&str> = match schema.get("required") {
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => return Err(format!("{here} has no `required`")),
    };
    if let Some(name) = members.keys().find(|name| !required.contains(&name.as_str())) {
        return Err(format!("`{name}` of {here} is not required: say \"or null\" by its type instead"));
    }
    if let Some(name) = required.iter().find(|name| !members.contains_key(**name)) {
        return Err(format!("`{name}` is required by {here} and no property of it"));
    }
    *properties += members.len();
    if *properties > PROPERTIES {
        return Err(format!("it has more than {PROPERTIES} properties"));
    }
    for (name, member) in members {
        walk(member, &format!("{path}/properties/{name}"), depth + 1, properties)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn with(property: Value) -> Value {
        json!({ "type": "object", "properties": { "a": property }, "required": ["a"], "additionalProperties": false })
    }

    #[test]
    fn the_subset_is_what_every_vendor_takes() {
        for fits in [
            json!({ "type": "string", "description": "d", "title": "t" }),
            json!({ "type": ["string", "null"] }),
            json!({ "type": "string", "enum": ["x", "y"] }),
            json!({ "const": 1 }),
            json!({ "type": "array", "items": { "type": "integer" } }),
            json!({ "anyOf": [{ "type": "string" }, with(json!({ "type": "boolean" }))] }),
            with(json!({ "type": "number" })),
        ] {
            assert_eq!(strict_subset(&with(fits.clone())), Ok(()), "{fits}");
        }
        for (does_not, named) in [
            (json!({ "type": "string", "minLength": 1 }), "/properties/a has `minLength`"),
            (json!({ "type": "string", "pattern": "x" }), "`pattern`"),
            (json!({ "type": "integer", "minimum": 1 }), "`minimum`"),
            (json!({ "$ref": "#" }), "`$ref`"),
            (json!({ "type": ["string", "integer"] }), "one type and null"),
            (json!({ "type": "text" }), "`type` of /properties/a"),
            (json!({ "type": "array" }), "without `items`"),
            (json!({}), "has no type"),
            (json!(true), "is no object"),
            (json!({ "type": "object", "properties": {}, "required": [] }), "`additionalProperties`"),
            (
                json!({ "type": "object", "properties": { "b": { "type": "null" } }, "required": [], "additionalProperties": false }),
                "`b` of /properties/a is not required",
            ),
            (
                json!({ "type": "object", "properties": {}, "required": ["c"], "additionalProperties": false }),
                "`c` is required",
            ),
            (json!({ "enum": [{}] }), "plain values"),
            (json!({ "anyOf": [] }), "`anyOf`"),
        ] {
            let why = strict_subset(&with(does_not.clone())).unwrap_err();
            assert!(why.contains(named), "{does_not}: {why}");
        }
        assert!(strict_subset(&json!({ "type": "array", "items": { "type": "string" } })).is_err());
        let deep = (0..12).fold(json!({ "type": "string" }), |inner, _| with(inner));
        assert!(strict_subset(&deep).unwrap_err().contains("deeper"));
        let wide: Vec<String> = (0..101).map(|n| format!("p{n}")).collect();
        let members: Map<String, Value> =
            wide.iter().map(|n| (n.clone(), json!({ "type": "string" }))).collect();
        let wide = json!({ "type": "object", "properties": members, "required": wide, "additionalProperties": false });
        assert!(strict_subset(&wide).unwrap_err().contains("more than"));
    }
}
