//! Redaction: secrets in text become a mask that names their kind, before the text leaves the process.
//!
//! Two kinds of secrets are found: those the process was told of ([`learn`]), in any usual encoding, and those whose shape
//! is well known, whoever they belong to. Must never print, log or return a secret, must never panic on any bytes, and
//! must never take more than linear time.

mod forms;
mod shape;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use zeroize::Zeroizing;

use forms::Form;

/// Takes secrets out of text.
pub trait Redact: Send + Sync {
    /// Returns the text with every secret masked; borrowed when there was none.
    fn redact<'a>(&self, text: &'a str) -> Cow<'a, str>;

    /// Returns the bytes with every secret masked; borrowed when there was none.
    fn redact_bytes<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]>;

    /// Tells whether the bytes hold a secret the process was told of, in any form.
    fn holds_learned(&self, bytes: &[u8]) -> bool;
}

/// Why a text is not learned as a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotLearned {
    /// Too short: it would be found in texts that have nothing to do with it.
    #[error("it is shorter than {SHORTEST} characters, so masking it would mask ordinary text")]
    Short,
    /// One plain word or number, like `postgres`: masking it would mask ordinary text.
    #[error("it is one plain word or number, so masking it would mask ordinary text")]
    Plain,
    /// Too long to be a key.
    #[error("it is longer than {LONGEST} bytes")]
    Long,
}

/// Shorter texts are not learned.
pub const SHORTEST: usize = 8;
/// Longer texts are not learned.
pub const LONGEST: usize = 64 * 1024;
/// A word of one class of characters must have this many characters to be no plain word.
const UNCOMMON: usize = 16;
/// More bytes of patterns than this would make the faster kind of automaton too large.
const LARGE: usize = 20_000;

/// The redactor of this process: every secret it is ever told of, and the well-known shapes.
static PROCESS: LazyLock<Redactor> = LazyLock::new(Redactor::new);

/// Learns a live secret: from now on it is masked in every form it may be printed in.
pub fn learn(secret: &str) -> Result<(), NotLearned> {
    PROCESS.learn(secret)
}

/// Masks every secret of a text.
pub fn redact(text: &str) -> Cow<'_, str> {
    PROCESS.redact(text)
}

/// Masks every secret of some bytes.
pub fn redact_bytes(bytes: &[u8]) -> Cow<'_, [u8]> {
    PROCESS.redact_bytes(bytes)
}

/// Tells whether the bytes hold a learned secret in any form.
pub fn holds_learned(bytes: &[u8]) -> bool {
    PROCESS.holds_learned(bytes)
}

/// Returns the redactor of this process, for those who take one as a parameter.
pub fn process() -> &'static Redactor {
    &PROCESS
}

/// Secrets that are known, and the well-known shapes.
#[derive(Default)]
pub struct Redactor {
    known: RwLock<Known>,
}

/// The learned secrets; the matcher is made when it is first needed.
#[derive(Default)]
struct Known {
    secrets: Vec<Zeroizing<String>>,
    matcher: Option<Arc<Matcher>>,
}

/// The learned secrets in all their forms, as one automaton.
struct Matcher {
    automaton: AhoCorasick,
    forms: Vec<(Form, &'static str)>,
}

/// A part of a text that is masked.
struct Found {
    span: Range<usize>,
    kind: &'static str,
}

impl Redactor {
    /// Returns a redactor that knows the well-known shapes only.
    pub fn new() -> Self {
        Self::default()
    }

    /// Learns a live secret, as [`learn`] does for the process.
    pub fn learn(&self, secret: &str) -> Result<(), NotLearned> {
        let secret = secret.trim();
        worth_masking(secret)?;
        let lines =
            secret.lines().map(str::trim).filter(|line| line.len() >= UNCOMMON && !line.starts_with("-----"));
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        for part in std::iter::once(secret).chain(lines) {
            if !known.secrets.iter().any(|one| one.as_str() == part) {
                known.secrets.push(Zeroizing::new(part.to_owned()));
                known.matcher = None;
            }
        }
        Ok(())
    }

    fn matcher(&self) -> Option<Arc<Matcher>> {
        {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            if known.secrets.is_empty() || known.matcher.is_some() {
                return known.matcher.clone();
            }
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.matcher.is_none() {
            known.matcher = Matcher::new(&known.secrets).map(Arc::new);
        }
        known.matcher.clone()
    }

    /// Returns what is to be masked, in order, without overlaps.
    fn find(&self, bytes: &[u8]) -> Vec<Found> {
        let mut found = self.matcher().map(|matcher| matcher.find(bytes)).unwrap_or_default();
        shape::find(bytes, |span, kind| found.push(Found { span, kind }));
        if found.is_empty() {
            return found;
        }
        let masks = masks(bytes);
        found.retain(|one| !overlaps_any(&one.span, &masks));
        // The longest of those that start together comes first, and names the kind.
        found.sort_by_key(|one| (one.span.start, std::cmp::Reverse(one.span.end)));
        let mut merged: Vec<Found> = Vec::with_capacity(found.len());
        for one in found {
            match merged.last_mut() {
                Some(last) if one.span.start < last.span.end => {
                    last.span.end = last.span.end.max(one.span.end);
                }
                _ => merged.push(one),
            }
        }
        merged
    }
}

impl Redact for Redactor {
    fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.redact_bytes(text.as_bytes()) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            // Spans begin and end at ASCII or with the whole secret, so this is text still.
            Cow::Owned(bytes) => Cow::Owned(match String::from_utf8(bytes) {
                Ok(text) => text,
                Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
            }),
        }
    }

