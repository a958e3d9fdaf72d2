//! Any error of a command, with its class and help, shown in one way.

use serde::Serialize;

use crate::diagnostic::{Class, Failure};

/// Any error of a command.
#[derive(Debug)]
pub struct CommandError(Box<dyn Failure>);

/// A wrong word, or a thing named on the command line that is not there.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct UsageError {
    /// What is wrong, on what.
    pub what: String,
    /// What to do next.
    pub help: String,
}

impl Failure for UsageError {
    fn class(&self) -> Class {
        Class::Usage
    }

    fn help(&self) -> Option<String> {
        Some(self.help.clone())
    }
}

/// The machine refused something the command line needs.
#[derive(Debug, thiserror::Error)]
#[error("cannot {what}")]
pub struct IoError {
    /// What was tried, on what.
    pub what: String,
    /// Why it failed.
    #[source]
    pub source: std::io::Error,
}

impl Failure for IoError {
    fn class(&self) -> Class {
        Class::Internal
    }
}

impl<T: Failure> From<T> for CommandError {
    fn from(error: T) -> Self {
        Self(Box::new(error))
    }
}

/// An error as JSON.
#[derive(Serialize)]
pub struct ErrorDocument {
    error: String,
    causes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
    exit: u8,
}

impl CommandError {
    /// Returns what failed, one line.
    pub fn text(&self) -> String {
        self.0.to_string()
    }

    /// Returns the documented exit code.
    pub fn exit_code(&self) -> u8 {
        self.0.class().exit_code()
    }

    /// Returns the error, its causes and its help.
    pub fn document(&self) -> ErrorDocument {
        let (mut texts, mut next) = (Vec::new(), self.0.source());
        while let Some(error) = next {
            texts.push(error.to_string());
            next = error.source();
        }
        texts.dedup();
        ErrorDocument {
            error: self.0.to_string(),
            causes: texts,
            help: self.0.help(),
            exit: self.exit_code(),
        }
    }
}

impl ErrorDocument {
    /// Returns the lines for a person: what failed, why, what to do.
    pub fn lines(&self) -> impl Iterator<Item = (&'static str, &str)> {
        std::iter::once(("error", self.error.as_str()))
            .chain(self.causes.iter().map(|cause| ("because", cause.as_str())))
            .chain(self.help.iter().map(|help| ("help", help.as_str())))
    }
}
