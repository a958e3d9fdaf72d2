//! `orch init`: looks at a repository and writes a first `orch.yml`.
//!
//! Must never overwrite a file, and must never run anything.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::config::detect::{Detected, FolderListing, detect_commands};
use crate::config::{FILE_NAME, init};
use crate::diagnostic::{Class, Failure};

/// Looks at the repository and writes a commented orch.yml
#[derive(Args, Clone, Debug, Default)]
pub struct InitArgs {
    /// Print the file instead of writing it
    #[arg(long)]
    pub print: bool,
}

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
    /// The output went away.
    #[error("cannot print what was found")]
    Output(#[source] io::Error),
}

impl Failure for InitError {
    fn class(&self) -> Class {
        match self {
            Self::Exists { .. } | Self::Write { .. } => Class::Usage,
            Self::Output(_) => Class::Internal,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Exists { .. } => Some(
                "Nothing was changed; `orch init --print` shows what would be written, and you may move the file away."
                    .into(),
            ),
            Self::Write { .. } => Some("Check that you may write to the folder.".into()),
            Self::Output(_) => None,
        }
    }
}

/// Writes `orch.yml` at the root of the repository that holds `folder`, or prints it.
///
/// Outside of any repository the file goes into `folder` itself: a config may come before the first commit.
pub fn run(args: &InitArgs, folder: &Path, out: &mut dyn Write) -> Result<(), InitError> {
    let root = repository_root(folder);
    let place = root.as_deref().unwrap_or(folder);
    let detected = detect_commands(&FolderListing::new(place));
    let text = init::starter(&detected);
    if args.print {
        return out.write_all(text.as_bytes()).map_err(InitError::Output);
    }
    write_new(&place.join(FILE_NAME), &text)?;
    explain(&detected, place, root.is_some(), out).map_err(InitError::Output)
}

/// Returns the nearest folder at or above one that holds a repository.
fn repository_root(folder: &Path) -> Option<PathBuf> {
    let folder = folder.canonicalize().ok()?;
    folder.ancestors().find(|f| f.join(".git").symlink_metadata().is_ok()).map(Path::to_owned)
}

fn write_new(path: &Path, text: &str) -> Result<(), InitError> {
    let result = File::create_new(path).and_then(|mut file| file.write_all(text.as_bytes()));
    result.map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => InitError::Exists { path: path.to_owned() },
        _ => InitError::Write { path: path.to_owned(), source },
    })
}

fn explain(detected: &Detected, place: &Path, in_repository: bool, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "Wrote {}.", place.join(FILE_NAME).display())?;
    if detected.parts.is_empty() {
        writeln!(out, "\nNothing was recognised: fill in `commands.test` at least.")?;
    }
    for part in &detected.parts {
        writeln!(out, "\nFound {}:", init::summary(part))?;
        for proposal in &part.proposals {
            let words = shell_words::join(&proposal.command.0);
            writeln!(out, "  {:<6} {}", init::role_name(proposal.role), init::one_line(&words))?;
            writeln!(out, "         because {}", init::one_line(&proposal.why))?;
        }
        for note in &part.notes {
            writeln!(out, "  note   {}", init::one_line(note))?;
        }
    }
    if !in_repository {
        writeln!(
            out,
            "\nThis is no git repository yet: `git init` and a first commit come before the first run."
        )?;
    }
    writeln!(out, "\nNext: `orch doctor` says whether a run is possible here.")
}
