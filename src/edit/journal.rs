//! Changes made in a person's folder so that a kill at any moment is mended by the next call.
//!
//! Must never leave a half of a change for good, and must never undo what somebody else wrote since.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::artifact::digest::Digest;
use crate::artifact::types::change_set::{FileChange, FileMode, FileOp};

use super::apply::{ApplyError, FolderPlace};
use super::disk::Disk;
use super::guard::{Refusal, check};

/// The journal's name in the root of the folder.
pub const JOURNAL: &str = ".orch-edit-journal";
const DONE: &str = "\"done\"";

/// What an earlier call left behind, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recovered {
    /// Nothing was left.
    Nothing,
    /// An interrupted change was taken back: so many files.
    TakenBack(usize),
    /// A change that was made was tidied up: so many files.
    Finished(usize),
}

/// Why changes were not made.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// They do not fit, or the machine refused something; the folder is as it was.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// Another call is at work here.
    #[error("another change is being made in `{0}`")]
    Busy(PathBuf),
    /// An interrupted change cannot be taken back by itself.
    #[error("an interrupted change in `{root}` cannot be taken back: {files} changed since")]
    Torn {
        /// The folder.
        root: PathBuf,
        /// The files that somebody else changed since.
        files: String,
    },
}

/// One file of a commit.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    path: String,
    /// The new content beside its place; none for a deletion.
    new: Option<String>,
    /// The old content beside its place; none for a new file.
    old: Option<String>,
    before: Option<Digest>,
    after: Option<Digest>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Head {
    entries: Vec<Entry>,
    folders: Vec<String>,
}

fn failed(what: &str, path: &Path) -> impl FnOnce(io::Error) -> ApplyError {
    let what = format!("{what} `{}`", path.display());
    move |source| ApplyError::Io { what, source }
}

/// Holds the folder for one call.
struct Lock(#[expect(dead_code, reason = "the lock is held as long as the file is open")] fs::File);

impl Lock {
    /// The lock is on the folder itself, so that it leaves nothing behind.
    fn take(root: &Path) -> Result<Self, CommitError> {
        let file = fs::File::open(root).map_err(failed("open", root))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(fs::TryLockError::WouldBlock) => Err(CommitError::Busy(root.to_owned())),
            Err(fs::TryLockError::Error(error)) => Err(failed("lock", root)(error).into()),
        }
    }
}

/// Mends what an interrupted call left in a folder.
pub fn recover(disk: &dyn Disk, root: &Path) -> Result<Recovered, CommitError> {
    let _lock = Lock::take(root)?;
    mend(disk, root)
}

/// Makes changes in a folder, all or none; what an interrupted call left is mended first.
pub fn commit(disk: &dyn Disk, root: &Path, changes: &[FileChange]) -> Result<(), CommitError> {
    let _lock = Lock::take(root)?;
    mend(disk, root)?;
    check(&FolderPlace(root), changes)?;
    writable(root, changes).map_err(ApplyError::from)?;
    let head = head(root, changes);
    let made = note_head(disk, root, &head)
        .and_then(|()| stage(disk, root, &head, changes))
        .and_then(|()| put(disk, root, &head))
        .and_then(|()| note(disk, root, DONE));
    if let Err(error) = made {
        // Where taking back fails too, the journal stays for the next call.
        let _ = take_back(disk, root, &head);
        return Err(error.into());
    }
    // The change is made; what is left to tidy up, the next call does.
    let _ = tidy(disk, root, &head);
    Ok(())
}

/// Refuses files that say that they are not to be written.
fn writable(root: &Path, changes: &[FileChange]) -> Result<(), Refusal> {
    for change in changes.iter().filter(|change| change.op != FileOp::Create) {
        let about = fs::symlink_metadata(root.join(change.path.as_str()));
        if about.is_ok_and(|about| about.permissions().readonly()) {
            let why = "is read-only: make it writable, or leave it out".to_owned();
            return Err(Refusal { path: change.path.to_string(), why });
        }
    }
    Ok(())
}

