//! Text of others made harmless for Markdown.
//!
//! Must never let through raw HTML, an image, a link, a mention, a reference, a workflow command or a character nobody
//! sees: a pull request is read by people, by bots and by other agents.

use crate::diagnostic::text::code_span;
use crate::diagnostic::text::is_hidden;

/// Text longer than this is cut.
const MAX_TEXT: usize = 2_000;
const MAX_CODE: usize = 300;
/// Keeps `@name`, `#1` and `http://` from being taken for more than text; what GitHub's own tools put there too.
const BREAK: &str = "&#8203;";

/// One visible line of at most `max` characters.
fn line(text: &str, max: usize) -> String {
    let visible: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).filter(|c| !is_hidden(*c)).collect();
    let line = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= max {
        return line;
    }
    line.chars().take(max).chain(['…']).collect()
}

/// Returns text as one paragraph in which nothing is markup but code spans of plain words.
pub(crate) fn text(text: &str) -> String {
    let line = line(text, MAX_TEXT);
    let mut out = String::with_capacity(line.len() + 16);
    let mut rest = line.as_str();
    while let Some(c) = rest.chars().next() {
        let at_start = out.is_empty();
        let after = &rest[c.len_utf8()..];
        if let Some((code, after)) = code_span(rest).filter(|_| !out.ends_with('`')) {
            out.extend(["`", code, "`"]);
            rest = after;
            continue;
        }
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '@' | '#' => {
                out.push(c);
                out.push_str(BREAK);
            }
            ':' if after.starts_with([':', '/']) || at_start => {
                out.push(c);
                out.push_str(BREAK);
            }
            '.' if ends_in_www(&out) => {
                out.push_str(BREAK);
                out.push(c);
            }
            '-' if ends_in_gh(&out) => {
                out.push(c);
                out.push_str(BREAK);
            }
            '\\' | '`' | '*' | '_' | '[' | ']' | '!' | '|' | '~' | '$' | '^' => out.extend(['\\', c]),
            '-' | '+' | '=' if at_start => out.extend(['\\', c]),
            '.' | ')' if out.bytes().all(|b| b.is_ascii_digit()) => out.extend(['\\', c]),
            c => out.push(c),
        }
        rest = after;
    }
    out
}

fn ends_in(out: &str, word: &str) -> bool {
    out.len() >= word.len()
        && out.is_char_boundary(out.len() - word.len())
        && out[out.len() - word.len()..].eq_ignore_ascii_case(word)
}

fn ends_in_www(out: &str) -> bool {
    ends_in(out, "www")
}

fn ends_in_gh(out: &str) -> bool {
    ends_in(out, "gh")
}

/// Returns text as a code span: its own backticks cannot end it.
pub(crate) fn code(text: &str) -> String {
    let line = line(text, MAX_CODE).replace("::", ": :");
    if line.is_empty() {
        return "(empty)".into();
    }
    let longest = line.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    let pad = if line.starts_with('`') || line.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{line}{pad}{fence}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn markup_loses_its_power() {
        for (given, wanted) in [
            ("plain text, fine.", "plain text, fine."),
            ("`GET /health` answers `200`", "`GET /health` answers `200`"),
            ("`a``b` `<b>` `c", "\\`a\\`\\`b\\` \\`&lt;b&gt;\\` \\`c"),
            ("<img src=x onerror=y>", "&lt;img src=x onerror=y&gt;"),
            ("<!-- hidden -->", "&lt;\\!-- hidden --&gt;"),
            ("![x](https://evil/?q=1)", "\\!\\[x\\](https:&#8203;//evil/?q=1)"),
            ("[x](y)", "\\[x\\](y)"),
            ("@user and org/repo#12", "@&#8203;user and org/repo#&#8203;12"),
            ("see www.evil.example", "see www&#8203;.evil.example"),
            ("GH-12", "GH-&#8203;12"),
            ("::error::x", ":&#8203;:error:&#8203;:x"),
            ("a\n\n# head\n- item", "a #&#8203; head - item"),
            ("- item", "\\- item"),
            ("1. item", "1\\. item"),
            ("&#64;user", "&amp;#&#8203;64;user"),
            ("a\u{202e}b\u{200b}c\u{e0041}d\u{0}e", "abcd e"),
        ] {
            assert_eq!(text(given), wanted, "{given}");
        }
    }

    #[test]
    fn code_spans_cannot_be_left() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a`b``c"), "```a`b``c```");
        assert_eq!(code("`x"), "`` `x ``");
        assert_eq!(code("a\n::set-env"), "`a : :set-env`");
        assert_eq!(code(""), "(empty)");
    }

    proptest! {
        #[test]
        fn nothing_active_is_left(given in "[\\PC\\n\\r\u{200b}\u{202e}]{0,80}|[@#:/<>!\\[\\]()`*_&w.gh1-9 -]{0,60}") {
            let out = text(&given);
            prop_assert!(!out.contains(['<', '>', '\n', '\r']));
            prop_assert!(!out.contains("::") && !out.contains("://"));
            prop_assert!(!out.chars().any(is_hidden));
            for (at, c) in out.char_indices() {
                let next = &out[at + c.len_utf8()..];
                if c == '@' || (c == '#' && !out[..at].ends_with('&')) {
                    prop_assert!(next.starts_with(BREAK), "{out}");
                }
                if c == '[' {
                    prop_assert!(out[..at].ends_with('\\'), "{out}");
                }
                if c == '`' && !out[..at].ends_with('\\') {
                    // The start of a code span, or its end.
                    let span = |at: usize| code_span(&out[at..]);
                    let start = out[..at].rfind('`').and_then(span);
                    prop_assert!(span(at).is_some() || start.is_some(), "{out}");
                }
            }
        }
    }
}
