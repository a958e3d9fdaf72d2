//! Workflows and actions of GitHub against what is known to go wrong: proves per job that no two dangerous powers meet.
//!
//! Must never run or fetch what it looks at, and must never say what a workflow elsewhere does: it only says what that one is given.

mod doc;
pub mod powers;
mod rules;
mod shared;

use std::collections::BTreeMap;
use std::ops::Range;

use crate::artifact::types::verdict::{Effect, Finding, Severity};
use crate::scan::workflows::Workflows;
use crate::scan::workflows::model::Flow;
use crate::scan::{Confidence, Fact, Found, Scanner, Sink, Source, View, Worker, yaml};

use doc::Doc;
pub use rules::RULES;

/// A rule: one file, one line of the list, one page.
#[derive(Debug)]
pub struct Rule {
    /// The stable code, as `lint/timeout`.
    pub code: &'static str,
    /// How bad it is, unless the finding knows better.
    pub severity: Severity,
    /// What to do about it, one line.
    pub help: &'static str,
    check: fn(&Doc<'_>, &mut Hits),
}

/// Takes what one rule finds.
#[derive(Debug, Default)]
struct Hits(Vec<Hit>);

#[derive(Debug)]
struct Hit {
    range: Range<usize>,
    message: String,
    severity: Option<Severity>,
}

impl Hits {
    fn at(&mut self, range: &Range<usize>, message: impl Into<String>) {
        self.0.push(Hit { range: range.clone(), message: message.into(), severity: None });
    }

    fn rated(&mut self, severity: Severity, range: &Range<usize>, message: impl Into<String>) {
        self.0.push(Hit { range: range.clone(), message: message.into(), severity: Some(severity) });
    }
}

/// The files that are linted together, by path: a call of a workflow beside it is followed.
pub type Files = BTreeMap<String, Vec<u8>>;

/// What was found, and what could not be looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The findings, by path, line and code.
    pub findings: Vec<Finding>,
    /// The files that are no workflow and no action, with the reason.
    pub unreadable: Vec<(String, String)>,
}

/// Lints files together; `today` is the day on which `orch:allow` comments are judged.
pub fn lint(files: &Files, today: Option<&str>) -> Outcome {
    let mut outcome = Outcome::default();
    for (path, bytes) in files {
        if let Err(why) = readable(bytes) {
            outcome.unreadable.push((path.clone(), why.into()));
            continue;
        }
        let rules = Linter { files, path };
        // The scanner of the policy stage knows a workflow by its place.
        let place = if is_action(bytes) { "action.yml" } else { ".github/workflows/x.yml" };
        let mut worker = Worker::new(&[&rules, &Workflows], today).at_least(Confidence::Low);
        worker.scan(&Source::new(place, bytes));
        outcome.findings.extend(worker.into_facts().into_iter().filter_map(|fact| finding(fact, path)));
    }
    outcome
        .findings
        .sort_by(|a, b| (&a.path, a.line, a.column, &a.code).cmp(&(&b.path, b.line, b.column, &b.code)));
    outcome
}

/// Tells why a file is nothing that can be linted.
fn readable(bytes: &[u8]) -> Result<(), &'static str> {
    let root = yaml::read(bytes).ok_or("cannot be read as YAML")?;
    let workflow = root.get("jobs").is_some() && root.get("on").is_some();
    if workflow || root.at(&["runs", "using"]).is_some() {
        Ok(())
    } else {
        Err("is neither a workflow (`on` and `jobs`) nor an action (`runs`)")
    }
}

fn is_action(bytes: &[u8]) -> bool {
    yaml::read(bytes).is_some_and(|root| root.get("jobs").is_none())
}

fn finding(fact: Fact, path: &str) -> Option<Finding> {
    let (severity, help) = match fact.attributes.get("severity") {
        Some(severity) => {
            let rule = RULES.iter().find(|rule| rule.code == fact.code)?;
            (rank(severity), rule.help)
        }
        None => shared::weigh(&fact)?,
    };
    Some(Finding {
        severity,
        path: Some(path.to_owned()),
        line: Some(fact.line),
        column: Some(fact.column),
        end_line: (fact.end_line > fact.line).then_some(fact.end_line),
        end_column: Some(fact.end_column),
        evidence: Some(fact.evidence).filter(|text| !text.is_empty()),
        fingerprint: fact.fingerprint,
        ..Finding::new(fact.code, effect(severity), fact.message, help)
    })
}

/// Returns the effect that forms made for verdicts show a severity as.
pub const fn effect(severity: Severity) -> Effect {
    match severity {
        Severity::Critical | Severity::High => Effect::Deny,
        Severity::Medium => Effect::RequireApproval,
        Severity::Low => Effect::Warn,
    }
}

fn rank(name: &str) -> Severity {
    [Severity::Low, Severity::Medium, Severity::High, Severity::Critical]
        .into_iter()
        .find(|severity| severity.as_str() == name)
        .unwrap_or(Severity::Medium)
}

/// Every code a finding can have, sorted.
pub fn codes() -> Vec<&'static str> {
    let mut codes: Vec<_> = RULES.iter().map(|rule| rule.code).collect();
    codes.extend(Workflows.codes());
    codes.sort_unstable();
    codes
}

/// The rules as a scanner: places, masking, fingerprints and allow comments are those of every other fact.
struct Linter<'l> {
    files: &'l Files,
    path: &'l str,
}

impl Scanner for Linter<'_> {
    fn name(&self) -> &'static str {
        "lint"
    }

    fn codes(&self) -> &'static [&'static str] {
        &[]
    }

    fn scan(&self, view: &View<'_>, sink: &mut Sink<'_>) {
        let Some(root) = yaml::read(&view.text) else { return };
        let flow = Flow::new(&root, root.get("jobs").is_none());
        let doc = Doc { path: self.path, text: &view.text, flow: &flow, files: self.files };
        for rule in RULES {
            let mut hits = Hits::default();
            (rule.check)(&doc, &mut hits);
            for hit in hits.0 {
                let text = view.text.get(hit.range.clone()).unwrap_or_default();
                let range = hit.range.start..hit.range.start + text.trim_ascii_end().len();
                let key = hit.message.clone();
                let severity = hit.severity.unwrap_or(rule.severity);
                sink.add(
                    Found::plain(rule.code, range, hit.message, &key, Confidence::High)
                        .with("severity", severity.as_str()),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests;
