//! The same runs against a mock of the vendors' APIs that others made: @copilotkit/aimock.
#![expect(
    clippy::print_stderr,
    reason = "a check that does not happen says so, and one that does its figures"
)]

use crate::env::TestEnv;

use super::world::{REQUEST, attempts, door, models_named, never_over, shop, spent, with_keys};

/// The one key it takes.
const KEYS: [(&str, &str); 2] = [("ANTHROPIC_API_KEY", "stand-in-key"), ("OPENAI_API_KEY", "stand-in-key")];
const RUN: [&str; 5] = ["run", REQUEST, "--engine", "model", "--live"];

/// Returns the models at the mock; it counts calls by the header, so that a run of the tests does not meet another.
fn mock(test: &str, names: (&str, &str)) -> Option<String> {
    let Ok(url) = std::env::var("ORCH_STAND_IN_AIMOCK") else {
        eprintln!("SKIPPED: ORCH_STAND_IN_AIMOCK is not set; `tests/stand-ins/run` sets it");
        return None;
    };
    let headers = format!("headers = {{ x-test-id = \"{test}-{}\" }}", std::process::id());
    Some(models_named(&url, &url, names, &headers))
}

#[test]
#[ignore = "needs aimock: tests/stand-ins/run aimock"]
fn three_live_runs_of_a_task_cost_about_the_same_and_stay_under_their_ceiling() {
    let Some(models) = mock("three", ("claude-sonnet-5-5", "gpt-6.1-sol")) else { return };
    let env = TestEnv::new();
    let run = |name: &str, more: &[&str], exit: i32| {
        let root = shop(&env, name, &models);
        with_keys(&env, &root, &KEYS, &[&RUN[..], more].concat()).exits(exit);
        assert!(never_over(&root) > 0 || exit == 5);
        root
    };
    let costs = ["one", "two", "three"].map(|name| spent(&env, &run(name, &[], 0)));
    let (least, most) = (*costs.iter().min().unwrap(), *costs.iter().max().unwrap());
    eprintln!("three live runs, in billionths of a dollar: {costs:?}");
    assert!(least > 0 && (most - least) * 10 <= least, "{costs:?}");
    for (name, ceiling) in [("nothing", "0.000001"), ("some", "0.12")] {
        let root = run(name, &["--max-cost-usd", ceiling], 5);
        with_keys(&env, &root, &KEYS, &["run", REQUEST, "--engine", "model", "--max-cost-usd", "5"]).exits(0);
        assert!(never_over(&root) > 0);
        assert_eq!(spent(&env, &root), costs[0], "what was paid under the lower ceiling is not paid again");
    }
}

#[test]
#[ignore = "needs aimock: tests/stand-ins/run aimock"]
fn a_529_in_mid_run_falls_back_and_all_down_ends_with_75() {
    let Some(models) = mock("mid", ("claude-haiku-5-5", "gpt-6.1-sol")) else { return };
    let env = TestEnv::new();
    let root = shop(&env, "mid", &models);
    with_keys(&env, &root, &KEYS, &RUN).exits(0).says("CONVERGED after");
    let failed = "generate.implement: overloaded overloaded overloaded";
    assert_eq!(attempts(&root, "anthropic"), [failed, "plan.critique: ok"]);
    assert!(attempts(&root, "openai").contains(&"generate.implement: ok".to_owned()));
    let seen = door(&root, "generate", "anthropic");
    assert_eq!((&seen["failures"], &seen["reason"]), (&3.into(), &"overloaded".into()));
    assert!(never_over(&root) > 0);
    let Some(models) = mock("down", ("claude-fable-5-1", "gpt-6-astra")) else { return };
    let root = shop(&env, "down", &models);
    with_keys(&env, &root, &KEYS, &RUN).exits(75).says("Run again later");
    assert_eq!(attempts(&root, "openai"), ["plan.propose: overloaded overloaded overloaded"]);
}
