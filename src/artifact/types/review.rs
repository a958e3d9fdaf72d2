//! `review.json`: what reviewers and checks said of a pull request at its head commit.
//!
//! Every text of a reviewer is cleaned and cut. Must never count silence as an answer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::artifact::envelope::Artifact;
use crate::artifact::id::CommitId;
use crate::artifact::kind::ArtifactKind;

/// What reviewers and checks said of a pull request at its head commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Review {
    /// The number of the pull request.
    pub number: u64,
    /// The commit that was looked at.
    pub head: CommitId,
    /// What came out.
    pub outcome: ReviewOutcome,
    /// Why, one line each.
    pub reasons: Vec<String>,
    /// Who was to review, and who did.
    pub reviewers: Vec<Reviewer>,
    /// The checks that must be green.
    pub checks: Vec<GateCheck>,
    /// What reviewers found and nobody resolved.
    pub findings: Vec<ReviewFinding>,
    /// Which round of findings this is, from 1; 0: there are none to mend.
    pub round: u32,
    /// The check run that shows it, where the token may make one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check_run: Option<u64>,
}

/// What came out of a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReviewOutcome {
    /// Enough reviewers answered, and nothing speaks against the change.
    Pass,
    /// Something is still to come.
    Waiting,
    /// Too few answered.
    Unavailable,
    /// Something speaks against the change.
    Fail,
}

impl ReviewOutcome {
    /// Returns the word of files and pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Waiting => "waiting",
            Self::Unavailable => "unavailable",
            Self::Fail => "fail",
        }
    }
}

/// Somebody who was to review, or did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reviewer {
    /// The program, as `copilot`, or the login of a person.
    pub name: String,
    /// Whether it is a person.
    pub is_person: bool,
    /// Whether it was asked, in words; absent for people, whom nobody asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<String>,
    /// The commit of the newest answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<CommitId>,
    /// What it says of the head commit.
    pub outcome: ReviewOutcome,
    /// Why, one line.
    pub why: String,
}

/// A check that must be green.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GateCheck {
    /// The app that has to make it.
    pub app: String,
    /// Its name.
    pub name: String,
    /// What it says.
    pub outcome: ReviewOutcome,
    /// Why, one line.
    pub why: String,
}

/// Something a reviewer found and nobody resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewFinding {
    /// Who found it.
    pub by: String,
    /// Whether it speaks against the change: who found it was asked, or may write to the repository.
    pub counts: bool,
    /// The file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The line, where it still has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// What was said; untrusted, cleaned and cut.
    pub text: String,
}

impl Artifact for Review {
    const KIND: ArtifactKind = ArtifactKind::Review;
}
