//! What the gate's collectors tell of a forge: pages, two checks of one name, what was good last, who approved, and gaps.

use orch::artifact::id::Round;
use orch::artifact::kind::slot;
use orch::artifact::types::release::{
    ApprovalHow, CheckState, ControlOutcome, DeploymentState, FactName, ReleaseDecision, ReleaseEvidence,
    ReleaseOutcome, ReleaseRequest, SourceOutcome,
};
use orch::artifact::types::task::{Assignment, Channel};
use orch::ports::clock::FakeClock;
use orch::ports::observe::{CommitSeen, FakeObserver};
use orch::ports::workspace::FakeWorkspaces;
use orch::stage::release_gate::{ReleaseGate, SPEC};
use orch::stage::{Inputs, Ports, Request, Stage as _, StageContext};
use orch::telemetry::Silent;
use serde_json::{Value, json};

use super::{NOW, Scene, body, digests, merged, run_id};
use crate::forge::github;
use crate::support::Forbidden;
use crate::support::github::{Fault, pull_record};

const CONFIG: &str = "
release:
  environments:
    production:
      checks: [github-actions:build]
      approvals: 1
      proven: false
      reviewed: false
";

/// Runs the gate over what the forge tells.
pub fn gate(scene: &Scene) -> (ReleaseEvidence, ReleaseDecision) {
    let config = orch::config::parse(CONFIG.as_bytes(), "orch.yml").unwrap();
    let request = ReleaseRequest {
        subject: scene.evidence.subject.clone(),
        environment: "production".parse().unwrap(),
        branch: "main".into(),
        runs: Vec::new(),
        last_good: None,
        deployed: true,
    };
    let text = serde_json::to_string(&request).unwrap();
    let request = Request::new(text, Channel::CommandLine, Assignment::to_engine("template"));
    let commits = {
        let state = scene.hub.state();
        let seen = |id: &String| CommitSeen {
            id: id.parse().unwrap(),
            tree: state.commits[id].tree.parse().unwrap(),
            parents: state.commits[id].parents.iter().map(|parent| parent.parse().unwrap()).collect(),
            run: None,
            joins: false,
        };
        state.history(scene.subject.as_str()).iter().map(seen).collect()
    };
    let observer = FakeObserver { commits, branch: "main".into(), ..FakeObserver::default() };
    let hub = github(&scene.hub);
    let (clock, workspaces, run) = (FakeClock::at(NOW), FakeWorkspaces::new(scene.vcs()), run_id());
    let ports = Ports {
        clock: &clock,
        vcs: scene.vcs(),
        forge: &scene.nowhere,
        hub: Some(&hub),
        observe: &observer,
        workspaces: &workspaces,
        processes: &Forbidden,
        engine: &Forbidden,
        models: &orch::agent::NoModels,
    };
    let cx = StageContext::new(&SPEC, &run, Round::FIRST, &config, Some(&request), ports, &Silent);
    let finished = ReleaseGate.run(&cx, &Inputs::default()).unwrap_or_else(|error| panic!("{error}"));
    (body(&finished, slot::RELEASE_EVIDENCE), body(&finished, slot::RELEASE_DECISION))
}

fn check(scene: &Scene, id: u64, name: &str, app: u64, conclusion: &str) -> Value {
    let mut whole = merged(
        "POST",
        "/repos/{owner}/{repo}/check-runs",
        &json!({ "id": id, "name": name,
        "head_sha": scene.subject, "status": "completed", "conclusion": conclusion }),
    );
    whole["app"]["id"] = json!(app);
    whole["app"]["slug"] = json!(if app == 15368 { "github-actions" } else { "somebody" });
    whole["pull_requests"] = json!([]);
    whole
}

pub fn review(id: u64, login: &str, state: &str, commit: &str, at: &str) -> Value {
    let number = login.bytes().map(u64::from).sum::<u64>();
    json!({ "id": id, "state": state, "commit_id": commit, "submitted_at": at,
        "user": { "login": login, "id": number, "type": if login.ends_with("[bot]") { "Bot" } else { "User" } } })
}

/// Production ran the good commit, then the judged one; a pull request brought it, and was approved.
pub fn scene() -> Scene {
    let scene = Scene::new(ReleaseOutcome::Promote);
    scene.deployed("production", &scene.good, &digests("good"), "success");
    scene.deployed("staging", &scene.subject, &digests("new"), "success");
    scene.deployed("production", &scene.subject, &digests("new"), "success");
    let build = check(&scene, 4, "build", 15368, "success");
    let subject = scene.subject.to_string();
    let mut state = scene.hub.state();
    state.checks.push(build);
    let mut pull = pull_record(21, "feat/x", "main");
    (pull.state, pull.merged) = ("closed", true);
    state.pulls.push(pull);
    state.branches.insert("feat/x".into(), subject.clone());
    for commit in state.history(&subject).into_iter().take(2) {
        state.brought.insert(commit, 21);
    }
    state.people = vec!["octocat".into(), "reviewer".into()];
    state.reviews = vec![
        review(1, "reviewer", "APPROVED", &subject, "2026-11-18T09:00:00Z"),
        review(2, "reviewer", "COMMENTED", &subject, "2026-11-18T09:05:00Z"),
    ];
    drop(state);
    scene
}

