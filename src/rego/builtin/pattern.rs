//! Builtins with a budget or a cache of our own: `numbers.range`, `glob.match`, `regex.match`.
//!
//! Must never make a huge value of a small one, and never answer otherwise than the one it stands for.

use std::cell::RefCell;
use std::collections::HashMap;

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
        COMPILED.with_borrow_mut(|cache| {
            if !cache.contains_key(pattern) {
                if cache.len() >= MOST {
                    cache.clear();
                }
                let compiled = regex::Regex::new(pattern)
                    .map_err(|_| Wrong(format!("got the pattern `{pattern}`, which cannot be read")))?;
                cache.insert(pattern.to_owned(), compiled);
            }
            Ok(Value::from(cache.get(pattern).is_some_and(|p| p.is_match(subject))))
        })
    }),
];

/// The longest list a range makes.
const MAX_RANGE: i64 = 1_000_000;

/// The most patterns a thread keeps compiled.
const MOST: usize = 1024;

thread_local! {
    static COMPILED: RefCell<HashMap<String, regex::Regex>> = RefCell::default();
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
