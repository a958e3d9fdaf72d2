//! Policy time travel: recorded runs judged by other rules, beside what was decided then.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

use std::fs;
use std::path::{Path, PathBuf};

use orch::artifact::digest::Digest;
use serde_json::{Value, json};

use crate::env::TestEnv;

const LICENCE: &str = "add an MIT license for ACME Inc";
const EDITORCONFIG: &str = "add an .editorconfig";

/// A rule that has something against a file.
fn rule(code: &str, effect: &str, path: &str) -> String {
    let (set, package) = if effect == "deny" { ("deny", code) } else { ("warn", code) };
    let package = package.replace('/', ".");
    format!(
        "# METADATA\n# title: T\n# custom:\n#   code: {code}\n#   effect: {effect}\n#   help: H\npackage orch.{package}\n\n\
         {set} contains {{\"msg\": \"no {path}\", \"path\": f.path}} if {{\n\tsome f in input.changes\n\tf.path == \"{path}\"\n}}\n"
    )
}

fn rules(folder: &Path, files: &[(&str, String)]) -> String {
    for (path, text) in files {
        let file = folder.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    folder.display().to_string()
}

/// Two runs: a licence, which a person has to approve, and an editor config, which is allowed.
fn recorded(env: &TestEnv) -> PathBuf {
    let config = "paths:\n  protect: [LICENSE]\n";
    let root = env.repository("notes", &[("README.md", "# Notes\n"), ("orch.yml", config)]);
    env.orch(&root, &["run", LICENCE]).exits(4);
    env.orch(&root, &["run", EDITORCONFIG]).exits(0);
    root
}

fn replay(env: &TestEnv, root: &Path, words: &[&str], exit: i32) -> Value {
    let words = [&["policy", "replay", "--format", "json"], words].concat();
    env.orch(root, &words).exits(exit).json()
}

/// What became of the run whose id begins so: then, now, and what the codes tell.
fn of<'a>(document: &'a Value, start: &str) -> &'a Value {
    let mut rows = document["runs"].as_array().unwrap().iter();
    rows.find(|row| row["run"].as_str().unwrap().starts_with(start)).unwrap()
}

#[test]
fn the_same_rules_decide_the_same_and_other_rules_tell_what_would_change() {
    let env = TestEnv::new();
    let root = recorded(&env);
    let same = replay(&env, &root, &["--all", "--fail-on-change"], 0);
    assert_eq!((&same["judged"], &same["changed"], &same["codes"]), (&2.into(), &0.into(), &json!({})));
    // The recorded files are only read.
    let before = crate::env::files_below(&root.join("artifacts"));
    let bundle = rules(
        &env.path("new"),
        &[
            ("acme/editor.rego", rule("acme/editor", "deny", ".editorconfig")),
            ("acme/text.rego", rule("acme/text", "warn", "LICENSE")),
        ],
    );
    let words = ["--all", "--bundle", &bundle];
    let document = replay(&env, &root, &words, 0);
    assert_eq!(document["changed"], 1, "{document}");
    let editor = &of(&document, "add-an-editorconfig")["judged"];
    assert_eq!((&editor["then"], &editor["now"]), (&"allow".into(), &"deny".into()), "{document}");
    assert_eq!(editor["codes"]["acme/editor"]["appear"], 1, "{document}");
    let licence = &of(&document, "add-an-mit")["judged"];
    assert_eq!((&licence["then"], &licence["now"]), (&"needs-approval".into(), &"needs-approval".into()));
    assert_eq!(
        licence["codes"],
        json!({"acme/text": {"appear": 1, "vanish": 0, "differ": 0, "on_trial": 0}})
    );
    assert_ne!(document["bundle"], same["bundle"]);
    assert_eq!(replay(&env, &root, &[&words[..], &["--fail-on-change"]].concat(), 3)["changed"], 1);
    let said = env.orch(&root, &["policy", "replay", "--all", "--bundle", &bundle]).exits(0);
    for told in ["allow -> deny: 1 run", "1 of 2 runs would be decided otherwise", "acme/editor"] {
        assert!(said.stdout.contains(told), "{told}: {}", said.stdout);
    }
    assert_eq!(before, crate::env::files_below(&root.join("artifacts")));
}

