//! Clean copies in a private folder below the system's temporary one.
//!
//! Must never touch a copy whose process lives: each copy has a lock file, held until the copy is gone.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::artifact::digest::Digest;
use crate::artifact::id::TreeId;
use crate::artifact::path::RepoPath;
use crate::artifact::types::change_set::FileChange;
use crate::edit::apply::apply;
use crate::ports::vcs::{ExportReport, VcsRead};

use super::{CleanCopy, WorkspaceError, Workspaces};

const LOCK: &str = "lock";
/// Held while a copy's lock file is made or looked for: between the two it would seem to belong to nobody.
const GATE: &str = "gate.lock";

/// Makes clean copies of one repository's trees.
pub struct TempWorkspaces<'a> {
    vcs: &'a dyn VcsRead,
    home: PathBuf,
}

impl std::fmt::Debug for TempWorkspaces<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TempWorkspaces").field("home", &self.home).finish_non_exhaustive()
    }
}

fn failed(what: &str, path: &Path) -> impl FnOnce(io::Error) -> WorkspaceError {
    let what = format!("{what} `{}`", path.display());
    move |source| WorkspaceError::Io { what, source }
}

impl<'a> TempWorkspaces<'a> {
    /// Opens this user's folder below the system's temporary one and clears what killed processes left there.
    pub fn open(vcs: &'a dyn VcsRead) -> Result<Self, WorkspaceError> {
        Self::open_in(vcs, &std::env::temp_dir())
    }

    /// Like [`Self::open`], below another temporary folder.
    pub fn open_in(vcs: &'a dyn VcsRead, temp: &Path) -> Result<Self, WorkspaceError> {
        let temp = temp.canonicalize().map_err(failed("find the temporary folder", temp))?;
        refuse_repository(&temp)?;
        let home = temp.join(format!("orch-{}", user()));
        make_private(&home)?;
        let workspaces = Self { vcs, home };
        workspaces.clear_leftovers()?;
        Ok(workspaces)
    }

    fn gate(&self) -> Result<File, WorkspaceError> {
        let path = self.home.join(GATE);
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(failed("open", &path))?;
        file.lock().map_err(failed("lock", &path))?;
        Ok(file)
    }

    /// Removes every copy whose lock nobody holds: its process was killed.
    fn clear_leftovers(&self) -> Result<(), WorkspaceError> {
        let _gate = self.gate()?;
        let entries = fs::read_dir(&self.home).map_err(failed("list", &self.home))?;
        for path in entries.flatten().map(|entry| entry.path()) {
            let is_copy = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"copy-"));
            if is_copy && !is_alive(&path.with_extension(LOCK)) {
                remove(&path.with_extension(""));
                let _ = fs::remove_file(path.with_extension(LOCK));
            }
        }
        Ok(())
    }

    /// Returns an empty private folder and the lock that keeps it.
    fn fresh(&self) -> Result<(tempfile::TempDir, Held), WorkspaceError> {
        let _gate = self.gate()?;
        let mut builder = tempfile::Builder::new();
        builder.prefix("copy-");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let folder = builder.tempdir_in(&self.home).map_err(failed("make a folder in", &self.home))?;
        let path = folder.path().with_extension(LOCK);
        let file = File::options().create_new(true).write(true).open(&path).map_err(failed("make", &path))?;
        file.try_lock().map_err(|error| failed("lock", &path)(error.into()))?;
        Ok((folder, Held { path, _file: file }))
    }
}

/// Tells whether a process holds the lock; without a file it died before it had one.
fn is_alive(lock: &Path) -> bool {
    match File::options().write(true).open(lock) {
        Ok(file) => file.try_lock().is_err(),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

/// A copy inside a repository would let its commands find that repository upwards.
fn refuse_repository(temp: &Path) -> Result<(), WorkspaceError> {
    match temp.ancestors().find(|folder| folder.join(".git").symlink_metadata().is_ok()) {
        None => Ok(()),
        Some(found) => {
            let why = format!("it lies in the repository `{}`", found.display());
            Err(failed("make copies in", temp)(io::Error::other(why)))
        }
    }
}

#[cfg(unix)]
fn user() -> String {
    nix::unistd::Uid::effective().to_string()
}

#[cfg(not(unix))]
fn user() -> String {
    "user".into()
}

/// Makes the folder for this user alone, or makes sure that it is.
#[cfg(unix)]
fn make_private(home: &Path) -> Result<(), WorkspaceError> {
    use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
    match fs::DirBuilder::new().mode(0o700).create(home) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(failed("make", home)(error));
        }
        _ => {}
    }
    let found = home.symlink_metadata().map_err(failed("look at", home))?;
    if !found.is_dir() || found.uid() != nix::unistd::Uid::effective().as_raw() {
        let why = io::Error::new(io::ErrorKind::PermissionDenied, "it is not a folder of this user");
        return Err(failed("use", home)(why));
    }
    if found.mode() & 0o077 != 0 {
        fs::set_permissions(home, fs::Permissions::from_mode(0o700)).map_err(failed("close", home))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn make_private(home: &Path) -> Result<(), WorkspaceError> {
    fs::create_dir_all(home).map_err(failed("make", home))
}

/// Removes a folder even where a test took write permission from its own folders.
fn remove(folder: &Path) {
    if fs::remove_dir_all(folder).is_err() {
        open_up(folder);
        let _ = fs::remove_dir_all(folder);
    }
}

#[cfg(unix)]
fn open_up(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    if !folder.symlink_metadata().is_ok_and(|m| m.is_dir()) {
        return;
    }
    let _ = fs::set_permissions(folder, fs::Permissions::from_mode(0o700));
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            open_up(&entry.path());
        }
    }
}

#[cfg(not(unix))]
fn open_up(_folder: &Path) {}

/// The lock of a copy; the file goes last.
#[derive(Debug)]
struct Held {
    path: PathBuf,
    _file: File,
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

impl Workspaces for TempWorkspaces<'_> {
    fn clean_copy(&self, tree: &TreeId) -> Result<Box<dyn CleanCopy>, WorkspaceError> {
        let (folder, held) = self.fresh()?;
        let mut copy = TempCopy { folder: folder.keep(), exported: ExportReport::default(), _held: held };
        copy.exported = self.vcs.export(tree, &copy.folder)?;
        Ok(Box::new(copy))
    }
}

/// A copy on disk.
#[derive(Debug)]
struct TempCopy {
    folder: PathBuf,
    exported: ExportReport,
    _held: Held,
}

impl Drop for TempCopy {
    fn drop(&mut self) {
        remove(&self.folder);
    }
}

impl CleanCopy for TempCopy {
    fn root(&self) -> &Path {
        &self.folder
    }

    fn exported(&self) -> &ExportReport {
        &self.exported
    }

    fn apply(&mut self, files: &[FileChange]) -> Result<(), WorkspaceError> {
        Ok(apply(&self.folder, files)?)
    }

    fn digest(&self, path: &RepoPath) -> Result<Option<Digest>, WorkspaceError> {
        for parent in path.parents() {
            if !self.folder.join(parent).symlink_metadata().is_ok_and(|m| m.is_dir()) {
                return Ok(None);
            }
        }
        let path = self.folder.join(path.as_str());
        if !path.symlink_metadata().is_ok_and(|m| m.is_file()) {
            return Ok(None);
        }
        let file = File::open(&path).map_err(failed("read", &path))?;
        Digest::of_reader(file).map(|(digest, _)| Some(digest)).map_err(failed("read", &path))
    }
}
