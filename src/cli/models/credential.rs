//! The credential of a provider, from where the catalogue says it is.
//!
//! Must never show one, and must never fall back to another source than the one that was found usable.

use std::path::Path;
use std::sync::Arc;

use crate::agent::catalogue::{CredentialRef, Oidc};
use crate::cli::CommandError;
use crate::ports::credential::{
    AnthropicRule, CredentialSource, CredentialSpec, NoCredential, OpenaiRule, TokenHttp, TokenReply,
    TokenRequest, credential_source, vault,
};
use crate::ports::model::CallError;
use crate::ports::model::http::{HeaderText, HttpMethod, HttpRequest, HttpTransport, Transport as _};
use crate::ports::secret::Secret;

/// Asks for tokens the way models are asked.
#[derive(Debug, Default)]
struct Tokens(HttpTransport);

impl TokenHttp for Tokens {
    fn exchange(&self, request: &TokenRequest) -> Result<TokenReply, CallError> {
        let plain = |(name, value): &(&str, String)| ((*name).to_owned(), HeaderText::Plain(value.clone()));
        let mut headers: Vec<(String, HeaderText)> = request.headers.iter().map(plain).collect();
        if let Some(bearer) = &request.bearer {
            let shown = Secret::new(format!("Bearer {}", bearer.expose()));
            headers.push(("authorization".into(), HeaderText::Secret(shown)));
        }
        if request.body.is_some() && !headers.iter().any(|(name, _)| name == "content-type") {
            headers.push(("content-type".into(), HeaderText::Plain("application/json".into())));
        }
        let reply = self.0.send(&HttpRequest {
            method: if request.body.is_some() { HttpMethod::Post } else { HttpMethod::Get },
            url: request.url.clone(),
            headers,
            body: request.body.as_ref().map(|body| body.expose().to_vec()).unwrap_or_default(),
            timeout: request.timeout,
        })?;
        if reply.cut {
            return Err(CallError::Cut { why: "the reply with the token ended too soon".into() });
        }
        Ok(TokenReply { status: reply.status, body: zeroize::Zeroizing::new(reply.body) })
    }
}

/// Returns the source of a credential; `root` is where relative files start, `base_url` where tokens are exchanged.
pub fn credential(
    source: Option<&CredentialRef>,
    root: &Path,
    base_url: Option<&str>,
) -> Result<Arc<dyn CredentialSource>, CommandError> {
    let spec = match source {
        None | Some(CredentialRef::Nothing) => return Ok(Arc::new(NoCredential)),
        Some(CredentialRef::Env(name)) => CredentialSpec::Env { name: name.clone() },
        Some(CredentialRef::File(path)) => CredentialSpec::File { path: root.join(path) },
        Some(CredentialRef::Stdin) => CredentialSpec::Stdin,
        Some(CredentialRef::Oidc(oidc)) => identity(oidc, base_url),
    };
    Ok(credential_source(&spec, vault(), Arc::new(Tokens::default()))?)
}

fn identity(oidc: &Oidc, base_url: Option<&str>) -> CredentialSpec {
    match oidc.clone() {
        Oidc::Anthropic { federation_rule_id, organization_id, service_account, workspace, audience } => {
            CredentialSpec::AnthropicOidc(AnthropicRule {
                federation_rule_id,
                organization_id,
                service_account_id: service_account,
                workspace_id: workspace,
                audience,
                base_url: base_url.map(str::to_owned),
            })
        }
        Oidc::OpenAi { identity_provider_id, service_account_id, audience } => {
            CredentialSpec::OpenaiOidc(OpenaiRule {
                identity_provider_id,
                service_account_id,
                audience,
                auth_url: None,
            })
        }
    }
}

/// Returns a credential that was in the environment when this program started.
pub fn held(name: &str) -> Option<Secret> {
    vault().get(name).cloned()
}
