//! A working tree over the commit it is on: a repository that answers with files as they lie on the disk.
//!
//! Must never keep anything of it: what is not committed belongs to the person.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::artifact::id::{CommitId, TreeId};
use crate::artifact::types::task::Base;
use crate::ports::vcs::{
    Delta, EntryKind, ExportReport, Ranked, TreeEntry, Unread, VcsError, VcsRead, blob_id,
};

use super::Indexed;
use super::segment::Blob;

/// What a working tree has over a commit: by path, what is there now; nothing where it is gone.
#[derive(Clone, Debug, Default)]
pub struct Changes(BTreeMap<String, Option<(EntryKind, Vec<u8>)>>);

impl Changes {
    /// Takes changes of a working tree; returns with them what could not be read, with the reason.
    pub fn of(deltas: Vec<Delta>) -> (Self, Vec<(String, Unread)>) {
        let (mut changes, mut unread) = (BTreeMap::new(), Vec::new());
        for delta in deltas {
            let Ok(path) = String::from_utf8(delta.path) else { continue };
            match delta.after {
                None => drop(changes.insert(path, None)),
                Some(side) => match side.content {
                    Ok(bytes) => drop(changes.insert(path, Some((side.kind, bytes)))),
                    Err(why) => unread.push((path, why)),
                },
            }
        }
        (Self(changes), unread)
    }

    /// Returns how many files differ.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Tells whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns what a file holds now: nothing where it does not differ, an inner nothing where it is gone or no file.
    pub fn content(&self, path: &str) -> Option<Option<&[u8]>> {
        self.0.get(path).map(|now| match now {
            Some((EntryKind::File | EntryKind::Executable, bytes)) => Some(bytes.as_slice()),
            _ => None,
        })
    }

    /// Lays the changes over files with their blobs, and returns what the new blobs hold.
    pub(in crate::index) fn lay(&self, files: &mut Vec<(String, Blob)>) -> Vec<(Blob, &[u8])> {
        files.retain(|(path, _)| !self.0.contains_key(path));
        let mut fresh = Vec::new();
        for (path, now) in &self.0 {
            if let Some((EntryKind::File | EntryKind::Executable, bytes)) = now
                && let Some(blob) = blob_id(bytes).and_then(|id| digits(&id))
            {
                files.push((path.clone(), blob));
                fresh.push((blob, bytes.as_slice()));
            }
        }
        files.sort();
        fresh
    }
}

fn digits(id: &str) -> Option<Blob> {
    let mut blob = Blob::default();
    for (at, byte) in blob.iter_mut().enumerate() {
        *byte = u8::from_str_radix(id.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(blob)
}

/// A repository with what its working tree has over one commit.
#[derive(Debug)]
pub struct Worktree {
    /// The repository, with an index of the working tree.
    pub under: Indexed,
    /// What is on the disk.
    pub changes: Changes,
}

impl VcsRead for Worktree {
    fn head(&self) -> Result<Base, VcsError> {
        self.under.head()
    }

    fn entries(&self, tree: &TreeId) -> Result<Arc<[TreeEntry]>, VcsError> {
        let before = self.under.entries(tree)?;
        let same =
            |entry: &&TreeEntry| entry.utf8_path().is_none_or(|path| !self.changes.0.contains_key(path));
        let mut entries: Vec<TreeEntry> = before.iter().filter(same).cloned().collect();
        let now = self.changes.0.iter().filter_map(|(path, now)| {
            let (kind, _) = now.as_ref()?;
            Some(TreeEntry { path: path.clone().into_bytes(), kind: *kind })
        });
        entries.extend(now);
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(entries.into())
    }

    fn file(&self, tree: &TreeId, path: &str) -> Result<Option<Vec<u8>>, VcsError> {
        match self.changes.content(path) {
            Some(content) => Ok(content.map(<[u8]>::to_vec)),
            None => self.under.file(tree, path),
        }
    }

    fn ranked(&self, commit: &CommitId, text: &str, most: usize) -> Result<Option<Vec<Ranked>>, VcsError> {
        self.under.ranked(commit, text, most)
    }

    fn export(&self, tree: &TreeId, folder: &Path) -> Result<ExportReport, VcsError> {
        self.under.export(tree, folder)
    }
}
