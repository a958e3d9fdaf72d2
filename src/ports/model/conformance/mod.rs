//! What every provider has to do that can be seen at a live endpoint, without faults made on purpose.
//!
//! It makes few and small calls, for they may cost money. Must never panic or retry, and never take silence for success: a
//! case that could not be tried is skipped and says why.

mod embeddings;

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

pub use embeddings::check_embeddings;

use super::{CallError, ModelRequest, Provider, Reading, ReplySchema, Usage, WireFormat};

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseResult {
    /// Its name.
    pub name: &'static str,
    /// What came of it.
    pub outcome: CaseOutcome,
    /// How long it took.
    pub took: Duration,
}

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaseOutcome {
    /// It did what it has to; with what was seen.
    Passed(String),
    /// It could not be tried, or need not hold here.
    Skipped(String),
    /// It did not.
    Failed(String),
}

impl CaseOutcome {
    /// Returns the word for people: `ok`, `skipped`, `FAILED`.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Passed(_) => "ok",
            Self::Skipped(_) => "skipped",
            Self::Failed(_) => "FAILED",
        }
    }

    /// Returns what was seen.
    pub fn about(&self) -> &str {
        match self {
            Self::Passed(text) | Self::Skipped(text) | Self::Failed(text) => text,
        }
    }
}

/// Returns the request the cases are made from; at most a few dozen output tokens are wanted.
pub fn request(model: &str) -> ModelRequest {
    ModelRequest {
        model: model.to_owned(),
        system: "You answer exactly as you are told, with nothing before or after it.".into(),
        context: String::new(),
        prompt: "Answer with the word pong.".into(),
        schema: None,
        max_output: 1024,
        effort: None,
        cache_prefix: false,
        extra: Map::new(),
    }
}

/// Returns the schema the cases ask for.
pub fn schema() -> ReplySchema {
    ReplySchema {
        name: "conformance".into(),
        schema: json!({
            "type": "object",
            "properties": { "answer": { "type": "string" }, "sure": { "type": "boolean" } },
            "required": ["answer", "sure"],
            "additionalProperties": false,
        }),
    }
}

/// Checks a provider; `wrong` is the same one with a credential that is not right, where there is one.
pub fn check(
    provider: &dyn Provider,
    model: &str,
    wrong: Option<&dyn Provider>,
    timeout: Duration,
) -> Vec<CaseResult> {
    let cases: Vec<Case<'_>> = vec![
        ("request", Box::new(|| same_request(provider, model))),
        ("limits", Box::new(|| refuses(provider, model))),
        ("answer", Box::new(|| answer(provider, model, timeout))),
        ("schema", Box::new(|| schema_answer(provider, model, timeout))),
        ("usage", Box::new(|| usage(provider, model, timeout))),
        ("truncation", Box::new(|| truncation(provider, model, timeout))),
        ("count", Box::new(|| count(provider, model, timeout))),
        ("credential", Box::new(|| credential(wrong, model, timeout))),
        ("deadline", Box::new(|| deadline(provider, model))),
    ];
    tried(cases)
}

/// A case: its name and what it does.
type Case<'a> = (&'static str, Box<dyn Fn() -> CaseOutcome + 'a>);

/// Tries each case.
fn tried(cases: Vec<Case<'_>>) -> Vec<CaseResult> {
    cases
        .into_iter()
        .map(|(name, case)| {
            let started = Instant::now();
            let outcome = case();
            CaseResult { name, outcome, took: started.elapsed() }
        })
        .collect()
}

fn passed(text: impl Into<String>) -> CaseOutcome {
    CaseOutcome::Passed(text.into())
}

fn failed(text: impl Into<String>) -> CaseOutcome {
    CaseOutcome::Failed(text.into())
}

/// The same request gives the same record.
fn same_request(provider: &dyn Provider, model: &str) -> CaseOutcome {
    let request = ModelRequest { schema: Some(schema()), ..request(model) };
    match (provider.prepare(&request), provider.prepare(&request)) {
        (Ok(one), Ok(other)) if one == other && one.format == provider.format() => passed(one.target),
        (Ok(_), Ok(_)) => failed("the same request was prepared in two ways"),
        (Err(error), _) | (_, Err(error)) => failed(error.to_string()),
    }
}

/// What cannot be said is refused before anything is sent.
fn refuses(provider: &dyn Provider, model: &str) -> CaseOutcome {
    let base = request(model);
    let loose = ReplySchema { name: "loose".into(), schema: json!({ "type": "string" }) };
    let cases = [
        ("an output limit of 0", ModelRequest { max_output: 0, ..base.clone() }),
        ("an effort that is no word", ModelRequest { effort: Some("very hard".into()), ..base.clone() }),
        ("a schema outside the subset", ModelRequest { schema: Some(loose), ..base.clone() }),
        ("no text", ModelRequest { prompt: String::new(), ..base }),
    ];
    for (what, request) in cases {
        match provider.prepare(&request) {
            Err(CallError::Unsupported { .. }) => {}
            other => return failed(format!("{what} gave {other:?}")),
        }
    }
    passed("what cannot be said is refused")
}

