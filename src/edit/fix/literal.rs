//! A secret written into code: read from the environment instead.
//!
//! Must never show the secret, and must never touch a line that is more than one simple assignment of one literal.

use std::sync::LazyLock;

use regex::bytes::Regex;

use super::{Desk, Fix, line_of, look};
use crate::artifact::types::verdict::Finding;

/// What stands before the literal: `password = `, `const apiKey: string = `, `"token": `, `export NAME=`.
static BEFORE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"^\s*(?:(?:export|public|private|protected|static|final|const|let|var|mut|readonly|local|String|self\.|this\.)\s*)*["']?([A-Za-z_][A-Za-z0-9_]{0,60}(?:\.[A-Za-z_][A-Za-z0-9_]{0,60}){0,2})["']?\s*(?::\s*&?[A-Za-z'][A-Za-z0-9_<>' ]{0,30})?\s*(?:=|:=|:)\s*$"#,
    )
    .ok()
});
/// What stands after it: a separator and a comment.
static AFTER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^\s*[;,]?\s*(?:(?:#|//).*)?$").ok());

/// A way to read a variable.
struct Reading {
    text: String,
    only_shown: Option<String>,
}

/// Adds the fix of a secret in a line of code.
pub(super) fn mend(desk: &mut Desk<'_>, found: &Finding, path: &str) -> bool {
    let fact = desk.facts(path).iter().find(|f| f.code == found.code && f.fingerprint == found.fingerprint);
    let Some(fact) = fact.cloned().filter(|fact| fact.line == fact.end_line) else { return false };
    let Some((bytes, mode)) = desk.content(path) else { return false };
    let Some(range) = line_of(&bytes, fact.line) else { return false };
    let line = bytes.get(range.clone()).unwrap_or_default();
    let Some((literal, name)) = assigned(line, fact.column, fact.end_column) else { return false };
    let Some(reading) = reading(path, &bytes, line.get(..literal.start).unwrap_or_default(), &name) else {
        return false;
    };
    let mut after = bytes.clone();
    after.splice(range.start + literal.start..range.start + literal.end, reading.text.bytes());
    // What comes must hold no secret, and the one that was there must be gone.
    let left = look(path, &after);
    let gone = !left.iter().any(|f| f.code == fact.code && f.fingerprint == fact.fingerprint);
    let new_line = line_of(&after, fact.line).and_then(|range| after.get(range)).unwrap_or_default();
    let clean = !left.iter().any(|f| (f.line..=f.end_line).contains(&fact.line));
    let Ok(shown) = std::str::from_utf8(new_line) else { return false };
    if !gone || !clean {
        return false;
    }
    let fix = Fix {
        code: found.code.clone(),
        path: path.to_owned(),
        line: Some(fact.line),
        what: format!("it is read from the variable {name}; revoke the one that was here all the same"),
        removed: vec![fact.evidence.clone()],
        added: vec![shown.trim().to_owned()],
        within: None,
        only_shown: reading.only_shown.clone(),
    };
    if reading.only_shown.is_none() {
        desk.put(path, after, mode);
    }
    desk.plan.fixes.push(fix);
    true
}

/// Returns where the literal is, quotes and all, and the variable to read instead.
fn assigned(line: &[u8], column: u32, end_column: u32) -> Option<(std::ops::Range<usize>, String)> {
    let start = usize::try_from(column.checked_sub(1)?).ok()?;
    let end = usize::try_from(end_column.checked_sub(1)?).ok()?;
    let quoted = |start: usize, end: usize| {
        let open = *line.get(start.checked_sub(1)?)?;
        let close = *line.get(end)?;
        (open == close && matches!(open, b'"' | b'\'' | b'`')).then_some(start - 1..end + 1)
    };
    // A scanner may count the quotes in.
    let inside = || {
        let (open, close) = (*line.get(start)?, *line.get(end.checked_sub(1)?)?);
        (open == close && matches!(open, b'"' | b'\'') && start + 1 < end).then_some(start..end)
    };
    let literal = quoted(start, end).or_else(inside)?;
    let before = BEFORE.as_ref()?.captures(line.get(..literal.start)?)?;
    if !AFTER.as_ref()?.is_match(line.get(literal.end..)?) {
        return None;
    }
    let name = std::str::from_utf8(before.get(1)?.as_bytes()).ok()?;
    Some((literal, upper_snake(name)))
}

/// Returns a name as those of variables of the environment are: `apiKey` is `API_KEY`, `stripe.key` is `STRIPE_KEY`.
fn upper_snake(name: &str) -> String {
    let mut upper = String::with_capacity(name.len() + 4);
    let mut small_before = false;
    for c in name.chars() {
        if c.is_ascii_uppercase() && small_before {
            upper.push('_');
        }
        small_before = c.is_ascii_lowercase() || c.is_ascii_digit();
        upper.push(if c == '.' { '_' } else { c.to_ascii_uppercase() });
    }
    upper
}

/// Returns how a language reads a variable, as far as the file can do so as it is.
fn reading(path: &str, file: &[u8], before: &[u8], name: &str) -> Option<Reading> {
    let made = |text: String| Some(Reading { text, only_shown: None });
    let shown = |text: String, why: &str| Some(Reading { text, only_shown: Some(why.into()) });
    let base = path.rsplit('/').next().unwrap_or(path);
    let holds = |line: &str| file.split(|b| *b == b'\n').any(|l| l.trim_ascii() == line.as_bytes());
    match base.rsplit_once('.').map(|(_, ending)| ending)? {
        "py" if holds("import os") => made(format!("os.environ[\"{name}\"]")),
        "py" => shown(format!("os.environ[\"{name}\"]"), "the file has no `import os`"),
        "js" | "mjs" | "cjs" | "jsx" => made(format!("process.env.{name}")),
        "ts" | "mts" | "cts" | "tsx" => shown(
            format!("process.env.{name}"),
            "its type is `string | undefined`; say what happens without it",
        ),
        "go" if before.trim_ascii_start().starts_with(b"const") => None,
        "go" if holds("\"os\"") || holds("import \"os\"") => made(format!("os.Getenv(\"{name}\")")),
        "go" => shown(format!("os.Getenv(\"{name}\")"), "the file does not import \"os\""),
        "rs" => shown(
            format!("std::env::var(\"{name}\")?"),
            "it is an owned `String`, and the function has to return a `Result`",
        ),
        "java" => made(format!("System.getenv(\"{name}\")")),
        "rb" => made(format!("ENV.fetch(\"{name}\")")),
        "sh" | "bash" | "zsh" => made(format!("\"${{{name}:?}}\"")),
        "yml" | "yaml" if path.starts_with(".github/workflows/") => {
            made(format!("${{{{ secrets.{name} }}}}"))
        }
        "yml" | "yaml" if base.starts_with("docker-compose") || base.starts_with("compose") => {
            made(format!("\"${{{name}:?}}\""))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simple_assignments_are_understood() {
        for (line, expected) in [
            ("password = \"hunter\"", Some("PASSWORD")),
            ("    const apiKey: string = \"hunter\";", Some("API_KEY")),
            ("  \"client_secret\": \"hunter\",", Some("CLIENT_SECRET")),
            ("self.token = \"hunter\"  # note", Some("TOKEN")),
            ("stripe.api_key = \"hunter\"", Some("STRIPE_API_KEY")),
            ("export DB_PASS=\"hunter\"", Some("DB_PASS")),
            ("private static final String DB_PASS = \"hunter\";", Some("DB_PASS")),
            ("token := \"hunter\"", Some("TOKEN")),
            ("call(\"hunter\")", None),
            ("a = b + \"hunter\"", None),
            ("a = \"hunter\" + b", None),
            ("a = \"x hunter\"", None),
            ("if a == \"hunter\":", None),
        ] {
            let at = u32::try_from(line.find("hunter").unwrap() + 1).unwrap();
            let name = assigned(line.as_bytes(), at, at + 6).map(|(_, name)| name);
            assert_eq!(name.as_deref(), expected, "{line}");
        }
    }
}
