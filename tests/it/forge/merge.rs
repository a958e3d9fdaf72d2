//! Merging by itself: only what verdict and review say yes to in their files, at the head they speak of.

use orch::artifact::digest::Digest;
use orch::artifact::id::{CommitId, StageId};
use orch::artifact::kind::slot;
use orch::artifact::types::auto_merge::{AutoMerge as Made, MergeOutcome};
use orch::artifact::types::pull_request::PullRequest;
use orch::artifact::types::review::{Review, ReviewOutcome};
use orch::artifact::types::verdict::Decision;
use orch::config::AutoMerge;
use orch::diagnostic::{Class, Failure as _};
use orch::stage::auto_merge::{AutoMergeStage, SPEC};
use orch::stage::{Output, Stage as _, StageContext, StageError};
use serde_json::{Value, json};

use super::Scene;
use crate::pr::Files;

fn rules() -> Vec<Value> {
    vec![json!({
        "type": "required_status_checks", "ruleset_source_type": "Repository", "ruleset_source": "acme/app", "ruleset_id": 1,
        "parameters": { "strict_required_status_checks_policy": true,
            "required_status_checks": [{ "context": "orch / review-gate", "integration_id": 5 }] },
    })]
}

fn review(request: &PullRequest, outcome: ReviewOutcome) -> Review {
    Review {
        number: request.hosted.as_ref().unwrap().number.unwrap(),
        head: request.commits.last().unwrap().id.clone(),
        outcome,
        reasons: vec![],
        reviewers: vec![],
        checks: vec![],
        findings: vec![],
        round: 0,
        check_run: None,
    }
}

/// Runs the stage on a pull request and its review; `of`: the review says it was made from this very `pr.json`.
fn merge(scene: &Scene, request: &PullRequest, review: &Review, of: bool) -> Result<Made, StageError> {
    let mut files = Files { inputs: scene.world.inputs() };
    files.add(slot::PULL_REQUEST, StageId::Pr, &[slot::VERDICT], request);
    let from: &[_] = if of { &[slot::TASK, slot::PULL_REQUEST] } else { &[slot::TASK] };
    files.add(slot::REVIEW, StageId::ReviewGate, from, review);
    let inputs = files.inputs;
    scene.in_stage(&SPEC, |cx: &StageContext<'_>| {
        let finished = AutoMergeStage.run(cx, &inputs)?;
        let (_, output) = finished.outputs.iter().next().unwrap();
        let Output::Body(body) = output else { unreachable!() };
        Ok(serde_json::from_value(body.clone()).unwrap())
    })
}

/// A scene whose pull request is open, with something required on its target.
fn opened(method: AutoMerge) -> (Scene, PullRequest) {
    let mut scene = Scene::new();
    scene.config.pr.auto_merge = method;
    let (request, _) = scene.run();
    scene.hub.state().rules = rules();
    scene.hub.arm([]);
    (scene, request)
}

#[test]
fn what_policy_and_review_allow_merges_by_itself_at_that_head() {
    let (scene, request) = opened(AutoMerge::Squash);
    let good = review(&request, ReviewOutcome::Pass);
    let made = merge(&scene, &request, &good, true).unwrap();
    assert_eq!(
        (made.outcome, made.method.as_deref(), &made.head),
        (MergeOutcome::Armed, Some("squash"), &good.head)
    );
    assert_eq!(scene.hub.state().pulls[0].auto_merge.as_deref(), Some("SQUASH"));
    let sent =
        scene.hub.seen().into_iter().find(|seen| seen.body["operationName"] == "EnableAutoMerge").unwrap();
    assert_eq!(sent.body["variables"]["input"]["expectedHeadOid"], json!(good.head));
    // Again: nothing is written.
    scene.hub.arm([]);
    assert_eq!(merge(&scene, &request, &good, true).unwrap().outcome, MergeOutcome::Armed);
    assert!(scene.hub.writes().is_empty(), "{:?}", scene.hub.writes());
    scene.keeps_to_the_documents();
}

#[test]
fn nothing_else_merges() {
    let (mut scene, request) = opened(AutoMerge::Merge);
    let good = review(&request, ReviewOutcome::Pass);
    let class = |scene: &Scene, request: &PullRequest, review: &Review, of: bool| {
        merge(scene, request, review, of).map(|made| made.outcome).map_err(|error| error.class())
    };
    for outcome in [ReviewOutcome::Fail, ReviewOutcome::Waiting, ReviewOutcome::Unavailable] {
        assert_eq!(
            class(&scene, &request, &review(&request, outcome), true),
            Err(Class::Denied),
            "{outcome:?}"
        );
    }
    // A review of another pull request, of another commit, of another pr.json.
    let other = Review { number: good.number + 1, ..good.clone() };
    assert_eq!(class(&scene, &request, &other, true), Err(Class::Denied));
    let other = Review { head: request.commits[0].id.clone(), ..good.clone() };
    assert_eq!(class(&scene, &request, &other, true), Err(Class::Denied));
    assert_eq!(class(&scene, &request, &good, false), Err(Class::Denied));
    // A pull request of other evidence.
    let mut forged = request.clone();
    forged.provenance.edits = Digest::of("other");
    assert_eq!(class(&scene, &forged, &good, true), Err(Class::Denied));
    // Somebody pushed since.
    let base: CommitId = scene.hub.state().branches["main"].parse().unwrap();
    let branch = request.branch.clone();
    let head = scene.hub.state().branches.insert(branch.clone(), base.to_string()).unwrap();
    assert_eq!(class(&scene, &request, &good, true), Err(Class::Denied));
    scene.hub.state().branches.insert(branch, head);
    // A verdict that says no, and one that waits for a person.
    scene.world.verdict.decision = Decision::NeedsApproval;
    assert_eq!(class(&scene, &request, &good, true), Err(Class::NeedsApproval));
    scene.world.verdict.decision = Decision::Deny;
    assert_eq!(class(&scene, &request, &good, true), Err(Class::Denied));
    assert!(scene.hub.writes().is_empty(), "{:?}", scene.hub.writes());
}

#[test]
fn where_it_may_not_a_person_is_told_what_to_do() {
    let (mut scene, request) = opened(AutoMerge::Rebase);
    let good = review(&request, ReviewOutcome::Pass);
    scene.hub.state().rules.clear();
    let made = merge(&scene, &request, &good, true).unwrap();
    assert_eq!(made.outcome, MergeOutcome::Declined);
    assert!(made.why.unwrap().contains("Add a ruleset"));
    scene.hub.state().rules = rules();
    scene.hub.state().pulls[0].draft = true;
    assert_eq!(merge(&scene, &request, &good, true).unwrap().outcome, MergeOutcome::Declined);
    scene.hub.state().pulls[0].draft = false;
    scene.config.pr.auto_merge = AutoMerge::Off;
    let made = merge(&scene, &request, &good, true).unwrap();
    assert_eq!((made.outcome, made.method), (MergeOutcome::Off, None));
    assert!(scene.hub.writes().is_empty());
    // Everything that is required is there already: it is merged, at that head.
    scene.config.pr.auto_merge = AutoMerge::Squash;
    scene.hub.state().clean = true;
    let made = merge(&scene, &request, &good, true).unwrap();
    assert_eq!(made.outcome, MergeOutcome::Merged);
    assert!(scene.hub.state().pulls[0].merged);
    let put = scene.hub.seen().into_iter().find(|seen| seen.path.ends_with("/merge")).unwrap();
    assert_eq!(put.body["sha"], json!(good.head));
    scene.keeps_to_the_documents();
}
