//! What a forge is asked to write.
//!
//! Must never hold text that was not made harmless before: what is in here is shown as it is.

use serde::{Deserialize, Serialize, Serializer};

use super::id::NodeId;
use super::types::{Conclusion, MergeMethod, StatusState};
use crate::artifact::id::{CommitId, TreeId};
use crate::ports::vcs::BranchDraft;

/// A commit the forge makes on a branch, and signs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitOnBranch {
    /// The branch.
    pub branch: String,
    /// Where it has to be now; else nothing is written.
    pub expected: CommitId,
    /// The first line of the message.
    pub headline: String,
    /// The rest of the message.
    pub body: String,
    /// Files to write, path and content; their mode is a plain file's.
    pub additions: Vec<(String, Vec<u8>)>,
    /// Files to delete.
    pub deletions: Vec<String>,
}

/// One entry of a [`NewTree`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewEntry {
    /// The path.
    pub path: String,
    /// The mode: `100644`, `100755`, `120000`.
    pub mode: String,
    /// The blob; absent: the path is deleted.
    pub blob: Option<CommitId>,
}

/// A tree made from another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewTree {
    /// The tree to start from.
    pub base: TreeId,
    /// What differs.
    pub entries: Vec<NewEntry>,
}

/// A commit object; no branch moves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewCommit {
    /// The whole message.
    pub message: String,
    /// The tree.
    pub tree: TreeId,
    /// The parents.
    pub parents: Vec<CommitId>,
}

/// Commits that git brings to a branch: those of a draft after the first `skip`, on top of a commit that is there.
#[derive(Clone, Debug)]
pub struct PushDraft {
    /// The branch, where it has to be now (`expected`), and the commits.
    pub draft: BranchDraft,
    /// How many of the commits are there already.
    pub skip: usize,
    /// What the first of the others is put on.
    pub on: CommitId,
}

/// Without the content of a file.
impl Serialize for PushDraft {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let subjects: Vec<&str> = self.draft.commits.iter().map(|commit| commit.subject.as_str()).collect();
        let files = self.draft.commits.iter().flat_map(|commit| &commit.files);
        let files: Vec<_> = files.map(|file| (&file.path, file.mode, &file.after)).collect();
        let place = (&self.draft.branch, &self.draft.base, &self.draft.expected, &self.on);
        (place, self.skip, subjects, files).serialize(serializer)
    }
}

/// A pull request to open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewPull {
    /// The title.
    pub title: String,
    /// The text.
    pub body: String,
    /// The branch with the change, in the same repository.
    pub head: String,
    /// The branch it is to be merged into.
    pub base: String,
    /// Whether it starts as a draft.
    pub draft: bool,
}

/// What changes about a pull request; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullEdit {
    /// Another title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Another text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Another branch to merge into.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
}

impl PullEdit {
    /// Returns whether nothing changes.
    pub const fn is_empty(&self) -> bool {
        self.title.is_none() && self.body.is_none() && self.base.is_none()
    }
}

/// Who is asked for a review.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reviewers {
    /// Accounts.
    pub people: Vec<String>,
    /// Teams of the organization, by their short names.
    pub teams: Vec<String>,
}

/// A check run as it is to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckDraft {
    /// The name.
    pub name: String,
    /// The commit.
    pub commit: CommitId,
    /// What the maker calls it; finds it again.
    pub external_id: String,
    /// How it ended; absent: it is still at work.
    pub conclusion: Option<Conclusion>,
    /// The title of the output.
    pub title: String,
    /// The summary, Markdown; cut at 65,535 characters.
    pub summary: String,
    /// Notes on lines; any number, sent 50 at a time.
    pub annotations: Vec<Annotation>,
}

/// A note on lines of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Annotation {
    /// The file.
    pub path: String,
    /// The first line, from 1.
    pub start_line: u32,
    /// The last line.
    pub end_line: u32,
    /// How bad it is.
    pub level: AnnotationLevel,
    /// The title; up to 255 characters.
    pub title: String,
    /// The message; up to 64 KiB.
    pub message: String,
}

/// How bad an annotation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AnnotationLevel {
    /// To know.
    Notice,
    /// To look at.
    Warning,
    /// To mend.
    Failure,
}

/// A commit status to set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusDraft {
    /// The commit.
    pub commit: CommitId,
    /// The name.
    pub context: String,
    /// The state.
    pub state: StatusState,
    /// What it says; up to 140 characters.
    pub description: String,
}

/// Findings for the forge's security page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SarifUpload {
    /// The commit.
    pub commit: CommitId,
    /// The full ref, as `refs/heads/main` or `refs/pull/1/head`.
    pub reference: String,
    /// The SARIF file, as it is.
    pub sarif: Vec<u8>,
}

/// A merge, now or once everything required is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergeDraft {
    /// The pull request in GraphQL.
    pub node: NodeId,
    /// The way.
    pub method: MergeMethod,
    /// The head that was judged; another is not merged.
    pub expected: CommitId,
}

/// A reaction to a comment: seen, good, bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reaction {
    /// Seen, at work.
    #[serde(rename = "eyes")]
    Eyes,
    /// Done.
    #[serde(rename = "rocket")]
    Rocket,
    /// Yes.
    #[serde(rename = "+1")]
    ThumbsUp,
    /// No.
    #[serde(rename = "-1")]
    ThumbsDown,
    /// Not understood.
    #[serde(rename = "confused")]
    Confused,
}
