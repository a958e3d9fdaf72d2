//! Bundles of an organisation: pinned, fetched by a command, checked at every load.

use std::fs;
use std::path::Path;

use orch::artifact::digest::Digest;

use crate::env::TestEnv;

const RULE: &str = "# METADATA\n# title: T\n# custom:\n#   code: acme/rule\n#   effect: deny\n#   help: H\npackage orch.acme.rule\n\ndeny contains \"no\" if count(input.changes) > 100\n";

fn configured(env: &TestEnv, root: &Path, pack: &str) {
    fs::write(root.join("orch.yml"), format!("policy:\n  packs:\n    - {pack}\n")).unwrap();
    env.git(root, &["add", "orch.yml"]);
    env.git(root, &["commit", "-q", "-m", "pin"]);
}

/// The only file that was put by.
fn kept(root: &Path) -> std::path::PathBuf {
    let folder = fs::read_dir(root.join(".orch/bundles")).unwrap();
    let mut files: Vec<_> =
        folder.map(|e| e.unwrap().path()).filter(|p| !p.ends_with(".gitignore")).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}

#[test]
fn a_commit_of_another_repository_gives_rules() {
    let env = TestEnv::new();
    let shared = env.repository("shared", &[("rules/acme/rule.rego", RULE), ("README.md", "x\n")]);
    let commit = env.git(&shared, &["rev-parse", "HEAD"]).trim().to_owned();
    let root = env.repository("repo", &[("a.txt", "a\n")]);
    configured(&env, &root, &format!("{{git: ../shared, ref: {commit}, folder: rules}}"));
    env.orch(&root, &["policy", "explain"]).exits(2).says("orch policy fetch");
    env.orch(&root, &["policy", "fetch"]).exits(0).says("1 files of rules, fetched");
    env.orch(&root, &["policy", "fetch"]).exits(0).says("here already");
    let rules = env.orch(&root, &["policy", "explain", "acme/rule", "--format", "json"]).exits(0).json();
    assert_eq!(
        rules["source"].as_str(),
        Some(format!("bundle:shared@{}/acme/rule.rego", &commit[..12]).as_str())
    );
    assert_eq!(env.git(&root, &["status", "--porcelain"]), "", "git does not see what was put by");
    // Once the other repository is gone, what was put by still holds.
    fs::rename(&shared, env.path("gone")).unwrap();
    env.orch(&root, &["policy", "explain", "acme/rule"]).exits(0);
    let file = kept(&root);
    let bytes = fs::read(&file).unwrap();
    let at = bytes.windows(5).position(|window| window == b"> 100").unwrap();
    let mut forged = bytes.clone();
    forged[at + 2] = b'9';
    fs::write(&file, forged).unwrap();
    env.orch(&root, &["policy", "explain"]).exits(3).says("is not what orch.yml pins");
    fs::write(&file, &bytes[..bytes.len() - 3]).unwrap();
    env.orch(&root, &["policy", "explain"]).exits(3);
    configured(&env, &root, &format!("{{git: ../gone, ref: {commit}, folder: nowhere}}"));
    env.orch(&root, &["policy", "fetch"]).exits(2).says("no folder `nowhere`");
    let other = "0123456789abcdef0123456789abcdef01234567";
    configured(&env, &root, &format!("{{git: ../gone, ref: '{other}'}}"));
    env.orch(&root, &["policy", "fetch"]).exits(3).says("is not in the repository");
}

