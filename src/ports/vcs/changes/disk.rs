//! The working tree: what differs from the index, what is there besides, and bytes.
//!
//! Must never follow a link, wait on a pipe, or read more of a file than was allowed.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use gix::bstr::ByteSlice as _;
use gix::index::entry::{Flags, Mode, Stage, Stat, stat};
use ignore::{WalkBuilder, WalkState};

use super::super::{EntryKind, VcsError};
use super::fill::each;
use super::index::kind;
use super::pairs::{At, Entry, Pairs};
use super::{LARGEST, Unread};

/// Everything must match before a file is taken for unchanged; what does not is read and compared.
const STAT: stat::Options =
    stat::Options { trust_ctime: true, check_stat: true, use_nsec: true, use_stdev: false };

/// Returns the path of a file on this machine; `None` where this machine cannot have such a name.
pub(super) fn on_disk(root: &Path, path: &[u8]) -> Option<PathBuf> {
    gix::path::from_bstr(path.as_bstr()).ok().map(|path| root.join(path))
}

/// What the working tree has at an entry of the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Same,
    Gone,
    Differs(EntryKind),
}

/// Notes what the working tree has that the index has not; `pairs` hold what the index has and HEAD has not.
pub(super) fn work(
    root: &Path,
    index: &gix::index::State,
    modes: bool,
    pairs: &mut Pairs,
) -> Result<(), VcsError> {
    let backing = index.path_backing();
    let entries = index.entries();
    let chunks: Vec<_> = entries.chunks(256).collect();
    let states = each(&chunks, |chunk| {
        let mut folders = Folders::new(root);
        chunk.iter().map(|entry| look(entry, index, modes, &mut folders)).collect::<Vec<_>>()
    });
    for (entry, state) in entries.iter().zip(states.into_iter().flatten()) {
        let path: &[u8] = entry.path_in(backing);
        if state == State::Same || entry.mode.is_sparse() {
            continue;
        }
        let after = match state {
            State::Differs(kind) => Some(Entry { kind, at: At::Disk }),
            _ => None,
        };
        let added = entry.flags.contains(Flags::INTENT_TO_ADD);
        let known = Entry { kind: kind(entry.mode), at: At::Object(entry.id) };
        let pair = pairs
            .entry(path.to_vec())
            .or_insert_with(|| super::pairs::Pair { before: (!added).then_some(known), after: None });
        pair.after = after;
    }
    for (path, found) in beside(root, index)? {
        pairs.entry(path).or_default().after = Some(found);
    }
    pairs.retain(|_, pair| pair.before != pair.after);
    Ok(())
}

/// Looks at one entry.
fn look(
    entry: &gix::index::Entry,
    index: &gix::index::State,
    modes: bool,
    folders: &mut Folders<'_>,
) -> State {
    let path: &[u8] = entry.path_in(index.path_backing());
    let absent = if entry.flags.contains(Flags::SKIP_WORKTREE) { State::Same } else { State::Gone };
    let Some(file) = on_disk(folders.root, path) else { return State::Differs(kind(entry.mode)) };
    if !folders.are_real(path) {
        return absent;
    }
    let found = match gix::index::fs::Metadata::from_path_no_follow(&file) {
        Ok(found) => found,
        Err(error) if is_absent(&error) => return absent,
        // Whoever reads it says why it cannot be read.
        Err(_) => return State::Differs(kind(entry.mode)),
    };
    let known = kind(entry.mode);
    if entry.mode == Mode::COMMIT {
        return if found.is_dir() { State::Same } else { State::Differs(EntryKind::File) };
    }
    let is = match () {
        () if found.is_symlink() => EntryKind::Link,
        () if !found.is_file() => return State::Gone,
        () if !modes && known != EntryKind::Link => known,
        () if found.is_executable() => EntryKind::Executable,
        () => EntryKind::File,
    };
    let same = is == known
        && entry.stage() == Stage::Unconflicted
        && !entry.flags.contains(Flags::INTENT_TO_ADD)
        && !entry.stat.is_racy(index.timestamp(), STAT)
        && Stat::from_fs(&found).is_ok_and(|stat| entry.stat.matches(&stat, STAT));
    if same { State::Same } else { State::Differs(is) }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Knows which folders are folders and not links; asked in the order of paths, so that it remembers one way down.
pub(super) struct Folders<'a> {
    root: &'a Path,
    real: Vec<u8>,
}

