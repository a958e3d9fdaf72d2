//! Waivers and the baseline, judged by the stage on a base tree in memory.

use orch::artifact::types::verdict::{AsideBy, Decision, Effect, Verdict};
use orch::config::Level;
use orch::stage::Stage as _;
use orch::stage::policy::PolicyStage;
use orch::stage::policy::aside::Codes;
use orch::stage::policy::aside::baseline::Baseline;

use crate::policy::support::Case;

const WAIVERS: &str = ".orch/waivers.yml";
const BASELINE: &str = ".orch/baseline.json";

/// A change that is denied for one thing: a protected file, made strict. Runs are of 2026-11-21.
fn denied() -> Case {
    let mut case = Case::default();
    case.config.policy.levels = [("paths/protected".to_owned(), Level::Deny)].into();
    case.edit("AGENTS.md", "x\n");
    case
}

fn waiver(more: &str) -> String {
    format!(
        "waivers:\n  - code: paths/protected\n    path: AGENTS.md\n    until: 2027-01-31\n    reason: agreed\n    by: jo\n{more}"
    )
}

fn judged(waivers: &str) -> Verdict {
    let mut case = denied();
    case.base(WAIVERS, waivers);
    case.verdict()
}

fn codes(verdict: &Verdict) -> Vec<(&str, Effect)> {
    verdict.findings.iter().map(|f| (f.code.as_str(), f.effect)).collect()
}

#[test]
fn a_waiver_of_the_base_sets_findings_aside() {
    assert_eq!(denied().verdict().decision, Decision::Deny);
    let verdict = judged(&waiver(""));
    assert_eq!((verdict.decision, codes(&verdict)), (Decision::Allow, vec![]));
    let aside = &verdict.set_aside[0];
    assert_eq!((aside.by, aside.finding.effect), (AsideBy::Waiver, Effect::Deny));
    assert_eq!((aside.reason.as_str(), aside.until.as_deref()), ("agreed (by jo)", Some("2027-01-31")));
    let mark = aside.finding.fingerprint.clone();
    for (from, to, allowed) in [
        ("path: AGENTS.md", "path: '**/AGENTS.md'", true),
        ("path: AGENTS.md", "path: docs/**", false),
        ("path: AGENTS.md", &format!("fingerprint: {mark}"), true),
        ("path: AGENTS.md", "fingerprint: 0123456789abcdef", false),
        ("path: AGENTS.md", &format!("path: docs/**\n    fingerprint: {mark}"), false),
        ("code: paths/protected", "code: paths/denied", false),
        ("until: 2027-01-31", "until: 2026-11-21", true),
        ("until: 2027-01-31", "until: 2027-11-21", true),
    ] {
        let verdict = judged(&waiver("").replace(from, to));
        assert_eq!(verdict.decision == Decision::Allow, allowed, "{to}: {verdict:#?}");
        assert_eq!(verdict.set_aside.len(), usize::from(allowed), "{to}");
    }
}

#[test]
fn what_ended_or_never_ends_does_not_count_and_is_named() {
    for (until, code, words) in [
        ("2026-11-20", "policy/waiver-expired", "ended on 2026-11-20; 1 finding counts again"),
        ("2027-11-22", "policy/waiver-ignored", "more than a year ahead"),
        ("2999-01-01", "policy/waiver-ignored", "more than a year ahead"),
    ] {
        let verdict = judged(&waiver("").replace("2027-01-31", until));
        assert_eq!(verdict.decision, Decision::Deny);
        assert_eq!(codes(&verdict), [("paths/protected", Effect::Deny), (code, Effect::Warn)]);
        let note = &verdict.findings[1];
        assert!(
            note.message.contains(words) && note.message.contains("`paths/protected`"),
            "{}",
            note.message
        );
        assert_eq!(note.path.as_deref(), Some(WAIVERS));
    }
}

#[test]
fn a_waiver_can_be_held_to_lines_and_to_what_was_approved() {
    // A secret on the third line of a new file.
    let secret = format!("a = 1\nb = 2\n{}", crate::judge::secret());
    let judged = |more: &str| {
        let mut case = Case::default();
        case.edit("pay.py", &secret);
        let entry = "waivers:\n  - code: secrets/token\n    path: pay.py\n    until: 2027-01-31\n    reason: agreed\n    by: jo\n";
        case.base(WAIVERS, &format!("{entry}{more}"));
        case.verdict()
    };
    let denied = |verdict: &Verdict| verdict.findings.iter().any(|f| f.code == "secrets/token");
    for (lines, covered) in
        [("", true), ("3", true), ("1-3", true), ("3-9", true), ("1-2", false), ("4-9", false), ("4", false)]
    {
        let more = if lines.is_empty() { String::new() } else { format!("    lines: '{lines}'\n") };
        let verdict = judged(&more);
        assert_eq!(denied(&verdict), !covered, "{lines}: {verdict:#?}");
    }
    // The digest of the entry as it was approved: any other entry does not count, and is told.
    let good = orch::stage::policy::aside::waivers::Waivers::read(
        b"waivers:\n  - {code: secrets/token, path: pay.py, until: 2027-01-31, reason: agreed, by: jo}\n",
    );
    let digest = good.unwrap().entries[0].digest().unwrap();
    assert!(!denied(&judged(&format!("    approved: '{digest}'\n"))));
    let verdict = judged(&format!("    approved: '{digest}'\n    owner: ann\n"));
    assert!(denied(&verdict), "an owner was put in since");
    let told = verdict.findings.iter().find(|f| f.code == "policy/waiver-ignored").unwrap();
    assert!(told.message.contains("was changed after jo approved it"), "{}", told.message);
}

