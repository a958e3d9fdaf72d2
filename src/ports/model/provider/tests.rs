//! What is sent, and to whom.

use std::sync::Mutex;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::ports::credential::NoCredential;

#[derive(Default)]
struct Spy(Mutex<Vec<HttpRequest>>, &'static str);

impl Transport for Spy {
    fn send(&self, request: &HttpRequest) -> Result<RawReply, CallError> {
        self.0.lock().unwrap().push(request.clone());
        Ok(RawReply { status: 401, headers: BTreeMap::new(), body: self.1.into(), cut: false })
    }
}

struct Shows(CredentialKind);

impl CredentialSource for Shows {
    fn credential(&self) -> Result<Option<Credential>, CallError> {
        Ok(Some(Credential { secret: Secret::new("s3cr3t-k3y".into()), kind: self.0 }))
    }
}

fn request() -> ModelRequest {
    super::super::conformance::request("m")
}

fn http(endpoint: Endpoint) -> Result<Arc<dyn Provider>, EndpointError> {
    http_provider(endpoint, Arc::new(NoCredential), Arc::new(Spy::default()))
}

#[test]
fn targets_are_made_from_the_base() {
    use WireFormat::{AnthropicMessages, GeminiGenerate, OpenaiChat, OpenaiResponses};
    let cases = [
        (AnthropicMessages, None, "https://api.anthropic.com/v1/messages"),
        (AnthropicMessages, Some("http://127.0.0.1:1"), "http://127.0.0.1:1/v1/messages"),
        (AnthropicMessages, Some("https://g/anthropic/v1/"), "https://g/anthropic/v1/messages"),
        (OpenaiResponses, None, "https://api.openai.com/v1/responses"),
        (OpenaiChat, Some("http://localhost:11434/v1/"), "http://localhost:11434/v1/chat/completions"),
        (
            OpenaiChat,
            Some("https://r.openai.azure.com/openai/v1?api-version=preview"),
            "https://r.openai.azure.com/openai/v1/chat/completions?api-version=preview",
        ),
        (GeminiGenerate, None, "https://generativelanguage.googleapis.com/v1beta/models/m:generateContent"),
    ];
    for (format, base, wanted) in cases {
        let endpoint = Endpoint { base_url: base.map(str::to_owned), ..Endpoint::new("p", format) };
        assert_eq!(http(endpoint).unwrap().prepare(&request()).unwrap().target, wanted);
    }
    let stream = Endpoint { stream: true, ..Endpoint::new("p", GeminiGenerate) };
    let target = http(stream).unwrap().prepare(&request()).unwrap().target;
    assert!(target.ends_with("/models/m:streamGenerateContent?alt=sse"), "{target}");
}

#[test]
fn credentials_are_shown_as_each_wire_wants_and_recorded_nowhere() {
    use CredentialKind::{Key, Token};
    use WireFormat::{AnthropicMessages, GeminiGenerate, OpenaiChat, OpenaiResponses};
    let cases = [
        (AnthropicMessages, Key, None, "x-api-key", "s3cr3t-k3y"),
        (AnthropicMessages, Token, None, "authorization", "Bearer s3cr3t-k3y"),
        (OpenaiResponses, Key, None, "authorization", "Bearer s3cr3t-k3y"),
        (OpenaiChat, Token, Some("api-key"), "authorization", "Bearer s3cr3t-k3y"),
        (OpenaiChat, Key, Some("api-key"), "api-key", "s3cr3t-k3y"),
        (GeminiGenerate, Key, None, "x-goog-api-key", "s3cr3t-k3y"),
        (GeminiGenerate, Token, None, "authorization", "Bearer s3cr3t-k3y"),
    ];
    for (format, kind, auth_header, header, value) in cases {
        let headers = BTreeMap::from([("Anthropic-Beta".to_owned(), "mine".to_owned())]);
        let auth_header = auth_header.map(str::to_owned);
        let endpoint = Endpoint { auth_header, headers, ..Endpoint::new("p", format) };
        let spy = Arc::new(Spy(Mutex::default(), "the key s3cr3t-k3y is wrong"));
        let provider =
            http_provider(endpoint, Arc::new(Shows(kind)), Arc::clone(&spy) as Arc<dyn Transport>).unwrap();
        let prepared = provider.prepare(&request()).unwrap();
        let reply = provider.send(&prepared, Duration::from_secs(1)).unwrap();
        assert_eq!(reply.body, b"the key *** is wrong");
        let sent = spy.0.lock().unwrap().remove(0);
        let secrets: Vec<_> = sent
            .headers
            .iter()
            .filter_map(
                |(n, v)| if let HeaderText::Secret(s) = v { Some((n.as_str(), s.expose())) } else { None },
            )
            .collect();
        assert_eq!(secrets, [(header, value)], "{format}");
        let beta = sent.headers.iter().find(|(n, _)| n == "anthropic-beta").map(|(_, v)| v.clone());
        let wanted =
            if format == AnthropicMessages && kind == Token { "mine,oauth-2025-04-20" } else { "mine" };
        assert_eq!(beta, Some(HeaderText::Plain(wanted.into())));
        for text in [format!("{prepared:?}"), format!("{sent:?}"), format!("{reply:?}")] {
            assert!(!text.contains("s3cr3t"), "{text}");
        }
    }
}

#[test]
fn an_endpoint_that_could_leak_is_refused() {
    let cases = [
        (Some("http://api.openai.com/v1"), "user-agent-x", None, "not https"),
        (Some("http://127.0.0.1.evil.com/"), "x-a", None, "not https"),
        (Some("http://localhost@evil.com"), "x-a", None, "user name"),
        (None, "Authorization", None, "carries a credential"),
        (None, "x-mine", Some("X-Mine"), "carries a credential"),
        (None, "Host", None, "set by orch"),
        (None, "x a", None, "characters"),
        (None, "x-a", Some("content-type"), "cannot carry"),
    ];
    for (base, header, auth_header, named) in cases {
        let endpoint = Endpoint {
            base_url: base.map(str::to_owned),
            auth_header: auth_header.map(str::to_owned),
            headers: BTreeMap::from([(header.to_owned(), "v".to_owned())]),
            ..Endpoint::new("p", WireFormat::OpenaiChat)
        };
        let why = http(endpoint).err().unwrap().to_string();
        assert!(why.contains(named), "{why}");
    }
    assert!(http(Endpoint::new("p", WireFormat::Exec)).is_err());
}

#[test]
fn a_request_for_another_place_is_not_sent() {
    let provider = http(Endpoint::new("p", WireFormat::OpenaiChat)).unwrap();
    let good = provider.prepare(&request()).unwrap();
    for target in [
        "https://evil.com/v1/chat/completions",
        "http://api.openai.com/v1/x",
        "https://api.openai.com/v2",
        "x",
    ] {
        let prepared = Prepared { target: target.into(), ..good.clone() };
        let error = provider.send(&prepared, Duration::from_secs(1)).unwrap_err();
        assert_eq!(error.kind(), "unsupported", "{target}");
    }
}

proptest! {
    /// Whatever is asked, what is prepared is the same twice and holds every text that was given.
    #[test]
    fn nothing_is_dropped(system in "\\PC{0,40}", context in "\\PC{0,40}", prompt in "\\PC{1,40}", max in 1_u32..64_000, cache in any::<bool>()) {
        for format in [WireFormat::AnthropicMessages, WireFormat::OpenaiResponses, WireFormat::OpenaiChat, WireFormat::GeminiGenerate] {
            let provider = http(Endpoint::new("p", format)).unwrap();
            let request = ModelRequest { system: system.clone(), context: context.clone(), prompt: prompt.clone(), max_output: max, cache_prefix: cache, effort: Some("low".into()), ..request() };
            let prepared = provider.prepare(&request).unwrap();
            prop_assert_eq!(&prepared, &provider.prepare(&request).unwrap());
            let body = prepared.body.to_string();
            for text in [&system, &context, &prompt] {
                prop_assert!(body.contains(json!(text).to_string().trim_matches('"')));
            }
            prop_assert!(body.contains(&max.to_string()) && body.to_lowercase().contains("\"low\""));
        }
    }
}
