//! The text that stands for a file: its path, how it begins, what it defines.
//!
//! A model of embeddings sees the start of a long text best, and sees each text anew for money; a few hundred characters are
//! what the figures were measured with. Must never be empty, and must never be larger than [`MOST`] bytes.

use crate::syntax;

/// The most bytes.
const MOST: usize = 900;
/// The most characters of how it begins, and the lines they are of.
const BEGIN: usize = 160;
const BEGIN_LINES: usize = 6;
/// The most characters of what it defines, and of one definition.
const DEFINES: usize = 500;
const ONE: usize = 90;

/// Returns the text that stands for a file.
pub fn about(path: &str, bytes: &[u8]) -> String {
    let mut text: String = path.chars().map(|c| if matches!(c, '/' | '_') { ' ' } else { c }).collect();
    if !bytes.contains(&0) {
        let content = String::from_utf8_lossy(bytes);
        let begins: Vec<&str> = content
            .lines()
            .take(BEGIN_LINES)
            .map(|line| line.trim_matches(|c: char| c.is_whitespace() || "#/*\"'".contains(c)))
            .filter(|line| !line.is_empty())
            .collect();
        add(&mut text, &first(&begins.join(" "), BEGIN));
        add(&mut text, &first(&defines(path, bytes, &content), DEFINES));
    }
    text.truncate(text.floor_char_boundary(MOST));
    text
}

fn add(text: &mut String, part: &str) {
    if !part.is_empty() {
        text.push_str(". ");
        text.push_str(part);
    }
}

/// Returns the lines where definitions begin.
fn defines(path: &str, bytes: &[u8], content: &str) -> String {
    let lines: Vec<&str> = content.lines().collect();
    let mut heads = Vec::new();
    let mut length = 0;
    for definition in syntax::read(path, bytes).definitions {
        let Some(line) = lines.get(definition.head.saturating_sub(1) as usize) else { continue };
        let head = first(&line.split_whitespace().collect::<Vec<_>>().join(" "), ONE);
        let head = head.trim_end_matches(['{', ':', ' ']).to_owned();
        length += head.len() + 2;
        heads.push(head);
        if length > DEFINES {
            break;
        }
    }
    heads.join("; ")
}

fn first(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_file_is_told_by_path_beginning_and_definitions() {
        let text = "\"\"\"Rate limits of the API.\"\"\"\n\nimport time\n\nclass Limiter:\n    def allow(self, key):\n        return True\n";
        assert_eq!(
            about("src/rate_limit.py", text.as_bytes()),
            "src rate limit.py. Rate limits of the API. import time class Limiter: def allow(self, key):. \
             class Limiter; def allow(self, key)"
        );
        assert_eq!(about("a/b.bin", b"\0\x01"), "a b.bin");
        assert_eq!(about("empty.rs", b""), "empty.rs");
    }

    proptest! {
        #[test]
        fn any_file_has_a_short_text(path in "[a-z/_.é]{1,300}", bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
            let text = about(&path, &bytes);
            prop_assert!(!text.is_empty() && text.len() <= MOST);
        }
    }
}
