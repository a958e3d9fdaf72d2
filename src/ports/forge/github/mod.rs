//! GitHub, and GitHub Enterprise Server: the forge by REST and GraphQL, through octocrab.
//!
//! Must never ask for a path that was not built from checked or encoded parts.
//! Source: GitHub's OpenAPI document (`@octokit/openapi` 23.0.2) and GraphQL schema (`@octokit/graphql-schema` 15.26.1);
//! the tests hold every request to both.

mod checks;
mod client;
mod jwt;
mod pace;
mod push;
mod read;
mod reply;
mod runs;
mod token;
mod wire;
mod wire_deploy;
mod write;
mod write_deploy;

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;

pub use client::Addresses;
pub use pace::{FakePace, Pace, SystemPace};
pub use token::{AppSource, TokenSource};

use super::{Answer, ForgeError, RepositorySlug};
use crate::ports::vcs::GitRepository;
use client::{Ask, Client, Method};
use reqwest::Url;

/// The GraphQL documents that are sent, by name.
pub static DOCUMENTS: &[(&str, &str)] = &[
    ("Viewer", include_str!("graphql/viewer.graphql")),
    ("ReviewThreads", include_str!("graphql/review_threads.graphql")),
    ("CommitOnBranch", include_str!("graphql/commit_on_branch.graphql")),
    ("MarkReady", include_str!("graphql/mark_ready.graphql")),
    ("MakeDraft", include_str!("graphql/make_draft.graphql")),
    ("EnableAutoMerge", include_str!("graphql/enable_auto_merge.graphql")),
    ("DisableAutoMerge", include_str!("graphql/disable_auto_merge.graphql")),
];

/// One repository on GitHub.
#[derive(Debug)]
pub struct GitHub {
    slug: RepositorySlug,
    token: TokenSource,
    client: Client,
    git: Option<GitPlace>,
}

/// Where git finds the repository, and the clone it pushes from.
#[derive(Debug)]
struct GitPlace {
    clone: GitRepository,
    server: Url,
}

impl GitHub {
    /// Returns the forge; nothing is sent before the first call.
    pub fn new(slug: RepositorySlug, at: Addresses, token: TokenSource, pace: Box<dyn Pace>) -> Self {
        Self { slug, token, client: Client::new(at, pace), git: None }
    }

    /// Lets it push from a clone, for what the API does not take; `server` is where git finds it, as `https://github.com`.
    #[must_use]
    pub fn pushing_from(mut self, clone: GitRepository, server: Url) -> Self {
        self.git = Some(GitPlace { clone, server });
        self
    }

    /// Waits so long for one answer, instead of 30 seconds.
    #[must_use]
    pub fn answered_within(mut self, limit: Duration) -> Self {
        self.client.answered_within(limit);
        self
    }

    /// Returns a path below the repository; `rest` starts with a slash or is empty.
    fn path(&self, rest: &str) -> String {
        format!("/repos/{}{rest}", self.slug)
    }

    fn send(&self, ask: &Ask) -> Answer<Value> {
        let token = self.token.token(&self.client, &self.slug)?;
        self.client.send_as(&token, ask)
    }

    fn pages(&self, ask: &Ask, field: Option<&str>) -> Answer<Vec<Value>> {
        let token = self.token.token(&self.client, &self.slug)?;
        self.client.pages_as(&token, ask, field, usize::MAX)
    }

    fn first_pages(&self, ask: &Ask, most: usize) -> Answer<Vec<Value>> {
        let token = self.token.token(&self.client, &self.slug)?;
        self.client.pages_as(&token, ask, None, most)
    }

    fn get(&self, rest: &str, what: &'static str) -> Answer<Value> {
        self.send(&Ask::new(Method::Get, self.path(rest), what))
    }

    /// Sends one of [`DOCUMENTS`] and returns its data.
    fn graphql(&self, name: &str, variables: &Value, ask: Ask) -> Answer<Value> {
        let document = DOCUMENTS.iter().find(|(known, _)| *known == name);
        let Some((_, document)) = document else {
            return Err(ForgeError::Broken {
                what: ask.what.into(),
                why: format!("no document is named {name}"),
            });
        };
        let body = serde_json::json!({ "query": document, "operationName": name, "variables": variables });
        let reply = self.send(&Ask { graphql: true, ..ask.with(body) })?;
        Ok(reply["data"].clone())
    }
}

/// Returns a part of a path or a query, percent-encoded; slashes too.
fn encoded(part: &str) -> String {
    let mut out = String::with_capacity(part.len());
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    // What a client would take for a step up.
    if out.bytes().all(|b| b == b'.') { out.replace('.', "%2E") } else { out }
}
