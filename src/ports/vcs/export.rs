//! A tree written below a folder, by all cores, one content in memory for each of them.
//!
//! Must never write outside the folder, convert a byte, run a filter or follow a link.

use std::fs;
use std::io::{self, Write as _};
use std::num::NonZero;
use std::path::{Path, PathBuf};

use gix::bstr::ByteSlice as _;
use gix::objs::tree::EntryKind as GitKind;
use gix::{ObjectId, Repository, ThreadSafeRepository};

use super::{ExportReport, VcsError, tree};

/// More threads than this wait for the disk, not for the processor.
const MAX_THREADS: usize = 8;
/// Every LFS pointer starts like this and is short.
const LFS: &[u8] = b"version https://git-lfs.github.com/spec/v1\n";
const LFS_MAX: usize = 1024;

struct Item {
    path: Vec<u8>,
    id: ObjectId,
    executable: bool,
}

/// Writes a tree below an empty folder.
pub(super) fn export(
    repo: &ThreadSafeRepository,
    root: ObjectId,
    folder: &Path,
) -> Result<ExportReport, VcsError> {
    let local = repo.to_thread_local();
    let mut report = ExportReport::default();
    let (mut files, mut links, mut parents) = (Vec::new(), Vec::new(), Parents::new(folder));
    tree::walk(&local, root, &mut |path, kind, id| {
        parents.make(path)?;
        let item = Item { path: path.to_vec(), id, executable: kind == GitKind::BlobExecutable };
        match kind {
            GitKind::Link => links.push(item),
            GitKind::Commit => {
                make_folder(&join(folder, path)?, path)?;
                report.submodules.push(path.as_bstr().to_string());
            }
            GitKind::Blob | GitKind::BlobExecutable | GitKind::Tree => files.push(item),
        }
        Ok(())
    })?;
    report.files = files.len() as u64;
    report.lfs_pointers = write_files(repo, folder, &files)?;
    // Links come last: until all files are there, no path leads through one.
    for link in &links {
        if !write_link(&local, folder, link)? {
            report.outside_links.push(link.path.as_bstr().to_string());
        }
    }
    Ok(report)
}

/// Writes files on all cores and returns those that are LFS pointers, in order.
fn write_files(repo: &ThreadSafeRepository, folder: &Path, files: &[Item]) -> Result<Vec<String>, VcsError> {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(MAX_THREADS);
    let part = files.len().div_ceil(threads).max(1);
    let write_part = |items: &[Item]| -> Result<Vec<String>, VcsError> {
        let local = repo.to_thread_local();
        let mut pointers = Vec::new();
        for item in items {
            if write_file(&local, folder, item)? {
                pointers.push(item.path.as_bstr().to_string());
            }
        }
        Ok(pointers)
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = files.chunks(part).map(|items| scope.spawn(|| write_part(items))).collect();
        let mut pointers = Vec::new();
        for worker in workers {
            let lost = |_| failed("write files", b"", io::Error::other("a thread stopped"));
            pointers.extend(worker.join().map_err(lost)??);
        }
        Ok(pointers)
    })
}

/// Writes one file; true when it is an LFS pointer.
fn write_file(repo: &Repository, folder: &Path, item: &Item) -> Result<bool, VcsError> {
    let bytes = tree::blob(repo, item.id, &item.path)?;
    let target = join(folder, &item.path)?;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    set_mode(&mut options, item.executable);
    let mut file = options.open(&target).map_err(|e| clash(&item.path, e))?;
    file.write_all(&bytes).map_err(|e| failed("write", &item.path, e))?;
    Ok(bytes.len() <= LFS_MAX && bytes.starts_with(LFS))
}

#[cfg(unix)]
fn set_mode(options: &mut fs::OpenOptions, executable: bool) {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(if executable { 0o777 } else { 0o666 });
}

#[cfg(not(unix))]
fn set_mode(_options: &mut fs::OpenOptions, _executable: bool) {}

/// Writes one link if it stays inside; false when it does not.
fn write_link(repo: &Repository, folder: &Path, item: &Item) -> Result<bool, VcsError> {
    let target = tree::blob(repo, item.id, &item.path)?;
    if !stays_inside(&item.path, &target) {
        return Ok(false);
    }
    symlink(&target, &join(folder, &item.path)?).map_err(|e| clash(&item.path, e))?;
    Ok(true)
}

