//! A run again from its record: byte for byte, and a miss that says why.

use std::time::Duration;

use serde_json::json;

use super::world::{Act, World, ask, say};
use crate::agent::gateway::{Mode, Records};
use crate::artifact::id::{Round, StageId};
use crate::artifact::store::{ArtifactStore as _, MemoryStore};
use crate::diagnostic::Class;
use crate::ports::model::CallError;

const PLAN: StageId = StageId::Plan;

/// Replays what `work` did in the plan stage and returns the files of both.
fn both(world: &World, work: impl Fn(&dyn crate::agent::StageCalls)) -> [Vec<(String, Vec<u8>)>; 2] {
    world.stage(PLAN, |calls| work(calls));
    let recorded_notes = std::mem::take(&mut *world.notes.lock().unwrap());
    let records = Records::of_run(&world.store).unwrap();
    let calls_before: usize = world.fakes.iter().map(|f| f.calls()).sum();
    let store = MemoryStore::default();
    // Time that passes elsewhere changes nothing.
    world.clock.advance(86_400);
    world
        .within(&store, Mode::Replay(&records), PLAN, |calls| {
            work(calls);
            for (file, bytes) in calls.close().unwrap() {
                store.write(&file.path(PLAN, Round::FIRST), &bytes).unwrap();
            }
        })
        .unwrap();
    assert_eq!(world.fakes.iter().map(|f| f.calls()).sum::<usize>(), calls_before, "nothing is sent");
    assert_eq!(*world.notes.lock().unwrap(), recorded_notes);
    [&world.store, &store].map(|store| {
        let paths = store.list().unwrap().into_iter();
        paths.map(|path| (path.clone(), store.read(&path).unwrap().unwrap())).collect()
    })
}

#[test]
fn every_way_a_call_can_go_replays_byte_for_byte() {
    let down = || Act::Status(529, "overloaded", &[]);
    let timeout = || Act::Fail(CallError::Timeout { within: Duration::from_secs(9), maybe_billed: true });
    let cut = || Act::Fail(CallError::Cut { why: "at byte 7".into() });
    let good = || say(&json!({ "text": "sk-very-secret" }));
    for (name, first, second) in [
        ("plain", vec![good()], vec![]),
        ("retries", vec![down(), timeout(), good()], vec![]),
        ("fallback", vec![down(), down(), down()], vec![good()]),
        ("money", vec![Act::Status(429, "spend", &[])], vec![]),
        ("cut", vec![cut(), cut(), cut()], vec![good()]),
        ("repair", vec![say(&json!({})), good()], vec![]),
        ("no repair", vec![say(&json!({})), say(&json!({}))], vec![]),
        ("refused", vec![Act::Status(200, "refusal", &[])], vec![]),
        ("nobody", vec![down(), down(), down()], vec![cut(), cut(), timeout()]),
        ("estimated", vec![Act::SayWithoutUsage("{\"text\":\"x\"}".into())], vec![]),
    ] {
        let world = World::new(vec![first, second]).max_cost(900_000_000);
        let [recorded, replayed] = both(&world, |calls| {
            let _ = calls.ask(&ask("a"));
            let _ = calls.ask(&ask("b"));
            let _ = calls.ask(&ask("a"));
            drop(calls.ask_all(&[ask("c"), ask("d"), ask("c")]));
        });
        assert!(!recorded.is_empty(), "{name}");
        for ((path, was), (_, is)) in recorded.iter().zip(&replayed) {
            assert_eq!(String::from_utf8_lossy(was), String::from_utf8_lossy(is), "{name}: {path}");
        }
        assert_eq!(recorded.len(), replayed.len(), "{name}");
    }
}

#[test]
fn a_counted_call_replays_without_a_count() {
    let mut world = World::new(vec![vec![]]).max_cost(25_000_000);
    std::sync::Arc::get_mut(&mut world.fakes[0]).unwrap().count = Some(4100);
    let prompt = "word ".repeat(4000);
    let [recorded, replayed] = both(&world, |calls| drop(calls.ask(&ask(&prompt)).unwrap()));
    assert_eq!(recorded, replayed);
}

#[test]
fn a_miss_shows_the_difference_to_the_nearest_record() {
    let world = World::new(vec![vec![]]);
    world.stage(PLAN, |calls| {
        calls.ask(&ask("quite another thing")).unwrap();
        calls.ask(&ask("add a health endpoint")).unwrap();
    });
    let records = Records::of_run(&world.store).unwrap();
    let store = MemoryStore::default();
    let failure = world
        .within(&store, Mode::Replay(&records), PLAN, |calls| calls.ask(&ask("add a wealth endpoint")))
        .unwrap()
        .unwrap_err();
    assert_eq!(failure.class, Class::Denied);
    for part in ["exchange 2 of `cassette/plan.jsonl`", "/prompt", "from byte 6", "a health", "a wealth"] {
        assert!(failure.what.contains(part), "{part}: {failure}");
    }
    assert!(store.list().unwrap().is_empty());
    assert_eq!(world.fakes[0].calls(), 2);
}

#[test]
fn a_budget_holds_in_a_replay_too() {
    let mut world = World::new(vec![vec![]]);
    world.stage(PLAN, |calls| calls.ask(&ask("a"))).unwrap();
    let records = Records::of_run(&world.store).unwrap();
    world = world.max_cost(1000);
    let store = MemoryStore::default();
    let asked = world.within(&store, Mode::Replay(&records), PLAN, |calls| calls.ask(&ask("a"))).unwrap();
    assert_eq!(asked.unwrap_err().class, Class::Exhausted);
}

#[test]
fn an_edited_record_is_refused() {
    let world = World::new(vec![vec![say(&json!({ "text": "yes" }))]]);
    world.stage(PLAN, |calls| calls.ask(&ask("a"))).unwrap();
    let bytes = world.store.read("cassette/plan.jsonl").unwrap().unwrap();
    let edited = String::from_utf8(bytes).unwrap().replace("yes", "no!");
    for text in [edited, "{}\n".to_owned(), "no".to_owned()] {
        let failure = Records::new([((PLAN, Round::FIRST), text.into_bytes())]).unwrap_err();
        assert_eq!(failure.class, Class::Denied, "{failure}");
    }
}
