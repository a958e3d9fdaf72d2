//! The record that a deployment carries: whose it is, and which digests are meant.
//!
//! The forge keeps it as the deployment's payload, so it outlives every artifact. Must never be taken for proof: who may
//! write deployments can write one.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::artifact::digest::Digest;
use crate::artifact::id::{RunId, Slug};
use crate::artifact::types::release::ArtifactDigest;

/// Why a deployment was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The gate said promote.
    Promotion,
    /// The gate said rollback.
    Rollback,
}

/// Whose a thing on the forge is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Marker {
    /// Why it was made.
    pub cause: Cause,
    /// The run.
    pub run: RunId,
    /// The digest of its `release/decision.json`.
    pub decision: Digest,
}

/// The payload of a deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Whose it is.
    pub orch: Marker,
    /// What is meant, by digest, sorted by name: what is deployed is fetched by these and never built again.
    pub artifacts: Vec<ArtifactDigest>,
    /// The environment whose record named the same digests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Slug>,
}

impl Record {
    /// Reads the payload of a deployment; `None`: it is not one of ours.
    pub fn read(payload: &Value) -> Option<Self> {
        serde_json::from_value(payload.clone()).ok()
    }

    /// Returns the payload.
    pub fn payload(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

const START: &str = "<!-- orch release ";
const END: &str = " -->";

impl Record {
    /// Returns the hidden line of a text on the forge: whose it is and which digests it is about, whatever the decision.
    pub fn line(&self) -> String {
        let cause = match self.orch.cause {
            Cause::Promotion => "promotion",
            Cause::Rollback => "rollback",
        };
        let digests = Digest::of_json(&self.artifacts).map(|digest| digest.to_string()).unwrap_or_default();
        format!("{START}{cause} run={} digests={digests}{END}", self.orch.run)
    }

    /// Tells whether a text is of this record.
    pub fn is_in(&self, text: &str) -> bool {
        let line = self.line();
        text.lines().any(|one| one.trim_end() == line)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_whole_record_is_one() {
        let digest = Digest::of("x");
        let marker = Marker { cause: Cause::Promotion, run: "r".parse().unwrap(), decision: digest.clone() };
        let artifacts = vec![ArtifactDigest { name: "app".into(), digest: digest.clone() }];
        let record = Record { orch: marker.clone(), artifacts, from: None };
        assert_eq!(Record::read(&record.payload()), Some(record.clone()));
        for broken in [
            json!(null),
            json!("deploy"),
            json!({}),
            json!({ "orch": record.payload()["orch"] }),
            json!({ "orch": record.payload()["orch"], "artifacts": [{ "name": "app", "digest": "latest" }] }),
            json!({ "orch": record.payload()["orch"], "artifacts": [], "more": 1 }),
        ] {
            assert_eq!(Record::read(&broken), None, "{broken}");
        }
        let text = format!("text\n\n{}\r\n", record.line());
        let again = Marker { decision: Digest::of("later"), ..marker.clone() };
        assert!(record.is_in(&text) && Record { orch: again, ..record.clone() }.is_in(&text));
        let other = Marker { cause: Cause::Rollback, ..marker };
        assert!(!Record { orch: other, ..record.clone() }.is_in(&text) && !record.is_in("text"));
        assert!(!Record { artifacts: Vec::new(), ..record }.is_in(&text));
    }
}
