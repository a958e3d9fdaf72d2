//! A check: every judging rule of the namespaces over every input, counted as conftest counts.
//!
//! Must never count what did not answer as passed: a rule with a fault is a failure with its name, also a `warn`, and its
//! exceptions do not save it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use regex::Regex;
use regorus::Value;

use super::data::{documents, schemas};
use super::files::{self, CheckError};
use super::input::{Parser, parse_value};
use super::outcome::{Outcome, Result as Finding, Rule, read};
use super::pool::{Question, ask};
use crate::rego::limit::Limits;
use crate::rego::module::whole;
use crate::rego::policies::{Options, judges};
use crate::rego::{Fault, Policies, Version};

/// What to check, and how.
#[derive(Clone, Debug)]
pub struct Request {
    /// Files and folders to check.
    pub files: Vec<String>,
    /// Files and folders with policies.
    pub policies: Vec<PathBuf>,
    /// Files and folders with data.
    pub data: Vec<PathBuf>,
    /// Namespaces, or patterns of them.
    pub namespaces: Vec<String>,
    /// Whether every namespace judges.
    pub all_namespaces: bool,
    /// Whether all files are one input.
    pub combine: bool,
    /// The parser of every file.
    pub parser: Option<Parser>,
    /// The version of every policy.
    pub version: Option<Version>,
    /// Files below folders that are left out.
    pub ignore: Option<Regex>,
    /// What standard input is called.
    pub stdin_filename: Option<String>,
    /// Whether an error of a builtin counts as undefined.
    pub lenient: bool,
    /// A folder with the schemas that annotations name.
    pub schema: Option<PathBuf>,
    /// What may be used.
    pub limits: Limits,
}

/// One question and its answer, for `--trace`.
#[derive(Clone, Debug)]
pub struct Trace {
    /// The input.
    pub filename: String,
    /// What was asked.
    pub query: String,
    /// Where the rule stands.
    pub place: String,
    /// The answer in a few words.
    pub answer: String,
}

/// What a check found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// One outcome for each namespace and file.
    pub outcomes: Vec<Outcome>,
    /// Every question, in order.
    pub traces: Vec<Trace>,
}

/// An input: its name and its documents.
struct Input {
    name: String,
    documents: Vec<Value>,
}

/// Makes a check.
pub fn check(request: &Request) -> Result<Report, CheckError> {
    let texts = files::policies(&request.policies)?;
    let inputs = inputs(request)?;
    let data = Value::from(documents(&request.data)?);
    let options =
        Options { version: request.version, split: true, coverage: false, whole: false, world: false };
    let mut policies = load(&texts, data, options)?;
    policies.hold_to(&schemas(request.schema.as_deref())?);
    let namespaces = namespaces(request, &policies)?;
    let tells_file =
        texts.iter().any(|(_, text)| ["data.conftest", "data["].iter().any(|part| text.contains(part)));
    let mut report = Report::default();
    for namespace in &namespaces {
        let checker = Checker::new(request, &policies, namespace, tells_file);
        for input in &inputs {
            report.outcomes.push(checker.outcome(input, &mut report.traces));
        }
    }
    Ok(report)
}

/// Loads policies on a thread with room for deep files.
pub fn load(texts: &[(String, String)], data: Value, options: Options) -> Result<Policies, CheckError> {
    let texts = texts.to_vec();
    let worker = std::thread::Builder::new().stack_size(crate::rego::limit::STACK_BYTES);
    let loaded = worker.spawn(move || Policies::load(&texts, data, options)).ok().and_then(|t| t.join().ok());
    let loaded = loaded.unwrap_or_else(|| Err(Fault("the policies could not be read to their end".into())));
    loaded.map_err(|fault| CheckError::Wrong { what: fault.0, help: "Mend the policy it names.".into() })
}

fn inputs(request: &Request) -> Result<Vec<Input>, CheckError> {
    let mut inputs: BTreeMap<usize, Input> = BTreeMap::new();
    let files = files::inputs(&request.files, request.ignore.as_ref(), request.parser)?;
    let mut seen = BTreeSet::new();
    for (at, file) in files.into_iter().enumerate() {
        if !seen.insert(file.clone()) {
            continue;
        }
        let parser = match request.parser {
            Some(parser) => parser,
            None => Parser::of(&file)
                .map_err(|what| CheckError::Wrong { what, help: "Name one with --parser.".into() })?,
        };
        let bytes = files::read(&file, request.limits.input_bytes)?;
        let value = parse_value(parser, &bytes).map_err(|why| CheckError::Parse {
            path: file.clone(),
            parser: parser.name(),
            why,
        })?;
        let documents = match value {
            Value::Array(items) => items.iter().cloned().collect(),
            one => vec![one],
        };
        let name = match (&request.stdin_filename, file.as_str()) {
            (Some(name), "-") => name.clone(),
            _ => file,
        };
        inputs.insert(at, Input { name, documents });
    }
    let inputs: Vec<Input> = inputs.into_values().collect();
    Ok(if request.combine { vec![combined(inputs)] } else { inputs })
}

