//! Code in tests that makes the result instead of finding it: reports rewritten, the run ended with success, checks replaced.
//!
//! Must never report what was there before.

use std::collections::BTreeMap;
use std::ops::Range;

use super::OUTCOME;
use super::compare::Sides;
use super::lex::{Kind, Tokens};
use super::model::TestFile;
use crate::scan::{Confidence, Found};

struct Seen {
    kind: &'static str,
    what: String,
    range: Range<usize>,
    sure: Confidence,
}

/// Looks at one test file.
pub fn look(side: &Sides<'_>, sink: &mut dyn FnMut(&str, Found)) {
    let Some(after) = &side.after else { return };
    let mut had: BTreeMap<String, usize> = BTreeMap::new();
    for seen in side.before.as_ref().map(|file| find(side.path, file)).unwrap_or_default() {
        *had.entry(seen.what).or_default() += 1;
    }
    for seen in find(side.path, after) {
        if let Some(left) = had.get_mut(&seen.what).filter(|left| **left > 0) {
            *left -= 1;
            continue;
        }
        let message = match seen.kind {
            "exit" => format!("`{}` ends the tests with success", seen.what),
            "report" => format!("`{}` rewrites the results of tests", seen.what),
            "equal" => format!("`{}` is equal to everything", seen.what),
            _ => format!("`{}` replaces what tests check with", seen.what),
        };
        let found = Found::plain(OUTCOME, seen.range, message, &seen.what, seen.sure);
        sink(side.path, found.with("kind", seen.kind).with("language", after.lang.name));
    }
}

fn find(path: &str, file: &TestFile<'_>) -> Vec<Seen> {
    let tokens = &file.tokens;
    let setup = is_setup(path);
    let mut seen = Vec::new();
    for at in 0..tokens.all.len() {
        let Some(name) = tokens.name(at) else { continue };
        let found = match file.lang.name {
            "python" => python(tokens, at, name, setup),
            "javascript" => javascript(tokens, at, name, setup),
            "go" => (name == "Exit" && owned(tokens, at, "os") && zero(tokens, at)).then(|| {
                // A test that is run again as another program ends like one.
                let sure = if in_main(file, at) { Confidence::High } else { Confidence::Medium };
                ("exit", "os.Exit(0)".to_owned(), sure)
            }),
            "rust" => rust(tokens, at, name),
            "jvm" => (matches!(name, "exit" | "exitProcess" | "halt") && zero(tokens, at))
                .then(|| ("exit", format!("{name}(0)"), Confidence::Medium)),
            "c-sharp" => (name == "Exit" && owned(tokens, at, "Environment") && zero(tokens, at))
                .then(|| ("exit", "Environment.Exit(0)".to_owned(), Confidence::High)),
            "ruby" => (matches!(name, "exit" | "exit!")
                && (tokens.is(at + 1, "0") || zero(tokens, at) || name == "exit!")
                && !tokens.is(at.wrapping_sub(1), "def"))
            .then(|| ("exit", name.to_owned(), Confidence::Medium)),
            "php" => (matches!(name, "exit" | "die") && zero(tokens, at))
                .then(|| ("exit", format!("{name}(0)"), Confidence::Medium)),
            _ => None,
        };
        if let (Some((kind, what, sure)), Some(token)) = (found, tokens.all.get(at)) {
            seen.push(Seen { kind, what, range: token.start..token.end, sure });
        }
    }
    seen
}

/// Tells whether a file acts on all tests.
fn is_setup(path: &str) -> bool {
    let low = path.to_ascii_lowercase();
    let name = low.rsplit('/').next().unwrap_or_default();
    name == "conftest.py"
        || name.contains("setup")
        || name.contains("global")
        || name.starts_with("jest.")
        || name.starts_with("vitest.")
        || name.contains("helper")
}

/// Tells whether a token is in what runs around all tests of a Go package.
fn in_main(file: &TestFile<'_>, at: usize) -> bool {
    let start = file.tokens.all.get(at).map_or(0, |t| t.start);
    let around = file.tests.iter().filter(|test| !test.own.is_empty() && test.place.start < start);
    around
        .max_by_key(|test| test.place.start)
        .is_some_and(|test| matches!(test.own.as_str(), "TestMain" | "init"))
}

fn owned(tokens: &Tokens<'_>, at: usize, owner: &str) -> bool {
    at > 1 && tokens.is(at - 1, ".") && tokens.is(at - 2, owner)
}

fn zero(tokens: &Tokens<'_>, at: usize) -> bool {
    tokens.is(at + 1, "(") && tokens.is(at + 2, "0") && tokens.is(at + 3, ")")
}

