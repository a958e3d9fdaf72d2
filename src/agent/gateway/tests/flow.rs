//! One question at a time: retries, fallback, repair, limits, secrets.

use std::time::Duration;

use serde_json::json;

use super::world::{Act, CALL, World, ask, say};
use crate::agent::gateway::Mode;
use crate::artifact::id::StageId;
use crate::artifact::money::NanoUsd;
use crate::artifact::types::ledger::Ceiling;
use crate::diagnostic::Class;
use crate::ports::model::CallError;

const PLAN: StageId = StageId::Plan;

fn down() -> Act {
    Act::Status(529, "overloaded", &[])
}

fn good() -> Act {
    say(&json!({ "text": "yes" }))
}

#[test]
fn an_answer_is_reserved_settled_recorded_and_told() {
    let world = World::new(vec![vec![good()]]);
    let answer = world.stage(PLAN, |calls| calls.ask(&ask("a"))).unwrap();
    assert_eq!((answer.value["text"].as_str(), answer.cost), (Some("yes"), Some(CALL)));
    assert_eq!(answer.model, "p0/m");
    let exchange = world.exchanges(PLAN).remove(0);
    assert_eq!((exchange.seq, exchange.reservation, &exchange.key), (1, 1, &answer.exchange));
    assert_eq!(exchange.price.as_deref(), Some("m@2026-01-01"));
    assert_eq!(world.spent().nano_usd, CALL);
    assert_eq!(
        world.notes.lock().unwrap()[0],
        "architect plan.propose: p0/m, 100 tokens in, 10 out, $0.000300"
    );
    let kinds: Vec<_> =
        world.ledger(PLAN).lines().map(|l| l.split("\"entry\":\"").nth(1).unwrap()[..5].to_owned()).collect();
    assert_eq!(kinds, ["open\"", "reser", "settl", "close"]);
}

#[test]
fn a_stage_without_calls_leaves_no_file() {
    let world = World::new(vec![vec![]]);
    let files = world.within(&world.store, Mode::Record, PLAN, |calls| calls.close().unwrap()).unwrap();
    assert!(files.is_empty());
}

#[test]
fn the_identical_request_is_paid_once_in_a_run_and_every_time_live() {
    let world = World::new(vec![vec![]]);
    let first = world.stage(PLAN, |calls| calls.ask(&ask("a"))).unwrap();
    let again = world.stage(StageId::TestWrite, |calls| calls.ask(&ask("a"))).unwrap();
    assert_eq!((&again.value, again.cost), (&first.value, Some(NanoUsd::ZERO)));
    assert_eq!((world.fakes[0].calls(), world.spent().nano_usd), (1, CALL));
    assert!(world.ledger(StageId::TestWrite).contains("\"reuse\""));
    world.within(&world.store, Mode::Live, StageId::Generate, |calls| calls.ask(&ask("a"))).unwrap().unwrap();
    assert_eq!(world.fakes[0].calls(), 2);
}

#[test]
fn what_may_pass_is_tried_again_and_every_attempt_is_in_the_record() {
    let wait = Act::Status(429, "rate_limit", &[("retry-after", "7")]);
    let world = World::new(vec![vec![wait, down(), good()]]);
    world.stage(PLAN, |calls| calls.ask(&ask("a"))).unwrap();
    let exchange = world.exchanges(PLAN).remove(0);
    let outcomes: Vec<_> = exchange.attempts.iter().map(|a| (a.outcome.as_str(), a.status)).collect();
    assert_eq!(outcomes, [("wait", Some(429)), ("overloaded", Some(529)), ("ok", Some(200))]);
    let slept = world.slept.lock().unwrap().clone();
    assert_eq!((slept.len(), slept[0]), (2, Duration::from_secs(7)));
    assert_eq!(exchange.attempts[1].waited_ms, 7000);
    assert_eq!(world.spent().nano_usd, CALL, "turned away is not billed");
}

#[test]
fn a_timed_out_call_keeps_its_reservation() {
    let timeout = Act::Fail(CallError::Timeout { within: Duration::from_secs(9), maybe_billed: true });
    let world = World::new(vec![vec![timeout, good()]]);
    world.stage(PLAN, |calls| calls.ask(&ask("a"))).unwrap();
    let spent = world.spent();
    assert!(spent.kept_nano_usd > NanoUsd(10_000_000), "{spent:?}");
    assert_eq!((spent.nano_usd, spent.calls), (spent.kept_nano_usd + CALL, 2));
    assert_eq!(world.exchanges(PLAN)[0].attempts.len(), 2);
}

