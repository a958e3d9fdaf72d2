//! Mutants of a good run: deleted, cut, reordered, swapped, flipped, and forged all the way to the end.
//!
//! A plain mutant is a file that is not what its manifest says: `pr` and `orch verify` refuse every one. A forgery is
//! consistent: whoever made it sealed every later manifest again. With a signed statement each one is refused; without, just
//! those that contradict something: the tables below are all that is left, with the reason.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::case_sensitive_file_extension_comparisons,
    reason = "a test may fail anywhere, its helpers too"
)]

mod forge;
mod release;

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use orch::agent::NoModels;
use orch::artifact::digest::canonical_json;
use orch::artifact::id::{Round, RunId, StageId};
use orch::artifact::store::{ArtifactStore, DirStore, MemoryStore};
use orch::attest::{Algorithm, Bundle, KINDS, OpenRun, PublicKey, SigningKey};
use orch::pipeline::Bounds;
use orch::ports::clock::SystemClock;
use orch::ports::observe::FakeObserver;
use orch::ports::process::FakeProcesses;
use orch::ports::vcs::{FakeRepository, GitRepository, VcsChanges as _};
use orch::ports::workspace::TempWorkspaces;
use orch::proof::{CHECKS, Case, Outcome, prove};
use orch::stage::Ports;
use orch::stage::registry;
use orch::stage::runner::{Position, Runner};
use orch::telemetry::Silent;
use serde_json::Value;

use crate::env::{TestEnv, files_below, said};
use crate::replay::world::{Place, Stubborn, World, config, copy, run};
use forge::{flips, forge, set};

/// A finished run of two rounds, signed.
struct Good {
    world: World,
    store: MemoryStore,
    key: PublicKey,
    temp: tempfile::TempDir,
}

fn sign(store: &MemoryStore, key: &SigningKey) {
    sign_as(&run(), store, key);
}

fn sign_as(run: &RunId, store: &MemoryStore, key: &SigningKey) {
    let opened = OpenRun::open(run, store, false).unwrap();
    for kind in KINDS {
        let Some(statement) = kind.make(&opened).unwrap() else { continue };
        store.write(&kind.path(), &Bundle::sign(&statement, key).unwrap().to_bytes().unwrap()).unwrap();
    }
}

fn key(algorithm: Algorithm) -> SigningKey {
    SigningKey::from_pem(&SigningKey::generate(algorithm).unwrap(), "test").unwrap()
}

fn good() -> Good {
    let world = World::new(1);
    world.walk(&config(), None, None);
    let secret = key(Algorithm::Ed25519);
    let store = copy(&world.store);
    sign(&store, &secret);
    let temp = tempfile::tempdir().unwrap();
    Good { store, key: secret.public(), world, temp }
}

/// Another run, signed: of one round only, and with another config, so that most of its files differ.
fn other_run() -> MemoryStore {
    let other = World::new(0);
    let mut another = config();
    another.pr.push = false;
    other.walk(&another, None, None);
    sign(&other.store, &key(Algorithm::P256));
    copy(&other.store)
}

/// Tells whether what a check found makes `orch verify` refuse.
fn refuses(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Held { .. } => false,
        Outcome::Failed { .. } => true,
        Outcome::NotMeasured { needed, .. } => *needed,
    }
}

/// Tells whether `orch verify` refuses a run; the check that does comes back.
fn refused_by(good: &Good, store: &dyn ArtifactStore, keys: &[PublicKey]) -> Option<&'static str> {
    let run = run();
    let Ok(opened) = OpenRun::open(&run, store, false) else { return Some("unreadable") };
    let repository: &FakeRepository = &good.world.repository;
    let case = Case { opened, repository: Some(repository), head: None, keys };
    // The dearest one last; each looks for itself, so the order does not matter.
    let mut checks: Vec<_> = CHECKS.iter().collect();
    checks.sort_by_key(|check| check.name == "policy");
    if !keys.is_empty() {
        checks.sort_by_key(|check| check.name != "signature");
    }
    checks.into_iter().find(|check| refuses(&check.make(&case).outcome)).map(|check| check.name)
}

