//! Moves a term that iterates from the head of a rule or comprehension to the end of its body.
//!
//! Must never move what does not iterate: a value that regorus evaluates as OPA does stays where it is.

use std::fmt::Write as _;
use std::ops::Range;

use serde_json::Value;

use super::{Edit, Names};
use crate::rego::tree::{closed, exact, kind, span, visit};

/// Asks for the edits of one rule.
pub fn mend(rule: &Value, text: &str, names: &mut Names, edits: &mut Vec<Edit>) {
    if let Some(("Spec", spec)) = kind(rule) {
        if let Some(edit) = chained(spec, text) {
            edits.push(edit);
            return;
        }
        heads(spec, text, names, edits);
    }
    visit(rule, &mut |node| {
        if let Some((name, inner)) = kind(node)
            && matches!(name, "ArrayCompr" | "SetCompr" | "ObjectCompr")
        {
            comprehension(inner, text, names, edits);
        }
        true
    });
}

/// Tells whether a term goes through a collection by itself: an index that is not a literal.
fn iterates(expr: &Value) -> bool {
    match kind(expr) {
        // What a comprehension does inside is its own affair.
        Some(("ArrayCompr" | "SetCompr" | "ObjectCompr", _)) => false,
        Some(("RefBrack", inner)) => {
            let index = kind(&inner["index"]).map_or("", |(name, _)| name);
            !matches!(index, "String" | "RawString" | "Number") || iterates(&inner["refr"])
        }
        Some((_, inner)) => below(inner),
        None => below(expr),
    }
}

fn below(node: &Value) -> bool {
    match node {
        Value::Array(items) => items.iter().any(iterates),
        Value::Object(map) => map.iter().any(|(key, value)| key != "span" && iterates(value)),
        _ => false,
    }
}

/// Gives each of several bodies a head of its own: `p { a } { b }` is `p { a } p { b }`.
fn chained(spec: &Value, text: &str) -> Option<Edit> {
    let bodies = spec["bodies"].as_array()?;
    let head = text.get(span(kind(&spec["head"])?.1)?)?.trim_end();
    let later = bodies.iter().skip(1).filter(|b| b["is_else"] != true);
    let parts: Vec<_> = later.filter_map(span).map(|at| (at.start..at.start, format!("{head} "))).collect();
    (!parts.is_empty()).then(|| Edit::together(parts))
}

fn heads(spec: &Value, text: &str, names: &mut Names, edits: &mut Vec<Edit>) {
    let Some((shape, head)) = kind(&spec["head"]) else { return };
    let Some(bodies) = spec["bodies"].as_array() else { return };
    // The values of `else` have bodies of their own.
    for body in bodies.iter().filter(|b| b["is_else"] == true) {
        let value = &body["assign"]["value"];
        if iterates(value) {
            edits.extend(moved(value, &[body], text, names));
        }
    }
    let term = if shape == "Set" { &head["key"] } else { &head["assign"]["value"] };
    if !iterates(term) {
        return;
    }
    let own: Vec<&Value> = bodies.iter().filter(|b| b["is_else"] != true).collect();
    if !own.is_empty() {
        edits.extend(moved(term, &own, text, names));
    } else if let (Some(term), Some(whole)) = (exact(term, text), span(spec)) {
        let name = names.fresh();
        let keyword = if contains_keyword(text, &whole, &term) { " if" } else { "" };
        let body = format!("{keyword} {{ {name} := {} }}", &text[term.clone()]);
        edits.push(Edit::together(vec![(term, name), (whole.end..whole.end, body)]));
    }
}

/// Tells whether a head is written `name contains term`, which is followed by `if`.
fn contains_keyword(text: &str, whole: &Range<usize>, term: &Range<usize>) -> bool {
    text.get(whole.start..term.start).is_some_and(|head| head.trim_end().ends_with("contains"))
}

/// Replaces a term by a name, and binds the name at the end of the bodies.
fn moved(term: &Value, bodies: &[&Value], text: &str, names: &mut Names) -> Option<Edit> {
    let term = exact(term, text)?;
    let name = names.fresh();
    let mut parts = vec![(term.clone(), name.clone())];
    for body in bodies {
        let (first, last) = statements(&body["query"], text)?;
        let more = format!("; {name} := {}", text.get(term.clone())?);
        let from = span(&body["assign"]).map_or(span(body)?.start, |assign| assign.end);
        if text.get(from..first.start)?.contains('{') {
            parts.push((last.end..last.end, more));
        } else {
            parts.push((first.start..first.start, "{ ".into()));
            parts.push((last.end..last.end, format!("{more} }}")));
        }
    }
    Some(Edit::together(parts))
}

/// Returns where the first and the last statement of a query stand.
fn statements(query: &Value, text: &str) -> Option<(Range<usize>, Range<usize>)> {
    let statements = query["stmts"].as_array()?;
    Some((closed(span(statements.first()?)?, text), closed(span(statements.last()?)?, text)))
}

fn comprehension(inner: &Value, text: &str, names: &mut Names, edits: &mut Vec<Edit>) {
    let Some((_, last)) = statements(&inner["query"], text) else { return };
    let (mut parts, mut more) = (Vec::new(), String::new());
    for term in ["key", "value", "term"].map(|key| &inner[key]) {
        if !iterates(term) {
            continue;
        }
        let Some(term) = exact(term, text) else { return };
        let name = names.fresh();
        let _ = write!(more, "; {name} := {}", &text[term.clone()]);
        parts.push((term, name));
    }
    if !parts.is_empty() {
        parts.push((last.end..last.end, more));
        edits.push(Edit::together(parts));
    }
}
