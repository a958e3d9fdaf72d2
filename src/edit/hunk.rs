//! What a model wants changed, whatever format it wrote it in.
//!
//! Must never know a format, and must never hold a path that was guessed.

use std::ops::Range;

/// What happens to a line of a hunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// It stays: context.
    Same,
    /// It goes.
    Gone,
    /// It is new.
    New,
}

/// One line of a hunk, without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HunkLine {
    /// What happens to it.
    pub sign: Sign,
    /// The line as the format says it.
    pub text: String,
    /// The line as it was written, where the format's first column may have been left out.
    pub raw: Option<String>,
}

impl HunkLine {
    /// Returns a line.
    pub fn new(sign: Sign, text: impl Into<String>) -> Self {
        Self { sign, text: text.into(), raw: None }
    }
}

/// A change of one place of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hunk {
    /// The line of the input it begins on, from 1; for messages.
    pub at: usize,
    /// The line of the file it claims to begin on, from 1.
    pub start: Option<usize>,
    /// Lines that stand above its place, outermost first.
    pub above: Vec<String>,
    /// True when its last line is the last of the file.
    pub at_end: bool,
    /// Whether the file ends in a line end afterwards, where the format says it.
    pub final_newline: Option<bool>,
    /// Its lines.
    pub lines: Vec<HunkLine>,
}

impl Hunk {
    /// Returns the lines that should be in the file, with their index in `lines`.
    pub fn old(&self) -> Vec<(usize, &HunkLine)> {
        self.lines.iter().enumerate().filter(|(_, line)| line.sign != Sign::New).collect()
    }

    /// Tells whether it changes anything.
    pub fn changes(&self) -> bool {
        self.lines.iter().any(|line| line.sign != Sign::Same)
    }
}

/// New lines in place of some old ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Splice {
    /// The lines that go, from 0; empty for an insertion before its start.
    pub range: Range<usize>,
    /// The lines that come, without ends.
    pub lines: Vec<Vec<u8>>,
}