/// Tells whether `pr` refuses to go on from a run whose own files of `pr` are gone.
fn pr_refuses(good: &Good, store: &dyn ArtifactStore) -> bool {
    let repository: &FakeRepository = &good.world.repository;
    let workspaces = TempWorkspaces::open_in(repository, good.temp.path()).unwrap();
    let processes = FakeProcesses::new(|_| unreachable!("`pr` runs nothing"));
    let (run, config) = (run(), config());
    let runner = Runner {
        store,
        run: &run,
        config: &config,
        ports: Ports {
            clock: &SystemClock::new(None),
            vcs: repository,
            forge: repository,
            hub: None,
            observe: &FakeObserver::default(),
            workspaces: &workspaces,
            processes: &processes,
            engine: &Stubborn::new(),
            models: &NoModels,
        },
        events: &Silent,
    };
    let horizon = Round::new(2).unwrap();
    let at = Position { round: Round::FIRST, horizon };
    runner.run(registry::stage(StageId::Pr).unwrap(), at, None).is_err()
}

/// Runs work over mutants on every core, and returns what it says of those it has something to say of.
pub(crate) fn each<T: Sync>(mutants: &[T], work: impl Fn(&T) -> Option<String> + Sync) -> Vec<String> {
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let threads = std::thread::available_parallelism().map_or(2, NonZero::get).min(8);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(mutant) = mutants.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Some(text) = work(mutant) {
                        found.lock().unwrap().push(text);
                    }
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap();
    found.sort();
    found
}

/// A file changed, the rest left alone.
struct Plain {
    how: String,
    path: String,
    bytes: Option<Vec<u8>>,
}

fn plain_mutants(good: &Good) -> Vec<Plain> {
    mutants_of(&good.store, &other_run())
}

fn mutants_of(store: &MemoryStore, foreign_run: &MemoryStore) -> Vec<Plain> {
    let mut mutants = Vec::new();
    let mut add = |how: &str, path: &str, bytes: Option<Vec<u8>>| {
        mutants.push(Plain { how: how.into(), path: path.into(), bytes });
    };
    for path in store.list().unwrap() {
        let bytes = store.read(&path).unwrap().unwrap();
        add("deleted", &path, None);
        add("cut to half", &path, Some(bytes[..bytes.len() / 2].to_vec()));
        add("emptied", &path, Some(Vec::new()));
        add("one byte longer", &path, Some([&bytes[..], b" "].concat()));
        if let Some(foreign) = foreign_run.read(&path).unwrap().filter(|foreign| *foreign != bytes) {
            add("swapped with another run's", &path, Some(foreign));
        }
        let lines: Vec<&[u8]> = bytes.split_inclusive(|b| *b == b'\n').collect();
        if path.ends_with(".jsonl") && lines.len() > 1 {
            for at in 1..lines.len() {
                let mut other = lines.clone();
                other.swap(at - 1, at);
                if other.concat() != bytes {
                    add(&format!("lines {at} and {} swapped", at + 1), &path, Some(other.concat()));
                }
                let mut fewer = lines.clone();
                fewer.remove(at);
                add(&format!("line {} removed", at + 1), &path, Some(fewer.concat()));
            }
        }
        if let Ok(value) = serde_json::from_slice::<Value>(&bytes) {
            for (pointer, flipped) in flips(&value) {
                let mut other = value.clone();
                set(&mut other, &pointer, flipped);
                add(&format!("{pointer} flipped"), &path, Some(canonical_json(&other).unwrap()));
            }
        }
    }
    mutants
}

/// What `pr` does not read or writes itself, and what is said of a run from outside.
const PR_WRITES_AGAIN: &[&str] = &["manifest/pr.json"];

fn plain(good: &Good, stride: usize) {
    let all = plain_mutants(good);
    let mutants: Vec<Plain> = all.into_iter().step_by(stride).collect();
    let keys = [good.key.clone()];
    let survived = each(&mutants, |mutant| {
        let store = copy(&good.store);
        match &mutant.bytes {
            Some(bytes) => store.write(&mutant.path, bytes).unwrap(),
            None => store.remove(&mutant.path).unwrap(),
        }
        let mut told = Vec::new();
        // Statements are only asked for where a key is trusted; a run may have none of a kind.
        let optional =
            mutant.bytes.is_none() && mutant.path.starts_with("attest/") && mutant.path != KINDS[0].path();
        if !optional && refused_by(good, &store, &keys).is_none() {
            told.push("verify");
        }
        let written_again = mutant.bytes.is_none() && PR_WRITES_AGAIN.contains(&mutant.path.as_str());
        let read_by_pr = !mutant.path.starts_with("attest/") && !written_again;
        if read_by_pr && !pr_refuses(good, &store) {
            told.push("pr");
        }
        (!told.is_empty()).then(|| format!("{} {}: not refused by {told:?}", mutant.path, mutant.how))
    });
    eprintln!("{} plain mutants", mutants.len());
    assert!(survived.is_empty(), "{survived:#?}");
    assert!(mutants.len() * stride > 2000, "only {} mutants", mutants.len());
}

