//! Ruby: rspec, minitest, test-unit.
//!
//! Must never look for an `end` by counting: a block ends where its first line's indentation comes back.

use crate::scan::tampering::assertion::Head;
use crate::scan::tampering::lex::{C_LIKE, Kind, Syntax, Tokens};

use super::{Lang, Role, Skip, Unit, after_dot, below, inner, stem};

/// Ruby.
pub const LANG: Lang = Lang {
    name: "ruby",
    syntax: Syntax { hash: true, slashes: false, single: true, regex: true, ruby: true, ..C_LIKE },
    endings: &["rb"],
    is_test: |path| {
        stem(path).ends_with("_spec")
            || stem(path).ends_with("_test")
            || stem(path).starts_with("test_")
            || below(path, &["spec", "test"])
    },
    marks: &[],
    units,
    head,
    skip,
};

const TESTS: [&str; 7] = ["it", "test", "specify", "scenario", "xit", "fit", "example"];
const GROUPS: [&str; 9] =
    ["describe", "context", "feature", "xdescribe", "fdescribe", "xcontext", "fcontext", "class", "module"];

fn units(tokens: &Tokens<'_>) -> Vec<Unit> {
    let mut units = Vec::new();
    for at in 0..tokens.all.len() {
        let Some(token) = tokens.all.get(at) else { break };
        let at = if token.first && tokens.is(at, "RSpec") && tokens.is(at + 1, ".") { at + 2 } else { at };
        if !token.first {
            continue;
        }
        let Some(word) = tokens.name(at) else { continue };
        let (role, name, named) = match word {
            "def" => match tokens.name(at + 1) {
                Some(name) if name.starts_with("test_") => (Role::Test, name.to_owned(), at + 1),
                Some(name) => (Role::Helper, name.to_owned(), at + 1),
                None => continue,
            },
            _ if TESTS.contains(&word) || GROUPS.contains(&word) => {
                let role = if GROUPS.contains(&word) { Role::Group } else { Role::Test };
                let first = if tokens.is(at + 1, "(") { at + 2 } else { at + 1 };
                let name = match tokens.kind(first) {
                    Some(Kind::Text) => inner(tokens, first),
                    Some(Kind::Name) if role == Role::Group => {
                        tokens.name(first).unwrap_or_default().to_owned()
                    }
                    _ => String::new(),
                };
                (role, name, at)
            }
            _ => continue,
        };
        let end = block_end(tokens, at);
        units.push(Unit { name, role, tokens: at..end, body: (named + 1).min(end)..end, at: named, rows: 1 });
    }
    units
}

fn block_end(tokens: &Tokens<'_>, at: usize) -> usize {
    let (indent, line) = tokens.all.get(at).map_or((0, 0), |t| (t.indent, t.line));
    let mut end = at + 1;
    while let Some(token) = tokens.all.get(end) {
        let clause =
            token.indent == indent && tokens.any(end, &["rescue", "ensure", "else", "elsif", "when"]);
        if token.first && token.line > line && token.indent <= indent && !clause {
            return if tokens.any(end, &["end", "}"]) { end + 1 } else { end };
        }
        end += 1;
    }
    tokens.all.len()
}

fn head(tokens: &Tokens<'_>, at: usize) -> Option<(Head, bool)> {
    let name = tokens.name(at)?;
    if after_dot(tokens, at) {
        return (name.starts_with("must_")
            || name.starts_with("wont_")
            || (matches!(name, "should" | "should_not") && tokens.kind(at + 1) != Some(Kind::Mark)))
        .then_some((Head::Infix, false));
    }
    if tokens.is(at.wrapping_sub(1), "def") || tokens.any(at + 1, &["=", "."]) {
        return None;
    }
    match name {
        "expect" | "is_expected" if tokens.any(at + 1, &["(", "{", "."]) => Some((Head::Chain, false)),
        "flunk" => Some((Head::Command, false)),
        _ if name.starts_with("assert") || name.starts_with("refute") => {
            Some((if tokens.is(at + 1, "(") { Head::Chain } else { Head::Command }, false))
        }
        _ => None,
    }
}

fn skip(tokens: &Tokens<'_>, at: usize) -> Option<Skip> {
    let name = tokens.name(at)?;
    let first = tokens.all.get(at).is_some_and(|t| t.first);
    match name {
        "skip" | "pending" | "omit" if first && !tokens.any(at + 1, &["=", "."]) => {
            // `skip "..." if windows?`
            let line = tokens.all.get(at).map(|t| t.line);
            let guarded = (at..at + 30)
                .take_while(|n| tokens.all.get(*n).map(|t| t.line) == line)
                .any(|n| tokens.any(n, &["if", "unless"]))
                || is_guarded(tokens, at);
            if guarded { Skip::sometimes(name) } else { Skip::always(name) }
        }
        "xit" | "xdescribe" | "xcontext" | "xspecify" if first => Skip::always(name),
        "fit" | "fdescribe" | "fcontext" if first => Skip::only(name),
        "skip" | "pending" if !first && tokens.is(at + 1, ":") && tokens.is(at.wrapping_sub(1), ",") => {
            Skip::always(format!("{name}:"))
        }
        "focus" if tokens.is(at + 1, ":") && tokens.is(at + 2, "true") => Skip::only("focus: true"),
        _ => None,
    }
}

/// Tells whether the statement at a token stands in a condition or in what handles an error.
fn is_guarded(tokens: &Tokens<'_>, at: usize) -> bool {
    const FAR: usize = 500;
    let Some(own) = tokens.all.get(at).map(|t| t.indent) else { return false };
    let outer = (at.saturating_sub(FAR)..at)
        .rev()
        .find(|back| tokens.all.get(*back).is_some_and(|t| t.first && t.indent < own));
    outer.is_some_and(|outer| tokens.any(outer, &["if", "unless", "rescue", "else", "elsif", "when", "case"]))
}
