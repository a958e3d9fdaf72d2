//! An automaton that finds many words at once, whatever their case, wherever they overlap.
//!
//! Must never look at a byte twice, but where one lane reads on from the one before.

use std::collections::VecDeque;

/// What follows a state for each byte.
type Row = [u16; 256];

/// The automaton: a row of next states for each state. The states that few letters lead to are the most visited and come
/// first, those that end a word come last.
#[derive(Debug)]
pub struct Keywords {
    rows: Vec<Row>,
    /// The first state that ends a word.
    ending: u16,
    /// The words that each of those ends, the longest first.
    words: Vec<Vec<u16>>,
    longest: usize,
}

/// A trie before what follows a failure is filled in.
struct Trie {
    rows: Vec<Row>,
    words: Vec<Vec<u16>>,
}

impl Keywords {
    /// Builds the automaton; `None` when there are more words than it can count.
    pub fn new<'w>(words: impl Iterator<Item = &'w str>) -> Option<Self> {
        let mut trie = Trie { rows: vec![[0; 256]], words: vec![Vec::new()] };
        let mut longest = 0;
        for (nth, word) in words.enumerate() {
            trie.add(word.as_bytes(), u16::try_from(nth).ok()?)?;
            longest = longest.max(word.len());
        }
        let order = trie.close();
        let is_end = |state: &&u16| trie.words.get(usize::from(**state)).is_some_and(|w| !w.is_empty());
        let (plain, ends): (Vec<&u16>, Vec<&u16>) = order.iter().partition(|state| !is_end(state));
        let mut renamed = vec![0_u16; trie.rows.len()];
        for (new, old) in plain.iter().chain(&ends).enumerate() {
            *renamed.get_mut(usize::from(**old))? = u16::try_from(new).ok()?;
        }
        let row = |old: &&u16| -> Option<Row> {
            let row = trie.rows.get(usize::from(**old))?;
            Some(row.map(|next| renamed.get(usize::from(next)).copied().unwrap_or_default()))
        };
        Some(Self {
            rows: plain.iter().chain(&ends).map(row).collect::<Option<_>>()?,
            ending: u16::try_from(plain.len()).ok()?,
            words: ends.iter().filter_map(|old| trie.words.get(usize::from(**old)).cloned()).collect(),
            longest,
        })
    }

    #[inline]
    fn step(&self, state: u16, byte: u8) -> u16 {
        self.rows.get(usize::from(state)).map_or(0, |row| row[usize::from(byte)])
    }

    /// Calls back with the number of every word and the offset after it, overlapping ones too, in order.
    ///
    /// Each step waits for the one before, so a text is walked in several places at once.
    #[expect(clippy::many_single_char_names, reason = "six lanes that differ in nothing else")]
    pub fn each(&self, text: &[u8], mut each: impl FnMut(u16, usize)) {
        const LANES: usize = 6;
        let length = text.len() / LANES;
        let mut states = [0; LANES];
        let lanes: [&[u8]; LANES] = std::array::from_fn(|lane| &text[lane * length..(lane + 1) * length]);
        for (lane, state) in states.iter_mut().enumerate().skip(1) {
            // A word may start in the lane before.
            let start = lane * length;
            let before = &text[start.saturating_sub(self.longest)..start];
            *state = before.iter().fold(0, |state, byte| self.step(state, *byte));
        }
        let mut hits: [Vec<(usize, u16)>; LANES] = std::array::from_fn(|_| Vec::new());
        let [a, b, c, d, e, f] = lanes.map(|lane| &lane[..length]);
        // Single variables stay in registers, an array would not.
        let [mut s, mut t, mut u, mut v, mut w, mut x] = states;
        for at in 0..length {
            (s, t, u) = (self.step(s, a[at]), self.step(t, b[at]), self.step(u, c[at]));
            (v, w, x) = (self.step(v, d[at]), self.step(w, e[at]), self.step(x, f[at]));
            if s.max(t).max(u).max(v.max(w).max(x)) >= self.ending {
                for (lane, state) in [s, t, u, v, w, x].into_iter().enumerate() {
                    if state >= self.ending {
                        hits[lane].push((lane * length + at + 1, state));
                    }
                }
            }
        }
        let mut state = x;
        for (at, byte) in text.iter().enumerate().skip(LANES * length) {
            state = self.step(state, *byte);
            if state >= self.ending {
                hits[LANES - 1].push((at + 1, state));
            }
        }
        for (at, state) in hits.iter().flatten() {
            let words = self.words.get(usize::from(state - self.ending));
            words.into_iter().flatten().for_each(|word| each(*word, *at));
        }
    }
}

