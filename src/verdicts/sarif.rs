//! SARIF 2.1.0, as GitHub's code scanning and other readers take it.
//!
//! Must never go over a limit for which GitHub refuses the file, and must never give a place that is not certain.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::page::{Page, page};
use super::{
    Options, aside, columns, cut, last_line, line, line_of, security_severity, sentence, worst_first,
};
use crate::artifact::types::verdict::{Effect, Finding, SetAside, Severity, Verdict};
use crate::diagnostic::text::count;

/// GitHub refuses a file with more results in a run.
const RESULTS: usize = 25_000;
/// GitHub cuts descriptions at 1,024 characters.
const DESCRIPTION: usize = 1_000;
/// Where a finding is that is in no file: GitHub refuses a file with a result that has no place.
const NOWHERE: &str = "no-file-associated-with-this-alert";
/// Categories whose rules GitHub is to show as security alerts, with the severity as their score.
const SECURITY: [&str; 9] =
    ["agents", "content", "data", "dependencies", "ops", "pii", "sandbox", "secrets", "workflows"];

/// Writes one run.
pub(super) fn render(verdict: &Verdict, options: &Options<'_>, out: &mut dyn Write) -> io::Result<()> {
    let rules = rules(verdict);
    let index: BTreeMap<&str, usize> = rules.keys().enumerate().map(|(at, code)| (*code, at)).collect();
    let at = |code: &str| index.get(code).copied();
    let findings = worst_first(verdict);
    let aside: &[SetAside] = if options.set_aside { &verdict.set_aside } else { &[] };
    let results: Vec<Value> = findings
        .iter()
        .map(|found| result(found, at(&found.code)))
        .chain(aside.iter().map(|one| suppressed(one, at(&one.finding.code))))
        .take(RESULTS)
        .collect();
    let left_out = (findings.len() + aside.len()).saturating_sub(RESULTS);
    let described: Vec<Value> = rules.iter().map(|(code, worst)| rule(code, *worst)).collect();
    let mut run = json!({
        "tool": { "driver": {
            "name": "orch",
            "version": env!("CARGO_PKG_VERSION"),
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "informationUri": env!("CARGO_PKG_REPOSITORY"),
            "rules": described,
        }},
        "automationDetails": { "id": format!("orch/policy/{}/", verdict.subject.kind.as_str()) },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {
            "%SRCROOT%": { "description": { "text": "The root of the repository." } },
        },
        "invocations": [invocation(verdict, left_out, &index)],
        "results": results,
        "properties": { "decision": verdict.decision, "bundle": verdict.bundle },
    });
    if let Some(place) = version_control(verdict, options) {
        run["versionControlProvenance"] = json!([place]);
    }
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    });
    super::json::write(&document, out)
}

/// The worst a rule found: its effect, its severity and what to do about it.
type Worst<'a> = Option<(Effect, Severity, &'a str)>;

/// Returns every rule that judged or has a finding, by code, with the worst it found.
fn rules(verdict: &Verdict) -> BTreeMap<&str, Worst<'_>> {
    let mut rules: BTreeMap<&str, Worst<'_>> =
        verdict.rules.iter().map(|code| (code.as_str(), None)).collect();
    rules.extend(verdict.skipped.iter().map(|rule| (rule.code.as_str(), None)));
    for found in verdict.findings.iter().chain(verdict.set_aside.iter().map(|one| &one.finding)) {
        let worst = rules.entry(&found.code).or_default();
        let new = Some((found.effect, found.severity, found.help.as_str()));
        *worst = (*worst).max(new);
    }
    rules
}

fn rule(code: &str, worst: Worst<'_>) -> Value {
    let category = line_of(code.split('/').next().unwrap_or_default());
    let security = SECURITY.contains(&category.as_str());
    let mut tags = vec![json!("policy")];
    if category != "policy" && !category.is_empty() {
        tags.push(json!(cut(&category, 100)));
    }
    if security {
        tags.push(json!("security"));
    }
    let mut properties = Map::new();
    properties.insert("tags".into(), Value::Array(tags));
    if let Some((effect, severity, _)) = worst {
        let problem = match effect {
            Effect::Deny => "error",
            Effect::RequireApproval => "warning",
            Effect::Warn => "recommendation",
        };
        properties.insert("problem.severity".into(), json!(problem));
        if security {
            properties.insert("security-severity".into(), json!(security_severity(severity)));
        }
    }
    let help = worst.map(|(_, _, help)| help).filter(|help| !help.trim().is_empty());
    let (short, full, help) = if let Some(Page { what, why, markdown }) = page(code) {
        let help = json!({ "text": words(&markdown), "markdown": markdown });
        (cut(&what, DESCRIPTION), cut(&why.unwrap_or(what), DESCRIPTION), help)
    } else {
        // A rule of the repository: all there is to say about it is what it says itself.
        let name = format!("The rule {} of the repository", line_of(code));
        let text = help.map_or_else(|| name.clone(), |help| text(&sentence(help)));
        (cut(&name, DESCRIPTION), cut(&text, DESCRIPTION), json!({ "text": text }))
    };
    let mut rule = json!({
        "id": code,
        "shortDescription": { "text": short },
        "fullDescription": { "text": full },
        "help": help,
        "properties": properties,
    });
    if let Some(name) = name(code) {
        rule["name"] = json!(name);
    }
    if let Some((effect, _, _)) = worst {
        rule["defaultConfiguration"] = json!({ "level": level(effect) });
    }
    rule
}

