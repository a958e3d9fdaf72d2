//! Branches written as objects: blobs, trees, commits, then one ref.
//!
//! Must never move a ref from a value that was not expected, nor a branch that somebody has checked out.

use std::fs;

use gix::bstr::ByteSlice as _;
use gix::objs::tree::EntryKind as GitKind;
use gix::refs::transaction::{PreviousValue, RefEdit};
use gix::refs::{FullName, Target};
use gix::{ObjectId, Repository};

use crate::artifact::id::CommitId;
use crate::artifact::types::change_set::{FileChange, FileMode};
use crate::edit::check;

use super::git::{commit_id, commit_oid, git, lookup, tree_id};
use super::tree::TreePlace;
use super::{
    BranchDraft, BranchTip, CommitDraft, CommitOutcome, GitRepository, Signature, VcsError, VcsForesee,
    VcsWrite, message,
};

impl VcsWrite for GitRepository {
    fn trees(&self, draft: &BranchDraft) -> Result<Vec<crate::artifact::id::TreeId>, VcsError> {
        Ok(self.foresee(draft)?.into_iter().map(|(_, tree)| tree).collect())
    }

    fn commit(&self, draft: &BranchDraft) -> Result<CommitOutcome, VcsError> {
        let name = full_name(&draft.branch)?;
        // First in memory: every change is checked before an object is written.
        let commits = self.foresee(draft)?;
        let repo = self.local();
        let now = current(&repo, &name, &draft.branch)?;
        let new = commits.last().map_or_else(|| commit_oid(&draft.base), |(commit, _)| commit_oid(commit))?;
        if now == Some(new) {
            return Ok(CommitOutcome { commits, unchanged: true });
        }
        let expected = draft.expected.as_ref().map(commit_oid).transpose()?;
        if now != expected {
            return Err(moved(&draft.branch, "is not where it was when it was read"));
        }
        self.check_free(&repo, &name, &draft.branch)?;
        write_commits(&repo, draft)?;
        self.move_ref(&repo, &name, draft, expected, new)?;
        Ok(CommitOutcome { commits, unchanged: false })
    }

    fn branch(&self, name: &str) -> Result<Option<BranchTip>, VcsError> {
        let repo = self.local();
        let tip = current(&repo, &full_name(name)?, name)?;
        tip.map(|id| tip_of(&repo, id)).transpose()
    }

    fn remote_branch(&self, remote: &str, name: &str) -> Result<Option<CommitId>, VcsError> {
        self.remote(remote)?.branch(name)
    }

    fn remote_tip(&self, remote: &str, name: &str) -> Result<Option<BranchTip>, VcsError> {
        let at = self.remote(remote)?;
        let Some(commit) = at.branch(name)? else { return Ok(None) };
        let id = commit_oid(&commit)?;
        if !self.local().has_object(id) {
            at.fetch(&commit)?;
        }
        tip_of(&self.local(), id).map(Some)
    }

    fn push(&self, remote: &str, name: &str, expected: Option<&CommitId>) -> Result<(), VcsError> {
        full_name(name)?;
        self.remote(remote)?.push(name, expected)
    }

    fn remote_url(&self, remote: &str) -> Result<Option<String>, VcsError> {
        Ok(self.find_remote(remote)?.map(|remote| remote.shown().to_owned()))
    }
}

impl VcsForesee for GitRepository {
    fn foresee(&self, draft: &BranchDraft) -> Result<Vec<(CommitId, crate::artifact::id::TreeId)>, VcsError> {
        write_commits(&self.local().with_object_memory(), draft)
    }
}

/// Returns the full name of a branch that is safe as a ref and as a word on a command line.
pub(super) fn full_name(branch: &str) -> Result<FullName, VcsError> {
    let refused = || moved(branch, "is not a name git allows for a branch");
    let full = format!("refs/heads/{branch}");
    if branch.starts_with('-') || gix::validate::reference::branch_name(full.as_str().into()).is_err() {
        return Err(refused());
    }
    FullName::try_from(full).map_err(|_| refused())
}

pub(super) fn moved(branch: &str, why: impl Into<String>) -> VcsError {
    VcsError::BranchMoved { branch: branch.to_owned(), why: why.into() }
}

/// Returns where a branch points; a branch that stands for another one is refused.
fn current(repo: &Repository, name: &FullName, branch: &str) -> Result<Option<ObjectId>, VcsError> {
    let found = repo.try_find_reference(name.as_ref()).map_err(git(format!("read the branch {branch}")))?;
    match found.map(|reference| reference.inner.target) {
        None => Ok(None),
        Some(Target::Object(id)) => Ok(Some(id)),
        Some(Target::Symbolic(_)) => Err(moved(branch, "is a symbolic ref to another branch")),
    }
}

fn tip_of(repo: &Repository, id: ObjectId) -> Result<BranchTip, VcsError> {
    let commit = repo.find_commit(id).map_err(lookup(format!("the commit {id}")))?;
    let broken = || git(format!("read the commit {id}"));
    let message = commit.message_raw().map_err(broken())?.to_str_lossy().into_owned();
    let committer = commit.committer().map_err(broken())?;
    Ok(BranchTip {
        commit: commit_id(&id)?,
        trailers: message::trailers(&message),
        committer: format!("{} <{}>", committer.name, committer.email),
    })
}

fn write_commits(
    repo: &Repository,
    draft: &BranchDraft,
) -> Result<Vec<(CommitId, crate::artifact::id::TreeId)>, VcsError> {
    write_commits_on(repo, draft, 0, commit_oid(&draft.base)?)
}

