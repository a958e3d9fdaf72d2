//! A mock of four model APIs that others made: @copilotkit/aimock.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use orch::ports::credential::CredentialSource;
use orch::ports::model::conformance::{self, CaseOutcome};
use orch::ports::model::http::HttpTransport;
use orch::ports::model::{CallError, Endpoint, ModelRequest, Provider, Reading, WireFormat, http_provider};

use super::super::canned::Key;
use super::super::wires::HTTP;
use super::stand_in;

const LONG: Duration = Duration::from_secs(20);
const KEY: Key = Key("stand-in-key");

fn provider(
    url: &str,
    format: WireFormat,
    stream: bool,
    key: impl CredentialSource + 'static,
) -> Arc<dyn Provider> {
    let base = match format {
        WireFormat::AnthropicMessages => url.to_owned(),
        WireFormat::GeminiGenerate => format!("{url}/v1beta"),
        _ => format!("{url}/v1"),
    };
    // It counts calls by this header, so that one format does not use up another one's failure.
    let headers =
        BTreeMap::from([("x-test-id".to_owned(), format!("{format}-{stream}-{}", std::process::id()))]);
    let endpoint = Endpoint { base_url: Some(base), headers, stream, ..Endpoint::new("aimock", format) };
    http_provider(endpoint, Arc::new(key), Arc::new(HttpTransport::new())).unwrap()
}

fn call(provider: &dyn Provider, prompt: &str) -> Result<Reading, CallError> {
    let request = ModelRequest { prompt: prompt.into(), ..conformance::request("some-model") };
    let prepared = provider.prepare(&request)?;
    provider.send(&prepared, LONG).map(|reply| provider.read(&reply))
}

fn kind(provider: &dyn Provider, prompt: &str) -> (&'static str, Option<CallError>) {
    let result = call(provider, prompt).and_then(|reading| reading.result);
    (result.as_ref().map_or_else(CallError::kind, |_| "ok"), result.err())
}

#[test]
#[ignore = "needs aimock: tests/stand-ins/run aimock"]
fn the_live_suite_passes() {
    let Some(url) = stand_in("ORCH_STAND_IN_AIMOCK") else { return };
    for format in HTTP {
        for stream in [false, true] {
            let wrong = provider(&url, format, stream, Key("another-key"));
            let results =
                conformance::check(&*provider(&url, format, stream, KEY), "some-model", Some(&*wrong), LONG);
            let failed: Vec<_> =
                results.iter().filter(|r| matches!(r.outcome, CaseOutcome::Failed(_))).collect();
            assert!(failed.is_empty(), "{format} stream={stream}: {failed:#?}");
        }
    }
}

#[test]
#[ignore = "needs aimock: tests/stand-ins/run aimock"]
fn usage_is_read_whole_and_streamed() {
    let Some(url) = stand_in("ORCH_STAND_IN_AIMOCK") else { return };
    for format in HTTP {
        for stream in [false, true] {
            let reading = call(&*provider(&url, format, stream, KEY), "pong").unwrap();
            assert_eq!(
                reading.result.as_deref(),
                Ok("{\"answer\":\"pong\",\"sure\":true}"),
                "{format} stream={stream}"
            );
            let usage = reading.usage.map(|usage| (usage.prompt(), usage.output));
            assert_eq!(usage, Some((1234, 56)), "{format} stream={stream}");
        }
    }
}

#[test]
#[ignore = "needs aimock: tests/stand-ins/run aimock"]
fn its_faults_are_told_apart() {
    let Some(url) = stand_in("ORCH_STAND_IN_AIMOCK") else { return };
    for format in HTTP {
        for stream in [false, true] {
            let provider = provider(&url, format, stream, KEY);
            let what = format!("{format} stream={stream}");
            let (first, error) = kind(&*provider, "fails-first");
            assert_eq!(first, "wait", "{what}: {error:?}");
            let after = if let Some(CallError::Wait { after, .. }) = error { after } else { None };
            assert_eq!(after, Some(Duration::from_secs(7)), "{what}");
            assert_eq!(kind(&*provider, "fails-first").0, "ok", "{what}: fails first, then works");
            assert_eq!(kind(&*provider, "overloaded-529").0, "overloaded", "{what}");
            let (got, error) = kind(&*provider, "money-429");
            assert_eq!(got, "spend", "{what}: {error:?}");
            assert_eq!(kind(&*provider, "too-long").0, "truncated", "{what}");
            // No such model reply in strict mode: an error, whatever its form.
            assert!(
                call(&*provider, "nobody knows this").and_then(|reading| reading.result).is_err(),
                "{what}"
            );
            if stream {
                for prompt in ["cut-in-the-stream", "disconnects"] {
                    let (got, error) = kind(&*provider, prompt);
                    assert_eq!(got, "cut", "{what} {prompt}: {error:?}");
                    assert!(error.unwrap().may_be_billed());
                }
            }
        }
    }
}
