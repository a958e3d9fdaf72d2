//! What models say and how it ends: agreement, a seeded bug, stubbornness, and what ends it at once.

use serde_json::{Value, json};

use super::world::*;
use crate::env::{TestEnv, run_folder};

#[test]
fn a_readme_section_converges_within_three_turns() {
    let env = TestEnv::new();
    let (alpha, beta) = readme();
    let root = shop(&env, "shop", &alpha, &beta);
    let said = run(&env, &root, REQUEST, &[]).exits(0);
    assert!(said.stdout.contains("+## Refunds"), "the diff:\n{}", said.stdout);
    assert!(said.stderr.contains("generate: CONVERGED after 3 turns: "), "{}", said.stderr);
    let branches = env.git(&root, &["branch", "--list", "docs/*", "--format=%(refname:short)"]);
    let readme = env.git(&root, &["show", &format!("{}:README.md", branches.trim())]);
    assert_eq!(readme, format!("{README}\n## Refunds\n\nWithin 30 days.\n"));
    let messages = lines(&root, "messages/generate.jsonl");
    let turns: Vec<_> = messages.iter().map(|m| (m["kind"].clone(), m["model"].clone())).collect();
    let wanted =
        [("implement", json!("alpha/pen")), ("critique", json!("beta/lens")), ("verify", Value::Null)];
    assert_eq!(turns, wanted.map(|(kind, model)| (json!(kind), model)), "another family judges");
    env.orch(&root, &["artifacts", "verify"]).exits(0).says("is intact");
    env.orch(&root, &["replay"]).exits(0).says("byte for byte");
}

/// A plan for `price.sh` with a test, and what is said of it.
pub(super) fn price() -> (Vec<Value>, Vec<Value>) {
    let tests = answer(&json!({
        "files": [{ "path": "tests/half.sh", "op": "create", "content": HALF, "replacements": null, "executable": null }],
        "expected": [{ "path": "tests/half.sh", "name": "half", "criteria": ["c1"] }],
        "uncovered": [], "exempt": null,
    }));
    let alpha = vec![entry(PLAN_JUDGED, judges(&json!([]))), entry(TESTS, tests)];
    let beta = vec![entry(PLAN, plans(&[("price.sh", "change"), ("tests/half.sh", "test")]))];
    (alpha, beta)
}

fn divides() -> Value {
    replaces("price.sh", &[("echo \"$1\"", "echo $(($1 / $2))")], &json!([]))
}

/// The Architect's risk about the seeded bug; one of its citations is made up.
fn zero_risk() -> Value {
    json!([{
        "id": "r1", "severity": "high", "rule": "unhandled-error", "why": "a count of zero stops the program",
        "fix": "if [ \"$2\" = 0 ]; then echo 0; return; fi", "evidence": ["price.sh:2", "none.sh:7"],
    }])
}

#[test]
fn a_seeded_bug_is_a_high_risk_with_a_fix_and_converges_when_mended() {
    let env = TestEnv::new();
    let (mut alpha, mut beta) = price();
    let guard = "  if [ \"$2\" = 0 ]; then echo 0; return; fi\n  echo $(($1 / $2))";
    let fixed = json!([{ "risk": "r1", "outcome": "fixed", "why": "zero costs nothing" }]);
    alpha.push(entry(BUILD, divides()));
    alpha.push(entry(MEND, replaces("price.sh", &[("  echo $(($1 / $2))", guard)], &fixed)));
    beta.push(entry(JUDGED, judges(&zero_risk())));
    beta.push(entry(JUDGED, judges(&json!([]))));
    let root = shop(&env, "shop", &alpha, &beta);
    let said = run(&env, &root, "divide the price", &[]).exits(0);
    assert!(said.stderr.contains("generate: CONVERGED after 5 turns: "), "{}", said.stderr);
    let messages = lines(&root, "messages/generate.jsonl");
    let risk = &messages[1]["risks"][0];
    assert_eq!((&risk["severity"], &messages[1]["role"]), (&"high".into(), &"architect".into()));
    assert!(risk["fix"].as_str().unwrap().contains("echo 0"));
    let submitted = PRICE.replace("\"$1\"", "$(($1 / $2))");
    let blob = orch::artifact::digest::Digest::of(submitted).to_string();
    let evidence = risk["evidence"].as_array().unwrap();
    assert!(
        evidence.len() == 1 && evidence[0]["blob"] == blob,
        "it points into the submitted change: {risk}"
    );
    assert_eq!(messages[1]["dropped_citations"], 1);
    assert_eq!(messages[2]["answers"][0]["outcome"], "fixed");
    assert!(messages[4]["summary"].as_str().unwrap().starts_with("converged: "), "{}", messages[4]);
    let report = env.orch(&root, &["report"]).exits(0);
    assert!(report.stdout.contains("a count of zero stops the program"), "{}", report.stdout);
    env.orch(&root, &["replay"]).exits(0);
}

