//! Files below the repository root, as earlier steps left them.
//!
//! Must never follow a link, nor read what is no regular file, nor more than it should.

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::path::PathBuf;

use super::{MAX_FILE, Seen, Unseen};
use crate::artifact::path::RepoPath;

/// Files below a folder.
#[derive(Clone, Debug)]
pub struct DiskFiles {
    root: PathBuf,
}

impl DiskFiles {
    /// Returns the files below a folder.
    pub const fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// Returns a file; `None` where there is none.
    pub fn read(&self, path: &RepoPath) -> Seen<Option<Vec<u8>>> {
        let mut at = self.root.clone();
        // Each part of the way: a link could lead out of the repository.
        for part in path.as_str().split('/') {
            at.push(part);
            match fs::symlink_metadata(&at) {
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(Unseen::new(format!("`{path}` cannot be read: {error}"))),
                Ok(found) if found.is_symlink() => {
                    return Err(Unseen::new(format!(
                        "`{path}` is behind a symbolic link, which is not followed"
                    )));
                }
                Ok(_) => {}
            }
        }
        let unreadable = |error: std::io::Error| Unseen::new(format!("`{path}` cannot be read: {error}"));
        let found = fs::symlink_metadata(&at).map_err(unreadable)?;
        if !found.is_file() {
            return Err(Unseen::new(format!("`{path}` is no regular file")));
        }
        let mut bytes = Vec::new();
        File::open(&at)
            .map_err(unreadable)?
            .take(MAX_FILE + 1)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        if bytes.len() as u64 > MAX_FILE {
            return Err(Unseen::new(format!("`{path}` has more than {MAX_FILE} bytes")));
        }
        Ok(Some(bytes))
    }
}
