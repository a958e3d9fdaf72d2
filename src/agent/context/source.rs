//! Where context comes from: the tree of the base.
//!
//! Must never read anything but that tree: what lies uncommitted in a working copy is nobody's business.

use std::cell::Cell;
use std::sync::Arc;

use crate::agent::fence::one_line;
use crate::artifact::id::{CommitId, TreeId};
use crate::artifact::types::change_set::FileMode;
use crate::ports::vcs::{EntryKind, Ranked, Related, TreeEntry, VcsError, VcsRead};

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

    /// Returns what files have to do with others; nothing where nobody keeps that.
    pub fn related(&self, paths: &[&str]) -> Result<Vec<Related>, VcsError> {
        if self.commit.is_none() || paths.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.without(self.vcs.related(self.tree, paths))?.unwrap_or_default())
    }

    /// Goes on where there should be an index and is none, and says so once.
    fn without<T>(&self, answer: Result<Option<T>, VcsError>) -> Result<Option<T>, VcsError> {
        match answer {
            Err(error @ VcsError::Index { .. }) => {
                if let Some(tell) = self.tell.filter(|_| !self.told.replace(true)) {
                    let why = one_line(&error.to_string(), 400);
                    tell(format!("WARNING: {why}; files are looked for by shared words"));
                }
                Ok(None)
            }
            answer => answer,
        }
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
        let ranked = self.without(self.vcs.ranked(commit, text, most))?;
        // An index knows what is in its commit; what is not in this tree is not shown.
        Ok(ranked.map(|list| {
            list.into_iter().filter(|found| self.kind(&found.path).is_some_and(is_file)).collect()
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::path::Path;

    use super::*;
    use crate::agent::context::pack::{Want, pack};
    use crate::artifact::types::task::Base;
    use crate::ports::vcs::ExportReport;

    const FILES: [(&str, &str); 2] =
        [("auth.py", "def login(user):\n    return user\n"), ("mail.py", "def send(message):\n    pass\n")];

    /// A repository whose index cannot be made.
    struct Broken;

    fn why() -> VcsError {
        VcsError::Index { why: "no room\nleft".into() }
    }

    impl VcsRead for Broken {
        fn head(&self) -> Result<Base, VcsError> {
            Err(why())
        }

        fn entries(&self, _: &TreeId) -> Result<Arc<[TreeEntry]>, VcsError> {
            let entry = |(path, _): (&str, &str)| TreeEntry { path: path.into(), kind: EntryKind::File };
            Ok(FILES.into_iter().map(entry).collect())
        }

        fn file(&self, _: &TreeId, path: &str) -> Result<Option<Vec<u8>>, VcsError> {
            Ok(FILES.into_iter().find(|(known, _)| *known == path).map(|(_, text)| text.into()))
        }

        fn ranked(&self, _: &CommitId, _: &str, _: usize) -> Result<Option<Vec<Ranked>>, VcsError> {
            Err(why())
        }

        fn related(&self, _: &TreeId, _: &[&str]) -> Result<Option<Vec<Related>>, VcsError> {
            Err(why())
        }

        fn export(&self, _: &TreeId, _: &Path) -> Result<ExportReport, VcsError> {
            Err(why())
        }
    }

    #[test]
    fn without_an_index_the_pack_is_made_by_words_and_that_is_said_once() {
        let tree: TreeId = "4b825dc642cb6eb9a060e54bf8d69288fbee4904".parse().unwrap();
        let commit: CommitId = "1111111111111111111111111111111111111111".parse().unwrap();
        let said = RefCell::new(Vec::new());
        let tell = |text: String| said.borrow_mut().push(text);
        let source = TreeSource::of(&Broken, &tree).unwrap().at(&commit).telling(&tell);
        let pack = pack(&Want { text: "login of a user", ceiling: 2000, shown: &[] }, &source).unwrap();
        assert_eq!(pack.files(), ["auth.py"]);
        assert!(source.related(&["auth.py"]).unwrap().is_empty());
        assert_eq!(
            *said.borrow(),
            ["WARNING: there is no index: no room left; files are looked for by shared words"]
        );
    }
}
