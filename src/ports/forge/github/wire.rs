//! GitHub's JSON read into the words of the port.
//!
//! Must never take a missing field for a harmless value where that value decides something.

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::client::Ask;
use super::reply::{broken, said};
use crate::artifact::id::{CommitId, TreeId};
use crate::ports::forge::{
    Access, Actor, Answer, ChangedFile, Comment, CommentId, Commit, CommitStatus, Comparison, Issue,
    IssueNumber, Login, MergeMethod, NodeId, Pull, PullNumber, PullState, Repository, RepositorySlug, Review,
    ReviewId, ReviewState, RunApproval, StatusState,
};

/// Reads an answer.
pub(super) fn read<T: DeserializeOwned>(ask: &Ask, value: Value) -> Answer<T> {
    serde_json::from_value(value).map_err(|error| broken(ask, &said(&error.to_string())))
}

#[derive(Deserialize)]
pub(super) struct WireActor {
    pub(super) login: String,
    id: u64,
    #[serde(default, rename = "type")]
    kind: String,
}

pub(super) fn actor(actor: Option<WireActor>) -> Option<Actor> {
    let actor = actor?;
    Some(Actor { login: actor.login.parse().ok()?, id: actor.id, bot: actor.kind == "Bot" })
}

/// Accounts by name; those whose name is none are left out.
pub(super) fn logins(actors: Vec<WireActor>) -> Vec<Login> {
    actors.into_iter().filter_map(|actor| actor.login.parse().ok()).collect()
}

#[derive(Deserialize)]
pub(super) struct WireRepository {
    id: u64,
    full_name: RepositorySlug,
    default_branch: String,
    #[serde(default)]
    private: bool,
    #[serde(default)]
    archived: bool,
    #[serde(default)]
    fork: bool,
    allow_auto_merge: Option<bool>,
    allow_merge_commit: Option<bool>,
    allow_squash_merge: Option<bool>,
    allow_rebase_merge: Option<bool>,
}

