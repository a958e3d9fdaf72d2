//! Gemini: `POST {base}/models/{model}:generateContent`.
//!
//! Must never put a key into the URL: URLs land in logs.

use serde_json::{Map, Value, json};

use super::super::{CallError, ModelRequest, Reading};
use super::sse::Event;
use super::{Draft, Options, failure, fields, merge, object, safe, shape, user_blocks};
use crate::artifact::types::exchange::Usage;

/// The words for how hard to think; any other is refused by the wire's own type.
const LEVELS: &[&str] = &["minimal", "low", "medium", "high"];

pub(super) fn encode(options: Options, request: &ModelRequest) -> Result<Draft, CallError> {
    let model = model_path(&request.model)?;
    let mut body = common(request)?;
    merge::merge(&mut body, &request.extra)?;
    if fields::at(&body["generationConfig"], &["candidateCount"]).is_some() {
        let what = "the setting `generationConfig.candidateCount` cannot be given: one answer is read".into();
        return Err(CallError::Unsupported { what });
    }
    let method = if options.stream { "streamGenerateContent" } else { "generateContent" };
    let mut draft = Draft::new(format!("/{model}:{method}"), body);
    draft.query = options.stream.then_some("alt=sse");
    Ok(draft)
}

pub(super) fn encode_count(request: &ModelRequest) -> Result<Draft, CallError> {
    let model = model_path(&request.model)?;
    let mut inner = common(request)?;
    inner.insert("model".into(), model.clone().into());
    Ok(Draft::new(format!("/{model}:countTokens"), object(json!({ "generateContentRequest": inner }))))
}

/// Returns the path of a model; a name with its folder, as `tunedModels/x`, is taken as it is.
fn model_path(model: &str) -> Result<String, CallError> {
    let known = |b: u8| b.is_ascii_alphanumeric() || b"-_./".contains(&b);
    if !model.bytes().all(known) || model.split('/').any(|part| part.is_empty() || part.starts_with('.')) {
        let what = format!("the model `{}` cannot be part of a URL", safe::line(model, 80));
        return Err(CallError::Unsupported { what });
    }
    Ok(if model.contains('/') { model.to_owned() } else { format!("models/{model}") })
}

fn common(request: &ModelRequest) -> Result<Map<String, Value>, CallError> {
    let parts: Vec<Value> = user_blocks(request).into_iter().map(|text| json!({ "text": text })).collect();
    let mut body = Map::new();
    if !request.system.is_empty() {
        body.insert("systemInstruction".into(), json!({ "parts": [{ "text": request.system }] }));
    }
    body.insert("contents".into(), json!([{ "role": "user", "parts": parts }]));
    let mut config = object(json!({ "maxOutputTokens": request.max_output }));
    if let Some(schema) = &request.schema {
        config.insert("responseMimeType".into(), "application/json".into());
        config.insert("responseJsonSchema".into(), schema.schema.clone());
    }
    if let Some(effort) = &request.effort {
        config.insert("thinkingConfig".into(), thinking(effort)?);
    }
    body.insert("generationConfig".into(), config.into());
    Ok(body)
}

/// A word is a level; older models take a budget of tokens instead.
fn thinking(effort: &str) -> Result<Value, CallError> {
    if let Ok(budget) = effort.parse::<u32>() {
        return Ok(json!({ "thinkingBudget": budget }));
    }
    // The word is the user's; its capitals are how the wire spells it.
    if LEVELS.contains(&effort.to_ascii_lowercase().as_str()) {
        return Ok(json!({ "thinkingLevel": effort.to_ascii_uppercase() }));
    }
    let what = format!(
        "the effort `{effort}` cannot be said to Gemini: {}, or a number of tokens",
        LEVELS.join(", ")
    );
    Err(CallError::Unsupported { what })
}

pub(super) fn read(response: &Value) -> Reading {
    Reading {
        result: result(response),
        usage: response.get("usageMetadata").and_then(usage),
        model: fields::text(response, &["modelVersion"]).map(safe::word),
        tier: fields::text(response, &["usageMetadata", "serviceTier"]).map(safe::word),
        request_id: fields::text(response, &["responseId"]).map(safe::word),
        stop: candidate(response)
            .and_then(|c| fields::text(c, &["finishReason"]))
            .or_else(|| fields::text(response, &["promptFeedback", "blockReason"]))
            .map(safe::word),
    }
}

fn candidate(response: &Value) -> Option<&Value> {
    fields::list(response, &["candidates"]).first()
}

fn result(response: &Value) -> Result<String, CallError> {
    let Some(candidate) = candidate(response) else {
        if let Some(why) = fields::text(response, &["promptFeedback", "blockReason"]) {
            return Err(CallError::Refused { why: safe::word(why) });
        }
        return Err(if response.get("error").is_some() {
            failure::of_document(200, response, None)
        } else {
            shape("it has no `candidates`".into())
        });
    };
    match fields::text(candidate, &["finishReason"]) {
        Some("STOP") => Ok(fields::list(candidate, &["content", "parts"])
            .iter()
            .filter(|part| part.get("thought") != Some(&Value::Bool(true)))
            .filter_map(|part| fields::text(part, &["text"]))
            .collect()),
        Some("MAX_TOKENS") => Err(CallError::Truncated { why: "MAX_TOKENS".into() }),
        Some(
            why @ ("SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" | "LANGUAGE"
            | "MODEL_ARMOR"),
        ) => Err(CallError::Refused { why: why.into() }),
        Some(other) => Err(shape(format!("it stopped for `{}`", safe::word(other)))),
        None => Err(shape("it has no `finishReason`".into())),
    }
}

fn usage(usage: &Value) -> Option<Usage> {
    let n = |name: &str| fields::number(usage, &[name]);
    let prompt = usage.get("promptTokenCount")?.as_u64()?;
    let thoughts = n("thoughtsTokenCount");
    let cached = n("cachedContentTokenCount");
    Some(Usage {
        input: prompt.saturating_sub(cached).saturating_add(n("toolUsePromptTokenCount")),
        cache_read: cached,
        cache_write_short: 0,
        cache_write_long: 0,
        // An answer of no words has no count.
        output: n("candidatesTokenCount").saturating_add(thoughts),
        reasoning: thoughts,
    })
}

/// Folds a stream into the response it is; `None`: it ended before its end.
pub(super) fn fold(events: &[Event]) -> Result<Option<Value>, CallError> {
    let mut whole = Map::new();
    let (mut parts, mut finish) = (Vec::new(), None);
    for event in events {
        let Event::Data(chunk) = event else { continue };
        if chunk.get("error").is_some() {
            return Err(failure::of_document(200, chunk, None));
        }
        for name in ["usageMetadata", "modelVersion", "responseId", "promptFeedback"] {
            if let Some(value) = chunk.get(name) {
                whole.insert(name.into(), value.clone());
            }
        }
        let Some(candidate) = candidate(chunk) else { continue };
        parts.extend(fields::list(candidate, &["content", "parts"]).iter().cloned());
        finish = candidate.get("finishReason").cloned().or(finish);
    }
    let blocked = whole.get("promptFeedback").is_some_and(|f| f.get("blockReason").is_some());
    match finish {
        Some(finish) => {
            let content = json!({ "role": "model", "parts": parts });
            whole.insert("candidates".into(), json!([{ "content": content, "finishReason": finish }]));
        }
        None if blocked => {}
        None => return Ok(None),
    }
    Ok(Some(whole.into()))
}
