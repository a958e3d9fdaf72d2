//! A repository in memory, for tests of whatever needs one.
//!
//! Must never be more lenient than the real one: both pass the same suite.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::artifact::digest::Digest;
use crate::artifact::id::{CommitId, TreeId};
use crate::artifact::types::change_set::{FileChange, FileMode};
use crate::artifact::types::task::Base;
use crate::edit::{Kind, Names, Place, check};

use super::commit::{full_name, moved};
use super::{
    BranchDraft, BranchTip, CommitDraft, CommitOutcome, EntryKind, ExportReport, TreeEntry, VcsError,
    VcsForesee, VcsRead, VcsWrite, message,
};

pub(super) type Files = BTreeMap<String, (FileMode, Vec<u8>)>;
type Branches = BTreeMap<String, CommitId>;

/// A repository in memory: files, one branch checked out, remotes by name.
#[derive(Debug)]
pub struct FakeRepository {
    base: Base,
    state: Mutex<State>,
}

#[derive(Clone, Debug, Default)]
struct State {
    trees: BTreeMap<TreeId, Files>,
    commits: BTreeMap<CommitId, (TreeId, BranchTip)>,
    branches: Branches,
    remotes: BTreeMap<String, Branches>,
    index: Option<Files>,
    work: Option<Files>,
    records: BTreeMap<String, BTreeMap<String, Vec<u8>>>,
}

impl FakeRepository {
    /// Returns a repository with one commit on `main` that holds the files.
    pub fn new<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        let files =
            files.into_iter().map(|(path, bytes)| (path.to_owned(), (FileMode::Regular, bytes.to_vec())));
        let mut state = State::default();
        let tree = state.add_tree(files.collect());
        let draft =
            CommitDraft { subject: "base".into(), body: String::new(), trailers: vec![], files: vec![] };
        let commit = state.add_commit(&draft, "somebody <somebody@example.com>", "", &tree);
        state.branches.insert("main".into(), commit.clone());
        Self { base: Base { commit, tree, branch: Some("main".into()) }, state: Mutex::new(state) }
    }

    /// Adds an empty remote.
    #[must_use]
    pub fn with_remote(self, name: &str) -> Self {
        self.lock().remotes.insert(name.to_owned(), Branches::new());
        self
    }

    /// Puts a commit of somebody else on top of a branch, locally or on a remote.
    pub fn foreign_commit(&self, remote: Option<&str>, branch: &str) {
        let mut state = self.lock();
        let draft =
            CommitDraft { subject: "foreign".into(), body: String::new(), trailers: vec![], files: vec![] };
        let tree = self.base.tree.clone();
        let commit = state.add_commit(&draft, "somebody <somebody@example.com>", branch, &tree);
        let branches = match remote {
            None => &mut state.branches,
            Some(remote) => state.remotes.entry(remote.to_owned()).or_default(),
        };
        branches.insert(branch.to_owned(), commit);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts files into the index in place of those of HEAD.
    #[must_use]
    pub fn with_index<'a>(self, files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        self.lock().index = Some(regular(files));
        self
    }

    /// Puts files into the working tree in place of those of the index.
    #[must_use]
    pub fn with_work<'a>(self, files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        self.lock().work = Some(regular(files));
        self
    }

    /// Returns the files of the index.
    pub(super) fn index(&self) -> Result<Files, VcsError> {
        let index = self.lock().index.clone();
        index.map_or_else(|| self.files(&self.base.tree), Ok)
    }

    /// Returns the files of the working tree.
    pub(super) fn work(&self) -> Result<Files, VcsError> {
        let work = self.lock().work.clone();
        work.map_or_else(|| self.index(), Ok)
    }

    /// Returns a commit by its id, with its tree; the branch points to it where it is the tip of one.
    pub(super) fn known(&self, commit: &CommitId) -> Option<(TreeId, BranchTip)> {
        self.lock().commits.get(commit).cloned()
    }

    /// Returns the commit a branch points to.
    pub(super) fn pointed(&self, branch: &str) -> Option<CommitId> {
        self.lock().branches.get(branch).cloned()
    }

    /// Hands the records below a ref to a function.
    pub(super) fn with_records<T>(
        &self,
        at: &str,
        act: impl FnOnce(&mut BTreeMap<String, Vec<u8>>) -> T,
    ) -> T {
        act(self.lock().records.entry(at.to_owned()).or_default())
    }

    pub(super) fn files(&self, tree: &TreeId) -> Result<Files, VcsError> {
        let missing = || VcsError::MissingObject { what: format!("the tree {tree}") };
        self.lock().trees.get(tree).cloned().ok_or_else(missing)
    }
}

