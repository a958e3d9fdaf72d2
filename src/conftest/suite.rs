//! The tests of policies: every rule named `test_*`, each with a time of its own.
//!
//! Must never pass a test that did not run: undefined, false, an error and a limit are failures.

use std::collections::BTreeSet;

use regorus::Value;
use serde::Serialize;

use super::pool::{Question, ask};
use crate::rego::limit::Limits;
use crate::rego::{Fault, Policies};

/// One test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TestResult {
    /// The file.
    pub file: String,
    /// The line.
    pub line: u64,
    /// The package.
    pub package: String,
    /// Its name.
    pub name: String,
    /// `pass`, `fail`, `error` or `skip`.
    pub outcome: &'static str,
    /// Why it failed, or what to know about its passing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What it printed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prints: Vec<String>,
}

/// Lines of one file that ran and that did not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// The file.
    pub file: String,
    /// Lines that ran.
    pub covered: Vec<u32>,
    /// Lines that did not.
    pub not_covered: Vec<u32>,
}

/// Runs every test whose full name a pattern fits, in order of the files.
pub fn run(policies: &Policies, only: Option<&regex::Regex>, limits: Limits) -> Vec<TestResult> {
    let mut results: Vec<TestResult> = policies.broken.iter().map(broken).collect();
    let (mut places, mut questions) = (Vec::new(), Vec::new());
    for module in &policies.modules {
        let mut seen = BTreeSet::new();
        for definition in &module.definitions {
            let full = format!("data.{}.{}", module.package, definition.name);
            let test = definition.name.starts_with("test_");
            let later = definition.name.starts_with("todo_test_");
            if !(test || later) || !seen.insert(&definition.name) || only.is_some_and(|o| !o.is_match(&full))
            {
                continue;
            }
            places.push(TestResult {
                file: module.file.clone(),
                line: definition.line,
                package: module.package.clone(),
                name: definition.name.clone(),
                outcome: if later { "skip" } else { "error" },
                note: None,
                prints: Vec::new(),
            });
            if test {
                questions.push(Question { path: full });
            }
        }
    }
    let input = || (Value::new_object(), None);
    let strict = ask(policies, questions.clone(), input(), false, limits);
    let again: Vec<Question> = questions
        .iter()
        .zip(&strict)
        .filter(|(q, (answer, _))| answer.is_err() && policies.refusal(&q.path).is_none())
        .map(|(q, _)| q.clone())
        .collect();
    let mut lenient = ask(policies, again, input(), true, limits).into_iter();
    let mut strict = questions.iter().zip(strict);
    for mut place in places {
        if place.outcome != "skip"
            && let Some((question, (answer, prints))) = strict.next()
        {
            place.prints = prints;
            let (outcome, note) = match (policies.refusal(&question.path), answer) {
                (Some(fault), _) => ("error", Some(fault.0)),
                (None, Ok(value)) => judged(&value),
                (None, Err(fault)) => second(&fault, lenient.next().map(|(answer, _)| answer)),
            };
            (place.outcome, place.note) = (outcome, note);
        }
        results.push(place);
    }
    results
}

fn judged(value: &Value) -> (&'static str, Option<String>) {
    match value {
        Value::Bool(true) => ("pass", None),
        Value::Undefined => ("fail", Some("it is undefined".into())),
        other => ("fail", Some(format!("it is {other}, not true"))),
    }
}

/// Judges a test that met an error of a builtin: OPA takes that for undefined, and so may a test.
fn second(fault: &Fault, lenient: Option<Result<Value, Fault>>) -> (&'static str, Option<String>) {
    match lenient {
        Some(Ok(Value::Bool(true))) => (
            "pass",
            Some(format!(
                "only because an error counts as undefined, as in OPA; a check denies here: {fault}"
            )),
        ),
        _ => ("error", Some(fault.0.clone())),
    }
}

fn broken(broken: &crate::rego::policies::Broken) -> TestResult {
    TestResult {
        file: broken.file.clone(),
        line: 0,
        package: broken.package.clone().unwrap_or_default(),
        name: "(file)".into(),
        outcome: "error",
        note: Some(broken.why.0.clone()),
        prints: Vec::new(),
    }
}

/// Runs every test again in one engine that counts lines.
pub fn coverage(policies: &Policies, results: &[TestResult], limits: Limits) -> Result<Vec<Coverage>, Fault> {
    let mut session = policies.session();
    session.lenient(true);
    session.input(Value::new_object());
    for result in results.iter().filter(|r| r.outcome == "pass") {
        let _ = session.rule(&format!("data.{}.{}", result.package, result.name), limits.rule);
    }
    let report = session.coverage()?;
    let mut files: Vec<Coverage> = report
        .files
        .into_iter()
        .map(|file| Coverage {
            file: file.path,
            covered: file.covered.into_iter().collect(),
            not_covered: file.not_covered.into_iter().collect(),
        })
        .collect();
    files.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(files)
}

/// Returns the share of lines that ran, in hundredths of a percent; tests themselves do not count.
pub fn share(files: &[Coverage]) -> u32 {
    let rules = || files.iter().filter(|f| !f.file.ends_with("_test.rego"));
    let covered: usize = rules().map(|f| f.covered.len()).sum();
    let all = covered + rules().map(|f| f.not_covered.len()).sum::<usize>();
    let share = (covered * 10_000).checked_div(all).unwrap_or(10_000);
    u32::try_from(share).unwrap_or(10_000)
}
