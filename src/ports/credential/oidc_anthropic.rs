//! Anthropic without a stored key: the workflow's identity for a token, by the JWT-bearer grant.
//!
//! Must never send the federation header on anything but this exchange.
//! Facts: platform.claude.com/docs/manage-claude/wif-reference.

use std::sync::Arc;

use super::actions::Identity;
use super::exchange::{Exchange, Federated, secure};
use super::{CredentialError, TokenHttp, Vault};

/// A federation rule of an Anthropic organization.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnthropicRule {
    /// `fdrl_...`.
    pub federation_rule_id: String,
    /// The organization's UUID.
    pub organization_id: String,
    /// `svac_...`.
    pub service_account_id: Option<String>,
    /// `wrkspc_...`, when the rule is good for several workspaces.
    pub workspace_id: Option<String>,
    /// The audience of the identity; absent: `https://api.anthropic.com`.
    pub audience: Option<String>,
    /// Absent: `https://api.anthropic.com`.
    pub base_url: Option<String>,
}

const BASE: &str = "https://api.anthropic.com";

pub(super) fn source(
    rule: &AnthropicRule,
    vault: &Vault,
    http: Arc<dyn TokenHttp>,
) -> Result<Federated, CredentialError> {
    for (name, value) in
        [("federation_rule_id", &rule.federation_rule_id), ("organization_id", &rule.organization_id)]
    {
        if value.trim().is_empty() {
            return Err(CredentialError::Setting { name, why: "is empty" });
        }
    }
    let base = rule.base_url.as_deref().unwrap_or(BASE).trim_end_matches('/');
    let mut fields = vec![
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer".to_owned()),
        ("federation_rule_id", rule.federation_rule_id.clone()),
        ("organization_id", rule.organization_id.clone()),
    ];
    fields.extend(rule.service_account_id.clone().map(|id| ("service_account_id", id)));
    fields.extend(rule.workspace_id.clone().map(|id| ("workspace_id", id)));
    let exchange = Exchange {
        issuer: "Anthropic",
        url: secure("base_url", &format!("{base}/v1/oauth/token"))?,
        headers: vec![("anthropic-beta", "oauth-2025-04-20,oidc-federation-2026-04-01".to_owned())],
        fields,
        assertion: "assertion",
    };
    let identity = Identity::new(rule.audience.as_deref().unwrap_or(BASE), vault, Arc::clone(&http))?;
    Ok(Federated::new(identity, exchange, http))
}
