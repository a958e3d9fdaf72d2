//! Builtins with a budget or a cache of our own: `numbers.range`, `glob.match`, `regex.match`.
//!
//! Must never make a huge value of a small one, and never answer otherwise than the one it stands for.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;

use globset::{GlobBuilder, GlobMatcher};
use regorus::Value;

use super::{Builtin, Wrong, builtin, text};

/// The builtins of this file.
pub(super) const ALL: &[Builtin] = &[
    builtin("numbers.range", 2, |args| range(args, 1)),
    builtin("numbers.range_step", 3, |args| {
        let step = args.get(2).and_then(|v| v.as_i64().ok()).filter(|step| *step > 0);
        range(args, step.ok_or_else(|| Wrong("needs a whole number above 0 as argument 3".into()))?)
    }),
    builtin("regex.match", 2, |args| {
        let (pattern, subject) = (text(args, 0)?, text(args, 1)?);
        let compile = || regex::Regex::new(pattern).ok();
        REGEXES.with_borrow_mut(|cache| matches(cache, pattern, compile, |p| p.is_match(subject)))
    }),
    builtin("glob.match", 3, glob),
];

/// The longest list a range makes.
const MAX_RANGE: i64 = 1_000_000;

/// The most patterns a thread keeps compiled.
const MOST: usize = 1024;

thread_local! {
    static REGEXES: RefCell<HashMap<String, regex::Regex>> = RefCell::default();
    static GLOBS: RefCell<HashMap<String, GlobMatcher>> = RefCell::default();
}

/// Asks a compiled pattern; it is compiled once on each thread.
fn matches<P>(
    cache: &mut HashMap<String, P>,
    pattern: &str,
    compile: impl FnOnce() -> Option<P>,
    ask: impl FnOnce(&P) -> bool,
) -> Result<Value, Wrong> {
    if !cache.contains_key(pattern) {
        if cache.len() >= MOST {
            cache.clear();
        }
        let wrong = || Wrong(format!("got the pattern `{pattern}`, which cannot be read"));
        cache.insert(pattern.to_owned(), compile().ok_or_else(wrong)?);
    }
    Ok(Value::from(cache.get(pattern).is_some_and(ask)))
}

/// Stands for a slash that is no delimiter.
const SLASH: char = '\0';

/// As regorus has it, but that a pattern is compiled once and `:` is a delimiter like others, as in OPA.
fn glob(args: &[Value]) -> Result<Value, Wrong> {
    let (pattern, subject) = (text(args, 0)?, text(args, 2)?);
    if pattern.contains(SLASH) || subject.contains(SLASH) {
        return Err(Wrong("got a text with a NUL in it".into()));
    }
    let delimiters = delimiters(args.get(1))?;
    let (pattern, subject) = (with_slashes(pattern, &delimiters), with_slashes(subject, &delimiters));
    let compile = || {
        let glob = GlobBuilder::new(&pattern).literal_separator(true).build().ok()?;
        Some(glob.compile_matcher())
    };
    GLOBS.with_borrow_mut(|cache| matches(cache, &pattern, compile, |p| p.is_match(&*subject)))
}

/// Returns the delimiters of a glob: none for null, the dot for an empty list.
fn delimiters(value: Option<&Value>) -> Result<Vec<char>, Wrong> {
    let wrong = || Wrong("needs null or an array of single characters as argument 2".into());
    let items = match value {
        Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(items)) => items,
        _ => return Err(wrong()),
    };
    let mut delimiters = Vec::new();
    for item in items.iter() {
        let Value::String(text) = item else { return Err(wrong()) };
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (one, None) => delimiters.extend(one),
            _ => return Err(wrong()),
        }
    }
    if delimiters.is_empty() {
        delimiters.push('.');
    }
    Ok(delimiters)
}

/// Puts slashes around each delimiter, as only a slash is one for the matcher.
fn with_slashes<'t>(text: &'t str, delimiters: &[char]) -> Cow<'t, str> {
    if *delimiters == ['/'] {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '/' if delimiters.contains(&'/') => out.push('/'),
            '/' => out.push(SLASH),
            c if delimiters.contains(&c) => out.extend(['/', c, '/']),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

fn range(args: &[Value], step: i64) -> Result<Value, Wrong> {
    let whole = |at: usize| {
        let number = args.get(at).and_then(|v| v.as_i64().ok());
        number.ok_or_else(|| Wrong("needs two whole numbers".into()))
    };
    let (from, to) = (whole(0)?, whole(1)?);
    let length = from.checked_sub(to).map(i64::saturating_abs).filter(|length| length / step < MAX_RANGE);
    if length.is_none() {
        return Err(Wrong(format!("makes at most {MAX_RANGE} numbers")));
    }
    let mut numbers = Vec::new();
    let mut at = from;
    while (from <= to && at <= to) || (from > to && at >= to) {
        numbers.push(Value::from(at));
        let next = if from <= to { at.checked_add(step) } else { at.checked_sub(step) };
        let Some(next) = next else { break };
        at = next;
    }
    Ok(Value::from(numbers))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_as_in_opa() {
        let glob = |pattern: &str, delimiters: &str, subject: &str| {
            let args =
                [Value::from(pattern), Value::from_json_str(delimiters).unwrap(), Value::from(subject)];
            super::glob(&args).map(|v| v == Value::from(true))
        };
        for (pattern, delimiters, subject, want) in [
            ("src/**", r#"["/"]"#, "src/a/b.rs", true),
            ("src/*", r#"["/"]"#, "src/a/b.rs", false),
            ("*.github.com", "[]", "api.github.com", true),
            ("*.github.com", "[]", "api.cdn.github.com", false),
            ("**.github.com", "[]", "api.cdn.github.com", true),
            ("*hub.com", "null", "api.cdn.github.com", true),
            ("*b", "null", "a/b", true),
            ("*:github.com", r#"[":"]"#, "api:github.com", true),
            ("*:github.com", r#"[":"]"#, "a:b:github.com", false),
            ("*.b", r#"["."]"#, "x/a.b", true),
            ("{a,b}/*.[ch]", r#"["/"]"#, "b/x.c", true),
        ] {
            assert_eq!(glob(pattern, delimiters, subject), Ok(want), "{pattern} {subject}");
        }
        for (pattern, delimiters) in [("[", r#"["/"]"#), ("a", r#"["ab"]"#), ("a", "[1]"), ("a", r#""/""#)] {
            assert!(glob(pattern, delimiters, "a").is_err(), "{pattern} {delimiters}");
        }
    }

    #[test]
    fn ranges_are_bounded() {
        let run = |args: &[i64]| {
            let args: Vec<Value> = args.iter().map(|n| Value::from(*n)).collect();
            (ALL[args.len() - 2].run)(&args).map(|v| v.to_string())
        };
        assert_eq!(run(&[3, 1]).unwrap(), "[3,2,1]");
        assert_eq!(run(&[0, 5, 2]).unwrap(), "[0,2,4]");
        assert_eq!(run(&[i64::MAX - 1, i64::MAX]).unwrap().matches(',').count(), 1);
        assert!(run(&[1, 1_000_000_000]).is_err());
        assert!(run(&[i64::MIN, i64::MAX]).is_err());
        assert!(run(&[0, 5, 0]).is_err());
    }
}
