//! `generate` with two models: agreement, a seeded bug, a stubborn Builder, and what ends it at once.

use orch::artifact::types::debate::{Evidence, MessageKind};
use orch::artifact::types::plan::RiskLevel;
use orch::diagnostic::{Class, Failure as _};
use orch::edit::format::Format;
use serde_json::{Value, json};

use super::support::{Does, PRICE, README, Table, World, fixed, judges, rejected, replaces, report, stays};

fn divide(answers: Value) -> Does {
    replaces("src/price.py", &[("return total", "return total / count")], answers)
}

/// The Architect's risk about the seeded bug; its evidence points into the submitted change.
fn zero_risk(evidence: &str) -> Value {
    json!([{
        "id": "r1", "severity": "high", "rule": "unhandled-error", "why": "a count of zero stops the program",
        "fix": "if count == 0:\n        return 0", "evidence": [evidence, "src/none.py:3"],
    }])
}

const GUARD: [(&str, &str); 1] =
    [("    return total / count", "    if count == 0:\n        return 0\n    return total / count")];

#[test]
fn a_readme_section_converges_within_three_turns() {
    let world = World::new("add a README section about refunds");
    let section = "\n## Refunds\n\nWithin 30 days.\n";
    let table = Table::of(vec![
        (
            "generate.implement",
            vec![replaces(
                "README.md",
                &[("Sells things.\n", &format!("Sells things.\n{section}"))],
                json!([]),
            )],
        ),
        ("generate.critique", vec![judges(json!([]))]),
    ]);
    let proposed = world.generate(&table).unwrap();
    assert!(proposed.escalation.is_none());
    let edits = proposed.value.unwrap();
    let bytes = edits.files[0].bytes().unwrap().unwrap();
    assert_eq!(String::from_utf8(bytes).unwrap(), format!("{README}{section}"));
    assert!(world.said().contains("CONVERGED after 3 turns: "), "{}", world.said());
    assert!(world.said().contains("submits 1 file, +4 -0"), "{}", world.said());
    let last = proposed.messages.last().unwrap();
    assert_eq!((last.turn, last.kind, last.model.as_ref()), (3, MessageKind::Verify, None));
    assert!(last.summary.starts_with("converged: "));

    let [build] = table.asked("generate.implement").try_into().unwrap();
    let [critique] = table.asked("generate.critique").try_into().unwrap();
    assert_eq!((build.avoid, critique.avoid.as_deref()), (None, Some("fake/alpha")), "another family judges");
    assert!(critique.prompt.contains("+## Refunds") && critique.prompt.contains("A change was submitted"));
    assert!(!critique.prompt.contains("your answer") && !critique.prompt.contains("fake/alpha"));
    assert!(build.context.contains("Money is in cents.") && build.context.contains("for reading only"));
}

#[test]
fn a_seeded_bug_is_a_high_risk_with_a_fix_and_converges_when_mended() {
    let world = World::new("divide the price");
    let table = Table::of(vec![
        ("generate.implement", vec![divide(json!([]))]),
        ("generate.critique", vec![judges(zero_risk("src/price.py:2")), judges(json!([]))]),
        ("generate.repair", vec![replaces("src/price.py", &GUARD, fixed("r1"))]),
    ]);
    let proposed = world.generate(&table).unwrap();
    assert!(proposed.escalation.is_none());
    let critique = &proposed.messages[1];
    let risk = &critique.risks[0];
    assert_eq!((critique.role.as_str(), risk.severity), ("architect", RiskLevel::High));
    assert!(risk.fix.contains("return 0"));
    assert_eq!(critique.dropped_citations, 1, "the fabricated one");
    let bytes = b"def unit_price(total, count):\n    return total / count\n";
    let submitted = orch::artifact::digest::Digest::of(bytes);
    let wanted =
        Evidence::Lines { path: "src/price.py".parse().unwrap(), blob: submitted, first: 2, last: 2 };
    assert_eq!(risk.evidence, [wanted], "evidence points into the submitted change");
    assert!(world.said().contains("CONVERGED after 5 turns"), "{}", world.said());
    assert!(
        world.said().contains("architect (other/beta) judges: 1 risk, 1 high, 1 citation dropped"),
        "{}",
        world.said()
    );
    let [repair] = table.asked("generate.repair").try_into().unwrap();
    assert!(
        repair.prompt.contains("a count of zero stops the program")
            && repair.prompt.contains("return total / count")
    );
    let text = String::from_utf8(proposed.value.unwrap().files[0].bytes().unwrap().unwrap()).unwrap();
    assert_eq!(
        text,
        PRICE.replace("    return total", "    if count == 0:\n        return 0\n    return total / count")
    );
}

