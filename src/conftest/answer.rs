//! The value at a path, found in parts: every definition of a judging set below it on one of several threads.
//!
//! Must never answer otherwise than one engine alone would: what is not plainly the same (something replaced by `with`, a
//! fault, a name that is no rule) is left to that one, which also tells the fault.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use regorus::Value;

use super::pool::{Question, ask};
use crate::rego::builtin::{ANSWER, answers};
use crate::rego::limit::Limits;
use crate::rego::module::whole;
use crate::rego::{Policies, Session};

/// What rules printed, and the value.
type Found = (Value, Vec<String>);

/// Tells whether a query is the path of a rule or package and nothing else.
pub fn is_path(query: &str) -> bool {
    let name = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    query.strip_prefix("data.").is_some_and(|rest| rest.split('.').all(name))
}

/// Returns the value at a path; `None` when it has to be asked for as a whole.
///
/// The policies are loaded with their judging sets split.
pub fn in_parts(policies: &Policies, path: &str, input: &Value, limits: Limits) -> Option<Found> {
    if !is_path(path)
        || !policies.broken.is_empty()
        || policies.modules.iter().any(crate::rego::Module::replaces)
    {
        return None;
    }
    let rules = rules(policies, path)?;
    let mut parts: BTreeSet<String> = BTreeSet::new();
    for rule in &rules {
        let reached = policies.reached(rule);
        parts.extend(reached.into_iter().filter(|name| is_part(name)).map(str::to_owned));
    }
    if parts.is_empty() {
        return None;
    }
    let parts: Vec<String> = parts.into_iter().collect();
    let questions = parts.iter().map(|path| Question { path: path.clone() }).collect();
    let mut known = BTreeMap::new();
    let mut prints = Vec::new();
    for (path, (answer, said)) in
        parts.iter().zip(ask(policies, questions, (input.clone(), None), false, limits))
    {
        known.insert(path.clone(), answer.ok()?);
        prints.extend(said);
    }
    let mut session = policies.session();
    session.input(input.clone());
    let sets = sets(policies, &rules, &known)?;
    answers(sets.clone());
    let mut value = Value::new_object();
    for rule in &rules {
        let found = match sets.get(rule) {
            Some(found) => found.clone(),
            None => with_answers(policies, &mut session, rule, &sets, limits)?,
        };
        prints.extend(session.prints());
        if rule == path {
            return Some((found, prints));
        }
        if found != Value::Undefined {
            value.as_object_mut().ok()?.insert(rule.strip_prefix(path)?.strip_prefix('.')?.into(), found);
        }
    }
    Some((value, prints))
}

/// Returns the rules a path stands for: itself, or those of the one package it is, by name.
fn rules(policies: &Policies, path: &str) -> Option<Vec<String>> {
    let below = format!("{path}.");
    let mut rules = BTreeSet::new();
    for module in &policies.modules {
        let package = format!("data.{}", module.package);
        if package.starts_with(&below) {
            return None;
        }
        for definition in &module.definitions {
            let full = format!("{package}.{}", definition.name);
            if full == path {
                return Some(vec![full]);
            }
            if package == path && definition.shape != "Func" && !definition.name.starts_with("__orch") {
                if definition.name.contains('.') {
                    return None;
                }
                rules.insert(full);
            }
        }
    }
    (!rules.is_empty() && policies.data_at(path) == Value::Undefined).then(|| rules.into_iter().collect())
}

fn is_part(name: &str) -> bool {
    name.rsplit('.').next().is_some_and(|name| whole(name).is_some())
}

/// Returns the judging sets that any of some rules leads to; `None` when a part belongs to none of them.
fn sets(
    policies: &Policies,
    rules: &[String],
    known: &BTreeMap<String, Value>,
) -> Option<BTreeMap<String, Value>> {
    let mut sets = BTreeMap::new();
    for name in rules.iter().flat_map(|rule| policies.reached(rule)) {
        if let Some((package, part)) = name.rsplit_once('.')
            && let Some(set) = whole(part)
        {
            let rule = format!("{package}.{set}");
            if let Entry::Vacant(place) = sets.entry(rule) {
                let union = union(policies, place.key(), known)?;
                place.insert(union);
            }
        }
    }
    Some(sets)
}

