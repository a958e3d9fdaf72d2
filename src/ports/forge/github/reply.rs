//! What GitHub's answers mean: status, headers and body read into told-apart errors.
//!
//! Must never call a write undone that may have been done, nor leave out which permission or setting is missing.
//! Source: docs.github.com, "Rate limits for the REST API", "Troubleshooting the REST API"; the `error` of GraphQL answers.

use std::time::Duration;

use http::HeaderMap;
use jiff::Timestamp;
use serde_json::Value;

use super::client::{Ask, Power, Reply};
use crate::diagnostic::redact::redact;
use crate::diagnostic::text::plain;
use crate::ports::forge::{Answer, ForgeError};

/// Without a word on how long to wait.
const MINUTE: Duration = Duration::from_mins(1);

/// A try that did not work.
#[derive(Clone, Debug)]
pub(super) enum Failed {
    /// Another would not either.
    Final(ForgeError),
    /// It was not done; another may, after a while.
    Limited {
        /// How long to wait.
        after: Duration,
        /// The error if there is no time to.
        error: ForgeError,
    },
    /// The forge or the way to it failed.
    Passing {
        /// Whether the request may have arrived.
        sent: bool,
        /// The error of the last try.
        error: ForgeError,
    },
}

impl Failed {
    pub(super) fn error(self) -> ForgeError {
        match self {
            Self::Final(error) | Self::Limited { error, .. } | Self::Passing { error, .. } => error,
        }
    }
}

pub(super) fn broken(ask: &Ask, why: &str) -> ForgeError {
    ForgeError::Broken { what: ask.what.into(), why: why.into() }
}

/// Makes one plain short line of what a forge said.
pub(super) fn said(text: &str) -> String {
    let line = plain(&redact(text));
    line.chars().take(300).collect()
}

fn passing(ask: &Ask, sent: bool, why: &str) -> Failed {
    let (what, why) = (ask.what.to_owned(), said(why));
    let error = if sent && ask.power != Power::Read {
        ForgeError::Unknown { what, why }
    } else {
        ForgeError::Temporary { what, why }
    };
    Failed::Passing { sent, error }
}

/// Returns why no answer came at all.
pub(super) fn unsent(ask: &Ask, error: &octocrab::Error) -> Failed {
    let mut why = error.to_string();
    let mut connect = false;
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<reqwest::Error>() {
            connect |= error.is_connect() || error.is_builder();
        }
        why = error.to_string();
        source = error.source();
    }
    passing(ask, !connect, &why)
}

/// Returns why an answer did not come to its end.
pub(super) fn cut(ask: &Ask, why: &str) -> Failed {
    passing(ask, true, why)
}

/// Returns the JSON of a good answer.
pub(super) fn json(ask: &Ask, reply: &Reply) -> Answer<Value> {
    if reply.body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&reply.body)
        .map_err(|error| broken(ask, &said(&format!("it is no JSON: {error}"))))
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

/// Returns what is wrong with an answer; `None` for a good one.
pub(super) fn failed(ask: &Ask, reply: &Reply, now: u64, attempt: u32) -> Option<Failed> {
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    if ask.graphql && reply.status == 200 {
        return graphql(ask, &body);
    }
    if (200..300).contains(&reply.status) || matches!(reply.status, 301 | 302 | 304 | 307 | 308) {
        return None;
    }
    let why = message(&body, reply.status);
    let what = ask.what.to_owned();
    Some(match reply.status {
        401 => Failed::Final(ForgeError::Unauthorised { what, why }),
        403 | 429 if is_limit(reply, &why) => limited(ask, &reply.headers, now, attempt),
        403 => {
            Failed::Final(ForgeError::Forbidden { missing: missing(ask, &reply.headers, &why), what, why })
        }
        404 if ask.power == Power::Read => Failed::Final(ForgeError::NotFound { what }),
        404 if ask.graphql => Failed::Final(ForgeError::Unsupported {
            what,
            why: "it has no GraphQL API at this address".into(),
        }),
        404 => Failed::Final(ForgeError::Forbidden {
            missing: missing(ask, &reply.headers, &why),
            what,
            why: "it says there is no such thing, as it does when a permission is missing".into(),
        }),
        405 | 409 => Failed::Final(ForgeError::Conflict { what, why }),
        422 if is_conflict(&why) => Failed::Final(ForgeError::Conflict { what, why }),
        // 408 and 5xx: the request may have arrived.
        408 | 500..=599 => passing(ask, true, &why),
        _ => Failed::Final(ForgeError::Invalid { what, why }),
    })
}

/// Returns what an answer says, with the single errors below it.
fn message(body: &Value, status: u16) -> String {
    let main = body["message"].as_str().map_or_else(|| format!("status {status}"), str::to_owned);
    let single = |error: &Value| match error {
        Value::String(text) => Some(text.clone()),
        error => error["message"].as_str().map(str::to_owned).or_else(|| {
            let part = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
            let text = format!("{} {} {}", part("resource"), part("field"), part("code"));
            Some(text.trim().to_owned()).filter(|text| !text.is_empty())
        }),
    };
    let errors = match &body["errors"] {
        Value::Array(errors) => errors.iter().take(3).filter_map(single).collect::<Vec<_>>().join("; "),
        Value::String(text) => text.clone(),
        _ => String::new(),
    };
    let reason = body["failure_reason"].as_str().unwrap_or_default();
    let parts = [main.as_str(), &errors, reason];
    said(&parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": "))
}

fn is_limit(reply: &Reply, why: &str) -> bool {
    let why = why.to_ascii_lowercase();
    reply.status == 429
        || reply.headers.contains_key("retry-after")
        || number(&reply.headers, "x-ratelimit-remaining") == Some(0)
        || why.contains("rate limit")
        || why.contains("abuse detection")
}

