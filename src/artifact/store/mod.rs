//! Where the files of a run are kept.
//!
//! Must never change a finished file: files are written beside and renamed, and leave only by being moved whole to
//! `attempts/<n>/`.

mod conformance;
mod dir;
mod memory;

pub use conformance::conforms;
pub use dir::DirStore;
pub use memory::MemoryStore;

use crate::diagnostic::{Class, Failure};

/// Keeps the files of one run; paths are relative, `/`-separated, made by this program.
pub trait ArtifactStore: Send + Sync {
    /// Returns the bytes of a file, or `None` when there is none.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Writes a whole file: after a crash there is the new file, the old one, or none, but never a part.
    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError>;

    /// Adds bytes at the end of a file, which is made where there is none; after a kill there may be a part of them.
    ///
    /// Only for files that grow while a stage runs; a finished file never grows.
    fn append(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError>;

    /// Removes a file; fine when there is none.
    fn remove(&self, path: &str) -> Result<(), StoreError>;

    /// Returns every file's path, sorted; half-written leftovers are not files.
    fn list(&self) -> Result<Vec<String>, StoreError>;

    /// Removes what a killed process left half-written.
    fn sweep(&self) -> Result<(), StoreError>;

    /// Copies files into a folder that appears whole or not at all; the originals stay.
    fn preserve(&self, paths: &[String], folder: &str) -> Result<(), StoreError>;
}

/// A run folder that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The machine refused.
    #[error("cannot {what} `{path}`")]
    Io {
        /// What was tried, as `write`.
        what: &'static str,
        /// The file.
        path: String,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
    /// Something that is neither a regular file nor a folder lies in the run folder.
    #[error("`{path}` in the run folder is {what}")]
    Foreign {
        /// The path.
        path: String,
        /// What it is.
        what: &'static str,
    },
}

impl Failure for StoreError {
    fn class(&self) -> Class {
        match self {
            Self::Io { .. } => Class::Internal,
            Self::Foreign { .. } => Class::Denied,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Io { .. } => {
                Some("Check free space and rights of the artifacts folder, then run again.".into())
            }
            Self::Foreign { .. } => Some("Remove it: orch writes only regular files there.".into()),
        }
    }
}
