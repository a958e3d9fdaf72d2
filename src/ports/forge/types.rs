//! What a forge tells: repository, people, issues, pull requests, reviews, checks.
//!
//! Must never be trusted: every text in here was written by somebody.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::id::{CheckRunId, CommentId, IssueNumber, Login, NodeId, PullNumber, RepositorySlug, ReviewId};
use crate::artifact::id::{CommitId, TreeId};

/// A repository, as the token sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repository {
    /// Its name.
    pub slug: RepositorySlug,
    /// Its id, which a rename does not change.
    pub id: u64,
    /// The branch pull requests are for by default.
    pub default_branch: String,
    /// Whether only some may read it.
    pub private: bool,
    /// Whether it is read-only.
    pub archived: bool,
    /// Whether it is a fork.
    pub fork: bool,
    /// Whether pull requests may be set to merge by themselves; absent where the token may not know.
    pub auto_merge: Option<bool>,
    /// The ways to merge that it allows; empty where the token may not know.
    pub merge_methods: Vec<MergeMethod>,
}

/// A way to merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MergeMethod {
    /// A merge commit.
    Merge,
    /// One commit.
    Squash,
    /// Each commit again.
    Rebase,
}

impl MergeMethod {
    /// Returns the word the forge uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Squash => "squash",
            Self::Rebase => "rebase",
        }
    }
}

/// What kind of token is used; what starts CI and what may be written differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenKind {
    /// `GITHUB_TOKEN` of a workflow: one repository, one job; what it writes starts no CI without a person.
    Workflow,
    /// A token of a GitHub App's installation: an hour; what it writes starts CI, and its API commits are signed.
    App,
    /// A person's token: what it writes starts CI and is the person's.
    Person,
    /// Not known.
    Other,
}

/// Who the token is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The account, where the forge tells.
    pub login: Option<Login>,
    /// What kind of token it is.
    pub kind: TokenKind,
}

/// What an account may do in the repository, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Nothing.
    None,
    /// Read.
    Read,
    /// Read, and sort issues.
    Triage,
    /// Write.
    Write,
    /// Write, and most settings.
    Maintain,
    /// Everything.
    Admin,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Its name.
    pub login: Login,
    /// Its id, which a rename does not change.
    pub id: u64,
    /// True for an App; a login that ends in `[bot]` proves nothing.
    pub bot: bool,
}

/// An issue, or the part of a pull request that is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issue {
    /// Its number.
    pub number: IssueNumber,
    /// Its title; untrusted.
    pub title: String,
    /// Its text; untrusted.
    pub body: String,
    /// Who wrote it; absent for a deleted account.
    pub author: Option<Actor>,
    /// Whether it is open.
    pub open: bool,
    /// Whether it is a pull request.
    pub is_pull: bool,
    /// The names of its labels.
    pub labels: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When anything about it last changed.
    pub updated_at: Timestamp,
}

/// A comment on an issue or a pull request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// Its id.
    pub id: CommentId,
    /// Its text; untrusted.
    pub body: String,
    /// Who wrote it; absent for a deleted account.
    pub author: Option<Actor>,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Comment {
    /// Returns whether it says now what it said then: written by then, and not changed since.
    pub fn stood_at(&self, then: Timestamp) -> bool {
        self.created_at <= then && self.updated_at <= then
    }
}

/// Where a pull request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PullState {
    /// Open.
    Open,
    /// Closed without being merged.
    Closed,
    /// Merged.
    Merged,
}

/// A pull request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pull {
    /// Its number.
    pub number: PullNumber,
    /// Its id in GraphQL.
    pub node: NodeId,
    /// Where people read it.
    pub url: String,
    /// Its title; untrusted.
    pub title: String,
    /// Its text; untrusted.
    pub body: String,
    /// Who opened it; absent for a deleted account.
    pub author: Option<Actor>,
    /// Where it stands.
    pub state: PullState,
    /// Whether it is a draft.
    pub draft: bool,
    /// The branch it is to be merged into.
    pub base: String,
    /// The commit of that branch, as the forge last saw it.
    pub base_commit: CommitId,
    /// The branch with the change.
    pub head: String,
    /// The last commit of the change: what reviews and checks are about.
    pub head_commit: CommitId,
    /// The repository of that branch; absent where it was deleted.
    pub head_repository: Option<RepositorySlug>,
    /// The names of its labels.
    pub labels: Vec<String>,
    /// Who is assigned.
    pub assignees: Vec<Login>,
    /// Who is asked for a review.
    pub reviewers: Vec<Login>,
    /// Whether it merges by itself once it may; only a single look-up tells.
    pub auto_merge: bool,
    /// Whether it merges without conflicts; absent where the forge is still finding out.
    pub mergeable: Option<bool>,
    /// When anything about it last changed.
    pub updated_at: Timestamp,
}

/// What a reviewer said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReviewState {
    /// Approved.
    Approved,
    /// Asked for changes.
    ChangesRequested,
    /// Commented only.
    Commented,
    /// Was dismissed.
    Dismissed,
    /// Not sent yet.
    Pending,
}

/// A review.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// Its id.
    pub id: ReviewId,
    /// Who wrote it; absent for a deleted account.
    pub author: Option<Actor>,
    /// What it says.
    pub state: ReviewState,
    /// Its text; untrusted.
    pub body: String,
    /// The commit that was reviewed; absent where it is gone.
    pub commit: Option<CommitId>,
    /// When it was sent; absent while pending.
    pub submitted_at: Option<Timestamp>,
}

