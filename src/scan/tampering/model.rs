//! A test file as tests with assertions, skips and everything else.
//!
//! Must never hold a test twice: what is in a test within a group is the test's.

#![expect(
    clippy::items_after_statements,
    clippy::similar_names,
    reason = "limits stand beside what they limit; a test and its tests"
)]

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::Range;

use super::assertion::{self, Assertion, Head};
use super::lang::{Lang, Role, Skip, Unit};
use super::lex::{Kind, Tokens, lex};

/// A test, a group, a helper, or what is in none of them.
#[derive(Debug)]
pub struct Test {
    /// Its name, the names of the groups around it before it.
    pub name: String,
    /// Its own name.
    pub own: String,
    /// What it is.
    pub role: Role,
    /// Where it is named.
    pub place: Range<usize>,
    /// Its assertions.
    pub assertions: Vec<Assertion>,
    /// What keeps it from running, with the place.
    pub skips: Vec<(Skip, Range<usize>)>,
    /// Values that are named as expected: what they belong to, the value, the place.
    pub bindings: Vec<(String, String, Range<usize>)>,
    /// The lines that assert nothing, as digests, sorted.
    pub rest: Vec<u64>,
    /// Its names, and the words of its texts.
    pub words: BTreeSet<String>,
    /// How many rows of data it runs over.
    pub rows: usize,
}

/// A file of tests.
#[derive(Debug)]
pub struct TestFile<'a> {
    /// The language.
    pub lang: &'static Lang,
    /// Its tokens.
    pub tokens: Tokens<'a>,
    /// What is in it.
    pub tests: Vec<Test>,
}

/// Assertions are read in the arguments of others up to here.
const DEEPEST: usize = 16;

impl<'a> TestFile<'a> {
    /// Reads a file.
    pub fn read(lang: &'static Lang, text: &'a [u8]) -> Self {
        let tokens = lex(text, lang.syntax);
        let mut units = (lang.units)(&tokens);
        units.sort_by_key(|unit| (unit.tokens.start, std::cmp::Reverse(unit.tokens.end)));
        let owners = owners(&units, tokens.all.len());
        let dead = dead(lang, &tokens, &units);
        let mut tests = shells(&tokens, &units);
        let heads = heads(lang, &tokens, &units, &owners);
        let mut covered = vec![false; tokens.all.len()];
        // Where the assertions end that this one is an argument of.
        let mut around: Vec<usize> = Vec::new();
        for (at, head, handed) in heads {
            around.retain(|end| *end > at);
            // The outer ones have its text: nothing is lost but time.
            if around.len() >= DEEPEST || (!around.is_empty() && head == Head::Helper) {
                continue;
            }
            let mut found = assertion::read(&tokens, at, &head, handed);
            around.push(found.end);
            found.dead = dead.get(at).copied().unwrap_or(false);
            // What the call is a method of belongs to it.
            let mut from = found.at;
            while from > 1
                && tokens.any(from - 1, &[".", "->", "::", "?."])
                && tokens.name(from - 2).is_some()
            {
                from -= 2;
            }
            for mark in covered.get_mut(from..found.end.max(from)).unwrap_or_default() {
                *mark = true;
            }
            if let Some(test) = owners.get(at).and_then(|owner| tests.get_mut(*owner)) {
                test.assertions.push(found);
            }
        }
        // Values within values are walked again and again: up to so many tokens.
        let mut budget = tokens.all.len().saturating_mul(4) + 4_096;
        for at in 0..tokens.all.len() {
            let Some(test) = owners.get(at).and_then(|owner| tests.get_mut(*owner)) else { continue };
            if let Some(skip) = (lang.skip)(&tokens, at) {
                let range = tokens.all.get(at).map_or(0..0, |t| t.start..t.end);
                test.skips.push((skip, range));
                covered[at] = true;
            }
            if let Some((key, value, range)) = binding(&tokens, at, test.bindings.len(), &mut budget) {
                for mark in covered.get_mut(at..range.end).unwrap_or_default() {
                    *mark = true;
                }
                let bytes = tokens.all.get(at).map_or(0..0, |t| t.start..t.end);
                test.bindings.push((key, value, bytes));
            }
        }
        fill(&tokens, &owners, &covered, &mut tests);
        Self { lang, tokens, tests }
    }

