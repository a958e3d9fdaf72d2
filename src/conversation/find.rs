//! Which run of which workflow a command in a comment is about.
//!
//! A run counts only where the forge says that it is of this repository, was started by an event that runs the default branch,
//! and is of the same workflow file or called workflows of the same place: nobody can bring one along by a branch or a fork.
//! Must never go by a title alone.

use crate::artifact::id::{RunId, StageId};
use crate::artifact::types::event::{Event, Subject};
use crate::ports::forge::{
    Answer, ForgeError, ForgeRead, PullNumber, RepositorySlug, RunArtifact, RunsRead, WorkflowRun,
};
use crate::stage::pr::run_of;

/// Events whose workflow is that of the default branch.
const STARTS: &[&str] = &["issues", "issue_comment", "workflow_dispatch", "repository_dispatch", "schedule"];
/// How often a run may have been started again and still be found.
const ATTEMPTS: u32 = 5;
/// The stages a run is approved after; those behind them are made anew.
const BEHIND: &[StageId] = &[StageId::Approve, StageId::Pr, StageId::ReviewGate, StageId::AutoMerge];

/// The workflow that is running now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Here {
    /// Its file, as `.github/workflows/orch.yml`.
    pub path: String,
    /// The number of its run.
    pub run: u64,
    /// The repository.
    pub slug: RepositorySlug,
    /// Its default branch.
    pub branch: String,
    /// The files of the reusable workflows this run has called.
    pub calls: Vec<String>,
}

impl Here {
    /// Reads where we are from what a runner sets: `owner/name/.github/workflows/orch.yml@refs/heads/main`, and a number.
    pub fn read(
        workflow: &str,
        run: &str,
        slug: RepositorySlug,
        branch: String,
        runs: &dyn RunsRead,
    ) -> Answer<Option<Self>> {
        let Some(mut here) = Self::at(workflow, run, slug, branch) else { return Ok(None) };
        here.calls =
            ForgeError::optional(runs.workflow_run(here.run))?.map(|own| own.calls).unwrap_or_default();
        Ok(Some(here))
    }

    fn at(workflow: &str, run: &str, slug: RepositorySlug, branch: String) -> Option<Self> {
        let (file, _) = workflow.split_once('@')?;
        let path = file.strip_prefix(&format!("{slug}/"))?.to_owned();
        Some(Self { path, run: run.parse().ok()?, slug, branch, calls: Vec::new() })
    }

    /// Returns the file's name without its folder.
    pub fn file(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// Tells whether a run is one of ours, and not this very one.
    fn is_ours(&self, run: &WorkflowRun) -> bool {
        let place = |file: &String| file.rsplit_once('/').map(|(folder, _)| folder.to_owned());
        let called: Vec<_> = self.calls.iter().filter_map(place).collect();
        let same =
            run.path == self.path || run.calls.iter().filter_map(place).any(|one| called.contains(&one));
        same && run.id != self.run
            && run.repository.as_ref() == Some(&self.slug)
            && run.branch.as_deref() == Some(&self.branch)
            && STARTS.contains(&run.event.as_str())
    }
}

/// A run that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The run of the workflow.
    pub workflow: WorkflowRun,
    /// The run of orch in it, where a file of it is there.
    pub run: Option<RunId>,
    /// What its jobs handed on, newest attempt of each stage and round, by stage and round.
    pub parts: Vec<Part>,
}

/// Files of one stage and round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The stage.
    pub stage: StageId,
    /// The round.
    pub round: u32,
    attempt: u32,
    /// The number of the artifact.
    pub id: u64,
}

impl Found {
    /// Returns the artifacts of every stage up to the verdict, as the action takes them.
    pub fn up_to_the_verdict(&self) -> String {
        let wanted = self.parts.iter().filter(|part| !BEHIND.contains(&part.stage));
        wanted.map(|part| part.id.to_string()).collect::<Vec<_>>().join(",")
    }
}

/// Returns the runs that a command on this issue or pull request may mean, newest first.
pub fn runs(
    event: &Event,
    here: &Here,
    hub: &dyn ForgeRead,
    runs: &dyn RunsRead,
) -> Result<Vec<Found>, ForgeError> {
    let Some(subject) = &event.subject else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    let orch = if subject.is_pull_request { made_by(subject, here, hub)? } else { None };
    if let Some(orch) = &orch {
        for id in with_parts(orch, runs)? {
            let workflow = runs.workflow_run(id)?;
            if here.is_ours(&workflow) {
                found.push(open(workflow, Some(orch), runs)?);
            }
        }
    }
    let title = format!("orch #{}", subject.number);
    for workflow in runs.workflow_runs(here.file())? {
        let known = found.iter().any(|one: &Found| one.workflow.id == workflow.id);
        if workflow.title == title && here.is_ours(&workflow) && !known {
            found.push(open(workflow, None, runs)?);
        }
    }
    found.sort_by_key(|one| std::cmp::Reverse(one.workflow.id));
    Ok(found)
}

/// Returns the run of orch whose commits a pull request of this repository holds.
fn made_by(subject: &Subject, here: &Here, hub: &dyn ForgeRead) -> Answer<Option<RunId>> {
    let Some(pull) = ForgeError::optional(hub.pull(PullNumber(subject.number)))? else { return Ok(None) };
    if pull.head_repository.as_ref() != Some(&here.slug) {
        return Ok(None);
    }
    let compared = hub.compare(pull.base_commit.as_str(), pull.head_commit.as_str())?;
    // A person may have put commits on top: the newest of ours counts.
    Ok(compared.commits.iter().rev().find_map(|commit| run_of(&commit.message)))
}

