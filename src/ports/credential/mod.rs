//! Credentials of model providers: where they come from, and how they are shown to whom they belong.
//!
//! Must never hand a credential to anything but the provider it was configured for.

mod actions;
mod env;
mod error;
mod exchange;
mod file;
mod oidc_anthropic;
mod oidc_openai;
mod start;
mod stdin;
mod vault;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use super::model::CallError;
use super::secret::Secret;

pub use actions::identity;
pub use error::CredentialError;
pub use oidc_anthropic::AnthropicRule;
pub use oidc_openai::OpenaiRule;
pub use start::take_in;
pub use vault::{Surroundings, Vault, is_credential, vault};

/// Tells the credential of one provider at the moment of a call.
pub trait CredentialSource: Send + Sync {
    /// Returns the credential; a short-lived one is fetched or renewed here. `None`: the endpoint needs none.
    fn credential(&self) -> Result<Option<Credential>, CallError>;
}

/// A credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// The secret.
    pub secret: Secret,
    /// How it is shown.
    pub kind: CredentialKind,
}

/// How a credential is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    /// A key, in the header the wire format has for keys.
    Key,
    /// A short-lived token, as `Authorization: Bearer`.
    Token,
}

/// Needs no credential.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoCredential;

impl CredentialSource for NoCredential {
    fn credential(&self) -> Result<Option<Credential>, CallError> {
        Ok(None)
    }
}

/// Where a credential comes from, as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialSpec {
    /// A variable of the environment this program was started with.
    Env {
        /// Its name.
        name: String,
    },
    /// A file only its owner may read.
    File {
        /// Where it is.
        path: PathBuf,
    },
    /// Standard input, one line.
    Stdin,
    /// A short-lived token of Anthropic, for the identity GitHub gives a workflow.
    AnthropicOidc(AnthropicRule),
    /// A short-lived token of OpenAI, for the identity GitHub gives a workflow.
    OpenaiOidc(OpenaiRule),
    /// None is needed.
    None,
}

/// Asks for tokens over HTTP: once, without redirects, within a time.
pub trait TokenHttp: Send + Sync {
    /// Sends one request and returns what came; an error when nothing came.
    fn exchange(&self, request: &TokenRequest) -> Result<TokenReply, CallError>;
}

/// A request for a token: `POST` with a JSON body, else `GET`.
#[derive(Debug)]
pub struct TokenRequest {
    /// Where it goes: https, or http to this machine.
    pub url: String,
    /// What is shown as `Authorization: Bearer`.
    pub bearer: Option<Secret>,
    /// More headers.
    pub headers: Vec<(&'static str, String)>,
    /// The JSON body.
    pub body: Option<Body>,
    /// The longest it may take.
    pub timeout: Duration,
}

/// A body with a secret in it; `Debug` shows nothing.
pub struct Body(Zeroizing<Vec<u8>>);

impl Body {
    /// Returns the bytes, to be put on a wire and nowhere else.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// What came back for a [`TokenRequest`].
pub struct TokenReply {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Zeroizing<Vec<u8>>,
}

/// Returns the source of a credential, or what is missing for it; tokens are fetched at the first call.
pub fn credential_source(
    spec: &CredentialSpec,
    vault: &Vault,
    http: Arc<dyn TokenHttp>,
) -> Result<Arc<dyn CredentialSource>, CredentialError> {
    Ok(match spec {
        CredentialSpec::Env { name } => Arc::new(Key(env::read(name, vault)?)),
        CredentialSpec::File { path } => Arc::new(Key(file::read(path)?)),
        CredentialSpec::Stdin => Arc::new(Key(stdin::read(vault)?)),
        CredentialSpec::AnthropicOidc(rule) => Arc::new(oidc_anthropic::source(rule, vault, http)?),
        CredentialSpec::OpenaiOidc(rule) => Arc::new(oidc_openai::source(rule, vault, http)?),
        CredentialSpec::None => Arc::new(NoCredential),
    })
}

/// Where a signing key comes from, as PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SigningKeySpec {
    /// A file only its owner may read.
    File(PathBuf),
    /// A variable of the environment this program was started with.
    Env(String),
}

/// Returns a signing key as PEM text; it is masked wherever text leaves this program.
pub fn signing_key(spec: &SigningKeySpec, vault: &Vault) -> Result<Secret, CredentialError> {
    match spec {
        SigningKeySpec::File(path) => file::read_pem(path),
        SigningKeySpec::Env(name) => {
            let secret = env::read(name, vault)?;
            file::pem(secret.expose().as_bytes())
                .ok_or_else(|| CredentialError::NotPem { name: name.clone() })
        }
    }
}

/// A key that does not change.
struct Key(Secret);

impl CredentialSource for Key {
    fn credential(&self) -> Result<Option<Credential>, CallError> {
        Ok(Some(Credential { secret: self.0.clone(), kind: CredentialKind::Key }))
    }
}

#[cfg(test)]
mod tests;