    /// Returns the bytes of an assertion's first line.
    pub fn place(&self, assertion: &Assertion) -> Range<usize> {
        let start = self.tokens.all.get(assertion.at).map_or(0, |t| t.start);
        let last = assertion.end.max(assertion.at + 1) - 1;
        start..self.tokens.all.get(last).map_or(start, |t| t.end)
    }
}

/// Tells for each token which unit it is in: the innermost; one past the last where it is in none.
fn owners(units: &[Unit], len: usize) -> Vec<usize> {
    let mut owners = vec![units.len(); len];
    let mut open: Vec<usize> = Vec::new();
    let mut next = 0;
    for (at, owner) in owners.iter_mut().enumerate() {
        while open.last().is_some_and(|top| units.get(*top).is_none_or(|u| u.tokens.end <= at)) {
            open.pop();
        }
        while units.get(next).is_some_and(|u| u.tokens.start <= at) {
            // A helper or a test within a test is part of it.
            let within = open.last().is_some_and(|top| {
                units.get(*top).is_some_and(|u| u.role != Role::Group)
                    && units.get(next).is_some_and(|u| u.role != Role::Test)
            });
            if !within && units.get(next).is_some_and(|u| u.tokens.end > at) {
                open.push(next);
            }
            next += 1;
        }
        if let Some(top) = open.last() {
            *owner = *top;
        }
    }
    owners
}

fn shells(tokens: &Tokens<'_>, units: &[Unit]) -> Vec<Test> {
    let mut tests = Vec::with_capacity(units.len() + 1);
    let mut groups: Vec<&Unit> = Vec::new();
    for unit in units {
        groups.retain(|group| group.tokens.end > unit.tokens.start);
        let mut name = String::new();
        for group in &groups {
            name.push_str(&group.name);
            name.push_str(" > ");
        }
        name.push_str(&unit.name);
        let place = tokens.all.get(unit.at).map_or(0..0, |t| t.start..t.end);
        tests.push(test(name, unit.name.clone(), unit.role, place, unit.rows));
        if unit.role == Role::Group {
            groups.push(unit);
            let deepest = groups.len().saturating_sub(12);
            groups.drain(..deepest);
        }
    }
    tests.push(test(String::new(), String::new(), Role::Helper, 0..0, 1));
    tests
}

fn test(name: String, own: String, role: Role, place: Range<usize>, rows: usize) -> Test {
    Test {
        name,
        own,
        role,
        place,
        assertions: Vec::new(),
        skips: Vec::new(),
        bindings: Vec::new(),
        rest: Vec::new(),
        words: BTreeSet::new(),
        rows,
    }
}

/// Finds where assertions begin; a call of a helper of the file that asserts is one as well.
fn heads(lang: &Lang, tokens: &Tokens<'_>, units: &[Unit], owners: &[usize]) -> Vec<(usize, Head, bool)> {
    let mut heads = Vec::new();
    let mut helpers: BTreeSet<&[u8]> = BTreeSet::new();
    for at in 0..tokens.all.len() {
        if tokens.kind(at) != Some(Kind::Name) {
            continue;
        }
        if let Some((head, handed)) = (lang.head)(tokens, at) {
            let owner = owners.get(at).and_then(|owner| units.get(*owner));
            if let Some(unit) = owner.filter(|u| u.role == Role::Helper && unit_name_fits(&u.name)) {
                helpers.insert(tokens.word(unit.at));
            }
            heads.push((at, head, handed));
        }
    }
    let mut known: BTreeSet<usize> = heads.iter().map(|(at, ..)| *at).collect();
    known.extend(units.iter().map(|unit| unit.at));
    for at in 0..tokens.all.len() {
        let call = tokens.is(at + 1, "(") && tokens.kind(at) == Some(Kind::Name);
        // A method declared with the same name, or a class made, is no call.
        let other = at > 0
            && (tokens.any(at - 1, &["new", "def", "func", "function", "fn", "fun", "class"])
                || tokens.any(tokens.close(at + 1).map_or(0, |close| close + 1), &["{", "throws"]));
        if call && !other && !known.contains(&at) && helpers.contains(tokens.word(at)) {
            heads.push((at, Head::Helper, false));
        }
    }
    heads.sort_by_key(|(at, ..)| *at);
    heads
}

fn unit_name_fits(name: &str) -> bool {
    name.len() > 2
}

