//! What a licence text is: laid word by word beside the texts of SPDX's list.
//!
//! Must never call a text by the name of one that asks for less: a clause more or less makes it unknown.

#![expect(clippy::single_range_in_vec_init, reason = "a list of ranges that begins with one")]

mod align;
mod reading;
mod template;
mod words;

use std::ops::Range;

use align::Fit;
use template::{COMMON_SHELF, GRAM, Kind, RARE_SHELF, Shelf, gram, is_strong, is_weighty};
use words::{Words, digest};

pub use reading::{Part, Reading};

#[cfg(test)]
mod tests;

/// Longer texts are read up to here.
const LONGEST: usize = 60_000;
/// So many texts are looked for in one file.
const MOST: usize = 48;
/// So many templates are laid beside one stretch.
const TRIES: usize = 10;
/// Shorter stretches hold no licence.
const SHORTEST: usize = 8;
/// How much of a template a text has to have to be called like it, in thousandths.
const ALIKE: u32 = 600;

/// Reads a text.
pub fn read(text: &str) -> Reading {
    let mut words = Words::of(text);
    let long = words.len() > LONGEST;
    words.cut(LONGEST);
    let mut state = State { words: &words, found: Vec::new(), open: vec![0..words.len()] };
    // First what fits nearly word by word: a rare text may be closer to what only resembles a common one.
    state.take(&COMMON_SHELF, true);
    if state.found.is_empty() || state.open.iter().any(|span| state.legal(span)) {
        state.take(&RARE_SHELF, true);
        state.take(&COMMON_SHELF, false);
        state.take(&RARE_SHELF, false);
    }
    let tag = reading::tag(text);
    let mut reading = state.finish(text, long);
    reading.tag = tag;
    reading
}

/// A template that explains a stretch.
type Found = (&'static str, Kind, Fit);

struct State<'w> {
    words: &'w Words,
    found: Vec<Found>,
    /// Stretches that nothing explains yet.
    open: Vec<Range<usize>>,
}

impl State<'_> {
    /// Takes out of the open stretches what templates of a shelf explain.
    fn take(&mut self, texts: &'static Shelf, exactly: bool) {
        let mut todo = std::mem::take(&mut self.open);
        while let Some(span) = todo.pop() {
            let best = if self.found.len() < MOST { self.best(texts, &span, exactly) } else { None };
            let Some(found) = best else {
                self.open.push(span);
                continue;
            };
            todo.push(span.start..found.2.range.start);
            todo.push(found.2.range.end..span.end);
            self.found.push(found);
        }
        self.open.retain(|span| !span.is_empty());
        self.open.sort_by_key(|span| span.start);
    }

    /// Finds the template that explains most of a stretch.
    fn best(&self, texts: &'static Shelf, span: &Range<usize>, exactly: bool) -> Option<Found> {
        let score = |fit: &Fit| fit.range.len().saturating_sub(fit.edits);
        let mut best: Option<Found> = None;
        for (n, _) in self.candidates(texts, span).into_iter().take(TRIES) {
            let template = texts.templates.get(n)?;
            let Some(fit) = align::align(self.words, span, template).filter(|fit| fit.close) else {
                continue;
            };
            if exactly && fit.edits > 1 + template.required / 150 {
                continue;
            }
            let better =
                best.as_ref().is_none_or(|(_, _, old)| (score(&fit), old.edits) > (score(old), fit.edits));
            if better {
                best = Some((template.id, template.kind, fit));
            }
        }
        best
    }

    fn candidates(&self, texts: &Shelf, span: &Range<usize>) -> Vec<(usize, u32)> {
        if span.len() < SHORTEST {
            return Vec::new();
        }
        let words = self.words.all.get(span.clone()).unwrap_or_default();
        let mut grams: Vec<u32> = words.windows(GRAM).map(gram).collect();
        grams.sort_unstable();
        grams.dedup();
        texts.candidates(&grams)
    }

    /// Tells whether a stretch may ask for something that is not explained.
    fn legal(&self, span: &Range<usize>) -> bool {
        let is = |n: usize, list: &[&str]| {
            n < span.end && self.words.all.get(n).is_some_and(|word| list.iter().any(|w| digest(w) == *word))
        };
        let asks = |n: usize| {
            self.words.all.get(n).is_some_and(|word| is_strong(*word))
                || (is(n, &["may", "can"]) && is(n + 1, &["not"]))
                || (is(n, &["except"]) && is(n + 1, &["for", "to", "if", "that"]))
                || (is(n, &["only"]) && is(n + 1, &["if", "for"]))
                || (is(n, &["use", "used", "purposes"]) && is(n + 1, &["only"]))
        };
        if span.clone().any(asks) {
            return true;
        }
        let weighty = span.clone().filter(|n| {
            !self.words.is_notice(*n) && self.words.all.get(*n).is_some_and(|word| is_weighty(*word))
        });
        span.len() >= 60 && weighty.count() >= 8
    }

    fn finish(mut self, text: &str, long: bool) -> Reading {
        self.found.sort_by_key(|(_, _, fit)| fit.range.start);
        let mut reading = Reading { unread: long, words: self.words.len(), ..Reading::default() };
        let place = |range: &Range<usize>| self.words.bytes(range, text.len());
        for (id, kind, fit) in self.found.iter().filter(|(_, kind, _)| *kind != Kind::Aside) {
            reading.parts.push(Part { id, kind: *kind, range: place(&fit.range), edits: fit.edits });
        }
        for span in self.open.iter().filter(|span| self.legal(span)) {
            reading.unread = true;
            reading.changed.extend(self.alike(span, &place));
        }
        reading
    }

    /// Finds the text of the list that a stretch is most like.
    fn alike(&self, span: &Range<usize>, place: &impl Fn(&Range<usize>) -> Range<usize>) -> Option<Part> {
        for texts in [&*COMMON_SHELF, &*RARE_SHELF] {
            let alike = self.candidates(texts, span).into_iter().take(4).filter(|(_, part)| *part > ALIKE);
            let fits = alike.filter_map(|(n, _)| {
                let template = texts.templates.get(n)?;
                Some((template, align::align(self.words, span, template)?))
            });
            let Some((template, fit)) = fits.min_by_key(|(_, fit)| fit.edits) else { continue };
            return Some(Part {
                id: template.id,
                kind: template.kind,
                range: place(&fit.range),
                edits: fit.edits,
            });
        }
        None
    }
}