impl<'a> Folders<'a> {
    pub(super) fn new(root: &'a Path) -> Self {
        Self { root, real: Vec::new() }
    }

    /// Tells whether all folders above a path are folders.
    pub(super) fn are_real(&mut self, path: &[u8]) -> bool {
        let Some(end) = path.iter().rposition(|b| *b == b'/') else { return true };
        let folder = &path[..end];
        if self.real == folder {
            return true;
        }
        let ends = folder.iter().enumerate().filter(|(_, b)| **b == b'/').map(|(at, _)| at);
        for at in ends.chain([end]) {
            let part = &path[..at];
            let known =
                self.real.starts_with(part) && (self.real.len() == at || self.real.get(at) == Some(&b'/'));
            let is_folder = |p: PathBuf| p.symlink_metadata().is_ok_and(|found| found.is_dir());
            if !known && !on_disk(self.root, part).is_some_and(is_folder) {
                return false;
            }
        }
        self.real = folder.to_vec();
        true
    }
}

/// Returns what git does not track and does not ignore, sorted by path.
pub(super) fn beside(root: &Path, index: &gix::index::State) -> Result<Vec<(Vec<u8>, Entry)>, VcsError> {
    let backing = index.path_backing();
    let is_tracked = |path: &[u8]| match index.entry_index_by_path(path.as_bstr()) {
        Ok(_) => true,
        // Only other stages of it are there when a merge is not done.
        Err(at) => index.entries().get(at).is_some_and(|e| e.path_in(backing) == path.as_bstr()),
    };
    let found: Mutex<Vec<(Vec<u8>, Entry)>> = Mutex::default();
    let failed: Mutex<Option<String>> = Mutex::default();
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(4);
    walker(root).threads(threads).build_parallel().run(|| {
        let mut batch = Batch { out: &found, items: Vec::new() };
        let failed = &failed;
        Box::new(move |item| {
            match item {
                Ok(item) => {
                    let is_folder = item.file_type().is_some_and(|kind| kind.is_dir());
                    // Most files are tracked: they are not looked at.
                    if !is_folder && git_path(root, item.path()).is_none_or(|path| is_tracked(&path)) {
                        return WalkState::Continue;
                    }
                    let (entry, nested) = classify(&item);
                    if let (Some(entry), Some(path)) = (entry, git_path(root, item.path()))
                        && !is_tracked(&path)
                    {
                        batch.items.push((path, entry));
                    }
                    if nested {
                        return WalkState::Skip;
                    }
                }
                Err(error) if error.io_error().is_some_and(is_absent) => {}
                Err(error) => {
                    *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
                }
            }
            WalkState::Continue
        })
    });
    if let Some(why) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        let source = Box::new(io::Error::other(why));
        return Err(VcsError::Git { what: "look through the working tree".into(), source });
    }
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(found)
}

/// What one thread found; handed in when the walk drops it, so that threads do not wait for each other.
struct Batch<'a> {
    out: &'a Mutex<Vec<(Vec<u8>, Entry)>>,
    items: Vec<(Vec<u8>, Entry)>,
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        self.out.lock().unwrap_or_else(PoisonError::into_inner).append(&mut self.items);
    }
}

/// A walk that leaves out what git ignores, and nothing else.
fn walker(root: &Path) -> WalkBuilder {
    let mut walker = WalkBuilder::new(root);
    walker.standard_filters(false).git_ignore(true).git_exclude(true).git_global(true).require_git(false);
    walker.follow_links(false).filter_entry(|entry| entry.depth() == 0 || entry.file_name() != ".git");
    walker
}

/// Returns what an entry of the walk is, and whether it is a repository of its own.
fn classify(item: &ignore::DirEntry) -> (Option<Entry>, bool) {
    let Some(kind) = item.file_type() else { return (None, false) };
    if kind.is_dir() {
        let nested = item.depth() > 0 && item.path().join(".git").symlink_metadata().is_ok();
        return (nested.then_some(Entry { kind: EntryKind::Submodule, at: At::Nested }), nested);
    }
    let kind = match kind {
        kind if kind.is_symlink() => EntryKind::Link,
        kind if !kind.is_file() => return (None, false),
        _ if item.metadata().is_ok_and(|found| is_executable(&found)) => EntryKind::Executable,
        _ => EntryKind::File,
    };
    (Some(Entry { kind, at: At::Disk }), false)
}

