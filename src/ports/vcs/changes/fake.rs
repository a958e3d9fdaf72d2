//! Changes of the repository in memory: files as they are in HEAD, in the index and in the working tree.
//!
//! Must never be more lenient than the real one: both pass the same suite.

use jiff::Timestamp;
use std::collections::BTreeMap;

use crate::artifact::id::{CommitId, TreeId};
use crate::artifact::types::change_set::FileMode;

use super::super::fake::{FakeRepository, Files};
use super::super::{EntryKind, VcsError, VcsRead as _};
use super::{CommitRef, Delta, LARGEST, Side, Span, Unread, VcsChanges, WorkFile};

fn side(file: &(FileMode, Vec<u8>)) -> Side {
    let (mode, bytes) = file;
    let size = bytes.len() as u64;
    let content = if size > LARGEST { Err(Unread::Large { bytes: size }) } else { Ok(bytes.clone()) };
    Side { kind: kind(*mode), content }
}

const fn kind(mode: FileMode) -> EntryKind {
    match mode {
        FileMode::Regular => EntryKind::File,
        FileMode::Executable => EntryKind::Executable,
    }
}

fn between(before: &Files, after: &Files) -> Vec<Delta> {
    let paths: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let delta = |path: &String| Delta {
        path: path.as_bytes().to_vec(),
        before: before.get(path).map(side),
        after: after.get(path).map(side),
    };
    paths.into_iter().filter(|path| before.get(*path) != after.get(*path)).map(delta).collect()
}

impl VcsChanges for FakeRepository {
    fn commit_named(&self, name: &str) -> Result<CommitRef, VcsError> {
        let head = self.head()?;
        let is_head = name == "HEAD" || name == head.commit.as_str() || head.branch.as_deref() == Some(name);
        let branch = name.strip_prefix("refs/heads/").unwrap_or(name);
        let named = name.parse::<CommitId>().ok().or_else(|| self.pointed(branch));
        if let Some((tree, tip)) = named.filter(|_| !is_head).and_then(|commit| self.known(&commit)) {
            return Ok(CommitRef {
                commit: tip.commit,
                tree,
                parents: Vec::new(),
                time: Timestamp::UNIX_EPOCH,
            });
        }
        let absent = || VcsError::MissingObject { what: format!("the commit `{name}`") };
        is_head.then_some(()).ok_or_else(absent)?;
        Ok(CommitRef {
            commit: head.commit,
            tree: head.tree,
            parents: Vec::new(),
            time: Timestamp::UNIX_EPOCH,
        })
    }

    fn merge_base(&self, one: &CommitId, other: &CommitId) -> Result<Option<CommitRef>, VcsError> {
        if one == other { self.commit_named(one.as_str()).map(Some) } else { Ok(None) }
    }

    fn remote_default(&self) -> Result<Option<String>, VcsError> {
        Ok(None)
    }

    fn deltas(&self, span: &Span) -> Result<Vec<Delta>, VcsError> {
        let files = |tree: &TreeId| self.files(tree);
        let head = || files(&self.head()?.tree);
        Ok(match span {
            Span::Staged { .. } => between(&head()?, &self.index()?),
            Span::Work => between(&head()?, &self.work()?),
            Span::Trees { before, after } => {
                let before = before.as_ref().map(files).transpose()?.unwrap_or_else(BTreeMap::new);
                between(&before, &files(after)?)
            }
        })
    }

    fn side(&self, tree: &TreeId, path: &[u8]) -> Result<Option<Side>, VcsError> {
        let files = self.files(tree)?;
        Ok(std::str::from_utf8(path).ok().and_then(|path| files.get(path)).map(side))
    }

    fn working_files(&self) -> Result<Vec<WorkFile>, VcsError> {
        let file = |(path, (mode, _)): (String, (FileMode, Vec<u8>))| WorkFile {
            path: path.into_bytes(),
            kind: kind(mode),
            unread: None,
        };
        Ok(self.work()?.into_iter().map(file).collect())
    }

    fn read_working(&self, file: &WorkFile, buffer: &mut Vec<u8>) -> Result<bool, Unread> {
        buffer.clear();
        let work = self.work().map_err(|error| Unread::Failed(error.to_string()))?;
        let found = std::str::from_utf8(&file.path).ok().and_then(|path| work.get(path));
        let Some(found) = found else { return Ok(false) };
        buffer.extend(side(found).content?);
        Ok(true)
    }
}
