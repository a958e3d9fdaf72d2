//! Text of a provider for messages and records: short, one line, nothing hidden.
//!
//! Must never hand on a whole reply.

use crate::diagnostic::text::plain;

/// Returns a word of a provider, as a code or an id.
pub(in crate::ports::model) fn word(text: &str) -> String {
    line(text, 120)
}

/// Returns one harmless line of at most `most` characters.
pub(in crate::ports::model) fn line(text: &str, most: usize) -> String {
    // Cut before it is looked at: a reply may have megabytes.
    let start: String = text.trim().chars().take(most + 1).collect();
    let mut line = plain(&start);
    if let Some((at, _)) = line.char_indices().nth(most) {
        line.truncate(at);
        line.push('\u{2026}');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_and_says_so() {
        assert_eq!(line("  a\nb\u{1b}c  ", 9), "a b\u{fffd}c");
        assert_eq!(line("aäb日c", 3), "aäb\u{2026}");
        assert_eq!(line("abc", 3), "abc");
    }
}
