//! The identity GitHub gives a workflow: a short-lived JWT for one audience.
//!
//! Must never be asked for outside of GitHub Actions, and never kept: it is exchanged at once.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::exchange::{failure, secure};
use super::{CredentialError, Surroundings, TokenHttp, TokenRequest, Vault};
use crate::diagnostic::redact;
use crate::ports::model::CallError;
use crate::ports::secret::Secret;

const TIMEOUT: Duration = Duration::from_secs(20);
/// More than any event holds.
const EVENT_BYTES: u64 = 8 * 1024 * 1024;

/// Asks for identities.
pub(super) struct Identity {
    url: String,
    token: Secret,
    http: Arc<dyn TokenHttp>,
}

impl Identity {
    /// Returns who asks for identities with this audience, or what is missing for it.
    pub(super) fn new(
        audience: &str,
        vault: &Vault,
        http: Arc<dyn TokenHttp>,
    ) -> Result<Self, CredentialError> {
        let around = vault.surroundings();
        let part = |name| vault.get(name).map(|secret| secret.expose().trim().to_owned());
        match (part("ACTIONS_ID_TOKEN_REQUEST_URL"), part("ACTIONS_ID_TOKEN_REQUEST_TOKEN")) {
            (Some(url), Some(token)) => {
                let mut url = secure("ACTIONS_ID_TOKEN_REQUEST_URL", &url)?;
                url.query_pairs_mut().append_pair("audience", audience);
                Ok(Self { url: url.into(), token: Secret::new(token), http })
            }
            _ if !around.actions => Err(CredentialError::NotInActions),
            _ if is_fork(around) => Err(CredentialError::Fork),
            _ => Err(CredentialError::NoIdentityPermission),
        }
    }

    /// Asks for an identity.
    pub(super) fn fetch(&self) -> Result<Secret, CallError> {
        let reply = self.http.exchange(&TokenRequest {
            url: self.url.clone(),
            bearer: Some(self.token.clone()),
            headers: vec![("accept", "application/json".into())],
            body: None,
            timeout: TIMEOUT,
        })?;
        if reply.status != 200 {
            return Err(failure(&reply, |code| CredentialError::Identity { code }));
        }
        let broken = |what| CredentialError::Reply { issuer: "GitHub", what };
        let value: Value = serde_json::from_slice(&reply.body).map_err(|_| broken("it is not JSON"))?;
        let token = value.get("value").and_then(Value::as_str).ok_or_else(|| broken("`value` is missing"))?;
        let _ = redact::learn(token);
        Ok(Secret::new(token.to_owned()))
    }
}

/// Tells whether the event that started the workflow is a pull request from another repository.
fn is_fork(around: &Surroundings) -> bool {
    let event = around.event.as_deref().and_then(read).unwrap_or_default();
    let name = |side: &str| event["pull_request"][side]["repo"]["full_name"].as_str().map(str::to_owned);
    let head = &event["pull_request"]["head"]["repo"];
    // The repository of the head is gone when the fork was removed.
    event["pull_request"].is_object() && (head.is_null() || name("head") != name("base"))
}

fn read(path: &Path) -> Option<Value> {
    let found = fs::metadata(path).ok().filter(|found| found.is_file() && found.len() <= EVENT_BYTES)?;
    debug_assert!(found.is_file());
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}
