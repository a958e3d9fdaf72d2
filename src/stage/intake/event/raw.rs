//! The parts of a forge's payloads that are read, as they come.
//!
//! Unknown fields are left aside: a forge adds them as it likes. Must never be handed on: `mod.rs` checks every name and
//! cleans every text.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the names are GitHub's")]
pub(super) struct Payload {
    pub action: Option<String>,
    pub repository: Option<RawRepository>,
    pub sender: Option<RawAccount>,
    pub issue: Option<RawIssue>,
    pub pull_request: Option<RawPullRequest>,
    pub comment: Option<RawComment>,
    pub review: Option<RawComment>,
    pub label: Option<RawLabel>,
    pub inputs: Option<BTreeMap<String, Value>>,
    pub client_payload: Option<Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RawRepository {
    pub id: u64,
    pub full_name: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct RawAccount {
    pub id: u64,
    pub login: String,
    #[serde(rename = "type")]
    pub kind: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RawIssue {
    pub number: u64,
    pub user: Option<RawAccount>,
    pub title: Option<String>,
    pub body: Option<String>,
    pub updated_at: Option<String>,
    /// Present where the issue is a pull request.
    pub pull_request: Option<Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RawPullRequest {
    pub number: u64,
    pub user: Option<RawAccount>,
    pub title: Option<String>,
    pub body: Option<String>,
    pub updated_at: Option<String>,
    pub head: RawEnd,
    pub base: RawEnd,
}

#[derive(Debug, Deserialize)]
pub(super) struct RawEnd {
    pub sha: String,
    /// Absent where the fork is gone.
    pub repo: Option<RawRepository>,
}

/// A comment or a review.
#[derive(Debug, Deserialize)]
pub(super) struct RawComment {
    pub id: u64,
    pub user: Option<RawAccount>,
    pub body: Option<String>,
    pub created_at: Option<String>,
    /// What a review has instead.
    pub submitted_at: Option<String>,
    pub updated_at: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RawLabel {
    pub name: String,
}
