//! A change in the making: edits of models laid over the base, one answer on top of the other.
//!
//! Must never apply half of an answer, guess where a replacement belongs, or let a path through that is not planned.

use std::collections::{BTreeMap, BTreeSet};

use crate::agent::context::{Source as _, TreeSource};
use crate::agent::debate::Change as Difference;
use crate::agent::fence::one_line;
use crate::artifact::digest::Digest;
use crate::artifact::path::RepoPath;
use crate::artifact::types::change_set::{FileChange, FileMode, FileOp};
use crate::edit::format::{Change, Format, Pair};
use crate::edit::lines::is_binary;
use crate::edit::plan::{Files, plan};
use crate::edit::revise;
use crate::ports::vcs::{EntryKind, VcsError};

use super::reply::{Edit, Op};

/// The largest file a model may write.
const MAX_FILE: usize = 1 << 20;
/// So many refusals of one answer are told.
const MAX_TOLD: usize = 8;

/// The state of a file that an edit touched; `None`: it is deleted.
type State = Option<(Vec<u8>, FileMode)>;

/// Why an answer's edits were not applied.
#[derive(Debug)]
pub(super) enum EditError {
    /// A role may never do this.
    Forbidden(String),
    /// It does not fit; the model may try again.
    Wrong(String),
    /// The base could not be read.
    Vcs(VcsError),
}

impl From<VcsError> for EditError {
    fn from(error: VcsError) -> Self {
        Self::Vcs(error)
    }
}

/// A change in the making.
#[derive(Clone)]
pub(super) struct Draft<'a> {
    base: &'a TreeSource<'a>,
    allowed: BTreeSet<&'a RepoPath>,
    frozen: BTreeSet<String>,
    files: BTreeMap<RepoPath, State>,
}

impl<'a> Draft<'a> {
    /// Opens a draft over the base that may touch `allowed` and never `frozen`.
    pub fn new(
        base: &'a TreeSource<'a>,
        allowed: impl IntoIterator<Item = &'a RepoPath>,
        frozen: impl IntoIterator<Item = &'a RepoPath>,
    ) -> Self {
        Self {
            base,
            allowed: allowed.into_iter().collect(),
            frozen: frozen.into_iter().map(|path| path.as_str().to_lowercase()).collect(),
            files: BTreeMap::new(),
        }
    }

    /// Takes over the changes of an earlier round, as far as this plan allows them.
    pub fn take(&mut self, earlier: &[FileChange]) {
        for change in earlier.iter().filter(|change| self.allowed.contains(&change.path)) {
            if let Ok(bytes) = change.bytes() {
                self.files.insert(change.path.clone(), bytes.map(|bytes| (bytes, change.mode)));
            }
        }
    }

    /// Returns the content of a file as the draft has it.
    pub fn bytes(&self, path: &str) -> Result<Option<Vec<u8>>, VcsError> {
        match self.files.iter().find(|(have, _)| have.as_str() == path) {
            Some((_, state)) => Ok(state.as_ref().map(|(bytes, _)| bytes.clone())),
            None => self.base.bytes(path),
        }
    }

    fn mode(&self, path: &RepoPath) -> FileMode {
        match self.files.get(path) {
            Some(Some((_, mode))) => *mode,
            _ => self.base.mode(path.as_str()),
        }
    }

    /// Applies the edits of one answer, all or none.
    pub fn apply(&mut self, edits: &[Edit]) -> Result<(), EditError> {
        let mut next = self.clone();
        for edit in edits {
            next.apply_one(edit)?;
        }
        self.files = next.files;
        Ok(())
    }

