//! The languages tests are written in: one file each says where a test begins, what asserts and what skips.
//!
//! Must never take a file for a test that the language's runners would not.

#![expect(clippy::unnecessary_wraps, reason = "they end a chain of maybes in every language")]

mod c_sharp;
mod generic;
mod go;
mod javascript;
mod jvm;
mod php;
mod python;
mod ruby;
mod rust;

use std::ops::Range;

use super::assertion::Head;
use super::lex::{Syntax, Tokens};

/// A language.
#[derive(Clone, Copy, Debug)]
pub struct Lang {
    /// Its name in facts.
    pub name: &'static str,
    /// Its tokens.
    pub syntax: Syntax,
    /// Endings of its files.
    pub endings: &'static [&'static str],
    /// Tells by the path in lower case whether a file holds tests.
    pub is_test: fn(&str) -> bool,
    /// What is in a file that may hold tests though its path does not say so.
    pub marks: &'static [&'static str],
    /// Finds tests, groups of them, and helpers.
    pub units: fn(&Tokens<'_>) -> Vec<Unit>,
    /// Tells whether an assertion begins at a token, and whether its first argument is the test itself.
    pub head: fn(&Tokens<'_>, usize) -> Option<(Head, bool)>,
    /// Tells whether something at a token keeps a test from running.
    pub skip: fn(&Tokens<'_>, usize) -> Option<Skip>,
}

/// What a part of a test file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A test.
    Test,
    /// A class or block of tests.
    Group,
    /// A function that tests may call.
    Helper,
}

/// A part of a test file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Its name, without that of the group around it.
    pub name: String,
    /// What it is.
    pub role: Role,
    /// Its tokens, attributes before it included.
    pub tokens: Range<usize>,
    /// Its body.
    pub body: Range<usize>,
    /// The token that names it.
    pub at: usize,
    /// How many rows of data it runs over.
    pub rows: usize,
}

/// Something that keeps a test from running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skip {
    /// How it is written.
    pub word: String,
    /// Whether it holds always.
    pub always: bool,
    /// Whether it keeps the others from running.
    pub only: bool,
}

impl Skip {
    fn always(word: impl Into<String>) -> Option<Self> {
        Some(Self { word: word.into(), always: true, only: false })
    }

    fn sometimes(word: impl Into<String>) -> Option<Self> {
        Some(Self { word: word.into(), always: false, only: false })
    }

    fn only(word: impl Into<String>) -> Option<Self> {
        Some(Self { word: word.into(), always: true, only: true })
    }
}

/// Every language; the last takes what no other does.
pub static LANGS: &[&Lang] = &[
    &python::LANG,
    &javascript::LANG,
    &go::LANG,
    &rust::LANG,
    &jvm::LANG,
    &c_sharp::LANG,
    &ruby::LANG,
    &php::LANG,
    &generic::LANG,
];

/// Returns the language of a file.
pub fn of_path(path: &str) -> Option<&'static Lang> {
    let (_, ending) = path.rsplit('/').next()?.rsplit_once('.')?;
    LANGS.iter().copied().find(|lang| lang.endings.iter().any(|e| e.eq_ignore_ascii_case(ending)))
}

/// Tells whether a file holds tests.
pub fn holds_tests(lang: &Lang, path: &str, text: &[u8]) -> bool {
    (lang.is_test)(&path.to_ascii_lowercase())
        || lang.marks.iter().any(|mark| memchr::memmem::find(text, mark.as_bytes()).is_some())
}

/// Tells whether a folder of a path has one of these names.
fn below(path: &str, folders: &[&str]) -> bool {
    path.rsplit_once('/').is_some_and(|(dirs, _)| dirs.split('/').any(|dir| folders.contains(&dir)))
}

/// Returns the last part of a path without its last ending.
fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// Returns the inside of a text token.
fn inner(tokens: &Tokens<'_>, at: usize) -> String {
    let word = tokens.word(at);
    let cut = word.iter().position(|b| matches!(b, b'"' | b'\'' | b'`')).map_or(0, |n| n + 1);
    let text = word.get(cut..word.len().saturating_sub(1).max(cut)).unwrap_or_default();
    String::from_utf8_lossy(text).chars().take(120).collect()
}

/// Finds the body in braces of a function whose name is at a token: past its parameters, before the next statement.
fn body(tokens: &Tokens<'_>, at: usize) -> Option<Range<usize>> {
    let mut next = at + 1;
    while next < at + 60 {
        if tokens.is(next, "{") {
            return Some(next..tokens.close(next)? + 1);
        }
        if tokens.any(next, &[";", "}"]) || tokens.word(next).is_empty() {
            return None;
        }
        next = tokens.close(next).unwrap_or(next) + 1;
    }
    None
}

/// Tells whether the token before is a dot of some kind.
fn after_dot(tokens: &Tokens<'_>, at: usize) -> bool {
    at > 0 && tokens.any(at - 1, &[".", "->", "?.", "::", "&."])
}

/// Tells whether a name starts with one of these, in any case.
fn leads(name: &str, leads: &[&str]) -> bool {
    leads.iter().any(|lead| name.get(..lead.len()).is_some_and(|head| head.eq_ignore_ascii_case(lead)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_tell_tests_from_code() {
        let is = |path: &str| of_path(path).is_some_and(|lang| (lang.is_test)(&path.to_ascii_lowercase()));
        for path in [
            "tests/test_a.py",
            "a/a_test.py",
            "conftest.py",
            "src/a.test.ts",
            "a.spec.jsx",
            "__tests__/a.js",
            "test/a.mjs",
            "a_test.go",
            "tests/it.rs",
            "src/test/java/A.java",
            "src/ATest.kt",
            "A.Tests/B.cs",
            "spec/a_spec.rb",
            "test/a_test.rb",
            "tests/ATest.php",
            "a/FooTests.swift",
            "test/foo_test.cc",
            "test/a_test.exs",
        ] {
            assert!(is(path), "{path}");
        }
        for path in [
            "src/a.py",
            "contest.py",
            "src/latest.ts",
            "attest.go",
            "src/lib.rs",
            "src/main/java/Testimony.java",
            "Protest.cs",
            "lib/a.rb",
            "README.md",
        ] {
            assert!(!is(path), "{path}");
        }
    }
}
