//! What the workflows made hold: powers, conditions, rights.

use super::*;
use crate::pipeline::CHANGE;

fn jobs(text: &str) -> serde_yaml::Mapping {
    let value: serde_yaml::Value = serde_yaml::from_str(text).unwrap();
    value["jobs"].as_mapping().unwrap().clone()
}

fn stage_of(job: &serde_yaml::Value) -> Option<StageId> {
    job["steps"].as_sequence()?.iter().find_map(|step| step["with"]["stage"].as_str()?.parse().ok())
}

/// Rights, keys and persisted tokens follow from the specs, and nothing else has any.
#[test]
fn a_job_holds_what_its_spec_says_and_no_more() {
    let mut seen = 0;
    for file in shipped(&Origin::Own).unwrap() {
        for (name, job) in jobs(&file.text) {
            let name = name.as_str().unwrap();
            let written = serde_yaml::to_string(&job).unwrap();
            let Some(stage) = stage_of(&job) else {
                let known = [
                    "result", "each", "index", "earlier", "command", "plan", "run", "approve", "act",
                    "reply", "mend-1", "mend-2", "proof",
                ];
                assert!(known.contains(&name), "{name}");
                continue;
            };
            seen += 1;
            let spec = registry::stage(stage).unwrap().spec();
            let rights: Vec<String> = job["permissions"]
                .as_mapping()
                .unwrap()
                .iter()
                .map(|(right, level)| format!("{}: {}", right.as_str().unwrap(), level.as_str().unwrap()))
                .collect();
            assert_eq!(
                rights,
                spec.permissions.iter().map(|p| p.as_str().to_owned()).collect::<Vec<_>>(),
                "{name}"
            );
            let holds = |power| spec.powers().contains(&power);
            // What a server of measures wants opens no model and writes nothing.
            let measures = format!("{METRICS}: ${{{{ secrets.{METRICS} }}}}");
            let keys =
                written.lines().any(|line| line.contains(": ${{ secrets.") && !line.contains(&measures));
            assert_eq!(keys, holds(Power::Key), "{name}");
            assert_eq!(written.contains(&measures), stage == StageId::ReleaseGate, "{name}");
            assert_eq!(
                written.contains("secrets."),
                holds(Power::Key) || matches!(stage, StageId::Intake | StageId::ReleaseGate),
                "{name}"
            );
            assert_eq!(written.contains("persist-credentials: true"), stage == StageId::Pr, "{name}");
            assert_eq!(written.contains("inputs.runner"), holds(Power::Exec), "{name}");
            assert!(job["timeout-minutes"].as_u64().is_some_and(|minutes| minutes <= 60), "{name}");
        }
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn conditions_read_result_and_exit_of_every_stage_before() {
    let files = compile("change.yml", CHANGE, &Origin::Own).unwrap();
    let jobs = jobs(&files[0].text);
    let condition = |job: &str| jobs[job]["if"].as_str().unwrap().to_owned();
    let plan = condition("plan");
    assert_eq!(
        plan,
        "${{ always() && needs.intake.result == 'success' && format('exit {0}', needs.intake.outputs.exit) == 'exit 0' }}"
    );
    let second = condition("generate-2");
    assert!(second.contains("needs.verify-green-1.outputs.exit) == 'exit 6'"), "{second}");
    assert!(second.contains("needs.generate-1.outputs.exit) == 'exit 0'"), "{second}");
    let policy = condition("policy");
    for round in 1..=3 {
        assert!(
            policy.contains(&format!("needs.verify-green-{round}.outputs.exit) == 'exit 0'")),
            "{policy}"
        );
    }
    let pr = condition("pr");
    assert!(
        pr.contains("needs.policy.outputs.decision") && pr.contains("needs.policy.result == 'success'"),
        "{pr}"
    );
    let all: Vec<&str> =
        jobs["result"]["needs"].as_sequence().unwrap().iter().filter_map(|need| need.as_str()).collect();
    // How the whole ended hangs on every job but the one that only proves it.
    let rest: Vec<&str> =
        jobs.keys().filter_map(|name| name.as_str()).filter(|name| !all.contains(name)).collect();
    assert_eq!(rest, ["proof", "result"]);
}

#[test]
fn every_action_is_pinned_by_its_commit() {
    for pin in pins::ALL {
        assert!(pin.commit.len() == 40 && pin.commit.bytes().all(|b| b.is_ascii_hexdigit()), "{}", pin.name);
    }
    for file in shipped(&Origin::Own).unwrap() {
        for line in
            file.text.lines().filter_map(|line| line.trim().trim_start_matches("- ").strip_prefix("uses: "))
        {
            let known = pins::ALL.iter().any(|pin| line == pin.uses());
            assert!(
                known || line.starts_with("./.orch-action ") || line.starts_with("./.github/workflows/"),
                "{line}"
            );
        }
    }
}

#[test]
fn keys_are_credentials_of_known_providers() {
    let catalogue = include_str!("../../models/models.toml");
    for (key, _) in KEYS {
        assert!(catalogue.contains(&format!("\"{key}\"")), "{key}");
    }
}

#[test]
fn elsewhere_the_action_is_that_of_a_release() {
    let release = Origin::Release("0123456789abcdef0123456789abcdef01234567 # v1.2.3".into());
    let files = compile("change.yml", CHANGE, &release).unwrap();
    let text = &files[0].text;
    assert!(!text.contains(".orch-action") && !text.contains("workflow_sha"));
    let uses = format!("uses: {}@0123456789abcdef0123456789abcdef01234567 # v1.2.3\n", caller::repository());
    // A step for each stage, and one more of the job that keeps what was signed.
    assert_eq!(text.matches(&uses).count(), text.matches("id: stage").count() + 1);
}

/// A denied release ends as one that is rolled back does: only the decision tells them apart.
#[test]
fn a_release_is_promoted_or_taken_back_by_the_word_of_the_gate() {
    let text = SHIPPED.iter().find(|(name, _)| *name == "release-change.yml").unwrap().1;
    let files = compile("release-change.yml", text, &Origin::Own).unwrap();
    let jobs = jobs(&files[0].text);
    let condition = |job: &str| jobs[job]["if"].as_str().unwrap().to_owned();
    for (job, code, word) in [("promote", 0, "promote"), ("rollback", 3, "rollback")] {
        let condition = condition(job);
        for part in [
            format!("needs.release-gate.outputs.exit) == 'exit {code}'"),
            format!("contains(fromJSON('[\"{word}\"]'), needs.release-gate.outputs.decision)"),
            "needs.release-gate.result == 'success'".into(),
        ] {
            assert!(condition.contains(&part), "{condition}");
        }
    }
    let exec = &jobs["rollback-command"];
    let written = serde_yaml::to_string(exec).unwrap();
    assert!(!written.contains("GITHUB_TOKEN") && !written.contains("secrets."), "{written}");
    assert!(condition("rollback-command").contains("needs.rollback.outputs.exit"));
    // What was decided is signed and kept, by a job that runs nothing and decides nothing; a hold is asked again.
    let proof = &jobs["proof"];
    let written = serde_yaml::to_string(proof).unwrap();
    assert!(written.contains("/orch-release/v1") && !written.contains("secrets."), "{written}");
    let condition = proof["if"].as_str().unwrap();
    assert!(
        condition.contains(r#"["promote","rollback","deny"]"#) && !condition.contains("hold"),
        "{condition}"
    );
    let all = |job: &str| jobs[job]["needs"].as_sequence().unwrap().len();
    assert_eq!((all("proof"), all("result")), (4, 4));
    // Two releases to one environment never overlap.
    assert!(files[0].text.contains("group: orch-release-change-${{ inputs.key || inputs.environment }}"));
}
