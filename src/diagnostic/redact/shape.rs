//! The shapes of well-known keys: how a key nobody told of is recognised.
//!
//! Must never take a digest, an id or a word of code for a key: each shape has a prefix and looks random behind it.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

/// The kind of a learned secret that has no well-known shape.
pub(super) const CREDENTIAL: &str = "credential";

/// How a key is recognised behind its prefix.
#[derive(Clone, Copy)]
enum Rule {
    /// At least so many characters of a class, looking random.
    Run { class: fn(u8) -> bool, least: usize, random: fn(&[u8]) -> bool },
    /// Exactly so many characters of a class.
    Exactly { class: fn(u8) -> bool, length: usize },
    /// `sk-`, which many vendors use.
    Sk,
    /// Three base64url parts.
    Jwt,
    /// A private key block.
    Pem,
    /// The rest of an `Authorization` value.
    Authorization,
    /// `user:password@`.
    Url,
}

struct Shape {
    prefix: &'static str,
    kind: &'static str,
    rule: Rule,
}

const fn run(
    prefix: &'static str,
    kind: &'static str,
    class: fn(u8) -> bool,
    least: usize,
    random: fn(&[u8]) -> bool,
) -> Shape {
    Shape { prefix, kind, rule: Rule::Run { class, least, random } }
}

const fn other(prefix: &'static str, kind: &'static str, rule: Rule) -> Shape {
    Shape { prefix, kind, rule }
}

const OPENAI: &str = "openai-key";
const ANTHROPIC: &str = "anthropic-key";
const OPENROUTER: &str = "openrouter-key";

/// Every shape; no prefix is the start of another one.
#[rustfmt::skip]
static SHAPES: &[Shape] = &[
    other("sk-", "api-key", Rule::Sk),
    run("AIza", "google-key", is_token, 35, has_digit),
    run("ya29.", "google-token", is_token, 30, has_digit),
    run("ghp_", "github-token", is_token, 30, has_digit),
    run("gho_", "github-token", is_token, 30, has_digit),
    run("ghu_", "github-token", is_token, 30, has_digit),
    run("ghs_", "github-token", is_token, 30, has_digit),
    run("ghr_", "github-token", is_token, 30, has_digit),
    run("github_pat_", "github-token", is_token, 22, has_digit),
    run("glpat-", "gitlab-token", is_token, 20, has_digit),
    run("xoxa-", "slack-token", is_token, 10, has_digit),
    run("xoxb-", "slack-token", is_token, 10, has_digit),
    run("xoxp-", "slack-token", is_token, 10, has_digit),
    run("xoxr-", "slack-token", is_token, 10, has_digit),
    run("xoxs-", "slack-token", is_token, 10, has_digit),
    run("xapp-", "slack-token", is_token, 20, has_digit),
    other("AKIA", "aws-key", Rule::Exactly { class: is_capital, length: 16 }),
    other("ASIA", "aws-key", Rule::Exactly { class: is_capital, length: 16 }),
    run("hf_", "huggingface-token", is_alphanumeric, 30, has_both_cases),
    run("npm_", "npm-token", is_alphanumeric, 36, has_digit),
    run("pypi-AgE", "pypi-token", is_token, 50, has_digit),
    run("sk_live_", "stripe-key", is_alphanumeric, 16, has_digit),
    run("rk_live_", "stripe-key", is_alphanumeric, 16, has_digit),
    run("gsk_", "groq-key", is_alphanumeric, 40, has_digit),
    run("xai-", "xai-key", is_alphanumeric, 40, has_digit),
    other("eyJ", "jwt", Rule::Jwt),
    other("-----BEGIN ", "private-key", Rule::Pem),
    other("Bearer ", "authorization", Rule::Authorization),
    other("bearer ", "authorization", Rule::Authorization),
    other("BEARER ", "authorization", Rule::Authorization),
    other("Basic ", "authorization", Rule::Authorization),
    other("://", "url-password", Rule::Url),
];

static PREFIXES: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostFirst)
        .build(SHAPES.iter().map(|shape| shape.prefix))
        .ok()
});

