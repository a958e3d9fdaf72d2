//! Several questions side by side, and parts of the budget.

use serde_json::json;

use super::world::{Act, World, ask, say};
use crate::agent::Part;
use crate::artifact::id::StageId;
use crate::artifact::money::NanoUsd;
use crate::diagnostic::Class;

const PLAN: StageId = StageId::Plan;

#[test]
fn questions_side_by_side_leave_the_same_files_every_time() {
    let files = || {
        let world = World::new(vec![vec![]]);
        let asks: Vec<_> = (0..20).map(|n| ask(&format!("q{n}"))).collect();
        let answers = world.stage(PLAN, |calls| calls.ask_all(&asks));
        for (n, answer) in answers.into_iter().enumerate() {
            assert_eq!(answer.unwrap().value["text"], format!("q{n}"));
        }
        let notes = world.notes.lock().unwrap().clone();
        (world.ledger(PLAN), world.exchanges(PLAN), notes)
    };
    let first = files();
    assert_eq!(first.1.len(), 20);
    assert_eq!(first, files());
}

#[test]
fn reservations_are_taken_before_any_call_and_what_does_not_fit_is_not_called() {
    let world = World::new(vec![vec![]]).max_cost(34_000_000);
    let asks: Vec<_> = (0..5).map(|n| ask(&format!("q{n}"))).collect();
    let answers = world.stage(PLAN, |calls| calls.ask_all(&asks));
    let ok = answers.iter().filter(|a| a.is_ok()).count();
    assert_eq!(ok, 3, "three worst cases of about 11.1 million fit");
    assert!(answers.iter().skip(3).all(|a| a.as_ref().unwrap_err().class == Class::Exhausted));
    assert_eq!(world.fakes[0].calls(), 3);
}

#[test]
fn the_same_question_twice_at_once_is_paid_once() {
    let world = World::new(vec![vec![]]);
    let answers = world.stage(PLAN, |calls| calls.ask_all(&[ask("a"), ask("a"), ask("b")]));
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(answers[0].as_ref().unwrap().value, answers[1].as_ref().unwrap().value);
    assert_eq!(world.fakes[0].calls(), 2);
}

#[test]
fn a_retry_of_one_question_does_not_lose_the_others() {
    let script =
        vec![Act::Status(529, "overloaded", &[]), say(&json!({ "text": 1 })), say(&json!({ "text": "x" }))];
    let world = World::new(vec![script]);
    let asks: Vec<_> = (0..6).map(|n| ask(&format!("q{n}"))).collect();
    let answers = world.stage(PLAN, |calls| calls.ask_all(&asks));
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(world.fakes[0].calls(), 8);
}

#[test]
fn a_subtask_spends_its_part_and_gives_the_rest_back() {
    let world = World::new(vec![vec![]]).max_cost(40_000_000);
    let part = |name: &str, cost| Part { name: name.into(), max_cost: Some(NanoUsd(cost)), max_tokens: None };
    world.stage(PLAN, |calls| {
        assert!(calls.split(&[part("a", 20_000_000), part("b", 30_000_000)]).is_err(), "more than there is");
        let tasks = calls.split(&[part("a", 12_000_000), part("b", 5_000_000)]).unwrap();
        tasks[0].ask(&ask("a")).unwrap();
        let failure = tasks[1].ask(&ask("b")).err().unwrap();
        assert_eq!(failure.class, Class::Exhausted);
        assert!(failure.what.contains("the subtask `b`"), "{failure}");
        // 17 of 40 are set aside.
        assert!(calls.ask_all(&[ask("c"), ask("d")]).iter().all(Result::is_ok));
        assert!(calls.ask_all(&[ask("e"), ask("f"), ask("g")])[2].is_err());
        drop(tasks);
        assert!(calls.ask_all(&[ask("h"), ask("i"), ask("j")])[2].is_ok());
    });
    let ledger = world.ledger(PLAN);
    assert!(
        ledger.contains("\"allot\"") && ledger.contains("\"return\"") && ledger.contains("\"slice\":\"a\"")
    );
}
