//! Words of code and prose: names taken apart at case and underscores, a light stem, each word a 64-bit hash.
//!
//! Must never depend on the machine, the locale or the order of a map: the hashes are written to a file.

use std::ops::Range;

/// A word, as its hash.
pub type Term = u64;

/// The longest word that is looked at; longer runs are data, not names.
const LONGEST: usize = 48;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Gap,
    Lower,
    Upper,
    Digit,
    Bar,
}

const CLASSES: [Class; 256] = {
    let mut table = [Class::Gap; 256];
    let mut at = 0;
    while at < 256 {
        let byte = at as u8;
        table[at] = if byte.is_ascii_lowercase() || byte >= 0x80 {
            Class::Lower
        } else if byte.is_ascii_uppercase() {
            Class::Upper
        } else if byte.is_ascii_digit() {
            Class::Digit
        } else if byte == b'_' {
            Class::Bar
        } else {
            Class::Gap
        };
        at += 1;
    }
    table
};

/// Returns the hash of a word; the same on every machine.
///
/// Eight bytes at a time, folded by a multiplication with a large odd constant (the golden ratio, as Fibonacci hashing does).
pub fn hash(bytes: &[u8]) -> Term {
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut state = (bytes.len() as u64).wrapping_mul(ODD);
    let mut add = |word: u64| {
        state = (state ^ word).wrapping_mul(ODD);
        state ^= state >> 29;
    };
    let (whole, rest) = bytes.as_chunks::<8>();
    for part in whole {
        add(u64::from_le_bytes(*part));
    }
    if !rest.is_empty() {
        add(tail(rest));
    }
    state.wrapping_mul(ODD) ^ (state >> 32)
}

/// Returns one to seven bytes as a number: two halves that may overlap, since a copy of unknown length is a call.
fn tail(rest: &[u8]) -> u64 {
    if let (Some(low), Some(high)) = (rest.first_chunk::<4>(), rest.last_chunk::<4>()) {
        let high = u64::from(u32::from_le_bytes(*high)) << (8 * (rest.len() - 4));
        return u64::from(u32::from_le_bytes(*low)) | high;
    }
    let byte = |at: usize| u64::from(rest.get(at).copied().unwrap_or_default()) << (8 * at);
    byte(0) | byte(rest.len() / 2) | byte(rest.len().saturating_sub(1))
}

/// Returns a word as it counts where something is defined, not merely used.
pub const fn defined(term: Term) -> Term {
    term.rotate_left(17) ^ 0xD1B5_4A32_D192_ED03
}

/// A word that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// Its hash.
    pub term: Term,
    /// True for a name of several parts as a whole; its parts come besides.
    pub whole: bool,
}

/// Calls back with every word of a text.
pub fn each(text: &[u8], mut found: impl FnMut(Word)) {
    runs(text, |run| name(run, &mut found));
}

/// Calls back with every run of bytes that may be a name, as it stands.
fn runs(text: &[u8], mut found: impl FnMut(&[u8])) {
    let gap = |byte: &u8| CLASSES[*byte as usize] == Class::Gap;
    let mut rest = text;
    while let Some(start) = rest.iter().position(|byte| !gap(byte)) {
        rest = &rest[start..];
        let (run, after) = rest.split_at(rest.iter().position(gap).unwrap_or(rest.len()));
        if (2..=2 * LONGEST).contains(&run.len()) {
            found(run);
        }
        rest = after;
    }
}

/// Which bytes of a long text are of names, a bit for each: runs are found without a look at every byte.
#[derive(Default)]
pub struct Runs {
    bits: Vec<u64>,
}

impl Runs {
    /// Looks at a text.
    pub fn look(&mut self, text: &[u8]) {
        self.bits.clear();
        let (whole, rest) = text.as_chunks::<64>();
        self.bits.extend(whole.iter().map(bits));
        let mut last = [0; 64];
        for (to, from) in last.iter_mut().zip(rest) {
            *to = *from;
        }
        // A gap after the end, so that every run ends.
        self.bits.extend([bits(&last), 0]);
    }

    /// Calls back with every run of a part of the text that was looked at, as [`each`] would find them; no run goes on after
    /// the part.
    pub fn each<'a>(&self, text: &'a [u8], part: Range<usize>, mut found: impl FnMut(&'a [u8])) {
        let mut at = part.start;
        loop {
            let start = self.next(at, 0);
            if start >= part.end {
                return;
            }
            at = self.next(start, u64::MAX);
            if let Some(run) = text.get(start..at).filter(|run| (2..=2 * LONGEST).contains(&run.len())) {
                found(run);
            }
        }
    }

