//! `plan` and `test-write` with models.

use orch::artifact::types::plan::FileRole;
use orch::diagnostic::{Class, Failure as _};
use serde_json::{Value, json};

use super::support::{Does, TEST, Table, World, fixed, judges, rejected};

fn plan(change: &[(&str, Value)], answers: Value) -> Does {
    let mut plan = json!({
        "summary": "Adds a section.", "type": "docs", "scope": "readme", "subject": "add a section on refunds",
        "steps": ["Write it."],
        "files": [
            { "path": "tests/test_readme.py", "role": "test" }, { "path": "README.md", "role": "change" },
        ],
        "criteria": [{ "id": "c1", "text": "README.md has the section" }],
        "risks": [], "rollback": "Revert the commit.",
    });
    for (name, value) in change {
        plan[*name] = value.clone();
    }
    Does::Answers(json!({ "plan": plan, "claims": [], "answers": answers }))
}

fn objects(severity: &str) -> Does {
    judges(json!([{
        "id": "p1", "severity": severity, "rule": "missing-file", "why": "the index is not named", "fix": "add docs/index.md",
        "evidence": ["README.md:1"],
    }]))
}

#[test]
fn a_plan_nobody_objects_to_is_agreed_on_with_facts_from_the_base() {
    let world = World::new("add a README section about refunds");
    let table = Table::of(vec![
        ("plan.propose", vec![plan(&[], json!([]))]),
        ("plan.critique", vec![objects("medium")]),
    ]);
    let proposed = world.plan(&table).unwrap();
    let plan = proposed.value.unwrap();
    let files: Vec<_> = plan.files.iter().map(|f| (f.path.as_str(), f.role, f.exists)).collect();
    let wanted = [("README.md", FileRole::Change, true), ("tests/test_readme.py", FileRole::Test, false)];
    assert_eq!(files, wanted, "sorted, and looked up");
    assert!(
        proposed.escalation.is_none() && world.said().contains("CONVERGED after 3 turns"),
        "{}",
        world.said()
    );
    let [critique] = table.asked("plan.critique").try_into().unwrap();
    assert_eq!((critique.role.as_str(), critique.avoid.as_deref()), ("builder", Some("other/beta")));
    let [propose] = table.asked("plan.propose").try_into().unwrap();
    assert!(propose.context.contains("README.md\n") && propose.context.contains("Money is in cents."));
}

#[test]
fn one_critique_and_one_revision_decide() {
    let mended = json!([
        { "path": "README.md", "role": "change" }, { "path": "docs/index.md", "role": "change" },
        { "path": "tests/test_readme.py", "role": "test" },
    ]);
    for (revision, reason) in [
        (plan(&[("files", mended.clone())], fixed("p1")), None),
        (plan(&[("files", mended)], rejected("p1")), Some("open-risk")),
        (plan(&[], fixed("p1")), Some("flapping")),
    ] {
        let world = World::new("add a README section about refunds");
        let table = Table::of(vec![
            ("plan.propose", vec![plan(&[], json!([]))]),
            ("plan.critique", vec![objects("high")]),
            ("plan.revise", vec![revision]),
        ]);
        let proposed = world.plan(&table).unwrap();
        assert_eq!(proposed.escalation.as_ref().map(|e| e.reason.as_str()), reason);
        assert_eq!(table.asked("plan.critique").len(), 1, "there is no second critique");
        assert!(proposed.value.is_some());
        let last = proposed.messages.last().unwrap();
        assert!(last.summary.starts_with(reason.unwrap_or("converged")), "{}", last.summary);
    }
}

#[test]
fn a_plan_that_breaks_a_rule_is_sent_back_and_a_broken_one_is_never_handed_on() {
    let world = World::new("add a README section about refunds");
    let table = Table::of(vec![
        ("plan.propose", vec![plan(&[("rollback", json!(" "))], json!([]))]),
        ("plan.revise", vec![plan(&[], json!([]))]),
        ("plan.critique", vec![judges(json!([]))]),
    ]);
    assert!(world.plan(&table).unwrap().escalation.is_none());
    assert!(table.asked("plan.revise")[0].prompt.contains("does not say how to undo"));
    let bad = |subject: &str| plan(&[("rollback", json!(" ")), ("subject", json!(subject))], json!([]));
    let table = Table::of(vec![("plan.propose", vec![bad("a")]), ("plan.revise", vec![bad("b")])]);
    let proposed = world.plan(&table).unwrap();
    assert!(proposed.value.is_none());
    assert_eq!(proposed.escalation.unwrap().reason, "no-progress");
    let table = Table::of(vec![("plan.propose", vec![Does::Cannot("two wishes exclude each other")])]);
    let proposed = world.plan(&table).unwrap();
    assert!(proposed.value.is_none() && proposed.escalation.unwrap().reason == "cannot-be-done");
}

fn tests(change: &[(&str, Value)]) -> Does {
    let mut answer = json!({
        "files": [{
            "path": "tests/test_price.py", "op": "create", "content": TEST, "replacements": null, "executable": null,
        }],
        "expected": [{ "path": "tests/test_price.py", "name": "test_price", "criteria": ["c1"] }],
        "uncovered": [], "exempt": null,
    });
    for (name, value) in change {
        answer[*name] = value.clone();
    }
    Does::Answers(answer)
}

#[test]
fn tests_are_written_from_the_plan_and_checked_by_the_rules() {
    let world = World::new("divide the price");
    let nameless = tests(&[(
        "expected",
        json!([{ "path": "tests/test_price.py", "name": "test_z", "criteria": ["c1"] }]),
    )]);
    let table = Table::of(vec![("tests.write", vec![nameless.clone(), tests(&[])])]);
    assert_eq!(world.write_tests(&table).unwrap(), world.tests);
    let asked = table.asked("tests.write");
    assert!(asked.len() == 2 && asked[1].prompt.contains("has no test `test_z`"));
    assert!(asked.iter().all(|ask| ask.role == "test-writer" && ask.context.contains("the plan (JSON)")));
    let table = Table::of(vec![("tests.write", vec![nameless])]);
    let error = world.write_tests(&table).unwrap_err();
    assert!(error.class() == Class::NotConverged && error.to_string().contains("test_z"), "{error}");
    let foreign = json!([{
        "path": "src/price.py", "op": "write", "content": "x", "replacements": null, "executable": null,
    }]);
    let table = Table::of(vec![("tests.write", vec![tests(&[("files", foreign)])])]);
    assert_eq!(world.write_tests(&table).unwrap_err().class(), Class::Denied);
    let waived = tests(&[
        ("files", json!([])),
        ("expected", json!([])),
        ("uncovered", json!([{ "criterion": "c1", "why": "text only" }])),
        ("exempt", json!("text only")),
    ]);
    let table = Table::of(vec![("tests.write", vec![waived])]);
    assert_eq!(world.write_tests(&table).unwrap().exempt.as_deref(), Some("text only"));
}
