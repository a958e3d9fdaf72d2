//! What is said to a program and what it answers, one JSON object each.
//!
//! The page for people is `docs/reference/exec-provider.md`. Must never take a reply with a field that is not known: a
//! misspelt `usage` would be a call nobody is billed for.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::wire::safe;
use super::super::{
    CallError, EmbeddingReading, EmbeddingRequest, ModelRequest, RawReply, Reading, Usage, embedding,
};

/// The version of the protocol.
pub const VERSION: u64 = 1;
/// The header of a reply that holds what a program printed as errors.
pub const STDERR: &str = "stderr";
/// The header of a reply that holds how a program ended.
pub const EXIT: &str = "exit";

/// A reply.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reply {
    version: Option<u64>,
    text: Option<String>,
    refusal: Option<String>,
    error: Option<Error>,
    usage: Option<Counts>,
    model: Option<String>,
    stop: Option<String>,
    request_id: Option<String>,
    vectors: Option<Vec<Vec<f32>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Error {
    kind: String,
    #[serde(default)]
    message: String,
    retry_after_ms: Option<u64>,
    status: Option<u16>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Counts {
    input: u64,
    cache_read: u64,
    cache_write_short: u64,
    cache_write_long: u64,
    output: u64,
    reasoning: u64,
}

impl Counts {
    fn usage(&self) -> Usage {
        Usage {
            input: self.input,
            cache_read: self.cache_read,
            cache_write_short: self.cache_write_short,
            cache_write_long: self.cache_write_long,
            output: self.output,
            reasoning: self.reasoning.min(self.output),
        }
    }
}

/// Returns the request as it is said.
pub(in crate::ports::model) fn encode(request: &ModelRequest) -> Value {
    let schema = request.schema.as_ref().map(|s| json!({ "name": s.name, "schema": s.schema }));
    let mut body = Map::new();
    for (name, value) in [
        ("version", VERSION.into()),
        ("model", request.model.clone().into()),
        ("system", request.system.clone().into()),
        ("context", request.context.clone().into()),
        ("prompt", request.prompt.clone().into()),
        ("schema", schema.unwrap_or_default()),
        ("max_output", request.max_output.into()),
        ("effort", request.effort.clone().map_or(Value::Null, Value::String)),
    ] {
        body.insert(name.into(), value);
    }
    body.into()
}

/// Returns a request for vectors as it is said.
pub(in crate::ports::model) fn encode_embedding(request: &EmbeddingRequest) -> Value {
    json!({ "version": VERSION, "model": request.model, "embed": request.texts })
}

/// Reads the reply to that.
pub(in crate::ports::model) fn read_embedding(reply: &RawReply, texts: usize) -> EmbeddingReading {
    let said = match said(reply) {
        Ok(said) => said,
        Err(error) => return EmbeddingReading::failed(error),
    };
    EmbeddingReading {
        usage: said.usage.as_ref().map(Counts::usage),
        model: said.model.as_deref().map(safe::word),
        result: vectors(said, reply).and_then(|vectors| embedding::level(vectors, texts)),
    }
}

fn vectors(said: Reply, reply: &RawReply) -> Result<Vec<Vec<f32>>, CallError> {
    match (said.vectors, said.text.is_none() && said.refusal.is_none(), said.error) {
        (None, true, Some(error)) => Err(failure(&error)),
        (Some(_), true, None) if reply.status != 200 => Err(answered_and_failed(reply)),
        (Some(vectors), true, None) => Ok(vectors),
        _ => Err(CallError::Shape { what: "it has not exactly one of `vectors` and `error`".into() }),
    }
}

/// Reads a reply.
pub(in crate::ports::model) fn read(reply: &RawReply) -> Reading {
    let failed = |error| Reading {
        result: Err(error),
        usage: None,
        model: None,
        tier: None,
        request_id: None,
        stop: None,
    };
    let said = match said(reply) {
        Ok(said) => said,
        Err(error) => return failed(error),
    };
    Reading {
        usage: said.usage.as_ref().map(Counts::usage),
        model: said.model.as_deref().map(safe::word),
        tier: None,
        request_id: said.request_id.as_deref().map(safe::word),
        stop: said.stop.as_deref().map(safe::word),
        result: result(said, reply),
    }
}

fn said(reply: &RawReply) -> Result<Reply, CallError> {
    if reply.cut {
        return Err(CallError::Cut { why: format!("it ended after {} bytes", reply.body.len()) });
    }
    parse(&reply.body).map_err(|why| unreadable(reply, &why))
}

fn parse(body: &[u8]) -> Result<Reply, String> {
    let value: Value = serde_json::from_slice(body).map_err(|e| format!("it is no JSON: {e}"))?;
    if !value.is_object() {
        return Err("it is no JSON object".into());
    }
    let said: Reply = serde_json::from_value(value).map_err(|e| safe::line(&e.to_string(), 200))?;
    match said.version {
        None | Some(VERSION) => Ok(said),
        Some(other) => Err(format!("it is of version {other}, and {VERSION} is spoken")),
    }
}

/// A program that ends badly and says nothing is broken or was stopped; one that says something else speaks another language.
fn unreadable(reply: &RawReply, why: &str) -> CallError {
    let header = |name: &str| reply.headers.get(name).map(String::as_str);
    let stderr = header(STDERR).map(|text| format!("; it printed: {text}")).unwrap_or_default();
    if reply.status != 200 && reply.body.trim_ascii().is_empty() {
        let code = format!("it ended with {} and no reply{stderr}", header(EXIT).unwrap_or("an error"));
        return CallError::Overloaded { status: reply.status, after: None, code: safe::line(&code, 300) };
    }
    let what = if reply.body.trim_ascii().is_empty() { "it printed nothing" } else { why };
    CallError::Shape { what: safe::line(&format!("{what}{stderr}"), 300) }
}

fn answered_and_failed(reply: &RawReply) -> CallError {
    let exit = reply.headers.get(EXIT).map_or("an error", String::as_str);
    CallError::Shape { what: format!("it answered and then ended with {exit}") }
}

fn result(said: Reply, reply: &RawReply) -> Result<String, CallError> {
    if said.vectors.is_some() {
        return Err(CallError::Shape { what: "it has `vectors`, which were not asked for".into() });
    }
    match (said.text, said.refusal, said.error) {
        (None, None, Some(error)) => Err(failure(&error)),
        (None, Some(why), None) => Err(CallError::Refused { why: safe::line(&why, 120) }),
        (Some(_), None, None) if reply.status != 200 => Err(answered_and_failed(reply)),
        (Some(text), None, None) => match said.stop.as_deref() {
            None | Some("end") => Ok(text),
            Some("max_tokens") => Err(CallError::Truncated { why: "max_tokens".into() }),
            Some(other) => Err(CallError::Shape { what: format!("it stopped for `{}`", safe::word(other)) }),
        },
        _ => Err(CallError::Shape { what: "it has not exactly one of `text`, `refusal` and `error`".into() }),
    }
}

fn failure(error: &Error) -> CallError {
    let after = error.retry_after_ms.map(Duration::from_millis);
    let message = safe::line(&error.message, 300);
    let code = if message.is_empty() { error.kind.clone() } else { message.clone() };
    match error.kind.as_str() {
        "wait" => CallError::Wait { after, code },
        "overloaded" => CallError::Overloaded { status: error.status.unwrap_or(503), after, code },
        "spend" => CallError::Spend { code },
        "auth" => CallError::Auth { code },
        "bad-request" => CallError::BadRequest {
            code: error.status.map_or_else(|| "exec".into(), |s| s.to_string()),
            message: code,
        },
        "too-large" => CallError::TooLarge { message: code },
        "offline" => CallError::Offline { why: code },
        "cut" => CallError::Cut { why: code },
        other => CallError::Shape { what: format!("the error kind `{}` is not known", safe::word(other)) },
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn reply(status: u16, body: &str) -> RawReply {
        let headers =
            BTreeMap::from([(EXIT.to_owned(), "code 3".to_owned()), (STDERR.into(), "oops".into())]);
        RawReply { status, headers, body: body.into(), cut: false }
    }

    #[test]
    fn replies_are_read_by_what_they_say() {
        let cases = [
            (200, r#"{"text":"hi"}"#, "ok"),
            (200, r#"{"version":1,"text":"hi","stop":"end","model":"m"}"#, "ok"),
            (200, r#"{"version":2,"text":"hi"}"#, "shape"),
            (200, r#"{"text":"hi","stop":"max_tokens"}"#, "truncated"),
            (200, r#"{"text":"hi","stop":"mood"}"#, "shape"),
            (200, r#"{"refusal":"no"}"#, "refused"),
            (200, r#"{"text":"hi","refusal":"no"}"#, "shape"),
            (200, "{}", "shape"),
            (200, r#"{"text":"hi","useage":{}}"#, "shape"),
            (200, r#"{"text":"hi","usage":{"input":-1}}"#, "shape"),
            (200, "", "shape"),
            (200, "hi", "shape"),
            (200, "[]", "shape"),
            (500, "", "overloaded"),
            (500, "Traceback", "shape"),
            (500, r#"{"text":"hi"}"#, "shape"),
            (500, r#"{"error":{"kind":"wait","retry_after_ms":5}}"#, "wait"),
            (200, r#"{"error":{"kind":"spend","message":"m"}}"#, "spend"),
            (200, r#"{"error":{"kind":"auth"}}"#, "auth"),
            (200, r#"{"error":{"kind":"bad-request"}}"#, "bad-request"),
            (200, r#"{"error":{"kind":"too-large"}}"#, "too-large"),
            (200, r#"{"error":{"kind":"offline"}}"#, "offline"),
            (200, r#"{"error":{"kind":"overloaded","status":529}}"#, "overloaded"),
            (200, r#"{"error":{"kind":"mood"}}"#, "shape"),
        ];
        for (status, body, wanted) in cases {
            let result = read(&reply(status, body)).result;
            let got = result.as_ref().map_or_else(CallError::kind, |_| "ok");
            assert_eq!(got, wanted, "{status} {body}: {result:?}");
        }
        let why = read(&reply(500, "")).result.unwrap_err().to_string();
        assert!(why.contains("code 3") && why.contains("oops"), "{why}");
    }

    #[test]
    fn vectors_are_read_where_they_were_asked_for() {
        let cases = [
            (200, r#"{"vectors":[[1,0],[0,1]]}"#, "ok"),
            (200, r#"{"version":1,"vectors":[[1,0],[0,1]],"usage":{"input":3},"model":"m"}"#, "ok"),
            (200, r#"{"vectors":[[1,0]]}"#, "shape"),
            (200, r#"{"vectors":[[1,0],[1]]}"#, "shape"),
            (200, r#"{"vectors":[[1,0],[0,1]],"text":"hi"}"#, "shape"),
            (200, r#"{"text":"hi"}"#, "shape"),
            (200, r#"{"error":{"kind":"auth"}}"#, "auth"),
            (500, r#"{"vectors":[[1,0],[0,1]]}"#, "shape"),
            (500, "", "overloaded"),
        ];
        for (status, body, wanted) in cases {
            let result = read_embedding(&reply(status, body), 2).result;
            let got = result.as_ref().map_or_else(CallError::kind, |_| "ok");
            assert_eq!(got, wanted, "{status} {body}: {result:?}");
        }
        assert_eq!(read(&reply(200, r#"{"vectors":[[1]]}"#)).result.unwrap_err().kind(), "shape");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(body in prop::collection::vec(any::<u8>(), 0..200), status in 0_u16..600) {
            let _ = read(&RawReply { status, headers: BTreeMap::new(), body, cut: false });
        }
    }
}
