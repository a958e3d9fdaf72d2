//! Changes made in a folder: all of them or none.
//!
//! Must never follow a link, and must never leave a half of a change behind when it fails.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempPath};

use crate::artifact::digest::Digest;
use crate::artifact::types::change_set::{FileChange, FileMode, FileOp};

use super::guard::{Kind, Names, Place, Refusal, check};

/// Why changes were not made; the folder is as it was.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// A change does not fit.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The machine refused something.
    #[error("cannot {what}")]
    Io {
        /// What was tried, on what.
        what: String,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
}

fn failed(what: &str, path: &Path) -> impl FnOnce(io::Error) -> ApplyError {
    let what = format!("{what} `{}`", path.display());
    move |source| ApplyError::Io { what, source }
}

/// A folder as a place for changes; links are seen, never followed.
#[derive(Clone, Copy, Debug)]
pub struct FolderPlace<'a>(pub &'a Path);

impl Place for FolderPlace<'_> {
    type Error = ApplyError;

    fn list(&self, folder: &str) -> Result<Option<Names>, ApplyError> {
        let path = self.0.join(folder);
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("list", &path)(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(failed("list", &path))?;
            let kind = entry.file_type().map_err(failed("look at", &entry.path()))?;
            names.push((entry.file_name().into_encoded_bytes(), kind_of(kind)));
        }
        Ok(Some(names))
    }

    fn digest(&self, path: &str) -> Result<Digest, ApplyError> {
        let path = self.0.join(path);
        let file = fs::File::open(&path).map_err(failed("read", &path))?;
        Digest::of_reader(file).map(|(digest, _)| digest).map_err(failed("read", &path))
    }
}

fn kind_of(kind: fs::FileType) -> Kind {
    if kind.is_symlink() {
        Kind::Link
    } else if kind.is_dir() {
        Kind::Folder
    } else if kind.is_file() {
        Kind::File
    } else {
        Kind::Other
    }
}

/// Makes the changes in a folder nobody else writes to.
///
/// Everything is checked first, then written beside, then renamed into place; a failure undoes what was renamed.
pub fn apply(root: &Path, changes: &[FileChange]) -> Result<(), ApplyError> {
    check(&FolderPlace(root), changes)?;
    carry_out(root, changes)
}

/// Makes changes that were checked.
fn carry_out(root: &Path, changes: &[FileChange]) -> Result<(), ApplyError> {
    let mut undo = Undo::default();
    let staged = stage(root, changes, &mut undo)?;
    for (change, content) in changes.iter().zip(staged) {
        put(root, change, content, &mut undo)?;
    }
    let removed: Vec<_> = changes.iter().filter(|c| c.op == FileOp::Delete).collect();
    undo.disarm();
    for change in removed {
        remove_empty_parents(root, change);
    }
    Ok(())
}

/// Writes every new content beside its place.
fn stage(
    root: &Path,
    changes: &[FileChange],
    undo: &mut Undo,
) -> Result<Vec<Option<NamedTempFile>>, ApplyError> {
    let mut staged = Vec::with_capacity(changes.len());
    for change in changes {
        let bytes = change.bytes().map_err(|e| Refusal { path: e.path.to_string(), why: e.why.into() })?;
        let Some(bytes) = bytes else {
            staged.push(None);
            continue;
        };
        let target = root.join(change.path.as_str());
        undo.make_parents(root, change)?;
        let mut file = beside(&target)?;
        file.write_all(&bytes).map_err(failed("write", &target))?;
        set_mode(file.as_file(), change.mode).map_err(failed("set the mode of", &target))?;
        staged.push(Some(file));
    }
    Ok(staged)
}

fn beside(target: &Path) -> Result<NamedTempFile, ApplyError> {
    let folder = target.parent().unwrap_or(target);
    tempfile::Builder::new().prefix(".orch-edit-").tempfile_in(folder).map_err(failed("write beside", target))
}

/// Puts one change in place and notes how to undo it.
fn put(
    root: &Path,
    change: &FileChange,
    content: Option<NamedTempFile>,
    undo: &mut Undo,
) -> Result<(), ApplyError> {
    let target = root.join(change.path.as_str());
    if change.op != FileOp::Create {
        // A plain rename onto a file of our own: the old content stays at hand until all is done.
        let kept = beside(&target)?.into_temp_path();
        fs::rename(&target, &kept).map_err(failed("replace", &target))?;
        undo.kept.push((target.clone(), kept));
    }
    if let Some(content) = content {
        content.persist_noclobber(&target).map_err(|e| failed("write", &target)(e.error))?;
        undo.written.push(target);
    }
    Ok(())
}

#[cfg(unix)]
fn set_mode(file: &fs::File, mode: FileMode) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let bits = match mode {
        FileMode::Regular => 0o644,
        FileMode::Executable => 0o755,
    };
    file.set_permissions(fs::Permissions::from_mode(bits))
}

#[cfg(not(unix))]
fn set_mode(_file: &fs::File, _mode: FileMode) -> io::Result<()> {
    Ok(())
}

/// Git keeps no empty folders; a folder that is not empty refuses to go, which is what is wanted.
fn remove_empty_parents(root: &Path, change: &FileChange) {
    let parents: Vec<_> = change.path.parents().collect();
    for parent in parents.iter().rev() {
        if fs::remove_dir(root.join(parent)).is_err() {
            break;
        }
    }
}

/// What has to be undone unless everything succeeds.
#[derive(Default)]
struct Undo {
    folders: Vec<PathBuf>,
    kept: Vec<(PathBuf, TempPath)>,
    written: Vec<PathBuf>,
    done: bool,
}

impl Undo {
    fn make_parents(&mut self, root: &Path, change: &FileChange) -> Result<(), ApplyError> {
        for parent in change.path.parents() {
            let folder = root.join(parent);
            match fs::create_dir(&folder) {
                Ok(()) => self.folders.push(folder),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed("make the folder", &folder)(error)),
            }
        }
        Ok(())
    }

    /// Keeps what was done; the old contents go with their temporary paths.
    fn disarm(mut self) {
        self.done = true;
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        for path in self.written.drain(..).rev() {
            let _ = fs::remove_file(path);
        }
        for (target, kept) in self.kept.drain(..).rev() {
            let _ = kept.persist(target);
        }
        for folder in self.folders.drain(..).rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &str, before: Option<&[u8]>) -> FileChange {
        FileChange::write(path.parse().unwrap(), before, b"new".to_vec(), FileMode::Regular)
    }

    #[test]
    fn a_failure_in_the_middle_is_undone() {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name);
        for name in ["a", "c", "z"] {
            fs::write(path(name), name).unwrap();
        }
        let gone = FileChange { op: FileOp::Delete, after: None, content: None, ..write("c", Some(b"c")) };
        // The last one does not fit and was not checked: by then the others are in place.
        let changes = [write("a", Some(b"a")), write("b/deep/x", None), gone, write("z", None)];
        let error = carry_out(root.path(), &changes).unwrap_err();
        assert!(matches!(error, ApplyError::Io { .. }), "{error}");
        let mut left: Vec<_> = fs::read_dir(root.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["a", "c", "z"]);
        for name in ["a", "c", "z"] {
            assert_eq!(fs::read_to_string(path(name)).unwrap(), name);
        }
    }
}
