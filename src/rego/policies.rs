//! All modules of a policy folder, loaded together and evaluated rule by rule.
//!
//! Must never let one broken file hide the others, nor let a rule that leads to something broken answer: it has a fault.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, Once, PoisonError};
use std::time::Duration;

use regorus::Value;
use regorus::utils::limits::ExecutionTimerConfig;

use super::annotation::Annotation;
use super::builtin;
use super::fault::Fault;
use super::graph::{Graph, reads_whole};
use super::module::{Hoisting, Module, Version, reader};
use super::schema::{self, Schemas};
use super::spread::spread;

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
    data: Value,
    engine: regorus::Engine,
}

/// Steps between two looks at the clock.
const CHECK_INTERVAL: NonZeroU32 = NonZeroU32::new(64).unwrap();

/// Room for the patterns of all rules: regorus compiles a glob or a regex once as long as its cache holds it.
static PATTERNS: Once = Once::new();

fn configure() {
    PATTERNS.call_once(|| regorus::cache::configure(regorus::cache::Config { regex: 4096, glob: 4096 }));
}

/// How the modules are made ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a way of its own to make modules ready")]
pub struct Options {
    /// The version of every file; told from the file when absent.
    pub version: Option<Version>,
    /// Whether each definition of a judging set is evaluated by itself.
    pub split: bool,
    /// Whether lines that ran are counted.
    pub coverage: bool,
    /// Whether whole packages are looked at from outside, so that no rule may be added to one.
    pub whole: bool,
    /// Whether a rule may ask for the time.
    pub world: bool,
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
        let (mut modules, mut broken) = (Vec::new(), Vec::new());
        let read = spread(files, |(file, text)| Module::read(file, text, options.version));
        for ((file, text), read) in files.iter().zip(read) {
            match read.unwrap_or_else(|| Err(unfinished(file))) {
                Ok(module) => modules.push(module),
                Err(why) => broken.push(Broken::new(file, package_line(text), text, why)),
            }
        }
        Self::of(modules, broken, data, options)
    }

    /// Mends and checks modules that were read; `broken` are their neighbours that could not be.
    pub fn of(
        modules: Vec<Module>,
        mut broken: Vec<Broken>,
        data: Value,
        options: Options,
    ) -> Result<Self, Fault> {
        configure();
        let mut mended = Vec::with_capacity(modules.len());
        for (done, source) in mend(modules, options) {
            match done {
                Ok(module) => mended.push(module),
                Err(why) => {
                    let (file, package, text) = source;
                    broken.push(Broken::new(&file, Some(package), &text, why));
                }
            }
        }
        let engine = prepared(&mut mended, &mut broken, &data, options)?;
        let graph = Graph::of(&mended);
        let refused = refused(&mended, &broken, &graph, options.world);
        Ok(Self { modules: mended, broken, refused, graph, data, engine })
    }

    /// Loads texts that were mended and checked before, by their file; all of them or none.
    ///
    /// Who asks has to know that they were: nothing is looked at here but whether they can be analysed.
    pub fn ready(texts: &BTreeMap<&str, &str>) -> Result<Self, Fault> {
        configure();
        let data = Value::new_object();
        let mut engine = fresh(&data, Options::default())?;
        for (file, text) in texts {
            engine
                .add_policy((*file).to_owned(), (*text).to_owned())
                .map_err(|error| Fault::of(&error.to_string()))?;
        }
        analyse(&mut engine)?;
        Ok(Self { engine, ..Self::none() })
    }

    /// Returns no policies at all.
    pub fn none() -> Self {
        Self {
            modules: Vec::new(),
            broken: Vec::new(),
            refused: BTreeMap::new(),
            graph: Graph::default(),
            data: Value::new_object(),
            engine: reader(Version::V1),
        }
    }

    /// Tells whether a file is among those in use.
    pub fn has(&self, file: &str) -> bool {
        self.modules.iter().any(|module| module.file == file)
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

    /// Tells why a query may not run: a rule it names, or one of a package it names as a whole, may not.
    pub fn refusal_in(&self, query: &str) -> Option<Fault> {
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let names = |path: &str, whole: bool| {
            query.match_indices(path).any(|(at, _)| {
                let rest = query.get(at + path.len()..).unwrap_or_default();
                !(rest.starts_with(word) || (whole && rest.starts_with('.')))
            })
        };
        self.graph.rules().find_map(|rule| {
            let mut above = rule.match_indices('.').map(|(at, _)| rule.get(..at).unwrap_or_default());
            (names(rule, false) || above.any(|path| names(path, true))).then(|| self.refusal(rule)).flatten()
        })
    }

    /// Returns every rule one leads to, itself included.
    pub fn reached(&self, path: &str) -> BTreeSet<&str> {
        self.graph.reached(path)
    }

    /// Refuses the rules that read what the schemas their annotations name do not have.
    pub fn hold_to(&mut self, schemas: &Schemas) {
        let mut misfits = Vec::new();
        for module in &self.modules {
            let above = |other: &&Module| {
                module.package.strip_prefix(&other.package).is_some_and(|rest| rest.starts_with('.'))
            };
            let outer = self.modules.iter().filter(above).flat_map(|other| &other.annotations.all);
            let outer: Vec<&Annotation> = outer.filter(|a| a.scope == "subpackages").collect();
            for (at, why) in schema::misfits(module, &outer, schemas) {
                let name = module.definitions.get(at).map(|d| format!("data.{}.{}", module.package, d.name));
                misfits.extend(name.map(|name| (name, why)));
            }
        }
        for (name, why) in misfits {
            self.refused.entry(name).or_insert(why);
        }
    }

    /// Returns the document of data at a path, as `data.main`; undefined where there is none.
    pub fn data_at(&self, path: &str) -> Value {
        let parts = path.split('.').skip(1);
        parts.fold(self.data.clone(), |value, part| value[&Value::from(part)].clone())
    }

    /// Returns an engine of its own for one thread.
    pub fn session(&self) -> Session {
        Session { engine: self.engine.clone(), lenient: false }
    }
}

