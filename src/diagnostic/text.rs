//! Text of others, made harmless for a terminal, and figures for people.

/// Makes one line of text for a terminal: line ends become spaces, control and hidden characters a mark.
pub fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c == '\n' || c == '\t' { ' ' } else { c })
        .map(|c| if c.is_control() || is_hidden(c) { '\u{fffd}' } else { c })
        .collect()
}

/// Tells whether a character is not seen: zero-width, bidirectional, tag, variation and other format characters.
///
/// The one list of them: two paths that look the same must be the same, and text for people must hold nothing people do
/// not see.
pub const fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Takes a code span off the start of a text: its content and what follows it.
///
/// Only plain words count as code; whatever could mean more to a reader or a bot stays text, to be escaped as such.
pub fn code_span(text: &str) -> Option<(&str, &str)> {
    let (content, rest) = text.strip_prefix('`')?.split_once('`')?;
    let plain = |c: char| c.is_ascii_alphanumeric() || " /._-{}()=,:'\"".contains(c);
    let padded = content.is_empty() || content.starts_with(' ') || content.ends_with(' ');
    let linked = content.contains("::") || content.contains(":/");
    (!padded && !linked && content.chars().all(plain) && !rest.starts_with('`')).then_some((content, rest))
}

/// Returns how many there are of something: `1 file`, `2 files`.
pub fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// Returns a wall time for people: `12 ms`, `3.4 s`, `2 min 5 s`.
pub fn wall_time(ms: u64) -> String {
    match ms {
        0..1000 => format!("{ms} ms"),
        1000..60_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        _ => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_words_are_code() {
        assert_eq!(code_span("`GET /health` answers"), Some(("GET /health", " answers")));
        for text in
            ["", "a `b`", "`", "``", "`a", "` a`", "`a``b`", "`<b>`", "`@me`", "`a\nb`", "`a::b`", "`a\\`"]
        {
            assert_eq!(code_span(text), None, "{text}");
        }
    }

    #[test]
    fn letters_are_seen_and_what_hides_text_is_not() {
        assert!("aä日 -_./é\u{1f600}".chars().all(|c| !is_hidden(c)));
        for c in
            ['\u{ad}', '\u{61c}', '\u{200b}', '\u{202e}', '\u{2069}', '\u{fe0f}', '\u{feff}', '\u{e0041}']
        {
            assert!(is_hidden(c), "{}", c.escape_unicode());
        }
    }

    #[test]
    fn terminals_get_no_control_characters() {
        assert_eq!(plain("a\u{1b}[31mb\nc\u{202e}d"), "a\u{fffd}[31mb c\u{fffd}d");
        assert_eq!((count(1, "file"), count(2, "file")), ("1 file".into(), "2 files".into()));
        assert_eq!(wall_time(999), "999 ms");
        assert_eq!(wall_time(3_450), "3.4 s");
        assert_eq!(wall_time(125_000), "2 min 5 s");
    }
}
