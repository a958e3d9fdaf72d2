//! Takes what `with` puts in the place of an input out, to a statement before it, as OPA's compiler does.
//!
//! regorus evaluates the rules such a value leads to in the middle of the replacement, and then takes them for undefined.
//!
//! Must never take out a function, which is no value, nor a value that leads to no rule.

use std::fmt::Write as _;

use serde_json::Value;

use super::negation::bare;
use super::{Edit, Names, Scene};
use crate::rego::tree::{any, closed, dotted, exact, span, visit};

/// Asks for the edits of one rule.
pub fn mend(rule: &Value, scene: &Scene<'_>, names: &mut Names, edits: &mut Vec<Edit>) {
    visit(rule, &mut |node| {
        for statement in node.get("stmts").and_then(Value::as_array).into_iter().flatten() {
            edits.extend(mended(statement, scene, names));
        }
        true
    });
}

fn mended(statement: &Value, scene: &Scene<'_>, names: &mut Names) -> Option<Edit> {
    let mods = statement["with_mods"].as_array().filter(|mods| !mods.is_empty())?;
    let whole = closed(span(statement)?, scene.text);
    let (mut parts, mut before) = (Vec::new(), String::new());
    for with in mods {
        let input = dotted(&with["refr"]).is_some_and(|path| path.split('.').next() == Some("input"));
        let (Some(place), true) = (exact(&with["as"], scene.text), input && leads(&with["as"], scene)) else {
            continue;
        };
        let name = names.fresh();
        let _ = write!(before, "{name} = {}; ", scene.text.get(place.clone())?);
        parts.push((place, name));
    }
    if parts.is_empty() {
        return None;
    }
    if bare(statement, scene) {
        before.insert_str(0, "{ ");
        parts.push((whole.end..whole.end, " }".into()));
    }
    parts.push((whole.start..whole.start, before));
    Some(Edit::together(parts))
}

/// Tells whether a value leads to a rule.
fn leads(value: &Value, scene: &Scene<'_>) -> bool {
    any(value, &|name, inner| {
        let text = inner["value"].as_str().unwrap_or_default();
        name == "Var" && (text == "data" || (scene.globals.contains(text) && !scene.functions.contains(text)))
    })
}
