//! Decisions that nothing follows from.

use orch::artifact::digest::Digest;
use orch::artifact::id::StageId;
use orch::artifact::kind::slot;
use orch::artifact::types::release::{ControlOutcome, ReleaseOutcome};
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
    refused(&scene, &RollbackStage, &scene.inputs(), Class::Denied, "no release to go back to");
    let mut scene = Scene::new(ReleaseOutcome::Rollback);
    let subject = scene.evidence.subject.clone();
    scene.again(|evidence| {
        let last_good = evidence.facts.last_good.as_mut().unwrap();
        last_good.commit = subject.commit;
        last_good.artifacts = subject.artifacts;
    });
    refused(&scene, &RollbackStage, &scene.inputs(), Class::Denied, "the one that does harm");
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
    scene.again(|evidence| evidence.subject.tree = Some("a".repeat(40).parse().unwrap()));
    refused(&scene, &PromoteStage, &scene.inputs(), Class::Denied, "another tree");
    let mut scene = Scene::new(ReleaseOutcome::Promote);
    scene.again(|evidence| evidence.subject.commit = "a".repeat(40).parse().unwrap());
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
