//! GitHub's check runs, and which of them still speak.
//!
//! GitHub's own `filter=latest` is not relied on: it does not say what it takes for the same check. A run is set aside only
//! by a later run of the very same check: of one name, App and suite, begun after the first had ended. Must never let a
//! green run hide a red one of another suite, or of another job of the same name.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::artifact::id::CommitId;
use crate::ports::forge::{CheckRun, CheckRunId, Conclusion};

#[derive(Deserialize)]
pub(super) struct WireCheck {
    id: u64,
    name: String,
    head_sha: CommitId,
    status: String,
    conclusion: Option<String>,
    external_id: Option<String>,
    started_at: Option<Timestamp>,
    completed_at: Option<Timestamp>,
    app: Option<WireApp>,
    output: Option<WireOutput>,
    check_suite: Option<WireSuite>,
}

impl From<WireCheck> for CheckRun {
    fn from(wire: WireCheck) -> Self {
        let conclusion = wire.conclusion.filter(|_| wire.status == "completed");
        // A word this program does not know is no success.
        let known =
            |word: String| serde_json::from_value(Value::String(word)).unwrap_or(Conclusion::ActionRequired);
        Self {
            id: CheckRunId(wire.id),
            name: wire.name,
            app_id: wire.app.as_ref().map(|app| app.id),
            app: wire.app.and_then(|app| app.slug),
            commit: wire.head_sha,
            conclusion: conclusion.map(known),
            external_id: wire.external_id.filter(|id| !id.is_empty()),
            title: wire.output.and_then(|output| output.title),
            completed_at: wire.completed_at,
        }
    }
}

#[derive(Deserialize)]
struct WireApp {
    id: u64,
    slug: Option<String>,
}

#[derive(Deserialize)]
struct WireSuite {
    id: u64,
}

#[derive(Deserialize)]
struct WireOutput {
    title: Option<String>,
}

/// Returns the check runs that still speak: all but those that were run again.
pub(super) fn standing(all: Vec<WireCheck>) -> Vec<CheckRun> {
    let again: Vec<bool> = all.iter().map(|old| all.iter().any(|new| is_again(old, new))).collect();
    let left = all.into_iter().zip(again).filter(|(_, again)| !again);
    left.map(|(check, _)| CheckRun::from(check)).collect()
}

/// Tells whether `new` is `old` run again, with something to say in its place.
fn is_again(old: &WireCheck, new: &WireCheck) -> bool {
    let app = |check: &WireCheck| check.app.as_ref().map(|app| app.id);
    let suite = |check: &WireCheck| check.check_suite.as_ref().map(|suite| suite.id);
    // What is skipped says nothing: a job that waits for a red one of its name is skipped too.
    let says = !matches!(new.conclusion.as_deref(), Some("skipped" | "neutral"));
    let same = old.name == new.name && app(old) == app(new) && suite(old) == suite(new);
    // Two that ran at the same time are two checks of one name.
    let after = matches!((old.completed_at, new.started_at), (Some(ended), Some(began)) if began > ended);
    new.id > old.id && same && suite(old).is_some() && app(old).is_some() && says && after
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(id: u64, suite: Option<u64>, at: (&str, &str), conclusion: &str) -> WireCheck {
        let time = |minute: &str| format!("2026-11-20T10:{minute}:00Z");
        let suite = suite.map(|id| json!({ "id": id }));
        serde_json::from_value(json!({
            "id": id, "name": "build", "head_sha": "a".repeat(40), "status": "completed", "conclusion": conclusion,
            "external_id": "", "started_at": time(at.0), "completed_at": time(at.1),
            "app": { "id": 15368, "slug": "github-actions" }, "output": null, "check_suite": suite,
        }))
        .unwrap()
    }

    #[test]
    fn only_the_same_check_run_again_takes_the_place_of_one() {
        let ids = |all: Vec<WireCheck>| standing(all).iter().map(|check| check.id.0).collect::<Vec<_>>();
        let (red, first, later) = ("failure", ("00", "05"), ("06", "10"));
        let old = || check(1, Some(7), first, red);
        assert_eq!(ids(vec![check(2, Some(7), later, "success"), old()]), [2], "run again");
        assert_eq!(ids(vec![old(), check(2, Some(7), later, red)]), [2]);
        for (case, new) in [
            ("another suite", check(2, Some(8), later, "success")),
            ("no suite", check(2, None, later, "success")),
            ("at the same time", check(2, Some(7), ("04", "10"), "success")),
            ("skipped", check(2, Some(7), later, "skipped")),
            ("neutral", check(2, Some(7), later, "neutral")),
            ("another app", {
                let mut new = check(2, Some(7), later, "success");
                new.app = Some(WireApp { id: 99, slug: None });
                new
            }),
            ("another name", {
                let mut new = check(2, Some(7), later, "success");
                new.name = "test".into();
                new
            }),
            ("no start", {
                let mut new = check(2, Some(7), later, "success");
                new.started_at = None;
                new
            }),
        ] {
            assert_eq!(ids(vec![old(), new]), [1, 2], "{case}");
        }
        assert_eq!(ids(vec![check(1, None, first, red), check(2, None, later, "success")]), [1, 2]);
    }
}
