//! Mutants of the run of a release: collected, judged, promoted or taken back, and signed.
//!
//! Every file deleted, cut, swapped with another release's, every field flipped: `orch verify`, `promote` and `rollback`
//! refuse them all. Forged to the end, the signature refuses all, and what is left without one is listed with its reason.

use std::collections::BTreeMap;
use std::sync::Mutex;

use orch::agent::NoModels;
use orch::artifact::id::{CommitId, Round, RunId, StageId, TreeId};
use orch::artifact::store::{ArtifactStore, MemoryStore};
use orch::artifact::types::change_set::{FileChange, FileMode};
use orch::artifact::types::release::{ArtifactDigest, ReleaseRequest, ReleaseSubject};
use orch::artifact::types::task::{Assignment, Channel};
use orch::attest::{Algorithm, Bundle, KINDS, OpenRun, PublicKey, SigningKey};
use orch::config::Config;
use orch::ports::clock::FakeClock;
use orch::ports::observe::{CommitSeen, FakeObserver};
use orch::ports::vcs::{
    BranchDraft, CommitDraft, FakeRepository, Signature, VcsForesee as _, VcsRead as _, VcsWrite as _,
};
use orch::ports::workspace::FakeWorkspaces;
use orch::proof::{Case, OF_RELEASES};
use orch::stage::runner::{Position, Runner};
use orch::stage::{Ports, Request, registry};
use orch::telemetry::Silent;
use serde_json::{Value, json};

use super::forge::forge;
use super::{each, forgeries, key, mutants_of, refuses, sign_as};
use crate::forge::github;
use crate::release_acts::{NOW, digests, merged};
use crate::replay::world::copy;
use crate::support::Forbidden;
use crate::support::github::{FakeGitHub, State};

const CONFIG: &str = "
promote: { acts: [deployment] }
rollback: { revert: run, commands: [[deploy/back]] }
release:
  environments:
    production:
      checks: [github-actions:build]
      proven: false
      reviewed: false
      approvals: 0
      tested: tested.txt
      measures: [measures.json]
      canary:
        errors: { better: lower, tolerance: 0.005, min_samples: 100 }
      rollback: { plan: docs/rollback.md, rehearsed_days: 0 }
";

/// The last good release in a repository: its commit, with its tree.
fn before(repository: &FakeRepository, text: &str) -> (CommitId, TreeId) {
    let path = "x".parse().unwrap();
    let file = FileChange::write(path, Some(text.as_bytes()), b"old".to_vec(), FileMode::Regular);
    let draft =
        CommitDraft { subject: "good".into(), body: String::new(), trailers: Vec::new(), files: vec![file] };
    let time = jiff::Timestamp::from_second(NOW - 9_000).unwrap();
    let author = Signature { name: "t".into(), email: "t@example.invalid".into(), time };
    let base = repository.head().unwrap().commit;
    let draft = BranchDraft { branch: "good".into(), base, commits: vec![draft], author, expected: None };
    let made = repository.foresee(&draft).unwrap().pop().unwrap();
    repository.commit(&draft).unwrap();
    made
}

/// The run of a release.
struct Released {
    run: RunId,
    store: MemoryStore,
    key: PublicKey,
    repository: FakeRepository,
    config: Config,
    hub: FakeGitHub,
    observer: FakeObserver,
    request: ReleaseRequest,
    /// The stage that followed the gate.
    acted: StageId,
}

