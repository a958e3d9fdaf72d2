//! Models, rules and templates as candidates; documents changed by hand; files changed since.

use std::fs;

use serde_json::{Value, json};

use super::world::*;
use crate::env::TestEnv;
use crate::model_runs::world::*;

#[test]
fn another_model_is_put_in_place_and_the_former_file_comes_back_byte_for_byte() {
    let env = TestEnv::new();
    let root = shop_for_upgrades(&env, "shop", "upgrade:\n  runs: 2\n");
    // Bytes that a careless writer would mend.
    let file = root.join(".orch/models.toml");
    let odd = format!(
        "\u{feff}# ours  \r\n{}\n\n",
        MODELS.replace("source = \"our contract\"", "source = \"ours\"")
    );
    fs::write(&file, &odd).unwrap();
    env.git(&root, &["commit", "-qam", "odd"]);
    record(&env, &root, 2);
    let id = propose(&env, &root, &["model", "--route", "builder=beta/lens"]);
    let proposed = propose(&env, &root, &["model", "--route", "builder=beta/lens"]);
    assert_eq!(id, proposed, "the same candidate is the same upgrade");
    let (alpha, beta) = readme();
    says(&root, "alpha", &alpha[1..2]);
    // The one model is Architect and Builder now: it judges its own plan.
    says(&root, "beta", &[&beta[..], &[alpha[0].clone(), alpha[2].clone()]].concat());
    evaluate(&env, &root, &id, &["--all"]).exits(0).says("2 compared");
    assert_eq!(fs::read_to_string(&file).unwrap(), odd, "nothing is changed by an evaluation");
    env.orch(&root, &["upgrade", "promote", &id]).exits(0);
    let new = fs::read_to_string(&file).unwrap();
    assert_eq!(new, odd.replace("builder = [\"alpha/pen\"]", "builder = [\"beta/lens\"]"));
    env.orch(&root, &["providers"]).exits(0);
    env.orch(&root, &["upgrade", "rollback", &id]).exits(0);
    assert_eq!(fs::read_to_string(&file).unwrap(), odd);
    for words in [
        &["model"][..],
        &["model", "--route", "builder"],
        &["model", "--route", "builder=nobody/none"],
        &["model", "--route", "builder=alpha/pen"],
        &["prompt", "README.md"],
        &["template", "README.md"],
        &["policy", "nowhere"],
    ] {
        env.orch(&root, &[&["upgrade", "propose"], words].concat()).exits(2);
    }
    env.orch(&root, &["upgrade", "show", "upgrade-none"]).exits(2).says("there is no upgrade");
}

const RULE: &str = "# METADATA\n# title: T\n# custom:\n#   code: acme/readme\n#   effect: EFFECT\n#   help: H\npackage orch.acme.readme\n\nSET contains {\"msg\": \"no\", \"path\": f.path} if {\n\tsome f in input.changes\n\tf.path == \"README.md\"\n}\n";

