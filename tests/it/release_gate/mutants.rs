//! Mutants of good evidence: every leaf with other values, every part taken out, every list turned round.
//!
//! A plain mutant keeps the seal: every one is refused. A forgery is sealed again: what promotes then is on the list below,
//! with the reason; what changes the meaning of the evidence does not.

use std::collections::{BTreeMap, BTreeSet};

use orch::artifact::digest::Digest;
use orch::artifact::types::release::{ReleaseEvidence, ReleaseOutcome};
use orch::stage::release_gate::judge::{Pack, judge};
use serde_json::{Map, Value, json};

use super::good::{edit, good, retime, sealed};
use crate::mutation::each;

/// What a forger may change in sealed evidence without a control that speaks, and why that is no hole.
const LEFT: &[(&str, &str)] = &[
    ("/environment", "the address of the release: `orch verify` holds it against what the gate was asked"),
    ("/branch", "the name of the branch that `on_branch` was looked up for; as before"),
    ("/deployed", "says what harm leads to; as before"),
    (
        "/terms",
        "what the environment asks: `orch verify` holds it against the config the gate was started with",
    ),
    ("/sources", "where facts come from, for people"),
    ("/facts/releases", "shown, and judged by no control"),
    (
        "/facts/last_good",
        "what a rollback goes back to; measures of it say which commit they are of where they can",
    ),
    ("/facts/commits/1/tree", "only the tree of the released commit is looked at again"),
    ("/facts/commits/1/joins", "the commit is of a proven run either way"),
    (
        "/facts/commits/1",
        "a commit that is left out: that the list is whole, chain and signature of the gate's own run guard",
    ),
    ("/facts/commits/0", "doubled; the list has to hold the released commit"),
    ("/facts/changes/0/requester", "another account asked: the approvals are of a third one"),
    ("/facts/changes/0/proof/checks", "names and reasons of checks, for people; a failed one speaks"),
    ("/facts/changes/0/proof/signed_by", "the name of the key; that there is one is what counts"),
    ("/facts/changes/0/verdict/bundle", "which rules judged the change: the verdict's own digest covers it"),
    ("/facts/changes/0/verdict/decision", "allow needs no approval; the digest is that of the verdict named"),
    ("/facts/changes/0/approval/by", "another person, who neither asked nor is a program"),
    ("/facts/changes/0/approval/why", "empty where the approval covered the run"),
    ("/facts/changes/0/commits", "a run's commits are those whose trailer names it"),
    ("/facts/changes/0/tests/red", "red has to have passed or been exempt; its numbers are for people"),
    ("/facts/changes/0/tests/green", "at least one passed and none failed; the rest is for people"),
    ("/facts/checks/0/app_id", "the app is required by its name"),
    ("/facts/checks/1", "may be skipped"),
    ("/facts/checks/2/app", "the app is required by its number"),
    ("/facts/checks/0/sort", "the app says that it is no status"),
    ("/facts/checks/2/sort", "as before"),
    ("/facts/pulls/0/number", "its name"),
    ("/facts/pulls/0/author", "another account than the one that approved"),
    ("/facts/pulls/0/commits", "the merge only joins"),
    ("/facts/pulls/0/approvals/0", "another person with write access who approved the head in time"),
    ("/facts/deployments/0/id", "its number"),
    ("/facts/deployments/0/at", "earlier: it ran longer"),
    ("/facts/tested/commit", "absent: the digests are the same"),
    ("/facts/measures", "within what is let through: more samples, a smaller value, another source"),
    ("/facts/error_budget", "within what is let through"),
    ("/facts/freezes", "a freeze that is not on"),
    ("/facts/deltas", "within what is let through"),
    ("/facts/rollback/rehearsals/0", "where and by whom, for people"),
    ("/facts/sbom", "its form and digest, for people; fewer or other components that add up"),
];

/// The words of each field that has some: every other one is tried.
const WORDS: &[(&str, &[&str])] = &[
    ("result", &["held", "failed", "not-measured", "not-needed"]),
    (
        "outcome",
        &["passed", "failed", "exempt", "pass", "waiting", "unavailable", "fail", "collected", "absent"],
    ),
    ("decision", &["allow", "needs-approval", "deny"]),
    (
        "state",
        &[
            "success", "red", "neutral", "skipped", "running", "inactive", "failed", "known", "unknown",
            "absent",
        ],
    ),
    ("how", &["approved", "changes-requested", "dismissed"]),
    ("standing", &["none", "read", "triage", "write", "maintain", "admin"]),
    ("sort", &["check-run", "status"]),
    ("of", &["canary", "last-good", "service"]),
    ("better", &["lower", "higher"]),
];

