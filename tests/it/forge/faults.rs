//! Every call failing once, in every way, and the process dying after every call: one pull request is what comes of it.

use serde_json::json;

use super::{BRANCH, Scene};
use crate::support::github::Fault;

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
        ("429", refuse(429, vec![("retry-after", "3".into())], "You have exceeded a secondary rate limit")),
        (
            "403 limit",
            refuse(
                403,
                vec![("x-ratelimit-remaining", "0".into()), ("x-ratelimit-reset", "1800000100".into())],
                "API rate limit exceeded",
            ),
        ),
        ("500", refuse(500, vec![], "Server Error")),
        ("no json", Fault::Refuse(200, vec![], json!(null))),
        ("answer lost", Fault::Lose),
        ("killed", Fault::Die),
    ]
}

/// What has to be there in the end, whatever happened on the way.
pub fn is_whole(scene: &Scene, case: &str) {
    let state = scene.hub.state();
    assert_eq!(state.pulls.len(), 1, "{case}");
    let head = state.branches[BRANCH].clone();
    let history = state.history(&head);
    assert_eq!(history.len(), 3, "{case}: two commits and the base");
    assert_eq!(state.text(&head, "src/health.txt").as_deref(), Some("up\n"), "{case}");
    assert_eq!(state.text(&head, "src/main.txt").as_deref(), Some("main, health\n"), "{case}");
    let pull = &state.pulls[0];
    assert!(!pull.draft && pull.state == "open", "{case}");
    assert_eq!(pull.labels.len(), 2, "{case}");
    assert_eq!(pull.assignees, ["octocat"], "{case}");
    assert_eq!(pull.reviewers, ["reviewer"], "{case}");
    assert!(!state.checks.is_empty() || !state.statuses.is_empty(), "{case}: {:?}", state.statuses);
}

#[test]
fn each_call_may_fail_in_any_way_and_the_next_run_ends_in_the_same_single_pull_request() {
    let scene = Scene::new();
    scene.run();
    let calls = scene.hub.seen().len();
    assert!(calls > 12, "{calls}");
    let mut failed = 0;
    for (name, fault) in faults() {
        for call in 1..=calls {
            let scene = Scene::new();
            scene.hub.arm([(call, fault.clone())]);
            let first = scene.try_run();
            failed += usize::from(first.is_err());
            if let Err(error) = first {
                let text = format!("{error} {:?}", orch::diagnostic::Failure::help(&error));
                assert!(!text.contains("testtoken"), "{text}");
            }
            scene.hub.arm([]);
            let case = format!("{name} at call {call}");
            let (_, hosted) = scene.run();
            assert_eq!(hosted.number, Some(7), "{case}");
            is_whole(&scene, &case);
            scene.keeps_to_the_documents();
        }
    }
    // Some faults are waited out, some are warnings; most end the run.
    assert!(failed > calls * 3, "{failed} of {}", calls * faults().len());
}

#[test]
fn a_write_whose_answer_was_lost_is_not_sent_again() {
    let clean = Scene::new();
    clean.run();
    let writes: Vec<usize> = clean
        .hub
        .seen()
        .iter()
        .enumerate()
        .filter(|(_, seen)| {
            seen.body["operationName"] == json!("CommitOnBranch")
                || seen.path.ends_with("/pulls") && seen.method == "POST"
        })
        .map(|(at, _)| at + 1)
        .collect();
    assert_eq!(writes.len(), 3);
    for call in writes {
        let scene = Scene::new();
        scene.hub.arm([(call, Fault::Lose)]);
        let error = scene.try_run().unwrap_err();
        assert!(error.to_string().contains("not known whether"), "{error}");
        assert_eq!(scene.hub.seen().len(), call);
        assert_eq!(orch::diagnostic::Failure::class(&error), orch::diagnostic::Class::Temporary);
    }
}