#[test]
fn other_rules_are_held_to_what_was_decided() {
    let env = TestEnv::new();
    let root = shop_for_upgrades(&env, "shop", "upgrade:\n  runs: 2\npolicy:\n  packs: [rules]\n");
    fs::create_dir_all(root.join("rules")).unwrap();
    let old = RULE.replace("EFFECT", "warn").replace("SET", "warn").replace("README.md", "OTHER.md");
    fs::write(root.join("rules/old.rego"), &old).unwrap();
    env.git(&root, &["add", "-A"]);
    env.git(&root, &["commit", "-q", "-m", "rules"]);
    record(&env, &root, 2);
    let candidate = |name: &str, effect: &str| {
        let folder = env.path(name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("new.rego"), RULE.replace("EFFECT", effect).replace("SET", effect)).unwrap();
        folder.display().to_string()
    };
    let strict = propose(&env, &root, &["policy", &candidate("strict", "deny")]);
    evaluate(&env, &root, &strict, &["--all"]).exits(3).says("2 stricter");
    assert_eq!(control(&shown(&env, &root, &strict), "stricter"), "failed");
    env.orch(&root, &["upgrade", "promote", &strict]).exits(3);
    let mild = propose(&env, &root, &["policy", &candidate("mild", "warn")]);
    evaluate(&env, &root, &mild, &["--all"]).exits(0).says("Decision: promote");
    env.orch(&root, &["upgrade", "promote", &mild]).exits(0).says("2 files");
    assert!(!root.join("rules/old.rego").exists() && root.join("rules/new.rego").exists());
    env.orch(&root, &["upgrade", "rollback", &mild]).exits(0);
    assert_eq!(fs::read_to_string(root.join("rules/old.rego")).unwrap(), old);
    assert!(!root.join("rules/new.rego").exists());
    // A rule that cannot be used is refused before anything is tried; so is an orch.yml that lowers what it is held to.
    let broken = env.path("broken");
    fs::create_dir_all(&broken).unwrap();
    fs::write(broken.join("x.rego"), "package orch.acme.x\n\ndeny :=\n").unwrap();
    env.orch(&root, &["upgrade", "propose", "policy", &broken.display().to_string()])
        .exits(2)
        .says("would deny");
    let config = fs::read_to_string(root.join("orch.yml")).unwrap();
    let own = env.path("orch.yml");
    fs::write(&own, config.replace("runs: 2", "runs: 1")).unwrap();
    let own_path = own.display().to_string();
    env.orch(&root, &["upgrade", "propose", "policy", &own_path]).exits(2).says("changes `upgrade` too");
    fs::write(&own, format!("{config}  levels:\n    paths/protected: warn\n")).unwrap();
    let levels = propose(&env, &root, &["policy", &own_path]);
    evaluate(&env, &root, &levels, &["--all"]).exits(0);
    env.orch(&root, &["upgrade", "promote", &levels]).exits(0);
    assert!(fs::read_to_string(root.join("orch.yml")).unwrap().contains("paths/protected: warn"));
    env.orch(&root, &["upgrade", "rollback", &levels]).exits(0);
    assert_eq!(fs::read_to_string(root.join("orch.yml")).unwrap(), config);
}

#[test]
fn another_template_is_tried_on_the_requests_it_was_made_for() {
    let env = TestEnv::new();
    let config = "templates:\n  folders: [ours]\nupgrade:\n  runs: 1\n";
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/templates/editorconfig");
    let root = env.repository("notes", &[("README.md", "# Notes\n"), ("orch.yml", config)]);
    let copy = |to: &std::path::Path, text: fn(String) -> String| {
        for (path, bytes) in crate::env::files_below(std::path::Path::new(manifest)) {
            let file = to.join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text(String::from_utf8(bytes).unwrap())).unwrap();
        }
    };
    copy(&root.join("ours/editorconfig"), |text| text);
    env.git(&root, &["add", "-A"]);
    env.git(&root, &["commit", "-q", "-m", "ours"]);
    env.orch(&root, &["run", "add an .editorconfig"]).exits(0);
    let candidate = env.path("editorconfig");
    copy(&candidate, |text| text.replace("root = true", "# Wider.\nroot = true"));
    let id = propose(&env, &root, &["template", &candidate.display().to_string()]);
    evaluate(&env, &root, &id, &["--all"]).exits(0).says("1 compared");
    let tried = crate::env::files_below(&root.join("artifacts").join(&id).join("runs"));
    let edits = tried.iter().find(|(path, _)| path.ends_with("edits.json")).unwrap().1;
    assert!(String::from_utf8_lossy(edits).contains("# Wider."), "the candidate was in use");
    env.orch(&root, &["upgrade", "promote", &id]).exits(0);
    env.orch(&root, &["upgrade", "rollback", &id]).exits(0);
    assert_eq!(env.git(&root, &["status", "--porcelain"]), "", "as it was, byte for byte");
}

