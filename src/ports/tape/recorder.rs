//! Passes every ask on to the real ports and keeps what they answered.
//!
//! Must never hold anything back while a stage runs, and must never keep an error: a stage that meets one does not finish,
//! so there is no tape of it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::World;
use super::place::{Places, stand_in};
use crate::artifact::digest::Digest;
use crate::artifact::id::{CommitId, TreeId};
use crate::artifact::path::RepoPath;
use crate::artifact::types::change_set::{Content, FileChange, FileMode};
use crate::artifact::types::graph::RepositoryGraph;
use crate::artifact::types::tape::{Ask, Header, Line};
use crate::artifact::types::task::Base;
use crate::artifact::types::verification::Protection;
use crate::ports::clock::Clock;
use crate::ports::process::{Command, Outcome, ProcessError, Processes, Sandbox};
use crate::ports::vcs::{
    BranchDraft, BranchTip, CommitOutcome, ExportReport, Ranked, Related, TreeEntry, VcsError, VcsRead,
    VcsWrite,
};
use crate::ports::workspace::{CleanCopy, WorkspaceError, Workspaces};

/// Every recorded port of one stage.
pub struct Recorder<'a> {
    pub(super) world: World<'a>,
    pub(super) kept: Arc<Kept>,
}

/// What is shared with the clean copies, which may outlive the recorder.
#[derive(Debug, Default)]
pub(super) struct Kept {
    lines: Mutex<Vec<u8>>,
    places: Mutex<Places>,
}

impl Kept {
    /// Writes a line; the one place where bytes go onto the tape.
    fn write(&self, line: &impl Serialize) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if serde_json::to_writer(&mut *lines, line).is_ok() {
            lines.push(b'\n');
        }
    }

    pub(super) fn told(&self, ask: Ask, answer: impl Serialize) {
        self.write(&Line { ask, answer });
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Recorder<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").field("kept", &self.kept).finish_non_exhaustive()
    }
}

impl<'a> Recorder<'a> {
    /// Starts the tape of a stage.
    pub fn new(world: World<'a>, header: &Header) -> Self {
        let kept = Arc::new(Kept::default());
        kept.write(header);
        Self { world, kept }
    }

    /// Returns the tape so far, one JSON object a line.
    pub fn bytes(&self) -> Vec<u8> {
        self.kept.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Cuts a time to what a manifest and a journal show of it: what is on the tape can be seen in the files.
fn whole_millis(time: Duration) -> Duration {
    Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

impl Clock for Recorder<'_> {
    fn now(&self) -> Timestamp {
        let now = self.world.clock.now();
        self.kept.told(Ask::Now, now);
        now
    }

    fn elapsed(&self) -> Duration {
        let elapsed = whole_millis(self.world.clock.elapsed());
        self.kept.told(Ask::Elapsed, elapsed);
        elapsed
    }

    /// No ask: the world has nothing to answer.
    fn sleep(&self, time: Duration) {
        self.world.clock.sleep(time);
    }
}

impl VcsRead for Recorder<'_> {
    fn head(&self) -> Result<Base, VcsError> {
        let head = self.world.vcs.head()?;
        self.kept.told(Ask::Head, &head);
        Ok(head)
    }

    fn entries(&self, tree: &TreeId) -> Result<Arc<[TreeEntry]>, VcsError> {
        self.world.vcs.entries(tree)
    }

    fn file(&self, tree: &TreeId, path: &str) -> Result<Option<Vec<u8>>, VcsError> {
        self.world.vcs.file(tree, path)
    }

    fn kept(&self, name: &str) -> Result<Option<Vec<u8>>, VcsError> {
        self.world.vcs.kept(name)
    }

    fn ranked(&self, commit: &CommitId, text: &str, most: usize) -> Result<Option<Vec<Ranked>>, VcsError> {
        let ranked = self.world.vcs.ranked(commit, text, most);
        match &ranked {
            Ok(ranked) => self.kept.told(ask_ranked(commit, text, most), ranked),
            // The stage goes on as where nobody keeps an index, and so does a replay.
            Err(VcsError::Index { .. }) => {
                self.kept.told(ask_ranked(commit, text, most), &None::<Vec<Ranked>>);
            }
            Err(_) => {}
        }
        ranked
    }

    fn related(&self, tree: &TreeId, paths: &[&str]) -> Result<Option<Vec<Related>>, VcsError> {
        let related = self.world.vcs.related(tree, paths);
        match &related {
            Ok(related) => self.kept.told(ask_related(tree, paths), related),
            // As where nobody keeps that.
            Err(VcsError::Index { .. }) => self.kept.told(ask_related(tree, paths), &None::<Vec<Related>>),
            Err(_) => {}
        }
        related
    }

    fn graph(&self, tree: &TreeId) -> Result<Option<Arc<RepositoryGraph>>, VcsError> {
        self.world.vcs.graph(tree)
    }

    fn export(&self, tree: &TreeId, folder: &Path) -> Result<ExportReport, VcsError> {
        self.world.vcs.export(tree, folder)
    }
}

impl Processes for Recorder<'_> {
    fn run(&self, command: &Command) -> Result<Outcome, ProcessError> {
        let real = self.kept.places().real(command);
        let outcome = self.world.processes.run(&real)?;
        // What the stage gets is what the tape says, so whatever is taken out of output is taken out here.
        let mut outcome = self.kept.places().portable(outcome);
        outcome.duration = whole_millis(outcome.duration);
        self.kept.told(Ask::Run { argv: command.argv.clone(), env: command.env.clone() }, &outcome);
        Ok(outcome)
    }

