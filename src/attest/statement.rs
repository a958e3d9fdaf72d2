//! In-toto Statement v1 (in-toto/attestation, spec/v1/statement.md): subjects, and one predicate about them.
//!
//! Must never name a subject by anything but a digest.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The type of every statement.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// A statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Statement {
    /// `https://in-toto.io/Statement/v1`.
    #[serde(rename = "_type")]
    pub statement_type: String,
    /// What it is about.
    pub subject: Vec<Resource>,
    /// The type of the predicate, a URI.
    pub predicate_type: String,
    /// What it says.
    pub predicate: Value,
}

/// A thing by name and digest: the part of in-toto's `ResourceDescriptor` that is needed here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    /// Its name.
    pub name: String,
    /// Its digests by algorithm: `gitCommit`, `gitTree`, `sha256`.
    pub digest: BTreeMap<String, String>,
}

impl Resource {
    /// Returns a thing with one digest.
    pub fn new(name: impl Into<String>, algorithm: &str, digest: impl Into<String>) -> Self {
        Self { name: name.into(), digest: BTreeMap::from([(algorithm.to_owned(), digest.into())]) }
    }
}

impl Statement {
    /// Tells whether it says what another does of some of its subjects: a signer may know fewer digests than we do.
    pub fn says(&self, whole: &Self) -> bool {
        self.statement_type == whole.statement_type
            && self.predicate_type == whole.predicate_type
            && self.predicate == whole.predicate
            && !self.subject.is_empty()
            && self.subject.iter().all(|subject| whole.subject.contains(subject))
    }

    /// Returns a statement about subjects.
    pub fn new(subject: Vec<Resource>, predicate_type: &str, predicate: Value) -> Self {
        Self {
            statement_type: STATEMENT_TYPE.into(),
            subject,
            predicate_type: predicate_type.into(),
            predicate,
        }
    }
}
