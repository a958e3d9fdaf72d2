//! One Rego file: read as the version it is written in, mended, and looked through for what is refused.
//!
//! Must never guess past an error: a file that neither version can read is a fault, and what a rule calls that is not
//! there is refused by name before anything runs.

use std::collections::{BTreeMap, BTreeSet};
use std::num::{NonZeroU32, NonZeroUsize};
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::Value;

use super::annotation::Annotations;
use super::builtin;
use super::fault::Fault;
use super::mend::{self, Edit, Names, Scene};
use super::policies::judges;
use super::tree::{self, Definition};

/// The version of Rego a file is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// Before OPA 1.0: `deny[msg] { ... }`.
    V0,
    /// Since OPA 1.0: `deny contains msg if { ... }`.
    V1,
}

/// A file that can be evaluated.
#[derive(Clone, Debug)]
pub struct Module {
    /// Its name, as faults give it.
    pub file: String,
    /// The text as it was written.
    pub source: String,
    /// The text regorus gets.
    pub text: String,
    /// What it is written in.
    pub version: Version,
    /// The package, as `main.gke`.
    pub package: String,
    /// Its rules.
    pub definitions: Vec<Definition>,
    /// Its annotations.
    pub annotations: Annotations,
    tree: Value,
}

/// How often a module is looked at: each look mends one layer of nesting.
const LOOKS: usize = 24;

/// Returns an engine that reads one version.
pub(super) fn reader(version: Version) -> regorus::Engine {
    let mut engine = regorus::Engine::new();
    engine.set_rego_v0(version == Version::V0);
    let limits = regorus::PolicyLengthConfig {
        max_col: NonZeroU32::new(1 << 20).unwrap_or(NonZeroU32::MIN),
        max_file_bytes: NonZeroUsize::new(8 << 20).unwrap_or(NonZeroUsize::MIN),
        max_lines: NonZeroUsize::new(200_000).unwrap_or(NonZeroUsize::MIN),
    };
    engine.set_policy_length_config(limits);
    engine
}

/// Parses a text; what regorus cannot read and OPA can is written another way, a few times at most.
fn parse_any(version: Version, file: &str, text: &str) -> Result<(String, Value), Fault> {
    let mut text = text.to_owned();
    for _ in 0..64 {
        match parse(version, file, &text) {
            Ok(tree) => return Ok((text, tree)),
            Err(fault) => {
                text = mend::reword(&text, &fault, place(&fault), version == Version::V0).ok_or(fault)?;
            }
        }
    }
    parse(version, file, &text).map(|tree| (text, tree))
}

fn parse(version: Version, file: &str, text: &str) -> Result<Value, Fault> {
    let parsed = catch_unwind(AssertUnwindSafe(|| {
        let mut engine = reader(version);
        engine.add_policy(file.to_owned(), text.to_owned()).map_err(|e| Fault::of(&e.to_string()))?;
        let modules = engine.get_modules();
        let module = modules.last().ok_or_else(|| Fault(format!("{file}: has no module")))?;
        serde_json::to_value(module.as_ref()).map_err(|e| Fault::of(&e.to_string()))
    }));
    parsed.unwrap_or_else(|_| Err(Fault(format!("{file}: the parser stopped in the middle of the file"))))
}