    /// Applies a text with edits in one of the formats, all or none; a text without words edits nothing.
    ///
    /// The files were shown to the model as the draft has them, so the edits are fitted to that.
    pub fn apply_text(&mut self, format: Format, text: &str) -> Result<(), EditError> {
        if text.trim().is_empty() {
            return Ok(());
        }
        let edits = format
            .read(text)
            .map_err(|unread| EditError::Wrong(one_line(&format!("answer.patch: {unread}"), 1000)))?;
        for path in edits.iter().flat_map(|edit| std::iter::once(&edit.path).chain(&edit.to)) {
            self.permitted(path)?;
        }
        let made = plan(edits, &*self, &|path| self.allowed.contains(path));
        let changes = made.map_err(|problems| {
            let told = problems.iter().take(MAX_TOLD);
            let told = told.map(|problem| one_line(&format!("`{}` {}", problem.path, problem.why), 1000));
            EditError::Wrong(told.collect::<Vec<_>>().join("\n"))
        })?;
        let mut next = Vec::with_capacity(changes.len());
        for change in changes {
            let wrong = |why: String| EditError::Wrong(format!("`{}` {why}", change.path));
            let bytes = change.bytes().map_err(|error| wrong(error.why.to_owned()))?;
            if bytes.as_ref().is_some_and(|bytes| bytes.len() > MAX_FILE) {
                return Err(wrong(format!("would be larger than {MAX_FILE} bytes")));
            }
            next.push((change.path.clone(), bytes.map(|bytes| (bytes, change.mode))));
        }
        self.files.extend(next);
        Ok(())
    }

    /// Checks a path that an edit names.
    fn permitted(&self, path: &str) -> Result<RepoPath, EditError> {
        let shown = one_line(path, 200);
        if self.frozen.contains(&path.to_lowercase()) {
            return Err(EditError::Forbidden(format!("tried to edit the frozen test file `{shown}`")));
        }
        let path: RepoPath = path.parse().map_err(|_| {
            EditError::Forbidden(format!("tried to edit `{shown}`, which no change may touch"))
        })?;
        if !self.allowed.contains(&path) {
            return Err(EditError::Forbidden(format!(
                "tried to edit `{path}`, which the plan does not name for it"
            )));
        }
        if matches!(self.base.kind(path.as_str()), Some(EntryKind::Link | EntryKind::Submodule)) {
            return Err(EditError::Wrong(format!(
                "`{path}` is a link or a submodule, which cannot be edited"
            )));
        }
        Ok(path)
    }

    fn apply_one(&mut self, edit: &Edit) -> Result<(), EditError> {
        let path = self.permitted(&edit.path)?;
        let have = self.bytes(path.as_str())?;
        let wrong = |why: String| EditError::Wrong(format!("`{path}` {why}"));
        let bytes = match (&edit.op, have) {
            (Op::Create(_), Some(_)) => {
                return Err(wrong("exists: use `write` or `replace`".into()));
            }
            (Op::Create(content), None) | (Op::Write(content), Some(_)) => Some(content.clone().into_bytes()),
            (Op::Write(_) | Op::Replace(_) | Op::Delete, None) => {
                return Err(wrong("does not exist: use `create`".into()));
            }
            (Op::Replace(pairs), Some(bytes)) => {
                if is_binary(&bytes) || std::str::from_utf8(&bytes).is_err() {
                    return Err(wrong("is not text: use `write`".into()));
                }
                let change = Change::Pairs(numbered(pairs));
                let made = revise::change(None, Some(&bytes), &change);
                Some(made.map_err(|refused| wrong(one_line(&refused.to_string(), 1000)))?)
            }
            (Op::Delete, Some(_)) => None,
        };
        if bytes.as_ref().is_some_and(|bytes| bytes.len() > MAX_FILE) {
            return Err(wrong(format!("would be larger than {MAX_FILE} bytes")));
        }
        let mode = match edit.executable {
            Some(true) => FileMode::Executable,
            Some(false) => FileMode::Regular,
            None => self.mode(&path),
        };
        self.files.insert(path, bytes.map(|bytes| (bytes, mode)));
        Ok(())
    }

