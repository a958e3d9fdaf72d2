//! Recorded runs of a shop, and what its models say when they are asked again.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::env::{Said, TestEnv};
use crate::model_runs::world::*;

/// A shop with a test of its own, one round, and a file that only a person may let through.
pub fn shop_for_upgrades(env: &TestEnv, name: &str, more: &str) -> PathBuf {
    let (alpha, beta) = readme();
    let root = shop(env, name, &alpha, &beta);
    let config = format!(
        "commands:\n  test: [\"sh test.sh\"]\nverify:\n  rounds: 1\npaths:\n  protect: [LICENSE]\n{more}"
    );
    fs::write(root.join("orch.yml"), config).unwrap();
    fs::create_dir_all(root.join("tests")).unwrap();
    fs::write(root.join("tests/price.sh"), ". ./price.sh\n[ \"$(unit_price 4)\" = 4 ]\n").unwrap();
    env.git(&root, &["add", "-A"]);
    env.git(&root, &["commit", "-q", "-m", "shop"]);
    root
}

/// The request of a recorded run.
pub fn request(n: usize) -> String {
    format!("add a README section no-{n}.")
}

/// Records so many runs, all of them allowed.
pub fn record(env: &TestEnv, root: &Path, runs: usize) {
    for n in 0..runs {
        let (alpha, beta) = readme();
        says(root, "alpha", &alpha);
        says(root, "beta", &beta);
        run(env, root, &request(n), &[]).exits(0);
    }
}

/// The same entry for so many tokens.
pub fn costs(mut entry: Value, input: u64, output: u64) -> Value {
    entry["usage"]["input"] = input.into();
    entry["usage"]["output"] = output.into();
    entry
}

/// A candidate in place of the prompt that asks for edits, told by one word.
pub fn prompt(word: &str) -> String {
    let own = include_str!("../../../prompts/generate.implement.md");
    let worded =
        own.replace("Make the edits of the plan so", &format!("{word} make the edits of the plan so"));
    let worded = worded.replace("version: 2", "version: 3");
    assert_ne!(own, worded);
    worded
}

/// Proposes a candidate and returns the id of the upgrade.
#[track_caller]
pub fn propose(env: &TestEnv, root: &Path, words: &[&str]) -> String {
    let words = [&["upgrade", "propose", "--format", "json"], words].concat();
    let said = env.orch(root, &words).exits(0).json();
    said["upgrade"].as_str().unwrap().to_owned()
}

pub fn evaluate(env: &TestEnv, root: &Path, id: &str, more: &[&str]) -> Said {
    env.orch(root, &[&["upgrade", "evaluate", id], more].concat())
}

/// What is known of an upgrade.
#[track_caller]
pub fn shown(env: &TestEnv, root: &Path, id: &str) -> Value {
    env.orch(root, &["upgrade", "show", id, "--format", "json"]).exits(0).json()
}

/// The outcome of a control.
#[track_caller]
pub fn control(shown: &Value, name: &str) -> String {
    let mut controls = shown["decision"]["controls"].as_array().unwrap().iter();
    let found = controls.find(|control| control["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {shown}"))["outcome"].as_str().unwrap().to_owned()
}

/// Writes a document again in canonical form, with a value changed, as somebody who wants another decision would.
pub fn forge(root: &Path, id: &str, document: &str, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let path = root.join("artifacts").join(id).join(document);
    let good = fs::read(&path).unwrap();
    let mut value: Value = serde_json::from_slice(&good).unwrap();
    change(&mut value);
    fs::write(&path, orch::artifact::digest::canonical_json(&value).unwrap()).unwrap();
    good
}

/// A build that is asked for by the word of a candidate.
pub fn builds(word: &str, answer: Value) -> Value {
    costs(entry(word, answer), 1000, 250)
}

/// The run whose request has this number.
#[track_caller]
pub fn row(shown: &Value, n: usize) -> Value {
    let mut rows = shown["evaluation"]["runs"].as_array().unwrap().iter();
    let wanted = format!("no-{n}-");
    rows.find(|row| row["run"].as_str().unwrap().contains(&wanted)).unwrap().clone()
}

/// Nothing to say against it.
pub fn fine() -> Value {
    judges(&json!([]))
}
