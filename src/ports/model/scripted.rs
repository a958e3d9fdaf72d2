//! Replies from a file, for tests and demonstrations: no key, no network, the same each time.
//!
//! The file is YAML or JSON: `version: 1` and `replies`, a list. Each entry has exactly one of `reply` (a text, or a value
//! that is said as JSON), `refusal` and `error` (`kind`, `message`, `status`, `retry_after_ms`, as in the protocol of `exec`,
//! besides `timeout`), and may have `match` (only a request that holds this text gets it), `times` (how often it is given, 1 unless
//! said otherwise; 0: without end), `usage`, `model`, `stop` and `delay_ms`. A request gets the first entry that matches and
//! is not used up, so that the order of the file is the order of the replies. What is used up is known to this process only.
//! Must never make up an answer: a request that no entry is left for is an error that names it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::exec::protocol;
use super::wire::{check_request, safe};
use super::{CallError, ModelRequest, Prepared, Provider, RawReply, Reading, WireFormat};
use crate::diagnostic::{Class, Failure};

/// A script that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the script {name} cannot be used: {why}")]
pub struct ScriptError {
    name: String,
    why: String,
}

impl Failure for ScriptError {
    fn class(&self) -> Class {
        Class::Usage
    }

    fn help(&self) -> Option<String> {
        Some("Correct the script: `version: 1` and `replies`, each with one of `reply`, `refusal` and `error`.".into())
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Script {
    version: u64,
    replies: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    #[serde(rename = "match")]
    matches: Option<String>,
    #[serde(default = "once")]
    times: u64,
    #[serde(default, deserialize_with = "present")]
    reply: Option<Value>,
    refusal: Option<String>,
    error: Option<ErrorEntry>,
    usage: Option<Value>,
    model: Option<String>,
    stop: Option<String>,
    #[serde(default)]
    delay_ms: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ErrorEntry {
    kind: String,
    message: Option<String>,
    status: Option<u16>,
    retry_after_ms: Option<u64>,
}

const fn once() -> u64 {
    1
}

/// A `reply: null` is a reply.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// Returns a provider that answers from a script.
pub fn scripted_provider(
    name: impl Into<String>,
    script_name: impl Into<String>,
    text: &str,
) -> Result<Arc<dyn Provider>, ScriptError> {
    let script_name = script_name.into();
    let fail = |why: String| ScriptError { name: script_name.clone(), why: safe::line(&why, 300) };
    let script: Script = serde_yaml::from_str(text).map_err(|e| fail(e.to_string()))?;
    if script.version != 1 {
        return Err(fail(format!("it is of version {}, and 1 is read", script.version)));
    }
    for (at, entry) in script.replies.iter().enumerate() {
        check(entry).map_err(|why| fail(format!("entry {} {why}", at + 1)))?;
    }
    let left =
        script.replies.iter().map(|entry| if entry.times == 0 { u64::MAX } else { entry.times }).collect();
    Ok(Arc::new(Scripted { name: name.into(), script_name, replies: script.replies, left: Mutex::new(left) }))
}

fn check(entry: &Entry) -> Result<(), String> {
    let said = [entry.reply.is_some(), entry.refusal.is_some(), entry.error.is_some()];
    if said.iter().filter(|said| **said).count() != 1 {
        return Err("has not exactly one of `reply`, `refusal` and `error`".into());
    }
    // Whatever it says has to be readable, now and not in the middle of a run.
    if entry.error.as_ref().is_some_and(|error| error.kind == "timeout") {
        return Ok(());
    }
    let body = serde_json::to_vec(&body(entry)).map_err(|e| e.to_string())?;
    let reply = RawReply { status: 200, headers: BTreeMap::new(), body, cut: false };
    match protocol::read(&reply).result {
        Err(CallError::Shape { what }) => Err(format!("says what cannot be read: {what}")),
        _ => Ok(()),
    }
}

/// Returns an entry as the reply of a program.
fn body(entry: &Entry) -> Value {
    let mut body = Map::new();
    if let Some(reply) = &entry.reply {
        let text = reply.as_str().map_or_else(|| reply.to_string(), str::to_owned);
        body.insert("text".into(), text.into());
    }
    if let Some(refusal) = &entry.refusal {
        body.insert("refusal".into(), refusal.clone().into());
    }
    if let Some(error) = &entry.error {
        let mut said = json!({ "kind": error.kind });
        if let Some(message) = &error.message {
            said["message"] = message.clone().into();
        }
        if let Some(status) = error.status {
            said["status"] = status.into();
        }
        if let Some(after) = error.retry_after_ms {
            said["retry_after_ms"] = after.into();
        }
        body.insert("error".into(), said);
    }
    for (name, value) in [("model", &entry.model), ("stop", &entry.stop)] {
        if let Some(value) = value {
            body.insert(name.into(), value.clone().into());
        }
    }
    if let Some(usage) = &entry.usage {
        body.insert("usage".into(), usage.clone());
    }
    body.into()
}

struct Scripted {
    name: String,
    script_name: String,
    replies: Vec<Entry>,
    left: Mutex<Vec<u64>>,
}

impl Scripted {
    /// Returns the entry for a request and counts it as used.
    fn next(&self, body: &Value) -> Result<&Entry, CallError> {
        let said = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let texts = [said("system"), said("context"), said("prompt")];
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let found = self.replies.iter().zip(left.iter_mut()).find(|(entry, left)| {
            **left > 0
                && entry.matches.as_ref().is_none_or(|wanted| texts.iter().any(|text| text.contains(wanted)))
        });
        if let Some((entry, left)) = found {
            if *left != u64::MAX {
                *left -= 1;
            }
            return Ok(entry);
        }
        let first = texts.iter().rev().flat_map(|text| text.lines()).find(|line| !line.trim().is_empty());
        let why = if left.iter().all(|left| *left == 0) { "no reply left" } else { "no reply that matches" };
        let what = format!(
            "the script {} has {why} for the request that begins with `{}`",
            self.script_name,
            safe::line(first.unwrap_or_default(), 120)
        );
        Err(CallError::Unsupported { what })
    }
}

impl Provider for Scripted {
    fn name(&self) -> &str {
        &self.name
    }

    fn format(&self) -> WireFormat {
        WireFormat::Scripted
    }

    fn prepare(&self, request: &ModelRequest) -> Result<Prepared, CallError> {
        check_request(request)?;
        let mut body = protocol::encode(request);
        if !request.extra.is_empty() {
            body["extra"] = Value::Object(request.extra.clone());
        }
        Ok(Prepared {
            format: WireFormat::Scripted,
            target: format!("script:{}", self.script_name),
            headers: BTreeMap::new(),
            body,
        })
    }

    fn send(&self, prepared: &Prepared, timeout: Duration) -> Result<RawReply, CallError> {
        let entry = self.next(&prepared.body)?;
        let delay = Duration::from_millis(entry.delay_ms);
        if delay >= timeout || entry.error.as_ref().is_some_and(|error| error.kind == "timeout") {
            std::thread::sleep(delay.min(timeout));
            return Err(CallError::Timeout { within: timeout, maybe_billed: true });
        }
        std::thread::sleep(delay);
        let body = serde_json::to_vec(&body(entry))
            .map_err(|e| CallError::Shape { what: format!("the entry cannot be written: {e}") })?;
        let status = entry.error.as_ref().map_or(200, |error| error.status.unwrap_or(500));
        Ok(RawReply { status, headers: BTreeMap::new(), body, cut: false })
    }

    fn read(&self, reply: &RawReply) -> Reading {
        protocol::read(reply)
    }

    fn count(&self, _request: &ModelRequest, _timeout: Duration) -> Result<Option<u64>, CallError> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(prompt: &str) -> ModelRequest {
        ModelRequest {
            model: "m".into(),
            system: "role: architect".into(),
            context: String::new(),
            prompt: prompt.into(),
            schema: None,
            max_output: 10,
            effort: None,
            cache_prefix: false,
            extra: Map::new(),
        }
    }

    fn ask(provider: &dyn Provider, prompt: &str) -> Result<String, CallError> {
        let prepared = provider.prepare(&request(prompt))?;
        provider.read(&provider.send(&prepared, Duration::from_millis(50))?).result
    }

    #[test]
    fn entries_are_given_in_order_to_what_they_match() {
        let script = r#"
version: 1
replies:
  - { match: second, reply: two }
  - { reply: { a: 1 }, usage: { input: 3, output: 4 } }
  - { match: "role: architect", error: { kind: overloaded, status: 529 } }
  - { match: slow, reply: late, delay_ms: 60000 }
  - { match: always, reply: again, times: 0 }
  - { match: hang, error: { kind: timeout } }
  - { match: gone, refusal: "no" }
  - { match: "null", reply: null }
"#;
        let provider = scripted_provider("demo", "demo.yml", script).unwrap();
        assert_eq!(provider.prepare(&request("x")).unwrap().target, "script:demo.yml");
        assert_eq!(ask(&*provider, "first"), Ok(r#"{"a":1}"#.into()));
        assert_eq!(ask(&*provider, "second"), Ok("two".into()));
        assert_eq!(ask(&*provider, "third").unwrap_err().kind(), "overloaded");
        assert_eq!(ask(&*provider, "slow").unwrap_err().kind(), "timeout");
        for _ in 0..3 {
            assert_eq!(ask(&*provider, "always"), Ok("again".into()));
        }
        assert_eq!(ask(&*provider, "hang").unwrap_err().kind(), "timeout");
        assert_eq!(ask(&*provider, "gone").unwrap_err().kind(), "refused");
        assert_eq!(ask(&*provider, "null"), Ok("null".into()));
        let why = ask(&*provider, "\n  fourth line\nmore").unwrap_err().to_string();
        assert!(why.contains("no reply that matches") && why.contains("`fourth line`"), "{why}");
    }

    #[test]
    fn a_script_that_says_what_cannot_be_read_is_refused() {
        for (text, named) in [
            ("version: 2\nreplies: []", "version 2"),
            ("version: 1\nreplies: [{ reply: a, refusal: b }]", "entry 1 has not exactly one"),
            ("version: 1\nreplies: [{ match: a }]", "entry 1 has not exactly one"),
            ("version: 1\nreplies: [{ reply: a }, { error: { kind: mood } }]", "entry 2 says"),
            ("version: 1\nreplies: [{ reply: a, usage: { in: 3 } }]", "entry 1 says"),
            ("version: 1\nreplies: [{ reply: a, stop: mood }]", "entry 1 says"),
            ("version: 1\nreplies: [{ answer: a }]", "answer"),
            ("replies: []", "version"),
            ("[", "cannot be used"),
        ] {
            let why = scripted_provider("demo", "demo.yml", text).err().unwrap().to_string();
            assert!(why.contains(named), "{text}: {why}");
        }
        let spent = scripted_provider("demo", "d", "version: 1\nreplies: []").unwrap();
        assert!(ask(&*spent, "x").unwrap_err().to_string().contains("no reply left"));
    }
}
