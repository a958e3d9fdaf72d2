//! The documents of an upgrade in its folder: canonical JSON, each with its kind and the version of its form.
//!
//! Must never write over a document that later ones rest on, and must never read one that was changed by hand as good.

use schemars::JsonSchema;
use schemars::Schema;
use schemars::generate::SchemaSettings;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::artifact::digest::{Digest, canonical_json};
use crate::artifact::envelope::Producer;
use crate::artifact::store::ArtifactStore;

use super::UpgradeError;
use super::types::{Evaluation, Proposal, Switch, UpgradeDecision};

/// The version of every form.
pub const FORM: &str = "1.0";

/// A type that is the body of a document.
pub trait Body: Serialize + DeserializeOwned + JsonSchema {
    /// The kind of the document.
    const KIND: &'static str;
}

impl Body for Proposal {
    const KIND: &'static str = "upgrade-proposal";
}
impl Body for Evaluation {
    const KIND: &'static str = "upgrade-evaluation";
}
impl Body for UpgradeDecision {
    const KIND: &'static str = "upgrade-decision";
}
impl Body for Switch {
    const KIND: &'static str = "upgrade-switch";
}

/// The proposal.
pub const PROPOSAL: &str = "upgrade/proposal.json";
/// The evaluation.
pub const EVALUATION: &str = "upgrade/evaluation.json";
/// The decision.
pub const DECISION: &str = "upgrade/decision.json";

/// Returns the path of a switch.
pub fn switch(number: u32) -> String {
    format!("upgrade/switch-{number}.json")
}

/// A document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Document<T> {
    /// The kind of the document.
    pub kind: String,
    /// The version of its form.
    pub schema: String,
    /// The program that wrote it.
    pub producer: Producer,
    /// What it says.
    pub body: T,
}

/// A document that was read, with the digest of its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read<T> {
    /// What it says.
    pub body: T,
    /// The digest of its bytes.
    pub digest: Digest,
}

/// Writes a document and returns the digest of its bytes.
pub fn write<T: Body>(store: &dyn ArtifactStore, path: &str, body: &T) -> Result<Digest, UpgradeError> {
    let document =
        Document { kind: T::KIND.to_owned(), schema: FORM.to_owned(), producer: Producer::this(), body };
    let bytes = canonical_json(&document)?;
    store.write(path, &bytes)?;
    Ok(Digest::of(&bytes))
}

/// Reads a document; `None` where there is none.
pub fn read<T: Body>(store: &dyn ArtifactStore, path: &str) -> Result<Option<Read<T>>, UpgradeError> {
    let Some(bytes) = store.read(path)? else { return Ok(None) };
    let unbound = |why: String| UpgradeError::Unbound { path: path.to_owned(), why };
    let value: serde_json::Value =
        serde_json::from_slice(&bytes).map_err(|error| unbound(format!("is no JSON: {error}")))?;
    if (value["kind"].as_str(), value["schema"].as_str()) != (Some(T::KIND), Some(FORM)) {
        return Err(unbound(format!("is no `{}` of the form {FORM}", T::KIND)));
    }
    if canonical_json(&value)? != bytes {
        return Err(unbound("is not in canonical form: it was changed after it was written".into()));
    }
    let document: Document<T> =
        serde_json::from_value(value).map_err(|error| unbound(format!("cannot be read: {error}")))?;
    Ok(Some(Read { body: document.body, digest: Digest::of(&bytes) }))
}

/// Reads a document that has to be there.
pub fn needed<T: Body>(store: &dyn ArtifactStore, path: &str, help: &str) -> Result<Read<T>, UpgradeError> {
    read(store, path)?
        .ok_or_else(|| UpgradeError::refused(format!("the upgrade has no `{path}`"), help.to_owned()))
}

/// Returns every switch, oldest first.
pub fn switches(store: &dyn ArtifactStore) -> Result<Vec<Switch>, UpgradeError> {
    let mut found = Vec::new();
    for number in 1.. {
        match read::<Switch>(store, &switch(number))? {
            Some(read) => found.push(read.body),
            None => break,
        }
    }
    Ok(found)
}

/// The kinds of documents.
pub const KINDS: &[&str] = &[Proposal::KIND, Evaluation::KIND, UpgradeDecision::KIND, Switch::KIND];

/// Returns the JSON Schema of a kind of document.
pub fn schema(kind: &str) -> Option<Schema> {
    match kind {
        Proposal::KIND => Some(of::<Proposal>()),
        Evaluation::KIND => Some(of::<Evaluation>()),
        UpgradeDecision::KIND => Some(of::<UpgradeDecision>()),
        Switch::KIND => Some(of::<Switch>()),
        _ => None,
    }
}

fn of<T: Body>() -> Schema {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Document<T>>();
    let kind = T::KIND;
    schema.insert("$id".into(), format!("urn:orch:{kind}:{FORM}").into());
    schema.insert("title".into(), format!("{kind} {FORM}").into());
    if let Some(properties) = schema.get_mut("properties").and_then(|p| p.as_object_mut()) {
        properties.insert("kind".into(), serde_json::json!({ "const": kind }));
        properties.insert("schema".into(), serde_json::json!({ "const": FORM }));
    }
    schema
}
