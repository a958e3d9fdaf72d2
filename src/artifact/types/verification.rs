//! `build-test/red.json` and `build-test/report.json`: what commands and tests said in a clean copy.
//!
//! Holds no times and no temporary paths, so that the same inputs give the same bytes; the log beside it has the rest.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::artifact::digest::Digest;
use crate::artifact::envelope::Artifact;
use crate::artifact::id::CommitId;
use crate::artifact::kind::ArtifactKind;
use crate::artifact::path::RepoPath;

/// What the commands and tests said in a clean copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verification {
    /// Which phase.
    pub phase: Phase,
    /// What was decided, and why.
    pub outcome: VerificationOutcome,
    /// The reasons, empty only when it passed.
    pub reasons: Vec<Reason>,
    /// The commit that was copied.
    pub base: CommitId,
    /// The protection in force while repository code ran.
    pub protection: Protection,
    /// Every command that ran, in order.
    pub commands: Vec<CommandReport>,
    /// The expected tests, as seen in the main run.
    pub tests: Vec<TestReport>,
    /// How many tests the main run told of, by status; absent when the runner's output was not understood.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub totals: Option<Totals>,
    /// Tests that failed in the main run without being expected ones, by name; on the base (red) they are noted only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_failures: Vec<String>,
    /// Test files that must be byte-equal to `tests.json` after the run.
    pub frozen: Vec<FrozenFile>,
    /// The probes of the green phase.
    pub probes: Vec<Probe>,
}

/// The phase of a verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Base and tests: the expected tests must fail.
    Red,
    /// Base, tests and edits: everything must pass.
    Green,
}

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum VerificationOutcome {
    /// The phase proves what it must prove.
    Passed,
    /// It does not.
    Failed,
    /// Red-then-green was waived by the test set, and says why.
    Exempt,
}

/// Why a phase did not pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// A stable code, as `verify/already-passes`.
    pub code: String,
    /// What was seen, on what.
    pub message: String,
    /// What to do next.
    pub help: String,
}

/// The protection in force while repository code ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Protection {
    /// Writing outside the copy, reading outside the allowed folders.
    pub filesystem: Measure,
    /// Reaching any address outside.
    pub network: Measure,
    /// Leaving processes behind, seeing other processes.
    pub processes: Measure,
    /// Gaining privileges.
    pub privileges: Measure,
    /// Reading variables of the parent.
    pub environment: Measure,
    /// Time, memory, disk and output.
    pub limits: Measure,
}

/// One measure of protection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// How far it holds.
    pub state: MeasureState,
    /// What enforces it, or why it could not be had.
    pub by: String,
}

/// How far a measure holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MeasureState {
    /// Not in force.
    Absent,
    /// In force with a known gap, named in `by`.
    Partial,
    /// In force.
    Enforced,
}

impl Protection {
    /// Returns a protection whose measures are all the same.
    pub fn uniform(measure: Measure) -> Self {
        Self {
            filesystem: measure.clone(),
            network: measure.clone(),
            processes: measure.clone(),
            privileges: measure.clone(),
            environment: measure.clone(),
            limits: measure,
        }
    }

    /// Returns the measures by name.
    pub fn measures(&self) -> [(&'static str, &Measure); 6] {
        [
            ("filesystem", &self.filesystem),
            ("network", &self.network),
            ("processes", &self.processes),
            ("privileges", &self.privileges),
            ("environment", &self.environment),
            ("limits", &self.limits),
        ]
    }

    /// Tells whether files, network and privileges are enforced: what `sandbox.required` asks for.
    pub fn is_sandboxed(&self) -> bool {
        [&self.filesystem, &self.network, &self.privileges].iter().all(|m| m.state >= MeasureState::Partial)
    }
}

/// One command that ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandReport {
    /// What the command is for.
    pub role: CommandRole,
    /// Which run it belongs to: `main`, `revert` or `flake-<n>`.
    pub run: String,
    /// The words of the command.
    pub argv: Vec<String>,
    /// How it ended.
    pub ended: Ended,
    /// What it tried and was not allowed, where that can be seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub violations: Vec<String>,
    /// The last lines it printed when it failed, with temporary paths and times taken out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<String>,
}

/// What a command is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CommandRole {
    /// Prepares the copy.
    Setup,
    /// Builds.
    Build,
    /// Lints.
    Lint,
    /// Runs the tests.
    Test,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "how", deny_unknown_fields)]
pub enum Ended {
    /// By itself.
    Exited {
        /// Its exit status.
        code: i32,
    },
    /// By a signal it did not get from us.
    Signalled {
        /// The signal's number.
        signal: i32,
    },
    /// It was stopped.
    Stopped {
        /// Why.
        why: StopReason,
    },
    /// It could not be started.
    NotStarted {
        /// Why.
        why: String,
    },
}

impl Ended {
    /// Tells whether the command exited with status 0.
    pub fn ok(&self) -> bool {
        matches!(self, Self::Exited { code: 0 })
    }
}

/// Why a command was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StopReason {
    /// It ran longer than it may.
    Deadline,
    /// It filled more disk than it may.
    Disk,
    /// It started more processes than it may.
    Processes,
    /// It took more memory than it may.
    Memory,
    /// It printed more than it may.
    Output,
}

/// One expected test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestReport {
    /// The file it is in.
    pub path: RepoPath,
    /// Its name.
    pub name: String,
    /// How it went.
    pub status: TestStatus,
    /// Why it failed, by class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<FailureClass>,
    /// The first lines of the failure, with temporary paths and times taken out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// How a test went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TestStatus {
    /// It passed.
    Passed,
    /// It failed.
    Failed,
    /// It was skipped.
    Skipped,
    /// The runner told nothing of it.
    NotSeen,
}

/// Why a test failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FailureClass {
    /// An assertion did not hold.
    Assertion,
    /// What the change is to make is not there: a name, a module, a route, a file.
    MissingBehaviour,
    /// The test itself cannot be read.
    Syntax,
    /// The machine lacks something: a program, a package, a service.
    Environment,
    /// It ran too long or was stopped.
    Stopped,
    /// It ended in a way that tells nothing.
    Unclear,
}

/// How many tests a run told of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    /// Passed.
    pub passed: u64,
    /// Failed or in error.
    pub failed: u64,
    /// Skipped.
    pub skipped: u64,
}

/// A frozen test file after the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FrozenFile {
    /// The file.
    pub path: RepoPath,
    /// The digest `tests.json` gives it.
    pub expected: Digest,
    /// The digest it had in the copy after the run; absent when it was gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<Digest>,
}

/// A probe of the green phase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// Which probe.
    pub kind: ProbeKind,
    /// How many runs it took; 0 when it was switched off.
    pub runs: u32,
    /// Whether it held.
    pub held: bool,
    /// What was seen.
    pub message: String,
}

/// A kind of probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProbeKind {
    /// Without the edits the expected tests are red again.
    Revert,
    /// With the edits every further run gives the same result.
    Flake,
}

impl Artifact for Verification {
    const KIND: ArtifactKind = ArtifactKind::Verification;
}
