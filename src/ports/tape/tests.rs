//! Recorded, then played: the same answers in the same order, and no others.

use std::path::Path;
use std::sync::Mutex;

use proptest::prelude::*;

use super::*;
use crate::artifact::digest::Digest;
use crate::artifact::id::Round;
use crate::artifact::types::change_set::{Content, FileChange, FileMode, FileOp};
use crate::artifact::types::tape::{FORM, Header};
use crate::artifact::types::verification::Ended;
use crate::config::Config;
use crate::ports::clock::FakeClock;
use crate::ports::observe::FakeObserver;
use crate::ports::process::{Command, FakeProcesses, outcome};
use crate::ports::vcs::{BranchDraft, CommitDraft, FakeRepository, Signature};
use crate::ports::workspace::TempWorkspaces;

fn header() -> Header {
    Header {
        tape: FORM,
        orch: "0".into(),
        stage: "verify-red".parse().unwrap(),
        stage_version: 1,
        round: Round::FIRST,
        horizon: Round::FIRST,
        config: Config::default().slice(&["verify"]),
        request: None,
    }
}

fn repository() -> FakeRepository {
    FakeRepository::new([("a.txt", b"a\n".as_slice())]).with_remote("origin")
}

fn change() -> FileChange {
    FileChange {
        path: "b.txt".parse().unwrap(),
        op: FileOp::Create,
        mode: FileMode::Regular,
        before: None,
        after: Some(Digest::of(b"b\n")),
        content: Some(Content::from_bytes(b"b\n".to_vec())),
    }
}

fn draft(base: &crate::artifact::types::task::Base) -> BranchDraft {
    let commit = CommitDraft {
        subject: "feat: b".into(),
        body: String::new(),
        trailers: vec![("Orch-Task".into(), "x".into())],
        files: vec![change()],
    };
    BranchDraft {
        branch: "feat/b".into(),
        base: base.commit.clone(),
        commits: vec![commit],
        author: Signature { name: "o".into(), email: "o@x".into(), time: jiff::Timestamp::UNIX_EPOCH },
        expected: None,
    }
}

/// Asks everything a port can be asked and returns what was told, as text.
fn ask(world: World<'_>) -> Vec<String> {
    let mut told = vec![format!("{} {:?}", world.clock.now(), world.clock.elapsed())];
    let head = world.vcs.head().unwrap();
    told.push(format!("{head:?} {:?}", world.vcs.file(&head.tree, "a.txt").unwrap()));
    let sandbox = Config::default().sandbox.for_commands();
    told.push(format!("{:?}", world.processes.protection(&sandbox).unwrap()));
    let mut copies = [1, 2].map(|_| world.workspaces.clean_copy(&head.tree).unwrap());
    for copy in &mut copies {
        copy.apply(&[change()]).unwrap();
        let env = [("OUT".to_owned(), copy.root().join("out.xml").display().to_string())].into();
        let argv = vec!["make".into(), format!("--in={}", copy.root().display())];
        let command = Command { argv, cwd: copy.root().to_owned(), env, sandbox: sandbox.clone() };
        told.push(format!("{:?}", world.processes.run(&command).unwrap()));
        for path in ["out.xml", "a.txt", "b.txt", "bytes", "none"] {
            let path = path.parse().unwrap();
            told.push(format!("{:?} {:?}", copy.digest(&path).unwrap(), copy.read(&path, 1000).unwrap()));
        }
        told.push(format!("{:?} {}", copy.exported(), copy.root().display()));
    }
    let path = "slo.json".parse().unwrap();
    told.push(format!("{:?}", world.observe.file(&path)));
    let forge = world.forge;
    told.push(format!("{:?} {:?}", forge.branch("feat/b").unwrap(), forge.remote_url("origin").unwrap()));
    let outcome = forge.commit(&draft(&head)).unwrap();
    told.push(format!("{outcome:?} {:?}", forge.remote_branch("origin", "feat/b").unwrap()));
    forge.push("origin", "feat/b", None).unwrap();
    told.push(format!(
        "{:?} {:?}",
        forge.branch("feat/b").unwrap(),
        forge.remote_tip("origin", "feat/b").unwrap()
    ));
    told
}

fn world<'a>(ports: &'a Recorder<'_>) -> World<'a> {
    World {
        clock: ports,
        vcs: ports,
        forge: ports,
        hub: None,
        observe: ports,
        workspaces: ports,
        processes: ports,
    }
}

