//! What a model says in a debate, read from JSON: bounded, neutral, its citations looked up.
//!
//! Must never panic or trust a field, whatever the JSON is: an answer that cannot be read is an error that says where.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::agent::fence::{neutral, one_line};
use crate::artifact::types::debate::{Claim, DebateRisk, RiskAnswer, RiskOutcome};
use crate::artifact::types::plan::RiskLevel;

use super::Resolver;

const MAX_ITEMS: usize = 50;
const MAX_TEXT: usize = 4000;
const MAX_FIX: usize = 16_000;
const MAX_ID: usize = 60;

/// What a model gave, with the number of citations that did not resolve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said<T> {
    /// What it said.
    pub items: Vec<T>,
    /// How many citations were dropped.
    pub dropped: u32,
}

/// Answers to risks, by id.
pub type Answered = Vec<RiskAnswer>;

/// Returns the schema of a list of claims.
pub fn claim_schema() -> Value {
    let text = json!({ "type": "string" });
    list(&json!({ "id": text, "text": text, "evidence": { "type": "array", "items": text } }))
}

/// Returns the schema of a list of risks.
pub fn risk_schema() -> Value {
    let text = json!({ "type": "string" });
    list(&json!({
        "id": text,
        "severity": { "type": "string", "enum": ["low", "medium", "high"] },
        "rule": text,
        "why": text,
        "fix": text,
        "evidence": { "type": "array", "items": text },
    }))
}

/// Returns the schema of a list of answers to risks.
pub fn answer_schema() -> Value {
    let text = json!({ "type": "string" });
    list(&json!({
        "risk": text,
        "outcome": { "type": "string", "enum": ["fixed", "rejected"] },
        "why": text,
    }))
}

fn list(properties: &Value) -> Value {
    let required: Vec<&String> = properties.as_object().map(|map| map.keys().collect()).unwrap_or_default();
    json!({
        "type": "array",
        "items": {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        },
    })
}

/// Reads the claims of an answer.
pub fn read_claims(answer: &Value, resolver: &Resolver<'_>) -> Result<Said<Claim>, String> {
    let mut said = Said { items: Vec::new(), dropped: 0 };
    let mut ids = BTreeSet::new();
    for (at, item) in items(answer, "claims")?.iter().enumerate() {
        let place = format!("claims[{at}]");
        let found = resolver.resolve_all(&texts(item, "evidence", &place)?);
        said.dropped += found.dropped;
        said.items.push(Claim {
            id: id(item, "id", &place, &mut ids)?,
            text: text(item, "text", &place, MAX_TEXT)?,
            evidence: found.evidence,
        });
    }
    Ok(said)
}

/// Reads the risks of an answer.
pub fn read_risks(answer: &Value, resolver: &Resolver<'_>) -> Result<Said<DebateRisk>, String> {
    let mut said = Said { items: Vec::new(), dropped: 0 };
    let mut ids = BTreeSet::new();
    for (at, item) in items(answer, "risks")?.iter().enumerate() {
        let place = format!("risks[{at}]");
        let severity = match item.get("severity").and_then(Value::as_str) {
            Some("low") => RiskLevel::Low,
            Some("medium") => RiskLevel::Medium,
            Some("high") => RiskLevel::High,
            _ => return Err(format!("{place}.severity is not one of low, medium, high")),
        };
        let found = resolver.resolve_all(&texts(item, "evidence", &place)?);
        said.dropped += found.dropped;
        let fix = text(item, "fix", &place, MAX_FIX)?;
        if severity == RiskLevel::High && fix.trim().is_empty() {
            return Err(format!("{place} is high and has no fix: say what exactly would mend it"));
        }
        let why = text(item, "why", &place, MAX_TEXT)?;
        if why.trim().is_empty() {
            return Err(format!("{place}.why is empty"));
        }
        said.items.push(DebateRisk {
            id: id(item, "id", &place, &mut ids)?,
            severity,
            rule: one_line(&text(item, "rule", &place, MAX_ID)?, MAX_ID).to_lowercase(),
            why,
            fix,
            evidence: found.evidence,
        });
    }
    Ok(said)
}

/// Reads the answers to risks.
pub fn read_answers(answer: &Value) -> Result<Answered, String> {
    let mut answers = Vec::new();
    for (at, item) in items(answer, "answers")?.iter().enumerate() {
        let place = format!("answers[{at}]");
        let outcome = match item.get("outcome").and_then(Value::as_str) {
            Some("fixed") => RiskOutcome::Fixed,
            Some("rejected") => RiskOutcome::Rejected,
            _ => return Err(format!("{place}.outcome is not one of fixed, rejected")),
        };
        let risk = one_line(&text(item, "risk", &place, MAX_ID)?, MAX_ID);
        answers.push(RiskAnswer { risk, outcome, why: text(item, "why", &place, MAX_TEXT)? });
    }
    Ok(answers)
}

