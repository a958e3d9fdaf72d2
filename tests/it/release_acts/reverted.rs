//! The revert of a release as a change of its own: request, plan, tests, verdict, chain, and the very last good tree.

use std::fs;

use orch::ports::vcs::{GitRepository, VcsRead as _};
use serde_json::Value;

use super::NOW;
use super::cli::Service;
use crate::support::github::pull_record;

const CONFIG: &str = "service: shop\ncommands: { test: [[\"true\"]] }\n";

/// A service whose release did harm and was rolled back; the name of that run comes back.
fn taken_back() -> (Service, String) {
    let service = Service::by_run();
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
    let short = |commit: &str| commit[..12].to_owned();
    let branch = format!("revert/{}-to-{}", short(service.subject.as_str()), short(service.good.as_str()));
    assert_eq!(pull["branch"], branch);
    let good = service.env.git(&service.root, &["rev-parse", &format!("{}^{{tree}}", service.good)]);
    assert_eq!(pull["commits"].as_array().unwrap().last().unwrap()["tree"], good.trim());
    assert_ne!(port.head().unwrap().tree.as_str(), good.trim());
    assert!(body("task.json")["request"].as_str().unwrap().contains(&release));
    assert_eq!(body("task.json")["assignment"]["engine"], "revert");
    orch(&["verify", &run]).exits(if exit == 0 { 0 } else { 3 });
    orch(&["artifacts", "verify", &run]).exits(0);
    orch(&["replay", &run]).exits(0);
    // Each proves the other: the release names what was asked, and the run names the release.
    let proof = |run: &str, more: &[&str]| {
        let words = [&["verify", run, "--format", "json"], more].concat();
        let document = orch(&words).json();
        let checks = document["checks"].as_array().unwrap().clone();
        checks.into_iter().find(|check| check["name"] == "revert").unwrap()
    };
    let own = proof(&run, &[]);
    assert_eq!(
        (&own["outcome"], own["what"].as_str().unwrap().contains(&release)),
        (&"held".into(), true),
        "{own}"
    );
    if exit == 0 {
        let of_release = proof(&release, &[]);
        assert!(of_release["what"].as_str().unwrap().contains(&run), "{of_release}");
    }
    // The forge has the branch: the release goes back once more, and finds the very change.
    let bare = service.env.path("shop.git");
    service.hub.state().take_refs(&bare);
    service.hub.state().pulls.push(pull_record(7, &branch, "main"));
    service.hub.arm([]);
    service.orch(NOW + 90, &["stage", "rollback"]).exits(0);
    assert!(service.hub.writes().is_empty(), "{:?}", service.hub.writes());
    let rollback: Value =
        serde_json::from_slice(&fs::read(service.folder().join("release/rollback.json")).unwrap()).unwrap();
    let acts = rollback["body"]["acts"].as_array().unwrap();
    assert_eq!(
        (&acts[2]["kind"], &acts[2]["outcome"], &acts[2]["number"]),
        (&"revert".into(), &"unchanged".into(), &7.into())
    );
    assert_eq!(
        rollback["body"]["revert"]["commit"],
        pull["commits"].as_array().unwrap().last().unwrap()["id"]
    );
    orch(&["verify", &release]).exits(0).says("a rollback of what was decided");
    // The same again is the same run.
    let again = orch(&["run", "--revert", &release, "--format", "json"]);
    assert!(again.stdout.contains(&run) && again.stdout.contains("reused"), "{}", again.stdout);
}

/// As the jobs of a workflow are handed it: the request as a text, and the engine by its name.
#[test]
fn a_request_that_was_written_down_is_a_run_wherever_it_is_handed_to() {
    let (service, release) = taken_back();
    let config = service.env.path("local.yml").display().to_string();
    let orch = |words: &[&str]| {
        let words = [&["--config", &config], words].concat();
        service.env.orch(&service.root, &words)
    };
    let rollback: Value =
        serde_json::from_slice(&fs::read(service.folder().join("release/rollback.json")).unwrap()).unwrap();
    let asked = service.env.path("asked").display().to_string();
    fs::write(&asked, rollback["body"]["request"].as_str().unwrap().trim_end()).unwrap();
    orch(&["stage", "intake", "--task-file", &asked, "--engine", "revert"]).exits(0);
    let begun = |name: &str| name.starts_with("revert-");
    let all = fs::read_dir(service.root.join("artifacts")).unwrap();
    let run =
        all.map(|entry| entry.unwrap().file_name().into_string().unwrap()).find(|name| begun(name)).unwrap();
    orch(&["stage", "plan", "--run", &run, "--engine", "revert"]).exits(0);
    let said = orch(&["run", "--from-artifacts", &run, "--format", "json"]);
    assert!([0, 4].contains(&said.exit), "{}{}", said.stdout, said.stderr);
    let proof = orch(&["verify", &run, "--format", "json"]).json();
    let checks = proof["checks"].as_array().unwrap();
    let own = checks.iter().find(|check| check["name"] == "revert").unwrap();
    assert!(own["what"].as_str().unwrap().contains(&release), "{own}");
    // A release that says something else is not the one that is meant.
    let path = service.folder().join("release/decision.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("\"outcome\":\"rollback\"", "\"outcome\":\"promote\"")).unwrap();
    orch(&["verify", &run]).exits(3).says("is not what it was");
    // Anything else is no request for this engine.
    orch(&["run", "revert it", "--engine", "revert"]).exits(78).says("does not say which release");
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
