//! Members put into a JSON object while every other byte stays.
//!
//! Must never be used on text that is not JSON, and must never change a member that is there.

use serde_json::Value;

use super::ops::line_end;

/// Returns the text with the members of `wanted` that it lacks; objects are merged, other members that differ are
/// returned as conflicts by their path.
pub fn merge(text: &str, wanted: &serde_json::Map<String, Value>) -> Result<String, Vec<String>> {
    let Ok(Value::Object(have)) = serde_json::from_str::<Value>(text.trim_start_matches('\u{feff}')) else {
        return Err(vec!["it is not a JSON object".into()]);
    };
    let mut out = text.to_owned();
    let mut conflicts = Vec::new();
    for (key, value) in wanted {
        match (have.get(key), value) {
            (None, _) => put(&mut out, &[], key, value),
            (Some(Value::Object(inner)), Value::Object(wanted)) => {
                for (name, value) in wanted.iter().filter(|(name, _)| !inner.contains_key(*name)) {
                    put(&mut out, &[key], name, value);
                }
            }
            (Some(found), _) if found == value => {}
            (Some(_), _) => conflicts.push(key.clone()),
        }
    }
    if conflicts.is_empty() { Ok(out) } else { Err(conflicts) }
}

fn put(text: &mut String, object: &[&str], key: &str, value: &Value) {
    let Some(span) = find_object(text, object) else { return };
    let unit = indent_unit(text);
    let end = line_end(text);
    let depth = object.len() + 1;
    let shown = pretty(value, &unit, depth, end);
    let member = format!("{end}{}{}: {shown}", unit.repeat(depth), Value::from(key));
    match span.last {
        Some(last) => text.insert_str(last, &format!(",{member}")),
        None => {
            text.replace_range(
                span.open + 1..span.close,
                &format!("{member}{end}{}", unit.repeat(depth - 1)),
            );
        }
    }
}

fn pretty(value: &Value, unit: &str, depth: usize, end: &str) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    let mut lines = text.lines();
    let mut out = lines.next().unwrap_or_default().to_owned();
    for line in lines {
        let inner = line.trim_start_matches(' ');
        let level = (line.len() - inner.len()) / 2;
        out.push_str(end);
        out.push_str(&unit.repeat(depth + level));
        out.push_str(inner);
    }
    out
}

fn indent_unit(text: &str) -> String {
    let line = text.lines().find(|l| l.starts_with([' ', '\t']) && !l.trim().is_empty());
    line.map_or_else(
        || "  ".to_owned(),
        |l| l[..l.len() - l.trim_start_matches([' ', '\t']).len()].to_owned(),
    )
}

/// Where an object stands: its braces, and the end of its last member.
struct Span {
    open: usize,
    close: usize,
    last: Option<usize>,
}

/// Finds the object at a path of keys, the outermost for an empty path; the text is JSON.
fn find_object(text: &str, path: &[&str]) -> Option<Span> {
    let bytes = text.as_bytes();
    let open = bytes.iter().position(|b| *b == b'{')?;
    let (mut at, mut last, mut wanted) = (open + 1, None, None);
    loop {
        at = skip(bytes, at, |b| b.is_ascii_whitespace() || b == b',' || b == b':');
        match *bytes.get(at)? {
            b'}' => return path.is_empty().then_some(Span { open, close: at, last }),
            b'"' if wanted.is_none() => {
                let end = value_end(bytes, at)?;
                wanted = Some(serde_json::from_str::<String>(&text[at..end]).ok()?);
                at = end;
            }
            _ => {
                if path.first().is_some_and(|p| wanted.as_deref() == Some(p)) {
                    let inner = find_object(&text[at..], &path[1..])?;
                    let shift = |n: usize| n + at;
                    return Some(Span {
                        open: shift(inner.open),
                        close: shift(inner.close),
                        last: inner.last.map(shift),
                    });
                }
                at = value_end(bytes, at)?;
                last = Some(at);
                wanted = None;
            }
        }
    }
}

fn skip(bytes: &[u8], mut at: usize, what: impl Fn(u8) -> bool) -> usize {
    while bytes.get(at).is_some_and(|b| what(*b)) {
        at += 1;
    }
    at
}

/// Returns the end of the value that starts at `at`.
fn value_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    loop {
        match *bytes.get(at)? {
            b'"' => {
                at += 1;
                while *bytes.get(at)? != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.checked_sub(1)?,
            _ if depth == 0 => {
                return Some(skip(bytes, at, |b| !b.is_ascii_whitespace() && !b",}]".contains(&b)));
            }
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(value: Value) -> serde_json::Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn members_are_put_in_and_nothing_else_changes() {
        let text = "{\n\t\"name\": \"x{\\\"}\",\n\t\"scripts\": { \"test\": \"a\" },\n\t\"list\": [1, {\"a\": 2}]\n}\n";
        let new = merge(
            text,
            &wanted(serde_json::json!({"scripts": {"lint": "eslint .", "test": "b"}, "dev": {"e": "1"}})),
        )
        .unwrap();
        assert_eq!(
            new,
            "{\n\t\"name\": \"x{\\\"}\",\n\t\"scripts\": { \"test\": \"a\",\n\t\t\"lint\": \"eslint .\" },\n\t\"list\": [1, {\"a\": 2}],\n\t\"dev\": {\n\t\t\"e\": \"1\"\n\t}\n}\n"
        );
        assert_eq!(merge(&new, &wanted(serde_json::json!({"dev": {"e": "1"}}))).unwrap(), new);
        assert_eq!(merge("{}", &wanted(serde_json::json!({"a": 1}))).unwrap(), "{\n  \"a\": 1\n}");
        assert_eq!(
            merge("{\"type\": \"module\"}", &wanted(serde_json::json!({"type": "x"}))),
            Err(vec!["type".into()])
        );
        assert!(merge("[]", &wanted(serde_json::json!({}))).is_err());
    }

    proptest::proptest! {
        #[test]
        fn the_result_is_json_with_all_old_members(keys in proptest::collection::btree_map("[a-z\"{\\\\]{1,5}", "[ -~]{0,6}", 0..5), tab: bool) {
            let old = serde_json::json!({"scripts": keys, "n": -1.5e3, "t": [true, null]});
            let text = if tab { serde_json::to_string(&old).unwrap() } else { serde_json::to_string_pretty(&old).unwrap() };
            let new = merge(&text, &wanted(serde_json::json!({"scripts": {"zz": "1"}, "m": {"k": "v"}}))).unwrap();
            let mut expected = old;
            expected["scripts"]["zz"] = "1".into();
            expected["m"] = serde_json::json!({"k": "v"});
            proptest::prop_assert_eq!(serde_json::from_str::<Value>(&new).unwrap(), expected);
        }
    }
}
