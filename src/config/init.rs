//! Looks at a repository and writes a first `orch.yml`.
//!
//! Must never overwrite a file, and must never run anything.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::FILE_NAME;
use super::detect::{Detected, FolderListing, detect_commands};
use super::starter::{one_line, role_name, starter, summary};
use crate::diagnostic::{Class, Failure};

/// Why there is no first config.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// There is one already.
    #[error("{} is there already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file could not be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

impl Failure for InitError {
    fn class(&self) -> Class {
        Class::Usage
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Exists { .. } => {
                "Nothing was changed; `orch init --print` shows what would be written, and you may move the file away."
                    .into()
            }
            Self::Write { .. } => "Check that you may write to the folder.".into(),
        })
    }
}

/// A first config, not written yet.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Where it goes.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
    /// What was detected.
    pub detected: Detected,
    /// Whether a repository is there already.
    pub in_repository: bool,
}

/// Looks at the repository that holds `folder` and drafts its `orch.yml`.
///
/// Outside of any repository the file goes into `folder` itself: a config may come before the first commit.
pub fn draft(folder: &Path) -> Draft {
    let root = repository_root(folder);
    let place = root.as_deref().unwrap_or(folder);
    let detected = detect_commands(&FolderListing::read(place));
    Draft { path: place.join(FILE_NAME), text: starter(&detected), detected, in_repository: root.is_some() }
}

impl Draft {
    /// Writes the file; one that is there already stays as it is.
    pub fn write(&self) -> Result<(), InitError> {
        let path = self.path.clone();
        let result = File::create_new(&path).and_then(|mut file| file.write_all(self.text.as_bytes()));
        result.map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => InitError::Exists { path },
            _ => InitError::Write { path, source },
        })
    }

    /// Tells what was written and why.
    pub fn explain(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "Wrote {}.", self.path.display())?;
        if self.detected.parts.is_empty() {
            writeln!(out, "\nNothing was recognised: fill in `commands.test` at least.")?;
        }
        for part in &self.detected.parts {
            writeln!(out, "\nFound {}:", summary(part))?;
            for proposal in &part.proposals {
                let words = shell_words::join(&proposal.command.0);
                writeln!(out, "  {:<6} {}", role_name(proposal.role), one_line(&words))?;
                writeln!(out, "         because {}", one_line(&proposal.why))?;
            }
            for note in &part.notes {
                writeln!(out, "  note   {}", one_line(note))?;
            }
        }
        if !self.in_repository {
            writeln!(
                out,
                "\nThis is no git repository yet: `git init` and a first commit come before the first run."
            )?;
        }
        writeln!(out, "\nNext: `orch doctor` says whether a run is possible here.")
    }
}

/// Returns the nearest folder at or above one that holds a repository.
fn repository_root(folder: &Path) -> Option<PathBuf> {
    let folder = folder.canonicalize().ok()?;
    folder.ancestors().find(|f| f.join(".git").symlink_metadata().is_ok()).map(Path::to_owned)
}
