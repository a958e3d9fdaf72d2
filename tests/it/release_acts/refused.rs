//! Decisions that nothing follows from.

use orch::artifact::digest::Digest;
use orch::artifact::id::StageId;
use orch::artifact::kind::slot;
use orch::artifact::types::release::{
    CheckState, ControlOutcome, ControlState, Millionths, ReleaseDecision, ReleaseOutcome,
};
use orch::diagnostic::{Class, Failure as _};
use orch::stage::promote::PromoteStage;
use orch::stage::rollback::RollbackStage;
use orch::stage::{Inputs, Stage};

use super::{Scene, control, digests, put, put_as, run_id};

#[track_caller]
fn refused(scene: &Scene, stage: &dyn Stage, inputs: &Inputs, class: Class, why: &str) {
    scene.hub.arm([]);
    let Err(error) = scene.try_stage(stage, inputs) else { panic!("{why}: it was acted on") };
    assert_eq!(error.class(), class, "{why}: {error}");
    assert!(error.to_string().contains(why), "{why}: {error}");
    assert!(scene.hub.writes().is_empty(), "{why}");
}

#[test]
fn only_the_word_of_the_gate_is_acted_on() {
    for (outcome, promote, rollback) in [
        (ReleaseOutcome::Hold, Some(Class::Temporary), Some(Class::Temporary)),
        (ReleaseOutcome::Deny, Some(Class::Denied), Some(Class::Nothing)),
        (ReleaseOutcome::Promote, None, Some(Class::Nothing)),
        (ReleaseOutcome::Rollback, Some(Class::Denied), None),
    ] {
        let scene = Scene::new(outcome);
        let stages: [(&dyn Stage, _); 2] = [(&PromoteStage, promote), (&RollbackStage, rollback)];
        for (stage, class) in stages {
            match class {
                Some(class) => refused(&scene, stage, &scene.inputs(), class, "the release gate says"),
                None => assert!(scene.try_stage(stage, &scene.inputs()).is_ok()),
            }
        }
    }
}

#[test]
fn a_decision_that_does_not_hold_is_refused() {
    type Spoil = fn(&mut Scene);
    let cases: &[(Spoil, &str)] = &[
        (|s| s.decision.evidence = Digest::of("other"), "rests on other evidence"),
        (|s| s.evidence.deployed = false, "changed after it was sealed"),
        (|s| s.decision.subject.commit = s.good.clone(), "another commit or digests"),
        (|s| s.decision.subject.artifacts = digests("evil"), "another commit or digests"),
        (|s| s.decision.environment = "staging".parse().unwrap(), "another environment"),
        (|s| s.decision.at = "2026-11-18T00:00:00Z".into(), "another time"),
        (|s| s.decision.last_good = None, "another last good"),
        (|s| s.decision.controls.clear(), "no control at all"),
        (|s| s.decision.controls.push(control("x", ControlOutcome::Hold)), "not what its own controls"),
        (|s| s.decision.controls.push(control("x", ControlOutcome::Deny)), "not what its own controls"),
        (
            |s| s.decision.controls.push(control("x", ControlOutcome::Inconclusive)),
            "not what its own controls",
        ),
    ];
    for (spoil, why) in cases {
        let mut scene = Scene::new(ReleaseOutcome::Promote);
        spoil(&mut scene);
        refused(&scene, &PromoteStage, &scene.inputs(), Class::Denied, why);
    }
    let mut scene = Scene::new(ReleaseOutcome::Rollback);
    scene.decision.controls[0].outcome = ControlOutcome::Pass;
    refused(&scene, &RollbackStage, &scene.inputs(), Class::Denied, "not what its own controls");
    let mut scene = Scene::new(ReleaseOutcome::Rollback);
    scene.again(|evidence| evidence.facts.last_good = None);
    refused(&scene, &RollbackStage, &scene.inputs(), Class::Temporary, "the release gate says hold");
    let mut scene = Scene::new(ReleaseOutcome::Rollback);
    let subject = scene.evidence.subject.clone();
    scene.again(|evidence| {
        let last_good = evidence.facts.last_good.as_mut().unwrap();
        last_good.commit = subject.commit;
        last_good.artifacts = subject.artifacts;
    });
    let error = scene.try_rollback().unwrap_err();
    assert!(scene.hub.writes().is_empty(), "{error}");
}

