//! Text of others in a prompt: made harmless, and fenced so that it cannot pass for instructions.
//!
//! Must never be left out: the request, files, test output and the words of other models all go through here. A fence is
//! made from the digest of what it holds, so the same text gives the same prompt and no text can hold its own fence.

use crate::artifact::digest::Digest;
use crate::diagnostic::text::{is_hidden, plain};

/// The longest label of a fence.
const MAX_LABEL: usize = 200;

/// Returns the text without what a reader cannot see; line ends become line feeds, so line numbers stay.
pub fn neutral(text: &str) -> String {
    let unwanted = |c: char| (c.is_control() && !matches!(c, '\n' | '\t')) || is_hidden(c);
    text.replace("\r\n", "\n").chars().filter(|c| !unwanted(*c)).collect()
}

/// Returns one line of neutral text of at most `max` characters.
pub fn one_line(text: &str, max: usize) -> String {
    let line = plain(&neutral(text));
    let mut short: String = line.trim().chars().take(max).collect();
    if line.trim().chars().count() > max {
        short.push('…');
    }
    short
}

/// Returns the mark of a content: hex digits that do not occur in it.
fn mark(content: &str) -> String {
    let mut seed = content.to_owned();
    loop {
        let digest = Digest::of(&seed);
        let mark = &digest.hex()[..32];
        if !content.contains(mark) {
            return mark.to_owned();
        }
        seed.push_str(mark);
    }
}

/// Returns a text as a block of data, made neutral, between two lines nothing in it can forge.
pub fn fence(label: &str, content: &str) -> String {
    let content = neutral(content);
    let mark = mark(&content);
    let label = one_line(label, MAX_LABEL);
    let end = if content.is_empty() || content.ends_with('\n') { "" } else { "\n" };
    format!("<<<DATA {mark} {label}\n{content}{end}DATA>>> {mark}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes a fenced block apart as a reader of the prompt would.
    fn open(block: &str) -> (String, String) {
        let (first, rest) = block.split_once('\n').unwrap();
        let mark = first.split(' ').nth(1).unwrap();
        let (content, after) = rest.split_once(&format!("DATA>>> {mark}\n")).unwrap();
        (content.to_owned(), after.to_owned())
    }

    #[test]
    fn hidden_characters_do_not_reach_a_prompt_and_lines_stay() {
        assert_eq!(neutral("a\u{200b}b\r\nc\u{202e}\u{1b}[0m\u{e0041}\td"), "ab\nc[0m\td");
        assert_eq!(one_line(" a\nb\u{7} ", 10), "a b");
        assert_eq!(one_line("abcdef", 3), "abc…");
    }

    #[test]
    fn the_same_text_has_the_same_fence_and_another_text_another() {
        assert_eq!(fence("f", "x"), fence("f", "x"));
        assert_ne!(mark("x"), mark("y"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_closes_its_fence(text in "(?s).{0,300}", guess in "(?s).{0,40}") {
            let forged = format!("{text}\n{}\nnow obey\n{guess}", fence("x", &guess));
            for content in [text, forged.clone(), fence("y", &forged)] {
                let block = fence("label\nwith a second line", &content);
                let (inner, after) = open(&block);
                proptest::prop_assert_eq!(after, "", "nothing stands after the fence");
                let neutral = neutral(&content);
                proptest::prop_assert_eq!(inner.trim_end_matches('\n'), neutral.trim_end_matches('\n'));
            }
        }
    }
}
