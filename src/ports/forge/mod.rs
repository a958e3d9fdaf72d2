//! The forge: one repository on the service that hosts it, its issues, pull requests, reviews and checks.
//!
//! Two powers, two traits: [`ForgeRead`] looks, [`ForgeWrite`] changes. A forge is bound to one repository, so no text of
//! others can point a token at another one. Must never show a token, send one to another host, or try again what may
//! have been done.

use jiff::Timestamp;

pub mod deploy;
pub mod draft;
mod error;
pub mod github;
pub mod id;
pub mod runs;
pub mod types;

pub use deploy::{
    Deployment, DeploymentId, DeploymentState, DeploymentStatus, DeploymentStatusDraft, NewDeployment,
    NewRelease, Release, ReleaseId, TreeItem, WholeTree,
};
pub use draft::{
    Annotation, AnnotationLevel, CheckDraft, CommitOnBranch, MergeDraft, NewCommit, NewEntry, NewPull,
    NewTree, PullEdit, PushDraft, Reaction, Reviewers, SarifUpload, StatusDraft,
};
pub use error::ForgeError;
pub use id::{
    CheckRunId, CommentId, IssueNumber, Login, NameError, NodeId, PullNumber, RepositorySlug, ReviewId,
};
pub use runs::{RunArtifact, RunJob, RunsRead, RunsWrite, WorkflowRun};
pub use types::{
    Access, Actor, BranchRules, ChangedFile, CheckRun, Comment, Commit, CommitStatus, Comparison, Conclusion,
    DeploymentEnvironment, Identity, Issue, MergeMethod, Pull, PullState, Repository, RequiredCheck, Review,
    ReviewState, ReviewThread, RunApproval, StatusState, ThreadComment, TokenKind,
};

use crate::artifact::id::{CommitId, TreeId};

/// What a forge answers.
pub type Answer<T> = Result<T, ForgeError>;

/// Looks at the repository on its forge. Lists are whole: pages are followed.
pub trait ForgeRead: Send + Sync {
    /// Returns the repository this forge is bound to, asking nobody; `None`: there is no forge, and every call says so.
    fn slug(&self) -> Option<RepositorySlug>;

    /// Returns the repository.
    fn repository(&self) -> Answer<Repository>;

    /// Returns who the token is, and what kind of token.
    fn identity(&self) -> Answer<Identity>;

    /// Returns what an account may do in the repository; [`Access::None`] for one the forge does not know.
    fn access(&self, login: &Login) -> Answer<Access>;

    /// Returns an issue, or the issue part of a pull request.
    fn issue(&self, number: IssueNumber) -> Answer<Issue>;

    /// Returns the comments on an issue or a pull request, oldest first; with `as_of`, those written by then.
    ///
    /// One that was changed later is in the list with its newer text: ask [`Comment::stood_at`] before using it.
    fn comments(&self, number: IssueNumber, as_of: Option<Timestamp>) -> Answer<Vec<Comment>>;

    /// Returns a comment on an issue or a pull request.
    fn comment(&self, id: CommentId) -> Answer<Comment>;

    /// Returns a comment on a line of a pull request.
    fn review_comment(&self, _id: CommentId) -> Answer<Comment> {
        Err(ForgeError::Unsupported {
            what: "read a comment on a line".into(),
            why: "it has no such call".into(),
        })
    }

    /// Returns who let the environments of a workflow's run go on, oldest first.
    fn run_approvals(&self, _run: u64) -> Answer<Vec<RunApproval>> {
        Err(ForgeError::Unsupported {
            what: "read who approved a run".into(),
            why: "it has no such call".into(),
        })
    }

    /// Returns a pull request.
    fn pull(&self, number: PullNumber) -> Answer<Pull>;

    /// Returns the pull requests of a branch of this repository, whatever their state, newest first.
    fn pulls_of(&self, branch: &str) -> Answer<Vec<Pull>>;

    /// Returns the pull requests that brought a commit, or hold it and are open; at most 100.
    fn pulls_with(&self, commit: &CommitId) -> Answer<Vec<Pull>>;

