//! YAML: a file of several documents is an array of them; plain scalars are read as conftest's parser reads them.
//!
//! That parser is one of YAML 1.1: `yes`, `on`, `no`, `off`, `y` and `n` are booleans, `0644` is octal and `1_000` a number.
//!
//! Must never drop a document: one that cannot be read fails the file.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

/// A word on its own that YAML 1.1 and 1.2 read differently: at the start of a line, or behind an indicator.
static OLD: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?m)(?:^[ ]*|[:\-?][ \t]+|[\[{,][ \t]*)",
        r"(?P<word>[yYnN]|[yY]es|YES|[nN]o|NO|[oO]n|ON|[oO]ff|OFF|[-+]?0[0-9]+|[-+]?[0-9]+(?:_[0-9_]*)+)",
        r"(?:[ \t]+#|[ \t]*$|[ \t]*[,\]}]|[ \t]*:(?:[ \t]|$))"
    ))
    .ok()
});

/// Reads a text.
pub(super) fn parse(text: &str) -> Result<Value, String> {
    let parts = documents(text);
    if let [one] = parts.as_slice() {
        return read(one);
    }
    parts.iter().map(|part| read(part)).collect()
}

fn read(text: &str) -> Result<Value, String> {
    let (marked, words) = marked(text);
    if words.is_empty() {
        return serde_yaml::from_str(text).map_err(|e| e.to_string()).and_then(merged);
    }
    match serde_yaml::from_str::<Value>(&marked) {
        Ok(value) => restored(value, &words).and_then(merged),
        // The complaint has to be about the text as it is written.
        Err(error) => Err(serde_yaml::from_str::<Value>(text).err().unwrap_or(error).to_string()),
    }
}

/// The words that were replaced by marks, and what a mark starts with.
struct Words<'t> {
    mark: String,
    words: Vec<&'t str>,
}

impl Words<'_> {
    fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Returns the word a whole scalar stands for.
    fn of(&self, scalar: &str) -> Option<&str> {
        let at = scalar.strip_prefix(&self.mark)?.strip_suffix('_')?.parse::<usize>().ok()?;
        self.words.get(at).copied()
    }

    /// Puts the words back into a longer text.
    fn back(&self, text: String) -> String {
        if !text.contains(&self.mark) {
            return text;
        }
        let mut parts = text.split(&self.mark);
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (at, rest) = part.split_once('_').unwrap_or((part, ""));
            out += at.parse::<usize>().ok().and_then(|at| self.words.get(at)).copied().unwrap_or_default();
            out += rest;
        }
        out
    }
}

/// Puts a mark in the place of every word that may be a boolean or a number; what is a whole scalar shows in the tree.
fn marked(text: &str) -> (String, Words<'_>) {
    let mut mark = "orchw".to_owned();
    while text.contains(&mark) {
        mark.push('w');
    }
    let mut words = Words { mark, words: Vec::new() };
    let mut out = String::new();
    let (mut copied, mut from) = (0, 0);
    while let Some(range) =
        OLD.as_ref().and_then(|old| old.captures_at(text, from)?.name("word")).map(|m| m.range())
    {
        if !opens_a_block(text, &range) {
            out += text.get(copied..range.start).unwrap_or_default();
            let _ = write!(out, "{}{}_", words.mark, words.words.len());
            words.words.push(text.get(range.clone()).unwrap_or_default());
            copied = range.end;
        }
        from = range.end;
    }
    out += text.get(copied..).unwrap_or_default();
    (out, words)
}

/// Tells whether a word is the first line of a block scalar, which is text whatever it says.
fn opens_a_block(text: &str, word: &Range<usize>) -> bool {
    let Some((above, indent)) = text.get(..word.start).and_then(|before| before.rsplit_once('\n')) else {
        return false;
    };
    let last = above.lines().rfind(|l| !l.trim().is_empty()).unwrap_or_default();
    let last = last.split(" #").next().unwrap_or_default().trim_end();
    let header = last.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-'));
    indent.trim().is_empty() && header.ends_with(['|', '>'])
}

fn restored(value: Value, words: &Words<'_>) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) => {
            words.of(&text).map(scalar).transpose()?.unwrap_or_else(|| words.back(text).into())
        }
        Value::Array(items) => {
            items.into_iter().map(|item| restored(item, words)).collect::<Result<Value, String>>()?
        }
        Value::Object(fields) => {
            let mut out = Map::new();
            for (key, value) in fields {
                let key = match words.of(&key).map(scalar).transpose()? {
                    Some(read) => read.to_string(),
                    None => words.back(key),
                };
                if out.contains_key(&key) {
                    return Err(format!("the key `{key}` is there twice"));
                }
                out.insert(key, restored(value, words)?);
            }
            Value::Object(out)
        }
        other => other,
    })
}

