//! `orch verify`, `orch attest` and `orch runs` as a user meets them.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test may fail anywhere, its helpers too")]

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::env::{TestEnv, files_below, run_folder};

const REQUEST: &str = "add a /health endpoint";

/// Returns what each check said, by name.
fn outcomes(document: &Value) -> Vec<(String, String)> {
    let checks = document["checks"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    checks.iter().map(|check| (text(&check["name"]), text(&check["outcome"]))).collect()
}

#[test]
fn a_change_is_proven_signed_kept_and_found_by_its_commit() {
    let env = TestEnv::new();
    let root = env.service("service");
    env.orch(&root, &["run", REQUEST]).exits(0);
    let document = env.orch(&root, &["verify", "--format", "json"]).exits(0).json();
    let said = outcomes(&document);
    let open: Vec<&str> = said.iter().filter(|(_, o)| o != "held").map(|(n, _)| n.as_str()).collect();
    assert_eq!((said.len(), open), (9, vec!["signature"]), "{document}");
    assert_eq!(document["people"]["yes"], Value::Null, "{document}");

    // Keys: the private one is for its owner alone, is never written over, and comes out nowhere.
    let file = env.path("key").display().to_string();
    for algorithm in ["ed25519", "p256"] {
        let file = format!("{file}-{algorithm}");
        let made = env.orch(&root, &["attest", "keygen", &file, "--algorithm", algorithm]).exits(0);
        let secret = fs::read_to_string(&file).unwrap();
        let body = secret.lines().nth(1).unwrap();
        assert!(!made.stdout.contains(body) && !made.stderr.contains(body));
        env.orch(&root, &["attest", "keygen", &file]).exits(2).says("never written over");
        let public = format!("{file}.pub");
        env.orch(&root, &["verify", "--key", &public]).exits(3);
        let signed = env.orch(&root, &["attest", "sign", "--key", &file]).exits(0).says("attest/change.json");
        assert!(!signed.stdout.contains(body) && !signed.stderr.contains(body));
        env.orch(&root, &["verify", "--key", &public]).exits(0).says("Proven");
        env.orch(&root, &["verify", "--key", &file]).exits(2).says("private key");
    }
    // Signed again with the second key, so the first one is a stranger now.
    env.orch(&root, &["verify", "--key", &format!("{file}-ed25519.pub")])
        .exits(3)
        .says("not signed by a key");
    env.orch(&root, &["artifacts", "verify"]).exits(0);
    env.orch(&root, &["replay"]).exits(0);

    // Kept with the repository, twice the same, and no branch, index or file is touched.
    let before = (files_below(&root.join("src")), env.git(&root, &["status", "--porcelain"]));
    env.orch(&root, &["runs", "keep", "--push", "origin"]).exits(0).says("18 files");
    env.orch(&root, &["runs", "keep"]).exits(0).says("was kept");
    assert_eq!(before, (files_below(&root.join("src")), env.git(&root, &["status", "--porcelain"])));
    env.orch(&root, &["runs", "list"]).exits(0).says("add-a-health-endpoint");
    let branch = env.git(&root, &["branch", "--list", "feat/*", "--format", "%(refname:short)"]);
    let (branch, public) = (branch.trim(), format!("{file}-p256.pub"));
    let clone = env.path("clone");
    env.git(&root, &["clone", "-q", "../service.git", &clone.display().to_string()]);
    let remote = format!("origin/{branch}");
    env.orch(&clone, &["verify", &remote]).exits(2).says("orch runs fetch");
    env.orch(&clone, &["runs", "fetch"]).exits(0).says("18 files new");
    env.orch(&clone, &["verify", &remote]).exits(2).says("(needed)");
    env.orch(&clone, &["verify", &remote, "--key", &public]).exits(0).says("were not kept");

    // What people add is told apart from what the run wrote.
    env.git(&root, &["checkout", "-q", branch]);
    fs::write(root.join("NOTES.md"), "one\ntwo\n").unwrap();
    env.git(&root, &["add", "NOTES.md"]);
    env.git(&root, &["commit", "-q", "-m", "by hand"]);
    let document = env.orch(&root, &["verify", "HEAD", "--format", "json"]).exits(0).json();
    assert_eq!((&document["people"]["added"], &document["people"]["relation"]), (&2.into(), &"after".into()));
    assert_eq!(document["people"]["files"][0]["path"], "NOTES.md", "{document}");
}

/// A bundle as `actions/attest` makes one: a certificate, and of the subjects those with a SHA-256.
pub fn signed_elsewhere(predicate_type: &str, subject: &Value, predicate: &Value) -> String {
    let statement = json!({ "_type": "https://in-toto.io/Statement/v1", "subject": subject, "predicateType": predicate_type, "predicate": predicate });
    json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": { "certificate": { "rawBytes": "AA==" }, "tlogEntries": [] },
        "dsseEnvelope": {
            "payload": BASE64.encode(statement.to_string()),
            "payloadType": "application/vnd.in-toto+json",
            "signatures": [{ "sig": "AA==" }],
        },
    })
    .to_string()
}

