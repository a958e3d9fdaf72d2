//! Full disks, kills, and files somebody changed.

use serde_json::json;

use super::world::{CALL, World, ask, say};
use crate::agent::gateway::Mode;
use crate::artifact::id::{Round, StageId};
use crate::artifact::money::NanoUsd;
use crate::artifact::store::ArtifactStore as _;
use crate::diagnostic::Class;

const PLAN: StageId = StageId::Plan;
const LEDGER: &str = "ledger/plan.jsonl";
const CASSETTE: &str = "cassette/plan.jsonl";

#[test]
fn a_disk_that_is_full_at_any_step_loses_no_money_and_sends_nothing_unwritten() {
    for writes in 0..5 {
        let world = World::new(vec![vec![]]);
        world.store.fail_after(Some(writes));
        let asked = world.within(&world.store, Mode::Record, PLAN, |calls| calls.ask(&ask("a"))).unwrap();
        assert_eq!(asked.is_err(), writes < 4, "{writes}: {asked:?}");
        if let Err(failure) = asked {
            assert_eq!(failure.class, Class::Internal);
        }
        assert_eq!(world.fakes[0].calls(), usize::from(writes >= 2), "{writes}");
        world.store.fail_after(None);
        let billed = world.fakes[0].billed.load(std::sync::atomic::Ordering::SeqCst);
        assert!(world.spent().nano_usd >= NanoUsd(billed), "{writes}: {:?}", world.spent());
        // Mended, the run goes on.
        world.stage(PLAN, |calls| calls.ask(&ask("a"))).unwrap();
        assert_eq!(world.exchanges(PLAN).len(), 1, "{writes}");
    }
}

#[test]
fn a_disk_that_is_full_in_between_is_mended_within_the_stage() {
    let world = World::new(vec![vec![]]);
    world.stage(PLAN, |calls| {
        calls.ask(&ask("a")).unwrap();
        for left in 0..4 {
            world.store.fail_after(Some(left));
            let _ = calls.ask(&ask(&format!("b{left}")));
            world.store.fail_after(None);
            calls.ask(&ask(&format!("c{left}"))).unwrap();
        }
    });
    let billed = world.fakes[0].billed.load(std::sync::atomic::Ordering::SeqCst);
    assert!(world.spent().nano_usd >= NanoUsd(billed));
}

#[test]
fn a_kill_at_any_byte_is_gone_on_from_and_what_was_reserved_is_spent() {
    let world = World::new(vec![vec![]]);
    world
        .within(&world.store, Mode::Record, PLAN, |calls| {
            calls.ask(&ask("a")).unwrap();
            calls.ask(&ask("b")).unwrap();
        })
        .unwrap();
    let (ledger, cassette) =
        (world.store.read(LEDGER).unwrap().unwrap(), world.store.read(CASSETTE).unwrap().unwrap());
    let ends: Vec<usize> =
        ledger.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(at, _)| at + 1).collect();
    assert_eq!(ends.len(), 5, "open, reserve, settle, reserve, settle");
    for cut in (0..=ledger.len()).step_by(13).chain(ends.clone()) {
        let after = World::new(vec![vec![]]);
        after.store.write(LEDGER, &ledger[..cut]).unwrap();
        if cut >= ends[2] {
            after.store.write(CASSETTE, &cassette[..cassette.len() - 9]).unwrap();
        }
        after.stage(PLAN, |calls| calls.ask(&ask("c"))).unwrap();
        let spent = after.spent();
        let reservations = ends.iter().skip(1).step_by(2).filter(|end| **end <= cut).count() as u64;
        let settled = ends.iter().skip(2).step_by(2).filter(|end| **end <= cut).count() as u64;
        assert_eq!(spent.calls, reservations + 1, "cut at {cut}");
        assert!(spent.nano_usd >= NanoUsd(CALL.0 * (settled + 1)));
        assert_eq!(spent.kept_nano_usd > NanoUsd::ZERO, reservations > settled, "cut at {cut}");
        assert_eq!(after.ledger(PLAN).contains("\"torn\""), !ends.contains(&cut) && cut > 0, "cut at {cut}");
    }
}