#[test]
fn the_next_provider_takes_over_and_the_dead_one_is_not_asked_again() {
    let world = World::new(vec![vec![down(), down(), down(), down()], vec![]]);
    world.stage(PLAN, |calls| calls.ask(&ask("a"))).unwrap();
    assert_eq!((world.fakes[0].calls(), world.fakes[1].calls()), (3, 1));
    let exchanges = world.exchanges(PLAN);
    assert_eq!((exchanges.len(), exchanges[0].attempts.len(), exchanges[0].provider.as_str()), (2, 3, "p0"));
    // The next stage reads the breaker and leaves it alone, for five minutes.
    world.stage(StageId::Generate, |calls| calls.ask(&ask("b"))).unwrap();
    assert_eq!((world.fakes[0].calls(), world.fakes[1].calls()), (3, 2));
    world.clock.advance(300);
    world.fakes[0].script.lock().unwrap().clear();
    world.stage(StageId::TestWrite, |calls| calls.ask(&ask("c"))).unwrap();
    assert_eq!(world.fakes[0].calls(), 4);
}

#[test]
fn nobody_answers_and_the_exit_says_who_must_act() {
    let offline = || Act::Fail(CallError::Offline { why: "no such host".into() });
    let spend = || Act::Status(429, "spend", &[]);
    let auth = || Act::Status(401, "invalid_key", &[]);
    let long = || Act::Status(429, "daily", &[("retry-after", "3600")]);
    for (first, second, class, says) in [
        (
            vec![down(), down(), down()],
            vec![offline(), offline(), offline()],
            Class::Temporary,
            "no such host",
        ),
        (vec![spend()], vec![spend()], Class::Exhausted, "spending limit"),
        (vec![auth()], vec![auth()], Class::Usage, "invalid_key"),
        (vec![auth()], vec![long()], Class::Temporary, "rate limit"),
        (vec![auth()], vec![spend()], Class::Exhausted, "p0/m"),
    ] {
        let world = World::new(vec![first, second]);
        let failure = world.stage(PLAN, |calls| calls.ask(&ask("a"))).unwrap_err();
        assert_eq!(failure.class, class, "{failure}");
        for word in [says, "p0/m: ", "p1/m: ", "plan.propose"] {
            assert!(failure.what.contains(word), "{word}: {failure}");
        }
        assert!(!failure.help.is_empty());
        assert_eq!(world.spent().nano_usd, NanoUsd::ZERO);
        assert_eq!(world.exchanges(PLAN).len(), 2);
    }
    let world = World::new(vec![]);
    let failure = world.stage(PLAN, |calls| calls.ask(&ask("a"))).unwrap_err();
    assert_eq!((failure.class, failure.help.contains("orch providers")), (Class::Usage, true));
}

#[test]
fn money_and_wrong_requests_are_not_tried_again() {
    let world = World::new(vec![vec![Act::Status(429, "spend", &[("x-should-retry", "true")])], vec![]]);
    world.stage(PLAN, |calls| calls.ask(&ask("a"))).unwrap();
    assert_eq!((world.fakes[0].calls(), world.fakes[1].calls()), (1, 1));
    let world = World::new(vec![vec![Act::Status(400, "bad", &[])], vec![]]);
    let failure = world.stage(PLAN, |calls| calls.ask(&ask("a"))).unwrap_err();
    assert_eq!((failure.class, world.fakes[1].calls()), (Class::Usage, 0), "{failure}");
}

#[test]
fn a_reply_that_does_not_fit_is_repaired_once() {
    let misfit = || say(&json!({ "text": 7 }));
    let world = World::new(vec![vec![misfit(), good()]]);
    world.stage(PLAN, |calls| calls.ask(&ask("a"))).unwrap();
    let prompts = world.fakes[0].sent.lock().unwrap().clone();
    for part in ["{\"text\":7}", "/text", "string"] {
        assert!(prompts[1].contains(part), "{part}: {}", prompts[1]);
    }
    assert_eq!((world.exchanges(PLAN).len(), world.spent().calls), (2, 2));
    let world = World::new(vec![vec![misfit(), Act::Say("no".into())]]);
    let failure = world.stage(PLAN, |calls| calls.ask(&ask("a"))).unwrap_err();
    assert_eq!(failure.class, Class::NotConverged);
    assert!(failure.what.contains("not JSON"), "{failure}");
    assert_eq!(world.fakes[0].calls(), 2, "one repair, no more");
}

#[test]
fn two_refusals_or_truncations_are_the_end() {
    let (refusal, length) = (Act::Status(200, "refusal", &[]), Act::Status(200, "length", &[]));
    for (scripts, calls, error) in [
        (vec![vec![refusal.clone(), refusal.clone()]], vec![2], "refused"),
        (vec![vec![refusal.clone()], vec![length.clone()]], vec![1, 1], "cut off"),
    ] {
        let world = World::new(scripts);
        let failure = world.stage(PLAN, |calls| calls.ask(&ask("a"))).unwrap_err();
        assert_eq!(failure.class, Class::NotConverged);
        assert!(failure.what.contains(error), "{failure}");
        assert_eq!(world.fakes.iter().map(|f| f.calls()).collect::<Vec<_>>(), calls);
    }
    let world = World::new(vec![vec![refusal], vec![good()]]);
    world.stage(PLAN, |calls| calls.ask(&ask("a"))).unwrap();
}

