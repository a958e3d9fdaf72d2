//! What is wrong in a file that a person wrote, with the place.
//!
//! Must never quote more of the file than the one who complains chose to.

use std::fmt;

/// One thing that is wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, if it can be told.
    pub place: Option<Place>,
    /// What is wrong, on what.
    pub what: String,
    /// What to do next, as one sentence.
    pub help: Option<String>,
}

impl Problem {
    /// Returns a problem without a place yet.
    pub fn new(what: impl Into<String>, help: Option<String>) -> Self {
        Self { place: None, what: what.into(), help }
    }

    /// Returns the problems of a file, a line each, as `orch.yml:3:7: ...`.
    pub fn list(file: &str, problems: &[Self]) -> String {
        problems.iter().map(|problem| problem.at(file)).collect::<Vec<_>>().join("\n")
    }

    /// Returns what to do about all of them, each sentence once.
    pub fn help(problems: &[Self]) -> Option<String> {
        let mut helps: Vec<&str> = Vec::new();
        for help in problems.iter().filter_map(|problem| problem.help.as_deref()) {
            if !helps.contains(&help) {
                helps.push(help);
            }
        }
        (!helps.is_empty()).then(|| helps.join(" "))
    }

    fn at(&self, file: &str) -> String {
        match self.place {
            Some(place) => format!("{file}:{place}: {}", self.what),
            None => format!("{file}: {}", self.what),
        }
    }
}

/// A place in a file, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

impl Place {
    /// Returns the place of a byte of a text.
    pub fn of(text: &str, byte: usize) -> Self {
        let mut at = byte.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let before = &text[..at];
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        Self { line: before.matches('\n').count() + 1, column: before[start..].chars().count() + 1 }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}
