//! What promotion puts on the forge.

use orch::artifact::types::promotion::ActKind;
use orch::artifact::types::pull_request::Outcome;
use orch::artifact::types::release::ReleaseOutcome;
use orch::config::{AutoMerge, PromoteAct, PromotedState};
use orch::diagnostic::{Class, Failure as _};
use orch::stage::StageResult;
use serde_json::json;

use orch::stage::release_gate::collect::whole_seconds;

use super::{Scene, digests, pull};
use crate::support::github::State;

fn whole() -> Scene {
    let mut scene = Scene::new(ReleaseOutcome::Promote);
    scene.config.promote.acts = vec![PromoteAct::Release, PromoteAct::Deployment];
    scene
}

#[test]
fn a_promotion_is_a_tag_a_deployment_that_names_the_digests_and_a_release() {
    let scene = whole();
    scene.deployed("production", &scene.good, &digests("good"), "success");
    let promotion = scene.promote();
    let kinds: Vec<_> = promotion.acts.iter().map(|act| (act.kind, act.outcome)).collect();
    assert_eq!(
        kinds,
        [
            (ActKind::Tag, Outcome::Created),
            (ActKind::Deployment, Outcome::Created),
            (ActKind::Release, Outcome::Created)
        ]
    );
    let state = scene.hub.state();
    let tag = format!("production-{}", &scene.subject.as_str()[..12]);
    assert_eq!(state.tags.get(&tag).map(String::as_str), Some(scene.subject.as_str()), "{:?}", state.tags);
    let deployment = &state.deployments[1];
    assert_eq!(
        (&deployment["sha"], &deployment["payload"]["artifacts"]),
        (&json!(scene.subject), &json!(digests("new")))
    );
    assert_eq!(state.newest_status(1001).as_deref(), Some("success"));
    assert_eq!(state.newest_status(1000).as_deref(), Some("inactive"), "the older one is superseded");
    assert_eq!(state.statuses_of(1001)[0]["environment_url"], "https://app.example");
    let release = &state.releases[0];
    assert_eq!((&release["draft"], &release["tag_name"]), (&json!(false), &json!(tag)));
    let body = release["body"].as_str().unwrap();
    assert!(
        body.contains(digests("new")[0].digest.as_str()) && !body.contains("<b>") && !body.contains("@some"),
        "{body}"
    );
    drop(state);
    scene.keeps_to_the_documents();

    // Again nothing is written.
    scene.hub.arm([]);
    let again = scene.promote();
    assert!(again.acts.iter().all(|act| act.outcome == Outcome::Unchanged), "{:?}", again.acts);
    assert_eq!(scene.hub.writes(), Vec::<String>::new());
}

#[test]
fn the_gate_asked_anew_leads_to_nothing_new_while_the_release_runs() {
    let mut scene = whole();
    scene.promote();
    let anew = |scene: &mut Scene, seconds: i64| {
        scene.again(|evidence| {
            evidence.now_seconds += seconds;
            evidence.now = whole_seconds(jiff::Timestamp::from_second(evidence.now_seconds).unwrap());
        });
        scene.now += seconds;
    };
    anew(&mut scene, 90);
    scene.hub.arm([]);
    let promotion = scene.promote();
    assert!(promotion.acts.iter().all(|act| act.outcome == Outcome::Unchanged), "{:?}", promotion.acts);
    assert!(scene.hub.writes().is_empty(), "{:?}", scene.hub.writes());
    // A deployment whose status was lost is finished, not made a second time.
    scene.hub.state().deployment_statuses.clear();
    anew(&mut scene, 90);
    assert_eq!(scene.promote().acts[1].outcome, Outcome::Repaired);
    assert_eq!(scene.hub.state().deployments.len(), 1);
    // Another release came after it: to be there again it has to be deployed again.
    scene.deployed("production", &scene.good, &digests("good"), "success");
    anew(&mut scene, 90);
    assert_eq!(scene.promote().acts[1].outcome, Outcome::Created);
    assert_eq!(scene.hub.state().deployments.len(), 3);
    scene.keeps_to_the_documents();
}

