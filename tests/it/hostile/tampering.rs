//! Run folders that were changed by somebody who knows how they are made.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use orch::artifact::digest::{Digest, canonical_json};
use orch::artifact::types::manifest::{Link, Manifest, OutputRef, Timing};
use serde_json::Value;

use crate::env::{TestEnv, run_folder};

const REQUEST: &str = "add a /health endpoint";

/// A run up to the tests, which the cases spoil and put back.
struct Victim {
    env: TestEnv,
    root: PathBuf,
    run: PathBuf,
}

impl Victim {
    fn new() -> Self {
        let env = TestEnv::new();
        let root = env.service("service");
        env.orch(&root, &["run", "--until", "test-write", REQUEST]).exits(0);
        let run = run_folder(&root);
        Self { env, root, run }
    }

    fn read(&self, path: &str) -> Vec<u8> {
        fs::read(self.run.join(path)).unwrap()
    }

    fn json(&self, path: &str) -> Value {
        serde_json::from_slice(&self.read(path)).unwrap()
    }

    fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let file = self.run.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }

    /// Checks that the whole run and the next stage are refused, and that a word is said.
    #[track_caller]
    fn refused(&self, word: &str) {
        let verified = self.env.orch(&self.root, &["artifacts", "verify"]);
        assert_eq!(verified.exit, 3, "{word}: {}{}", verified.stdout, verified.stderr);
        let said = format!("{}{}", verified.stdout, verified.stderr);
        assert!(said.contains(word), "no {word:?} in {said}");
        for args in [&["stage", "verify-red"][..], &["run", "--until", "test-write", REQUEST]] {
            let next = self.env.orch(&self.root, args);
            assert!([2, 3].contains(&next.exit), "{word}: {args:?}: {}{}", next.stdout, next.stderr);
            assert!(!next.stderr.contains("panicked"), "{}", next.stderr);
        }
    }

    /// Changes an artifact and makes its own manifest fit, seal and all.
    fn forge(&self, stage: &str, path: &str, bytes: &[u8]) {
        self.write(path, bytes);
        let manifest = format!("manifest/{stage}.json");
        let mut envelope = self.json(&manifest);
        let body = &envelope["body"];
        let mut link: Link = serde_json::from_value(body["link"].clone()).unwrap();
        let records: Vec<OutputRef> = serde_json::from_value(body["records"].clone()).unwrap();
        let timing: Timing = serde_json::from_value(body["timing"].clone()).unwrap();
        for output in link.outputs.iter_mut().filter(|o| o.path == path) {
            output.digest = Digest::of(bytes);
            output.bytes = bytes.len() as u64;
        }
        envelope["body"] = serde_json::to_value(Manifest::seal(link, records, timing).unwrap()).unwrap();
        self.write(&manifest, canonical_json(&envelope).unwrap());
    }
}

#[test]
fn spoiled_run_folders_are_refused() {
    let victim = Victim::new();
    let good = victim.read("plan.json");
    let text = String::from_utf8(good.clone()).unwrap();

    victim.write("extra.json", "{}");
    let verified = victim.env.orch(&victim.root, &["artifacts", "verify"]).exits(3);
    verified.says("extra.json");
    fs::remove_file(victim.run.join("extra.json")).unwrap();

    for (link, target) in [("x.json", "/etc/passwd"), ("sub", "/tmp"), ("dangling", "/nowhere")] {
        symlink(target, victim.run.join(link)).unwrap();
        victim.refused("symbolic link");
        fs::remove_file(victim.run.join(link)).unwrap();
    }
    fs::rename(victim.run.join("plan.json"), victim.env.path("plan.json")).unwrap();
    symlink(victim.env.path("plan.json"), victim.run.join("plan.json")).unwrap();
    victim.refused("symbolic link");
    fs::remove_file(victim.run.join("plan.json")).unwrap();

    let doubled = text.replacen("{\"body\":", "{\"body\":{},\"body\":", 1);
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    for bytes in [doubled.as_bytes(), deep.as_bytes(), b"\xff\xfe", b"", b"null", &[b' '; 4096]] {
        victim.write("plan.json", bytes);
        victim.refused("plan.json");
        // With a manifest that fits, what does not read is refused all the same.
        let manifest = victim.read("manifest/plan.json");
        victim.forge("plan", "plan.json", bytes);
        victim.refused("plan.json");
        victim.write("manifest/plan.json", bytes);
        victim.refused("manifest/plan.json");
        victim.write("manifest/plan.json", manifest);
    }
    let mut large = fs::File::create(victim.run.join("plan.json")).unwrap();
    large.write_all(&good).unwrap();
    large.set_len(100 << 20).unwrap();
    victim.refused("plan.json");
    victim.write("plan.json", &good);

    let (intake, plan) = (victim.read("manifest/intake.json"), victim.read("manifest/plan.json"));
    victim.write("manifest/intake.json", &plan);
    victim.write("manifest/plan.json", &intake);
    victim.refused("manifest/intake.json");
    victim.write("manifest/intake.json", &intake);
    victim.write("manifest/plan.json", &plan);

    let newer = text.replacen("\"schema\":\"1.", "\"schema\":\"7.", 1);
    assert_ne!(newer, text);
    victim.forge("plan", "plan.json", newer.as_bytes());
    victim.refused("7.");
    victim.env.orch(&victim.root, &["artifacts", "verify"]).exits(3).says("1.");
    victim.write("plan.json", &good);
    victim.write("manifest/plan.json", &plan);
    victim.env.orch(&victim.root, &["artifacts", "verify"]).exits(0);
    victim.env.orch(&victim.root, &["run", "--until", "test-write", REQUEST]).exits(0).says("reused");
}