#[test]
fn what_another_signer_signed_is_taken_only_where_it_says_what_the_run_says() {
    let env = TestEnv::new();
    let root = env.repository("notes", &[("README.md", "# Notes\n")]);
    let other = env.path("other");
    env.git(&root, &["push", "-q", "origin", "HEAD:refs/heads/main"]);
    env.git(&root, &["clone", "-q", "-b", "main", "../notes.git", &other.display().to_string()]);
    for (root, name) in [(&root, "ACME Inc"), (&other, "Example Inc")] {
        env.orch(root, &["run", &format!("add an MIT license for {name}")]).exits(0);
    }
    let out = env.path("out").display().to_string();
    env.orch(&root, &["attest", "predicate", "--out", &out]).exits(0);
    let read = |name: &str| -> Value {
        serde_json::from_slice(&fs::read(env.path("out").join(name)).unwrap()).unwrap()
    };
    let (predicate, statement) = (read("predicate.json"), read("statement.json"));
    let kind = statement["predicateType"].as_str().unwrap();
    let of_patch: Vec<&Value> = statement["subject"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|s| s["digest"]["sha256"].is_string())
        .collect();
    let patch = json!(of_patch);
    let file = env.path("bundle.json").display().to_string();
    let mut changed = predicate.clone();
    changed["policy"]["decision"] = json!("needs-approval");
    let stranger = json!([{ "name": "change.patch", "digest": { "sha256": "0".repeat(64) } }]);
    for (text, says) in [
        ("{}".to_owned(), "is no Sigstore bundle"),
        (signed_elsewhere("https://example.com/other/v1", &patch, &predicate), "is about something else"),
        (signed_elsewhere(kind, &patch, &changed), "does not say what the run"),
        (signed_elsewhere(kind, &stranger, &predicate), "does not say what the run"),
        (signed_elsewhere(kind, &json!([]), &predicate), "does not say what the run"),
    ] {
        fs::write(&file, text).unwrap();
        env.orch(&root, &["attest", "add", &file]).exits(3).says(says);
        assert!(!run_folder(&root).join("attest").exists());
    }
    fs::write(&file, signed_elsewhere(kind, &patch, &predicate)).unwrap();
    env.orch(&root, &["attest", "add", &file]).exits(0).says("attest/change.json");
    env.orch(&root, &["verify"]).exits(0).says("gh attestation verify");
    env.orch(&root, &["attest", "add", &env.path("none").display().to_string()])
        .exits(2)
        .says("cannot be read");

    // Two that keep at once, as two jobs do: what the other pushed first is joined, and nothing is lost.
    for root in [&other, &root] {
        env.orch(root, &["runs", "keep", "--push", "origin"]).exits(0);
    }
    env.orch(&other, &["runs", "fetch"]).exits(0);
    env.orch(&other, &["runs", "list"]).exits(0).says("acme-inc").says("example-inc");

    // The job is run again, on a machine that has kept nothing: another certificate says the same, and the first one stays.
    env.git(&root, &["update-ref", "-d", "refs/orch/runs"]);
    let mut again: Value = serde_json::from_str(&signed_elsewhere(kind, &patch, &predicate)).unwrap();
    again["verificationMaterial"]["certificate"]["rawBytes"] = "AAEC".into();
    fs::write(&file, again.to_string()).unwrap();
    env.orch(&root, &["attest", "add", &file]).exits(0);
    let before = env.git(&root, &["ls-remote", "origin", "refs/orch/runs"]);
    env.orch(&root, &["runs", "keep", "--push", "origin"]).exits(0).says("was kept below");
    assert_eq!(env.git(&root, &["ls-remote", "origin", "refs/orch/runs"]), before);
}