    /// Returns the changes against the base, sorted by path; digests are computed here, and what is as before is left out.
    pub fn changes(&self) -> Result<Vec<FileChange>, VcsError> {
        let mut changes = Vec::new();
        for (path, state) in &self.files {
            let before = self.base.bytes(path.as_str())?;
            let old_mode = self.base.mode(path.as_str());
            match (state, before) {
                (None, None) => {}
                (None, Some(before)) => changes.push(FileChange {
                    path: path.clone(),
                    op: FileOp::Delete,
                    mode: old_mode,
                    before: Some(Digest::of(before)),
                    after: None,
                    content: None,
                }),
                (Some((bytes, mode)), Some(before)) if *bytes == before && *mode == old_mode => {}
                (Some((bytes, mode)), before) => {
                    changes.push(FileChange::write(path.clone(), before.as_deref(), bytes.clone(), *mode));
                }
            }
        }
        Ok(changes)
    }

    /// Returns what changed since another state of the draft, line by line.
    pub fn since(&self, earlier: &Self) -> Result<Difference, VcsError> {
        let paths: BTreeSet<&RepoPath> = self.files.keys().chain(earlier.files.keys()).collect();
        let mut change = Difference::default();
        for path in paths {
            let (before, after) = (earlier.bytes(path.as_str())?, self.bytes(path.as_str())?);
            change = change.and(Difference::of(path.as_str(), before.as_deref(), after.as_deref()));
        }
        Ok(change)
    }
}

impl Files for Draft<'_> {
    fn now(&self, path: &RepoPath) -> Result<Option<(Vec<u8>, FileMode)>, String> {
        let bytes = self.bytes(path.as_str()).map_err(|error| format!("cannot be read: {error}"))?;
        Ok(bytes.map(|bytes| (bytes, self.mode(path))))
    }

    fn shown(&self, _path: &RepoPath) -> Result<Option<Vec<u8>>, String> {
        Ok(None)
    }
}

/// Numbers replacements for the applier, which makes them in order; each must have exactly one place.
fn numbered(pairs: &[(String, String)]) -> Vec<Pair> {
    let pair = |(at, (find, new)): (usize, &(String, String))| Pair {
        at: at + 1,
        find: find.clone(),
        replace: new.clone(),
        line: None,
    };
    pairs.iter().enumerate().map(pair).collect()
}

#[cfg(test)]
mod checks {
    use super::*;
    use crate::ports::vcs::{FakeRepository, VcsRead as _};

    fn pairs(list: &[(&str, &str)]) -> Op {
        Op::Replace(list.iter().map(|(f, r)| ((*f).to_owned(), (*r).to_owned())).collect())
    }

    fn edit(path: &str, op: Op) -> Edit {
        Edit { path: path.into(), op, executable: None }
    }

