//! The stage as the runner meets it: its refusals, its result, what it reads and what it declares.

use std::collections::BTreeMap;

use orch::artifact::kind::slot;
use orch::artifact::types::policy_input::Origin;
use orch::artifact::types::verdict::Decision;
use orch::config::Level;
use orch::diagnostic::{Class, Failure};
use orch::stage::policy::{PolicyStage, SPEC};
use orch::stage::{Stage, StageResult};
use serde_json::{Value, json};

use super::support::{Case, TEST};

#[test]
fn the_stage_holds_no_power() {
    assert!(SPEC.powers().is_empty());
    assert_eq!(SPEC.permissions.iter().map(|p| p.as_str()).collect::<Vec<_>>(), ["contents: read"]);
}

#[test]
fn the_result_says_what_decided() {
    let finished = Case::default().run().unwrap();
    assert_eq!(finished.result, StageResult::Done);
    assert_eq!(finished.outputs.iter().count(), SPEC.outputs.len());

    let mut case = Case::default();
    case.edit(".env", "A=1\n");
    case.edit("x.env", "A=1\n");
    case.edit("AGENTS.md", "x\n");
    let finished = case.run().unwrap();
    let StageResult::Stopped { class, why } = &finished.result else { panic!("denied") };
    assert_eq!(*class, Class::Denied);
    assert_eq!(why, "policy denies the change: `.env` is an environment file (secrets/env-file), and 1 more");
    assert_eq!(finished.outputs.iter().count(), SPEC.outputs.len(), "the files are kept");
}

#[test]
fn the_verdict_names_its_bundle_its_input_and_its_rules() {
    let case = Case::default();
    let (verdict, input) = (case.verdict(), case.input());
    assert_eq!(verdict.input, orch::artifact::digest::Digest::of_json(&input).unwrap());
    let materials = case.with_context(|cx| PolicyStage.materials(cx)).unwrap();
    assert_eq!((materials[0].name.as_str(), &materials[0].digest), ("policy-bundle", &verdict.bundle));
    let codes: Vec<_> = super::embedded().rules.iter().map(|r| r.metadata.code.to_string()).collect();
    // A repository with fewer files than its limit is not looked at for what depends on the change.
    let skipped: Vec<_> = verdict.skipped.iter().map(|rule| rule.code.as_str()).collect();
    assert_eq!(skipped, ["paths/blast-radius"]);
    let asked: Vec<_> = codes.into_iter().filter(|code| code != "paths/blast-radius").collect();
    assert_eq!(verdict.rules, asked);
}

#[test]
fn a_pack_changes_the_materials() {
    let mut case = Case::default();
    let before = case.with_context(|cx| PolicyStage.materials(cx)).unwrap();
    case.base("rules/a.rego", "package a\n");
    assert_eq!(before, case.with_context(|cx| PolicyStage.materials(cx)).unwrap());
    case.config.policy.packs = vec!["./rules/".into()];
    let with = case.with_context(|cx| PolicyStage.materials(cx)).unwrap();
    assert_ne!(before, with);
    case.base("rules/a.rego", "package b\n");
    assert_ne!(with, case.with_context(|cx| PolicyStage.materials(cx)).unwrap());
}

#[test]
fn the_change_cannot_alter_its_own_judge() {
    let rule = "# METADATA\n# title: T\n# custom: {code: team/never, effect: deny, help: No.}\npackage orch.team.never\n\ndeny contains \"never\" if input.size.files > 0\n";
    let mut case = Case::default();
    case.base("rules/never.rego", rule);
    case.config.policy.packs = vec!["rules".into()];
    case.edit("rules/never.rego", &rule.replace("> 0", "> 99"));
    let verdict = case.verdict();
    assert_eq!(verdict.decision, Decision::Deny);
    assert_eq!(verdict.findings[0].message, "never");
    assert!(verdict.findings.iter().any(|f| f.code == "paths/protected"), "packs are protected");
}

#[test]
fn a_linked_rule_denies() {
    let mut case = Case::default();
    case.base("rules/a.md", "nothing\n");
    case.tree.links.push("rules/a.rego".into());
    case.config.policy.packs = vec!["rules".into()];
    let verdict = case.verdict();
    assert_eq!((verdict.decision, verdict.findings[0].code.as_str()), (Decision::Deny, "policy/rule-error"));
}

#[test]
fn the_document_holds_what_changes_and_where() {
    let mut case = Case::default();
    case.base("old.py", "gone = 1\n");
    case.delete("old.py");
    case.tests[0] = case.written("tests/test_health.py", TEST.into());
    let input = case.input();
    let seen: Vec<_> = input
        .changes
        .iter()
        .flatten()
        .map(|c| (c.path.as_str(), c.origin, c.added.len(), c.removed))
        .collect();
    assert_eq!(
        seen,
        [
            ("app.py", Origin::Edits, 1, 0),
            ("old.py", Origin::Edits, 0, 1),
            ("tests/test_health.py", Origin::Tests, 2, 0),
        ]
    );
    assert_eq!(input.changes.unwrap()[0].added[0].line, 2);
    let size = input.size.unwrap();
    assert_eq!((size.files, size.added, size.removed), (3, 3, 1));
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let mut case = Case::default();
    case.edit("a.md", "x\n");
    let bytes = |case: &Case| {
        let finished = case.run().unwrap();
        format!("{:?}", finished.outputs.iter().collect::<Vec<_>>())
    };
    assert_eq!(bytes(&case), bytes(&case));
}

/// The stage refuses, with this class and these words.
fn refused(case: &Case, class: Class, words: &str) {
    let error = case.run().err().unwrap_or_else(|| panic!("not refused: {words}"));
    assert_eq!(error.class(), class, "{error}");
    let text = format!("{error} {}", error.help().unwrap_or_default());
    assert!(text.contains(words), "{words:?} is not in {text:?}");
}

