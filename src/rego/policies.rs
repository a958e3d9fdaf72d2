//! All modules of a policy folder, loaded together and evaluated rule by rule.
//!
//! Must never let one broken file hide the others, nor let a rule that leads to something broken answer: it has a fault.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::time::Duration;

use regorus::Value;
use regorus::utils::limits::ExecutionTimerConfig;

use super::builtin;
use super::fault::Fault;
use super::graph::Graph;
use super::module::{Module, Version, reader};

/// A file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The file.
    pub file: String,
    /// Its package, where it could be read that far.
    pub package: Option<String>,
    /// What is wrong with it.
    pub why: Fault,
    /// Every word of it: the rules it defines are among them.
    words: BTreeSet<String>,
}

impl Broken {
    fn new(file: &str, package: Option<String>, text: &str, why: Fault) -> Self {
        let word = |c: char| !(c.is_alphanumeric() || c == '_');
        let words = text.split(word).filter(|w| !w.is_empty()).map(str::to_owned).collect();
        Self { file: file.to_owned(), package, why, words }
    }
}

/// Policies that can be evaluated.
#[derive(Clone)]
pub struct Policies {
    /// The files in use.
    pub modules: Vec<Module>,
    /// The files that cannot be used.
    pub broken: Vec<Broken>,
    /// The rules that may not run, by full name, and why.
    pub refused: BTreeMap<String, String>,
    graph: Graph,
    engine: regorus::Engine,
}

/// Steps between two looks at the clock.
const CHECK_INTERVAL: NonZeroU32 = NonZeroU32::new(64).unwrap();

/// Room for the patterns of all rules: regorus compiles a glob or a regex once as long as its cache holds it.
static PATTERNS: Once = Once::new();

/// How the modules are made ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The version of every file; told from the file when absent.
    pub version: Option<Version>,
    /// Whether each definition of a judging set is evaluated by itself.
    pub split: bool,
    /// Whether lines that ran are counted.
    pub coverage: bool,
}

/// Tells whether a rule judges, by its name, as conftest has it.
pub fn judges(name: &str) -> bool {
    ["deny", "violation", "warn"].iter().any(|word| {
        name.strip_prefix(word).is_some_and(|rest| {
            rest.is_empty()
                || rest.strip_prefix('_').is_some_and(|rest| {
                    rest.split('_')
                        .all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric()))
                })
        })
    })
}

impl Policies {
    /// Reads, mends and checks files; what cannot be used is in [`Policies::broken`].
    pub fn load(files: &[(String, String)], data: Value, options: Options) -> Result<Self, Fault> {
        PATTERNS.call_once(|| regorus::cache::configure(regorus::cache::Config { regex: 4096, glob: 4096 }));
        let mut broken = Vec::new();
        let mut modules = Vec::new();
        for (file, text) in files {
            match Module::read(file, text, options.version) {
                Ok(module) => modules.push(module),
                Err(why) => broken.push(Broken::new(file, package_line(text), text, why)),
            }
        }
        let mut globals: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut functions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for module in &modules {
            functions.entry(module.package.clone()).or_default().extend(module.functions());
            globals.entry(module.package.clone()).or_default().extend(module.globals());
        }
        let mut mended = Vec::with_capacity(modules.len());
        for (ordinal, mut module) in modules.into_iter().enumerate() {
            let names = globals.get(&module.package).cloned().unwrap_or_default();
            let calls = functions.get(&module.package).cloned().unwrap_or_default();
            match module
                .mend(&names, &calls)
                .and_then(|()| if options.split { module.split(ordinal) } else { Ok(()) })
            {
                Ok(()) => mended.push(module),
                Err(why) => {
                    let package = Some(module.package.clone());
                    broken.push(Broken::new(&module.file, package, &module.source, why));
                }
            }
        }
        let engine = prepared(&mut mended, &mut broken, &data, options)?;
        let graph = Graph::of(&mended);
        let refused = refused(&mended, &broken, &graph);
        Ok(Self { modules: mended, broken, refused, graph, engine })
    }

    /// Returns the packages, in the order of the files, each once.
    pub fn namespaces(&self) -> Vec<String> {
        let mut seen = BTreeSet::new();
        self.modules.iter().map(|m| m.package.clone()).filter(|p| seen.insert(p.clone())).collect()
    }

    /// Tells why a rule may not run.
    pub fn refusal(&self, path: &str) -> Option<Fault> {
        let (rule, why) = self.graph.reaches(path, &self.refused)?;
        let via = if rule == path { String::new() } else { format!("leads to `{rule}`, which ") };
        Some(Fault(format!("`{path}` {via}{why}")))
    }

    /// Returns an engine of its own for one thread.
    pub fn session(&self) -> Session {
        Session { engine: self.engine.clone(), lenient: false }
    }
}