#[test]
fn at_the_ceiling_nothing_is_called_and_raising_it_goes_on() {
    // A call may take 500 + some tokens at 2 and 1000 at 10 dollars a million: about 11.1 million.
    let mut world = World::new(vec![vec![]]).max_cost(12_000_000);
    let (first, second, third) =
        world.stage(PLAN, |calls| (calls.ask(&ask("a")), calls.ask(&ask("b")), calls.ask(&ask("c"))));
    assert!(first.is_ok() && second.is_ok());
    assert!(third.is_ok(), "what a call did not take is free again");
    world = World { limits: crate::artifact::types::ledger::LedgerLimits::default(), ..world }
        .max_cost(11_500_000);
    let failure = world.stage(StageId::Generate, |calls| calls.ask(&ask("d"))).unwrap_err();
    assert_eq!(failure.class, Class::Exhausted);
    assert!(failure.what.contains("left of its $0.011500"), "{failure}");
    assert_eq!(world.fakes[0].calls(), 3);
    let world = world.max_cost(20_000_000);
    world.stage(StageId::TestWrite, |calls| calls.ask(&ask("d"))).unwrap();
}

#[test]
fn where_the_bound_does_not_fit_the_provider_counts() {
    let prompt = "word ".repeat(4000);
    let mut world = World::new(vec![vec![]]).max_cost(25_000_000);
    let failure = world.stage(PLAN, |calls| calls.ask(&ask(&prompt))).unwrap_err();
    assert_eq!(failure.class, Class::Exhausted);
    let fake = std::sync::Arc::get_mut(&mut world.fakes[0]).unwrap();
    fake.count = Some(4100);
    world.stage(StageId::Generate, |calls| calls.ask(&ask(&prompt))).unwrap();
    assert_eq!(world.exchanges(StageId::Generate)[0].counted, Some(4100));
}

#[test]
fn a_price_nobody_knows_is_refused_unless_allowed_and_then_shows() {
    let mut world = World::new(vec![vec![]]);
    world.priced = false;
    let failure = world.stage(PLAN, |calls| calls.ask(&ask("a"))).unwrap_err();
    assert_eq!((failure.class, world.fakes[0].calls()), (Class::Usage, 0));
    assert!(failure.what.contains("price is not known") && failure.help.contains("models.toml"), "{failure}");
    world.limits.allow_unknown_cost = true;
    let answer = world.stage(StageId::Generate, |calls| calls.ask(&ask("a"))).unwrap();
    assert_eq!((answer.cost, world.spent().unknown), (None, 1));
    assert!(world.notes.lock().unwrap().last().unwrap().contains("unknown cost"));
}

#[test]
fn usage_that_is_not_told_counts_at_its_worst() {
    let world = World::new(vec![vec![Act::SayWithoutUsage(json!({ "text": "x" }).to_string())]]);
    world.stage(PLAN, |calls| calls.ask(&ask("a"))).unwrap();
    let exchange = world.exchanges(PLAN).remove(0);
    assert!(exchange.estimated);
    assert_eq!(exchange.usage.unwrap().output, 1000);
    assert!(world.spent().nano_usd > NanoUsd(10_000_000));
}

#[test]
fn no_call_starts_that_could_not_be_wrapped_up() {
    let mut world = World::new(vec![vec![]]);
    world.limits.stage = Ceiling { ttl_ms: Some(60_000), ..Ceiling::default() };
    let (first, late) = world.stage(PLAN, |calls| {
        let first = calls.ask(&ask("a"));
        world.clock.advance(56);
        (first, calls.ask(&ask("b")))
    });
    assert!(first.is_ok());
    let late = late.unwrap_err();
    assert_eq!(late.class, Class::Exhausted);
    assert!(late.what.contains("the stage has 4.0 s left"), "{late}");
    // A wait that would pass the deadline is no wait.
    let mut world = World::new(vec![vec![Act::Status(429, "slow", &[("retry-after", "58")])], vec![]]);
    world.limits.stage = Ceiling { ttl_ms: Some(60_000), ..Ceiling::default() };
    world.stage(PLAN, |calls| calls.ask(&ask("a"))).unwrap();
    assert!(world.slept.lock().unwrap().is_empty());
}

#[test]
fn a_secret_is_in_nothing_that_is_sent_recorded_or_told() {
    let leak = say(&json!({ "text": "the key is sk-very-secret" }));
    let fail = Act::Fail(CallError::Offline { why: "at sk-very-secret".into() });
    let world = World::new(vec![vec![fail, leak]]);
    let answer = world.stage(PLAN, |calls| calls.ask(&ask("my key is sk-very-secret"))).unwrap();
    assert_eq!(answer.value["text"], "the key is [redacted]");
    for path in crate::artifact::store::ArtifactStore::list(&world.store).unwrap() {
        let bytes = crate::artifact::store::ArtifactStore::read(&world.store, &path).unwrap().unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains(&world.secret), "{path}");
    }
    assert!(world.fakes[0].sent.lock().unwrap().iter().all(|prompt| !prompt.contains(&world.secret)));
    assert!(world.exchanges(PLAN)[0].reply.as_ref().unwrap().redacted);
}
