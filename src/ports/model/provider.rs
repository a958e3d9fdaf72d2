//! A provider reached over HTTP: a wire format, an endpoint, a credential and a transport.
//!
//! Must never send a credential to a place other than its endpoint, and never put one into what is recorded.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use serde_json::Value;

use super::embedding::no_embeddings;
use super::http::{HeaderText, HttpMethod, HttpRequest, Transport, UrlError, checked_url};
use super::wire::{self, Draft, MaxTokensField, Options, safe};
use super::{
    CallError, EmbeddingReading, EmbeddingRequest, ModelRequest, Prepared, Provider, RawReply, Reading,
    WireFormat,
};
use crate::diagnostic::{Class, Failure};
use crate::ports::credential::{Credential, CredentialKind, CredentialSource};
use crate::ports::secret::Secret;

/// Anthropic's word for tokens that were not made in its console.
const OAUTH_BETA: &str = "oauth-2025-04-20";

/// An endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Its name in `models.toml`.
    pub name: String,
    /// The format it speaks.
    pub format: WireFormat,
    /// Where it is; absent: the vendor's own.
    pub base_url: Option<String>,
    /// How the output limit is called in Chat Completions.
    pub max_tokens_field: MaxTokensField,
    /// The header a key is sent in, as `api-key` for Azure; absent: the format's own.
    pub auth_header: Option<String>,
    /// Asks for streams, where the endpoint demands them.
    pub stream: bool,
    /// More headers, none of them secret: they are recorded.
    pub headers: BTreeMap<String, String>,
}

impl Endpoint {
    /// Returns the vendor's own endpoint of a format.
    pub fn new(name: impl Into<String>, format: WireFormat) -> Self {
        Self {
            name: name.into(),
            format,
            base_url: None,
            max_tokens_field: MaxTokensField::default(),
            auth_header: None,
            stream: false,
            headers: BTreeMap::new(),
        }
    }
}

/// An endpoint that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Its URL is not taken.
    #[error("the provider {name} cannot be used: {why}")]
    Url {
        /// The provider.
        name: String,
        /// Why.
        why: UrlError,
    },
    /// Its format is not spoken over HTTP.
    #[error("the provider {name} cannot be used: {format} is not spoken over HTTP")]
    Format {
        /// The provider.
        name: String,
        /// The format.
        format: WireFormat,
    },
    /// A header cannot be given.
    #[error("the provider {name} cannot be used: the header `{header}` {why}")]
    Header {
        /// The provider.
        name: String,
        /// The header.
        header: String,
        /// Why.
        why: &'static str,
    },
}

impl Failure for EndpointError {
    fn class(&self) -> Class {
        Class::Usage
    }

    fn help(&self) -> Option<String> {
        Some("Correct the provider in models.toml, or the variable that names its base URL.".into())
    }
}

/// Returns the base URL of a format's vendor.
pub const fn default_base_url(format: WireFormat) -> Option<&'static str> {
    match format {
        WireFormat::AnthropicMessages => Some("https://api.anthropic.com"),
        WireFormat::OpenaiResponses | WireFormat::OpenaiChat => Some("https://api.openai.com/v1"),
        WireFormat::GeminiGenerate => Some("https://generativelanguage.googleapis.com/v1beta"),
        WireFormat::Exec | WireFormat::Scripted => None,
    }
}

/// Returns a provider at an endpoint.
pub fn http_provider(
    endpoint: Endpoint,
    credential: Arc<dyn CredentialSource>,
    transport: Arc<dyn Transport>,
) -> Result<Arc<dyn Provider>, EndpointError> {
    let name = endpoint.name.clone();
    let Some(default) = default_base_url(endpoint.format) else {
        return Err(EndpointError::Format { name, format: endpoint.format });
    };
    let base = checked_url(endpoint.base_url.as_deref().unwrap_or(default))
        .map_err(|why| EndpointError::Url { name: name.clone(), why })?;
    check_headers(&endpoint)?;
    Ok(Arc::new(HttpProvider { endpoint, base, credential, transport }))
}

fn check_headers(endpoint: &Endpoint) -> Result<(), EndpointError> {
    const SECRET: &[&str] =
        &["authorization", "proxy-authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie"];
    const OURS: &[&str] =
        &["content-type", "content-length", "host", "transfer-encoding", "connection", "anthropic-version"];
    let fail = |header: &str, why| {
        Err(EndpointError::Header { name: endpoint.name.clone(), header: safe::word(header), why })
    };
    let token = |name: &str| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    for (name, value) in &endpoint.headers {
        let small = name.to_ascii_lowercase();
        if !token(name) || value.chars().any(|c| c.is_control() || !c.is_ascii()) {
            return fail(name, "has characters that no header may have");
        }
        if SECRET.contains(&small.as_str())
            || endpoint.auth_header.as_ref().is_some_and(|h| h.eq_ignore_ascii_case(name))
        {
            return fail(name, "carries a credential, and headers are recorded; give it as the credential");
        }
        if OURS.contains(&small.as_str()) {
            return fail(name, "is set by orch");
        }
    }
    match &endpoint.auth_header {
        Some(name) if !token(name) || OURS.contains(&name.to_ascii_lowercase().as_str()) => {
            fail(name, "cannot carry a credential")
        }
        _ => Ok(()),
    }
}

struct HttpProvider {
    endpoint: Endpoint,
    base: Url,
    credential: Arc<dyn CredentialSource>,
    transport: Arc<dyn Transport>,
}

impl HttpProvider {
    const fn options(&self) -> Options {
        Options { max_tokens_field: self.endpoint.max_tokens_field, stream: self.endpoint.stream }
    }

