//! Recorded runs, run again without programs, network or key: every file equal, and every change of the record found.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test may fail anywhere, its helpers too")]

pub mod world;

use std::fs;
use std::path::Path;
use std::process::Command;

use orch::artifact::chain::Chain;
use orch::artifact::id::StageId;
use orch::artifact::store::ArtifactStore as _;
use orch::diagnostic::{Class, Failure as _};
use orch::replay::State;

use crate::env::{TestEnv, files_below, run_folder};
use world::{World, config, copy, replay_of, reseal, run};

const REQUEST: &str = "add a /health endpoint";

/// A way to start a program with no network at all, where this machine lets us have one.
fn without_network() -> Option<&'static [&'static str]> {
    let ways: [&[&str]; 2] = [&["unshare", "-n"], &["unshare", "-r", "-n"]];
    let works = |way: &&[&str]| {
        Command::new(way[0]).args(&way[1..]).arg("true").output().is_ok_and(|done| done.status.success())
    };
    let found = ways.into_iter().find(works);
    if found.is_none() {
        eprintln!("SKIPPED: an empty network namespace cannot be had here; the replay runs with the network");
    }
    found
}

/// Replays the one run of a repository with nothing to run and nothing to reach; checks that nothing is touched, that all
/// is equal, and how long it takes.
pub fn replays(env: &TestEnv, root: &Path) {
    let before = (files_below(root), files_below(&root.with_extension("git")));
    let way = without_network().unwrap_or(&["env"]);
    let mut fastest = (f64::MAX, f64::MAX);
    for _ in 0..3 {
        // The shell's `time` tells the processor's time of just this program, however busy the machine is.
        let mut command = env.command("bash", root);
        let script = r#"program=$(type -P "$1"); shift; PATH=; TIMEFORMAT='%R %U %S'; time "$program" "$@""#;
        command.args(["-c", script, "bash"]).args(way).arg(env!("CARGO_BIN_EXE_orch"));
        command.args(["replay", "--format", "json"]).env_remove("CARGO_HOME").env_remove("RUSTUP_HOME");
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let times = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{text}{times}");
        let times: Vec<f64> = times.split_whitespace().map(|word| word.parse().unwrap()).collect();
        fastest = (fastest.0.min(times[0]), fastest.1.min(times[1] + times[2]));
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        let files = document["files"].as_array().unwrap();
        assert!(document["equal"] == true && files.iter().all(|f| f["state"] == "equal"), "{text}");
        let equal: Vec<&str> = files.iter().map(|f| f["path"].as_str().unwrap()).collect();
        assert_eq!(equal, files_below(&run_folder(root)).keys().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(equal.iter().filter(|path| path.starts_with("tape/")).count(), 8, "{equal:?}");
    }
    eprintln!("replayed in {} s, {} s of them on the processor", fastest.0, fastest.1);
    assert!(fastest.1 < 1.0, "{fastest:?}");
    let after = (files_below(root), files_below(&root.with_extension("git")));
    assert!(before == after, "the repository was touched");
}

#[test]
fn a_run_replays_byte_for_byte_without_programs_or_network() {
    let env = TestEnv::new();
    let root = env.service("service");
    // The real clock: what a fixed one shows could be had without a tape.
    let mut command = env.orch_command(&root, &["run", REQUEST]);
    assert!(command.env_remove("SOURCE_DATE_EPOCH").output().unwrap().status.success());
    replays(&env, &root);
    // From elsewhere too: another clone, the run's folder, other settings, the files kept.
    let clone = env.path("clone");
    let (from, to) = (root.display().to_string(), clone.display().to_string());
    env.git(&env.path(""), &["clone", "-q", "--single-branch", "--branch", "main", &from, &to]);
    fs::write(clone.join("orch.yml"), "service: other\nverify:\n  rounds: 1\npr:\n  push: false\n").unwrap();
    let folder = run_folder(&root);
    let kept = env.path("kept").join(folder.file_name().unwrap());
    let (run, keep) = (folder.display().to_string(), kept.display().to_string());
    let before = files_below(&clone);
    env.orch(&clone, &["replay", &run, "--keep", &keep]).exits(0).says("files are equal, byte for byte");
    // The commits of the change are not in this clone: they were made in memory, and are not in it now.
    assert!(files_below(&clone) == before && files_below(&folder) == files_below(&kept));
    env.orch(&clone, &["replay", &run, "--keep", &keep]).exits(2).says("is not empty");
    env.orch(&clone, &["artifacts", "verify", &keep]).exits(0).says("is intact");
    // The changed run is named and refused; so is a run whose base is not here.
    for path in ["task.json", "tape/verify-red.jsonl", "events/pr.jsonl", "build-test/red.log"] {
        let file = folder.join(path);
        let bytes = fs::read(&file).unwrap();
        let mut changed = bytes.clone();
        changed[bytes.len() / 2] ^= 1;
        fs::write(&file, changed).unwrap();
        env.orch(&root, &["replay"]).exits(3).says(path);
        fs::write(&file, bytes).unwrap();
    }
    let strange = env.repository("strange", &[("README.md", "# strange\n")]);
    env.orch(&strange, &["replay", &run]).exits(2).says("is not in this clone").says("git fetch");
}

#[test]
fn a_run_made_stage_by_stage_with_other_settings_and_attempts_replays() {
    let env = TestEnv::new();
    let root = env.service("service");
    env.orch(&root, &["stage", "intake", "--task", REQUEST]).exits(0);
    for stage in ["plan", "test-write", "verify-red", "generate"] {
        env.orch(&root, &["stage", stage]).exits(0);
    }
    env.orch(&root, &["replay"]).exits(0).says("byte for byte");
    env.orch(&root, &["stage", "verify-green"]).exits(0);
    fs::write(root.join("orch.yml"), "paths:\n  deny: [\"src/**\"]\n").unwrap();
    env.orch(&root, &["stage", "policy"]).exits(3);
    env.orch(&root, &["replay"]).exits(0);
    fs::write(root.join("orch.yml"), "pr:\n  push: false\n").unwrap();
    env.orch(&root, &["run", REQUEST]).exits(0);
    assert!(run_folder(&root).join("attempts/1").is_dir());
    fs::write(root.join("README.md"), "somebody goes on\n").unwrap();
    env.git(&root, &["commit", "-qam", "go on"]);
    env.orch(&root, &["replay"]).exits(0).says("were not replayed, only copied");
}

#[test]
fn a_run_that_stopped_replays_as_far_as_it_came() {
    let env = TestEnv::new();
    let root = env.repository("bare", &[("src/a.py", "A = 1\n"), ("requirements.txt", "requests\n")]);
    env.orch(&root, &["run", "set up CI"]).exits(4);
    env.orch(&root, &["replay"]).exits(0);
    // Tests that cannot be run: exit 6 in the red phase.
    env.orch(&root, &["run", "create a FastAPI service with a /health endpoint"]).exits(6);
    env.orch(&root, &["replay", "create"]).exits(0);
    // An error inside a stage leaves no manifest of it.
    env.orch(&root, &["run", "make it faster"]).exits(78);
    env.orch(&root, &["replay", "make"]).exits(0);
    fs::remove_dir_all(root.join("artifacts")).unwrap();
    env.orch(&root, &["replay"]).exits(2).says("there is no run");
}

#[test]
fn templates_of_the_repository_have_to_be_what_they_were() {
    let env = TestEnv::new();
    let root = env.repository("notes", &[("README.md", "# Notes\n")]);
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/license");
    for (path, bytes) in files_below(&from) {
        let file = root.join("own/license").join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }
    fs::write(root.join("orch.yml"), "templates:\n  folders: [own]\n").unwrap();
    env.orch(&root, &["run", "add an MIT license for ACME Inc"]).exits(0);
    fs::remove_file(root.join("orch.yml")).unwrap();
    env.orch(&root, &["replay"]).exits(0);
    let manifest =
        fs::read_dir(root.join("own/license")).unwrap().flatten().map(|e| e.path()).find(|p| p.is_file());
    let manifest = manifest.unwrap();
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, format!("{text}\n# changed\n")).unwrap();
    env.orch(&root, &["replay"]).exits(2).says("`template:license` is not what it was").says("Check out");
}

