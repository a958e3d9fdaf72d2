//! Conditions and equalities in one form: which side is expected, what a negation turns round, what can never be false.
//!
//! Must never take what is computed for what is expected.

use std::ops::Range;

use super::{Assertion, Strength, is_literal, norm, plain, text};
use crate::scan::tampering::lex::{Kind, Tokens};

pub(super) const TRUE: [&str; 2] = ["true", "True"];
pub(super) const FALSE: [&str; 2] = ["false", "False"];
pub(super) const NULL: [&str; 5] = ["None", "null", "nil", "undefined", "NULL"];

/// Says an equality in one way: truth and nothing are checks of their own.
pub(super) fn equality(
    tokens: &Tokens<'_>,
    at: usize,
    end: usize,
    left: Range<usize>,
    right: Range<usize>,
    op: &str,
) -> Assertion {
    let (subject, expected) = match (is_literal(tokens, &left), is_literal(tokens, &right)) {
        (true, false) => (right, left),
        _ => (left, right),
    };
    if !subject.is_empty()
        && norm(tokens, subject.clone()) == norm(tokens, expected.clone())
        && op == "eq"
        && is_literal(tokens, &expected)
    {
        return plain(at, end, norm(tokens, subject), op.into(), String::new(), Strength::Trivial);
    }
    if is_literal(tokens, &subject) && is_literal(tokens, &expected) {
        // Two constants: nothing is looked at.
        return plain(at, end, norm(tokens, subject), op.into(), norm(tokens, expected), Strength::Trivial);
    }
    let one = expected.len() == 1;
    let boolean = tokens.is(expected.start, "Boolean") && expected.len() == 3;
    if boolean && tokens.any(expected.start + 2, &["TRUE", "FALSE"]) {
        let op = if tokens.is(expected.start + 2, "TRUE") == (op == "eq") { "truthy" } else { "falsy" };
        return plain(at, end, norm(tokens, subject), op.into(), String::new(), Strength::Exists);
    }
    let (op, value, strength) = match op {
        "eq" if one && tokens.any(expected.start, &TRUE) => ("truthy", String::new(), Strength::Exists),
        "eq" if one && tokens.any(expected.start, &FALSE) => ("falsy", String::new(), Strength::Exists),
        "ne" if one && tokens.any(expected.start, &FALSE) => ("truthy", String::new(), Strength::Exists),
        "ne" if one && tokens.any(expected.start, &TRUE) => ("falsy", String::new(), Strength::Exists),
        "eq" if one && tokens.any(expected.start, &NULL) => ("null", String::new(), Strength::Exact),
        "ne" if one && tokens.any(expected.start, &NULL) => ("there", String::new(), Strength::Exists),
        "eq" if is_empty(tokens, &expected) => ("falsy", String::new(), Strength::Partial),
        "eq" => ("eq", norm(tokens, expected), Strength::Exact),
        "ne" => ("ne", norm(tokens, expected), Strength::Partial),
        other => (other, norm(tokens, expected), Strength::Partial),
    };
    plain(at, end, norm(tokens, subject), op.into(), value, strength)
}

/// Tells whether a value is an empty list, text or map.
fn is_empty(tokens: &Tokens<'_>, range: &Range<usize>) -> bool {
    match range.len() {
        1 => matches!(tokens.word(range.start), b"\"\"" | b"''" | b"``"),
        2 => tokens.any(range.start, &["[", "{"]) && tokens.close(range.start) == Some(range.start + 1),
        _ => false,
    }
}

/// Reads an expression that has to be true, or false where `fails` says so.
pub(super) fn condition(
    tokens: &Tokens<'_>,
    at: usize,
    end: usize,
    mut range: Range<usize>,
    fails: bool,
) -> Assertion {
    // `if x := f(); x != want`
    let statements = tokens.split(range.clone(), ";");
    let init = match statements.as_slice() {
        [init, last] => {
            range = last.clone();
            norm(tokens, init.clone())
        }
        _ => String::new(),
    };
    let mut negated = fails;
    loop {
        if tokens.any(range.start, &["!", "not"]) && !tokens.is(range.start + 1, "in") && range.len() > 1 {
            if top(tokens, &range, &["==", "!=", "===", "!==", "and", "&&", "or", "||", "<", ">", "in", "is"])
                .is_some()
                && tokens.is(range.start, "!")
            {
                break;
            }
            negated = !negated;
            range.start += 1;
        } else if tokens.is(range.start, "(") && tokens.close(range.start) == Some(range.end - 1) {
            range = range.start + 1..range.end - 1;
        } else {
            break;
        }
    }
    let mut made = compare(tokens, at, end, range, negated);
    if !init.is_empty() {
        made.subject = format!("{init} ; {}", made.subject);
    }
    made
}

