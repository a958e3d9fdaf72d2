//! `manifest/<stage>.json`: what one stage read and wrote, by digest; the link of the chain.
//!
//! A stage is done when its manifest is there, and not before: the manifest is renamed into place last.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::artifact::digest::{CanonicalError, Digest};
use crate::artifact::envelope::{Artifact, FileRef};
use crate::artifact::id::{Round, StageId};
use crate::artifact::kind::ArtifactKind;

/// What one stage read and wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The part that is the same whenever the inputs are the same.
    pub link: Link,
    /// The digest of `link`'s canonical JSON; what later manifests name as their parent.
    pub link_digest: Digest,
    /// Files with times or raw output.
    pub records: Vec<OutputRef>,
    /// When it ran and for how long.
    pub timing: Timing,
    /// The digest of the canonical JSON of `link`, `records` and `timing` as an array: any later change shows.
    pub seal: Digest,
}

/// The part of a manifest that is the same whenever the inputs are the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// The stage.
    pub stage: StageId,
    /// The version of the stage's behaviour.
    pub stage_version: u32,
    /// The round.
    pub round: Round,
    /// The stage key: the digest of everything the outputs depend on.
    pub key: Digest,
    /// The documented exit code of the stage.
    pub exit: u8,
    /// Why the stage stopped the pipeline, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The manifests of the stages whose files were read.
    pub parents: Vec<ParentRef>,
    /// The files read.
    pub inputs: Vec<FileRef>,
    /// Other things the outputs depend on: templates, policy bundle, prompts.
    pub materials: Vec<Material>,
    /// The files written.
    pub outputs: Vec<OutputRef>,
}

/// The manifest of an earlier stage.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParentRef {
    /// The path of the manifest in the run folder.
    pub manifest: String,
    /// Its `link_digest`.
    pub link: Digest,
}

/// A file written by the stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutputRef {
    /// The path in the run folder.
    pub path: String,
    /// The kind of the file.
    pub kind: ArtifactKind,
    /// The digest of its bytes.
    pub digest: Digest,
    /// Its size.
    pub bytes: u64,
}

/// Something a stage's outputs depend on that is no file of the run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Material {
    /// What it is, as `template:health-fastapi` or `policy-bundle`.
    pub name: String,
    /// Its digest.
    pub digest: Digest,
}

/// When a stage ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Timing {
    /// RFC 3339 in UTC with whole seconds.
    pub started_at: String,
    /// Wall time in milliseconds.
    pub duration_ms: u64,
}

impl Manifest {
    /// Seals a link with its records and timing.
    pub fn seal(link: Link, records: Vec<OutputRef>, timing: Timing) -> Result<Self, CanonicalError> {
        let link_digest = Digest::of_json(&link)?;
        let seal = Digest::of_json(&(&link, &records, &timing))?;
        Ok(Self { link, link_digest, records, timing, seal })
    }

    /// Tells whether the digests in the manifest fit what it says.
    pub fn is_intact(&self) -> bool {
        Self::seal(self.link.clone(), self.records.clone(), self.timing.clone())
            .is_ok_and(|m| m.link_digest == self.link_digest && m.seal == self.seal)
    }

    /// Returns every file the stage wrote, data first.
    pub fn files(&self) -> impl Iterator<Item = &OutputRef> {
        self.link.outputs.iter().chain(&self.records)
    }

    /// Returns the path of the manifest of a stage in a round.
    pub fn path(stage: StageId, round: Round) -> String {
        round.path(&format!("manifest/{stage}.json"))
    }
}

impl Artifact for Manifest {
    const KIND: ArtifactKind = ArtifactKind::Manifest;
}