fn head(root: &Path, changes: &[FileChange]) -> Head {
    let mut folders: Vec<String> = Vec::new();
    let mut entries = Vec::with_capacity(changes.len());
    for (at, change) in changes.iter().enumerate() {
        for parent in change.path.parents() {
            if change.op == FileOp::Create
                && !folders.iter().any(|f| f == parent)
                && !root.join(parent).exists()
            {
                folders.push(parent.to_owned());
            }
        }
        let beside = |ending: &str| {
            let folder = change
                .path
                .as_str()
                .rsplit_once('/')
                .map_or(String::new(), |(folder, _)| format!("{folder}/"));
            format!("{folder}.orch-edit-{at}.{ending}")
        };
        entries.push(Entry {
            path: change.path.to_string(),
            new: (change.op != FileOp::Delete).then(|| beside("new")),
            old: (change.op != FileOp::Create).then(|| beside("old")),
            before: change.before.clone(),
            after: change.after.clone(),
        });
    }
    Head { entries, folders }
}

fn note_head(disk: &dyn Disk, root: &Path, head: &Head) -> Result<(), ApplyError> {
    let line = serde_json::to_string(head)
        .map_err(|error| failed("write", &root.join(JOURNAL))(io::Error::other(error)))?;
    note(disk, root, &line)
}

fn note(disk: &dyn Disk, root: &Path, line: &str) -> Result<(), ApplyError> {
    let path = root.join(JOURNAL);
    disk.note(&path, line).map_err(failed("write", &path))
}

/// Writes every new content beside its place and gives every old one a second name.
fn stage(disk: &dyn Disk, root: &Path, head: &Head, changes: &[FileChange]) -> Result<(), ApplyError> {
    for folder in &head.folders {
        let path = root.join(folder);
        disk.make_folder(&path).map_err(failed("make the folder", &path))?;
    }
    for (entry, change) in head.entries.iter().zip(changes) {
        let target = root.join(&entry.path);
        let bytes = change.bytes().map_err(|e| Refusal { path: e.path.to_string(), why: e.why.into() })?;
        if let (Some(new), Some(bytes)) = (&entry.new, bytes) {
            let like = entry.old.as_ref().map(|_| target.as_path());
            let executable = change.mode == FileMode::Executable;
            disk.write_new(&root.join(new), &bytes, like, executable)
                .map_err(failed("write beside", &target))?;
        }
        if let Some(old) = &entry.old {
            disk.keep(&target, &root.join(old)).map_err(failed("keep", &target))?;
        }
    }
    Ok(())
}

/// Puts everything in place, file by file; a file that changed meanwhile stops it.
fn put(disk: &dyn Disk, root: &Path, head: &Head) -> Result<(), ApplyError> {
    for entry in &head.entries {
        let target = root.join(&entry.path);
        if digest(&target) != entry.before {
            return Err(meddled(entry));
        }
        match &entry.new {
            Some(new) => disk.rename(&root.join(new), &target),
            None => disk.remove(&target),
        }
        .map_err(failed("replace", &target))?;
        // What was written into the old file in the instant before it was replaced is in its second name.
        if entry.old.as_ref().is_some_and(|old| digest(&root.join(old)) != entry.before) {
            return Err(meddled(entry));
        }
    }
    Ok(())
}

fn meddled(entry: &Entry) -> ApplyError {
    let why = "changed while the change was being made; nothing was changed".to_owned();
    Refusal { path: entry.path.clone(), why }.into()
}

fn digest(path: &Path) -> Option<Digest> {
    let about = fs::symlink_metadata(path).ok()?;
    let file = about.is_file().then(|| fs::File::open(path).ok())??;
    Digest::of_reader(file).ok().map(|(digest, _)| digest)
}

