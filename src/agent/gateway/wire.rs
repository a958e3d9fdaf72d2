//! Replies and errors between the wire and the record, and the line people see of a call.
//!
//! Must never record a reply the redactor has not seen.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use super::RedactFn;
use crate::artifact::digest::Digest;
use crate::artifact::types::change_set::Content;
use crate::artifact::types::exchange::{Attempt, Exchange, RecordedReply};
use crate::ports::model::{CallError, RawReply};

/// Takes the secrets out of a reply, and returns it with its record.
pub(super) fn redacted(redact: RedactFn<'_>, raw: RawReply) -> (RawReply, RecordedReply) {
    let text = String::from_utf8_lossy(&raw.body);
    let clean = redact(&text);
    let changed = clean != text;
    // Bytes that are no text stay as they are, unless a secret was in them.
    let body = if changed { clean.into_owned().into_bytes() } else { raw.body.clone() };
    let headers: BTreeMap<String, String> =
        raw.headers.iter().map(|(name, value)| (name.clone(), redact(value).into_owned())).collect();
    let recorded = RecordedReply {
        status: raw.status,
        headers: headers.clone(),
        digest: Digest::of(&body),
        body: Content::from_bytes(body.clone()),
        redacted: changed,
        cut: raw.cut,
    };
    (RawReply { status: raw.status, headers, body, cut: raw.cut }, recorded)
}

/// Returns a recorded reply as it came.
pub(super) fn raw_of(reply: &RecordedReply) -> Option<RawReply> {
    let body = reply.body.to_bytes()?;
    Some(RawReply { status: reply.status, headers: reply.headers.clone(), body, cut: reply.cut })
}

/// Returns the error of an attempt that brought no reply that could be read again.
pub(super) fn recorded_error(attempt: &Attempt) -> CallError {
    let message = attempt.message.clone().unwrap_or_default();
    let after = |prefix: &str| message.strip_prefix(prefix).unwrap_or(&message).to_owned();
    let code = String::from("recorded");
    match attempt.outcome.as_str() {
        "timeout" => {
            CallError::Timeout { within: Duration::from_millis(attempt.took_ms), maybe_billed: true }
        }
        "cut" => CallError::Cut { why: after("the reply broke off: ") },
        "offline" => CallError::Offline { why: after("the provider cannot be reached: ") },
        "wait" => CallError::Wait { after: None, code },
        "overloaded" => {
            CallError::Overloaded { status: attempt.status.unwrap_or_default(), after: None, code }
        }
        "spend" => CallError::Spend { code },
        "auth" => CallError::Auth { code },
        "refused" => CallError::Refused { why: message },
        "truncated" => CallError::Truncated { why: message },
        "too-large" => CallError::TooLarge { message },
        "bad-request" => CallError::BadRequest { code, message },
        "unsupported" => CallError::Unsupported { what: message },
        _ => CallError::Shape { what: after("the reply cannot be read: ") },
    }
}

/// Returns the line people see of a call.
pub(super) fn note(exchange: &Exchange, error: Option<&CallError>) -> String {
    let mut text = format!("{} {}: {}/{}", exchange.role, exchange.step, exchange.provider, exchange.model);
    if let Some(usage) = &exchange.usage {
        let about = if exchange.estimated { "at most " } else { "" };
        let _ = write!(text, ", {about}{} tokens in, {} out", usage.prompt(), usage.output);
        let cost = exchange.cost_nano_usd.map_or("unknown cost".to_owned(), |cost| cost.to_string());
        let _ = write!(text, ", {cost}");
    }
    if exchange.attempts.len() > 1 {
        let _ = write!(text, ", {} attempts", exchange.attempts.len());
    }
    let last = exchange.attempts.last().map(|attempt| attempt.outcome.as_str());
    if let Some(outcome) = error.map(CallError::kind).or(last.filter(|outcome| *outcome != "ok")) {
        let _ = write!(text, ", no answer ({outcome})");
    }
    text
}