/// Tells for each token whether a failure there is dropped, or it is never reached.
fn dead(lang: &Lang, tokens: &Tokens<'_>, units: &[Unit]) -> Vec<bool> {
    let mut edges = vec![0i32; tokens.all.len() + 1];
    let mut mark = |range: Range<usize>| {
        if range.start < range.end && range.end < edges.len() {
            edges[range.start] += 1;
            edges[range.end] -= 1;
        }
    };
    for at in 0..tokens.all.len() {
        if lang.syntax.lines {
            if tokens.all.get(at).is_some_and(|t| t.first) {
                swallowed_by_indent(tokens, at).into_iter().for_each(&mut mark);
            }
        } else if tokens.is(at, "try") && tokens.is(at + 1, "{") {
            swallowed_by_brace(tokens, at).into_iter().for_each(&mut mark);
        } else if tokens.is(at, "if") {
            let cond = if tokens.is(at + 1, "(") { at + 2 } else { at + 1 };
            let open = if tokens.is(at + 1, "(") { at + 4 } else { at + 2 };
            if tokens.is(cond, "false") && tokens.is(open, "{") {
                mark(open..tokens.close(open).unwrap_or(open));
            }
        }
    }
    for unit in units.iter().filter(|u| u.role == Role::Test) {
        mark(after_return(lang, tokens, unit));
    }
    let mut depth = 0;
    edges
        .iter()
        .map(|edge| {
            depth += edge;
            depth > 0
        })
        .collect()
}

fn swallowed_by_indent(tokens: &Tokens<'_>, at: usize) -> Option<Range<usize>> {
    if tokens.is(at, "if") && tokens.any(at + 1, &["False", "0"]) && tokens.is(at + 2, ":") {
        return Some(at..tokens.block_end(at));
    }
    if tokens.is(at, "with") && (at..tokens.line_end(at)).any(|n| tokens.is(n, "suppress")) {
        let broad = (at..tokens.line_end(at))
            .any(|n| tokens.any(n, &["AssertionError", "Exception", "BaseException"]));
        return broad.then(|| at..tokens.block_end(at));
    }
    if !tokens.is(at, "try") {
        return None;
    }
    let end = tokens.block_end(at);
    let mut clause = end;
    while tokens.is(clause, "except")
        && tokens.all.get(clause).map(|t| t.indent) == tokens.all.get(at).map(|t| t.indent)
    {
        let head = clause + 1..tokens.line_end(clause);
        let stop = tokens.block_end(clause);
        let broad = tokens.is(head.start, ":")
            || head.clone().any(|n| tokens.any(n, &["AssertionError", "Exception", "BaseException"]));
        let acts = (clause..stop).any(|n| {
            tokens.any(n, &["raise", "fail", "assert", "exit"])
                || tokens.name(n).is_some_and(|w| w.starts_with("assert"))
        });
        if broad && !acts {
            return Some(at..end);
        }
        clause = stop;
    }
    None
}

fn swallowed_by_brace(tokens: &Tokens<'_>, at: usize) -> Option<Range<usize>> {
    let close = tokens.close(at + 1)?;
    if !tokens.is(close + 1, "catch") {
        return None;
    }
    let param = close + 2;
    let open = if tokens.is(param, "(") { tokens.close(param)? + 1 } else { param };
    let end = tokens.close(open)?;
    // A catch of one exception lets the failure of an assertion through, in languages with types.
    let typed = tokens.is(param, "(")
        && open - param > 3
        && !(param..open)
            .any(|n| tokens.any(n, &["Throwable", "Exception", "AssertionError", "Error", "any", "unknown"]));
    // Used in any way, the error may be what is asserted on.
    let used = end - open > 1;
    (!typed && !used && tokens.is(open, "{")).then_some(at + 1..close)
}

/// A function's own braces open within so many tokens.
const SIGNATURE: usize = 400;

