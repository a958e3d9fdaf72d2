//! Small files kept below a ref of their own, beside all branches: `refs/orch/runs`.
//!
//! Append-only: a commit adds files, and a file that is there never gets other bytes. Must never touch the working tree,
//! the index, HEAD or a branch, and must never leave the ref where its files are not all there.

use std::time::Duration;

use gix::ObjectId;
use gix::objs::tree::EntryKind as GitKind;
use gix::refs::transaction::{PreviousValue, RefEdit};
use gix::refs::{FullName, Target};

use super::commit::signature;
use super::git::{commit_id, git, lookup};
use super::remote::PUSH;
use super::{FakeRepository, GitRepository, Signature, VcsError, tree};
use crate::artifact::id::CommitId;

/// The ref files are kept below, where nothing else is said.
pub const RECORDS: &str = "refs/orch/runs";

/// The most bytes one file may have.
const LARGEST: usize = 4 << 20;
const REMOTE_LIMIT: Duration = Duration::from_mins(5);

/// Keeps small files below a ref.
pub trait VcsRecords: Send + Sync {
    /// Returns the paths of all files below a ref, sorted; none where there is no such ref.
    fn record_paths(&self, at: &str) -> Result<Vec<String>, VcsError>;

    /// Returns the bytes of a file below a ref.
    fn record(&self, at: &str, path: &str) -> Result<Option<Vec<u8>>, VcsError>;

    /// Adds files as one commit; those that are there with the same bytes are left, and one with others is refused.
    fn add_records(
        &self,
        at: &str,
        files: &[(String, Vec<u8>)],
        message: &str,
        author: &Signature,
    ) -> Result<Added, VcsError>;
}

/// What was added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// How many files are new; 0 when all were there.
    pub files: usize,
    /// Where the ref points now; absent in memory.
    pub commit: Option<CommitId>,
}

/// Returns the name of a ref that may hold records: below `refs/`, and none that git or people use for other things.
fn name(at: &str) -> Result<FullName, VcsError> {
    let help = "Take one as `refs/orch/runs`: below `refs/`, and in none of git's own folders.";
    let refused = |why: &str| VcsError::Records { at: at.to_owned(), why: why.to_owned(), help };
    let own = at.strip_prefix("refs/").is_some_and(|rest| rest.contains('/'));
    let taken = ["heads", "tags", "remotes", "notes", "replace", "stash", "bisect", "worktree", "rewritten"];
    let first = at.split('/').nth(1).unwrap_or_default();
    let plain = at.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b));
    if !own || !plain || taken.contains(&first) {
        return Err(refused("is no place to keep runs"));
    }
    gix::validate::reference::name(at.into()).map_err(|_| refused("is no name git allows"))?;
    FullName::try_from(at).map_err(|_| refused("is no name git allows"))
}

fn check(path: &str, bytes: &[u8]) -> Result<(), VcsError> {
    let conflict = |why: &str| VcsError::Conflict { path: path.to_owned(), why: why.to_owned() };
    if path.parse::<crate::artifact::path::RepoPath>().is_err() {
        return Err(conflict("has no safe name"));
    }
    if bytes.len() > LARGEST {
        return Err(conflict("is larger than 4 MiB, and what is kept with the repository is small"));
    }
    Ok(())
}

fn differs(path: &str) -> VcsError {
    VcsError::Records {
        at: path.to_owned(),
        why: "is kept already, with other content".into(),
        help: "What is kept is never changed: look which of the two is right, and keep the other below another ref.",
    }
}

impl GitRepository {
    fn records_tip(&self, at: &FullName) -> Result<Option<ObjectId>, VcsError> {
        let repo = self.local();
        let shown = at.as_bstr().to_string();
        let found = repo.try_find_reference(at.as_ref()).map_err(git(format!("read {shown}")))?;
        match found.map(|reference| reference.inner.target) {
            None => Ok(None),
            Some(Target::Object(id)) => Ok(Some(id)),
            Some(Target::Symbolic(_)) => {
                let help = "Remove it, or name another ref with --ref.";
                Err(VcsError::Records { at: shown, why: "is a symbolic ref".into(), help })
            }
        }
    }

    fn tree_of(&self, commit: ObjectId) -> Result<ObjectId, VcsError> {
        let repo = self.local();
        let found = repo.find_commit(commit).map_err(lookup(format!("the commit {commit}")))?;
        found.tree_id().map(gix::Id::detach).map_err(lookup(format!("the tree of {commit}")))
    }

    fn files_of(&self, commit: ObjectId) -> Result<Vec<(String, ObjectId)>, VcsError> {
        let (repo, mut files) = (self.local(), Vec::new());
        tree::walk(&repo, self.tree_of(commit)?, &mut |path, kind, id| {
            if kind == GitKind::Blob {
                files.push((String::from_utf8_lossy(path).into_owned(), id));
            }
            Ok(())
        })?;
        Ok(files)
    }

