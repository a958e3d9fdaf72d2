//! Kills and tampering.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::env::{TestEnv, files_below, is_raw_output, run_folder};

const REQUEST: &str = "add a /health endpoint";
const STAGES: [&str; 8] =
    ["intake", "plan", "test-write", "verify-red", "generate", "verify-green", "policy", "pr"];

/// Returns the files of a run without what holds times or raw output; manifests by their deterministic link.
fn deterministic(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    files_below(folder)
        .into_iter()
        .filter(|(path, _)| !path.starts_with("events/") && !is_raw_output(path))
        .map(|(path, bytes)| {
            if !path.starts_with("manifest/") {
                return (path, bytes);
            }
            let manifest: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
            (path, serde_json::to_vec(&manifest["body"]["link"]).unwrap())
        })
        .collect()
}

/// Compares two runs and names the first file that differs.
#[track_caller]
fn same(wanted: &BTreeMap<String, Vec<u8>>, found: &BTreeMap<String, Vec<u8>>, when: &str) {
    let names = |run: &BTreeMap<String, Vec<u8>>| run.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(wanted), names(found), "killed after {when}");
    for (path, bytes) in wanted {
        let (wanted, found) = (String::from_utf8_lossy(bytes), String::from_utf8_lossy(&found[path]));
        assert_eq!(wanted, found, "{path}, killed after {when}");
    }
}

/// Starts a run, kills it with SIGKILL as soon as `reached` says so, and tells whether it was still alive.
fn kill_when(env: &TestEnv, root: &Path, reached: impl Fn() -> bool) -> bool {
    let mut child = env.start(root, &["run", REQUEST]);
    let start = Instant::now();
    while !reached() && child.try_wait().unwrap().is_none() && start.elapsed() < Duration::from_mins(5) {
        thread::sleep(Duration::from_micros(200));
    }
    let alive = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    alive
}

fn runs_below(root: &Path) -> Vec<PathBuf> {
    let runs = fs::read_dir(root.join("artifacts")).into_iter().flatten().flatten();
    runs.map(|e| e.path()).filter(|p| p.is_dir() && !p.ends_with(".locks")).collect()
}

#[test]
fn a_run_killed_at_any_stage_boundary_ends_like_an_undisturbed_one() {
    let env = TestEnv::new();
    let quiet = env.service("service");
    env.orch(&quiet, &["run", REQUEST]).exits(0);
    let wanted = deterministic(&run_folder(&quiet));
    let mut killed = 0;
    for stage in STAGES {
        // The same path, so that the service has the same name and the base the same commit.
        fs::rename(&quiet, env.path(&format!("before-{stage}"))).unwrap();
        fs::rename(env.path("service.git"), env.path(&format!("before-{stage}.git"))).unwrap();
        let root = env.service("service");
        let manifest = |run: &PathBuf| run.join("manifest").join(format!("{stage}.json")).exists();
        killed += u32::from(kill_when(&env, &root, || runs_below(&root).iter().any(manifest)));
        env.orch(&root, &["run", REQUEST]).exits(0);
        same(&wanted, &deterministic(&run_folder(&root)), stage);
        env.orch(&root, &["artifacts", "verify"]).exits(0).says("is intact");
        // Nothing was left in the temporary folder that the next run did not remove.
        env.orch(&root, &["run", REQUEST]).exits(0);
    }
    // The last stage's manifest is the end of the run, so that kill may come too late; the others must not.
    assert!(killed >= 5, "only {killed} of {} runs were still alive when killed", STAGES.len());
}

#[test]
fn a_run_killed_while_a_command_runs_leaves_no_process_behind() {
    let env = TestEnv::new();
    let root = env.service("service");
    let alive = kill_when(&env, &root, || {
        // The red phase is at work once the plan's tests are written and a copy exists.
        runs_below(&root).iter().any(|run| run.join("manifest/test-write.json").exists())
            && fs::read_dir(env.path("tmp")).is_ok_and(|mut d| d.next().is_some())
    });
    assert!(alive);
    let home = env.path("");
    let start = Instant::now();
    loop {
        let left = processes_in(&home);
        if left.is_empty() {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{left:?}");
        thread::sleep(Duration::from_millis(20));
    }
    env.orch(&root, &["run", REQUEST]).exits(0);
}

/// Returns the command lines of the processes whose working directory is below a folder.
pub fn processes_in(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        if let Ok(cwd) = fs::read_link(entry.path().join("cwd"))
            && cwd.starts_with(folder)
        {
            let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            found.push(String::from_utf8_lossy(&line).replace('\0', " "));
        }
    }
    found
}

