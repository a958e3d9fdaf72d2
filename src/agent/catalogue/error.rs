//! What can be wrong with a `models.toml`, with the place.
//!
//! Must never quote a value that could be a secret: problems name keys, and values only where they are names or dates.

use std::fmt;

use crate::diagnostic::{Class, Failure};

/// Why there is no catalogue, or no model of a name in it.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// A file says something that cannot be taken.
    #[error("{}", problems.iter().map(|p| p.at(file)).collect::<Vec<_>>().join("\n"))]
    Invalid {
        /// The file, as errors call it.
        file: String,
        /// What is wrong; at least one.
        problems: Vec<Problem>,
    },
    /// An address from the environment cannot be taken.
    #[error("the address in {variable} cannot be used: {why}")]
    Address {
        /// The variable.
        variable: String,
        /// Why not.
        why: String,
    },
    /// Nothing has this name.
    #[error("{what}")]
    Unknown {
        /// What is not known.
        what: String,
        /// What to do next.
        help: String,
    },
    /// The model does not answer any more.
    #[error("the model `{name}` was retired on {on}")]
    Retired {
        /// The model, as `anthropic/claude-sonnet-4-5`.
        name: String,
        /// The day it stopped to answer.
        on: String,
        /// A model that took its place.
        successor: Option<String>,
    },
}

impl Failure for CatalogueError {
    fn class(&self) -> Class {
        Class::Usage
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Invalid { problems, .. } => {
                let mut helps: Vec<&str> = Vec::new();
                for help in problems.iter().filter_map(|p| p.help.as_deref()) {
                    if !helps.contains(&help) {
                        helps.push(help);
                    }
                }
                if helps.is_empty() { None } else { Some(helps.join(" ")) }
            }
            Self::Address { .. } => {
                Some("Give an https address, or http on this machine, as https://gateway.example/v1.".into())
            }
            Self::Unknown { help, .. } => Some(help.clone()),
            Self::Retired { successor: Some(successor), .. } => {
                Some(format!("Use `{successor}` in its place, in the routes of models.toml."))
            }
            Self::Retired { successor: None, .. } => {
                Some("Take another model; `orch providers` lists them.".into())
            }
        }
    }
}

/// One thing that is wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, if it can be told.
    pub place: Option<Place>,
    /// What is wrong, on which key.
    pub what: String,
    /// What to do next, as one sentence.
    pub help: Option<String>,
}

impl Problem {
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

/// Returns the name nearest to a text, if one is near enough to be meant.
pub fn nearest<'n>(text: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    names
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(text, name), name))
        .filter(|(distance, name)| *distance <= (name.len() / 3).max(1))
        .min()
        .map(|(_, name)| name)
}