/// Makes one input of all: an array of paths with their contents.
fn combined(mut inputs: Vec<Input>) -> Input {
    inputs.sort_by(|a, b| a.name.cmp(&b.name));
    let one = |name: &str, document: Value| {
        let mut entry = Value::new_object();
        if let Ok(fields) = entry.as_object_mut() {
            fields.insert("path".into(), name.into());
            fields.insert("contents".into(), document);
        }
        entry
    };
    let entries: Vec<Value> =
        inputs.into_iter().flat_map(|i| i.documents.into_iter().map(move |d| one(&i.name, d))).collect();
    Input { name: "Combined".into(), documents: vec![Value::from(entries)] }
}

fn namespaces(request: &Request, policies: &Policies) -> Result<Vec<String>, CheckError> {
    let mut known = policies.namespaces();
    for package in policies.broken.iter().filter_map(|b| b.package.clone()) {
        if !known.contains(&package) {
            known.push(package);
        }
    }
    if request.all_namespaces {
        return Ok(known);
    }
    if !request.namespaces.iter().any(|n| n.contains(['*', '?', '['])) {
        return Ok(request.namespaces.clone());
    }
    let mut globs = Vec::new();
    for pattern in &request.namespaces {
        let glob = globset::GlobBuilder::new(pattern).literal_separator(false).build();
        globs.push(
            glob.map_err(|e| CheckError::Wrong {
                what: format!("`{pattern}` is no pattern of namespaces: {e}"),
                help: "Use `*`, `?` and `[...]`.".into(),
            })?
            .compile_matcher(),
        );
    }
    Ok(known.into_iter().filter(|n| globs.iter().any(|g| g.is_match(n))).collect())
}

/// A definition that judges.
struct Judge {
    /// `deny`, `warn_x`: the name in the policy.
    name: String,
    path: String,
    place: String,
    rule: Rule,
    /// Why it cannot be asked.
    fault: Option<Fault>,
}

/// The rules of one namespace.
struct Checker<'a> {
    request: &'a Request,
    policies: &'a Policies,
    namespace: &'a str,
    tells_file: bool,
    judges: Vec<Judge>,
    /// How many definitions there are of each name.
    names: Vec<String>,
    broken: Vec<String>,
    has_exceptions: bool,
}

impl<'a> Checker<'a> {
    fn new(request: &'a Request, policies: &'a Policies, namespace: &'a str, tells_file: bool) -> Self {
        let (mut judges_, mut names, mut has_exceptions) = (Vec::new(), Vec::new(), false);
        for module in policies.modules.iter().filter(|m| m.package == namespace) {
            for definition in &module.definitions {
                has_exceptions |= definition.name == "exception";
                let part = whole(&definition.name);
                let name = part.unwrap_or(&definition.name);
                // What is left of a set under its own name is the union of its parts.
                if !judges(name) || (part.is_none() && definition.shape == "Set") {
                    continue;
                }
                let path = format!("data.{namespace}.{}", definition.name);
                let place = format!("{}:{}", module.file, definition.line);
                let fault = match definition.shape {
                    "Set" => policies.refusal(&path),
                    "Compr" if !definition.bare => policies.refusal(&path),
                    "Default" => continue,
                    _ => Some(Fault(format!(
                        "`{name}` in {place} is no set: write `{name} contains msg if ...`, in v0 `{name}[msg] ...`"
                    ))),
                };
                let rule = rule_of(module, name, definition.line, namespace);
                if !names.contains(&name.to_owned()) {
                    names.push(name.to_owned());
                }
                judges_.push(Judge { name: name.to_owned(), path, place, rule, fault });
            }
        }
        let concerns =
            |b: &&crate::rego::policies::Broken| b.package.as_deref().is_none_or(|p| p == namespace);
        let broken =
            policies.broken.iter().filter(concerns).map(|b| format!("{} cannot be used: {}", b.file, b.why));
        Self {
            request,
            policies,
            namespace,
            tells_file,
            judges: judges_,
            names,
            broken: broken.collect(),
            has_exceptions,
        }
    }

