//! Controls of a repository's own: shown as any other, waived as any other, and never a way to a pass.

use orch::artifact::types::release::{
    ControlOutcome, ControlState, OwnRules, ReleaseDecision, ReleaseOutcome,
};
use orch::stage::release_gate::judged;
use serde_json::{Value, json};

use super::good::{edit, good, sealed};

/// A control that says what `data.acme.on_call` says.
pub const ON_CALL: &str = r#"# METADATA
# title: Somebody is on call
# description: Who is on call is in a file beside the rule.
# custom:
#   code: acme/on-call
#   effect: deny
#   help: Put a name into data.json.
package orch.acme.on_call

import data.orch.lib.release

control contains release.measured("pass", sprintf("%s is on call", [data.acme.on_call])) if data.acme.on_call != ""

control contains release.measured("hold", "nobody is on call") if data.acme.on_call == ""

control contains release.missing("nobody said who is on call") if data.acme.on_call == "?"
"#;

fn rules(name: &str, text: &str) -> OwnRules {
    OwnRules { name: name.into(), data: None, text: Some(text.into()) }
}

fn data(text: &str) -> OwnRules {
    OwnRules {
        name: "controls/acme/data.json".into(),
        data: Some(vec!["acme".into()]),
        text: Some(format!("{{\"on_call\": \"{text}\"}}")),
    }
}

fn decide(own: &[OwnRules], edits: &Value) -> ReleaseDecision {
    let mut value = good();
    edit(&mut value, edits.as_object().unwrap());
    value["rules"] = json!(own);
    judged(&sealed(&value).unwrap()).unwrap()
}

#[test]
fn a_control_of_its_own_is_measured_missing_or_waived() {
    let none = json!({});
    let (rule, name) = (rules("controls/on-call.rego", ON_CALL), "acme/on-call");
    for (who, outcome, state) in [
        ("olga", ReleaseOutcome::Promote, ControlState::Measured),
        ("", ReleaseOutcome::Hold, ControlState::Measured),
        ("?", ReleaseOutcome::Hold, ControlState::Missing),
    ] {
        let decision = decide(&[rule.clone(), data(who)], &none);
        let control = decision.controls.iter().find(|control| control.control == name).unwrap();
        assert_eq!((decision.outcome, control.state), (outcome, state), "{who}: {control:?}");
        // It is one more, and takes none away.
        assert_eq!(decision.controls.len(), decide(&[], &none).controls.len() + 1);
        assert_ne!(decision.rules, decide(&[], &none).rules, "the digest of the rules takes it in");
    }
    let waiver = json!([{ "control": name, "reason": "nobody sleeps", "owner": "olga", "expires": "2026-12-01",
        "expires_seconds": 1_796_169_600 }]);
    let decision = decide(&[rule, data("")], &json!({ "/facts/waivers": waiver }));
    let control = decision.controls.iter().find(|control| control.control == name).unwrap();
    assert_eq!(
        (decision.outcome, control.state, control.outcome),
        (ReleaseOutcome::Promote, ControlState::Waived, ControlOutcome::Pass)
    );
    assert!(control.reason.contains("waived by olga"), "{control:?}");
}

#[test]
fn own_rules_that_cannot_judge_deny() {
    let package = |package: &str| ON_CALL.replace("orch.acme.on_call", package);
    let library = "package orch.lib.release.measured\n\nx := 1\n";
    let unlike = [
        ("no text", vec![OwnRules { text: None, ..rules("controls/x.rego", "") }]),
        ("no Rego", vec![rules("controls/x.rego", "package x\n\n{")]),
        ("no metadata", vec![rules("controls/x.rego", "package orch.acme.x\n\ncontrol contains 1\n")]),
        ("no such data", vec![rules("controls/x.rego", ON_CALL)]),
        ("broken data", vec![rules("x.rego", ON_CALL), OwnRules { text: Some("{".into()), ..data("") }]),
        ("another package than its code", vec![rules("x.rego", &package("orch.acme.x")), data("olga")]),
        ("the package of a control of orch", vec![rules("x.rego", &package("orch.release.checks"))]),
        ("into a library of orch", vec![rules("x.rego", ON_CALL), data("olga"), rules("l.rego", library)]),
        ("the library of orch", vec![rules("x.rego", "package orch.lib.release\n\nmissing(x) := x\n")]),
        (
            "the name of a file of orch",
            vec![rules("orch:release/checks/checks.rego", &package("orch.release.checks"))],
        ),
        ("twice the same", vec![rules("x.rego", ON_CALL), rules("y.rego", ON_CALL), data("olga")]),
        (
            "a result that is none",
            vec![rules("x.rego", &ON_CALL.replace("\"pass\"", "\"fine\"")), data("olga")],
        ),
        (
            "an answer that stays empty",
            vec![rules("x.rego", &ON_CALL.replace("!= \"\"", "== 1")), data("olga")],
        ),
        (
            "a misspelt field",
            vec![
                rules("x.rego", &ON_CALL.replace("data.acme.on_call != \"\"", "input.fact.checks")),
                data("olga"),
            ],
        ),
    ];
    for (case, own) in unlike {
        let decision = decide(&own, &json!({}));
        assert_eq!(decision.outcome, ReleaseOutcome::Deny, "{case}: {:#?}", decision.controls);
    }
}

#[test]
fn own_rules_waive_nothing() {
    let active = "\nactive contains {\"control\": \"release/checks\", \"scope\": null, \"owner\": \"me\", \"reason\": \"x\", \"expires\": \"2026-12-01\"}\n";
    let own = [rules("x.rego", &format!("{ON_CALL}{active}")), data("olga")];
    let decision = decide(&own, &json!({ "/facts/checks/0/state": "red" }));
    assert_eq!(decision.outcome, ReleaseOutcome::Deny);
    let checks = decision.controls.iter().find(|control| control.control == "release/checks").unwrap();
    assert_eq!(checks.outcome, ControlOutcome::Deny, "{checks:?}");
}
