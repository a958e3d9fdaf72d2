//! The text of a request, made fit to be kept and shown.
//!
//! Must never let through a character that a reader cannot see.

use crate::diagnostic::Class;
use crate::diagnostic::text::is_hidden;
use crate::stage::StageError;

const MAX_BYTES: usize = 64 * 1024;
const TITLE: usize = 72;

/// Returns the text without hidden and control characters, or refuses it.
pub fn clean(text: &str) -> Result<String, StageError> {
    let refused =
        |what: String, help: &str| StageError::Refused { class: Class::Usage, what, help: help.into() };
    if text.len() > MAX_BYTES {
        return Err(refused(
            format!("the request has {} bytes, over the limit of {MAX_BYTES}", text.len()),
            "Say it in fewer words, and keep what explains it in a file of the repository.",
        ));
    }
    let clean: String = text.replace("\r\n", "\n").chars().filter(|c| !is_unwanted(*c)).collect();
    let clean = clean.trim().to_owned();
    if clean.is_empty() {
        return Err(refused(
            "the request is empty".into(),
            "Say what to do, as in `add a /health endpoint`.",
        ));
    }
    Ok(clean)
}

/// Returns the first line, shortened at a word.
pub fn title(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= TITLE {
        return line;
    }
    let short: String = line.chars().take(TITLE - 1).collect();
    let end = short.rfind(' ').filter(|at| *at > TITLE / 2).unwrap_or(short.len());
    format!("{}…", short[..end].trim_end())
}

/// Control characters but line ends and tabs, and those that show nothing or turn what is shown around.
fn is_unwanted(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t')) || is_hidden(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_go() {
        let hidden = "a\u{200b}d\u{e0041}d \u{202e}a\u{1b}[31m\u{feff} x\u{85}";
        assert_eq!(clean(hidden).unwrap(), "add a[31m x");
        assert_eq!(clean("日本 ü 🚀").unwrap(), "日本 ü 🚀");
    }

    #[test]
    fn empty_and_huge_requests_are_refused() {
        for bad in ["", " \n\t", "\u{200b}\u{feff}", &"x".repeat(MAX_BYTES + 1)] {
            let error = clean(bad).unwrap_err();
            assert_eq!(crate::diagnostic::Failure::class(&error), Class::Usage);
        }
        assert!(clean(&"x".repeat(MAX_BYTES)).is_ok());
    }

    #[test]
    fn titles_are_one_short_line() {
        assert_eq!(title("one\ntwo"), "one");
        let long = title(&"word ".repeat(40));
        assert!(long.chars().count() <= TITLE && long.ends_with("word…"), "{long}");
        assert_eq!(title(&"ü".repeat(100)).chars().count(), TITLE);
    }

    proptest::proptest! {
        #[test]
        fn clean_text_is_stable_and_titles_have_one_line(text in ".{0,200}") {
            if let Ok(once) = clean(&text) {
                proptest::prop_assert_eq!(&clean(&once).unwrap(), &once);
                proptest::prop_assert!(title(&once).lines().count() == 1);
            }
        }
    }
}
