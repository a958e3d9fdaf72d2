//! Java, Kotlin, Groovy and Scala: JUnit 3 to 6, `TestNG`, `AssertJ`, Truth, Hamcrest, Kotest.
//!
//! Must never take a method without a test's annotation for one, but `testX` as JUnit 3 does.

use crate::scan::tampering::assertion::Head;
use crate::scan::tampering::lex::{C_LIKE, Syntax, Tokens};

use super::{Lang, Role, Skip, Unit, after_dot, below, body, leads, stem};

/// Java and what runs beside it.
pub const LANG: Lang = Lang {
    name: "jvm",
    syntax: Syntax { triple: true, ..C_LIKE },
    endings: &["java", "kt", "kts", "groovy", "scala"],
    is_test,
    marks: &[],
    units,
    head,
    skip,
};

fn is_test(path: &str) -> bool {
    let stem = stem(path);
    ["test", "tests", "testcase", "spec"].iter().any(|end| stem.ends_with(end) && !stem.ends_with("latest"))
        && !stem.ends_with("contest")
        && !stem.ends_with("protest")
        && !stem.ends_with("attest")
        || path.contains("src/test/")
        || path.contains("src/androidtest/")
        || below(path, &["test", "tests"])
}

const TESTS: [&str; 8] = [
    "Test",
    "ParameterizedTest",
    "RepeatedTest",
    "TestFactory",
    "TestTemplate",
    "Theory",
    "Property",
    "Ignore",
];

fn units(tokens: &Tokens<'_>) -> Vec<Unit> {
    let (mut units, mut annotated) = (Vec::new(), None);
    let mut at = 0;
    while at < tokens.all.len() {
        if tokens.is(at, "@") && tokens.name(at + 1).is_some() {
            annotated = annotated.or(Some(at));
            at += 2;
            while tokens.is(at, ".") {
                at += 2;
            }
            at = if tokens.is(at, "(") { tokens.close(at).unwrap_or(at) + 1 } else { at };
            continue;
        }
        if tokens.any(at, &["class", "object", "interface"]) {
            let from = annotated.take().unwrap_or(at);
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
        if tokens.any(at, &[";", "{", "}"]) {
            annotated = None;
        }
        let kotlin = tokens.is(at.wrapping_sub(1), "fun");
        let named = tokens.name(at).filter(|n| {
            !matches!(
                *n,
                "if" | "for"
                    | "while"
                    | "switch"
                    | "catch"
                    | "synchronized"
                    | "try"
                    | "when"
                    | "return"
                    | "new"
                    | "super"
                    | "this"
            )
        });
        let method = named.is_some()
            && tokens.is(at + 1, "(")
            && (kotlin
                || (at > 0
                    && tokens.kind(at - 1).is_some()
                    && (tokens
                        .name(at - 1)
                        .is_some_and(|n| !matches!(n, "return" | "new" | "throw" | "else"))
                        || tokens.any(at - 1, &[">", "]"]))));
        if let (true, Some(name), Some(body)) = (method, named, body(tokens, at)) {
            let from = annotated.take().unwrap_or(at);
            let marked = (from..at).any(|n| tokens.is(n, "@") && tokens.any(n + 1, &TESTS));
            let role = if marked || leads(name, &["test"]) { Role::Test } else { Role::Helper };
            let next = body.end;
            units.push(Unit {
                name: name.into(),
                role,
                tokens: from..body.end,
                rows: rows(tokens, from, at),
                body,
                at,
            });
            at = next;
            continue;
        }
        at += 1;
    }
    units
}

fn rows(tokens: &Tokens<'_>, from: usize, to: usize) -> usize {
    (from..to)
        .filter(|at| tokens.any(*at, &["CsvSource", "ValueSource", "EnumSource"]))
        .filter_map(|at| (at..to).find(|n| tokens.is(*n, "{")))
        .map(|open| tokens.arguments(open).len())
        .max()
        .unwrap_or(1)
        .max(1)
}

fn head(tokens: &Tokens<'_>, at: usize) -> Option<(Head, bool)> {
    let name = tokens.name(at)?;
    let dot = after_dot(tokens, at);
    if name == "expected"
        && tokens.is(at + 1, "=")
        && (at.saturating_sub(3)..at).any(|n| tokens.is(n, "Test"))
    {
        return Some((Head::Attribute(at + 2..at + 5), false));
    }
    // Kotest: `x shouldBe y`.
    if leads(name, &["should"])
        && !dot
        && !tokens.is(at + 1, "(")
        && at > 0
        && tokens.all.get(at).is_some_and(|t| !t.first)
    {
        return Some((Head::Infix, false));
    }
    let called = tokens.any(at + 1, &["(", "{", "<"]);
    if !called
        || tokens.any(at.wrapping_sub(1), &["fun", "void", "boolean", "static"])
        || tokens.name(at.wrapping_sub(1)).is_some_and(|n| {
            n != "return"
                && n != "else"
                && n != "do"
                && tokens.is(at + 1, "(")
                && super::body(tokens, at).is_some()
        })
    {
        return None;
    }
    match name {
        _ if leads(name, &["assert"]) => Some((Head::Chain, false)),
        "fail" | "verify" | "expect" | "expectThat" | "verifyNoMoreInteractions" | "verifyNoInteractions"
            if !dot =>
        {
            Some((Head::Chain, false))
        }
        "andExpect" | "expectStatus" | "expectBody" | "expectNext" | "jsonPath" if dot => {
            Some((Head::Link, false))
        }
        _ => None,
    }
}

fn skip(tokens: &Tokens<'_>, at: usize) -> Option<Skip> {
    let name = tokens.name(at)?;
    let annotation = at > 0 && tokens.is(at - 1, "@");
    match name {
        "Disabled" | "Ignore" | "Ignored" if annotation => Skip::always(format!("@{name}")),
        "enabled" if tokens.is(at + 1, "=") && tokens.is(at + 2, "false") => Skip::always("enabled = false"),
        _ if annotation
            && (name.starts_with("DisabledOn")
                || name.starts_with("DisabledIf")
                || name.starts_with("EnabledOn")
                || name.starts_with("EnabledIf")) =>
        {
            Skip::sometimes(format!("@{name}"))
        }
        "assumeTrue" | "assumeFalse" | "assumeThat" if tokens.is(at + 1, "(") => {
            if tokens.any(at + 2, &["false", "true"]) && tokens.is(at + 3, ")") {
                Skip::always(name)
            } else {
                Skip::sometimes(name)
            }
        }
        _ => None,
    }
}
