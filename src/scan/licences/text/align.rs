//! A text laid beside a template: what is the same, what is missing, what came in.
//!
//! Must never take more than about the product of the two for a small part, or their sum for the whole.

use std::ops::Range;

use super::template::{GRAM, Gap, Kind, Template, gram, is_no_name, is_version, is_weighty};
use super::words::Words;

/// How a text fits a template.
#[derive(Clone, Debug)]
pub struct Fit {
    /// The words of the text that the template explains.
    pub range: Range<usize>,
    /// How many words differ that should not.
    pub edits: usize,
    /// Whether the differences change nothing: few, short, and none of the words that weigh.
    pub close: bool,
}

/// Gaps longer than this in the text are not part of one match.
const FAR: usize = 120;
/// The most cells of a table of a hole.
const CELLS: usize = 60_000;
/// A name that stands in a gap has at most so many words.
const NAME: usize = 40;
/// So many words in one place may differ.
const SHORT: usize = 5;

/// Lays the words of a range beside a template; `None` when they have too little in common.
pub fn align(words: &Words, within: &Range<usize>, template: &Template) -> Option<Fit> {
    let text = words.all.get(within.clone())?;
    let chain = cluster(chain(text, template), template);
    let (first, last) = (*chain.first()?, *chain.last()?);
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    // Before the first gram, as far as the template reaches.
    let head = first.0.saturating_sub(first.1 + first.1 / 4 + 8);
    between(text, template, head..first.0, 0..first.1, true, &mut pairs);
    let mut at = first;
    for next in chain.iter().skip(1) {
        hold(text, template, at, *next, &mut pairs);
        at = *next;
    }
    for n in 0..GRAM {
        pairs.push((last.0 + n, last.1 + n));
    }
    let (t, w) = (last.0 + GRAM, last.1 + GRAM);
    let rest = template.words.len().saturating_sub(w);
    let tail = (t + rest + rest / 4 + 8).min(text.len());
    between(text, template, t..tail, w..template.words.len(), true, &mut pairs);
    pairs.dedup();
    let fit = judge(words, within.start, template, &pairs);
    if fit.close {
        return Some(fit);
    }
    let less = judge(words, within.start, template, trimmed(template, &pairs));
    Some(if less.close { less } else { fit })
}

/// Finds grams that text and template have, in the order of both.
fn chain(text: &[u32], template: &Template) -> Vec<(usize, usize)> {
    let hits: Vec<(usize, usize)> = text
        .windows(GRAM)
        .enumerate()
        .filter_map(|(t, words)| template.place(gram(words)).map(|w| (t, w as usize)))
        .collect();
    // The longest run that rises in both: patience sorting.
    let mut tops: Vec<usize> = Vec::new();
    let mut before: Vec<usize> = vec![usize::MAX; hits.len()];
    for (n, (_, w)) in hits.iter().enumerate() {
        let pile = tops.partition_point(|top| hits[*top].1 < *w);
        if let Some(below) = pile.checked_sub(1) {
            before[n] = tops[below];
        }
        match tops.get_mut(pile) {
            Some(top) => *top = n,
            None => tops.push(n),
        }
    }
    let mut chain = Vec::with_capacity(tops.len());
    let mut at = tops.last().copied().unwrap_or(usize::MAX);
    while let Some(hit) = hits.get(at) {
        chain.push(*hit);
        at = before[at];
    }
    chain.reverse();
    chain
}

/// Keeps the part of a chain that lies close together and has the most grams.
fn cluster(chain: Vec<(usize, usize)>, _template: &Template) -> Vec<(usize, usize)> {
    let far = |a: &(usize, usize), b: &(usize, usize)| (b.0 - a.0).saturating_sub(b.1 - a.1) > FAR;
    chain.chunk_by(|a, b| !far(a, b)).max_by_key(|part| part.len()).map(<[_]>::to_vec).unwrap_or_default()
}

/// Pairs the words from one gram up to the next.
fn hold(
    text: &[u32],
    template: &Template,
    at: (usize, usize),
    next: (usize, usize),
    pairs: &mut Vec<(usize, usize)>,
) {
    let step = (next.0 - at.0).min(next.1 - at.1).min(GRAM);
    for n in 0..step {
        pairs.push((at.0 + n, at.1 + n));
    }
    between(text, template, at.0 + step..next.0, at.1 + step..next.1, false, pairs);
}

