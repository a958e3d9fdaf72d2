//! Replies of every wire: what they say, told apart by what there is to do.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::artifact::types::exchange::Usage;
use crate::ports::model::conformance;

const HTTP: [WireFormat; 4] = [
    WireFormat::AnthropicMessages,
    WireFormat::OpenaiResponses,
    WireFormat::OpenaiChat,
    WireFormat::GeminiGenerate,
];

fn reply(status: u16, kind: &str, body: impl Into<Vec<u8>>) -> RawReply {
    let headers = BTreeMap::from([("content-type".to_owned(), kind.to_owned())]);
    RawReply { status, headers, body: body.into(), cut: false }
}

fn of(format: WireFormat, body: &Value) -> Reading {
    read(format, &reply(200, "application/json; charset=utf-8", body.to_string()))
}

fn usage(n: [u64; 6]) -> Usage {
    let [input, cache_read, cache_write_short, cache_write_long, output, reasoning] = n;
    Usage { input, cache_read, cache_write_short, cache_write_long, output, reasoning }
}

#[test]
fn usage_is_counted_as_each_vendor_counts() {
    let cases = [
        (
            WireFormat::AnthropicMessages,
            json!({ "content": [], "stop_reason": "end_turn", "usage": { "input_tokens": 10, "cache_read_input_tokens": 100,
                "cache_creation_input_tokens": 30, "cache_creation": { "ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 15 },
                "output_tokens": 7, "output_tokens_details": { "thinking_tokens": 4 } } }),
            Some([10, 100, 15, 15, 7, 4]),
        ),
        (
            WireFormat::AnthropicMessages,
            json!({ "usage": { "input_tokens": 10, "cache_creation_input_tokens": 30, "cache_creation": null, "output_tokens": 7 } }),
            Some([10, 0, 30, 0, 7, 0]),
        ),
        (WireFormat::AnthropicMessages, json!({ "usage": { "input_tokens": -1, "output_tokens": 7 } }), None),
        (
            WireFormat::OpenaiResponses,
            json!({ "usage": { "input_tokens": 150, "input_tokens_details": { "cached_tokens": 100, "cache_write_tokens": 30,
                "cache_write_tokens_details": { "ttl_30m_tokens": 10, "ttl_12h_tokens": 20 } },
                "output_tokens": 9, "output_tokens_details": { "reasoning_tokens": 5 } } }),
            Some([20, 100, 10, 20, 9, 5]),
        ),
        (
            WireFormat::OpenaiResponses,
            json!({ "usage": { "input_tokens": 5, "input_tokens_details": { "cached_tokens": 9 }, "output_tokens": 1 } }),
            Some([0, 9, 0, 0, 1, 0]),
        ),
        (
            WireFormat::OpenaiChat,
            json!({ "usage": { "prompt_tokens": 50, "prompt_tokens_details": { "cached_tokens": 20 }, "completion_tokens": 6, "completion_tokens_details": { "reasoning_tokens": 2 }, "cost": 0.1 } }),
            Some([30, 20, 0, 0, 6, 2]),
        ),
        (
            WireFormat::OpenaiChat,
            json!({ "usage": { "prompt_tokens": 50, "prompt_tokens_details": null, "completion_tokens": 6 } }),
            Some([50, 0, 0, 0, 6, 0]),
        ),
        (WireFormat::OpenaiChat, json!({ "choices": [] }), None),
        (
            WireFormat::GeminiGenerate,
            json!({ "usageMetadata": { "promptTokenCount": 50, "cachedContentTokenCount": 20, "candidatesTokenCount": 6, "thoughtsTokenCount": 9, "toolUsePromptTokenCount": 3 } }),
            Some([33, 20, 0, 0, 15, 9]),
        ),
        (
            WireFormat::GeminiGenerate,
            json!({ "usageMetadata": { "promptTokenCount": 50 } }),
            Some([50, 0, 0, 0, 0, 0]),
        ),
        (WireFormat::GeminiGenerate, json!({}), None),
    ];
    for (format, body, wanted) in cases {
        assert_eq!(of(format, &body).usage, wanted.map(usage), "{format}: {body}");
    }
}

#[test]
fn errors_are_told_apart_by_what_there_is_to_do() {
    use WireFormat::{AnthropicMessages as A, GeminiGenerate as G, OpenaiChat as C, OpenaiResponses as R};
    let anthropic = |kind: &str, message: &str| json!({ "type": "error", "error": { "type": kind, "message": message }, "request_id": "req_1" });
    let spend = json!({ "type": "error", "error": { "type": "rate_limit_error", "message": "m", "details": { "error_code": "enforced_spend_limit_reached" } } });
    let ramp = json!({ "type": "error", "error": { "type": "rate_limit_error", "message": "m", "details": { "error_code": "ramp_limit_exceeded" } } });
    let openai =
        |code: &str| json!({ "error": { "message": "m", "type": "t", "param": null, "code": code } });
    let daily = json!({ "error": { "code": 429, "status": "RESOURCE_EXHAUSTED", "message": "m", "details": [{ "@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{ "quotaId": "GenerateRequestsPerDayPerProjectPerModel" }] }] } });
    let minute = json!({ "error": { "code": 429, "status": "RESOURCE_EXHAUSTED", "message": "m", "details": [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "12.5s" }] } });
    let bad_key = json!({ "error": { "code": 400, "status": "INVALID_ARGUMENT", "message": "API key not valid", "details": [{ "reason": "API_KEY_INVALID" }] } });
    let router = json!({ "error": { "code": 402, "message": "Insufficient credits" } });
    for (format, status, body, wanted) in [
        (A, 400, anthropic("invalid_request_error", "bad"), "bad-request"),
        (
            A,
            400,
            anthropic("invalid_request_error", "Your credit balance is too low to access the API"),
            "spend",
        ),
        (
            A,
            400,
            anthropic("invalid_request_error", "prompt is too long: 300000 tokens > 200000 maximum"),
            "too-large",
        ),
        (A, 401, anthropic("authentication_error", "m"), "auth"),
        (A, 402, anthropic("billing_error", "m"), "spend"),
        (A, 403, anthropic("permission_error", "m"), "auth"),
        (A, 404, anthropic("not_found_error", "m"), "bad-request"),
        (A, 413, anthropic("request_too_large", "m"), "too-large"),
        (A, 429, anthropic("rate_limit_error", "m"), "wait"),
        (A, 429, spend, "spend"),
        (A, 429, ramp, "wait"),
        (A, 500, anthropic("api_error", "m"), "overloaded"),
        (A, 504, anthropic("timeout_error", "m"), "overloaded"),
        (A, 529, anthropic("overloaded_error", "m"), "overloaded"),
        (R, 429, openai("rate_limit_exceeded"), "wait"),
        (R, 429, openai("slow_down"), "wait"),
        (R, 429, openai("credit_balance_exhausted"), "spend"),
        (R, 429, openai("organization_spend_limit_exceeded"), "spend"),
        (R, 429, openai("project_spend_limit_exceeded"), "spend"),
        (R, 429, openai("organization_usage_limit_exceeded"), "spend"),
        (C, 429, openai("insufficient_quota"), "spend"),
        (C, 400, openai("context_length_exceeded"), "too-large"),
        (C, 402, router, "spend"),
        (C, 401, openai("invalid_api_key"), "auth"),
        (C, 503, json!("upstream down"), "overloaded"),
        (G, 429, daily, "spend"),
        (G, 429, minute.clone(), "wait"),
        (G, 429, json!([minute]), "wait"),
        (G, 400, bad_key, "auth"),
        (G, 503, json!({ "error": { "code": 503, "status": "UNAVAILABLE", "message": "m" } }), "overloaded"),
        (G, 404, json!({}), "bad-request"),
        (C, 302, json!({}), "shape"),
        (C, 408, json!({}), "overloaded"),
        (C, 418, json!(null), "bad-request"),
    ] {
        let reading = read(format, &reply(status, "application/json", body.to_string()));
        assert_eq!(
            reading.result.as_ref().unwrap_err().kind(),
            wanted,
            "{format} {status} {body}: {reading:?}"
        );
    }
    let mut hinted = reply(400, "application/json", "{}");
    hinted.headers.insert("x-should-retry".into(), "true".into());
    assert_eq!(read(C, &hinted).result.unwrap_err().kind(), "overloaded");
    let told = read(
        G,
        &reply(
            429,
            "application/json",
            json!({ "error": { "status": "RESOURCE_EXHAUSTED", "details": [{ "retryDelay": "12.5s" }] } })
                .to_string(),
        ),
    );
    let after = Some(Duration::from_millis(12_500));
    assert_eq!(told.result, Err(CallError::Wait { after, code: "RESOURCE_EXHAUSTED".into() }));
}

#[test]
fn replies_of_200_that_are_no_answer() {
    use WireFormat::{AnthropicMessages as A, GeminiGenerate as G, OpenaiChat as C, OpenaiResponses as R};
    let chat = |finish: &str, message: Value| json!({ "choices": [{ "finish_reason": finish, "message": message }] });
    for (format, body, wanted) in [
        (
            A,
            json!({ "content": [{ "type": "text", "text": "x" }], "stop_reason": "max_tokens" }),
            "truncated",
        ),
        (A, json!({ "content": [], "stop_reason": "model_context_window_exceeded" }), "truncated"),
        (
            A,
            json!({ "content": [], "stop_reason": "refusal", "stop_details": { "category": "bio" } }),
            "refused",
        ),
        (A, json!({ "content": [], "stop_reason": "tool_use" }), "shape"),
        (A, json!({ "content": [], "stop_reason": null }), "shape"),
        (A, json!({ "stop_reason": "end_turn" }), "shape"),
        (A, json!({ "type": "error", "error": { "type": "overloaded_error" } }), "overloaded"),
        (
            R,
            json!({ "status": "incomplete", "incomplete_details": { "reason": "max_output_tokens" }, "output": [] }),
            "truncated",
        ),
        (
            R,
            json!({ "status": "incomplete", "incomplete_details": { "reason": "content_filter" }, "output": [] }),
            "refused",
        ),
        (
            R,
            json!({ "status": "completed", "output": [{ "type": "message", "content": [{ "type": "refusal", "refusal": "no" }] }] }),
            "refused",
        ),
        (R, json!({ "status": "failed", "error": { "code": "server_error", "message": "m" } }), "overloaded"),
        (
            R,
            json!({ "status": "failed", "error": { "code": "rate_limit_exceeded", "message": "m" } }),
            "wait",
        ),
        (R, json!({ "status": "queued" }), "shape"),
        (R, json!({}), "shape"),
        (C, chat("length", json!({ "content": "x" })), "truncated"),
        (C, chat("content_filter", json!({ "content": "" })), "refused"),
        (C, chat("stop", json!({ "content": null, "refusal": "no" })), "refused"),
        (C, chat("stop", json!({ "content": null })), "shape"),
        (C, chat("tool_calls", json!({ "content": "x" })), "shape"),
        (C, json!({ "error": { "code": 502, "message": "m" } }), "overloaded"),
        (C, json!({ "error": { "code": 429, "message": "m" } }), "wait"),
        (C, json!({ "choices": [] }), "shape"),
        (G, json!({ "candidates": [{ "finishReason": "MAX_TOKENS" }] }), "truncated"),
        (G, json!({ "candidates": [{ "finishReason": "SAFETY" }] }), "refused"),
        (G, json!({ "candidates": [{ "finishReason": "OTHER" }] }), "shape"),
        (G, json!({ "promptFeedback": { "blockReason": "PROHIBITED_CONTENT" } }), "refused"),
        (G, json!({}), "shape"),
    ] {
        let reading = of(format, &body);
        assert_eq!(reading.result.as_ref().unwrap_err().kind(), wanted, "{format} {body}: {reading:?}");
    }
    let why = read(A, &reply(200, "text/html", "<html>\nlogin")).result.unwrap_err().to_string();
    assert!(why.contains("text/html") && why.contains("<html> login"), "{why}");
}

#[test]
fn what_a_wire_cannot_say_is_refused() {
    let base = conformance::request("m");
    let with = |extra: Value| ModelRequest { extra: extra.as_object().unwrap().clone(), ..base.clone() };
    for (format, request) in [
        (WireFormat::AnthropicMessages, with(json!({ "max_tokens": 5 }))),
        (WireFormat::AnthropicMessages, with(json!({ "stream": true }))),
        (WireFormat::OpenaiResponses, with(json!({ "store": true }))),
        (WireFormat::OpenaiResponses, with(json!({ "prompt_cache_options": { "mode": "implicit" } }))),
        (WireFormat::OpenaiChat, with(json!({ "max_tokens": 5 }))),
        (WireFormat::OpenaiChat, with(json!({ "n": 2 }))),
        (WireFormat::GeminiGenerate, with(json!({ "generationConfig": { "maxOutputTokens": 5 } }))),
        (WireFormat::GeminiGenerate, with(json!({ "generationConfig": { "candidateCount": 2 } }))),
        (WireFormat::GeminiGenerate, ModelRequest { effort: Some("xhigh".into()), ..base.clone() }),
        (WireFormat::GeminiGenerate, ModelRequest { model: "a/../b".into(), ..base.clone() }),
        (WireFormat::GeminiGenerate, ModelRequest { model: "m?key=x".into(), ..base.clone() }),
        (WireFormat::OpenaiChat, ModelRequest { effort: Some(String::new()), ..base.clone() }),
        (WireFormat::OpenaiChat, ModelRequest { model: " ".into(), ..base.clone() }),
    ] {
        let error = encode(format, Options::default(), &request).unwrap_err();
        assert_eq!(error.kind(), "unsupported", "{format} {request:?}");
    }
    let taken = |format, extra| encode(format, Options::default(), &with(extra)).unwrap().body;
    let body = taken(
        WireFormat::GeminiGenerate,
        json!({ "generationConfig": { "temperature": 0 }, "safetySettings": [] }),
    );
    assert_eq!(body["generationConfig"], json!({ "maxOutputTokens": 1024, "temperature": 0 }));
    let body =
        taken(WireFormat::OpenaiResponses, json!({ "prompt_cache_options": null, "service_tier": "flex" }));
    assert!(
        !body.contains_key("prompt_cache_options")
            && body["service_tier"] == "flex"
            && body["store"] == false
    );
}

#[test]
fn large_answers_of_anthropic_are_streamed() {
    for (max, streamed) in [(21_333, false), (21_334, true)] {
        let request = ModelRequest { max_output: max, ..conformance::request("m") };
        let body = encode(WireFormat::AnthropicMessages, Options::default(), &request).unwrap().body;
        assert_eq!(body.contains_key("stream"), streamed);
    }
}

/// A stream of each format for a text in pieces, and the same reply in one.
fn both(format: WireFormat, pieces: &[String]) -> (String, Value) {
    let text = pieces.concat();
    let data = |value: Value| format!("data: {value}\n\n");
    let mut stream = String::new();
    let whole = match format {
        WireFormat::AnthropicMessages => {
            let usage = json!({ "input_tokens": 5, "output_tokens": 1 });
            stream += &data(
                json!({ "type": "message_start", "message": { "model": "m", "content": [], "stop_reason": null, "usage": usage } }),
            );
            stream += &data(
                json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "thinking", "thinking": "" } }),
            );
            stream += &data(
                json!({ "type": "content_block_start", "index": 1, "content_block": { "type": "text", "text": "" } }),
            );
            for piece in pieces {
                stream += &data(
                    json!({ "type": "content_block_delta", "index": 1, "delta": { "type": "text_delta", "text": piece } }),
                );
                stream += "event: ping\ndata: {\"type\": \"ping\"}\n\n";
            }
            stream += &data(
                json!({ "type": "message_delta", "delta": { "stop_reason": "end_turn" }, "usage": { "output_tokens": 9 } }),
            );
            stream += &data(json!({ "type": "message_stop" }));
            json!({ "model": "m", "content": [{ "type": "thinking", "thinking": "t" }, { "type": "text", "text": text }], "stop_reason": "end_turn", "usage": { "input_tokens": 5, "output_tokens": 9 } })
        }
        WireFormat::OpenaiResponses => {
            let whole = json!({ "id": "r", "model": "m", "status": "completed", "error": null, "service_tier": "default",
                "output": [{ "type": "reasoning" }, { "type": "message", "content": [{ "type": "output_text", "text": text }] }],
                "usage": { "input_tokens": 5, "output_tokens": 9 } });
            stream += &data(json!({ "type": "response.created", "response": { "id": "r" } }));
            for piece in pieces {
                stream += &data(json!({ "type": "response.output_text.delta", "delta": piece }));
            }
            stream += &data(json!({ "type": "response.completed", "response": whole }));
            whole
        }
        WireFormat::OpenaiChat => {
            for piece in pieces {
                stream += &data(
                    json!({ "id": "c", "model": "m", "usage": null, "choices": [{ "index": 0, "delta": { "content": piece }, "finish_reason": null }] }),
                );
            }
            stream += &data(
                json!({ "id": "c", "model": "m", "choices": [{ "index": 0, "delta": {}, "finish_reason": "stop" }] }),
            );
            stream += &data(
                json!({ "id": "c", "model": "m", "choices": [], "usage": { "prompt_tokens": 5, "completion_tokens": 9 } }),
            );
            stream += "data: [DONE]\n\n";
            json!({ "id": "c", "model": "m", "choices": [{ "index": 0, "message": { "content": text }, "finish_reason": "stop" }], "usage": { "prompt_tokens": 5, "completion_tokens": 9 } })
        }
        _ => {
            for piece in pieces {
                stream += &data(
                    json!({ "responseId": "g", "modelVersion": "m", "candidates": [{ "content": { "parts": [{ "text": piece }] } }] }),
                );
            }
            stream += &data(
                json!({ "responseId": "g", "modelVersion": "m", "candidates": [{ "content": { "parts": [{ "text": "t", "thought": true }] }, "finishReason": "STOP" }], "usageMetadata": { "promptTokenCount": 5, "candidatesTokenCount": 9 } }),
            );
            json!({ "responseId": "g", "modelVersion": "m", "candidates": [{ "content": { "parts": [{ "text": text }] }, "finishReason": "STOP" }], "usageMetadata": { "promptTokenCount": 5, "candidatesTokenCount": 9 } })
        }
    };
    (stream, whole)
}

proptest! {
    #[test]
    fn a_stream_reads_as_the_whole_reply_and_cut_anywhere_never_as_another(pieces in prop::collection::vec("\\PC{0,12}", 1..6), at in any::<prop::sample::Index>()) {
        for format in HTTP {
            let (stream, whole) = both(format, &pieces);
            let folded = read(format, &reply(200, "text/event-stream", stream.clone()));
            prop_assert_eq!(&folded, &of(format, &whole), "{}", format);
            prop_assert_eq!(folded.result, Ok(pieces.concat()));
            // Without a content type and with the other line end it is the same.
            let other = RawReply { status: 200, headers: BTreeMap::new(), body: stream.replace('\n', "\r\n").into(), cut: false };
            prop_assert_eq!(read(format, &other).result, Ok(pieces.concat()));
            let at = at.index(stream.len());
            let mut part = reply(200, "text/event-stream", &stream.as_bytes()[..at]);
            part.cut = true;
            match read(format, &part).result {
                Ok(text) => prop_assert_eq!(text, pieces.concat()),
                Err(error) => prop_assert_eq!(error.kind(), "cut"),
            }
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(body in prop::collection::vec(any::<u8>(), 0..300), status in 0_u16..700, cut in any::<bool>(), kind in prop::sample::select(vec!["application/json", "text/event-stream", "text/html", ""])) {
        for format in WireFormat::ALL {
            let mut raw = reply(status, kind, body.clone());
            raw.cut = cut;
            let _ = read(*format, &raw);
            let _ = read_count(*format, &raw);
        }
    }

    #[test]
    fn documents_of_any_shape_are_read_without_a_panic(document in any_json(), status in prop::sample::select(vec![200_u16, 400, 429, 529])) {
        for format in HTTP {
            let body = document.to_string();
            let one = read(format, &reply(status, "application/json", body.clone()));
            prop_assert!(status == 200 || one.result.is_err());
            let _ = read(format, &reply(status, "text/event-stream", format!("data: {body}\n\ndata: {body}\n\n")));
        }
    }
}

/// JSON made of the names the wires use, so that it gets far.
fn any_json() -> impl Strategy<Value = Value> {
    let names = prop::sample::select(vec![
        "error",
        "type",
        "message",
        "code",
        "status",
        "details",
        "content",
        "choices",
        "finish_reason",
        "stop_reason",
        "output",
        "usage",
        "input_tokens",
        "output_tokens",
        "candidates",
        "finishReason",
        "parts",
        "text",
        "promptFeedback",
        "delta",
        "response",
        "index",
        "usageMetadata",
        "promptTokenCount",
        "cache_creation",
        "violations",
        "retryDelay",
    ]);
    let words = prop::sample::select(vec![
        "error",
        "message_start",
        "message_stop",
        "message_delta",
        "content_block_delta",
        "response.completed",
        "stop",
        "STOP",
        "end_turn",
        "completed",
        "12s",
        "text",
        "output_text",
        "message",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        Just(Value::from(u64::MAX)),
        words.prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names.clone(), inner), 0..6).prop_map(|members| Value::Object(
                members.into_iter().map(|(n, v)| (n.to_owned(), v)).collect()
            )),
        ]
    })
}