fn call(provider: &dyn Provider, request: &ModelRequest, timeout: Duration) -> Result<Reading, CallError> {
    let prepared = provider.prepare(request)?;
    let reply = provider.send(&prepared, timeout)?;
    let reading = provider.read(&reply);
    if provider.read(&reply) != reading {
        return Err(CallError::Shape { what: "the same reply was read in two ways".into() });
    }
    Ok(reading)
}

fn answer(provider: &dyn Provider, model: &str, timeout: Duration) -> CaseOutcome {
    match call(provider, &request(model), timeout).and_then(|reading| reading.result) {
        Ok(text) if text.trim().is_empty() => failed("the answer is empty"),
        Ok(text) => passed(format!("{} characters", text.chars().count())),
        Err(error) => failed(error.to_string()),
    }
}

fn schema_answer(provider: &dyn Provider, model: &str, timeout: Duration) -> CaseOutcome {
    let prompt = "Answer with the word pong, and whether you are sure.".into();
    let request = ModelRequest { schema: Some(schema()), prompt, ..request(model) };
    let text = match call(provider, &request, timeout).and_then(|reading| reading.result) {
        Ok(text) => text,
        Err(error) => return failed(error.to_string()),
    };
    let Ok(value) = serde_json::from_str::<Value>(&text) else { return failed("the answer is no JSON") };
    match jsonschema::validator_for(&schema().schema) {
        Ok(validator) => match validator.validate(&value) {
            Ok(()) => passed("the answer fits the schema"),
            Err(error) => failed(format!("the answer does not fit the schema: {error}")),
        },
        Err(error) => failed(error.to_string()),
    }
}

fn usage(provider: &dyn Provider, model: &str, timeout: Duration) -> CaseOutcome {
    match call(provider, &request(model), timeout) {
        Ok(Reading { usage: Some(usage), .. }) => counted(usage),
        Ok(Reading { usage: None, result: Ok(_), .. }) => {
            CaseOutcome::Skipped("usage is not told: it will be estimated from sizes".into())
        }
        Ok(Reading { result: Err(error), .. }) | Err(error) => failed(error.to_string()),
    }
}

fn counted(usage: Usage) -> CaseOutcome {
    let shown = format!("{} in, {} out", usage.prompt(), usage.output);
    if usage.prompt() == 0 || usage.output == 0 {
        failed(format!("a call with text both ways used {shown}"))
    } else {
        passed(shown)
    }
}

/// With hardly any room the answer is short or cut off, and cut off is said so.
fn truncation(provider: &dyn Provider, model: &str, timeout: Duration) -> CaseOutcome {
    // The least that every vendor takes.
    let request = ModelRequest {
        prompt: "Count from one to one thousand in words.".into(),
        max_output: 16,
        ..request(model)
    };
    match call(provider, &request, timeout).and_then(|reading| reading.result) {
        Err(CallError::Truncated { why }) => passed(format!("cut off and said so ({why})")),
        Ok(text) if text.chars().count() <= 400 => passed("the answer was short enough"),
        Ok(_) if matches!(provider.format(), WireFormat::Exec | WireFormat::Scripted) => {
            CaseOutcome::Skipped("the output limit is not kept: reserve for more than it".into())
        }
        Ok(text) => failed(format!("{} characters came where 16 tokens were allowed", text.chars().count())),
        Err(error) => failed(error.to_string()),
    }
}

fn count(provider: &dyn Provider, model: &str, timeout: Duration) -> CaseOutcome {
    match provider.count(&request(model), timeout) {
        Ok(Some(0)) => failed("a request with text has 0 tokens"),
        Ok(Some(tokens)) => passed(format!("{tokens} tokens")),
        Ok(None) => CaseOutcome::Skipped("it does not count for free: sizes bound the tokens".into()),
        Err(error) => failed(error.to_string()),
    }
}

fn credential(wrong: Option<&dyn Provider>, model: &str, timeout: Duration) -> CaseOutcome {
    let Some(wrong) = wrong else { return CaseOutcome::Skipped("it needs no credential".into()) };
    match call(wrong, &request(model), timeout).and_then(|reading| reading.result) {
        Err(CallError::Auth { code }) => passed(format!("a wrong credential is refused ({code})")),
        Ok(_) => CaseOutcome::Skipped("any credential is accepted here".into()),
        Err(error) => failed(format!("a wrong credential gave: {error}")),
    }
}

/// The deadline holds, whatever the provider does.
fn deadline(provider: &dyn Provider, model: &str) -> CaseOutcome {
    let limit = Duration::from_millis(1);
    let started = Instant::now();
    let result = call(provider, &request(model), limit);
    if started.elapsed() > Duration::from_secs(5) {
        return failed(format!("a deadline of 1 ms took {:?}", started.elapsed()));
    }
    match result {
        Err(CallError::Timeout { .. }) => passed("the deadline holds"),
        Ok(_) => CaseOutcome::Skipped("it answers within 1 ms".into()),
        Err(error) => failed(error.to_string()),
    }
}
