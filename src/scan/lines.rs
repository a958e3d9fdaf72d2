//! Where the lines of a text are.
//!
//! Must never walk the text again for each question.

/// The offsets at which lines start.
#[derive(Clone, Debug)]
pub struct Lines {
    starts: Vec<usize>,
    len: usize,
}

impl Lines {
    /// Finds the lines of a text.
    pub fn new(text: &[u8]) -> Self {
        let starts = std::iter::once(0).chain(memchr::memchr_iter(b'\n', text).map(|at| at + 1)).collect();
        Self { starts, len: text.len() }
    }

    /// Returns line and column of an offset, both counted from 1; columns count bytes.
    pub fn place(&self, at: usize) -> (u32, u32) {
        let line = self.starts.partition_point(|start| *start <= at).max(1);
        let column = at - self.starts[line - 1] + 1;
        (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
    }

    /// Returns the range of a line, counted from 1, without its end; empty when there is no such line.
    pub fn range(&self, line: u32) -> std::ops::Range<usize> {
        let index = line as usize;
        let Some(start) = index.checked_sub(1).and_then(|i| self.starts.get(i)) else { return 0..0 };
        let end = self.starts.get(index).map_or(self.len, |next| next - 1);
        *start..end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_become_places() {
        let lines = Lines::new(b"ab\n\ncd");
        let places: Vec<_> = (0..7).map(|at| lines.place(at)).collect();
        assert_eq!(places, [(1, 1), (1, 2), (1, 3), (2, 1), (3, 1), (3, 2), (3, 3)]);
        assert_eq!(
            (lines.range(1), lines.range(2), lines.range(3), lines.range(9)),
            (0..2, 3..3, 4..6, 0..0)
        );
    }
}