#[test]
fn a_broken_file_waives_nothing_and_denies() {
    for (text, words) in [
        (waiver("  - code: paths/protected\n"), "missing field"),
        (waiver("    why: x\n"), "unknown field `why`"),
        (waiver("").replace("code: paths/protected", "code: tests/frozen"), "locked"),
        (waiver("").replace("code: paths/protected", "code: policy/rule-error"), "policy stage itself"),
        ("waivers: {a: b}\n".to_owned(), "cannot be used"),
        ("\u{0}".to_owned(), "cannot be used"),
    ] {
        let verdict = judged(&text);
        assert_eq!(verdict.decision, Decision::Deny);
        assert!(verdict.set_aside.is_empty());
        let broken = verdict.findings.iter().find(|f| f.code == "policy/waivers-broken").expect(words);
        assert!(broken.message.contains(words), "{}", broken.message);
        assert!(verdict.findings.iter().any(|f| f.code == "paths/protected"), "the others still count");
    }
}

#[test]
fn a_change_cannot_waive_itself_and_cannot_break_the_file_unseen() {
    let mut case = denied();
    case.edit(WAIVERS, &waiver(""));
    let verdict = case.verdict();
    assert!(verdict.set_aside.is_empty() && verdict.decision == Decision::Deny);
    let mut case = Case::default();
    case.base(WAIVERS, &waiver(""));
    case.edit(WAIVERS, "waivers: [x]\n");
    let verdict = case.verdict();
    let broken = verdict.findings.iter().find(|f| f.code == "policy/waivers-broken").unwrap();
    assert_eq!(broken.effect, Effect::Deny);
    assert!(broken.message.contains("after this change"), "{}", broken.message);
    // A change that mends a broken file needs a person, no more.
    let mut case = Case::default();
    case.base(WAIVERS, "waivers: [x]\n");
    case.edit(WAIVERS, &waiver(""));
    let verdict = case.verdict();
    let broken = verdict.findings.iter().find(|f| f.code == "policy/waivers-broken").unwrap();
    assert_eq!((verdict.decision, broken.effect), (Decision::NeedsApproval, Effect::RequireApproval));
}

#[test]
fn a_baseline_covers_what_was_there_and_nothing_else() {
    let verdict = denied().verdict();
    let codes = Codes::of(&orch::stage::policy::bundle::Bundle::parse(
        &orch::stage::policy::bundle::Sources::embedded().unwrap(),
    ));
    let add = Some(("2027-01-31".parse().unwrap(), "there before"));
    let (baseline, updated) = Baseline::default().update(&verdict.findings, &codes, add);
    assert_eq!((updated.added, updated.kept, updated.gone, updated.refused), (1, 0, 0, 0));
    let text = baseline.to_text().unwrap();
    let with = |text: &str, file: &str| {
        let mut case = denied();
        case.base(BASELINE, text);
        case.edit(file, "y\n");
        case.verdict()
    };
    let quiet = with(&text, "notes.md");
    assert_eq!((quiet.decision, quiet.set_aside[0].by), (Decision::Allow, AsideBy::Baseline));
    assert_eq!(quiet.set_aside[0].until.as_deref(), Some("2027-01-31"));
    // Another protected file is new.
    assert_eq!(with(&text, ".cursorrules").decision, Decision::Deny);
    let ended = with(&text.replace("2027-01-31", "2026-11-20"), "notes.md");
    assert_eq!(ended.decision, Decision::Deny);
    assert!(
        ended
            .findings
            .iter()
            .any(|f| f.code == "policy/waiver-expired" && f.message.contains("baseline.json"))
    );
    let broken = with(&text.replace("\"version\": 1", "\"version\": 7"), "notes.md");
    assert!(
        broken.set_aside.is_empty() && broken.findings.iter().any(|f| f.code == "policy/baseline-broken")
    );
    let (pruned, updated) = baseline.update(&[], &codes, None);
    assert_eq!((pruned.entries.len(), updated.gone), (0, 1));
    // What is of the stage itself or locked never comes in.
    let mut own = verdict.findings.clone();
    own[0].code = "policy/rule-error".into();
    own.push(own[0].clone());
    own[1].code = "tests/frozen".into();
    let (none, updated) = Baseline::default().update(&own, &codes, add);
    assert_eq!((none.entries.len(), updated.refused), (0, 2));
}

#[test]
fn the_files_are_materials_of_the_stage() {
    let materials = |case: &Case| case.with_context(|cx| PolicyStage.materials(cx).unwrap());
    let mut case = denied();
    let without = materials(&case);
    case.base(WAIVERS, &waiver(""));
    let with = materials(&case);
    assert_eq!(with.len(), without.len() + 1);
    case.base(WAIVERS, &waiver("").replace("agreed", "agreed on"));
    assert_ne!(materials(&case), with);
}

#[test]
fn a_rule_counts_from_its_day_on() {
    let rule = |day: &str| {
        format!(
            "# METADATA\n# title: T\n# custom:\n#   code: team/new\n#   effect: deny\n#   help: H\n#   effective_on: {day}\npackage orch.team.new\n\n\
             deny contains \"no\" if count(input.changes) > 0\n"
        )
    };
    let on = |day: &str| {
        let mut case = Case::default();
        case.base("rules/new.rego", &rule(day));
        case.config.policy.packs = vec!["rules".into()];
        case.verdict()
    };
    let early = on("2026-11-22");
    assert_eq!((early.decision, early.set_aside[0].by), (Decision::Allow, AsideBy::NotYet));
    assert_eq!(early.set_aside[0].until.as_deref(), Some("2026-11-21"));
    assert_eq!(on("2026-11-21").decision, Decision::Deny);
    let odd = on("next-year");
    assert!(odd.findings.iter().any(|f| f.code == "policy/rule-error" && f.message.contains("effective_on")));
}
