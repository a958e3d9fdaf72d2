//! What can be wrong with `orch.yml`, with the place.
//!
//! Must never quote more of the file than the key and the value it complains about.

use std::fmt;

use crate::diagnostic::{Class, Failure};

/// Why there is no config.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The file is no config file at all.
    #[error("{path} {why}")]
    Unusable {
        /// The file.
        path: String,
        /// The reason, to be read after the path.
        why: String,
        /// What to do next.
        help: String,
    },
    /// The file says something that cannot be taken.
    #[error("{}", problems.iter().map(|p| p.at(path)).collect::<Vec<_>>().join("\n"))]
    Invalid {
        /// The file.
        path: String,
        /// What is wrong; at least one.
        problems: Vec<Problem>,
    },
}

impl Failure for ConfigError {
    fn class(&self) -> Class {
        Class::Usage
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Read { .. } => Some("Check that the file is there and that you may read it.".into()),
            Self::Unusable { help, .. } => Some(help.clone()),
            Self::Invalid { problems, .. } => {
                let mut helps: Vec<&str> = Vec::new();
                for help in problems.iter().filter_map(|p| p.help.as_deref()) {
                    if !helps.contains(&help) {
                        helps.push(help);
                    }
                }
                if helps.is_empty() { None } else { Some(helps.join(" ")) }
            }
        }
    }
}

/// One thing that is wrong in the file.
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

    fn at(&self, path: &str) -> String {
        match self.place {
            Some(place) => format!("{path}:{place}: {}", self.what),
            None => format!("{path}: {}", self.what),
        }
    }
}

/// A place in the file, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}