    /// Adds files to what `parents` hold together and moves the ref from `old`.
    fn commit_records(
        &self,
        at: &FullName,
        old: Option<ObjectId>,
        parents: &[ObjectId],
        files: &[(String, ObjectId)],
        (message, author): (&str, &Signature),
    ) -> Result<ObjectId, VcsError> {
        let repo = self.local();
        let base = match parents.first() {
            Some(parent) => self.tree_of(*parent)?,
            None => ObjectId::empty_tree(repo.object_hash()),
        };
        let mut editor = repo.edit_tree(base).map_err(git("change the tree of the records"))?;
        for (path, id) in files {
            editor.upsert(path.as_str(), GitKind::Blob, *id).map_err(git(format!("keep {path}")))?;
        }
        let tree = editor.write().map(gix::Id::detach).map_err(git("write the tree of the records"))?;
        let by = signature(author);
        let mut buffer = gix::date::parse::TimeBuf::default();
        let by = by.to_ref(&mut buffer);
        let commit = repo
            .new_commit_as(by, by, message, tree, parents.iter().copied())
            .map(|commit| commit.id)
            .map_err(git("write the commit of the records"))?;
        self.move_records(at, old, commit, author)?;
        Ok(commit)
    }

    fn move_records(
        &self,
        at: &FullName,
        old: Option<ObjectId>,
        new: ObjectId,
        author: &Signature,
    ) -> Result<(), VcsError> {
        let previous = match old {
            None => PreviousValue::MustNotExist,
            Some(old) => PreviousValue::MustExistAndMatch(Target::Object(old)),
        };
        let by = signature(author);
        let mut buffer = gix::date::parse::TimeBuf::default();
        let edit = RefEdit::update(at.clone(), new, previous, "orch: keep a run");
        self.local()
            .edit_references_as([edit], Some(by.to_ref(&mut buffer)))
            .map(drop)
            .map_err(git(format!("move {}", at.as_bstr())))
    }

    /// Fetches the records of a remote and joins them with those here; returns how many files are new here.
    ///
    /// Both sides only ever add files, so their union is the only thing two histories can mean.
    pub fn fetch_records(&self, remote: &str, at: &str, author: &Signature) -> Result<usize, VcsError> {
        let name = name(at)?;
        let Some(theirs) = self.remote(remote)?.fetch_ref(at)? else { return Ok(0) };
        let theirs = super::git::commit_oid(&theirs)?;
        let ours = self.records_tip(&name)?;
        let there = self.files_of(theirs)?;
        let Some(ours) = ours else {
            self.move_records(&name, None, theirs, author)?;
            return Ok(there.len());
        };
        let here: std::collections::BTreeMap<_, _> = self.files_of(ours)?.into_iter().collect();
        if let Some((path, _)) = there.iter().find(|(path, id)| here.get(path).is_some_and(|here| here != id))
        {
            return Err(differs(path));
        }
        let new: Vec<_> = there.into_iter().filter(|(path, _)| !here.contains_key(path)).collect();
        if !new.is_empty() {
            let why = "chore: join the records of two clones\n";
            self.commit_records(&name, Some(ours), &[ours, theirs], &new, (why, author))?;
        }
        Ok(new.len())
    }

    /// Pushes the records to a remote, without force: what is there stays.
    pub fn push_records(&self, remote: &str, at: &str) -> Result<(), VcsError> {
        name(at)?;
        self.remote(remote)?.push_ref(at)
    }
}

impl VcsRecords for GitRepository {
    fn record_paths(&self, at: &str) -> Result<Vec<String>, VcsError> {
        let Some(tip) = self.records_tip(&name(at)?)? else { return Ok(Vec::new()) };
        Ok(self.files_of(tip)?.into_iter().map(|(path, _)| path).collect())
    }

    fn record(&self, at: &str, path: &str) -> Result<Option<Vec<u8>>, VcsError> {
        let Some(tip) = self.records_tip(&name(at)?)? else { return Ok(None) };
        tree::file(&self.local(), self.tree_of(tip)?, path)
    }

    fn add_records(
        &self,
        at: &str,
        files: &[(String, Vec<u8>)],
        message: &str,
        author: &Signature,
    ) -> Result<Added, VcsError> {
        let name = name(at)?;
        let tip = self.records_tip(&name)?;
        let (repo, mut new) = (self.local(), Vec::new());
        for (path, bytes) in files {
            check(path, bytes)?;
            let there = tip.map(|tip| tree::file(&repo, self.tree_of(tip)?, path)).transpose()?.flatten();
            match there {
                Some(there) if &there == bytes => {}
                Some(_) => return Err(differs(path)),
                None => {
                    let id = repo.write_blob(bytes).map_err(git(format!("keep {path}")))?;
                    new.push((path.clone(), id.detach()));
                }
            }
        }
        if new.is_empty() {
            return Ok(Added { files: 0, commit: tip.map(|id| commit_id(&id)).transpose()? });
        }
        let parents: Vec<ObjectId> = tip.into_iter().collect();
        let commit = self.commit_records(&name, tip, &parents, &new, (message, author))?;
        Ok(Added { files: new.len(), commit: Some(commit_id(&commit)?) })
    }
}

