//! The red team: one fixture for each public incident, run through the real stages by the program.
//!
//! A case passes when nothing forbidden leaves its stage. Each has a twin without the attack that has to go through, or a mark
//! that has to be found where the forbidden was looked for: a suite that stopped looking fails.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail anywhere, its helpers too")]

mod acts;
mod case;

use std::collections::{BTreeMap, BTreeSet};

use case::{Fixture, Kind, fixtures};

/// Incidents that have to have a case: those of the list of threats, and the quirks that show in a workflow.
const INCIDENTS: &[u32] = &[
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 31, 33, 36, 37, 38, 39,
];

#[test]
fn every_incident_has_a_case_with_its_source() {
    let all = fixtures();
    let told: BTreeSet<u32> = all.iter().map(|fixture| fixture.incident).collect();
    assert_eq!(told.into_iter().collect::<Vec<_>>(), INCIDENTS);
    for Fixture { file, incident, title, source, cases } in &all {
        assert!(file.starts_with(&format!("{incident:02}-")), "{file} is named by its incident");
        assert!(
            !title.trim().is_empty() && title.lines().count() == 1 && !source.trim().is_empty(),
            "{file}"
        );
        assert!(!cases.is_empty(), "{file} has no case");
        let names: BTreeSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(names.len(), cases.len(), "{file} has a name twice");
    }
}

/// Runs every case of some kinds; what goes wrong is told with the incident.
fn all_of(wanted: fn(&Kind) -> bool, least: usize) {
    let all = fixtures();
    let mut failed: BTreeMap<String, String> = BTreeMap::new();
    let mut ran = 0;
    for fixture in &all {
        for case in fixture.cases.iter().filter(|case| wanted(&case.kind)) {
            ran += 1;
            let name = format!("{} {}: {}", fixture.incident, fixture.title, case.name);
            if let Err(why) = acts::act(&case.kind) {
                failed.insert(name, why);
            }
        }
    }
    assert!(ran >= least, "{ran} cases");
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn workflows_that_were_exploited_are_refused() {
    all_of(|kind| matches!(kind, Kind::Lint(_)), 15);
}

#[test]
fn changes_that_carry_an_attack_are_not_let_through() {
    all_of(|kind| matches!(kind, Kind::Judge(_)), 8);
}

#[test]
fn events_of_attacks_start_nothing_they_must_not() {
    all_of(|kind| matches!(kind, Kind::Event(_)), 10);
}

#[test]
fn what_models_say_gets_nowhere_it_must_not() {
    all_of(|kind| matches!(kind, Kind::Run(_)), 6);
}

#[test]
fn what_a_forge_refuses_is_not_sent_again_and_models_that_turn_back_end() {
    all_of(|kind| matches!(kind, Kind::Hosted(_) | Kind::Flap(_)), 5);
}

#[test]
fn commands_of_the_repository_find_no_key() {
    all_of(|kind| matches!(kind, Kind::Probe(_)), 3);
}

#[test]
fn gates_are_not_talked_round_and_nothing_done_is_no_success() {
    all_of(|kind| matches!(kind, Kind::Tamper(_) | Kind::Remote(_) | Kind::Nothing(_)), 6);
}