#[test]
fn a_stubborn_builder_ends_with_the_rationale_bundle() {
    let padded = replaces("README.md", &[("Sells things.", "Sells good things.")], rejected("r1"));
    for (second, reason) in [(stays(rejected("r1")), "flapping"), (padded, "repetition")] {
        let world = World::new("divide the price");
        let table = Table::of(vec![
            ("generate.implement", vec![divide(json!([]))]),
            ("generate.critique", vec![judges(zero_risk("src/price.py:2"))]),
            ("generate.repair", vec![second]),
        ]);
        let proposed = world.generate(&table).unwrap();
        let bundle = proposed.escalation.unwrap();
        assert_eq!(bundle.reason, reason);
        assert!(bundle.diff.contains("+    return total / count"), "{}", bundle.diff);
        assert_eq!(
            (bundle.risks.len(), bundle.planned_risks.len(), bundle.rollback.as_str()),
            (1, 1, "git revert")
        );
        assert!(bundle.summary.contains(reason));
        let last = proposed.messages.last().unwrap();
        assert!(last.kind == MessageKind::Verify && last.summary.starts_with(reason), "{last:?}");
        assert!(proposed.value.is_some() && !world.said().contains("CONVERGED"));
    }
}

#[test]
fn taking_back_what_was_done_is_flapping() {
    let world = World::new("divide the price");
    let long = "a\nb\nc\nd\n";
    let table = Table::of(vec![
        (
            "generate.implement",
            vec![replaces("README.md", &[("Sells things.\n", &format!("Sells things.\n{long}"))], json!([]))],
        ),
        (
            "generate.critique",
            vec![judges(json!([{
                "id": "r1", "severity": "high", "rule": "scope", "why": "w", "fix": "f", "evidence": ["README.md:4"],
            }]))],
        ),
        ("generate.repair", vec![replaces("README.md", &[("b\nc\nd\n", "")], fixed("r1"))]),
    ]);
    let bundle = world.generate(&table).unwrap().escalation.unwrap();
    assert!(bundle.reason == "flapping" && bundle.summary.contains("takes back most"), "{bundle:?}");
}

#[test]
fn fabricated_evidence_cannot_hold_a_change_up() {
    let world = World::new("divide the price");
    let risks = zero_risk("src/price.py:99");
    let table = Table::of(vec![
        ("generate.implement", vec![divide(json!([]))]),
        ("generate.critique", vec![judges(risks)]),
    ]);
    let proposed = world.generate(&table).unwrap();
    assert!(proposed.escalation.is_none(), "a high risk without evidence does not block");
    let critique = &proposed.messages[1];
    assert_eq!(
        (critique.risks.len(), critique.risks[0].evidence.len(), critique.dropped_citations),
        (1, 0, 2)
    );
    assert_eq!(proposed.messages.len(), 3);
}

#[test]
fn an_edit_of_a_frozen_test_or_outside_the_plan_ends_the_work_at_once() {
    for (path, why) in [
        ("tests/test_price.py", "frozen test"),
        ("Tests/Test_Price.py", "frozen test"),
        ("src/other.py", "does not name"),
        ("../outside", "no change may touch"),
    ] {
        let world = World::new("divide the price");
        let write =
            json!({ "path": path, "op": "create", "content": "x", "replacements": null, "executable": null });
        let answer = json!({ "summary": "", "edits": [write], "claims": [], "answers": [] });
        let table = Table::of(vec![("generate.implement", vec![Does::Answers(answer)])]);
        let error = world.generate(&table).unwrap_err();
        assert_eq!(error.class(), Class::Denied, "{error}");
        assert!(error.to_string().contains(why), "{error} / {why}");
        assert_eq!(table.asked.lock().unwrap().len(), 1, "there is no second chance");
    }
}