impl Released {
    /// Walks a release to its end and signs it; `text` makes it differ from others.
    fn new(acted: StageId, text: &str) -> Self {
        let files =
            [("docs/rollback.md", b"Deploy the last good digests.\n".as_slice()), ("x", text.as_bytes())];
        let repository = FakeRepository::new(files);
        let head = repository.head().unwrap();
        let (good, good_tree) = before(&repository, text);
        let texts = files.map(|(path, bytes)| (path, std::str::from_utf8(bytes).unwrap()));
        let mut state = State::with(&texts, "acme/app");
        let mut flat = state.trees[&state.commits[&state.branches["main"]].tree].clone();
        state.trees.insert(head.tree.to_string(), flat.clone());
        flat.get_mut("x").unwrap().blob = state.add_blob(b"old".to_vec());
        state.trees.insert(good_tree.to_string(), flat);
        state.point(good.as_str(), good_tree.as_str(), &[]);
        state.point(head.commit.as_str(), head.tree.as_str(), &[good.as_str()]);
        let mut check = merged(
            "POST",
            "/repos/{owner}/{repo}/check-runs",
            &json!({ "id": 4, "name": "build", "head_sha": head.commit, "status": "completed", "conclusion": "success" }),
        );
        (check["app"]["id"], check["app"]["slug"]) = (json!(15368), json!("github-actions"));
        state.checks.push(check);
        let artifacts: Vec<ArtifactDigest> = digests(text);
        let request = ReleaseRequest {
            subject: ReleaseSubject {
                commit: head.commit.clone(),
                tree: Some(head.tree.clone()),
                artifacts: artifacts.clone(),
            },
            environment: "production".parse().unwrap(),
            branch: "main".into(),
            runs: Vec::new(),
            last_good: Some(good.clone()),
            deployed: true,
        };
        let seen = |id: &str, tree: &str| CommitSeen {
            id: id.parse().unwrap(),
            tree: tree.parse().unwrap(),
            parents: Vec::new(),
            run: None,
            joins: false,
        };
        let at = jiff::Timestamp::from_second(NOW - 60).unwrap().to_string();
        let measure = |of: &str, commit: &str, value: &str| {
            json!({ "name": "errors", "of": of, "value": value, "samples": 4000, "statistic": "ratio",
                "commit": commit, "at": at })
        };
        let canary = if acted == StageId::Promote { "0.010" } else { "0.040" };
        let measures = json!({ "measures":
            [measure("canary", head.commit.as_str(), canary), measure("last-good", good.as_str(), "0.010")] });
        let hex = artifacts[0].digest.hex();
        let observer = FakeObserver {
            files: BTreeMap::from([
                ("tested.txt".to_owned(), format!("{hex}  {}\n", artifacts[0].name).into_bytes()),
                ("measures.json".to_owned(), measures.to_string().into_bytes()),
            ]),
            commits: vec![
                seen(head.commit.as_str(), head.tree.as_str()),
                seen(good.as_str(), good_tree.as_str()),
            ],
            branch: "main".into(),
            ..FakeObserver::default()
        };
        let config = orch::config::parse(CONFIG.as_bytes(), "orch.yml").unwrap();
        let secret = key(Algorithm::Ed25519);
        let released = Self {
            run: "release-production-0123456789ab".parse().unwrap(),
            store: MemoryStore::default(),
            key: secret.public(),
            repository,
            config,
            hub: FakeGitHub::start(state),
            observer,
            request,
            acted,
        };
        let exit = if acted == StageId::Promote { 0 } else { 3 };
        assert_eq!(released.stage(StageId::ReleaseGate, &released.store).unwrap(), exit);
        assert_eq!(released.stage(acted, &released.store).unwrap(), 0);
        sign_as(&released.run, &released.store, &secret);
        released.hub.arm([]);
        released
    }

    fn stage(&self, stage: StageId, store: &dyn ArtifactStore) -> Result<u8, String> {
        let hub = github(&self.hub);
        let (clock, workspaces) = (FakeClock::at(NOW), FakeWorkspaces::new(&self.repository));
        let runner = Runner {
            store,
            run: &self.run,
            config: &self.config,
            ports: Ports {
                clock: &clock,
                vcs: &self.repository,
                forge: &self.repository,
                hub: Some(&hub),
                observe: &self.observer,
                workspaces: &workspaces,
                processes: &Forbidden,
                engine: &Forbidden,
                models: &NoModels,
            },
            events: &Silent,
        };
        let text = serde_json::to_string(&self.request).unwrap();
        let request = Request::new(text, Channel::CommandLine, Assignment::to_engine("template"));
        let at = Position { round: Round::FIRST, horizon: Round::FIRST };
        let asked = (stage == StageId::ReleaseGate).then_some(&request);
        let done =
            runner.run(registry::stage(stage).unwrap(), at, asked).map_err(|error| error.to_string())?;
        Ok(done.exit)
    }

    /// Tells which check of `orch verify` refuses a run.
    fn refused_by(&self, store: &dyn ArtifactStore, keys: &[PublicKey]) -> Option<&'static str> {
        let Ok(opened) = OpenRun::open(&self.run, store, false) else { return Some("unreadable") };
        let case = Case { opened, repository: Some(&self.repository), head: None, keys };
        if !case.is_release() {
            return Some("no release");
        }
        let mut checks: Vec<_> = OF_RELEASES.iter().collect();
        checks.sort_by_key(|check| check.name == "release");
        if !keys.is_empty() {
            checks.sort_by_key(|check| check.name != "signature");
        }
        checks.into_iter().find(|check| refuses(&check.make(&case).outcome)).map(|check| check.name)
    }

    /// Tells whether the stage that follows the gate refuses a run, without a word to the forge.
    fn act_refuses(&self, store: &dyn ArtifactStore) -> bool {
        self.stage(self.acted, store).is_err()
    }
}

