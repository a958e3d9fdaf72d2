//! Formats that go line by line: `.env`, properties, ignore files; and JSON's comments.
//!
//! Must never look a variable up: `$HOME` in a `.env` stays `$HOME`.

use serde_json::{Map, Value, json};

/// Reads a `.env`.
pub(super) fn dotenv(text: &str) -> Result<Value, String> {
    let mut fields = Map::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
        let (key, value) =
            line.split_once(['=', ':']).ok_or_else(|| format!("line {} has no `=`", at + 1))?;
        fields.insert(key.trim().to_owned(), dotenv_value(value.trim()).into());
    }
    Ok(Value::Object(fields))
}

fn dotenv_value(value: &str) -> String {
    for quote in ['"', '\''] {
        if let Some(rest) = value.strip_prefix(quote)
            && let Some(end) = rest.find(quote)
        {
            let inside = &rest[..end];
            return if quote == '"' {
                inside.replace("\\n", "\n").replace("\\r", "\r")
            } else {
                inside.to_owned()
            };
        }
    }
    value.split(" #").next().unwrap_or_default().trim_end().to_owned()
}

/// Reads Java properties.
pub(super) fn properties(text: &str) -> Value {
    let mut fields = Map::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let mut line = line.trim_start().to_owned();
        if line.is_empty() || line.starts_with(['#', '!']) {
            continue;
        }
        while line.chars().rev().take_while(|c| *c == '\\').count() % 2 == 1 {
            line.pop();
            let Some(next) = lines.next() else { break };
            line += next.trim_start();
        }
        let end = line.find(|c: char| c == '=' || c == ':' || c.is_whitespace()).unwrap_or(line.len());
        let (key, rest) = line.split_at(end);
        let rest = rest.trim_start();
        let value = rest.strip_prefix(['=', ':']).unwrap_or(rest).trim_start();
        fields.insert(key.to_owned(), value.into());
    }
    Value::Object(fields)
}

/// Reads an ignore file: one list of entries.
pub(super) fn ignore(text: &str) -> Value {
    let entries: Vec<Value> = text
        .lines()
        .map(|line| {
            let (kind, value) = match line.trim() {
                "" => ("Empty", ""),
                text if text.starts_with('#') => ("Comment", text.trim_start_matches('#').trim()),
                text if text.starts_with('!') => ("NegatedPath", &text[1..]),
                text => ("Path", text),
            };
            json!({ "Kind": kind, "Value": value, "Original": line })
        })
        .collect();
    json!([entries])
}

/// Takes the comments and the commas before a closing bracket out of JSON.
pub(super) fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('"', _) => {
                out.push(c);
                while let Some(c) = chars.next() {
                    out.push(c);
                    match c {
                        '\\' => out.extend(chars.next()),
                        '"' => break,
                        _ => {}
                    }
                }
            }
            ('/', Some('/')) => while chars.next_if(|c| *c != '\n').is_some() {},
            ('/', Some('*')) => {
                let mut last = ' ';
                chars.next();
                for c in chars.by_ref() {
                    if last == '*' && c == '/' {
                        break;
                    }
                    last = c;
                }
                out.push(' ');
            }
            ('}' | ']', _) => {
                if out.trim_end().ends_with(',') {
                    out.truncate(out.trim_end().len() - 1);
                }
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}