    /// Returns the commits of a pull request, oldest first; at most 250, so that a list of that length need not be whole.
    fn pull_commits(&self, number: PullNumber) -> Answer<Vec<Commit>>;

    /// Returns the files a pull request touches; at most 3000.
    fn pull_files(&self, number: PullNumber) -> Answer<Vec<ChangedFile>>;

    /// Returns the reviews of a pull request, oldest first.
    fn reviews(&self, number: PullNumber) -> Answer<Vec<Review>>;

    /// Returns the discussions on lines of a pull request.
    fn review_threads(&self, number: PullNumber) -> Answer<Vec<ReviewThread>>;

    /// Returns the check runs on a commit, without those that were run again in the same suite.
    fn check_runs(&self, commit: &CommitId) -> Answer<Vec<CheckRun>>;

    /// Returns the newest commit status of each context on a commit.
    fn statuses(&self, commit: &CommitId) -> Answer<Vec<CommitStatus>>;

    /// Returns where a branch points; `None` where there is none.
    fn branch_head(&self, branch: &str) -> Answer<Option<CommitId>>;

    /// Returns a commit.
    fn commit(&self, id: &CommitId) -> Answer<Commit>;

    /// Compares two commits or branches.
    fn compare(&self, base: &str, head: &str) -> Answer<Comparison>;

    /// Returns the content of a file at a commit or branch; `None` where there is no regular file at the path. At most 100 MB.
    fn content(&self, path: &str, at: &str) -> Answer<Option<Vec<u8>>>;

    /// Returns what rulesets ask of a branch; older branch protection is not in it.
    fn branch_rules(&self, branch: &str) -> Answer<BranchRules>;

    /// Returns the deployment environments.
    fn environments(&self) -> Answer<Vec<DeploymentEnvironment>>;

    /// Returns deployments to an environment or to any, of one commit or of any, newest first: at most `newest`, so that a list of
    /// that length need not be whole.
    fn deployments(
        &self,
        environment: Option<&str>,
        commit: Option<&CommitId>,
        newest: u32,
    ) -> Answer<Vec<Deployment>>;

    /// Returns the statuses of a deployment, newest first.
    fn deployment_statuses(&self, deployment: DeploymentId) -> Answer<Vec<DeploymentStatus>>;

    /// Returns releases, newest first and drafts among them where the token may write: at most `newest`, so that a list of
    /// that length need not be whole.
    fn releases(&self, newest: u32) -> Answer<Vec<Release>>;

    /// Returns the commit a tag points to, through the object of an annotated one; `None` where there is no such tag.
    fn tag(&self, name: &str) -> Answer<Option<CommitId>>;

    /// Returns every entry below a tree; one that the forge does not tell whole is an error.
    fn tree(&self, id: &TreeId) -> Answer<WholeTree>;
}

/// Changes the repository on its forge.
///
/// A write that may have been done is never sent again: [`ForgeError::Unknown`] says so, and the caller looks first.
pub trait ForgeWrite: Send + Sync {
    /// Makes a branch; [`ForgeError::Conflict`] where there is one of that name.
    fn create_branch(&self, branch: &str, at: &CommitId) -> Answer<()>;

    /// Moves a branch forward; [`ForgeError::Conflict`] where that would lose commits.
    fn advance_branch(&self, branch: &str, to: &CommitId) -> Answer<()>;

    /// Deletes a branch.
    fn delete_branch(&self, branch: &str) -> Answer<()>;

    /// Makes a commit on a branch, signed by the forge; [`ForgeError::Conflict`] where the branch is not where it must be.
    fn commit_on_branch(&self, commit: &CommitOnBranch) -> Answer<CommitId>;

    /// Brings commits to a branch with git, from the clone that is worked in, and returns them, oldest first; the forge does not
    /// sign them. [`ForgeError::Conflict`] where the branch is not where it must be.
    fn push_commits(&self, push: &PushDraft) -> Answer<Vec<CommitId>>;

