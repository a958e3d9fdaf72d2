//! Changes of a real repository, read through gix and from the working tree.
//!
//! Must never write: not even the index is refreshed.

use jiff::Timestamp;
use std::path::Path;

use gix::ObjectId;
use gix::bstr::ByteSlice as _;

use crate::artifact::id::{CommitId, TreeId};

use super::super::git::{commit_id, commit_oid, git, tree_id, tree_oid};
use super::super::tree::entry;
use super::super::{EntryKind, GitRepository, VcsError, VcsRead as _};
use super::disk::{self, Folders};
use super::fill::{Ends, content, fill};
use super::pairs::{At, Entry, Pairs, trees};
use super::{CommitRef, Delta, Side, Span, Unread, VcsChanges, WorkFile, index};

impl GitRepository {
    /// Returns the tree of HEAD; none before the first commit.
    fn head_tree(&self) -> Result<Option<ObjectId>, VcsError> {
        match self.head() {
            Ok(head) => tree_oid(&head.tree).map(Some),
            Err(VcsError::NoCommit { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn commit_ref(&self, id: ObjectId, shown: &str) -> Result<CommitRef, VcsError> {
        let absent = |_| VcsError::MissingObject { what: format!("the commit {shown}") };
        let repo = self.local();
        let commit = repo.find_object(id).map_err(absent)?.peel_to_commit().map_err(absent)?;
        let tree = commit.tree_id().map_err(git(format!("read the commit {shown}")))?;
        let parents = commit.parent_ids().map(|id| commit_id(&id)).collect::<Result<_, _>>()?;
        // A time out of range is one that nobody can mean.
        let time = commit.time().ok().and_then(|time| Timestamp::from_second(time.seconds).ok());
        let time = time.unwrap_or(Timestamp::UNIX_EPOCH);
        Ok(CommitRef { commit: commit_id(&commit.id)?, tree: tree_id(&tree)?, parents, time })
    }

    /// Tells whether git would change line ends on their way into a commit.
    fn ends(&self) -> Ends {
        let repo = self.local();
        let config = repo.config_snapshot();
        let auto = config.string("core.autocrlf").is_some_and(|value| {
            let value = value.to_str_lossy().to_ascii_lowercase();
            matches!(value.as_str(), "input" | "true" | "yes" | "on" | "1")
        });
        let attributes = || {
            let mut text = Vec::new();
            let read = disk::read(self.root(), b".gitattributes", EntryKind::File, &mut text);
            read.is_ok() && (text.find(b"text").is_some() || text.find(b"eol=").is_some())
        };
        Ends { to_lf: auto || attributes() }
    }

    fn modes(&self) -> bool {
        cfg!(unix) && self.local().config_snapshot().boolean("core.fileMode").unwrap_or(true)
    }

    /// Git names another index while it makes a commit of some files only; one elsewhere is not git's.
    fn own_index(&self, path: &Path) -> Result<std::path::PathBuf, VcsError> {
        let path = self.root().join(path);
        let own = |path: &Path| {
            let folder = path.parent()?.canonicalize().ok()?;
            let git = self.local().git_dir().canonicalize().ok()?;
            (folder.starts_with(&git) || folder.starts_with(self.common_dir())).then_some(())
        };
        own(&path).map(|()| path.clone()).ok_or_else(|| VcsError::Unusable {
            folder: self.root().display().to_string(),
            why: format!("GIT_INDEX_FILE names {}, which is not in its git folder", path.display()),
            help: "Unset GIT_INDEX_FILE, then run again.",
        })
    }
}

impl VcsChanges for GitRepository {
    fn commit_named(&self, name: &str) -> Result<CommitRef, VcsError> {
        let repo = self.local();
        let absent = |_| VcsError::MissingObject { what: format!("the commit `{name}`") };
        let id = repo.rev_parse_single(name).map_err(absent)?.detach();
        self.commit_ref(id, &format!("`{name}`"))
    }

    fn merge_base(&self, one: &CommitId, other: &CommitId) -> Result<Option<CommitRef>, VcsError> {
        let repo = self.local();
        let (a, b) = (commit_oid(one)?, commit_oid(other)?);
        let what = format!("the history between {one} and {other}");
        match repo.merge_base(a, b) {
            Ok(None) => Ok(None),
            Ok(Some(base)) => self.commit_ref(base.detach(), &base.to_string()).map(Some),
            Err(_) => Err(VcsError::MissingObject { what }),
        }
    }

    fn remote_default(&self) -> Result<Option<String>, VcsError> {
        let repo = self.local();
        let mut remotes: Vec<String> = repo.remote_names().iter().map(ToString::to_string).collect();
        remotes.sort_by_key(|name| (name != "origin", name.clone()));
        for remote in &remotes {
            let head = format!("refs/remotes/{remote}/HEAD");
            let target = repo.try_find_reference(head.as_str()).ok().flatten();
            let target = target.and_then(|r| Some(r.target().try_name()?.as_bstr().to_string()));
            let usual = ["main", "master"].map(|branch| format!("refs/remotes/{remote}/{branch}"));
            let there = |name: &String| repo.try_find_reference(name.as_str()).is_ok_and(|r| r.is_some());
            if let Some(found) = target.into_iter().chain(usual).find(there) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn deltas(&self, span: &Span) -> Result<Vec<Delta>, VcsError> {
        let repo = self.local();
        let mut pairs = Pairs::new();
        let mut ends = Ends::default();
        match span {
            Span::Trees { before, after } => {
                let before = before.as_ref().map(tree_oid).transpose()?;
                trees(&repo, Vec::new(), before, Some(tree_oid(after)?), &mut pairs)?;
            }
            Span::Staged { index: named } => {
                let named = named.as_deref().map(|path| self.own_index(path)).transpose()?;
                let index = index::read(&repo, named.as_deref())?;
                index::staged(&repo, self.head_tree()?, &index, &mut pairs)?;
            }
            Span::Work => {
                let index = index::read(&repo, None)?;
                index::staged(&repo, self.head_tree()?, &index, &mut pairs)?;
                disk::work(self.root(), &index, self.modes(), &mut pairs)?;
                if !pairs.is_empty() {
                    ends = self.ends();
                }
            }
        }
        fill(self, pairs, ends)
    }

    fn side(&self, tree: &TreeId, path: &[u8]) -> Result<Option<Side>, VcsError> {
        // What no tree of ours can hold is not there.
        let Ok(text) = std::str::from_utf8(path) else { return Ok(None) };
        let repo = self.local();
        let Some((mode, id)) = entry(&repo, tree_oid(tree)?, text)?.filter(|(mode, _)| !mode.is_tree())
        else {
            return Ok(None);
        };
        let found = Entry::of(mode, id);
        Ok(Some(Side { kind: found.kind, content: content(self, &repo, path, found)? }))
    }

    fn working_files(&self) -> Result<Vec<WorkFile>, VcsError> {
        let index = index::read(&self.local(), None)?;
        let backing = index.path_backing();
        let mut folders = Folders::new(self.root());
        let mut files: Vec<WorkFile> = Vec::with_capacity(index.entries().len());
        for entry in index.entries() {
            let path: &[u8] = entry.path_in(backing);
            let known = files.last().is_some_and(|last| last.path == path);
            if !known && !entry.mode.is_sparse() {
                let kind = index::kind(entry.mode);
                let submodule = || Unread::Submodule { commit: Some(entry.id.to_string()) };
                let unread = (kind == EntryKind::Submodule).then(submodule);
                // Behind a link there is another file, and what is not checked out is not there.
                if folders.are_real(path) {
                    files.push(WorkFile { path: path.to_vec(), kind, unread });
                }
            }
        }
        for (path, entry) in disk::beside(self.root(), &index)? {
            let nested = entry.at == At::Nested;
            let unread = nested.then_some(Unread::Submodule { commit: None });
            files.push(WorkFile { path, kind: entry.kind, unread });
        }
        // In order but for the last few, and a stable sort takes runs as they are.
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }

    fn read_working(&self, file: &WorkFile, buffer: &mut Vec<u8>) -> Result<bool, Unread> {
        buffer.clear();
        match &file.unread {
            Some(unread) => Err(unread.clone()),
            None => disk::read_if_there(self.root(), &file.path, buffer),
        }
    }
}