/// A discussion on a line of a pull request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewThread {
    /// Its id.
    pub node: NodeId,
    /// Whether somebody resolved it.
    pub resolved: bool,
    /// Whether the lines have changed since; not the same as resolved.
    pub outdated: bool,
    /// The file.
    pub path: String,
    /// The line, where it still has one.
    pub line: Option<u32>,
    /// The comments, first one first; at most 100.
    pub comments: Vec<ThreadComment>,
}

/// A comment of a [`ReviewThread`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadComment {
    /// Who wrote it; GraphQL shows bots without `[bot]`.
    pub author: Option<Login>,
    /// Whether the account is an App's.
    pub bot: bool,
    /// Its text; untrusted.
    pub body: String,
    /// The commit it was written on.
    pub commit: Option<CommitId>,
    /// When it was written.
    pub created_at: Timestamp,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conclusion {
    /// Good.
    Success,
    /// Bad.
    Failure,
    /// Neither; counts as passed.
    Neutral,
    /// Stopped.
    Cancelled,
    /// Not run; counts as passed.
    Skipped,
    /// Ran out of time.
    TimedOut,
    /// A person has to act.
    ActionRequired,
    /// The forge gave it up.
    Stale,
    /// It never started.
    StartupFailure,
}

impl Conclusion {
    /// Returns the word the forge uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Neutral => "neutral",
            Self::Cancelled => "cancelled",
            Self::Skipped => "skipped",
            Self::TimedOut => "timed_out",
            Self::ActionRequired => "action_required",
            Self::Stale => "stale",
            Self::StartupFailure => "startup_failure",
        }
    }
}

/// A check run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckRun {
    /// Its id.
    pub id: CheckRunId,
    /// Its name; any App may use any name.
    pub name: String,
    /// The short name of the App that made it; absent where the forge does not tell.
    pub app: Option<String>,
    /// The id of that App.
    pub app_id: Option<u64>,
    /// The commit.
    pub commit: CommitId,
    /// How it ended; absent while it is not finished.
    pub conclusion: Option<Conclusion>,
    /// What its maker calls it.
    pub external_id: Option<String>,
    /// The title of its output; untrusted.
    pub title: Option<String>,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
}

/// The state of a commit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StatusState {
    /// It could not be found out.
    Error,
    /// Bad.
    Failure,
    /// Not finished.
    Pending,
    /// Good.
    Success,
}

/// A commit status: the older kind of check; the newest of each context.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitStatus {
    /// Its name.
    pub context: String,
    /// Its state.
    pub state: StatusState,
    /// What it says; untrusted.
    pub description: Option<String>,
    /// Who set it.
    pub creator: Option<Actor>,
    /// When.
    pub updated_at: Timestamp,
}

/// A commit as the forge knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Its id.
    pub id: CommitId,
    /// Its tree.
    pub tree: TreeId,
    /// Its parents.
    pub parents: Vec<CommitId>,
    /// Its whole message; untrusted.
    pub message: String,
    /// The account of its author, where the forge knows one.
    pub author: Option<Actor>,
    /// The account of its committer, where the forge knows one.
    pub committer: Option<Actor>,
    /// Who committed it, as `Name <mail>`; anybody can write anything there.
    pub committed_by: String,
    /// Whether the forge vouches for its signature.
    pub verified: bool,
}

/// How one commit stands to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// Commits of the second that the first has not.
    pub ahead_by: u64,
    /// Commits of the first that the second has not.
    pub behind_by: u64,
    /// Where both part.
    pub merge_base: CommitId,
    /// The commits of the second that the first has not, oldest first; at most 250.
    pub commits: Vec<Commit>,
    /// The files that differ; at most 300.
    pub files: Vec<ChangedFile>,
}

/// A file that a change touches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedFile {
    /// Its path.
    pub path: String,
    /// Its path before a rename.
    pub previous: Option<String>,
    /// The forge's word: `added`, `modified`, `removed`, `renamed`.
    pub status: String,
}

/// A check that a rule of the repository requires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequiredCheck {
    /// Its name.
    pub context: String,
    /// The App that must make it; absent: anybody.
    pub app_id: Option<u64>,
}

/// What rules ask of a branch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "a forge has each as a rule of its own")]
pub struct BranchRules {
    /// Checks that must be good.
    pub checks: Vec<RequiredCheck>,
    /// Approvals that are needed.
    pub approvals: u32,
    /// Whether code owners must approve.
    pub code_owners: bool,
    /// Whether discussions must be resolved.
    pub threads_resolved: bool,
    /// Whether commits must be signed.
    pub signed: bool,
    /// Whether a merge queue is used.
    pub merge_queue: bool,
}

/// A deployment environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentEnvironment {
    /// Its name.
    pub name: String,
    /// The kinds of its protection rules: `required_reviewers`, `wait_timer`, `branch_policy`, ...
    pub rules: Vec<String>,
}

/// What somebody said to a workflow's run that waited for an environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunApproval {
    /// Whether it may go on.
    pub approved: bool,
    /// Who said so; absent for a deleted account.
    pub by: Option<Actor>,
    /// The environments it was about.
    pub environments: Vec<String>,
    /// What was said with it; untrusted.
    pub comment: String,
}

impl fmt::Display for TokenKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Workflow => "the token of a workflow (GITHUB_TOKEN)",
            Self::App => "a token of a GitHub App",
            Self::Person => "a person's token",
            Self::Other => "a token of unknown kind",
        })
    }
}
