//! The rules of a debate, one by one, and that every debate ends.

use super::*;
use crate::agent::debate::convergence::tests::risk;
use crate::artifact::types::plan::RiskLevel;

fn by(role: &str) -> Speaker {
    Speaker { role: role.into(), model: Some(format!("fake/{role}")), exchange: None }
}

/// A submission of a text, after another one.
fn submit(before: &str, text: &str, faults: &[&str], answers: &[(&str, RiskOutcome)]) -> Event {
    let answer = |(risk, outcome): &(&str, RiskOutcome)| RiskAnswer {
        risk: (*risk).to_owned(),
        outcome: *outcome,
        why: "so".into(),
    };
    Event::Submitted(Box::new(Submission {
        by: by("builder"),
        subject: Digest::of(text),
        change: Change::of("f", Some(before.as_bytes()), Some(text.as_bytes())),
        size: text.lines().count() as u64,
        faults: faults.iter().map(|f| (*f).to_owned()).collect(),
        summary: String::new(),
        claims: vec![],
        answers: answers.iter().map(answer).collect(),
        dropped: 0,
        left_out: vec![],
    }))
}

fn judge(risks: Vec<DebateRisk>) -> Event {
    Event::Critiqued(vec![Critique { by: by("architect"), risks, ..Critique::default() }])
}

fn high(line: u32, why: &str) -> DebateRisk {
    risk(RiskLevel::High, line, "", why)
}