fn regular<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Files {
    files.into_iter().map(|(path, bytes)| (path.to_owned(), (FileMode::Regular, bytes.to_vec()))).collect()
}

/// Ids of the fake are cut from SHA-256: they look like git's and depend on the content alone.
fn object_id<T>(bytes: &[u8]) -> T
where
    T: TryFrom<String>,
    T::Error: std::fmt::Debug,
{
    let id = Digest::of(bytes).hex()[..40].to_owned();
    match T::try_from(id) {
        Ok(id) => id,
        Err(error) => unreachable!("40 hex digits are an object id: {error:?}"),
    }
}

impl State {
    fn add_tree(&mut self, files: Files) -> TreeId {
        let mut bytes = b"tree".to_vec();
        for (path, (mode, content)) in &files {
            bytes.extend_from_slice(format!("{mode:?} {path} {}\n", Digest::of(content)).as_bytes());
        }
        let id: TreeId = object_id(&bytes);
        self.trees.insert(id.clone(), files);
        id
    }

    fn add_commit(&mut self, draft: &CommitDraft, committer: &str, parent: &str, tree: &TreeId) -> CommitId {
        let message = message::write(draft);
        let commit: CommitId = object_id(format!("commit {parent} {tree} {committer}\n{message}").as_bytes());
        let trailers = message::trailers(&message);
        let tip = BranchTip { commit: commit.clone(), trailers, committer: committer.to_owned() };
        self.commits.insert(commit.clone(), (tree.clone(), tip));
        commit
    }

    fn add_commits(&mut self, draft: &BranchDraft) -> Result<Vec<(CommitId, TreeId)>, VcsError> {
        let missing = || VcsError::MissingObject { what: format!("the base commit {}", draft.base) };
        let (tree, _) = self.commits.get(&draft.base).cloned().ok_or_else(missing)?;
        let mut files = self.trees.get(&tree).cloned().ok_or_else(missing)?;
        let mut steps = Vec::new();
        for commit in &draft.commits {
            apply(&mut files, &commit.files)?;
            steps.push(files.clone());
        }
        let mut parent = draft.base.clone();
        let mut commits = Vec::new();
        let committer = format!("{} {}", message::person(&draft.author), draft.author.time);
        for (commit, files) in draft.commits.iter().zip(steps) {
            let tree = self.add_tree(files);
            parent = self.add_commit(commit, &committer, parent.as_str(), &tree);
            if let Some((_, tip)) = self.commits.get_mut(&parent) {
                tip.committer = message::person(&draft.author);
            }
            commits.push((parent.clone(), tree));
        }
        Ok(commits)
    }

    fn tip(&self, commit: Option<&CommitId>) -> Option<BranchTip> {
        self.commits.get(commit?).map(|(_, tip)| tip.clone())
    }

    fn remote(&mut self, name: &str) -> Result<&mut Branches, VcsError> {
        let why = || "the repository has no remote of that name".to_owned();
        let unknown = || VcsError::Remote { remote: name.to_owned(), what: "use", why: why() };
        self.remotes.get_mut(name).ok_or_else(unknown)
    }
}

/// Files by path as a place for changes.
pub(crate) struct MapPlace<'a>(pub(crate) &'a Files);

impl Place for MapPlace<'_> {
    type Error = VcsError;

    fn list(&self, folder: &str) -> Result<Option<Names>, VcsError> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let mut names = BTreeMap::new();
        for path in self.0.keys() {
            let Some(rest) = path.strip_prefix(&prefix) else { continue };
            match rest.split_once('/') {
                Some((name, _)) => names.insert(name.as_bytes().to_vec(), Kind::Folder),
                None => names.insert(rest.as_bytes().to_vec(), Kind::File),
            };
        }
        Ok((folder.is_empty() || !names.is_empty()).then(|| names.into_iter().collect()))
    }

    fn digest(&self, path: &str) -> Result<Digest, VcsError> {
        let missing = || VcsError::MissingObject { what: format!("the content of {path}") };
        self.0.get(path).map(|(_, bytes)| Digest::of(bytes)).ok_or_else(missing)
    }
}