#[test]
fn who_carries_it_out_says_how_it_went() {
    let mut scene = Scene::new(ReleaseOutcome::Promote);
    scene.config.promote.state = PromotedState::InProgress;
    assert_eq!(scene.promote().acts[0].state.as_deref(), Some("in_progress"));
    // The other program reports; the next run finds it and writes nothing.
    let said = |scene: &Scene, word: &str| {
        let mut state = scene.hub.state();
        let mut status = state.deployment_statuses[0].1.clone();
        status["state"] = json!(word);
        status["id"] = json!(100 + state.deployment_statuses.len());
        state.deployment_statuses.push((1000, status));
    };
    for (word, outcome, state) in [
        ("success", Outcome::Unchanged, Some("success")),
        ("failure", Outcome::Unchanged, Some("failure")),
        ("a-new-word", Outcome::Conflict, None),
    ] {
        said(&scene, word);
        scene.hub.arm([]);
        let act = scene.promote().acts.remove(0);
        assert_eq!((act.outcome, act.state.as_deref()), (outcome, state), "{word}");
        assert!(scene.hub.writes().is_empty());
    }
    // One that failed before it was ever good is a person's to look at.
    let scene = Scene::new(ReleaseOutcome::Promote);
    scene.promote();
    scene.hub.state().deployment_statuses.clear();
    let failed = scene.hub.state().deployments[0].clone();
    assert_eq!(failed["sha"], json!(scene.subject));
    let status = super::orch_status(&json!({ "id": 1, "state": "failure" }));
    scene.hub.state().deployment_statuses.push((1000, status));
    let (promotion, finished) = scene.try_promote().unwrap();
    assert!(promotion.acts[0].is_conflict());
    assert!(matches!(finished.result, StageResult::Stopped { class: Class::NeedsApproval, .. }));
}

#[test]
fn the_record_of_the_environment_before_has_to_name_the_same_digests() {
    let mut scene = Scene::new(ReleaseOutcome::Promote);
    scene.config.promote.from = "staging".into();
    let refused = |scene: &Scene| {
        scene.hub.arm([]);
        let error = scene.try_promote().unwrap_err();
        assert_eq!(error.class(), Class::Denied, "{error}");
        assert!(scene.hub.writes().is_empty());
    };
    refused(&scene);
    // Built again: another digest of the same commit.
    scene.deployed("staging", &scene.subject, &digests("built again"), "success");
    refused(&scene);
    scene.deployed("staging", &scene.good, &digests("new"), "success");
    refused(&scene);
    scene.deployed("elsewhere", &scene.subject, &digests("new"), "success");
    refused(&scene);
    scene.deployed("staging", &scene.subject, &digests("new"), "failure");
    refused(&scene);
    scene.deployed("staging", &scene.subject, &digests("new"), "success");
    let promotion = scene.promote();
    assert_eq!(promotion.from.unwrap().as_str(), "staging");
    // What goes to staging itself has no record there yet.
    let mut first = Scene::new(ReleaseOutcome::Promote);
    first.config.promote.from = "production".into();
    first.config.promote.url = "https://{environment}.example".into();
    assert_eq!(first.promote().from, None);
    assert_eq!(first.hub.state().statuses_of(1000)[0]["environment_url"], "https://production.example");
    assert_eq!(scene.hub.state().deployments.last().unwrap()["payload"]["from"], "staging");
    scene.keeps_to_the_documents();
}

