//! What is known of a repository before its first file is looked at.
//!
//! Must never walk the whole repository: it asks for the files it needs by name.

use super::Tree;
use super::licences;

/// What scanners are told of the repository around a file; worked out once, before the first file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The SPDX expression the repository is published under, where it says so.
    pub licence: Option<String>,
}

impl Surroundings {
    /// Looks at a repository.
    pub fn of(tree: &dyn Tree) -> Self {
        Self { licence: licences::published(&|path| tree.file(path)) }
    }
}