/// Returns other values of a leaf.
fn others(name: &str, leaf: &Value) -> Vec<Value> {
    match leaf {
        Value::Bool(value) => vec![json!(!value)],
        Value::Number(_) => vec![json!(0), json!(1), json!(8_999_999_999_999_i64), json!(-1)],
        Value::String(text) => {
            if let Some((_, words)) = WORDS.iter().find(|(field, _)| *field == name) {
                return words.iter().filter(|word| *word != text).map(|word| json!(word)).collect();
            }
            let time = text.parse::<jiff::Timestamp>().is_ok();
            match text {
                _ if time => vec![json!("1999-01-01T00:00:00Z"), json!("2099-01-01T00:00:00Z")],
                text if text.starts_with("sha256:") => vec![json!(Digest::of("another").as_str())],
                text if text.len() == 40 => vec![json!("e".repeat(40))],
                _ => vec![json!("another"), json!("")],
            }
        }
        _ => Vec::new(),
    }
}

/// A mutant: which part, what was done, and the evidence.
struct Mutant {
    at: String,
    how: String,
    value: Value,
}

fn mutants() -> Vec<Mutant> {
    let good = good();
    let mut all = Vec::new();
    walk(&good, "", "", &mut |at, how, edits| {
        let mut value = good.clone();
        edit(&mut value, &edits);
        if value == good {
            return;
        }
        if !at.ends_with("_seconds") {
            retime(&mut value);
        }
        all.push(Mutant { at: at.into(), how, value });
    });
    all
}

type Found<'a> = dyn FnMut(&str, String, Map<String, Value>) + 'a;

fn walk(value: &Value, at: &str, name: &str, found: &mut Found<'_>) {
    let one = |path: String, value: Value| Map::from_iter([(path, value)]);
    match value {
        Value::Object(parts) => {
            for (name, part) in parts.iter().filter(|(name, _)| *name != "seal") {
                let path = format!("{at}/{name}");
                found(&path, "taken out".into(), one(format!("-{path}"), Value::Null));
                walk(part, &path, name, found);
            }
        }
        Value::Array(parts) => {
            if parts.len() > 1 {
                let turned: Vec<Value> = parts.iter().rev().cloned().collect();
                found(at, "turned round".into(), one(at.into(), turned.into()));
            }
            found(at, "emptied".into(), one(at.into(), json!([])));
            for (n, part) in parts.iter().enumerate() {
                let path = format!("{at}/{n}");
                found(&path, "taken out".into(), one(format!("-{path}"), Value::Null));
                found(&path, "doubled".into(), one(format!("+{at}"), part.clone()));
                walk(part, &path, name, found);
            }
        }
        leaf => {
            for other in others(name, leaf).into_iter().filter(|other| other != leaf) {
                found(at, format!("is {other}"), one(at.into(), other));
            }
        }
    }
}

#[test]
fn no_mutant_that_keeps_its_seal_promotes() {
    let (pack, mutants) = (Pack::embedded().unwrap(), mutants());
    let seal = sealed(&good()).unwrap().seal;
    assert!(mutants.len() > 900, "{}", mutants.len());
    let promoted = each(&mutants, |mutant| {
        let mut evidence: ReleaseEvidence = serde_json::from_value(mutant.value.clone()).ok()?;
        // Another order of a list is another text, and so another digest.
        evidence.seal = seal.clone();
        let decision = judge(&evidence, &pack).unwrap();
        (decision.outcome != ReleaseOutcome::Deny).then(|| format!("{} {}", mutant.at, mutant.how))
    });
    assert!(promoted.is_empty(), "{promoted:#?}");
}

#[test]
fn a_forgery_promotes_only_where_nothing_that_counts_is_another() {
    forgeries(6);
}

/// Every one, and that nothing is listed in vain.
#[test]
#[ignore = "takes a minute: 1,000 forgeries, each judged"]
fn every_forgery_promotes_only_where_nothing_that_counts_is_another() {
    forgeries(1);
}

fn forgeries(stride: usize) {
    let pack = Pack::embedded().unwrap();
    let mutants: Vec<Mutant> = mutants().into_iter().step_by(stride).collect();
    let promoted = each(&mutants, |mutant| {
        let decision = judge(&sealed(&mutant.value)?, &pack).unwrap();
        (decision.outcome == ReleaseOutcome::Promote).then(|| format!("{} {}", mutant.at, mutant.how))
    });
    let mut used: BTreeMap<&str, usize> = BTreeMap::new();
    let mut unlisted = BTreeSet::new();
    for text in &promoted {
        let same_order = text.ends_with("turned round") || text.ends_with("doubled");
        let row = LEFT
            .iter()
            .find(|(path, _)| text.strip_prefix(path).is_some_and(|rest| rest.starts_with([' ', '/'])));
        match row {
            Some((path, _)) => *used.entry(path).or_default() += 1,
            // A set says the same in any order, and twice.
            None if same_order => {}
            None => drop(unlisted.insert(text)),
        }
    }
    let unused: Vec<_> =
        LEFT.iter().filter(|(path, _)| !used.contains_key(path)).map(|(path, _)| path).collect();
    eprintln!("{} forgeries, {} of them promoted", mutants.len(), promoted.len());
    assert!(unlisted.is_empty(), "not listed: {unlisted:#?}");
    assert!(stride > 1 || unused.is_empty(), "listed in vain: {unused:#?}");
}