/// Pairs equal words of two short stretches: the longest common run of words in order.
///
/// At the ends, `must` leaves out words that may be missing: a title far before would drag in all that is between.
fn between(
    text: &[u32],
    template: &Template,
    t: Range<usize>,
    w: Range<usize>,
    must: bool,
    pairs: &mut Vec<(usize, usize)>,
) {
    let ours = text.get(t.clone()).unwrap_or_default();
    let theirs = template.words.get(w.clone()).unwrap_or_default();
    if ours.is_empty() || theirs.is_empty() || ours.len() * theirs.len() > CELLS {
        return;
    }
    let same = |i: usize, j: usize| ours[i] == theirs[j] && !(must && template.optional[w.start + j]);
    let width = theirs.len() + 1;
    let mut table = vec![0u16; (ours.len() + 1) * width];
    for i in (0..ours.len()).rev() {
        for j in (0..theirs.len()).rev() {
            table[i * width + j] = if same(i, j) {
                table[(i + 1) * width + j + 1] + 1
            } else {
                table[(i + 1) * width + j].max(table[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < ours.len() && j < theirs.len() {
        if same(i, j) {
            pairs.push((t.start + i, w.start + j));
            i += 1;
            j += 1;
        } else if table[(i + 1) * width + j] >= table[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
}

/// Leaves out a title or an appendix that other words stand apart from: it may be missing.
fn trimmed<'p>(template: &Template, mut pairs: &'p [(usize, usize)]) -> &'p [(usize, usize)] {
    let free = |part: &[(usize, usize)]| part.iter().all(|(_, w)| template.optional[*w]);
    let apart = |pair: &[(usize, usize)]| pair[1].0 > pair[0].0 + 1;
    while let Some(at) = pairs.windows(2).position(apart).filter(|at| free(&pairs[..=*at])) {
        pairs = &pairs[at + 1..];
    }
    while let Some(at) = pairs.windows(2).rposition(apart).filter(|at| free(&pairs[at + 1..])) {
        pairs = &pairs[..=at];
    }
    pairs
}

/// Weighs what differs.
fn judge(words: &Words, offset: usize, template: &Template, pairs: &[(usize, usize)]) -> Fit {
    let (first, last) = match (pairs.first(), pairs.last()) {
        (Some(first), Some(last)) => (*first, *last),
        _ => return Fit { range: offset..offset, edits: usize::MAX, close: false },
    };
    let (mut edits, mut close) = (0usize, true);
    let mut weigh = |t: Range<usize>, w: Range<usize>| {
        if t.is_empty() && w.is_empty() {
            return;
        }
        let (hole, heavy) = hole(words, offset, template, t, w);
        edits += hole;
        close &= !heavy && hole <= SHORT;
    };
    weigh(first.0..first.0, 0..first.1);
    for pair in pairs.windows(2) {
        weigh(pair[0].0 + 1..pair[1].0, pair[0].1 + 1..pair[1].1);
    }
    weigh(last.0 + 1..last.0 + 1, last.1 + 1..template.words.len());
    let same = pairs.iter().filter(|(_, w)| !template.optional[*w]).count();
    close &= edits <= 2 + template.required / 60 && same * 10 >= template.required * 9;
    Fit { range: offset + first.0..offset + last.0 + 1, edits, close }
}

/// Returns how many words of a hole differ that should not, and whether one of them weighs.
fn hole(
    words: &Words,
    offset: usize,
    template: &Template,
    t: Range<usize>,
    w: Range<usize>,
) -> (usize, bool) {
    let missing: Vec<u32> = w.clone().filter(|n| !template.optional[*n]).map(|n| template.words[n]).collect();
    let gaps = gaps(template, &w);
    let wild = gaps.iter().any(|gap| gap.wild) && t.len() <= NAME;
    let may = |word: u32| {
        gaps.iter().any(|gap| gap.words.contains(&word)) || w.clone().any(|n| template.words[n] == word)
    };
    let mut came: Vec<u32> = Vec::new();
    for n in t {
        let (word, notice) = (words.all[offset + n], words.notice[offset + n]);
        let free = wild || notice;
        if !(may(word) || (free && !is_no_name(word))) {
            came.push(word);
        }
    }
    let version = |word: u32| template.kind == Kind::Header && is_version(word);
    let heavy = missing.iter().chain(&came).any(|word| is_weighty(*word) || version(*word));
    (missing.len().max(came.len()), heavy)
}

/// Returns the gaps that touch a stretch of the template.
fn gaps<'t>(template: &'t Template, w: &Range<usize>) -> Vec<&'t Gap> {
    let from = template.gaps.partition_point(|gap| (gap.end as usize) < w.start);
    template.gaps[from..].iter().take_while(|gap| gap.start as usize <= w.end).collect()
}
