//! Approvals through the program: what they hold for, who gives them, and when they are over.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::env::{TestEnv, run_folder, said};
use crate::intake_events::hub::Hub;
use crate::intake_events::{Runner, fixture};

/// Two hours after the fixed clock of the tests began to stand still.
const LATER: &str = "1767232800";
/// 73 hours after.
const MUCH_LATER: &str = "1767488400";

const REQUEST: &str = "add an MIT license for \"ACME Inc.\"";
const CONFIG: &str = "paths:\n  protect: [LICENSE]\n";

fn shop(env: &TestEnv, name: &str, config: &str) -> PathBuf {
    env.repository(name, &[("README.md", "A shop.\n"), ("orch.yml", config)])
}

fn body(root: &Path, file: &str) -> Value {
    let bytes = fs::read(run_folder(root).join(file)).unwrap();
    serde_json::from_slice::<Value>(&bytes).unwrap()["body"].clone()
}

/// The digest that `approval.md` says is to be given.
fn digest(root: &Path) -> String {
    let text = fs::read_to_string(run_folder(root).join("approval.md")).unwrap();
    text.lines().find_map(|line| line.strip_prefix("/orch approve ")).unwrap().to_owned()
}

#[test]
fn an_approval_takes_the_draft_away_and_holds_for_one_change() {
    let env = TestEnv::new();
    let root = shop(&env, "shop", CONFIG);
    env.orch(&root, &["run", REQUEST]).exits(4);
    assert_eq!(body(&root, "pr.json")["draft"], true);
    let said = env.orch(&root, &["stage", "approve"]).exits(4);
    for part in ["paths/protected", "What the change claims", "Rollback", "/orch approve sha256:"] {
        assert!(said.stdout.contains(part), "{part} in:\n{}", said.stdout);
    }
    let digest = digest(&root);
    let text = fs::read_to_string(run_folder(&root).join("pr.md")).unwrap();
    assert!(text.contains(&format!("/orch approve {digest}")), "{text}");
    for wrong in [&digest[..30], "sha256:", &format!("sha256:{}", "0".repeat(64)), "yes"] {
        env.orch(&root, &["stage", "approve", "--digest", wrong]).exits(3);
    }
    env.orch(&root, &["stage", "approve", "--digest", &digest]).exits(0);
    let approval = body(&root, "approval.json");
    assert_eq!(approval["findings"][0]["code"], "paths/protected");
    assert_eq!(approval["expires_at"], "2026-01-04T00:00:00Z");
    env.orch(&root, &["stage", "pr"]).exits(0);
    assert_eq!(body(&root, "pr.json")["draft"], false);
    let text = fs::read_to_string(run_folder(&root).join("pr.md")).unwrap();
    assert!(text.contains("approved `sha256:") && !text.contains("/orch approve"), "{text}");
    env.orch(&root, &["artifacts", "verify"]).exits(0);
    env.orch(&root, &["replay", run_folder(&root).to_str().unwrap()]).exits(0);

    // Another verdict is another change: nothing of the approval is left.
    fs::write(root.join("orch.yml"), "paths:\n  protect: [LICENSE, README.md]\n").unwrap();
    let again = env.orch(&root, &["stage", "policy"]);
    assert!([0, 4].contains(&again.exit), "{}", again.stderr);
    assert!(!run_folder(&root).join("approval.json").exists());
    env.orch(&root, &["stage", "pr"]).exits(0);
    assert_eq!(body(&root, "pr.json")["draft"], true);
    env.orch(&root, &["stage", "approve", "--digest", &digest]).exits(3).says("not that of what is here now");
}

