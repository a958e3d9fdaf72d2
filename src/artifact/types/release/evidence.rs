//! `release/evidence.json`: all that is known of a release, with where each part comes from.
//!
//! A part that could not be collected is absent, and its source says why. Must never hold a secret, and must never be
//! judged when its seal is not the digest of what it says.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::facts::{
    ArtifactsSeen, BudgetSeen, ChangeRun, CheckSeen, DeltaSeen, DeploymentSeen, FreezeSeen, LastGood,
    Measure, PullSeen, ReleaseCommit, ReleaseSeen, RollbackSeen, SbomSeen, WaiverSeen,
};
use super::request::ReleaseSubject;
use super::terms::Terms;
use crate::artifact::digest::{CanonicalError, Digest};
use crate::artifact::envelope::Artifact;
use crate::artifact::id::Slug;
use crate::artifact::kind::ArtifactKind;

/// All that is known of a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseEvidence {
    /// What is to be released.
    pub subject: ReleaseSubject,
    /// Where to.
    pub environment: Slug,
    /// The branch the commit has to be on.
    pub branch: String,
    /// Whether the environment runs the subject already.
    pub deployed: bool,
    /// When the collection began, RFC 3339 in UTC with whole seconds: the judge's clock.
    pub now: String,
    /// The same in seconds since 1970, for rules.
    pub now_seconds: i64,
    /// What the environment asks.
    pub terms: Terms,
    /// The rules that the repository and its organisation add to those of orch, as they were at the released commit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<OwnRules>,
    /// What is known.
    pub facts: Facts,
    /// Where it comes from, one row for each part that was looked for, by fact and place.
    pub sources: Vec<SourceRecord>,
    /// The digest of everything above: what was changed later is not judged.
    pub seal: Digest,
}

/// A file of the rules that judge a release besides those of orch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnRules {
    /// The path in the repository, or `bundle:<bundle>/<path>`.
    pub name: String,
    /// Where it is found below `data`; absent: it is a file of rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Vec<String>>,
    /// Its text; absent: it is no regular file with UTF-8 text, and denies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// What is known; a part that is absent was not measured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// The release to go back to: the last one that was deployed to the environment with success, not the subject itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_good: Option<LastGood>,
    /// The commits since the last good release, newest first, the subject itself included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commits: Option<Vec<ReleaseCommit>>,
    /// Whether the commit is on its branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_branch: Option<bool>,
    /// The change runs behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<Vec<ChangeRun>>,
    /// Checks and statuses at the commit: every one the forge tells of, whatever its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checks: Option<Vec<CheckSeen>>,
    /// The pull requests it is made of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pulls: Option<Vec<PullSeen>>,
    /// Deployments of the commit, to any environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployments: Option<Vec<DeploymentSeen>>,
    /// Releases on the forge, newest first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub releases: Option<Vec<ReleaseSeen>>,
    /// Digests of what was tested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tested: Option<ArtifactsSeen>,
    /// Measures of canary, last good release and service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measures: Option<Vec<Measure>>,
    /// What is left of the error budget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_budget: Option<BudgetSeen>,
    /// Times without releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freezes: Option<Vec<FreezeSeen>>,
    /// What changed from the last good release to this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deltas: Option<Vec<DeltaSeen>>,
    /// The plan to go back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback: Option<RollbackSeen>,
    /// The list of components.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sbom: Option<SbomSeen>,
    /// Waivers that speak of releases, in force or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waivers: Option<Vec<WaiverSeen>>,
}

/// A part of the facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FactName {
    /// The release to go back to.
    LastGood,
    /// The commits since then.
    Commits,
    /// Whether the commit is on its branch.
    OnBranch,
    /// Change runs.
    Changes,
    /// Checks and statuses.
    Checks,
    /// Pull requests.
    Pulls,
    /// Deployments.
    Deployments,
    /// Releases.
    Releases,
    /// Digests of what was tested.
    Tested,
    /// Measures.
    Measures,
    /// The error budget.
    ErrorBudget,
    /// Times without releases.
    Freezes,
    /// Changes of coverage and sizes.
    Deltas,
    /// The plan to go back.
    Rollback,
    /// The list of components.
    Sbom,
    /// Waivers.
    Waivers,
}

/// Where a part comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceRecord {
    /// The part.
    pub fact: FactName,
    /// The collector, the file, the query: for people.
    pub from: String,
    /// When it was collected, RFC 3339 in UTC with whole seconds.
    pub at: String,
    /// Whether it was.
    pub outcome: SourceOutcome,
    /// The digest of what was answered; absent where nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// Why nothing was, one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Whether a part was collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SourceOutcome {
    /// It was.
    Collected,
    /// Nothing is configured, or there is nothing.
    Absent,
    /// It was tried, and failed.
    Failed,
}

impl ReleaseEvidence {
    /// Returns the digest of everything but the seal.
    pub fn digest_of_parts(&self) -> Result<Digest, CanonicalError> {
        let mut value = serde_json::to_value(self)?;
        if let Some(parts) = value.as_object_mut() {
            parts.remove("seal");
        }
        Digest::of_json(&value)
    }

    /// Seals it.
    pub fn sealed(mut self) -> Result<Self, CanonicalError> {
        self.sources.sort_unstable();
        self.seal = self.digest_of_parts()?;
        Ok(self)
    }

    /// Returns why a part is not there, by part.
    pub fn gaps(&self) -> BTreeMap<FactName, &str> {
        let failed = self.sources.iter().filter(|source| source.outcome != SourceOutcome::Collected);
        failed.filter_map(|source| Some((source.fact, source.why.as_deref()?))).collect()
    }
}

impl Artifact for ReleaseEvidence {
    const KIND: ArtifactKind = ArtifactKind::ReleaseEvidence;
}