#[test]
fn a_stubborn_builder_ends_with_the_rationale_bundle() {
    let env = TestEnv::new();
    let (mut alpha, mut beta) = price();
    let rejected = json!([{ "risk": "r1", "outcome": "rejected", "why": "nobody sells zero" }]);
    alpha.push(entry(BUILD, divides()));
    let stays =
        answer(&json!({ "summary": "fine as it is", "edits": [], "claims": [], "answers": rejected }));
    alpha.push(entry(MEND, stays));
    beta.push(entry(JUDGED, judges(&zero_risk())));
    beta.push(entry(JUDGED, judges(&zero_risk())));
    let root = shop(&env, "shop", &alpha, &beta);
    run(&env, &root, "divide the price", &[]).exits(7).says("flapping");
    let bundle = file(&root, "escalation/generate.json");
    let schema = env.orch(&root, &["schema", "escalation"]).exits(0).stdout;
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert!(
        validator.is_valid(&bundle),
        "{:?}",
        validator.iter_errors(&bundle).map(|e| e.to_string()).collect::<Vec<_>>()
    );
    let body = &bundle["body"];
    assert_eq!((&body["reason"], &body["rollback"]), (&"flapping".into(), &"git revert".into()));
    assert!(body["diff"].as_str().unwrap().contains("+  echo $(($1 / $2))"), "{body}");
    let report = env.orch(&root, &["report"]).exits(0);
    for told in ["flapping", "git revert", "a count of zero stops the program"] {
        assert!(report.stdout.contains(told), "{told}: {}", report.stdout);
    }
    env.orch(&root, &["artifacts", "verify"]).exits(0).says("is intact");
    env.orch(&root, &["replay"]).exits(0);
    // Nobody is asked again: the scripts have nothing left to say.
    says(&root, "alpha", &[]);
    says(&root, "beta", &[]);
    let again = run(&env, &root, "divide the price", &[]).exits(7);
    assert_eq!(again.stderr.matches(": reused").count(), 5, "{}", again.stderr);
    assert_eq!(again.stderr.matches("started").count(), 0, "{}", again.stderr);
}

#[test]
fn an_edit_of_a_frozen_test_is_a_hard_stop() {
    let env = TestEnv::new();
    let (mut alpha, beta) = price();
    alpha.push(entry(BUILD, replaces("tests/half.sh", &[("exit 1", "exit 0")], &json!([]))));
    let root = shop(&env, "shop", &alpha, &beta);
    run(&env, &root, "divide the price", &[]).exits(3).says("tests/half.sh");
    assert!(!run_folder(&root).join("edits.json").exists());
    assert_eq!(calls(&root).get("generate.implement"), Some(&1), "it is not asked again");
    // What was paid for is not paid again: the same answer is the same end, until it is asked anew.
    run(&env, &root, "divide the price", &[]).exits(3).says("--live");
    assert_eq!(calls(&root).get("generate.implement"), Some(&1));
    env.orch(&root, &["artifacts", "verify"]).exits(0);
    env.orch(&root, &["replay"]).exits(0);
}

#[test]
fn what_cannot_be_done_is_said_and_left_to_a_person() {
    for stage in ["plan", "test-write", "generate"] {
        let env = TestEnv::new();
        let (mut alpha, mut beta) = readme();
        let no = "two criteria contradict each other";
        match stage {
            "plan" => beta[0] = entry(PLAN, cannot(no)),
            "test-write" => alpha[1] = entry(TESTS, cannot(no)),
            _ => alpha[2] = entry(BUILD, cannot(no)),
        }
        let root = shop(&env, "shop", &alpha, &beta);
        run(&env, &root, REQUEST, &[]).exits(7).says(no);
        assert_eq!(
            run_folder(&root).join(format!("escalation/{stage}.json")).exists(),
            stage != "test-write"
        );
        env.orch(&root, &["artifacts", "verify"]).exits(0);
        if stage != "test-write" {
            env.orch(&root, &["report"]).exits(0).says(no);
        }
        env.orch(&root, &["replay"]).exits(0);
    }
}

