//! Compiled workflows run to their end, jobs and steps for real: `tests/stand-ins/run workflow-linters`.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::place::{Place, log, names, workflow_run};
use super::root;
use super::third_party::{run, stand_in, variables};
use crate::env::{TestEnv, files_below, run_folder};
use crate::intake_events::fixture;
use crate::model_runs::world::{PLAN, entry};

#[test]
#[ignore = "needs the stand-in workflow-linters"]
fn a_run_is_stopped_or_run_once_more_by_one_job() {
    for (name, said, write) in [
        ("ordinary-stop", "Stopped the run 76", "POST /repos/acme/shop/actions/runs/76/cancel"),
        ("ordinary-rerun", "Running `policy` once more", "POST /repos/acme/shop/actions/jobs/2/rerun"),
    ] {
        let Some(place) = Place::new(&[("README.md", "A shop.\n")]) else { return };
        let event = fixture(&format!("{name}.issue_comment"));
        place.hub.as_in(&event);
        let number = event["issue"]["number"].as_u64().unwrap();
        place.takes_comments(number);
        let title = format!("orch #{number}");
        let status = if name == "ordinary-stop" { "in_progress" } else { "completed" };
        let run = workflow_run(76, &title, status);
        let (all, none) =
            (json!({"total_count": 1, "workflow_runs": [run]}), json!({"total_count": 0, "artifacts": []}));
        let jobs = json!({"total_count": 1, "jobs": [{"id": 2, "name": "orch / run / policy", "conclusion": "success"}]});
        place.hub.put("GET /repos/acme/shop/actions/runs/76", 200, run);
        place.hub.put("GET /repos/acme/shop/actions/workflows/orch.yml/runs", 200, all);
        place.hub.put("GET /repos/acme/shop/actions/runs/76/artifacts", 200, none);
        place.hub.put("GET /repos/acme/shop/actions/runs/76/jobs", 200, jobs);
        place.hub.put("POST /repos/acme/shop/actions/runs/76/cancel", 202, json!({}));
        place.hub.put("POST /repos/acme/shop/actions/jobs/2/rerun", 201, json!({}));
        if event["issue"]["pull_request"].is_object() {
            place.hub.put(&format!("GET /repos/acme/shop/pulls/{number}"), 404, json!({}));
        }
        let done = place.run("commands.yml", Some(&event), &json!({}));
        assert_eq!(names(&done), ["command", "act", "reply", "result"], "{name}");
        let told = done["jobs"]["act"]["outputs"]["said"].as_str().unwrap();
        assert!(told.contains(said), "{name}: {told}");
        assert!(place.writes().contains(&write.to_owned()), "{name}: {:?}", place.writes());
        assert_eq!(place.writes().len(), 2, "{name}: {:?}", place.writes());
    }
}

/// A change that reviewers sent back and that was mended is no failure, and how it was mended is how the whole ended.
#[test]
#[ignore = "needs the stand-in workflow-linters"]
fn what_was_mended_is_how_the_whole_ended() {
    let Some(folder) = stand_in() else { return };
    let env = TestEnv::new();
    let found = json!({ "result": "failure", "outputs": { "exit": "3", "pr-number": "7", "pr-head": "x" } });
    let good = json!({ "result": "success", "outputs": { "exit": "0", "pr-number": "7", "pr-head": "y" } });
    let denied = json!({ "result": "failure", "outputs": { "exit": "3", "pr-number": "" } });
    let command = json!({ "result": "success", "outputs": { "exit": "0", "intent": "run" } });
    for (run_ends, first, second, wanted, ran) in [
        (&good, &good, &good, ("success", "0"), 0),
        (&found, &good, &good, ("success", "0"), 1),
        (&found, &found, &good, ("success", "0"), 2),
        (&found, &found, &found, ("failure", "3"), 2),
        // What policy denied has no pull request, and nothing to be mended in.
        (&denied, &good, &good, ("failure", "3"), 0),
    ] {
        let ends = json!({ "command": command, "run": run_ends, "mend-1": first, "mend-2": second });
        let plan = json!({ "root": root(), "work": env.path("gates"), "workflow": "commands.yml", "ends": ends, "env": variables(&env) });
        let done = run(&folder, &env, &plan);
        let result = &done["jobs"]["result"];
        let ended = (result["result"].as_str().unwrap(), result["outputs"]["exit"].as_str().unwrap());
        assert_eq!(ended, wanted, "{ends}");
        let mended =
            ["mend-1", "mend-2"].iter().filter(|job| done["jobs"][**job]["result"] != "skipped").count();
        assert_eq!(mended, ran, "{ends}");
    }
}

/// A change that waits for a person: its place, the digest to approve, its run, and what the jobs of that run handed on.
struct Waiting {
    place: Place,
    digest: String,
    run: String,
    artifacts: Vec<Value>,
}

