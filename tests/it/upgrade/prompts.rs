//! Two prompt versions over ten recorded runs: the table, the decision, the switch.

use std::fs;

use serde_json::{Value, json};

use super::world::*;
use crate::env::{TestEnv, files_below};
use crate::model_runs::world::*;

const PROMPT: &str = ".orch/prompts/generate.implement.md";

/// What the models say to the good candidate: the same, and the edits for fewer tokens.
fn good_candidate() -> (Vec<Value>, Vec<Value>) {
    let (alpha, beta) = readme();
    (vec![alpha[0].clone(), alpha[1].clone(), builds("TERSELY", section())], beta)
}

/// What they say to the bad one: run 3 breaks the test, run 7 touches what a person has to approve, all is dearer.
fn bad_candidate() -> (Vec<Value>, Vec<Value>) {
    let (alpha, beta) = readme();
    let (broken, licence) = (request(3), request(7));
    let breaks = replaces("price.sh", &[("echo \"$1\"", "echo nothing")], &json!([]));
    let takes = answer(&json!({
        "summary": "as planned", "claims": [], "answers": [],
        "edits": [{ "path": "LICENSE", "op": "create", "content": "free\n", "replacements": null, "executable": null }],
    }));
    let mut pen = vec![
        entry(&broken, fine()),
        entry(&broken, exempt()),
        entry(&broken, breaks),
        entry(&licence, fine()),
        entry(&licence, exempt()),
        entry(&licence, takes),
    ];
    pen.extend([alpha[0].clone(), alpha[1].clone(), costs(entry("LAVISHLY", section()), 9000, 2000)]);
    let mut lens = vec![
        entry(&broken, plans(&[("price.sh", "change")])),
        entry(&licence, plans(&[("LICENSE", "change")])),
    ];
    lens.extend(beta);
    (pen, lens)
}

#[test]
fn the_better_of_two_prompts_becomes_the_default_and_the_other_does_not() {
    let env = TestEnv::new();
    let root = shop_for_upgrades(&env, "shop", "");
    record(&env, &root, 10);
    let recorded = files_below(&root.join("artifacts"));
    let (good, bad) = (env.path("good.md"), env.path("bad.md"));
    fs::write(&good, prompt("TERSELY")).unwrap();
    fs::write(&bad, prompt("LAVISHLY")).unwrap();

    // The good one.
    let id = propose(&env, &root, &["prompt", &good.display().to_string(), "--reason", "says less"]);
    env.orch(&root, &["upgrade", "promote", &id]).exits(2).says("Evaluate it first");
    let (alpha, beta) = good_candidate();
    says(&root, "alpha", &alpha);
    says(&root, "beta", &beta);
    let dry = evaluate(&env, &root, &id, &["--all", "--dry-run"]).exits(0);
    assert!(
        dry.stderr.contains("at most $") && dry.stderr.contains("$2.000000 may be spent"),
        "{}",
        dry.stderr
    );
    assert!(!root.join("artifacts").join(&id).join("runs").exists(), "nothing was called");
    let said = evaluate(&env, &root, &id, &["--all", "--max-cost-usd", "5"]).exits(0);
    for told in ["10 compared, 0 not; 0 better, 0 worse", "Decision: promote", "held          cost", "green"]
    {
        assert!(said.stdout.contains(told), "{told}: {}", said.stdout);
    }
    let all = shown(&env, &root, &id);
    let (now, then) = (&row(&all, 4)["current"], &row(&all, 4)["candidate"]);
    assert_eq!((&now["decision"], &then["decision"]), (&"allow".into(), &"allow".into()), "{all}");
    // 5 calls of 2000 and 500 tokens at 1 and 4 dollars a million, one of them at half.
    assert_eq!((&now["cost_nano_usd"], &then["cost_nano_usd"]), (&20_000_000.into(), &18_000_000.into()));
    let totals = &all["evaluation"]["totals"];
    assert_eq!(
        (&totals["cost_current_nano_usd"], &totals["cost_candidate_nano_usd"]),
        (&200_000_000.into(), &180_000_000.into())
    );
    assert_eq!(all["evaluation"]["spend"]["spent_nano_usd"], 180_000_000);
    // What is recorded is only read, no branch is written, and again costs nothing.
    for (path, bytes) in &recorded {
        assert_eq!(fs::read(root.join("artifacts").join(path)).unwrap(), *bytes, "{path}");
    }
    let branches = env.git(&root, &["branch", "--list", "feat/*", "--list", "docs/*"]);
    assert!(branches.lines().count() <= 10, "{branches}");
    evaluate(&env, &root, &id, &["--all", "--max-cost-usd", "5"]).exits(0);
    assert_eq!(shown(&env, &root, &id)["evaluation"]["spend"]["spent_nano_usd"], 180_000_000);

    // The bad one: the table says where, and nothing lets it through.
    let other = propose(&env, &root, &["prompt", &bad.display().to_string()]);
    assert_ne!(id, other);
    let (alpha, beta) = bad_candidate();
    says(&root, "alpha", &alpha);
    says(&root, "beta", &beta);
    let said = evaluate(&env, &root, &other, &["--all", "--max-cost-usd", "5"]).exits(3);
    for told in ["allow -> needs approval", "-> red", "Decision: refuse", "FAILED"] {
        assert!(said.stdout.contains(told), "{told}: {}", said.stdout);
    }
    let all = shown(&env, &root, &other);
    for name in ["verdicts", "tests", "cost"] {
        assert_eq!(control(&all, name), "failed", "{name}: {all}");
    }
    assert_eq!(all["evaluation"]["totals"]["worse"], 2, "{all}");
    env.orch(&root, &["upgrade", "promote", &other]).exits(3).says("the decision is refuse");
    assert!(!root.join(PROMPT).exists());

    // The switch, and that the words are in use from the commit on.
    env.orch(&root, &["upgrade", "promote", &id]).exits(0).says("the candidate is in place, 1 file");
    assert_eq!(fs::read_to_string(root.join(PROMPT)).unwrap(), prompt("TERSELY"));
    env.orch(&root, &["upgrade", "promote", &id]).exits(0).says("was in place");
    env.git(&root, &["add", "-A", ".orch"]);
    env.git(&root, &["commit", "-q", "-m", "words"]);
    let (alpha, beta) = good_candidate();
    says(&root, "alpha", &alpha);
    says(&root, "beta", &beta);
    run(&env, &root, "add a README section of now", &[]).exits(0);
    env.orch(&root, &["replay"]).exits(0).says("byte for byte");
    env.orch(&root, &["verify"]).exits(0);
    // And back.
    env.orch(&root, &["upgrade", "rollback", &id]).exits(0).says("what was there before is in place");
    assert!(!root.join(PROMPT).exists());
    env.orch(&root, &["upgrade", "rollback", &id]).exits(0).says("was in place");
    let all = shown(&env, &root, &id);
    let actions: Vec<_> = all["switches"].as_array().unwrap().iter().map(|s| s["action"].clone()).collect();
    assert_eq!((actions, &all["in_place"]), (vec!["promote".into(), "rollback".into()], &"former".into()));
    env.orch(&root, &["upgrade", "rollback", &other]).exits(2).says("was never promoted");
}