/// Returns the numbers of the workflow's runs that hold the first file of a run.
fn with_parts(orch: &RunId, runs: &dyn RunsRead) -> Answer<Vec<u64>> {
    let mut all = Vec::new();
    for attempt in 1..=ATTEMPTS {
        let named = runs.artifacts_named(&format!("orch-{orch}-{}-r1-a{attempt}", StageId::Intake))?;
        if named.is_empty() {
            break;
        }
        all.extend(named.iter().filter(|artifact| !artifact.expired).filter_map(|artifact| artifact.run));
    }
    // What was approved later lies in a run that has no first stage.
    for stage in [StageId::Approve, StageId::Pr] {
        let named = runs.artifacts_named(&format!("orch-{orch}-{stage}-r1-a1"))?;
        all.extend(named.iter().filter(|artifact| !artifact.expired).filter_map(|artifact| artifact.run));
    }
    all.sort_unstable();
    all.dedup();
    Ok(all)
}

fn open(workflow: WorkflowRun, orch: Option<&RunId>, runs: &dyn RunsRead) -> Answer<Found> {
    let artifacts = runs.run_artifacts(workflow.id)?;
    let first = |artifact: &RunArtifact| {
        let (before, _) = artifact.name.strip_prefix("orch-")?.rsplit_once("-intake-r1-a")?;
        before.parse::<RunId>().ok()
    };
    let run = orch.cloned().or_else(|| artifacts.iter().find_map(first));
    let mut parts: Vec<Part> = Vec::new();
    for artifact in artifacts.iter().filter(|artifact| !artifact.expired) {
        let Some(part) = run.as_ref().and_then(|run| part(run, artifact)) else { continue };
        match parts.iter_mut().find(|other| (other.stage, other.round) == (part.stage, part.round)) {
            Some(other) if other.attempt >= part.attempt => {}
            Some(other) => *other = part,
            None => parts.push(part),
        }
    }
    parts.sort_by_key(|part| (part.stage, part.round));
    Ok(Found { workflow, run, parts })
}

/// Reads the name of an artifact, as the action gives it: `orch-<run>-<stage>-r<round>-a<attempt>`.
fn part(run: &RunId, artifact: &RunArtifact) -> Option<Part> {
    let rest = artifact.name.strip_prefix(&format!("orch-{run}-"))?;
    let (rest, attempt) = rest.rsplit_once("-a")?;
    let (stage, round) = rest.rsplit_once("-r")?;
    let (stage, round) = (stage.parse().ok()?, round.parse().ok()?);
    Some(Part { stage, round, attempt: attempt.parse().ok()?, id: artifact.id })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here() -> Here {
        let of = "acme/shop/.github/workflows/orch.yml@refs/heads/main";
        Here::at(of, "9", "acme/shop".parse().unwrap(), "main".into()).unwrap()
    }

    fn run() -> WorkflowRun {
        WorkflowRun {
            id: 8,
            title: "orch #1".into(),
            path: ".github/workflows/orch.yml".into(),
            event: "issues".into(),
            branch: Some("main".into()),
            repository: Some("acme/shop".parse().unwrap()),
            ended: true,
            calls: Vec::new(),
            url: String::new(),
        }
    }

    #[test]
    fn a_run_is_ours_by_file_repository_branch_and_event() {
        assert!(here().is_ours(&run()));
        for change in [
            (|run| run.path = ".github/workflows/other.yml".into()) as fn(&mut WorkflowRun),
            |run| run.event = "pull_request".into(),
            |run| run.event = "push".into(),
            |run| run.branch = Some("evil".into()),
            |run| run.branch = None,
            |run| run.repository = Some("evil/shop".parse().unwrap()),
            |run| run.repository = None,
            |run| run.id = 9,
        ] {
            let mut other = run();
            change(&mut other);
            assert!(!here().is_ours(&other), "{other:?}");
        }
        assert!(Here::at("evil/shop/.github/workflows/x.yml@m", "9", here().slug, "main".into()).is_none());
        // Another file that called workflows of the same place.
        let call = |file: &str| vec![format!("{file}/.github/workflows/change.yml")];
        let other =
            WorkflowRun { path: ".github/workflows/weekly.yml".into(), calls: call("plasma/orch"), ..run() };
        assert!(Here { calls: call("plasma/orch"), ..here() }.is_ours(&other));
        assert!(!Here { calls: call("acme/shop"), ..here() }.is_ours(&other));
    }

    #[test]
    fn parts_are_known_by_their_names() {
        let orch: RunId = "add-x-abc".parse().unwrap();
        let of = |name: &str| {
            part(&orch, &RunArtifact { id: 3, name: name.into(), expired: false, run: None })
                .map(|part| (part.stage, part.round, part.attempt))
        };
        assert_eq!(of("orch-add-x-abc-verify-green-r2-a3"), Some((StageId::VerifyGreen, 2, 3)));
        assert_eq!(of("orch-add-x-abc-test-write-r1-a1"), Some((StageId::TestWrite, 1, 1)));
        for other in [
            "orch-add-x-abcd-plan-r1-a1",
            "plan-r1-a1",
            "orch-add-x-abc-none-r1-a1",
            "orch-add-x-abc-plan-r1",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
