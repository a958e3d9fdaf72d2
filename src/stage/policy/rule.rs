//! One rule, loaded and checked: what it says about itself, what it may read and call, which sets it answers with.
//!
//! Must never let a rule be silently content: no entry set, a misspelt field of the input, a builtin that is not there, a
//! value that is not in `data` are refused here, because in Rego each of them is undefined, and undefined denies nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde_json::Value;

use crate::artifact::types::policy_input::PolicyInput;
use crate::artifact::types::verdict::Effect;

use super::builtins;
use super::engine::{Fault, Unit};
use super::inspect::{Head, HeadKind, Inspection, Path, inspect};
use super::metadata::{Metadata, metadata};

/// A rule that can judge.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The file, as it is named in the bundle.
    pub file: String,
    /// What it says about itself.
    pub metadata: Metadata,
    /// Its entry sets: full path and effect.
    pub entries: Vec<(String, Effect)>,
    /// The settings it reads by name.
    pub settings: BTreeSet<String>,
    /// The parts of the input it reads that not every subject has; it is asked only where all of them are there.
    pub needs: BTreeSet<&'static str>,
    /// The rule with its libraries.
    pub unit: Unit,
}

/// A parsed module: a rule or a library.
#[derive(Clone, Debug)]
pub struct Module<'a> {
    /// The file, as it is named in the bundle.
    pub file: &'a str,
    /// Its text.
    pub text: &'a str,
    /// What is in it.
    pub seen: Inspection,
    unit: Unit,
}

impl<'a> Module<'a> {
    /// Parses a module.
    pub fn parse(file: &'a str, text: &'a str) -> Result<Self, Fault> {
        let mut unit = Unit::new()?;
        unit.add(file, text)?;
        let seen = inspect(&unit.syntax()?, text);
        Ok(Self { file, text, seen, unit })
    }

    /// Returns the package, as `orch.paths.denied`.
    pub fn package(&self) -> String {
        self.seen.package.join(".")
    }

    /// Tells whether it is a library, shared by rules and without a judgement of its own.
    pub fn is_library(&self) -> bool {
        matches!(self.seen.package.as_slice(), [orch, lib, _, ..] if orch == "orch" && lib == "lib")
    }

    /// Returns the packages of the libraries it names, straight.
    fn libraries(&self) -> BTreeSet<String> {
        let reads = self.seen.heads.iter().flat_map(|head| head.reads.iter().chain(&head.calls));
        reads.chain(&self.seen.imports).filter_map(library_of).collect()
    }
}

/// Returns the package of the library a path leads into: libraries are `orch.lib.<name>`.
fn library_of(path: &Path) -> Option<String> {
    match path.parts.as_slice() {
        [Some(data), Some(orch), Some(lib), Some(name), ..]
            if data == "data" && orch == "orch" && lib == "lib" =>
        {
            Some(format!("orch.lib.{name}"))
        }
        _ => None,
    }
}

/// Loads a rule with the libraries it needs; the error says what is wrong with which file.
pub fn load(module: &Module<'_>, libraries: &BTreeMap<String, Module<'_>>) -> Result<Rule, Fault> {
    let refuse = |why: String| Fault(format!("{}: the rule {why}", module.file));
    let metadata = metadata(module.text).map_err(|error| refuse(error.to_string()))?;
    check_package(module, &metadata).map_err(refuse)?;
    let needed = closure(module, libraries).map_err(refuse)?;
    let entries = entries(module, metadata.effect).map_err(refuse)?;
    let mut settings = BTreeSet::new();
    for part in std::iter::once(module).chain(needed.iter().copied()) {
        check_module(part, &needed, &mut settings).map_err(|why| Fault(format!("{}:{why}", part.file)))?;
    }
    check_recursion(module, &needed).map_err(refuse)?;
    let needs = std::iter::once(module).chain(needed.iter().copied()).flat_map(needs).collect();
    let mut unit = module.unit.clone();
    for library in needed {
        unit.add(library.file, library.text)?;
    }
    Ok(Rule { file: module.file.to_owned(), metadata, entries, settings, needs, unit })
}

/// The parts of the input that not every subject has.
pub const OPTIONAL: [&str; 5] = ["task", "plan", "changes", "size", "tests"];

