//! Takes the arguments of calls out of `not`, as OPA's compiler does.
//!
//! In OPA `not f(input.a)` is `x = input.a; not f(x)`: without `input.a` the body is undefined. regorus takes an undefined
//! argument for "false", and the negation for true.
//!
//! Must never take out a comparison by `==` or a plain reference: those are undefined below `not` in OPA too.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Edit, Names, Scene};
use crate::rego::tree::{closed, dotted, exact, extent, kind, span, visit};

/// Asks for the edits of one rule.
pub fn mend(rule: &Value, scene: &Scene<'_>, names: &mut Names, edits: &mut Vec<Edit>) {
    visit(rule, &mut |node| {
        if let Some(statements) = node.get("stmts").and_then(Value::as_array) {
            for statement in statements {
                edits.extend(mended(statement, scene, names));
            }
        }
        true
    });
}

fn mended(statement: &Value, scene: &Scene<'_>, names: &mut Names) -> Option<Edit> {
    let ("NotExpr", negation) = kind(&statement["literal"])? else { return None };
    let whole = closed(span(statement)?, scene.text);
    let mut out = Vec::new();
    top(&negation["expr"], scene, &mut out);
    if out.is_empty() {
        return None;
    }
    let mods: Vec<&str> = statement["with_mods"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|with| scene.text.get(span(with)?))
        .collect();
    let mods = mods.join(" ");
    let (mut parts, mut before) = (Vec::new(), String::new());
    for expr in out {
        let place = exact(expr, scene.text)?;
        let name = names.fresh();
        let _ = write!(before, "{name} = {} {mods}; ", scene.text.get(place.clone())?);
        parts.push((place, name));
    }
    if bare(statement, scene) {
        // A body of one statement without braces.
        before.insert_str(0, "{ ");
        parts.push((whole.end..whole.end, " }".into()));
    }
    parts.push((whole.start..whole.start, before));
    Some(Edit::together(parts))
}

/// Tells whether a statement stands behind `if` without braces.
pub(super) fn bare(statement: &Value, scene: &Scene<'_>) -> bool {
    let Some(before) = span(statement).and_then(|s| scene.text.get(..s.start)) else { return false };
    let before = before.trim_end();
    let word = before
        .strip_suffix("if")
        .is_some_and(|rest| !rest.ends_with(|c: char| c.is_alphanumeric() || c == '_'));
    word && !before.rsplit('\n').next().is_some_and(|line| line.trim_start().starts_with('#'))
}

/// Looks at the expression below `not`.
fn top<'t>(expr: &'t Value, scene: &Scene<'_>, out: &mut Vec<&'t Value>) {
    match kind(expr) {
        Some(("Call", call)) => arguments(call["params"].as_array().into_iter().flatten(), scene, out),
        Some(("BoolExpr", inner)) => {
            let sides = [&inner["lhs"], &inner["rhs"]];
            if inner["op"] == "Eq" {
                for side in sides {
                    term(side, scene, false, out);
                }
            } else {
                arguments(sides.into_iter(), scene, out);
            }
        }
        Some(("AssignExpr", inner)) if inner["op"] == "Eq" => {
            term(&inner["lhs"], scene, false, out);
            term(&inner["rhs"], scene, false, out);
        }
        Some(("Membership", inner)) => {
            let parts = [&inner["key"], &inner["value"], &inner["collection"]];
            arguments(parts.into_iter().filter(|p| !p.is_null()), scene, out);
        }
        // A calculation is a call, and its value is asked for.
        Some(("ArithExpr" | "BinExpr", inner)) => {
            arguments([&inner["lhs"], &inner["rhs"]].into_iter(), scene, out);
        }
        Some(("RefBrack" | "RefDot", _)) => reference(expr, out),
        _ => {}
    }
}

fn arguments<'t>(items: impl Iterator<Item = &'t Value>, scene: &Scene<'_>, out: &mut Vec<&'t Value>) {
    for item in items {
        term(item, scene, true, out);
    }
}

/// Takes out a term: a call always, a reference where it is an argument or part of a collection.
fn term<'t>(expr: &'t Value, scene: &Scene<'_>, argument: bool, out: &mut Vec<&'t Value>) {
    match kind(expr) {
        Some(("Call" | "ArithExpr" | "BinExpr" | "BoolExpr" | "Membership" | "UnaryExpr", _))
            if extent(expr).and_then(|e| scene.text.get(e)).is_some_and(|t| t.parse::<f64>().is_err()) =>
        {
            out.push(expr);
        }
        Some(("RefBrack" | "RefDot", _)) if argument => out.push(expr),
        Some(("RefBrack" | "RefDot", _)) => reference(expr, out),
        Some(("Var", inner)) if argument => {
            let name = inner["value"].as_str().unwrap_or_default();
            if name == "input" || scene.globals.contains(name) {
                out.push(expr);
            }
        }
        Some(("Array" | "Set", inner)) => {
            arguments(inner["items"].as_array().into_iter().flatten(), scene, out);
        }
        Some(("Object", inner)) => {
            for field in inner["fields"].as_array().into_iter().flatten() {
                term(&field[1], scene, true, out);
                term(&field[2], scene, true, out);
            }
        }
        _ => {}
    }
}

/// Takes calls out of the brackets of a reference.
fn reference<'t>(expr: &'t Value, out: &mut Vec<&'t Value>) {
    if dotted(expr).is_some() {
        return;
    }
    match kind(expr) {
        Some(("RefBrack", inner)) => {
            if let Some(("Call", _)) = kind(&inner["index"]) {
                out.push(&inner["index"]);
            }
            reference(&inner["refr"], out);
        }
        Some(("RefDot", inner)) => reference(&inner["refr"], out),
        _ => {}
    }
}