/// Tells whether a link's target stays below the root, whatever other links do.
///
/// `..` may only lead the target: behind a name it could step out of wherever another link led to.
pub(super) fn stays_inside(link: &[u8], target: &[u8]) -> bool {
    if target.is_empty() || target.starts_with(b"/") || target.iter().any(|b| matches!(b, 0 | b'\\')) {
        return false;
    }
    let depth = link.split(|b| *b == b'/').count() - 1;
    let mut parts = target.split(|b| *b == b'/').filter(|p| !p.is_empty() && *p != b".").peekable();
    let mut up = 0;
    while parts.next_if(|p| *p == b"..").is_some() {
        up += 1;
    }
    up <= depth && parts.all(|p| p != b"..")
}

#[cfg(unix)]
fn symlink(target: &[u8], at: &Path) -> io::Result<()> {
    use std::os::unix::ffi::OsStrExt as _;
    std::os::unix::fs::symlink(std::ffi::OsStr::from_bytes(target), at)
}

/// As git does with `core.symlinks=false`: a file that holds the target.
#[cfg(not(unix))]
fn symlink(target: &[u8], at: &Path) -> io::Result<()> {
    fs::OpenOptions::new().write(true).create_new(true).open(at)?.write_all(target)
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere a name may not be writable")]
fn join(folder: &Path, path: &[u8]) -> Result<PathBuf, VcsError> {
    use std::os::unix::ffi::OsStrExt as _;
    Ok(folder.join(std::ffi::OsStr::from_bytes(path)))
}

#[cfg(not(unix))]
fn join(folder: &Path, path: &[u8]) -> Result<PathBuf, VcsError> {
    let refused = || VcsError::Conflict {
        path: path.as_bstr().to_string(),
        why: "has a name this system cannot write".into(),
    };
    std::str::from_utf8(path).map(|path| folder.join(path)).map_err(|_| refused())
}

/// The folders of an export: in tree order each is met once, so only the last path has to be kept.
struct Parents<'a> {
    folder: &'a Path,
    last: Vec<u8>,
}

impl<'a> Parents<'a> {
    fn new(folder: &'a Path) -> Self {
        Self { folder, last: Vec::new() }
    }

    fn make(&mut self, path: &[u8]) -> Result<(), VcsError> {
        let parent = path.rfind_byte(b'/').map_or(&b""[..], |at| &path[..at]);
        if parent == self.last {
            return Ok(());
        }
        let ends = parent.find_iter(b"/").chain((!parent.is_empty()).then_some(parent.len()));
        for end in ends {
            let folder = &parent[..end];
            let known = self.last == folder || (self.last.starts_with(folder) && self.last[end] == b'/');
            if !known {
                make_folder(&join(self.folder, folder)?, folder)?;
            }
        }
        self.last = parent.to_vec();
        Ok(())
    }
}

fn make_folder(at: &Path, path: &[u8]) -> Result<(), VcsError> {
    match fs::create_dir(at) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && is_real_folder(at) => Ok(()),
        Err(error) => Err(clash(path, error)),
        Ok(()) => Ok(()),
    }
}

fn is_real_folder(at: &Path) -> bool {
    at.symlink_metadata().is_ok_and(|m| m.is_dir())
}

/// Two names of the tree are one to this file system.
fn clash(path: &[u8], error: io::Error) -> VcsError {
    if error.kind() == io::ErrorKind::AlreadyExists {
        let why = "has the same name as another file on this file system".into();
        return VcsError::Conflict { path: path.as_bstr().to_string(), why };
    }
    failed("write", path, error)
}

fn failed(what: &str, path: &[u8], source: io::Error) -> VcsError {
    VcsError::Git { what: format!("{what} {} of a clean copy", path.as_bstr()), source: Box::new(source) }
}

#[cfg(test)]
mod tests {
    use super::stays_inside;

    #[test]
    fn only_links_that_stay_inside_are_written() {
        for (link, target) in
            [("a", "b"), ("a", "./b/c"), ("x/a", "../b"), ("x/y/a", "../../b/c"), ("x/a", "..")]
        {
            assert!(stays_inside(link.as_bytes(), target.as_bytes()), "{link} -> {target}");
        }
        for (link, target) in [
            ("a", ""),
            ("a", "/etc/passwd"),
            ("a", "../b"),
            ("x/a", "../../b"),
            ("x/a", "./../../b"),
            ("a", "b/../../c"),
            ("p/q/a", "d/../../.."),
            ("a", "b/.."),
            ("a", "b\0"),
            ("a", "..\\b"),
        ] {
            assert!(!stays_inside(link.as_bytes(), target.as_bytes()), "{link} -> {target}");
        }
    }
}