impl Trie {
    fn add(&mut self, word: &[u8], nth: u16) -> Option<()> {
        let mut state = 0_u16;
        for byte in word {
            let row = self.rows.get(usize::from(state))?;
            let mut next = row[usize::from(byte.to_ascii_lowercase())];
            if next == 0 {
                next = u16::try_from(self.rows.len()).ok()?;
                self.rows.push([0; 256]);
                self.words.push(Vec::new());
                let row = self.rows.get_mut(usize::from(state))?;
                row[usize::from(byte.to_ascii_lowercase())] = next;
                row[usize::from(byte.to_ascii_uppercase())] = next;
            }
            state = next;
        }
        self.words.get_mut(usize::from(state))?.push(nth);
        Some(())
    }

    /// Fills in where each state goes when its word does not go on; returns the states, those near the start first.
    fn close(&mut self) -> Vec<u16> {
        let mut order = vec![0];
        let mut todo: VecDeque<(u16, u16)> = VecDeque::new();
        let start = self.rows.first().copied().unwrap_or([0; 256]);
        let mut known = vec![false; self.rows.len()];
        let mut queue = |todo: &mut VecDeque<(u16, u16)>, state: u16, back: u16| {
            // Both cases of a letter lead to one state.
            if known.get_mut(usize::from(state)).is_some_and(|known| !std::mem::replace(known, true)) {
                todo.push_back((state, back));
            }
        };
        start.iter().filter(|next| **next != 0).for_each(|next| queue(&mut todo, *next, 0));
        while let Some((state, back)) = todo.pop_front() {
            order.push(state);
            let (at, back) = (usize::from(state), usize::from(back));
            let fallback = self.rows.get(back).copied().unwrap_or([0; 256]);
            let shorter = self.words.get(back).cloned().unwrap_or_default();
            if let (Some(row), Some(words)) = (self.rows.get_mut(at), self.words.get_mut(at)) {
                words.extend(shorter);
                for (next, other) in row.iter_mut().zip(fallback) {
                    if *next == 0 {
                        *next = other;
                    } else {
                        queue(&mut todo, *next, other);
                    }
                }
            }
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Every place where a word ends, the longest word of a place first.
    fn plainly(words: &[&str], text: &[u8]) -> Vec<(u16, usize)> {
        let mut found = Vec::new();
        for end in 1..=text.len() {
            let mut here: Vec<usize> = (0..words.len())
                .filter(|n| {
                    let word = words[*n].as_bytes();
                    end >= word.len() && text[end - word.len()..end].eq_ignore_ascii_case(word)
                })
                .collect();
            here.sort_by_key(|n| std::cmp::Reverse(words[*n].len()));
            found.extend(here.into_iter().map(|n| (u16::try_from(n).unwrap(), end)));
        }
        found
    }

    const WORDS: [&str; 8] = ["ab", "abab", "b", "aab", "://", "ba%", "key", "monkey"];

    proptest! {
        #[test]
        fn every_word_is_found_where_it_is(text in "[abAB:/%]{0,200}|(monkey|KEY|ab| ){0,60}") {
            let mut found = Vec::new();
            let words = Keywords::new(WORDS.into_iter()).unwrap();
            words.each(text.as_bytes(), |word, at| found.push((word, at)));
            prop_assert_eq!(found, plainly(&WORDS, text.as_bytes()));
        }

        #[test]
        fn arbitrary_bytes_never_panic(text in proptest::collection::vec(any::<u8>(), 0..300)) {
            let words = Keywords::new(WORDS.into_iter()).unwrap();
            words.each(&text, |word, at| assert!(usize::from(word) < WORDS.len() && at <= text.len()));
        }
    }
}