#[test]
fn what_is_no_run_is_told_with_the_way_on() {
    let env = TestEnv::new();
    let root = env.repository("notes", &[("README.md", "# Notes\n")]);
    env.orch(&root, &["verify"]).exits(2).says("there is no run");
    env.orch(&root, &["verify", "HEAD"]).exits(2).says("name no run");
    env.orch(&root, &["verify", "#12"]).exits(2).says("pull/12/head");
    env.orch(&root, &["verify", "#x"]).exits(2).says("no number");
    env.orch(&root, &["runs", "list"]).exits(0).says("No run is kept");
    env.orch(&root, &["runs", "list", "--ref", "refs/heads/x"]).exits(2).says("refs/orch/runs");
    env.orch(&root, &["attest", "kinds"]).exits(0).says("https://slsa.dev/provenance/v1");
    env.orch(&root, &["run", "add an MIT license for ACME Inc"]).exits(0);
    // Nothing a test could run against: exempt, and said so.
    env.orch(&root, &["verify"]).exits(0).says("nothing a test could run against");
    let out = env.path("out").display().to_string();
    env.orch(&root, &["attest", "predicate", "--out", &out]).exits(0).says("predicate-type: ");
    let predicate: Value =
        serde_json::from_slice(&fs::read(env.path("out/predicate.json")).unwrap()).unwrap();
    assert_eq!(predicate["policy"]["decision"], "allow", "{predicate}");
    assert_eq!(predicate["cost"], Value::Null, "what was not measured is not there");
    let sums = fs::read_to_string(env.path("out/subjects.sha256")).unwrap();
    assert!(sums.ends_with("  change.patch\n"), "{sums}");
    let schema = env.orch(&root, &["schema", "orch-change"]).exits(0).json();
    let errors: Vec<String> =
        jsonschema::validator_for(&schema).unwrap().iter_errors(&predicate).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    // A broken run is not signed.
    let key = env.path("k").display().to_string();
    env.orch(&root, &["attest", "keygen", &key]).exits(0);
    fs::write(run_folder(&root).join("plan.json"), "{}").unwrap();
    env.orch(&root, &["attest", "sign", "--key", &key]).exits(3).says("plan.json");
    env.orch(&root, &["verify"]).exits(3).says("FAILED");
    env.orch(&root, &["runs", "keep"]).exits(3).says("is not kept");
}

/// What the specifications ask of the predicates of others: in-toto/attestation, spec/predicates; slsa.dev/spec/v1.0.
fn specified(kind: &str) -> Value {
    let resource =
        json!({ "type": "object", "anyOf": [{ "required": ["uri"] }, { "required": ["digest"] }] });
    let texts = json!({ "type": "array", "items": { "type": "string" } });
    let id = json!({ "type": "object", "required": ["id"], "properties": { "id": { "type": "string", "format": "uri" } } });
    match kind {
        "test-result" => json!({
            "required": ["result", "configuration"],
            "properties": {
                "result": { "enum": ["PASSED", "WARNED", "FAILED"] },
                "configuration": { "type": "array", "minItems": 1, "items": resource },
                "passedTests": texts, "warnedTests": texts, "failedTests": texts,
            },
        }),
        "svr" => json!({
            "required": ["verifier", "timeCreated", "properties"],
            "properties": { "verifier": id, "timeCreated": { "format": "date-time" }, "properties": texts },
        }),
        "vsa" => json!({
            "required": ["verifier", "timeVerified", "resourceUri", "policy", "verificationResult", "verifiedLevels"],
            "properties": {
                "verifier": id, "timeVerified": { "format": "date-time" },
                "resourceUri": { "type": "string", "format": "uri" },
                "policy": resource, "verificationResult": { "enum": ["PASSED", "FAILED"] },
                "verifiedLevels": { "type": "array", "minItems": 1, "items": { "type": "string" } },
                "slsaVersion": { "type": "string" },
            },
        }),
        _ => json!({
            "required": ["buildDefinition", "runDetails"],
            "properties": {
                "buildDefinition": { "required": ["buildType", "externalParameters"] },
                "runDetails": { "required": ["builder"], "properties": { "builder": id } },
            },
        }),
    }
}

