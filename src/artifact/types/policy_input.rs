//! `policy/input.json`: the document policy rules judge, `input` in Rego.
//!
//! Rule authors depend on it: a field may be added in a minor version, never renamed or given another meaning. Which of the
//! optional parts are there follows from the subject; a rule that reads one that is not there is not asked, and the verdict
//! says so.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::artifact::digest::Digest;
use crate::artifact::envelope::Artifact;
use crate::artifact::id::CommitId;
use crate::artifact::kind::ArtifactKind;
use crate::artifact::types::change_set::{FileMode, FileOp, TestSet};
use crate::artifact::types::plan::Plan;
use crate::artifact::types::task::Task;
use crate::artifact::types::verification::Verification;

/// The document policy rules judge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyInput {
    /// What is judged.
    pub subject: Subject,
    /// The task; only of a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
    /// The plan; only of a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
    /// The changed files with their added lines, sorted by path; absent where a whole tree is judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<Vec<ChangedFile>>,
    /// The size of the whole change; absent where a whole tree is judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<ChangeSize>,
    /// How far the change reaches; only where a rule that is on asks for it and the repository is large enough for its limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blast_radius: Option<BlastRadius>,
    /// What the scanners saw, sorted by place; nothing in it holds a secret.
    pub facts: Vec<Fact>,
    /// What could not be looked at, sorted by path; the stage itself judges it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<UnreadFile>,
    /// The acceptance tests; only of a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tests: Option<TestEvidence>,
    /// The settings of the rules, from `orch.yml`.
    pub settings: serde_json::Map<String, serde_json::Value>,
}

/// What is judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// What kind of thing.
    pub kind: SubjectKind,
    /// The commit the change is measured against, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<CommitId>,
    /// The commit that holds the change, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<CommitId>,
}

impl Subject {
    /// Returns the change set of a run on a base.
    pub const fn run(base: CommitId) -> Self {
        Self { kind: SubjectKind::Run, base: Some(base), head: None }
    }
}

/// What kind of thing is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SubjectKind {
    /// The change set of a run.
    Run,
    /// What is in the index, against HEAD.
    Staged,
    /// What is in the working tree, against HEAD.
    Work,
    /// What one commit has over another.
    Diff,
    /// What a pull request brings to its base.
    PullRequest,
    /// A patch that was given as text.
    Patch,
    /// Every file of the working tree.
    Tree,
}

impl SubjectKind {
    /// Returns the name used in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Staged => "staged",
            Self::Work => "work",
            Self::Diff => "diff",
            Self::PullRequest => "pull-request",
            Self::Patch => "patch",
            Self::Tree => "tree",
        }
    }
}

/// Something that could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnreadFile {
    /// The path; bytes that are no text are shown as `\xff`.
    pub path: String,
    /// What kind of thing it is.
    pub kind: UnreadKind,
    /// Why it could not be looked at, to be read after "it was not looked at:".
    pub why: String,
}

/// What kind of thing could not be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UnreadKind {
    /// A file that is too large, alone or with the others.
    Large,
    /// A submodule.
    Submodule,
    /// A file whose name is not UTF-8.
    Name,
    /// A content that is not here, in conflict, binary in a patch, or that the machine refuses.
    Content,
}

/// One thing a scanner saw.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// The path from the root of the repository.
    pub path: String,
    /// The line, from 1.
    pub line: u32,
    /// The column in bytes, from 1.
    pub column: u32,
    /// The last line.
    pub end_line: u32,
    /// The column after the last byte.
    pub end_column: u32,
    /// The code, `category/rule`; rules take facts by it.
    pub code: String,
    /// The scanner.
    pub scanner: String,
    /// What it is, in one sentence without full stop.
    pub message: String,
    /// The line with everything secret masked.
    pub evidence: String,
    /// The same for the same thing wherever it moves.
    pub fingerprint: String,
    /// How sure the scanner is.
    pub confidence: Confidence,
    /// More, by name; the scanner's page lists the names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
}

/// How sure a scanner is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// Looks like it, as many harmless things do.
    Low,
    /// Probably; a person should look.
    Medium,
    /// A format, a check digit or a place that says so.
    High,
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
    /// No change set: a change that git has, or a patch.
    Git,
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

/// How far a change reaches: by imports that could be resolved, in the tree it is made on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BlastRadius {
    /// Modules that it changes or takes away; tests are none.
    pub modules: u64,
    /// Modules that import one of those.
    pub direct: u64,
    /// Modules that import one of those, directly or further on.
    pub dependents: u64,
    /// The files of those.
    pub files: u64,
    /// How many of a hundred modules those are.
    pub percent: u64,
    /// The nearest of them, the first by path.
    pub nearest: Vec<String>,
    /// The owners of what it touches and of what imports that directly, sorted.
    pub owners: Vec<String>,
    /// The tests of what it touches.
    pub tests: RadiusTests,
}

/// Tests of what a change touches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RadiusTests {
    /// Tests that import what it touches, or are for it by name and place.
    pub covering: u64,
    /// Test files that the change holds.
    pub changed: u64,
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