#[test]
fn an_approval_ends() {
    let env = TestEnv::new();
    let root = shop(&env, "shop", CONFIG);
    env.orch(&root, &["run", REQUEST, "--until", "policy"]).exits(4);
    env.orch(&root, &["stage", "approve"]).exits(4);
    env.orch(&root, &["stage", "approve", "--digest", &digest(&root)]).exits(0);
    let mut late = env.orch_command(&root, &["stage", "pr"]);
    late.env("SOURCE_DATE_EPOCH", MUCH_LATER);
    said(late).exits(0).says("has expired");
    assert_eq!(body(&root, "pr.json")["draft"], true);
    // Given again, it is a new one.
    for args in [&["stage", "approve", "--digest", &digest(&root)][..], &["stage", "pr"]] {
        let mut again = env.orch_command(&root, args);
        again.env("SOURCE_DATE_EPOCH", MUCH_LATER);
        said(again).exits(0);
    }
    assert_eq!(body(&root, "pr.json")["draft"], false);
}

#[test]
fn what_needs_no_person_is_not_approved_and_what_is_denied_cannot_be() {
    let env = TestEnv::new();
    let free = shop(&env, "free", "");
    env.orch(&free, &["run", REQUEST]).exits(0);
    env.orch(&free, &["stage", "approve"]).exits(78);
    let denied =
        shop(&env, "denied", "paths:\n  protect: [LICENSE]\npolicy:\n  levels:\n    paths/protected: deny\n");
    env.orch(&denied, &["run", REQUEST]).exits(3);
    env.orch(&denied, &["stage", "approve"]).exits(3);
}

#[test]
fn no_approval_is_made_by_a_bent_file() {
    let env = TestEnv::new();
    let root = shop(&env, "shop", CONFIG);
    env.orch(&root, &["run", REQUEST]).exits(4);
    env.orch(&root, &["stage", "approve"]).exits(4);
    env.orch(&root, &["stage", "approve", "--digest", &digest(&root)]).exits(0);
    let file = run_folder(&root).join("approval.json");
    let good = fs::read_to_string(&file).unwrap();
    for (from, to) in [("2026-01-04", "2036-01-04"), ("paths/protected", "paths/protectee")] {
        fs::write(&file, good.replacen(from, to, 1)).unwrap();
        env.orch(&root, &["stage", "pr"]).exits(3);
    }
    fs::remove_file(&file).unwrap();
    env.orch(&root, &["stage", "pr"]).exits(3);
}

/// A run that was started by a label of the maintainer on a stranger's issue, and waits for a person.
fn from_an_issue(env: &TestEnv, hub: &Hub, name: &str) -> PathBuf {
    let root = shop(env, name, CONFIG);
    let mut event = fixture("ordinary-label.issues");
    event["issue"]["user"] = fixture("15-markdown-exfiltration.issues")["issue"]["user"].clone();
    hub.as_in(&event);
    let runner = Runner { env, root: &root, hub };
    runner.says("issues", &event, &["stage", "intake"]).exits(0);
    env.orch(&root, &["run", "--from-artifacts", run_folder(&root).to_str().unwrap()]).exits(4);
    env.orch(&root, &["stage", "approve"]).exits(4);
    root
}

fn comment(by: &Value, digest: &str, at: &str) -> Value {
    let mut event = fixture("ordinary-approve.issue_comment");
    event["comment"]["body"] = json!(format!("/orch approve {digest}"));
    event["comment"]["created_at"] = json!(at);
    event["comment"]["user"] = by.clone();
    event["sender"] = by.clone();
    event
}