fn outcome(evidence: &ReleaseEvidence, fact: FactName) -> SourceOutcome {
    evidence.sources.iter().find(|source| source.fact == fact).unwrap().outcome
}

#[test]
fn what_the_forge_knows_becomes_evidence() {
    let scene = scene();
    let (evidence, _) = gate(&scene);
    let facts = &evidence.facts;
    let good = facts.last_good.as_ref().unwrap();
    assert_eq!((&good.commit, good.artifacts.as_slice()), (&scene.good, &digests("good")[..]));
    let deployments = facts.deployments.as_ref().unwrap();
    assert_eq!(
        deployments.iter().map(|one| one.environment.as_str()).collect::<Vec<_>>(),
        ["production", "staging"]
    );
    assert!(
        deployments.iter().all(|one| one.state == DeploymentState::Success && one.commit == scene.subject)
    );
    let pulls = facts.pulls.as_ref().unwrap();
    assert_eq!((pulls.len(), pulls[0].number, pulls[0].commits.len()), (1, 21, 2));
    assert_eq!(pulls[0].head, scene.subject);
    let [approval] = pulls[0].approvals.as_slice() else { panic!("{:?}", pulls[0].approvals) };
    assert_eq!(
        (approval.by.login.as_str(), approval.how),
        ("reviewer", ApprovalHow::Approved),
        "a comment takes nothing back"
    );
    assert_eq!(approval.standing.as_str(), "read", "as the forge says");
    // Who pushed the commits is a writer, and no approver for that.
    assert_eq!(pulls[0].writers.iter().map(|one| one.login.as_str()).collect::<Vec<_>>(), ["octocat"]);
    assert_eq!(facts.checks.as_ref().unwrap()[0].state, CheckState::Success);
    scene.keeps_to_the_documents();
}

#[test]
fn a_green_check_beside_a_red_one_is_seen_on_whatever_page() {
    let scene = scene();
    {
        let mut state = scene.hub.state();
        state.page = 1;
        for (id, app, conclusion) in [(5, 15368, "failure"), (6, 99, "success"), (7, 15368, "skipped")] {
            let one = check(&scene, id, "build", app, conclusion);
            state.checks.push(one);
        }
    }
    let (evidence, decision) = gate(&scene);
    let states: Vec<CheckState> = evidence.facts.checks.unwrap().iter().map(|check| check.state).collect();
    assert_eq!(states.len(), 4, "{states:?}");
    assert!(states.contains(&CheckState::Red) && states.contains(&CheckState::Success));
    assert_ne!(decision.outcome, ReleaseOutcome::Promote);
    // One that is said to be there and is not told makes the whole list no list.
    scene.hub.state().hidden_checks = 1;
    let (evidence, _) = gate(&scene);
    assert_eq!(evidence.facts.checks, None);
    assert_eq!(outcome(&evidence, FactName::Checks), SourceOutcome::Failed);
    assert!(evidence.gaps()[&FactName::Checks].contains("cut short"));
}

/// Two workflows may have a job of one name: the newer green one says nothing about the older red one.
#[test]
fn a_newer_green_suite_hides_no_red_one_and_a_check_that_is_run_again_counts_anew() {
    let one = |scene: &Scene, id: u64, suite: u64, minutes: (&str, &str), conclusion: &str| {
        let mut one = check(scene, id, "build", 15368, conclusion);
        one["check_suite"] = json!({ "id": suite });
        one["started_at"] = json!(format!("2026-11-18T09:{}:00Z", minutes.0));
        one["completed_at"] = json!(format!("2026-11-18T09:{}:00Z", minutes.1));
        one
    };
    for (suite, states, blames) in
        [(8, vec![CheckState::Success, CheckState::Red], true), (7, vec![CheckState::Success], false)]
    {
        let scene = scene();
        let (red, green) =
            (one(&scene, 5, 7, ("10", "12"), "failure"), one(&scene, 6, suite, ("20", "22"), "success"));
        scene.hub.state().checks = vec![red, green];
        let (evidence, decision) = gate(&scene);
        let seen: Vec<CheckState> = evidence.facts.checks.unwrap().iter().map(|check| check.state).collect();
        assert_eq!(seen, states, "suite {suite}");
        let control = decision.controls.iter().find(|one| one.control == "release/checks").unwrap();
        assert_eq!(control.outcome == ControlOutcome::Deny, blames, "suite {suite}: {control:?}");
        assert_ne!(decision.outcome, ReleaseOutcome::Promote, "suite {suite}");
    }
}

