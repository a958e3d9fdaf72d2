//! Texts as vectors: what a model of embeddings is asked and what it answers.
//!
//! Must never give fewer vectors than texts, vectors of several lengths, or one that cannot be compared.

use super::CallError;
use crate::artifact::types::exchange::{Usage, WireFormat};

/// The most texts of one call: what OpenAI's own endpoint takes is 2,048, servers of one's own take less.
pub const MAX_TEXTS: usize = 64;
/// The most numbers of a vector.
pub const MAX_DIMENSIONS: usize = 16_384;

/// One call: texts in, one vector for each out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbeddingRequest {
    /// The model's id, sent as written.
    pub model: String,
    /// The texts.
    pub texts: Vec<String>,
}

/// What a reply says.
#[derive(Clone, Debug, PartialEq)]
pub struct EmbeddingReading {
    /// A vector of length 1 for each text, in their order; or why there is none.
    pub result: Result<Vec<Vec<f32>>, CallError>,
    /// What was used; absent: the reply does not say.
    pub usage: Option<Usage>,
    /// The model that answered, as it calls itself.
    pub model: Option<String>,
}

impl EmbeddingReading {
    /// Returns a reading without vectors.
    pub(super) const fn failed(error: CallError) -> Self {
        Self { result: Err(error), usage: None, model: None }
    }
}

/// Returns the refusal of a provider whose wire has no such call.
pub(super) fn no_embeddings(name: &str, format: WireFormat) -> CallError {
    let what = format!(
        "the provider {name} speaks {format}, which has no embeddings; openai-chat, openai-responses and exec have"
    );
    CallError::Unsupported { what }
}

/// Checks what is asked.
pub(super) fn check(request: &EmbeddingRequest) -> Result<(), CallError> {
    let refuse = |what: String| Err(CallError::Unsupported { what });
    if request.model.trim().is_empty() {
        return refuse("the model has no name".into());
    }
    if request.texts.is_empty() || request.texts.len() > MAX_TEXTS {
        return refuse(format!("{} texts in one call; 1 to {MAX_TEXTS} are taken", request.texts.len()));
    }
    // Servers refuse an empty text, some of them with an error that names nothing.
    if request.texts.iter().any(|text| text.trim().is_empty()) {
        return refuse("one of the texts is empty".into());
    }
    Ok(())
}

/// Returns vectors at length 1, refusing what cannot be compared.
pub(super) fn level(vectors: Vec<Vec<f32>>, texts: usize) -> Result<Vec<Vec<f32>>, CallError> {
    let shape = |what: String| Err(CallError::Shape { what });
    if vectors.len() != texts {
        return shape(format!("{} vectors came for {texts} texts", vectors.len()));
    }
    let length = vectors.first().map_or(0, Vec::len);
    if length == 0 || length > MAX_DIMENSIONS {
        return shape(format!("a vector has {length} numbers; 1 to {MAX_DIMENSIONS} are taken"));
    }
    if let Some(other) = vectors.iter().map(Vec::len).find(|other| *other != length) {
        return shape(format!("one vector has {length} numbers, another {other}"));
    }
    vectors.into_iter().map(unit).collect()
}

fn unit(mut vector: Vec<f32>) -> Result<Vec<f32>, CallError> {
    let size = vector.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>().sqrt();
    if !size.is_finite() || size <= f64::from(f32::MIN_POSITIVE) {
        return Err(CallError::Shape { what: "a vector has no direction".into() });
    }
    for x in &mut vector {
        #[expect(clippy::cast_possible_truncation, reason = "a part of a unit vector is at most 1")]
        let part = (f64::from(*x) / size) as f32;
        *x = part;
    }
    Ok(vector)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_are_brought_to_one_length_or_refused() {
        assert_eq!(level(vec![vec![3.0, 4.0], vec![0.0, -2.0]], 2).unwrap(), [[0.6, 0.8], [0.0, -1.0]]);
        let huge = level(vec![vec![f32::MAX, f32::MAX]], 1).unwrap();
        assert!((huge[0][0] - 0.5_f32.sqrt()).abs() < 1e-6);
        for (wrong, texts) in [
            (vec![vec![1.0]], 2),
            (vec![vec![]], 1),
            (vec![], 0),
            (vec![vec![1.0, 2.0], vec![1.0]], 2),
            (vec![vec![0.0, 0.0]], 1),
            (vec![vec![f32::NAN, 1.0]], 1),
            (vec![vec![f32::INFINITY, 1.0]], 1),
            (vec![vec![1.0; MAX_DIMENSIONS + 1]], 1),
        ] {
            assert!(matches!(level(wrong, texts), Err(CallError::Shape { .. })));
        }
    }

    #[test]
    fn what_cannot_be_asked_is_refused() {
        let ask = |model: &str, texts: &[&str]| {
            check(&EmbeddingRequest {
                model: model.into(),
                texts: texts.iter().map(|text| (*text).to_owned()).collect(),
            })
        };
        assert!(ask("m", &["a"]).is_ok());
        for (model, texts) in [("", &["a"][..]), ("m", &[]), ("m", &["a", " "]), ("m", &["a"; MAX_TEXTS + 1])]
        {
            assert!(matches!(ask(model, texts), Err(CallError::Unsupported { .. })), "{model} {texts:?}");
        }
    }
}
