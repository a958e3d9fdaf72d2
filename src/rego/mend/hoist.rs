//! Takes out of rules what does not depend on their variables, so that it is made once and not for each turn of a loop:
//! comprehensions over input and rules, and references into data.
//!
//! Must never take out what could fail, as its fault would name another line; nor what a variable of the rule goes into.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Edit;
use super::scalar::COLLECTION;
use crate::rego::tree::{children, closed, dotted, exact, extent, kind, visit};

/// What a module gives up to rules of their own.
pub struct Hoist<'a> {
    /// The text.
    pub text: &'a str,
    /// Its tree.
    pub tree: &'a Value,
    /// The names that rules of the package and imports define.
    pub globals: &'a BTreeSet<String>,
    /// The packages of all modules, as `data.main`.
    pub packages: &'a BTreeSet<String>,
    /// What the names of the new rules start with.
    pub prefix: &'a str,
}

/// What is replaced, and the new rules: name and value.
#[derive(Debug, Default)]
pub struct Hoisted {
    /// The changes of the text.
    pub edits: Vec<Edit>,
    /// The new rules.
    pub rules: Vec<(String, String)>,
}

impl Hoist<'_> {
    /// Looks through every rule that has a body.
    pub fn run(&self) -> Hoisted {
        let mut hoisted = Hoisted::default();
        let mut known: BTreeMap<String, String> = BTreeMap::new();
        for rule in self.tree["rules"].as_array().into_iter().flatten() {
            let Some(("Spec", spec)) = kind(rule) else { continue };
            let Some((_, head)) = kind(&spec["head"]) else { continue };
            if spec["bodies"].as_array().is_none_or(Vec::is_empty) {
                continue;
            }
            for part in [&head["key"], &head["assign"]["value"], &spec["bodies"]] {
                self.look(part, rule, &mut known, &mut hoisted);
            }
        }
        hoisted
    }

    fn look(&self, node: &Value, rule: &Value, known: &mut BTreeMap<String, String>, hoisted: &mut Hoisted) {
        if node.get("with_mods").and_then(Value::as_array).is_some_and(|mods| !mods.is_empty()) {
            return;
        }
        match kind(node) {
            Some(("ArrayCompr" | "SetCompr", _)) if self.stands_alone(node, rule) => {
                if let Some(place) = exact(node, self.text) {
                    self.take(place, known, hoisted);
                    return;
                }
            }
            Some(("RefDot" | "RefBrack", _)) if self.is_data(node, rule) => {
                if let Some(place) = extent(node).map(|place| closed(place, self.text)) {
                    self.take(place, known, hoisted);
                    return;
                }
            }
            // The name of a function is no value.
            Some(("Call", call)) => {
                self.look(&call["params"], rule, known, hoisted);
                return;
            }
            _ => {}
        }
        children(node).for_each(|child| self.look(child, rule, known, hoisted));
    }

    fn take(
        &self,
        place: std::ops::Range<usize>,
        known: &mut BTreeMap<String, String>,
        hoisted: &mut Hoisted,
    ) {
        let Some(text) = self.text.get(place.clone()).filter(|text| !text.contains('#')) else { return };
        // A name with a bracket behind it, on whatever line, is something else.
        let behind = self.text.get(place.end..).unwrap_or_default().trim_start();
        if behind.starts_with(['(', '[', '.', '{']) {
            return;
        }
        let next = format!("{}{}", self.prefix, known.len());
        let name = known.entry(text.to_owned()).or_insert_with(|| {
            hoisted.rules.push((next.clone(), text.replace(['\n', '\r'], " ")));
            next
        });
        // A value that takes several lines leaves them behind, so that no line moves.
        let lines = "\n".repeat(text.matches('\n').count());
        hoisted.edits.push(Edit::replace(place, format!("{name}{lines}")));
    }

    /// Tells whether a reference leads to a document of data and to no rule.
    fn is_data(&self, node: &Value, rule: &Value) -> bool {
        let Some(path) = dotted(node).filter(|path| path.starts_with("data.")) else { return false };
        let above = |a: &str, b: &str| b == a || b.strip_prefix(a).is_some_and(|rest| rest.starts_with('.'));
        !self.packages.iter().any(|package| above(package, &path) || above(&path, package))
            && !bound(rule, self.text, None).contains("data")
    }

    /// Tells whether a comprehension cannot fail and takes nothing from the rule around it.
    fn stands_alone(&self, compr: &Value, rule: &Value) -> bool {
        let mut loops = false;
        if !harmless(compr, &mut loops) || !loops {
            return false;
        }
        let named = |mut names: BTreeSet<String>| {
            names.remove("_");
            names
        };
        let own = named(bound(compr, self.text, None));
        let around = named(bound(rule, self.text, Some(compr)));
        let mut free = BTreeSet::new();
        visit(compr, &mut |node| {
            match kind(node) {
                Some(("Call", call)) => {
                    visit(&call["params"], &mut |node| name(node, &mut free));
                    return false;
                }
                _ => name(node, &mut free),
            };
            true
        });
        let global = |name: &str| {
            (matches!(name, "input" | "data") || self.globals.contains(name)) && !around.contains(name)
        };
        own.is_disjoint(&around) && free.iter().all(|name| name == "_" || own.contains(name) || global(name))
    }
}

