//! `plan.json`: how the task will be done.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::artifact::digest::Digest;
use crate::artifact::envelope::Artifact;
use crate::artifact::id::Slug;
use crate::artifact::kind::ArtifactKind;
use crate::artifact::path::RepoPath;

/// How the task will be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// One paragraph for the pull request.
    pub summary: String,
    /// The Conventional Commits type of the change: `feat`, `fix`, `docs`, `ci`, `chore`, ...
    pub change_type: String,
    /// The scope of the change, also part of the branch name.
    pub scope: Slug,
    /// The commit subject after `type(scope): `, in the imperative.
    pub subject: String,
    /// The steps, in order.
    pub steps: Vec<String>,
    /// The files the change may touch; an edit outside them is refused.
    pub files: Vec<PlannedFile>,
    /// What must hold afterwards; each is covered by a test or says why it is not.
    pub criteria: Vec<Criterion>,
    /// What may go wrong.
    pub risks: Vec<Risk>,
    /// How to undo the change.
    pub rollback: String,
    /// The template the plan was made from, if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<TemplateUse>,
}

/// A file the change may touch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlannedFile {
    /// The file.
    pub path: RepoPath,
    /// Whether it is a test (written first, then frozen) or part of the change.
    pub role: FileRole,
    /// Whether the base has it.
    pub exists: bool,
}

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FileRole {
    /// An acceptance test or its support file.
    Test,
    /// Part of the change itself.
    Change,
}

/// What must hold after the change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Criterion {
    /// A short id, as `c1`.
    pub id: String,
    /// What must hold.
    pub text: String,
}

/// What may go wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Risk {
    /// How bad.
    pub level: RiskLevel,
    /// What may happen.
    pub text: String,
    /// What is done or should be done about it.
    pub mitigation: String,
}

/// How bad a risk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RiskLevel {
    /// Easily seen and undone.
    Low,
    /// Needs attention.
    Medium,
    /// Needs a person.
    High,
}

/// The template a plan was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateUse {
    /// The template's name.
    pub name: Slug,
    /// The digest over all its files.
    pub digest: Digest,
    /// The variant chosen in the template, as `create` or `extend`.
    pub variant: String,
    /// The parameters, by name.
    pub parameters: std::collections::BTreeMap<String, String>,
}

impl Artifact for Plan {
    const KIND: ArtifactKind = ArtifactKind::Plan;
}
