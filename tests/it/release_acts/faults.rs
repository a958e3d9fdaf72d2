//! Every call failing once, in every way, and the process dying after every call: one state is what comes of it.

use orch::artifact::types::release::ReleaseOutcome;
use orch::config::PromoteAct;
use orch::diagnostic::Failure as _;
use serde_json::{Value, json};

use super::rollback::bad;
use super::{Scene, digests};
use crate::support::github::{FakeGitHub, Fault};

fn faults() -> Vec<(&'static str, Fault)> {
    let refuse = |status, headers: Vec<(&'static str, String)>, message: &str| {
        Fault::Refuse(status, headers, json!({ "message": message }))
    };
    vec![
        ("401", refuse(401, vec![], "Bad credentials")),
        ("403", refuse(403, vec![], "Resource not accessible by integration")),
        ("404", refuse(404, vec![], "Not Found")),
        ("409", refuse(409, vec![], "Conflict")),
        ("422", refuse(422, vec![], "Validation Failed")),
        ("422 there", refuse(422, vec![], "Reference already exists")),
        ("429", refuse(429, vec![("retry-after", "3".into())], "You have exceeded a secondary rate limit")),
        ("500", refuse(500, vec![], "Server Error")),
        ("no json", Fault::Refuse(200, vec![], json!(null))),
        ("answer lost", Fault::Lose),
        ("killed", Fault::Die),
    ]
}

fn promoting() -> Scene {
    let mut scene = Scene::new(ReleaseOutcome::Promote);
    scene.config.promote.acts = vec![PromoteAct::Release, PromoteAct::Deployment];
    scene.deployed("production", &scene.good, &digests("good"), "success");
    scene
}

/// What is on the forge, without what differs from run to run.
pub fn left(hub: &FakeGitHub) -> Value {
    let state = hub.state();
    let deployments: Vec<Value> = state
        .deployments
        .iter()
        .map(|one| {
            let status = state.newest_status(one["id"].as_u64().unwrap());
            json!([one["sha"], one["environment"], one["payload"], status])
        })
        .collect();
    let releases: Vec<Value> =
        state.releases.iter().map(|one| json!([one["tag_name"], one["draft"], one["body"]])).collect();
    let pulls: Vec<Value> = state
        .pulls
        .iter()
        .map(|pull| {
            let head = &state.commits[&state.branches[&pull.head]];
            json!([
                pull.head,
                pull.base,
                pull.title,
                pull.body,
                pull.draft,
                pull.state,
                head.tree,
                head.parents,
                head.message
            ])
        })
        .collect();
    let branches: Vec<&String> = state.branches.keys().collect();
    json!({ "deployments": deployments, "releases": releases, "tags": state.tags, "pulls": pulls, "branches": branches })
}

/// Lets each call fail in each way, runs again, and compares what is left with a run that nothing happened to.
fn every_call(make: fn() -> Scene, run: fn(&Scene) -> Result<bool, String>) {
    // Judged once: each try begins with the same forge, evidence and decision.
    let first = make();
    let make = || first.fresh();
    let scene = make();
    run(&scene).unwrap();
    let wanted = left(&scene.hub);
    let calls = scene.hub.seen().len();
    assert!(calls > 8, "{calls}");
    let mut failed = 0;
    for (name, fault) in faults() {
        for call in 1..=calls {
            let case = format!("{name} at call {call}");
            let scene = make();
            scene.hub.arm([(call, fault.clone())]);
            let first = run(&scene);
            failed += usize::from(!matches!(first, Ok(true)));
            scene.hub.arm([]);
            // Whatever the first said, the next ends well and in the same state.
            assert_eq!(run(&scene), Ok(true), "{case}: first {first:?}");
            assert_eq!(left(&scene.hub), wanted, "{case}");
            scene.hub.arm([]);
            assert_eq!(run(&scene), Ok(true), "{case}");
            assert_eq!(scene.hub.writes(), Vec::<String>::new(), "{case}: nothing is left to do");
            scene.keeps_to_the_documents();
        }
    }
    // A wait mends some, and a lookup that finds nothing is an answer too; most end the run.
    assert!(failed > calls * 4, "{failed} of {}", calls * faults().len());
}

/// Tells whether it ended without anything for a person to look at.
fn ended<T>(done: Result<(T, orch::stage::Finished), orch::stage::StageError>) -> Result<bool, String> {
    match done {
        Ok((_, finished)) => Ok(matches!(finished.result, orch::stage::StageResult::Done)),
        Err(error) => {
            let text = format!("{error} {:?}", error.help());
            assert!(!text.contains("testtoken"), "{text}");
            Err(text)
        }
    }
}

#[test]
fn a_promotion_ends_in_the_same_single_state_whatever_call_fails() {
    every_call(promoting, |scene| ended(scene.try_promote()));
}

#[test]
fn a_rollback_ends_in_the_same_single_state_whatever_call_fails() {
    every_call(bad, |scene| ended(scene.try_rollback()));
}
