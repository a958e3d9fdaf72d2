//! Whole runs over the wire, against a provider on loopback: what they cost, their ceiling, and a provider's bad day.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

mod aimock;
pub mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use orch::ports::model::WireFormat::{AnthropicMessages, OpenaiResponses};

use crate::env::TestEnv;
use crate::providers::server::{Seen, Server};
use world::{
    REQUEST, answer_to, attempts, door, lines, models, never_over, orch, provider, shop, spent, with_keys,
};

/// Returns how many questions a server was asked; counting tokens is none.
fn asked(server: &Server) -> usize {
    server.seen().iter().filter(|seen| !seen.head.contains("_tokens ")).count()
}

fn never(_: &Seen) -> bool {
    false
}

#[test]
fn the_same_task_live_three_times_costs_about_the_same() {
    let env = TestEnv::new();
    let (anthropic, openai) = (provider(AnthropicMessages, never), provider(OpenaiResponses, never));
    let models = models(&anthropic.url(""), &openai.url(""));
    let costs: Vec<u64> = ["one", "two", "three"]
        .iter()
        .map(|name| {
            let root = shop(&env, name, &models);
            let said = orch(&env, &root, &["run", REQUEST, "--engine", "model", "--live"]).exits(0);
            said.says("CONVERGED after");
            assert!(never_over(&root) > 0);
            spent(&env, &root)
        })
        .collect();
    let (least, most) = (*costs.iter().min().unwrap(), *costs.iter().max().unwrap());
    assert!(least > 0 && (most - least) * 10 <= least, "{costs:?}");
    let calls = asked(&anthropic) + asked(&openai);
    assert_eq!(calls, 3 * 5, "each of the five questions is asked once, and each time anew");
}

#[test]
fn below_need_a_run_stops_before_the_call_and_goes_on_when_more_is_allowed() {
    let env = TestEnv::new();
    let (anthropic, openai) = (provider(AnthropicMessages, never), provider(OpenaiResponses, never));
    let models = models(&anthropic.url(""), &openai.url(""));
    let calls = || asked(&anthropic) + asked(&openai);
    let mut reached = Vec::new();
    for (at, ceiling) in ["0.000001", "0.1", "0.12"].iter().enumerate() {
        let (root, before) = (shop(&env, &format!("shop-{at}"), &models), calls());
        let run = ["run", REQUEST, "--engine", "model", "--live", "--max-cost-usd", ceiling];
        let said = orch(&env, &root, &run).exits(5);
        said.says("and the next call could take $").says("Raise the limit by at least $");
        let made = calls() - before;
        assert_eq!(never_over(&root) > 0, made > 0);
        reached.push(made);
        // What was recorded is not paid again.
        orch(&env, &root, &["run", REQUEST, "--engine", "model", "--max-cost-usd", "5"]).exits(0);
        assert_eq!(calls() - before, 5, "{made} of them under the lower ceiling");
        assert!(never_over(&root) > 0);
        let run = crate::env::run_folder(&root).display().to_string();
        with_keys(&env, &root, &[], &["replay", &run]).exits(0);
    }
    assert_eq!(reached[0], 0);
    assert!(reached[2] > 0 && reached[2] < 5, "{reached:?}");
}

#[test]
fn a_provider_that_breaks_in_mid_run_is_left_and_the_record_tells_so() {
    let env = TestEnv::new();
    let edits = |seen: &Seen| answer_to(seen).is_some_and(|(words, _)| words.starts_with("Make the edits"));
    let (anthropic, openai) = (provider(AnthropicMessages, edits), provider(OpenaiResponses, never));
    let root = shop(&env, "shop", &models(&anthropic.url(""), &openai.url("")));
    orch(&env, &root, &["run", REQUEST, "--engine", "model"]).exits(0).says("CONVERGED after");
    let failed = "generate.implement: overloaded overloaded overloaded";
    assert_eq!(attempts(&root, "anthropic"), [failed, "plan.critique: ok"]);
    assert!(attempts(&root, "openai").contains(&"generate.implement: ok".to_owned()));
    let door = door(&root, "generate", "anthropic");
    assert_eq!((&door["failures"], &door["reason"]), (&3.into(), &"overloaded".into()));
    assert!(door["opened_at"].is_string(), "{door}");
    // What was turned away was not paid.
    let ledger = lines(&root, "ledger");
    let released = ledger.iter().filter(|(_, line)| line["entry"]["entry"] == "release").count();
    assert_eq!(released, 3);
    never_over(&root);
    // The record answers the whole run, the fallback too, while both providers are gone.
    drop((anthropic, openai));
    let run = crate::env::run_folder(&root).display().to_string();
    with_keys(&env, &root, &[], &["replay", &run]).exits(0);
}

#[test]
fn a_provider_that_is_killed_in_mid_run_is_left() {
    let env = TestEnv::new();
    let (anthropic, openai) = (provider(AnthropicMessages, never), provider(OpenaiResponses, never));
    let root = shop(&env, "shop", &models(&anthropic.url(""), &openai.url("")));
    orch(&env, &root, &["run", REQUEST, "--engine", "model", "--until", "test-write"]).exits(0);
    assert!(asked(&anthropic) > 0);
    // Nobody listens there any more.
    drop(anthropic);
    orch(&env, &root, &["run", REQUEST, "--engine", "model"]).exits(0).says("CONVERGED after");
    let gone = attempts(&root, "anthropic");
    assert!(gone.iter().any(|one| one.starts_with("generate.implement: offline")), "{gone:?}");
    assert!(attempts(&root, "openai").contains(&"generate.implement: ok".to_owned()));
    assert!(never_over(&root) > 0);
}

#[test]
fn when_all_are_down_the_run_can_be_repeated_later() {
    let env = TestEnv::new();
    let down = Arc::new(AtomicBool::new(true));
    let is_down = || {
        let down = Arc::clone(&down);
        move |_: &Seen| down.load(Ordering::SeqCst)
    };
    let (anthropic, openai) = (provider(AnthropicMessages, is_down()), provider(OpenaiResponses, is_down()));
    let root = shop(&env, "shop", &models(&anthropic.url(""), &openai.url("")));
    let said = orch(&env, &root, &["run", REQUEST, "--engine", "model"]).exits(75);
    said.says("openai/gpt-6.1-sol").says("anthropic/claude-sonnet-5-5").says("Run again later");
    let failed = "plan.propose: overloaded overloaded overloaded";
    for name in ["anthropic", "openai"] {
        assert_eq!(attempts(&root, name), [failed]);
    }
    assert!(never_over(&root) > 0);
    down.store(false, Ordering::SeqCst);
    orch(&env, &root, &["run", REQUEST, "--engine", "model"]).exits(0).says("CONVERGED after");
    assert!(attempts(&root, "openai").iter().any(|one| one == failed), "the bad day stays in the record");
    let run = crate::env::run_folder(&root).display().to_string();
    with_keys(&env, &root, &[], &["replay", &run]).exits(0);
}