#[test]
fn cannot_be_done_is_an_answer_of_everybody_and_goes_to_a_person() {
    let world = World::new("divide the price");
    let table = Table::of(vec![("generate.implement", vec![Does::Cannot("the test contradicts the plan")])]);
    let proposed = world.generate(&table).unwrap();
    let bundle = proposed.escalation.unwrap();
    assert!(proposed.value.is_none() && bundle.diff.is_empty());
    assert!(bundle.reason == "cannot-be-done" && bundle.summary.contains("contradicts the plan"));
    let table = Table::of(vec![
        ("generate.implement", vec![divide(json!([]))]),
        ("generate.critique", vec![Does::Cannot("nobody can tell")]),
    ]);
    let bundle = world.generate(&table).unwrap().escalation.unwrap();
    assert!(bundle.reason == "cannot-be-done" && bundle.diff.contains("total / count"));
    let table = Table::of(vec![("tests.write", vec![Does::Cannot("nothing to run")])]);
    assert_eq!(world.write_tests(&table).unwrap_err().class(), Class::NotConverged);
}

#[test]
fn an_edit_that_does_not_fit_is_sent_back_once_with_the_reason() {
    let wrong = replaces("src/price.py", &[("return nothing", "x")], json!([]));
    let world = World::new("divide the price");
    let table = Table::of(vec![
        ("generate.implement", vec![wrong.clone(), divide(json!([]))]),
        ("generate.critique", vec![judges(json!([]))]),
    ]);
    assert!(world.generate(&table).unwrap().escalation.is_none());
    let asked = table.asked("generate.implement");
    assert!(
        asked[1].prompt.contains("`src/price.py` has no place for")
            && asked[1].prompt.starts_with(&asked[0].prompt)
    );
    let table = Table::of(vec![("generate.implement", vec![wrong])]);
    let error = world.generate(&table).unwrap_err();
    assert!(
        error.class() == Class::NotConverged && error.to_string().contains("has no place for"),
        "{error}"
    );
}

#[test]
fn a_later_round_goes_on_from_the_edits_and_the_report_of_the_one_before() {
    let mut world = World::new("divide the price");
    let table = Table::of(vec![
        ("generate.implement", vec![divide(json!([]))]),
        ("generate.critique", vec![judges(json!([]))]),
        ("generate.repair", vec![replaces("src/price.py", &GUARD, json!([])), stays(json!([]))]),
    ]);
    let first = world.generate(&table).unwrap().value.unwrap();
    world.earlier = Some(first.clone());
    let report = report("failed");
    let second = world.repair(&table, Some(&report)).unwrap();
    let text = String::from_utf8(second.value.unwrap().files[0].bytes().unwrap().unwrap()).unwrap();
    assert!(text.contains("if count == 0"), "{text}");
    let [repair] = table.asked("generate.repair").try_into().unwrap();
    assert!(
        repair.prompt.contains("ZeroDivisionError: division by zero")
            && repair.prompt.contains("+    return total / count")
    );
    let critique = &table.asked("generate.critique")[1];
    assert!(critique.prompt.contains("+    if count == 0"));
    // Coming back with the same edits is no progress.
    let bundle = world.repair(&table, Some(&report)).unwrap().escalation.unwrap();
    assert_eq!(bundle.reason, "flapping");
}

#[test]
fn extra_critics_judge_at_once_and_none_sees_the_other() {
    let mut world = World::new("divide the price");
    world.setup.critics = vec!["security-architect".into(), "performance-tuner".into()];
    let table = Table::of(vec![
        ("generate.implement", vec![divide(json!([]))]),
        ("generate.critique", vec![judges(json!([]))]),
        (
            "security-architect/generate.critique",
            vec![judges(zero_risk("src/price.py:2")), judges(json!([]))],
        ),
        ("generate.repair", vec![replaces("src/price.py", &GUARD, fixed("security-architect:r1"))]),
    ]);
    let proposed = world.generate(&table).unwrap();
    assert!(proposed.escalation.is_none(), "{:?}", proposed.escalation);
    let first: Vec<_> = table.asked("generate.critique").into_iter().take(3).collect();
    let roles: Vec<_> = first.iter().map(|ask| ask.role.as_str()).collect();
    assert_eq!(roles, ["architect", "security-architect", "performance-tuner"]);
    assert!(first.iter().all(|ask| ask.prompt == first[0].prompt), "all judge the same");
    assert!(first.iter().any(|ask| ask.system.contains("injection (usually high)")));
    let turns: Vec<_> = proposed.messages.iter().map(|m| m.turn).collect();
    assert_eq!(turns, [1, 2, 2, 2, 3, 4, 4, 4, 5]);
}

