//! Sigstore bundles v0.3 with a public key: what cosign and the Sigstore libraries check without a network.
//!
//! Must never drop what it does not know: a bundle that a CI service signed with a certificate is read, and told from one
//! that a key signed.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::dsse::{Envelope, PAYLOAD_TYPE};
use super::{AttestError, PublicKey, SigningKey, Statement};
use crate::artifact::digest::canonical_json;

/// The media type of the bundles this program writes.
pub const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// Another name of the same form.
const OLDER_MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle+json;version=0.3";

/// A bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Bundle {
    /// The form.
    pub media_type: String,
    /// What the signature is checked with.
    pub verification_material: Material,
    /// The envelope.
    pub dsse_envelope: Envelope,
}

/// What a signature is checked with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Material {
    /// A public key that the reader has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<Hint>,
    /// Anything else: certificates, entries of a transparency log, time stamps.
    #[serde(flatten)]
    pub other: serde_json::Map<String, Value>,
}

/// Which key it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hint {
    /// The name of the key.
    pub hint: String,
}

impl Bundle {
    /// Signs a statement.
    pub fn sign(statement: &Statement, key: &SigningKey) -> Result<Self, AttestError> {
        let payload = canonical_json(statement).map_err(|_| AttestError::Sign("it has no canonical form"))?;
        Ok(Self {
            media_type: MEDIA_TYPE.into(),
            verification_material: Material {
                public_key: Some(Hint { hint: key.public().id() }),
                // No log was used; some readers want to be told so.
                other: serde_json::Map::from_iter([("tlogEntries".to_owned(), Value::Array(Vec::new()))]),
            },
            dsse_envelope: Envelope::sign(&payload, key)?,
        })
    }

    /// Reads a bundle; `path` is where it lies.
    pub fn parse(path: &str, bytes: &[u8]) -> Result<Self, AttestError> {
        let unreadable = |why: String| AttestError::Unreadable { path: path.to_owned(), why };
        let bundle: Self = serde_json::from_slice(bytes)
            .map_err(|error| unreadable(format!("is no Sigstore bundle: {error}")))?;
        if ![MEDIA_TYPE, OLDER_MEDIA_TYPE].contains(&bundle.media_type.as_str()) {
            return Err(unreadable("is a bundle of another form than v0.3".into()));
        }
        // What this program wrote has one form; what a CI service signed comes as it comes.
        if !bundle.has_certificate() && bundle.to_bytes()? != bytes {
            return Err(unreadable("is not in canonical form; it was changed after it was written".into()));
        }
        Ok(bundle)
    }

    /// Returns the bytes of the file.
    pub fn to_bytes(&self) -> Result<Vec<u8>, AttestError> {
        canonical_json(self).map_err(|_| AttestError::Sign("the bundle has no canonical form"))
    }

    /// Returns the statement, whoever signed it.
    pub fn statement(&self, path: &str) -> Result<Statement, AttestError> {
        let unreadable = |why: String| AttestError::Unreadable { path: path.to_owned(), why };
        if self.dsse_envelope.payload_type != PAYLOAD_TYPE {
            return Err(unreadable("holds something else than an in-toto statement".into()));
        }
        let payload = self
            .dsse_envelope
            .payload()
            .ok_or_else(|| unreadable("has a payload that is no base64".into()))?;
        serde_json::from_slice(&payload)
            .map_err(|error| unreadable(format!("holds no in-toto statement: {error}")))
    }

    /// Returns the key of those given that signed it.
    pub fn signer<'a>(&self, keys: &'a [PublicKey]) -> Option<&'a PublicKey> {
        self.dsse_envelope.signer(keys)
    }

    /// Tells whether every name of a key in it is that of the key that signed; names are hints and are not signed.
    pub fn names_only(&self, key: &PublicKey) -> bool {
        let hint = self.verification_material.public_key.as_ref().map(|hint| hint.hint.as_str());
        let ids = self.dsse_envelope.signatures.iter().map(|signature| signature.keyid.as_str());
        hint.into_iter().chain(ids).all(|name| name == key.id())
    }

    /// Tells whether a certificate, not a key, vouches for it.
    pub fn has_certificate(&self) -> bool {
        ["certificate", "x509CertificateChain"]
            .iter()
            .any(|name| self.verification_material.other.contains_key(*name))
    }
}