#[test]
fn a_tarball_is_held_to_its_digest() {
    let env = TestEnv::new();
    let bundle = env.path("bundle");
    let write = |path: &str, text: &str| {
        fs::create_dir_all(bundle.join(path).parent().unwrap()).unwrap();
        fs::write(bundle.join(path), text).unwrap();
    };
    write("acme/rule.rego", RULE);
    write(".manifest", "{\"roots\": [\"orch/acme\"]}");
    write("data.json", "{}");
    let root = env.repository("repo", &[("a.txt", "a\n")]);
    let pack = |name: &str| {
        let file = env.path(name);
        let made = env.command("tar", &bundle).args(["-czf", file.to_str().unwrap(), "."]).output().unwrap();
        assert!(made.status.success());
        Digest::of(fs::read(&file).unwrap()).hex().to_owned()
    };
    let digest = pack("rules.tar.gz");
    configured(&env, &root, &format!("{{file: ../rules.tar.gz, sha256: '{digest}'}}"));
    env.orch(&root, &["policy", "explain"]).exits(2).says("orch policy fetch");
    env.orch(&root, &["policy", "fetch"]).exits(0).says("1 files of rules");
    env.orch(&root, &["policy", "explain", "acme/rule"]).exits(0).says("bundle:rules.tar.gz/acme/rule.rego");
    fs::write(kept(&root), b"something else").unwrap();
    env.orch(&root, &["policy", "explain"]).exits(3).says("its digest is");
    fs::write(env.path("rules.tar.gz"), b"something else").unwrap();
    env.orch(&root, &["policy", "fetch"]).exits(3).says("its digest is");
    // A document that cannot be used would leave rules without what they read.
    write("data.json", "{\"orch\": 1}");
    let digest = pack("data.tar.gz");
    configured(&env, &root, &format!("{{file: ../data.tar.gz, sha256: '{digest}'}}"));
    env.orch(&root, &["policy", "fetch"]).exits(2).says("where rules stand");
    fs::remove_file(bundle.join("data.json")).unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("/etc/passwd", bundle.join("x.rego")).unwrap();
        let digest = pack("link.tar.gz");
        configured(&env, &root, &format!("{{file: ../link.tar.gz, sha256: '{digest}'}}"));
        env.orch(&root, &["policy", "fetch"]).exits(2).says("is a link");
        fs::remove_file(bundle.join("x.rego")).unwrap();
    }
    // A bomb: 80 MB of nothing.
    fs::write(bundle.join("zeros.rego"), vec![b'\n'; 80 << 20]).unwrap();
    let digest = pack("bomb.tar.gz");
    configured(&env, &root, &format!("{{file: ../bomb.tar.gz, sha256: '{digest}'}}"));
    env.orch(&root, &["policy", "fetch"]).exits(2).says("unpacks to more than");
}

const READER: &str = "# METADATA\n# title: T\n# custom:\n#   code: acme/rule\n#   effect: deny\n#   help: H\npackage orch.acme.rule\n\ndeny contains {\"msg\": sprintf(\"`%s` is frozen\", [change.path]), \"path\": change.path} if {\n\tsome change in input.changes\n\tchange.path in data.acme.teams.frozen\n}\n";

const READER_TEST: &str = "package orch.acme.rule_test\n\nimport data.orch.acme.rule\n\ntest_frozen if count(rule.deny) == 1 with input as {\"changes\": [{\"path\": \"a.txt\"}]}\n";