/// Returns the optional parts of the input a module reads by name.
fn needs(module: &Module<'_>) -> impl Iterator<Item = &'static str> {
    let reads = module.seen.heads.iter().flat_map(|head| &head.reads).chain(&module.seen.imports);
    reads.filter(|read| read.root() == "input").filter_map(|read| {
        let part = read.parts.get(1)?.as_deref()?;
        OPTIONAL.into_iter().find(|name| *name == part)
    })
}

fn check_package(module: &Module<'_>, metadata: &Metadata) -> Result<(), String> {
    let code = &metadata.code;
    let want = format!("orch.{}.{}", code.category(), code.rule()).replace('-', "_");
    let package = module.package();
    if package == want {
        Ok(())
    } else {
        Err(format!("is in package `{package}`, but its code is `{code}`, so the package must be `{want}`"))
    }
}

/// Returns the libraries a rule needs, those of its libraries included.
fn closure<'l, 'a>(
    module: &Module<'_>,
    libraries: &'l BTreeMap<String, Module<'a>>,
) -> Result<Vec<&'l Module<'a>>, String> {
    let mut needed: BTreeMap<String, &Module<'a>> = BTreeMap::new();
    let mut open: Vec<String> = module.libraries().into_iter().collect();
    while let Some(package) = open.pop() {
        let library = libraries
            .get(&package)
            .ok_or_else(|| format!("uses the library `{package}`, which is not there or is broken"))?;
        if needed.insert(package, library).is_none() {
            open.extend(library.libraries().into_iter().filter(|l| !needed.contains_key(l)));
        }
    }
    Ok(needed.into_values().collect())
}

/// The effect of an entry set by its name: `deny`, `violation`, `require_approval`, `warn`.
fn effect_of(name: &str) -> Option<Effect> {
    match name {
        "deny" | "violation" => Some(Effect::Deny),
        "require_approval" => Some(Effect::RequireApproval),
        "warn" => Some(Effect::Warn),
        _ => None,
    }
}

fn entries(module: &Module<'_>, declared: Effect) -> Result<Vec<(String, Effect)>, String> {
    let mut entries = BTreeMap::new();
    for head in &module.seen.heads {
        let Some(effect) = effect_of(&head.name) else { continue };
        if head.kind != HeadKind::Set {
            let (name, line) = (&head.name, head.line);
            return Err(format!(
                "defines `{name}` on line {line} without `contains`; an entry has to be a set"
            ));
        }
        entries.insert(format!("data.{}.{}", module.package(), head.name), effect);
    }
    let strictest = entries.values().max().copied().ok_or(
        "has no `deny`, `violation`, `require_approval` or `warn`; a rule that can find nothing is no rule",
    )?;
    if strictest != declared {
        return Err("declares another `custom.effect` than its strictest entry set has".into());
    }
    Ok(entries.into_iter().collect())
}

/// Checks what a module reads and calls; adds the settings it reads by name.
fn check_module(
    module: &Module<'_>,
    libraries: &[&Module<'_>],
    settings: &mut BTreeSet<String>,
) -> Result<(), String> {
    let package = module.package();
    let defined: BTreeSet<(String, bool)> = std::iter::once(module)
        .chain(libraries.iter().copied())
        .flat_map(|m| {
            let full = format!("data.{}", m.package());
            let name = move |h: &Head| (format!("{full}.{}", h.name), h.kind == HeadKind::Function);
            m.seen.heads.iter().map(name).collect::<Vec<_>>()
        })
        .collect();
    // A path names a rule when its first parts do; a function has to be named in full.
    let is_rule = |path: &Path| {
        let mut text = String::new();
        path.parts.iter().map_while(Option::as_deref).any(|part| {
            text = if text.is_empty() { part.to_owned() } else { format!("{text}.{part}") };
            defined.contains(&(text.clone(), false))
        })
    };
    let is_function = |text: &str| defined.contains(&(text.to_owned(), true));
    for head in &module.seen.heads {
        for read in &head.reads {
            match read.root() {
                "input" => check_input(read, settings)?,
                // Reading a whole library or package tells nothing and can hide a misspelt name.
                "data" if !is_rule(read) && !is_function(&read.text()) => {
                    return Err(format!(
                        "{}: `{}` is not defined; a rule reads `input`, itself and libraries (`data.orch.lib`)",
                        read.line,
                        read.text()
                    ));
                }
                _ => {}
            }
        }
        for call in &head.calls {
            let text = call.text();
            if is_function(&text) || is_function(&format!("data.{package}.{text}")) {
                continue;
            }
            if let Some(why) = builtins::refusal(&text) {
                return Err(format!("{}: `{text}` {why}", call.line));
            }
        }
    }
    Ok(())
}

/// The JSON Schema of the input document.
static SCHEMA: LazyLock<Value> = LazyLock::new(|| schemars::schema_for!(PolicyInput).to_value());

/// Checks that a reference into `input` can be there at all.
fn check_input(path: &Path, settings: &mut BTreeSet<String>) -> Result<(), String> {
    if let [_, Some(first), Some(name), ..] = path.parts.as_slice()
        && first == "settings"
    {
        settings.insert(name.clone());
        return Ok(());
    }
    if allows(&SCHEMA, path.parts.get(1..).unwrap_or_default(), 0) {
        Ok(())
    } else {
        Err(format!("{}: the input has no `{}`", path.line, path.text()))
    }
}

/// Tells whether a schema has a place at the end of a path; what the schema does not tell is allowed.
fn allows(schema: &Value, path: &[Option<String>], depth: u8) -> bool {
    let Some((part, rest)) = path.split_first() else { return true };
    if depth > 32 || !schema.is_object() {
        return schema != &Value::Bool(false);
    }
    if let Some(target) = schema["$ref"].as_str().and_then(|r| r.strip_prefix('#')) {
        return SCHEMA.pointer(target).is_some_and(|schema| allows(schema, path, depth + 1));
    }
    for key in ["anyOf", "oneOf"] {
        if let Some(any) = schema[key].as_array() {
            return any.iter().any(|schema| allows(schema, path, depth + 1));
        }
    }
    let below = |schema: &Value| allows(schema, rest, depth + 1);
    match (part, &schema["properties"], &schema["additionalProperties"], &schema["items"]) {
        (_, Value::Null, Value::Null, Value::Null) => schema["type"] == "object",
        (Some(name), Value::Object(properties), _, _) if properties.contains_key(name) => {
            below(&properties[name])
        }
        (None, Value::Object(properties), _, _) => properties.values().any(below),
        (_, _, _, items @ Value::Object(_)) => {
            part.as_ref().is_none_or(|p| p.parse::<u32>().is_ok()) && below(items)
        }
        (_, _, more, _) => !matches!(more, Value::Null | Value::Bool(false)) && below(more),
    }
}

/// The most rules and functions a rule may have with its libraries; each may be a step deeper in the stack.
const MAX_HEADS: usize = 500;

/// Refuses functions that can call themselves: regorus sees recursion of rules, not of functions, and has no stack limit.
fn check_recursion(module: &Module<'_>, libraries: &[&Module<'_>]) -> Result<(), String> {
    let heads = |m: &Module<'_>| m.seen.heads.len();
    if heads(module) + libraries.iter().map(|m| heads(m)).sum::<usize>() > MAX_HEADS {
        return Err(format!("has more than {MAX_HEADS} rules and functions with its libraries"));
    }
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for part in std::iter::once(module).chain(libraries.iter().copied()) {
        let package = part.package();
        let full = |path: &Path| match path.root() {
            "data" => path.text().trim_start_matches("data.").to_owned(),
            _ => format!("{package}.{}", path.text()),
        };
        for head in &part.seen.heads {
            // Reads count too: `with f as g` makes a call of `f` one of `g`.
            let targets = head.calls.iter().chain(&head.reads).map(full);
            edges.entry(format!("{package}.{}", head.name)).or_default().extend(targets);
        }
    }
    let functions = std::iter::once(module).chain(libraries.iter().copied()).flat_map(|part| {
        let functions = part.seen.heads.iter().filter(|h: &&Head| h.kind == HeadKind::Function);
        functions.map(|h| format!("{}.{}", part.package(), h.name)).collect::<Vec<_>>()
    });
    for function in functions {
        let mut seen = BTreeSet::new();
        let mut open: Vec<&String> = edges.get(&function).into_iter().flatten().collect();
        while let Some(next) = open.pop() {
            if *next == function {
                return Err(format!("has the function `{function}`, which can call itself"));
            }
            if seen.insert(next) {
                open.extend(edges.get(next).into_iter().flatten());
            }
        }
    }
    Ok(())
}
