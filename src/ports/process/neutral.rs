//! Printed bytes made harmless: valid text, no terminal control, no workflow command.
//!
//! Must never let a line through that a CI system reads as an order.

use crate::diagnostic::text::is_hidden;

/// Returns printed bytes as text that is safe to log.
pub(super) fn neutralise(bytes: &[u8]) -> String {
    disarm(&plain(&String::from_utf8_lossy(bytes)))
}

/// Drops escape sequences and control characters; every kind of line end becomes one.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' => skip_escape(&mut rest),
            '\u{9b}' => skip_control_sequence(&mut rest),
            '\r' => {
                rest.next_if_eq(&'\n');
                plain.push('\n');
            }
            '\n' | '\t' => plain.push(c),
            c if c.is_control() || is_hidden(c) => {}
            c => plain.push(c),
        }
    }
    plain
}

type Rest<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// Skips what follows an escape character: `[`, a sequence; `]` and its like, a string; else one character.
fn skip_escape(rest: &mut Rest<'_>) {
    match rest.peek() {
        Some('[') => {
            rest.next();
            skip_control_sequence(rest);
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            rest.next();
            skip_string(rest);
        }
        Some('\u{20}'..='\u{2f}') => {
            while rest.next_if(|c| matches!(c, '\u{20}'..='\u{2f}')).is_some() {}
            rest.next_if(|c| matches!(c, '\u{30}'..='\u{7e}'));
        }
        Some('\u{30}'..='\u{7e}') => {
            rest.next();
        }
        _ => {}
    }
}

fn skip_control_sequence(rest: &mut Rest<'_>) {
    while rest.next_if(|c| matches!(c, '\u{20}'..='\u{3f}')).is_some() {}
    rest.next_if(|c| matches!(c, '\u{40}'..='\u{7e}'));
}

/// Skips a string up to its end mark; one that is not ended stops at the end of the line, so that it hides no other.
fn skip_string(rest: &mut Rest<'_>) {
    while let Some(c) = rest.next_if(|c| !matches!(c, '\n' | '\r')) {
        match c {
            '\u{7}' | '\u{9c}' => return,
            '\u{1b}' => {
                rest.next_if_eq(&'\\');
                return;
            }
            _ => {}
        }
    }
}

/// Breaks the marks of workflow commands: `::` at the start of a line, `##[` and `##vso[` anywhere.
fn disarm(text: &str) -> String {
    let text = text.replace("##[", "## [").replace("##vso[", "## vso[");
    let line = |line: &str| {
        let body = line.trim_start();
        match body.strip_prefix("::") {
            Some(order) => format!("{}: :{order}", &line[..line.len() - body.len()]),
            None => line.to_owned(),
        }
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn orders_and_control_are_taken_out() {
        for (printed, expected) in [
            (&b"plain\n"[..], "plain\n"),
            (b"::set-output name=a::b", ": :set-output name=a::b"),
            (b"  \t::error::x\nok", "  \t: :error::x\nok"),
            (b"a ##[command]x", "a ## [command]x"),
            (b"##vso[task.setvariable]x", "## vso[task.setvariable]x"),
            (b"\x1b[31m::error::x\x1b[0m", ": :error::x"),
            (b"x\r::add-mask::y", "x\n: :add-mask::y"),
            (b"a\r\nb", "a\nb"),
            (b"\x1b]0;title\x07text", "text"),
            (b"\x1b]8;;http://x\x1b\\link", "link"),
            (b"\x1b]never ended\n::error::x", "\n: :error::x"),
            (b"\x1b(Btext \x1bMup", "text up"),
            (b"bell\x07 nul\x00 del\x7f", "bell nul del"),
            (b"\xff\xfe", "\u{fffd}\u{fffd}"),
            ("\u{feff}::error::x".as_bytes(), ": :error::x"),
            ("a\u{202e}b\u{200b}c".as_bytes(), "abc"),
            ("\u{2028}::error::x".as_bytes(), ": :error::x"),
            ("#\u{200b}#[group]".as_bytes(), "## [group]"),
            (b"std::fmt::Debug", "std::fmt::Debug"),
            (b"", ""),
        ] {
            assert_eq!(neutralise(printed), expected, "{:?}", String::from_utf8_lossy(printed));
        }
    }

    proptest! {
        #[test]
        fn no_line_is_an_order(text in r"([ \t\r\n:#\[vso\]\x1b\x07m0-9;\u{200b}\u{feff}]|::|##\[|##vso\[|\PC){0,60}") {
            let safe = neutralise(text.as_bytes());
            for line in safe.lines() {
                prop_assert!(!line.trim_start().starts_with("::"), "{line:?}");
            }
            prop_assert!(!safe.contains("##[") && !safe.contains("##vso["));
            prop_assert!(safe.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\t')));
        }

        #[test]
        fn any_bytes_become_the_same_text_twice(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let once = neutralise(&bytes);
            prop_assert_eq!(neutralise(once.as_bytes()), once);
        }
    }
}