    /// Returns the next place from one on where a bit differs from those of `not`.
    fn next(&self, at: usize, not: u64) -> usize {
        let mut word = at / 64;
        let Some(bits) = self.bits.get(word) else { return usize::MAX };
        let mut rest = (bits ^ not) & (u64::MAX << (at % 64));
        while rest == 0 {
            word += 1;
            let Some(bits) = self.bits.get(word) else { return usize::MAX };
            rest = bits ^ not;
        }
        word * 64 + rest.trailing_zeros() as usize
    }
}

/// Returns a bit for each byte that may be of a name.
fn bits(part: &[u8; 64]) -> u64 {
    // Eight flags, a byte each, gathered in the highest byte.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let flags: [u8; 64] = std::array::from_fn(|at| {
        let byte = part[at];
        let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
        let digit = byte.wrapping_sub(b'0') < 10;
        u8::from(letter) | u8::from(digit) | u8::from(byte == b'_') | u8::from(byte >= 0x80)
    });
    let (eights, _) = flags.as_chunks::<8>();
    let gathered = eights.iter().map(|eight| u64::from_le_bytes(*eight).wrapping_mul(GATHER) >> 56);
    gathered.rev().fold(0, |all, byte| all << 8 | byte)
}

/// Takes a run apart: calls back with its parts, then, where there are several, with all of it.
pub fn name(run: &[u8], found: &mut impl FnMut(Word)) {
    let mut part = [0_u8; LONGEST + 1];
    let mut length = 0;
    let mut parts = 0_u32;
    let mut before = Class::Bar;
    for (at, &byte) in run.iter().enumerate() {
        let class = CLASSES[byte as usize];
        let border = match class {
            Class::Bar => true,
            Class::Upper => {
                matches!(before, Class::Lower | Class::Digit)
                    || (before == Class::Upper
                        && run.get(at + 1).is_some_and(|next| CLASSES[*next as usize] == Class::Lower))
            }
            _ => false,
        };
        if border && length > 0 {
            parts += u32::from(emit(&mut part, length, false, found));
            length = 0;
        }
        if class != Class::Bar && length < LONGEST {
            part[length] = byte.to_ascii_lowercase();
            length += 1;
        }
        before = class;
    }
    let only = parts == 0;
    if length > 0 {
        parts += u32::from(emit(&mut part, length, false, found));
    }
    if !only && parts > 1 {
        let mut length = 0;
        for byte in run.iter().filter(|byte| **byte != b'_').take(LONGEST) {
            part[length] = byte.to_ascii_lowercase();
            length += 1;
        }
        emit(&mut part, length, true, found);
    }
}

fn emit(part: &mut [u8; LONGEST + 1], length: usize, whole: bool, found: &mut impl FnMut(Word)) -> bool {
    if length < 2 || part[..length].iter().all(u8::is_ascii_digit) {
        return false;
    }
    let length = stem(part, length);
    found(Word { term: hash(&part[..length]), whole });
    true
}

/// Cuts the usual endings of English words in place; returns the new length.
fn stem(word: &mut [u8; LONGEST + 1], mut length: usize) -> usize {
    let ends = |word: &[u8; LONGEST + 1], length: usize, end: &[u8]| word[..length].ends_with(end);
    if length > 3 && word[length - 1] == b's' && !matches!(word[length - 2], b's' | b'u' | b'i') {
        if length > 4 && ends(word, length, b"ies") {
            length -= 2;
            word[length - 1] = b'y';
        } else if length > 4
            && (ends(word, length, b"xes")
                || ends(word, length, b"ches")
                || ends(word, length, b"shes")
                || ends(word, length, b"sses"))
        {
            length -= 2;
        } else {
            length -= 1;
        }
    }
    let cut = if length > 5 && ends(word, length, b"ing") {
        3
    } else if length > 4 && ends(word, length, b"ed") && word[length - 3] != b'e' {
        2
    } else {
        0
    };
    if cut > 0
        && word[..length - cut].iter().any(|byte| matches!(byte, b'a' | b'e' | b'i' | b'o' | b'u' | b'y'))
    {
        length -= cut;
        let (last, before) = (word[length - 1], word[length - 2]);
        if last == before && !matches!(last, b'l' | b's' | b'z') {
            length -= 1;
        }
    }
    if length > 4 && word[length - 1] == b'e' {
        length -= 1;
    }
    length
}

/// Tells whether a word says nothing about what a request concerns.
pub fn is_stop(lower: &str) -> bool {
    STOP.binary_search(&lower).is_ok()
}