#[test]
fn documents_and_files_that_were_changed_are_refused() {
    let env = TestEnv::new();
    let root = shop_for_upgrades(&env, "shop", "upgrade:\n  runs: 1\n");
    record(&env, &root, 1);
    let file = env.path("p.md");
    fs::write(&file, prompt("LAVISHLY")).unwrap();
    let id = propose(&env, &root, &["prompt", &file.display().to_string()]);
    let (alpha, beta) = readme();
    says(
        &root,
        "alpha",
        &[alpha[0].clone(), alpha[1].clone(), costs(entry("LAVISHLY", section()), 9000, 2000)],
    );
    says(&root, "beta", &beta);
    evaluate(&env, &root, &id, &["--all"]).exits(3).says("Decision: refuse");
    let place = root.join("artifacts").join(&id);
    let cheap = |value: &mut Value| {
        let row = &mut value["body"]["runs"][0]["candidate"];
        row["cost_nano_usd"] = json!(20_000_000);
    };
    let sums = |value: &mut Value| value["body"]["totals"]["cost_candidate_nano_usd"] = json!(20_000_000);
    let promote = |exit: i32, says: &str| {
        drop(env.orch(&root, &["upgrade", "promote", &id]).exits(exit).says(says));
    };
    promote(3, "the decision is refuse");
    // The decision alone, the sums alone, the row with the sums, and the decision that follows from them.
    let decision =
        forge(&root, &id, "upgrade/decision.json", |value| value["body"]["decision"] = "promote".into());
    promote(3, "the decision is refuse");
    let evaluation = forge(&root, &id, "upgrade/evaluation.json", sums);
    promote(3, "does not add up");
    drop(forge(&root, &id, "upgrade/evaluation.json", cheap));
    promote(3, "is not what rules and thresholds");
    let bytes = fs::read(place.join("upgrade/evaluation.json")).unwrap();
    drop(forge(&root, &id, "upgrade/decision.json", |value| {
        value["body"]["evaluation"] = orch::artifact::digest::Digest::of(&bytes).to_string().into();
        for control in value["body"]["controls"].as_array_mut().unwrap() {
            if control["name"] == "cost" {
                control["outcome"] = "held".into();
                control["why"] = "it costs $0.020000 where $0.020000 was spent".into();
            }
        }
    }));
    promote(3, "is not what the recorded and the tried runs say");
    assert!(!root.join(".orch/prompts").exists());
    // With the true documents and thresholds that allow it, it goes through.
    fs::write(place.join("upgrade/decision.json"), decision).unwrap();
    fs::write(place.join("upgrade/evaluation.json"), evaluation).unwrap();
    let config = fs::read_to_string(root.join("orch.yml")).unwrap();
    fs::write(root.join("orch.yml"), config.replace("runs: 1", "runs: 1\n  cost_percent: 1000")).unwrap();
    promote(3, "is not what rules and thresholds");
    says(&root, "alpha", &[]);
    evaluate(&env, &root, &id, &["--all"]).exits(0);
    // A proposal that was changed by hand, and a file that somebody wrote since.
    let proposal = forge(&root, &id, "upgrade/proposal.json", |value| value["body"]["reason"] = "x".into());
    promote(3, "is of another proposal");
    fs::write(place.join("upgrade/proposal.json"), &proposal).unwrap();
    let spoilt = String::from_utf8(proposal.clone()).unwrap().replacen("LAVISHLY", "Lavishly", 1);
    fs::write(place.join("upgrade/proposal.json"), spoilt).unwrap();
    promote(3, "another proposal");
    fs::write(place.join("upgrade/proposal.json"), &proposal).unwrap();
    fs::create_dir_all(root.join(".orch/prompts")).unwrap();
    fs::write(root.join(".orch/prompts/generate.implement.md"), "mine\n").unwrap();
    promote(2, "is not what it was when the upgrade was proposed");
    fs::remove_file(root.join(".orch/prompts/generate.implement.md")).unwrap();
    promote(0, "in place");
    // What came after the promotion is nobody's to take back.
    fs::write(root.join(".orch/prompts/generate.implement.md"), "mine\n").unwrap();
    env.orch(&root, &["upgrade", "rollback", &id]).exits(2).says("is not what it was");
    assert_eq!(fs::read_to_string(root.join(".orch/prompts/generate.implement.md")).unwrap(), "mine\n");
}