#[test]
fn more_context_is_given_when_it_is_asked_for() {
    let env = TestEnv::new();
    let (alpha, mut beta) = readme();
    // The second question of the step holds what was found, so the first entry that matches it is the later one.
    beta.insert(0, entry("You asked to see more of the repository", plans(&[("README.md", "change")])));
    beta[1] = entry(PLAN, wants(&["price.sh", "gone.sh"], &[]));
    let root = shop(&env, "shop", &alpha, &beta);
    run(&env, &root, REQUEST, &[]).exits(0).says("plan.propose: more context");
    let exchanges = lines(&root, "cassette/plan.jsonl");
    let asked = exchanges[1]["request"]["body"]["prompt"].as_str().unwrap();
    assert!(asked.contains("You asked to see more") && asked.contains("echo \"$1\""), "{asked}");
    env.orch(&root, &["replay"]).exits(0);
}

#[test]
fn a_reply_that_does_not_fit_is_mended_once_and_then_an_error_shows_where() {
    let env = TestEnv::new();
    let (alpha, beta) = readme();
    let bad = "{\"outcome\": \"answer\", ";
    let root = shop(&env, "bad", &alpha, &[vec![entry(PLAN, bad.into())], beta.clone()].concat());
    run(&env, &root, REQUEST, &[]).exits(0);
    assert_eq!(calls(&root).get("plan.propose"), Some(&2), "one call mends it");
    assert!(lines(&root, "cassette/plan.jsonl")[1].to_string().contains("does not fit the schema"));
    env.orch(&root, &["replay"]).exits(0);

    let wrong = answer(&json!({ "plan": { "summary": 7 } }));
    let twice = vec![entry(PLAN, wrong.clone()), entry(PLAN, wrong)];
    let root = shop(&env, "miss", &alpha, &[twice, beta].concat());
    let said = run(&env, &root, REQUEST, &[]);
    assert!(said.exit == 7 && said.stderr.contains("/answer"), "{} {}", said.exit, said.stderr);
    assert_eq!(calls(&root).get("plan.propose"), Some(&2));
    env.orch(&root, &["artifacts", "verify"]).exits(0);
}

#[test]
fn more_critics_judge_side_by_side_and_the_order_is_in_the_record() {
    let env = TestEnv::new();
    let (alpha, mut beta) = readme();
    let risk = json!([{
        "id": "r1", "severity": "medium", "rule": "missing-docs", "why": "it says nothing of returns", "fix": "say it",
        "evidence": ["README.md:5"],
    }]);
    // The first one is the last to answer.
    beta.truncate(1);
    beta.push(entry(JUDGED, judges(&risk)));
    beta[1]["delay_ms"] = 300.into();
    let plan_judged = entry(PLAN_JUDGED, judges(&json!([])));
    beta.extend([plan_judged.clone(), plan_judged]);
    beta.push(entry(JUDGED, judges(&json!([]))));
    beta.push(entry(JUDGED, judges(&json!([]))));
    let root = shop(&env, "shop", &alpha, &beta);
    let config =
        "commands:\n  test: [\"sh test.sh\"]\nmodels:\n  critics: [security-architect, doc-writer]\n";
    std::fs::write(root.join("orch.yml"), config).unwrap();
    run(&env, &root, REQUEST, &[]).exits(0);
    let roles: Vec<_> = lines(&root, "cassette/generate.jsonl").iter().map(|e| e["role"].clone()).collect();
    assert_eq!(roles, ["builder", "architect", "security-architect", "doc-writer"]);
    assert_eq!(lines(&root, "messages/generate.jsonl").len(), 5);
    env.orch(&root, &["replay"]).exits(0).says("byte for byte");
}

#[test]
fn stages_run_one_by_one_as_in_ci() {
    let env = TestEnv::new();
    let (alpha, beta) = readme();
    let root = shop(&env, "shop", &alpha, &beta);
    env.orch(&root, &["stage", "intake", "--task", REQUEST, "--engine", "model"]).exits(0);
    for stage in ["plan", "test-write", "verify-red", "generate", "verify-green", "policy", "pr"] {
        env.orch(&root, &["stage", stage]).exits(0);
    }
    assert_eq!((calls(&root).values().sum::<usize>(), spent(&root)), (5, 5 * 4_000_000));
    env.orch(&root, &["artifacts", "verify"]).exits(0);
    env.orch(&root, &["replay"]).exits(0).says("byte for byte");
    let said = run(&env, &root, REQUEST, &[]).exits(0);
    assert_eq!(said.stderr.matches(": reused").count(), 8, "{}", said.stderr);
}