/// Plays events and returns how it ended; the debate must not end before the last event.
#[track_caller]
fn play(limits: Limits, events: Vec<Event>) -> (End, Debate) {
    let mut debate = Debate::new(limits);
    let last = events.len() - 1;
    for (at, event) in events.into_iter().enumerate() {
        let over = matches!(debate.on(event), Step::End(_));
        assert_eq!(over, at == last, "event {at}: {:?}", debate.step());
    }
    match debate.step().clone() {
        Step::End(end) => (end, debate),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_sound_change_nobody_objects_to_converges_in_three_turns() {
    let medium = risk(RiskLevel::Medium, 1, "x", "could be nicer");
    let blind = DebateRisk { evidence: vec![], ..high(1, "I have a feeling") };
    let (end, debate) = play(Limits::CHANGE, vec![submit("", "a", &[], &[]), judge(vec![medium, blind])]);
    assert_eq!((end.rule, end.turns), (ExitRule::Converged, 3));
    let kinds: Vec<_> = debate.messages().iter().map(|m| (m.turn, m.kind)).collect();
    assert_eq!(kinds, [(1, MessageKind::Implement), (2, MessageKind::Critique), (3, MessageKind::Verify)]);
    assert!(debate.messages()[2].summary.starts_with("converged: ") && debate.messages()[2].model.is_none());
}

#[test]
fn a_mended_risk_converges_and_its_repair_is_asked_with_the_risk() {
    let mut debate = Debate::new(Limits::CHANGE);
    debate.on(submit("", "a\nb\nc\n", &[], &[]));
    let step = debate.on(judge(vec![risk(RiskLevel::Low, 2, "", "l"), high(1, "divides by zero")])).clone();
    let Step::Submit { risks, .. } = step else { panic!("{step:?}") };
    assert_eq!(risks[0].severity, RiskLevel::High, "what blocks comes first");
    debate.on(submit("a\nb\nc\n", "a\nb\nd\n", &[], &[("r", RiskOutcome::Fixed)]));
    debate.on(judge(vec![]));
    assert!(
        matches!(debate.step(), Step::End(end) if end.converged() && end.turns == 5),
        "{:?}",
        debate.step()
    );
}

#[test]
fn every_exit_rule_fires_and_writes_its_reason() {
    let (a, b, c) = ("1\n2\n3\n4\n", "1\n2\n3\nx\n", "1\n2\ny\nx\n");
    let fixed = [("r", RiskOutcome::Fixed)];
    let change = Limits::CHANGE;
    let cases: Vec<(ExitRule, Limits, Vec<Event>)> = vec![
        (
            ExitRule::Repetition,
            change,
            vec![
                submit("", a, &[], &[]),
                judge(vec![high(1, "w")]),
                submit(a, b, &[], &fixed),
                judge(vec![high(1, "w")]),
            ],
        ),
        (
            ExitRule::Flapping,
            change,
            vec![
                submit("", a, &[], &[]),
                judge(vec![high(1, "w")]),
                submit(a, a, &[], &[("r", RiskOutcome::Rejected)]),
            ],
        ),
        (
            ExitRule::Flapping,
            change,
            vec![submit("", a, &[], &[]), judge(vec![high(1, "w")]), submit(a, "1\n", &[], &fixed)],
        ),
        (
            ExitRule::RepairRounds,
            change,
            vec![
                submit("", a, &[], &[]),
                judge(vec![high(1, "one fault")]),
                submit(a, b, &[], &fixed),
                judge(vec![high(2, "another one")]),
                submit(b, c, &[], &fixed),
                judge(vec![high(3, "yet something else")]),
            ],
        ),
        (
            ExitRule::Turns,
            Limits { turns: 2, ..change },
            vec![submit("", a, &[], &[]), judge(vec![high(1, "w")])],
        ),
        (ExitRule::NoProgress, change, vec![submit("", a, &["x"], &[]), submit(a, b, &["x", "y"], &[])]),
        (
            ExitRule::RepairRounds,
            change,
            vec![
                submit("", a, &["x", "y", "z"], &[]),
                submit(a, b, &["x", "y"], &[]),
                submit(b, c, &["x"], &[]),
            ],
        ),
        (
            ExitRule::OpenRisk,
            Limits::PLAN,
            vec![
                submit("", a, &[], &[]),
                judge(vec![high(1, "w")]),
                submit(a, b, &[], &[("r", RiskOutcome::Rejected)]),
            ],
        ),
        (
            ExitRule::Converged,
            Limits::PLAN,
            vec![submit("", a, &[], &[]), judge(vec![high(1, "w")]), submit(a, b, &[], &fixed)],
        ),
        (
            ExitRule::CannotBeDone,
            change,
            vec![Event::CannotBeDone { by: by("builder"), reason: "the tests contradict".into() }],
        ),
        (
            ExitRule::Budget,
            change,
            vec![submit("", a, &[], &[]), Event::Stopped { rule: ExitRule::Budget, why: "w".into() }],
        ),
        (ExitRule::OutOfTurn, change, vec![judge(vec![])]),
        (ExitRule::OutOfTurn, change, vec![submit("", a, &[], &[]), Event::Critiqued(vec![])]),
    ];
    for (rule, limits, events) in cases {
        let (end, debate) = play(limits, events);
        assert_eq!(end.rule, rule, "{end:?}");
        let last = debate.messages().last().unwrap();
        assert_eq!((last.kind, last.role.as_str()), (MessageKind::Verify, SELF));
        assert_eq!(last.summary, format!("{rule}: {}", end.why));
    }
}

#[test]
fn an_ended_debate_stays_ended_and_the_best_submission_is_found_by_facts() {
    let fixed = [("r", RiskOutcome::Fixed)];
    let (one, two) = ("1\n2\n3\n4\n", "1\n2\n3\nx\n");
    let events = vec![
        submit("", one, &[], &[]),
        judge(vec![high(1, "w"), high(2, "other")]),
        submit(one, two, &[], &fixed),
        judge(vec![high(1, "w")]),
    ];
    let (end, mut debate) = play(Limits::CHANGE, events);
    assert_eq!(debate.best(), Some(&Digest::of(two)), "one open risk is better than two");
    let said = debate.messages().len();
    debate.on(judge(vec![]));
    assert_eq!((debate.step(), debate.messages().len()), (&Step::End(end), said));
    let mut resumed = Debate::resume(Limits::CHANGE, Digest::of("same"), Change::default(), 3);
    resumed.on(submit("", "same", &[], &[]));
    assert!(matches!(resumed.step(), Step::End(End { rule: ExitRule::Flapping, .. })));
}

#[test]
fn parallel_critiques_share_a_turn_and_keep_their_risks_apart() {
    let mut debate = Debate::new(Limits::CHANGE);
    debate.on(submit("", "a\nb\nc\n", &[], &[]));
    let critic =
        |role: &str, line| Critique { by: by(role), risks: vec![high(line, role)], ..Critique::default() };
    debate.on(Event::Critiqued(vec![critic("architect", 1), critic("security-architect", 2)]));
    let turns: Vec<_> = debate.messages().iter().map(|m| m.turn).collect();
    assert_eq!(turns, [1, 2, 2]);
    let ids: Vec<_> = debate.open().0.iter().map(|risk| risk.id.as_str()).collect();
    assert_eq!(ids, ["architect:r", "security-architect:r"]);
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    fn any_event() -> impl Strategy<Value = Event> {
        let text = "[abc\n]{0,6}";
        let risk = (0u32..4, "[xy]{1,2}", prop_oneof![Just(RiskLevel::Low), Just(RiskLevel::High)])
            .prop_map(|(line, why, level)| risk(level, line, "", &why));
        prop_oneof![
            4 => (text, text, proptest::collection::vec("[pq]", 0..2)).prop_map(|(a, b, faults)| {
                let faults: Vec<&str> = faults.iter().map(String::as_str).collect();
                submit(&a, &b, &faults, &[("r", RiskOutcome::Fixed)])
            }),
            4 => proptest::collection::vec(risk, 0..3).prop_map(judge),
            1 => Just(Event::Critiqued(vec![])),
            1 => Just(Event::CannotBeDone { by: by("x"), reason: "r".into() }),
        ]
    }

    proptest! {
        #[test]
        fn every_debate_ends_within_its_bound(
            events in proptest::collection::vec(any_event(), 40),
            repairs in 0u32..5, turns in 1u32..12, recheck: bool, polite: bool,
        ) {
            let limits = Limits { repairs, turns, recheck, kind: MessageKind::Implement };
            let mut debate = Debate::new(limits);
            for event in events {
                // A polite driver never speaks out of turn, so only the rules can end the debate.
                let asked = match (debate.step(), &event) {
                    (Step::Submit { .. }, Event::Submitted(_)) => true,
                    (Step::Critique, Event::Critiqued(all)) => !all.is_empty(),
                    _ => false,
                };
                if asked || !polite {
                    debate.on(event);
                }
            }
            let said = debate.messages();
            prop_assert!(said.iter().all(|m| m.turn <= turns + 2));
            if let Step::End(end) = debate.step() {
                prop_assert_eq!(end.turns, said.last().unwrap().turn);
                prop_assert!(end.turns <= turns + 2 && said.last().unwrap().kind == MessageKind::Verify);
            } else {
                prop_assert!(said.len() <= turns as usize, "more was said than there are turns");
            }
        }

        #[test]
        fn new_words_every_time_do_not_keep_it_going(seed in 0u32..1000) {
            let mut debate = Debate::new(Limits::CHANGE);
            let mut before = String::new();
            for at in 0..Limits::CHANGE.turns + 2 {
                let event = match debate.step() {
                    Step::Submit { .. } => {
                        let text = format!("{before}{seed}-{at}\n");
                        let event = submit(&before, &text, &[], &[("r", RiskOutcome::Fixed)]);
                        before = text;
                        event
                    }
                    Step::Critique => judge(vec![high(at + 1, &format!("fault{at}"))]),
                    Step::End(_) => break,
                };
                debate.on(event);
            }
            let over = matches!(debate.step(), Step::End(End { rule: ExitRule::RepairRounds, .. }));
            prop_assert!(over, "not over");
        }
    }
}
