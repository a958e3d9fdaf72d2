//! Answers every ask from a tape.
//!
//! Must never start a program, reach the network, or write anything; must never answer another ask than the tape's next.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::place::stand_in;
use super::recorder::{apply, ask_ranked, ask_related, commit, push};
use crate::artifact::digest::Digest;
use crate::artifact::id::{CommitId, StageId, TreeId};
use crate::artifact::path::RepoPath;
use crate::artifact::types::change_set::{Content, FileChange, FileMode};
use crate::artifact::types::graph::RepositoryGraph;
use crate::artifact::types::tape::{Ask, FORM, Header, Line};
use crate::artifact::types::task::Base;
use crate::artifact::types::verification::Protection;
use crate::ports::clock::Clock;
use crate::ports::process::{Command, Outcome, ProcessError, Processes, Sandbox};
use crate::ports::vcs::{
    BranchDraft, BranchTip, CommitOutcome, ExportReport, Ranked, Related, TreeEntry, VcsError, VcsForesee,
    VcsRead, VcsWrite,
};
use crate::ports::workspace::{CleanCopy, WorkspaceError, Workspaces};

/// A stage that asked otherwise than it did when it was recorded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{stage}` went another way at line {line} of its tape: {what}")]
pub struct Divergence {
    /// The stage.
    pub stage: StageId,
    /// The line of the tape, from 1.
    pub line: usize,
    /// What was asked, and what the tape has there.
    pub what: String,
}

/// A tape that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("line {line} of the tape {why}")]
pub struct Unreadable {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it, to be read after it.
    pub why: String,
}

/// Every recorded port of one stage, from its tape; what has an id in the repository is read there.
pub struct Player<'a> {
    vcs: &'a dyn VcsRead,
    commits: &'a dyn VcsForesee,
    header: Header,
    pub(super) reel: Arc<Reel>,
}

/// What is shared with the clean copies.
#[derive(Debug)]
pub(super) struct Reel {
    stage: StageId,
    lines: Vec<Line<Value>>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next: usize,
    copies: usize,
    diverged: Option<Divergence>,
}

impl Reel {
    /// Returns the answer to the next ask, which must be this one; after the first divergence there is none.
    pub(super) fn take<T: DeserializeOwned>(&self, ask: &Ask) -> Result<T, Divergence> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(first) = &state.diverged {
            return Err(first.clone());
        }
        let wrong = match self.lines.get(state.next) {
            Some(line) if &line.ask == ask => match serde_json::from_value(line.answer.clone()) {
                Ok(answer) => {
                    state.next += 1;
                    return Ok(answer);
                }
                Err(error) => format!("the answer to {} cannot be read: {error}", shown(ask)),
            },
            Some(line) => format!("it asked for {}, the tape has {}", shown(ask), shown(&line.ask)),
            None => format!("it asked for {}, the tape has no more", shown(ask)),
        };
        // The header is line 1.
        let divergence = Divergence { stage: self.stage, line: state.next + 2, what: wrong };
        state.diverged = Some(divergence.clone());
        Err(divergence)
    }
}

/// Returns an ask as one short line of JSON.
fn shown(ask: &Ask) -> String {
    const MOST: usize = 300;
    let mut text = serde_json::to_string(ask).unwrap_or_default();
    if text.len() > MOST {
        text.truncate(text.floor_char_boundary(MOST));
        text.push_str("...");
    }
    text
}

impl std::fmt::Debug for Player<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Player").field("header", &self.header).finish_non_exhaustive()
    }
}

impl<'a> Player<'a> {
    /// Reads a tape; trees and files are read from `vcs`, and commits are made again by `commits`.
    pub fn new(bytes: &[u8], vcs: &'a dyn VcsRead, commits: &'a dyn VcsForesee) -> Result<Self, Unreadable> {
        let unreadable = |line: usize, why: String| Unreadable { line, why };
        let not_json = |line| move |error| unreadable(line, format!("cannot be read: {error}"));
        let mut lines = bytes.split_inclusive(|byte| *byte == b'\n');
        let first = lines.next().unwrap_or_default();
        let form = serde_json::from_slice::<Value>(first).map_err(not_json(1))?["tape"].clone();
        if form != FORM {
            return Err(unreadable(1, format!("says that its form is {form}; this program reads {FORM}")));
        }
        let header: Header = serde_json::from_slice(first).map_err(not_json(1))?;
        let read = |(at, line)| serde_json::from_slice(line).map_err(not_json(at + 2));
        let lines = lines.enumerate().map(read).collect::<Result<_, _>>()?;
        let reel = Arc::new(Reel { stage: header.stage, lines, state: Mutex::default() });
        Ok(Self { vcs, commits, header, reel })
    }

    /// Returns what the stage was started with.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Returns the first divergence; a tape that was not heard to its end is one when the stage has `ended`.
    pub fn divergence(&self, ended: bool) -> Option<Divergence> {
        let state = self.reel.state.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = self.reel.lines.get(state.next).filter(|_| ended);
        let unheard = rest.map(|line| Divergence {
            stage: self.reel.stage,
            line: state.next + 2,
            what: format!("it ended, the tape has {}", shown(&line.ask)),
        });
        state.diverged.clone().or(unheard)
    }
}

fn vcs(divergence: Divergence) -> VcsError {
    VcsError::Git { what: "replay".into(), source: Box::new(divergence) }
}

fn workspace(divergence: Divergence) -> WorkspaceError {
    WorkspaceError::Io { what: "replay".into(), source: std::io::Error::other(divergence) }
}

fn process(divergence: Divergence) -> ProcessError {
    ProcessError::System { what: "replay".into(), source: std::io::Error::other(divergence) }
}

