//! What can be wrong with `orch.yml`, with the place.
//!
//! Must never quote more of the file than the key and the value it complains about.

use crate::diagnostic::{Class, Failure, Problem};

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
    #[error("{}", Problem::list(path, problems))]
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
            Self::Invalid { problems, .. } => Problem::help(problems),
        }
    }
}
