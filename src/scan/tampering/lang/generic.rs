//! Other languages with braces: C, C++, Swift, Dart, Scala-like; a file is one test, and what looks like an assertion is one.
//!
//! Must never be surer than medium.

use crate::scan::tampering::assertion::Head;
use crate::scan::tampering::lex::{C_LIKE, Tokens};

use super::{Lang, Role, Skip, Unit, after_dot, below, body, leads, stem};

/// Whatever else has tests.
pub const LANG: Lang = Lang {
    name: "generic",
    syntax: C_LIKE,
    endings: &[
        "c", "cc", "cpp", "cxx", "h", "hpp", "m", "mm", "swift", "dart", "ex", "exs", "zig", "lua", "jl",
        "d", "nim",
    ],
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
        || stem.ends_with("_tests")
        || stem.ends_with("tests")
        || stem.ends_with("_unittest")
        || below(path, &["test", "tests", "unittests"])
}

fn units(tokens: &Tokens<'_>) -> Vec<Unit> {
    let mut units = Vec::new();
    for at in 0..tokens.all.len() {
        if !tokens.any(
            at,
            &[
                "TEST",
                "TEST_F",
                "TEST_P",
                "TYPED_TEST",
                "TEST_CASE",
                "BOOST_AUTO_TEST_CASE",
                "func",
                "test",
                "testWidgets",
            ],
        ) {
            continue;
        }
        let Some((name, body)) = (match tokens.word(at) {
            b"func" => tokens
                .name(at + 1)
                .filter(|name| name.starts_with("test"))
                .map(str::to_owned)
                .zip(body(tokens, at + 1)),
            b"test" | b"testWidgets" => {
                tokens.close(at + 1).map(|close| (tokens.norm(at + 2..at + 3), at + 1..close + 1))
            }
            _ => tokens
                .close(at + 1)
                .map(|close| tokens.norm(at + 2..close.min(at + 40)))
                .zip(body(tokens, at)),
        }) else {
            continue;
        };
        units.push(Unit { name, role: Role::Test, tokens: at..body.end, body, at, rows: 1 });
    }
    units
}

fn head(tokens: &Tokens<'_>, at: usize) -> Option<(Head, bool)> {
    let name = tokens.name(at)?;
    let call = tokens.is(at + 1, "(")
        && !after_dot(tokens, at)
        && !tokens.any(at.wrapping_sub(1), &["void", "define", "func"]);
    (call
        && (leads(name, &["assert", "expect", "require", "xctassert", "check_", "ck_assert"])
            || name == "CHECK"))
        .then_some((Head::Chain, false))
}

fn skip(tokens: &Tokens<'_>, at: usize) -> Option<Skip> {
    let name = tokens.name(at)?;
    match name {
        "GTEST_SKIP" | "XCTSkip" => Skip::sometimes(name),
        _ if name.starts_with("DISABLED_") => Skip::always("DISABLED_"),
        _ => None,
    }
}
