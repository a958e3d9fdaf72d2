//! JavaScript and TypeScript: jest, vitest, mocha, jasmine, node:test, playwright, tap, ava.
//!
//! Must never take a call of another `it` or `test` for a test: it has a name and a function.

#![expect(
    clippy::case_sensitive_file_extension_comparisons,
    reason = "what is compared has been lowered, or the tool itself knows but this case"
)]

use crate::scan::tampering::assertion::Head;
use crate::scan::tampering::lex::{C_LIKE, Kind, Syntax, Tick, Tokens};

use super::{Lang, Role, Skip, Unit, after_dot, below, inner, leads, stem};

/// JavaScript and TypeScript.
pub const LANG: Lang = Lang {
    name: "javascript",
    syntax: Syntax { single: true, tick: Tick::Template, regex: true, ..C_LIKE },
    endings: &["js", "jsx", "mjs", "cjs", "ts", "tsx", "mts", "cts", "vue", "svelte"],
    is_test,
    marks: &[],
    units,
    head,
    skip,
};

fn is_test(path: &str) -> bool {
    let stem = stem(path);
    stem.ends_with(".test")
        || stem.ends_with(".spec")
        || stem.ends_with("-test")
        || stem.ends_with("_test")
        || stem.ends_with(".e2e")
        || stem.ends_with(".cy")
        || below(path, &["__tests__", "test", "tests", "spec", "e2e", "cypress"])
}

const TESTS: [&str; 6] = ["it", "test", "specify", "fit", "xit", "xtest"];
const GROUPS: [&str; 8] =
    ["describe", "context", "suite", "fdescribe", "xdescribe", "fcontext", "xcontext", "bench"];

/// Returns where the arguments of `it(`, `it.only(`, `it.each(rows)(` open, and the rows.
fn call(tokens: &Tokens<'_>, at: usize) -> Option<(usize, usize)> {
    let (mut next, mut rows) = (at + 1, 1);
    loop {
        if tokens.is(next, ".") && tokens.name(next + 1).is_some() {
            let each = tokens.any(next + 1, &["each", "for"]);
            next += 2;
            if each && tokens.is(next, "<") {
                next = (next..next + 24).find(|n| tokens.is(*n, ">"))? + 1;
            }
            if each && tokens.is(next, "(") {
                let args = tokens.arguments(next);
                rows = args
                    .first()
                    .filter(|arg| tokens.is(arg.start, "["))
                    .map_or(2, |arg| tokens.arguments(arg.start).len().max(1));
                next = tokens.close(next)? + 1;
            } else if each && tokens.kind(next) == Some(Kind::Text) {
                let lines = memchr::memchr_iter(b'\n', tokens.word(next)).count();
                rows = lines.saturating_sub(2).max(1);
                next += 1;
            } else if tokens.any(next - 1, &["skipIf", "runIf"]) && tokens.is(next, "(") {
                next = tokens.close(next)? + 1;
            }
        } else {
            return tokens.is(next, "(").then_some((next, rows));
        }
    }
}

fn units(tokens: &Tokens<'_>) -> Vec<Unit> {
    let mut units = Vec::new();
    for at in 0..tokens.all.len() {
        let Some(name) = tokens.name(at) else { continue };
        if name == "function" {
            // A function at the top may be a helper.
            let outer = tokens.all.get(at).is_some_and(|t| t.indent == 0);
            let named = tokens.name(at + 1).filter(|_| outer);
            if let Some((name, body)) = named.zip(super::body(tokens, at + 1)) {
                units.push(Unit {
                    name: name.into(),
                    role: Role::Helper,
                    tokens: at..body.end,
                    body,
                    at: at + 1,
                    rows: 1,
                });
            }
            continue;
        }
        let group = GROUPS.contains(&name);
        // `t.test("name", ...)`, `Deno.test(...)`, `test.describe(...)`.
        let owner = after_dot(tokens, at).then(|| tokens.word(at.saturating_sub(2)));
        let fits = match owner {
            None => group || TESTS.contains(&name),
            Some(owner) => {
                (name == "test" && (owner == b"t" || owner == b"Deno")) || (group && owner == b"test")
            }
        };
        if !fits {
            continue;
        }
        let Some((open, rows)) = call(tokens, at) else { continue };
        let Some(close) = tokens.close(open) else { continue };
        let named = match tokens.kind(open + 1) {
            Some(Kind::Text) => inner(tokens, open + 1),
            Some(Kind::Name) if !tokens.any(open + 1, &["function", "async"]) => {
                let first = tokens.arguments(open).into_iter().next().unwrap_or(open..open);
                tokens.norm(first.start..first.end.min(first.start + 40))
            }
            _ => continue,
        };
        // `test.describe(...)` begins at `test`.
        let from = if owner.is_some() { at - 2 } else { at };
        let role = if group || tokens.is(at + 2, "describe") { Role::Group } else { Role::Test };
        units.push(Unit { name: named, role, tokens: from..close + 1, body: open + 2..close, at, rows });
    }
    units
}