#[test]
fn rounds_attempts_and_their_configs_replay() {
    let world = World::new(1);
    let walked = world.walk(&config(), None, None);
    assert_eq!(walked.exit, 0, "{:?}", walked.reason);
    let paths = world.store.list().unwrap();
    assert!(paths.contains(&"rounds/2/tape/verify-green.jsonl".to_owned()), "{paths:?}");
    let compared = world.replay().unwrap();
    assert!(compared.is_equal(), "{compared:#?}");
    assert_eq!(compared.count(&State::Equal), paths.len());
    // Later stages again with other settings: what they replace is an earlier attempt.
    let mut other = config();
    other.pr.push = false;
    other.verify.flake_runs = 0;
    assert_eq!(world.walk(&other, Some(StageId::Policy), None).exit, 0);
    let compared = world.replay().unwrap();
    assert!(compared.is_equal() && compared.count(&State::Carried) > 0, "{compared:#?}");
    // Rounds that are used up: exit 6, and no branch.
    let world = World::new(u32::MAX);
    assert_eq!(world.walk(&config(), None, None).exit, 6);
    let compared = world.replay().unwrap();
    assert!(
        compared.is_equal() && compared.files.iter().any(|f| f.path.starts_with("rounds/3/")),
        "{compared:#?}"
    );
}