type Hit = Option<(&'static str, String, Confidence)>;

fn python(tokens: &Tokens<'_>, at: usize, name: &str, setup: bool) -> Hit {
    let indent = tokens.all.get(at).map_or(0, |t| t.indent);
    let sure = if setup || indent == 0 { Confidence::High } else { Confidence::Medium };
    match name {
        "_exit" if owned(tokens, at, "os") && zero(tokens, at) => Some(("exit", "os._exit(0)".into(), sure)),
        // A fake command in a test may end well; the module or a hook may not.
        "exit" if owned(tokens, at, "sys") && zero(tokens, at) && (setup || indent == 0) => {
            Some(("exit", "sys.exit(0)".into(), sure))
        }
        "pytest_runtest_makereport"
        | "pytest_report_teststatus"
        | "pytest_runtest_logreport"
        | "pytest_sessionfinish"
        | "pytest_collection_modifyitems"
            if tokens.is(at.wrapping_sub(1), "def") =>
        {
            let end = tokens.block_end(at.saturating_sub(1));
            rewrites(tokens, at..end).then(|| ("report", name.to_owned(), Confidence::High))
        }
        "__eq__" if tokens.is(at.wrapping_sub(1), "def") => {
            let body = tokens.line_end(at);
            let end = tokens.block_end(at - 1);
            (end == body + 2 && tokens.is(body, "return") && tokens.is(body + 1, "True"))
                .then(|| ("equal", "def __eq__".into(), Confidence::Medium))
        }
        _ if name.starts_with("assert")
            && tokens.is(at + 1, "=")
            && tokens.is(at.wrapping_sub(1), ".")
            && at > 1 =>
        {
            let owner = tokens.name(at - 2)?;
            owner.ends_with("TestCase").then(|| ("check", format!("{owner}.{name} ="), Confidence::High))
        }
        _ => None,
    }
}

/// Tells whether a hook sets an outcome to passed, an exit status to 0, or takes tests away.
fn rewrites(tokens: &Tokens<'_>, mut range: Range<usize>) -> bool {
    range.any(|at| {
        let value = if tokens.is(at + 1, "=") { at + 2 } else { 0 };
        let passed = |at: usize| {
            tokens.kind(at) == Some(Kind::Text) && memchr::memmem::find(tokens.word(at), b"passed").is_some()
        };
        match tokens.word(at) {
            b"outcome" => value > 0 && passed(value),
            b"exitstatus" => value > 0 && tokens.any(value, &["0", "ExitCode"]),
            b"excinfo" => value > 0 && tokens.is(value, "None"),
            b"items" => {
                tokens.is(at + 1, ".") && tokens.is(at + 2, "clear")
                    || (tokens.is(at + 1, "[")
                        && tokens.is(at + 2, ":")
                        && tokens.is(at + 4, "=")
                        && tokens.is(at + 5, "[")
                        && tokens.is(at + 6, "]"))
            }
            b"force_result" => passed(at + 2),
            _ => false,
        }
    })
}

fn javascript(tokens: &Tokens<'_>, at: usize, name: &str, setup: bool) -> Hit {
    match name {
        "exit" if owned(tokens, at, "process") && zero(tokens, at) => {
            let outer = tokens.all.get(at).is_some_and(|t| t.indent == 0);
            let sure = if setup || outer { Confidence::High } else { Confidence::Medium };
            Some(("exit", "process.exit(0)".into(), sure))
        }
        "exitCode"
            if owned(tokens, at, "process") && tokens.is(at + 1, "=") && tokens.is(at + 2, "0") && setup =>
        {
            Some(("exit", "process.exitCode = 0".into(), Confidence::Medium))
        }
        "expect" | "assert"
            if tokens.is(at + 1, "=")
                && (owned(tokens, at, "global")
                    || owned(tokens, at, "globalThis")
                    || owned(tokens, at, "window")) =>
        {
            // `global.expect = chai.expect` brings the usual one.
            let value = (at + 2..at + 10)
                .take_while(|n| !tokens.is(*n, ";"))
                .any(|n| tokens.any(n, &["=>", "function", "Proxy", "{"]));
            value.then(|| ("check", format!("global.{name} ="), Confidence::High))
        }
        "toBe" | "toEqual" | "toStrictEqual"
            if tokens.any(at + 1, &[":", "("]) && tokens.any(at.wrapping_sub(1), &["{", ","]) =>
        {
            let inside = (at.saturating_sub(4)..at).any(|n| tokens.is(n, "extend"));
            inside.then(|| ("check", format!("expect.extend {name}"), Confidence::High))
        }
        _ => None,
    }
}

fn rust(tokens: &Tokens<'_>, at: usize, name: &str) -> Hit {
    match name {
        "exit"
            if zero(tokens, at)
                && tokens.is(at.wrapping_sub(1), "::")
                && tokens.is(at.wrapping_sub(2), "process") =>
        {
            Some(("exit", "process::exit(0)".into(), Confidence::Medium))
        }
        "assert" | "assert_eq" | "assert_ne"
            if tokens.is(at.wrapping_sub(1), "!") && tokens.is(at.wrapping_sub(2), "macro_rules") =>
        {
            Some(("check", format!("macro_rules! {name}"), Confidence::High))
        }
        _ => None,
    }
}