impl super::remote::Remote<'_> {
    /// Fetches what a ref of the remote points to; no ref of this repository moves.
    fn fetch_ref(&self, full: &str) -> Result<Option<CommitId>, VcsError> {
        let words = ["ls-remote", "--refs", "--upload-pack=git-upload-pack", "--", self.url(), full];
        let said = self.ask("read from", &words, REMOTE_LIMIT)?;
        let line =
            said.stdout.lines().filter_map(|line| line.split_once('\t')).find(|(_, name)| *name == full);
        let Some((id, _)) = line else { return Ok(None) };
        let commit: CommitId =
            id.parse().map_err(|_| self.failed("read from", "it named a ref without a commit"))?;
        self.fetch(&commit)?;
        Ok(Some(commit))
    }

    fn push_ref(&self, full: &str) -> Result<(), VcsError> {
        let refspec = format!("{full}:{full}");
        let words = [&PUSH[..], &["--", self.url(), &refspec]].concat();
        let said = self.said("push to", &words, REMOTE_LIMIT)?;
        if said.ok {
            return Ok(());
        }
        let rejected = said.stdout.lines().find(|line| line.starts_with('!')).unwrap_or_default();
        if ["[rejected]", "fetch first", "non-fast-forward"].iter().any(|sign| rejected.contains(sign)) {
            let why = "has runs on the remote that are not here".to_owned();
            let help = "`orch runs fetch` joins them with those here; then push again.";
            return Err(VcsError::Records { at: full.to_owned(), why, help });
        }
        let why = if rejected.is_empty() { said.stderr } else { rejected.replace('\t', " ") };
        Err(self.failed("push to", &why))
    }
}

impl VcsRecords for FakeRepository {
    fn record_paths(&self, at: &str) -> Result<Vec<String>, VcsError> {
        name(at)?;
        Ok(self.with_records(at, |files| files.keys().cloned().collect()))
    }

    fn record(&self, at: &str, path: &str) -> Result<Option<Vec<u8>>, VcsError> {
        name(at)?;
        Ok(self.with_records(at, |files| files.get(path).cloned()))
    }

    fn add_records(
        &self,
        at: &str,
        files: &[(String, Vec<u8>)],
        _message: &str,
        _author: &Signature,
    ) -> Result<Added, VcsError> {
        name(at)?;
        files.iter().try_for_each(|(path, bytes)| check(path, bytes))?;
        self.with_records(at, |kept| {
            if let Some((path, _)) =
                files.iter().find(|(path, bytes)| kept.get(path).is_some_and(|there| there != bytes))
            {
                return Err(differs(path));
            }
            let before = kept.len();
            kept.extend(files.iter().cloned());
            Ok(Added { files: kept.len() - before, commit: None })
        })
    }
}

/// The suite every implementation passes.
#[cfg(test)]
mod tests {
    use super::*;

    fn conforms(vcs: &dyn VcsRecords) {
        let by = Signature {
            name: "a".into(),
            email: "a@b.example".into(),
            time: "2026-01-01T00:00:00Z".parse().unwrap(),
        };
        let files = |names: &[(&str, &str)]| -> Vec<(String, Vec<u8>)> {
            names.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect()
        };
        let add = |names: &[(&str, &str)]| vcs.add_records(RECORDS, &files(names), "keep\n", &by);
        assert_eq!(vcs.record_paths(RECORDS).unwrap(), Vec::<String>::new());
        assert_eq!(add(&[("r/1/a.json", "1"), ("r/1/b/c.json", "2")]).unwrap().files, 2);
        assert_eq!(add(&[("r/1/a.json", "1")]).unwrap().files, 0, "the same again adds nothing");
        assert_eq!(add(&[("r/1/a.json", "1"), ("r/2/a.json", "3")]).unwrap().files, 1);
        assert!(add(&[("r/3/a.json", "x"), ("r/1/a.json", "other")]).is_err(), "nothing is written over");
        assert_eq!(vcs.record_paths(RECORDS).unwrap(), ["r/1/a.json", "r/1/b/c.json", "r/2/a.json"]);
        assert_eq!(vcs.record(RECORDS, "r/1/b/c.json").unwrap().as_deref(), Some(b"2".as_slice()));
        assert_eq!(vcs.record(RECORDS, "r/1").unwrap(), None);
        for bad in ["refs/heads/main", "refs/tags/x", "main", "refs/x", "refs/orch/a..b", "--x/refs/a"] {
            assert!(vcs.record_paths(bad).is_err(), "{bad}");
        }
        for bad in ["../x", "/x", ".git/x"] {
            assert!(add(&[(bad, "")]).is_err(), "{bad}");
        }
    }

    #[test]
    fn records_are_added_and_never_changed() {
        conforms(&FakeRepository::new([("a", b"1".as_slice())]));
        let folder = tempfile::tempdir().unwrap();
        let (root, remote) = (folder.path().join("r"), folder.path().join("r.git"));
        std::fs::create_dir(&root).unwrap();
        std::fs::write(root.join("a"), "1").unwrap();
        super::super::create_repository(&root, &remote).unwrap();
        conforms(&GitRepository::open(&root).unwrap());
    }
}