#[test]
fn what_an_unfinished_stage_left_is_carried_over() {
    let world = World::new(0);
    world.walk(&config(), None, Some(StageId::Plan));
    world.store.write("ledger/test-write.jsonl", b"{}\n").unwrap();
    let compared = world.replay().unwrap();
    assert!(compared.is_equal(), "{compared:#?}");
    let carried: Vec<_> =
        compared.files.iter().filter(|f| f.state == State::Carried).map(|f| &f.path).collect();
    assert_eq!(carried, ["ledger/test-write.jsonl"]);
}

/// Every changed byte of every file breaks the chain; changed and sealed again, a record tells another story and is found
/// out, or tells the same story in other bytes, which is found too.
#[test]
fn a_changed_record_is_never_equal() {
    let world = World::new(0);
    assert_eq!(world.walk(&config(), None, None).exit, 0);
    let paths = world.store.list().unwrap();
    for path in &paths {
        let bytes = world.store.read(path).unwrap().unwrap();
        for at in [0, bytes.len() / 3, bytes.len() - 1] {
            let spoilt = copy(&world.store);
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            spoilt.write(path, &changed).unwrap();
            assert_eq!(replay_of(&spoilt).unwrap_err().class(), Class::Denied, "{path} {at}");
        }
    }
    let spoil = |stage: &str, from: &str, to: &str| {
        let (tape, manifest) = (format!("tape/{stage}.jsonl"), format!("manifest/{stage}.json"));
        let text = String::from_utf8(world.store.read(&tape).unwrap().unwrap()).unwrap();
        let changed = text.replacen(from, to, 1);
        assert_ne!(text, changed, "{stage}: no {from}");
        let spoilt = copy(&world.store);
        reseal(&spoilt, &manifest, &tape, changed.as_bytes());
        assert_eq!(Chain::read(&spoilt, &run()).unwrap().breaks, [], "{stage}");
        replay_of(&spoilt)
    };
    for (stage, from, to, file) in [
        ("intake", r#""answer":"20"#, r#""answer":"19"#, "events/intake.jsonl"),
        ("intake", "/health", "/healtz", "manifest/intake.json"),
        ("plan", r#""secs":"#, r#""secs":9"#, "manifest/plan.json"),
        ("verify-red", "left: 404", "left: 403", "build-test/red.log"),
        ("verify-red", r#""code":101"#, r#""code":102"#, "build-test/red.json"),
        (
            "verify-green",
            r#""protection":{"filesystem":{"state":"enforced""#,
            r#""protection":{"filesystem":{"state":"absent""#,
            "build-test/report.json",
        ),
        ("verify-green", r#""flake_runs":1"#, r#""flake_runs":2"#, ""),
        ("verify-red", r#"["cargo","test""#, r#"["cargo","best""#, ""),
        ("policy", r#""deny":[]"#, r#""deny":["src/**"]"#, "policy/verdict.json"),
        ("pr", r#""push":true"#, r#""push":false"#, ""),
        ("pr", r#"{"ask":"push""#, r#"{"ask":"pull""#, ""),
    ] {
        match spoil(stage, from, to) {
            Ok(compared) => {
                let differs = |f: &&orch::replay::FileResult| matches!(f.state, State::Different { .. });
                let found: Vec<_> = compared.files.iter().filter(differs).map(|f| f.path.as_str()).collect();
                assert!(found.contains(&file), "{stage}, {from}: {found:?}");
            }
            Err(error) => {
                assert_eq!((error.class(), file), (Class::Denied, ""), "{stage}, {from}: {error}");
                assert!(error.to_string().contains(stage), "{error}");
            }
        }
    }
}

/// Each answer of a tape left out, or told twice: another number of asks is a divergence with its line.
#[test]
fn every_ask_is_answered_once() {
    // Judging by rules is what takes longest, and asks nothing: only the last stage's tape is tried after it.
    let (short, whole) = (World::new(0), World::new(0));
    short.walk(&config(), None, Some(StageId::VerifyGreen));
    whole.walk(&config(), None, None);
    for (world, stages) in [
        (&short, &["intake", "plan", "test-write", "verify-red", "generate", "verify-green"][..]),
        (&whole, &["pr"]),
    ] {
        for stage in stages {
            let (tape, manifest) = (format!("tape/{stage}.jsonl"), format!("manifest/{stage}.json"));
            let text = String::from_utf8(world.store.read(&tape).unwrap().unwrap()).unwrap();
            let lines: Vec<&str> = text.split_inclusive('\n').collect();
            for n in 1..lines.len() {
                let mut changed = lines.clone();
                if n % 2 == 0 {
                    changed.insert(n, lines[n]);
                } else {
                    changed.remove(n);
                }
                let spoilt = copy(&world.store);
                reseal(&spoilt, &manifest, &tape, changed.concat().as_bytes());
                let told = replay_of(&spoilt).unwrap_err();
                assert_eq!(told.class(), Class::Denied, "{stage} {n}: {told}");
                assert!(told.to_string().contains(&format!("`{stage}` went another way at line ")), "{told}");
            }
        }
    }
}

#[test]
fn what_another_program_recorded_is_not_replayed() {
    let world = World::new(0);
    world.walk(&config(), None, Some(StageId::Intake));
    let manifest = "manifest/intake.json";
    let text = |path: &str| String::from_utf8(world.store.read(path).unwrap().unwrap()).unwrap();
    let spoilt = copy(&world.store);
    let version = format!(r#""version":"{}""#, env!("CARGO_PKG_VERSION"));
    let older = |text: &str| text.replace(&version, r#""version":"0.0.9""#);
    spoilt.write(manifest, older(&text(manifest)).as_bytes()).unwrap();
    // Its files name that program too.
    for path in world.store.list().unwrap().into_iter().filter(|path| path != manifest) {
        reseal(&spoilt, manifest, &path, older(&text(&path)).as_bytes());
    }
    let error = replay_of(&spoilt).unwrap_err();
    assert_eq!(error.class(), Class::Usage, "{error}");
    assert!(error.to_string().contains("recorded by orch 0.0.9"), "{error}");
    assert!(error.help().unwrap().contains("orch 0.0.9"));
}
