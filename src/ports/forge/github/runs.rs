//! Runs of workflows on GitHub.
//!
//! Must never take a run for one of this repository where GitHub does not say so.

use serde::Deserialize;

use super::client::{Ask, Method};
use super::wire::read;
use super::{GitHub, encoded};
use crate::ports::forge::{
    Answer, ForgeError, RepositorySlug, RunArtifact, RunJob, RunsRead, RunsWrite, WorkflowRun,
};

const ACTIONS: &str = "actions: write";

#[derive(Deserialize)]
struct WireRun {
    id: u64,
    #[serde(default)]
    display_title: String,
    path: String,
    event: String,
    head_branch: Option<String>,
    head_repository: Option<WireHome>,
    status: Option<String>,
    html_url: String,
    referenced_workflows: Option<Vec<WireCall>>,
}

#[derive(Deserialize)]
struct WireCall {
    path: String,
}

#[derive(Deserialize)]
struct WireHome {
    full_name: RepositorySlug,
}

#[derive(Deserialize)]
struct WireJob {
    id: u64,
    name: String,
    conclusion: Option<String>,
}

#[derive(Deserialize)]
struct WireArtifact {
    id: u64,
    name: String,
    #[serde(default)]
    expired: bool,
    workflow_run: Option<WireOf>,
}

#[derive(Deserialize)]
struct WireOf {
    id: Option<u64>,
}

/// Returns the path of a workflow without the ref that some answers name behind it.
fn without_ref(path: &str) -> String {
    path.split('@').next().unwrap_or_default().to_owned()
}

impl From<WireRun> for WorkflowRun {
    fn from(wire: WireRun) -> Self {
        Self {
            id: wire.id,
            title: wire.display_title,
            path: without_ref(&wire.path),
            calls: wire
                .referenced_workflows
                .unwrap_or_default()
                .iter()
                .map(|call| without_ref(&call.path))
                .collect(),
            event: wire.event,
            branch: wire.head_branch,
            repository: wire.head_repository.map(|home| home.full_name),
            ended: wire.status.as_deref() == Some("completed"),
            url: wire.html_url,
        }
    }
}

impl From<WireArtifact> for RunArtifact {
    fn from(wire: WireArtifact) -> Self {
        let run = wire.workflow_run.and_then(|of| of.id);
        Self { id: wire.id, name: wire.name, expired: wire.expired, run }
    }
}

impl GitHub {
    fn runs_list<W: serde::de::DeserializeOwned>(
        &self,
        rest: &str,
        field: &str,
        what: &'static str,
    ) -> Answer<Vec<W>> {
        let ask = Ask::new(Method::Get, self.path(rest), what);
        self.pages(&ask, Some(field))?.into_iter().map(|value| read(&ask, value)).collect()
    }
}

impl RunsRead for GitHub {
    fn workflow_run(&self, id: u64) -> Answer<WorkflowRun> {
        let ask = Ask::new(Method::Get, self.path(&format!("/actions/runs/{id}")), "read the workflow's run");
        Ok(read::<WireRun>(&ask, self.send(&ask)?)?.into())
    }

    fn workflow_runs(&self, file: &str) -> Answer<Vec<WorkflowRun>> {
        // One page: what is older than a hundred runs is no longer talked about.
        let rest = format!("/actions/workflows/{}/runs?per_page=100", encoded(file));
        let ask = Ask::new(Method::Get, self.path(&rest), "read the runs of the workflow");
        let mut found = self.send(&ask)?;
        let all: Vec<WireRun> = read(&ask, found["workflow_runs"].take())?;
        Ok(all.into_iter().map(WorkflowRun::from).collect())
    }

    fn run_jobs(&self, id: u64) -> Answer<Vec<RunJob>> {
        let rest = format!("/actions/runs/{id}/jobs?filter=latest&per_page=100");
        let all = self.runs_list::<WireJob>(&rest, "jobs", "read the jobs of the run")?;
        let job = |wire: WireJob| RunJob {
            id: wire.id,
            name: wire.name,
            skipped: wire.conclusion.as_deref() == Some("skipped"),
        };
        Ok(all.into_iter().map(job).collect())
    }

    fn run_artifacts(&self, id: u64) -> Answer<Vec<RunArtifact>> {
        let rest = format!("/actions/runs/{id}/artifacts?per_page=100");
        let all = self.runs_list::<WireArtifact>(&rest, "artifacts", "read what the run handed on")?;
        Ok(all.into_iter().map(RunArtifact::from).collect())
    }

    fn artifacts_named(&self, name: &str) -> Answer<Vec<RunArtifact>> {
        let rest = format!("/actions/artifacts?name={}&per_page=100", encoded(name));
        let all = self.runs_list::<WireArtifact>(&rest, "artifacts", "look for the files of the run")?;
        Ok(all.into_iter().map(RunArtifact::from).filter(|artifact| artifact.name == name).collect())
    }
}

impl RunsWrite for GitHub {
    fn cancel_run(&self, id: u64) -> Answer<()> {
        let rest = format!("/actions/runs/{id}/cancel");
        let ask = Ask::new(Method::Post, self.path(&rest), "end the workflow's run").needs(ACTIONS);
        self.send(&ask.repeatable()).map(drop)
    }

    fn rerun_job(&self, id: u64) -> Answer<()> {
        let rest = format!("/actions/jobs/{id}/rerun");
        let ask = Ask::new(Method::Post, self.path(&rest), "run the job once more").needs(ACTIONS);
        match self.send(&ask) {
            // A run that has not ended, or is over a month old, is refused so.
            Err(ForgeError::Forbidden { what, why, .. }) if why.to_ascii_lowercase().contains("rerun") => {
                Err(ForgeError::Conflict { what, why })
            }
            other => other.map(drop),
        }
    }
}