/// A decision and evidence that fit each other word by word, and are not what the rules make of it.
#[test]
fn a_decision_that_does_not_follow_again_is_refused() {
    type Spoil = fn(&mut Scene);
    let cases: &[(&str, Spoil, &str)] = &[
        (
            "the evidence is worse than the decision says",
            |s| {
                let said = s.decision.clone();
                s.again(|evidence| evidence.facts.checks.as_mut().unwrap()[0].state = CheckState::Red);
                s.decision = ReleaseDecision { evidence: s.decision.evidence.clone(), ..said };
            },
            "the evidence gives `deny`, and the decision says `promote`",
        ),
        (
            "a control that was asked for is left out",
            |s| drop(s.decision.controls.pop()),
            "the evidence gives `promote` for other reasons",
        ),
        (
            "a control is called waived",
            |s| s.decision.controls[0].state = ControlState::Waived,
            "for other reasons",
        ),
        ("other rules", |s| s.decision.rules = Digest::of("mine"), "other rules than this orch has"),
        (
            "weaker terms",
            |s| {
                let asked = s.config.clone();
                s.again(|evidence| evidence.terms.approvals = 0);
                s.config = asked;
            },
            "by other terms than orch.yml asks for",
        ),
        (
            "an environment that orch.yml does not name",
            |s| s.config.release.environments.clear(),
            "does not say what the environment",
        ),
        (
            "own rules left out",
            |s| s.config.release.packs.push("release-rules".into()),
            "other packs of rules than orch.yml names",
        ),
    ];
    for (case, spoil, why) in cases {
        let mut scene = Scene::new(ReleaseOutcome::Promote);
        spoil(&mut scene);
        let inputs = scene.inputs();
        scene.hub.arm([]);
        let error = scene.try_stage(&PromoteStage, &inputs).map(drop).unwrap_err();
        assert_eq!(error.class(), Class::Denied, "{case}: {error}");
        assert!(error.to_string().contains(why), "{case}: {error}");
        assert!(scene.hub.seen().is_empty(), "{case}: the forge was asked");
    }
    // The way back is judged again as well: numbers that are no harm lead to nothing.
    let mut scene = Scene::new(ReleaseOutcome::Rollback);
    let said = scene.decision.clone();
    scene.again(|evidence| {
        let canary = &mut evidence.facts.measures.as_mut().unwrap()[0];
        (canary.value, canary.events) = (Millionths(1_000), Some(5));
    });
    scene.decision = ReleaseDecision { evidence: scene.decision.evidence.clone(), ..said };
    refused(&scene, &RollbackStage, &scene.inputs(), Class::Denied, "the evidence gives `promote`");
}

#[test]
fn files_of_another_stage_run_or_tree_are_refused() {
    let scene = Scene::new(ReleaseOutcome::Promote);
    for (stage, run) in [(StageId::Policy, run_id()), (StageId::ReleaseGate, "other".parse().unwrap())] {
        let mut inputs = Inputs::default();
        put(&mut inputs, slot::RELEASE_EVIDENCE, &scene.evidence);
        put_as(&mut inputs, slot::RELEASE_DECISION, &scene.decision, stage, &run);
        refused(&scene, &PromoteStage, &inputs, Class::Denied, "another run or stage");
    }
    let mut inputs = scene.inputs();
    inputs.vouch(slot::RELEASE_DECISION, Digest::of("another attempt"));
    refused(&scene, &PromoteStage, &inputs, Class::Denied, "two attempts");
    let mut scene = Scene::new(ReleaseOutcome::Promote);
    let tree = scene.evidence.subject.tree.as_ref().unwrap().to_string();
    scene.replaced(&tree, &"a".repeat(40));
    refused(&scene, &PromoteStage, &scene.inputs(), Class::Denied, "another tree");
    let mut scene = Scene::new(ReleaseOutcome::Promote);
    let commit = scene.subject.to_string();
    scene.replaced(&commit, &"a".repeat(40));
    refused(&scene, &PromoteStage, &scene.inputs(), Class::Denied, "is not on acme/app");
}

#[test]
fn an_old_decision_is_not_acted_on() {
    for (minutes, class, why) in [
        (61, Some(Class::Temporary), "more than 60 minutes ago"),
        (60, None, ""),
        (-4, None, ""),
        (-6, Some(Class::Denied), "yet to come"),
    ] {
        let mut scene = Scene::new(ReleaseOutcome::Promote);
        scene.now += minutes * 60;
        match class {
            Some(class) => refused(&scene, &PromoteStage, &scene.inputs(), class, why),
            None => drop(scene.promote()),
        }
    }
    // A day later nobody knows any more whether the harm is still there.
    for (minutes, why) in [(1_441, "more than 1440 minutes ago"), (-6, "yet to come")] {
        let mut scene = super::rollback::bad();
        scene.now += minutes * 60;
        let class = if minutes > 0 { Class::Temporary } else { Class::Denied };
        refused(&scene, &RollbackStage, &scene.inputs(), class, why);
    }
}

#[test]
fn a_tag_that_is_no_name_is_refused_before_anything_is_written() {
    for pattern in ["{commit} x", "-x", "a..b", "x;rm", "${{ x }}", "x.lock"] {
        let mut scene = Scene::new(ReleaseOutcome::Promote);
        scene.config.promote.tag = pattern.into();
        refused(&scene, &PromoteStage, &scene.inputs(), Class::Usage, "no safe name");
    }
    let scene = Scene::new(ReleaseOutcome::Promote);
    scene.hub.state().archived = true;
    refused(&scene, &PromoteStage, &scene.inputs(), Class::Usage, "archived");
}