/// Without signatures nothing tells a forger who rewrites everything from the stage to the end of the chain: the digests
/// of a run in a pull request, or a signature, are what such a forgery would have to match.
#[test]
fn a_manifest_sealed_anew_breaks_the_chain_where_later_stages_rest_on_it() {
    let victim = Victim::new();
    let mut plan = victim.json("plan.json");
    plan["body"]["summary"] = "Something else entirely.".into();
    victim.forge("plan", "plan.json", &canonical_json(&plan).unwrap());
    victim.refused("plan.json");
    // The last stage has nobody who rests on it.
    let victim = Victim::new();
    let mut tests = victim.json("tests.json");
    tests["body"]["exempt"] = "No reason.".into();
    victim.forge("test-write", "tests.json", &canonical_json(&tests).unwrap());
    victim.env.orch(&victim.root, &["artifacts", "verify"]).exits(0);
}

#[test]
fn a_run_folder_below_another_name_is_refused() {
    let victim = Victim::new();
    let other = "add-another-endpoint-0123456789ab";
    fs::rename(&victim.run, victim.root.join("artifacts").join(other)).unwrap();
    let said = victim.env.orch(&victim.root, &["artifacts", "verify", other]).exits(3);
    said.says("belongs to the run");
    let said = victim.env.orch(&victim.root, &["stage", "verify-red", "--run", other]);
    assert_eq!(said.exit, 3, "{}", said.stderr);
    victim.env.orch(&victim.root, &["run", "--from-artifacts", other]).exits(3);
}

#[test]
fn links_of_a_repository_lead_no_file_of_a_run_elsewhere() {
    let env = TestEnv::new();
    let root = env.service("service");
    let outside = env.path("outside");
    fs::create_dir(&outside).unwrap();
    let artifacts = root.join("artifacts");
    let args = ["run", "--until", "plan", REQUEST];
    let refused = |what: &Path, target: &Path| {
        symlink(target, what).unwrap();
        env.orch(&root, &args).exits(3).says("symbolic link").says("help: ");
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 0, "{}", what.display());
        fs::remove_file(what).unwrap();
    };
    refused(&artifacts, &outside);
    env.orch(&root, &args).exits(0);
    let run = run_folder(&root);
    fs::remove_dir_all(&run).unwrap();
    refused(&run, &outside);
    fs::remove_dir_all(artifacts.join(".locks")).unwrap();
    refused(&artifacts.join(".locks"), &outside);
    // A link in place of the ignore file is left alone.
    fs::remove_file(artifacts.join(".gitignore")).unwrap();
    symlink(outside.join("new"), artifacts.join(".gitignore")).unwrap();
    env.orch(&root, &args).exits(0);
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    // A lock that is a link would empty what it leads to.
    let lock = artifacts.join(".locks").join(run.file_name().unwrap());
    fs::remove_file(&lock).unwrap();
    refused(&lock, &outside);
    // Named by the person, a folder behind a link is fine.
    fs::remove_dir_all(&artifacts).unwrap();
    symlink(&outside, env.path("link")).unwrap();
    let elsewhere = env.path("link").display().to_string();
    env.orch(&root, &[&["--artifacts", &elsewhere][..], &args].concat()).exits(0);
    assert!(fs::read_dir(&outside).unwrap().count() > 0 && !artifacts.exists());
    env.orch(&root, &["--artifacts", &elsewhere, "artifacts", "verify"]).exits(0);
    fs::write(&artifacts, "").unwrap();
    env.orch(&root, &args).exits(2).says("is no folder");
}

#[test]
fn two_runs_of_one_request_do_not_meet() {
    let env = TestEnv::new();
    let root = env.service("service");
    fs::write(root.join("slow.py"), "import time\ntime.sleep(600)\n").unwrap();
    fs::write(root.join("orch.yml"), "commands: { test: [/usr/bin/python3 slow.py] }\n").unwrap();
    env.git(&root, &["add", "-A"]);
    env.git(&root, &["commit", "-q", "-m", "slow"]);
    let mut first = env.start(&root, &["run", REQUEST]);
    let written = || {
        let runs = fs::read_dir(root.join("artifacts")).into_iter().flatten().flatten();
        runs.into_iter().any(|run| run.path().join("manifest/test-write.json").exists())
    };
    while !written() {
        assert!(first.try_wait().unwrap().is_none(), "it ended early");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    env.orch(&root, &["run", REQUEST]).exits(75).says("another orch is at work").says("help: ");
    env.orch(&root, &["stage", "plan"]).exits(75);
    // Reading is no work.
    env.orch(&root, &["report"]).exits(0);
    first.kill().unwrap();
    first.wait().unwrap();
    env.orch(&root, &["run", "--until", "test-write", REQUEST]).exits(0).says("reused");
}