    fn finish(&self, draft: Draft) -> Prepared {
        let mut url = self.base.clone();
        let base = self.base.path().trim_end_matches('/');
        // Anthropic's own tools take the base without a version, others' with it; both are meant.
        let path = match (self.endpoint.format, base.ends_with("/v1")) {
            (WireFormat::AnthropicMessages, true) => draft.path.strip_prefix("/v1").unwrap_or(&draft.path),
            _ => &draft.path,
        };
        url.set_path(&format!("{base}{path}"));
        if let Some(query) = draft.query {
            let all = self.base.query().map_or_else(|| query.to_owned(), |own| format!("{own}&{query}"));
            url.set_query(Some(&all));
        }
        let mut headers = draft.headers;
        headers.extend(self.endpoint.headers.iter().map(|(n, v)| (n.to_ascii_lowercase(), v.clone())));
        Prepared {
            format: self.endpoint.format,
            target: url.into(),
            headers,
            body: Value::Object(draft.body),
        }
    }

    /// Returns the headers of a request, the credential's among them.
    fn headers(&self, prepared: &Prepared, credential: Option<&Credential>) -> Vec<(String, HeaderText)> {
        let mut headers: BTreeMap<String, HeaderText> =
            prepared.headers.iter().map(|(n, v)| (n.clone(), HeaderText::Plain(v.clone()))).collect();
        if let Some(credential) = credential {
            let (name, value) = self.shown(credential);
            headers.insert(name, HeaderText::Secret(value));
            if self.endpoint.format == WireFormat::AnthropicMessages
                && credential.kind == CredentialKind::Token
            {
                let beta = match prepared.headers.get("anthropic-beta") {
                    Some(own) => format!("{own},{OAUTH_BETA}"),
                    None => OAUTH_BETA.to_owned(),
                };
                headers.insert("anthropic-beta".into(), HeaderText::Plain(beta));
            }
        }
        headers.into_iter().collect()
    }

    fn shown(&self, credential: &Credential) -> (String, Secret) {
        let bearer = || {
            let text = format!("Bearer {}", credential.secret.expose());
            ("authorization".to_owned(), Secret::new(text))
        };
        if credential.kind == CredentialKind::Token {
            return bearer();
        }
        let own = match self.endpoint.format {
            WireFormat::AnthropicMessages => "x-api-key",
            WireFormat::GeminiGenerate => "x-goog-api-key",
            _ => "authorization",
        };
        let name = self.endpoint.auth_header.as_deref().unwrap_or(own).to_ascii_lowercase();
        if name == "authorization" { bearer() } else { (name, credential.secret.clone()) }
    }

    fn is_ours(&self, target: &str) -> bool {
        Url::parse(target).is_ok_and(|url| {
            url.origin() == self.base.origin()
                && url.path().starts_with(self.base.path().trim_end_matches('/'))
                && url.username().is_empty()
        })
    }
}

impl Provider for HttpProvider {
    fn name(&self) -> &str {
        &self.endpoint.name
    }

    fn format(&self) -> WireFormat {
        self.endpoint.format
    }

    fn prepare(&self, request: &ModelRequest) -> Result<Prepared, CallError> {
        wire::encode(self.endpoint.format, self.options(), request).map(|draft| self.finish(draft))
    }

    fn send(&self, prepared: &Prepared, timeout: Duration) -> Result<RawReply, CallError> {
        if !self.is_ours(&prepared.target) {
            let what = format!(
                "a request for {} is not sent by the provider {}",
                safe::word(&prepared.target),
                self.name()
            );
            return Err(CallError::Unsupported { what });
        }
        let credential = self.credential.credential()?;
        let body = serde_json::to_vec(&prepared.body)
            .map_err(|e| CallError::Unsupported { what: format!("the body cannot be written: {e}") })?;
        let mut reply = self.transport.send(&HttpRequest {
            method: HttpMethod::Post,
            url: prepared.target.clone(),
            headers: self.headers(prepared, credential.as_ref()),
            body,
            timeout,
        })?;
        if let Some(credential) = credential {
            hide(&mut reply, credential.secret.expose());
        }
        Ok(reply)
    }

    fn read(&self, reply: &RawReply) -> Reading {
        wire::read(self.endpoint.format, reply)
    }

    fn count(&self, request: &ModelRequest, timeout: Duration) -> Result<Option<u64>, CallError> {
        let Some(draft) = wire::encode_count(self.endpoint.format, request)? else {
            return Ok(None);
        };
        let reply = self.send(&self.finish(draft), timeout)?;
        // A gateway that speaks the format need not have this call.
        if matches!(reply.status, 404 | 405 | 501) {
            return Ok(None);
        }
        wire::read_count(self.endpoint.format, &reply).map(Some)
    }

    fn prepare_embedding(&self, request: &EmbeddingRequest) -> Result<Prepared, CallError> {
        match wire::encode_embedding(self.endpoint.format, request)? {
            Some(draft) => Ok(self.finish(draft)),
            None => Err(no_embeddings(self.name(), self.format())),
        }
    }

    fn read_embedding(&self, reply: &RawReply, texts: usize) -> EmbeddingReading {
        wire::read_embedding(reply, texts)
    }
}

/// Takes the credential out of a reply that sends it back, as error texts of some gateways do.
fn hide(reply: &mut RawReply, secret: &str) {
    if secret.len() < 4 {
        return;
    }
    for value in reply.headers.values_mut() {
        if value.contains(secret) {
            *value = value.replace(secret, "***");
        }
    }
    let Ok(finder) = aho_corasick::AhoCorasick::new([secret]) else { return };
    if finder.is_match(&reply.body) {
        reply.body = finder.replace_all_bytes(&reply.body, &[b"***"]);
    }
}

#[cfg(test)]
mod tests;
