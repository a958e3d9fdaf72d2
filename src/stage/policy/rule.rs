//! One rule, loaded and checked: what it says about itself, what it may read and call, which sets it answers with.
//!
//! Must never let a rule be silently content: no entry set, a misspelt field of the input, a builtin that is not there, a
//! value that is not in `data` are refused here, because in Rego each of them is undefined, and undefined denies nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use serde_json::Value;

use crate::artifact::types::policy_input::PolicyInput;
use crate::artifact::types::verdict::Effect;
use crate::rego::inspect::{Head, HeadKind, Inspection, Path, inspect};
use crate::rego::schema::allows;
use crate::rego::{Policies, Version, builtin};

use super::data::leads_into;
use super::engine::Fault;
use super::metadata::{Metadata, metadata};

/// A rule that can judge.
#[derive(Clone)]
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
    /// The codes of the facts without which it has no finding, where that is proven: it need not be evaluated then.
    pub wakes: Option<BTreeSet<String>>,
    /// What it is evaluated with.
    pub ready: Ready,
}

/// What a rule is evaluated with.
#[derive(Clone)]
pub enum Ready {
    /// The rule with its libraries, and perhaps others.
    Now {
        /// All of them.
        policies: Arc<Policies>,
        /// The files of the rule and of its libraries.
        modules: Vec<String>,
    },
    /// Texts that were checked and mended before they were built in; what is to be evaluated is loaded then.
    Later {
        /// The files of the rule and of its libraries.
        files: Vec<String>,
        /// The text of every file of the pack.
        texts: Arc<BTreeMap<String, String>>,
    },
}

/// A rule that is in order, before it is made ready together with others.
pub struct Checked<'a> {
    /// The rule; its modules are not there yet.
    pub rule: Rule,
    /// Its module, then those of the libraries it needs.
    pub modules: Vec<&'a Module<'a>>,
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
    /// Itself, as it is evaluated.
    pub rego: crate::rego::Module,
}

impl<'a> Module<'a> {
    /// Parses a module.
    pub fn parse(file: &'a str, text: &'a str) -> Result<Self, Fault> {
        let rego = crate::rego::Module::read(file, text, Some(Version::V1))?;
        let seen = inspect(rego.tree(), &rego.text);
        Ok(Self { file, text, seen, rego })
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

/// What rules of a kind judge, and which sets they answer with.
#[derive(Clone, Copy)]
pub struct Kind {
    /// The JSON Schema of the input document.
    pub schema: fn() -> &'static Value,
    /// The effect of an entry set by its name; `None` for any other definition.
    pub effect_of: fn(&str) -> Option<Effect>,
}

/// Rules that judge a change.
pub static CHANGES: Kind = Kind { schema: || &SCHEMA, effect_of };

/// Checks a rule that judges a change.
pub fn check<'a>(
    module: &'a Module<'a>,
    libraries: &'a BTreeMap<String, Module<'a>>,
    data: &Value,
    none: &Arc<Policies>,
) -> Result<Checked<'a>, Fault> {
    check_of(&CHANGES, module, libraries, data, none)
}

/// Checks a rule with the libraries it needs; the error says what is wrong with which file.
pub fn check_of<'a>(
    kind: &Kind,
    module: &'a Module<'a>,
    libraries: &'a BTreeMap<String, Module<'a>>,
    data: &Value,
    none: &Arc<Policies>,
) -> Result<Checked<'a>, Fault> {
    let refuse = |why: String| Fault(format!("{}: the rule {why}", module.file));
    let metadata = metadata(module.text).map_err(|error| refuse(error.to_string()))?;
    check_package(module, &metadata).map_err(refuse)?;
    let needed = closure(module, libraries).map_err(refuse)?;
    let entries = entries(kind, module, metadata.effect).map_err(refuse)?;
    let mut settings = BTreeSet::new();
    for part in std::iter::once(module).chain(needed.iter().copied()) {
        check_module(kind, part, &needed, data, &mut settings)
            .map_err(|why| Fault(format!("{}:{why}", part.file)))?;
    }
    check_recursion(module, &needed).map_err(refuse)?;
    let modules: Vec<&Module<'_>> = std::iter::once(module).chain(needed).collect();
    let needs = modules.iter().copied().flat_map(needs).collect();
    let file = module.file.to_owned();
    let names = modules.iter().map(|module| module.file.to_owned()).collect();
    let ready = Ready::Now { policies: Arc::clone(none), modules: names };
    let rule = Rule { file, metadata, entries, settings, needs, wakes: None, ready };
    Ok(Checked { rule, modules })
}

/// The parts of the input that not every subject has.
pub const OPTIONAL: [&str; 6] = ["task", "plan", "changes", "size", super::reach::PART, "tests"];

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
fn closure<'a>(
    module: &Module<'_>,
    libraries: &'a BTreeMap<String, Module<'a>>,
) -> Result<Vec<&'a Module<'a>>, String> {
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
pub(super) fn effect_of(name: &str) -> Option<Effect> {
    match name {
        "deny" | "violation" => Some(Effect::Deny),
        "require_approval" => Some(Effect::RequireApproval),
        "warn" => Some(Effect::Warn),
        _ => None,
    }
}

fn entries(kind: &Kind, module: &Module<'_>, declared: Effect) -> Result<Vec<(String, Effect)>, String> {
    let mut entries = BTreeMap::new();
    for head in &module.seen.heads {
        let Some(effect) = (kind.effect_of)(&head.name) else { continue };
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
    kind: &Kind,
    module: &Module<'_>,
    libraries: &[&Module<'_>],
    data: &Value,
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
                "input" => check_input(kind, read, settings)?,
                // Reading a whole library or package tells nothing and can hide a misspelt name.
                "data" if !is_rule(read) && !is_function(&read.text()) && !leads_into(data, read) => {
                    return Err(format!(
                        "{}: `{}` is not defined; a rule reads `input`, itself, libraries (`data.orch.lib`) and what documents of packs hold",
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
            if let Some(why) = builtin::refusal(&text, false) {
                return Err(format!("{}: `{text}` {why}", call.line));
            }
        }
    }
    Ok(())
}

/// The JSON Schema of the input document.
static SCHEMA: LazyLock<Value> = LazyLock::new(|| schemars::schema_for!(PolicyInput).to_value());

/// Checks that a reference into `input` can be there at all.
fn check_input(kind: &Kind, path: &Path, settings: &mut BTreeSet<String>) -> Result<(), String> {
    if let [_, Some(first), Some(name), ..] = path.parts.as_slice()
        && first == "settings"
    {
        settings.insert(name.clone());
        return Ok(());
    }
    if allows((kind.schema)(), path.parts.get(1..).unwrap_or_default()) {
        Ok(())
    } else {
        Err(format!("{}: the input has no `{}`", path.line, path.text()))
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
