//! PHP: `PHPUnit`, Pest.
//!
//! Must never take a method that is not public API of a runner for a test.

use crate::scan::tampering::assertion::Head;
use crate::scan::tampering::lex::{C_LIKE, Kind, Syntax, Tokens};

use super::{Lang, Role, Skip, Unit, after_dot, below, body, inner, leads, stem};

/// PHP.
pub const LANG: Lang = Lang {
    name: "php",
    syntax: Syntax { hash: true, single: true, php: true, ..C_LIKE },
    endings: &["php", "phpt"],
    is_test: |path| {
        (stem(path).ends_with("test") && !stem(path).ends_with("latest")) || below(path, &["tests", "test"])
    },
    marks: &[],
    units,
    head,
    skip,
};

fn units(tokens: &Tokens<'_>) -> Vec<Unit> {
    let (mut units, mut attributes) = (Vec::new(), None);
    for at in 0..tokens.all.len() {
        if tokens.is(at, "#") && tokens.is(at + 1, "[") {
            attributes = Some(at);
        }
        if tokens.any(at, &[";", "}"]) {
            attributes = None;
        }
        if tokens.is(at, "class")
            && !after_dot(tokens, at)
            && let Some((name, body)) = tokens.name(at + 1).zip(body(tokens, at + 1))
        {
            units.push(Unit {
                name: name.into(),
                role: Role::Group,
                tokens: at..body.end,
                at: at + 1,
                rows: 1,
                body,
            });
        }
        if tokens.is(at, "function")
            && let Some((name, body)) = tokens.name(at + 1).zip(body(tokens, at + 1))
        {
            let from = attributes.take().unwrap_or(at);
            let marked = (from..at).any(|n| tokens.is(n, "Test")) || documented(tokens, at);
            let role = if marked || leads(name, &["test"]) { Role::Test } else { Role::Helper };
            units.push(Unit { name: name.into(), role, tokens: from..body.end, body, at: at + 1, rows: 1 });
        }
        if tokens.any(at, &["it", "test", "describe"])
            && tokens.is(at + 1, "(")
            && tokens.kind(at + 2) == Some(Kind::Text)
            && !after_dot(tokens, at)
            && let Some(close) = tokens.close(at + 1)
        {
            let role = if tokens.is(at, "describe") { Role::Group } else { Role::Test };
            // `->skip()` follows.
            let mut end = close + 1;
            while tokens.is(end, "->") && tokens.is(end + 2, "(") {
                end = tokens.close(end + 2).unwrap_or(end + 2) + 1;
            }
            units.push(Unit {
                name: inner(tokens, at + 2),
                role,
                tokens: at..end,
                body: at + 3..close,
                at,
                rows: 1,
            });
        }
    }
    units
}

/// Tells whether the comment right before a method says `@test`.
fn documented(tokens: &Tokens<'_>, at: usize) -> bool {
    let Some(start) = tokens.all.get(at).map(|t| t.start) else { return false };
    let near = tokens.comments.partition_point(|c| c.start < start);
    near.checked_sub(1).and_then(|n| tokens.comments.get(n)).is_some_and(|comment| {
        let text = tokens.text.get(comment.clone()).unwrap_or_default();
        start.saturating_sub(comment.end) < 60 && memchr::memmem::find(text, b"@test").is_some()
    })
}

fn head(tokens: &Tokens<'_>, at: usize) -> Option<(Head, bool)> {
    let name = tokens.name(at)?;
    if !tokens.is(at + 1, "(") || tokens.is(at.wrapping_sub(1), "function") {
        return None;
    }
    let dot = after_dot(tokens, at);
    match name {
        "expect" if !dot => Some((Head::Chain, false)),
        "fail" if dot && tokens.any(at - 2, &["$this", "self", "static"]) => Some((Head::Chain, false)),
        _ if leads(name, &["assert", "expectException", "expectNotice"]) => Some((Head::Chain, false)),
        _ => None,
    }
}

fn skip(tokens: &Tokens<'_>, at: usize) -> Option<Skip> {
    let name = tokens.name(at)?;
    match name {
        "markTestSkipped" | "markTestIncomplete" if tokens.is(at + 1, "(") => {
            let deep = tokens.all.get(at).is_some_and(|t| t.indent > 8);
            if deep { Skip::sometimes(name) } else { Skip::always(name) }
        }
        "skip" | "todo"
            if tokens.is(at.wrapping_sub(1), "->")
                && tokens.is(at + 1, "(")
                && tokens.is(at.wrapping_sub(2), ")") =>
        {
            Skip::always(format!("->{name}()"))
        }
        "only" if tokens.is(at.wrapping_sub(1), "->") && tokens.is(at + 1, "(") && tokens.is(at + 2, ")") => {
            Skip::only("->only()")
        }
        _ => None,
    }
}
