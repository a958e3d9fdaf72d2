//! The actions of others that workflows use, by their full commit: the one place where they are named.
//!
//! Must never hold a tag or a branch.

/// An action by its commit.
#[derive(Clone, Copy, Debug)]
pub struct Pin {
    /// `owner/name`.
    pub name: &'static str,
    /// The full commit.
    pub commit: &'static str,
    /// The version it is, for people.
    pub version: &'static str,
}

impl Pin {
    /// Returns what follows `uses:`.
    pub fn uses(&self) -> String {
        format!("{}@{} # {}", self.name, self.commit, self.version)
    }
}

/// Takes the repository.
pub const CHECKOUT: Pin =
    Pin { name: "actions/checkout", commit: "3d3c42e5aac5ba805825da76410c181273ba90b1", version: "v7.0.1" };
/// Hands files to later jobs.
pub const UPLOAD: Pin = Pin {
    name: "actions/upload-artifact",
    commit: "bbbca2ddaa5d8feaa63e36b76fdaad77386f024f",
    version: "v7.0.0",
};
/// Takes files of earlier jobs.
pub const DOWNLOAD: Pin = Pin {
    name: "actions/download-artifact",
    commit: "3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c",
    version: "v8.0.1",
};

/// Takes what an earlier run kept.
pub const CACHE_RESTORE: Pin = Pin {
    name: "actions/cache/restore",
    commit: "55cc8345863c7cc4c66a329aec7e433d2d1c52a9",
    version: "v6.1.0",
};
/// Keeps files for later runs.
pub const CACHE_SAVE: Pin =
    Pin { name: "actions/cache/save", commit: "55cc8345863c7cc4c66a329aec7e433d2d1c52a9", version: "v6.1.0" };

/// Signs a statement by the identity of the workflow.
pub const ATTEST: Pin =
    Pin { name: "actions/attest", commit: "1e69f48acb82d1966a394da916b4c1698aa569d6", version: "v4.2.2" };

/// All of them.
pub const ALL: &[Pin] = &[CHECKOUT, UPLOAD, DOWNLOAD, CACHE_RESTORE, CACHE_SAVE, ATTEST];
