//! Git trees: walked in order, looked into, and as a place for changes.
//!
//! Must never hand on a name that git itself would refuse to check out.

use gix::bstr::{BStr, ByteSlice as _};
use gix::objs::tree::{EntryKind as GitKind, EntryMode};
use gix::validate::path::component;
use gix::{ObjectId, Repository};

use crate::artifact::digest::Digest;
use crate::edit::{Kind, Names, Place};

use super::VcsError;
use super::git::{git, lookup};

/// More entries than this are an attack: trees that hold each other many times over.
const MAX_ENTRIES: usize = 2_000_000;
/// A path longer than this fits no file system.
const MAX_PATH: usize = 4096;

/// Called with the path, the kind and the id of an entry.
pub(super) type Visit<'a> = &'a mut dyn FnMut(&[u8], GitKind, ObjectId) -> Result<(), VcsError>;

/// Visits every entry below a tree that is no tree itself, sorted by path.
///
/// It holds one list of names for each level, not the call stack: a deep tree cannot overflow it.
pub(super) fn walk(repo: &Repository, root: ObjectId, visit: Visit<'_>) -> Result<(), VcsError> {
    let mut path = Vec::new();
    let mut levels = vec![(0, children(repo, root, b"")?.into_iter())];
    let mut count = 0;
    while let Some((length, names)) = levels.last_mut() {
        path.truncate(*length);
        let Some((name, mode, id)) = names.next() else {
            levels.pop();
            continue;
        };
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(&name);
        check_name(&path, &name, mode)?;
        count += 1;
        if count > MAX_ENTRIES || path.len() > MAX_PATH {
            return Err(unsafe_entry(&path, "is one path too many or too long"));
        }
        if mode.is_tree() {
            levels.push((path.len(), children(repo, id, &path)?.into_iter()));
        } else {
            visit(&path, mode.kind(), id)?;
        }
    }
    Ok(())
}

pub(super) type Child = (Vec<u8>, EntryMode, ObjectId);

pub(super) fn children(repo: &Repository, id: ObjectId, path: &[u8]) -> Result<Vec<Child>, VcsError> {
    let shown = || if path.is_empty() { "the root".into() } else { path.as_bstr().to_string() };
    let tree = repo.find_tree(id).map_err(lookup(format!("the tree {id} of {}", shown())))?;
    let decoded = tree.decode().map_err(git(format!("read the tree {id} of {}", shown())))?;
    Ok(decoded.entries.iter().map(|e| (e.filename.to_vec(), e.mode, e.oid.to_owned())).collect())
}

pub(super) fn check_name(path: &[u8], name: &[u8], mode: EntryMode) -> Result<(), VcsError> {
    let options =
        component::Options { protect_windows: cfg!(windows), protect_hfs: true, protect_ntfs: true };
    let special = mode.is_link().then_some(component::Mode::Symlink);
    match gix::validate::path::component(name.as_bstr(), special, options) {
        Ok(_) => Ok(()),
        Err(error) => Err(unsafe_entry(path, &format!("has a name git refuses to check out ({error})"))),
    }
}

pub(super) fn unsafe_entry(path: &[u8], why: &str) -> VcsError {
    VcsError::Conflict { path: path.as_bstr().to_string(), why: why.into() }
}

/// Returns the content of the regular file at a path.
pub(super) fn file(repo: &Repository, root: ObjectId, path: &str) -> Result<Option<Vec<u8>>, VcsError> {
    match entry(repo, root, path)? {
        Some((mode, id)) if mode.is_blob() => blob(repo, id, path.as_bytes()).map(Some),
        _ => Ok(None),
    }
}

/// Returns the bytes of a blob.
pub(super) fn blob(repo: &Repository, id: ObjectId, path: &[u8]) -> Result<Vec<u8>, VcsError> {
    let what = || format!("the content {id} of {}", path.as_bstr());
    let mut blob = repo.find_blob(id).map_err(lookup(what()))?;
    Ok(std::mem::take(&mut blob.data))
}

pub(super) fn entry(
    repo: &Repository,
    root: ObjectId,
    path: &str,
) -> Result<Option<(EntryMode, ObjectId)>, VcsError> {
    let mut at = root;
    let mut parts = path.split('/').peekable();
    while let Some(part) = parts.next() {
        let tree = repo.find_tree(at).map_err(lookup(format!("the tree {at} above {path}")))?;
        let decoded = tree.decode().map_err(git(format!("read the tree {at}")))?;
        let wanted: &BStr = part.into();
        let Some(found) = decoded.entries.iter().find(|e| e.filename == wanted) else { return Ok(None) };
        if parts.peek().is_none() {
            return Ok(Some((found.mode, found.oid.to_owned())));
        }
        if !found.mode.is_tree() {
            return Ok(None);
        }
        at = found.oid.to_owned();
    }
    Ok(None)
}

/// A tree as a place for changes.
pub(super) struct TreePlace<'a> {
    pub(super) repo: &'a Repository,
    pub(super) root: ObjectId,
}

impl Place for TreePlace<'_> {
    type Error = VcsError;

    fn list(&self, folder: &str) -> Result<Option<Names>, VcsError> {
        let id = if folder.is_empty() {
            self.root
        } else {
            match entry(self.repo, self.root, folder)? {
                Some((mode, id)) if mode.is_tree() => id,
                _ => return Ok(None),
            }
        };
        let names = children(self.repo, id, folder.as_bytes())?;
        Ok(Some(names.into_iter().map(|(name, mode, _)| (name, place_kind(mode))).collect()))
    }

    fn digest(&self, path: &str) -> Result<Digest, VcsError> {
        file(self.repo, self.root, path)?
            .map(Digest::of)
            .ok_or_else(|| VcsError::MissingObject { what: format!("the content of {path}") })
    }
}

fn place_kind(mode: EntryMode) -> Kind {
    match mode.kind() {
        GitKind::Tree => Kind::Folder,
        GitKind::Blob | GitKind::BlobExecutable => Kind::File,
        GitKind::Link => Kind::Link,
        GitKind::Commit => Kind::Submodule,
    }
}
