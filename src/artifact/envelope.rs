//! The envelope around every JSON artifact: kind, schema, run, stage, producer, inputs, body.
//!
//! A file is the canonical JSON (RFC 8785) of its envelope and nothing more, so `sha256sum FILE` is its digest.
//! Must never accept a file whose bytes are not the canonical form of what they say.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::digest::{CanonicalError, Digest, canonical_json};
use super::id::{Round, RunId, StageId};
use super::kind::ArtifactKind;
use super::version::{SchemaVersion, VersionError};

/// A type that is the body of a JSON artifact.
pub trait Artifact: Serialize + DeserializeOwned + JsonSchema {
    /// The kind of the file.
    const KIND: ArtifactKind;
}

/// The program that wrote a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Producer {
    /// `orch`.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl Producer {
    /// Returns this program.
    pub fn this() -> Self {
        Self { name: "orch".into(), version: env!("CARGO_PKG_VERSION").into() }
    }
}

/// A file by path and digest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileRef {
    /// The path in the run folder.
    pub path: String,
    /// The digest of its bytes.
    pub digest: Digest,
}

/// A JSON artifact: the envelope and its body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Envelope<T> {
    /// The kind of the file.
    pub kind: ArtifactKind,
    /// The schema version of the body.
    pub schema: SchemaVersion,
    /// The run the file belongs to.
    pub run: RunId,
    /// The stage that wrote it.
    pub stage: StageId,
    /// The round it was written in.
    pub round: Round,
    /// The program that wrote it.
    pub producer: Producer,
    /// What the stage read, by digest.
    pub inputs: Vec<FileRef>,
    /// What the file says.
    pub body: T,
}

/// A file that is not the artifact it should be.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// Not JSON, cut off, or fields missing, unknown or of the wrong type.
    #[error("not a readable {kind} artifact")]
    Unreadable {
        /// What it should be.
        kind: ArtifactKind,
        /// Where and why.
        #[source]
        source: serde_json::Error,
    },
    /// Another kind than asked for.
    #[error("the file is a `{found}`, not a `{wanted}`")]
    Kind {
        /// What the file says.
        found: String,
        /// What was asked for.
        wanted: ArtifactKind,
    },
    /// Another major version.
    #[error("the {kind} artifact cannot be read: {source}")]
    Version {
        /// The kind.
        kind: ArtifactKind,
        /// Both versions.
        source: VersionError,
    },
    /// The bytes are not canonical JSON.
    #[error("the {0} artifact is not in canonical form; it was changed after it was written")]
    NotCanonical(ArtifactKind),
    /// The value has no canonical form.
    #[error("the {kind} artifact cannot be written")]
    Canonical {
        /// The kind.
        kind: ArtifactKind,
        /// Why.
        source: CanonicalError,
    },
}

/// The part of the envelope that is readable whatever the version of the body.
#[derive(Deserialize)]
struct Head {
    kind: String,
    schema: SchemaVersion,
}

impl<T: Artifact> Envelope<T> {
    /// Returns the bytes of the file.
    pub fn to_bytes(&self) -> Result<Vec<u8>, EnvelopeError> {
        canonical_json(self).map_err(|source| EnvelopeError::Canonical { kind: T::KIND, source })
    }

    /// Reads a file: kind and version first, so that a newer file is refused by its version and not by a field.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let kind = T::KIND;
        let unreadable = |source| EnvelopeError::Unreadable { kind, source };
        let head: Head = serde_json::from_slice(bytes).map_err(unreadable)?;
        if head.kind != kind.as_str() {
            return Err(EnvelopeError::Kind { found: head.kind, wanted: kind });
        }
        kind.version().check_reads(head.schema).map_err(|source| EnvelopeError::Version { kind, source })?;
        let value: serde_json::Value = serde_json::from_slice(bytes).map_err(unreadable)?;
        let canonical = canonical_json(&value).map_err(|source| EnvelopeError::Canonical { kind, source })?;
        if canonical != bytes {
            return Err(EnvelopeError::NotCanonical(kind));
        }
        serde_json::from_value(value).map_err(unreadable)
    }
}
