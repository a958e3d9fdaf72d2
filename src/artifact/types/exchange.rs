//! `cassette/<stage>.jsonl`: every model exchange of a stage, one JSON object a line, as it was sent and received, redacted.
//!
//! A call is found again by its key, so a run can be repeated from its record. Must never hold a credential.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::change_set::Content;
use crate::artifact::digest::{CanonicalError, Digest};
use crate::artifact::money::NanoUsd;

/// One exchange with a provider: a request, its attempts, and what came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// Its place in the file, from 1.
    pub seq: u64,
    /// What the request is found by: see [`Prepared::key`].
    pub key: Digest,
    /// The role that asked, as `architect`.
    pub role: String,
    /// The step it asked for, as `plan.propose`.
    pub step: String,
    /// The provider's name in `models.toml`.
    pub provider: String,
    /// The model that was asked.
    pub model: String,
    /// The request as it was sent, without credentials.
    pub request: Prepared,
    /// Every attempt, in order; the last one brought `reply`, if there is one.
    pub attempts: Vec<Attempt>,
    /// The last reply; absent: none came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<RecordedReply>,
    /// The reservation in the stage's ledger.
    pub reservation: u64,
    /// The input tokens the provider counted before the call, where it was asked because the bound did not fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<u64>,
    /// What was used; absent: not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// True when `usage` was estimated from sizes because the provider did not tell.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub estimated: bool,
    /// The row of prices the cost was made from, as `claude-sonnet-5-5@2026-10-07`; absent: the price is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<String>,
    /// What it cost; absent: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_nano_usd: Option<NanoUsd>,
}

/// One attempt of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    /// When it started, RFC 3339 in UTC with whole seconds.
    pub started_at: String,
    /// How long was waited before it, milliseconds.
    pub waited_ms: u64,
    /// How long it took, milliseconds.
    pub took_ms: u64,
    /// `ok`, or the kind of error, as `overloaded`.
    pub outcome: String,
    /// What went wrong, one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The HTTP status; absent: none came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The provider's id of the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// A reply as it came, redacted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordedReply {
    /// The HTTP status.
    pub status: u16,
    /// Headers of the allow list, by lower-case name.
    pub headers: BTreeMap<String, String>,
    /// The body after content decoding and redaction.
    pub body: Content,
    /// The digest of the bytes of `body`.
    pub digest: Digest,
    /// True when redaction changed the body.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub redacted: bool,
    /// True when the connection ended before the body did.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
}

/// What is sent: the identity of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Prepared {
    /// The format.
    pub format: WireFormat,
    /// Where it goes: the URL without credentials, or the program's words.
    pub target: String,
    /// Headers that matter and hold no secret, by lower-case name.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Value,
}

impl Prepared {
    /// Returns the key: the digest of format, path of the target and body, so that a record does not depend on the host.
    pub fn key(&self) -> Result<Digest, CanonicalError> {
        let path = self
            .target
            .split_once("://")
            .map_or(self.target.as_str(), |(_, rest)| rest.find('/').map_or("", |at| &rest[at..]));
        Digest::of_json(&(self.format, path, &self.body))
    }
}

/// The wire formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WireFormat {
    /// Anthropic Messages.
    AnthropicMessages,
    /// OpenAI Responses.
    OpenaiResponses,
    /// OpenAI Chat Completions and what speaks like it: Ollama, vLLM, OpenRouter, Azure, gateways.
    OpenaiChat,
    /// Gemini `generateContent`.
    GeminiGenerate,
    /// A program: one JSON request on standard input, one JSON reply on standard output.
    Exec,
    /// Replies from a file, for tests and demonstrations.
    Scripted,
}

impl WireFormat {
    /// Every format.
    pub const ALL: &'static [Self] = &[
        Self::AnthropicMessages,
        Self::OpenaiResponses,
        Self::OpenaiChat,
        Self::GeminiGenerate,
        Self::Exec,
        Self::Scripted,
    ];

    /// Returns the name used in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AnthropicMessages => "anthropic-messages",
            Self::OpenaiResponses => "openai-responses",
            Self::OpenaiChat => "openai-chat",
            Self::GeminiGenerate => "gemini-generate",
            Self::Exec => "exec",
            Self::Scripted => "scripted",
        }
    }
}

impl fmt::Display for WireFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Tokens used: `input` excludes both caches, `output` includes reasoning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    /// Input that was neither read from nor written to a cache.
    pub input: u64,
    /// Input read from a cache.
    pub cache_read: u64,
    /// Input written to the short-lived cache (5 or 30 minutes).
    pub cache_write_short: u64,
    /// Input written to the long-lived cache (1 or 12 hours).
    pub cache_write_long: u64,
    /// Output, reasoning included.
    pub output: u64,
    /// The part of the output that was reasoning.
    pub reasoning: u64,
}

impl Usage {
    /// Returns all input tokens, cached or not: what thresholds of long prompts compare with.
    pub const fn prompt(&self) -> u64 {
        self.input
            .saturating_add(self.cache_read)
            .saturating_add(self.cache_write_short)
            .saturating_add(self.cache_write_long)
    }

    /// Returns all tokens.
    pub const fn total(&self) -> u64 {
        self.prompt().saturating_add(self.output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_depends_on_path_and_body_and_not_on_the_host() {
        let of = |target: &str, text: &str| {
            Prepared {
                format: WireFormat::OpenaiChat,
                target: target.into(),
                headers: BTreeMap::new(),
                body: serde_json::json!({ "b": 1, "a": text }),
            }
            .key()
            .unwrap()
        };
        assert_eq!(of("https://api.openai.com/v1/x", "t"), of("http://127.0.0.1:99/v1/x", "t"));
        assert_ne!(of("https://a/v1/x", "t"), of("https://a/v1/y", "t"));
        assert_ne!(of("https://a/v1/x", "t"), of("https://a/v1/x", "u"));
    }
}
