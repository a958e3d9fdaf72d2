//! A tree of files as detectors see it: paths, and texts on demand.
//!
//! Must never touch the disk: whoever makes it hands in the reader.

use std::collections::BTreeMap;

use crate::engine::View;
use crate::ports::vcs::{EntryKind, VcsError};

type Read<'a> = dyn Fn(&str) -> Result<Option<Vec<u8>>, VcsError> + 'a;

/// Files larger than this are not looked into.
const MAX_TEXT: usize = 1 << 20;

/// A tree of files.
pub struct Tree<'a> {
    kinds: BTreeMap<String, EntryKind>,
    read: Box<Read<'a>>,
}

impl<'a> Tree<'a> {
    /// Returns the tree an engine may look at; paths that are not UTF-8 are left out.
    pub fn of(view: &View<'a>) -> Result<Self, VcsError> {
        let View { vcs, tree } = *view;
        let kinds = vcs
            .entries(tree)?
            .into_iter()
            .filter_map(|e| String::from_utf8(e.path).ok().map(|path| (path, e.kind)))
            .collect();
        Ok(Self { kinds, read: Box::new(move |path| vcs.file(tree, path)) })
    }

    /// Returns a tree of any files; `read` gives their bytes.
    pub fn new(
        kinds: BTreeMap<String, EntryKind>,
        read: impl Fn(&str) -> Result<Option<Vec<u8>>, VcsError> + 'a,
    ) -> Self {
        Self { kinds, read: Box::new(read) }
    }

    /// Returns the paths of regular files, sorted.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.kinds
            .iter()
            .filter(|(_, kind)| matches!(kind, EntryKind::File | EntryKind::Executable))
            .map(|(path, _)| path.as_str())
    }

    /// Returns what is at a path.
    pub fn kind(&self, path: &str) -> Option<EntryKind> {
        self.kinds.get(path).copied()
    }

    /// Tells whether there is a regular file at a path.
    pub fn has(&self, path: &str) -> bool {
        matches!(self.kind(path), Some(EntryKind::File | EntryKind::Executable))
    }

    /// Tells whether there is anything below a folder, given without a final slash.
    pub fn has_folder(&self, folder: &str) -> bool {
        let prefix = format!("{folder}/");
        self.kinds.range(prefix.clone()..).next().is_some_and(|(path, _)| path.starts_with(&prefix))
    }

    /// Returns a path that is the same as `path` but for the case of its letters.
    pub fn same_but_case(&self, path: &str) -> Option<&str> {
        let wanted = path.to_lowercase();
        self.kinds.keys().map(String::as_str).find(|have| *have != path && have.to_lowercase() == wanted)
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
        let files: BTreeMap<String, Vec<u8>> =
            files.iter().map(|(p, t)| ((*p).to_owned(), t.as_bytes().to_vec())).collect();
        let kinds = files.keys().map(|p| (p.clone(), EntryKind::File)).collect();
        Self::new(kinds, move |path| Ok(files.get(path).cloned()))
    }
}
