//! What a Rego module reads, calls and defines, taken from its syntax tree.
//!
//! Must never evaluate anything. A reference it cannot follow (an index that is computed, a function's argument) is left
//! out, so what it reports is there, but not all that is there is reported.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// What a module says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inspection {
    /// The package, part by part.
    pub package: Vec<String>,
    /// The targets of the imports, with their line.
    pub imports: Vec<Path>,
    /// The rules and functions, in order.
    pub heads: Vec<Head>,
}

/// A rule or function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its name, the first part of it where it has more.
    pub name: String,
    /// What it makes.
    pub kind: HeadKind,
    /// The line it starts on.
    pub line: u64,
    /// What it reads, imports and variables resolved.
    pub reads: BTreeSet<Path>,
    /// What it calls.
    pub calls: BTreeSet<Path>,
}

/// What a rule makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadKind {
    /// A set, with `contains`.
    Set,
    /// One value, or a part of an object.
    Value,
    /// A function.
    Function,
    /// The value of a rule that has no other.
    Default,
}

/// A dotted reference; `None` stands for an index that is only known at run time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path {
    /// The parts, the root first.
    pub parts: Vec<Option<String>>,
    /// The line it is on.
    pub line: u64,
}

impl Path {
    /// Returns the first part.
    pub fn root(&self) -> &str {
        self.parts.first().and_then(Option::as_deref).unwrap_or_default()
    }

    /// Returns the text, with `[_]` for an unknown index.
    pub fn text(&self) -> String {
        let mut text = self.root().to_owned();
        for part in self.parts.iter().skip(1) {
            match part {
                Some(name) => {
                    text.push('.');
                    text.push_str(name);
                }
                None => text.push_str("[_]"),
            }
        }
        text
    }
}

/// Inspects the syntax tree of a module.
pub fn inspect(tree: &Value, source: &str) -> Inspection {
    let package = path(&tree["package"]["refr"]).map(|p| p.parts.into_iter().flatten().collect());
    let (imports, aliases) = imports(tree, source);
    let heads =
        tree["rules"].as_array().into_iter().flatten().filter_map(|rule| head(rule, &aliases)).collect();
    Inspection { package: package.unwrap_or_default(), imports, heads }
}

/// Returns the targets of the imports, and what each name they bring stands for.
pub fn imports(tree: &Value, source: &str) -> (Vec<Path>, BTreeMap<String, Path>) {
    let mut imports = Vec::new();
    let mut aliases: BTreeMap<String, Path> = BTreeMap::new();
    for import in tree["imports"].as_array().into_iter().flatten() {
        let Some(target) = path(&import["refr"]) else { continue };
        let own = target.parts.last().cloned().flatten().unwrap_or_default();
        let name = span_text(&import["as"], source).map_or(own, str::to_owned);
        if matches!(target.root(), "data" | "input") {
            aliases.insert(name, target.clone());
        }
        imports.push(target);
    }
    (imports, aliases)
}

fn span_text<'a>(span: &Value, source: &'a str) -> Option<&'a str> {
    let at = |key: &str| span[key].as_u64().and_then(|n| usize::try_from(n).ok());
    source.get(at("start")?..at("end")?)
}

/// Inspects one rule; `imports` are what the names stand for that its module brings in.
pub fn head(rule: &Value, imports: &BTreeMap<String, Path>) -> Option<Head> {
    // The name of a rule is no reference to it, so only what stands beside it is walked.
    let (kind, refr, body) = if let Some(default) = rule.get("Default") {
        (HeadKind::Default, &default["refr"], vec![&default["value"]])
    } else {
        let spec = rule.get("Spec")?;
        let (name, head) = spec["head"].as_object()?.iter().next()?;
        let kind = match name.as_str() {
            "Set" => HeadKind::Set,
            "Func" => HeadKind::Function,
            _ => HeadKind::Value,
        };
        (kind, &head["refr"], vec![&head["args"], &head["key"], &head["assign"], &spec["bodies"]])
    };
    let own = path(refr)?;
    // A set whose name has several parts (`deny.foo contains`) is a part of an object.
    let kind = if kind == HeadKind::Set && own.parts.len() > 1 { HeadKind::Value } else { kind };
    let mut walk = Walk { aliases: imports.clone(), ..Walk::default() };
    for part in &body {
        walk.bindings(part);
    }
    for part in &body {
        walk.visit(part);
    }
    let reads = walk.reads.iter().map(|p| walk.resolve(p)).collect();
    let calls = walk.calls.iter().map(|p| walk.resolve(p)).collect();
    Some(Head { name: own.root().to_owned(), kind, line: own.line, reads, calls })
}

/// Returns the reference an expression is, if it is one.
fn path(expr: &Value) -> Option<Path> {
    if let Some(var) = expr.get("Var") {
        let line = var["span"]["line"].as_u64().unwrap_or_default();
        return Some(Path { parts: vec![Some(var["value"].as_str()?.to_owned())], line });
    }
    let (inner, part) = if let Some(dot) = expr.get("RefDot") {
        (&dot["refr"], dot["field"][1].as_str().map(str::to_owned))
    } else {
        let bracket = expr.get("RefBrack")?;
        let index = bracket["index"].get("String").or_else(|| bracket["index"].get("RawString"));
        (&bracket["refr"], index.and_then(|s| s["value"].as_str()).map(str::to_owned))
    };
    let mut path = path(inner)?;
    path.parts.push(part);
    Some(path)
}

