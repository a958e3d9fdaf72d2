//! The statements of a release, signed through the program, checked by implementations of others.

use std::fs;

use serde_json::{Value, json};

use super::NOW;
use super::cli::Service;
use crate::proof::{checked_by_others, signed_elsewhere};

/// What the job `proof` does, with a signer that knows no digests but SHA-256, and what others make of it without the folder.
#[test]
fn a_release_is_signed_elsewhere_kept_and_judged_again_without_its_folder() {
    let service = Service::by_run();
    service.inputs(NOW - 60, ("0.040", 4000), ("0.010", 4000));
    service.deployed();
    service.gate(NOW, &["--deployed"]).exits(3);
    service.orch(NOW + 30, &["stage", "rollback"]).exits(0);
    let (env, root) = (&service.env, &service.root);
    let out = env.path("attest").display().to_string();
    service.orch(NOW, &["attest", "predicate", "--out", &out]).exits(0).says("/orch-release/v1");
    let read = |name: &str| fs::read_to_string(env.path("attest").join(name)).unwrap();
    let statement: Value = serde_json::from_str(&read("statement.json")).unwrap();
    // Each line becomes a subject; evidence and decision are among them, so there always is one.
    let sums = read("subjects.sha256");
    let subjects: Vec<Value> = sums
        .lines()
        .map(|line| line.split_once("  ").unwrap())
        .map(|(hex, name)| json!({ "name": name, "digest": { "sha256": hex } }))
        .collect();
    let names: Vec<&str> = subjects.iter().map(|subject| subject["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["ghcr.io/acme/app", "release/evidence.json", "release/decision.json"]);
    let kind = statement["predicateType"].as_str().unwrap();
    let bundle = env.path("bundle.json");
    let predicate = &statement["predicate"];
    let sign = |subjects: &Value, predicate: &Value| {
        fs::write(&bundle, signed_elsewhere(kind, subjects, predicate)).unwrap();
        service.orch(NOW, &["attest", "add", &bundle.display().to_string()])
    };
    let mut promoted = predicate.clone();
    promoted["outcome"] = json!("promote");
    sign(&json!(subjects), &promoted).exits(3).says("does not say what the run");
    sign(&json!([{ "name": "ghcr.io/acme/app", "digest": { "sha256": "0".repeat(64) } }]), predicate)
        .exits(3);
    sign(&json!(subjects), predicate).exits(0).says("attest/release.json");
    service.orch(NOW, &["runs", "keep", "--push", "origin"]).exits(0);
    let kept = env.git(&env.path("shop.git"), &["ls-tree", "-r", "--name-only", "refs/orch/runs"]);
    for file in
        ["release/evidence.json", "release/decision.json", "release/rollback.json", "attest/release.json"]
    {
        assert!(kept.contains(file), "{kept}");
    }
    assert!(!kept.contains("tape/"), "{kept}");

    // Another clone: the decision is judged again from what was kept; who signed it, another program tells.
    let run = service.folder().file_name().unwrap().to_string_lossy().into_owned();
    env.git(root, &["push", "-q", "origin", "HEAD:refs/heads/main"]);
    let clone = env.path("clone");
    env.git(root, &["clone", "-q", "-b", "main", "../shop.git", &clone.display().to_string()]);
    env.orch(&clone, &["verify", &run]).exits(2).says("neither a run nor a commit");
    env.orch(&clone, &["runs", "fetch"]).exits(0);
    let document = env.orch(&clone, &["verify", &run, "--format", "json"]).exits(2).json();
    let check = |name: &str| {
        let checks = document["checks"].as_array().unwrap();
        checks.iter().find(|check| check["name"] == name).unwrap().clone()
    };
    assert_eq!((&check("release")["outcome"], &check("acts")["outcome"]), (&"held".into(), &"held".into()));
    assert!(check("release")["what"].as_str().unwrap().contains("was not kept"), "{document}");
    assert!(check("signature")["why"].as_str().unwrap().contains("gh attestation verify"), "{document}");
    // With a key that is trusted nothing is left open.
    let key = env.path("key").display().to_string();
    service.orch(NOW, &["attest", "keygen", &key]).exits(0);
    service.orch(NOW, &["attest", "sign", "--key", &key]).exits(0);
    // What was kept is never changed: another signature of the same state is kept below another ref.
    service.orch(NOW, &["runs", "keep"]).exits(2).says("with other content");
    let other = ["--ref", "refs/orch/signed"];
    service.orch(NOW, &[&["runs", "keep", "--push", "origin"], &other[..]].concat()).exits(0);
    env.orch(&clone, &[&["runs", "fetch"], &other[..]].concat()).exits(0);
    let public = format!("{key}.pub");
    env.orch(&clone, &[&["verify", &run, "--key", &public], &other[..]].concat()).exits(0).says("Proven");
}

/// A release that was promoted, signed with both kinds of keys.
fn verified_by(variable: &str, script: &str) {
    let service = Service::new();
    service.inputs(NOW - 60, ("0.010", 4000), ("0.010", 4000));
    service.gate(NOW, &["--deployed"]).exits(0);
    service.orch(NOW + 30, &["stage", "promote"]).exits(0);
    for algorithm in ["ed25519", "p256"] {
        let key = service.env.path(algorithm).display().to_string();
        service.orch(NOW, &["attest", "keygen", &key, "--algorithm", algorithm]).exits(0);
        service.orch(NOW, &["attest", "sign", "--key", &key]).exits(0).says("attest/release.json");
        let public = format!("{key}.pub");
        service.orch(NOW, &["verify", "--key", &public]).exits(0).says("a promotion of what was decided");
        let checked =
            checked_by_others(&service.env, variable, script, &public, &service.folder().join("attest"));
        assert!(checked.is_none_or(|checked| checked == 2), "{checked:?}");
    }
}

#[test]
#[ignore = "needs Python packages: tests/stand-ins/run dsse"]
fn reference_implementations_verify_a_release() {
    verified_by("ORCH_STAND_IN_DSSE", "dsse/check.py");
}

#[test]
#[ignore = "needs npm packages: tests/stand-ins/run sigstore"]
fn sigstores_libraries_verify_a_release() {
    verified_by("ORCH_STAND_IN_SIGSTORE", "sigstore/check.cjs");
}