impl Waiting {
    fn new() -> Option<Self> {
        let files = [
            ("README.md", "A shop.\n"),
            ("orch.yml", "service: shop\npaths:\n  protect: [LICENSE]\npr:\n  forge: local\n"),
        ];
        let place = Place::new(&files)?;
        let (env, root) = (&place.env, &place.source);
        env.orch(root, &["run", "add an MIT license for \"ACME Inc.\"", "--until", "policy"]).exits(4);
        env.orch(root, &["stage", "approve"]).exits(4);
        let folder = run_folder(root);
        let text = fs::read_to_string(folder.join("approval.md")).unwrap();
        let digest = text.lines().find_map(|line| line.strip_prefix("/orch approve ")).unwrap().to_owned();
        let run = folder.file_name().unwrap().to_string_lossy().into_owned();
        let artifacts = handed_over(env, root, &run);
        Some(Self { place, digest, run, artifacts })
    }

    fn parts(&self) -> String {
        self.artifacts.iter().map(|one| one["id"].as_str().unwrap()).collect::<Vec<_>>().join(",")
    }

    /// A comment that approves the right digest or another, of now, as the clock of the tests tells it: one of long ago is over.
    fn approves(&self, right: bool) -> Value {
        let digest = if right { self.digest.clone() } else { format!("sha256:{}", "ab".repeat(32)) };
        let mut event = fixture("ordinary-approve.issue_comment");
        event["comment"]["body"] = format!("/orch approve {digest}").into();
        let now = jiff::Timestamp::from_second(crate::env::EPOCH.parse().unwrap()).unwrap().to_string();
        event["comment"]["created_at"] = now.clone().into();
        event["comment"]["updated_at"] = now.into();
        self.place.hub.as_in(&event);
        event
    }
}

/// The digest of everything that was judged lets the change go on; any other does not.
#[test]
#[ignore = "needs the stand-in workflow-linters"]
fn an_approval_with_the_right_digest_goes_on_and_with_a_wrong_one_does_not() {
    for good in [true, false] {
        let Some(waiting) = Waiting::new() else { return };
        let event = waiting.approves(good);
        let inputs = json!({ "from-run": "70", "parts": waiting.parts(), "run-id": waiting.run });
        let more = json!({ "inputs": inputs, "artifacts": waiting.artifacts });
        let (place, env) = (&waiting.place, &waiting.place.env);
        let done = place.run("approve.yml", Some(&event), &more);
        let log = done["jobs"].to_string();
        if good {
            assert_eq!(names(&done), ["earlier", "approve", "pr", "review-gate", "proof", "result"]);
            // What the identity of the workflow signed says what the run says, and is kept with the repository.
            assert_eq!(done["jobs"]["proof"]["result"], "success", "{log}");
            let kept = env.git(&env.path("shop.git"), &["ls-tree", "-r", "--name-only", "refs/orch/runs"]);
            assert!(kept.contains("attest/change.json") && kept.contains("approval.json"), "{kept}");
            assert_eq!(
                (done["end"]["outputs"]["exit"].as_str(), place.branches().len()),
                (Some("0"), 1),
                "{log}"
            );
        } else {
            assert_eq!(place.branches(), Vec::<String>::new(), "{log}");
            assert_eq!(done["jobs"]["pr"]["result"], "skipped", "{log}");
            assert_ne!(done["end"]["outputs"]["exit"], "0", "{log}");
        }
    }
}

/// From the comment: the run that waits is found by the forge's own word, its files are taken, and the comment is answered.
#[test]
#[ignore = "needs the stand-in workflow-linters"]
fn an_approval_in_a_comment_finds_the_run_that_waits() {
    for good in [true, false] {
        let Some(waiting) = Waiting::new() else { return };
        let event = waiting.approves(good);
        let place = &waiting.place;
        let number = event["issue"]["number"].as_u64().unwrap();
        place.takes_comments(number);
        let run = workflow_run(70, &format!("orch #{number}"), "completed");
        let there = |one: &Value| {
            let id: u64 = one["id"].as_str().unwrap().parse().unwrap();
            json!({ "id": id, "name": one["name"], "expired": false, "workflow_run": { "id": 70 } })
        };
        let artifacts: Vec<Value> = waiting.artifacts.iter().map(there).collect();
        let artifacts = json!({ "total_count": artifacts.len(), "artifacts": artifacts });
        place.hub.put("GET /repos/acme/shop/actions/runs/70", 200, run.clone());
        let runs = json!({ "total_count": 1, "workflow_runs": [run] });
        place.hub.put("GET /repos/acme/shop/actions/workflows/orch.yml/runs", 200, runs);
        place.hub.put("GET /repos/acme/shop/actions/runs/70/artifacts", 200, artifacts);
        if event["issue"]["pull_request"].is_object() {
            place.hub.put(&format!("GET /repos/acme/shop/pulls/{number}"), 404, json!({}));
        }
        let done = place.run("commands.yml", Some(&event), &json!({ "artifacts": waiting.artifacts }));
        let command = &done["jobs"]["command"]["outputs"];
        assert_eq!(
            (&command["from-run"], &command["parts"]),
            (&json!("70"), &json!(waiting.parts())),
            "{}",
            log(&done)
        );
        let branches = place.branches().len();
        let post = format!("POST /repos/acme/shop/issues/{number}/comments");
        let asked = place.hub.asked();
        let said =
            asked.iter().rfind(|(ask, _)| *ask == post).unwrap().1["body"].as_str().unwrap().to_owned();
        if good {
            assert_eq!((&done["end"]["outputs"]["exit"], branches), (&json!("0"), 1), "{}", log(&done));
            assert!(said.starts_with("Approved."), "{said}");
        } else {
            assert_ne!(done["end"]["outputs"]["exit"], "0", "{}", log(&done));
            assert!(branches == 0 && said.starts_with("`/orch approve` ended with"), "{said}");
        }
    }
}

