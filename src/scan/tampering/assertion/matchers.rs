//! Calls that assert: `assertEqual(a, b)`, `expect(a).not.toBe(b)`, `assert.equal(a, b)`.
//!
//! Must never take a message for an expectation.

#![expect(clippy::single_range_in_vec_init, reason = "a list of ranges that begins with one")]

use std::ops::Range;

use super::checks::{Check, check, is_exact, number};
use super::condition::{FALSE, NULL, TRUE, always_fails, condition, equality};
use super::{Assertion, Link, Strength, is_literal, joined, norm, plain};
use crate::scan::tampering::lex::{Kind, Tokens};

/// Reads one call, or one that looks at something and the checks that follow.
pub(super) fn judge(
    tokens: &Tokens<'_>,
    at: usize,
    end: usize,
    links: &[Link],
    skip_first: bool,
) -> Assertion {
    let cut = |args: &[Range<usize>]| -> Vec<Range<usize>> {
        args.iter().skip(usize::from(skip_first)).cloned().collect()
    };
    let with_args: Vec<&Link> = links.iter().filter(|link| !link.args.is_empty()).collect();
    match with_args.as_slice() {
        // One call has all: assertEqual(a, b), assert(a == b), assert.equal(a, b).
        [one] if links.last().is_some_and(|last| std::ptr::eq(last, *one)) => {
            call(tokens, at, end, &one.name, &cut(&one.args))
        }
        // expect(subject).check(expected)
        [subject, rest @ ..] => matched(tokens, at, end, subject, rest, links),
        [] => {
            let name = links.iter().map(|l| l.name.as_str()).collect::<Vec<_>>().join(".");
            plain(at, end, String::new(), name, String::new(), Strength::Exists)
        }
    }
}

fn call(tokens: &Tokens<'_>, at: usize, end: usize, name: &str, args: &[Range<usize>]) -> Assertion {
    if matches!(name, "fail" | "flunk") {
        return always_fails(at, end);
    }
    let mut args = args.to_vec();
    let is_text = |arg: &Range<usize>| arg.len() == 1 && tokens.kind(arg.start) == Some(Kind::Text);
    match (check(name), args.as_slice()) {
        (Check::Condition(negated), [first, ..]) => {
            // JUnit 4 puts the message first.
            let value = match args.as_slice() {
                [message, value] if is_text(message) => value,
                _ => first,
            };
            condition(tokens, at, end, value.clone(), negated)
        }
        (Check::Null, [first, ..]) => {
            plain(at, end, norm(tokens, first.clone()), "null".into(), String::new(), Strength::Exact)
        }
        (Check::There, [first, ..]) => {
            plain(at, end, norm(tokens, first.clone()), "there".into(), String::new(), Strength::Exists)
        }
        (Check::Equal | Check::Unequal | Check::Near, [_, _, ..]) => {
            if args.len() == 3
                && is_text(&args[0])
                && !is_text(&args[2])
                && number(tokens, &args[2]).is_none()
            {
                args.remove(0);
            }
            let op = if check(name) == Check::Unequal { "ne" } else { "eq" };
            let mut made = equality(tokens, at, end, args[0].clone(), args[1].clone(), op);
            let third = args.get(2).and_then(|arg| number(tokens, arg));
            if let Some(third) = third {
                made.tolerance = Some((third, !name.to_lowercase().contains("almost")));
            }
            if check(name) == Check::Near {
                made.op = "near".into();
            }
            made
        }
        (_, []) => plain(at, end, String::new(), name.to_owned(), String::new(), Strength::Exists),
        (_, [first, rest @ ..]) => {
            let literal = is_literal(tokens, first) && !rest.is_empty();
            let (subject, expected) = if literal {
                (joined(tokens, rest), norm(tokens, first.clone()))
            } else {
                (norm(tokens, first.clone()), joined(tokens, rest))
            };
            let strength = if is_exact(name) { Strength::Exact } else { Strength::Partial };
            plain(at, end, subject, name.to_owned(), expected, strength)
        }
    }
}

