//! Anthropic Messages: `POST /v1/messages`.
//!
//! Must never send a sampling setting of its own: the newest models refuse them.

use serde_json::{Map, Value, json};

use super::super::{CallError, ModelRequest, Reading};
use super::sse::Event;
use super::{Draft, Options, fields, merge, object, safe, shape, stream_error, user_blocks};
use crate::artifact::types::exchange::Usage;

/// Above this output limit a reply may take longer than a connection is kept open without a byte.
const STREAM_ABOVE: u32 = 21_333;

pub(super) fn encode(options: Options, request: &ModelRequest) -> Result<Draft, CallError> {
    let mut body = common(request);
    body.insert("max_tokens".into(), request.max_output.into());
    if options.stream || request.max_output > STREAM_ABOVE {
        body.insert("stream".into(), true.into());
    }
    merge::merge(&mut body, &request.extra)?;
    Ok(draft("/v1/messages", body))
}

pub(super) fn encode_count(request: &ModelRequest) -> Draft {
    draft("/v1/messages/count_tokens", common(request))
}

fn draft(path: &str, body: Map<String, Value>) -> Draft {
    let mut draft = Draft::new(path, body);
    draft.headers.insert("anthropic-version".into(), "2023-06-01".into());
    draft
}

fn common(request: &ModelRequest) -> Map<String, Value> {
    let block = |text: &str, cached: bool| {
        let mut block = json!({ "type": "text", "text": text });
        if cached {
            block["cache_control"] = json!({ "type": "ephemeral" });
        }
        block
    };
    let mut body = object(json!({ "model": request.model }));
    if !request.system.is_empty() {
        body.insert("system".into(), json!([block(&request.system, request.cache_prefix)]));
    }
    let stable = !request.context.is_empty();
    let content: Vec<Value> = user_blocks(request)
        .into_iter()
        .enumerate()
        .map(|(at, text)| block(text, request.cache_prefix && stable && at == 0))
        .collect();
    body.insert("messages".into(), json!([{ "role": "user", "content": content }]));
    let mut output = Map::new();
    if let Some(effort) = &request.effort {
        output.insert("effort".into(), effort.clone().into());
    }
    if let Some(schema) = &request.schema {
        output.insert("format".into(), json!({ "type": "json_schema", "schema": schema.schema }));
    }
    if !output.is_empty() {
        body.insert("output_config".into(), output.into());
    }
    body
}

pub(super) fn read(message: &Value) -> Reading {
    Reading {
        result: result(message),
        usage: message.get("usage").and_then(usage),
        model: fields::text(message, &["model"]).map(safe::word),
        tier: fields::text(message, &["usage", "service_tier"]).map(safe::word),
        request_id: None,
        stop: fields::text(message, &["stop_reason"]).map(safe::word),
    }
}

fn result(message: &Value) -> Result<String, CallError> {
    if message.get("error").is_some_and(|error| !error.is_null()) {
        return Err(stream_error(message));
    }
    let Some(content) = message.get("content").and_then(Value::as_array) else {
        return Err(shape("it has no `content`".into()));
    };
    let stop = fields::text(message, &["stop_reason"]);
    match stop {
        Some("end_turn" | "stop_sequence") => Ok(content
            .iter()
            .filter(|block| fields::text(block, &["type"]) == Some("text"))
            .filter_map(|block| fields::text(block, &["text"]))
            .collect()),
        Some(why @ ("max_tokens" | "model_context_window_exceeded")) => {
            Err(CallError::Truncated { why: why.into() })
        }
        Some("refusal") => {
            let why = fields::text(message, &["stop_details", "category"]).unwrap_or("refusal");
            Err(CallError::Refused { why: safe::word(why) })
        }
        Some(other) => Err(shape(format!("it stopped for `{}`", safe::word(other)))),
        None => Err(shape("it has no `stop_reason`".into())),
    }
}

fn usage(usage: &Value) -> Option<Usage> {
    let n = |path: &[&str]| fields::number(usage, path);
    let input = usage.get("input_tokens")?.as_u64()?;
    let output = usage.get("output_tokens")?.as_u64()?;
    let written = n(&["cache_creation_input_tokens"]);
    let short = n(&["cache_creation", "ephemeral_5m_input_tokens"]);
    let long = n(&["cache_creation", "ephemeral_1h_input_tokens"]);
    // What the split leaves out was asked for as the short one.
    let rest = written.saturating_sub(short.saturating_add(long));
    Some(Usage {
        input,
        cache_read: n(&["cache_read_input_tokens"]),
        cache_write_short: short.saturating_add(rest),
        cache_write_long: long,
        output,
        reasoning: n(&["output_tokens_details", "thinking_tokens"]).min(output),
    })
}

/// Folds a stream into the message it is; `None`: it ended before its end.
pub(super) fn fold(events: &[Event]) -> Result<Option<Value>, CallError> {
    let mut message: Option<Value> = None;
    let mut texts: Vec<(u64, String)> = Vec::new();
    for event in events {
        let Event::Data(event) = event else { continue };
        match fields::text(event, &["type"]) {
            Some("error") => return Err(stream_error(event)),
            Some("message_start") => message = event.get("message").cloned(),
            Some("content_block_start")
                if fields::text(event, &["content_block", "type"]) == Some("text") =>
            {
                let text = fields::text(event, &["content_block", "text"]).unwrap_or_default();
                texts.push((fields::number(event, &["index"]), text.to_owned()));
            }
            Some("content_block_delta") => {
                if let Some(more) = fields::text(event, &["delta", "text"]) {
                    let index = fields::number(event, &["index"]);
                    match texts.iter_mut().rfind(|(at, _)| *at == index) {
                        Some((_, text)) => text.push_str(more),
                        None => texts.push((index, more.to_owned())),
                    }
                }
            }
            Some("message_delta") => {
                if let Some(message) = &mut message {
                    take_over(message, event);
                }
            }
            Some("message_stop") => {
                let Some(Value::Object(mut message)) = message else { return Ok(None) };
                let blocks = texts.into_iter().map(|(_, text)| json!({ "type": "text", "text": text }));
                message.insert("content".into(), Value::Array(blocks.collect()));
                return Ok(Some(message.into()));
            }
            _ => {}
        }
    }
    Ok(None)
}

/// Takes over what the last delta says; its counts are sums, not differences.
fn take_over(message: &mut Value, event: &Value) {
    let Value::Object(message) = message else { return };
    if let Some(Value::Object(delta)) = event.get("delta") {
        message.extend(delta.clone());
    }
    if let Some(Value::Object(last)) = event.get("usage") {
        let usage = message.entry("usage").or_insert_with(|| json!({}));
        if let Value::Object(usage) = usage {
            usage.extend(last.iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k.clone(), v.clone())));
        }
    }
}
