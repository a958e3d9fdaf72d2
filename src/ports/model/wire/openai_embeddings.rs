//! OpenAI embeddings and what speaks like it: `POST {base}/embeddings`.
//!
//! Ollama, vLLM, llama.cpp and text-embeddings-inference answer at the same path. Must never trust the order of the
//! vectors: each says which text it is of. Fields: OpenAI's API reference, "Create embeddings".

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::embedding::{EmbeddingReading, EmbeddingRequest, check, level};
use super::super::{CallError, RawReply};
use super::{Draft, failure, json_document, object, safe, shape};
use crate::artifact::types::exchange::Usage;

/// A reply.
#[derive(Debug, Deserialize)]
struct List {
    data: Vec<Item>,
    model: Option<String>,
    usage: Option<Counts>,
}

#[derive(Debug, Deserialize)]
struct Item {
    index: usize,
    embedding: Vec<f32>,
}

#[derive(Debug, Deserialize)]
struct Counts {
    prompt_tokens: u64,
}

pub(super) fn encode(request: &EmbeddingRequest) -> Result<Draft, CallError> {
    check(request)?;
    let body = json!({ "model": request.model, "input": request.texts, "encoding_format": "float" });
    Ok(Draft::new("/embeddings", object(body)))
}

pub(super) fn read(reply: &RawReply, texts: usize) -> EmbeddingReading {
    if !(200..300).contains(&reply.status) {
        return EmbeddingReading::failed(failure::of_reply(reply));
    }
    match json_document(reply).and_then(list) {
        Ok(list) => EmbeddingReading {
            usage: list.usage.as_ref().map(|n| Usage { input: n.prompt_tokens, ..Usage::default() }),
            model: list.model.as_deref().map(safe::word),
            result: ordered(list.data, texts).and_then(|vectors| level(vectors, texts)),
        },
        Err(error) => EmbeddingReading::failed(error),
    }
}

fn list(document: Value) -> Result<List, CallError> {
    serde_json::from_value(document).map_err(|error| shape(safe::line(&error.to_string(), 200)))
}

/// Returns the vectors in the order of the texts.
fn ordered(items: Vec<Item>, texts: usize) -> Result<Vec<Vec<f32>>, CallError> {
    if items.len() != texts {
        return Err(shape(format!("{} vectors came for {texts} texts", items.len())));
    }
    let mut vectors: Vec<Option<Vec<f32>>> = vec![None; texts];
    for item in items {
        match vectors.get_mut(item.index) {
            Some(slot @ None) => *slot = Some(item.embedding),
            Some(Some(_)) => return Err(shape(format!("two vectors are of the text {}", item.index))),
            None => return Err(shape(format!("a vector is of the text {} of {texts}", item.index))),
        }
    }
    Ok(vectors.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn reply(status: u16, body: &str) -> RawReply {
        RawReply { status, headers: BTreeMap::new(), body: body.into(), cut: false }
    }

    #[test]
    fn vectors_are_read_by_the_text_they_are_of() {
        let two = r#"{"object":"list","model":"m","usage":{"prompt_tokens":7,"total_tokens":7},
            "data":[{"object":"embedding","index":1,"embedding":[0,2]},{"object":"embedding","index":0,"embedding":[1,0]}]}"#;
        let reading = read(&reply(200, two), 2);
        assert_eq!(reading.result.unwrap(), [[1.0, 0.0], [0.0, 1.0]]);
        assert_eq!((reading.usage.unwrap().input, reading.model.as_deref()), (7, Some("m")));
        // A server of one's own need not count.
        assert!(read(&reply(200, r#"{"data":[{"index":0,"embedding":[1]}]}"#), 1).usage.is_none());
    }

    #[test]
    fn replies_that_are_no_vectors_are_told_apart() {
        for (status, body, texts, wanted) in [
            (200, r#"{"data":[{"index":0,"embedding":[1]}]}"#, 2, "shape"),
            (200, r#"{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}"#, 2, "shape"),
            (200, r#"{"data":[{"index":5,"embedding":[1]}]}"#, 1, "shape"),
            (200, r#"{"data":[{"index":0,"embedding":"AAAA"}]}"#, 1, "shape"),
            (200, r#"{"data":[{"index":0,"embedding":[]}]}"#, 1, "shape"),
            (200, r#"{"data":[]}"#, 1, "shape"),
            (200, "[]", 1, "shape"),
            (200, "<html>", 1, "shape"),
            (401, r#"{"error":{"message":"no","code":"invalid_api_key"}}"#, 1, "auth"),
            (404, r#"{"error":{"message":"no such model","code":"model_not_found"}}"#, 1, "bad-request"),
            (429, r#"{"error":{"message":"later","code":"rate_limit_exceeded"}}"#, 1, "wait"),
            (503, "", 1, "overloaded"),
        ] {
            let result = read(&reply(status, body), texts).result;
            assert_eq!(result.as_ref().unwrap_err().kind(), wanted, "{status} {body}: {result:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(body in prop::collection::vec(any::<u8>(), 0..200), texts in 0_usize..70) {
            let _ = read(&RawReply { status: 200, headers: BTreeMap::new(), body, cut: false }, texts);
        }
    }
}
