//! The frozen model every renderer reads; built only from artifacts.

use serde::Serialize;

use super::discussion::{Discussion, discussions};
use crate::artifact::chain::{Break, Chain};
use crate::artifact::envelope::{Artifact, Envelope, EnvelopeError};
use crate::artifact::id::{Round, RunId, StageId};
use crate::artifact::kind::{Slot, slot};
use crate::artifact::path::RepoPath;
use crate::artifact::store::{ArtifactStore, StoreError};
use crate::artifact::types::change_set::{ChangeSet, FileChange, FileOp, TestSet};
use crate::artifact::types::plan::Plan;
use crate::artifact::types::pull_request::PullRequest;
use crate::artifact::types::task::Task;
use crate::artifact::types::verdict::Verdict;
use crate::artifact::types::verification::{
    Probe, Protection, TestReport, TestStatus, Verification, VerificationOutcome,
};
use crate::diagnostic::{Class, Failure};

/// A run as its artifacts tell it; what a stage has not written is absent, never empty.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The run.
    pub run: RunId,
    /// The stages that ended, in order.
    pub stages: Vec<ReportedStage>,
    /// The task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
    /// The plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
    /// The expected tests, before and after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tests: Option<Vec<ReportedTest>>,
    /// Why there are no tests, when the test set says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_exemption: Option<String>,
    /// The changed files with what happens to them.
    pub files: Vec<ReportedFile>,
    /// The probes of the green phase.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probes: Option<Vec<Probe>>,
    /// The protection in force in the green phase, or in the red one where there is no green yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protection: Option<Protection>,
    /// The reports of the phases that did not pass.
    pub failed: Vec<Verification>,
    /// What was said on the way to the plan and the edits.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub discussions: Vec<Discussion>,
    /// Tests and edits as a patch; other programs read the file itself.
    #[serde(skip)]
    pub patch: Option<String>,
    /// The verdict.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// The pull request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull_request: Option<PullRequest>,
}

/// One stage that ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReportedStage {
    /// The stage.
    pub stage: StageId,
    /// The round.
    pub round: Round,
    /// Its documented exit code.
    pub exit: u8,
    /// Why it stopped the pipeline, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Wall time in milliseconds.
    pub duration_ms: u64,
}

/// One expected test, before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReportedTest {
    /// The file it is in.
    pub path: RepoPath,
    /// Its name.
    pub name: String,
    /// On the base; absent when the red phase has not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<TestReport>,
    /// With the change; absent when the green phase has not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<TestStatus>,
}

/// One changed file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReportedFile {
    /// The file.
    pub path: RepoPath,
    /// What happens to it.
    pub op: FileOp,
    /// True when it belongs to the tests.
    pub test: bool,
}

/// A run that cannot be reported.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The folder could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The chain is broken.
    #[error("the run's artifacts are not what they were: {0}")]
    Broken(Break),
    /// There is nothing of the run.
    #[error("there is no finished stage of the run `{0}`")]
    Empty(RunId),
    /// A file cannot be read although the chain holds.
    #[error("`{path}` cannot be read")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: EnvelopeError,
    },
}

impl Failure for ReportError {
    fn class(&self) -> Class {
        match self {
            Self::Store(error) => error.class(),
            Self::Broken(_) => Class::Denied,
            Self::Empty(_) | Self::Unreadable { .. } => Class::Usage,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.help(),
            Self::Broken(_) => Some("Run `orch artifacts verify` for the whole list.".into()),
            Self::Empty(_) => Some("`orch artifacts list` tells which runs there are.".into()),
            Self::Unreadable { .. } => Some("Use the orch version that wrote the run.".into()),
        }
    }
}

