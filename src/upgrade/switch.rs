//! The files of a candidate put in place, and put back byte for byte.
//!
//! Must never touch a file that is not what the proposal, or the switch before, says it is; all files change, or none.

use std::fs;
use std::path::Path;

use crate::artifact::digest::Digest;
use crate::artifact::types::change_set::{FileChange, FileMode, FileOp};
use crate::edit::disk::RealDisk;
use crate::edit::journal;

use super::UpgradeError;

/// How files stand to a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Every file is as before the change.
    Before,
    /// Every file is as after it.
    After,
    /// Neither.
    Neither,
}

/// Tells how the files of a folder stand to changes.
pub fn standing(root: &Path, files: &[FileChange]) -> Standing {
    let digest = |file: &FileChange| fs::read(root.join(file.path.as_str())).ok().map(Digest::of);
    if files.iter().all(|file| digest(file) == file.after) {
        Standing::After
    } else if files.iter().all(|file| digest(file) == file.before) {
        Standing::Before
    } else {
        Standing::Neither
    }
}

/// Returns the changes that take changes back, with the bytes that are there now.
pub fn undo(root: &Path, files: &[FileChange]) -> Result<Vec<FileChange>, UpgradeError> {
    files.iter().map(|file| undo_one(root, file)).collect()
}

fn undo_one(root: &Path, file: &FileChange) -> Result<FileChange, UpgradeError> {
    let path = root.join(file.path.as_str());
    let now = fs::read(&path).ok();
    if now.as_ref().map(Digest::of) != file.before {
        return Err(UpgradeError::refused(
            format!("`{}` is not what it was when the upgrade was proposed", file.path),
            "Propose it again, on what is there now.",
        ));
    }
    let Some(former) = now else {
        return Ok(FileChange {
            op: FileOp::Delete,
            before: file.after.clone(),
            after: None,
            content: None,
            ..file.clone()
        });
    };
    let after = file.bytes().map_err(|error| {
        UpgradeError::refused(error.to_string(), "The proposal was changed by hand: propose it again.")
    })?;
    Ok(FileChange::write(file.path.clone(), after.as_deref(), former, mode(&path)))
}

/// Makes changes in a folder: all of them or none, also when the program is killed on the way.
pub fn make(root: &Path, files: &[FileChange]) -> Result<(), UpgradeError> {
    Ok(journal::commit(&RealDisk, root, files)?)
}

/// Returns the mode of a file that is there.
pub fn mode(path: &Path) -> FileMode {
    use std::os::unix::fs::PermissionsExt as _;
    let executable = fs::metadata(path).is_ok_and(|about| about.permissions().mode() & 0o111 != 0);
    if executable { FileMode::Executable } else { FileMode::Regular }
}