#[test]
fn what_cannot_be_paid_is_not_measured_and_too_few_runs_hold() {
    let env = TestEnv::new();
    let root = shop_for_upgrades(&env, "shop", "upgrade:\n  runs: 2\n");
    record(&env, &root, 2);
    let good = env.path("good.md");
    fs::write(&good, prompt("TERSELY")).unwrap();
    let id = propose(&env, &root, &["prompt", &good.display().to_string()]);
    let (alpha, beta) = good_candidate();
    says(&root, "alpha", &alpha);
    says(&root, "beta", &beta);
    // A ceiling that no call fits under: nothing is spent, and nothing is decided.
    evaluate(&env, &root, &id, &["--all", "--max-cost-usd", "0.001"]).exits(75).says("not compared");
    let all = shown(&env, &root, &id);
    assert_eq!(all["evaluation"]["spend"]["spent_nano_usd"], 0, "{all}");
    assert_eq!(
        (control(&all, "runs"), control(&all, "measured")),
        ("not-measured".into(), "not-measured".into())
    );
    env.orch(&root, &["upgrade", "promote", &id]).exits(75).says("the decision is hold");
    // One run of the two that are asked for.
    evaluate(&env, &root, &id, &["add-a-readme-section-no-0"]).exits(75).says("1 runs were compared");
    evaluate(&env, &root, &id, &["--all"]).exits(0);
    // A provider that is down is no fault of the candidate.
    fs::remove_dir_all(root.join("artifacts").join(&id).join("runs")).unwrap();
    says(&root, "alpha", &[fails("auth", 401, 0)]);
    evaluate(&env, &root, &id, &["--all"]).exits(75).says("not measured");
    // One that refuses is.
    fs::remove_dir_all(root.join("artifacts").join(&id).join("runs")).unwrap();
    says(&root, "alpha", &[alpha[0].clone(), alpha[1].clone(), entry("TERSELY", cannot("no"))]);
    evaluate(&env, &root, &id, &["--all"]).exits(3).says("no change");
    assert_eq!(control(&shown(&env, &root, &id), "refusals"), "failed");
}
