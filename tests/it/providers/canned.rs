//! The suite: the same cases for every adapter that speaks HTTP, over a real connection.

use std::sync::Arc;
use std::time::{Duration, Instant};

use orch::ports::credential::{Credential, CredentialKind, CredentialSource, NoCredential};
use orch::ports::model::http::HttpTransport;
use orch::ports::model::{
    CallError, Endpoint, ModelRequest, Provider, RawReply, Reading, Usage, WireFormat, conformance,
    http_provider,
};
use orch::ports::secret::Secret;
use serde_json::{Value, json};

use super::server::{Act, Server, reply};
use super::wires::{self, HTTP};

const JSON: (&str, &str) = ("content-type", "application/json");
/// Headers of a reply.
type Headers<'a> = &'a [(&'a str, &'a str)];
const LONG: Duration = Duration::from_secs(20);

pub struct Key(pub &'static str);

impl CredentialSource for Key {
    fn credential(&self) -> Result<Option<Credential>, CallError> {
        Ok(Some(Credential { secret: Secret::new(self.0.into()), kind: CredentialKind::Key }))
    }
}

pub fn provider(
    format: WireFormat,
    base: String,
    credential: Arc<dyn CredentialSource>,
) -> Arc<dyn Provider> {
    let endpoint = Endpoint { base_url: Some(base), ..Endpoint::new("tested", format) };
    http_provider(endpoint, credential, Arc::new(HttpTransport::new())).unwrap()
}

/// Calls a server that does one thing.
fn call(format: WireFormat, act: Act, timeout: Duration) -> (Result<RawReply, CallError>, Option<Reading>) {
    let server = Server::start(act);
    let provider = provider(format, server.url(""), Arc::new(NoCredential));
    let prepared = provider.prepare(&conformance::request("m")).unwrap();
    let reply = provider.send(&prepared, timeout);
    let reading = reply.as_ref().ok().map(|reply| provider.read(reply));
    assert!(server.seen().len() <= 1, "sent {} times", server.seen().len());
    (reply, reading)
}

/// Returns what came of a call: `ok`, or the kind of error.
fn outcome(format: WireFormat, act: Act) -> (String, Option<CallError>) {
    let (reply, reading) = call(format, act, LONG);
    let result = reply.and_then(|_| reading.unwrap().result);
    (result.as_ref().map_or_else(|e| e.kind().to_owned(), |_| "ok".to_owned()), result.err())
}

fn ok(body: &Value) -> Act {
    Act::Send(reply(200, &[JSON], body.to_string().as_bytes()))
}

fn failing(format: WireFormat, status: u16, money: bool, headers: &[(&str, &str)]) -> Act {
    let headers: Vec<(&str, &str)> = [JSON].iter().chain(headers).copied().collect();
    Act::Send(reply(status, &headers, wires::error(format, status, money).to_string().as_bytes()))
}

#[test]
fn an_answer_with_its_usage_model_and_id() {
    for format in HTTP {
        let body = wires::answer(format, "h\u{e4}llo \u{1f600}").to_string();
        let headers =
            [JSON, ("request-id", "req_h"), ("x-request-id", "req_h"), ("openai-organization", "org-1")];
        let (raw, reading) = call(format, Act::Send(reply(200, &headers, body.as_bytes())), LONG);
        let reading = reading.unwrap();
        assert_eq!(reading.result, Ok("h\u{e4}llo \u{1f600}".into()), "{format}");
        let usage = Usage { input: 10, cache_read: 20, output: 9, reasoning: 5, ..Usage::default() };
        assert_eq!(reading.usage, Some(usage), "{format}");
        assert_eq!(reading.model.as_deref(), Some("model-answered"), "{format}");
        assert_eq!(reading.request_id.as_deref(), Some("req_h"), "{format}");
        assert!(!raw.unwrap().headers.contains_key("openai-organization"));
        // Usage that is not told is absent, not 0.
        let (_, reading) = call(format, ok(&wires::bare(format, "hi")), LONG);
        let reading = reading.unwrap();
        assert_eq!((reading.result, reading.usage), (Ok("hi".into()), None), "{format}");
    }
}

#[test]
fn statuses_are_told_apart() {
    for format in HTTP {
        for (status, money, wanted) in [
            (400, false, "bad-request"),
            (401, false, "auth"),
            (403, false, "auth"),
            (413, false, "too-large"),
            (429, false, "wait"),
            (429, true, "spend"),
            (500, false, "overloaded"),
            (503, false, "overloaded"),
            (529, false, "overloaded"),
        ] {
            let (got, error) = outcome(format, failing(format, status, money, &[]));
            assert_eq!(got, wanted, "{format} {status} {money}: {error:?}");
        }
    }
}

#[test]
fn the_wait_is_what_the_server_says() {
    let date = ("date", "Fri, 27 Nov 2026 10:00:00 GMT");
    let cases: [(Headers<'_>, Option<u64>); 5] = [
        (&[], None),
        (&[("Retry-After", "7")], Some(7000)),
        (&[("retry-after-ms", "250"), ("retry-after", "7")], Some(250)),
        (&[("retry-after", "Fri, 27 Nov 2026 10:01:00 GMT"), date], Some(60_000)),
        // Twice, in two spellings: the longer one is the safe one.
        (&[("retry-after", "3"), ("RETRY-AFTER", "5")], Some(5000)),
    ];
    for format in HTTP {
        for (headers, wanted) in cases {
            let wanted = wanted.map(Duration::from_millis);
            let (_, error) = outcome(format, failing(format, 429, false, headers));
            assert!(
                matches!(error, Some(CallError::Wait { after, .. }) if after == wanted),
                "{format} {headers:?}: {error:?}"
            );
            let (_, error) = outcome(format, failing(format, 529, false, headers));
            assert!(
                matches!(error, Some(CallError::Overloaded { status: 529, after, .. }) if after == wanted),
                "{format} {error:?}"
            );
        }
    }
}

#[test]
fn answers_that_are_none() {
    for format in HTTP {
        let (_, reading) = call(format, ok(&wires::truncated(format)), LONG);
        let reading = reading.unwrap();
        assert_eq!(reading.result.unwrap_err().kind(), "truncated", "{format}");
        assert!(reading.usage.is_some() && reading.stop.is_some(), "{format}: it was billed");
        for refusal in wires::refusals(format) {
            let (_, reading) = call(format, ok(&refusal), LONG);
            let reading = reading.unwrap();
            assert_eq!(reading.result.unwrap_err().kind(), "refused", "{format} {refusal}");
            assert!(reading.usage.is_some(), "{format}: it was billed");
        }
        // A text that misses the schema is data: who asked validates it.
        let (_, reading) = call(format, ok(&wires::answer(format, "no JSON at all")), LONG);
        assert_eq!(reading.unwrap().result, Ok("no JSON at all".into()));
    }
}

#[test]
fn replies_that_cannot_be_read() {
    let html = b"<html><body>please log in</body></html>";
    for format in HTTP {
        let whole = wires::answer(format, "hi").to_string();
        let cases: [(&str, Vec<u8>, &str); 9] = [
            ("bad JSON", reply(200, &[JSON], b"{\"a\": "), "shape"),
            ("no object", reply(200, &[JSON], b"[]"), "shape"),
            ("empty", reply(200, &[JSON], b""), "shape"),
            ("another document", reply(200, &[JSON], b"{}"), "shape"),
            ("a page of a proxy", reply(200, &[("content-type", "text/html")], html), "shape"),
            ("a broken gateway", reply(502, &[("content-type", "text/html")], html), "overloaded"),
            ("a redirect", reply(302, &[JSON, ("location", "https://evil.example/")], b"{}"), "shape"),
            (
                "a temporary redirect",
                reply(307, &[JSON, ("location", "/elsewhere")], whole.as_bytes()),
                "shape",
            ),
            ("invalid UTF-8", reply(200, &[JSON], b"{\"a\":\"\xff\xfe\"}"), "shape"),
        ];
        for (what, bytes, wanted) in cases {
            let (got, error) = outcome(format, Act::Send(bytes));
            assert_eq!(got, wanted, "{format} {what}: {error:?}");
        }
    }
}

#[test]
fn odd_headers_do_no_harm() {
    for format in HTTP {
        let whole = wires::answer(format, "hi").to_string();
        for headers in [
            vec![("content-type", "application/json"), ("Content-Type", "application/json; charset=utf-8")],
            vec![("CONTENT-TYPE", "Application/JSON;charset=UTF-8")],
            vec![("content-type", "application/vnd.x+json")],
            vec![],
            vec![JSON, ("x-request-id", "a"), ("X-Request-Id", "b"), ("x-empty", ""), ("x-bytes", "\u{e9}")],
            vec![JSON, ("date", "never"), ("retry-after", "\u{e9}")],
        ] {
            let (got, error) = outcome(format, Act::Send(reply(200, &headers, whole.as_bytes())));
            assert_eq!(got, "ok", "{format} {headers:?}: {error:?}");
        }
        let twice = format!(
            "HTTP/1.1 200 X\r\ncontent-length: {0}\r\ncontent-length: {0}\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n{whole}",
            whole.len()
        );
        assert_eq!(outcome(format, Act::Send(twice.into())).0, "ok", "{format}");
        // Two lengths are an attack or a fault, and no answer.
        let two =
            format!("HTTP/1.1 200 X\r\ncontent-length: {}\r\ncontent-length: 2\r\n\r\n{whole}", whole.len());
        assert_ne!(outcome(format, Act::Send(two.into())).0, "ok", "{format}");
        let chunked = format!(
            "HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n{:x}\r\n{whole}\r\n0\r\n\r\n",
            whole.len()
        );
        assert_eq!(outcome(format, Act::Send(chunked.into())).0, "ok", "{format}");
    }
}

#[test]
fn a_stream_is_folded_and_its_faults_are_seen() {
    let kind = ("content-type", "text/event-stream; charset=utf-8");
    for format in HTTP {
        let events = wires::stream(format, "streamed text");
        let whole = reply(200, &[kind], wires::sse(&events).as_bytes());
        let (_, reading) = call(format, Act::Send(whole), LONG);
        let reading = reading.unwrap();
        assert_eq!(reading.result, Ok("streamed text".into()), "{format}");
        let usage = Usage { input: 10, cache_read: 20, output: 9, reasoning: 5, ..Usage::default() };
        assert_eq!(reading.usage, Some(usage), "{format}");
        for end in 0..events.len() {
            let part = wires::sse(&events[..end]);
            let (got, error) = outcome(format, Act::Send(reply(200, &[kind], part.as_bytes())));
            assert_eq!(got, "cut", "{format} after {end} events: {error:?}");
            // The same when the connection breaks instead of ending.
            let head = format!(
                "HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\ncontent-type: text/event-stream\r\n\r\n{:x}\r\n{part}\r\n",
                part.len()
            );
            if !part.is_empty() {
                assert_eq!(outcome(format, Act::Send(head.into())).0, "cut", "{format} after {end} events");
            }
        }
        let mut failing = events.clone();
        failing.pop();
        failing.push(wires::stream_error(format));
        let (got, error) = outcome(format, Act::Send(reply(200, &[kind], wires::sse(&failing).as_bytes())));
        assert_eq!(got, "overloaded", "{format}: {error:?}");
    }
}

#[test]
fn a_body_that_is_cut_keeps_what_came() {
    for format in HTTP {
        let whole = wires::answer(format, "hi").to_string();
        let half = &whole[..whole.len() / 2];
        let bytes = format!(
            "HTTP/1.1 200 X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{half}",
            whole.len()
        );
        let (raw, reading) = call(format, Act::Send(bytes.into()), LONG);
        let raw = raw.unwrap();
        assert!(raw.cut && raw.body == half.as_bytes(), "{format}: {raw:?}");
        assert_eq!(reading.unwrap().result.unwrap_err().kind(), "cut", "{format}");
        // Closed without a byte: the request had arrived, so it may be billed.
        let (got, error) = outcome(format, Act::Close);
        assert_eq!(got, "cut", "{format}");
        assert!(error.unwrap().may_be_billed());
    }
}

#[test]
fn a_hang_ends_at_the_deadline() {
    let body = wires::answer(WireFormat::OpenaiChat, "hi").to_string();
    let whole = reply(200, &[JSON], body.as_bytes());
    for format in HTTP {
        for (what, act) in [
            ("no byte", Act::Hang(Vec::new())),
            ("a head only", Act::Hang(whole[..60].to_vec())),
            ("half a body", Act::Hang(whole[..whole.len() - 20].to_vec())),
            ("byte by byte", Act::Dribble(whole.clone(), Duration::from_millis(50))),
        ] {
            let started = Instant::now();
            let limit = Duration::from_millis(400);
            let (raw, _) = call(format, act, limit);
            let error = raw.unwrap_err();
            assert_eq!(error, CallError::Timeout { within: limit, maybe_billed: true }, "{format} {what}");
            assert!(started.elapsed() < Duration::from_secs(4), "{format} {what}: {:?}", started.elapsed());
        }
    }
}

#[test]
fn what_was_never_sent_is_not_billed() {
    // A port that nothing listens on.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let provider = provider(WireFormat::OpenaiChat, format!("http://{free}/v1"), Arc::new(NoCredential));
    let prepared = provider.prepare(&conformance::request("m")).unwrap();
    let error = provider.send(&prepared, LONG).unwrap_err();
    assert!(error.kind() == "offline" && !error.may_be_billed(), "{error:?}");
    // Nobody speaks TLS there.
    let server = Server::start(Act::Send(reply(200, &[JSON], b"{}")));
    let endpoint = Endpoint {
        base_url: Some(format!("https://{}", server.address)),
        ..Endpoint::new("p", WireFormat::OpenaiChat)
    };
    let provider =
        http_provider(endpoint, Arc::new(Key("s3cr3t-k3y")), Arc::new(HttpTransport::new())).unwrap();
    let prepared = provider.prepare(&conformance::request("m")).unwrap();
    let error = provider.send(&prepared, Duration::from_secs(2)).unwrap_err();
    assert!(!error.may_be_billed(), "{error:?}");
    assert!(server.seen().is_empty());
}

#[test]
fn large_replies_come_whole_up_to_the_cap() {
    let text = "x".repeat(10 * 1024 * 1024);
    for format in HTTP {
        let (_, reading) = call(format, ok(&wires::answer(format, &text)), LONG);
        assert_eq!(reading.unwrap().result.unwrap().len(), text.len(), "{format}");
    }
    let (raw, _) = call(
        WireFormat::OpenaiChat,
        ok(&wires::answer(WireFormat::OpenaiChat, &"x".repeat(33 * 1024 * 1024))),
        LONG,
    );
    let error = raw.unwrap_err();
    assert!(error.kind() == "shape" && error.to_string().contains("larger than 32 MB"), "{error}");
    assert!(error.may_be_billed());
}

#[test]
fn a_large_request_that_is_refused_early_tells_why() {
    let server = Server::start(failing(WireFormat::AnthropicMessages, 413, false, &[]));
    let provider = provider(WireFormat::AnthropicMessages, server.url(""), Arc::new(NoCredential));
    let request = ModelRequest { context: "x".repeat(8 * 1024 * 1024), ..conformance::request("m") };
    let prepared = provider.prepare(&request).unwrap();
    let reply = provider.send(&prepared, LONG).unwrap();
    assert_eq!(provider.read(&reply).result.unwrap_err().kind(), "too-large");
    assert_eq!(server.seen()[0].body, serde_json::to_vec(&prepared.body).unwrap());
}

#[test]
fn the_key_is_sent_in_one_header_and_comes_back_in_nothing() {
    for (format, header) in [
        (WireFormat::AnthropicMessages, "x-api-key: s3cr3t-k3y"),
        (WireFormat::OpenaiResponses, "authorization: Bearer s3cr3t-k3y"),
        (WireFormat::OpenaiChat, "authorization: Bearer s3cr3t-k3y"),
        (WireFormat::GeminiGenerate, "x-goog-api-key: s3cr3t-k3y"),
    ] {
        let body = json!({ "error": { "message": "Incorrect API key provided: s3cr3t-k3y", "code": "invalid_request_error" } });
        let server = Server::start(Act::Send(reply(
            400,
            &[JSON, ("x-request-id", "s3cr3t-k3y")],
            body.to_string().as_bytes(),
        )));
        let provider = provider(format, server.url(""), Arc::new(Key("s3cr3t-k3y")));
        let prepared = provider.prepare(&conformance::request("m")).unwrap();
        let raw = provider.send(&prepared, LONG).unwrap();
        let seen = server.seen().remove(0);
        assert_eq!(seen.head.matches("s3cr3t-k3y").count(), 1, "{}", seen.head);
        assert!(seen.head.lines().any(|line| line.eq_ignore_ascii_case(header)), "{format}: {}", seen.head);
        assert!(!seen.head.lines().next().unwrap().contains("key"), "{}", seen.head);
        assert!(seen.head.to_ascii_lowercase().contains("user-agent: orch/"), "{}", seen.head);
        let said =
            format!("{:?} {prepared:?} {raw:?} {}", provider.read(&raw), String::from_utf8_lossy(&raw.body));
        assert!(!said.contains("s3cr3t"), "{said}");
    }
}

#[test]
fn tokens_are_counted_where_a_vendor_counts() {
    for (format, body, path) in [
        (WireFormat::AnthropicMessages, json!({ "input_tokens": 42 }), "/v1/messages/count_tokens"),
        (
            WireFormat::OpenaiResponses,
            json!({ "input_tokens": 42, "object": "response.input_tokens" }),
            "/responses/input_tokens",
        ),
        (WireFormat::GeminiGenerate, json!({ "totalTokens": 42 }), "/models/m:countTokens"),
    ] {
        let request = ModelRequest { schema: Some(conformance::schema()), ..conformance::request("m") };
        let server = Server::start(ok(&body));
        let counting = provider(format, server.url(""), Arc::new(NoCredential));
        assert_eq!(counting.count(&request, LONG), Ok(Some(42)), "{format}");
        assert!(server.seen()[0].head.starts_with(&format!("POST {path} ")), "{}", server.seen()[0].head);
        for (act, wanted) in [
            (failing(format, 404, false, &[]), Ok(None)),
            (failing(format, 401, false, &[]), Err("auth")),
            (ok(&json!({ "input_tokens": "many" })), Err("shape")),
        ] {
            let server = Server::start(act);
            let got = provider(format, server.url(""), Arc::new(NoCredential)).count(&request, LONG);
            assert_eq!(
                got.as_ref().map_err(CallError::kind),
                wanted.as_ref().map_err(|kind| *kind),
                "{format}"
            );
        }
    }
    let server = Server::start(Act::Close);
    let silent = provider(WireFormat::OpenaiChat, server.url(""), Arc::new(NoCredential));
    assert_eq!(silent.count(&conformance::request("m"), LONG), Ok(None));
    assert!(server.seen().is_empty());
}

/// The part of the suite that `orch providers test` runs finds what is wrong, and says so.
#[test]
fn the_live_suite_passes_a_good_endpoint_and_names_what_a_bad_one_does() {
    for format in HTTP {
        let answer = wires::answer(format, "{\"answer\": \"pong\", \"sure\": true}");
        let mut answer_and_count = answer.clone();
        answer_and_count["input_tokens"] = 12.into();
        answer_and_count["totalTokens"] = 12.into();
        let good = Server::start(ok(&answer_and_count));
        let refuses = Server::start(failing(format, 401, false, &[]));
        let wrong = provider(format, refuses.url(""), Arc::new(Key("not-the-key")));
        let results = conformance::check(
            &*provider(format, good.url(""), Arc::new(Key("the-key"))),
            "m",
            Some(&*wrong),
            LONG,
        );
        let bad: Vec<_> = results.iter().filter(|r| r.outcome.word() == "FAILED").collect();
        assert!(bad.is_empty() && results.len() == 9, "{format}: {results:#?}");

        let broken = Server::start(ok(&wires::answer(format, "")));
        let results =
            conformance::check(&*provider(format, broken.url(""), Arc::new(NoCredential)), "m", None, LONG);
        let failed: Vec<_> =
            results.iter().filter(|r| r.outcome.word() == "FAILED").map(|r| r.name).collect();
        assert!(failed.contains(&"answer") && failed.contains(&"schema"), "{format}: {results:#?}");
    }
}