#[test]
fn an_answer_that_was_paid_for_outlives_a_kill() {
    let world = World::new(vec![vec![say(&json!({ "text": "first" }))]]);
    let asked =
        world.within(&world.store, Mode::Record, PLAN, |calls| calls.ask(&ask("a"))).unwrap().unwrap();
    let again = world.stage(PLAN, |calls| calls.ask(&ask("a"))).unwrap();
    assert_eq!((again.value, again.cost), (asked.value, Some(NanoUsd::ZERO)));
    assert_eq!((world.fakes[0].calls(), world.spent().nano_usd), (1, CALL));
}

#[test]
fn an_edited_shortened_or_missing_ledger_is_refused() {
    let fresh = || {
        let world = World::new(vec![vec![]]);
        world.stage(PLAN, |calls| calls.ask(&ask("a"))).unwrap();
        world.stage(StageId::Generate, |calls| calls.ask(&ask("b"))).unwrap();
        world
    };
    let text = fresh().ledger(PLAN);
    let lines: Vec<&str> = text.lines().collect();
    let dear = text.replace("\"cost_nano_usd\":300000", "\"cost_nano_usd\":1");
    assert_ne!(dear, text);
    let forged = |entry: &str| text.replacen("\"entry\":{", entry, 1);
    for (name, changed) in [
        ("edited", Some(dear)),
        ("shortened", Some(lines[..lines.len() - 1].join("\n") + "\n")),
        ("in the middle", Some([lines[0], lines[2], lines[3]].join("\n") + "\n")),
        ("turned", Some([lines[0], lines[2], lines[1], lines[3]].join("\n") + "\n")),
        ("emptied", Some(String::new())),
        ("no JSON", Some("what?\n".into())),
        ("unknown key", Some(forged("\"x\":1,\"entry\":{"))),
        ("missing", None),
    ] {
        let world = fresh();
        match changed {
            Some(text) => world.store.write(LEDGER, text.as_bytes()).unwrap(),
            None => world.store.remove(LEDGER).unwrap(),
        }
        let failure = world.within(&world.store, Mode::Record, StageId::TestWrite, |_| ()).unwrap_err();
        assert_eq!(failure.class, Class::Denied, "{name}: {failure}");
        assert!(failure.what.contains(LEDGER), "{name}: {failure}");
        assert!(!failure.help.is_empty());
    }
    // The newest one of all is named by no other; its record knows it.
    let world = fresh();
    world.store.remove("ledger/generate.jsonl").unwrap();
    let failure = world.within(&world.store, Mode::Record, StageId::Generate, |_| ()).unwrap_err();
    assert!(failure.what.contains("its ledger is gone"), "{failure}");
}

#[test]
fn a_stage_that_is_run_again_counts_once_wherever_a_kill_came() {
    let files = [LEDGER.to_owned(), CASSETTE.to_owned()];
    // How much of the move was done: copied; the ledger removed; all removed.
    for step in 0..3 {
        let world = World::new(vec![vec![]]);
        world.stage(PLAN, |calls| calls.ask(&ask("a"))).unwrap();
        world.stage(StageId::TestWrite, |calls| calls.ask(&ask("b"))).unwrap();
        world.store.preserve(&files, "attempts/1").unwrap();
        for path in &files[..step] {
            world.store.remove(path).unwrap();
        }
        assert_eq!(world.spent().nano_usd, NanoUsd(2 * CALL.0), "step {step}");
        world.stage(PLAN, |calls| calls.ask(&ask("a"))).unwrap();
        assert_eq!(
            world.fakes[0].calls(),
            3,
            "step {step}: asked again, not answered from what was set aside"
        );
        assert_eq!(world.spent().nano_usd, NanoUsd(3 * CALL.0), "step {step}");
        assert_eq!(world.exchanges(PLAN).len(), 1);
        world.stage(StageId::Generate, |calls| calls.ask(&ask("c"))).unwrap();
        let _ = Round::FIRST;
    }
}
