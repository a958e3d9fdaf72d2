//! Runs answered from the record of another run, in a clone that has no model.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

use std::fs;

use super::world::*;
use crate::env::{TestEnv, run_folder};

#[test]
fn a_fresh_clone_is_answered_from_the_record_and_another_question_is_a_miss() {
    let env = TestEnv::new();
    let (alpha, beta) = readme();
    let root = shop(&env, "shop", &alpha, &beta);
    run(&env, &root, REQUEST, &[]).exits(0);
    let folder = run_folder(&root).display().to_string();
    let clone = env.path("elsewhere/shop");
    let (from, to) = (root.display().to_string(), clone.display().to_string());
    env.git(&env.path(""), &["clone", "-q", "--single-branch", "--branch", "main", &from, &to]);
    assert!(!clone.join(".orch/alpha.json").exists());
    run(&env, &clone, REQUEST, &["--replay", &folder]).exits(0).says("CONVERGED after 3 turns");
    for path in ["plan.json", "edits.json", "messages/generate.jsonl", "ledger/generate.jsonl"] {
        let read = |root: &std::path::Path| fs::read_to_string(run_folder(root).join(path)).unwrap();
        assert_eq!(read(&root), read(&clone), "{path}");
    }
    env.orch(&clone, &["artifacts", "verify"]).exits(0);
    env.orch(&clone, &["replay"]).exits(0);

    let said = run(&env, &clone, "add a README chapter", &["--replay", &folder]).exits(3);
    eprintln!("{}", said.stderr);
    assert!(said.stderr.contains("section") && said.stderr.contains("chapter"), "{}", said.stderr);
    run(&env, &clone, REQUEST, &["--replay", "no-such-run"]).exits(2);
}

#[test]
fn live_calls_are_made_anew() {
    let env = TestEnv::new();
    let (alpha, beta) = readme();
    let root = shop(&env, "shop", &alpha, &beta);
    run(&env, &root, REQUEST, &[]).exits(0);
    assert_eq!(calls(&root)["plan.propose"], 1);
    // Forgotten and done again, the record of the same run answers all the same ...
    says(&root, "alpha", &[]);
    says(&root, "beta", &[]);
    env.orch(&root, &["run", REQUEST, "--from", "plan"]).exits(0);
    assert_eq!(calls(&root).values().sum::<usize>(), 5);
    env.orch(&root, &["artifacts", "verify"]).exits(0);
    // ... unless it is not to.
    says(&root, "alpha", &alpha);
    says(&root, "beta", &beta);
    env.orch(&root, &["run", REQUEST, "--from", "plan", "--live"]).exits(0);
    assert_eq!(calls(&root).values().sum::<usize>(), 10);
    assert_eq!(spent(&root), 10 * 4_000_000);
    env.orch(&root, &["artifacts", "verify"]).exits(0);
    env.orch(&root, &["replay"]).exits(0);
}
