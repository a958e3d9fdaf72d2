//! What each wire says for the same thing.

use orch::ports::model::WireFormat;
use serde_json::{Value, json};

use WireFormat::{AnthropicMessages, GeminiGenerate, OpenaiChat, OpenaiResponses};

/// The formats spoken over HTTP.
pub const HTTP: [WireFormat; 4] = [AnthropicMessages, OpenaiResponses, OpenaiChat, GeminiGenerate];

/// An answer with usage: 30 in, of which 20 from a cache, and 9 out, of which 5 were reasoning.
pub fn answer(format: WireFormat, text: &str) -> Value {
    match format {
        AnthropicMessages => json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": "model-answered", "container": null,
            "content": [{ "type": "text", "text": text, "citations": null }],
            "stop_reason": "end_turn", "stop_sequence": null, "stop_details": null,
            "usage": { "input_tokens": 10, "cache_read_input_tokens": 20, "cache_creation_input_tokens": 0,
                "cache_creation": { "ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0 },
                "output_tokens": 9, "output_tokens_details": { "thinking_tokens": 5 }, "service_tier": "standard",
                "server_tool_use": null, "inference_geo": null },
        }),
        OpenaiResponses => json!({
            "id": "resp_1", "object": "response", "created_at": 1, "model": "model-answered", "status": "completed",
            "error": null, "incomplete_details": null, "instructions": null, "metadata": {}, "parallel_tool_calls": true,
            "temperature": null, "tool_choice": "auto", "tools": [], "top_p": null, "service_tier": "default",
            "output": [{ "id": "m", "type": "message", "role": "assistant", "status": "completed",
                "content": [{ "type": "output_text", "text": text, "annotations": [] }] }],
            "usage": { "input_tokens": 30, "input_tokens_details": { "cached_tokens": 20, "cache_write_tokens": 0 },
                "output_tokens": 9, "output_tokens_details": { "reasoning_tokens": 5 }, "total_tokens": 39 },
        }),
        OpenaiChat => json!({
            "id": "chatcmpl_1", "object": "chat.completion", "created": 1, "model": "model-answered",
            "choices": [{ "index": 0, "finish_reason": "stop", "logprobs": null,
                "message": { "role": "assistant", "content": text, "refusal": null } }],
            "usage": { "prompt_tokens": 30, "completion_tokens": 9, "total_tokens": 39,
                "prompt_tokens_details": { "cached_tokens": 20 }, "completion_tokens_details": { "reasoning_tokens": 5 } },
        }),
        _ => json!({
            "responseId": "gem_1", "modelVersion": "model-answered",
            "candidates": [{ "index": 0, "finishReason": "STOP", "content": { "role": "model", "parts": [{ "text": text }] } }],
            "usageMetadata": { "promptTokenCount": 30, "cachedContentTokenCount": 20, "candidatesTokenCount": 4,
                "thoughtsTokenCount": 5, "totalTokenCount": 39 },
        }),
    }
}

/// An answer that does not say what was used.
pub fn bare(format: WireFormat, text: &str) -> Value {
    let mut answer = answer(format, text);
    for name in ["usage", "usageMetadata"] {
        answer.as_object_mut().unwrap().shift_remove(name);
    }
    answer
}

/// An answer that was cut off at the output limit.
pub fn truncated(format: WireFormat) -> Value {
    let mut answer = answer(format, "half an ans");
    match format {
        AnthropicMessages => answer["stop_reason"] = "max_tokens".into(),
        OpenaiResponses => {
            answer["status"] = "incomplete".into();
            answer["incomplete_details"] = json!({ "reason": "max_output_tokens" });
        }
        OpenaiChat => answer["choices"][0]["finish_reason"] = "length".into(),
        _ => answer["candidates"][0]["finishReason"] = "MAX_TOKENS".into(),
    }
    answer
}

/// A refusal, in every way the format has.
pub fn refusals(format: WireFormat) -> Vec<Value> {
    let mut one = answer(format, "");
    match format {
        AnthropicMessages => {
            one["stop_reason"] = "refusal".into();
            one["stop_details"] = json!({ "type": "refusal", "category": "cyber", "explanation": null });
            vec![one]
        }
        OpenaiResponses => {
            let mut other = one.clone();
            one["output"][0]["content"] = json!([{ "type": "refusal", "refusal": "I cannot" }]);
            other["status"] = "incomplete".into();
            other["incomplete_details"] = json!({ "reason": "content_filter" });
            vec![one, other]
        }
        OpenaiChat => {
            let mut other = one.clone();
            one["choices"][0]["message"] =
                json!({ "role": "assistant", "content": null, "refusal": "I cannot" });
            other["choices"][0]["finish_reason"] = "content_filter".into();
            vec![one, other]
        }
        _ => {
            one["candidates"][0]["finishReason"] = "SAFETY".into();
            let usage = one["usageMetadata"].clone();
            vec![one, json!({ "promptFeedback": { "blockReason": "SAFETY" }, "usageMetadata": usage })]
        }
    }
}