#[test]
fn predicates_of_others_have_the_form_their_specifications_ask_for() {
    let env = TestEnv::new();
    let predicate = |root: &std::path::Path, kind: &str| -> Value {
        let out = env.path(kind).display().to_string();
        env.orch(root, &["attest", "predicate", "--kind", kind, "--out", &out]).exits(0);
        serde_json::from_slice(&fs::read(env.path(kind).join("predicate.json")).unwrap()).unwrap()
    };
    let fits = |kind: &str, predicate: &Value| {
        let schema = jsonschema::options().should_validate_formats(true).build(&specified(kind)).unwrap();
        schema.is_valid(predicate)
    };
    let root = env.repository("notes", &[("README.md", "# Notes\n")]);
    env.orch(&root, &["run", "add an MIT license for ACME Inc"]).exits(0);
    for kind in ["provenance", "test-result", "svr", "vsa"] {
        let good = predicate(&root, kind);
        assert!(fits(kind, &good), "{kind}: {good}");
        // The check can fail: without any one of its fields it does.
        let needed = specified(kind)["required"].as_array().unwrap().clone();
        for field in needed {
            let mut less = good.clone();
            less.as_object_mut().unwrap().remove(field.as_str().unwrap()).unwrap();
            assert!(!fits(kind, &less), "{kind} without {field}");
        }
    }
    let passed = predicate(&root, "vsa");
    let told = (&passed["verificationResult"], &passed["verifiedLevels"]);
    assert_eq!(told, (&"PASSED".into(), &json!(["ORCH_POLICY_ALLOWED"])), "{passed}");
    // What waits for a person did not pass, and no rule it broke is vouched for.
    let config = "paths:\n  protect: [LICENSE]\n";
    let root = env.repository("held", &[("README.md", "# Notes\n"), ("orch.yml", config)]);
    env.orch(&root, &["run", "add an MIT license for ACME Inc"]).exits(4);
    let failed = predicate(&root, "vsa");
    assert_eq!(
        (&failed["verificationResult"], &failed["verifiedLevels"]),
        (&"FAILED".into(), &json!(["FAILED"]))
    );
    assert!(fits("vsa", &failed));
    let out = env.path("none").display().to_string();
    env.orch(&root, &["attest", "predicate", "--kind", "svr", "--out", &out]).exits(2);
}

/// Lets an implementation of others check statements; `None` where it is not here.
pub fn checked_by_others(
    env: &TestEnv,
    variable: &str,
    script: &str,
    public: &str,
    attest: &Path,
) -> Option<usize> {
    let Ok(found) = std::env::var(variable) else {
        eprintln!("SKIPPED: {variable} is not set; `tests/stand-ins/run` sets it");
        return None;
    };
    let mut statements: Vec<_> = fs::read_dir(attest).unwrap().flatten().map(|entry| entry.path()).collect();
    statements.sort();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stand-ins").join(script);
    let mut command = if script.extension().is_some_and(|extension| extension == "cjs") {
        let mut node = env.command("node", &env.path(""));
        node.env("NODE_PATH", found);
        node
    } else {
        env.command(found, &env.path(""))
    };
    let output = command.arg(script).arg(public).args(statements).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    Some(said.lines().filter(|line| line.starts_with("verified ")).count())
}

fn verified_by(variable: &str, script: &str) {
    let env = TestEnv::new();
    let root = env.service("service");
    env.orch(&root, &["run", REQUEST]).exits(0);
    for algorithm in ["ed25519", "p256"] {
        let key = env.path(algorithm).display().to_string();
        env.orch(&root, &["attest", "keygen", &key, "--algorithm", algorithm]).exits(0);
        env.orch(&root, &["attest", "sign", "--key", &key]).exits(0);
        let attest = run_folder(&root).join("attest");
        let checked = checked_by_others(&env, variable, script, &format!("{key}.pub"), &attest);
        assert!(checked.is_none_or(|checked| checked == 5), "{checked:?}");
    }
}

#[test]
#[ignore = "needs Python packages: tests/stand-ins/run dsse"]
fn reference_implementations_verify_what_is_signed() {
    verified_by("ORCH_STAND_IN_DSSE", "dsse/check.py");
}

#[test]
#[ignore = "needs npm packages: tests/stand-ins/run sigstore"]
fn sigstores_libraries_verify_what_is_signed() {
    verified_by("ORCH_STAND_IN_SIGSTORE", "sigstore/check.cjs");
}
