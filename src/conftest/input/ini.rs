//! INI: sections of keys; numbers and booleans are told from their text. Keys above the first section are left out, as in
//! conftest.
//!
//! Must never take a line it does not understand for a comment.

use serde_json::{Map, Value};

/// Reads a text.
pub(super) fn parse(text: &str) -> Result<Value, String> {
    let mut sections: Map<String, Value> = Map::new();
    let mut section: Option<String> = None;
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let mut line = line.trim().to_owned();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        while let Some(more) = line.strip_suffix('\\') {
            let Some((_, next)) = lines.next() else { break };
            line = format!("{more}{}", next.trim());
        }
        if let Some(rest) = line.strip_prefix('[') {
            let name = rest
                .split_once(']')
                .ok_or_else(|| format!("line {} has a section without `]`", at + 1))?
                .0
                .trim();
            if name != "DEFAULT" {
                sections.entry(name).or_insert_with(|| Value::Object(Map::new()));
            }
            section = (name != "DEFAULT").then(|| name.to_owned());
            continue;
        }
        let (key, value) = line
            .split_once(['=', ':'])
            .ok_or_else(|| format!("line {} is neither a section nor a key with a value", at + 1))?;
        if let Some(Value::Object(keys)) = section.as_ref().and_then(|s| sections.get_mut(s)) {
            keys.insert(unquoted(key.trim()).to_owned(), typed(bare(value.trim())));
        }
    }
    Ok(Value::Object(sections))
}

/// Takes off quotes, or a comment behind the value.
fn bare(value: &str) -> &str {
    let unquoted = unquoted(value);
    if unquoted.len() < value.len() {
        return unquoted;
    }
    let end = [" #", " ;", "\t#", "\t;"].iter().filter_map(|mark| value.find(mark)).min();
    value[..end.unwrap_or(value.len())].trim_end()
}

fn unquoted(text: &str) -> &str {
    ['"', '\'', '`']
        .into_iter()
        .find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(text)
}

fn typed(text: &str) -> Value {
    let number = text.parse::<f64>().ok().filter(|n| n.is_finite()).and_then(serde_json::Number::from_f64);
    match (number, text) {
        (Some(number), _) => Value::Number(number),
        (None, "t" | "T" | "TRUE" | "true" | "True") => true.into(),
        (None, "f" | "F" | "FALSE" | "false" | "False") => false.into(),
        (None, text) => text.into(),
    }
}