impl Clock for Player<'_> {
    fn now(&self) -> Timestamp {
        self.reel.take(&Ask::Now).unwrap_or_default()
    }

    fn elapsed(&self) -> Duration {
        self.reel.take(&Ask::Elapsed).unwrap_or_default()
    }

    /// What was waited for has happened.
    fn sleep(&self, _time: Duration) {}
}

impl VcsRead for Player<'_> {
    fn head(&self) -> Result<Base, VcsError> {
        self.reel.take(&Ask::Head).map_err(vcs)
    }

    fn entries(&self, tree: &TreeId) -> Result<Arc<[TreeEntry]>, VcsError> {
        self.vcs.entries(tree)
    }

    fn file(&self, tree: &TreeId, path: &str) -> Result<Option<Vec<u8>>, VcsError> {
        self.vcs.file(tree, path)
    }

    fn kept(&self, name: &str) -> Result<Option<Vec<u8>>, VcsError> {
        self.vcs.kept(name)
    }

    fn ranked(&self, commit: &CommitId, text: &str, most: usize) -> Result<Option<Vec<Ranked>>, VcsError> {
        self.reel.take(&ask_ranked(commit, text, most)).map_err(vcs)
    }

    fn related(&self, tree: &TreeId, paths: &[&str]) -> Result<Option<Vec<Related>>, VcsError> {
        self.reel.take(&ask_related(tree, paths)).map_err(vcs)
    }

    fn graph(&self, tree: &TreeId) -> Result<Option<Arc<RepositoryGraph>>, VcsError> {
        self.vcs.graph(tree)
    }

    fn export(&self, tree: &TreeId, folder: &Path) -> Result<ExportReport, VcsError> {
        self.vcs.export(tree, folder)
    }
}

impl Processes for Player<'_> {
    fn run(&self, command: &Command) -> Result<Outcome, ProcessError> {
        let ask = Ask::Run { argv: command.argv.clone(), env: command.env.clone() };
        self.reel.take(&ask).map_err(process)
    }

    fn protection(&self, sandbox: &Sandbox) -> Result<Protection, ProcessError> {
        self.reel.take(&Ask::Protection { required: sandbox.required }).map_err(process)
    }
}

impl Workspaces for Player<'_> {
    fn clean_copy(&self, tree: &TreeId) -> Result<Box<dyn CleanCopy>, WorkspaceError> {
        let exported = self.reel.take(&Ask::CleanCopy { tree: tree.clone() }).map_err(workspace)?;
        let mut state = self.reel.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.copies += 1;
        let number = state.copies;
        let reel = Arc::clone(&self.reel);
        Ok(Box::new(PlayedCopy { number, root: stand_in(number), exported, reel }))
    }
}

/// A clean copy that is told of, and is nowhere.
#[derive(Debug)]
struct PlayedCopy {
    number: usize,
    root: PathBuf,
    exported: ExportReport,
    reel: Arc<Reel>,
}

impl CleanCopy for PlayedCopy {
    fn root(&self) -> &Path {
        &self.root
    }

    fn exported(&self) -> &ExportReport {
        &self.exported
    }

    fn apply(&mut self, files: &[FileChange]) -> Result<(), WorkspaceError> {
        self.reel.take(&apply(self.number, files)?).map_err(workspace)
    }

    fn digest(&self, path: &RepoPath) -> Result<Option<Digest>, WorkspaceError> {
        self.reel.take(&Ask::Digest { copy: self.number, path: path.clone() }).map_err(workspace)
    }

    fn read(&self, path: &RepoPath, limit: u64) -> Result<Option<(Vec<u8>, FileMode)>, WorkspaceError> {
        let ask = Ask::Read { copy: self.number, path: path.clone(), limit };
        let file: Option<(Content, FileMode)> = self.reel.take(&ask).map_err(workspace)?;
        let broken = || WorkspaceError::Refused { path: path.to_string(), why: "is broken base64".into() };
        file.map(|(content, mode)| Ok((content.to_bytes().ok_or_else(broken)?, mode))).transpose()
    }
}

impl VcsWrite for Player<'_> {
    fn trees(&self, draft: &BranchDraft) -> Result<Vec<TreeId>, VcsError> {
        Ok(self.commits.foresee(draft)?.into_iter().map(|(_, tree)| tree).collect())
    }

    /// Makes the commits once more, in memory, so that the ids are not only repeated.
    fn commit(&self, draft: &BranchDraft) -> Result<CommitOutcome, VcsError> {
        let told: CommitOutcome = self.reel.take(&commit(draft)).map_err(vcs)?;
        Ok(CommitOutcome { commits: self.commits.foresee(draft)?, unchanged: told.unchanged })
    }

    fn branch(&self, name: &str) -> Result<Option<BranchTip>, VcsError> {
        self.reel.take(&Ask::Branch { name: name.into() }).map_err(vcs)
    }

    fn remote_branch(&self, remote: &str, name: &str) -> Result<Option<CommitId>, VcsError> {
        self.reel.take(&Ask::RemoteBranch { remote: remote.into(), name: name.into() }).map_err(vcs)
    }

    fn remote_tip(&self, remote: &str, name: &str) -> Result<Option<BranchTip>, VcsError> {
        self.reel.take(&Ask::RemoteTip { remote: remote.into(), name: name.into() }).map_err(vcs)
    }

    fn push(&self, remote: &str, name: &str, expected: Option<&CommitId>) -> Result<(), VcsError> {
        self.reel.take(&push(remote, name, expected)).map_err(vcs)
    }

    fn remote_url(&self, remote: &str) -> Result<Option<String>, VcsError> {
        self.reel.take(&Ask::RemoteUrl { remote: remote.into() }).map_err(vcs)
    }
}
