//! Python: pytest, unittest, doctest-free.
//!
//! Must never take a method of a class that is no test for one.

#![expect(clippy::items_after_statements, reason = "the limit stands beside what it limits")]

use crate::scan::tampering::assertion::Head;
use crate::scan::tampering::lex::{C_LIKE, Syntax, Tokens};

use super::{Lang, Role, Skip, Unit, after_dot, below, leads, stem};

/// Python.
pub const LANG: Lang = Lang {
    name: "python",
    syntax: Syntax { hash: true, slashes: false, single: true, triple: true, lines: true, ..C_LIKE },
    endings: &["py"],
    is_test,
    marks: &[],
    units,
    head,
    skip,
};

fn is_test(path: &str) -> bool {
    let stem = stem(path);
    stem.starts_with("test_")
        || stem.ends_with("_test")
        || matches!(stem, "conftest" | "tests" | "test")
        || below(path, &["tests", "test", "testing"])
}

fn units(tokens: &Tokens<'_>) -> Vec<Unit> {
    let (mut units, mut decorated, mut inside) = (Vec::new(), None, 0);
    for at in 0..tokens.all.len() {
        if !tokens.all.get(at).is_some_and(|t| t.first) || at < inside {
            continue;
        }
        if tokens.is(at, "@") {
            decorated = decorated.or(Some(at));
            continue;
        }
        let from = decorated.take().unwrap_or(at);
        let def = if tokens.is(at, "async") { at + 1 } else { at };
        let is_class = tokens.is(def, "class");
        if !is_class && !tokens.is(def, "def") {
            continue;
        }
        let Some(name) = tokens.name(def + 1) else { continue };
        let end = tokens.block_end(at);
        let role = match () {
            () if is_class => Role::Group,
            () if leads(name, &["test"]) => Role::Test,
            () => Role::Helper,
        };
        if !is_class {
            inside = end;
        }
        let body = tokens.line_end(at).min(end)..end;
        units.push(Unit {
            name: name.into(),
            role,
            tokens: from..end,
            body,
            at: def + 1,
            rows: rows(tokens, from, at),
        });
    }
    units
}

/// Counts the rows of `@pytest.mark.parametrize("names", [...])`.
fn rows(tokens: &Tokens<'_>, from: usize, to: usize) -> usize {
    let mut rows = 1;
    for at in from..to {
        if tokens.any(at, &["parametrize", "expand", "parameters"]) && tokens.is(at + 1, "(") {
            let args = tokens.arguments(at + 1);
            let list = args.iter().find(|arg| tokens.any(arg.start, &["[", "("]));
            rows *= list.map_or(1, |list| tokens.arguments(list.start).len().max(1));
        }
    }
    rows.min(1_000)
}

fn head(tokens: &Tokens<'_>, at: usize) -> Option<(Head, bool)> {
    let name = tokens.name(at)?;
    if name == "assert" {
        // `if x: assert y` begins no line.
        return (!after_dot(tokens, at)).then_some((Head::Statement, false));
    }
    if !tokens.is(at + 1, "(") || tokens.any(at.wrapping_sub(1), &["def", "class"]) {
        return None;
    }
    if leads(name, &["assert"]) {
        return Some((Head::Chain, false));
    }
    // `pytest.warns(None)` lets everything through.
    if tokens.is(at + 2, "None") && tokens.is(at + 3, ")") {
        return None;
    }
    let pytest = after_dot(tokens, at) && at > 1 && tokens.any(at - 2, &["pytest", "self"]);
    let bare = !after_dot(tokens, at) && name == "raises";
    ((pytest && matches!(name, "raises" | "warns" | "deprecated_call" | "fail")) || bare)
        .then_some((Head::Chain, false))
}

fn skip(tokens: &Tokens<'_>, at: usize) -> Option<Skip> {
    let name = tokens.name(at)?;
    let owner = if after_dot(tokens, at) && at > 1 { tokens.word(at - 2) } else { b"" };
    let decorator = at > 0 && tokens.is(at - 1, "@")
        || (owner == b"mark" || (owner == b"unittest" && at > 2 && tokens.is(at - 3, "@")));
    match name {
        "skip" | "xfail" | "skipTest" | "SkipTest" | "importorskip"
            if owner == b"mark"
                || owner == b"pytest"
                || owner == b"unittest"
                || owner == b"self"
                || decorator =>
        {
            let call = if tokens.is(at + 1, "(") { tokens.arguments(at + 1) } else { Vec::new() };
            // xfail(condition, ...), and strict=True fails when the test passes again.
            let conditional = name == "xfail"
                && call.first().is_some_and(|arg| {
                    !tokens.is(arg.start + 1, "=")
                        && tokens.kind(arg.start) == Some(crate::scan::tampering::lex::Kind::Name)
                        && !tokens.is(arg.start, "True")
                });
            let guarded = owner != b"mark" && !decorator;
            let word = if owner == b"mark" { format!("pytest.mark.{name}") } else { name.to_owned() };
            // A mark of one row: `pytest.param(..., marks=pytest.mark.xfail)`.
            let of_row = owner == b"mark"
                && !tokens.is(at.wrapping_sub(5), "@")
                && !tokens.is(at.wrapping_sub(6), "pytestmark");
            if conditional || of_row || name == "importorskip" || (guarded && is_guarded(tokens, at)) {
                Skip::sometimes(word)
            } else {
                Skip::always(word)
            }
        }
        "skipif" | "skipIf" | "skipUnless" if decorator => {
            let first =
                if tokens.is(at + 1, "(") { tokens.arguments(at + 1).into_iter().next() } else { None };
            let constant = first.is_some_and(|arg| arg.len() == 1 && tokens.any(arg.start, &["True", "1"]));
            if constant { Skip::always(name) } else { Skip::sometimes(name) }
        }
        "__test__" if tokens.is(at + 1, "=") && tokens.is(at + 2, "False") => {
            Skip::always("__test__ = False")
        }
        "collect_ignore" | "collect_ignore_glob" if tokens.any(at + 1, &["=", "+="]) => Skip::always(name),
        _ => None,
    }
}

/// Tells whether the statement at a token stands in an `if` or an `except`.
fn is_guarded(tokens: &Tokens<'_>, at: usize) -> bool {
    let Some(own) = tokens.all.get(at).map(|t| t.indent) else { return false };
    let mut back = at;
    // Further up nobody looks: then it holds always.
    const FAR: usize = 500;
    while back > 0 && at - back < FAR {
        back -= 1;
        let Some(token) = tokens.all.get(back) else { return false };
        if token.first && token.indent < own {
            return tokens.any(back, &["if", "elif", "else", "except", "with", "for", "while"]);
        }
    }
    false
}
