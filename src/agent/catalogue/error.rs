//! What can be wrong with a `models.toml`, with the place.
//!
//! Must never quote a value that could be a secret: problems name keys, and values only where they are names or dates.

use crate::diagnostic::{Class, Failure, Problem};

/// Why there is no catalogue, or no model of a name in it.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// A file says something that cannot be taken.
    #[error("{}", Problem::list(file, problems))]
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
            Self::Invalid { problems, .. } => Problem::help(problems),
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

/// Returns the name nearest to a text, if one is near enough to be meant.
pub fn nearest<'n>(text: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    names
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(text, name), name))
        .filter(|(distance, name)| *distance <= (name.len() / 3).max(1))
        .min()
        .map(|(_, name)| name)
}