/// One way to spoil a file; returns the path a person would look for in the message.
type Spoil = fn(&Path, &Path);

fn truncate(file: &Path, _other: &Path) {
    let bytes = fs::read(file).unwrap();
    fs::write(file, &bytes[..bytes.len() / 2]).unwrap();
}

fn flip(file: &Path, _other: &Path) {
    let mut bytes = fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(file, bytes).unwrap();
}

fn rename(file: &Path, _other: &Path) {
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    fs::rename(file, file.with_file_name(format!("x{name}"))).unwrap();
}

fn swap(file: &Path, other: &Path) {
    fs::copy(other, file).unwrap();
}

fn delete(file: &Path, _other: &Path) {
    fs::remove_file(file).unwrap();
}

#[test]
fn a_spoiled_file_is_named_by_verify_and_refused_by_every_later_stage() {
    let env = TestEnv::new();
    let (root, other) = (env.service("service"), env.service("other"));
    fs::write(other.join("orch.yml"), "pr: { push: false }\n").unwrap();
    env.orch(&root, &["run", REQUEST]).exits(0);
    // Another run of another request on another base: every file of it differs.
    env.git(&other, &["commit", "-q", "--allow-empty", "-m", "more"]);
    env.orch(&other, &["run", "add a health endpoint, please"]).exits(0);
    let (run, foreign) = (run_folder(&root), run_folder(&other));
    let good = files_below(&run);
    let foreign_files = files_below(&foreign);
    let spoils: [(&str, Spoil); 5] = [
        ("truncated", truncate),
        ("flipped", flip),
        ("renamed", rename),
        ("swapped", swap),
        ("deleted", delete),
    ];
    for (path, bytes) in &good {
        let written_by = STAGES.iter().position(|stage| {
            let manifest: serde_json::Value =
                serde_json::from_slice(&good[&format!("manifest/{stage}.json")]).unwrap();
            let listed = |key: &str| {
                let list = if key == "records" {
                    &manifest["body"]["records"]
                } else {
                    &manifest["body"]["link"]["outputs"]
                };
                list.as_array().unwrap().iter().any(|f| f["path"] == path.as_str())
            };
            path == &format!("manifest/{stage}.json") || listed("outputs") || listed("records")
        });
        let written_by = written_by.unwrap_or_else(|| panic!("no stage wrote {path}"));
        for (how, spoil) in spoils {
            let same = foreign_files.get(path).is_none_or(|foreign| foreign == bytes);
            if how == "swapped" && same {
                continue;
            }
            spoil(&run.join(path), &foreign.join(path));
            let said = env.orch(&root, &["artifacts", "verify"]);
            assert_eq!(said.exit, 3, "{path} {how}: {}", said.stdout);
            // Nothing rests on the last manifest: without it, what it vouched for is named instead.
            let gone = ["deleted", "renamed"].contains(&how) && path == "manifest/pr.json";
            let named = if gone { "pr.json" } else { path.as_str() };
            assert!(said.stdout.contains(named), "{path} {how}: {}", said.stdout);
            // The stages after the one that wrote it; one before and one at the end stand for the rest.
            for stage in [STAGES.get(written_by + 1), STAGES.last()].into_iter().flatten() {
                if STAGES.iter().position(|s| s == stage).unwrap() <= written_by {
                    continue;
                }
                let said = env.orch(&root, &["stage", stage]);
                assert!([2, 3].contains(&said.exit), "{path} {how}, {stage}: {}{}", said.stdout, said.stderr);
            }
            fs::remove_dir_all(&run).unwrap();
            for (path, bytes) in &good {
                let file = run.join(path);
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(file, bytes).unwrap();
            }
        }
    }
    env.orch(&root, &["artifacts", "verify"]).exits(0);
}
