//! Changes to a text by byte range, applied in one go where they do not overlap.
//!
//! Must never apply two changes to the same place: the later one is left for the next look at the text.

use std::ops::Range;

/// A change of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    parts: Vec<(Range<usize>, String)>,
}

impl Edit {
    /// Returns the replacement of one range.
    pub fn replace(range: Range<usize>, text: String) -> Self {
        Self { parts: vec![(range, text)] }
    }

    /// Returns an edit of several ranges that are changed together or not at all.
    pub fn together(mut parts: Vec<(Range<usize>, String)>) -> Self {
        parts.sort_by_key(|(range, _)| (range.start, range.end));
        Self { parts }
    }

    /// Returns the range from its first to its last part.
    fn reach(&self) -> Range<usize> {
        let start = self.parts.first().map_or(0, |(r, _)| r.start);
        start..self.parts.iter().map(|(r, _)| r.end).max().unwrap_or(start)
    }
}

/// Applies what does not overlap, first come first served; what is left out has to be found again in the new text.
pub fn apply(text: &str, edits: &[Edit]) -> String {
    let mut taken: Vec<&Edit> = Vec::new();
    for edit in edits {
        let reach = edit.reach();
        let free = |other: &&Edit| {
            let other = other.reach();
            reach.end <= other.start || other.end <= reach.start
        };
        let inside = edit.parts.iter().all(|(r, _)| text.get(r.clone()).is_some());
        if inside && taken.iter().all(free) {
            taken.push(edit);
        }
    }
    let mut parts: Vec<&(Range<usize>, String)> = taken.iter().flat_map(|edit| &edit.parts).collect();
    parts.sort_by_key(|(range, _)| (range.start, range.end));
    let mut done = String::with_capacity(text.len() + 256);
    let mut at = 0;
    for (range, new) in parts {
        done.push_str(text.get(at..range.start).unwrap_or_default());
        done.push_str(new);
        at = range.end;
    }
    done.push_str(text.get(at..).unwrap_or_default());
    done
}