/// Applies changes to files in memory, all or none.
pub(crate) fn apply(files: &mut Files, changes: &[FileChange]) -> Result<(), VcsError> {
    check(&MapPlace(files), changes)?;
    for change in changes {
        let why = |error: crate::artifact::types::change_set::ChangeError| error.why.to_owned();
        let bytes =
            change.bytes().map_err(|e| VcsError::Conflict { path: change.path.to_string(), why: why(e) })?;
        match bytes {
            None => files.remove(change.path.as_str()),
            Some(bytes) => files.insert(change.path.to_string(), (change.mode, bytes)),
        };
    }
    Ok(())
}

impl VcsRead for FakeRepository {
    fn head(&self) -> Result<Base, VcsError> {
        Ok(self.base.clone())
    }

    fn entries(&self, tree: &TreeId) -> Result<Arc<[TreeEntry]>, VcsError> {
        let kind = |mode| match mode {
            FileMode::Regular => EntryKind::File,
            FileMode::Executable => EntryKind::Executable,
        };
        let files = self.files(tree)?;
        Ok(files
            .into_iter()
            .map(|(p, (mode, _))| TreeEntry { path: p.into_bytes(), kind: kind(mode) })
            .collect())
    }

    fn file(&self, tree: &TreeId, path: &str) -> Result<Option<Vec<u8>>, VcsError> {
        Ok(self.files(tree)?.remove(path).map(|(_, bytes)| bytes))
    }

    fn export(&self, tree: &TreeId, folder: &Path) -> Result<ExportReport, VcsError> {
        let files = self.files(tree)?;
        for (path, (_, bytes)) in &files {
            let target = folder.join(path);
            let written = fs::create_dir_all(target.parent().unwrap_or(folder))
                .and_then(|()| fs::write(&target, bytes));
            written.map_err(|e| VcsError::Git { what: format!("write {path}"), source: Box::new(e) })?;
        }
        Ok(ExportReport { files: files.len() as u64, ..ExportReport::default() })
    }
}

impl VcsForesee for FakeRepository {
    fn foresee(&self, draft: &BranchDraft) -> Result<Vec<(CommitId, TreeId)>, VcsError> {
        self.lock().clone().add_commits(draft)
    }
}

impl VcsWrite for FakeRepository {
    fn trees(&self, draft: &BranchDraft) -> Result<Vec<TreeId>, VcsError> {
        Ok(self.foresee(draft)?.into_iter().map(|(_, tree)| tree).collect())
    }

    fn commit(&self, draft: &BranchDraft) -> Result<CommitOutcome, VcsError> {
        full_name(&draft.branch)?;
        let mut state = self.lock();
        let commits = state.add_commits(draft)?;
        let parent = commits.last().map_or_else(|| draft.base.clone(), |(commit, _)| commit.clone());
        let now = state.branches.get(&draft.branch);
        if now == Some(&parent) {
            return Ok(CommitOutcome { commits, unchanged: true });
        }
        if now != draft.expected.as_ref() {
            return Err(moved(&draft.branch, "is not where it was when it was read"));
        }
        if self.base.branch.as_ref() == Some(&draft.branch) {
            return Err(moved(&draft.branch, "is checked out in a worktree"));
        }
        state.branches.insert(draft.branch.clone(), parent);
        Ok(CommitOutcome { commits, unchanged: false })
    }

    fn branch(&self, name: &str) -> Result<Option<BranchTip>, VcsError> {
        full_name(name)?;
        let state = self.lock();
        Ok(state.tip(state.branches.get(name)))
    }

    fn remote_branch(&self, remote: &str, name: &str) -> Result<Option<CommitId>, VcsError> {
        Ok(self.lock().remote(remote)?.get(name).cloned())
    }

    fn remote_tip(&self, remote: &str, name: &str) -> Result<Option<BranchTip>, VcsError> {
        let commit = self.remote_branch(remote, name)?;
        Ok(self.lock().tip(commit.as_ref()))
    }

    fn push(&self, remote: &str, name: &str, expected: Option<&CommitId>) -> Result<(), VcsError> {
        full_name(name)?;
        let mut state = self.lock();
        let local = state.branches.get(name).cloned();
        let branches = state.remote(remote)?;
        if branches.get(name) != expected {
            return Err(moved(name, format!("is not where it was on the remote `{remote}`")));
        }
        let why = "the branch does not exist".to_owned();
        let missing = || VcsError::Remote { remote: remote.to_owned(), what: "push to", why };
        branches.insert(name.to_owned(), local.ok_or_else(missing)?);
        Ok(())
    }

    fn remote_url(&self, remote: &str) -> Result<Option<String>, VcsError> {
        Ok(self.lock().remotes.contains_key(remote).then(|| format!("memory:{remote}")))
    }
}