    fn outcome(&self, input: &Input, traces: &mut Vec<Trace>) -> Outcome {
        let mut outcome = Outcome {
            filename: input.name.clone(),
            namespace: self.namespace.to_owned(),
            ..Outcome::default()
        };
        for why in &self.broken {
            outcome.failures.push(
                self.failure(
                    why.clone(),
                    &Rule { id: format!("{}/broken", self.namespace), ..Rule::default() },
                ),
            );
        }
        for document in &input.documents {
            self.judge(&input.name, document, &mut outcome, traces);
        }
        outcome
    }

    fn failure(&self, msg: String, rule: &Rule) -> Finding {
        let mut metadata = serde_json::Map::new();
        metadata.insert("query".into(), format!("data.{}", self.namespace).into());
        Finding { msg, loc: None, metadata, rule: rule.clone() }
    }

    fn judge(&self, name: &str, document: &Value, outcome: &mut Outcome, traces: &mut Vec<Trace>) {
        let exception = format!("data.{}.exception", self.namespace);
        let mut questions: Vec<Question> = Vec::new();
        if self.has_exceptions {
            questions.push(Question { path: exception.clone() });
        }
        let mut asked = BTreeSet::new();
        for judge in self.judges.iter().filter(|j| j.fault.is_none()) {
            if asked.insert(&judge.path) {
                questions.push(Question { path: judge.path.clone() });
            }
        }
        let paths: Vec<String> = questions.iter().map(|q| q.path.clone()).collect();
        let data = self.tells_file.then(|| file_data(name));
        let answers = ask(
            self.policies,
            questions,
            (document.clone(), data),
            self.request.lenient,
            self.request.limits,
        );
        let mut by_path: BTreeMap<String, Result<Value, Fault>> = BTreeMap::new();
        for (path, (value, prints)) in paths.into_iter().zip(answers) {
            outcome.prints.extend(prints);
            by_path.insert(path, value);
        }
        let exceptions = match by_path.get(&exception) {
            Some(Ok(value)) => excepted(value),
            Some(Err(fault)) => {
                let rule = Rule { id: format!("{}/exception", self.namespace), ..Rule::default() };
                outcome.failures.push(self.failure(format!("`exception` did not answer: {fault}"), &rule));
                Vec::new()
            }
            None => Vec::new(),
        };
        let (mut count, mut passed, mut results) = (0, 0, 0);
        for rule_name in &self.names {
            let found = self.collect(rule_name, &by_path, name, traces);
            count += found.definitions;
            let bare = bare_name(rule_name);
            let matches = exceptions.iter().filter(|e| *e == bare).count();
            if !found.faults.is_empty() {
                results += found.faults.len();
                outcome.failures.extend(found.faults);
            }
            if matches > 0 {
                results += matches;
                let query = format!("{exception}[_][_] == {bare:?}");
                for _ in 0..matches {
                    outcome.exceptions.push(Finding {
                        metadata: serde_json::Map::new(),
                        ..self.failure(query.clone(), &Rule::default())
                    });
                }
            } else if found.findings.is_empty() {
                passed += usize::from(!found.faulted);
            } else {
                results += found.findings.len();
                let target =
                    if rule_name.starts_with("warn") { &mut outcome.warnings } else { &mut outcome.failures };
                target.extend(found.findings);
            }
        }
        outcome.successes += passed.max(count.saturating_sub(results));
    }

