//! A file taken apart: whole functions that fit a request, and an outline of the rest.
//!
//! Must never cut a function, but for one that is larger than any pack has room for: of that the outline is shown.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::agent::context::{Cite, numbered, tokens, words};
use crate::syntax::{Definition, Syntax};

use super::{Part, PartRole};

/// A file of at most so many tokens is shown whole.
const WHOLE: u32 = 900;
/// A definition of more lines is taken apart where it holds others.
const LARGE: u32 = 90;
/// The most definitions of one file that are shown for a request.
const MOST: usize = 3;
/// The most definitions in an outline.
const MOST_OUTLINED: usize = 120;
/// A definition of more lines is shown by its outline only.
const HUGE: u32 = 400;

/// A file that was read.
#[derive(Debug)]
pub(super) struct File {
    pub path: String,
    pub text: String,
    pub syntax: Syntax,
}

impl File {
    /// Returns lines of it.
    pub fn part(&self, role: PartRole, first: u32, last: u32, names: Vec<String>) -> Part {
        let text = numbered(&self.text, first as usize - 1, (last + 1 - first) as usize);
        Part { role, cite: Cite::of(&self.path, self.text.as_bytes(), first, last), names, text }
    }

    /// Returns all of it, where it is small.
    pub fn whole(&self, role: PartRole) -> Option<Part> {
        let small = self.syntax.lines > 0 && tokens(&self.text) <= WHOLE;
        let names = self.syntax.outer().map(|d| d.name.clone()).collect();
        small.then(|| self.part(role, 1, self.syntax.lines, names))
    }

    /// Returns a definition, with the comment and the decorators it has.
    pub fn definition(&self, role: PartRole, definition: &Definition) -> Part {
        self.part(role, definition.first, definition.last, vec![definition.name.clone()])
    }

    /// Returns its signatures, where it has any.
    pub fn outline(&self) -> Option<Part> {
        let lines: Vec<&str> = self.text.lines().collect();
        let mut shown = BTreeSet::new();
        for definition in self.syntax.definitions.iter().filter(|d| d.depth < 3).take(MOST_OUTLINED) {
            shown.extend(definition.head..=definition.head_last.min(definition.head + 7));
        }
        let mut text = String::new();
        let mut before = 0;
        for line in &shown {
            if *line > before + 1 {
                text.push_str("…\n");
            }
            before = *line;
            let _ = writeln!(text, "{line}\t{}", lines.get(*line as usize - 1).copied().unwrap_or_default());
        }
        if before < self.syntax.lines {
            text.push_str("…\n");
        }
        let cite = Cite::of(&self.path, self.text.as_bytes(), 1, self.syntax.lines.max(1));
        (!shown.is_empty()).then(|| Part { role: PartRole::Outline, cite, names: Vec::new(), text })
    }
}

/// Returns the definitions that can be shown: outer ones, of large ones what they hold.
fn shown_whole(syntax: &Syntax) -> Vec<&Definition> {
    let all = &syntax.definitions;
    let holds = |outer: &Definition| {
        all.iter().any(|d| d.depth == outer.depth + 1 && d.first >= outer.first && d.last <= outer.last)
    };
    let apart: Vec<bool> = all.iter().map(|d| d.last - d.first >= LARGE && holds(d)).collect();
    let inside_whole = |at: usize| {
        all.iter().enumerate().any(|(other, d)| {
            other != at
                && !apart[other]
                && d.depth < all[at].depth
                && d.first <= all[at].first
                && d.last >= all[at].last
        })
    };
    all.iter().enumerate().filter(|(at, _)| !apart[*at] && !inside_whole(*at)).map(|(_, d)| d).collect()
}

/// Returns what of a file fits a request, in the order of its lines, and an outline of it where that is not all.
pub(super) fn fitting(file: &File, request: &str, lines: Option<(u32, u32)>) -> (Vec<Part>, Option<Part>) {
    if let Some(whole) = file.whole(PartRole::Match) {
        return (vec![whole], None);
    }
    let wanted = words(request);
    let text: Vec<&str> = file.text.lines().collect();
    let score = |d: &Definition| {
        let name = words(&d.name).intersection(&wanted).count();
        let inside = text.get(d.first as usize - 1..d.last as usize).unwrap_or_default().join("\n");
        let inside = words(&inside).intersection(&wanted).count();
        let near = lines.is_some_and(|(first, last)| d.meets(first, last));
        4 * name + inside + if near { 2 } else { 0 }
    };
    let mut best: Vec<(usize, &Definition)> =
        shown_whole(&file.syntax).into_iter().map(|d| (score(d), d)).collect();
    best.retain(|(score, d)| *score > 0 && d.last - d.first < HUGE);
    best.sort_by_key(|(score, d)| (std::cmp::Reverse(*score), d.first));
    let most = best.first().map_or(0, |(score, _)| *score);
    best.retain(|(score, _)| 2 * score > most);
    best.truncate(MOST);
    best.sort_by_key(|(_, d)| d.first);
    let mut parts: Vec<Part> = Vec::new();
    for (_, definition) in best {
        // Neighbours without a line between them are one piece.
        match parts.last_mut() {
            Some(before) if before.cite.last + 1 >= definition.first => {
                let (first, last) = (before.cite.first, before.cite.last.max(definition.last));
                let mut names = std::mem::take(&mut before.names);
                names.push(definition.name.clone());
                *before = file.part(PartRole::Match, first, last, names);
            }
            _ => parts.push(file.definition(PartRole::Match, definition)),
        }
    }
    if parts.is_empty() {
        let (first, last) = lines.unwrap_or((1, 40));
        let last = last.min(file.syntax.lines).max(1);
        parts.push(file.part(PartRole::Match, first.clamp(1, last), last, Vec::new()));
    }
    (parts, file.outline())
}