/// Takes a change back; what somebody else changed since stays, and is named.
fn take_back(disk: &dyn Disk, root: &Path, head: &Head) -> Result<Vec<String>, io::Error> {
    let mut torn = Vec::new();
    for entry in head.entries.iter().rev() {
        let target = root.join(&entry.path);
        let now = digest(&target);
        let staged = entry.new.as_ref().is_some_and(|new| root.join(new).symlink_metadata().is_ok());
        let old = entry.old.as_ref().map(|old| root.join(old)).filter(|old| old.symlink_metadata().is_ok());
        match old {
            // The new content is beside its place, so nothing is to be taken back; what is there stays, whoever wrote it.
            Some(old) if staged || (now == entry.before && now != entry.after) => disk.remove(&old)?,
            Some(old) if now == entry.after => disk.rename(&old, &target)?,
            Some(old) if now.is_some() && now == digest(&old) => disk.remove(&old)?,
            Some(_) => torn.push(entry.path.clone()),
            // The new content is in place only once it is not beside it any more.
            None if entry.old.is_none() && now.is_some() && now == entry.after && !staged => {
                disk.remove(&target)?;
            }
            None => {}
        }
        if let Some(new) = entry.new.as_ref().map(|new| root.join(new)) {
            gone(disk.remove(&new))?;
        }
    }
    for folder in head.folders.iter().rev() {
        // A folder that somebody else uses by now stays.
        let _ = disk.remove_folder(&root.join(folder));
    }
    if torn.is_empty() {
        gone(disk.remove(&root.join(JOURNAL)))?;
    }
    Ok(torn)
}

/// A file that is not there is as good as removed.
fn gone(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// A folder that is in use, gone, or not ours to remove stays.
fn stays(error: &io::Error) -> bool {
    use io::ErrorKind::{DirectoryNotEmpty, NotFound, PermissionDenied, ResourceBusy};
    matches!(error.kind(), DirectoryNotEmpty | NotFound | PermissionDenied | ResourceBusy)
}

/// Removes what a change that is made needs no more.
fn tidy(disk: &dyn Disk, root: &Path, head: &Head) -> io::Result<()> {
    for entry in &head.entries {
        if let Some(old) = &entry.old {
            gone(disk.remove(&root.join(old)))?;
        }
        if entry.new.is_none() {
            // Git keeps no empty folders.
            let mut folder = Path::new(&entry.path).parent();
            while let Some(path) = folder.filter(|path| !path.as_os_str().is_empty()) {
                match disk.remove_folder(&root.join(path)) {
                    Ok(()) => {}
                    Err(error) if stays(&error) => break,
                    Err(error) => return Err(error),
                }
                folder = path.parent();
            }
        }
    }
    gone(disk.remove(&root.join(JOURNAL)))
}

/// Mends what an interrupted call left.
fn mend(disk: &dyn Disk, root: &Path) -> Result<Recovered, CommitError> {
    let path = root.join(JOURNAL);
    let text = match fs::symlink_metadata(&path) {
        Ok(about) if about.is_file() => fs::read_to_string(&path).map_err(failed("read", &path))?,
        Ok(_) => {
            let why = "is no file of ours".to_owned();
            return Err(ApplyError::from(Refusal { path: JOURNAL.into(), why }).into());
        }
        Err(_) => return Ok(Recovered::Nothing),
    };
    let mut lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    let head = lines
        .next()
        .and_then(|line| serde_json::from_str::<Head>(line).ok())
        .filter(|head| head.is_ours(root));
    let Some(head) = head else {
        // Killed while it was written, before anything else was.
        disk.remove(&path).map_err(failed("remove", &path))?;
        return Ok(Recovered::Nothing);
    };
    if lines.next().is_some_and(|line| line.trim_end() == DONE) {
        tidy(disk, root, &head).map_err(failed("tidy up after", &path))?;
        return Ok(Recovered::Finished(head.entries.len()));
    }
    let torn = take_back(disk, root, &head).map_err(failed("take back", &path))?;
    if torn.is_empty() {
        return Ok(Recovered::TakenBack(head.entries.len()));
    }
    Err(CommitError::Torn { root: root.to_owned(), files: torn.join(", ") })
}

impl Head {
    /// A journal comes from a folder anybody may write to: its names are checked like any others.
    fn is_ours(&self, root: &Path) -> bool {
        let real =
            |parent: &str| fs::symlink_metadata(root.join(parent)).map_or(true, |about| about.is_dir());
        let safe = |path: &str| {
            path.parse::<crate::artifact::path::RepoPath>().is_ok_and(|path| path.parents().all(real))
        };
        let names = |entry: &Entry| {
            let beside = |name: &String| {
                safe(name) && name.rsplit('/').next().is_some_and(|name| name.starts_with(".orch-edit-"))
            };
            safe(&entry.path) && entry.new.iter().chain(&entry.old).all(beside)
        };
        self.entries.iter().all(names) && self.folders.iter().all(|folder| safe(folder))
    }
}

#[cfg(test)]
mod tests;