/// Returns what follows a bare `return` that nothing guards.
fn after_return(lang: &Lang, tokens: &Tokens<'_>, unit: &Unit) -> Range<usize> {
    let none = 0..0;
    if lang.syntax.lines {
        let Some(base) = tokens.all.get(unit.body.start).map(|t| t.indent) else { return none };
        let bare = unit.body.clone().find(|at| {
            tokens.is(*at, "return")
                && tokens.all.get(*at).is_some_and(|t| t.first && t.indent == base)
                && tokens.all.get(at + 1).is_none_or(|t| t.first)
        });
        return bare.map_or(none, |at| at..unit.body.end);
    }
    if lang.syntax.ruby {
        return none;
    }
    // The function's own braces: the last ones that reach to its end.
    let open =
        unit.body.clone().take(SIGNATURE).find(|at| {
            tokens.is(*at, "{") && tokens.close(*at).is_some_and(|close| close + 2 >= unit.body.end)
        });
    let Some((open, close)) = open.and_then(|open| tokens.close(open).map(|close| (open, close))) else {
        return none;
    };
    let mut at = open + 1;
    while at < close {
        if tokens.is(at, "return")
            && (tokens.is(at + 1, ";") || tokens.all.get(at + 1).is_some_and(|t| t.first))
        {
            // `if (x) return;` is guarded.
            let guarded = tokens.any(at - 1, &[")", "else", "=>", ":"]);
            if !guarded {
                return at..close;
            }
        }
        at = tokens.close(at).unwrap_or(at) + 1;
    }
    none
}

/// Reads `want: "x"`, `expected = 5`: a value that is named as the one expected.
fn binding(
    tokens: &Tokens<'_>,
    at: usize,
    nth: usize,
    budget: &mut usize,
) -> Option<(String, String, Range<usize>)> {
    let name = tokens.name(at)?;
    let low = name.to_ascii_lowercase();
    if !(low.starts_with("expect") || low.starts_with("want") || low.starts_with("golden"))
        || !tokens.any(at + 1, &["=", ":=", ":"])
    {
        return None;
    }
    let from = at + 2;
    let mut end = from;
    while let Some(token) = tokens.all.get(end) {
        if tokens.any(end, &[",", ";", ")", "}", "]"])
            || (end > from && token.first && !tokens.any(end - 1, &["+", "&"]))
            || end - from > 200
        {
            break;
        }
        end = tokens.close(end).unwrap_or(end) + 1;
    }
    let value = from..end.min(tokens.all.len());
    if value.len() > *budget {
        return None;
    }
    *budget -= value.len();
    if !assertion::is_literal(tokens, &value) {
        return None;
    }
    // The row it is in tells it from others; else its turn does.
    const NEAR: usize = 60;
    let open = (at.saturating_sub(NEAR)..at)
        .rev()
        .find(|n| tokens.is(*n, "{") && tokens.close(*n).is_some_and(|close| close > at));
    let close = open.and_then(|open| tokens.close(open)).filter(|close| close - at < NEAR);
    let key = match open.zip(close) {
        Some((open, close)) => format!("{name} {} {}", tokens.norm(open..at), tokens.norm(value.end..close)),
        None => format!("{name} {nth}"),
    };
    Some((key, tokens.norm(value.clone()), value))
}

/// Fills in the lines that assert nothing, and the words.
fn fill(tokens: &Tokens<'_>, owners: &[usize], covered: &[bool], tests: &mut [Test]) {
    let mut at = 0;
    while let (Some(token), Some(owner)) = (tokens.all.get(at), owners.get(at)) {
        let (line, from) = (token.line, at);
        let mut hash = DefaultHasher::new();
        let mut any = false;
        while tokens.all.get(at).is_some_and(|t| t.line == line) && owners.get(at) == Some(owner) {
            if !covered.get(at).copied().unwrap_or(false) {
                tokens.word(at).hash(&mut hash);
                any |= tokens.kind(at) != Some(Kind::Mark);
            }
            at += 1;
        }
        let Some(test) = tests.get_mut(*owner) else { continue };
        if any && at > from + 1 {
            test.rest.push(hash.finish());
        }
        for n in from..at {
            match tokens.kind(n) {
                Some(Kind::Name) => {
                    test.words.insert(String::from_utf8_lossy(tokens.word(n)).into_owned());
                }
                Some(Kind::Text) => test.words.extend(words(tokens.word(n)).take(20).map(str::to_owned)),
                _ => {}
            }
        }
    }
    for test in tests {
        test.rest.sort_unstable();
    }
}

/// Returns the words of a text: names of three letters and more, `-` inside.
pub fn words(text: &[u8]) -> impl Iterator<Item = &str> {
    text.split(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')))
        .filter(|word| word.len() > 2)
        .filter_map(|word| std::str::from_utf8(word).ok())
}
