//! `tape/<stage>.jsonl`: what the rest of the world told a stage, in the order it was asked; a header, then a line an ask.
//!
//! With it, the repository at the recorded commits and the model exchanges, the stage can be run again byte for byte.
//! Must never hold what can be read again from the repository by an id (trees, files, policy packs), nor the name of a
//! temporary folder.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::event::Event;
use super::task::{After, Assignment, Channel};
use crate::artifact::digest::Digest;
use crate::artifact::id::{CommitId, Round, StageId, TreeId};
use crate::artifact::path::RepoPath;

/// The form of the tape this program writes and reads.
pub const FORM: u32 = 1;

/// The first line: what the stage was started with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The form of the tape.
    pub tape: u32,
    /// The version of orch.
    pub orch: String,
    /// The stage.
    pub stage: StageId,
    /// The version of the stage's behaviour.
    pub stage_version: u32,
    /// The round it wrote in.
    pub round: Round,
    /// The newest round it read from.
    pub horizon: Round,
    /// The keys of the config the stage declares, as they were.
    pub config: Value,
    /// The request, for the stage that starts a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<TapedRequest>,
}

/// The request that started a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TapedRequest {
    /// The text as given; untrusted.
    pub text: String,
    /// Where it came from.
    pub channel: Channel,
    /// The event of a forge it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<Event>,
    /// The task whose review it was made of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<After>,
    /// Who was to do it.
    pub assignment: Assignment,
}

/// Any other line: an ask and what the world answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line<A> {
    /// What was asked.
    #[serde(flatten)]
    pub ask: Ask,
    /// What was told; its form is the ask's.
    pub answer: A,
}

/// What a stage can ask of the world that may be answered otherwise another time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "ask")]
pub enum Ask {
    /// The wall clock; RFC 3339.
    Now,
    /// The stop watch; seconds and nanoseconds.
    Elapsed,
    /// The commit HEAD points to; commit, tree, branch.
    Head,
    /// The files of a commit that a text concerns; a list of path and lines, or null where there is no index.
    Ranked {
        /// The commit.
        commit: CommitId,
        /// The digest of the text.
        text: Digest,
        /// The most files.
        most: usize,
    },
    /// What files of a tree have to do with others; a list, or null where nobody keeps that.
    Related {
        /// The tree.
        tree: TreeId,
        /// The digest of the paths, one a line.
        paths: Digest,
    },
    /// The protection commands would get; the measures.
    Protection {
        /// Whether they must be had.
        required: bool,
    },
    /// A command; how it ended, what it printed, its protection, what it was refused, how long it took.
    Run {
        /// The words.
        argv: Vec<String>,
        /// The variables set for it.
        env: BTreeMap<String, String>,
    },
    /// A clean copy of a tree; what could not be copied as it is.
    CleanCopy {
        /// The tree.
        tree: TreeId,
    },
    /// Changes to a clean copy; nothing.
    Apply {
        /// Which copy of the stage, from 1.
        copy: usize,
        /// The digest of the changes' canonical JSON.
        changes: Digest,
    },
    /// The digest of a file of a clean copy; the digest, or null.
    Digest {
        /// Which copy.
        copy: usize,
        /// The file.
        path: RepoPath,
    },
    /// A file of a clean copy; content and mode, or null.
    Read {
        /// Which copy.
        copy: usize,
        /// The file.
        path: RepoPath,
        /// The most bytes.
        limit: u64,
    },
    /// Where a local branch points; the tip, or null.
    Branch {
        /// The branch.
        name: String,
    },
    /// Where a branch of a remote points; the commit, or null.
    RemoteBranch {
        /// The remote.
        remote: String,
        /// The branch.
        name: String,
    },
    /// Where a branch of a remote points, with trailers; the tip, or null.
    RemoteTip {
        /// The remote.
        remote: String,
        /// The branch.
        name: String,
    },
    /// The location of a remote; text, or null.
    RemoteUrl {
        /// The remote.
        remote: String,
    },
    /// Commits and the branch that ends in them; the commits, and whether it ended there already.
    Commit {
        /// The branch.
        branch: String,
        /// The commit to start from.
        base: CommitId,
        /// Where the branch had to be.
        expected: Option<CommitId>,
    },
    /// A call to the forge; what it answered, or why not.
    Forge {
        /// The call.
        call: String,
        /// What it was asked, or the digest of that.
        of: Value,
    },
    /// A look at what is known of a release; what was seen, or why nothing was.
    Observe {
        /// The look.
        call: String,
        /// What it was for.
        of: Value,
    },
    /// A push; nothing.
    Push {
        /// The remote.
        remote: String,
        /// The branch.
        name: String,
        /// Where the remote's branch had to be.
        expected: Option<CommitId>,
    },
}
