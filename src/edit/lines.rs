//! What changes between two contents, line by line.
//!
//! Must never split at anything but a line feed: git does not either.

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// Beyond this many pairs of lines the middle of a file counts as replaced as a whole.
///
/// It bounds the time on hostile files; a clock would make the result depend on the machine.
const MAX_PAIRS: usize = 25_000_000;

/// The lines a file gains and how many it loses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineDiff {
    /// The lines gained, with their numbers afterwards, from 1, and without line ends.
    pub added: Vec<(u32, String)>,
    /// How many lines are lost.
    pub removed: u64,
    /// True when either content is not text; then no line is counted.
    pub binary: bool,
}

/// Returns the lines gained and lost between two contents; `None` is a file that is not there.
///
/// Lines that are not UTF-8 are shown with replacement characters.
pub fn added_lines(before: Option<&[u8]>, after: Option<&[u8]>) -> LineDiff {
    let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
    if is_binary(before) || is_binary(after) {
        return LineDiff { binary: true, ..LineDiff::default() };
    }
    let (old, new) = (split(before), split(after));
    let mut diff = LineDiff::default();
    for op in ops(&old, &new) {
        if matches!(op, DiffOp::Equal { .. }) {
            continue;
        }
        diff.removed += op.old_range().len() as u64;
        for at in op.new_range() {
            let number = u32::try_from(at + 1).unwrap_or(u32::MAX);
            diff.added.push((number, text(new[at])));
        }
    }
    diff
}

fn text(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned()
}

/// Tells whether a content is not text: it holds a NUL.
pub fn is_binary(bytes: &[u8]) -> bool {
    bytes.contains(&0)
}

/// Returns the lines with their ends.
pub(super) fn split(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split_inclusive(|b| *b == b'\n').collect()
}

/// Returns what turns `old` into `new`.
pub(super) fn ops(old: &[&[u8]], new: &[&[u8]]) -> Vec<DiffOp> {
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let tail = old[head..].iter().rev().zip(new[head..].iter().rev()).take_while(|(a, b)| a == b).count();
    let (old_len, new_len) = (old.len() - head - tail, new.len() - head - tail);
    if old_len.saturating_mul(new_len) <= MAX_PAIRS {
        return capture_diff_slices(Algorithm::Myers, old, new);
    }
    let equal = |old_index, new_index, len| DiffOp::Equal { old_index, new_index, len };
    let middle = DiffOp::Replace { old_index: head, old_len, new_index: head, new_len };
    let all = [equal(0, 0, head), middle, equal(head + old_len, head + new_len, tail)];
    all.into_iter().filter(|op| !op.old_range().is_empty() || !op.new_range().is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted() {
        let diff = added_lines(Some(b"a\nb\nc\n"), Some(b"a\nB\r\nc\nd"));
        assert_eq!(diff.added, [(2, "B".to_owned()), (4, "d".to_owned())]);
        assert_eq!((diff.removed, diff.binary), (1, false));
        assert_eq!(added_lines(None, Some(b"x\n")).added, [(1, "x".to_owned())]);
        assert_eq!(added_lines(Some(b"x\ny\n"), None).removed, 2);
        assert!(added_lines(None, Some(b"\0")).binary);
        assert_eq!(added_lines(Some(b"a\rb\n"), Some(b"a\rc\n")).removed, 1, "a lone CR ends no line");
    }

    #[test]
    fn a_huge_rewrite_is_one_replacement() {
        let lines = |word: &str| (0..6000).map(|n| format!("{word} {n}\n")).collect::<Vec<_>>().concat();
        let (old, new) = (format!("same\n{}end\n", lines("old")), format!("same\n{}end\n", lines("new")));
        let diff = added_lines(Some(old.as_bytes()), Some(new.as_bytes()));
        assert_eq!((diff.added.len(), diff.removed), (6000, 6000));
        assert_eq!(diff.added[0], (2, "new 0".to_owned()));
    }
}