#[test]
fn a_comment_approves_for_another_person_who_may() {
    let env = TestEnv::new();
    let hub = Hub::new();
    hub.person("mate", "write").person("reader", "read").person("outsider", "write");
    let root = from_an_issue(&env, &hub, "shop");
    let digest = digest(&root);
    let runner = Runner { env: &env, root: &root, hub: &hub };
    let person = |id: u64, login: &str| json!({"id": id, "login": login, "type": "User"});
    let at = "2025-12-31T23:00:00Z";
    let approve = |by: &Value, digest: &str, at: &str| {
        let event = comment(by, digest, at);
        hub.as_in(&event);
        runner.says("issue_comment", &event, &["stage", "approve"])
    };
    // Who asked, who wrote the request, who may not, a program, one that only looks like a person.
    approve(&person(1001, "maintainer"), &digest, at).exits(3).says("cannot approve it");
    approve(&person(2002, "outsider"), &digest, at).exits(3).says("cannot approve it");
    approve(&person(3, "reader"), &digest, at).exits(3).says("`write` is needed");
    approve(&json!({"id": 9, "login": "evil[bot]", "type": "Bot"}), &digest, at).exits(3).says("no person");
    approve(&json!({"id": 9, "login": "evil[bot]", "type": "User"}), &digest, at).exits(3).says("no person");
    let mate = person(1002, "mate");
    approve(&mate, &format!("sha256:{}", "0".repeat(64)), at).exits(3).says("not that of what is here now");
    // Too old, or from the future: an old workflow that runs again makes nothing younger.
    approve(&mate, &digest, "2025-12-28T23:00:00Z").exits(3).says("expired");
    approve(&mate, &digest, "2026-01-02T00:00:00Z").exits(3).says("future");
    // A runner has nobody at its keyboard, and who is at one is not who asked on the forge.
    let label = fixture("ordinary-label.issues");
    runner
        .says("issues", &label, &["stage", "approve", "--digest", &digest])
        .exits(2)
        .says("cannot approve by itself");
    env.orch(&root, &["stage", "approve", "--digest", &digest]).exits(3).says("approved there");
    assert!(!run_folder(&root).join("approval.json").exists());

    approve(&mate, &digest, at).exits(0);
    let approval = body(&root, "approval.json");
    assert_eq!(approval["by"]["account"]["login"], "mate");
    assert_eq!(approval["expires_at"], "2026-01-03T23:00:00Z");
    env.orch(&root, &["stage", "pr"]).exits(0);
    assert_eq!(body(&root, "pr.json")["draft"], false);
    // It never wrote to the forge.
    assert!(hub.asked().iter().all(|(ask, _)| ask.starts_with("GET ")), "{:?}", hub.asked());
}

#[test]
fn an_edited_or_deleted_comment_approves_nothing() {
    let env = TestEnv::new();
    let hub = Hub::new();
    hub.person("mate", "write");
    let root = from_an_issue(&env, &hub, "shop");
    let runner = Runner { env: &env, root: &root, hub: &hub };
    let mate = json!({"id": 1002, "login": "mate", "type": "User"});
    let event = comment(&mate, &digest(&root), "2025-12-31T23:00:00Z");
    let path = "GET /repos/acme/shop/issues/comments/7020";
    for (status, now) in [(404, json!({"message": "Not Found"})), (200, json!("I take it back"))] {
        let mut there = event["comment"].clone();
        if status == 200 {
            there["body"] = now.clone();
        }
        hub.as_in(&event).put(path, status, if status == 200 { there } else { now });
        runner.says("issue_comment", &event, &["stage", "approve"]).exits(3);
    }
}

#[test]
fn an_environment_approves_by_the_person_who_let_the_run_go_on() {
    let env = TestEnv::new();
    let hub = Hub::new();
    hub.person("mate", "write");
    let root = from_an_issue(&env, &hub, "shop");
    let config = format!("{CONFIG}approve:\n  environment: change-approval\n");
    let runner = Runner { env: &env, root: &root, hub: &hub };
    let event = fixture("ordinary-label.issues");
    let approvals = "GET /repos/acme/shop/actions/runs/77/approvals";
    let given = |state: &str, login: &str, id: u64, kind: &str, environment: &str| {
        json!([{"state": state, "comment": "", "environments": [{"id": 1, "name": environment}],
            "user": {"id": id, "login": login, "type": kind}}])
    };
    let says = |args: &[&str]| runner.says("issues", &event, args);
    says(&["stage", "approve", "--environment"]).exits(3).says("approve.environment");
    fs::write(root.join("orch.yml"), config).unwrap();
    for (answer, why) in [
        (json!([]), "nobody approved"),
        (given("rejected", "mate", 1002, "User", "change-approval"), "nobody approved"),
        (given("approved", "mate", 1002, "User", "production"), "nobody approved"),
        (given("approved", "maintainer", 1001, "User", "change-approval"), "cannot approve it"),
        (given("approved", "evil[bot]", 9, "Bot", "change-approval"), "no person"),
    ] {
        hub.put(approvals, 200, answer);
        says(&["stage", "approve", "--environment"]).exits(3).says(why);
    }
    hub.put(approvals, 200, given("approved", "mate", 1002, "User", "change-approval"));
    says(&["stage", "approve", "--environment"]).exits(0);
    assert_eq!(body(&root, "approval.json")["by"]["channel"], "environment");
    let mut later = env.orch_command(&root, &["stage", "pr"]);
    later.env("SOURCE_DATE_EPOCH", LATER);
    said(later).exits(0);
    assert_eq!(body(&root, "pr.json")["draft"], false);
}

