//! Providers that are down, out of money, or not there at all.

use serde_json::Value;

use super::world::*;
use crate::env::TestEnv;

/// The Builder's route has somebody to fall back on.
fn with_fallback() -> String {
    let models = MODELS.replace("[\"alpha/pen\"]", "[\"alpha/pen\", \"gamma/quill\"]");
    let third = "\n[[provider]]\nname = \"gamma\"\nformat = \"scripted\"\nscript = \".orch/gamma.json\"\nfamily = \"gamma\"\ncontext = 200000\nmax_output = 32000\n\n[[price]]\nmodel = \"*\"\nprovider = \"gamma\"\neffective_from = 2025-12-01\nsource = \"our contract\"\nin = \"2.00\"\nout = \"8.00\"\n\n[routes]";
    models.replacen("\n[routes]", third, 1)
}

/// An error that is tried again at once.
fn down() -> Value {
    let mut entry = fails("overloaded", 529, 0);
    entry["error"]["retry_after_ms"] = 0.into();
    entry
}

#[test]
fn when_a_provider_dies_the_next_one_finishes_and_nobody_knocks_again() {
    let env = TestEnv::new();
    let (alpha, beta) = readme();
    let root =
        shop_with(&env, "shop", &with_fallback(), &[vec![alpha[0].clone()], vec![down()]].concat(), &beta);
    says(&root, "gamma", &alpha[1..]);
    let said = run(&env, &root, REQUEST, &[]).exits(0);
    let tests = lines(&root, "cassette/test-write.jsonl");
    let by: Vec<_> = tests.iter().map(|e| e["provider"].as_str().unwrap()).collect();
    assert_eq!(by, ["alpha", "gamma"], "{}", said.stderr);
    let attempts = tests[0]["attempts"].as_array().unwrap();
    assert!(attempts.len() == 3 && attempts.iter().all(|a| a["outcome"] == "overloaded"), "{attempts:?}");
    let doors = file(&root, "breaker/test-write.json");
    assert_eq!((&doors["alpha"]["failures"], &doors["alpha"]["reason"]), (&3.into(), &"overloaded".into()));
    assert!(doors["alpha"]["opened_at"].is_string(), "{doors}");
    let edits = lines(&root, "cassette/generate.jsonl");
    assert!(edits.iter().all(|e| e["provider"] != "alpha"), "the next stage does not knock");
    assert_eq!(lines(&root, "messages/generate.jsonl")[0]["model"], "gamma/quill");
    env.orch(&root, &["replay"]).exits(0).says("byte for byte");
}

#[test]
fn when_all_are_down_it_says_what_to_do() {
    let env = TestEnv::new();
    let (_, beta) = readme();
    let root = shop_with(&env, "down", &with_fallback(), &[down()], &beta);
    says(&root, "gamma", &[down()]);
    let said = run(&env, &root, REQUEST, &[]).exits(75);
    for told in ["alpha/pen", "gamma/quill", "again"] {
        assert!(said.stderr.contains(told), "{told}: {}", said.stderr);
    }
    env.orch(&root, &["artifacts", "verify"]).exits(0);
    // When one of them is back, the run goes on.
    let (alpha, beta) = readme();
    says(&root, "alpha", &alpha);
    says(&root, "beta", &beta[1..]);
    let said = run(&env, &root, REQUEST, &[]).exits(0);
    assert!(said.stderr.contains("answered from the record of this run"), "{}", said.stderr);
    env.orch(&root, &["replay"]).exits(0).says("byte for byte");
}

#[test]
fn an_empty_wallet_is_no_bad_day() {
    let env = TestEnv::new();
    let (_, beta) = readme();
    let root = shop_with(&env, "poor", &with_fallback(), &[fails("spend", 402, 0)], &beta);
    says(&root, "gamma", &[fails("spend", 402, 0)]);
    let said = run(&env, &root, REQUEST, &[]).exits(5);
    assert!(said.stderr.contains("alpha/pen") && said.stderr.contains("gamma/quill"), "{}", said.stderr);
    assert_eq!(calls(&root).get("plan.critique"), Some(&2), "no retry of what waiting does not mend");
    env.orch(&root, &["artifacts", "verify"]).exits(0);
}

#[test]
fn without_any_credential_it_says_what_to_set() {
    let env = TestEnv::new();
    let root = env.repository("bare", &[("README.md", README)]);
    run(&env, &root, REQUEST, &[]).exits(2).says("ANTHROPIC_API_KEY");
    run(&env, &root, REQUEST, &["--model", "openai/gpt-6.1-sol"]).exits(2).says("OPENAI_API_KEY");
    run(&env, &root, REQUEST, &["--model", "openai"]).exits(2).says("orch providers");
}