/// Writes the objects of a draft's commits after the first `skip`, on top of another commit: the trees are those they have on the
/// draft's base.
pub(super) fn write_commits_on(
    repo: &Repository,
    draft: &BranchDraft,
    skip: usize,
    on: ObjectId,
) -> Result<Vec<(CommitId, crate::artifact::id::TreeId)>, VcsError> {
    let base = commit_oid(&draft.base)?;
    let base = repo.find_commit(base).map_err(lookup(format!("the base commit {base}")))?;
    let mut tree = base.tree_id().map_err(lookup("the tree of the base commit"))?.detach();
    let mut parent = on;
    let mut commits = Vec::with_capacity(draft.commits.len());
    for (at, commit) in draft.commits.iter().enumerate() {
        tree = write_tree(repo, tree, &commit.files)?;
        if at >= skip {
            parent = write_commit(repo, &draft.author, commit, parent, tree)?;
            commits.push((commit_id(&parent)?, tree_id(&tree)?));
        }
    }
    Ok(commits)
}

fn write_tree(repo: &Repository, base: ObjectId, files: &[FileChange]) -> Result<ObjectId, VcsError> {
    check(&TreePlace { repo, root: base }, files)?;
    let mut editor = repo.edit_tree(base).map_err(git("change the tree of the base"))?;
    for change in files {
        let path = change.path.as_str();
        let bytes = change
            .bytes()
            .map_err(|error| VcsError::Conflict { path: path.to_owned(), why: error.why.to_owned() })?;
        let edited = match bytes {
            None => editor.remove_leaf(path),
            Some(bytes) => {
                let blob = repo.write_blob(bytes).map_err(git(format!("write the content of {path}")))?;
                editor.upsert(path, mode(change.mode), blob.detach())
            }
        };
        edited.map_err(git(format!("put {path} into the tree")))?;
    }
    editor.write().map(gix::Id::detach).map_err(git("write the tree"))
}

fn mode(mode: FileMode) -> GitKind {
    match mode {
        FileMode::Regular => GitKind::Blob,
        FileMode::Executable => GitKind::BlobExecutable,
    }
}

fn write_commit(
    repo: &Repository,
    author: &Signature,
    draft: &CommitDraft,
    parent: ObjectId,
    tree: ObjectId,
) -> Result<ObjectId, VcsError> {
    let signature = signature(author);
    let mut buffer = gix::date::parse::TimeBuf::default();
    let signature = signature.to_ref(&mut buffer);
    repo.new_commit_as(signature, signature, message::write(draft), tree, [parent])
        .map(|commit| commit.id)
        .map_err(git("write the commit"))
}

pub(super) fn signature(author: &Signature) -> gix::actor::Signature {
    gix::actor::Signature {
        name: author.name.as_str().into(),
        email: author.email.as_str().into(),
        time: gix::date::Time { seconds: author.time.as_second(), offset: 0 },
    }
}

impl GitRepository {
    fn move_ref(
        &self,
        repo: &Repository,
        name: &FullName,
        draft: &BranchDraft,
        expected: Option<ObjectId>,
        new: ObjectId,
    ) -> Result<(), VcsError> {
        let previous = match expected {
            None => PreviousValue::MustNotExist,
            Some(old) => PreviousValue::MustExistAndMatch(Target::Object(old)),
        };
        let signature = signature(&draft.author);
        let mut buffer = gix::date::parse::TimeBuf::default();
        let edit = RefEdit::update(name.clone(), new, previous, "orch: write branch");
        let Err(error) = repo.edit_references_as([edit], Some(signature.to_ref(&mut buffer))) else {
            return Ok(());
        };
        let lock = format!("{}.lock", name.as_bstr());
        if current(repo, name, &draft.branch)? != expected {
            return Err(moved(&draft.branch, "was changed by somebody else at the same time"));
        }
        if self.common_dir().join(&lock).exists() {
            let why = format!("is locked by another git process; remove `.git/{lock}` if there is none");
            return Err(moved(&draft.branch, why));
        }
        Err(git(format!("move the branch {}", draft.branch))(error))
    }

    /// Refuses a branch that is checked out anywhere, or whose name another branch makes impossible.
    fn check_free(&self, repo: &Repository, name: &FullName, branch: &str) -> Result<(), VcsError> {
        let head = format!("ref: {}", name.as_bstr());
        let linked = fs::read_dir(self.common_dir().join("worktrees")).into_iter().flatten().flatten();
        let heads = linked.map(|worktree| worktree.path().join("HEAD"));
        for path in heads.chain([self.common_dir().join("HEAD")]) {
            if fs::read_to_string(path).is_ok_and(|text| text.trim_end() == head) {
                return Err(moved(branch, "is checked out in a worktree"));
            }
        }
        for (at, _) in branch.match_indices('/') {
            if current(repo, &full_name(&branch[..at])?, branch)?.is_some() {
                return Err(moved(branch, format!("cannot be made beside the branch `{}`", &branch[..at])));
            }
        }
        let below = format!("{}/", name.as_bstr());
        let refs = repo.references().map_err(git("list the branches"))?;
        let mut refs = refs.prefixed(below.as_str()).map_err(git("list the branches"))?;
        match refs.next() {
            Some(_) => Err(moved(branch, "cannot be made beside branches below its name")),
            None => Ok(()),
        }
    }
}