    fn protection(&self, sandbox: &Sandbox) -> Result<Protection, ProcessError> {
        let protection = self.world.processes.protection(sandbox)?;
        self.kept.told(Ask::Protection { required: sandbox.required }, &protection);
        Ok(protection)
    }
}

impl Workspaces for Recorder<'_> {
    fn clean_copy(&self, tree: &TreeId) -> Result<Box<dyn CleanCopy>, WorkspaceError> {
        let inner = self.world.workspaces.clean_copy(tree)?;
        let number = self.kept.places().add(inner.root());
        self.kept.told(Ask::CleanCopy { tree: tree.clone() }, inner.exported());
        Ok(Box::new(RecordedCopy { inner, number, root: stand_in(number), kept: Arc::clone(&self.kept) }))
    }
}

/// A clean copy whose answers are kept.
struct RecordedCopy {
    inner: Box<dyn CleanCopy>,
    number: usize,
    root: PathBuf,
    kept: Arc<Kept>,
}

impl CleanCopy for RecordedCopy {
    fn root(&self) -> &Path {
        &self.root
    }

    fn exported(&self) -> &ExportReport {
        self.inner.exported()
    }

    fn apply(&mut self, files: &[FileChange]) -> Result<(), WorkspaceError> {
        self.inner.apply(files)?;
        self.kept.told(apply(self.number, files)?, ());
        Ok(())
    }

    fn digest(&self, path: &RepoPath) -> Result<Option<Digest>, WorkspaceError> {
        let digest = self.inner.digest(path)?;
        self.kept.told(Ask::Digest { copy: self.number, path: path.clone() }, &digest);
        Ok(digest)
    }

    fn read(&self, path: &RepoPath, limit: u64) -> Result<Option<(Vec<u8>, FileMode)>, WorkspaceError> {
        let file = self.inner.read(path, limit)?;
        let file = file.map(|(bytes, mode)| (self.kept.places().in_file(bytes), mode));
        let answer = file.as_ref().map(|(bytes, mode)| (Content::from_bytes(bytes.clone()), mode));
        self.kept.told(Ask::Read { copy: self.number, path: path.clone(), limit }, answer);
        Ok(file)
    }
}

/// Returns the ask of changes to a copy.
pub(super) fn apply(copy: usize, files: &[FileChange]) -> Result<Ask, WorkspaceError> {
    let changes = Digest::of_json(&files).map_err(|error| WorkspaceError::Io {
        what: "write changes as JSON".into(),
        source: std::io::Error::other(error),
    })?;
    Ok(Ask::Apply { copy, changes })
}

impl VcsWrite for Recorder<'_> {
    fn trees(&self, draft: &BranchDraft) -> Result<Vec<TreeId>, VcsError> {
        self.world.forge.trees(draft)
    }

    fn commit(&self, draft: &BranchDraft) -> Result<CommitOutcome, VcsError> {
        let outcome = self.world.forge.commit(draft)?;
        self.kept.told(commit(draft), &outcome);
        Ok(outcome)
    }

    fn branch(&self, name: &str) -> Result<Option<BranchTip>, VcsError> {
        let tip = self.world.forge.branch(name)?;
        self.kept.told(Ask::Branch { name: name.into() }, &tip);
        Ok(tip)
    }

    fn remote_branch(&self, remote: &str, name: &str) -> Result<Option<CommitId>, VcsError> {
        let commit = self.world.forge.remote_branch(remote, name)?;
        self.kept.told(Ask::RemoteBranch { remote: remote.into(), name: name.into() }, &commit);
        Ok(commit)
    }

    fn remote_tip(&self, remote: &str, name: &str) -> Result<Option<BranchTip>, VcsError> {
        let tip = self.world.forge.remote_tip(remote, name)?;
        self.kept.told(Ask::RemoteTip { remote: remote.into(), name: name.into() }, &tip);
        Ok(tip)
    }

    fn push(&self, remote: &str, name: &str, expected: Option<&CommitId>) -> Result<(), VcsError> {
        self.world.forge.push(remote, name, expected)?;
        self.kept.told(push(remote, name, expected), ());
        Ok(())
    }

    fn remote_url(&self, remote: &str) -> Result<Option<String>, VcsError> {
        let url = self.world.forge.remote_url(remote)?;
        self.kept.told(Ask::RemoteUrl { remote: remote.into() }, &url);
        Ok(url)
    }
}

/// Returns the ask of a branch to write.
pub(super) fn commit(draft: &BranchDraft) -> Ask {
    Ask::Commit { branch: draft.branch.clone(), base: draft.base.clone(), expected: draft.expected.clone() }
}

/// Returns the ask of files that a text concerns.
pub(super) fn ask_ranked(commit: &CommitId, text: &str, most: usize) -> Ask {
    Ask::Ranked { commit: commit.clone(), text: Digest::of(text), most }
}

/// Returns the ask of what files have to do with others.
pub(super) fn ask_related(tree: &TreeId, paths: &[&str]) -> Ask {
    Ask::Related { tree: tree.clone(), paths: Digest::of(paths.join("\n")) }
}

/// Returns the ask of a push.
pub(super) fn push(remote: &str, name: &str, expected: Option<&CommitId>) -> Ask {
    Ask::Push { remote: remote.into(), name: name.into(), expected: expected.cloned() }
}
