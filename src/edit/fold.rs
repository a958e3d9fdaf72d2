//! The form of a name in which file systems that fold case or Unicode see it.
//!
//! Must never tell two names apart that any common file system takes for one.

use unicode_normalization::UnicodeNormalization as _;

/// Returns a name with case and compatibility forms folded away.
///
/// Upper case and then lower case catches pairs that either alone leaves apart (`ß` and `ss`, `ſ` and `s`).
pub(super) fn fold(name: &str) -> String {
    let visible = name.chars().filter(|c| !is_ignored(*c));
    let upper: String = visible.nfkd().flat_map(char::to_uppercase).collect();
    let lower: String = upper.nfkd().flat_map(char::to_lowercase).collect();
    lower.nfkc().collect::<String>().trim_end_matches(['.', ' ']).to_owned()
}

/// Characters that HFS+ leaves out when it compares names.
const fn is_ignored(c: char) -> bool {
    matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn names_that_look_alike_to_some_file_system_fold_together() {
        for (a, b) in [
            ("README", "readme"),
            ("\u{e9}", "e\u{301}"),
            ("straße", "STRASSE"),
            ("\u{fb01}le", "file"),
            ("\u{212a}", "k"),
            ("a\u{200c}b", "ab"),
            ("ｆｏｏ", "foo"),
            ("x.", "x"),
        ] {
            assert_eq!(fold(a), fold(b), "{a} {b}");
        }
        assert_ne!(fold("a"), fold("b"));
        assert_ne!(fold("e"), fold("\u{e9}"));
    }
}
