//! Credentials of model providers: where they come from, and how they are shown to whom they belong.
//!
//! Must never hand a credential to anything but the provider it was configured for.

use super::model::CallError;
use super::secret::Secret;

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
