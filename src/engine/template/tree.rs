//! A tree of files as detectors see it: paths, and texts on demand.
//!
//! Must never touch the disk: whoever makes it hands in the reader.

use std::sync::Arc;

use crate::engine::View;
use crate::ports::vcs::{EntryKind, TreeEntry, VcsError};

type Read<'a> = dyn Fn(&str) -> Result<Option<Vec<u8>>, VcsError> + 'a;

/// Files larger than this are not looked into.
const MAX_TEXT: usize = 1 << 20;

/// A tree of files.
pub struct Tree<'a> {
    /// Sorted by path.
    entries: Arc<[TreeEntry]>,
    read: Box<Read<'a>>,
}

impl<'a> Tree<'a> {
    /// Returns the tree an engine may look at; paths that are not UTF-8 are left out.
    pub fn of(view: &View<'a>) -> Result<Self, VcsError> {
        let View { vcs, tree, .. } = *view;
        Ok(Self { entries: vcs.entries(tree)?, read: Box::new(move |path| vcs.file(tree, path)) })
    }

    /// Returns the paths of regular files, sorted.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        let files = self.entries.iter().filter(|e| matches!(e.kind, EntryKind::File | EntryKind::Executable));
        files.filter_map(TreeEntry::utf8_path)
    }

    /// Returns the place of the first entry that does not stand before a path.
    fn place(&self, path: &str) -> usize {
        self.entries.partition_point(|e| e.path.as_slice() < path.as_bytes())
    }

    /// Returns what is at a path.
    pub fn kind(&self, path: &str) -> Option<EntryKind> {
        self.entries.get(self.place(path)).filter(|e| e.path == path.as_bytes()).map(|e| e.kind)
    }

    /// Tells whether there is a regular file at a path.
    pub fn has(&self, path: &str) -> bool {
        matches!(self.kind(path), Some(EntryKind::File | EntryKind::Executable))
    }

    /// Tells whether there is anything below a folder, given without a final slash.
    pub fn has_folder(&self, folder: &str) -> bool {
        let prefix = format!("{folder}/");
        self.entries.get(self.place(&prefix)).is_some_and(|e| e.path.starts_with(prefix.as_bytes()))
    }

    /// Returns a path that is the same as `path` but for the case of its letters.
    pub fn same_but_case(&self, path: &str) -> Option<&str> {
        let wanted = path.to_lowercase();
        let mut paths = self.entries.iter().filter_map(TreeEntry::utf8_path);
        paths.find(|have| *have != path && have.to_lowercase() == wanted)
    }

    /// Returns the bytes of a regular file.
    pub fn bytes(&self, path: &str) -> Result<Option<Vec<u8>>, VcsError> {
        if self.has(path) { (self.read)(path) } else { Ok(None) }
    }

    /// Returns the text of a regular file that is UTF-8 and not too large.
    pub fn text(&self, path: &str) -> Result<Option<String>, VcsError> {
        let bytes = self.bytes(path)?.filter(|b| b.len() <= MAX_TEXT);
        Ok(bytes.and_then(|b| String::from_utf8(b).ok()))
    }
}

#[cfg(test)]
impl Tree<'static> {
    /// Returns a tree of texts, for tests.
    pub fn of_texts(files: &[(&str, &str)]) -> Self {
        let files: std::collections::BTreeMap<String, Vec<u8>> =
            files.iter().map(|(p, t)| ((*p).to_owned(), t.as_bytes().to_vec())).collect();
        let entry = |p: &String| TreeEntry { path: p.as_bytes().to_vec(), kind: EntryKind::File };
        let entries = files.keys().map(entry).collect();
        Self { entries, read: Box::new(move |path| Ok(files.get(path).cloned())) }
    }
}
