//! Model providers: a request in one form in, a reply in one form out, whatever the wire between looks like.
//!
//! A call has three parts, so that a record can stand in for the middle one: `prepare` and `read` are pure, `send` is the
//! only one that touches the world. Must never retry, count money, fall back or drop a setting: those who call it do the
//! first three, and what cannot be said on a wire is refused. Facts of the wires: the vendors' published API references.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

pub mod conformance;
mod embedding;
mod error;
pub mod exec;
pub mod http;
mod provider;
pub mod scripted;
mod wire;

pub use crate::artifact::types::exchange::{Prepared, Usage, WireFormat};
pub use embedding::{EmbeddingReading, EmbeddingRequest, MAX_DIMENSIONS, MAX_TEXTS};
pub use error::CallError;
pub use provider::{Endpoint, EndpointError, default_base_url, http_provider};
pub use wire::{MaxTokensField, may_retry, strict_subset};

/// A provider of models at one endpoint.
pub trait Provider: Send + Sync {
    /// Returns the name it has in `models.toml`, as `anthropic`.
    fn name(&self) -> &str;

    /// Returns the wire format it speaks.
    fn format(&self) -> WireFormat;

    /// Returns what would be sent; pure, holds no credential, and the same request gives the same value.
    fn prepare(&self, request: &ModelRequest) -> Result<Prepared, CallError>;

    /// Sends it once and returns the reply as it came; never retries.
    fn send(&self, prepared: &Prepared, timeout: Duration) -> Result<RawReply, CallError>;

    /// Reads a reply; pure, so that a recorded reply reads the same.
    fn read(&self, reply: &RawReply) -> Reading;

    /// Asks how many input tokens a request has, where the provider tells for free; `None` where it does not.
    fn count(&self, request: &ModelRequest, timeout: Duration) -> Result<Option<u64>, CallError>;

    /// Returns what would be sent to turn texts into vectors; pure, and refused where the wire has no such call.
    fn prepare_embedding(&self, _request: &EmbeddingRequest) -> Result<Prepared, CallError> {
        Err(embedding::no_embeddings(self.name(), self.format()))
    }

    /// Reads the reply to that; pure. `texts` is how many were sent.
    fn read_embedding(&self, _reply: &RawReply, _texts: usize) -> EmbeddingReading {
        EmbeddingReading::failed(CallError::Shape { what: "the format has no embeddings".into() })
    }
}

/// One call, in the form every wire is made from: system and user text in, text (JSON where a schema is given) out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelRequest {
    /// The model's id, sent as written.
    pub model: String,
    /// The instructions.
    pub system: String,
    /// The stable part of the user text, first, so that a provider's cache can hit.
    pub context: String,
    /// The part of the user text that differs from call to call.
    pub prompt: String,
    /// What the reply must look like.
    pub schema: Option<ReplySchema>,
    /// The most output tokens, reasoning included.
    pub max_output: u32,
    /// How hard to think, in the provider's own word; absent: the provider's default.
    pub effort: Option<String>,
    /// Whether `system` and `context` are worth a cache entry.
    pub cache_prefix: bool,
    /// More settings of the endpoint, merged into the body as they are.
    pub extra: serde_json::Map<String, Value>,
}

/// The schema of a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplySchema {
    /// Its name: lower-case letters, digits and underscores.
    pub name: String,
    /// A JSON Schema in the subset every provider takes strictly: a root object, every property required, no additional ones.
    pub schema: Value,
}

/// A reply as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawReply {
    /// The HTTP status; of a program: 200 when it exited with 0, else 500.
    pub status: u16,
    /// Headers of the allow list, by lower-case name; several of one name are joined with `, `.
    pub headers: BTreeMap<String, String>,
    /// The body after content decoding.
    pub body: Vec<u8>,
    /// True when the connection ended before the body did; `body` is what came.
    pub cut: bool,
}

/// What a reply says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The text, or why there is none.
    pub result: Result<String, CallError>,
    /// What was used; absent: the reply does not say.
    pub usage: Option<Usage>,
    /// The model that answered, as it calls itself.
    pub model: Option<String>,
    /// The service tier it was billed at.
    pub tier: Option<String>,
    /// The provider's id of the call.
    pub request_id: Option<String>,
    /// Why the model stopped, in the provider's word.
    pub stop: Option<String>,
}