/// Returns a code as the identifier SARIF likes: `SecretsEnvFile`.
fn name(code: &str) -> Option<String> {
    let plain = code.len() < 200 && code.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-_.".contains(&b));
    let name: String = code
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter_map(|word| {
            let first = word.chars().next()?.to_ascii_uppercase();
            Some(format!("{first}{}", word.get(1..)?))
        })
        .collect();
    (plain && !name.is_empty()).then_some(name)
}

const fn level(effect: Effect) -> &'static str {
    match effect {
        Effect::Deny => "error",
        Effect::RequireApproval => "warning",
        Effect::Warn => "note",
    }
}

fn result(found: &Finding, index: Option<usize>) -> Value {
    let mut result = json!({
        "ruleId": found.code,
        "level": level(found.effect),
        "message": { "text": text(&sentence(&found.message)) },
        "locations": [{ "physicalLocation": location(found) }],
        "properties": { "effect": found.effect, "severity": found.severity, "help": line_of(&found.help) },
    });
    if let Some(index) = index {
        result["ruleIndex"] = json!(index);
    }
    if !found.fingerprint.is_empty() {
        result["partialFingerprints"] = json!({ "orchFingerprint/v1": line_of(&found.fingerprint) });
    }
    result
}

fn suppressed(one: &SetAside, index: Option<usize>) -> Value {
    let mut result = result(&one.finding, index);
    let until = one.until.as_deref().map(|day| format!(" (until {})", line_of(day))).unwrap_or_default();
    result["suppressions"] = json!([{
        "kind": "external",
        "status": "accepted",
        "justification": format!("{}: {}{until}", aside(one.by), line_of(&one.reason)),
    }]);
    result
}

fn location(found: &Finding) -> Value {
    let path = found.path.as_deref().filter(|path| !path.is_empty());
    let Some(path) = path else {
        return json!({ "artifactLocation": { "uri": NOWHERE }, "region": { "startLine": 1 } });
    };
    let mut place = json!({ "artifactLocation": { "uri": uri(path), "uriBaseId": "%SRCROOT%" } });
    let mut region = Map::new();
    if let Some(line) = line(found).filter(|line| i32::try_from(*line).is_ok()) {
        region.insert("startLine".into(), json!(line));
        if let Some((start, end)) = columns(found) {
            region.insert("startColumn".into(), json!(start));
            if let Some(end) = end {
                region.insert("endColumn".into(), json!(end));
            }
        }
        if let Some(last) = last_line(found) {
            region.insert("endLine".into(), json!(last));
        }
        if let Some(evidence) = found.evidence.as_deref().filter(|text| !text.is_empty()) {
            // The masked line is around the place, not the place itself.
            place["contextRegion"] = json!({ "startLine": line, "snippet": { "text": line_of(evidence) } });
        }
        place["region"] = Value::Object(region);
    }
    place
}

/// Returns a path as a relative reference that stays below the root.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for (at, byte) in path.bytes().enumerate() {
        let bare = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || (byte == b'/' && at > 0);
        if bare {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

/// Returns text for a message: one line, and nothing that reads as a link within it.
fn text(text: &str) -> String {
    let text = line_of(text).replace("](", "] (");
    if text.trim().is_empty() { "no message".into() } else { text }
}

/// Returns Markdown of ours as text for readers that show none.
fn words(markdown: &str) -> String {
    markdown.lines().map(|line| line.trim_start_matches('#').trim_end()).collect::<Vec<_>>().join("\n")
}

fn invocation(verdict: &Verdict, left_out: usize, index: &BTreeMap<&str, usize>) -> Value {
    let mut told: Vec<Value> = verdict
        .skipped
        .iter()
        .map(|rule| {
            let mut note = json!({
                "level": "note",
                "message": { "text": text(&format!("{} was not asked: {}", rule.code, rule.why)) },
            });
            if let Some(at) = index.get(rule.code.as_str()) {
                note["associatedRule"] = json!({ "id": rule.code, "index": at });
            }
            note
        })
        .collect();
    if left_out > 0 {
        let what = count(left_out, "result");
        told.push(json!({
            "level": "warning",
            "message": { "text": format!("{what} over the limit of {RESULTS} left out; worst first") },
        }));
    }
    json!({ "executionSuccessful": true, "toolConfigurationNotifications": told })
}

fn version_control(verdict: &Verdict, options: &Options<'_>) -> Option<Value> {
    let address = options.repository.filter(|address| {
        address.starts_with("https://")
            && address.bytes().all(|b| b.is_ascii_graphic() && !b"<>\"{}|\\^`".contains(&b))
    })?;
    let mut place = json!({ "repositoryUri": address, "mappedTo": { "uriBaseId": "%SRCROOT%" } });
    if let Some(commit) = verdict.subject.head.as_ref().or(verdict.subject.base.as_ref()) {
        place["revisionId"] = json!(commit);
    }
    Some(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_relative_references() {
        for (path, expected) in [
            ("src/a.py", "src/a.py"),
            ("a b/ü:#?.py", "a%20b/%C3%BC%3A%23%3F.py"),
            ("/etc/passwd", "%2Fetc/passwd"),
            ("//host/x", "%2F/host/x"),
            ("https://a", "https%3A//a"),
            ("a\\b", "a%5Cb"),
        ] {
            assert_eq!(uri(path), expected);
        }
    }

    #[test]
    fn codes_become_names() {
        assert_eq!(name("secrets/env-file").as_deref(), Some("SecretsEnvFile"));
        assert_eq!((name("\u{1b}/x"), name(""), name("/")), (None, None, None));
    }
}