#[test]
fn levels_of_unknown_and_locked_rules_are_refused() {
    let with = |code: &str, level| {
        let mut case = Case::default();
        case.config.policy.levels = BTreeMap::from([(code.to_owned(), level)]);
        case
    };
    refused(&with("paths/protectd", Level::Warn), Class::Usage, "`paths/protected`");
    refused(&with("verify/flaky", Level::Warn), Class::Usage, "no rule has");
    for code in ["tests/frozen", "paths/git", "policy/rule-error", "policy/input-too-large"] {
        refused(&with(code, Level::Off), Class::Usage, "cannot be lowered");
        refused(&with(code, Level::RequireApproval), Class::Usage, "cannot be lowered");
        assert!(with(code, Level::Deny).run().is_ok());
    }
}

#[test]
fn settings_that_no_rule_understands_are_refused() {
    let with = |name: &str, value: Value| {
        let mut case = Case::default();
        case.config.policy.settings = BTreeMap::from([(name.to_owned(), value)]);
        case
    };
    refused(&with("max_flies", json!(3)), Class::Usage, "`max_files`");
    refused(&with("max_files", json!("3")), Class::Usage, "a whole number");
    refused(&with("max_files", json!(-3)), Class::Usage, "a whole number");
    refused(&with("max_files", json!(3.5)), Class::Usage, "a whole number");
    refused(&with("size_ignore", json!("x")), Class::Usage, "a list of globs");
    refused(&with("size_ignore", json!([1])), Class::Usage, "a list of globs");
    refused(&with("size_ignore", json!(["!x"])), Class::Usage, "begins with `!`");
    refused(&with("paths_deny", json!([])), Class::Usage, "`paths.deny`");
    let mut case = Case::default();
    case.config.paths.deny = vec!["/".into()];
    refused(&case, Class::Usage, "names nothing");
}

#[test]
fn packs_that_are_not_in_the_base_are_refused() {
    for pack in ["nowhere", "../outside", "/etc", ".git/hooks", ""] {
        let mut case = Case::default();
        case.config.policy.packs = vec![pack.into()];
        refused(&case, Class::Usage, "read from a commit");
    }
}

#[test]
fn globs_are_those_of_gitignore() {
    for (glob, path, denied) in [
        ("secret.txt", "secret.txt", true),
        ("secret.txt", "a/b/secret.txt", true),
        ("secret.txt", "secret.txt.md", false),
        ("/secret.txt", "a/secret.txt", false),
        ("secrets", "a/secrets/x", true),
        ("secrets/", "a/secrets/x", true),
        ("secrets/", "secrets", false),
        ("a/*.txt", "a/x.txt", true),
        ("a/*.txt", "a/b/x.txt", false),
        ("a/**", "a/b/c", true),
        ("a/**", "b/a/c", false),
        ("**/a/**", "b/a/c", true),
        ("**/a/**", "a/c", true),
        ("a/**/z", "a/z", true),
        ("a/**/z", "a/b/c/z", true),
        ("*.sql", "db/x.SQL", true),
        ("{x,y}.md", "y.md", true),
    ] {
        let mut case = Case::default();
        case.config.paths.deny = vec![glob.into()];
        case.edit(path, "x\n");
        let found = case.verdict().findings.iter().any(|f| f.code == "paths/denied");
        assert_eq!(found, denied, "{glob} on {path}");
    }
}

#[test]
fn artifacts_that_do_not_belong_together_are_refused() {
    let other = "3333333333333333333333333333333333333333";
    let digest = format!("sha256:{}", "0".repeat(64));
    for (patch, words) in [
        (json!({"tests.json": {"base_tree": other}}), "the tests were made against tree"),
        (json!({"edits.json": {"base_tree": other}}), "the edits were made against tree"),
        (json!({"build-test/red.json": {"base": other}}), "the red phase ran on commit"),
        (json!({"build-test/report.json": {"base": other}}), "the green phase ran on commit"),
        (json!({"build-test/red.json": {"phase": "green"}}), "another phase"),
        (json!({"edits.json": {"files": [edit(&json!({"before": digest}))]}}), "other content than the base"),
        (json!({"edits.json": {"files": [edit(&json!({"after": digest}))]}}), "does not match its digest"),
        (json!({"edits.json": {"files": [edit(&json!({"path": "new.py"}))]}}), "a file that is not there"),
        (json!({"edits.json": {"files": [edit(&json!({})), edit(&json!({}))]}}), "`app.py` twice"),
        (
            json!({"edits.json": {"files": [edit(&json!({"op": "create", "before": null}))]}}),
            "a file that is there already",
        ),
    ] {
        let case = Case { patch, ..Case::default() };
        refused(&case, Class::Denied, words);
    }
}

/// The edit of the good case, changed.
fn edit(patch: &Value) -> Value {
    let mut edit = serde_json::to_value(&Case::default().edits[0]).unwrap();
    super::support::merge(&mut edit, patch);
    edit
}

#[test]
fn every_artifact_is_needed() {
    for missing in [slot::TASK, slot::PLAN, slot::TESTS, slot::RED, slot::EDITS, slot::GREEN] {
        let case = Case::default();
        let mut inputs = orch::stage::Inputs::default();
        let all = case.inputs();
        for slot in [slot::TASK, slot::PLAN, slot::TESTS, slot::RED, slot::EDITS, slot::GREEN] {
            if slot != missing {
                inputs.insert(slot, all.file(slot).unwrap().clone());
            }
        }
        let error = case.with_context(|cx| PolicyStage.run(cx, &inputs)).unwrap_err();
        assert!(error.to_string().contains(missing.path), "{error}");
    }
}
