//! The token of a forge: given, or got for a GitHub App's installation and renewed before its hour is over.
//!
//! Must never show a token, and must never ask for one that reaches more than the one repository.

use std::sync::{Mutex, PoisonError};

use serde_json::json;

use super::client::{Ask, Client, Method, Power};
use super::jwt;
use crate::diagnostic::redact;
use crate::ports::forge::{Answer, ForgeError, RepositorySlug, TokenKind};
use crate::ports::secret::Secret;

/// A token is renewed so many seconds before it ends.
const MARGIN: u64 = 120;
/// How long an installation's token lives.
const LIFE: u64 = 3600;

/// Where the token comes from.
#[derive(Debug)]
pub enum TokenSource {
    /// It was given.
    Given {
        /// The token.
        token: Secret,
        /// Whether a GitHub runner made it for this job.
        of_workflow: bool,
    },
    /// A GitHub App makes it for its installation.
    App(AppSource),
}

/// A GitHub App.
#[derive(Debug)]
pub struct AppSource {
    /// Its id or client id.
    pub app: String,
    /// Its private key, PEM.
    pub key: Secret,
    /// The installation; looked up by the repository where absent.
    pub installation: Option<u64>,
    /// The token, and when it ends.
    held: Mutex<Option<(Secret, u64)>>,
}

impl AppSource {
    /// Returns a source that has asked for nothing yet.
    pub fn new(app: String, key: Secret, installation: Option<u64>) -> Self {
        Self { app, key, installation, held: Mutex::default() }
    }
}

impl TokenSource {
    /// Returns what kind of token it is, as far as its form tells.
    pub fn kind(&self) -> TokenKind {
        match self {
            Self::App(_) => TokenKind::App,
            Self::Given { of_workflow: true, .. } => TokenKind::Workflow,
            Self::Given { token, .. } => match token.expose().split('_').next() {
                Some("ghs") => TokenKind::App,
                Some("ghp" | "github" | "gho" | "ghu") => TokenKind::Person,
                _ => TokenKind::Other,
            },
        }
    }

    /// Returns the token to show now.
    pub(super) fn token(&self, client: &Client, slug: &RepositorySlug) -> Answer<Secret> {
        let source = match self {
            Self::Given { token, .. } => return Ok(token.clone()),
            Self::App(source) => source,
        };
        // Held while fetching, so that parallel calls ask once.
        let mut held = source.held.lock().unwrap_or_else(PoisonError::into_inner);
        let now = client.epoch();
        if let Some((token, until)) = &*held
            && now + MARGIN < *until
        {
            return Ok(token.clone());
        }
        let token = fetch(source, client, slug, now)?;
        *held = Some((token.clone(), now + LIFE));
        Ok(token)
    }
}

fn fetch(source: &AppSource, client: &Client, slug: &RepositorySlug, now: u64) -> Answer<Secret> {
    let what = "get a token of the GitHub App";
    let refused = |why: &str| ForgeError::Unauthorised { what: what.into(), why: why.into() };
    let jwt = jwt::sign(&source.app, &source.key, now)
        .map_err(|why| refused(&format!("the key in ORCH_FORGE_APP_KEY {why}")))?;
    let installation = if let Some(id) = source.installation {
        id
    } else {
        let path = format!("/repos/{slug}/installation");
        let reply = client.send_as(&jwt, &Ask::new(Method::Get, path, "find the App's installation"))?;
        reply["id"].as_u64().ok_or_else(|| refused("the installation has no id"))?
    };
    let path = format!("/app/installations/{installation}/access_tokens");
    let mut ask = Ask::new(Method::Post, path, what).with(json!({ "repositories": [slug.name()] }));
    ask.power = Power::Repeatable;
    let reply = client.send_as(&jwt, &ask)?;
    let token = reply["token"].as_str().filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| refused("the answer holds no token"))?;
    let _ = redact::learn(token);
    Ok(Secret::new(token.to_owned()))
}
