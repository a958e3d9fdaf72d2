//! Why an upgrade cannot go on.

use crate::artifact::digest::CanonicalError;
use crate::artifact::store::StoreError;
use crate::diagnostic::{Class, Failure};
use crate::edit::journal::CommitError;

/// Why an upgrade cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum UpgradeError {
    /// The proposal, or what it is asked for, cannot be used.
    #[error("{what}")]
    Refused {
        /// What is wrong, on what.
        what: String,
        /// What to do next.
        help: String,
    },
    /// A file of the upgrade is not the one another file was made from, or says what it cannot say.
    #[error("`{path}` {why}")]
    Unbound {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// The decision does not let it become the default.
    #[error("the decision is {decision}: {why}")]
    NotPromoted {
        /// The decision, in words.
        decision: &'static str,
        /// Why.
        why: String,
        /// Whether more data may change it.
        hold: bool,
    },
    /// The files of the upgrade cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A document has no canonical form.
    #[error("a document of the upgrade has no canonical form")]
    Canonical(#[from] CanonicalError),
    /// The files of the repository were not changed.
    #[error("the switch was not made; the files are as they were")]
    Switch(#[from] CommitError),
}

impl UpgradeError {
    /// Refuses, with what to do next.
    pub fn refused(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Refused { what: what.into(), help: help.into() }
    }
}

impl Failure for UpgradeError {
    fn class(&self) -> Class {
        match self {
            Self::Refused { .. } | Self::Switch(_) => Class::Usage,
            Self::Unbound { .. } | Self::NotPromoted { hold: false, .. } => Class::Denied,
            Self::NotPromoted { hold: true, .. } => Class::Temporary,
            Self::Store(error) => error.class(),
            Self::Canonical(_) => Class::Internal,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Refused { help, .. } => Some(help.clone()),
            Self::Unbound { .. } => Some("Propose and evaluate it again.".into()),
            Self::NotPromoted { hold: true, .. } => {
                Some("Evaluate it over more runs, or mend what kept runs from being measured.".into())
            }
            Self::NotPromoted { .. } => {
                Some("Propose another candidate; the thresholds are `upgrade` in orch.yml.".into())
            }
            Self::Store(error) => error.help(),
            Self::Canonical(_) => None,
            Self::Switch(_) => Some(
                "Somebody changed a file since it was proposed: look at it, then propose again, or put it back.".into(),
            ),
        }
    }
}