/// Finds the first of some marks that is in no bracket.
fn top(tokens: &Tokens<'_>, range: &Range<usize>, marks: &[&str]) -> Option<usize> {
    let mut at = range.start;
    while at < range.end {
        if tokens.any(at, marks) && tokens.kind(at) != Some(Kind::Text) {
            return Some(at);
        }
        at = tokens.close(at).unwrap_or(at) + 1;
    }
    None
}

/// Returns what says that a place must not be reached: `fail("message")`, `assert False`.
pub(super) fn always_fails(at: usize, end: usize) -> Assertion {
    plain(at, end, String::new(), "fail".into(), String::new(), Strength::Partial)
}

fn compare(tokens: &Tokens<'_>, at: usize, end: usize, range: Range<usize>, negated: bool) -> Assertion {
    let whole = norm(tokens, range.clone());
    if range.len() == 1 && !negated && tokens.any(range.start, &FALSE) {
        return always_fails(at, end);
    }
    if range.len() == 1 && (is_literal(tokens, &range)) {
        return plain(at, end, whole, "constant".into(), String::new(), Strength::Trivial);
    }
    if let Some(mark) = top(tokens, &range, &["or", "||", "and", "&&"]) {
        let either = tokens.any(mark, &["or", "||"]) != negated;
        // `x or True` cannot fail.
        let sides = tokens.split(range.clone(), if tokens.is(mark, "or") { "or" } else { "||" });
        let always = either
            && sides.iter().any(|side| side.len() == 1 && tokens.any(side.start, &["True", "true", "1"]));
        let strength = match (always, either) {
            (true, _) => Strength::Trivial,
            (_, true) => Strength::Partial,
            _ => Strength::Exact,
        };
        let op = if either { "either" } else { "both" };
        return plain(at, end, whole, op.into(), String::new(), strength);
    }
    let Some(mark) = top(
        tokens,
        &range,
        &["==", "===", "!=", "!==", "is", "in", "not", "<", ">", "<=", ">=", "instanceof", "=~"],
    ) else {
        // `assert x = 5` is none of ours; `isinstance(x, T)` is a part of it.
        let op = if negated { "falsy" } else { "truthy" };
        let partial = tokens
            .any(range.start, &["isinstance", "issubclass", "all", "any", "hasattr", "callable", "matches"])
            || tokens.any(range.end.saturating_sub(1), &["]"]);
        let call = tokens.is(range.end.saturating_sub(1), ")");
        let strength = if partial || call || negated { Strength::Partial } else { Strength::Exists };
        return plain(at, end, whole, op.into(), String::new(), strength);
    };
    let (left, mut right) = (range.start..mark, mark + 1..range.end);
    let word = text(tokens, mark);
    let mut op = match word.as_str() {
        "==" | "===" | "is" => "eq",
        "!=" | "!==" => "ne",
        "not" => "not in",
        other => other,
    };
    if word == "is" && tokens.is(right.start, "not") {
        op = "ne";
        right.start += 1;
    } else if word == "not" {
        right.start += 1;
    }
    let op = match (op, negated) {
        ("eq", true) => "ne",
        ("ne", true) => "eq",
        ("in", true) => "not in",
        ("not in", true) => "in",
        ("<", true) => ">=",
        (">", true) => "<=",
        ("<=", true) => ">",
        (">=", true) => "<",
        (op, _) => op,
    };
    if ["eq", "ne"].contains(&op) {
        return equality(tokens, at, end, left, right, op);
    }
    plain(at, end, norm(tokens, left), op.into(), norm(tokens, right), Strength::Partial)
}
