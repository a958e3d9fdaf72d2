//! The wire formats: a request in our form to a body in theirs, and a reply in theirs to a reading in ours.
//!
//! Everything here is pure: the same values in give the same values out, so that a recorded reply reads as it did. Must
//! never hold a credential, know a model by its name, or drop or rename a setting: what a wire cannot say is refused.

mod anthropic_messages;
mod failure;
mod fields;
mod gemini_generate;
mod merge;
mod openai_chat;
mod openai_embeddings;
mod openai_responses;
pub(super) mod safe;
mod sse;
mod strict;
#[cfg(test)]
mod tests;
mod wait;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

pub use strict::strict_subset;
pub use wait::may_retry;

use super::{CallError, EmbeddingReading, EmbeddingRequest, ModelRequest, RawReply, Reading, ReplySchema};
use crate::artifact::types::exchange::WireFormat;

/// What is said about a wire besides its format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// How the output limit is called in Chat Completions.
    pub max_tokens_field: MaxTokensField,
    /// Asks for a stream, where the endpoint demands it; the reading is the same.
    pub stream: bool,
}

/// How the output limit is called in Chat Completions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MaxTokensField {
    /// `max_completion_tokens`.
    #[default]
    MaxCompletionTokens,
    /// `max_tokens`, which older servers want.
    MaxTokens,
}

/// A request on its way to a base URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Draft {
    /// What comes after the base URL, as `/responses`.
    pub path: String,
    /// What comes after the question mark.
    pub query: Option<&'static str>,
    /// Headers of the format.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Map<String, Value>,
}

impl Draft {
    fn new(path: impl Into<String>, body: Map<String, Value>) -> Self {
        let headers = BTreeMap::from([("content-type".to_owned(), "application/json".to_owned())]);
        Self { path: path.into(), query: None, headers, body }
    }
}

/// Returns what is sent for a request.
pub(super) fn encode(
    format: WireFormat,
    options: Options,
    request: &ModelRequest,
) -> Result<Draft, CallError> {
    check_request(request)?;
    match format {
        WireFormat::AnthropicMessages => anthropic_messages::encode(options, request),
        WireFormat::OpenaiResponses => openai_responses::encode(options, request),
        WireFormat::OpenaiChat => openai_chat::encode(options, request),
        WireFormat::GeminiGenerate => gemini_generate::encode(options, request),
        WireFormat::Exec | WireFormat::Scripted => Err(no_http(format)),
    }
}

/// Returns what is sent to count a request's tokens; `None` where the format has no such call.
pub(super) fn encode_count(format: WireFormat, request: &ModelRequest) -> Result<Option<Draft>, CallError> {
    check_request(request)?;
    match format {
        WireFormat::AnthropicMessages => Ok(Some(anthropic_messages::encode_count(request))),
        WireFormat::OpenaiResponses => Ok(Some(openai_responses::encode_count(request))),
        WireFormat::GeminiGenerate => gemini_generate::encode_count(request).map(Some),
        WireFormat::OpenaiChat | WireFormat::Exec | WireFormat::Scripted => Ok(None),
    }
}

/// Returns what is sent to turn texts into vectors; `None` where the format has no such call.
pub(super) fn encode_embedding(
    format: WireFormat,
    request: &EmbeddingRequest,
) -> Result<Option<Draft>, CallError> {
    match format {
        WireFormat::OpenaiChat | WireFormat::OpenaiResponses => openai_embeddings::encode(request).map(Some),
        _ => Ok(None),
    }
}

/// Reads the reply to that.
pub(super) fn read_embedding(reply: &RawReply, texts: usize) -> EmbeddingReading {
    openai_embeddings::read(reply, texts)
}

/// Reads a reply.
pub(super) fn read(format: WireFormat, reply: &RawReply) -> Reading {
    let mut reading = if (200..300).contains(&reply.status) {
        match document(format, reply) {
            Ok(document) => match format {
                WireFormat::AnthropicMessages => anthropic_messages::read(&document),
                WireFormat::OpenaiResponses => openai_responses::read(&document),
                WireFormat::OpenaiChat => openai_chat::read(&document),
                WireFormat::GeminiGenerate => gemini_generate::read(&document),
                WireFormat::Exec | WireFormat::Scripted => failed(no_http(format)),
            },
            Err(error) => failed(error),
        }
    } else {
        let mut reading = failed(failure::of_reply(reply));
        let said = serde_json::from_slice::<Value>(&reply.body).unwrap_or_default();
        reading.request_id = fields::text(&said, &["request_id"]).map(safe::word);
        reading
    };
    let named = ["request-id", "x-request-id"].iter().find_map(|name| reply.headers.get(*name));
    if let Some(id) = named {
        reading.request_id = Some(safe::word(id));
    }
    reading
}