/// A module that could be mended or not, with its file, package and text.
type Mended = (Result<Module, Fault>, (String, String, String));

/// Mends modules, and makes them ready to be evaluated in parts.
fn mend(modules: Vec<Module>, options: Options) -> Vec<Mended> {
    let mut globals: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut functions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for module in &modules {
        functions.entry(module.package.clone()).or_default().extend(module.functions());
        globals.entry(module.package.clone()).or_default().extend(module.globals());
    }
    let packages: BTreeSet<String> = modules.iter().map(|m| format!("data.{}", m.package)).collect();
    // Who reads a whole package would see the rules that are added to it; lines of such rules are no lines to cover.
    let apart = !options.whole && !options.coverage && !modules.iter().any(|m| reads_whole(m, &packages));
    let (none, sources): (BTreeSet<String>, Vec<_>) = (
        BTreeSet::new(),
        modules.iter().map(|m| (m.file.clone(), m.package.clone(), m.source.clone())).collect(),
    );
    let items: Vec<(usize, Mutex<Option<Module>>)> =
        modules.into_iter().map(|module| Mutex::new(Some(module))).enumerate().collect();
    let done = spread(&items, |(ordinal, item)| {
        let taken = item.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut module = taken.ok_or_else(|| Fault("a module was mended twice".into()))?;
        let names = globals.get(&module.package).unwrap_or(&none);
        module.mend(names, functions.get(&module.package).unwrap_or(&none))?;
        let own: BTreeSet<String> = names.iter().cloned().chain(module.globals()).collect();
        let hoisting = Hoisting { globals: &own, packages: &packages };
        module.arrange(*ordinal, options.split, apart.then_some(&hoisting))?;
        Ok(module)
    });
    let finished = |(done, source): (Option<Result<Module, Fault>>, (String, String, String))| {
        (done.unwrap_or_else(|| Err(unfinished(&source.0))), source)
    };
    done.into_iter().zip(sources).map(finished).collect()
}

fn unfinished(file: &str) -> Fault {
    Fault(format!("{file}: was not read to its end"))
}

/// Builds an engine of the modules that can be analysed together; the others are taken out.
fn prepared(
    modules: &mut Vec<Module>,
    broken: &mut Vec<Broken>,
    data: &Value,
    options: Options,
) -> Result<regorus::Engine, Fault> {
    loop {
        let mut engine = fresh(data, options)?;
        for module in modules.iter() {
            engine.set_rego_v0(module.version == Version::V0);
            engine
                .add_policy(module.file.clone(), module.text.clone())
                .map_err(|error| Fault::of(&error.to_string()))?;
        }
        let Err(why) = analyse(&mut engine) else { return Ok(engine) };
        let Some(at) = modules.iter().position(|m| why.0.starts_with(&format!("{}:", m.file))) else {
            return Err(why);
        };
        let module = modules.remove(at);
        broken.push(Broken::new(&module.file, Some(module.package), &module.source, why));
    }
}

/// Returns an engine without modules.
fn fresh(data: &Value, options: Options) -> Result<regorus::Engine, Fault> {
    let mut engine = reader(Version::V1);
    engine.set_strict_builtin_errors(true);
    engine.set_gather_prints(true);
    engine.set_enable_coverage(options.coverage);
    builtin::install(&mut engine)?;
    engine.add_data(data.clone()).map_err(|e| Fault::of(&e.to_string()))?;
    Ok(engine)
}

/// Lets an engine analyse its modules, so that its copies need not.
fn analyse(engine: &mut regorus::Engine) -> Result<(), Fault> {
    match catch_unwind(AssertUnwindSafe(|| engine.eval_query("true".into(), false).map(|_| ()))) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(Fault::of(&error.to_string())),
        Err(_) => Err(Fault("the modules could not be analysed together".into())),
    }
}

/// Returns the rules that may not run: those that call what is not there, recursive functions, and what needs a broken file.
fn refused(modules: &[Module], broken: &[Broken], graph: &Graph, world: bool) -> BTreeMap<String, String> {
    let mut refused = BTreeMap::new();
    for module in modules {
        for (index, line, name, why) in module.refused_calls(graph.functions(), world) {
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