/// Records with real folders; returns what was told, the tape, and where the copies really were.
fn record(repository: &FakeRepository) -> (Vec<String>, Vec<u8>, Vec<String>) {
    let temp = tempfile::tempdir().unwrap();
    let workspaces = TempWorkspaces::open_in(repository, temp.path()).unwrap();
    let seen: &'static Mutex<Vec<String>> = Box::leak(Box::default());
    let processes = FakeProcesses::new(|command| {
        // A command must be told of folders that are there.
        let root = command.cwd.display().to_string();
        assert!(command.cwd.is_dir() && command.argv[1] == format!("--in={root}"), "{command:?}");
        let file = Path::new(&command.env["OUT"]);
        std::fs::write(file, format!("<x>{root}/a.txt</x>")).unwrap();
        std::fs::write(command.cwd.join("bytes"), b"\xff\x00").unwrap();
        let text = format!("in {root}/src and {root}\n");
        seen.lock().unwrap().push(root);
        outcome(Ended::Exited { code: 3 }, &text, &text)
    });
    let (clock, observer) = (FakeClock::at(1_767_225_600), FakeObserver::default());
    let real = World {
        clock: &clock,
        vcs: repository,
        forge: repository,
        hub: None,
        observe: &observer,
        workspaces: &workspaces,
        processes: &processes,
    };
    let recorder = Recorder::new(real, &header());
    let told = ask(world(&recorder));
    let roots = seen.lock().unwrap().clone();
    (told, recorder.bytes(), roots)
}

#[test]
fn what_was_recorded_is_told_again_and_recorded_again_to_the_byte() {
    let (told, tape, roots) = record(&repository());
    let fresh = repository();
    let player = Player::new(&tape, &fresh, &fresh).unwrap();
    let heard = World {
        clock: &player,
        vcs: &player,
        forge: &player,
        hub: None,
        observe: &player,
        workspaces: &player,
        processes: &player,
    };
    let again = Recorder::new(heard, player.header());
    assert_eq!(ask(world(&again)), told);
    assert_eq!(player.divergence(true), None);
    assert_eq!(again.bytes(), tape);
    // Nothing was written, and nothing tells where the copies were.
    assert!(fresh.branch("feat/b").unwrap().is_none());
    let text = format!("{told:?} {}", String::from_utf8(tape).unwrap());
    assert_eq!(roots.len(), 2);
    assert!(roots.iter().all(|root| !text.contains(root.as_str())), "{text}");
    assert!(told.iter().any(|text| text.contains("in /.orch/copy-2/src and /.orch/copy-2")), "{told:#?}");
}

#[test]
fn a_stage_that_asks_otherwise_is_told_where() {
    let (_, tape, _) = record(&repository());
    let fresh = repository();
    let player = || Player::new(&tape, &fresh, &fresh).unwrap();
    let heard = player();
    assert!(heard.head().is_err());
    let divergence = heard.divergence(false).unwrap();
    assert_eq!((divergence.line, divergence.stage.as_str()), (2, "verify-red"));
    assert!(divergence.to_string().contains(r#"asked for {"ask":"head"}, the tape has {"ask":"now"}"#));
    // After that there is no answer any more, right as the ask may be.
    heard.now();
    assert_eq!(heard.divergence(true), Some(divergence));
    let heard = player();
    heard.now();
    assert_eq!(heard.divergence(false), None);
    assert!(heard.divergence(true).unwrap().what.contains(r#"it ended, the tape has {"ask":"elapsed"}"#));
    let short: Vec<u8> = tape.split_inclusive(|b| *b == b'\n').take(2).flatten().copied().collect();
    let heard = Player::new(&short, &fresh, &fresh).unwrap();
    heard.now();
    heard.elapsed();
    assert!(heard.divergence(true).unwrap().what.contains("the tape has no more"));
}

#[test]
fn commits_are_made_again_not_repeated() {
    let (_, tape, _) = record(&repository());
    let fresh = repository();
    let base = fresh.head().unwrap();
    let ids = fresh.commit(&draft(&base)).unwrap().commits;
    let (right, wrong) = (ids[0].0.to_string(), "f".repeat(40));
    let lied = String::from_utf8(tape).unwrap().replace(&right, &wrong);
    assert!(lied.contains(&wrong));
    let start = lied.find(r#"{"ask":"commit""#).unwrap();
    let first = lied.lines().next().unwrap();
    let only = format!("{first}\n{}", &lied[start..]);
    let player = Player::new(only.as_bytes(), &fresh, &fresh).unwrap();
    assert_eq!(player.commit(&draft(&base)).unwrap().commits[0].0.to_string(), right);
}

#[test]
fn what_is_no_tape_is_refused_with_its_line() {
    let fresh = repository();
    let (_, tape, _) = record(&fresh);
    let text = String::from_utf8(tape).unwrap();
    for (bad, why) in [
        (String::new(), "line 1 of the tape cannot be read"),
        (text.replacen(r#"{"tape":1"#, r#"{"tape":2"#, 1), "its form is 2; this program reads 1"),
        (text.replacen(r#"{"ask":"now""#, r#"{"ask":"later""#, 1), "line 2 of the tape cannot be read"),
        (format!("{text}{{"), "of the tape cannot be read"),
    ] {
        let error = Player::new(bad.as_bytes(), &fresh, &fresh).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), lines in "[a-z\":{}0-9,\n]{0,200}") {
        let fresh = repository();
        let _ = Player::new(&bytes, &fresh, &fresh);
        let _ = Player::new(lines.as_bytes(), &fresh, &fresh);
    }
}