/// The files of a run as its jobs uploaded them.
fn handed_over(env: &TestEnv, root: &Path, run: &str) -> Vec<Value> {
    let stages = ["intake", "plan", "test-write", "verify-red", "generate", "verify-green", "policy"];
    let part = |(at, stage): (usize, &&str)| {
        let folder = env.path("handed").join(stage);
        env.orch(root, &["artifacts", "part", stage, "--into", &folder.display().to_string()]).exits(0);
        json!({ "id": (900 + at).to_string(), "name": format!("orch-{run}-{stage}-r1-a1"), "folder": folder })
    };
    stages.iter().enumerate().map(part).collect()
}

/// The second attempt of a job, on a runner of its own, knows what the first one spent.
#[test]
#[ignore = "needs the stand-in workflow-linters"]
fn a_job_that_is_run_again_takes_the_ledger_of_its_first_attempt() {
    let failing = json!({ "version": 1, "replies": [entry(PLAN, json!({ "outcome": "no such form" }))] });
    let Some(place) = Place::new(&[
        ("README.md", "# Shop\n"),
        ("orch.yml", "service: shop\n"),
        (".orch/models.toml", crate::model_runs::world::MODELS),
        (".orch/alpha.json", "{\"version\":1,\"replies\":[]}"),
        (".orch/beta.json", &failing.to_string()),
    ]) else {
        return;
    };
    let inputs = json!({ "request": "add a README section", "engine": "model" });
    let first = place.run("plan.yml", None, &json!({ "inputs": inputs }));
    assert_ne!(first["end"]["outputs"]["exit"], "0");
    let lines = |done: &Value, end: &str| {
        let artifacts = done["artifacts"].as_array().unwrap();
        let one = artifacts.iter().find(|one| one["name"].as_str().unwrap().ends_with(end)).unwrap();
        let files = files_below(Path::new(one["folder"].as_str().unwrap()));
        let (_, bytes) = files.into_iter().find(|(path, _)| path.ends_with("ledger/plan.jsonl")).unwrap();
        String::from_utf8(bytes).unwrap()
    };
    let before = lines(&first, "-plan-r1-a1");
    assert_eq!(before.matches("\"open\"").count(), 1, "{before}");
    let kept = place.env.path("kept");
    fs::rename(place.env.path("work/artifacts"), &kept).unwrap();
    let artifacts: Vec<Value> = first["artifacts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let mut one = one.clone();
            one["folder"] = kept.join(one["id"].as_str().unwrap()).display().to_string().into();
            one
        })
        .collect();
    let second =
        place.run("plan.yml", None, &json!({ "inputs": inputs, "artifacts": artifacts, "attempt": 2 }));
    let after = lines(&second, "-plan-r1-a2");
    assert!(after.starts_with(&before) && after.matches("\"open\"").count() == 2, "{after}");
}

/// The index of a commit is made, and kept by its tree.
#[test]
#[ignore = "needs the stand-in workflow-linters"]
fn the_index_is_made_and_kept() {
    let Some(place) = Place::new(&[("README.md", "A shop.\n"), ("src/a.py", "def a():\n    return 1\n")])
    else {
        return;
    };
    let done = place.run("indexing.yml", None, &json!({}));
    assert_eq!(names(&done), ["index"]);
    assert_eq!(done["end"]["outputs"]["exit"], "0");
    let tree = place.env.git(&place.source, &["rev-parse", "HEAD^{tree}"]);
    let key = done["kept"][0]["key"].as_str().unwrap();
    assert!(
        key.starts_with("orch-index-") && key.ends_with(tree.trim()) && done["kept"][0]["there"] == true,
        "{done}"
    );
    assert_eq!(done["artifacts"][0]["name"], "orch-graph");
}

/// Without a pull request: made, built, tested, judged and reported.
#[test]
#[ignore = "needs the stand-in workflow-linters"]
fn code_is_made_built_tested_and_judged_without_a_pull_request() {
    let Some(folder) = stand_in() else { return };
    drop(folder);
    let Some(place) = Place::new(&[("README.md", "A shop.\n"), ("orch.yml", "service: shop\n")]) else {
        return;
    };
    let inputs = json!({ "request": "add an MIT license for \"ACME Inc.\"" });
    let done = place.run("code-build-test.yml", None, &json!({ "inputs": inputs }));
    let ran = names(&done);
    assert!(
        ran.contains(&"policy".into()) && ran.contains(&"result".into()) && !ran.contains(&"pr".into()),
        "{ran:?}"
    );
    assert_eq!((done["end"]["outputs"]["exit"].as_str(), place.branches().len()), (Some("0"), 0));
}
