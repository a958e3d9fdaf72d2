//! Answers of models, read into values: bounded, neutral where they are words, checked field by field.
//!
//! Must never panic, whatever the JSON is, and must never change the content of a file.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::agent::fence::{neutral, one_line};
use crate::artifact::id::Slug;
use crate::artifact::path::RepoPath;
use crate::artifact::types::change_set::ExpectedTest;
use crate::artifact::types::plan::{Criterion, FileRole, Plan, PlannedFile, Risk, RiskLevel};

const MAX_TEXT: usize = 4000;
const MAX_ITEMS: usize = 200;
const MAX_SUMMARY: usize = 1000;

/// One edit, as a model gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    pub path: String,
    pub op: Op,
    pub executable: Option<bool>,
}

/// What an edit does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Create(String),
    Write(String),
    Replace(Vec<(String, String)>),
    Delete,
}

/// Tests, as a model gives them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WrittenTests {
    pub files: Vec<Edit>,
    pub expected: Vec<ExpectedTest>,
    pub uncovered: BTreeMap<String, String>,
    pub exempt: Option<String>,
}

fn field<'a>(value: &'a Value, name: &str, at: &str) -> Result<&'a Value, String> {
    value.get(name).ok_or_else(|| format!("{at}.{name} is missing"))
}

fn raw<'a>(value: &'a Value, name: &str, at: &str) -> Result<&'a str, String> {
    field(value, name, at)?.as_str().ok_or_else(|| format!("{at}.{name} is not a text"))
}

fn words(value: &Value, name: &str, at: &str) -> Result<String, String> {
    let text = neutral(raw(value, name, at)?);
    if text.chars().count() > MAX_TEXT {
        return Err(format!("{at}.{name} is longer than {MAX_TEXT} characters"));
    }
    Ok(text.trim().to_owned())
}

fn list<'a>(value: &'a Value, name: &str, at: &str) -> Result<&'a [Value], String> {
    let items = field(value, name, at)?.as_array().ok_or_else(|| format!("{at}.{name} is not a list"))?;
    if items.len() > MAX_ITEMS {
        return Err(format!("{at}.{name} has {} entries, over the limit of {MAX_ITEMS}", items.len()));
    }
    Ok(items)
}

fn each<T>(
    value: &Value,
    name: &str,
    at: &str,
    read: impl Fn(&Value, &str) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let items = list(value, name, at)?.iter().enumerate();
    items.map(|(i, item)| read(item, &format!("{at}.{name}[{i}]"))).collect()
}

fn text_item(item: &Value, at: &str) -> Result<String, String> {
    let text = item.as_str().ok_or_else(|| format!("{at} is not a text"))?;
    Ok(neutral(text).trim().chars().take(MAX_TEXT).collect())
}

fn path(value: &Value, at: &str) -> Result<RepoPath, String> {
    raw(value, "path", at)?.parse().map_err(|error: crate::artifact::path::PathError| error.to_string())
}

/// Returns the short summary of an answer.
pub(super) fn summary(answer: &Value) -> String {
    one_line(answer.get("summary").and_then(Value::as_str).unwrap_or_default(), MAX_SUMMARY)
}

/// Reads a plan; `exists` tells whether the base has a path.
pub(super) fn plan(answer: &Value, exists: &dyn Fn(&str) -> bool) -> Result<Plan, String> {
    let (plan, at) = (field(answer, "plan", "answer")?, "plan");
    let mut files = each(plan, "files", at, |item, at| {
        let path = path(item, at)?;
        let role = match raw(item, "role", at)? {
            "test" => FileRole::Test,
            "change" => FileRole::Change,
            _ => return Err(format!("{at}.role is not one of test, change")),
        };
        let exists = exists(path.as_str());
        Ok(PlannedFile { path, role, exists })
    })?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let criteria = each(plan, "criteria", at, |item, at| {
        Ok(Criterion { id: one_line(raw(item, "id", at)?, 40), text: words(item, "text", at)? })
    })?;
    let risks = each(plan, "risks", at, |item, at| {
        let level = match raw(item, "level", at)? {
            "low" => RiskLevel::Low,
            "medium" => RiskLevel::Medium,
            "high" => RiskLevel::High,
            _ => return Err(format!("{at}.level is not one of low, medium, high")),
        };
        Ok(Risk { level, text: words(item, "text", at)?, mitigation: words(item, "mitigation", at)? })
    })?;
    Ok(Plan {
        summary: words(plan, "summary", at)?,
        change_type: words(plan, "type", at)?,
        scope: Slug::fold(raw(plan, "scope", at)?, 40, "change"),
        subject: words(plan, "subject", at)?,
        steps: each(plan, "steps", at, text_item)?.into_iter().filter(|step| !step.is_empty()).collect(),
        files,
        criteria,
        risks,
        rollback: words(plan, "rollback", at)?,
        template: None,
    })
}

/// Reads edits; their contents stay as they are.
pub(super) fn edits(answer: &Value, name: &str) -> Result<Vec<Edit>, String> {
    each(answer, name, "answer", edit)
}