#[cfg(unix)]
fn is_executable(found: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    found.permissions().mode() & 0o100 != 0
}

#[cfg(not(unix))]
fn is_executable(_found: &Metadata) -> bool {
    false
}

/// Returns a path as git has it.
fn git_path(root: &Path, path: &Path) -> Option<Vec<u8>> {
    let below = path.strip_prefix(root).ok()?;
    let path = gix::path::to_unix_separators_on_windows(gix::path::into_bstr(below).ok()?);
    Some(path.into_owned().into())
}

/// Reads a file, or the target of a link, into a buffer that is emptied first.
pub(super) fn read(root: &Path, path: &[u8], kind: EntryKind, buffer: &mut Vec<u8>) -> Result<(), Unread> {
    buffer.clear();
    let failed = |error: io::Error| Unread::Failed(error.to_string());
    let file = on_disk(root, path).ok_or_else(|| Unread::Failed("this machine has no such names".into()))?;
    if kind == EntryKind::Link {
        let target = std::fs::read_link(&file).map_err(failed)?;
        let target = gix::path::into_bstr(target).map_err(|e| Unread::Failed(e.to_string()))?;
        buffer.extend_from_slice(&target);
        return Ok(());
    }
    if bytes(open(&file).map_err(failed)?, buffer)? {
        Ok(())
    } else {
        Err(Unread::Failed("it is no regular file".into()))
    }
}

/// Reads what is at a path, a file or the target of a link; tells whether there is one.
pub(super) fn read_if_there(root: &Path, path: &[u8], buffer: &mut Vec<u8>) -> Result<bool, Unread> {
    let failed = |error: io::Error| Unread::Failed(error.to_string());
    let Some(file) = on_disk(root, path) else {
        return read(root, path, EntryKind::File, buffer).map(|()| true);
    };
    match open(&file) {
        Ok(opened) => bytes(opened, buffer),
        Err(error) if is_absent(&error) => Ok(false),
        Err(_) if file.is_symlink() => read(root, path, EntryKind::Link, buffer).map(|()| true),
        Err(error) => Err(failed(error)),
    }
}

/// Reads a file; tells whether it is one, and no folder.
fn bytes(mut opened: File, buffer: &mut Vec<u8>) -> Result<bool, Unread> {
    let failed = |error: io::Error| Unread::Failed(error.to_string());
    let found = opened.metadata().map_err(failed)?;
    if found.is_dir() {
        return Ok(false);
    }
    if !found.is_file() {
        return Err(Unread::Failed("it is no regular file".into()));
    }
    if found.len() > LARGEST {
        return Err(Unread::Large { bytes: found.len() });
    }
    // One call for most files. Only a file that became another one meanwhile takes more.
    let expected = usize::try_from(found.len()).unwrap_or_default();
    buffer.resize(expected.saturating_add(1), 0);
    let read = loop {
        match opened.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => break other.map_err(failed)?,
        }
    };
    buffer.truncate(read);
    if read == expected && expected > 0 {
        return Ok(true);
    }
    opened.take(LARGEST + 1 - read as u64).read_to_end(buffer).map_err(failed)?;
    let read = buffer.len() as u64;
    if read > LARGEST {
        buffer.clear();
        return Err(Unread::Large { bytes: read });
    }
    Ok(true)
}

/// Returns the size of a file; 0 where it cannot be told.
pub(super) fn size(root: &Path, path: &[u8]) -> u64 {
    on_disk(root, path).and_then(|file| file.symlink_metadata().ok()).map_or(0, |found| found.len())
}

#[cfg(unix)]
fn open(file: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    // A pipe put in the place of a file would otherwise be waited for, and a link followed.
    let flags = nix::fcntl::OFlag::O_NOFOLLOW | nix::fcntl::OFlag::O_NONBLOCK;
    OpenOptions::new().read(true).custom_flags(flags.bits()).open(file)
}

#[cfg(not(unix))]
fn open(file: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).open(file)
}
