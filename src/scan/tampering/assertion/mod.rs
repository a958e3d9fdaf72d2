//! Assertions: what is looked at, how, and what is expected; two that say the same in different words compare equal.
//!
//! Must never take a message for an expectation.

#![expect(clippy::single_range_in_vec_init, reason = "a list of ranges that begins with one")]

mod checks;
mod condition;
mod matchers;

use std::ops::Range;

use super::lex::{Kind, Tokens};
use checks::named_tolerance;
use condition::{FALSE, NULL, TRUE, condition};
use matchers::{judge, matched};

/// How much an assertion can see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// It cannot fail.
    Trivial,
    /// That something is there or true.
    Exists,
    /// A part of it: contains, matches, is of a type, is greater, raises.
    Partial,
    /// All of it.
    Exact,
}

/// One assertion of a test.
#[derive(Clone, Debug, PartialEq)]
pub struct Assertion {
    /// Its first token.
    pub at: usize,
    /// The token after its last.
    pub end: usize,
    /// What is looked at, as tokens.
    pub subject: String,
    /// How: `eq`, `ne`, `truthy`, or the name of the check.
    pub op: String,
    /// What is expected, as tokens.
    pub expected: String,
    /// How much it can see.
    pub strength: Strength,
    /// How far off a value may be, and whether more is looser.
    pub tolerance: Option<(f64, bool)>,
    /// Whether a failure is caught and dropped, or the place is never reached.
    pub dead: bool,
    /// Whether it is the call of a helper, which asserts more than can be seen here.
    pub helper: bool,
}

impl Assertion {
    /// Returns what tells it from others: what it says, not how it is spelt.
    pub fn key(&self) -> (String, String, String) {
        let dead = if self.dead { "dead " } else { "" };
        (self.subject.clone(), format!("{dead}{}", self.op), self.expected.clone())
    }

    /// Returns how much it can see where it stands.
    pub fn effective(&self) -> Strength {
        if self.dead { Strength::Trivial } else { self.strength }
    }
}

/// How an assertion is written at a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Head {
    /// `name(args).name(args)`, names and arguments in turn.
    Chain,
    /// One call of a longer chain: `.expect(200)`.
    Link,
    /// A keyword and an expression up to the end of the statement.
    Statement,
    /// A name and arguments without brackets, up to the end of the line.
    Command,
    /// `subject.should eq value`: what stands before is looked at.
    Infix,
    /// `if condition { fail }`; the condition, and whether it fails when true.
    Branch(Range<usize>),
    /// A test helper that is handed the test: `check(t, ...)`.
    Helper,
    /// An attribute that says how the test has to end.
    Attribute(Range<usize>),
}

/// One call of a chain.
struct Link {
    name: String,
    args: Vec<Range<usize>>,
}

/// Reads the assertion that begins at a token.
pub fn read(tokens: &Tokens<'_>, at: usize, head: &Head, skip_first: bool) -> Assertion {
    let mut made = one(tokens, at, head, skip_first);
    if made.tolerance.is_none() && !matches!(head, Head::Helper | Head::Link) {
        made.tolerance = named_tolerance(tokens, at..made.end);
    }
    made
}

fn one(tokens: &Tokens<'_>, at: usize, head: &Head, skip_first: bool) -> Assertion {
    match head {
        Head::Statement => {
            let end = tokens.line_end(at);
            let parts = tokens.split(at + 1..end, ",");
            condition(tokens, at, end, parts.first().cloned().unwrap_or(at + 1..end), false)
        }
        Head::Branch(cond) => {
            let end = tokens.close(cond.end).map_or(cond.end, |close| close + 1);
            condition(tokens, at, end, cond.clone(), true)
        }
        Head::Attribute(range) => plain(
            at,
            range.end,
            String::new(),
            "raises".into(),
            norm(tokens, range.clone()),
            Strength::Partial,
        ),
        Head::Helper => {
            let (links, end) = chain(tokens, at, true);
            let name = links.first().map_or(String::new(), |l| l.name.clone());
            let args = links.first().map_or(String::new(), |l| joined(tokens, &l.args));
            let made = plain(at, end, args, name, String::new(), Strength::Partial);
            Assertion { helper: true, ..made }
        }
        Head::Infix => infix(tokens, at),
        Head::Command => {
            let end = statement_end(tokens, at);
            let links = [Link { name: text(tokens, at), args: tokens.split(at + 1..end, ",") }];
            judge(tokens, at, end, &links, skip_first)
        }
        Head::Link => {
            let (links, end) = chain(tokens, at, true);
            let callback = |arg: &Range<usize>| {
                arg.len() == 1 && tokens.any(arg.start, &["done", "cb", "next", "end", "callback"])
            };
            let args: Vec<Range<usize>> = links
                .first()
                .map(|l| l.args.iter().filter(|arg| !callback(arg)).cloned().collect())
                .unwrap_or_default();
            let (subject, expected) = match args.as_slice() {
                [name, value] if tokens.kind(name.start) != Some(Kind::Number) => {
                    (norm(tokens, name.clone()), norm(tokens, value.clone()))
                }
                args => (String::new(), joined(tokens, args)),
            };
            plain(at, end, subject, text(tokens, at), expected, Strength::Exact)
        }
        Head::Chain => {
            let (links, end) = chain(tokens, at, false);
            judge(tokens, at, end, &links, skip_first)
        }
    }
}