/// Reads edits that are a text in a format of their own.
pub(super) fn patch(answer: &Value) -> Result<&str, String> {
    raw(answer, "patch", "answer")
}

fn edit(item: &Value, at: &str) -> Result<Edit, String> {
    let content = || {
        let content = item.get("content").and_then(Value::as_str);
        content.map(str::to_owned).ok_or_else(|| format!("{at}.content is needed for this op"))
    };
    let op = match raw(item, "op", at)? {
        "create" => Op::Create(content()?),
        "write" => Op::Write(content()?),
        "delete" => Op::Delete,
        "replace" => {
            let pairs = each(item, "replacements", at, |pair, at| {
                Ok((raw(pair, "find", at)?.to_owned(), raw(pair, "replace", at)?.to_owned()))
            })?;
            if pairs.is_empty() {
                return Err(format!("{at}.replacements is empty"));
            }
            Op::Replace(pairs)
        }
        _ => return Err(format!("{at}.op is not one of create, write, replace, delete")),
    };
    let executable = item.get("executable").and_then(Value::as_bool);
    Ok(Edit { path: raw(item, "path", at)?.to_owned(), op, executable })
}

/// Reads acceptance tests.
pub(super) fn tests(answer: &Value) -> Result<WrittenTests, String> {
    let expected = each(answer, "expected", "answer", |item, at| {
        Ok(ExpectedTest {
            path: path(item, at)?,
            name: raw(item, "name", at)?.to_owned(),
            criteria: each(item, "criteria", at, text_item)?,
        })
    })?;
    let mut uncovered = BTreeMap::new();
    for (id, why) in each(answer, "uncovered", "answer", |item, at| {
        Ok((one_line(raw(item, "criterion", at)?, 40), words(item, "why", at)?))
    })? {
        if uncovered.insert(id.clone(), why).is_some() {
            return Err(format!("answer.uncovered names `{id}` twice"));
        }
    }
    let exempt = match answer.get("exempt") {
        Some(Value::String(_)) => Some(words(answer, "exempt", "answer")?),
        _ => None,
    };
    Ok(WrittenTests { files: edits(answer, "files")?, expected, uncovered, exempt })
}

#[cfg(test)]
mod checks {
    use super::*;
    use serde_json::json;

    #[test]
    fn facts_are_computed_and_not_taken_from_the_model() {
        let answer = json!({ "plan": {
            "summary": "s", "type": "feat", "scope": "The API!", "subject": "add x\u{200b}", "steps": ["a", " "],
            "files": [{ "path": "b.py", "role": "change", "exists": false }, { "path": "a.py", "role": "test" }],
            "criteria": [{ "id": "c1", "text": "t" }], "risks": [], "rollback": "revert",
        } });
        let read = plan(&answer, &|path| path == "b.py").unwrap();
        let files: Vec<_> = read.files.iter().map(|f| (f.path.as_str(), f.exists)).collect();
        assert_eq!(files, [("a.py", false), ("b.py", true)]);
        assert_eq!((read.scope.as_str(), read.subject.as_str(), read.steps.len()), ("the-api", "add x", 1));
        for (pointer, value, why) in [
            ("/plan/files/0/path", json!("../x"), "part `..`"),
            ("/plan/files/0/role", json!("both"), "role"),
            ("/plan/steps", json!("x"), "not a list"),
            ("/plan/summary", json!(null), "not a text"),
            ("/plan/summary", json!("x".repeat(5000)), "longer"),
            ("/plan/steps", json!(vec!["x"; 500]), "limit"),
        ] {
            let mut bad = answer.clone();
            *bad.pointer_mut(pointer).unwrap() = value;
            let error = plan(&bad, &|_| false).unwrap_err();
            assert!(error.contains(why), "{error} / {why}");
        }
    }

    #[test]
    fn edits_need_what_their_operation_needs() {
        let read = |edit: Value| edits(&json!({ "edits": [edit] }), "edits");
        let ok = read(json!({ "path": "a", "op": "write", "content": "x\u{feff}\r\n" })).unwrap();
        assert_eq!(ok[0].op, Op::Write("x\u{feff}\r\n".into()), "contents are not touched");
        for bad in [
            json!({ "path": "a", "op": "write", "content": null }),
            json!({ "path": "a", "op": "replace", "replacements": null }),
            json!({ "path": "a", "op": "replace", "replacements": [] }),
            json!({ "path": "a", "op": "replace", "replacements": [{ "find": "x" }] }),
            json!({ "path": "a", "op": "chmod" }),
            json!({ "op": "delete" }),
            json!("delete a"),
        ] {
            assert!(read(bad.clone()).is_err(), "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_json_makes_the_readers_panic(value in crate::agent::debate::any_json()) {
            let wrapped = json!({
                "plan": value.clone(), "edits": [value.clone()], "files": value.clone(), "expected": value.clone(),
                "uncovered": value.clone(), "exempt": value.clone(),
            });
            for value in [value, wrapped] {
                let _ = (plan(&value, &|_| true), edits(&value, "edits"), tests(&value), summary(&value));
            }
        }
    }
}