#[test]
fn what_somebody_else_made_is_a_conflict_and_stays() {
    let tag = |scene: &Scene| format!("production-{}", &scene.subject.as_str()[..12]);
    // A tag elsewhere.
    let scene = whole();
    scene.hub.state().tags.insert(tag(&scene), scene.good.to_string());
    let promotion = scene.promote();
    assert_eq!((promotion.acts.len(), promotion.acts[0].outcome), (1, Outcome::Conflict));
    assert!(scene.hub.writes().is_empty() && scene.hub.state().deployments.is_empty());
    // A release of the tag by hand.
    let scene = whole();
    scene.promote();
    scene.hub.state().releases[0]["body"] = json!("by hand");
    scene.hub.arm([]);
    let promotion = scene.promote();
    assert_eq!(promotion.acts.last().unwrap().outcome, Outcome::Conflict);
    assert!(scene.hub.writes().is_empty());
    // A deployment with our marker and other digests.
    let scene = whole();
    scene.promote();
    scene.hub.state().deployments[0]["payload"]["artifacts"] = json!(digests("evil"));
    let promotion = scene.promote();
    assert_eq!((promotion.acts[1].kind, promotion.acts[1].outcome), (ActKind::Deployment, Outcome::Conflict));
}

fn pull_request(state: &mut State, head: &str) {
    state.pulls.push(crate::support::github::pull_record(21, "feat/x", "main"));
    state.branches.insert("feat/x".into(), head.into());
}

#[test]
fn only_the_head_that_was_judged_is_merged() {
    let ready = || {
        let mut scene = Scene::new(ReleaseOutcome::Promote);
        scene.config.promote.acts = vec![PromoteAct::Merge];
        let (good, subject) = (scene.good.to_string(), scene.subject.clone());
        scene.again(|evidence| evidence.facts.pulls.as_mut().unwrap().push(pull(21, &subject)));
        let mut state = scene.hub.state();
        state.branches.insert("main".into(), good);
        pull_request(&mut state, subject.as_str());
        drop(state);
        scene
    };
    let scene = ready();
    let act = scene.promote().acts.remove(0);
    assert_eq!((act.outcome, act.state.as_deref()), (Outcome::Created, Some("merged")));
    assert_eq!(scene.promote().acts[0].outcome, Outcome::Unchanged);
    scene.keeps_to_the_documents();

    for (name, spoil) in [
        (
            "another head",
            (|s| {
                s.push_by_person("feat/x", "y", "y\n", "y");
            }) as fn(&mut State),
        ),
        ("closed", |s| s.pulls[0].state = "closed"),
        ("a draft", |s| s.pulls[0].draft = true),
    ] {
        let scene = ready();
        spoil(&mut scene.hub.state());
        scene.hub.arm([]);
        let (promotion, finished) = scene.try_promote().unwrap();
        assert!(promotion.acts[0].is_conflict(), "{name}: {:?}", promotion.acts);
        assert!(
            matches!(finished.result, StageResult::Stopped { class: Class::NeedsApproval, .. }),
            "{name}"
        );
        assert!(scene.hub.writes().is_empty(), "{name}");
    }
    // Something required is missing: it is let merge by itself, with the judged head.
    let scene = ready();
    let not_yet = json!({ "message": "2 of 3 required status checks are expected." });
    let put = scene.hub.seen().len();
    assert_eq!(put, 0);
    scene.promote();
    let at = scene.hub.seen().iter().position(|seen| seen.method == "PUT").unwrap() + 1;
    let scene = ready();
    scene.hub.arm([(at, crate::support::github::Fault::Refuse(405, vec![], not_yet))]);
    let act = scene.promote().acts.remove(0);
    assert_eq!((act.outcome, act.state.as_deref()), (Outcome::Created, Some("merges by itself")));
    assert_eq!(scene.hub.state().pulls[0].auto_merge.as_deref(), Some("SQUASH"));
    let mut scene = ready();
    scene.config.promote.merge = AutoMerge::Off;
    assert!(scene.promote().acts[0].is_conflict());
    let mut scene = ready();
    scene.again(|evidence| drop(evidence.facts.pulls.as_mut().unwrap().pop()));
    assert!(scene.promote().acts[0].is_conflict(), "the evidence names no pull request");
}