fn items<'a>(answer: &'a Value, name: &str) -> Result<&'a [Value], String> {
    let list = answer.get(name).and_then(Value::as_array).ok_or_else(|| format!("{name} is not a list"))?;
    if list.len() > MAX_ITEMS {
        return Err(format!("{name} has {} entries, over the limit of {MAX_ITEMS}", list.len()));
    }
    Ok(list)
}

fn text(item: &Value, name: &str, place: &str, max: usize) -> Result<String, String> {
    let text =
        item.get(name).and_then(Value::as_str).ok_or_else(|| format!("{place}.{name} is not a text"))?;
    Ok(neutral(text).trim().chars().take(max).collect())
}

fn texts(item: &Value, name: &str, place: &str) -> Result<Vec<String>, String> {
    let list = item.get(name).and_then(Value::as_array);
    let list = list.ok_or_else(|| format!("{place}.{name} is not a list"))?;
    let one = |value: &Value| value.as_str().map(str::to_owned);
    list.iter()
        .map(one)
        .collect::<Option<_>>()
        .ok_or_else(|| format!("{place}.{name} holds something that is no text"))
}

fn id(item: &Value, name: &str, place: &str, ids: &mut BTreeSet<String>) -> Result<String, String> {
    let id = one_line(&text(item, name, place, MAX_ID)?, MAX_ID);
    if id.is_empty() {
        return Err(format!("{place}.{name} is empty"));
    }
    if !ids.insert(id.clone()) {
        return Err(format!("{place}.{name} `{id}` is used twice"));
    }
    Ok(id)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn tree(path: &str) -> Option<Vec<u8>> {
        (path == "a.py").then(|| b"x\n".to_vec())
    }

    fn risk(change: (&str, Value)) -> Value {
        let mut risk = json!({
            "id": "r1", "severity": "high", "rule": "Off-By-One", "why": "w\u{200b}", "fix": "f", "evidence": ["a.py:1", "b.py:1"],
        });
        risk[change.0] = change.1;
        json!({ "risks": [risk] })
    }

    #[test]
    fn risks_are_read_and_their_citations_looked_up() {
        let resolver = Resolver::new(vec![&tree]);
        let said = read_risks(&risk(("id", json!("r1"))), &resolver).unwrap();
        assert_eq!(said.dropped, 1);
        let first = &said.items[0];
        assert_eq!((first.rule.as_str(), first.why.as_str(), first.evidence.len()), ("off-by-one", "w", 1));
        for (name, value, why) in [
            ("severity", json!("fatal"), "severity"),
            ("fix", json!(" "), "no fix"),
            ("why", json!(""), "why"),
            ("id", json!("\u{200b}"), "empty"),
            ("id", json!(7), "not a text"),
            ("evidence", json!("a.py:1"), "not a list"),
            ("evidence", json!([1]), "no text"),
        ] {
            let error = read_risks(&risk((name, value)), &resolver).unwrap_err();
            assert!(error.contains(why), "{error} / {why}");
        }
        let twice =
            json!({ "risks": [risk(("id", json!("a")))["risks"][0], risk(("id", json!("a")))["risks"][0]] });
        assert!(read_risks(&twice, &resolver).unwrap_err().contains("twice"));
        let many = json!({ "claims": vec![json!({}); 51] });
        assert!(read_claims(&many, &resolver).unwrap_err().contains("limit"));
    }

    proptest::proptest! {
        #[test]
        fn no_json_makes_the_readers_panic(value in any_json()) {
            let resolver = Resolver::new(vec![&tree]);
            for value in [value.clone(), json!({ "claims": value.clone(), "risks": value.clone(), "answers": value })] {
                let _ = (read_claims(&value, &resolver), read_risks(&value, &resolver), read_answers(&value));
            }
        }
    }

    /// Any JSON, with the names the readers look for among the keys.
    pub(crate) fn any_json() -> impl proptest::strategy::Strategy<Value = Value> {
        use proptest::prelude::*;
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "(?s).{0,12}".prop_map(Value::from),
            prop_oneof![Just("answer"), Just("high"), Just("fixed"), Just("replace"), Just("a.py:1")]
                .prop_map(Value::from),
        ];
        let key = proptest::sample::select(vec![
            "id",
            "severity",
            "why",
            "fix",
            "rule",
            "evidence",
            "risk",
            "outcome",
            "text",
            "claims",
            "risks",
            "answers",
            "edits",
            "path",
            "op",
            "content",
            "replacements",
            "find",
            "replace",
            "plan",
            "files",
            "expected",
            "context",
        ]);
        leaf.prop_recursive(4, 48, 6, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                proptest::collection::vec((key.clone(), inner), 0..8)
                    .prop_map(|pairs| pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect::<Value>()),
            ]
        })
    }
}