/// Puts what stands below the merge key `<<` into the object it stands in; keys of its own win.
fn merged(value: Value) -> Result<Value, String> {
    Ok(match value {
        Value::Array(items) => items.into_iter().map(merged).collect::<Result<Value, String>>()?,
        Value::Object(fields) => {
            let mut out = Map::new();
            for (key, value) in fields {
                out.insert(key, merged(value)?);
            }
            let sources = match out.shift_remove("<<") {
                None => return Ok(Value::Object(out)),
                Some(Value::Array(items)) => items,
                Some(one) => vec![one],
            };
            for source in sources {
                let Value::Object(source) = source else {
                    return Err("the merge key `<<` stands for something that is no map".into());
                };
                for (key, value) in source {
                    out.entry(key).or_insert(value);
                }
            }
            Value::Object(out)
        }
        other => other,
    })
}

/// Returns what a plain word is in YAML 1.1.
fn scalar(word: &str) -> Result<Value, String> {
    Ok(match word.to_ascii_lowercase().as_str() {
        "y" | "yes" | "on" => true.into(),
        "n" | "no" | "off" => false.into(),
        number => {
            let digits = number.replace('_', "");
            let (sign, digits) = match digits.strip_prefix('-') {
                Some(rest) => ("-", rest),
                None => ("", digits.trim_start_matches('+')),
            };
            // `08` is no octal number, and goes on as a decimal one.
            let octal = digits.starts_with('0') && digits.bytes().all(|b| b < b'8');
            i64::from_str_radix(&format!("{sign}{digits}"), if octal { 8 } else { 10 })
                .map_err(|_| {
                    format!("the number `{word}` is one this parser cannot read as conftest does: quote it")
                })?
                .into()
        }
    })
}

/// Splits at lines that are `---`; a directive belongs to the document after it.
fn documents(text: &str) -> Vec<String> {
    let text = text.replace("\r\n", "\n");
    let mut parts: Vec<String> = text.split("\n---\n").map(str::to_owned).collect();
    if text.starts_with('%') && parts.len() > 1 {
        let directive = parts.remove(0);
        parts[0] = format!("{directive}\n---\n{}", parts[0]);
    }
    parts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn plain_words_are_read_as_yaml_1_1_has_them() {
        for (text, want) in [
            ("on: push", json!({ "true": "push" })),
            (
                "a: yes # c\nb: Off\nc: [no, ON, y]\nd: {e: n, f: on}",
                json!({
                "a": true, "b": false, "c": [false, true, true], "d": { "e": false, "f": true } }),
            ),
            (
                "a: 'yes'\nb: \"on\"\nc: yes sir\nd: say no\ne: !!str no",
                json!({
                "a": "yes", "b": "on", "c": "yes sir", "d": "say no", "e": "no" }),
            ),
            ("- no\n- - off\n- norway\n-\n  yes", json!([false, [false], "norway", true])),
            ("a: |\n  yes\n  no\nb: >-\n  on\nc: |2-\n  y", json!({ "a": "yes\nno\n", "b": "on", "c": "y" })),
            ("a: \"x\n  yes\n  z\"\nb: x\n  no\n", json!({ "a": "x yes z", "b": "x no" })),
            (
                "mode: 0644\ncount: 1_000\nneg: -010\nz: 08\ndate: 2024-01-02\nq: '0644'",
                json!({
                "mode": 420, "count": 1000, "neg": -8, "z": 8, "date": "2024-01-02", "q": "0644" }),
            ),
            (
                "b: &b {x: 1, y: no}\na:\n  <<: *b\n  x: 2",
                json!({
                "b": { "x": 1, "true": false }, "a": { "x": 2, "true": false } }),
            ),
            ("a: &x yes", json!({ "a": "yes" })),
            ("orchw0_: yes\nb: orchw", json!({ "orchw0_": true, "b": "orchw" })),
            (
                "command: [\"a\", -n, y]\nports:\n- 80:80",
                json!({ "command": ["a", "-n", true], "ports": ["80:80"] }),
            ),
        ] {
            assert_eq!(parse(text), Ok(want), "{text}");
        }
        for text in ["on: 1\ntrue: 2\n", "a: 999999999999999999999_9"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    proptest::proptest! {
        /// Quoted, every word is text.
        #[test]
        fn what_is_quoted_stays_text(text in "[a-z0-9 \n:,_-]{0,24}") {
            let document = json!({ "k": text }).to_string();
            proptest::prop_assert_eq!(parse(&document), Ok(json!({ "k": text })));
        }
    }
}