/// How many tokens before an assertion are looked at for what it looks at, and after it for its end: lines are short.
const LONGEST: usize = 400;

/// Reads `subject.should.equal(value)`, `subject shouldBe value`, `_(subject).must_equal value`.
fn infix(tokens: &Tokens<'_>, at: usize) -> Assertion {
    let mut from = at;
    while from > 0
        && at - from < LONGEST
        && !tokens.all.get(from).is_some_and(|t| t.first)
        && !tokens.any(from - 1, &[";", "{", "=>"])
    {
        from -= 1;
    }
    let end = statement_end(tokens, at);
    let before = if tokens.any(at.wrapping_sub(1), &[".", "->", "?.", "&."]) {
        at.saturating_sub(1).max(from)
    } else {
        at
    };
    let (links, _) = chain(tokens, at, false);
    let subject = Link { name: String::new(), args: vec![from..before] };
    let bare = links.iter().all(|link| link.args.is_empty());
    let value = at + 2 * links.len() - 1..end;
    let own: Vec<Link> = if bare && value.start < value.end && tokens.kind(value.start) != Some(Kind::Mark) {
        vec![Link {
            name: links.last().map(|l| l.name.clone()).unwrap_or_default(),
            args: tokens.split(value, ","),
        }]
    } else {
        links
    };
    let with_args: Vec<&Link> = own.iter().filter(|link| !link.args.is_empty()).collect();
    let all: Vec<Link> = std::iter::once(Link { name: String::new(), args: subject.args.clone() })
        .chain(own.iter().map(|l| Link { name: l.name.clone(), args: l.args.clone() }))
        .collect();
    matched(tokens, at, end, &subject, &with_args, &all)
}

fn text(tokens: &Tokens<'_>, at: usize) -> String {
    String::from_utf8_lossy(tokens.word(at)).into_owned()
}

fn plain(
    at: usize,
    end: usize,
    subject: String,
    op: String,
    expected: String,
    strength: Strength,
) -> Assertion {
    Assertion { at, end, subject, op, expected, strength, tolerance: None, dead: false, helper: false }
}

/// Returns where a statement ends that has no bracket around it.
fn statement_end(tokens: &Tokens<'_>, at: usize) -> usize {
    let mut end = at + 1;
    while let Some(token) = tokens.all.get(end) {
        let dot = tokens.any(end, &[".", "&."]);
        let after_comma = tokens.any(end - 1, &[",", "(", "{", "="]);
        if (token.first && !dot && !after_comma)
            || tokens.is(end, ";")
            || end - at > LONGEST
            || (token.pair < end && token.pair < at)
        {
            break;
        }
        end = tokens.close(end).unwrap_or(end) + 1;
    }
    end.min(tokens.all.len())
}