#[test]
fn only_what_was_good_and_never_failed_is_gone_back_to() {
    let scene = Scene::new(ReleaseOutcome::Promote);
    let newer = |name: &str| scene.hub.state().push_by_person("main", name, "x\n", name).parse().unwrap();
    let (failed, pending, foreign) = (newer("a"), newer("b"), newer("c"));
    scene.deployed("production", &scene.good, &digests("good"), "success");
    scene.deployed("staging", &foreign, &digests("foreign"), "success");
    scene.deployed("production", &failed, &digests("failed"), "success");
    // It was good, then it was taken back, then another took its place.
    for word in ["failure", "inactive"] {
        let mut state = scene.hub.state();
        let status = super::orch_status(&json!({ "id": 50 + word.len(), "state": word }));
        state.deployment_statuses.push((1002, status));
    }
    scene.deployed("production", &pending, &digests("pending"), "in_progress");
    scene.deployed("production", &scene.subject, &digests("new"), "success");
    let (evidence, _) = gate(&scene);
    assert_eq!(evidence.facts.last_good.unwrap().commit, scene.good);
    // Nothing was ever good there: that is nothing, and no failure.
    let scene = Scene::new(ReleaseOutcome::Promote);
    scene.deployed("production", &scene.subject, &digests("new"), "success");
    let (evidence, _) = gate(&scene);
    assert_eq!(
        (evidence.facts.last_good.as_ref(), outcome(&evidence, FactName::LastGood)),
        (None, SourceOutcome::Absent)
    );
}

#[test]
fn a_word_that_was_taken_back_or_changed_does_not_count() {
    let scene = scene();
    let subject = scene.subject.to_string();
    for (reviews, how) in [
        (vec![("APPROVED", 1), ("CHANGES_REQUESTED", 2)], Some(ApprovalHow::ChangesRequested)),
        (vec![("CHANGES_REQUESTED", 1), ("APPROVED", 2)], Some(ApprovalHow::Approved)),
        (vec![("DISMISSED", 1)], Some(ApprovalHow::Dismissed)),
        (vec![("COMMENTED", 1)], None),
        (vec![("A_NEW_WORD", 1)], None),
    ] {
        scene.hub.state().reviews = reviews
            .iter()
            .map(|(word, id)| review(*id, "reviewer", word, &subject, "2026-11-18T09:00:00Z"))
            .collect();
        let (evidence, _) = gate(&scene);
        let pulls = evidence.facts.pulls.unwrap();
        assert_eq!(pulls[0].approvals.first().map(|given| given.how), how, "{reviews:?}");
    }
}

#[test]
fn what_cannot_be_asked_is_missing_with_its_reason_and_never_empty() {
    let clean = scene();
    clean.hub.arm([]);
    gate(&clean);
    let calls = clean.hub.seen().len();
    assert!(calls > 10, "{calls}");
    let refuse = |status: u16, message: &str| Fault::Refuse(status, vec![], json!({ "message": message }));
    for (name, fault) in [
        ("403", refuse(403, "Resource not accessible by integration")),
        ("404", refuse(404, "Not Found")),
        ("500", refuse(500, "Server Error")),
        ("no json", Fault::Refuse(200, vec![], json!(null))),
    ] {
        for call in 1..=calls {
            let scene = scene();
            // Every request from the n-th on fails, so that trying again mends nothing.
            scene.hub.arm((call..call + 400).map(|at| (at, fault.clone())));
            let (evidence, decision) = gate(&scene);
            let case = format!("{name} from call {call} of {calls}");
            let facts = &evidence.facts;
            let there = [
                (FactName::Checks, facts.checks.is_some()),
                (FactName::Deployments, facts.deployments.is_some()),
                (FactName::Releases, facts.releases.is_some()),
                (FactName::LastGood, facts.last_good.is_some()),
                (FactName::Pulls, facts.pulls.is_some()),
            ];
            let gone = there.iter().filter(|(_, there)| !there).count();
            // The last call asks what an approver may do; of whom the forge does not know, that is nothing.
            assert!(gone > 0 || (name == "404" && call == calls), "{case}");
            for (fact, there) in there {
                let told = outcome(&evidence, fact);
                assert_eq!(there, told == SourceOutcome::Collected, "{case}: {fact:?}");
                if !there {
                    assert_eq!(told, SourceOutcome::Failed, "{case}: {fact:?}");
                    assert!(!evidence.gaps()[&fact].is_empty(), "{case}: {fact:?}");
                }
            }
            assert_ne!(decision.outcome, ReleaseOutcome::Promote, "{case}");
        }
    }
}
