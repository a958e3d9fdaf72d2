//! Lets `some x in` a value that is no collection find nothing, as in OPA; and `x = c[x]` go through the collection.
//!
//! Must never touch a collection that is written down, or one that is itself gone through: only a plain reference is asked.

use serde_json::Value;

use super::negation::bare;
use super::{Edit, Names, Scene};
use crate::rego::tree::{closed, dotted, extent, kind, span, visit};

/// The function that is true of a collection and undefined of anything else.
pub const COLLECTION: &str = "__orch.collection";

/// Asks for the edits of one rule.
pub fn mend(rule: &Value, scene: &Scene<'_>, names: &mut Names, edits: &mut Vec<Edit>) {
    visit(rule, &mut |node| {
        for statement in node.get("stmts").and_then(Value::as_array).into_iter().flatten() {
            edits.extend(guarded(statement, scene));
            edits.extend(own_key(statement, scene, names));
        }
        true
    });
}

fn guarded(statement: &Value, scene: &Scene<'_>) -> Option<Edit> {
    let ("SomeIn", some) = kind(&statement["literal"])? else { return None };
    let collection = &some["collection"];
    let ("RefBrack" | "RefDot" | "Var", _) = kind(collection)? else { return None };
    dotted(collection)?;
    let whole = closed(span(statement)?, scene.text);
    let guard = format!("{COLLECTION}({})", scene.text.get(extent(collection)?)?);
    if scene.text.get(..whole.start)?.trim_end().ends_with(&format!("{guard};")) {
        return None;
    }
    if statement["with_mods"].as_array().is_some_and(|mods| !mods.is_empty()) {
        // A statement with `with` is left as it is: what it stops at is told.
        return None;
    }
    let before = format!("{guard}; ");
    if bare(statement, scene) {
        return Some(Edit::together(vec![
            (whole.start..whole.start, format!("{{ {before}")),
            (whole.end..whole.end, " }".into()),
        ]));
    }
    Some(Edit::replace(whole.start..whole.start, before))
}

/// Takes `x = c[x]` apart: regorus needs the key to have a name of its own.
fn own_key(statement: &Value, scene: &Scene<'_>, names: &mut Names) -> Option<Edit> {
    let ("Expr", literal) = kind(&statement["literal"])? else { return None };
    let ("AssignExpr", assign) = kind(&literal["expr"])? else { return None };
    let (("Var", left), ("RefBrack", right)) = (kind(&assign["lhs"])?, kind(&assign["rhs"])?) else {
        return None;
    };
    let ("Var", index) = kind(&right["index"])? else { return None };
    if assign["op"] != "Eq" || left["value"] != index["value"] {
        return None;
    }
    let name = names.fresh();
    let end = closed(span(statement)?, scene.text).end;
    let variable = scene.text.get(span(left)?)?;
    Some(Edit::together(vec![(span(index)?, name.clone()), (end..end, format!("; {variable} == {name}"))]))
}
