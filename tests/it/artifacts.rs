//! The artifact protocol through the command line.

use std::fs;

use crate::env::{TestEnv, run_folder};

const REQUEST: &str = "add an MIT license for ACME Inc";

#[test]
fn runs_are_listed_shown_and_verified_by_id_by_its_start_and_by_folder() {
    let env = TestEnv::new();
    let root = env.repository("notes", &[("README.md", "# Notes\n")]);
    env.orch(&root, &["artifacts", "list"]).exits(0).says("There is no run yet");
    env.orch(&root, &["artifacts", "verify"]).exits(2).says("there is no run");
    env.orch(&root, &["run", REQUEST]).exits(0);
    let folder = run_folder(&root).display().to_string();
    let id = env.orch(&root, &["artifacts", "list"]).exits(0).stdout;
    for name in [id.trim(), "add-an-mit", &folder] {
        env.orch(&root, &["artifacts", "verify", name]).exits(0).says("is intact");
        let plan = env.orch(&root, &["artifacts", "show", "plan.json", "--run", name]).exits(0);
        assert_eq!(plan.json()["body"]["template"]["name"], "license");
    }
    env.orch(&root, &["artifacts", "show", "nothing.json"]).exits(2).says("plan.json");
    env.orch(&root, &["artifacts", "verify", "other"]).exits(2).says("orch artifacts list");
}

#[test]
fn a_file_is_what_any_other_program_says_it_is() {
    let env = TestEnv::new();
    let root = env.repository("notes", &[("README.md", "# Notes\n")]);
    env.orch(&root, &["run", REQUEST]).exits(0);
    let folder = run_folder(&root);
    let manifest = fs::read(folder.join("manifest/plan.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    let said = &manifest["body"]["link"]["outputs"][0];
    assert_eq!(said["path"], "plan.json", "{manifest}");
    let mut command = env.command("sha256sum", &folder);
    let Ok(output) = command.arg("plan.json").output() else { return };
    let hex = String::from_utf8_lossy(&output.stdout)[..64].to_owned();
    assert_eq!(said["digest"], format!("sha256:{hex}"));
}
