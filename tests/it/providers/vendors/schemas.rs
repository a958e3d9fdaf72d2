//! Requests as we send them, and replies as our tests make them up, against the vendors' own types.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use orch::ports::credential::NoCredential;
use orch::ports::model::http::HttpTransport;
use orch::ports::model::{
    EmbeddingRequest, Endpoint, ModelRequest, Provider, RawReply, WireFormat, conformance, http_provider,
};
use serde_json::{Map, Value, json};

use super::super::wires::{self, HTTP};
use super::stand_in;

fn validator(name: &str) -> Option<jsonschema::Validator> {
    let folder = stand_in("ORCH_STAND_IN_VENDOR_SCHEMAS")?;
    let text = std::fs::read_to_string(Path::new(&folder).join(format!("{name}.json"))).unwrap();
    Some(jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap())
}

fn fits(validator: &jsonschema::Validator, value: &Value, what: &str) {
    let faults: Vec<String> = validator
        .iter_errors(value)
        .map(|e| format!("{} at {}", e.to_string().chars().take(300).collect::<String>(), e.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{what}: {value}\n{faults:#?}");
}

/// Every shape of request there is: with and without each part.
fn requests() -> Vec<ModelRequest> {
    let base = conformance::request("some-model");
    let effort = Some("high".to_owned());
    vec![
        base.clone(),
        ModelRequest { system: String::new(), ..base.clone() },
        ModelRequest {
            context: "stable".into(),
            schema: Some(conformance::schema()),
            effort: effort.clone(),
            ..base.clone()
        },
        ModelRequest { context: "stable".into(), cache_prefix: true, max_output: 64_000, effort, ..base },
    ]
}

fn providers(format: WireFormat) -> Vec<Arc<dyn Provider>> {
    [false, true]
        .map(|stream| {
            let endpoint = Endpoint { stream, ..Endpoint::new("p", format) };
            http_provider(endpoint, Arc::new(NoCredential), Arc::new(HttpTransport::new())).unwrap()
        })
        .into()
}

#[test]
#[ignore = "needs the vendors' Python packages: tests/stand-ins/run vendor-schemas"]
fn requests_fit_the_vendors_schemas() {
    for format in HTTP {
        let Some(validator) = validator(&format!("{format}.request")) else { return };
        for provider in providers(format) {
            for request in requests() {
                fits(&validator, &provider.prepare(&request).unwrap().body, format.as_str());
            }
        }
        // The check is one: a name the vendor does not know is found.
        let extra = Map::from_iter([("no_such_setting".to_owned(), json!(1))]);
        let wrong = ModelRequest { extra, ..conformance::request("m") };
        let body = providers(format)[0].prepare(&wrong).unwrap().body;
        assert!(!validator.is_valid(&body), "{format}: the schema takes anything");
    }
}

#[test]
#[ignore = "needs the vendors' Python packages: tests/stand-ins/run vendor-schemas"]
fn counts_fit_the_vendors_schemas() {
    use super::super::server::{Act, Server, reply};
    for format in [WireFormat::AnthropicMessages, WireFormat::OpenaiResponses] {
        let Some(validator) = validator(&format!("{format}.count")) else { return };
        for request in requests() {
            let server = Server::start(Act::Send(reply(
                200,
                &[("content-type", "application/json")],
                b"{\"input_tokens\":1}",
            )));
            let endpoint = Endpoint { base_url: Some(server.url("")), ..Endpoint::new("p", format) };
            let provider =
                http_provider(endpoint, Arc::new(NoCredential), Arc::new(HttpTransport::new())).unwrap();
            provider.count(&request, std::time::Duration::from_secs(5)).unwrap();
            fits(&validator, &serde_json::from_slice(&server.seen()[0].body).unwrap(), format.as_str());
        }
    }
}

#[test]
#[ignore = "needs the vendors' Python packages: tests/stand-ins/run vendor-schemas"]
fn replies_of_the_suite_fit_the_vendors_schemas() {
    for format in HTTP {
        let Some(validator) = validator(&format!("{format}.reply")) else { return };
        let mut replies = vec![wires::answer(format, "text"), wires::truncated(format)];
        replies.extend(wires::refusals(format));
        for reply in replies {
            fits(&validator, &reply, format.as_str());
        }
    }
    let Some(events) = validator("anthropic-messages.event") else { return };
    for event in wires::stream(WireFormat::AnthropicMessages, "text") {
        fits(&events, &event, "event");
    }
    let Some(errors) = validator("anthropic-messages.error") else { return };
    for (status, money) in
        [(400, false), (401, false), (403, false), (429, false), (429, true), (500, false), (529, false)]
    {
        fits(&errors, &wires::error(WireFormat::AnthropicMessages, status, money), "error");
    }
}

#[test]
#[ignore = "needs the vendors' Python packages: tests/stand-ins/run vendor-schemas"]
fn embeddings_fit_the_vendors_schemas() {
    let Some(requests) = validator("openai-embeddings.request") else { return };
    let Some(replies) = validator("openai-embeddings.reply") else { return };
    let reply = json!({
        "object": "list", "model": "m", "usage": { "prompt_tokens": 3, "total_tokens": 3 },
        "data": [{ "object": "embedding", "index": 0, "embedding": [0.6, 0.8] }],
    });
    fits(&replies, &reply, "reply");
    for format in [WireFormat::OpenaiChat, WireFormat::OpenaiResponses] {
        for provider in providers(format) {
            let request =
                EmbeddingRequest { model: "some-model".into(), texts: vec!["a".into(), "b".into()] };
            let mut body = provider.prepare_embedding(&request).unwrap().body;
            fits(&requests, &body, format.as_str());
            body["no_such_setting"] = 1.into();
            assert!(!requests.is_valid(&body), "the schema takes anything");
            let raw = RawReply {
                status: 200,
                headers: BTreeMap::new(),
                body: reply.to_string().into(),
                cut: false,
            };
            assert_eq!(provider.read_embedding(&raw, 1).result.unwrap(), [[0.6, 0.8]]);
        }
    }
}