/// The error body for a status, and the one that means money.
pub fn error(format: WireFormat, status: u16, money: bool) -> Value {
    let (word, google) = match status {
        400 => ("invalid_request_error", "INVALID_ARGUMENT"),
        401 => ("authentication_error", "UNAUTHENTICATED"),
        403 => ("permission_error", "PERMISSION_DENIED"),
        413 => ("request_too_large", "INVALID_ARGUMENT"),
        429 => ("rate_limit_error", "RESOURCE_EXHAUSTED"),
        529 => ("overloaded_error", "UNAVAILABLE"),
        503 => ("api_error", "UNAVAILABLE"),
        _ => ("api_error", "INTERNAL"),
    };
    match format {
        AnthropicMessages => {
            let details =
                if money { json!({ "error_code": "enforced_spend_limit_reached" }) } else { Value::Null };
            json!({ "type": "error", "error": { "type": word, "message": "said so", "details": details }, "request_id": "req_b" })
        }
        GeminiGenerate => {
            let quota = json!([{ "@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{ "quotaId": "RequestsPerDayPerProject" }] }]);
            let details = if money { quota } else { json!([]) };
            json!({ "error": { "code": status, "message": "said so", "status": google, "details": details } })
        }
        _ => {
            let code = if money { "credit_balance_exhausted" } else { word };
            json!({ "error": { "message": "said so", "type": word, "param": null, "code": code } })
        }
    }
}

/// The events of a stream for a text; the last one ends it.
pub fn stream(format: WireFormat, text: &str) -> Vec<Value> {
    let whole = answer(format, text);
    match format {
        AnthropicMessages => {
            let mut start = whole.clone();
            start["content"] = json!([]);
            start["stop_reason"] = Value::Null;
            start["usage"]["output_tokens"] = 1.into();
            let usage = json!({ "output_tokens": 9, "output_tokens_details": { "thinking_tokens": 5 } });
            vec![
                json!({ "type": "message_start", "message": start }),
                json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "" } }),
                json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": text } }),
                json!({ "type": "content_block_stop", "index": 0 }),
                json!({ "type": "message_delta", "delta": { "stop_reason": "end_turn", "stop_sequence": null }, "usage": usage }),
                json!({ "type": "message_stop" }),
            ]
        }
        OpenaiResponses => vec![
            json!({ "type": "response.output_text.delta", "delta": text }),
            json!({ "type": "response.completed", "response": whole }),
        ],
        OpenaiChat => vec![
            json!({ "id": "chatcmpl_1", "model": "model-answered", "choices": [{ "index": 0, "delta": { "content": text }, "finish_reason": null }] }),
            json!({ "id": "chatcmpl_1", "model": "model-answered", "choices": [{ "index": 0, "delta": {}, "finish_reason": "stop" }], "usage": whole["usage"] }),
        ],
        _ => {
            let mut first = whole.clone();
            first["candidates"][0].as_object_mut().unwrap().shift_remove("finishReason");
            let mut last = whole;
            last["candidates"][0]["content"]["parts"] = json!([]);
            vec![first, last]
        }
    }
}

/// The bytes of a stream.
pub fn sse(events: &[Value]) -> String {
    events.iter().map(|event| format!("data: {event}\n\n")).collect::<Vec<_>>().concat()
}

/// An error in a stream.
pub fn stream_error(format: WireFormat) -> Value {
    match format {
        AnthropicMessages => {
            json!({ "type": "error", "error": { "type": "overloaded_error", "message": "Overloaded" } })
        }
        OpenaiResponses => {
            json!({ "type": "error", "code": "server_error", "message": "broken", "param": null, "sequence_number": 3 })
        }
        OpenaiChat => json!({ "error": { "code": 502, "message": "broken" } }),
        _ => json!({ "error": { "code": 503, "status": "UNAVAILABLE", "message": "broken" } }),
    }
}
