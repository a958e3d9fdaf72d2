//! What every provider of embeddings has to do that can be seen at a live endpoint.
//!
//! A handful of calls with a few words each. Must never take a vector on trust: the order, the length and the likeness of
//! vectors are looked at.

use std::time::Duration;

use super::super::{CallError, EmbeddingReading, EmbeddingRequest, MAX_TEXTS, Provider};
use super::{Case, CaseOutcome, CaseResult, failed, passed, tried};

/// Two texts that mean nearly the same, and one that has nothing to do with them.
const NEAR: [&str; 2] = ["How do I reset my password?", "password reset: how to do it"];
const FAR: &str = "the temperature of a blast furnace";

/// Checks a provider of embeddings.
pub fn check_embeddings(provider: &dyn Provider, model: &str, timeout: Duration) -> Vec<CaseResult> {
    let cases: Vec<Case<'_>> = vec![
        ("request", Box::new(|| same_request(provider, model))),
        ("limits", Box::new(|| refuses(provider, model))),
        ("order", Box::new(|| order(provider, model, timeout))),
        ("likeness", Box::new(|| likeness(provider, model, timeout))),
        ("many", Box::new(|| many(provider, model, timeout))),
        ("usage", Box::new(|| usage(provider, model, timeout))),
    ];
    tried(cases)
}

fn request(model: &str, texts: &[&str]) -> EmbeddingRequest {
    EmbeddingRequest { model: model.to_owned(), texts: texts.iter().map(|text| (*text).to_owned()).collect() }
}

fn call(
    provider: &dyn Provider,
    request: &EmbeddingRequest,
    timeout: Duration,
) -> Result<EmbeddingReading, CallError> {
    let prepared = provider.prepare_embedding(request)?;
    let reply = provider.send(&prepared, timeout)?;
    Ok(provider.read_embedding(&reply, request.texts.len()))
}

fn vectors(
    provider: &dyn Provider,
    model: &str,
    texts: &[&str],
    timeout: Duration,
) -> Result<Vec<Vec<f32>>, CallError> {
    call(provider, &request(model, texts), timeout)?.result
}

fn same_request(provider: &dyn Provider, model: &str) -> CaseOutcome {
    let request = request(model, &NEAR);
    match (provider.prepare_embedding(&request), provider.prepare_embedding(&request)) {
        (Ok(one), Ok(other)) if one == other => passed(one.target),
        (Ok(_), Ok(_)) => failed("the same request was prepared in two ways"),
        (Err(error), _) | (_, Err(error)) => failed(error.to_string()),
    }
}

fn refuses(provider: &dyn Provider, model: &str) -> CaseOutcome {
    let many = vec!["a"; MAX_TEXTS + 1];
    for (what, model, texts) in [
        ("no text", model, &[][..]),
        ("an empty text", model, &["a", ""]),
        ("no model", "", &["a"]),
        ("too many", model, &many),
    ] {
        match provider.prepare_embedding(&request(model, texts)) {
            Err(CallError::Unsupported { .. }) => {}
            other => return failed(format!("{what} gave {other:?}")),
        }
    }
    passed("what cannot be said is refused")
}

/// The vectors come in the order of the texts, whatever the order.
fn order(provider: &dyn Provider, model: &str, timeout: Duration) -> CaseOutcome {
    let asked = |texts: &[&str]| vectors(provider, model, texts, timeout);
    let (one, other) = match (asked(&[NEAR[0], FAR]), asked(&[FAR, NEAR[0]])) {
        (Ok(one), Ok(other)) => (one, other),
        (Err(error), _) | (_, Err(error)) => return failed(error.to_string()),
    };
    let ([a, b], [c, d]) = (one.as_slice(), other.as_slice()) else { return failed("not two vectors came") };
    if near(a, d) < 0.999 || near(b, c) < 0.999 {
        return failed("the vector of a text depends on the texts beside it, or the order is not kept");
    }
    passed(format!("{} numbers each", a.len()))
}

fn likeness(provider: &dyn Provider, model: &str, timeout: Duration) -> CaseOutcome {
    let vectors = match vectors(provider, model, &[NEAR[0], NEAR[1], FAR], timeout) {
        Ok(vectors) => vectors,
        Err(error) => return failed(error.to_string()),
    };
    let [a, b, c] = vectors.as_slice() else { return failed("not three vectors came") };
    let (alike, other) = (near(a, b), near(a, c));
    if alike > other {
        passed(format!("{alike:.2} where two texts mean the same, {other:.2} where they do not"))
    } else {
        failed(format!(
            "{alike:.2} where two texts mean the same, {other:.2} where they do not: it cannot rank"
        ))
    }
}

fn many(provider: &dyn Provider, model: &str, timeout: Duration) -> CaseOutcome {
    let texts: Vec<String> = (0..MAX_TEXTS).map(|at| format!("text number {at}")).collect();
    let request = EmbeddingRequest { model: model.to_owned(), texts };
    match call(provider, &request, timeout).and_then(|reading| reading.result) {
        Ok(_) => passed(format!("{MAX_TEXTS} texts in one call")),
        Err(error) => failed(error.to_string()),
    }
}

fn usage(provider: &dyn Provider, model: &str, timeout: Duration) -> CaseOutcome {
    match call(provider, &request(model, &NEAR), timeout) {
        Ok(EmbeddingReading { result: Err(error), .. }) | Err(error) => failed(error.to_string()),
        Ok(EmbeddingReading { usage: Some(usage), .. }) if usage.prompt() == 0 => {
            failed("a call with text used no token")
        }
        Ok(EmbeddingReading { usage: Some(usage), .. }) => passed(format!("{} in", usage.prompt())),
        Ok(EmbeddingReading { usage: None, .. }) => {
            CaseOutcome::Skipped("usage is not told: the most it could be will count".into())
        }
    }
}

fn near(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
