//! SARIF 2.1.0: a rule for each rule of the policies, named by its annotation.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use serde_json::{Value, json};

use crate::conftest::outcome::{Outcome, Result as Finding, Rule, Totals};

/// Writes one run.
pub(super) fn render(outcomes: &[Outcome], out: &mut dyn Write) -> io::Result<()> {
    let mut rules: BTreeMap<&str, (&Rule, &'static str)> = BTreeMap::new();
    let found = || {
        outcomes.iter().flat_map(|o| {
            let failures = o.failures.iter().map(move |f| (o, f, "error"));
            let warnings = o.warnings.iter().map(move |f| (o, f, "warning"));
            let exceptions = o.exceptions.iter().map(move |f| (o, f, "note"));
            failures.chain(warnings).chain(exceptions)
        })
    };
    for (_, finding, level) in found() {
        rules.entry(id(finding)).or_insert((&finding.rule, level));
    }
    let index = |id: &str| rules.keys().position(|known| *known == id);
    let results: Vec<Value> =
        found().map(|(outcome, f, level)| result(outcome, f, level, index(id(f)))).collect();
    let described: Vec<Value> = rules.iter().map(|(id, (rule, level))| described(id, rule, level)).collect();
    let totals = Totals::of(outcomes);
    let summary = match totals {
        Totals { failures: 1.., .. } => "Policy violations found",
        Totals { warnings: 1.., .. } => "Policy warnings found",
        _ => "No policy violations found",
    };
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "orch",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": described,
            }},
            "invocations": [{
                "executionSuccessful": true,
                "exitCode": totals.exit(false, false),
                "exitCodeDescription": summary,
            }],
            "results": results,
        }],
    });
    let mut text = serde_json::to_vec_pretty(&document)?;
    text.push(b'\n');
    out.write_all(&text)
}

fn id(finding: &Finding) -> &str {
    if finding.rule.id.is_empty() { "exception" } else { &finding.rule.id }
}

fn described(id: &str, rule: &Rule, level: &str) -> Value {
    let mut value = json!({ "id": id, "defaultConfiguration": { "level": level } });
    let short = rule.title.as_deref().unwrap_or(id);
    value["shortDescription"] = json!({ "text": short });
    if let Some(description) = &rule.description {
        value["fullDescription"] = json!({ "text": description });
    }
    if let Some(page) = &rule.page {
        value["helpUri"] = json!(page);
    }
    value
}

fn result(outcome: &Outcome, finding: &Finding, level: &str, index: Option<usize>) -> Value {
    let own = finding.loc.as_ref().map(|l| l.file.as_str()).filter(|f| !f.is_empty());
    let file = own.unwrap_or(&outcome.filename);
    let mut place = json!({ "artifactLocation": { "uri": uri(file) } });
    if let Some(line) = finding.loc.as_ref().and_then(|l| l.line).filter(|l| *l > 0) {
        place["region"] = json!({ "startLine": line });
    }
    json!({
        "ruleId": id(finding),
        "ruleIndex": index,
        "level": level,
        "message": { "text": finding.msg },
        "locations": [{ "physicalLocation": place }],
        "properties": finding.metadata,
    })
}

/// Returns a path as a relative reference.
fn uri(path: &str) -> String {
    let name = if path == "-" { "stdin" } else { path };
    let mut out = String::with_capacity(name.len());
    for byte in name.replace('\\', "/").trim_start_matches("./").bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/+@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