#[test]
fn a_good_run_is_proven_with_its_key_and_with_no_other() {
    let good = good();
    assert_eq!(refused_by(&good, &good.store, std::slice::from_ref(&good.key)), None);
    assert_eq!(refused_by(&good, &good.store, &[]), None);
    let stranger = key(Algorithm::P256).public();
    assert_eq!(refused_by(&good, &good.store, std::slice::from_ref(&stranger)), Some("signature"));
    assert_eq!(refused_by(&good, &good.store, &[stranger, good.key.clone()]), None);
    // The statements of another run, signed with a key that is trusted, are of another run all the same.
    let store = copy(&good.store);
    let trusted = key(Algorithm::P256);
    let other = other_run();
    sign(&other, &trusted);
    for kind in KINDS {
        let Some(bytes) = other.read(&kind.path()).unwrap() else { continue };
        store.write(&kind.path(), &bytes).unwrap();
    }
    assert_eq!(refused_by(&good, &store, &[trusted.public(), good.key.clone()]), Some("signature"));
    assert_eq!(
        refused_by(&good, &store, &[]),
        Some("signature"),
        "it contradicts the run, whoever signed it"
    );
}

/// A part of the mutants, one of every kind; the next test has them all.
#[test]
fn plain_mutants_are_refused_by_pr_and_by_verify() {
    plain(&good(), 7);
}

#[test]
#[ignore = "every mutant: some minutes in a debug build"]
fn every_plain_mutant_is_refused_by_pr_and_by_verify() {
    plain(&good(), 1);
}

/// What a forger may change without a key and without contradicting anything: nothing of it says what was changed, tested or
/// judged.
///
/// A part of the path, a part of the place, and why.
const UNSIGNED: &[(&str, &str, &str)] = &[
    ("manifest/", "/body/timing/", "when and how long: no other file says so"),
    ("events/", "", "what was told to listeners: no decision reads it"),
    ("tape/", "", "what the world told: config and request are in the key, the rest shows in a replay"),
];

/// Returns every forgery: the file, the place in it, the bytes. Of files with lines each line is a document.
fn forgeries(store: &MemoryStore) -> Vec<(String, String, Vec<u8>)> {
    let mut forgeries = Vec::new();
    for path in store.list().unwrap().into_iter().filter(|path| !path.starts_with("attest/")) {
        let bytes = store.read(&path).unwrap().unwrap();
        let by_line = path.ends_with(".jsonl");
        let parts: Vec<&[u8]> =
            if by_line { bytes.split_inclusive(|b| *b == b'\n').collect() } else { vec![&bytes] };
        for (at, part) in parts.iter().enumerate() {
            let Ok(value) = serde_json::from_slice::<Value>(part) else { continue };
            for (pointer, flipped) in flips(&value) {
                let mut other = value.clone();
                set(&mut other, &pointer, flipped);
                let text = if by_line {
                    let line = [serde_json::to_vec(&other).unwrap(), b"\n".to_vec()].concat();
                    [&parts[..at].concat(), &line, &parts[at + 1..].concat()].map(Vec::as_slice).concat()
                } else {
                    canonical_json(&other).unwrap()
                };
                let place = if by_line { format!("{}:{pointer}", at + 1) } else { pointer };
                forgeries.push((path.clone(), place, text));
            }
        }
    }
    forgeries
}

