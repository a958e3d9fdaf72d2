//! A file that places are sought in, with its lines in every form, made when first needed.
//!
//! Must never search without counting the work: what takes too long is refused instead.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};

use super::super::hunk::Hunk;
use super::super::text::Text;
use super::folds::{Fold, Index};

/// Comparisons of lines that may be spent on one file.
const WORK: u64 = 40_000_000;

/// A file to search.
#[derive(Debug)]
pub struct Target<'a> {
    /// Its lines as bytes.
    pub text: Text<'a>,
    /// Its lines as text; bytes that are none are shown as replacement characters.
    pub shown: Vec<Cow<'a, str>>,
    wanted: Vec<String>,
    indexes: [OnceCell<Index>; 4],
    left: Cell<u64>,
}

impl<'a> Target<'a> {
    /// Reads a file in which hunks are to be found.
    pub fn seeking(bytes: &'a [u8], hunks: &[Hunk]) -> Self {
        let mut target = Self::of(bytes);
        for hunk in hunks {
            target.wanted.extend(hunk.above.iter().cloned());
            for line in &hunk.lines {
                target.wanted.push(line.text.clone());
                target.wanted.extend(line.raw.clone());
            }
        }
        target
    }

    /// Reads a file in which nothing is to be found.
    pub fn of(bytes: &'a [u8]) -> Self {
        let text = Text::of(bytes);
        let shown = text.lines.iter().map(|line| String::from_utf8_lossy(line)).collect();
        Self { text, shown, wanted: Vec::new(), indexes: Default::default(), left: Cell::new(WORK) }
    }

    /// Returns the lines in a form.
    pub fn indexed(&self, fold: Fold) -> &Index {
        let at = match fold {
            Fold::Exact => 0,
            Fold::Trailing => 1,
            Fold::Indent => 2,
            Fold::Signs => 3,
        };
        self.indexes[at].get_or_init(|| Index::of(&self.shown, fold, &self.wanted))
    }

    /// Returns a line as text; empty where there is none.
    pub fn line(&self, at: usize) -> &str {
        self.shown.get(at).map_or("", AsRef::as_ref)
    }

    /// Tells whether there is no line.
    pub fn is_empty_text(&self) -> bool {
        self.text.is_empty()
    }

    /// Tells whether a line has nothing but white space.
    pub fn is_blank(&self, at: usize) -> bool {
        self.line(at).trim().is_empty()
    }

    /// Spends work; false when none is left.
    pub fn spend(&self, work: usize) -> bool {
        let left = self.left.get();
        let work = work as u64;
        self.left.set(left.saturating_sub(work));
        left >= work
    }

    /// Tells whether all the work was spent.
    pub fn is_spent(&self) -> bool {
        self.left.get() == 0
    }
}