impl Report {
    /// Builds the model from a run folder; a broken chain is refused.
    pub fn read(store: &dyn ArtifactStore, run: &RunId) -> Result<Self, ReportError> {
        let chain = Chain::read(store, run)?;
        if let Some(first) = chain.breaks.first() {
            return Err(ReportError::Broken(first.clone()));
        }
        if chain.manifests.is_empty() {
            return Err(ReportError::Empty(run.clone()));
        }
        let files = Files { store, chain: &chain };
        let test_set: Option<TestSet> = files.newest(slot::TESTS)?;
        let edits: Option<ChangeSet> = files.newest(slot::EDITS)?;
        let red: Option<Verification> = files.newest(slot::RED)?;
        let green: Option<Verification> = files.newest(slot::GREEN)?;
        Ok(Self {
            run: run.clone(),
            stages: chain.bodies().map(reported_stage).collect(),
            task: files.newest(slot::TASK)?,
            plan: files.newest(slot::PLAN)?,
            tests: test_set.as_ref().map(|set| reported_tests(set, red.as_ref(), green.as_ref())),
            test_exemption: test_set.as_ref().and_then(|set| set.exempt.clone()),
            files: reported_files(test_set.as_ref(), edits.as_ref()),
            probes: green.as_ref().map(|green| green.probes.clone()),
            protection: green.as_ref().or(red.as_ref()).map(|report| report.protection.clone()),
            failed: [red, green]
                .into_iter()
                .flatten()
                .filter(|report| report.outcome == VerificationOutcome::Failed)
                .collect(),
            discussions: discussions(store, &chain)?,
            patch: files.text(slot::PATCH)?,
            verdict: files.newest(slot::VERDICT)?,
            pull_request: files.newest(slot::PULL_REQUEST)?,
        })
    }

    /// Returns the exit code of the run so far: of the first stage that did not end with 0, in its last round.
    pub fn exit(&self) -> u8 {
        self.last_of_each().find(|stage| stage.exit != 0).map_or(0, |stage| stage.exit)
    }

    /// Returns why the run did not end with 0.
    pub fn reason(&self) -> Option<&str> {
        self.last_of_each().find(|stage| stage.exit != 0).and_then(|stage| stage.reason.as_deref())
    }

    fn last_of_each(&self) -> impl Iterator<Item = &ReportedStage> {
        StageId::ALL.iter().filter_map(|id| self.stages.iter().rev().find(|stage| stage.stage == *id))
    }
}

struct Files<'a> {
    store: &'a dyn ArtifactStore,
    chain: &'a Chain,
}

impl Files<'_> {
    /// Returns a file that is not JSON, as far as it is text.
    fn text(&self, slot: Slot) -> Result<Option<String>, ReportError> {
        let Some((_, file)) = self.chain.newest(slot.path, self.chain.last_round()) else { return Ok(None) };
        let bytes = self.store.read(&file.path)?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    fn newest<T: Artifact>(&self, slot: Slot) -> Result<Option<T>, ReportError> {
        let Some((_, file)) = self.chain.newest(slot.path, self.chain.last_round()) else { return Ok(None) };
        let bytes = self.store.read(&file.path)?.unwrap_or_default();
        match Envelope::<T>::from_bytes(&bytes) {
            Ok(envelope) => Ok(Some(envelope.body)),
            Err(source) => Err(ReportError::Unreadable { path: file.path.clone(), source }),
        }
    }
}

fn reported_stage(manifest: &crate::artifact::types::manifest::Manifest) -> ReportedStage {
    let link = &manifest.link;
    ReportedStage {
        stage: link.stage,
        round: link.round,
        exit: link.exit,
        reason: link.reason.clone(),
        duration_ms: manifest.timing.duration_ms,
    }
}

fn reported_tests(
    set: &TestSet,
    red: Option<&Verification>,
    green: Option<&Verification>,
) -> Vec<ReportedTest> {
    let find = |report: Option<&Verification>, path: &RepoPath, name: &str| {
        report.and_then(|r| r.tests.iter().find(|t| &t.path == path && t.name == name).cloned())
    };
    let one = |test: &crate::artifact::types::change_set::ExpectedTest| ReportedTest {
        path: test.path.clone(),
        name: test.name.clone(),
        before: find(red, &test.path, &test.name),
        after: find(green, &test.path, &test.name).map(|t| t.status),
    };
    set.expected.iter().map(one).collect()
}

fn reported_files(tests: Option<&TestSet>, edits: Option<&ChangeSet>) -> Vec<ReportedFile> {
    let one = |change: &FileChange, test| ReportedFile { path: change.path.clone(), op: change.op, test };
    let tests = tests.iter().flat_map(|set| set.files.iter().map(|c| one(c, true)));
    tests.chain(edits.iter().flat_map(|set| set.files.iter().map(|c| one(c, false)))).collect()
}
