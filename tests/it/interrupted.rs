//! Killed in the middle of writes, and ports that fail at any call: the next run ends as if nothing had happened.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

mod world;

use std::collections::BTreeMap;
use std::thread;

use orch::artifact::chain::Chain;
use orch::artifact::id::StageId;
use orch::artifact::store::{ArtifactStore as _, MemoryStore};
use orch::diagnostic::{Class, Failure as _};
use orch::ports::vcs::VcsWrite as _;
use orch::stage::runner::RunError;

use world::{Dying, Port, World, run};

type Files = BTreeMap<String, Vec<u8>>;

/// The branch and its commits, and the branch of the remote.
fn branch(world: &World) -> String {
    let name = "feat/greeter/health/2026-01-01";
    let local = world.repository.branch(name).unwrap();
    let remote = world.repository.remote_branch("origin", name).unwrap();
    format!("{:?} {remote:?}", local.unwrap())
}

/// The files and the branch of a run that nothing disturbs.
fn undisturbed() -> (Files, String) {
    let world = World::new();
    let walk = world.run(&world.store(), None).unwrap();
    assert_eq!((walk.exit, walk.stages.len()), (0, 8), "{:?}", walk.reason);
    (world.files(), branch(&world))
}

/// Compares files and branches. Journals may tell of work that was found done; of manifests the deterministic link counts.
#[track_caller]
fn same(wanted: &(Files, String), world: &World, when: &str) {
    let found = world.files();
    let names = |files: &Files| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&wanted.0), names(&found), "{when}");
    for (path, bytes) in wanted.0.iter().filter(|(path, _)| !is_told(path)) {
        assert_eq!(comparable(path, bytes), comparable(path, &found[path]), "{path}, {when}");
    }
    assert_eq!(wanted.1, branch(world), "{when}");
    assert_eq!(world.copies_left(), 0, "{when}");
}

/// Tells whether a file tells how the work went: the journal, and the tape of what was found.
fn is_told(path: &str) -> bool {
    path.starts_with("events/") || path.starts_with("tape/")
}

fn comparable(path: &str, bytes: &[u8]) -> String {
    if !path.starts_with("manifest/") {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    let manifest: serde_json::Value = serde_json::from_slice(bytes).unwrap();
    manifest["body"]["link"].to_string()
}

/// Calls what `lane` returns for 0, 1, 2... on two threads until it says that there is no such number; returns how many
/// there are.
fn for_every<F: Fn(usize) -> bool>(lane: impl Fn() -> F + Sync) -> usize {
    let lane = |first: usize| {
        let check = lane();
        (first..).step_by(2).take_while(|n| check(*n)).count()
    };
    thread::scope(|scope| {
        let other = scope.spawn(|| lane(1));
        lane(0) + other.join().unwrap()
    })
}

#[test]
fn a_run_killed_at_any_write_ends_like_an_undisturbed_one() {
    let wanted = undisturbed();
    let kills = for_every(|| {
        |n| {
            let world = World::new();
            let dying = Dying::new(world.store(), n);
            let walked = world.run(&dying, None);
            if !dying.died() {
                return false;
            }
            assert_eq!(walked.unwrap_err().class(), Class::Internal, "killed at write {n}");
            let (store, chain) = (world.store(), |s: &_| Chain::read(s, &run()).unwrap());
            assert!(chain(&store).breaks.is_empty(), "killed at write {n}: leftovers are no breaks");
            store.sweep().unwrap();
            assert_eq!(world.run(&store, None).unwrap().exit, 0, "killed at write {n}");
            same(&wanted, &world, &format!("killed at write {n}"));
            true
        }
    });
    assert!(kills >= 30, "{kills}");
    println!("killed at each of {kills} writes");
}

#[test]
fn an_archive_killed_anywhere_heals() {
    let wanted = undisturbed();
    let kills = for_every(|| {
        // One world for all: a healed run is a finished one, and earlier attempts are in nobody's way.
        let world = World::new();
        assert_eq!(world.run(&world.store(), None).unwrap().exit, 0);
        let wanted = &wanted;
        move |n| {
            let dying = Dying::new(world.store(), n);
            let walked = world.run(&dying, Some(StageId::Policy));
            if !dying.died() {
                return false;
            }
            assert_eq!(walked.unwrap_err().class(), Class::Internal, "killed at {n}");
            let store = world.store();
            assert_eq!(Chain::read(&store, &run()).unwrap().breaks, [], "killed at {n}");
            store.sweep().unwrap();
            assert_eq!(world.run(&store, None).unwrap().exit, 0, "killed at {n}");
            same(wanted, &world, &format!("archive killed at {n}"));
            true
        }
    });
    assert!(kills >= 20, "{kills}");
    println!("killed at each of {kills} steps of archiving and going on");
}

#[test]
fn a_full_disk_is_told_and_the_next_run_goes_on() {
    let world = World::new();
    let quiet = MemoryStore::default();
    assert_eq!(world.run(&quiet, None).unwrap().exit, 0);
    let count = u32::try_from(quiet.list().unwrap().len()).unwrap();
    for writes in [0, 7, count - 1] {
        let (world, store) = (World::new(), MemoryStore::default());
        store.fail_after(Some(writes));
        let error = world.run(&store, None).unwrap_err();
        assert_eq!(error.class(), Class::Internal, "{error}");
        assert!(
            matches!(&error, RunError::Store(_)) && error.help().unwrap().contains("free space"),
            "{error}"
        );
        let chain = Chain::read(&store, &run()).unwrap();
        assert!(chain.breaks.is_empty(), "after {writes} writes: {:?}", chain.breaks);
        store.fail_after(None);
        assert_eq!(world.run(&store, None).unwrap().exit, 0, "after {writes} writes");
        assert_eq!(store.list().unwrap(), quiet.list().unwrap());
        for path in store.list().unwrap() {
            let bytes = |store: &MemoryStore| comparable(&path, &store.read(&path).unwrap().unwrap());
            assert!(is_told(&path) || bytes(&store) == bytes(&quiet), "{path}, after {writes} writes");
        }
    }
}

#[test]
fn a_port_that_fails_at_any_call_is_told_and_the_next_run_goes_on() {
    let wanted = undisturbed();
    for (port, class) in [
        (Port::VcsRead, Class::Internal),
        (Port::VcsWrite, Class::Internal),
        (Port::Workspaces, Class::Internal),
        (Port::Processes, Class::Denied),
        (Port::Engine, Class::Usage),
    ] {
        let world = World::new();
        let (_, calls) = world.run_breaking(&world.store(), None, port, usize::MAX);
        assert!(calls > 0, "{port:?}");
        // Four calls stand for ports that are called more often.
        let step = calls.div_ceil(4);
        println!("{port:?}: {calls} calls, every {step}. fails in turn");
        for n in (0..calls).step_by(step) {
            let (world, when) = (World::new(), format!("{port:?} failed at call {n}"));
            let error = world.run_breaking(&world.store(), None, port, n).0.expect_err(&when);
            assert_eq!(error.class(), class, "{when}: {error:?}");
            assert!(std::error::Error::source(&error).is_some(), "{when}: {error}");
            assert_eq!(Chain::read(&world.store(), &run()).unwrap().breaks, [], "{when}");
            assert_eq!(world.run(&world.store(), None).unwrap().exit, 0, "{when}");
            same(&wanted, &world, &when);
        }
    }
}
