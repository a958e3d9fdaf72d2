//! Which lines a file gains and how many it loses.
//!
//! Must never leave out a line that was not there before.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use similar::{Algorithm, DiffTag, capture_diff_slices};

use crate::artifact::types::policy_input::Line;

/// The largest table a line diff may need; above it lines are counted, which is linear.
const DIFF_CELLS: usize = 4_000_000;

/// Returns lines as ranges of their numbers.
pub fn ranges(lines: &[Line]) -> Vec<RangeInclusive<u32>> {
    let mut ranges: Vec<RangeInclusive<u32>> = Vec::new();
    for Line { line, .. } in lines {
        match ranges.last_mut() {
            Some(last) if last.end() + 1 == *line => *last = *last.start()..=*line,
            _ => ranges.push(*line..=*line),
        }
    }
    ranges
}

/// Returns the lines a file gains, and how many it loses.
pub fn lines(before: &[u8], after: &[u8]) -> (Vec<Line>, u64) {
    let old: Vec<&[u8]> = before.split_inclusive(|b| *b == b'\n').collect();
    let new: Vec<&[u8]> = after.split_inclusive(|b| *b == b'\n').collect();
    let start = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[start..], &new[start..]);
    let end = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[..old.len() - end], &new[..new.len() - end]);
    let (indexes, removed) =
        if old.len().saturating_mul(new.len()) <= DIFF_CELLS { diffed(old, new) } else { counted(old, new) };
    let line = |at: usize| {
        let text = String::from_utf8_lossy(new[at]);
        let text = text.strip_suffix('\n').map_or(&*text, |t| t.strip_suffix('\r').unwrap_or(t));
        Line { line: u32::try_from(start + at + 1).unwrap_or(u32::MAX), text: text.to_owned() }
    };
    (indexes.into_iter().map(line).collect(), removed)
}

fn diffed(old: &[&[u8]], new: &[&[u8]]) -> (Vec<usize>, u64) {
    let mut added = Vec::new();
    let mut removed = 0;
    for op in capture_diff_slices(Algorithm::Myers, old, new) {
        if op.tag() != DiffTag::Equal {
            added.extend(op.new_range());
            removed += op.old_range().len() as u64;
        }
    }
    (added, removed)
}

/// Takes every line that was not there as often before for an added one: moved lines do not count, new ones always do.
fn counted(old: &[&[u8]], new: &[&[u8]]) -> (Vec<usize>, u64) {
    let mut left: HashMap<&[u8], u64> = HashMap::new();
    for line in old {
        *left.entry(line).or_default() += 1;
    }
    let mut added = Vec::new();
    for (at, line) in new.iter().enumerate() {
        match left.get_mut(line) {
            Some(count) if *count > 0 => *count -= 1,
            _ => added.push(at),
        }
    }
    (added, left.values().sum())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(before: &str, after: &str) -> (Vec<(u32, String)>, u64) {
        let (added, removed) = lines(before.as_bytes(), after.as_bytes());
        (added.into_iter().map(|l| (l.line, l.text)).collect(), removed)
    }

    #[test]
    fn added_lines_have_their_numbers_afterwards() {
        let line = |n: u32, t: &str| (n, t.to_owned());
        for (before, after, added, removed) in [
            ("", "", vec![], 0),
            ("", "a\r\nb", vec![line(1, "a"), line(2, "b")], 0),
            ("a\nb\nc\n", "a\nx\nc\ny\n", vec![line(2, "x"), line(4, "y")], 1),
            ("a\nb\n", "", vec![], 2),
            ("a", "a\n", vec![line(1, "a")], 1),
            ("a\n", "a\r\n", vec![line(1, "a")], 1),
            ("a\n}\nb\n}\n", "a\n}\nz\n}\nb\n}\n", vec![line(3, "z"), line(4, "}")], 0),
        ] {
            assert_eq!(texts(before, after), (added, removed), "{before:?} -> {after:?}");
        }
    }

    #[test]
    fn counting_finds_every_new_line_and_takes_little_time() {
        use std::fmt::Write as _;
        let (mut old, mut new) = (String::new(), String::new());
        for n in 0..60_000 {
            let _ = writeln!(old, "old {n}");
            let _ = writeln!(new, "new {}", 60_000 - n);
        }
        new.push_str("old 7\n");
        let (added, removed) = lines(old.as_bytes(), new.as_bytes());
        assert_eq!((added.len(), removed), (60_000, 59_999));
    }

    proptest! {
        #[test]
        fn no_text_is_lost(before in any::<Vec<u8>>(), after in any::<String>()) {
            let (added, _) = lines(&before, after.as_bytes());
            let total = after.split_inclusive('\n').count();
            prop_assert!(added.len() <= total);
            for line in &added {
                let want = after.split_inclusive('\n').nth(line.line as usize - 1).unwrap();
                prop_assert!(want.starts_with(&line.text));
            }
            // Whatever is not added was there before.
            let old: Vec<&[u8]> = before.split_inclusive(|b| *b == b'\n').collect();
            for (at, line) in after.split_inclusive('\n').enumerate() {
                let is_added = added.iter().any(|l| l.line as usize == at + 1);
                prop_assert!(is_added || old.contains(&line.as_bytes()));
            }
        }
    }
}
