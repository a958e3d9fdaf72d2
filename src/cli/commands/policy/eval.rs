//! `orch policy eval`: one query, answered.

use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::RegoVersion;
use crate::cli::CommandError;
use crate::cli::args::Format;
use crate::cli::error::UsageError;
use crate::cli::output::Output;
use crate::conftest::answer::{in_parts, is_path};
use crate::conftest::check::load;
use crate::conftest::data::{documents, schemas};
use crate::conftest::files::{policies, read};
use crate::conftest::input::{Parser, parse};
use crate::diagnostic::text::plain;
use crate::rego::limit::{Limits, STACK_BYTES};
use crate::rego::policies::Options;
use crate::rego::schema::reference;
use crate::rego::{Fault, Policies};

/// Evaluate a query against Rego policies
///
/// The input is checked first against every schema that a `# METADATA` annotation of these policies names for `input`. Ends with 0
/// when the query is defined, with 3 when it is undefined and --fail-undefined is given, with 2 when it cannot be answered.
#[derive(Debug, Args)]
pub struct EvalArgs {
    /// The query, as `data.main.deny`
    query: String,
    /// The input, in any format `orch policy check` reads; `-` is standard input
    #[arg(short, long)]
    input: Option<String>,
    /// Files and folders with policies
    #[arg(short, long)]
    policy: Vec<PathBuf>,
    /// Files and folders with data (.json, .yaml); folders become keys
    #[arg(short, long)]
    data: Vec<PathBuf>,
    /// A folder with the schemas that annotations name, as `schema.input` for `input.json`
    #[arg(short, long)]
    schema: Option<PathBuf>,
    /// Show what `trace` and `print` said, and the answer of each rule of the package that is asked
    #[arg(long)]
    trace: bool,
    /// End with 3 when the query is undefined
    #[arg(long)]
    fail_undefined: bool,
    /// The seconds the query may take
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
    /// The version of Rego the policies are written in; told from each file when not said
    #[arg(long, value_enum, ignore_case = true)]
    rego_version: Option<RegoVersion>,
}

/// Evaluates and prints.
pub fn run(args: &EvalArgs, output: &Output) -> Result<u8, CommandError> {
    let limits = Limits { rule: Duration::from_secs(args.timeout), ..Limits::default() };
    let input = match &args.input {
        None => Value::Null,
        Some(path) => {
            let parser = Parser::of(path).unwrap_or(Parser::Json);
            let bytes = read(path, limits.input_bytes)?;
            parse(parser, &bytes).map_err(|why| UsageError {
                what: format!("cannot read {path} as {}: {why}", parser.name()),
                help: "Give JSON, YAML or another format `orch policy check` reads.".into(),
            })?
        }
    };
    let texts = if args.policy.is_empty() { Vec::new() } else { policies(&args.policy)? };
    let data = regorus::Value::from(documents(&args.data)?);
    let version = args.rego_version.map(Into::into);
    let parts = !args.trace && is_path(&args.query);
    let options = Options { version, split: parts, coverage: false, whole: !parts, world: true };
    let schemas = schemas(args.schema.as_deref())?;
    let ready = |options: Options| -> Result<Arc<Policies>, CommandError> {
        let mut loaded = load(&texts, data.clone(), options)?;
        loaded.hold_to(&schemas);
        Ok(Arc::new(loaded))
    };
    let loaded = ready(options)?;
    if let Some(broken) = loaded.broken.first() {
        return Err(wrong(format!("{} cannot be used: {}", broken.file, broken.why)).into());
    }
    if args.input.is_some() {
        check_schemas(&loaded, &input, args.schema.as_deref())?;
    }
    if let Some(fault) = loaded.refusal_in(&args.query) {
        return Err(wrong(fault.0).into());
    }
    let input = regorus::Value::from(input);
    let found = if parts { found(&loaded, args, input.clone(), limits) } else { None };
    let answer = if let Some(answer) = found {
        answer
    } else {
        let loaded = if parts { ready(Options { split: false, whole: true, ..options })? } else { loaded };
        answer(&loaded, args, input, limits).map_err(|fault| wrong(fault.0))?
    };
    let defined = answer["result"].as_array().is_some_and(|rows| !rows.is_empty());
    match output.format {
        Format::Json => output.print_json(&answer)?,
        Format::Human => output.print(|out| {
            for line in answer["trace"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                writeln!(out, "{}", plain(line))?;
            }
            for value in answer["result"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|r| r["expressions"].as_array())
                .flatten()
            {
                writeln!(out, "{}", serde_json::to_string_pretty(&value["value"])?)?;
            }
            if defined { Ok(()) } else { writeln!(out, "undefined") }
        })?,
    }
    Ok(if !defined && args.fail_undefined { 3 } else { 0 })
}

fn wrong(what: String) -> UsageError {
    UsageError { what, help: "Mend the policy or the query it names.".into() }
}