    fn redact_bytes<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let found = self.find(bytes);
        if found.is_empty() {
            return Cow::Borrowed(bytes);
        }
        let (mut masked, mut from) = (Vec::with_capacity(bytes.len()), 0);
        for Found { span, kind } in found {
            masked.extend_from_slice(bytes.get(from..span.start).unwrap_or_default());
            masked.extend_from_slice(MASK_START);
            masked.extend_from_slice(kind.as_bytes());
            masked.push(b']');
            from = span.end;
        }
        masked.extend_from_slice(bytes.get(from..).unwrap_or_default());
        Cow::Owned(masked)
    }

    fn holds_learned(&self, bytes: &[u8]) -> bool {
        self.matcher().is_some_and(|matcher| matcher.automaton.is_match(bytes))
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).secrets.len();
        f.debug_struct("Redactor").field("known", &known).finish_non_exhaustive()
    }
}

impl Matcher {
    fn new(secrets: &[Zeroizing<String>]) -> Option<Self> {
        let (mut patterns, mut forms) = (Vec::new(), Vec::new());
        for secret in secrets {
            let kind = shape::kind_of(secret.as_bytes()).unwrap_or(shape::CREDENTIAL);
            for form in forms::of(secret) {
                // A form that is found in a mask would be masked again and again.
                if !shape::kinds()
                    .any(|kind| contains(format!("[redacted:{kind}]").as_bytes(), &form.pattern))
                {
                    patterns.push(form.pattern.clone());
                    forms.push((form, kind));
                }
            }
        }
        let large = patterns.iter().map(|pattern| pattern.len()).sum::<usize>() > LARGE;
        let kind = large.then_some(AhoCorasickKind::ContiguousNFA);
        // Secrets of this length cannot make more states than there are numbers for them.
        let automaton = AhoCorasick::builder().kind(kind).build(&patterns).ok()?;
        Some(Self { automaton, forms })
    }

    fn find(&self, bytes: &[u8]) -> Vec<Found> {
        if !self.automaton.is_match(bytes) {
            return Vec::new();
        }
        let hits = self.automaton.find_overlapping_iter(bytes);
        hits.filter_map(|hit| {
            let (form, kind) = self.forms.get(hit.pattern().as_usize())?;
            Some(Found { span: form.whole(bytes, hit.start()..hit.end()), kind })
        })
        .collect()
    }
}

const MASK_START: &[u8] = b"[redacted:";

/// Returns where masks are already.
fn masks(bytes: &[u8]) -> Vec<Range<usize>> {
    static START: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| AhoCorasick::new([MASK_START]).ok());
    let Some(start) = &*START else { return Vec::new() };
    let ends = |hit: aho_corasick::Match| {
        let rest = bytes.get(hit.end()..)?;
        let length = rest.iter().take_while(|b| b.is_ascii_lowercase() || **b == b'-').count();
        (rest.get(length) == Some(&b']')).then(|| hit.start()..hit.end() + length + 1)
    };
    start.find_iter(bytes).filter_map(ends).collect()
}

/// Tells whether a span overlaps one of these, which are in order.
fn overlaps_any(span: &Range<usize>, others: &[Range<usize>]) -> bool {
    let next = others.partition_point(|other| other.end <= span.start);
    others.get(next).is_some_and(|other| other.start < span.end)
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len().max(1)).any(|window| window == part)
}

fn worth_masking(secret: &str) -> Result<(), NotLearned> {
    let length = secret.chars().count();
    if length < SHORTEST {
        return Err(NotLearned::Short);
    }
    if secret.len() > LONGEST {
        return Err(NotLearned::Long);
    }
    let one_class = |class: fn(&char) -> bool| secret.chars().all(|c| class(&c));
    let word = |c: &char| c.is_alphabetic() && c.is_lowercase();
    let capitals = |c: &char| c.is_alphabetic() && c.is_uppercase();
    // `Postgres` is a word too, and so is a row of one character.
    let title =
        secret.chars().next().is_some_and(char::is_uppercase) && secret.chars().skip(1).all(|c| word(&c));
    let row = secret.chars().all(|c| secret.starts_with(c));
    let plain = one_class(word) || one_class(capitals) || one_class(char::is_ascii_digit) || title;
    if row || (plain && length < UNCOMMON) {
        return Err(NotLearned::Plain);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
