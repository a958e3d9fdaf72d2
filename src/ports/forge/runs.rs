//! The runs of workflows on a forge: looked at, ended, and their jobs run once more. For commands in comments, not for stages.
//!
//! Must never be handed to a stage: what a stage may do to the world is in its spec.

use super::{Answer, RepositorySlug};

/// A run of a workflow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkflowRun {
    /// Its number.
    pub id: u64,
    /// What people read of it: `run-name` of the workflow, else words of the event, which are untrusted.
    pub title: String,
    /// The file of the workflow, as `.github/workflows/orch.yml`.
    pub path: String,
    /// The event that started it.
    pub event: String,
    /// The branch it ran on.
    pub branch: Option<String>,
    /// The repository whose commit it ran: another one is a fork.
    pub repository: Option<RepositorySlug>,
    /// Whether it has ended.
    pub ended: bool,
    /// The files of the reusable workflows it called, as `owner/name/.github/workflows/change.yml`.
    pub calls: Vec<String>,
    /// Where people read it.
    pub url: String,
}

/// A job of a run, in its newest attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunJob {
    /// Its number.
    pub id: u64,
    /// Its name, after those of the jobs that called its workflow, with ` / ` between.
    pub name: String,
    /// Whether it was left out.
    pub skipped: bool,
}

/// Files that a job of a run handed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunArtifact {
    /// Its number.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Whether its time is over.
    pub expired: bool,
    /// The number of the run it is of.
    pub run: Option<u64>,
}

/// Looks at runs.
pub trait RunsRead: Send + Sync {
    /// Returns a run.
    fn workflow_run(&self, id: u64) -> Answer<WorkflowRun>;

    /// Returns the newest runs of a workflow, at most 100; `file` is its name without the folder.
    fn workflow_runs(&self, file: &str) -> Answer<Vec<WorkflowRun>>;

    /// Returns the jobs of a run.
    fn run_jobs(&self, id: u64) -> Answer<Vec<RunJob>>;

    /// Returns what the jobs of a run handed on.
    fn run_artifacts(&self, id: u64) -> Answer<Vec<RunArtifact>>;

    /// Returns what has this name in any run.
    fn artifacts_named(&self, name: &str) -> Answer<Vec<RunArtifact>>;
}

/// Ends runs and starts their jobs again.
pub trait RunsWrite: Send + Sync {
    /// Ends a run; [`super::ForgeError::Conflict`] where it has ended.
    fn cancel_run(&self, id: u64) -> Answer<()>;

    /// Runs a job once more, and all that need it.
    fn rerun_job(&self, id: u64) -> Answer<()>;
}
