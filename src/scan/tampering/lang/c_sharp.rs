//! C#: xUnit, `NUnit`, `MSTest`, Fluent Assertions.
//!
//! Must never take a method without a test's attribute for one.

#![expect(
    clippy::case_sensitive_file_extension_comparisons,
    reason = "what is compared has been lowered, or the tool itself knows but this case"
)]

use crate::scan::tampering::assertion::Head;
use crate::scan::tampering::lex::{C_LIKE, Syntax, Tokens};

use super::{Lang, Role, Skip, Unit, after_dot, body, leads, stem};

/// C#.
pub const LANG: Lang = Lang {
    name: "c-sharp",
    syntax: Syntax { verbatim: true, triple: true, ..C_LIKE },
    endings: &["cs"],
    is_test,
    marks: &["[Fact", "[Theory", "[TestMethod]", "[TestCase"],
    units,
    head,
    skip,
};

fn is_test(path: &str) -> bool {
    let stem = stem(path);
    let folder = path.rsplit_once('/').is_some_and(|(dirs, _)| {
        dirs.split('/')
            .any(|dir| dir.ends_with(".tests") || dir.ends_with(".test") || matches!(dir, "test" | "tests"))
    });
    stem.ends_with("tests")
        || (stem.ends_with("test") && !stem.ends_with("protest") && !stem.ends_with("latest"))
        || folder
}

const TESTS: [&str; 7] =
    ["Fact", "Theory", "Test", "TestMethod", "TestCase", "DataTestMethod", "TestCaseSource"];

fn units(tokens: &Tokens<'_>) -> Vec<Unit> {
    let (mut units, mut attributes, mut at) = (Vec::new(), None, 0);
    while at < tokens.all.len() {
        if tokens.is(at, "[") && tokens.all.get(at).is_some_and(|t| t.first) {
            attributes = attributes.or(Some(at));
            at = tokens.close(at).unwrap_or(at) + 1;
            continue;
        }
        if tokens.any(at, &[";", "{", "}"]) {
            attributes = None;
        }
        if tokens.any(at, &["class", "record", "struct"]) {
            let from = attributes.take().unwrap_or(at);
            if let Some((name, body)) = tokens.name(at + 1).zip(body(tokens, at + 1)) {
                units.push(Unit {
                    name: name.into(),
                    role: Role::Group,
                    tokens: from..body.end,
                    at: at + 1,
                    rows: 1,
                    body: body.clone(),
                });
                at = body.start + 1;
                continue;
            }
        }
        let named = tokens.name(at).filter(|n| {
            !matches!(
                *n,
                "if" | "for" | "foreach" | "while" | "switch" | "catch" | "using" | "lock" | "return" | "new"
            )
        });
        let method = tokens.is(at + 1, "(")
            && at > 0
            && (tokens
                .name(at - 1)
                .is_some_and(|n| !matches!(n, "return" | "new" | "await" | "throw" | "else"))
                || tokens.any(at - 1, &[">", "]"]));
        if let (true, Some(name), Some(body)) = (method, named, body(tokens, at)) {
            let from = attributes.take().unwrap_or(at);
            let test =
                (from..at).any(|n| tokens.any(n, &TESTS) && tokens.any(n.wrapping_sub(1), &["[", ","]));
            let rows =
                (from..at).filter(|n| tokens.any(*n, &["InlineData", "TestCase", "DataRow"])).count().max(1);
            let next = body.end;
            let role = if test { Role::Test } else { Role::Helper };
            units.push(Unit { name: name.into(), role, tokens: from..body.end, body, at, rows });
            at = next;
            continue;
        }
        at += 1;
    }
    units
}

fn head(tokens: &Tokens<'_>, at: usize) -> Option<(Head, bool)> {
    let name = tokens.name(at)?;
    let dot = after_dot(tokens, at);
    match name {
        "Assert" | "CollectionAssert" | "StringAssert" if !dot && tokens.is(at + 1, ".") => {
            Some((Head::Chain, false))
        }
        "Should" if dot && tokens.is(at + 1, "(") => Some((Head::Infix, false)),
        "ShouldBe" | "ShouldNotBe" | "ShouldBeTrue" | "Verify" | "Received"
            if dot && tokens.is(at + 1, "(") =>
        {
            Some((Head::Infix, false))
        }
        _ if leads(name, &["assert", "verify"])
            && name.len() > 6
            && tokens.is(at + 1, "(")
            && !dot
            && super::body(tokens, at).is_none() =>
        {
            Some((Head::Helper, false))
        }
        _ => None,
    }
}

fn skip(tokens: &Tokens<'_>, at: usize) -> Option<Skip> {
    let name = tokens.name(at)?;
    match name {
        "Skip" if tokens.is(at + 1, "=") && (at.saturating_sub(12)..at).any(|n| tokens.any(n, &TESTS)) => {
            Skip::always("Skip =")
        }
        "Ignore" | "Explicit"
            if tokens.any(at.wrapping_sub(1), &["[", ","]) && tokens.any(at + 1, &["(", "]", ","]) =>
        {
            Skip::always(format!("[{name}]"))
        }
        "Ignore" | "Inconclusive" if after_dot(tokens, at) && tokens.is(at - 2, "Assert") => {
            Skip::sometimes(format!("Assert.{name}"))
        }
        _ => None,
    }
}
