//! Assertions: what is looked at, how, and what is expected; two that say the same in different words compare equal.
//!
//! Must never take a message for an expectation.

use std::ops::Range;

use super::lex::{Kind, Tokens};

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
            plain(at, end, args, name, String::new(), Strength::Partial)
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

/// Reads `subject.should.equal(value)`, `subject shouldBe value`, `_(subject).must_equal value`.
fn infix(tokens: &Tokens<'_>, at: usize) -> Assertion {
    let mut from = at;
    while from > 0
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
    Assertion { at, end, subject, op, expected, strength, tolerance: None, dead: false }
}

/// Returns where a statement ends that has no bracket around it.
fn statement_end(tokens: &Tokens<'_>, at: usize) -> usize {
    let mut end = at + 1;
    while let Some(token) = tokens.all.get(end) {
        let dot = tokens.any(end, &[".", "&."]);
        let after_comma = tokens.any(end - 1, &[",", "(", "{", "="]);
        if (token.first && !dot && !after_comma)
            || tokens.is(end, ";")
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

const TRUE: [&str; 2] = ["true", "True"];
const FALSE: [&str; 2] = ["false", "False"];
const NULL: [&str; 5] = ["None", "null", "nil", "undefined", "NULL"];

/// Says an equality in one way: truth and nothing are checks of their own.
fn equality(
    tokens: &Tokens<'_>,
    at: usize,
    end: usize,
    left: Range<usize>,
    right: Range<usize>,
    op: &str,
) -> Assertion {
    let (subject, expected) = match (is_literal(tokens, &left), is_literal(tokens, &right)) {
        (true, false) => (right, left),
        _ => (left, right),
    };
    if !subject.is_empty()
        && norm(tokens, subject.clone()) == norm(tokens, expected.clone())
        && op == "eq"
        && is_literal(tokens, &expected)
    {
        return plain(at, end, norm(tokens, subject), op.into(), String::new(), Strength::Trivial);
    }
    let one = expected.len() == 1;
    let boolean = tokens.is(expected.start, "Boolean") && expected.len() == 3;
    if boolean && tokens.any(expected.start + 2, &["TRUE", "FALSE"]) {
        let op = if tokens.is(expected.start + 2, "TRUE") == (op == "eq") { "truthy" } else { "falsy" };
        return plain(at, end, norm(tokens, subject), op.into(), String::new(), Strength::Exists);
    }
    let (op, value, strength) = match op {
        "eq" if one && tokens.any(expected.start, &TRUE) => ("truthy", String::new(), Strength::Exists),
        "eq" if one && tokens.any(expected.start, &FALSE) => ("falsy", String::new(), Strength::Exists),
        "ne" if one && tokens.any(expected.start, &FALSE) => ("truthy", String::new(), Strength::Exists),
        "ne" if one && tokens.any(expected.start, &TRUE) => ("falsy", String::new(), Strength::Exists),
        "eq" if one && tokens.any(expected.start, &NULL) => ("null", String::new(), Strength::Exact),
        "ne" if one && tokens.any(expected.start, &NULL) => ("there", String::new(), Strength::Exists),
        "eq" if is_empty(tokens, &expected) => ("falsy", String::new(), Strength::Partial),
        "eq" => ("eq", norm(tokens, expected), Strength::Exact),
        "ne" => ("ne", norm(tokens, expected), Strength::Partial),
        other => (other, norm(tokens, expected), Strength::Partial),
    };
    plain(at, end, norm(tokens, subject), op.into(), value, strength)
}

/// Tells whether a value is an empty list, text or map.
fn is_empty(tokens: &Tokens<'_>, range: &Range<usize>) -> bool {
    match range.len() {
        1 => matches!(tokens.word(range.start), b"\"\"" | b"''" | b"``"),
        2 => tokens.any(range.start, &["[", "{"]) && tokens.close(range.start) == Some(range.start + 1),
        _ => false,
    }
}

/// Reads an expression that has to be true, or false where `fails` says so.
fn condition(tokens: &Tokens<'_>, at: usize, end: usize, mut range: Range<usize>, fails: bool) -> Assertion {
    // `if x := f(); x != want`
    let statements = tokens.split(range.clone(), ";");
    let init = match statements.as_slice() {
        [init, last] => {
            range = last.clone();
            norm(tokens, init.clone())
        }
        _ => String::new(),
    };
    let mut negated = fails;
    loop {
        if tokens.any(range.start, &["!", "not"]) && !tokens.is(range.start + 1, "in") && range.len() > 1 {
            if top(tokens, &range, &["==", "!=", "===", "!==", "and", "&&", "or", "||", "<", ">", "in", "is"])
                .is_some()
                && tokens.is(range.start, "!")
            {
                break;
            }
            negated = !negated;
            range.start += 1;
        } else if tokens.is(range.start, "(") && tokens.close(range.start) == Some(range.end - 1) {
            range = range.start + 1..range.end - 1;
        } else {
            break;
        }
    }
    let mut made = compare(tokens, at, end, range, negated);
    if !init.is_empty() {
        made.subject = format!("{init} ; {}", made.subject);
    }
    made
}

/// Finds the first of some marks that is in no bracket.
fn top(tokens: &Tokens<'_>, range: &Range<usize>, marks: &[&str]) -> Option<usize> {
    let mut at = range.start;
    while at < range.end {
        if tokens.any(at, marks) && tokens.kind(at) != Some(Kind::Text) {
            return Some(at);
        }
        at = tokens.close(at).unwrap_or(at) + 1;
    }
    None
}

fn compare(tokens: &Tokens<'_>, at: usize, end: usize, range: Range<usize>, negated: bool) -> Assertion {
    let whole = norm(tokens, range.clone());
    if range.len() == 1 && (is_literal(tokens, &range)) {
        return plain(at, end, whole, "constant".into(), String::new(), Strength::Trivial);
    }
    if let Some(mark) = top(tokens, &range, &["or", "||", "and", "&&"]) {
        let either = tokens.any(mark, &["or", "||"]) != negated;
        // `x or True` cannot fail.
        let sides = tokens.split(range.clone(), if tokens.is(mark, "or") { "or" } else { "||" });
        let always = either
            && sides.iter().any(|side| side.len() == 1 && tokens.any(side.start, &["True", "true", "1"]));
        let strength = match (always, either) {
            (true, _) => Strength::Trivial,
            (_, true) => Strength::Partial,
            _ => Strength::Exact,
        };
        let op = if either { "either" } else { "both" };
        return plain(at, end, whole, op.into(), String::new(), strength);
    }
    let Some(mark) = top(
        tokens,
        &range,
        &["==", "===", "!=", "!==", "is", "in", "not", "<", ">", "<=", ">=", "instanceof", "=~"],
    ) else {
        // `assert x = 5` is none of ours; `isinstance(x, T)` is a part of it.
        let op = if negated { "falsy" } else { "truthy" };
        let partial = tokens
            .any(range.start, &["isinstance", "issubclass", "all", "any", "hasattr", "callable", "matches"])
            || tokens.any(range.end.saturating_sub(1), &["]"]);
        let call = tokens.is(range.end.saturating_sub(1), ")");
        let strength = if partial || call || negated { Strength::Partial } else { Strength::Exists };
        return plain(at, end, whole, op.into(), String::new(), strength);
    };
    let (left, mut right) = (range.start..mark, mark + 1..range.end);
    let word = text(tokens, mark);
    let mut op = match word.as_str() {
        "==" | "===" | "is" => "eq",
        "!=" | "!==" => "ne",
        "not" => "not in",
        other => other,
    };
    if word == "is" && tokens.is(right.start, "not") {
        op = "ne";
        right.start += 1;
    } else if word == "not" {
        right.start += 1;
    }
    let op = match (op, negated) {
        ("eq", true) => "ne",
        ("ne", true) => "eq",
        ("in", true) => "not in",
        ("not in", true) => "in",
        ("<", true) => ">=",
        (">", true) => "<=",
        ("<=", true) => ">",
        (">=", true) => "<",
        (op, _) => op,
    };
    if ["eq", "ne"].contains(&op) {
        return equality(tokens, at, end, left, right, op);
    }
    plain(at, end, norm(tokens, left), op.into(), norm(tokens, right), Strength::Partial)
}

/// What a check does, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Check {
    Condition(bool),
    Equal,
    Unequal,
    Near,
    Null,
    There,
    Other,
}

fn check(name: &str) -> Check {
    let low: String = name.chars().filter(|c| *c != '_' && *c != '!').flat_map(char::to_lowercase).collect();
    let bare = [
        "assert",
        "expect",
        "should",
        "tobe",
        "tohave",
        "to",
        "is",
        "be",
        "must",
        "debugassert",
        "propassert",
        "refute",
    ]
    .iter()
    .find_map(|lead| low.strip_prefix(lead))
    .unwrap_or(&low);
    let negative = low.starts_with("refute");
    match bare {
        "" | "true" | "istrue" | "truthy" | "ok" | "that" | "betruthy" | "betrue" => {
            if low == "tobe" || low == "is" || low == "be" {
                Check::Equal
            } else {
                Check::Condition(negative)
            }
        }
        "false" | "isfalse" | "falsy" | "befalsy" | "notok" | "befalse" => Check::Condition(!negative),
        "null" | "isnull" | "nil" | "isnil" | "none" | "isnone" | "undefined" | "benil" | "benull" => {
            if negative {
                Check::There
            } else {
                Check::Null
            }
        }
        "isnotnone" | "notnull" | "isnotnull" | "notnil" | "isnotnil" | "defined" | "exist" | "exists"
        | "error" | "bedefined" | "doesnotthrow" | "notthrow" | "donotthrow" | "beok" => Check::There,
        "noerror" => Check::Null,
        _ if bare.contains("almost")
            || bare.contains("close")
            || bare.contains("approx")
            || bare.contains("indelta")
            || bare.contains("within") =>
        {
            Check::Near
        }
        _ if bare.contains("not") && (bare.contains("equal") || bare.contains("same")) || bare == "ne" => {
            Check::Unequal
        }
        _ if bare.contains("equal")
            || bare.contains("same")
            || matches!(bare, "eq" | "eql" | "deep" | "eqnice" | "be") =>
        {
            if negative {
                Check::Unequal
            } else {
                Check::Equal
            }
        }
        _ => Check::Other,
    }
}

const TOLERANCES: [(&str, bool); 9] = [
    ("delta", true),
    ("rel", true),
    ("abs", true),
    ("rtol", true),
    ("atol", true),
    ("epsilon", true),
    ("tolerance", true),
    ("places", false),
    ("decimal", false),
];

fn number(tokens: &Tokens<'_>, range: &Range<usize>) -> Option<f64> {
    let [at] = [range.start];
    (range.len() == 1 && tokens.kind(at) == Some(Kind::Number)).then(|| {
        std::str::from_utf8(tokens.word(at))
            .ok()?
            .replace('_', "")
            .trim_end_matches(['f', 'd', 'F', 'D'])
            .parse()
            .ok()
    })?
}

fn named_tolerance(tokens: &Tokens<'_>, range: Range<usize>) -> Option<(f64, bool)> {
    range.clone().find_map(|at| {
        let (_, looser) = TOLERANCES.iter().find(|(name, _)| tokens.is(at, name))?;
        tokens.any(at + 1, &["=", ":"]).then(|| number(tokens, &(at + 2..at + 3)).map(|n| (n, *looser)))?
    })
}

fn judge(tokens: &Tokens<'_>, at: usize, end: usize, links: &[Link], skip_first: bool) -> Assertion {
    let cut = |args: &[Range<usize>]| -> Vec<Range<usize>> {
        args.iter().skip(usize::from(skip_first)).cloned().collect()
    };
    let with_args: Vec<&Link> = links.iter().filter(|link| !link.args.is_empty()).collect();
    match with_args.as_slice() {
        // One call has all: assertEqual(a, b), assert(a == b), assert.equal(a, b).
        [one] if links.last().is_some_and(|last| std::ptr::eq(last, *one)) => {
            call(tokens, at, end, &one.name, &cut(&one.args))
        }
        // expect(subject).check(expected)
        [subject, rest @ ..] => matched(tokens, at, end, subject, rest, links),
        [] => {
            let name = links.iter().map(|l| l.name.as_str()).collect::<Vec<_>>().join(".");
            plain(at, end, String::new(), name, String::new(), Strength::Exists)
        }
    }
}

fn call(tokens: &Tokens<'_>, at: usize, end: usize, name: &str, args: &[Range<usize>]) -> Assertion {
    let mut args = args.to_vec();
    let is_text = |arg: &Range<usize>| arg.len() == 1 && tokens.kind(arg.start) == Some(Kind::Text);
    match (check(name), args.as_slice()) {
        (Check::Condition(negated), [first, ..]) => {
            // JUnit 4 puts the message first.
            let value = match args.as_slice() {
                [message, value] if is_text(message) => value,
                _ => first,
            };
            condition(tokens, at, end, value.clone(), negated)
        }
        (Check::Null, [first, ..]) => {
            plain(at, end, norm(tokens, first.clone()), "null".into(), String::new(), Strength::Exact)
        }
        (Check::There, [first, ..]) => {
            plain(at, end, norm(tokens, first.clone()), "there".into(), String::new(), Strength::Exists)
        }
        (Check::Equal | Check::Unequal | Check::Near, [_, _, ..]) => {
            if args.len() == 3
                && is_text(&args[0])
                && !is_text(&args[2])
                && number(tokens, &args[2]).is_none()
            {
                args.remove(0);
            }
            let op = if check(name) == Check::Unequal { "ne" } else { "eq" };
            let mut made = equality(tokens, at, end, args[0].clone(), args[1].clone(), op);
            let third = args.get(2).and_then(|arg| number(tokens, arg));
            if let Some(third) = third {
                made.tolerance = Some((third, !name.to_lowercase().contains("almost")));
            }
            if check(name) == Check::Near {
                made.op = "near".into();
            }
            made
        }
        (_, []) => plain(at, end, String::new(), name.to_owned(), String::new(), Strength::Exists),
        (_, [first, rest @ ..]) => {
            let literal = is_literal(tokens, first) && !rest.is_empty();
            let (subject, expected) = if literal {
                (joined(tokens, rest), norm(tokens, first.clone()))
            } else {
                (norm(tokens, first.clone()), joined(tokens, rest))
            };
            let strength = if is_exact(name) { Strength::Exact } else { Strength::Partial };
            plain(at, end, subject, name.to_owned(), expected, strength)
        }
    }
}

/// Reads `expect(subject).not.toBe(expected)` and its like.
fn matched(
    tokens: &Tokens<'_>,
    at: usize,
    end: usize,
    subject: &Link,
    rest: &[&Link],
    links: &[Link],
) -> Assertion {
    let subject = joined(tokens, &subject.args);
    let after = links.iter().skip_while(|l| l.args.is_empty()).skip(1);
    let names: Vec<&str> = after.map(|l| l.name.as_str()).collect();
    let last = links.last().map_or("", |l| l.name.as_str());
    let not = names
        .iter()
        .any(|n| matches!(*n, "not" | "never" | "NotTo" | "toNot" | "not_to" | "to_not" | "ToNot"));
    // expect(x).to eq(5): the matcher is the argument of `to`.
    let inner = match rest {
        [to] if matches!(
            to.name.as_str(),
            "to" | "To" | "not_to" | "to_not" | "NotTo" | "ToNot" | "Should" | "that" | "That"
        ) =>
        {
            to.args.first().and_then(|arg| {
                let name = tokens.name(arg.start).filter(|n| !n.is_empty())?;
                Some((
                    name.to_owned(),
                    if tokens.is(arg.start + 1, "(") {
                        tokens.arguments(arg.start + 1)
                    } else {
                        vec![arg.start + 1..arg.end]
                    },
                ))
            })
        }
        _ => None,
    };
    let (name, args) = match inner {
        Some(inner) => inner,
        // `containsExactly(...).inOrder()`: what comes after takes nothing.
        None if last == "inOrder" => {
            rest.last().map(|l| (l.name.clone(), l.args.clone())).unwrap_or_default()
        }
        None => (
            last.to_owned(),
            rest.last().filter(|l| l.name == last).map(|l| l.args.clone()).unwrap_or_default(),
        ),
    };
    let expected = joined(tokens, &args);
    let one = args.first().filter(|arg| args.len() == 1 && arg.len() == 1).map(|arg| arg.start);
    let (op, expected, strength): (String, String, Strength) = match check(&name) {
        Check::Equal if one.is_some_and(|one| tokens.any(one, &TRUE)) => {
            (flip("truthy", not), String::new(), Strength::Exists)
        }
        Check::Equal if one.is_some_and(|one| tokens.any(one, &FALSE)) => {
            (flip("falsy", not), String::new(), Strength::Exists)
        }
        Check::Equal if one.is_some_and(|one| tokens.any(one, &NULL)) => (
            if not { "there" } else { "null" }.into(),
            String::new(),
            if not { Strength::Exists } else { Strength::Exact },
        ),
        Check::Equal if expected == "Boolean . TRUE" => {
            (flip("truthy", not), String::new(), Strength::Exists)
        }
        Check::Equal if expected == "Boolean . FALSE" => {
            (flip("falsy", not), String::new(), Strength::Exists)
        }
        Check::Equal if not => ("ne".into(), expected, Strength::Partial),
        Check::Equal if expected == subject && is_plain(&expected) => {
            ("eq".into(), expected, Strength::Trivial)
        }
        Check::Equal => ("eq".into(), expected, Strength::Exact),
        Check::Condition(negated) => {
            (flip(if negated { "falsy" } else { "truthy" }, not), expected, Strength::Exists)
        }
        Check::Null => (
            if not { "there" } else { "null" }.into(),
            String::new(),
            if not { Strength::Exists } else { Strength::Exact },
        ),
        Check::There => (if not { "null" } else { "there" }.into(), String::new(), Strength::Exists),
        Check::Unequal => ("ne".into(), expected, Strength::Partial),
        Check::Near => ("near".into(), expected, Strength::Exact),
        Check::Other => {
            let strength = if is_exact(&name) && !not { Strength::Exact } else { Strength::Partial };
            (flip(&names.join("."), false), expected, strength)
        }
    };
    // `expect(true).toBe(true)`, `expect(1).toBeTruthy()`.
    let constant = ["true", "True", "false", "1", "0"].contains(&subject.as_str());
    let strength = if constant && strength <= Strength::Exists { Strength::Trivial } else { strength };
    let mut made = plain(at, end, subject, op, expected, strength);
    if check(&name) == Check::Near {
        made.tolerance = args.get(1).and_then(|arg| number(tokens, arg)).map(|n| (n, false));
    }
    made
}

fn is_plain(value: &str) -> bool {
    value.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase() || b == b'"')
}

fn is_exact(name: &str) -> bool {
    let low: String = name.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect();
    [
        "length",
        "len",
        "empty",
        "calledwith",
        "snapshot",
        "calledtimes",
        "containsexactly",
        "hassize",
        "count",
        "called",
        "havebeencalledonce",
    ]
    .iter()
    .any(|w| low.contains(w))
}

fn flip(op: &str, not: bool) -> String {
    match (op, not) {
        ("truthy", true) => "falsy",
        ("falsy", true) => "truthy",
        (op, _) => op,
    }
    .into()
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