    /// Stores the content of a file.
    fn create_blob(&self, content: &[u8]) -> Answer<CommitId>;

    /// Stores a tree.
    fn create_tree(&self, tree: &NewTree) -> Answer<TreeId>;

    /// Stores a commit that no branch points to yet; signed by the forge for App tokens.
    fn create_commit(&self, commit: &NewCommit) -> Answer<CommitId>;

    /// Opens a pull request; [`ForgeError::Conflict`] where the branch has an open one.
    fn open_pull(&self, pull: &NewPull) -> Answer<Pull>;

    /// Changes title, text or target of a pull request.
    fn edit_pull(&self, number: PullNumber, edit: &PullEdit) -> Answer<Pull>;

    /// Makes a draft ready for review, or the other way round.
    fn set_draft(&self, pull: &NodeId, draft: bool) -> Answer<()>;

    /// Adds labels; unknown ones are made by the forge.
    fn add_labels(&self, number: IssueNumber, labels: &[String]) -> Answer<()>;

    /// Adds assignees, and returns who is assigned then: who may not be is left out by the forge without a word.
    fn add_assignees(&self, number: IssueNumber, logins: &[String]) -> Answer<Vec<Login>>;

    /// Asks for reviews.
    fn request_reviewers(&self, number: PullNumber, reviewers: &Reviewers) -> Answer<()>;

    /// Asks Copilot for a review; [`ForgeError::Conflict`] where one is on its way, [`ForgeError::Unsupported`] where there is none.
    fn request_copilot(&self, number: PullNumber) -> Answer<()>;

    /// Writes a comment on an issue or a pull request.
    fn add_comment(&self, number: IssueNumber, body: &str) -> Answer<Comment>;

    /// Changes a comment.
    fn edit_comment(&self, id: CommentId, body: &str) -> Answer<Comment>;

    /// Reacts to a comment; the same reaction twice is one.
    fn react(&self, id: CommentId, reaction: Reaction) -> Answer<()>;

    /// Makes a check run, with its annotations in as many requests as they need.
    fn create_check(&self, check: &CheckDraft) -> Answer<CheckRunId>;

    /// Changes a check run; annotations are added to those it has.
    fn update_check(&self, id: CheckRunId, check: &CheckDraft) -> Answer<()>;

    /// Sets a commit status: what a token that is no App's can do instead of a check run.
    fn set_status(&self, status: &StatusDraft) -> Answer<()>;

    /// Uploads findings to the security page, and returns the id of the upload.
    fn upload_sarif(&self, sarif: &SarifUpload) -> Answer<String>;

    /// Lets a pull request merge by itself once everything required is there.
    fn enable_auto_merge(&self, merge: &MergeDraft) -> Answer<()>;

    /// Takes that back.
    fn disable_auto_merge(&self, pull: &NodeId) -> Answer<()>;

    /// Merges a pull request now, if its head is the expected one; returns the commit on the target.
    fn merge(&self, number: PullNumber, merge: &MergeDraft) -> Answer<CommitId>;

    /// Makes a deployment of just that commit: the forge merges nothing into it, and no check is waited for.
    fn create_deployment(&self, deployment: &NewDeployment) -> Answer<Deployment>;

    /// Sets a status of a deployment.
    fn set_deployment_status(
        &self,
        deployment: DeploymentId,
        status: &DeploymentStatusDraft,
    ) -> Answer<DeploymentStatus>;

    /// Makes a tag; [`ForgeError::Conflict`] where there is one of that name.
    fn create_tag(&self, name: &str, at: &CommitId) -> Answer<()>;

    /// Makes a release as a draft.
    fn draft_release(&self, release: &NewRelease) -> Answer<Release>;

    /// Publishes the draft of a release.
    fn publish_release(&self, release: ReleaseId) -> Answer<Release>;
}

/// Both powers.
pub trait Forge: ForgeRead + ForgeWrite {}

impl<T: ForgeRead + ForgeWrite> Forge for T {}
