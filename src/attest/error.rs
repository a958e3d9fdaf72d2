//! What can go wrong with statements and keys.

use crate::artifact::store::StoreError;
use crate::diagnostic::{Class, Failure};

/// What can go wrong with statements and keys.
#[derive(Debug, thiserror::Error)]
pub enum AttestError {
    /// The run is not what it was, or not far enough.
    #[error("nothing can be said of the run: {why}")]
    Run {
        /// What is wrong.
        why: String,
        /// What to do next.
        help: &'static str,
    },
    /// Text that is no key this program can use.
    #[error("the key {what} cannot be used: {why}")]
    Key {
        /// Which key, as people know it; never the key itself.
        what: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A fault of the machine while signing.
    #[error("the statement cannot be signed: {0}")]
    Sign(&'static str),
    /// A file that is no statement.
    #[error("`{path}` {why}")]
    Unreadable {
        /// The file.
        path: String,
        /// What is wrong with it, to be read after the path.
        why: String,
    },
    /// The run folder cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Failure for AttestError {
    fn class(&self) -> Class {
        match self {
            Self::Run { .. } | Self::Unreadable { .. } => Class::Denied,
            Self::Key { .. } => Class::Usage,
            Self::Sign(_) => Class::Internal,
            Self::Store(error) => error.class(),
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Run { help, .. } => Some((*help).to_owned()),
            Self::Key { .. } => Some(
                "Use a key as `orch attest keygen` writes it: PEM, PKCS#8 for the private and SPKI for the public part, \
                 Ed25519 or P-256."
                    .into(),
            ),
            Self::Unreadable { .. } => Some("Remove the file, and sign the run again.".into()),
            Self::Sign(_) => None,
            Self::Store(error) => error.help(),
        }
    }
}
