//! What a text said about licences, as one expression.
//!
//! Must never leave a part of a text out of the expression.

use std::ops::Range;

use super::super::expression::{Expression, Term};
use super::template::Kind;

/// What a text says about licences.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// What was recognised, in the order of the text.
    pub parts: Vec<Part>,
    /// Stretches that are like a text of the list and ask for something else.
    pub changed: Vec<Part>,
    /// Whether it has words that ask for something and that no text explains.
    pub unread: bool,
    /// The expression it names itself.
    pub tag: Option<Expression>,
    /// How many words it has.
    pub words: usize,
}

/// A text of the list within a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// The SPDX id, or an expression.
    pub id: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Where it is, in bytes.
    pub range: Range<usize>,
    /// How many words differ.
    pub edits: usize,
}

impl Reading {
    /// Tells whether all that it asks for is known.
    pub fn is_known(&self) -> bool {
        !self.unread && (self.tag.is_some() || !self.parts.is_empty())
    }

    /// Returns what was recognised as one expression; more may be asked for unless [`Self::is_known`].
    pub fn expression(&self) -> Option<Expression> {
        let mut parts: Vec<Expression> = Vec::new();
        let mut exceptions: Vec<&str> = Vec::new();
        for part in &self.parts {
            match part.kind {
                Kind::Exception => exceptions.push(part.id),
                _ => parts.extend(Expression::parse(part.id)),
            }
        }
        for exception in exceptions {
            attach(&mut parts, exception);
        }
        let mut parts = without_repeats(parts);
        if let Some(tag) = &self.tag {
            parts = merged(parts, tag);
        }
        // A header that names alternatives is about the texts beside it.
        let choice = parts.iter().find(|part| {
            matches!(part, Expression::Or(_))
                && parts.iter().all(|other| other == *part || covers(part, other))
        });
        match choice {
            Some(choice) => Some(choice.clone()),
            None => Expression::all(parts),
        }
    }
}

fn covers(choice: &Expression, one: &Expression) -> bool {
    let terms = choice.terms();
    one.terms().iter().all(|term| terms.contains(term))
}

/// Gives an exception to the licence it is for.
fn attach(parts: &mut [Expression], exception: &str) {
    let apache = ["LLVM-exception", "Swift-exception"].contains(&exception);
    for part in parts {
        if let Expression::Licence(Term { id, exception: slot @ None, .. }) = part
            && ((apache && id == "Apache-2.0") || (!apache && id.contains("GPL-")))
        {
            *slot = Some(exception.to_owned());
            return;
        }
    }
}

/// Drops what says the same twice: a text and its header, the GPL that the LGPL is written over.
fn without_repeats(parts: Vec<Expression>) -> Vec<Expression> {
    let ids: Vec<String> = parts.iter().flat_map(Expression::terms).map(|term| term.id.clone()).collect();
    let has = |id: &str| ids.iter().any(|other| other == id);
    parts
        .into_iter()
        .filter(|part| {
            let Expression::Licence(term) = part else { return true };
            let later = term.id.strip_suffix("-only").is_some_and(|base| has(&format!("{base}-or-later")));
            let within = term.id.starts_with("GPL-3.0") && ids.iter().any(|id| id.starts_with("LGPL-3.0"));
            !later && !within
        })
        .collect()
}

/// Puts the expression that a text names beside the texts it has.
fn merged(parts: Vec<Expression>, tag: &Expression) -> Vec<Expression> {
    let rest: Vec<Expression> = parts.into_iter().filter(|part| !covers(tag, part)).collect();
    std::iter::once(tag.clone()).chain(rest).collect()
}

/// Finds the expression that a licence file names: as its only text, by SPDX tag, or in the form of Debian's copyright files.
pub(super) fn tag(text: &str) -> Option<Expression> {
    let whole = text.trim();
    if whole.len() < 200 && !whole.contains('\n') {
        let read = Expression::parse(whole).filter(|read| read.terms().iter().all(|term| term.listed));
        if read.is_some() {
            return read;
        }
    }
    memchr::memmem::find(text.as_bytes(), b"icense")?;
    let debian = whole.starts_with("Format: http");
    let tags = text.lines().filter_map(|line| {
        let line = line.trim_start_matches([' ', '\t', '/', '*', '#', ';', '-', '<', '!', '%', '"']);
        let value = match line.strip_prefix("SPDX-License-Identifier:") {
            Some(value) => value,
            None if debian => line.strip_prefix("License:")?,
            None => return None,
        };
        Expression::parse(value.trim().trim_end_matches("*/").trim_end_matches("-->").trim())
    });
    Expression::all(tags)
}