    #[test]
    fn edits_are_exact_whole_and_within_the_plan() {
        let repo = FakeRepository::new([
            ("a.txt", b"one\ntwo\ntwo\n".as_slice()),
            ("crlf.txt", b"one\r\ntwo\r\n"),
            ("bin", b"\xff\xfe"),
            ("tests/t.py", b"t"),
        ]);
        let tree = repo.head().unwrap().tree;
        let source = TreeSource::of(&repo, &tree).unwrap();
        let planned: Vec<RepoPath> =
            ["a.txt", "bin", "crlf.txt", "new.txt"].iter().map(|p| p.parse().unwrap()).collect();
        let frozen: Vec<RepoPath> = vec!["tests/t.py".parse().unwrap()];
        let open = || Draft::new(&source, &planned, &frozen);
        for (edits, why) in [
            (edit("a.txt", pairs(&[("two\n", "x")])), "more than once, on lines 2, 3"),
            (edit("a.txt", pairs(&[("", "x")])), "empty"),
            (edit("a.txt", pairs(&[("onne", "x")])), "most like it: line 1 `one`"),
            (edit("a.txt", Op::Create("x".into())), "exists"),
            (edit("new.txt", Op::Write("x".into())), "does not exist"),
            (edit("new.txt", Op::Delete), "does not exist"),
            (edit("bin", pairs(&[("a", "b")])), "not text"),
            (edit("new.txt", Op::Create("x".repeat(MAX_FILE + 1))), "larger"),
        ] {
            let mut draft = open();
            match draft.apply(
                &[edit("new.txt", Op::Create("n".into())), edits.clone()]
                    [usize::from(edits.path == "new.txt")..],
            ) {
                Err(EditError::Wrong(said)) => assert!(said.contains(why), "{said} / {why}"),
                other => panic!("{other:?} / {why}"),
            }
            assert!(draft.changes().unwrap().is_empty(), "nothing of a wrong answer stays");
        }
        for path in ["tests/t.py", "Tests/T.py", "other.py", "../x", "/etc/passwd", ".git/config", ""] {
            let said = open().apply(&[edit(path, Op::Write("x".into()))]);
            assert!(matches!(said, Err(EditError::Forbidden(_))), "{path}: {said:?}");
        }
        let mut draft = open();
        let first = draft.clone();
        draft
            .apply(&[
                edit("a.txt", pairs(&[("one\ntwo", "1\n2"), ("1\n", "eins\n")])),
                edit("crlf.txt", pairs(&[("one\ntwo", "one\nmore\ntwo")])),
                edit("new.txt", Op::Create("n\n".into())),
                edit("bin", Op::Delete),
            ])
            .unwrap();
        assert_eq!(draft.bytes("a.txt").unwrap().unwrap(), b"eins\n2\ntwo\n");
        assert_eq!(draft.bytes("crlf.txt").unwrap().unwrap(), b"one\r\nmore\r\ntwo\r\n");
        let ops: Vec<_> = draft.changes().unwrap().iter().map(|c| (c.path.to_string(), c.op)).collect();
        let wanted = [
            ("a.txt", FileOp::Modify),
            ("bin", FileOp::Delete),
            ("crlf.txt", FileOp::Modify),
            ("new.txt", FileOp::Create),
        ];
        assert_eq!(ops, wanted.map(|(p, op)| (p.to_owned(), op)));
        assert!(draft.since(&first).unwrap().size() > 0);
        let text = "--- a/a.txt\n+++ b/a.txt\n@@\n eins\n-2\n+zwei\n--- a/crlf.txt\n+++ /dev/null\n@@\n-one\n-more\n-two\n";
        let mut patched = draft.clone();
        patched.apply_text(Format::Udiff, text).unwrap();
        assert_eq!(patched.bytes("a.txt").unwrap().unwrap(), b"eins\nzwei\ntwo\n");
        assert_eq!(patched.bytes("crlf.txt").unwrap(), None);
        patched.apply_text(Format::V4a, " \n").unwrap();
        let before = patched.changes().unwrap();
        for (text, why) in [
            (
                "a.txt\n<<<<<<< SEARCH\nzwei\n=======\n2\n>>>>>>> REPLACE\ncrlf.txt\n<<<<<<< SEARCH\none\n=======\n1\n>>>>>>> REPLACE\n",
                "does not exist",
            ),
            ("a.txt\n<<<<<<< SEARCH\nnowhere\n=======\n2\n>>>>>>> REPLACE\n", "no line is like"),
            ("some words", "no edit"),
        ] {
            match patched.apply_text(Format::SearchReplace, text) {
                Err(EditError::Wrong(said)) => assert!(said.contains(why), "{said} / {why}"),
                other => panic!("{other:?} / {why}"),
            }
            assert_eq!(patched.changes().unwrap(), before, "nothing of a wrong answer stays");
        }
        for path in ["tests/t.py", "Tests/T.py", "other.py", "../x"] {
            let move_there = format!(
                "*** Begin Patch\n*** Update File: a.txt\n*** Move to: {path}\n@@\n-zwei\n+2\n*** End Patch\n"
            );
            let make = format!("*** Begin Patch\n*** Add File: {path}\n+x\n*** End Patch\n");
            for text in [move_there, make] {
                let said = patched.apply_text(Format::V4a, &text);
                assert!(matches!(said, Err(EditError::Forbidden(_))), "{path}: {said:?}");
            }
        }
        let mut again = open();
        again.take(&draft.changes().unwrap());
        assert_eq!(again.changes().unwrap(), draft.changes().unwrap());
        again.apply(&[edit("a.txt", Op::Write("one\ntwo\ntwo\n".into()))]).unwrap();
        assert_eq!(again.changes().unwrap().len(), 3, "a file that is as before is no change");
    }
}