#[test]
fn who_cannot_be_asked_keeps_his_exit_code_and_a_refusal_is_asked_again_once() {
    let world = World::new("divide the price");
    for class in [Class::Exhausted, Class::Temporary, Class::Usage] {
        let table = Table::of(vec![("generate.implement", vec![Does::Fails(class)])]);
        assert_eq!(world.generate(&table).unwrap_err().class(), class);
        assert_eq!(table.asked("generate.implement").len(), 1);
    }
    let table = Table::of(vec![
        ("generate.implement", vec![Does::Fails(Class::NotConverged), divide(json!([]))]),
        ("generate.critique", vec![judges(json!([]))]),
    ]);
    assert!(world.generate(&table).unwrap().escalation.is_none());
    let asked = table.asked("generate.implement");
    assert_ne!(
        asked[0].prompt, asked[1].prompt,
        "the same request would get the same refusal from the record"
    );
    let table = Table::of(vec![("generate.implement", vec![Does::Fails(Class::NotConverged)])]);
    assert_eq!(world.generate(&table).unwrap().escalation.unwrap().reason, "refusal");
    assert_eq!(table.asked("generate.implement").len(), 2);
}

#[test]
fn a_change_of_nothing_is_a_fault_that_must_go() {
    let world = World::new("divide the price");
    let table = Table::of(vec![
        ("generate.implement", vec![stays(json!([]))]),
        ("generate.repair", vec![divide(json!([]))]),
        ("generate.critique", vec![judges(json!([]))]),
    ]);
    let proposed = world.generate(&table).unwrap();
    assert!(proposed.escalation.is_none());
    let [repair] = table.asked("generate.repair").try_into().unwrap();
    assert!(repair.prompt.contains("proposes no edit at all"));
    let table = Table::of(vec![
        ("generate.implement", vec![stays(json!([]))]),
        ("generate.repair", vec![stays(json!([]))]),
    ]);
    let proposed = world.generate(&table).unwrap();
    assert!(proposed.value.is_none());
    assert_eq!(proposed.escalation.map(|bundle| bundle.reason).as_deref(), Some("flapping"));
}

/// The stage as the runner sees it: without agreement it stops with exit code 7 and keeps the bundle, edits or not.
#[test]
fn the_stage_stops_with_exit_7_and_keeps_why() {
    use orch::artifact::kind::slot;
    use orch::stage::{StageResult, registry::STAGES};

    let stubborn = Table::of(vec![
        ("generate.implement", vec![divide(json!([]))]),
        ("generate.critique", vec![judges(zero_risk("src/price.py:2"))]),
        ("generate.repair", vec![stays(rejected("r1"))]),
    ]);
    let unable = Table::of(vec![("generate.implement", vec![Does::Cannot("the test contradicts the plan")])]);
    let stage = STAGES.iter().find(|stage| stage.spec().id == orch::artifact::id::StageId::Generate).unwrap();
    for (table, has_edits) in [(stubborn, true), (unable, false)] {
        let world = World::new("divide the price");
        let finished = world.run_stage(*stage, &table).unwrap();
        assert!(
            matches!(finished.result, StageResult::Stopped { class: Class::NotConverged, .. }),
            "{finished:?}"
        );
        let written: Vec<_> = finished.outputs.iter().map(|(slot, _)| slot.path).collect();
        assert!(
            written.contains(&slot::EDITS_ESCALATION.path) && written.contains(&slot::EDITS_MESSAGES.path)
        );
        assert_eq!(written.contains(&slot::EDITS.path), has_edits, "{written:?}");
    }
}

