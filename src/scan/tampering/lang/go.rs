//! Go: testing, testify, gomega, quicktest, is.
//!
//! Must never take a subtest for a test of its own: its rows are its parent's.

use crate::scan::tampering::assertion::Head;
use crate::scan::tampering::lex::{C_LIKE, Syntax, Tick, Tokens};

use super::{Lang, Role, Skip, Unit, after_dot, body};

/// Go.
pub const LANG: Lang = Lang {
    name: "go",
    syntax: Syntax { tick: Tick::Raw, ..C_LIKE },
    endings: &["go"],
    is_test: |path| path.ends_with("_test.go"),
    marks: &[],
    units,
    head,
    skip,
};

fn units(tokens: &Tokens<'_>) -> Vec<Unit> {
    let mut units = Vec::new();
    for at in 0..tokens.all.len() {
        if !tokens.is(at, "func") || !tokens.all.get(at).is_some_and(|t| t.first && t.indent == 0) {
            continue;
        }
        let named =
            if tokens.is(at + 1, "(") { tokens.close(at + 1).map_or(at + 1, |c| c + 1) } else { at + 1 };
        let Some(name) = tokens.name(named) else { continue };
        let Some(body) = body(tokens, named) else { continue };
        let is_test = ["Test", "Fuzz", "Example"]
            .iter()
            .any(|lead| name.strip_prefix(lead).is_some_and(|rest| !rest.starts_with(char::is_lowercase)))
            && name != "TestMain";
        let role = if is_test { Role::Test } else { Role::Helper };
        let rows = rows(tokens, &body);
        units.push(Unit { name: name.into(), role, tokens: at..body.end, body, at: named, rows });
    }
    units
}

/// Counts the rows of `[]struct{...}{{...}, {...}}`.
fn rows(tokens: &Tokens<'_>, body: &std::ops::Range<usize>) -> usize {
    body.clone()
        .filter(|at| tokens.is(*at, "struct") && tokens.is(at.wrapping_sub(1), "]") && tokens.is(at + 1, "{"))
        .filter_map(|at| tokens.close(at + 1))
        .filter(|close| tokens.is(close + 1, "{"))
        .map(|close| tokens.arguments(close + 1).len())
        .max()
        .unwrap_or(1)
        .max(1)
}

const FAILS: [&str; 6] = ["Error", "Errorf", "Fatal", "Fatalf", "Fail", "FailNow"];
const HANDLES: [&str; 6] = ["t", "b", "tb", "T", "f", "tt"];

fn fails(tokens: &Tokens<'_>, at: usize) -> bool {
    tokens.any(at, &FAILS)
        && tokens.is(at + 1, "(")
        && at > 1
        && tokens.is(at - 1, ".")
        && tokens.any(at - 2, &HANDLES)
}

fn head(tokens: &Tokens<'_>, at: usize) -> Option<(Head, bool)> {
    let name = tokens.name(at)?;
    if name == "if" {
        // `if cond { t.Error(...) }`: the condition ends at the brace that opens the body.
        let mut open = at + 1;
        while open < at + 400 && !tokens.is(open, "{") {
            if tokens.word(open).is_empty() {
                return None;
            }
            open = tokens.close(open).unwrap_or(open) + 1;
        }
        let close = tokens.close(open)?;
        let mut inside = open + 1;
        while inside < close {
            if fails(tokens, inside) {
                return Some((Head::Branch(at + 1..open), false));
            }
            inside = tokens.close(inside).filter(|_| tokens.is(inside, "{")).unwrap_or(inside) + 1;
        }
        return None;
    }
    if !tokens.is(at + 1, "(") || tokens.is(at.wrapping_sub(1), "func") {
        return None;
    }
    let dot = after_dot(tokens, at);
    let handed = tokens.any(at + 2, &HANDLES) && tokens.any(at + 3, &[",", ")"]);
    let owner = if dot && at > 1 { tokens.word(at - 2) } else { b"" };
    if matches!(owner, b"assert" | b"require" | b"is" | b"qt" | b"must" | b"check") {
        return Some((Head::Chain, handed));
    }
    if matches!(name, "Expect" | "Ω" | "Eventually" | "Consistently" | "AssertThat") && !dot {
        return Some((Head::Chain, false));
    }
    // A function that is handed the test may fail it.
    (handed && !dot && !matches!(name, "func")).then_some((Head::Helper, false))
}

fn skip(tokens: &Tokens<'_>, at: usize) -> Option<Skip> {
    let name = tokens.name(at)?;
    if !matches!(name, "Skip" | "Skipf" | "SkipNow")
        || !tokens.is(at + 1, "(")
        || at < 2
        || !tokens.is(at - 1, ".")
        || !tokens.any(at - 2, &HANDLES)
    {
        return None;
    }
    let deep = tokens.all.get(at).is_some_and(|t| t.indent > 4);
    if deep { Skip::sometimes(format!("t.{name}")) } else { Skip::always(format!("t.{name}")) }
}