fn name(node: &Value, free: &mut BTreeSet<String>) -> bool {
    if let Some(("Var", var)) = kind(node) {
        free.extend(var["value"].as_str().map(str::to_owned));
    }
    true
}

/// Returns the names that are bound below a node, besides what is below one of them.
fn bound(node: &Value, text: &str, besides: Option<&Value>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let slice = |node: &Value, names: &mut BTreeSet<String>| {
        let at = |key: &str| node[key].as_u64().and_then(|n| usize::try_from(n).ok());
        if let (Some(start), Some(end)) = (at("start"), at("end")) {
            names.extend(text.get(start..end).map(str::to_owned));
        }
    };
    visit(node, &mut |node| {
        if besides.is_some_and(|besides| std::ptr::eq(besides, node)) {
            return false;
        }
        match kind(node) {
            Some(("Func", head)) => vars(&head["args"], &mut names),
            Some(("SomeIn", some)) => {
                vars(&some["key"], &mut names);
                vars(&some["value"], &mut names);
            }
            Some(("SomeVars", some)) => {
                some["vars"].as_array().into_iter().flatten().for_each(|var| slice(var, &mut names));
            }
            Some(("Every", every)) => {
                slice(&every["key"], &mut names);
                slice(&every["value"], &mut names);
            }
            Some(("AssignExpr", assign)) if assign["op"] == "ColEq" => vars(&assign["lhs"], &mut names),
            _ => {}
        }
        true
    });
    names
}

fn vars(node: &Value, names: &mut BTreeSet<String>) {
    visit(node, &mut |node| name(node, names));
}

/// Tells whether nothing below a node can fail; `loops` becomes true when it goes through a collection.
fn harmless(node: &Value, loops: &mut bool) -> bool {
    if node.get("with_mods").and_then(Value::as_array).is_some_and(|mods| !mods.is_empty()) {
        return false;
    }
    if let Some((name, inner)) = kind(node) {
        match name {
            "Var" | "RefDot" | "String" | "RawString" | "Number" | "Bool" | "Null" | "Array"
            | "ArrayCompr" | "SetCompr" | "SomeVars" | "Expr" | "NotExpr" | "BoolExpr" | "Membership" => {}
            "SomeIn" => *loops = true,
            "AssignExpr" if inner["op"] == "ColEq" => {}
            "RefBrack" => {
                let index = kind(&inner["index"]).map_or("", |(name, _)| name);
                if !matches!(index, "String" | "RawString" | "Number") {
                    return false;
                }
            }
            "Call" if dotted(&inner["fcn"]).as_deref() == Some(COLLECTION) => {
                return harmless(&inner["params"], loops);
            }
            _ => return false,
        }
    }
    children(node).all(|child| harmless(child, loops))
}
