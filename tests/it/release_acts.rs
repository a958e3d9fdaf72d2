//! What follows on the forge from a release gate's word: promoted, rolled back, and every call failing once.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail anywhere, its helpers too")]

mod approvals;
pub mod cli;
mod command;
mod evidence;
mod faults;
mod promote;
mod refused;
mod reverted;
mod rollback;
mod signed;

use orch::artifact::digest::Digest;
use orch::artifact::envelope::{Artifact, Envelope, Producer};
use orch::artifact::id::{CommitId, Round, RunId, StageId};
use orch::artifact::kind::{Slot, slot};
use orch::artifact::types::event::Standing;
use orch::artifact::types::promotion::Promotion;
use orch::artifact::types::release::{
    ApprovalGiven, ApprovalHow, ArtifactDigest, Asker, Control, ControlOutcome, ControlState, PullSeen,
    ReleaseDecision, ReleaseEvidence, ReleaseOutcome,
};
use orch::artifact::types::rollback::Rollback;
use orch::config::{Config, ReleaseEnvironment, Reverts};
use orch::ports::clock::FakeClock;
use orch::ports::observe::FakeObserver;
use orch::ports::process::Processes;
use orch::ports::vcs::{FakeRepository, GitRepository, VcsRead};
use orch::ports::workspace::FakeWorkspaces;
use orch::stage::promote::PromoteStage;
use orch::stage::release_gate::judged;
use orch::stage::rollback::RollbackStage;
use orch::stage::{Finished, Inputs, Loaded, Output, Ports, Stage, StageContext, StageError};
use orch::telemetry::Silent;
use serde_json::json;

use crate::forge::github;
use crate::release_gate::good;
use crate::support::github::{FakeGitHub, State};
use crate::support::{Forbidden, Repo};

/// When the evidence was collected, by the clock of every test.
pub const NOW: i64 = 1_795_780_800;

/// A repository on the forge with a last good release and the one that is judged.
pub struct Scene {
    /// A clone, where a test looks into one.
    clone: Option<(Repo, GitRepository)>,
    nowhere: FakeRepository,
    pub hub: FakeGitHub,
    pub config: Config,
    pub good: CommitId,
    pub subject: CommitId,
    pub now: i64,
    /// Something that is done to the files of the gate before they are sealed.
    pub evidence: ReleaseEvidence,
    pub decision: ReleaseDecision,
}

pub fn digests(text: &str) -> Vec<ArtifactDigest> {
    vec![ArtifactDigest { name: "ghcr.io/acme/app".into(), digest: Digest::of(text) }]
}

pub fn run_id() -> RunId {
    "release-production-0123456789ab".parse().unwrap()
}

impl Scene {
    /// `main` has the last good commit and, on top of it, the one that is judged.
    pub fn new(outcome: ReleaseOutcome) -> Self {
        let hub = FakeGitHub::start(State::with(FILES, "acme/app"));
        let good: CommitId = hub.state().branches["main"].parse().unwrap();
        let subject: CommitId = {
            let mut state = hub.state();
            state.push_by_person("main", "src/main.txt", "main, faster\n", "faster");
            state.push_by_person("main", "src/new.txt", "new\n", "more").parse().unwrap()
        };
        let evidence = evidence(&hub, &good, &subject, outcome);
        let decision = judged(&evidence).unwrap();
        assert_eq!(decision.outcome, outcome, "{:#?}", decision.controls);
        let mut config = Config::default();
        config.promote.url = "https://app.example".into();
        // Most tests look at what is proposed at once.
        config.rollback.revert = Reverts::Propose;
        let nowhere = FakeRepository::new([]);
        let mut scene =
            Self { clone: None, nowhere, hub, config, good, subject, now: NOW, evidence, decision };
        scene.ask();
        scene
    }

    /// The same scene with a forge of its own, as this one's is now.
    pub fn fresh(&self) -> Self {
        Self {
            clone: None,
            nowhere: FakeRepository::new([]),
            hub: FakeGitHub::start(self.hub.state().clone()),
            config: self.config.clone(),
            good: self.good.clone(),
            subject: self.subject.clone(),
            now: self.now,
            evidence: self.evidence.clone(),
            decision: self.decision.clone(),
        }
    }

    /// The same with a clone that has the last good tree.
    pub fn cloned(mut self) -> Self {
        let repo = Repo::new(FILES);
        let port = repo.open();
        self.clone = Some((repo, port));
        self
    }

    fn vcs(&self) -> &dyn VcsRead {
        self.clone.as_ref().map_or(&self.nowhere as &dyn VcsRead, |(_, port)| port)
    }

