//! The forge on a tape: every call by name, with what it was asked and what was answered, refusals included.
//!
//! A stage may go on after a refusal (a label it may not set), so those are told again too. Must never let a call through
//! that is not on the list below, and must never put the content of a file on the tape as part of an ask.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::{Divergence, Player, Recorder};
use crate::artifact::digest::Digest;
use crate::artifact::id::{CommitId, TreeId};
use crate::artifact::types::tape::Ask;
use crate::ports::forge::{
    Access, Answer, BranchRules, ChangedFile, CheckDraft, CheckRun, CheckRunId, Comment, CommentId, Commit,
    CommitOnBranch, CommitStatus, Comparison, Deployment, DeploymentEnvironment, DeploymentId,
    DeploymentStatus, DeploymentStatusDraft, ForgeError, ForgeRead, ForgeWrite, Identity, Issue, IssueNumber,
    Login, MergeDraft, NewCommit, NewDeployment, NewPull, NewRelease, NewTree, NodeId, Pull, PullEdit,
    PullNumber, PushDraft, Reaction, Release, ReleaseId, Repository, RepositorySlug, Review, ReviewThread,
    Reviewers, RunApproval, SarifUpload, StatusDraft, WholeTree,
};

/// Longer asks are on the tape by their digest.
const MOST: usize = 1024;

/// Returns the ask of a call.
fn ask(call: &str, of: impl Serialize) -> Ask {
    let of = serde_json::to_value(of).unwrap_or_default();
    let long = of.to_string().len() > MOST;
    let digest = if long { Digest::of_json(&of).ok() } else { None };
    let of = digest.map_or(of, |digest| Value::String(digest.to_string()));
    Ask::Forge { call: call.to_owned(), of }
}

fn diverged(divergence: Divergence) -> ForgeError {
    ForgeError::Broken { what: "replay".into(), why: divergence.to_string() }
}

/// Why there is no forge: a stage looks whether there is one before it calls.
fn none(call: &str) -> ForgeError {
    ForgeError::NoToken { what: call.replace('_', " ") }
}

macro_rules! taped {
    ($port:ident by $field:ident: $($call:ident($($arg:ident: $type:ty),*) -> $answer:ty;)+) => {
        impl $port for Recorder<'_> {
            $(fn $call(&self, $($arg: $type),*) -> Answer<$answer> {
                let hub = self.world.hub.ok_or_else(|| none(stringify!($call)))?;
                let answer = $port::$call(hub, $($arg),*);
                self.kept.told(ask(stringify!($call), ($($arg,)*)), &answer);
                answer
            })+
            taped!(@slug $field recorder);
        }

        impl $port for Player<'_> {
            $(fn $call(&self, $($arg: $type),*) -> Answer<$answer> {
                self.reel.take(&ask(stringify!($call), ($($arg,)*))).map_err(diverged)?
            })+
            taped!(@slug $field player);
        }
    };
    (@slug read recorder) => {
        fn slug(&self) -> Option<RepositorySlug> {
            let slug = self.world.hub.and_then(ForgeRead::slug);
            self.kept.told(ask("slug", ()), &slug);
            slug
        }
    };
    (@slug read player) => {
        fn slug(&self) -> Option<RepositorySlug> {
            self.reel.take(&ask("slug", ())).unwrap_or_default()
        }
    };
    (@slug write $who:ident) => {};
}

taped! { ForgeRead by read:
    repository() -> Repository;
    identity() -> Identity;
    access(login: &Login) -> Access;
    issue(number: IssueNumber) -> Issue;
    comments(number: IssueNumber, as_of: Option<Timestamp>) -> Vec<Comment>;
    comment(id: CommentId) -> Comment;
    review_comment(id: CommentId) -> Comment;
    run_approvals(run: u64) -> Vec<RunApproval>;
    pull(number: PullNumber) -> Pull;
    pulls_of(branch: &str) -> Vec<Pull>;
    pulls_with(commit: &CommitId) -> Vec<Pull>;
    pull_commits(number: PullNumber) -> Vec<Commit>;
    pull_files(number: PullNumber) -> Vec<ChangedFile>;
    reviews(number: PullNumber) -> Vec<Review>;
    review_threads(number: PullNumber) -> Vec<ReviewThread>;
    check_runs(commit: &CommitId) -> Vec<CheckRun>;
    statuses(commit: &CommitId) -> Vec<CommitStatus>;
    branch_head(branch: &str) -> Option<CommitId>;
    commit(id: &CommitId) -> Commit;
    compare(base: &str, head: &str) -> Comparison;
    content(path: &str, at: &str) -> Option<Vec<u8>>;
    branch_rules(branch: &str) -> BranchRules;
    environments() -> Vec<DeploymentEnvironment>;
    deployments(environment: Option<&str>, commit: Option<&CommitId>, newest: u32) -> Vec<Deployment>;
    deployment_statuses(deployment: DeploymentId) -> Vec<DeploymentStatus>;
    releases(newest: u32) -> Vec<Release>;
    tag(name: &str) -> Option<CommitId>;
    tree(id: &TreeId) -> WholeTree;
}

taped! { ForgeWrite by write:
    create_branch(branch: &str, at: &CommitId) -> ();
    advance_branch(branch: &str, to: &CommitId) -> ();
    delete_branch(branch: &str) -> ();
    commit_on_branch(commit: &CommitOnBranch) -> CommitId;
    push_commits(push: &PushDraft) -> Vec<CommitId>;
    create_blob(content: &[u8]) -> CommitId;
    create_tree(tree: &NewTree) -> TreeId;
    create_commit(commit: &NewCommit) -> CommitId;
    open_pull(pull: &NewPull) -> Pull;
    edit_pull(number: PullNumber, edit: &PullEdit) -> Pull;
    set_draft(pull: &NodeId, draft: bool) -> ();
    add_labels(number: IssueNumber, labels: &[String]) -> ();
    add_assignees(number: IssueNumber, logins: &[String]) -> Vec<Login>;
    request_reviewers(number: PullNumber, reviewers: &Reviewers) -> ();
    request_copilot(number: PullNumber) -> ();
    add_comment(number: IssueNumber, body: &str) -> Comment;
    edit_comment(id: CommentId, body: &str) -> Comment;
    react(id: CommentId, reaction: Reaction) -> ();
    create_check(check: &CheckDraft) -> CheckRunId;
    update_check(id: CheckRunId, check: &CheckDraft) -> ();
    set_status(status: &StatusDraft) -> ();
    upload_sarif(sarif: &SarifUpload) -> String;
    enable_auto_merge(merge: &MergeDraft) -> ();
    disable_auto_merge(pull: &NodeId) -> ();
    merge(number: PullNumber, merge: &MergeDraft) -> CommitId;
    create_deployment(deployment: &NewDeployment) -> Deployment;
    set_deployment_status(deployment: DeploymentId, status: &DeploymentStatusDraft) -> DeploymentStatus;
    create_tag(name: &str, at: &CommitId) -> ();
    draft_release(release: &NewRelease) -> Release;
    publish_release(release: ReleaseId) -> Release;
}