impl Module {
    /// Reads a file; without a version it is tried as v1, then as v0.
    pub fn read(file: &str, text: &str, version: Option<Version>) -> Result<Self, Fault> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let (version, (readable, tree)) = match version {
            Some(version) => (version, parse_any(version, file, text)?),
            None => match parse_any(Version::V1, file, text) {
                Ok(tree) => (Version::V1, tree),
                Err(fault) => match parse_any(Version::V0, file, text) {
                    Ok(tree) => (Version::V0, tree),
                    Err(old) => {
                        // The complaint that comes later in the file is of the version that was meant.
                        return Err(if place(&old) > place(&fault) { old } else { fault });
                    }
                },
            },
        };
        let package = tree::package(&tree);
        let annotations = Annotations::of(text, &package);
        Ok(Self {
            file: file.to_owned(),
            source: text.to_owned(),
            text: readable,
            version,
            package,
            definitions: tree::definitions(&tree),
            annotations,
            tree,
        })
    }

    /// Returns the syntax tree, as it was read or as it is mended.
    pub fn tree(&self) -> &Value {
        &self.tree
    }

    /// Returns the names that stand for references: rules of the module and imports.
    pub fn globals(&self) -> BTreeSet<String> {
        let mut names: BTreeSet<String> =
            self.definitions.iter().map(|d| first(&d.name).to_owned()).collect();
        names.extend(self.imports().into_keys());
        names
    }

    /// Returns what each imported name stands for, as `data.lib.kubernetes`.
    pub fn imports(&self) -> BTreeMap<String, String> {
        let imports = self.tree["imports"].as_array().into_iter().flatten();
        imports
            .filter_map(|import| {
                let target = tree::dotted(&import["refr"])?;
                let named = (!import["as"].is_null()).then(|| self.slice(&import["as"])).flatten();
                let own = target.rsplit('.').next().unwrap_or_default().to_owned();
                Some((named.unwrap_or(own), target))
            })
            .filter(|(_, target)| !target.starts_with("rego.") && !target.starts_with("future."))
            .collect()
    }

    /// Returns the rules as the tree has them, in the order of [`Self::definitions`].
    pub fn rules(&self) -> impl Iterator<Item = &Value> {
        self.tree["rules"].as_array().into_iter().flatten()
    }

    fn slice(&self, span: &Value) -> Option<String> {
        let at = |key: &str| span[key].as_u64().and_then(|n| usize::try_from(n).ok());
        self.text.get(at("start")?..at("end")?).map(str::to_owned)
    }

    /// Tells whether anything in it is evaluated with something replaced.
    pub fn replaces(&self) -> bool {
        let mut found = false;
        tree::visit(&self.tree["rules"], &mut |node| {
            found |= node.get("with_mods").and_then(Value::as_array).is_some_and(|mods| !mods.is_empty());
            !found
        });
        found
    }

    /// Returns the names of its functions.
    pub fn functions(&self) -> BTreeSet<String> {
        self.definitions.iter().filter(|d| d.shape == "Func").map(|d| d.name.clone()).collect()
    }

    /// Mends the module; `globals` are the names of rules of the whole package, `functions` those that are functions.
    pub fn mend(&mut self, globals: &BTreeSet<String>, functions: &BTreeSet<String>) -> Result<(), Fault> {
        let mut names = Names::default();
        let globals: BTreeSet<String> = globals.iter().cloned().chain(self.globals()).collect();
        for _ in 0..LOOKS {
            let scene = Scene {
                text: &self.text,
                tree: &self.tree,
                globals: &globals,
                functions,
                annotations: &self.annotations,
            };
            let edits: Vec<Edit> = mend::edits(&scene, &mut names);
            if edits.is_empty() {
                self.definitions = tree::definitions(&self.tree);
                return Ok(());
            }
            self.text = mend::apply(&self.text, &edits);
            self.tree = parse(self.version, &self.file, &self.text)?;
        }
        Err(Fault(format!("{}: is nested too deeply to be mended", self.file)))
    }

    /// Makes the module ready to be evaluated in parts: with `split`, each definition of a judging set gets a name of its
    /// own (`deny` stays what it was: the union of its parts); with `hoist`, what does not change is made once.
    pub fn arrange(
        &mut self,
        ordinal: usize,
        split: bool,
        hoist: Option<&Hoisting<'_>>,
    ) -> Result<(), Fault> {
        let (mut edits, mut more) = (Vec::new(), String::new());
        for (at, definition) in self.definitions.iter().enumerate() {
            if !split || definition.shape != "Set" || !judges(&definition.name) {
                continue;
            }
            let (name, part) = (&definition.name, part(&definition.name, ordinal, at));
            edits.push(Edit::replace(definition.name_span.clone(), part.clone()));
            let rule = match self.version {
                Version::V0 => format!("\n{name}[__orch_part] {{ {part}[__orch_part] }}"),
                Version::V1 => format!("\n{name} contains __orch_part if {{ {part}[__orch_part] }}"),
            };
            more.push_str(&rule);
        }
        if let Some(hoisting) = hoist {
            let prefix = format!("{ONCE}{ordinal}x");
            let hoisted = mend::Hoist {
                text: &self.text,
                tree: &self.tree,
                globals: hoisting.globals,
                packages: hoisting.packages,
                prefix: &prefix,
            };
            let hoisted = hoisted.run();
            edits.extend(hoisted.edits);
            for (name, value) in hoisted.rules {
                let rule = match self.version {
                    Version::V0 => format!("\n{name} = __orch_value {{ __orch_value := {value} }}"),
                    Version::V1 => format!("\n{name} := {value}"),
                };
                more.push_str(&rule);
            }
        }
        if edits.is_empty() {
            return Ok(());
        }
        let text = mend::apply(&self.text, &edits) + &more + "\n";
        self.tree = match parse(self.version, &self.file, &text) {
            Err(_) if hoist.is_some() => return self.arrange(ordinal, split, None),
            parsed => parsed?,
        };
        self.text = text;
        self.definitions = tree::definitions(&self.tree);
        Ok(())
    }

    /// Returns the calls of each definition that nothing answers: name and line; `known` are functions of the policies.
    pub fn refused_calls(&self, known: &BTreeSet<String>, world: bool) -> Vec<(usize, u64, String, String)> {
        let imports = self.imports();
        let mut refused = Vec::new();
        for (index, rule) in self.tree["rules"].as_array().into_iter().flatten().enumerate() {
            tree::visit(rule, &mut |node| {
                if let Some(("Call", call)) = tree::kind(node)
                    && let Some(name) = tree::dotted(&call["fcn"])
                    && let Some(why) = self.refusal(&name, &imports, known, world)
                {
                    refused.push((index, tree::line(call), name, why));
                }
                true
            });
        }
        refused
    }

    fn refusal(
        &self,
        name: &str,
        imports: &BTreeMap<String, String>,
        known: &BTreeSet<String>,
        world: bool,
    ) -> Option<String> {
        let root = first(name);
        let full = match imports.get(root) {
            Some(target) => format!("{target}{}", &name[root.len()..]),
            None => name.to_owned(),
        };
        let own = format!("data.{}.{name}", self.package);
        if known.contains(&own) || known.contains(&full) || full.starts_with("input.") {
            return None;
        }
        if full.starts_with("data.") {
            return Some("is not defined in these policies".into());
        }
        builtin::refusal(name, world)
    }
}

/// What hoisting has to know of the other modules.
pub struct Hoisting<'a> {
    /// The names that rules of the package and imports define.
    pub globals: &'a BTreeSet<String>,
    /// The packages of all modules, as `data.main`.
    pub packages: &'a BTreeSet<String>,
}

/// What the names of rules start with that are made to be evaluated once.
const ONCE: &str = "__orch_once";

/// Returns the name of one definition of a judging set.
fn part(name: &str, ordinal: usize, at: usize) -> String {
    format!("__orch_part{ordinal}x{at}_{name}")
}

/// Returns the name of the set a part belongs to.
pub fn whole(part: &str) -> Option<&str> {
    part.strip_prefix("__orch_part")?.split_once('_').map(|(_, name)| name)
}

fn first(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}

/// Returns line and column of a fault.
fn place(fault: &Fault) -> (u64, u64) {
    let mut numbers = fault.0.split(':').skip(1).map_while(|part| part.trim().parse::<u64>().ok());
    (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default())
}