/// Words of English that say nothing, sorted.
const STOP: &[&str] = &[
    "a", "about", "after", "all", "also", "an", "and", "any", "are", "as", "at", "be", "because", "been",
    "before", "being", "but", "by", "can", "cannot", "could", "did", "do", "does", "doesn", "doing", "don",
    "done", "each", "etc", "for", "from", "had", "has", "have", "having", "he", "hence", "her", "here",
    "his", "how", "however", "i", "if", "in", "instead", "into", "is", "isn", "it", "its", "just", "let",
    "like", "ll", "longer", "may", "me", "might", "more", "most", "much", "must", "my", "no", "not", "now",
    "of", "on", "once", "only", "or", "other", "our", "out", "over", "own", "please", "re", "s", "same",
    "see", "she", "should", "since", "so", "some", "still", "such", "t", "than", "that", "the", "their",
    "them", "then", "there", "these", "they", "this", "those", "though", "thus", "to", "too", "under",
    "until", "up", "us", "ve", "very", "was", "wasn", "way", "we", "were", "what", "when", "where",
    "whether", "which", "while", "who", "why", "will", "with", "within", "without", "would", "yet", "you",
    "your",
];

/// Returns the words of a request with how often each comes, in the order in which they first come; words that say nothing are left out.
pub fn query(text: &str) -> Vec<(Word, u32)> {
    let mut found: Vec<(Word, u32)> = Vec::new();
    let gap = |c: char| !(c.is_alphanumeric() || c == '_');
    for run in text.split(gap).filter(|run| !run.is_empty()) {
        if is_stop(&run.to_lowercase()) {
            continue;
        }
        each(run.as_bytes(), |word| match found.iter_mut().find(|(known, _)| known.term == word.term) {
            Some((_, count)) => *count += 1,
            None => found.push((word, 1)),
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(text: &str) -> Vec<Term> {
        let mut out = Vec::new();
        each(text.as_bytes(), |word| out.push(word.term));
        out
    }

    #[test]
    fn names_are_taken_apart_and_kept_whole() {
        let parts = |words: &[&str]| words.iter().map(|w| hash(w.as_bytes())).collect::<Vec<_>>();
        assert_eq!(terms("parseHTTPRequest"), parts(&["pars", "http", "request", "parsehttprequest"]));
        assert_eq!(terms("max_line_len"), parts(&["max", "line", "len", "maxlinelen"]));
        assert_eq!(terms("__init__"), parts(&["init"]));
        assert_eq!(terms("a 42 x1"), parts(&["x1"]));
    }

    #[test]
    fn endings_fall_together() {
        for (one, other) in [
            ("parsing", "parse"),
            ("queries", "query"),
            ("stopped", "stop"),
            ("boxes", "box"),
            ("classes", "class"),
        ] {
            assert_eq!(terms(one), terms(other), "{one} {other}");
        }
        assert_ne!(terms("status"), terms("statu"));
    }

    #[test]
    fn stop_words_are_sorted_and_left_out() {
        assert!(STOP.is_sorted());
        assert_eq!(query("the fix of the Parser parser").len(), 2);
    }

    /// The hash as its description says it, part by part.
    fn plain_hash(bytes: &[u8]) -> Term {
        const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
        let mut state = (bytes.len() as u64).wrapping_mul(ODD);
        for part in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..part.len()].copy_from_slice(part);
            state = (state ^ u64::from_le_bytes(word)).wrapping_mul(ODD);
            state ^= state >> 29;
        }
        state.wrapping_mul(ODD) ^ (state >> 32)
    }

    proptest::proptest! {
        #[test]
        fn the_hash_is_what_it_was(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..40)) {
            assert_eq!(hash(&bytes), plain_hash(&bytes));
        }

        #[test]
        fn runs_of_a_long_text_are_those_of_its_parts(text in "[a-c_Z é.(\n]{0,300}", cut in 0_usize..300) {
            let text = text.as_bytes();
            // A part ends before a gap.
            let cut = (cut.min(text.len())..text.len()).find(|at| CLASSES[text[*at] as usize] == Class::Gap);
            let cut = cut.unwrap_or(text.len());
            let mut long = Runs::default();
            long.look(text);
            let (mut found, mut plain) = (Vec::new(), Vec::new());
            long.each(text, 0..cut, |run| found.push(run.to_vec()));
            long.each(text, cut..text.len(), |run| found.push(run.to_vec()));
            runs(text, |run| plain.push(run.to_vec()));
            assert_eq!(found, plain);
        }

        #[test]
        fn no_bytes_make_it_fail(bytes: Vec<u8>) {
            each(&bytes, |_| ());
            let _ = query(&String::from_utf8_lossy(&bytes));
        }
    }
}
