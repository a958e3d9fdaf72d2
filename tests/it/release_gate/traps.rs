//! Every trap of `tests/golden/release/traps.yml` is judged through the program and does not promote; its twin does.

use std::fs;

use orch::artifact::types::release::{ControlOutcome, ReleaseDecision};
use orch::diagnostic::explain;
use orch::stage::policy::bundle::Sources;
use orch::stage::policy::tester;
use orch::stage::release_gate::judge::{Pack, judge};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::good::{edit, file, golden, good, retime, sealed};
use crate::env::TestEnv;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    trap: Map<String, Value>,
    /// Seconds are left as they are.
    #[serde(default)]
    raw: bool,
    wants: String,
    control: String,
    #[serde(default)]
    says: Option<String>,
    mended: Map<String, Value>,
}

fn cases() -> Vec<Case> {
    serde_yaml::from_str(&golden("traps.yml")).unwrap()
}

fn edited(edits: &Map<String, Value>, raw: bool) -> orch::artifact::types::release::ReleaseEvidence {
    let mut value = good();
    edit(&mut value, edits);
    if !raw {
        retime(&mut value);
    }
    sealed(&value).unwrap_or_else(|| panic!("no evidence: {edits:?}"))
}

#[test]
fn every_rule_loads_is_tested_and_has_a_page() {
    let pack = Pack::embedded().unwrap();
    assert!(pack.broken.is_empty(), "{:#?}", pack.broken);
    assert_eq!(pack.rules.len(), 17);
    let sources = Sources::of_releases().unwrap();
    let outcomes = tester::run(&sources);
    let failed: Vec<_> = outcomes.iter().filter(|outcome| outcome.failure.is_some()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    for file in sources.files().iter().filter(|file| !file.is_test()) {
        let test = file.name.replace(".rego", "_test.rego");
        assert!(outcomes.iter().any(|outcome| outcome.file == test), "{test} is missing");
    }
    let mut controls: Vec<&str> = pack.rules.iter().map(|rule| rule.metadata.code.as_str()).collect();
    controls.push("release/evidence");
    controls.sort_unstable();
    let pages: Vec<_> = explain::codes().into_iter().filter(|code| code.category() == "release").collect();
    assert_eq!(pages.iter().map(orch::diagnostic::Code::as_str).collect::<Vec<_>>(), controls);
}

#[test]
fn the_good_release_is_promoted_with_every_control_asked() {
    let decision = judge(&sealed(&good()).unwrap(), &Pack::embedded().unwrap()).unwrap();
    let against: Vec<_> =
        decision.controls.iter().filter(|one| one.outcome != ControlOutcome::Pass).collect();
    assert!(against.is_empty(), "{against:#?}");
    let not_asked: Vec<_> = decision.not_asked.iter().map(|one| one.control.as_str()).collect();
    assert_eq!((decision.controls.len(), not_asked), (16, vec!["release/waivers"]));
}

/// In the library, so that a hundred cases take a second.
#[test]
fn no_trap_promotes_and_every_mended_twin_does() {
    let pack = Pack::embedded().unwrap();
    let mut wrong = Vec::new();
    for case in cases() {
        let decision = judge(&edited(&case.trap, case.raw), &pack).unwrap();
        let control = decision.controls.iter().find(|one| one.control == case.control);
        let spoke = control.is_some_and(|one| {
            one.outcome != ControlOutcome::Pass
                && case.says.as_ref().is_none_or(|text| one.reason.contains(text))
        });
        if decision.outcome.as_str() != case.wants || !spoke {
            wrong.push(format!("{}: {:?}, {control:#?}", case.name, decision.outcome));
        }
        let mended = judge(&edited(&case.mended, false), &pack).unwrap();
        let against: Vec<_> =
            mended.controls.iter().filter(|one| one.outcome != ControlOutcome::Pass).collect();
        if !against.is_empty() {
            wrong.push(format!("the twin of {}: {against:#?}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{}\n{} wrong", wrong.join("\n"), wrong.len());
}

/// A rule that cannot answer is a deny that names the control, and outweighs everything.
#[test]
fn a_rule_that_does_not_answer_denies() {
    let good = sealed(&good()).unwrap();
    let sources = Sources::of_releases().unwrap();
    let soak = "orch:release/soak/soak.rego";
    let text = |name: &str| {
        let file = sources.files().iter().find(|file| file.name == name).unwrap();
        String::from_utf8(file.bytes.clone().unwrap()).unwrap()
    };
    let head = text(soak).split("import ").next().unwrap().to_owned();
    for (what, rest) in [
        ("syntax", "control contains if {".to_owned()),
        ("no set", "control := 1".into()),
        ("no entry", "other contains 1".into()),
        ("an empty set", "control contains 1 if false".into()),
        ("no result", "control contains \"pass\"".into()),
        ("another word", "control contains {\"state\": \"measured\", \"outcome\": \"fine\", \"reason\": \"\"}".into()),
        ("more than a result", "control contains {\"state\": \"measured\", \"outcome\": \"pass\", \"reason\": \"\", \"x\": 1}".into()),
        ("an error", "control contains {\"state\": \"measured\", \"outcome\": \"pass\", \"reason\": \"\"} if to_number(\"x\") == 1".into()),
        ("a field that is not there", "control contains {\"state\": \"measured\", \"outcome\": \"pass\", \"reason\": \"\"} if input.facts.soaked".into()),
        ("a builtin that is not there", "control contains {\"state\": \"measured\", \"outcome\": \"pass\", \"reason\": \"\"} if http.send({})".into()),
        ("no end", "control contains {\"state\": \"measured\", \"outcome\": \"pass\", \"reason\": \"\"} if count([1 | some a in numbers.range(1, 100000); some b in numbers.range(1, 100000)]) > 0".into()),
    ] {
        let files = sources.files().iter().cloned().map(|mut file| {
            if file.name == soak {
                file.bytes = Some(format!("{head}{rest}\n").into_bytes());
            }
            file
        });
        let pack = Pack::of(&Sources::of(files.collect()).unwrap());
        let decision = judge(&good, &pack).unwrap();
        let first = decision.controls.first().unwrap();
        assert_eq!(decision.outcome.as_str(), "deny", "{what}: {first:#?}");
        assert!(first.control == "release/soak" || first.reason.contains("release/soak"), "{what}: {first:#?}");
    }
    // A pass of what is missing is none.
    let lenient = format!(
        "{head}control contains {{\"state\": \"missing\", \"outcome\": \"pass\", \"reason\": \"\"}}\n"
    );
    let files = sources.files().iter().cloned().map(|mut file| {
        if file.name == soak {
            file.bytes = Some(lenient.clone().into_bytes());
        }
        file
    });
    let decision = judge(&good, &Pack::of(&Sources::of(files.collect()).unwrap())).unwrap();
    assert_eq!(decision.outcome.as_str(), "hold");
}

/// Through the program: exit codes, text, JSON, and the same bytes each time.
#[test]
fn the_program_judges_a_file_offline_with_documented_exit_codes() {
    let env = TestEnv::new();
    let root = env.path("nowhere");
    fs::create_dir_all(&root).unwrap();
    let seen = |name: &str, want: &str, exit: i32| {
        let case = cases().into_iter().find(|case| case.name == name).unwrap();
        fs::write(root.join("evidence.json"), file(&edited(&case.trap, case.raw))).unwrap();
        let words = ["release", "judge", "evidence.json", "--out", "decision.json"];
        let text = env.orch(&root, &words).exits(exit).says(want);
        let bytes = fs::read(root.join("decision.json")).unwrap();
        env.orch(&root, &words).exits(exit);
        assert_eq!(bytes, fs::read(root.join("decision.json")).unwrap());
        let json =
            env.orch(&root, &["release", "judge", "evidence.json", "--format", "json"]).exits(exit).json();
        let decision: ReleaseDecision = serde_json::from_value(json).unwrap();
        assert_eq!(decision.outcome.as_str(), case.wants);
        assert!(text.stdout.contains(&case.control.replace("release/", "")), "{}", text.stdout);
    };
    seen("a freeze of all environments", "HOLD", 75);
    seen("a canary that is worse", "DENY", 3);
    seen("a canary that is out and worse", "ROLLBACK", 3);
    fs::write(root.join("evidence.json"), file(&sealed(&good()).unwrap())).unwrap();
    env.orch(&root, &["release", "judge", "evidence.json"]).exits(0).says("PROMOTE");
    // What was changed and not sealed again, what is cut off and what is no evidence at all.
    let mut bytes = file(&sealed(&good()).unwrap());
    let text =
        String::from_utf8(bytes.clone()).unwrap().replace("\"remaining\":420000", "\"remaining\":430000");
    fs::write(root.join("evidence.json"), text).unwrap();
    env.orch(&root, &["release", "judge", "evidence.json"]).exits(3).says("changed after it was sealed");
    bytes.truncate(bytes.len() / 2);
    fs::write(root.join("evidence.json"), bytes).unwrap();
    env.orch(&root, &["release", "judge", "evidence.json"]).exits(2).says("cannot be judged");
    fs::write(root.join("evidence.json"), "{}").unwrap();
    env.orch(&root, &["release", "judge", "evidence.json"]).exits(2);
    env.orch(&root, &["release", "judge", "none.json"]).exits(1);
    env.orch(&root, &["release", "controls"]).exits(0).says("release/canary");
    env.orch(&root, &["schema", "release-evidence"]).exits(0).says("urn:orch:artifact:release-evidence:1.1");
}

/// What an environment asks for is checked as the rest of the config is: with the place, and what to do.
#[test]
fn mistakes_in_the_config_of_releases_are_told() {
    let of = |text: &str| format!("release:\n  environments:\n    production:\n      {text}\n");
    for (text, want) in [
        (of("aprovals: 1"), "Did you mean `release.environments.production.approvals`?"),
        (of("approvals: 99"), "a whole number from 0 to 10"),
        (of("checks: [build]"), "does not say which app"),
        (of("checks: [\"a:b\"]\n      may_skip: [\"a:c\"]"), "which is no required check"),
        (of("canary: {error-ratio: {tolerance: much}}"), "is no number"),
        (of("canary: {error-ratio: {canary: {statistic: mode}}}"), "must be `mean`"),
        (of("canary: {\"Error ratio\": {}}"), "has a name that cannot be taken"),
        (of("slo: {availability: {}}"), "has no `objective`"),
        (of("soak: {environment: Staging!}"), "is not the name of an environment"),
        (of("rollback: {plan: ../x}"), "release.environments.production.rollback.plan"),
        ("release:\n  prometheus: http://example.org\n".into(), "not https"),
        ("release:\n  freezes:\n    x: {from: 2026-12-24, to: never, reason: y}\n".into(), "is no time"),
        (
            "release:\n  freezes:\n    x: {from: 2026-12-24T00:00:00Z, to: 2026-12-23T00:00:00Z, reason: y}\n".into(),
            "is not after `from`",
        ),
        ("release:\n  environments: [production]\n".into(), "must be a map from names"),
    ] {
        let problems = format!("{:?}", orch::config::parse(text.as_bytes(), "orch.yml").unwrap_err());
        assert!(problems.contains(want), "{text}: {problems}");
    }
    let text = of("checks: [\"a:b\"]\n      slo: {up: {objective: 0.999}}");
    let config = orch::config::parse(text.as_bytes(), "orch.yml").unwrap();
    let terms = &config.release.environments.values().next().unwrap().terms;
    assert_eq!((terms.slo["up"].objective.0, terms.approvals, terms.proven), (999_000, 1, true));
}