/// Builds an engine of the modules that can be analysed together; the others are taken out.
fn prepared(
    modules: &mut Vec<Module>,
    broken: &mut Vec<Broken>,
    data: &Value,
    options: Options,
) -> Result<regorus::Engine, Fault> {
    loop {
        let mut engine = reader(Version::V1);
        engine.set_strict_builtin_errors(true);
        engine.set_gather_prints(true);
        engine.set_enable_coverage(options.coverage);
        builtin::install(&mut engine)?;
        engine.add_data(data.clone()).map_err(|e| Fault::of(&e.to_string()))?;
        for module in modules.iter() {
            engine.set_rego_v0(module.version == Version::V0);
            engine
                .add_policy(module.file.clone(), module.text.clone())
                .map_err(|error| Fault::of(&error.to_string()))?;
        }
        let ready = catch_unwind(AssertUnwindSafe(|| engine.eval_query("true".into(), false).map(|_| ())));
        let why = match ready {
            Ok(Ok(())) => return Ok(engine),
            Ok(Err(error)) => Fault::of(&error.to_string()),
            Err(_) => Fault("the modules could not be analysed together".into()),
        };
        let Some(at) = modules.iter().position(|m| why.0.starts_with(&format!("{}:", m.file))) else {
            return Err(why);
        };
        let module = modules.remove(at);
        broken.push(Broken::new(&module.file, Some(module.package), &module.source, why));
    }
}

/// Returns the rules that may not run: those that call what is not there, recursive functions, and what needs a broken file.
fn refused(modules: &[Module], broken: &[Broken], graph: &Graph) -> BTreeMap<String, String> {
    let mut refused = BTreeMap::new();
    for module in modules {
        for (index, line, name, why) in module.refused_calls(graph.functions()) {
            let Some(definition) = module.definitions.get(index) else { continue };
            let full = format!("data.{}.{}", module.package, definition.name);
            refused.entry(full).or_insert(format!("calls `{name}` in {}:{line}, which {why}", module.file));
        }
        // What reads from the package of a broken file cannot know what it would have found. A neighbour in the same package
        // that stands for itself goes on: what it names is defined elsewhere, or its own file cannot be analysed.
        let imports = module.imports();
        for bad in broken.iter().filter(|bad| !bad.file.ends_with("_test.rego")) {
            let Some(package) = &bad.package else { continue };
            let full = format!("data.{package}");
            let reads =
                imports.values().any(|target| *target == full || target.starts_with(&format!("{full}.")))
                    || module.text.contains(&full);
            for definition in &module.definitions {
                let first = definition.name.split('.').next().unwrap_or_default();
                let shares = *package == module.package && bad.words.contains(first);
                if reads || shares {
                    let name = format!("data.{}.{}", module.package, definition.name);
                    refused.entry(name).or_insert(format!("needs `{package}`, which is broken: {}", bad.why));
                }
            }
        }
    }
    for function in graph.recursive() {
        refused.entry(function).or_insert("can call itself, which OPA refuses too".into());
    }
    refused
}

/// Returns the package of a text that cannot be parsed.
fn package_line(text: &str) -> Option<String> {
    let line = text.lines().find_map(|l| l.trim().strip_prefix("package "))?;
    Some(line.split_whitespace().next()?.to_owned())
}

/// One thread's engine.
#[derive(Clone)]
pub struct Session {
    engine: regorus::Engine,
    lenient: bool,
}

impl Session {
    /// Sets the input of the next questions.
    pub fn input(&mut self, input: Value) {
        self.engine.set_input(input);
    }

    /// Replaces what stands at `data.conftest.file`.
    pub fn data(&mut self, data: Value) -> Result<(), Fault> {
        self.engine.add_data(data).map_err(|e| Fault::of(&e.to_string()))
    }

    /// Says whether an error of a builtin counts as undefined, as OPA has it by default, or is a fault.
    pub fn lenient(&mut self, yes: bool) {
        self.lenient = yes;
        self.engine.set_strict_builtin_errors(!yes);
    }

    /// Sets the time of the next question.
    fn limit(&mut self, limit: Duration) {
        builtin::lenient(self.lenient);
        self.engine
            .set_execution_timer_config(ExecutionTimerConfig { limit, check_interval: CHECK_INTERVAL });
    }

    /// Evaluates one rule by its full path; undefined is a value.
    pub fn rule(&mut self, path: &str, time: Duration) -> Result<Value, Fault> {
        self.limit(time);
        guarded(path, time, || self.engine.eval_rule(path.to_owned()))
    }

    /// Evaluates a query and returns its rows: expressions and bindings.
    pub fn query(
        &mut self,
        query: &str,
        trace: bool,
        time: Duration,
    ) -> Result<regorus::QueryResults, Fault> {
        self.limit(time);
        guarded(query, time, || self.engine.eval_query(query.to_owned(), trace))
    }

    /// Takes what rules printed.
    pub fn prints(&mut self) -> Vec<String> {
        self.engine.take_prints().unwrap_or_default()
    }

    /// Returns the lines that ran and those that did not.
    pub fn coverage(&self) -> Result<regorus::coverage::Report, Fault> {
        self.engine.get_coverage_report().map_err(|e| Fault::of(&e.to_string()))
    }
}

fn guarded<T, E: std::fmt::Display>(
    what: &str,
    time: Duration,
    work: impl FnOnce() -> Result<T, E>,
) -> Result<T, Fault> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => {
            let text = error.to_string();
            if text.contains("exceeded time limit") {
                return Err(Fault(format!("`{what}` took longer than {} ms", time.as_millis())));
            }
            Err(Fault::of(&text))
        }
        Err(_) => Err(Fault(format!("`{what}` stopped in the middle of a builtin"))),
    }
}
