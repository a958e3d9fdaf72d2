//! What a scanner found, and how it becomes a fact: placed, masked, with a fingerprint.
//!
//! Must never keep a secret: what was found is dropped once masked and digested.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde::Serialize;
use sha2::{Digest, Sha256};

pub use crate::artifact::types::policy_input::Confidence;

use super::{Scanner, View};

/// One thing a scanner saw.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Fact {
    /// The path from the root of the repository.
    pub path: String,
    /// The line, counted from 1.
    pub line: u32,
    /// The column in bytes, counted from 1.
    pub column: u32,
    /// The last line.
    pub end_line: u32,
    /// The column after the last byte.
    pub end_column: u32,
    /// The code, `category/rule`.
    pub code: &'static str,
    /// The scanner.
    pub scanner: &'static str,
    /// What it is, in one sentence without full stop.
    pub message: String,
    /// The line with everything secret masked.
    pub evidence: String,
    /// The same for the same thing wherever it moves: over code, what was found and which of equals it is.
    pub fingerprint: String,
    /// How sure.
    pub confidence: Confidence,
    /// More for rules: the rule, the layer, the entity.
    pub attributes: BTreeMap<&'static str, String>,
}

/// Something found, not yet a fact.
#[derive(Clone, Debug)]
pub struct Found {
    /// The code.
    pub code: &'static str,
    /// Where in the view's text.
    pub range: Range<usize>,
    /// What it is.
    pub message: String,
    /// What the fingerprint is over and what no evidence may show; the text in the range when empty.
    pub secret: Vec<u8>,
    /// How sure.
    pub confidence: Confidence,
    /// More for rules.
    pub attributes: Vec<(&'static str, String)>,
    /// Whether it is about the file and not about a place in it: it counts whichever line was changed.
    pub whole: bool,
    /// Whether nothing in it is secret, so that the evidence shows it; `secret` is only what the fingerprint is over.
    pub plain: bool,
}

impl Found {
    /// Returns a finding that may be shown as it is; `key` is what makes it another one when lines move.
    pub fn plain(
        code: &'static str,
        range: Range<usize>,
        message: String,
        key: &str,
        confidence: Confidence,
    ) -> Self {
        let secret = key.as_bytes().to_vec();
        Self { code, range, message, secret, confidence, attributes: Vec::new(), whole: false, plain: true }
    }

    /// Returns a finding about a file as a whole: placed on its first line, without evidence, the same wherever the file's
    /// lines move; `key` is what makes it another one.
    pub fn file(code: &'static str, message: String, key: &str, confidence: Confidence) -> Self {
        let secret = key.as_bytes().to_vec();
        Self {
            code,
            range: 0..0,
            message,
            secret,
            confidence,
            attributes: Vec::new(),
            whole: true,
            plain: true,
        }
    }

    /// Returns the same with one more attribute.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }
}

/// Takes what one scanner finds in one file.
#[derive(Debug)]
pub struct Sink<'a> {
    name: &'static str,
    view: &'a View<'a>,
    found: Vec<Found>,
    least: Confidence,
    more: usize,
}

/// More findings of a scanner in one file are counted, not listed: the last one says how many there are.
const MOST: usize = 1_000;
const WIDEST: usize = 160;
const MASK: &str = "********";

impl<'a> Sink<'a> {
    /// Returns an empty sink.
    pub fn new(scanner: &dyn Scanner, view: &'a View<'a>) -> Self {
        Self { name: scanner.name(), view, found: Vec::new(), least: Confidence::Low, more: 0 }
    }

    /// Returns a sink that takes nothing less sure.
    #[must_use]
    pub fn at_least(mut self, least: Confidence) -> Self {
        self.least = least;
        self
    }

    /// Tells whether a finding of this confidence is taken; scanners spare themselves the look when not.
    pub fn wants(&self, confidence: Confidence) -> bool {
        confidence >= self.least
    }

    /// Takes a finding.
    pub fn add(&mut self, found: Found) {
        if found.confidence < self.least {
            return;
        }
        if self.found.len() < MOST {
            self.found.push(found);
        } else {
            self.more += 1;
        }
    }