/// Both ways a release can go.
fn both() -> [Released; 2] {
    [Released::new(StageId::Promote, "new"), Released::new(StageId::Rollback, "new")]
}

#[test]
fn a_good_release_is_proven_with_its_key_and_with_no_other() {
    for good in both() {
        let own = std::slice::from_ref(&good.key);
        assert_eq!(good.refused_by(&good.store, own), None, "{}", good.acted);
        assert_eq!(good.refused_by(&good.store, &[]), None, "{}", good.acted);
        let signed: Vec<&str> = KINDS
            .iter()
            .filter(|kind| good.store.read(&kind.path()).unwrap().is_some())
            .map(|k| k.name)
            .collect();
        assert_eq!(signed, ["vsa", "release"]);
        // The summary says passed of a promotion alone, and its subjects are the digests that were judged.
        let bytes = good.store.read("attest/vsa.json").unwrap().unwrap();
        let statement = Bundle::parse("x", &bytes).unwrap().statement("x").unwrap();
        let passed = if good.acted == StageId::Promote { "PASSED" } else { "FAILED" };
        assert_eq!(statement.predicate["verificationResult"], passed);
        let artifact = &good.request.subject.artifacts[0];
        assert_eq!(statement.subject[0].name, artifact.name);
        assert_eq!(statement.subject[0].digest["sha256"], artifact.digest.hex());
    }
}

#[test]
fn signatures_and_keys_that_are_not_this_releases_are_refused() {
    let (good, other) = (Released::new(StageId::Promote, "new"), Released::new(StageId::Promote, "other"));
    let trusted = [good.key.clone(), other.key.clone()];
    let own = &trusted[..1];
    let path = "attest/release.json";
    let bytes = good.store.read(path).unwrap().unwrap();
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut value: Value = serde_json::from_slice(&bytes).unwrap();
        change(&mut value);
        orch::artifact::digest::canonical_json(&value).unwrap()
    };
    let foreign: Value = serde_json::from_slice(&other.store.read(path).unwrap().unwrap()).unwrap();
    let signature = "/dsseEnvelope/signatures/0";
    let put = |at: &'static str, by: Value| {
        changed(&move |value: &mut Value| *value.pointer_mut(at).unwrap() = by.clone())
    };
    let stranger: SigningKey = key(Algorithm::P256);
    let opened = OpenRun::open(&good.run, &good.store, false).unwrap();
    let statement = KINDS.iter().find(|kind| kind.path() == path).unwrap().make(&opened).unwrap().unwrap();
    let mut later = statement.clone();
    later.predicate["environment"] = json!("staging");
    let mut digest = statement.clone();
    digest.subject[0] = orch::attest::statement::Resource::new("x", "sha256", "0".repeat(64));
    let made = |statement: &orch::attest::Statement, key: &SigningKey| {
        Bundle::sign(statement, key).unwrap().to_bytes().unwrap()
    };
    let strangers = [stranger.public()];
    let cases: Vec<(&str, Vec<u8>, &[PublicKey])> = vec![
        ("another key", made(&statement, &stranger), own),
        (
            "another release's statement, by a key that is trusted",
            other.store.read(path).unwrap().unwrap(),
            &trusted,
        ),
        (
            "the signature of another payload",
            put("/dsseEnvelope/signatures/0/sig", foreign.pointer(signature).unwrap()["sig"].clone()),
            &trusted,
        ),
        (
            "the payload of another signature",
            put("/dsseEnvelope/payload", foreign["dsseEnvelope"]["payload"].clone()),
            &trusted,
        ),
        (
            "another key's id",
            put("/dsseEnvelope/signatures/0/keyid", json!(stranger.public().id())),
            &trusted,
        ),
        (
            "another key's hint",
            put("/verificationMaterial/publicKey/hint", json!(stranger.public().id())),
            &trusted,
        ),
        ("another payload type", put("/dsseEnvelope/payloadType", json!("text/plain")), &trusted),
        ("no signature", put("/dsseEnvelope/signatures", json!([])), own),
        ("another environment", made(&later, &stranger), &strangers),
        ("another digest", made(&digest, &stranger), &strangers),
    ];
    for (case, bytes, keys) in cases {
        let store = copy(&good.store);
        // Only the statement that is looked at is there, so none of the others speaks.
        store.remove("attest/vsa.json").unwrap();
        store.write(path, &bytes).unwrap();
        assert_eq!(good.refused_by(&store, keys), Some("signature"), "{case}");
    }
    let store = copy(&good.store);
    store.remove(path).unwrap();
    assert_eq!(good.refused_by(&store, own), Some("signature"), "without the statement of the whole");
}