/// The same change of two files in each format that is a text.
const PATCHES: [(Format, &str); 3] = [
    (
        Format::Udiff,
        "--- a/src/price.py\n+++ b/src/price.py\n@@ -7 +7 @@\n def unit_price(total, count):\n-    return total\n+    return total / count\n--- a/README.md\n+++ b/README.md\n@@\n Sells things.\n+Cheaply.\n",
    ),
    (
        Format::SearchReplace,
        "src/price.py\n<<<<<<< SEARCH\n    return total\n=======\n    return total / count\n>>>>>>> REPLACE\nREADME.md\n<<<<<<< SEARCH\nSells things.\n=======\nSells things.\nCheaply.\n>>>>>>> REPLACE\n",
    ),
    (
        Format::V4a,
        "*** Begin Patch\n*** Update File: src/price.py\n@@ def unit_price(total, count):\n-    return total\n+    return total / count\n*** Update File: README.md\n@@\n Sells things.\n+Cheaply.\n*** End Patch\n",
    ),
];

fn patched(text: &str, answers: Value) -> Does {
    Does::Answers(json!({ "summary": "as planned", "patch": text, "claims": [], "answers": answers }))
}

#[test]
fn a_builder_writes_edits_in_the_format_of_its_model() {
    for (format, text) in PATCHES {
        let mut world = World::new("divide the price");
        world.setup.edits = format;
        let again = text.replace("return total", "return money");
        let table = Table::of(vec![
            ("generate.implement", vec![patched(&again, json!([])), patched(text, json!([]))]),
            ("generate.critique", vec![judges(zero_risk("src/price.py:2")), judges(json!([]))]),
            (
                "generate.repair",
                vec![patched(PATCH_GUARD.iter().find(|(known, _)| *known == format).unwrap().1, fixed("r1"))],
            ),
        ]);
        let proposed = world.generate(&table).unwrap();
        assert!(proposed.escalation.is_none(), "{format:?}: {}", world.said());
        let files = proposed.value.unwrap().files;
        let text_of = |at: usize| String::from_utf8(files[at].bytes().unwrap().unwrap()).unwrap();
        assert_eq!(text_of(0), format!("{README}Cheaply.\n"));
        assert_eq!(
            text_of(1),
            PRICE.replace(
                "    return total",
                "    if count == 0:\n        return 0\n    return total / count"
            )
        );
        let [first, second] = table.asked("generate.implement").try_into().unwrap();
        let [repair] = table.asked("generate.repair").try_into().unwrap();
        for ask in [&first, &second, &repair] {
            assert!(ask.prompt.contains("- `patch` is ") && !ask.prompt.contains("`find`"), "{}", ask.prompt);
            assert_eq!(ask.schema.name, "patch");
        }
        assert!(second.prompt.contains("`src/price.py` has no place for"), "{}", second.prompt);
        assert!(world.said().contains("asked again: `src/price.py` has no place"), "{}", world.said());
    }
}

/// What mends it, in each format.
const PATCH_GUARD: [(Format, &str); 3] = [
    (
        Format::Udiff,
        "--- a/src/price.py\n+++ b/src/price.py\n@@\n def unit_price(total, count):\n+    if count == 0:\n+        return 0\n     return total / count\n",
    ),
    (
        Format::SearchReplace,
        "src/price.py\n<<<<<<< SEARCH\n    return total / count\n=======\n    if count == 0:\n        return 0\n    return total / count\n>>>>>>> REPLACE\n",
    ),
    (
        Format::V4a,
        "*** Begin Patch\n*** Update File: src/price.py\n@@\n def unit_price(total, count):\n+    if count == 0:\n+        return 0\n     return total / count\n*** End Patch\n",
    ),
];

#[test]
fn a_patch_that_leaves_the_plan_ends_the_work() {
    for path in ["tests/test_price.py", "setup.py", "../x"] {
        let mut world = World::new("divide the price");
        world.setup.edits = Format::V4a;
        let text = format!("*** Begin Patch\n*** Add File: {path}\n+x\n*** End Patch\n");
        let table = Table::of(vec![("generate.implement", vec![patched(&text, json!([]))])]);
        let error = world.generate(&table).unwrap_err();
        assert!(error.to_string().contains(path), "{error}");
        assert_eq!(table.asked("generate.implement").len(), 1, "it is not asked again");
    }
}