/// Reads `expect(subject).not.toBe(expected)` and its like.
pub(super) fn matched(
    tokens: &Tokens<'_>,
    at: usize,
    end: usize,
    subject: &Link,
    rest: &[&Link],
    links: &[Link],
) -> Assertion {
    let subject = joined(tokens, &subject.args);
    let after = links.iter().skip_while(|l| l.args.is_empty()).skip(1);
    let names: Vec<&str> = after.map(|l| l.name.as_str()).collect();
    let last = links.last().map_or("", |l| l.name.as_str());
    let not = names
        .iter()
        .any(|n| matches!(*n, "not" | "never" | "NotTo" | "toNot" | "not_to" | "to_not" | "ToNot"));
    // expect(x).to eq(5): the matcher is the argument of `to`.
    let inner = match rest {
        [to] if matches!(
            to.name.as_str(),
            "to" | "To" | "not_to" | "to_not" | "NotTo" | "ToNot" | "Should" | "that" | "That"
        ) =>
        {
            to.args.first().and_then(|arg| {
                let name = tokens.name(arg.start).filter(|n| !n.is_empty())?;
                Some((
                    name.to_owned(),
                    if tokens.is(arg.start + 1, "(") {
                        tokens.arguments(arg.start + 1)
                    } else {
                        vec![arg.start + 1..arg.end]
                    },
                ))
            })
        }
        _ => None,
    };
    let (name, args) = match inner {
        Some(inner) => inner,
        // `containsExactly(...).inOrder()`: what comes after takes nothing.
        None if last == "inOrder" => {
            rest.last().map(|l| (l.name.clone(), l.args.clone())).unwrap_or_default()
        }
        None => (
            last.to_owned(),
            rest.last().filter(|l| l.name == last).map(|l| l.args.clone()).unwrap_or_default(),
        ),
    };
    let expected = joined(tokens, &args);
    let one = args.first().filter(|arg| args.len() == 1 && arg.len() == 1).map(|arg| arg.start);
    let (op, expected, strength): (String, String, Strength) = match check(&name) {
        Check::Equal if one.is_some_and(|one| tokens.any(one, &TRUE)) => {
            (flip("truthy", not), String::new(), Strength::Exists)
        }
        Check::Equal if one.is_some_and(|one| tokens.any(one, &FALSE)) => {
            (flip("falsy", not), String::new(), Strength::Exists)
        }
        Check::Equal if one.is_some_and(|one| tokens.any(one, &NULL)) => (
            if not { "there" } else { "null" }.into(),
            String::new(),
            if not { Strength::Exists } else { Strength::Exact },
        ),
        Check::Equal if expected == "Boolean . TRUE" => {
            (flip("truthy", not), String::new(), Strength::Exists)
        }
        Check::Equal if expected == "Boolean . FALSE" => {
            (flip("falsy", not), String::new(), Strength::Exists)
        }
        Check::Equal if not => ("ne".into(), expected, Strength::Partial),
        Check::Equal if expected == subject && is_plain(&expected) => {
            ("eq".into(), expected, Strength::Trivial)
        }
        Check::Equal => ("eq".into(), expected, Strength::Exact),
        Check::Condition(negated) => {
            (flip(if negated { "falsy" } else { "truthy" }, not), expected, Strength::Exists)
        }
        Check::Null => (
            if not { "there" } else { "null" }.into(),
            String::new(),
            if not { Strength::Exists } else { Strength::Exact },
        ),
        Check::There => (if not { "null" } else { "there" }.into(), String::new(), Strength::Exists),
        Check::Unequal => ("ne".into(), expected, Strength::Partial),
        Check::Near => ("near".into(), expected, Strength::Exact),
        Check::Other => {
            let strength = if is_exact(&name) && !not { Strength::Exact } else { Strength::Partial };
            (flip(&names.join("."), false), expected, strength)
        }
    };
    // `expect(true).toBe(true)`, `expect(1).toBeTruthy()`.
    let constant = ["true", "True", "false", "1", "0"].contains(&subject.as_str());
    let strength = if constant && strength <= Strength::Exists { Strength::Trivial } else { strength };
    let mut made = plain(at, end, subject, op, expected, strength);
    if check(&name) == Check::Near {
        made.tolerance = args.get(1).and_then(|arg| number(tokens, arg)).map(|n| (n, false));
    }
    made
}

fn is_plain(value: &str) -> bool {
    value.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase() || b == b'"')
}

fn flip(op: &str, not: bool) -> String {
    match (op, not) {
        ("truthy", true) => "falsy",
        ("falsy", true) => "truthy",
        (op, _) => op,
    }
    .into()
}