/// Reads `name(args).name(args)`.
fn chain(tokens: &Tokens<'_>, at: usize, one: bool) -> (Vec<Link>, usize) {
    let (mut links, mut next) = (Vec::new(), at);
    while let Some(name) = tokens.name(next) {
        let mut link = Link { name: name.to_owned(), args: Vec::new() };
        next += 1;
        if tokens.is(next, "!") || tokens.is(next, "?") {
            next += 1;
        }
        if tokens.is(next, "<") {
            // Type arguments, when they end soon and a call follows.
            let close = (next..next + 24).find(|n| tokens.is(*n, ">") && tokens.is(n + 1, "("));
            next = close.map_or(next, |close| close + 1);
        }
        if tokens.any(next, &["(", "{", "["]) && (tokens.is(next, "(") || links.is_empty()) {
            link.args = tokens.arguments(next);
            next = tokens.close(next).unwrap_or(next) + 1;
            // `expect { }`, `assertThrows<X> { }`: a trailing block.
            if tokens.is(next, "{") && !tokens.all.get(next).is_some_and(|t| t.first) {
                link.args.extend(tokens.close(next).map(|close| next..close + 1));
                next = tokens.close(next).unwrap_or(next) + 1;
            }
        }
        // rspec: `expect(x).to eq 5`.
        if matches!(name, "to" | "not_to" | "to_not" | "should" | "should_not")
            && link.args.is_empty()
            && !links.is_empty()
            && tokens.name(next).is_some()
            && !tokens.all.get(next).is_some_and(|t| t.first)
        {
            let end = statement_end(tokens, next);
            link.args.push(next..end);
            links.push(link);
            next = end;
            break;
        }
        links.push(link);
        let dot = tokens.any(next, &[".", "->", "?.", "::"]);
        if one || !dot || tokens.name(next + 1).is_none() {
            break;
        }
        next += 1;
    }
    (links, next.max(at + 1).min(tokens.all.len()))
}

fn joined(tokens: &Tokens<'_>, args: &[Range<usize>]) -> String {
    args.iter().map(|arg| norm(tokens, arg.clone())).collect::<Vec<_>>().join(" , ")
}

/// Returns the tokens of a range; long blocks of code count as a block.
fn norm(tokens: &Tokens<'_>, range: Range<usize>) -> String {
    const LONG: usize = 40;
    let mut parts: Vec<String> = Vec::new();
    let (mut from, mut at) = (range.start, range.start);
    while at < range.end {
        if let Some(close) = tokens.close(at).filter(|close| tokens.is(at, "{") && close - at > LONG) {
            parts.push(tokens.norm(from..at));
            parts.push("{}".into());
            from = close + 1;
            at = close;
        }
        at += 1;
    }
    if from < range.end {
        parts.push(tokens.norm(from..range.end));
    }
    parts.retain(|part| !part.is_empty());
    parts.join(" ")
}

/// Tells whether a range is nothing but a value: numbers, texts, constants, and brackets of them.
pub fn is_literal(tokens: &Tokens<'_>, range: &Range<usize>) -> bool {
    !range.is_empty()
        && range.clone().all(|at| match tokens.kind(at) {
            Some(Kind::Number | Kind::Text) => true,
            Some(Kind::Mark) => !tokens.any(at, &[".", "->", "=>", "?.", "&.", "=="]),
            Some(Kind::Name) => {
                tokens.any(
                    at,
                    &["True", "False", "None", "true", "false", "null", "nil", "undefined", "NaN", "NULL"],
                ) || tokens.is(at + 1, ":")
            }
            None => false,
        })
}

/// Returns a value without what is literal in it; nothing but literals is one.
pub fn shape(value: &str) -> String {
    let mut out = String::new();
    let mut rest = value;
    while let Some(first) = rest.chars().next() {
        if matches!(first, '"' | '`') {
            let mut end = 1;
            let bytes = rest.as_bytes();
            while end < bytes.len() && bytes.get(end) != bytes.first() {
                end += if bytes.get(end) == Some(&b'\\') { 2 } else { 1 };
            }
            out.push('_');
            rest = rest.get(end + 1..).unwrap_or_default();
        } else if first.is_ascii_digit() {
            out.push('_');
            rest = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_'));
        } else if first.is_alphabetic() || first == '_' {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
            let word = rest.get(..end).unwrap_or_default();
            let plain = TRUE.contains(&word)
                || FALSE.contains(&word)
                || NULL.contains(&word)
                || matches!(word, "b" | "r" | "f");
            out.push_str(if plain { "_" } else { word });
            rest = rest.get(end..).unwrap_or_default();
        } else {
            out.push(first);
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
    }
    if out.contains('_') && !out.contains(char::is_alphabetic) { "_".into() } else { out }
}