    /// Lets `orch.yml` ask for what the evidence was judged by.
    fn ask(&mut self) {
        let environment =
            ReleaseEnvironment { terms: self.evidence.terms.clone(), ..ReleaseEnvironment::default() };
        self.config.release.environments.insert(self.evidence.environment.clone(), environment);
    }

    /// Other evidence whose text is that of the first with one word in the place of another, and what follows from it.
    pub fn replaced(&mut self, word: &str, by: &str) {
        let text = serde_json::to_string(&self.evidence).unwrap().replace(word, by);
        self.evidence = serde_json::from_str(&text).unwrap();
        self.again(|_| {});
    }

    /// What the gate left, after something was done to it and it was sealed again.
    pub fn again(&mut self, act: impl FnOnce(&mut ReleaseEvidence)) {
        act(&mut self.evidence);
        self.evidence = self.evidence.clone().sealed().unwrap();
        self.decision = judged(&self.evidence).unwrap();
        self.ask();
    }

    pub fn inputs(&self) -> Inputs {
        let mut inputs = Inputs::default();
        put(&mut inputs, slot::RELEASE_EVIDENCE, &self.evidence);
        put(&mut inputs, slot::RELEASE_DECISION, &self.decision);
        inputs
    }

    pub fn try_stage(&self, stage: &dyn Stage, inputs: &Inputs) -> Result<Finished, StageError> {
        self.try_with(stage, inputs, &Forbidden)
    }

    pub fn try_with(
        &self,
        stage: &dyn Stage,
        inputs: &Inputs,
        processes: &dyn Processes,
    ) -> Result<Finished, StageError> {
        let hub = github(&self.hub);
        let (clock, workspaces, run) = (FakeClock::at(self.now), FakeWorkspaces::new(self.vcs()), run_id());
        let ports = Ports {
            clock: &clock,
            vcs: self.vcs(),
            forge: &self.nowhere,
            hub: Some(&hub),
            observe: &FakeObserver::default(),
            workspaces: &workspaces,
            processes,
            engine: &Forbidden,
            models: &orch::agent::NoModels,
        };
        let cx = StageContext::new(stage.spec(), &run, Round::FIRST, &self.config, None, ports, &Silent);
        stage.run(&cx, inputs)
    }

    pub fn try_promote(&self) -> Result<(Promotion, Finished), StageError> {
        let finished = self.try_stage(&PromoteStage, &self.inputs())?;
        Ok((body(&finished, slot::PROMOTION), finished))
    }

    pub fn try_rollback(&self) -> Result<(Rollback, Finished), StageError> {
        let finished = self.try_stage(&RollbackStage, &self.inputs())?;
        Ok((body(&finished, slot::ROLLBACK), finished))
    }

    #[track_caller]
    pub fn promote(&self) -> Promotion {
        self.try_promote().unwrap_or_else(|error| panic!("{error}")).0
    }

    #[track_caller]
    pub fn rollback(&self) -> Rollback {
        self.try_rollback().unwrap_or_else(|error| panic!("{error}")).0
    }

    /// A good deployment of a commit that names digests, as an earlier promotion left it.
    pub fn deployed(&self, environment: &str, commit: &CommitId, digests: &[ArtifactDigest], state: &str) {
        let mut hub = self.hub.state();
        let id = 1000 + hub.deployments.len() as u64;
        let orch = json!({ "cause": "promotion", "run": "earlier", "decision": Digest::of("earlier") });
        let deployment = json!({
            "id": id, "sha": commit, "ref": commit, "environment": environment, "task": "deploy", "description": "",
            "payload": { "orch": orch, "artifacts": digests }, "creator": null, "created_at": "2026-11-20T10:00:00Z",
        });
        // GitHub's own example where nothing was said.
        let whole = orch_example(&deployment);
        hub.deployments.push(whole);
        let number = 1 + hub.deployment_statuses.len() as u64;
        let status = json!({ "id": number, "state": state, "description": "", "creator": null,
            "created_at": "2026-11-20T10:00:01Z" });
        hub.deployment_statuses.push((id, orch_status(&status)));
    }

    pub fn states(&self, commit: &CommitId) -> Vec<String> {
        let state = self.hub.state();
        let of: Vec<u64> = state
            .deployments
            .iter()
            .filter(|one| one["sha"] == json!(commit))
            .filter_map(|one| one["id"].as_u64())
            .collect();
        of.into_iter().filter_map(|id| state.newest_status(id)).collect()
    }

    #[track_caller]
    pub fn keeps_to_the_documents(&self) {
        let found = self.hub.violations();
        assert!(found.is_empty(), "{found:#?}");
    }
}

