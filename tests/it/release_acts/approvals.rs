//! Approvals of a release as the forge tells them, one thing changed at a time: none of them is taken for an approval.

use orch::artifact::types::release::{ControlOutcome, ReleaseOutcome};
use serde_json::{Value, json};

use super::Scene;
use super::evidence::{gate, review, scene};

const WHEN: &str = "2026-11-27T08:00:00Z";

/// What the control says of reviews, and what the whole comes to.
fn judged(scene: &Scene, reviews: Vec<Value>) -> (ControlOutcome, String, ReleaseOutcome) {
    {
        let mut state = scene.hub.state();
        state.people = vec!["octocat".into(), "reviewer".into(), "olga".into(), "helper[bot]".into()];
        state.reviews = reviews;
    }
    let (_, decision) = gate(scene);
    let control = decision.controls.iter().find(|one| one.control == "release/approvals").unwrap();
    (control.outcome, control.reason.clone(), decision.outcome)
}

#[test]
fn no_word_but_that_of_another_person_who_may_write_on_this_commit_in_its_time_approves() {
    let scene = scene();
    let (subject, good) = (scene.subject.to_string(), scene.good.to_string());
    let approved = |login: &str, commit: &str, at: &str| review(1, login, "APPROVED", commit, at);
    let own = approved("olga", &subject, WHEN);
    let (outcome, why, _) = judged(&scene, vec![own.clone()]);
    assert_eq!(outcome, ControlOutcome::Pass, "{why}");
    let but = |name: &str, value: Value| {
        let mut other = own.clone();
        other[name] = value;
        other
    };
    let mutants = [
        ("who wrote a commit of it", vec![approved("octocat", &subject, WHEN)]),
        ("who may only read", vec![approved("reviewer", &subject, WHEN)]),
        ("somebody the forge does not know", vec![approved("stranger", &subject, WHEN)]),
        ("a program", vec![approved("helper[bot]", &subject, WHEN)]),
        (
            "a program that is called a person's name",
            vec![but("user", json!({ "login": "olga", "id": 1, "type": "Bot" }))],
        ),
        ("nobody any more", vec![but("user", Value::Null)]),
        ("another commit", vec![approved("olga", &good, WHEN)]),
        ("no commit", vec![but("commit_id", Value::Null)]),
        ("a commit that is not there", vec![approved("olga", &"e".repeat(40), WHEN)]),
        ("too long ago", vec![approved("olga", &subject, "2025-11-20T08:00:00Z")]),
        ("the future", vec![approved("olga", &subject, "2026-11-27T13:00:00Z")]),
        ("no time", vec![but("submitted_at", Value::Null)]),
        ("taken back", vec![but("state", json!("DISMISSED"))]),
        ("not sent yet", vec![but("state", json!("PENDING"))]),
        ("a comment", vec![but("state", json!("COMMENTED"))]),
        ("a word nobody knows", vec![but("state", json!("APPROVED_MAYBE"))]),
        ("wants it changed since", vec![own.clone(), review(2, "olga", "CHANGES_REQUESTED", &subject, WHEN)]),
        ("taken back since", vec![own.clone(), review(2, "olga", "DISMISSED", &subject, WHEN)]),
        ("nobody", vec![]),
    ];
    for (name, reviews) in mutants {
        let (outcome, why, whole) = judged(&scene, reviews);
        assert_ne!(outcome, ControlOutcome::Pass, "{name}: {why}");
        assert_ne!(whole, ReleaseOutcome::Promote, "{name}");
    }
}