fn plain(stride: usize) {
    for good in both() {
        let foreign = Released::new(good.acted, "other");
        let all = mutants_of(&good.store, &foreign.store);
        let mutants: Vec<_> = all.into_iter().step_by(stride).collect();
        let keys = [good.key.clone()];
        let own = format!("manifest/{}.json", good.acted);
        let survived = each(&mutants, |mutant| {
            let store = copy(&good.store);
            match &mutant.bytes {
                Some(bytes) => store.write(&mutant.path, bytes).unwrap(),
                None => store.remove(&mutant.path).unwrap(),
            }
            let mut told = Vec::new();
            // A run may have no summary; and without the manifest of the last stage the run ends before it.
            let optional = mutant.bytes.is_none() && mutant.path == "attest/vsa.json";
            if !optional && good.refused_by(&store, &keys).is_none() {
                told.push("verify");
            }
            // What speaks of the run from outside, and the manifest that it writes anew, are not read by the stage.
            let unread = mutant.path.starts_with("attest/") || (mutant.bytes.is_none() && mutant.path == own);
            if !unread && !good.act_refuses(&store) {
                told.push("act");
            }
            (!told.is_empty()).then(|| format!("{} {}: not refused by {told:?}", mutant.path, mutant.how))
        });
        eprintln!("{}: {} plain mutants", good.acted, mutants.len());
        assert!(survived.is_empty(), "{survived:#?}");
        assert!(mutants.len() * stride > 400, "only {} mutants", mutants.len());
        assert!(good.hub.seen().iter().all(|seen| seen.method == "GET"), "{:?}", good.hub.writes());
    }
}

#[test]
fn plain_mutants_of_a_release_are_refused_by_verify_and_by_the_stage_that_acts() {
    plain(5);
}

#[test]
#[ignore = "every mutant of both ways: half a minute in a debug build"]
fn every_plain_mutant_of_a_release_is_refused_by_verify_and_by_the_stage_that_acts() {
    plain(1);
}

/// What a forger may change without a key and without contradicting anything: a part of the path, of the place, and why.
const UNSIGNED: &[(&str, &str, &str)] = &[
    ("manifest/", "/body/timing/", "when and how long: no other file says so"),
    ("events/", "", "what was told to listeners: no decision reads it"),
    ("tape/", "", "what the world told: config and request are in the key, the rest shows in a replay"),
];

/// The same of what the forge answered: the machine that asked is the only witness.
const ANSWERED: &[&str] = &["/repository", "/outcome", "/number", "/name", "/state", "/url", "/why", "/kind"];

fn forged(stride: usize) {
    for good in both() {
        let mutants: Vec<_> = forgeries(&good.store).into_iter().step_by(stride).collect();
        let keys = [good.key.clone()];
        let by = Mutex::new(BTreeMap::<&str, usize>::new());
        let survived = each(&mutants, |(path, pointer, bytes)| {
            let store = copy(&good.store);
            forge(&store, &good.run, path, bytes);
            let same = |path: &String| store.read(path).unwrap() == good.store.read(path).unwrap();
            if store.list().unwrap().iter().all(same) {
                return None;
            }
            if good.refused_by(&store, &keys).is_none() {
                return Some(format!("{path} {pointer}: not refused although signed"));
            }
            for kind in KINDS {
                store.remove(&kind.path()).unwrap();
            }
            let refused = good.refused_by(&store, &[]);
            *by.lock().unwrap().entry(refused.unwrap_or("nothing")).or_default() += 1;
            let known =
                UNSIGNED.iter().any(|(folder, part, _)| path.contains(folder) && pointer.contains(part))
                    || (path.ends_with("promotion.json") || path.ends_with("rollback.json"))
                        && ANSWERED.iter().any(|end| pointer.ends_with(end))
                    || path.ends_with("rollback.json") && pointer.starts_with("/body/command/")
                    || pointer.starts_with("/body/warnings/");
            (refused.is_none() && !known)
                .then(|| format!("{path} {pointer}: not refused without a signature"))
        });
        let by = by.lock().unwrap();
        eprintln!("{}: {} forgeries, refused without a signature by {by:?}", good.acted, mutants.len());
        assert!(survived.is_empty(), "{} {survived:#?}", survived.len());
    }
}

#[test]
fn forgeries_of_a_release_are_refused_where_it_is_signed() {
    forged(11);
}

#[test]
#[ignore = "every forgery of both ways: half a minute in a debug build"]
fn every_forgery_of_a_release_is_refused_where_it_is_signed() {
    forged(1);
}
