//! OpenAI without a stored key: the workflow's identity for a token, by the token-exchange grant.
//!
//! Must never ask for more than the service account may do.
//! Facts: developers.openai.com/api/reference/workload-identity-federation.

use std::sync::Arc;

use super::actions::Identity;
use super::exchange::{Exchange, Federated, secure};
use super::{CredentialError, TokenHttp, Vault};

/// A workload identity provider of an OpenAI organization.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenaiRule {
    /// The workload identity provider's id.
    pub identity_provider_id: String,
    /// The service account's id.
    pub service_account_id: String,
    /// The audience of the identity; absent: `https://api.openai.com/v1`.
    pub audience: Option<String>,
    /// Where tokens are exchanged; absent: `https://auth.openai.com`.
    pub auth_url: Option<String>,
}

const AUDIENCE: &str = "https://api.openai.com/v1";
const BASE: &str = "https://auth.openai.com";

pub(super) fn source(
    rule: &OpenaiRule,
    vault: &Vault,
    http: Arc<dyn TokenHttp>,
) -> Result<Federated, CredentialError> {
    for (name, value) in [
        ("identity_provider_id", &rule.identity_provider_id),
        ("service_account_id", &rule.service_account_id),
    ] {
        if value.trim().is_empty() {
            return Err(CredentialError::Setting { name, why: "is empty" });
        }
    }
    let base = rule.auth_url.as_deref().unwrap_or(BASE).trim_end_matches('/');
    let exchange = Exchange {
        issuer: "OpenAI",
        url: secure("auth_url", &format!("{base}/oauth/token"))?,
        headers: Vec::new(),
        fields: vec![
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange".to_owned()),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt".to_owned()),
            ("identity_provider_id", rule.identity_provider_id.clone()),
            ("service_account_id", rule.service_account_id.clone()),
        ],
        assertion: "subject_token",
    };
    let identity = Identity::new(rule.audience.as_deref().unwrap_or(AUDIENCE), vault, Arc::clone(&http))?;
    Ok(Federated::new(identity, exchange, http))
}