    /// Gathers what the definitions of one rule say, each element once, in Rego's order.
    fn collect(
        &self,
        rule_name: &str,
        by_path: &BTreeMap<String, Result<Value, Fault>>,
        input: &str,
        traces: &mut Vec<Trace>,
    ) -> Collected {
        let mut collected = Collected::default();
        let mut elements: BTreeMap<Value, &Judge> = BTreeMap::new();
        for judge in self.judges.iter().filter(|j| j.name == rule_name) {
            collected.definitions += 1;
            let fault = |why: &str| {
                self.failure(format!("`{rule_name}` in {} did not answer: {why}", judge.place), &judge.rule)
            };
            let answer = match (&judge.fault, by_path.get(&judge.path)) {
                (Some(why), _) | (None, Some(Err(why))) => {
                    collected.faults.push(fault(&plainly(&why.0, judge, self.namespace)));
                    format!("fault: {why}")
                }
                (None, None) => {
                    collected.faults.push(fault("it was not asked"));
                    "not asked".into()
                }
                (None, Some(Ok(value))) => match value {
                    Value::Set(items) => {
                        for item in items.iter() {
                            elements.entry(item.clone()).or_insert(judge);
                        }
                        format!("{} results", items.len())
                    }
                    Value::Array(items) => {
                        for item in items.iter() {
                            elements.entry(item.clone()).or_insert(judge);
                        }
                        format!("{} results", items.len())
                    }
                    Value::Undefined => "undefined".into(),
                    other => {
                        collected.faults.push(fault(&format!("it is {other}, which is no set")));
                        "no set".into()
                    }
                },
            };
            traces.push(Trace {
                filename: input.to_owned(),
                query: format!("data.{}.{rule_name}", self.namespace),
                place: judge.place.clone(),
                answer,
            });
        }
        collected.faulted = !collected.faults.is_empty();
        let query = format!("data.{}.{rule_name}", self.namespace);
        for (element, judge) in elements {
            let json = serde_json::to_value(&element).map_err(|_| "cannot be written as JSON");
            match json.and_then(|json| read(&json, &query, &judge.rule)) {
                // An empty message passes, as in conftest.
                Ok(finding) if finding.msg.is_empty() => {}
                Ok(finding) => collected.findings.push(finding),
                Err(why) => collected.faults.push(self.failure(
                    format!("`{rule_name}` in {} gave `{element}`, which {why}", judge.place),
                    &judge.rule,
                )),
            }
        }
        collected.faulted = !collected.faults.is_empty();
        collected
    }
}

#[derive(Default)]
struct Collected {
    definitions: usize,
    findings: Vec<Finding>,
    faults: Vec<Finding>,
    faulted: bool,
}

/// Calls a part of a set by the name it has in the policy.
fn plainly(why: &str, judge: &Judge, namespace: &str) -> String {
    why.replace(&judge.path, &judge.name).replace(&format!("data.{namespace}."), "")
}

fn file_data(name: &str) -> Value {
    let full = std::path::absolute(name).unwrap_or_else(|_| PathBuf::from(name));
    let text = |path: Option<&Path>| path.map(|p| p.display().to_string()).unwrap_or_default();
    let base = full.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    Value::from(serde_json::json!({ "conftest": { "file": { "name": base, "dir": text(full.parent()) } } }))
}

/// Returns the names that `exception` silences.
fn excepted(value: &Value) -> Vec<String> {
    let items = |value: &Value| -> Vec<Value> {
        match value {
            Value::Set(items) => items.iter().cloned().collect(),
            Value::Array(items) => items.iter().cloned().collect(),
            Value::Object(fields) => fields.iter().map(|(_, v)| v.clone()).collect(),
            _ => Vec::new(),
        }
    };
    let names = items(value).iter().flat_map(items).collect::<Vec<_>>();
    names.iter().filter_map(|n| n.as_string().ok().map(std::string::ToString::to_string)).collect()
}

/// Returns a rule's name without what says how severe it is.
fn bare_name(name: &str) -> &str {
    ["violation", "deny", "warn"]
        .iter()
        .find_map(|word| name.strip_prefix(word))
        .map_or(name, |rest| rest.strip_prefix('_').unwrap_or(rest))
}

fn rule_of(module: &crate::rego::Module, name: &str, line: u64, namespace: &str) -> Rule {
    let mut rule = Rule { id: format!("{namespace}/{name}"), ..Rule::default() };
    for annotation in module.annotations.describing(name, line) {
        if annotation.scope == "package" || annotation.scope == "subpackages" {
            continue;
        }
        let text = |key: &str| annotation.value[key].as_str().map(str::to_owned);
        rule.title = rule.title.take().or_else(|| text("title"));
        rule.description = rule.description.take().or_else(|| text("description"));
        let custom = &annotation.value["custom"];
        let id =
            custom["id"].as_str().or(custom["code"].as_str()).map(str::to_owned).or_else(|| text("title"));
        if let Some(id) = id {
            rule.id = id;
        }
        let related = &annotation.value["related_resources"][0];
        let page = related.as_str().or(related["ref"].as_str()).filter(|r| r.starts_with("https://"));
        rule.page = rule.page.take().or_else(|| page.map(str::to_owned));
        break;
    }
    rule
}
