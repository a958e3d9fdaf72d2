//! Lines with a sign in their first column, as unified diffs and `apply_patch` have them.
//!
//! Must never take a sign for more than it is: a line without one is context, read both ways.

use super::super::hunk::{Hunk, HunkLine, Sign};

/// Adds a line to a hunk; false for a mark about a missing line end, which is noted.
pub(super) fn push(hunk: &mut Hunk, line: &str) {
    let mut chars = line.chars();
    let raw = || Some(line.to_owned());
    let new = match chars.next() {
        Some('+') => HunkLine::new(Sign::New, chars.as_str()),
        Some('-') => HunkLine { sign: Sign::Gone, text: chars.as_str().into(), raw: raw() },
        Some(' ') => HunkLine { sign: Sign::Same, text: chars.as_str().into(), raw: raw() },
        Some('\\') if is_mark(line) => return mark(hunk),
        _ => HunkLine { sign: Sign::Same, text: line.to_owned(), raw: raw() },
    };
    hunk.lines.push(new);
}

/// Tells whether a line is `\ No newline at end of file`.
pub(super) fn is_mark(line: &str) -> bool {
    line.starts_with("\\ ") && line.to_ascii_lowercase().contains("newline")
}

/// Notes that the line before has no end.
fn mark(hunk: &mut Hunk) {
    match hunk.lines.last().map(|line| line.sign) {
        // The old end had none; whether the new one has is told by whether a mark follows it.
        Some(Sign::Gone) => hunk.final_newline = Some(true),
        Some(Sign::New | Sign::Same) => hunk.final_newline = Some(false),
        None => {}
    }
}

/// Takes off blank lines at the end that were written without a sign: the end of the text, not of the file.
pub(super) fn trim(hunk: &mut Hunk) {
    while hunk.lines.last().is_some_and(|line| line.sign == Sign::Same && line.raw.as_deref() == Some("")) {
        hunk.lines.pop();
    }
}