/// Returns a judging set as the union of its parts, when it is nothing else.
fn union(policies: &Policies, rule: &str, known: &BTreeMap<String, Value>) -> Option<Value> {
    let mut elements: BTreeSet<Value> = BTreeSet::new();
    let mut parts = 0;
    for module in &policies.modules {
        let package = format!("data.{}", module.package);
        for definition in &module.definitions {
            let full = format!("{package}.{}", definition.name);
            if let Some(name) = whole(&definition.name)
                && format!("{package}.{name}") == rule
            {
                let Value::Set(part) = known.get(&full)? else { return None };
                elements.extend(part.iter().cloned());
                parts += 1;
            } else if full == rule && definition.shape != "Set" {
                return None;
            }
        }
    }
    (parts > 0).then(|| Value::from(elements))
}

/// Evaluates a rule with the sets it leads to replaced by what is known of them.
fn with_answers(
    policies: &Policies,
    session: &mut Session,
    rule: &str,
    sets: &BTreeMap<String, Value>,
    limits: Limits,
) -> Option<Value> {
    let mut query = rule.to_owned();
    for set in policies.reached(rule).into_iter().filter(|name| sets.contains_key(*name)) {
        let _ = write!(query, " with {set} as {ANSWER}({set:?})");
    }
    let rows = session.query(&query, false, limits.rule).ok()?;
    match rows.result.as_slice() {
        [] => Some(Value::Undefined),
        [row] => row.expressions.first().map(|expression| expression.value.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rego::policies::Options;

    fn value(json: &str) -> Value {
        Value::from_json_str(json).unwrap()
    }

    fn load(text: &str, split: bool) -> Policies {
        let files = [("a.rego".to_owned(), text.to_owned())];
        let options = Options { split, whole: !split, ..Options::default() };
        Policies::load(&files, value(r#"{"limits": {"most": 2, "names": ["a", "b"]}}"#), options).unwrap()
    }

    /// What one engine alone says, and what is found in parts.
    fn both(text: &str, path: &str, input: &str) -> (Result<Value, String>, Option<Value>) {
        let input = value(input);
        let alone = load(text, false);
        let mut session = alone.session();
        session.input(input.clone());
        let rows = session.query(path, false, Limits::default().rule).map_err(|fault| fault.to_string());
        let whole =
            rows.map(|rows| rows.result.first().map_or(Value::Undefined, |r| r.expressions[0].value.clone()));
        (whole, in_parts(&load(text, true), path, &input, Limits::default()).map(|(value, _)| value))
    }

    const PACK: &str = r#"package p

import rego.v1

files := input.files

named(name) if name in data.limits.names

deny contains {"msg": sprintf("%s of %d", [f.name, count(seen)])} if {
	some f in files
	not named(f.name)
	seen := {g.name | some g in files}
	not f.name in {g.other | some g in files}
}

deny contains "many" if count(files) > data.limits.most

deny contains "missing" if data.limits.missing > 1

warn contains f.name if {
	some f in files
	f.size >= rank.high
	not data.limits.missing
}

rank := {"low": 1, "high": 2}

none if input.nothing

summary := {"deny": deny, "warn": warn, "all": count(deny | warn)}
"#;

    const INPUT: &str = r#"{"files": [{"name": "a", "size": 1}, {"name": "x", "size": 3, "other": "y"}, {"name": "y", "size": 2}]}"#;

    #[test]
    fn parts_answer_as_one_engine_does() {
        for path in ["data.p.deny", "data.p.warn", "data.p.summary", "data.p"] {
            for input in [INPUT, "{}", r#"{"files": "text"}"#, r#"{"files": [1, null, {"name": 1}]}"#] {
                let (alone, parts) = both(PACK, path, input);
                match (alone, parts) {
                    (Ok(alone), Some(parts)) => assert_eq!(parts, alone, "{path} {input}"),
                    (alone, parts) => {
                        assert!(alone.is_err() && parts.is_none(), "{path} {input} {alone:?} {parts:?}");
                    }
                }
            }
        }
        assert!(both(PACK, "data.p.summary", INPUT).1.unwrap()["all"] == Value::from(4));
    }

    #[test]
    fn what_is_not_plainly_the_same_is_left_alone() {
        let replaced = format!("{PACK}\nother := count(deny) with input.files as []\n");
        for (text, path) in [
            (replaced.as_str(), "data.p.deny"),
            (PACK, "data.p.rank"),
            (PACK, "data.p.deny[x]"),
            (PACK, "data"),
            ("package p\n\nimport rego.v1\n\ndeny contains to_number(\"x\")\n", "data.p.deny"),
            ("package p\n\nimport rego.v1\n\ndeny contains 1\n\na.b := 1\n", "data.p"),
        ] {
            assert_eq!(both(text, path, INPUT).1, None, "{path}");
        }
    }
}