    /// Tells whether a finding of at least this confidence covers a place.
    pub fn covers(&self, range: &Range<usize>, confidence: Confidence) -> bool {
        self.found.iter().rev().any(|found| {
            found.confidence >= confidence && found.range.start < range.end && range.start < found.range.end
        })
    }

    /// Turns the findings on changed lines into facts, sorted.
    pub fn finish(mut self) -> Vec<Fact> {
        if self.found.is_empty() {
            return Vec::new();
        }
        let text = &self.view.text;
        if let Some(last) = self.found.last_mut().filter(|_| self.more > 0) {
            last.attributes.push(("more", self.more.to_string()));
        }
        for found in &mut self.found {
            found.range.end = found.range.end.min(text.len());
            found.range.start = found.range.start.min(found.range.end);
            if found.secret.is_empty() {
                found.secret = text[found.range.clone()].to_vec();
            }
        }
        self.found.sort_by(|a, b| {
            (a.range.start, b.range.end, a.code)
                .cmp(&(b.range.start, a.range.end, b.code))
                .then(b.confidence.cmp(&a.confidence))
        });
        let found = without_doubles(self.found);
        // Ranges reach over the values that were found, whatever layer they were found in.
        let masks: Vec<Range<usize>> = found.iter().filter(|f| !f.plain).map(|f| f.range.clone()).collect();
        let values: BTreeSet<&[u8]> =
            found.iter().filter(|f| !f.plain).map(|f| f.secret.as_slice()).filter(|s| s.len() > 3).collect();
        let inline = match self.view.extension() {
            "rs" => inline_tests(text),
            _ => Vec::new(),
        };
        let mut seen: BTreeMap<(&str, &[u8]), u32> = BTreeMap::new();
        let mut facts = Vec::new();
        for found in &found {
            let nth = seen.entry((found.code, &found.secret)).or_default();
            *nth += 1;
            let lines = self.view.lines();
            let (line, column) = lines.place(found.range.start);
            let (end_line, end_column) = lines.place(found.range.end.max(found.range.start + 1) - 1);
            if !found.whole && !self.view.source.touches(line, end_line) {
                continue;
            }
            let mut attributes: BTreeMap<_, _> = found.attributes.iter().cloned().collect();
            if self.view.aside() || inline.iter().any(|tests| tests.contains(&found.range.start)) {
                attributes.insert("place", "aside".to_owned());
            }
            let evidence = if found.whole {
                String::new()
            } else {
                evidence(text, &lines.range(line), &found.range, &masks, &values)
            };
            facts.push(Fact {
                path: self.view.source.path.to_owned(),
                line,
                column,
                end_line,
                end_column: end_column + 1,
                code: found.code,
                scanner: self.name,
                message: found.message.clone(),
                evidence,
                fingerprint: fingerprint(found.code, &found.secret, *nth),
                confidence: found.confidence,
                attributes,
            });
        }
        facts.sort();
        facts
    }
}

/// Returns where a Rust file keeps its tests: blocks of `#[cfg(test)] mod NAME {`, up to a closing brace at the line's start.
fn inline_tests(text: &[u8]) -> Vec<Range<usize>> {
    const HEAD: &[u8] = b"\n#[cfg(test)]\n";
    let mut blocks = Vec::new();
    let mut at = 0;
    while let Some(start) = text.get(at..).and_then(|rest| memchr::memmem::find(rest, HEAD)) {
        let body = at + start + HEAD.len();
        let rest = text.get(body..).unwrap_or_default();
        let line = rest.split(|b| *b == b'\n').next().unwrap_or_default();
        at = body;
        if line.starts_with(b"mod ") && line.ends_with(b"{") {
            let end = memchr::memmem::find(rest, b"\n}").map_or(text.len(), |end| body + end);
            blocks.push(body..end);
            at = end;
        }
    }
    blocks
}

