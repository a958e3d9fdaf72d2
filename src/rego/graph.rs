//! Which rule reads or calls which, over all modules.
//!
//! Must never miss an edge that is written down: a reference into a whole package leads to every rule below it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::module::Module;
use super::tree;

/// Rules by their full name, as `data.main.deny`, with the rules each one leads to.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    edges: BTreeMap<String, BTreeSet<String>>,
    functions: BTreeSet<String>,
}

impl Graph {
    /// Builds the graph of modules.
    pub fn of(modules: &[Module]) -> Self {
        let mut graph = Self::default();
        for module in modules {
            for definition in &module.definitions {
                let full = format!("data.{}.{}", module.package, definition.name);
                if definition.shape == "Func" {
                    graph.functions.insert(full.clone());
                }
                graph.edges.entry(full).or_default();
            }
        }
        let known: BTreeSet<String> = graph.edges.keys().cloned().collect();
        for module in modules {
            let imports = module.imports();
            for (definition, rule) in module.definitions.iter().zip(module.rules()) {
                let full = format!("data.{}.{}", module.package, definition.name);
                let targets = graph.edges.entry(full).or_default();
                let locals = locals(rule);
                let mut note = |node| {
                    if let Some(path) = static_path(node) {
                        let root = path.split('.').next().unwrap_or_default();
                        if locals.contains(root) {
                            return true;
                        }
                        let path = match imports.get(root) {
                            Some(target) => format!("{target}{}", &path[root.len()..]),
                            None if root == "data" => path,
                            None => format!("data.{}.{path}", module.package),
                        };
                        lead(&known, &path, targets);
                    }
                    true
                };
                // The name of a rule is no reference to it, so only what stands beside it is looked at.
                for part in beside_the_name(rule) {
                    references(part, &mut note);
                }
            }
        }
        graph
    }

    /// Returns the full names of all functions.
    pub fn functions(&self) -> &BTreeSet<String> {
        &self.functions
    }

    /// Tells whether a rule leads to any of some others, itself included.
    pub fn reaches<'t>(
        &self,
        from: &str,
        wanted: &'t BTreeMap<String, String>,
    ) -> Option<(&'t String, &'t String)> {
        let mut seen = BTreeSet::new();
        let mut open = vec![from];
        while let Some(next) = open.pop() {
            if let Some(found) = wanted.get_key_value(next) {
                return Some(found);
            }
            if seen.insert(next) {
                open.extend(self.edges.get(next).into_iter().flatten().map(String::as_str));
            }
        }
        None
    }

    /// Returns the full names of all rules.
    pub fn rules(&self) -> impl Iterator<Item = &str> {
        self.edges.keys().map(String::as_str)
    }

    /// Returns every rule one leads to, itself included.
    pub fn reached(&self, from: &str) -> BTreeSet<&str> {
        let mut seen = BTreeSet::new();
        let mut open: Vec<&str> =
            self.edges.get_key_value(from).map(|(name, _)| name.as_str()).into_iter().collect();
        while let Some(next) = open.pop() {
            if seen.insert(next) {
                open.extend(self.edges.get(next).into_iter().flatten().map(String::as_str));
            }
        }
        seen
    }

    /// Returns the functions that can call themselves: regorus has no limit on their depth.
    pub fn recursive(&self) -> BTreeSet<String> {
        let calls_itself = |function: &&String| {
            let mut seen = BTreeSet::new();
            let mut open: Vec<&String> = self.edges.get(*function).into_iter().flatten().collect();
            while let Some(next) = open.pop() {
                if next == *function {
                    return true;
                }
                if seen.insert(next) {
                    open.extend(self.edges.get(next).into_iter().flatten());
                }
            }
            false
        };
        self.functions.iter().filter(calls_itself).cloned().collect()
    }
}

/// Tells whether a module looks at a whole package, or at all of them.
pub fn reads_whole(module: &Module, packages: &BTreeSet<String>) -> bool {
    let imports = module.imports();
    let mut whole = false;
    for rule in module.rules() {
        references(rule, &mut |node| {
            if let Some(path) = static_path(node) {
                let root = path.split('.').next().unwrap_or_default();
                let full = match imports.get(root) {
                    Some(target) => format!("{target}{}", &path[root.len()..]),
                    None => path,
                };
                let below = |package: &String| {
                    package.strip_prefix(&full).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
                };
                whole |= full.starts_with("data") && packages.iter().any(below);
            }
            true
        });
    }
    whole
}

/// Visits every reference as a whole, and what stands in its brackets.
fn references<'t>(node: &'t Value, tell: &mut impl FnMut(&'t Value) -> bool) {
    match tree::kind(node) {
        Some(("Var", _)) => drop(tell(node)),
        Some(("RefDot" | "RefBrack", _)) => {
            tell(node);
            let mut at = node;
            while let Some((_, inner)) = tree::kind(at).filter(|(name, _)| name.starts_with("Ref")) {
                if !inner["index"].is_null() {
                    references(&inner["index"], tell);
                }
                at = &inner["refr"];
            }
            if !matches!(tree::kind(at), Some(("Var", _))) {
                references(at, tell);
            }
        }
        _ => tree::children(node).for_each(|child| references(child, tell)),
    }
}

/// Returns the parts of a rule besides its name.
fn beside_the_name(rule: &Value) -> Vec<&Value> {
    let Some((name, inner)) = tree::kind(rule) else { return Vec::new() };
    if name == "Default" {
        return vec![&inner["value"]];
    }
    let Some((_, head)) = tree::kind(&inner["head"]) else { return Vec::new() };
    vec![&head["args"], &head["key"], &head["assign"], &inner["bodies"]]
}

/// Returns the names a rule binds for itself: they are no references.
fn locals(rule: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let vars = |node: &Value, names: &mut BTreeSet<String>| {
        tree::visit(node, &mut |node| match tree::kind(node) {
            Some(("Var", var)) => {
                names.extend(var["value"].as_str().map(str::to_owned));
                false
            }
            Some(("RefDot" | "RefBrack" | "Call", _)) => false,
            _ => true,
        });
    };
    tree::visit(rule, &mut |node| {
        match tree::kind(node) {
            Some(("Func", head)) => vars(&head["args"], &mut names),
            Some(("SomeIn", some)) => {
                vars(&some["key"], &mut names);
                vars(&some["value"], &mut names);
            }
            Some(("AssignExpr", assign)) if assign["op"] == "ColEq" => vars(&assign["lhs"], &mut names),
            _ => {}
        }
        true
    });
    names
}

/// Adds the rules a path leads to: the one it is or goes through, or all below it.
fn lead(known: &BTreeSet<String>, path: &str, targets: &mut BTreeSet<String>) {
    let mut end = 0;
    let mut found = false;
    while let Some(dot) = path[end..].find('.').map(|at| at + end) {
        if known.contains(&path[..dot]) {
            targets.insert(path[..dot].to_owned());
            found = true;
        }
        end = dot + 1;
    }
    if known.contains(path) {
        targets.insert(path.to_owned());
        found = true;
    }
    if !found && path.starts_with("data") {
        let below = format!("{path}.");
        targets.extend(known.range(below.clone()..).take_while(|k| k.starts_with(&below)).cloned());
    }
}

/// Returns the parts of a reference that are written down, up to the first that is not.
fn static_path(node: &Value) -> Option<String> {
    let (name, inner) = tree::kind(node)?;
    match name {
        "Var" => inner["value"].as_str().map(str::to_owned),
        "RefDot" | "RefBrack" => tree::dotted(node).or_else(|| static_path(&inner["refr"])),
        _ => None,
    }
}