/// Finds the value of a path in parts, on a thread of its own; `None` when it has to be asked for as a whole.
fn found(policies: &Arc<Policies>, args: &EvalArgs, input: regorus::Value, limits: Limits) -> Option<Value> {
    let (policies, query) = (Arc::clone(policies), args.query.clone());
    let (sender, receiver) = mpsc::channel();
    let work = move || sender.send(in_parts(&policies, &query, &input, limits));
    std::thread::Builder::new().stack_size(STACK_BYTES).spawn(work).ok()?;
    let patience = limits.rule.saturating_mul(4) + Duration::from_millis(500);
    let (value, prints) = receiver.recv_timeout(patience).ok()??;
    let rows = if value == regorus::Value::Undefined {
        Vec::new()
    } else {
        let expression = json!({ "value": serde_json::to_value(&value).ok()?, "text": args.query });
        vec![json!({ "expressions": [expression], "bindings": {} })]
    };
    Some(json!({ "result": rows, "trace": prints }))
}

/// Evaluates on a thread of its own, which is given up when it does not come back.
fn answer(
    policies: &Policies,
    args: &EvalArgs,
    input: regorus::Value,
    limits: Limits,
) -> Result<Value, Fault> {
    let mut session = policies.session();
    let (query, trace, has_input) = (args.query.clone(), args.trace, args.input.is_some());
    let rules: Vec<(String, String)> = policies
        .modules
        .iter()
        .filter(|m| trace && query.starts_with(&format!("data.{}", m.package)))
        .flat_map(|m| {
            m.definitions
                .iter()
                .filter(|d| d.shape != "Func")
                .map(|d| (format!("data.{}.{}", m.package, d.name), format!("{}:{}", m.file, d.line)))
        })
        .collect();
    let (sender, receiver) = mpsc::channel();
    let work = move || {
        if has_input {
            session.input(input);
        }
        let mut lines = Vec::new();
        for (path, place) in rules {
            let said =
                session.rule(&path, limits.rule).map_or_else(|f| format!("fault: {f}"), |v| v.to_string());
            lines.push(format!("{place}: {path} is {said}"));
        }
        let rows = session.query(&query, trace, limits.rule).and_then(|rows| {
            let rows: Vec<Value> = rows
                .result
                .iter()
                .filter(|row| row.expressions.iter().all(|e| e.value != regorus::Value::Undefined))
                .map(|row| {
                    let expressions: Result<Vec<Value>, _> = row
                        .expressions
                        .iter()
                        .map(|e| Ok(json!({ "value": serde_json::to_value(&e.value)?, "text": &*e.text })))
                        .collect();
                    let bindings = serde_json::to_value(&row.bindings);
                    Ok(json!({ "expressions": expressions?, "bindings": bindings? }))
                })
                .collect::<Result<_, serde_json::Error>>()
                .map_err(|e| Fault(e.to_string()))?;
            Ok(rows)
        });
        lines.extend(session.prints());
        let _ = sender.send(rows.map(|rows| json!({ "result": rows, "trace": lines })));
    };
    let started = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(work);
    started.map_err(|e| Fault(e.to_string()))?;
    let patience = limits.rule.saturating_mul(4) + Duration::from_millis(500);
    receiver
        .recv_timeout(patience)
        .unwrap_or_else(|_| Err(Fault(format!("`{}` did not answer in time", args.query))))
}

/// Checks the input against the schemas that annotations give for `input`.
fn check_schemas(
    policies: &Policies,
    input: &Value,
    folder: Option<&std::path::Path>,
) -> Result<(), CommandError> {
    for module in &policies.modules {
        for schema in module.annotations.all.iter().filter_map(|a| a.value["schemas"].as_array()).flatten() {
            let Some(schema) = schema.get("input") else { continue };
            let (name, document) = match schema {
                Value::String(name) => {
                    let folder = folder.ok_or_else(|| UsageError {
                        what: format!("{} names the schema `{name}`", module.file),
                        help: "Name the folder it is in with --schema.".into(),
                    })?;
                    let path = folder.join(reference(name) + ".json");
                    let bytes = read(&path.display().to_string(), 16 << 20)?;
                    let parsed = parse(Parser::Json, &bytes);
                    (
                        path.display().to_string(),
                        parsed.map_err(|why| wrong(format!("{}: {why}", path.display())))?,
                    )
                }
                inline => (format!("the schema in {}", module.file), inline.clone()),
            };
            let validator = jsonschema::validator_for(&document)
                .map_err(|e| wrong(format!("{name} is no schema: {e}")))?;
            if let Some(error) = validator.iter_errors(input).next() {
                return Err(UsageError {
                    what: format!("the input does not fit {name}: {error} at `{}`", error.instance_path()),
                    help: "Mend the input, or the schema.".into(),
                }
                .into());
            }
        }
    }
    Ok(())
}
