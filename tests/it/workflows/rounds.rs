//! Rounds that mend, over jobs that hand their files on: what the tests said, and what reviewers found.

use std::fs;

use serde_json::{Value, json};

use super::comments::{answers, commands, reviewed, shop_of};
use super::place::{Place, ends_like, log, names, ran, script};
use crate::env::run_folder;
use crate::intake_events::fixture;
use crate::model_runs::world::*;
use crate::support::github::{Reviewer, State};

/// What models say who divide a price: the first change multiplies, and what the tests say of it mends it.
fn dividing() -> (String, String) {
    let tests = answer(&json!({
        "files": [{ "path": "tests/half.sh", "op": "create", "content": HALF, "replacements": null, "executable": null }],
        "expected": [{ "path": "tests/half.sh", "name": "half", "criteria": ["c1"] }],
        "uncovered": [], "exempt": null,
    }));
    let alpha = vec![
        entry(PLAN_JUDGED, judges(&json!([]))),
        entry(TESTS, tests),
        // Each job reads the script anew, so the round that mends is told apart by its question.
        entry(MEND, replaces("price.sh", &[("$(($1 * $2))", "$(($1 / $2))")], &json!([]))),
        entry(BUILD, replaces("price.sh", &[("echo \"$1\"", "echo $(($1 * $2))")], &json!([]))),
    ];
    let beta = vec![
        entry(PLAN, plans(&[("price.sh", "change"), ("tests/half.sh", "test")])),
        entry(JUDGED, judges(&json!([]))),
        entry(JUDGED, judges(&json!([]))),
    ];
    (script(&alpha), script(&beta))
}

/// A first change that is red, and the round that mends it, each in a job of its own: the run is that of `orch run`.
#[test]
#[ignore = "needs the stand-in workflow-linters"]
fn a_round_that_mends_ends_in_the_run_that_the_command_makes() {
    let (alpha, beta) = dividing();
    let Some(place) = Place::new(&[
        ("README.md", README),
        ("price.sh", PRICE),
        ("test.sh", TEST_RUNNER),
        ("orch.yml", "service: shop\ncommands:\n  test: [\"sh test.sh\"]\n"),
        (".orch/models.toml", MODELS),
        (".orch/alpha.json", &alpha),
        (".orch/beta.json", &beta),
    ]) else {
        return;
    };
    let (env, remote, direct) = (&place.env, place.env.path("shop.git"), place.env.path("direct"));
    env.git(&place.source, &["clone", "-q", &remote.display().to_string(), &direct.display().to_string()]);
    let request = "divide the price";
    fs::write(env.path("request"), request).unwrap();
    let words = ["run", "--engine", "model", "--task-file", &env.path("request").display().to_string()];
    let said =
        env.orch_command(&direct, &words).env("CI", "true").env("GITHUB_ACTIONS", "true").output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let made = place.branches();
    env.git(&remote, &["update-ref", "-d", &format!("refs/heads/{}", made[0])]);

    let done = place.run("change.yml", None, &json!({ "inputs": { "request": request, "engine": "model" } }));
    let ran = names(&done);
    let rounds: Vec<&str> =
        ran.iter().map(String::as_str).filter(|job| job.starts_with("generate")).collect();
    assert_eq!(rounds, ["generate-1", "generate-2"], "{}", log(&done));
    assert_eq!(done["jobs"]["verify-green-1"]["outputs"]["exit"], "6");
    assert_eq!(done["jobs"]["result"]["outputs"]["exit"], "0", "{}", log(&done));
    assert_eq!(done["jobs"]["result"]["outputs"]["decision"], "allow");
    assert_eq!(place.branches(), made);
    let whole = run_folder(&direct);
    assert!(whole.join("rounds/2/build-test/report.json").exists());
    ends_like(env, &place.source, &done, &whole);
}

/// What a reviewer finds until it is mended, in this order; each is of the text of the one file.
const FINDINGS: [(&str, &str); 3] = [
    ("of delivery", "say from when the days count"),
    ("by post", "say how it is sent back"),
    ("at your cost", "say who pays for it"),
];

