//! Rewrites a module so that regorus answers as OPA does: known divergences are mended in the text, on its syntax tree.
//!
//! Must never change what a module means in OPA, nor move a rule to another line: everything is put on the line it came
//! from, so that a fault still names the right one.
//!
//! | divergence | mended by |
//! |---|---|
//! | iteration in the head of a rule or comprehension stops the evaluation when the collection is missing | the term becomes the last statement of the body |
//! | a call below `not` with an undefined or failing argument counts as false, so that `not` holds | the argument becomes a statement of its own before it, as OPA's compiler does |
//! | `some x in` a scalar stops the evaluation | the collection goes through a function that leaves out what cannot be iterated |
//! | a parenthesis that starts a line makes the line above a call | the line above ends with a semicolon |
//! | a `some` variable with the name of a rule stops the analysis | the variable gets another name |
//! | `x = c[x]` is unsafe | the key gets a name of its own |
//! | `with` a rule of the package by its short name is an undefined rule | the name is written out |
//! | a rule in the value of `with input` is undefined below it | the value becomes a statement before it, as OPA's compiler does |
//! | `rego.metadata.rule()` and `.chain()` are missing | the annotations are read at load and stand there as a value |

mod edit;
mod head;
mod hoist;
mod negation;
mod reword;
pub mod scalar;
mod shadow;
mod with;

use std::collections::BTreeSet;

use serde_json::Value;

use super::annotation::Annotations;
use super::tree;

pub use edit::{Edit, apply};
pub use hoist::Hoist;
pub use reword::reword;

/// What a pass may look at.
pub struct Scene<'a> {
    /// The text.
    pub text: &'a str,
    /// Its tree.
    pub tree: &'a Value,
    /// The names that rules of the package and imports define: a variable of that name is a reference.
    pub globals: &'a BTreeSet<String>,
    /// The functions among them.
    pub functions: &'a BTreeSet<String>,
    /// The annotations of the text as it was written.
    pub annotations: &'a Annotations,
}

/// Makes the names that rewriting brings in.
#[derive(Debug, Default)]
pub struct Names(u32);

impl Names {
    /// Returns a name that no module has used.
    pub fn fresh(&mut self) -> String {
        self.0 += 1;
        format!("__orch{}", self.0)
    }
}

/// Returns the edits that one look at a module asks for; none when it is mended.
pub fn edits(scene: &Scene<'_>, names: &mut Names) -> Vec<Edit> {
    let mut edits = Vec::new();
    for rule in scene.tree["rules"].as_array().into_iter().flatten() {
        shadow::mend(rule, scene, names, &mut edits);
        head::mend(rule, scene.text, names, &mut edits);
        negation::mend(rule, scene, names, &mut edits);
        scalar::mend(rule, scene, names, &mut edits);
        metadata(rule, scene, &mut edits);
        with::mend(rule, scene, names, &mut edits);
        next_line(rule, scene.text, &mut edits);
        replaced(rule, scene, &mut edits);
    }
    edits
}

/// Writes out what `with` replaces, where it is a rule of the package by its short name; regorus takes a function only so.
fn replaced(rule: &Value, scene: &Scene<'_>, edits: &mut Vec<Edit>) {
    let imports = scene.tree["imports"].as_array().into_iter().flatten();
    let imported: BTreeSet<&str> = imports
        .filter_map(|import| {
            let named = (!import["as"].is_null()).then(|| tree::span(&import["as"])).flatten();
            let own = tree::extent(&import["refr"])?;
            let text = scene.text.get(named.unwrap_or(own))?;
            text.rsplit(['.', '"']).find(|part| !part.is_empty() && *part != "]")
        })
        .collect();
    tree::visit(rule, &mut |node| {
        for with in node["with_mods"].as_array().into_iter().flatten() {
            let (Some(path), Some(span)) = (tree::dotted(&with["refr"]), tree::extent(&with["refr"])) else {
                continue;
            };
            let prefix = format!("data.{}.", tree::package(scene.tree));
            let root = path.split('.').next().unwrap_or_default();
            if path.strip_prefix(&prefix).is_some_and(|name| scene.functions.contains(name)) {
                edits.push(Edit::replace(span, path[prefix.len()..].to_owned()));
            } else if !matches!(root, "data" | "input")
                && scene.globals.contains(root)
                && !scene.functions.contains(root)
                && !imported.contains(root)
            {
                edits.push(Edit::replace(span.start..span.start, prefix));
            }
        }
        true
    });
}

/// Ends a statement whose next line starts with a parenthesis: regorus takes the two for a call.
fn next_line(rule: &Value, text: &str, edits: &mut Vec<Edit>) {
    tree::visit(rule, &mut |node| {
        if let Some(("Call", call)) = tree::kind(node)
            && let (Some(whole), Some(function)) = (tree::span(call), tree::extent(&call["fcn"]))
            && let Some(between) = text.get(function.end..whole.end)
            && between.split('(').next().is_some_and(|gap| gap.contains('\n'))
        {
            edits.push(Edit::replace(function.end..function.end, ";".into()));
        }
        true
    });
}

/// Puts the annotations in the place of `rego.metadata.rule()` and `rego.metadata.chain()`.
fn metadata(rule: &Value, scene: &Scene<'_>, edits: &mut Vec<Edit>) {
    let Some((_, inner)) = tree::kind(rule) else { return };
    let name = tree::definitions(&serde_json::json!({ "rules": [rule] })).into_iter().next();
    let name = name.map(|d| d.name).unwrap_or_default();
    let line = tree::line(inner);
    tree::visit(rule, &mut |node| {
        if let Some(("Call", call)) = tree::kind(node)
            && let Some(function) = tree::dotted(&call["fcn"])
            && let Some(span) = tree::span(call)
        {
            let value = match function.as_str() {
                "rego.metadata.rule" => Some(scene.annotations.rule(line)),
                "rego.metadata.chain" => Some(scene.annotations.chain(&name, line)),
                _ => None,
            };
            if let Some(value) = value {
                edits.push(Edit::replace(span, value.to_string()));
                return false;
            }
        }
        true
    });
}
