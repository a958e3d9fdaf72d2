//! `policy/input.json`: the document policy rules judge, `input` in Rego.
//!
//! Rule authors depend on it: a field may be added in a minor version, never renamed or given another meaning.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::artifact::digest::Digest;
use crate::artifact::envelope::Artifact;
use crate::artifact::kind::ArtifactKind;
use crate::artifact::types::change_set::{FileMode, FileOp, TestSet};
use crate::artifact::types::plan::Plan;
use crate::artifact::types::task::Task;
use crate::artifact::types::verification::Verification;

/// The document policy rules judge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyInput {
    /// The task.
    pub task: Task,
    /// The plan.
    pub plan: Plan,
    /// The changed files with their added lines, tests and edits together, sorted by path.
    pub changes: Vec<ChangedFile>,
    /// The size of the whole change.
    pub size: ChangeSize,
    /// The acceptance tests.
    pub tests: TestEvidence,
    /// The settings of the rules, from `orch.yml`.
    pub settings: serde_json::Map<String, serde_json::Value>,
}

/// A changed file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangedFile {
    /// The path.
    pub path: String,
    /// The last part of the path.
    pub name: String,
    /// Which change set it is from.
    pub origin: Origin,
    /// What happens to it.
    pub op: FileOp,
    /// Its mode afterwards.
    pub mode: FileMode,
    /// True when its content afterwards is not UTF-8 text.
    pub binary: bool,
    /// The digest afterwards; absent when it is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Digest>,
    /// The lines it gains, with their numbers afterwards.
    pub added: Vec<Line>,
    /// How many lines it loses.
    pub removed: u64,
}

/// Which change set a file is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// `tests.json`.
    Tests,
    /// `edits.json`.
    Edits,
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The line's number, from 1.
    pub line: u32,
    /// Its text without the line end.
    pub text: String,
}

/// The size of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeSize {
    /// Changed files.
    pub files: u64,
    /// Lines gained.
    pub added: u64,
    /// Lines lost.
    pub removed: u64,
}

/// The acceptance tests and what they said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestEvidence {
    /// The tests.
    pub set: TestSet,
    /// The digest of `tests.json`.
    pub digest: Digest,
    /// The red phase.
    pub red: Verification,
    /// The green phase of the last round.
    pub green: Verification,
}

impl Artifact for PolicyInput {
    const KIND: ArtifactKind = ArtifactKind::PolicyInput;
}