/// A discussion on a line of the head, with what is not said there yet.
fn finds(state: &State, head: &str, findings: &[(&str, &str)]) -> (Vec<Value>, Vec<Value>) {
    let text = state.text(head, "README.md").unwrap_or_default();
    let open = findings.iter().find(|(mended, _)| !text.contains(mended));
    let thread = |(_, what): &(&str, &str)| {
        json!({ "id": "T_1", "isResolved": false, "isOutdated": false, "path": "README.md", "line": 7,
            "comments": { "nodes": [{ "body": format!("Please {what}."), "createdAt": "2026-01-01T00:00:00Z",
                "originalCommit": { "oid": head },
                "author": { "__typename": "Bot", "login": "copilot-pull-request-reviewer" } }] } })
    };
    (vec![reviewed(head)], open.map(thread).into_iter().collect())
}

/// A shop whose models mend what the reviewer finds, as far as they know how.
fn reviewed_shop(event: &Value, reviewer: Reviewer) -> Option<Place> {
    let (mut alpha, beta) = readme();
    let days = "Within 30 days";
    for (at, (mended, what)) in FINDINGS.iter().enumerate().take(2) {
        let before: String = FINDINGS[..at].iter().flat_map(|(words, _)| [" ", *words]).collect();
        let edit = replaces(
            "README.md",
            &[(&format!("{days}{before}."), &format!("{days}{before} {mended}."))],
            &json!([]),
        );
        alpha.insert(2, entry(what, edit));
    }
    shop_of(&alpha, &beta, event, reviewer)
}

/// One finding goes back as a request of its own, and is mended on the branch of the same pull request.
#[test]
#[ignore = "needs the stand-in workflow-linters"]
fn what_a_reviewer_finds_is_mended_on_the_same_pull_request() {
    let event = fixture("ordinary-run.issue_comment");
    let Some(place) = reviewed_shop(&event, |state, head| finds(state, head, &FINDINGS[..1])) else { return };
    let done = commands(&place, &event, "issue_comment");
    assert_eq!(done["end"]["outputs"]["exit"], "0", "{}", log(&done));
    let jobs = ran(&done);
    let end = |name: &str| jobs.iter().find(|(job, _)| job == name).map(|(_, end)| end.as_str());
    assert_eq!(
        (end("run"), end("mend-1"), end("mend-2")),
        (Some("failure"), Some("success"), None),
        "{}",
        log(&done)
    );
    assert_eq!(done["jobs"]["run/review-gate"]["outputs"]["exit"], "3");
    assert_eq!(done["jobs"]["mend-1/review-gate"]["outputs"]["exit"], "0");
    assert_eq!(done["jobs"]["result"]["result"], "success");
    let state = place.github().state();
    assert_eq!(state.pulls.len(), 1);
    let head = state.branches[&state.pulls[0].head].clone();
    assert!(state.text(&head, "README.md").unwrap().contains("Within 30 days of delivery."));
    // Red at the commit that was found wanting, green at the one that mends it.
    let gates: Vec<_> = state.checks.iter().filter(|check| check["name"] == "orch / review-gate").collect();
    let ends: Vec<_> = gates.iter().map(|gate| gate["conclusion"].as_str().unwrap()).collect();
    assert_eq!((ends, &gates[1]["head_sha"]), (vec!["failure", "success"], &json!(head)));
    drop(state);
    let said = answers(&place, &event);
    assert!(said.len() == 1 && said[0].starts_with("Done: pull request #7."), "{said:?}");
    place.keeps_to_its_rights(&done);
}

/// There is an end to it, also where the reviewer always finds something.
#[test]
#[ignore = "needs the stand-in workflow-linters"]
fn a_reviewer_who_always_finds_something_is_heard_twice_more() {
    let event = fixture("ordinary-run.issue_comment");
    let Some(place) = reviewed_shop(&event, |state, head| finds(state, head, &FINDINGS)) else { return };
    let done = commands(&place, &event, "issue_comment");
    let ends: Vec<_> = ["run", "mend-1", "mend-2"]
        .map(|job| done["jobs"][job]["outputs"]["exit"].as_str().unwrap_or_default().to_owned())
        .into();
    assert_eq!(ends, ["3", "3", "3"], "{}", log(&done));
    assert_eq!(
        (&done["end"]["outputs"]["exit"], &done["jobs"]["result"]["result"]),
        (&json!("3"), &json!("failure"))
    );
    let state = place.github().state();
    assert_eq!(state.pulls.len(), 1);
    let head = state.branches[&state.pulls[0].head].clone();
    assert!(state.text(&head, "README.md").unwrap().contains("Within 30 days of delivery by post."));
    drop(state);
    let said = answers(&place, &event);
    assert!(said.len() == 1 && said[0].starts_with("`/orch run` ended with 3"), "{said:?}");
}