/// Drops a finding that lies within a surer or equal one of the same scanner.
fn without_doubles(found: Vec<Found>) -> Vec<Found> {
    let mut kept: Vec<Found> = Vec::with_capacity(found.len());
    for new in found {
        if new.plain {
            // Different things may be said of one place.
            if !kept
                .last()
                .is_some_and(|k| (k.code, &k.range, &k.secret) == (new.code, &new.range, &new.secret))
            {
                kept.push(new);
            }
            continue;
        }
        // Sorted by start, so only the last few can overlap; a long key may hold many.
        if let Some(at) = kept
            .iter()
            .rev()
            .take(8)
            .position(|k| !k.plain && k.range.start < new.range.end && new.range.start < k.range.end)
        {
            let at = kept.len() - 1 - at;
            let old = &kept[at];
            let better = (new.confidence, new.range.len()) > (old.confidence, old.range.len());
            if old.attributes.iter().any(|(k, _)| *k == "entity") && old.message != new.message && !better {
                // Personal data: one number may be two things, each of them low.
                if old.confidence == new.confidence {
                    kept.push(new);
                }
            } else if better {
                kept[at] = new;
            }
        } else {
            kept.push(new);
        }
    }
    kept
}

fn fingerprint(code: &str, secret: &[u8], nth: u32) -> String {
    let mut hash = Sha256::new();
    hash.update(b"orch-fact-1\0");
    hash.update(code.as_bytes());
    hash.update([0]);
    hash.update(secret);
    hash.update(nth.to_be_bytes());
    hash.finalize()[..12].iter().fold(String::with_capacity(24), |text, byte| {
        use std::fmt::Write as _;
        let mut text = text;
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Returns the line around a finding with everything that was found in the file masked.
fn evidence(
    text: &[u8],
    line: &Range<usize>,
    found: &Range<usize>,
    masks: &[Range<usize>],
    values: &BTreeSet<&[u8]>,
) -> String {
    let from = line.start.max(found.start.saturating_sub(WIDEST / 2));
    let to = line.end.min(found.start.saturating_add(WIDEST)).max(from);
    let mut shown: Vec<u8> = Vec::with_capacity(WIDEST);
    let mut at = from;
    let first = masks.partition_point(|m| m.end <= from && m.start < from);
    for mask in masks[..].iter().skip(first.saturating_sub(16)) {
        if mask.start >= to {
            break;
        }
        if mask.end <= at {
            continue;
        }
        shown.extend_from_slice(&text[at..mask.start.max(at)]);
        shown.extend_from_slice(MASK.as_bytes());
        at = mask.end.min(to).max(at);
    }
    shown.extend_from_slice(&text[at.min(to)..to]);
    for value in values {
        while let Some(start) = memchr::memmem::find(&shown, value) {
            shown.splice(start..start + value.len(), MASK.bytes());
        }
    }
    let shown = String::from_utf8_lossy(&shown);
    crate::diagnostic::text::plain(shown.trim()).chars().take(WIDEST).collect()
}

#[cfg(test)]
mod tests {
    use crate::scan::{Confidence, SCANNERS, Source, Worker};

    #[test]
    fn tests_within_a_rust_file_are_aside_and_nothing_after_them() {
        let address = |name: &str| format!("const A: &str = \"{name}.keller@posteo.de\";\n");
        let text = [
            address("maria"),
            "\n#[cfg(test)]\nmod tests {\n    ".into(),
            address("jo"),
            "}\n".into(),
            address("anna"),
            "\n#[cfg(test)]\nmod more;\n".into(),
            address("uwe"),
        ]
        .concat();
        let places = |path: &str| {
            let mut worker = Worker::new(SCANNERS, None).at_least(Confidence::Medium);
            worker.scan(&Source::new(path, text.as_bytes()));
            let mut facts = worker.into_facts();
            facts.retain(|fact| fact.code == "pii/email");
            facts.sort();
            facts.iter().map(|fact| fact.attributes.contains_key("place")).collect::<Vec<_>>()
        };
        assert_eq!(places("src/a.rs"), [false, true, false, false]);
        assert_eq!(places("src/a.py"), [false; 4]);
    }
}