#[test]
fn rules_on_trial_are_shown_and_do_not_count_and_levels_are_tried() {
    let env = TestEnv::new();
    let root = recorded(&env);
    let bundle =
        rules(&env.path("new"), &[("acme/editor.rego", rule("acme/editor", "deny", ".editorconfig"))]);
    let words = ["--all", "--fail-on-change", "--bundle", &bundle];
    let document = replay(&env, &root, &[&words[..], &["--trial"]].concat(), 0);
    assert_eq!(
        document["codes"],
        json!({"acme/editor": {"appear": 0, "vanish": 0, "differ": 0, "on_trial": 1}})
    );
    // The same by name; a warning counts and decides nothing; without either it denies.
    for (level, appear, on_trial) in [("shadow", 0, 1), ("warn", 1, 0), ("off", 0, 0)] {
        let level = format!("acme/editor={level}");
        let document = replay(&env, &root, &[&words[..], &["--level", &level]].concat(), 0);
        let moved = &document["codes"]["acme/editor"];
        let (a, t) = (moved["appear"].as_u64(), moved["on_trial"].as_u64());
        assert_eq!((a.unwrap_or_default(), t.unwrap_or_default()), (appear, on_trial), "{document}");
    }
    // A rule of then, looser and stricter.
    for (level, now, code) in [("off", "allow", "vanish"), ("deny", "deny", "differ")] {
        let level = format!("paths/protected={level}");
        let document = replay(&env, &root, &["--all", "--level", &level], 0);
        assert_eq!(of(&document, "add-an-mit")["judged"]["now"], now, "{document}");
        assert_eq!(document["codes"]["paths/protected"][code], 1, "{document}");
    }
    // The config of now in place of that of then.
    fs::write(root.join("orch.yml"), "paths:\n  protect: []\n").unwrap();
    assert_eq!(replay(&env, &root, &["--all"], 0)["changed"], 0);
    assert_eq!(replay(&env, &root, &["--all", "--now"], 0)["changed"], 1);
    for words in [
        &["--level", "acme/none=deny"][..],
        &["--level", "x"],
        &["--level", "paths/protected=harsh"],
        &["--bundle", "nowhere"],
    ] {
        env.orch(&root, &[&["policy", "replay", "--all"], words].concat()).exits(2);
    }
    env.orch(&root, &["policy", "replay"]).exits(2).says("no run is named");
}

#[test]
fn rules_come_from_a_commit_or_a_tarball_by_its_digest() {
    let env = TestEnv::new();
    let root = recorded(&env);
    let text = rule("acme/editor", "deny", ".editorconfig");
    env.git(&root, &["checkout", "-q", "-b", "rules"]);
    rules(&root, &[("policy/acme/editor.rego", text.clone())]);
    env.git(&root, &["add", "policy"]);
    env.git(&root, &["commit", "-q", "-m", "rules"]);
    env.git(&root, &["checkout", "-q", "main"]);
    assert_eq!(replay(&env, &root, &["--all", "--bundle", "rules:policy"], 0)["changed"], 1);
    env.orch(&root, &["policy", "replay", "--all", "--bundle", "main:policy"]).exits(2);
    let folder = env.path("bundle");
    rules(&folder, &[("acme/editor.rego", text)]);
    let file = env.path("rules.tar.gz").display().to_string();
    assert!(env.command("tar", &folder).args(["-czf", &file, "."]).output().unwrap().status.success());
    let digest = Digest::of(fs::read(&file).unwrap());
    let pinned = format!("{file}@{digest}");
    env.orch(&root, &["policy", "replay", "--all", "--bundle", &file]).exits(2).says(&pinned);
    assert_eq!(replay(&env, &root, &["--all", "--bundle", &pinned], 0)["changed"], 1);
    let other = format!("{file}@sha256:{}", "0".repeat(64));
    env.orch(&root, &["policy", "replay", "--all", "--bundle", &other]).exits(3).says("its digest is");
    // A rule that cannot be read denies, here as in a run.
    let broken = rules(&env.path("broken"), &[("acme/x.rego", "package orch.acme.x\n\ndeny :=\n".into())]);
    let document = replay(&env, &root, &["--all", "--bundle", &broken], 0);
    assert_eq!(document["decisions"].as_array().unwrap().iter().filter(|s| s["now"] == "deny").count(), 2);
}

