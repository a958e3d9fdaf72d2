//! Citations of lines: `path@blob:first-last`, written where text is shown and checked where it is cited.
//!
//! Must never mend a citation by itself: what is off by a line is refused, and the right one is only named.

use std::fmt;

use crate::ports::vcs::blob_id;
use crate::syntax::{self, Syntax};

/// Digits of a blob's id that are shown.
const DIGITS: usize = 12;

/// Lines of a content of a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Cite {
    /// The file.
    pub path: String,
    /// The first digits of its blob's id in git.
    pub blob: String,
    /// The first line, from 1.
    pub first: u32,
    /// The last line.
    pub last: u32,
}

impl Cite {
    /// Returns a citation of a content.
    pub fn of(path: &str, content: &[u8], first: u32, last: u32) -> Self {
        let mut blob = blob_id(content).unwrap_or_default();
        blob.truncate(DIGITS);
        Self { path: path.to_owned(), blob, first, last }
    }
}

impl fmt::Display for Cite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}:{}-{}", self.path, self.blob, self.first, self.last)
    }
}

/// Why lines are not what they should be, and the nearest that are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OffLines {
    /// Why.
    pub why: String,
    /// The nearest lines that are right.
    pub nearest: Option<(u32, u32)>,
}

/// Checks that lines are in a content, and do not miss a whole function, a class or what was shown by a line.
///
/// A range that begins and ends a line beside the borders of one, in the same direction, cuts it: it was miscounted.
pub fn check_lines(
    path: &str,
    content: &[u8],
    shown: &[(u32, u32)],
    first: u32,
    last: u32,
) -> Result<(), OffLines> {
    let syntax = syntax::read(path, content);
    let wanted = (first, last);
    let lines = syntax.lines;
    if first == 0 || last < first || last > lines {
        let size = i64::from(last) - i64::from(first);
        let whole = size >= 0 && size < i64::from(lines);
        let moved = if first == 0 {
            (1, last + 1)
        } else {
            (lines.saturating_sub(last.saturating_sub(first)), lines)
        };
        let why = if last < first || first == 0 {
            format!("lines {first}-{last} are no range; lines count from 1")
        } else {
            format!("the file has {lines} lines")
        };
        return Err(OffLines { why, nearest: whole.then_some(moved) });
    }
    let units = units(&syntax, shown);
    // One line says nothing about borders.
    if first == last || units.contains(&wanted) {
        return Ok(());
    }
    let shifted = |unit: &&(u32, u32)| (unit.0 + 1, unit.1 + 1) == wanted || (first + 1, last + 1) == **unit;
    match units.iter().find(shifted) {
        None => Ok(()),
        Some(unit) => {
            let off = if unit.0 < first { "after" } else { "before" };
            let what =
                syntax.definitions.iter().find(|d| (d.first, d.last) == *unit || (d.head, d.last) == *unit);
            let what = what.map_or_else(|| "what was shown".to_owned(), |d| format!("`{}`", d.name));
            Err(OffLines {
                why: format!(
                    "lines {first}-{last} begin and end a line {off} {what}, which is {}-{}",
                    unit.0, unit.1
                ),
                nearest: Some(*unit),
            })
        }
    }
}

/// Returns the ranges that belong together.
fn units(syntax: &Syntax, shown: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let whole = |d: &syntax::Definition| [(d.first, d.last), (d.head, d.last)];
    let mut units: Vec<(u32, u32)> =
        shown.iter().copied().chain(syntax.definitions.iter().flat_map(whole)).collect();
    units.retain(|(first, last)| first < last);
    units
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "import a\n\n# Doc.\ndef one(x):\n    y = x\n    return y\n\n\ndef two():\n    return 2\n";

    #[test]
    fn whole_functions_and_parts_of_them_are_right() {
        for (first, last) in
            [(3, 6), (4, 6), (4, 5), (5, 6), (9, 10), (3, 10), (1, 10), (5, 5), (7, 7), (1, 2)]
        {
            assert_eq!(check_lines("a.py", TEXT.as_bytes(), &[], first, last), Ok(()), "{first}-{last}");
        }
    }

    #[test]
    fn a_range_that_is_off_by_a_line_is_named_with_the_right_one() {
        for (first, last, nearest, why) in [
            (4, 7, Some((3, 6)), "a line after `one`"),
            (2, 5, Some((3, 6)), "a line before `one`"),
            (5, 7, Some((4, 6)), "a line after `one`"),
            (8, 9, Some((9, 10)), "a line before `two`"),
            (10, 11, Some((9, 10)), "has 10 lines"),
            (0, 3, Some((1, 4)), "no range"),
            (6, 3, None, "no range"),
            (1, 99, None, "has 10 lines"),
        ] {
            let off = check_lines("a.py", TEXT.as_bytes(), &[], first, last).unwrap_err();
            assert_eq!(off.nearest, nearest, "{first}-{last}: {}", off.why);
            assert!(off.why.contains(why), "{first}-{last}: {}", off.why);
        }
        let plain = "a\n".repeat(40);
        assert!(check_lines("a.txt", plain.as_bytes(), &[], 11, 21).is_ok());
        let off = check_lines("a.txt", plain.as_bytes(), &[(10, 20)], 11, 21).unwrap_err();
        assert_eq!(off.nearest, Some((10, 20)));
    }
}