fn forged(good: &Good, stride: usize) {
    let all = forgeries(&good.store);
    let mutants: Vec<_> = all.into_iter().step_by(stride).collect();
    let keys = [good.key.clone()];
    let by = Mutex::new(BTreeMap::<&str, usize>::new());
    let survived = each(&mutants, |(path, pointer, bytes)| {
        let store = copy(&good.store);
        forge(&store, &run(), path, bytes);
        let same = |path: &String| store.read(path).unwrap() == good.store.read(path).unwrap();
        if store.list().unwrap().iter().all(same) {
            // A seal or a link's digest, sealed again, is what it was.
            return None;
        }
        if refused_by(good, &store, &keys).is_none() {
            return Some(format!("{path} {pointer}: not refused although signed"));
        }
        for kind in KINDS {
            store.remove(&kind.path()).unwrap();
        }
        let refused = refused_by(good, &store, &[]);
        *by.lock().unwrap().entry(refused.unwrap_or("nothing")).or_default() += 1;
        let known = UNSIGNED.iter().any(|(folder, part, _)| path.contains(folder) && pointer.contains(part));
        (refused.is_none() && !known).then(|| format!("{path} {pointer}: not refused without a signature"))
    });
    eprintln!("{} forgeries, refused without a signature by {:?}", mutants.len(), by.lock().unwrap());
    assert!(survived.is_empty(), "{} {survived:#?}", survived.len());
}

#[test]
fn forgeries_sealed_to_the_end_are_refused_where_the_run_is_signed() {
    forged(&good(), 29);
}

#[test]
#[ignore = "every forgery: some minutes in a debug build"]
fn every_forgery_sealed_to_the_end_is_refused_where_the_run_is_signed() {
    forged(&good(), 1);
}

#[test]
fn rules_of_another_digest_are_never_a_pass() {
    let good = good();
    let store = copy(&good.store);
    let bytes = store.read("policy/verdict.json").unwrap().unwrap();
    let mut value: Value = serde_json::from_slice(&bytes).unwrap();
    value["body"]["bundle"] = format!("sha256:{}", "0".repeat(64)).into();
    forge(&store, &run(), "policy/verdict.json", &canonical_json(&value).unwrap());
    let run = run();
    let case = Case {
        opened: OpenRun::open(&run, &store, false).unwrap(),
        repository: Some(&good.world.repository),
        head: None,
        keys: &[],
    };
    let proof = prove(&case, "memory");
    let policy = proof.checks.iter().find(|check| check.name == "policy").unwrap();
    let Outcome::NotMeasured { why, needed: true } = &policy.outcome else { panic!("{policy:?}") };
    assert!(why.contains("cannot be re-evaluated: rules of digest sha256:000000"), "{why}");
    assert!(good.world.repository.commit_named("main").is_ok());
}

/// Thirty rounds and a thousand files, in a real repository and folder: how long `orch verify` takes is told; that it is proven
/// is checked. `ORCH_MEASURED` names another program than that of this build.
#[test]
#[ignore = "measures: the run alone takes minutes in a debug build"]
fn a_long_run_of_a_wide_change_is_proven() {
    let env = TestEnv::new();
    let root = env.service("service");
    let git = GitRepository::open(&root).unwrap();
    let store = DirStore::new(root.join("artifacts").join(run().as_str()));
    let mut config = config();
    config.verify.rounds = 30;
    for (name, most) in [("max_files", 2_000), ("max_files_deny", 4_000), ("max_lines", 9_000)] {
        config.policy.settings.insert(name.into(), most.into());
    }
    let bounds = Bounds { from: None, until: None };
    Place { vcs: &git, store: &store, temp: &env.path("tmp") }.walk((29, 1_000), &config, bounds);
    let program = std::env::var("ORCH_MEASURED").unwrap_or_else(|_| env!("CARGO_BIN_EXE_orch").into());
    let mut took: Vec<_> = (0..9)
        .map(|_| {
            let mut command = env.command(&program, &root);
            command.args(["verify", "--format", "json"]);
            let started = Instant::now();
            let said = said(command).exits(0);
            (started.elapsed(), said)
        })
        .collect();
    took.sort_by_key(|(time, _)| *time);
    let bytes: usize = files_below(&root.join("artifacts")).values().map(Vec::len).sum();
    eprintln!("{bytes} bytes, proven in {:?}, the fastest in {:?}", took[4].0, took[0].0);
    let proof = took[0].1.json();
    let checks = proof["checks"].as_array().unwrap();
    let held = checks.iter().filter(|check| check["outcome"] == "held").count();
    let rounds = OpenRun::open(&run(), &store, false).unwrap().chain.last_round().get();
    assert_eq!((held, rounds), (8, 30), "{proof:#}");
}
