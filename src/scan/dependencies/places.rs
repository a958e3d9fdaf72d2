//! Where a name stands in a file, preferably on a new line.
//!
//! Must never look twice at the same byte: one pass finds every name.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// The words of a file with the place of each.
#[derive(Debug, Default)]
pub struct Places {
    words: HashMap<String, (bool, Range<usize>)>,
}

/// More words than any manifest has.
const MOST: usize = 2_000_000;
const LONGEST: usize = 200;

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/') || byte >= 0x80
}

fn key(word: &str) -> String {
    word.chars().map(|c| if matches!(c, '_' | '.') { '-' } else { c }).flat_map(char::to_lowercase).collect()
}

impl Places {
    /// Looks at a file as it was and as it is.
    pub fn new(before: &[u8], after: &[u8]) -> Self {
        let old: HashSet<&[u8]> = before.split(|b| *b == b'\n').collect();
        let mut places = Self::default();
        let mut start = 0;
        for line in after.split(|b| *b == b'\n') {
            let new = !old.contains(line);
            let mut at = 0;
            while at < line.len() && places.words.len() < MOST {
                let begins = is_word(line[at]) || line[at] == b'@';
                let rest = line.get(at + 1..).unwrap_or_default();
                let len = 1 + if begins { rest.iter().take_while(|b| is_word(**b)).count() } else { 0 };
                if begins && len <= LONGEST {
                    places.add(&line[at..at + len], start + at, new);
                }
                at += len;
            }
            start += line.len() + 1;
        }
        places
    }

    fn add(&mut self, word: &[u8], at: usize, new: bool) {
        let Ok(text) = std::str::from_utf8(word) else { return };
        let name = text.rsplit_once("node_modules/").map_or(text, |(_, name)| name);
        let range = at + (text.len() - name.len())..at + text.len();
        let place = self.words.entry(key(name)).or_insert_with(|| (new, range.clone()));
        if new && !place.0 {
            *place = (true, range);
        }
    }

    /// Returns where a package's name stands.
    pub fn of(&self, name: &str) -> Range<usize> {
        let name = name.rsplit(':').next().unwrap_or(name);
        self.words.get(&key(name)).map_or(0..0, |(_, range)| range.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_line_is_preferred() {
        let before = b"{\"keywords\": [\"react\"],\n\"dependencies\": {\n";
        let after = b"{\"keywords\": [\"react\"],\n\"dependencies\": {\n  \"react\": \"1\",\n \"node_modules/@a/b\": 2";
        let places = Places::new(before, after);
        assert_eq!(&after[places.of("react")], b"react");
        assert_eq!(places.of("react").start, 45);
        assert_eq!(&after[places.of("@a/b")], b"@a/b");
        assert_eq!(places.of("nothing"), 0..0);
        assert_eq!(Places::new(b"", after).of("react").start, 15);
        assert_eq!(Places::new(b"", b"Foo_Bar==1").of("foo-bar"), 0..7);
    }
}
