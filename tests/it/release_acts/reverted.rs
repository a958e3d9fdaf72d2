//! The revert of a release as a change of its own: request, plan, tests, verdict, chain, and the very last good tree.

use std::fs;

use orch::ports::vcs::{GitRepository, VcsRead as _};
use serde_json::Value;

use super::NOW;
use super::cli::Service;

const CONFIG: &str = "service: shop\ncommands: { test: [[\"true\"]] }\n";

/// A service whose release did harm and was rolled back; the name of that run comes back.
fn taken_back() -> (Service, String) {
    let service = Service::new();
    service.inputs(NOW - 60, ("0.040", 4000), ("0.010", 4000));
    service.deployed();
    service.gate(NOW, &["--deployed"]).exits(3);
    service.orch(NOW + 30, &["stage", "rollback"]).exits(0);
    fs::write(service.env.path("local.yml"), CONFIG).unwrap();
    let release = service.folder().file_name().unwrap().to_string_lossy().into_owned();
    (service, release)
}

#[test]
fn a_revert_has_a_run_and_evidence_of_its_own() {
    let (service, release) = taken_back();
    let config = service.env.path("local.yml").display().to_string();
    let orch = |words: &[&str]| {
        let words = [&["--config", &config], words].concat();
        service.env.orch(&service.root, &words)
    };
    let said = orch(&["run", "--revert", &release, "--format", "json"]);
    let ended: Value = serde_json::from_str(said.stdout.lines().last().unwrap()).unwrap();
    let exit = ended["exit"].as_i64().unwrap();
    assert!([0, 4].contains(&exit), "{}{}", said.stdout, said.stderr);
    let run = ended["run"].as_str().unwrap().to_owned();
    assert!(run.starts_with("revert-"), "{run}");
    // The branch holds just the last good tree, and the run says why.
    let folder = service.root.join("artifacts").join(&run);
    let body = |file: &str| {
        serde_json::from_slice::<Value>(&fs::read(folder.join(file)).unwrap()).unwrap()["body"].clone()
    };
    let pull = body("pr.json");
    let port = GitRepository::open(&service.root).unwrap();
    let good = service.env.git(&service.root, &["rev-parse", &format!("{}^{{tree}}", service.good)]);
    assert_eq!(pull["commits"].as_array().unwrap().last().unwrap()["tree"], good.trim());
    assert_ne!(port.head().unwrap().tree.as_str(), good.trim());
    assert!(body("task.json")["request"].as_str().unwrap().contains(&release));
    assert_eq!(body("task.json")["assignment"]["engine"], "revert");
    orch(&["verify", &run]).exits(if exit == 0 { 0 } else { 3 });
    orch(&["artifacts", "verify", &run]).exits(0);
    orch(&["replay", &run]).exits(0);
    // The same again is the same run.
    let again = orch(&["run", "--revert", &release, "--format", "json"]);
    assert!(again.stdout.contains(&run) && again.stdout.contains("reused"), "{}", again.stdout);
}

#[test]
fn what_was_changed_again_and_what_was_not_taken_back_is_not_reverted() {
    let (service, release) = taken_back();
    let config = service.env.path("local.yml").display().to_string();
    fs::write(service.root.join("src/main.txt"), "main, faster, mended\n").unwrap();
    service.env.git(&service.root, &["commit", "-qam", "mend"]);
    service
        .env
        .orch(&service.root, &["--config", &config, "run", "--revert", &release])
        .exits(3)
        .says("was changed again since the release that did harm");
    // A spoiled run, and one that took nothing back.
    let path = service.folder().join("release/rollback.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("production", "productive")).unwrap();
    service
        .env
        .orch(&service.root, &["run", "--revert", &release])
        .exits(2)
        .says("is not what its manifests say");
    fs::remove_file(&path).unwrap();
    fs::remove_file(service.folder().join("manifest/rollback.json")).unwrap();
    service.env.orch(&service.root, &["run", "--revert", &release]).exits(2);
}
