//! Characters that hide or reorder text: taken out of the line they are in.
//!
//! Must never take out a character that writing needs, such as a joiner between letters of a script that joins them.

use super::{Desk, Fix, line_of};
use crate::artifact::types::verdict::Finding;

/// Adds the fix of a line with hidden characters.
pub(super) fn mend(desk: &mut Desk<'_>, found: &Finding, path: &str) -> bool {
    let Some(number) = found.line else { return false };
    let Some((bytes, mode)) = desk.content(path) else { return false };
    let Some(range) = line_of(&bytes, number) else { return false };
    let Some(Ok(line)) = bytes.get(range.clone()).map(std::str::from_utf8) else { return false };
    let clean = without(line, number == 1);
    if clean == line {
        return false;
    }
    // A line that holds a secret besides is not shown.
    let secret = |code: &str| !code.starts_with("content/");
    let open = !desk
        .facts(path)
        .iter()
        .any(|fact| secret(fact.code) && (fact.line..=fact.end_line).contains(&number));
    let shown = |text: String| if open { vec![text] } else { Vec::new() };
    let fix = Fix {
        code: found.code.clone(),
        path: path.to_owned(),
        line: Some(number),
        what: "the characters nobody sees are taken out".into(),
        removed: shown(visible(line)),
        added: shown(clean.clone()),
        within: None,
        only_shown: None,
    };
    let mut after = bytes;
    after.splice(range, clean.into_bytes());
    desk.put(path, after, mode);
    desk.plan.fixes.push(fix);
    true
}

/// Returns a line without what the rule denies; a mark of the encoding at the start of a file stays.
fn without(line: &str, first: bool) -> String {
    let chars: Vec<char> = line.chars().collect();
    let beside = |at: usize| {
        let left = at.checked_sub(1).and_then(|at| chars.get(at));
        let right = chars.get(at + 1);
        left.is_none_or(char::is_ascii) || right.is_some_and(char::is_ascii)
    };
    #[rustfmt::skip]
    let goes = |at: usize, c: char| match c {
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        | '\u{ad}' | '\u{180e}' | '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{206a}'..='\u{206f}'
        | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => true,
        '\u{feff}' => !(first && at == 0),
        '\u{200c}' | '\u{200d}' => beside(at),
        _ => false,
    };
    chars.iter().enumerate().filter(|(at, c)| !goes(*at, **c)).map(|(_, c)| *c).collect()
}

/// Returns a line with hidden characters as escapes.
fn visible(line: &str) -> String {
    line.chars().fold(String::new(), |mut text, c| {
        if crate::diagnostic::text::is_hidden(c) {
            text.extend(c.escape_unicode());
        } else {
            text.push(c);
        }
        text
    })
}