#[test]
fn an_approval_that_was_bent_and_sealed_again_is_refused_by_verify_and_takes_no_draft_away() {
    use crate::replay::world::reseal;
    use orch::artifact::digest::canonical_json;
    use orch::artifact::store::DirStore;

    let env = TestEnv::new();
    let root = shop(&env, "shop", CONFIG);
    env.orch(&root, &["run", REQUEST, "--until", "policy"]).exits(4);
    env.orch(&root, &["stage", "approve"]).exits(4);
    env.orch(&root, &["stage", "approve", "--digest", &digest(&root)]).exits(0);
    let folder = run_folder(&root);
    let saved = crate::env::files_below(&folder);
    let put_back = || {
        fs::remove_dir_all(&folder).unwrap();
        for (path, bytes) in &saved {
            fs::create_dir_all(folder.join(path).parent().unwrap()).unwrap();
            fs::write(folder.join(path), bytes).unwrap();
        }
    };
    let other = json!(format!("sha256:{}", "0".repeat(64)));
    let bend = |bent: &[(&str, Value)]| {
        let mut approval: Value = serde_json::from_slice(&saved["approval.json"]).unwrap();
        for (pointer, value) in bent {
            *approval.pointer_mut(&format!("/body{pointer}")).unwrap() = value.clone();
        }
        let bytes = canonical_json(&approval).unwrap();
        reseal(&DirStore::new(&folder), "manifest/approve.json", "approval.json", &bytes);
    };
    // Sealed again as it was: nothing is refused, so that what follows is refused for what it says.
    bend(&[]);
    env.orch(&root, &["artifacts", "verify"]).exits(0);
    env.orch(&root, &["stage", "pr"]).exits(0);
    assert_eq!(body(&root, "pr.json")["draft"], false);
    for (bent, why) in [
        (vec![("/bound/edits", other.clone())], "is for another change set"),
        (vec![("/bound/verdict", other.clone())], "is for another verdict"),
        (vec![("/bound/bundle", other.clone())], "is for another policy bundle"),
        (vec![("/bound/run", json!("another-run-0123456789ab"))], "is for another run"),
        (vec![("/digest", other.clone())], "contradicts itself"),
        (vec![("/expires_at", json!("2025-12-31T00:00:00Z"))], "contradicts itself"),
    ] {
        put_back();
        bend(&bent);
        env.orch(&root, &["artifacts", "verify"]).exits(0);
        env.orch(&root, &["verify"]).exits(3).says(why);
        env.orch(&root, &["stage", "pr"]).exits(0).says(why);
        assert_eq!(body(&root, "pr.json")["draft"], true, "{why}");
    }
    // Of whom it is, a signature alone tells: what is signed cannot be given to another person.
    put_back();
    env.orch(&root, &["stage", "pr"]).exits(0);
    let key = env.path("key").display().to_string();
    env.orch(&root, &["attest", "keygen", &key]).exits(0);
    env.orch(&root, &["attest", "sign", "--key", &key]).exits(0);
    let public = format!("{key}.pub");
    env.orch(&root, &["verify", "--key", &public]).exits(0);
    bend(&[("/by/channel", json!("issue"))]);
    env.orch(&root, &["verify", "--key", &public]).exits(3);
}
