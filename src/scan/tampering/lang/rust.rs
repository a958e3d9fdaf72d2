//! Rust: `#[test]`, its relatives, and macros that make tests.
//!
//! Must never take a function without a test's attribute for a test.

use crate::scan::tampering::assertion::Head;
use crate::scan::tampering::lex::{C_LIKE, Syntax, Tokens};

use super::{Lang, Role, Skip, Unit, below, body};

/// Rust.
pub const LANG: Lang = Lang {
    name: "rust",
    syntax: Syntax { rust: true, ..C_LIKE },
    endings: &["rs"],
    is_test: |path| below(path, &["tests"]),
    marks: &["#[test]", "::test]", "::test(", "cfg(test)"],
    units,
    head,
    skip,
};

fn units(tokens: &Tokens<'_>) -> Vec<Unit> {
    let (mut units, mut at, mut attributes) = (Vec::new(), 0, None);
    while at < tokens.all.len() {
        if tokens.is(at, "#") && tokens.is(at + 1, "[") {
            attributes = attributes.or(Some(at));
            at = tokens.close(at + 1).unwrap_or(at + 1) + 1;
            continue;
        }
        if tokens.any(at, &["pub", "async", "unsafe", "const"])
            || (tokens.is(at, "(") && tokens.is(at.wrapping_sub(1), "pub"))
        {
            at = tokens.close(at).unwrap_or(at) + 1;
            continue;
        }
        let from = attributes.take().unwrap_or(at);
        if tokens.is(at, "fn") {
            if let Some((name, body)) = tokens.name(at + 1).zip(body(tokens, at + 1)) {
                let role = if is_test(tokens, from, at) { Role::Test } else { Role::Helper };
                let cases = (from..at)
                    .filter(|n| tokens.any(*n, &["case", "test_case"]) && tokens.is(n + 1, "("))
                    .count();
                let next = body.end;
                units.push(Unit {
                    name: name.into(),
                    role,
                    tokens: from..body.end,
                    body,
                    at: at + 1,
                    rows: cases.max(1),
                });
                at = next;
                continue;
            }
        } else if makes_test(tokens, at) {
            // `rgtest!(name, |dir, cmd| { ... })`
            if let Some((name, close)) = tokens.name(at + 3).zip(tokens.close(at + 2)) {
                units.push(Unit {
                    name: name.into(),
                    role: Role::Test,
                    tokens: from..close + 1,
                    body: at + 4..close,
                    at: at + 3,
                    rows: 1,
                });
                at = close + 1;
                continue;
            }
        }
        at += 1;
    }
    units
}

/// Tells whether a macro at the start of a line makes a test: `rgtest!(name, |dir| { ... })`.
fn makes_test(tokens: &Tokens<'_>, at: usize) -> bool {
    let first = tokens.all.get(at).is_some_and(|t| t.first && t.indent == 0)
        && tokens.name(at).is_some_and(|n| n != "macro_rules");
    first
        && tokens.is(at + 1, "!")
        && tokens.any(at + 2, &["(", "{"])
        && tokens.name(at + 3).is_some()
        && tokens.is(at + 4, ",")
}

fn is_test(tokens: &Tokens<'_>, from: usize, to: usize) -> bool {
    (from..to).any(|at| {
        tokens.any(at, &["test", "rstest", "test_case", "wasm_bindgen_test", "quickcheck", "proptest"])
            && !tokens.is(at.wrapping_sub(1), "(")
    })
}

fn head(tokens: &Tokens<'_>, at: usize) -> Option<(Head, bool)> {
    if tokens.is(at, "should_panic") {
        let end = if tokens.is(at + 1, "(") { tokens.close(at + 1)? + 1 } else { at + 1 };
        return Some((Head::Attribute(at + 1..end), false));
    }
    let name = tokens.name(at)?;
    let open = tokens.any(at + 2, &["(", "{", "["]);
    if !tokens.is(at + 1, "!") || !open || tokens.is(at.wrapping_sub(1), "macro_rules") {
        return None;
    }
    let asserts = name.starts_with("assert")
        || name.starts_with("debug_assert")
        || name.starts_with("prop_assert")
        || name.ends_with("_eq")
        || name == "eqnice"
        || name.starts_with("insta");
    asserts.then_some((Head::Chain, false))
}

fn skip(tokens: &Tokens<'_>, at: usize) -> Option<Skip> {
    if !tokens.is(at, "ignore") || at == 0 {
        return None;
    }
    match () {
        () if tokens.is(at - 1, "[") && at > 1 && tokens.is(at - 2, "#") => Skip::always("#[ignore]"),
        () if tokens.is(at - 1, ",") && (at.saturating_sub(12)..at).any(|n| tokens.is(n, "cfg_attr")) => {
            Skip::sometimes("#[cfg_attr(..., ignore)]")
        }
        () => None,
    }
}
