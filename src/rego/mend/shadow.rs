//! Renames `some` variables that have the name of a rule of their package: regorus takes the two for one.
//!
//! Must never rename the rule: only where the variable is declared at the top of the one body of a rule is its name its own
//! in the whole of that rule.

use serde_json::Value;

use super::{Edit, Names, Scene};
use crate::rego::tree::{kind, span, visit};

/// Asks for the edits of one rule.
pub fn mend(rule: &Value, scene: &Scene<'_>, names: &mut Names, edits: &mut Vec<Edit>) {
    if let Some(("Spec", spec)) = kind(rule)
        && let Some(bodies) = spec["bodies"].as_array()
    {
        let alone = bodies.iter().filter(|b| b["is_else"] != true).count() == 1;
        for body in bodies {
            let head = (alone && body["is_else"] != true).then_some(&spec["head"]);
            let own = head
                .and_then(|head| kind(head))
                .and_then(|(_, h)| kind(&h["refr"]))
                .and_then(|(_, r)| span(r));
            let whole: Vec<&Value> = head.into_iter().chain([body]).collect();
            rename(&whole, &body["query"], own.as_ref(), &|name| scene.globals.contains(name), names, edits);
        }
    }
    visit(rule, &mut |node| {
        if let Some((name, inner)) = kind(node)
            && matches!(name, "ArrayCompr" | "SetCompr" | "ObjectCompr")
        {
            // What a comprehension declares is its own, whatever it is called around it.
            rename(&[node], &inner["query"], None, &|name| !name.starts_with("__orch"), names, edits);
        }
        true
    });
}

/// Renames what a query declares in all of the nodes that see it.
fn rename(
    whole: &[&Value],
    query: &Value,
    own: Option<&std::ops::Range<usize>>,
    wanted: &dyn Fn(&str) -> bool,
    names: &mut Names,
    edits: &mut Vec<Edit>,
) {
    let mut declared: Vec<&str> = Vec::new();
    for statement in query["stmts"].as_array().into_iter().flatten() {
        let Some(("SomeIn", some)) = kind(&statement["literal"]) else { continue };
        for part in [&some["key"], &some["value"]] {
            if let Some(("Var", var)) = kind(part)
                && let Some(name) = var["value"].as_str()
                && wanted(name)
                && !declared.contains(&name)
            {
                declared.push(name);
            }
        }
    }
    for name in declared {
        let fresh = names.fresh();
        let mut parts = Vec::new();
        for part in whole {
            visit(part, &mut |node| {
                if let Some(("Var", var)) = kind(node)
                    && var["value"] == *name
                    && let Some(place) = span(var)
                    && own != Some(&place)
                {
                    parts.push((place, fresh.clone()));
                }
                true
            });
        }
        edits.push(Edit::together(parts));
    }
}