/// Reads the reply to a count.
pub(super) fn read_count(format: WireFormat, reply: &RawReply) -> Result<u64, CallError> {
    if !(200..300).contains(&reply.status) {
        return Err(failure::of_reply(reply));
    }
    let name = if format == WireFormat::GeminiGenerate { "totalTokens" } else { "input_tokens" };
    json_document(reply)?
        .get(name)
        .and_then(Value::as_u64)
        .ok_or_else(|| shape(format!("`{name}` is no whole number")))
}

/// Returns the reply of a call as the one JSON document it is, folded from a stream where it is one.
fn document(format: WireFormat, reply: &RawReply) -> Result<Value, CallError> {
    let kind = content_type(reply);
    let is_stream = kind == "text/event-stream" || (kind.is_empty() && sse::looks_like_stream(&reply.body));
    if !is_stream {
        return json_document(reply);
    }
    let events = sse::events(&reply.body);
    let folded = match format {
        WireFormat::AnthropicMessages => anthropic_messages::fold(&events),
        WireFormat::OpenaiResponses => openai_responses::fold(&events),
        WireFormat::OpenaiChat => openai_chat::fold(&events),
        WireFormat::GeminiGenerate => gemini_generate::fold(&events),
        WireFormat::Exec | WireFormat::Scripted => Err(no_http(format)),
    }?;
    folded.ok_or_else(|| CallError::Cut {
        why: format!("the stream ended after {} events, before its end", events.len()),
    })
}

fn json_document(reply: &RawReply) -> Result<Value, CallError> {
    let kind = content_type(reply);
    let is_json = kind.is_empty() || kind.ends_with("/json") || kind.ends_with("+json");
    if !is_json {
        let start = safe::line(&String::from_utf8_lossy(&reply.body), 60);
        return Err(shape(format!("its content type is `{}`, it begins with `{start}`", safe::word(&kind))));
    }
    let body = reply.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&reply.body);
    match serde_json::from_slice::<Value>(body) {
        Ok(value @ Value::Object(_)) => Ok(value),
        // What ends early is no whole object, so a whole one is the whole reply even when the connection was cut after it.
        _ if reply.cut => {
            Err(CallError::Cut { why: format!("the connection ended after {} bytes", body.len()) })
        }
        Ok(_) => Err(shape("it is no JSON object".into())),
        Err(error) => Err(shape(format!("it is no JSON: {error}"))),
    }
}

/// Returns the content type in small letters without its parameters; of several, the first.
fn content_type(reply: &RawReply) -> String {
    let said = reply.headers.get("content-type").map_or("", String::as_str);
    said.split([';', ',']).next().unwrap_or_default().trim().to_ascii_lowercase()
}

pub(super) fn check_request(request: &ModelRequest) -> Result<(), CallError> {
    let refuse = |what: String| Err(CallError::Unsupported { what });
    if request.model.trim().is_empty() {
        return refuse("the model has no name".into());
    }
    if request.max_output == 0 {
        return refuse("an output limit of 0 leaves no room for an answer".into());
    }
    if request.context.is_empty() && request.prompt.is_empty() {
        return refuse("the request has neither context nor prompt".into());
    }
    if let Some(effort) = &request.effort {
        let known = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if effort.is_empty() || effort.len() > 32 || !effort.bytes().all(known) {
            return refuse(format!("the effort `{}` is no word", safe::line(effort, 40)));
        }
    }
    if let Some(schema) = &request.schema {
        check_schema(schema)?;
    }
    Ok(())
}

/// Checks that a reply schema can be sent to every provider.
fn check_schema(schema: &ReplySchema) -> Result<(), CallError> {
    let named = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    if schema.name.is_empty() || schema.name.len() > 64 || !schema.name.bytes().all(named) {
        let what =
            format!("the schema's name `{}` is not made of a-z, 0-9 and _", safe::line(&schema.name, 70));
        return Err(CallError::Unsupported { what });
    }
    strict_subset(&schema.schema).map_err(|why| CallError::Unsupported {
        what: format!("the schema `{}` is not in the subset every provider takes: {why}", schema.name),
    })
}

/// Returns the user's text in blocks: the stable one first; empty ones are left out.
fn user_blocks(request: &ModelRequest) -> Vec<&str> {
    [request.context.as_str(), request.prompt.as_str()].into_iter().filter(|text| !text.is_empty()).collect()
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => Map::from_iter([("value".to_owned(), other)]),
    }
}

fn failed(error: CallError) -> Reading {
    Reading { result: Err(error), usage: None, model: None, tier: None, request_id: None, stop: None }
}

fn shape(what: String) -> CallError {
    CallError::Shape { what }
}

fn no_http(format: WireFormat) -> CallError {
    CallError::Unsupported { what: format!("the format {format} is not spoken over HTTP") }
}

/// Returns an error said in a stream after a status of 200, in the form of an error body.
fn stream_error(said: &Value) -> CallError {
    let error = said.get("error").filter(|e| e.is_object()).unwrap_or(said);
    failure::of_document(200, &json!({ "error": error }), None)
}
