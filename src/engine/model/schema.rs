//! The forms of answers, in the subset every provider takes strictly.
//!
//! Must never hold a limit a provider would refuse: limits are checked in code when an answer is read.

use serde_json::{Map, Value, json};

use crate::agent::context::ContextRequest;
use crate::agent::debate::{answer_schema, claim_schema, risk_schema};
use crate::edit::format::Format;
use crate::engine::rules::TYPES;
use crate::ports::model::ReplySchema;

fn text() -> Value {
    json!({ "type": "string" })
}

fn maybe_text() -> Value {
    json!({ "type": ["string", "null"] })
}

fn list(items: &Value) -> Value {
    json!({ "type": "array", "items": items })
}

fn choice(names: &[&str]) -> Value {
    json!({ "type": "string", "enum": names })
}

/// An object whose properties are all required.
fn object(kind: Value, properties: Value) -> Value {
    let required: Vec<String> =
        properties.as_object().map(|map| map.keys().cloned().collect()).unwrap_or_default();
    json!({ "type": kind, "properties": properties, "required": required, "additionalProperties": false })
}

/// An answer: its outcome, and `body` where there is one.
fn answer(name: &str, body: Value) -> ReplySchema {
    let mut properties = Map::new();
    properties.insert("outcome".into(), choice(&["answer", "need-context", "cannot-be-done"]));
    properties.insert("reason".into(), maybe_text());
    properties.insert("context".into(), ContextRequest::schema());
    properties.insert("answer".into(), object(json!(["object", "null"]), body));
    ReplySchema { name: name.into(), schema: object(json!("object"), Value::Object(properties)) }
}

/// The form of a plan.
pub(super) fn plan() -> ReplySchema {
    let file = object(json!("object"), json!({ "path": text(), "role": choice(&["test", "change"]) }));
    let criterion = object(json!("object"), json!({ "id": text(), "text": text() }));
    let risk = object(
        json!("object"),
        json!({ "level": choice(&["low", "medium", "high"]), "text": text(), "mitigation": text() }),
    );
    let plan = object(
        json!("object"),
        json!({
            "summary": text(),
            "type": choice(TYPES),
            "scope": text(),
            "subject": text(),
            "steps": list(&text()),
            "files": list(&file),
            "criteria": list(&criterion),
            "risks": list(&risk),
            "rollback": text(),
        }),
    );
    answer("plan", json!({ "plan": plan, "claims": claim_schema(), "answers": answer_schema() }))
}

/// The form of a judgement.
pub(super) fn critique() -> ReplySchema {
    answer("critique", json!({ "summary": text(), "claims": claim_schema(), "risks": risk_schema() }))
}

fn edit() -> Value {
    let replacement = object(json!("object"), json!({ "find": text(), "replace": text() }));
    object(
        json!("object"),
        json!({
            "path": text(),
            "op": choice(&["create", "write", "replace", "delete"]),
            "content": maybe_text(),
            "replacements": { "type": ["array", "null"], "items": replacement },
            "executable": { "type": ["boolean", "null"] },
        }),
    )
}

/// The form of edits: a list of them, or a text in one of the other formats.
pub(super) fn edits(format: Format) -> ReplySchema {
    let (name, edits) = match format {
        Format::Json => ("edits", list(&edit())),
        Format::Udiff | Format::SearchReplace | Format::V4a => ("patch", text()),
    };
    let mut body = Map::new();
    body.insert("summary".into(), text());
    body.insert(name.into(), edits);
    body.insert("claims".into(), claim_schema());
    body.insert("answers".into(), answer_schema());
    answer(name, Value::Object(body))
}

/// The form of acceptance tests.
pub(super) fn tests() -> ReplySchema {
    let expected =
        object(json!("object"), json!({ "path": text(), "name": text(), "criteria": list(&text()) }));
    let uncovered = object(json!("object"), json!({ "criterion": text(), "why": text() }));
    let body = json!({
        "files": list(&edit()),
        "expected": list(&expected),
        "uncovered": list(&uncovered),
        "exempt": maybe_text(),
    });
    answer("tests", body)
}

#[cfg(test)]
mod checks {
    use super::*;

    /// Checks the subset: objects closed and whole, no limits, no references, enums of texts.
    fn strict(schema: &Value, at: &str) {
        let map = schema.as_object().unwrap_or_else(|| panic!("{at}"));
        for key in map.keys() {
            let known = ["type", "properties", "required", "additionalProperties", "items", "enum"];
            assert!(known.contains(&key.as_str()), "{at}: {key}");
        }
        if let Some(properties) = map.get("properties").and_then(Value::as_object) {
            let required: Vec<_> =
                map["required"].as_array().unwrap().iter().map(|r| r.as_str().unwrap()).collect();
            assert_eq!(required, properties.keys().map(String::as_str).collect::<Vec<_>>(), "{at}");
            assert_eq!(map["additionalProperties"], false, "{at}");
            for (name, inner) in properties {
                strict(inner, &format!("{at}.{name}"));
            }
        }
        if let Some(items) = map.get("items") {
            strict(items, &format!("{at}[]"));
        }
    }

    #[test]
    fn every_form_is_in_the_strict_subset() {
        for form in [plan(), critique(), edits(Format::Json), edits(Format::Udiff), tests()] {
            assert_eq!(form.schema["type"], "object");
            strict(&form.schema, &form.name);
            jsonschema::validator_for(&form.schema).unwrap();
        }
    }
}