#[test]
fn runs_kept_with_the_repository_are_judged_again_where_their_document_was_kept() {
    let env = TestEnv::new();
    let root = recorded(&env);
    let bundle =
        rules(&env.path("new"), &[("acme/editor.rego", rule("acme/editor", "deny", ".editorconfig"))]);
    env.orch(&root, &["runs", "keep", "add-an-editorconfig", "--document"]).exits(0);
    env.orch(&root, &["runs", "keep", "add-an-mit"]).exits(0);
    // A run that is both here and kept is one run.
    assert_eq!(replay(&env, &root, &["--all"], 0)["runs"].as_array().unwrap().len(), 2);
    fs::rename(root.join("artifacts"), env.path("away")).unwrap();
    let words = ["--all", "--bundle", &bundle];
    let document = replay(&env, &root, &words, 0);
    assert_eq!((&document["judged"], &document["not_judged"]), (&1.into(), &1.into()), "{document}");
    let editor = of(&document, "add-an-editorconfig");
    assert!(editor["run"].as_str().unwrap().contains('/'), "the state is told: {editor}");
    assert_eq!(editor["judged"]["now"], "deny");
    let why = of(&document, "add-an-mit")["not-judged"]["why"].as_str().unwrap().to_owned();
    assert!(why.contains("policy/input.json` was not kept") && why.contains("--document"), "{why}");
    let one = replay(&env, &root, &["add-an-mit", "--fail-on-change"], 2);
    assert_eq!(one["not_judged"], 1);
    assert_eq!(replay(&env, &root, &["add-an-editorconfig", "--fail-on-change"], 0)["judged"], 1);
    // The config of the base counts as that of then only where it gives the recorded key of the stage.
    let other = env.repository("other", &[("README.md", "# Notes\n")]);
    fs::write(other.join("mine.yml"), "verify:\n  flake_runs: 0\n").unwrap();
    env.orch(&other, &["run", EDITORCONFIG, "--config", "mine.yml"]).exits(0);
    env.orch(&other, &["runs", "keep", "--document"]).exits(0);
    fs::rename(other.join("artifacts"), env.path("gone")).unwrap();
    let document = replay(&env, &other, &["--all"], 0);
    let why = of(&document, "add-an-editorconfig")["not-judged"]["why"].as_str().unwrap();
    assert!(why.contains("is not the config it had"), "{why}");
}

#[test]
fn what_is_not_what_it_was_is_not_judged_and_is_named() {
    let env = TestEnv::new();
    let root = recorded(&env);
    let away = env.path("away");
    fs::rename(root.join("artifacts"), &away).unwrap();
    let folder = |start: &str| {
        let mut runs = fs::read_dir(&away).unwrap().map(|entry| entry.unwrap().path());
        runs.find(|path| path.file_name().unwrap().to_string_lossy().starts_with(start)).unwrap()
    };
    let (licence, editor) = (folder("add-an-mit"), folder("add-an-editorconfig"));
    let (licence_text, editor_text) = (licence.display().to_string(), editor.display().to_string());
    for (path, from, to) in [
        ("policy/input.json", "LICENSE", "LICENCE"),
        ("policy/verdict.json", "needs-approval", "allow"),
        ("tape/policy.jsonl", "LICENSE", "OTHER"),
    ] {
        let file = licence.join(path);
        let good = fs::read_to_string(&file).unwrap();
        let bad = good.replacen(from, to, 1);
        assert_ne!(good, bad, "{path}");
        fs::write(&file, bad).unwrap();
        let document = replay(&env, &root, &[&licence_text, &editor_text, "--fail-on-change"], 2);
        let why = of(&document, "add-an-mit")["not-judged"]["why"].as_str().unwrap();
        assert!(why.contains(path), "{why}");
        assert_eq!(of(&document, "add-an-editorconfig")["judged"]["now"], "allow");
        fs::write(&file, good).unwrap();
    }
    // A clone that lacks the base cannot tell what was waived.
    let other = env.repository("other", &[("a.txt", "a\n")]);
    let document = replay(&env, &other, &[&editor_text, "--fail-on-change"], 2);
    assert_eq!(document["not_judged"], 1, "{document}");
    // No run at all is nothing done, not a pass.
    env.orch(&other, &["policy", "replay", "--all"]).exits(78).says("There is no run");
}
