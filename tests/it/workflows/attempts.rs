//! Time-outs, stops and further attempts of jobs: how each ends, and that what was spent is handed over.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail anywhere, its helpers too")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::place::{Place, log, script};
use crate::env::files_below;
use crate::model_runs::world::*;

/// A shop whose plan is made, and whose judge of plans does not answer within any time.
fn silent() -> Option<Place> {
    let mut judge = entry(PLAN_JUDGED, judges(&json!([])));
    judge["delay_ms"] = json!(600_000);
    let alpha = [judge];
    let beta = [entry(PLAN, plans(&[("README.md", "change")]))];
    Place::new(&[
        ("README.md", README),
        ("orch.yml", "service: shop\n"),
        (".orch/models.toml", MODELS),
        (".orch/alpha.json", &script(&alpha)),
        (".orch/beta.json", &script(&beta)),
    ])
}

fn given() -> Value {
    json!({ "request": REQUEST, "engine": "model" })
}

/// The ledger of the plan as its job handed it over.
#[track_caller]
fn ledger(done: &Value, end: &str) -> String {
    let artifacts = done["artifacts"].as_array().unwrap();
    let one = artifacts.iter().find(|one| one["name"].as_str().unwrap().ends_with(end));
    let one = one.unwrap_or_else(|| panic!("no part {end}: {}", log(done)));
    let files = files_below(Path::new(one["folder"].as_str().unwrap()));
    let (_, bytes) = files.into_iter().find(|(path, _)| path.ends_with("ledger/plan.jsonl")).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// One call was paid and one was on its way; nothing says that it was given back.
#[track_caller]
fn counts_both_calls(ledger: &str) {
    let count = |word: &str| ledger.matches(&format!("\"entry\":\"{word}\"")).count();
    assert_eq!((count("reserve"), count("settle"), count("release")), (2, 1, 0), "{ledger}");
}

/// A `sleep` whose minutes are short ones.
fn hasty(place: &Place) -> std::path::PathBuf {
    let folder = place.env.path("hasty");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("sleep");
    let text = "#!/bin/bash\nPATH=/usr/bin:/bin\nexec sleep \"$(awk \"BEGIN { print $1 / 280 }\")\"\n";
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// The stage's own limit comes before that of its job: it ends as a budget does, the job is there to hand over what was spent, and the
/// whole says why.
#[test]
#[ignore = "needs the stand-in workflow-linters"]
fn a_stage_that_hangs_ends_with_5_before_its_job_is_ended() {
    let Some(place) = silent() else { return };
    let start = Instant::now();
    let done = place.run("plan.yml", None, &json!({ "inputs": given(), "path": [hasty(&place)] }));
    assert!(start.elapsed() < Duration::from_mins(2));
    assert_eq!(done["jobs"]["plan"]["result"], "success", "{}", log(&done));
    assert_eq!(done["jobs"]["plan"]["outputs"]["exit"], "5", "{}", log(&done));
    let end = &done["end"]["outputs"];
    assert_eq!(
        (&end["exit"], &end["reason"], &done["jobs"]["result"]["result"]),
        (&json!("5"), &json!("the stage did not end within 28 minutes"), &json!("failure")),
        "{}",
        log(&done)
    );
    counts_both_calls(&ledger(&done, "-plan-r1-a1"));
}

/// The job itself is ended, by its time or by a person: the stage has the moment a runner gives it, and hands over what was spent; the next
/// attempt goes on from there.
#[test]
#[ignore = "needs the stand-in workflow-linters"]
fn a_job_that_is_stopped_hands_over_what_was_spent() {
    let Some(place) = silent() else { return };
    let start = Instant::now();
    let done = place.run("plan.yml", None, &json!({ "inputs": given(), "minute": 400 }));
    assert!(start.elapsed() < Duration::from_mins(2));
    assert_eq!(done["jobs"]["plan"]["result"], "cancelled", "{}", log(&done));
    let end = &done["end"]["outputs"];
    assert_eq!(
        (&end["exit"], &end["reason"], &done["jobs"]["result"]["result"]),
        (&json!("75"), &json!("the job was stopped, or its time was over"), &json!("failure")),
        "{}",
        log(&done)
    );
    let before = ledger(&done, "-plan-r1-a1");
    counts_both_calls(&before);
    // Once more, on a runner of its own: what the first attempt spent, the call that nobody saw the end of among it, counts.
    let kept = place.env.path("kept");
    fs::rename(place.env.path("work/artifacts"), &kept).unwrap();
    let artifacts: Vec<Value> = done["artifacts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let mut one = one.clone();
            one["folder"] = json!(kept.join(one["id"].as_str().unwrap()));
            one
        })
        .collect();
    let lines: Vec<Value> =
        before.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["entry"].clone()).collect();
    let worst = |line: &Value| line["worst_nano_usd"].as_i64().unwrap();
    let asked: Vec<i64> = lines.iter().filter(|line| line["entry"] == "reserve").map(worst).collect();
    let paid: i64 = lines.iter().filter_map(|line| line["cost_nano_usd"].as_i64()).sum();
    // More than the first attempt had spent, and less than one more call may cost: without what was handed over it would be asked.
    let ceiling = paid + asked[1] + asked[0] / 2;
    assert!(ceiling > asked[0], "{before}");
    let mut dear = given();
    dear["max-cost-usd"] = json!(format!("{}.{:09}", ceiling / 1_000_000_000, ceiling % 1_000_000_000));
    let again = place.run(
        "plan.yml",
        None,
        &json!({ "inputs": dear, "artifacts": artifacts, "attempt": 2, "minute": 400 }),
    );
    let after = ledger(&again, "-plan-r1-a2");
    assert!(after.starts_with(&before) && after.len() > before.len(), "{after}");
    assert_eq!(again["end"]["outputs"]["exit"], "5", "{}", log(&again));
}
