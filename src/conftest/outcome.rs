//! What a check found, as conftest counts it.
//!
//! Must never drop a result it does not understand: that is a failure of the rule it came from.

use serde::Serialize;
use serde_json::{Map, Value};

/// Where in a file a result belongs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Location {
    /// The file.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub file: String,
    /// The line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
}

/// One result of a rule.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Result {
    /// What is wrong.
    pub msg: String,
    /// Where, if the rule said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loc: Option<Location>,
    /// What else the rule said.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
    /// What the rule is called, for formats with rules.
    #[serde(skip)]
    pub rule: Rule,
}

/// A rule as a report names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// The stable id: `custom.id` of its annotation, else its title, else `namespace/name`.
    pub id: String,
    /// The title of its annotation.
    pub title: Option<String>,
    /// The description of its annotation.
    pub description: Option<String>,
    /// The address of a page about it.
    pub page: Option<String>,
}

/// What one namespace says about one file.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Outcome {
    /// The file, or `Combined`.
    pub filename: String,
    /// The namespace.
    pub namespace: String,
    /// How many checks passed.
    pub successes: usize,
    /// Results of `warn` rules.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Result>,
    /// Results of `deny` and `violation` rules, and rules that did not answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Result>,
    /// Rules that an exception silenced.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<Result>,
    /// What the rules printed.
    #[serde(skip)]
    pub prints: Vec<String>,
}

impl Outcome {
    /// Returns how many checks there were.
    pub fn total(&self) -> usize {
        self.successes + self.warnings.len() + self.failures.len() + self.exceptions.len()
    }
}

/// Counts over all outcomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Checks that passed.
    pub successes: usize,
    /// Warnings.
    pub warnings: usize,
    /// Failures.
    pub failures: usize,
    /// Exceptions.
    pub exceptions: usize,
}

impl Totals {
    /// Counts.
    pub fn of(outcomes: &[Outcome]) -> Self {
        let mut totals = Self::default();
        for outcome in outcomes {
            totals.successes += outcome.successes;
            totals.warnings += outcome.warnings.len();
            totals.failures += outcome.failures.len();
            totals.exceptions += outcome.exceptions.len();
        }
        totals
    }

    /// Returns the exit code conftest gives.
    pub fn exit(self, fail_on_warn: bool, no_fail: bool) -> u8 {
        match (no_fail, fail_on_warn) {
            (true, _) => 0,
            (false, true) if self.failures > 0 => 2,
            (false, true) => u8::from(self.warnings > 0),
            (false, false) => u8::from(self.failures > 0),
        }
    }

    /// Returns the line of totals.
    pub fn line(self) -> String {
        let total = self.successes + self.warnings + self.failures + self.exceptions;
        let count = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
        format!(
            "{}, {} passed, {}, {}, {}",
            count(total, "test"),
            self.successes,
            count(self.warnings, "warning"),
            count(self.failures, "failure"),
            count(self.exceptions, "exception"),
        )
    }
}

/// Reads one element of a judging set: a string, or an object with `msg`.
pub fn read(element: &Value, query: &str, rule: &Rule) -> std::result::Result<Result, &'static str> {
    let mut metadata = Map::new();
    let (msg, mut loc) = match element {
        Value::String(msg) => (msg.clone(), None),
        Value::Object(fields) => {
            let msg = fields.get("msg").and_then(Value::as_str).ok_or("has no `msg` that is a string")?;
            for (key, value) in fields.iter().filter(|(key, _)| !matches!(key.as_str(), "msg" | "_loc")) {
                metadata.insert(key.clone(), value.clone());
            }
            (msg.to_owned(), fields.get("_loc").and_then(location))
        }
        _ => return Err("is neither a string nor an object"),
    };
    if loc.as_ref().is_some_and(|l| l.file.is_empty() && l.line.is_none()) {
        loc = None;
    }
    metadata.insert("query".into(), query.into());
    Ok(Result { msg, loc, metadata, rule: rule.clone() })
}

fn location(value: &Value) -> Option<Location> {
    let fields = value.as_object()?;
    let file = fields.get("file").and_then(Value::as_str).unwrap_or_default().to_owned();
    Some(Location { file, line: fields.get("line").and_then(Value::as_u64) })
}
