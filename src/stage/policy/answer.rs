//! What a rule answered, as violations.
//!
//! Must never drop an element it does not understand: it becomes a `policy/rule-error`, which denies.

use serde_json::Value;

use crate::artifact::types::policy_input::{SubjectKind, UnreadFile, UnreadKind};
use crate::artifact::types::verdict::{Effect, Severity};

use super::bundle::Broken;
use super::decide::Violation;
use super::diags::Diag;
use super::rule::Rule;

/// The violations of a rule that answered; `sets` in the order of its entries.
pub fn violations(rule: &Rule, sets: Vec<Vec<Value>>) -> Vec<Violation> {
    let entries = rule.entries.iter().zip(sets);
    let elements = entries.flat_map(|((name, effect), set)| set.into_iter().map(move |e| (name, *effect, e)));
    elements
        .map(|(name, effect, element)| {
            violation(rule, effect, &element)
                .unwrap_or_else(|why| fault(rule, &format!("an element of `{name}` {why}")))
        })
        .collect()
}

/// Reads an element: a string, or an object with `msg` and, where it fits, `help` and the place and mark of a fact (`path`,
/// `line`, `column`, `end_line`, `end_column`, `evidence`, `fingerprint`).
fn violation(rule: &Rule, effect: Effect, element: &Value) -> Result<Violation, &'static str> {
    let text = |key: &str, why| match element.get(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(why),
    };
    let number = |key: &str, why| match element.get(key) {
        None => Ok(None),
        Some(number) => {
            let number = number.as_u64().filter(|n| *n > 0).and_then(|n| u32::try_from(n).ok());
            number.map(Some).ok_or(why)
        }
    };
    let message = match element {
        Value::String(text) => text.clone(),
        Value::Object(_) => text("msg", "has a `msg` that is not a string")?.ok_or("has no `msg`")?,
        _ => return Err("is neither a string nor an object"),
    };
    Ok(Violation {
        code: rule.metadata.code.to_string(),
        effect,
        severity: rule.metadata.severity,
        message,
        help: text("help", "has a `help` that is not a string")?
            .unwrap_or_else(|| rule.metadata.help.clone()),
        path: text("path", "has a `path` that is not a string")?,
        line: number("line", "has a `line` that is not a whole number from 1")?,
        column: number("column", "has a `column` that is not a whole number from 1")?,
        end_line: number("end_line", "has an `end_line` that is not a whole number from 1")?,
        end_column: number("end_column", "has an `end_column` that is not a whole number from 1")?,
        evidence: text("evidence", "has an `evidence` that is not a string")?.filter(|text| !text.is_empty()),
        fingerprint: text("fingerprint", "has a `fingerprint` that is not a string")?,
    })
}

/// The violation of a rule that did not answer.
pub fn fault(rule: &Rule, why: &str) -> Violation {
    let code = &rule.metadata.code;
    own(Diag::RuleError, format!("the rule `{code}` did not answer: {why}"), Some(&rule.file))
}

/// The violation of a rule that reads a setting nobody set.
pub fn without_setting(rule: &Rule, name: &str) -> Violation {
    let violation = fault(rule, &format!("it reads the setting `{name}`, which is not set"));
    Violation { help: format!("Set `policy.settings.{name}` in orch.yml."), ..violation }
}

/// The violation of a file that should judge and cannot.
pub fn broken(broken: &Broken) -> Violation {
    own(Diag::RuleError, broken.why.clone(), Some(&broken.file))
}

/// The violation of a document that is too large to be judged.
pub fn too_large(bytes: usize, limit: usize) -> Violation {
    let message = format!("the change makes a document of {bytes} bytes; rules are given at most {limit}");
    own(Diag::InputTooLarge, message, None)
}

/// The violation of something that was not looked at: in a change it denies, in a whole tree it is told.
pub fn unread(file: &UnreadFile, subject: SubjectKind) -> Violation {
    let diag = if file.kind == UnreadKind::Submodule { Diag::Submodule } else { Diag::NotScanned };
    let effect = match (diag, subject) {
        (_, SubjectKind::Tree) => Effect::Warn,
        (Diag::Submodule, _) => Effect::RequireApproval,
        _ => Effect::Deny,
    };
    let message = format!("`{}` was not looked at: {}", file.path, file.why);
    Violation { effect, severity: Severity::High, path: Some(file.path.clone()), ..own(diag, message, None) }
}

fn own(diag: Diag, message: String, file: Option<&str>) -> Violation {
    Violation {
        code: diag.as_str().into(),
        effect: Effect::Deny,
        severity: Severity::Critical,
        message,
        help: diag.help().into(),
        // Files of the pack in this binary and of bundles are not files of the repository.
        path: file
            .filter(|name| !name.starts_with("orch:") && !name.starts_with("bundle:"))
            .map(str::to_owned),
        ..Violation::default()
    }
}