fn head(tokens: &Tokens<'_>, at: usize) -> Option<(Head, bool)> {
    let name = tokens.name(at)?;
    let dot = after_dot(tokens, at);
    let called = tokens.is(at + 1, "(");
    match name {
        "expect" | "andExpect" if dot && called => {
            // supertest: request(app).get("/").expect(200); but vi.expect and t.expect are the plain one.
            let after = tokens.close(at + 1).map_or(at, |close| close + 1);
            let matcher = tokens.is(after, ".")
                && tokens
                    .name(after + 1)
                    .is_some_and(|n| n.starts_with("to") || matches!(n, "not" | "resolves" | "rejects"));
            Some((if matcher { Head::Chain } else { Head::Link }, false))
        }
        "expect" | "assert" if called || tokens.is(at + 1, ".") => {
            let matcher = tokens.any(
                at + 2,
                &[
                    "extend",
                    "any",
                    "anything",
                    "objectContaining",
                    "arrayContaining",
                    "stringContaining",
                    "stringMatching",
                    "addSnapshotSerializer",
                ],
            );
            let other = dot || tokens.is(at + 1, ".") && matcher || tokens.is(at.wrapping_sub(1), "function");
            (!other).then_some((Head::Chain, false))
        }
        "expectTypeOf" | "assertType" if called && !dot => Some((Head::Chain, false)),
        "t" if !dot && tokens.is(at + 1, ".") && tokens.is(at + 3, "(") => {
            let known = [
                "is",
                "not",
                "true",
                "false",
                "truthy",
                "falsy",
                "deepEqual",
                "equal",
                "equals",
                "same",
                "match",
                "throws",
                "throwsAsync",
                "ok",
                "notOk",
                "regex",
                "like",
                "snapshot",
                "strictSame",
                "error",
                "rejects",
                "notDeepEqual",
            ];
            tokens.any(at + 2, &known).then_some((Head::Chain, false))
        }
        "should" if dot && tokens.is(at + 1, ".") => Some((Head::Infix, false)),
        _ => (called
            && leads(name, &["assert", "expect"])
            && name.len() > 6
            && !tokens.any(at.wrapping_sub(1), &["function", "."]))
        .then_some((Head::Helper, false)),
    }
}

fn skip(tokens: &Tokens<'_>, at: usize) -> Option<Skip> {
    let name = tokens.name(at)?;
    let opens = |at: usize| tokens.any(at, &["(", "."]);
    if !after_dot(tokens, at) {
        let described =
            |at: usize| tokens.is(at, "(") && matches!(tokens.kind(at + 1), Some(Kind::Text | Kind::Name));
        return match name {
            "xit" | "xtest" | "xdescribe" | "xcontext" | "xspecify"
                if described(at + 1) || tokens.is(at + 1, ".") =>
            {
                Skip::always(name)
            }
            "fit" | "fdescribe" | "fcontext" if described(at + 1) || tokens.is(at + 1, ".") => {
                Skip::only(name)
            }
            _ => None,
        };
    }
    let owner = tokens.name(at.checked_sub(2)?)?;
    let chained = at > 3 && tokens.is(at - 3, ".");
    let mut runner = owner;
    if chained && (TESTS.contains(&tokens.name(at - 4)?) || GROUPS.contains(&tokens.name(at - 4)?)) {
        runner = tokens.name(at - 4)?;
    }
    let ours = TESTS.contains(&runner) || GROUPS.contains(&runner);
    match name {
        // `test.skip(condition, reason)` of playwright inside a test.
        "skip" | "todo" | "fixme" | "fails" | "failing" | "fail" if ours && opens(at + 1) => {
            let first = tokens.arguments(at + 1).into_iter().next();
            let named = first.as_ref().is_some_and(|arg| tokens.kind(arg.start) == Some(Kind::Text));
            let inside = first.as_ref().is_none_or(std::ops::Range::is_empty);
            let word = format!("{runner}.{name}");
            if named
                || inside
                || tokens.is(at + 1, ".")
                || first.is_some_and(|arg| {
                    tokens.kind(arg.start) == Some(Kind::Name)
                        && tokens.arguments(at + 1).len() == 2
                        && tokens.any(tokens.arguments(at + 1)[1].start, &["(", "async", "function"])
                })
            {
                Skip::always(word)
            } else {
                Skip::sometimes(word)
            }
        }
        "only" if ours && opens(at + 1) => Skip::only(format!("{runner}.only")),
        "skipIf" | "runIf" if ours => Skip::sometimes(format!("{runner}.{name}")),
        "skip" if matches!(owner, "this" | "t" | "ctx" | "context") && tokens.is(at + 1, "(") => {
            Skip::sometimes(format!("{owner}.skip"))
        }
        _ => None,
    }
}