impl From<WireRepository> for Repository {
    fn from(wire: WireRepository) -> Self {
        let methods = [
            (wire.allow_merge_commit, MergeMethod::Merge),
            (wire.allow_squash_merge, MergeMethod::Squash),
            (wire.allow_rebase_merge, MergeMethod::Rebase),
        ];
        Self {
            slug: wire.full_name,
            id: wire.id,
            default_branch: wire.default_branch,
            private: wire.private,
            archived: wire.archived,
            fork: wire.fork,
            auto_merge: wire.allow_auto_merge,
            merge_methods: methods
                .into_iter()
                .filter(|(may, _)| *may == Some(true))
                .map(|(_, m)| m)
                .collect(),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct WirePermission {
    permission: String,
    #[serde(default)]
    role_name: String,
}

impl WirePermission {
    /// The exact role where it is a built-in one, else the legacy permission it is counted as.
    pub(super) fn access(&self) -> Access {
        let built_in = |name: &str| match name {
            "admin" => Some(Access::Admin),
            "maintain" => Some(Access::Maintain),
            "write" => Some(Access::Write),
            "triage" => Some(Access::Triage),
            "read" => Some(Access::Read),
            _ => None,
        };
        let legacy = built_in(&self.permission).unwrap_or(Access::None);
        built_in(&self.role_name).filter(|_| legacy > Access::None).unwrap_or(legacy)
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WireLabel {
    Name(String),
    Whole { name: Option<String> },
}

fn labels(labels: Vec<WireLabel>) -> Vec<String> {
    labels
        .into_iter()
        .filter_map(|label| match label {
            WireLabel::Name(name) => Some(name),
            WireLabel::Whole { name } => name,
        })
        .collect()
}

#[derive(Deserialize)]
pub(super) struct WireIssue {
    number: u64,
    title: String,
    body: Option<String>,
    user: Option<WireActor>,
    state: String,
    pull_request: Option<Value>,
    #[serde(default)]
    labels: Vec<WireLabel>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<WireIssue> for Issue {
    fn from(wire: WireIssue) -> Self {
        Self {
            number: IssueNumber(wire.number),
            title: wire.title,
            body: wire.body.unwrap_or_default(),
            author: actor(wire.user),
            open: wire.state == "open",
            is_pull: wire.pull_request.is_some_and(|pull| !pull.is_null()),
            labels: labels(wire.labels),
            created_at: wire.created_at,
            updated_at: wire.updated_at,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct WireComment {
    id: u64,
    body: Option<String>,
    user: Option<WireActor>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<WireComment> for Comment {
    fn from(wire: WireComment) -> Self {
        Self {
            id: CommentId(wire.id),
            body: wire.body.unwrap_or_default(),
            author: actor(wire.user),
            created_at: wire.created_at,
            updated_at: wire.updated_at,
        }
    }
}

#[derive(Deserialize)]
struct WireNamed {
    name: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct WireApproval {
    state: String,
    user: Option<WireActor>,
    #[serde(default)]
    environments: Vec<WireNamed>,
    comment: Option<String>,
}

impl From<WireApproval> for RunApproval {
    fn from(wire: WireApproval) -> Self {
        Self {
            // An unknown word is no yes.
            approved: wire.state == "approved",
            by: actor(wire.user),
            environments: wire.environments.into_iter().filter_map(|environment| environment.name).collect(),
            comment: wire.comment.unwrap_or_default(),
        }
    }
}

#[derive(Deserialize)]
struct WireEnd {
    #[serde(rename = "ref")]
    branch: String,
    sha: CommitId,
    repo: Option<WireSlug>,
}

#[derive(Deserialize)]
struct WireSlug {
    full_name: RepositorySlug,
}

#[derive(Deserialize)]
pub(super) struct WirePull {
    number: u64,
    node_id: String,
    html_url: String,
    title: String,
    body: Option<String>,
    user: Option<WireActor>,
    state: String,
    merged_at: Option<Timestamp>,
    #[serde(default)]
    draft: bool,
    base: WireEnd,
    head: WireEnd,
    #[serde(default)]
    labels: Vec<WireLabel>,
    #[serde(default)]
    assignees: Option<Vec<WireActor>>,
    #[serde(default)]
    requested_reviewers: Option<Vec<WireActor>>,
    auto_merge: Option<Value>,
    mergeable: Option<bool>,
    updated_at: Timestamp,
}

impl From<WirePull> for Pull {
    fn from(wire: WirePull) -> Self {
        let state = match (wire.merged_at, wire.state.as_str()) {
            (Some(_), _) => PullState::Merged,
            (None, "open") => PullState::Open,
            (None, _) => PullState::Closed,
        };
        Self {
            number: PullNumber(wire.number),
            node: NodeId(wire.node_id),
            url: wire.html_url,
            title: wire.title,
            body: wire.body.unwrap_or_default(),
            author: actor(wire.user),
            state,
            draft: wire.draft,
            base: wire.base.branch,
            base_commit: wire.base.sha,
            head: wire.head.branch,
            head_commit: wire.head.sha,
            head_repository: wire.head.repo.map(|repo| repo.full_name),
            labels: labels(wire.labels),
            assignees: logins(wire.assignees.unwrap_or_default()),
            reviewers: logins(wire.requested_reviewers.unwrap_or_default()),
            auto_merge: wire.auto_merge.is_some_and(|value| !value.is_null()),
            mergeable: wire.mergeable,
            updated_at: wire.updated_at,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct WireFile {
    filename: String,
    previous_filename: Option<String>,
    status: String,
}

impl From<WireFile> for ChangedFile {
    fn from(wire: WireFile) -> Self {
        Self { path: wire.filename, previous: wire.previous_filename, status: wire.status }
    }
}

#[derive(Deserialize)]
pub(super) struct WireReview {
    id: u64,
    user: Option<WireActor>,
    state: String,
    body: Option<String>,
    commit_id: Option<CommitId>,
    submitted_at: Option<Timestamp>,
}

impl WireReview {
    /// An unknown state is none, so the review counts for nothing.
    pub(super) fn review(self) -> Option<Review> {
        let state = match self.state.to_ascii_uppercase().as_str() {
            "APPROVED" => ReviewState::Approved,
            "CHANGES_REQUESTED" => ReviewState::ChangesRequested,
            "COMMENTED" => ReviewState::Commented,
            "DISMISSED" => ReviewState::Dismissed,
            "PENDING" => ReviewState::Pending,
            _ => return None,
        };
        Some(Review {
            id: ReviewId(self.id),
            author: actor(self.user),
            state,
            body: self.body.unwrap_or_default(),
            commit: self.commit_id,
            submitted_at: self.submitted_at,
        })
    }
}

#[derive(Deserialize)]
pub(super) struct WireStatus {
    context: String,
    state: StatusState,
    description: Option<String>,
    creator: Option<WireActor>,
    updated_at: Timestamp,
}

impl From<WireStatus> for CommitStatus {
    fn from(wire: WireStatus) -> Self {
        Self {
            context: wire.context,
            state: wire.state,
            description: wire.description,
            creator: actor(wire.creator),
            updated_at: wire.updated_at,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct WireId<T> {
    pub(super) sha: T,
}

#[derive(Deserialize)]
struct WirePerson {
    name: Option<String>,
    email: Option<String>,
}

#[derive(Deserialize)]
struct WireVerified {
    verified: bool,
}

#[derive(Deserialize)]
struct WireCommitBody {
    message: String,
    tree: WireId<TreeId>,
    committer: Option<WirePerson>,
    verification: Option<WireVerified>,
}

#[derive(Deserialize)]
pub(super) struct WireCommit {
    sha: CommitId,
    commit: WireCommitBody,
    #[serde(default)]
    parents: Vec<WireId<CommitId>>,
    author: Option<Value>,
    committer: Option<Value>,
}

impl From<WireCommit> for Commit {
    fn from(wire: WireCommit) -> Self {
        // An unknown account is null, or an empty object.
        let account = |value: Option<Value>| actor(serde_json::from_value(value?).ok());
        let person = wire.commit.committer.map(|person| {
            format!("{} <{}>", person.name.unwrap_or_default(), person.email.unwrap_or_default())
        });
        Self {
            id: wire.sha,
            tree: wire.commit.tree.sha,
            parents: wire.parents.into_iter().map(|parent| parent.sha).collect(),
            message: wire.commit.message,
            author: account(wire.author),
            committer: account(wire.committer),
            committed_by: person.unwrap_or_default(),
            verified: wire.commit.verification.is_some_and(|v| v.verified),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct WireComparison {
    ahead_by: u64,
    behind_by: u64,
    merge_base_commit: WireId<CommitId>,
    #[serde(default)]
    commits: Vec<WireCommit>,
    #[serde(default)]
    files: Vec<WireFile>,
}

impl From<WireComparison> for Comparison {
    fn from(wire: WireComparison) -> Self {
        Self {
            ahead_by: wire.ahead_by,
            behind_by: wire.behind_by,
            merge_base: wire.merge_base_commit.sha,
            commits: wire.commits.into_iter().map(Commit::from).collect(),
            files: wire.files.into_iter().map(ChangedFile::from).collect(),
        }
    }
}