#[derive(Default)]
struct Walk {
    /// What a name stands for; a name bound twice stands for nothing.
    aliases: BTreeMap<String, Path>,
    ambiguous: BTreeSet<String>,
    reads: BTreeSet<Path>,
    calls: BTreeSet<Path>,
}

impl Walk {
    /// Notes `some x in a.b` and `x := a.b`, so that `x.c` can be followed.
    fn bindings(&mut self, node: &Value) {
        if let Some(some) = node.get("SomeIn") {
            self.bind(&some["value"], &some["collection"], true);
        } else if let Some(every) = node.get("AssignExpr").filter(|a| a["op"] == "ColEq") {
            self.bind(&every["lhs"], &every["rhs"], false);
        }
        for child in children(node) {
            self.bindings(child);
        }
    }

    fn bind(&mut self, name: &Value, target: &Value, element: bool) {
        let Some(name) = path(name).filter(|p| p.parts.len() == 1) else { return };
        let name = name.root().to_owned();
        match path(target) {
            Some(mut target) if !self.aliases.contains_key(&name) && !self.ambiguous.contains(&name) => {
                if element {
                    target.parts.push(None);
                }
                self.aliases.insert(name, target);
            }
            _ => {
                self.aliases.remove(&name);
                self.ambiguous.insert(name);
            }
        }
    }

    fn visit(&mut self, node: &Value) {
        if let Some(call) = node.get("Call") {
            match path(&call["fcn"]) {
                Some(name) => drop(self.calls.insert(name)),
                None => self.visit(&call["fcn"]),
            }
            self.visit(&call["params"]);
            return;
        }
        if let Some(path) = path(node) {
            self.reads.insert(path);
            self.indexes(node);
            return;
        }
        for child in children(node) {
            self.visit(child);
        }
    }

    /// Visits what stands in the brackets of a reference.
    fn indexes(&mut self, node: &Value) {
        if let Some(bracket) = node.get("RefBrack") {
            self.visit(&bracket["index"]);
            self.indexes(&bracket["refr"]);
        } else if let Some(dot) = node.get("RefDot") {
            self.indexes(&dot["refr"]);
        }
    }

    /// Replaces the root by what it stands for, a few times at most.
    fn resolve(&self, path: &Path) -> Path {
        let mut path = path.clone();
        for _ in 0..8 {
            let Some(target) = self.aliases.get(path.root()) else { break };
            path.parts.splice(0..1, target.parts.iter().cloned());
        }
        path
    }
}

/// Returns the nodes below a node; spans hold none.
fn children(node: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match node {
        Value::Array(items) => Box::new(items.iter()),
        Value::Object(map) => Box::new(map.iter().filter(|(key, _)| *key != "span").map(|(_, value)| value)),
        _ => Box::new(std::iter::empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rego::{Module, Version};

    fn inspected(source: &str) -> Inspection {
        let module = Module::read("x.rego", source, Some(Version::V1)).unwrap();
        inspect(module.tree(), &module.text)
    }

    fn texts(paths: &BTreeSet<Path>) -> Vec<String> {
        paths.iter().map(Path::text).collect()
    }

    #[test]
    fn imports_variables_and_indexes_are_followed() {
        let source = r#"package orch.a.b

import data.orch.lib.paths as p

deny contains {"msg": f.path} if {
	some f in input.changes
	size := input["size"]
	size.files > count([l | some l in f.added; l.text == data.x])
	p.matches(input.settings.deny, f.path)
}
"#;
        let seen = inspected(source);
        assert_eq!(seen.package, ["orch", "a", "b"]);
        assert_eq!(seen.imports[0].text(), "data.orch.lib.paths");
        let head = &seen.heads[0];
        assert_eq!((head.name.as_str(), head.kind), ("deny", HeadKind::Set));
        let reads = texts(&head.reads);
        for want in [
            "data.x",
            "input.changes",
            "input.changes[_].added",
            "input.changes[_].added[_].text",
            "input.changes[_].path",
            "input.settings.deny",
            "input.size.files",
        ] {
            assert!(reads.iter().any(|r| r == want), "{want} is not in {reads:?}");
        }
        assert_eq!(texts(&head.calls), ["count", "data.orch.lib.paths.matches"]);
    }

    #[test]
    fn heads_have_their_kind() {
        let source = "package a\n\ndefault x := false\n\nf(y) := y\n\ndeny if input.size\n\ndeny.more contains 1\n\nwarn contains 1\n";
        let kinds: Vec<_> = inspected(source).heads.into_iter().map(|h| (h.name, h.kind)).collect();
        let want = [
            ("x", HeadKind::Default),
            ("f", HeadKind::Function),
            ("deny", HeadKind::Value),
            ("deny", HeadKind::Value),
            ("warn", HeadKind::Set),
        ];
        assert_eq!(kinds, want.map(|(n, k)| (n.to_owned(), k)));
    }

    #[test]
    fn a_name_bound_twice_is_not_followed() {
        let seen = inspected(
            "package a\n\ndeny contains x.path if some x in input.changes\n\nwarn contains 1 if {\n\tsome x in input.a\n\tsome y in [z | some x in input.b; z := x.c]\n\ty\n}\n",
        );
        assert!(texts(&seen.heads[0].reads).contains(&"input.changes[_].path".to_owned()));
        assert!(!texts(&seen.heads[1].reads).iter().any(|r| r.contains(".c") && r.starts_with("input")));
    }
}