/// Tells how long to wait: `retry-after`, else the reset of the hour, else a minute and then more.
fn limited(ask: &Ask, headers: &HeaderMap, now: u64, attempt: u32) -> Failed {
    let spent = number(headers, "x-ratelimit-remaining") == Some(0);
    let reset = number(headers, "x-ratelimit-reset").filter(|_| spent);
    let after = match (number(headers, "retry-after"), reset) {
        (Some(seconds), _) => Duration::from_secs(seconds),
        (None, Some(reset)) => Duration::from_secs(reset.saturating_sub(now) + 1),
        (None, None) => MINUTE * 2_u32.saturating_pow(attempt.saturating_sub(1).min(6)),
    };
    let until = i64::try_from(now.saturating_add(after.as_secs())).ok();
    let until = until.and_then(|second| Timestamp::from_second(second).ok()).map(|time| time.to_string());
    let error = ForgeError::RateLimited { what: ask.what.into(), secondary: !spent, until };
    Failed::Limited { after, error }
}

/// Words of a 422 that mean: it is there already, or is not where it was.
const CONFLICTS: &[&str] = &[
    "already exist",
    "already_exist",
    "not a fast forward",
    "not a fast-forward",
    "reference update failed",
    "head sha didn't match",
    "expected head",
    "was modified",
    "stale",
];

fn is_conflict(why: &str) -> bool {
    let why = why.to_ascii_lowercase();
    CONFLICTS.iter().any(|words| why.contains(words))
}

/// Says which permission or setting is missing, and where it is set.
pub(super) fn missing(ask: &Ask, headers: &HeaderMap, why: &str) -> String {
    let lower = why.to_ascii_lowercase();
    if lower.contains("not permitted to create or approve pull requests") {
        return "In the repository's Settings, Actions, General: tick \"Allow GitHub Actions to create and approve pull requests\" (an organization may have to allow it first), or use a token of a GitHub App in ORCH_FORGE_TOKEN.".into();
    }
    if lower.contains("workflow") && lower.contains("refusing") {
        return "A change of .github/workflows needs an App's token with `workflows: write` or a person's token with the `workflow` scope, in ORCH_FORGE_TOKEN; GITHUB_TOKEN cannot have it.".into();
    }
    if lower.contains("saml") || headers.contains_key("x-github-sso") {
        return "Authorize the token for the organization's single sign-on, in the settings of the token."
            .into();
    }
    if lower.contains("advanced security") || lower.contains("code scanning is not enabled") {
        return "Switch code scanning on in the repository's Settings, Advanced Security, or set `pr.sarif: false`.".into();
    }
    if lower.contains("archived") {
        return "The repository is archived, so it is read-only; un-archive it in its Settings.".into();
    }
    let accepted = headers.get("x-accepted-github-permissions").and_then(|value| value.to_str().ok());
    let scopes = headers.get("x-accepted-oauth-scopes").and_then(|value| value.to_str().ok());
    let named = accepted.map(said).filter(|text| !text.is_empty());
    let named = named.unwrap_or_else(|| ask.needs.to_owned());
    let needs = match (named.as_str(), scopes.map(said).filter(|text| !text.is_empty())) {
        ("", None) => "The token lacks a permission.".to_owned(),
        ("", Some(scopes)) => format!("The token needs one of the scopes {scopes}."),
        (named, _) => format!("The token needs `{named}`."),
    };
    format!(
        "{needs} In a workflow: `permissions:` of the job; for an App: its permissions, and the installation must accept them; for a person's token: its scopes."
    )
}

/// Returns what is wrong with an answer of GraphQL: errors come with status 200.
fn graphql(ask: &Ask, body: &Value) -> Option<Failed> {
    let errors = body["errors"].as_array().filter(|errors| !errors.is_empty());
    let Some(errors) = errors else {
        return body["data"].is_null().then(|| Failed::Final(broken(ask, "it holds no data")));
    };
    let first = &errors[0];
    let why = said(first["message"].as_str().unwrap_or("it does not say why"));
    let kind = first["type"].as_str().unwrap_or_default();
    let what = ask.what.to_owned();
    let lower = why.to_ascii_lowercase();
    Some(match kind {
        "RATE_LIMITED" => Failed::Limited {
            after: MINUTE,
            error: ForgeError::RateLimited { what, secondary: false, until: None },
        },
        "NOT_FOUND" if ask.power == Power::Read => Failed::Final(ForgeError::NotFound { what }),
        "FORBIDDEN" | "INSUFFICIENT_SCOPES" | "NOT_FOUND" => {
            Failed::Final(ForgeError::Forbidden { missing: missing(ask, &HeaderMap::new(), &why), what, why })
        }
        "STALE_DATA" => Failed::Final(ForgeError::Conflict { what, why }),
        _ if lower.contains("expected branch to point to") || is_conflict(&why) => {
            Failed::Final(ForgeError::Conflict { what, why })
        }
        _ if lower.contains("resource not accessible") || lower.contains("refusing to allow") => {
            Failed::Final(ForgeError::Forbidden { missing: missing(ask, &HeaderMap::new(), &why), what, why })
        }
        _ if lower.contains("doesn't exist on type") || lower.contains("isn't a defined input type") => {
            Failed::Final(ForgeError::Unsupported { what, why })
        }
        _ if lower.contains("something went wrong") || lower.contains("timeout") => passing(ask, true, &why),
        _ => Failed::Final(ForgeError::Invalid { what, why }),
    })
}
