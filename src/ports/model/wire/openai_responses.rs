//! OpenAI Responses: `POST {base}/responses`.
//!
//! Must never let the vendor keep the call: `store` is always false.

use serde_json::{Map, Value, json};

use super::super::{CallError, ModelRequest, Reading};
use super::sse::Event;
use super::{Draft, Options, failure, fields, merge, object, safe, shape, stream_error, user_blocks};
use crate::artifact::digest::Digest;
use crate::artifact::types::exchange::Usage;

pub(super) fn encode(options: Options, request: &ModelRequest) -> Result<Draft, CallError> {
    let mut body = common(request);
    body.insert("max_output_tokens".into(), request.max_output.into());
    body.insert("store".into(), false.into());
    if request.cache_prefix {
        body.insert("prompt_cache_key".into(), prefix_key(request).into());
    } else if request.extra.get("prompt_cache_options") != Some(&Value::Null) {
        // One-shot: nothing is written to a cache, for that costs more than plain input.
        body.insert("prompt_cache_options".into(), json!({ "mode": "explicit" }));
    }
    if options.stream {
        body.insert("stream".into(), true.into());
    }
    let mut extra = request.extra.clone();
    // Models from before that setting refuse it; null takes it out.
    if extra.get("prompt_cache_options") == Some(&Value::Null) {
        extra.shift_remove("prompt_cache_options");
    }
    merge::merge(&mut body, &extra)?;
    Ok(Draft::new("/responses", body))
}

pub(super) fn encode_count(request: &ModelRequest) -> Draft {
    Draft::new("/responses/input_tokens", common(request))
}

fn common(request: &ModelRequest) -> Map<String, Value> {
    let content: Vec<Value> =
        user_blocks(request).into_iter().map(|text| json!({ "type": "input_text", "text": text })).collect();
    let mut body = object(json!({ "model": request.model }));
    if !request.system.is_empty() {
        body.insert("instructions".into(), request.system.clone().into());
    }
    body.insert("input".into(), json!([{ "role": "user", "content": content }]));
    if let Some(effort) = &request.effort {
        body.insert("reasoning".into(), json!({ "effort": effort }));
    }
    if let Some(schema) = &request.schema {
        let format =
            json!({ "type": "json_schema", "name": schema.name, "schema": schema.schema, "strict": true });
        body.insert("text".into(), json!({ "format": format }));
    }
    body
}

/// Returns a key that calls with the same prefix share.
fn prefix_key(request: &ModelRequest) -> String {
    let digest = Digest::of(format!("{}\0{}", request.system, request.context));
    format!("orch-{}", digest.hex().get(..32).unwrap_or_default())
}

pub(super) fn read(response: &Value) -> Reading {
    Reading {
        result: result(response),
        usage: response.get("usage").and_then(usage),
        model: fields::text(response, &["model"]).map(safe::word),
        tier: fields::text(response, &["service_tier"]).map(safe::word),
        request_id: fields::text(response, &["id"]).map(safe::word),
        stop: fields::text(response, &["incomplete_details", "reason"])
            .or_else(|| fields::text(response, &["status"]))
            .map(safe::word),
    }
}

fn result(response: &Value) -> Result<String, CallError> {
    if response.get("error").is_some_and(|error| !error.is_null()) {
        return Err(failure::of_document(200, response, None));
    }
    let parts: Vec<&Value> = fields::list(response, &["output"])
        .iter()
        .filter(|item| fields::text(item, &["type"]) == Some("message"))
        .flat_map(|item| fields::list(item, &["content"]))
        .collect();
    if let Some(refusal) = parts.iter().find_map(|part| fields::text(part, &["refusal"])) {
        return Err(CallError::Refused { why: safe::line(refusal, 120) });
    }
    match fields::text(response, &["status"]) {
        Some("completed") if response.get("output").is_some_and(Value::is_array) => Ok(parts
            .iter()
            .filter(|part| fields::text(part, &["type"]) == Some("output_text"))
            .filter_map(|part| fields::text(part, &["text"]))
            .collect()),
        Some("completed") => Err(shape("it has no `output`".into())),
        Some("incomplete") => match fields::text(response, &["incomplete_details", "reason"]) {
            Some("content_filter") => Err(CallError::Refused { why: "content_filter".into() }),
            why => Err(CallError::Truncated { why: safe::word(why.unwrap_or("incomplete")) }),
        },
        Some("failed") => Err(CallError::Overloaded { status: 200, after: None, code: "failed".into() }),
        Some(other) => Err(shape(format!("its status is `{}`", safe::word(other)))),
        None => Err(shape("it has no `status`".into())),
    }
}

fn usage(usage: &Value) -> Option<Usage> {
    let n = |path: &[&str]| fields::number(usage, path);
    let all = usage.get("input_tokens")?.as_u64()?;
    let output = usage.get("output_tokens")?.as_u64()?;
    let read = n(&["input_tokens_details", "cached_tokens"]);
    let written = n(&["input_tokens_details", "cache_write_tokens"]);
    let details = &["input_tokens_details", "cache_write_tokens_details"];
    let long = long_writes(fields::at(usage, details)).min(written);
    Some(Usage {
        input: all.saturating_sub(read.saturating_add(written)),
        cache_read: read,
        cache_write_short: written - long,
        cache_write_long: long,
        output,
        reasoning: n(&["output_tokens_details", "reasoning_tokens"]).min(output),
    })
}

/// Returns what was written for longer than half an hour: every lifetime of the split but `30m`.
fn long_writes(split: Option<&Value>) -> u64 {
    let Some(Value::Object(split)) = split else { return 0 };
    let long = |name: &str| !name.contains("30m");
    split.iter().filter(|(name, _)| long(name)).filter_map(|(_, n)| n.as_u64()).fold(0, u64::saturating_add)
}

/// Folds a stream: its last event carries the whole response.
pub(super) fn fold(events: &[Event]) -> Result<Option<Value>, CallError> {
    for event in events {
        let Event::Data(event) = event else { continue };
        match fields::text(event, &["type"]) {
            Some("error") => return Err(stream_error(event)),
            Some("response.completed" | "response.incomplete" | "response.failed") => {
                return Ok(event.get("response").cloned());
            }
            _ => {}
        }
    }
    Ok(None)
}
