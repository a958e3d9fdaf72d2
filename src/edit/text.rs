//! A file as lines with their own ends, so that what is not touched stays byte for byte.
//!
//! Must never split at anything but a line feed, and must never decode what it only passes on.

/// The mark of UTF-8 at the start of a file.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// A content, cut into lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text<'a> {
    /// The mark before the first line: empty or the three bytes of UTF-8's.
    pub mark: &'a [u8],
    /// The lines, without their ends.
    pub lines: Vec<&'a [u8]>,
    /// The end of each line: `\n`, `\r\n`, or nothing for a last line without.
    pub ends: Vec<&'a [u8]>,
}

impl<'a> Text<'a> {
    /// Cuts a content.
    pub fn of(bytes: &'a [u8]) -> Self {
        let (mark, rest) =
            bytes.strip_prefix(BOM).map_or((&bytes[..0], bytes), |rest| (&bytes[..BOM.len()], rest));
        let (mut lines, mut ends) = (Vec::new(), Vec::new());
        for line in rest.split_inclusive(|b| *b == b'\n') {
            let body = line.strip_suffix(b"\n").map_or(line, |l| l.strip_suffix(b"\r").unwrap_or(l));
            lines.push(body);
            ends.push(&line[body.len()..]);
        }
        Self { mark, lines, ends }
    }

    /// Returns how many lines there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Tells whether there is no line.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Returns the line end a new line takes beside the line `at`: that of the line itself or of its nearest neighbour above, else what most lines have.
    pub fn end_near(&self, at: usize) -> &'a [u8] {
        let own = self.ends.get(at).filter(|end| !end.is_empty());
        let above = || self.ends.get(..at)?.iter().rev().find(|end| !end.is_empty());
        own.or_else(above).or_else(|| self.ends.iter().find(|e| !e.is_empty())).copied().unwrap_or(b"\n")
    }

    /// Tells whether the last line has no end.
    pub fn is_cut(&self) -> bool {
        self.ends.last().is_some_and(|end| end.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_ends_are_the_content() {
        for bytes in [&b""[..], b"a", b"a\n", b"\xef\xbb\xbfa\r\nb\n\r\n\xff\rx", b"\n\n", b"\r\n\r"] {
            let text = Text::of(bytes);
            let mut whole = text.mark.to_vec();
            for (line, end) in text.lines.iter().zip(&text.ends) {
                whole.extend_from_slice(line);
                whole.extend_from_slice(end);
            }
            assert_eq!(whole, bytes);
        }
        let mixed = Text::of(b"a\r\nb\nc");
        assert_eq!([mixed.end_near(0), mixed.end_near(1), mixed.end_near(2)], [&b"\r\n"[..], b"\n", b"\n"]);
        assert!(mixed.is_cut() && !mixed.is_empty() && mixed.len() == 3);
    }
}