/// GitHub's example of a deployment with this put over it.
fn orch_example(above: &serde_json::Value) -> serde_json::Value {
    merged("POST", "/repos/{owner}/{repo}/deployments", above)
}

fn orch_status(above: &serde_json::Value) -> serde_json::Value {
    let mut whole = merged("POST", "/repos/{owner}/{repo}/deployments/{deployment_id}/statuses", above);
    whole.as_object_mut().unwrap().remove("environment_url");
    whole
}

pub fn merged(method: &str, template: &str, above: &serde_json::Value) -> serde_json::Value {
    let mut whole = crate::support::github::contract::Contract::default().example(method, template);
    for (name, value) in above.as_object().unwrap() {
        whole[name] = value.clone();
    }
    whole
}

/// What a repository has at its last good release.
const FILES: &[(&str, &str)] =
    &[("README.md", "hello\n"), ("src/main.txt", "main\n"), ("bin/run.sh", "#!/bin/sh\n")];

/// The evidence of a good release, of these commits; then what spoils it.
fn evidence(
    hub: &FakeGitHub,
    good: &CommitId,
    subject: &CommitId,
    outcome: ReleaseOutcome,
) -> ReleaseEvidence {
    let tree = hub.state().commits[subject.as_str()].tree.clone();
    let text = |digit: &str, digest: &[ArtifactDigest]| {
        (format!("sha256:{}", digit.repeat(64)), digest[0].digest.to_string())
    };
    let mut value = serde_json::to_string(&good::good()).unwrap();
    for (word, by) in [
        ("a".repeat(40), subject.to_string()),
        ("b".repeat(40), good.to_string()),
        ("7".repeat(40), tree),
        text("1", &digests("new")),
        text("2", &digests("good")),
        ("shop.tar.gz".into(), digests("new")[0].name.clone()),
    ] {
        value = value.replace(&word, &by);
    }
    let mut value = serde_json::from_str(&value).unwrap();
    let edits = match outcome {
        ReleaseOutcome::Promote => json!({}),
        ReleaseOutcome::Hold => json!({ "/facts/checks/0/state": "running" }),
        ReleaseOutcome::Deny => json!({ "/facts/checks/0/state": "red" }),
        ReleaseOutcome::Rollback => {
            json!({ "/facts/measures/0/value": 40_000, "/facts/measures/0/events": 200 })
        }
    };
    good::edit(&mut value, edits.as_object().unwrap());
    value["deployed"] = json!(true);
    good::sealed(&value).unwrap()
}

pub fn control(name: &str, outcome: ControlOutcome) -> Control {
    Control {
        control: name.into(),
        state: ControlState::Measured,
        outcome,
        reason: "<b>errors</b> of 0.04 against 0.01, says @somebody".into(),
        help: "None.".into(),
    }
}

/// A pull request whose head is the commit that is judged.
pub fn pull(number: u64, head: &CommitId) -> PullSeen {
    PullSeen {
        number,
        author: Some(Asker { id: 1, login: "octocat".into(), bot: false }),
        writers: Vec::new(),
        head: head.clone(),
        commits: vec![head.clone()],
        approvals: vec![ApprovalGiven {
            by: Asker { id: 9, login: "olga".into(), bot: false },
            standing: Standing::Write,
            how: ApprovalHow::Approved,
            commit: Some(head.clone()),
            at: "2026-11-27T08:00:00Z".into(),
            at_seconds: 1_795_766_400,
        }],
    }
}

pub fn put<T: Artifact>(inputs: &mut Inputs, slot: Slot, of: &T) {
    put_as(inputs, slot, of, StageId::ReleaseGate, &run_id());
}

pub fn put_as<T: Artifact>(inputs: &mut Inputs, slot: Slot, of: &T, stage: StageId, run: &RunId) {
    let envelope = Envelope {
        kind: T::KIND,
        schema: T::KIND.version(),
        run: run.clone(),
        stage,
        round: Round::FIRST,
        producer: Producer::this(),
        inputs: vec![],
        body: serde_json::to_value(of).unwrap(),
    };
    let bytes = orch::artifact::digest::canonical_json(&envelope).unwrap();
    inputs.insert(slot, Loaded { path: slot.path.into(), digest: Digest::of(&bytes), bytes });
}

pub fn body<T: Artifact>(finished: &Finished, slot: Slot) -> T {
    let found = finished.outputs.iter().find(|(other, _)| *other == slot);
    let Some((_, Output::Body(body))) = found else { panic!("no {}", slot.path) };
    serde_json::from_value(body.clone()).unwrap()
}
