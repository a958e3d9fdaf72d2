//! Where context comes from: the tree of the base.
//!
//! Must never read anything but that tree: what lies uncommitted in a working copy is nobody's business.

use std::cell::Cell;
use std::sync::Arc;

use crate::agent::fence::one_line;
use crate::artifact::id::{CommitId, TreeId};
use crate::artifact::types::change_set::FileMode;
use crate::ports::vcs::{EntryKind, Ranked, TreeEntry, VcsError, VcsRead};

/// The largest file that is looked into.
const MAX_TEXT: usize = 512 * 1024;

/// Files that can be listed and read.
pub trait Source {
    /// Returns the paths of regular files, sorted.
    fn paths(&self) -> Vec<&str>;

    /// Returns the bytes of a regular file.
    fn bytes(&self, path: &str) -> Result<Option<Vec<u8>>, VcsError>;

    /// Returns the files a text concerns, the best first; nothing where there is no index.
    fn ranked(&self, _text: &str, _most: usize) -> Result<Option<Vec<Ranked>>, VcsError> {
        Ok(None)
    }

    /// Returns the text of a regular file that is UTF-8 and not too large.
    fn text(&self, path: &str) -> Result<Option<String>, VcsError> {
        let bytes = self.bytes(path)?.filter(|bytes| bytes.len() <= MAX_TEXT && !bytes.contains(&0));
        Ok(bytes.and_then(|bytes| String::from_utf8(bytes).ok()))
    }
}

/// The tree of a commit.
pub struct TreeSource<'a> {
    vcs: &'a dyn VcsRead,
    tree: &'a TreeId,
    commit: Option<&'a CommitId>,
    entries: Arc<[TreeEntry]>,
    tell: Option<&'a dyn Fn(String)>,
    /// True once it was told that there is no index.
    told: Cell<bool>,
}

impl<'a> TreeSource<'a> {
    /// Lists a tree.
    pub fn of(vcs: &'a dyn VcsRead, tree: &'a TreeId) -> Result<Self, VcsError> {
        Ok(Self { vcs, tree, commit: None, entries: vcs.entries(tree)?, tell: None, told: Cell::new(false) })
    }

    /// Names who is told where there should be an index and is none.
    #[must_use]
    pub fn telling(self, tell: &'a dyn Fn(String)) -> Self {
        Self { tell: Some(tell), ..self }
    }

    /// Names the commit the tree is of, so that its index can be asked.
    #[must_use]
    pub fn at(self, commit: &'a CommitId) -> Self {
        Self { commit: Some(commit), ..self }
    }

    /// Returns what is at a path.
    pub fn kind(&self, path: &str) -> Option<EntryKind> {
        let at = self.entries.binary_search_by(|e| e.path.as_slice().cmp(path.as_bytes())).ok()?;
        self.entries.get(at).map(|entry| entry.kind)
    }

    /// Returns the mode of a file; where there is none, that of a file that is not executable.
    pub fn mode(&self, path: &str) -> FileMode {
        match self.kind(path) {
            Some(EntryKind::Executable) => FileMode::Executable,
            _ => FileMode::Regular,
        }
    }
}

const fn is_file(kind: EntryKind) -> bool {
    matches!(kind, EntryKind::File | EntryKind::Executable)
}

impl Source for TreeSource<'_> {
    fn paths(&self) -> Vec<&str> {
        self.entries.iter().filter(|e| is_file(e.kind)).filter_map(TreeEntry::utf8_path).collect()
    }

    fn bytes(&self, path: &str) -> Result<Option<Vec<u8>>, VcsError> {
        if self.kind(path).is_some_and(is_file) { self.vcs.file(self.tree, path) } else { Ok(None) }
    }

    fn ranked(&self, text: &str, most: usize) -> Result<Option<Vec<Ranked>>, VcsError> {
        let Some(commit) = self.commit else { return Ok(None) };
        let ranked = match self.vcs.ranked(commit, text, most) {
            Err(error @ VcsError::Index { .. }) => {
                if let Some(tell) = self.tell.filter(|_| !self.told.replace(true)) {
                    tell(format!(
                        "WARNING: {}; files are looked for by shared words",
                        one_line(&error.to_string(), 400)
                    ));
                }
                None
            }
            ranked => ranked?,
        };
        // An index knows what is in its commit; what is not in this tree is not shown.
        Ok(ranked.map(|list| {
            list.into_iter().filter(|found| self.kind(&found.path).is_some_and(is_file)).collect()
        }))
    }
}
