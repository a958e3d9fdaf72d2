//! Replies that are errors: what there is to do about each.
//!
//! The order decides: money and credentials first, for no wait helps there; then the status. Must never hold more of a
//! reply than one short line.

use std::time::Duration;

use serde_json::Value;

use super::super::{CallError, RawReply};
use super::{fields, safe, wait};

/// Codes that mean money, whatever the status.
const MONEY: &[&str] = &[
    // OpenAI
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
    "insufficient_quota",
    "billing_hard_limit_reached",
    "billing_not_active",
    // Anthropic
    "billing_error",
    "enforced_spend_limit_reached",
    "contract_spend_limit_reached",
    "linked_organization_spend_limit_reached",
    "linked_organization_billing_unavailable",
];
/// What is said in words where a vendor has no code for money.
const MONEY_WORDS: &[&str] = &["credit balance is too low", "insufficient credits", "insufficient balance"];
/// Codes and words of a prompt that does not fit.
const TOO_LARGE: &[&str] = &["context_length_exceeded", "request_too_large", "string_above_max_length"];
const TOO_LARGE_WORDS: &[&str] = &[
    "prompt is too long",
    "maximum context length",
    "exceeds the maximum number of tokens",
    "compiled grammar is too large",
];

/// Returns why a reply with a status other than 2xx is none.
pub(super) fn of_reply(reply: &RawReply) -> CallError {
    if (300..400).contains(&reply.status) {
        let what = format!("it sends elsewhere (status {}), and no redirect is followed", reply.status);
        return CallError::Shape { what };
    }
    let said: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    // Google puts the error of some methods into a list of one.
    let said = if let Value::Array(mut list) = said { list.pop().unwrap_or_default() } else { said };
    let after = wait::after(reply).or_else(|| retry_info(&said));
    if wait::may_retry(reply) == Some(true) && matches!(reply.status, 400..500) {
        match of_document(reply.status, &said, after) {
            error @ (CallError::Spend { .. } | CallError::Auth { .. } | CallError::Wait { .. }) => error,
            _ => CallError::Overloaded { status: reply.status, after, code: "x-should-retry".into() },
        }
    } else {
        of_document(reply.status, &said, after)
    }
}

/// Returns what an error document says; its own words count more than the status.
pub(super) fn of_document(status: u16, said: &Value, after: Option<Duration>) -> CallError {
    let codes = codes(said);
    let has = |list: &[&str]| codes.iter().find(|code| list.contains(&code.as_str())).cloned();
    let message = message(said, status);
    let small = message.to_ascii_lowercase();
    let mentions = |list: &[&str]| list.iter().any(|words| small.contains(words));
    let status = meant(status, &codes);
    let code = codes.first().cloned().unwrap_or_else(|| status.to_string());
    if let Some(code) = has(MONEY).or_else(|| daily_quota(said)) {
        return CallError::Spend { code };
    }
    if status == 402 || (matches!(status, 400 | 403 | 429) && mentions(MONEY_WORDS)) {
        return CallError::Spend { code };
    }
    if has(TOO_LARGE).is_some() || status == 413 || (status == 400 && mentions(TOO_LARGE_WORDS)) {
        return CallError::TooLarge { message };
    }
    // Google answers a wrong key with 400.
    if codes.iter().any(|code| code == "API_KEY_INVALID") {
        return CallError::Auth { code: "API_KEY_INVALID".into() };
    }
    match status {
        401 | 403 => CallError::Auth { code },
        429 => CallError::Wait { after, code },
        408 | 409 | 425 | 500.. => CallError::Overloaded { status, after, code },
        _ => CallError::BadRequest { code, message },
    }
}

/// Returns every code a document has, the most telling first.
fn codes(said: &Value) -> Vec<String> {
    let error = said.get("error").unwrap_or(said);
    let mut codes = Vec::new();
    let mut push = |value: Option<&Value>| match value {
        Some(Value::String(code)) if !code.is_empty() => codes.push(safe::word(code)),
        Some(Value::Number(code)) => codes.push(code.to_string()),
        _ => {}
    };
    push(fields::at(error, &["details", "error_code"]));
    for detail in fields::list(error, &["details"]) {
        push(detail.get("reason"));
    }
    // Google's `status` is the word and its `code` the HTTP status; elsewhere `code` is the word.
    push(error.get("status"));
    push(error.get("code"));
    push(error.get("type"));
    codes
}

/// Returns the status a document means: a stream, or a gateway, says it in words after a status of 200.
fn meant(status: u16, codes: &[String]) -> u16 {
    if status >= 300 {
        return status;
    }
    codes.iter().find_map(|code| by_code(code)).unwrap_or(500)
}

fn by_code(code: &str) -> Option<u16> {
    Some(match code {
        "invalid_request_error" | "invalid_prompt" | "INVALID_ARGUMENT" | "FAILED_PRECONDITION" => 400,
        "authentication_error" | "UNAUTHENTICATED" | "invalid_api_key" => 401,
        "permission_error" | "PERMISSION_DENIED" => 403,
        "not_found_error" | "NOT_FOUND" | "model_not_found" => 404,
        "rate_limit_error" | "rate_limit_exceeded" | "slow_down" | "RESOURCE_EXHAUSTED" => 429,
        "overloaded_error" | "server_overloaded" => 529,
        "UNAVAILABLE" => 503,
        "timeout_error" | "DEADLINE_EXCEEDED" => 504,
        "api_error" | "server_error" | "INTERNAL" => 500,
        other => return other.parse().ok().filter(|status| (400..600).contains(status)),
    })
}

fn message(said: &Value, status: u16) -> String {
    let error = said.get("error").unwrap_or(said);
    let message = error.get("message").and_then(Value::as_str).or_else(|| error.as_str());
    message.map_or_else(|| format!("status {status} without a message"), |text| safe::line(text, 300))
}

/// Google's way to say how long to wait.
fn retry_info(said: &Value) -> Option<Duration> {
    fields::list(said, &["error", "details"])
        .iter()
        .find_map(|detail| wait::span(fields::text(detail, &["retryDelay"])?))
}

/// A quota of a day does not come back while a job waits.
fn daily_quota(said: &Value) -> Option<String> {
    fields::list(said, &["error", "details"])
        .iter()
        .flat_map(|detail| fields::list(detail, &["violations"]))
        .filter_map(|violation| fields::text(violation, &["quotaId"]))
        .find(|quota| quota.contains("PerDay"))
        .map(safe::word)
}
