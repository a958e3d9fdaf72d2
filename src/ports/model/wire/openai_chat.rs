//! OpenAI Chat Completions and what speaks like it: `POST {base}/chat/completions`.
//!
//! Must never take a server for OpenAI's: fields that others leave out may be absent.

use serde_json::{Map, Value, json};

use super::super::{CallError, ModelRequest, Reading};
use super::sse::Event;
use super::{Draft, MaxTokensField, Options, failure, fields, merge, object, safe, shape, user_blocks};
use crate::artifact::types::exchange::Usage;

pub(super) fn encode(options: Options, request: &ModelRequest) -> Result<Draft, CallError> {
    let blocks = user_blocks(request);
    let content = match blocks.as_slice() {
        // One text is said as one: not every server takes a list.
        [one] => json!(one),
        many => many.iter().map(|text| json!({ "type": "text", "text": text })).collect(),
    };
    let mut messages = Vec::new();
    if !request.system.is_empty() {
        messages.push(json!({ "role": "system", "content": request.system }));
    }
    messages.push(json!({ "role": "user", "content": content }));
    let mut body = object(json!({ "model": request.model, "messages": messages }));
    let limit = match options.max_tokens_field {
        MaxTokensField::MaxCompletionTokens => "max_completion_tokens",
        MaxTokensField::MaxTokens => "max_tokens",
    };
    body.insert(limit.into(), request.max_output.into());
    if let Some(effort) = &request.effort {
        body.insert("reasoning_effort".into(), effort.clone().into());
    }
    if let Some(schema) = &request.schema {
        let schema = json!({ "name": schema.name, "schema": schema.schema, "strict": true });
        body.insert("response_format".into(), json!({ "type": "json_schema", "json_schema": schema }));
    }
    if options.stream {
        body.insert("stream".into(), true.into());
        body.insert("stream_options".into(), json!({ "include_usage": true }));
    }
    merge::merge(&mut body, &request.extra)?;
    // Two names for one limit contradict each other.
    if body.contains_key("max_tokens") && body.contains_key("max_completion_tokens") {
        let what = "the output limit is set already from the request, so it cannot be given again".into();
        return Err(CallError::Unsupported { what });
    }
    Ok(Draft::new("/chat/completions", body))
}

pub(super) fn read(completion: &Value) -> Reading {
    Reading {
        result: result(completion),
        usage: completion.get("usage").and_then(usage),
        model: fields::text(completion, &["model"]).map(safe::word),
        tier: fields::text(completion, &["service_tier"]).map(safe::word),
        request_id: fields::text(completion, &["id"]).map(safe::word),
        stop: choice(completion).and_then(|c| fields::text(c, &["finish_reason"])).map(safe::word),
    }
}

fn choice(completion: &Value) -> Option<&Value> {
    fields::list(completion, &["choices"]).first()
}

fn result(completion: &Value) -> Result<String, CallError> {
    let Some(choice) = choice(completion) else {
        return Err(if completion.get("error").is_some_and(|error| !error.is_null()) {
            failure::of_document(200, completion, None)
        } else {
            shape("it has no `choices`".into())
        });
    };
    if let Some(refusal) = fields::text(choice, &["message", "refusal"]).filter(|text| !text.is_empty()) {
        return Err(CallError::Refused { why: safe::line(refusal, 120) });
    }
    match fields::text(choice, &["finish_reason"]) {
        Some("stop") => content(fields::at(choice, &["message", "content"])),
        Some(why @ ("length" | "max_tokens")) => Err(CallError::Truncated { why: why.into() }),
        Some("content_filter") => Err(CallError::Refused { why: "content_filter".into() }),
        // Gateways tell so when the server behind them failed in the middle.
        Some("error") => Err(choice.get("error").map_or_else(
            || CallError::Overloaded { status: 200, after: None, code: "error".into() },
            |error| failure::of_document(200, &json!({ "error": error }), None),
        )),
        Some(other) => Err(shape(format!("it stopped for `{}`", safe::word(other)))),
        None => Err(shape("it has no `finish_reason`".into())),
    }
}

fn content(content: Option<&Value>) -> Result<String, CallError> {
    match content {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Array(parts)) => {
            Ok(parts.iter().filter_map(|part| fields::text(part, &["text"])).collect())
        }
        _ => Err(shape("its message has no `content`".into())),
    }
}

fn usage(usage: &Value) -> Option<Usage> {
    let n = |path: &[&str]| fields::number(usage, path);
    let all = usage.get("prompt_tokens")?.as_u64()?;
    let output = usage.get("completion_tokens")?.as_u64()?;
    let read = n(&["prompt_tokens_details", "cached_tokens"]);
    let written = n(&["prompt_tokens_details", "cache_write_tokens"]);
    Some(Usage {
        input: all.saturating_sub(read.saturating_add(written)),
        cache_read: read,
        cache_write_short: written,
        cache_write_long: 0,
        output,
        reasoning: n(&["completion_tokens_details", "reasoning_tokens"]).min(output),
    })
}

/// Folds a stream into the completion it is; `None`: it ended before its end.
pub(super) fn fold(events: &[Event]) -> Result<Option<Value>, CallError> {
    let mut whole = Map::new();
    let (mut text, mut refusal, mut finish) = (String::new(), String::new(), None);
    for event in events {
        let Event::Data(chunk) = event else { continue };
        if chunk.get("error").is_some_and(|error| !error.is_null()) {
            return Err(failure::of_document(200, chunk, None));
        }
        for name in ["id", "model", "service_tier", "usage"] {
            if let Some(value) = chunk.get(name).filter(|value| !value.is_null()) {
                whole.insert(name.into(), value.clone());
            }
        }
        let Some(choice) = choice(chunk) else { continue };
        text.push_str(fields::text(choice, &["delta", "content"]).unwrap_or_default());
        refusal.push_str(fields::text(choice, &["delta", "refusal"]).unwrap_or_default());
        finish = fields::text(choice, &["finish_reason"]).map(str::to_owned).or(finish);
    }
    // Some servers leave out `[DONE]`; without a reason to stop it was cut.
    let Some(finish) = finish else { return Ok(None) };
    let message = json!({ "role": "assistant", "content": text, "refusal": refusal });
    whole.insert("choices".into(), json!([{ "index": 0, "message": message, "finish_reason": finish }]));
    Ok(Some(whole.into()))
}