/// Returns every kind a mask can name.
pub(super) fn kinds() -> impl Iterator<Item = &'static str> {
    SHAPES.iter().map(|shape| shape.kind).chain([CREDENTIAL, ANTHROPIC, OPENAI, OPENROUTER])
}

/// Returns the kind of a text that is, as a whole, one well-known key.
pub(super) fn kind_of(text: &[u8]) -> Option<&'static str> {
    let mut kind = None;
    find(text, |span, of| kind = (span == (0..text.len())).then_some(of).or(kind));
    kind
}

/// Finds the keys of some bytes, from left to right.
pub(super) fn find(bytes: &[u8], mut found: impl FnMut(Range<usize>, &'static str)) {
    let Some(prefixes) = &*PREFIXES else { return };
    let mut end = 0;
    for hit in prefixes.find_iter(bytes) {
        if hit.start() < end {
            continue;
        }
        let Some(shape) = SHAPES.get(hit.pattern().as_usize()) else { continue };
        if let Some((span, kind)) = shape.key(bytes, hit.start(), hit.end()) {
            end = span.end;
            found(span, kind);
        }
    }
}

impl Shape {
    /// Returns the key whose prefix is at a place, if it is one.
    fn key(&self, bytes: &[u8], start: usize, behind: usize) -> Option<(Range<usize>, &'static str)> {
        let rest = bytes.get(behind..)?;
        if !matches!(self.rule, Rule::Url | Rule::Pem) && !begins(bytes, start) {
            return None;
        }
        let whole = |length: usize| (start..behind + length, self.kind);
        match self.rule {
            Rule::Run { class, least, random } => {
                let key = while_in(rest, class);
                (key.len() >= least && random(key)).then(|| whole(key.len()))
            }
            Rule::Exactly { class, length } => {
                let key = while_in(rest, is_alphanumeric);
                (key.len() == length && key.iter().all(|b| class(*b)) && has_digit(key))
                    .then(|| whole(length))
            }
            Rule::Sk => {
                let key = while_in(rest, is_token);
                sk(key).map(|kind| (start..behind + key.len(), kind))
            }
            Rule::Jwt => jwt(rest).map(whole),
            Rule::Pem => pem(rest).map(whole),
            Rule::Authorization => {
                let key = while_in(rest, |b| is_token(b) || b".~+/=".contains(&b));
                let random = key.len() >= 16 && has_digit(key) && key.iter().any(u8::is_ascii_alphabetic);
                random.then(|| (behind..behind + key.len(), self.kind))
            }
            Rule::Url => password(rest).map(|span| (behind + span.start..behind + span.end, self.kind)),
        }
    }
}

/// Tells whether a word can begin here: not within another word, but behind an escape like `\n` or `%3D`.
fn begins(bytes: &[u8], at: usize) -> bool {
    let before = |back: usize| at.checked_sub(back).and_then(|index| bytes.get(index)).copied();
    let Some(last) = before(1) else { return true };
    if !last.is_ascii_alphanumeric() && last != b'_' && last != b'-' {
        return true;
    }
    let hex = |back: usize| before(back).is_some_and(|b| b.is_ascii_hexdigit());
    let escape = before(2) == Some(b'\\') && b"nrtbf".contains(&last);
    let percent = before(3) == Some(b'%') && hex(1) && hex(2);
    let unicode = before(6) == Some(b'\\') && before(5) == Some(b'u') && (1..=4).all(hex);
    escape || percent || unicode
}

fn while_in(bytes: &[u8], class: fn(u8) -> bool) -> &[u8] {
    let length = bytes.iter().take_while(|b| class(**b)).count();
    bytes.get(..length).unwrap_or_default()
}

fn is_alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn is_capital(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

fn has_digit(key: &[u8]) -> bool {
    key.iter().any(u8::is_ascii_digit)
}

fn has_both_cases(key: &[u8]) -> bool {
    key.iter().any(u8::is_ascii_uppercase) && key.iter().any(u8::is_ascii_lowercase)
}

/// Returns whose key follows `sk-`, if it looks like a key: words joined with `-` do not.
fn sk(key: &[u8]) -> Option<&'static str> {
    let random =
        |part: &[u8]| part.len() >= 16 && has_digit(part) && part.iter().any(u8::is_ascii_alphabetic);
    let a_part = || key.split(|b| !b.is_ascii_alphanumeric()).any(random);
    let mixed = || key.len() >= 32 && has_digit(key) && has_both_cases(key);
    if key.starts_with(b"ant-") && key.len() >= 20 && has_digit(key) {
        return Some(ANTHROPIC);
    }
    if key.len() < 20 || !(a_part() || mixed()) {
        return None;
    }
    Some(if key.starts_with(b"or-") { OPENROUTER } else { OPENAI })
}

/// Returns the length of a JWT behind its `eyJ`.
fn jwt(rest: &[u8]) -> Option<usize> {
    let part = |from: usize| rest.get(from..).map(|rest| while_in(rest, is_token).len());
    let header = part(0).filter(|length| *length >= 8)?;
    let claims = header + 1;
    let dots = |at: usize| rest.get(at) == Some(&b'.');
    if !dots(header) || !rest.get(claims..)?.starts_with(b"eyJ") {
        return None;
    }
    let signature = claims + part(claims)? + 1;
    let length = part(signature).filter(|length| *length >= 8 && dots(signature - 1))?;
    Some(signature + length)
}

/// Returns the length of a private key block behind its `-----BEGIN `; one without an end goes as far as it looks like one.
fn pem(rest: &[u8]) -> Option<usize> {
    /// Prose about a key block has no line of this length.
    const KEY_LINE: usize = 32;
    let words = while_in(rest.get(..rest.len().min(64))?, |b| {
        b.is_ascii_uppercase() || b.is_ascii_digit() || b == b' '
    });
    let is_private = words.ends_with(b"PRIVATE KEY") || words.ends_with(b"PRIVATE KEY BLOCK");
    if !is_private || !rest.get(words.len()..)?.starts_with(b"-----") {
        return None;
    }
    let mut at = words.len() + 5;
    let (mut run, mut longest) = (0, 0);
    while let Some(tail) = rest.get(at..).filter(|tail| !tail.is_empty()) {
        if tail.starts_with(b"-----END ") {
            let end = b"-----END ".len() + words.len() + 5;
            let closed = tail.get(end - 5..end) == Some(b"-----");
            return (longest >= KEY_LINE).then_some(at + if closed { end } else { b"-----END ".len() });
        }
        // The next block is looked at by itself, so that no part is gone over twice.
        if tail.starts_with(b"-----BEGIN ") {
            break;
        }
        run = if tail.first().is_some_and(|b| b.is_ascii_alphanumeric() || b"+/=".contains(b)) {
            run + 1
        } else {
            0
        };
        longest = longest.max(run);
        let next = match tail.first() {
            // An escaped line end counts as a whole, so that no escape is cut in two.
            Some(b'\\') => {
                let slashes = while_in(tail, |b| b == b'\\').len();
                if tail.get(slashes).is_some_and(|b| b"nrt".contains(b)) { slashes + 1 } else { break }
            }
            Some(b) if b.is_ascii_alphanumeric() || b"+/= \t\r\n:,-".contains(b) => 1,
            _ => break,
        };
        at += next;
    }
    (longest >= KEY_LINE).then_some(at)
}

/// Returns where the password is in what follows `://`.
fn password(rest: &[u8]) -> Option<Range<usize>> {
    const LONGEST: usize = 1024;
    let rest = rest.get(..rest.len().min(LONGEST))?;
    let class = |b: u8| b.is_ascii_graphic() && !b"/?#@:\"'<>\\`{}[](),".contains(&b);
    let user = while_in(rest, class).len();
    if rest.get(user) != Some(&b':') {
        return None;
    }
    let from = user + 1;
    let length =
        while_in(rest.get(from..)?, |b| b.is_ascii_graphic() && !b"/?#@\"'<>\\`{}[](),".contains(&b)).len();
    (length > 0 && rest.get(from + length) == Some(&b'@')).then(|| from..from + length)
}