#[test]
fn documents_of_a_pack_are_data_to_its_rules() {
    let env = TestEnv::new();
    let rule = |read: &str| READER.replace("teams.frozen", read);
    let root = env.repository(
        "repo",
        &[
            ("a.txt", "a\n"),
            ("rules/rule.rego", READER),
            ("rules/rule_test.rego", READER_TEST),
            ("rules/acme/data.yaml", "teams: {frozen: [a.txt]}\n"),
            ("orch.yml", "policy:\n  packs: [rules]\n"),
        ],
    );
    env.orch(&root, &["policy", "test", "rules", "-d", "rules"]).exits(0);
    let judge = || env.orch(&root, &["stage", "policy", "--staged", "--format", "json"]);
    fs::write(root.join("a.txt"), "b\n").unwrap();
    env.git(&root, &["add", "-A"]);
    let denied = judge().exits(3).json();
    assert_eq!(denied["findings"][0]["message"], "`a.txt` is frozen");
    env.git(&root, &["reset", "-q", "--hard"]);
    let commit = |path: &str, text: &str| {
        fs::write(root.join(path), text).unwrap();
        env.git(&root, &["add", "-A"]);
        env.git(&root, &["commit", "-q", "-m", "rules"]);
        fs::write(root.join("a.txt"), "b\n").unwrap();
        env.git(&root, &["add", "a.txt"]);
        let verdict = judge();
        env.git(&root, &["reset", "-q", "--hard"]);
        verdict
    };
    // Other data: another answer, and rules of another digest.
    let allowed = commit("rules/acme/data.yaml", "teams: {frozen: [b.txt]}\n").exits(0).json();
    assert_ne!(denied["bundle"], allowed["bundle"]);
    env.orch(&root, &["policy", "test", "rules", "-d", "rules"]).exits(6).says("test_frozen");
    // What is not there, broken or twice denies, and says so.
    let misspelt = commit("rules/rule.rego", &rule("teams.frosen")).exits(3).json();
    assert!(misspelt["findings"][0]["message"].as_str().unwrap().contains("is not defined"), "{misspelt}");
    for (text, why) in
        [("teams: [", "is not YAML"), ("- a", "is not defined"), ("orch: {}", "is not defined")]
    {
        let broken = commit("rules/acme/data.yaml", text).exits(3).json();
        let findings = broken["findings"].as_array().unwrap();
        assert!(findings.iter().any(|f| f["message"].as_str().unwrap().contains(why)), "{text}: {broken}");
    }
    commit("rules/acme/data.yaml", "teams: {frozen: [a.txt]}\n");
    commit("rules/rule.rego", READER).exits(3).says("is frozen");
    let twice = commit("rules/data.json", "{\"acme\": {\"teams\": {\"frozen\": []}}}").exits(3);
    twice.says("another value");
}

#[test]
fn a_bundle_cannot_take_the_place_of_an_embedded_rule() {
    let env = TestEnv::new();
    let fake = "# METADATA\n# title: T\n# custom:\n#   code: paths/git\n#   effect: deny\n#   help: H\npackage orch.paths.git\n\ndeny contains \"no\" if count(input.changes) > 100\n";
    let shared = env.repository("shared", &[("git.rego", fake), ("rule.rego", RULE)]);
    let commit = env.git(&shared, &["rev-parse", "HEAD"]).trim().to_owned();
    let root = env.repository("repo", &[("a.txt", "a\n")]);
    configured(&env, &root, &format!("{{git: ../shared, ref: {commit}}}"));
    env.orch(&root, &["policy", "fetch"]).exits(0);
    let all = env.orch(&root, &["policy", "explain", "--format", "json"]).exits(0).json();
    assert!(all["broken"][0]["why"].as_str().unwrap().contains("is there already"), "{}", all["broken"]);
    let own = all["rules"].as_array().unwrap().iter().find(|rule| rule["code"] == "paths/git").unwrap();
    assert_eq!(own["source"], "orch:paths/git/git.rego");
}

#[test]
fn packs_that_are_not_pinned_are_refused_with_their_place() {
    let env = TestEnv::new();
    let root = env.repository("repo", &[("a.txt", "a\n")]);
    for (pack, words) in [
        ("{git: ../shared, ref: main}", "is not the full commit id"),
        ("{git: ../shared}", "has no `ref`"),
        ("{file: x.tar.gz}", "has no `sha256`"),
        ("{url: x}", "has neither `git` nor `file`"),
        ("{git: 'ext::sh -c id', ref: 0123456789abcdef0123456789abcdef01234567}", "helper program"),
        ("[a]", "must be a pack"),
    ] {
        fs::write(root.join("orch.yml"), format!("policy:\n  packs:\n    - {pack}\n")).unwrap();
        env.orch(&root, &["policy", "explain"]).exits(2).says(words).says("orch.yml:3");
    }
}
