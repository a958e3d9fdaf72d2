//! Personal data: addresses, phones, accounts, cards and the numbers that states give people.
//!
//! Must never be sure of a number that has no check digit and no word beside it.

mod checks;
mod digits;
mod email;
mod entities;
mod network;
mod numbers;
mod world;

use std::ops::Range;
use std::sync::LazyLock;

use regex_automata::Input;
use regex_automata::meta::Regex;
use regex_automata::util::syntax;

use super::keywords::Keywords;
use super::{Confidence, Found, Scanner, Sink, View};
use entities::{ENTITIES, Strength};

/// Finds personal data.
#[derive(Clone, Copy, Debug)]
pub struct Pii;

/// How far from a number a word speaks for it.
const NEAR: usize = 60;

impl Scanner for Pii {
    fn name(&self) -> &'static str {
        "pii"
    }

    fn codes(&self) -> &'static [&'static str] {
        &["pii/email", "pii/contact", "pii/identity", "pii/payment"]
    }

    fn scan(&self, view: &View<'_>, sink: &mut Sink<'_>) {
        if view.binary || view.text.is_empty() {
            return;
        }
        email::scan(view, sink);
        numbers::crypto(view, sink);
        if sink.wants(Confidence::Low) {
            numbers::scan(view, 0..view.text.len(), sink);
            network::scan(view, sink);
            for (index, _) in ENTITIES.iter().enumerate() {
                entity(view, index, 0..view.text.len(), sink);
            }
        } else {
            let mut last = 0;
            dense(&view.text, |window| {
                let window = window.start.max(last)..window.end;
                last = window.end;
                numbers::scan(view, window.clone(), sink);
                for index in named(&view.text, &window) {
                    entity(view, index, window.clone(), sink);
                }
            });
        }
    }
}

fn compile(pattern: &str) -> Option<Regex> {
    Regex::builder()
        .syntax(syntax::Config::new().unicode(false).utf8(false))
        .configure(Regex::config().utf8_empty(false))
        .build(pattern)
        .ok()
}

/// Words; the length of each, and the kind of number it speaks for.
type Context = (Keywords, Vec<(usize, usize)>);

/// Every word that speaks for a kind of number.
static CONTEXT: LazyLock<Option<Context>> = LazyLock::new(|| {
    let pairs: Vec<(&str, usize)> = ENTITIES
        .iter()
        .enumerate()
        .flat_map(|(index, entity)| entity.context.iter().map(move |word| (*word, index)))
        .collect();
    let words = Keywords::new(pairs.iter().map(|(word, _)| *word))?;
    Some((words, pairs.into_iter().map(|(word, index)| (word.len(), index)).collect()))
});

fn around(text: &[u8], range: &Range<usize>) -> Range<usize> {
    range.start.saturating_sub(NEAR)..text.len().min(range.end + NEAR)
}

/// Returns the kinds of number that words around a place speak for.
fn named(text: &[u8], range: &Range<usize>) -> Vec<usize> {
    let Some((words, indices)) = CONTEXT.as_ref() else { return Vec::new() };
    let near = around(text, range);
    let mut found = Vec::new();
    words.each(&text[near.clone()], |word, end| {
        let Some((length, index)) = indices.get(usize::from(word)) else { return };
        let end = near.start + end;
        if is_word(text, end - length..end) {
            found.push(*index);
        }
    });
    found.sort_unstable();
    found.dedup();
    found
}

/// A short word must stand alone: `tin` is not in `routing`.
fn is_word(text: &[u8], range: Range<usize>) -> bool {
    let letter = |at: Option<&u8>| at.is_some_and(u8::is_ascii_alphabetic);
    range.len() > 5
        || !(range.start > 0 && letter(text.get(range.start - 1))
            || letter(text.get(range.end)) && text[range.end - 1] != b' ')
}

fn entity(view: &View<'_>, index: usize, window: Range<usize>, sink: &mut Sink<'_>) {
    let entity = &ENTITIES[index];
    let Some(regex) = entity.regex() else { return };
    let text = &view.text;
    let mut at = window.start;
    while at < window.end {
        let Some(found) = regex.search(&Input::new(text.as_ref()).range(at..window.end)) else { break };
        at = found.end().max(at + 1);
        let value = &text[found.range()];
        if !(entity.check)(value) || is_part(text, &found.range()) {
            continue;
        }
        let spoken = !is_typed(value) && named(text, &found.range()).contains(&index);
        let confidence = match (entity.strength, spoken) {
            (_, true) => Confidence::Medium,
            (Strength::Sure | Strength::Weak, false) => Confidence::Low,
        };
        add(sink, entity.code, entity.name, entity.what, found.range(), confidence);
    }
}

/// A number that goes on after a point or a separator is another number.
fn is_part(text: &[u8], range: &Range<usize>) -> bool {
    let digit = |at: usize| text.get(at).is_some_and(u8::is_ascii_digit);
    let before = range.start > 1 && b"-./_".contains(&text[range.start - 1]) && digit(range.start - 2);
    let after = b"-/_".contains(text.get(range.end).unwrap_or(&b' ')) && digit(range.end + 1)
        || text.get(range.end) == Some(&b'.') && digit(range.end + 1);
    before || after
}

/// `12345678`, what hands type when a number is wanted.
fn is_typed(value: &[u8]) -> bool {
    let number = digits::of(value);
    number.windows(7).any(|w| w.windows(2).all(|p| p[1] == p[0] + 1) || w.windows(2).all(|p| p[0] == p[1]))
}

fn add(
    sink: &mut Sink<'_>,
    code: &'static str,
    entity: &str,
    what: &str,
    range: Range<usize>,
    confidence: Confidence,
) {
    if !sink.wants(confidence) {
        return;
    }
    let attributes = vec![("entity", entity.to_owned())];
    sink.add(Found {
        code,
        range,
        message: what.to_owned(),
        secret: Vec::new(),
        confidence,
        attributes,
        whole: false,
        plain: false,
    });
}

/// Calls back with the places where digits are dense: nothing else can hold a number of a person.
fn dense(text: &[u8], mut each: impl FnMut(Range<usize>)) {
    const CHUNK: usize = 32;
    const LEAST: u8 = 6;
    let mut open: Option<Range<usize>> = None;
    for (nth, chunk) in text.chunks(CHUNK).enumerate() {
        let digits: u8 = chunk.iter().map(|b| u8::from(b.wrapping_sub(b'0') < 10)).sum();
        if digits < LEAST {
            continue;
        }
        let start = (nth * CHUNK).saturating_sub(CHUNK);
        let end = text.len().min((nth + 2) * CHUNK);
        match &mut open {
            Some(window) if start <= window.end => window.end = end,
            _ => {
                if let Some(window) = open.replace(start..end) {
                    each(window);
                }
            }
        }
    }
    if let Some(window) = open {
        each(window);
    }
}

#[cfg(test)]
mod tests;
