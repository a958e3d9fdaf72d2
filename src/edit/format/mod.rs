//! The formats models write edits in: each read by a parser of its own into the same list of file edits.
//!
//! Must never guess a file, and must never drop a part that could be an edit: what is not understood is an error.

pub mod json;
pub mod search_replace;
mod signed;
pub mod udiff;
pub mod v4a;

use super::anchor::LineChange;
use super::hunk::Hunk;

/// What a model wants done to one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEdit {
    /// The line of the input it begins on, from 1.
    pub at: usize,
    /// The file, as written.
    pub path: String,
    /// What happens to its content.
    pub change: Change,
    /// Where it moves.
    pub to: Option<String>,
    /// Whether it is to be executable; none leaves it as it is.
    pub executable: Option<bool>,
}

/// What happens to the content of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// These parts change; none for a move or a change of mode only.
    Hunks(Vec<Hunk>),
    /// These texts are replaced, one after the other.
    Pairs(Vec<Pair>),
    /// These lines change.
    Lines(Vec<LineChange>),
    /// The file is new and holds this.
    Create(Vec<u8>),
    /// The file is there and holds this from now on.
    Write(Vec<u8>),
    /// The file goes.
    Delete,
}

/// A text to find and what to put instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Its number in the edit, from 1.
    pub at: usize,
    /// What to find.
    pub find: String,
    /// What to put instead.
    pub replace: String,
    /// The line it begins on, from 1, where that is said.
    pub line: Option<usize>,
}

/// Why a text could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} {why}")]
pub struct Unread {
    /// The line of the input, from 1.
    pub line: usize,
    /// What is wrong, to be read after the line.
    pub why: String,
}

/// A format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// Our own edits in JSON.
    #[default]
    Json,
    /// A unified diff.
    Udiff,
    /// Blocks of text to find and to put instead.
    SearchReplace,
    /// The envelope of `apply_patch`.
    V4a,
}

/// One row of the register.
struct Row {
    format: Format,
    name: &'static str,
    looks: fn(&str) -> bool,
    read: fn(&str) -> Result<Vec<FileEdit>, Unread>,
}

/// The register: one line for each format, in the order in which `auto` tries them.
static FORMATS: &[Row] = &[
    Row { format: Format::V4a, name: "v4a", looks: v4a::looks, read: v4a::read },
    Row {
        format: Format::SearchReplace,
        name: "sr",
        looks: search_replace::looks,
        read: search_replace::read,
    },
    Row { format: Format::Json, name: "json", looks: json::looks, read: json::read },
    Row { format: Format::Udiff, name: "udiff", looks: udiff::looks, read: udiff::read },
];

impl Format {
    /// Returns all formats.
    pub fn all() -> impl Iterator<Item = Self> {
        FORMATS.iter().map(|row| row.format)
    }

    /// Returns the format's name.
    pub fn name(self) -> &'static str {
        FORMATS.iter().find(|row| row.format == self).map_or("", |row| row.name)
    }

    /// Returns the format of a name.
    pub fn named(name: &str) -> Option<Self> {
        FORMATS.iter().find(|row| row.name == name).map(|row| row.format)
    }

    /// Returns the first format a text looks like.
    pub fn guess(text: &str) -> Option<Self> {
        FORMATS.iter().find(|row| (row.looks)(text)).map(|row| row.format)
    }

    /// Reads a text; no edit in it is an error.
    pub fn read(self, text: &str) -> Result<Vec<FileEdit>, Unread> {
        let row = FORMATS.iter().find(|row| row.format == self);
        let edits = row.map_or(Ok(Vec::new()), |row| (row.read)(text))?;
        if edits.is_empty() {
            return unread(1, format!("begins a text with no edit in the format `{}`", self.name()));
        }
        Ok(edits)
    }
}

fn unread<T>(line: usize, why: impl Into<String>) -> Result<T, Unread> {
    Err(Unread { line, why: why.into() })
}

/// The lines of an input without their ends.
fn lines_of(text: &str) -> Vec<&str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.split_inclusive('\n')
        .map(|line| line.strip_suffix('\n').unwrap_or(line))
        .map(|l| l.strip_suffix('\r').unwrap_or(l))
        .collect()
}

/// Tells whether a line opens or closes a fence.
fn is_fence(line: &str) -> bool {
    line.starts_with("```") || line.starts_with("~~~")
}
