//! The exchange of an identity for a token, and the token kept until shortly before it ends.
//!
//! Must never send an identity over plain HTTP to another machine, and never show what a reply holds but its code.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::Url;
use serde_json::Value;
use zeroize::Zeroizing;

use super::actions::Identity;
use super::{
    Body, Credential, CredentialError, CredentialKind, CredentialSource, TokenHttp, TokenReply, TokenRequest,
};
use crate::diagnostic::redact;
use crate::diagnostic::text::plain;
use crate::ports::model::CallError;
use crate::ports::secret::Secret;

const TIMEOUT: Duration = Duration::from_secs(30);
/// A token is renewed so long before it ends, that it does not end while it is used.
const MARGIN: Duration = Duration::from_mins(2);
/// How long a token lives that does not say.
const UNKNOWN: Duration = Duration::from_mins(5);

/// How an identity is exchanged at one issuer.
pub(super) struct Exchange {
    /// Who, for people.
    pub issuer: &'static str,
    /// Where.
    pub url: Url,
    /// Headers.
    pub headers: Vec<(&'static str, String)>,
    /// The fields of the body without the identity.
    pub fields: Vec<(&'static str, String)>,
    /// The name of the field with the identity.
    pub assertion: &'static str,
}

/// Exchanges identities, and keeps the token while it lasts.
pub(super) struct Federated {
    identity: Identity,
    exchange: Exchange,
    http: Arc<dyn TokenHttp>,
    token: Mutex<Option<(Secret, Instant)>>,
}

impl Federated {
    pub(super) fn new(identity: Identity, exchange: Exchange, http: Arc<dyn TokenHttp>) -> Self {
        Self { identity, exchange, http, token: Mutex::default() }
    }

    fn fetch(&self) -> Result<(Secret, Instant), CallError> {
        let Exchange { issuer, url, headers, fields, assertion } = &self.exchange;
        let identity = self.identity.fetch()?;
        let mut body = serde_json::Map::new();
        body.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str()))));
        body.insert((*assertion).to_owned(), identity.expose().into());
        let asked = Instant::now();
        let reply = self.http.exchange(&TokenRequest {
            url: url.to_string(),
            bearer: None,
            headers: headers.iter().cloned().chain([("content-type", "application/json".into())]).collect(),
            body: Some(Body(Zeroizing::new(Value::Object(body).to_string().into_bytes()))),
            timeout: TIMEOUT,
        })?;
        if reply.status != 200 {
            return Err(failure(&reply, |code| {
                let late = ["expired", "not yet valid", "nbf", "iat", "clock"];
                if late.iter().any(|word| code.contains(word)) {
                    CredentialError::Skew { issuer, code }
                } else {
                    CredentialError::Rule { issuer, code }
                }
            }));
        }
        let broken = |what| CredentialError::Reply { issuer, what };
        let value: Value = serde_json::from_slice(&reply.body).map_err(|_| broken("it is not JSON"))?;
        let token = value.get("access_token").and_then(Value::as_str).filter(|token| !token.is_empty());
        let token = token.ok_or_else(|| broken("`access_token` is missing"))?;
        let _ = redact::learn(token);
        let lives = value.get("expires_in").and_then(Value::as_u64).map_or(UNKNOWN, Duration::from_secs);
        let until = asked + lives.saturating_sub(MARGIN.min(lives / 2)).min(Duration::from_hours(24));
        Ok((Secret::new(token.to_owned()), until))
    }
}

impl CredentialSource for Federated {
    fn credential(&self) -> Result<Option<Credential>, CallError> {
        // Held while fetching, so that parallel calls ask once.
        let mut kept = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        let secret = match &*kept {
            Some((secret, until)) if Instant::now() < *until => secret.clone(),
            _ => {
                let (secret, until) = self.fetch()?;
                *kept = Some((secret.clone(), until));
                secret
            }
        };
        Ok(Some(Credential { secret, kind: CredentialKind::Token }))
    }
}

/// Returns a URL that an identity may be sent to.
pub(super) fn secure(name: &'static str, text: &str) -> Result<Url, CredentialError> {
    let refused = |why| CredentialError::Setting { name, why };
    let url = Url::parse(text).map_err(|_| refused("is no URL"))?;
    let host = url.host_str().unwrap_or_default();
    let here = ["127.0.0.1", "localhost", "[::1]"].contains(&host);
    match url.scheme() {
        "https" => Ok(url),
        "http" if here => Ok(url),
        _ => Err(refused("is neither https nor http to this machine")),
    }
}

/// Tells what a reply without a token means.
pub(super) fn failure(reply: &TokenReply, refused: impl FnOnce(String) -> CredentialError) -> CallError {
    let word = code(&reply.body).unwrap_or_else(|| "no code".into());
    match reply.status {
        408 | 500.. => CallError::Overloaded { status: reply.status, after: None, code: word },
        429 => CallError::Wait { after: None, code: word },
        status => refused(format!("{status}: {word}")).into(),
    }
}

/// Returns the code of an error and its description, one harmless short line.
fn code(body: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let error = &value["error"];
    let code = text(error).or_else(|| text(&error["code"])).or_else(|| text(&error["type"]));
    let about = text(&value["error_description"])
        .or_else(|| text(&error["message"]))
        .or_else(|| text(&value["message"]));
    let line = [code, about].into_iter().flatten().collect::<Vec<_>>().join(", ");
    let short: String = plain(&redact::redact(&line)).chars().take(200).collect();
    (!short.is_empty()).then_some(short)
}
