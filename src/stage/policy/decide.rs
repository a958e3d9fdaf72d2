//! Violations and levels become a decision.
//!
//! Must never do IO, and must never loosen: another finding can only keep the decision or make it stricter.

use std::collections::BTreeMap;

use crate::artifact::day::Day;
use crate::artifact::digest::Digest;
use crate::artifact::types::verdict::{AsideBy, Decision, Effect, Finding, SetAside, Severity};
use crate::config::Level;
use crate::diagnostic::text::is_hidden;

use super::aside::{Lists, Parted, aside};

/// What a rule found, before levels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The code of the rule.
    pub code: String,
    /// The effect of the entry set it came from.
    pub effect: Effect,
    /// How bad it is.
    pub severity: Severity,
    /// What was found, on what.
    pub message: String,
    /// What to do next.
    pub help: String,
    /// The file, if there is one.
    pub path: Option<String>,
    /// The line, from 1.
    pub line: Option<u32>,
    /// The column in bytes, from 1.
    pub column: Option<u32>,
    /// The last line.
    pub end_line: Option<u32>,
    /// The column after the last byte.
    pub end_column: Option<u32>,
    /// The line, with everything secret masked.
    pub evidence: Option<String>,
    /// The fingerprint of the fact; made here where there is none.
    pub fingerprint: Option<String>,
}

impl Default for Violation {
    fn default() -> Self {
        Self {
            code: String::new(),
            effect: Effect::Deny,
            severity: Severity::High,
            message: String::new(),
            help: String::new(),
            path: None,
            line: None,
            column: None,
            end_line: None,
            end_column: None,
            evidence: None,
            fingerprint: None,
        }
    }
}

/// What findings are taken by, besides the rules.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// Levels that differ from the rules' own, by code.
    pub levels: &'a BTreeMap<String, Level>,
    /// The first day the findings of a rule count, by code, where it says one.
    pub starts: &'a BTreeMap<String, Day>,
    /// Waivers and baseline.
    pub lists: &'a Lists,
    /// The day; without one every rule counts and nothing is waived.
    pub today: Option<Day>,
    /// The rules that judged, where it was the whole tree.
    pub whole: Option<&'a [String]>,
}

/// What was decided, and on what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// The decision: the strictest effect of any finding.
    pub decision: Decision,
    /// Every finding that counts, strictest first.
    pub findings: Vec<Finding>,
    /// What does not count.
    pub set_aside: Vec<SetAside>,
}

/// Findings of one rule and effect that are listed; the rest are counted.
const LISTED: usize = 100;

/// The longest message or help that is kept, in characters.
const TEXT: usize = 1000;

/// Findings by what is done with them, each list sorted.
struct Sifted {
    /// Those that count unless a list sets them aside.
    findings: Vec<Finding>,
    /// Those of rules on trial.
    shadows: Vec<Finding>,
    /// Those of rules that count from a later day on.
    early: Vec<Finding>,
    /// Which of equals was the last.
    seen: BTreeMap<(String, String, String), u32>,
}

/// Applies levels and days.
fn sift(terms: &Terms<'_>, violations: Vec<Violation>) -> Sifted {
    let mut seen = BTreeMap::new();
    let (mut findings, mut shadows, mut early) = (Vec::new(), Vec::new(), Vec::new());
    let not_yet = |code: &str| {
        let start = terms.starts.get(code).copied();
        start.is_some_and(|start| terms.today.is_some_and(|today| today < start))
    };
    for violation in violations {
        let level = terms.levels.get(&violation.code).copied();
        let effect = match level {
            None | Some(Level::Shadow) => violation.effect,
            Some(Level::Off) => continue,
            Some(Level::Warn) => Effect::Warn,
            Some(Level::RequireApproval) => Effect::RequireApproval,
            Some(Level::Deny) => Effect::Deny,
        };
        let found = finding(violation, effect);
        if level == Some(Level::Shadow) {
            shadows.push(found);
        } else if not_yet(&found.code) {
            early.push(found);
        } else {
            findings.push(found);
        }
    }
    for list in [&mut findings, &mut shadows, &mut early] {
        sort(list);
        list.dedup();
        number(list, &mut seen);
    }
    Sifted { findings, shadows, early, seen }
}

/// Returns every finding that counts, none left out of the list; strictest first.
pub fn counted(terms: &Terms<'_>, violations: Vec<Violation>) -> Vec<Finding> {
    aside(sift(terms, violations).findings, terms.lists, terms.today, terms.whole).count
}

/// Applies levels, days and lists, and returns the decision with every finding, strictest first.
pub fn decide(terms: &Terms<'_>, violations: Vec<Violation>) -> Decided {
    let Sifted { findings, shadows, early, mut seen } = sift(terms, violations);
    let Parted { count: mut findings, mut set_aside, notes } =
        aside(findings, terms.lists, terms.today, terms.whole);
    let mut notes: Vec<Finding> = notes
        .into_iter()
        .map(|note| {
            let effect = terms.levels.get(&note.code).map_or(note.effect, |_| Effect::Deny);
            finding(note, effect)
        })
        .collect();
    number(&mut notes, &mut seen);
    findings.append(&mut notes);
    sort(&mut findings);
    let decision = findings.iter().map(|f| f.effect.decision()).max().unwrap_or(Decision::Allow);
    set_aside.extend(shadows.into_iter().map(|finding| SetAside {
        finding,
        by: AsideBy::Shadow,
        reason: "the rule is on trial".into(),
        until: None,
    }));
    set_aside.extend(early.into_iter().map(|finding| {
        let start = terms.starts.get(&finding.code);
        SetAside {
            by: AsideBy::NotYet,
            reason: start.map(|start| format!("the rule counts from {start} on")).unwrap_or_default(),
            until: start.map(|start| start.plus_days(-1).to_string()),
            finding,
        }
    }));
    Decided { decision, findings: shorten(findings), set_aside: shorten_aside(set_aside) }
}

/// Sorts what is set aside like findings; keeps the first of each rule and cause, and says how many more there are.
fn shorten_aside(mut all: Vec<SetAside>) -> Vec<SetAside> {
    let order = |a: &SetAside, b: &SetAside| order(&a.finding, &b.finding).then_with(|| a.by.cmp(&b.by));
    all.sort_by(order);
    let mut counts: BTreeMap<(String, AsideBy), (usize, SetAside)> = BTreeMap::new();
    let mut kept = Vec::new();
    for one in all {
        let (count, _) = counts
            .entry((one.finding.code.clone(), one.by))
            .and_modify(|(count, _)| *count += 1)
            .or_insert_with(|| (1, one.clone()));
        if *count <= LISTED {
            kept.push(one);
        }
    }
    for (count, first) in counts.into_values().filter(|(count, _)| *count > LISTED) {
        let rest = Violation {
            code: first.finding.code,
            severity: first.finding.severity,
            message: format!("{} more findings of this rule are not listed", count - LISTED),
            help: first.finding.help,
            ..Violation::default()
        };
        let mut finding = finding(rest, first.finding.effect);
        number(std::slice::from_mut(&mut finding), &mut BTreeMap::new());
        kept.push(SetAside { finding, by: first.by, reason: first.reason, until: None });
    }
    kept.sort_by(order);
    kept
}

fn finding(violation: Violation, effect: Effect) -> Finding {
    Finding {
        code: violation.code,
        effect,
        severity: violation.severity,
        message: clean(&violation.message),
        help: clean(&violation.help),
        path: violation.path.map(|path| clean(&path)),
        line: violation.line,
        column: violation.column,
        end_line: violation.end_line,
        end_column: violation.end_column,
        evidence: violation.evidence.map(|text| clean(&text)),
        fingerprint: violation.fingerprint.map(|text| clean(&text)).unwrap_or_default(),
    }
}

/// Gives findings without a fact a fingerprint: over code, path, message and which of equals it is, never the line.
fn number(findings: &mut [Finding], seen: &mut BTreeMap<(String, String, String), u32>) {
    for finding in findings.iter_mut().filter(|f| f.fingerprint.is_empty()) {
        let path = finding.path.clone().unwrap_or_default();
        let nth = seen.entry((finding.code.clone(), path.clone(), finding.message.clone())).or_default();
        *nth += 1;
        // Digits may be a line's number, which moves.
        let message: String = finding.message.chars().filter(|c| !c.is_ascii_digit()).collect();
        let text = format!("orch-finding-1\0{}\0{path}\0{message}\0{nth}", finding.code);
        Digest::of(text.as_bytes()).hex()[..24].clone_into(&mut finding.fingerprint);
    }
}

/// Strictest first, then by path (findings without one first), line and code.
fn sort(findings: &mut [Finding]) {
    findings.sort_by(order);
}

fn order(a: &Finding, b: &Finding) -> std::cmp::Ordering {
    fn key(f: &Finding) -> (&Option<String>, Option<u32>, &str, &str, &str) {
        (&f.path, f.line, &f.code, &f.message, &f.help)
    }
    b.effect.cmp(&a.effect).then_with(|| key(a).cmp(&key(b)))
}

/// Keeps the first findings of each rule and effect, and says how many more there are.
fn shorten(findings: Vec<Finding>) -> Vec<Finding> {
    let mut counts: BTreeMap<(String, Effect), (usize, Finding)> = BTreeMap::new();
    let mut kept = Vec::new();
    for finding in findings {
        let entry = counts.entry((finding.code.clone(), finding.effect));
        let (count, _) = entry.and_modify(|(n, _)| *n += 1).or_insert_with(|| (1, finding.clone()));
        if *count <= LISTED {
            kept.push(finding);
        }
    }
    for ((code, effect), (count, first)) in counts {
        if count > LISTED {
            let message = format!("{} more findings of this rule are not listed", count - LISTED);
            let violation = Violation {
                code,
                severity: first.severity,
                message,
                help: first.help,
                ..Violation::default()
            };
            let mut rest = finding(violation, effect);
            number(std::slice::from_mut(&mut rest), &mut BTreeMap::new());
            kept.push(rest);
        }
    }
    sort(&mut kept);
    kept
}

/// Text from outside: control and invisible characters become visible, and it ends somewhere.
fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len().min(TEXT));
    for (at, c) in text.chars().enumerate() {
        if at == TEXT {
            clean.push('…');
            break;
        }
        match c {
            '\n' | '\t' => clean.push(' '),
            c if c.is_control() || is_hidden(c) => clean.extend(c.escape_unicode()),
            c => clean.push(c),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decide(levels: &BTreeMap<String, Level>, violations: Vec<Violation>) -> Decided {
        let (starts, lists) = (BTreeMap::new(), Lists::default());
        let terms = Terms { levels, starts: &starts, lists: &lists, today: None, whole: None };
        super::decide(&terms, violations)
    }

    fn violation(code: &str, effect: Effect) -> Violation {
        Violation {
            code: code.into(),
            effect,
            message: "m".into(),
            help: "h".into(),
            path: Some("a".into()),
            ..Violation::default()
        }
    }

    #[test]
    fn the_strictest_effect_decides_after_levels() {
        let three = || {
            vec![
                violation("a/w", Effect::Warn),
                violation("a/d", Effect::Deny),
                violation("a/r", Effect::RequireApproval),
            ]
        };
        let decided = |levels: &[(&str, Level)]| {
            let levels = levels.iter().map(|(code, level)| ((*code).to_owned(), *level)).collect();
            decide(&levels, three()).decision
        };
        assert_eq!(decided(&[]), Decision::Deny);
        assert_eq!(decided(&[("a/d", Level::RequireApproval)]), Decision::NeedsApproval);
        assert_eq!(decided(&[("a/d", Level::Off), ("a/r", Level::Warn)]), Decision::Allow);
        assert_eq!(decided(&[("a/d", Level::Off), ("a/w", Level::Deny)]), Decision::Deny);
        let nothing = Decided { decision: Decision::Allow, findings: Vec::new(), set_aside: Vec::new() };
        assert_eq!(decide(&BTreeMap::new(), Vec::new()), nothing);
        let trial: BTreeMap<_, _> = [("a/d".to_owned(), Level::Shadow)].into();
        let decided = decide(&trial, three());
        assert_eq!((decided.decision, decided.findings.len()), (Decision::NeedsApproval, 2));
        assert_eq!(decided.set_aside[0].finding.code, "a/d");
        assert_eq!(
            (decided.set_aside[0].by, decided.set_aside[0].finding.effect),
            (AsideBy::Shadow, Effect::Deny)
        );
    }

    #[test]
    fn many_findings_are_counted_and_text_is_made_safe() {
        let mut many: Vec<_> =
            (0..250).map(|n| Violation { line: Some(n), ..violation("a/d", Effect::Deny) }).collect();
        many.push(Violation {
            message: "::error::x\u{202e}\u{1b}[31m\nend".into(),
            ..violation("a/w", Effect::Warn)
        });
        let Decided { decision, findings, .. } = decide(&BTreeMap::new(), many);
        assert_eq!((decision, findings.len()), (Decision::Deny, LISTED + 2));
        assert_eq!(findings[0].message, "150 more findings of this rule are not listed");
        assert_eq!(findings.last().unwrap().message, "::error::x\\u{202e}\\u{1b}[31m end");
    }

    #[test]
    fn a_rule_counts_from_its_day_on() {
        let starts = BTreeMap::from([("a/d".to_owned(), "2027-01-01".parse().unwrap())]);
        let on = |today: Option<&str>| {
            let (levels, lists) = (BTreeMap::new(), Lists::default());
            let today = today.map(|day| day.parse().unwrap());
            let terms = Terms { levels: &levels, starts: &starts, lists: &lists, today, whole: None };
            super::decide(&terms, vec![violation("a/d", Effect::Deny)])
        };
        let early = on(Some("2026-12-31"));
        assert_eq!((early.decision, early.findings.len()), (Decision::Allow, 0));
        assert_eq!(early.set_aside[0].by, AsideBy::NotYet);
        assert_eq!(early.set_aside[0].until.as_deref(), Some("2026-12-31"));
        assert_eq!(early.set_aside[0].finding.effect, Effect::Deny);
        for day in [Some("2027-01-01"), Some("2028-01-01"), None] {
            assert_eq!((on(day).decision, on(day).set_aside), (Decision::Deny, vec![]), "{day:?}");
        }
    }

    fn any_violation() -> impl Strategy<Value = Violation> {
        let effect = prop_oneof![Just(Effect::Warn), Just(Effect::RequireApproval), Just(Effect::Deny)];
        (prop_oneof!["a/a", "a/b", "a/c"], effect, any::<String>(), any::<Option<u32>>()).prop_map(
            |(code, effect, message, line)| Violation {
                code,
                effect,
                path: Some(message.clone()),
                help: message.clone(),
                message,
                line,
                ..Violation::default()
            },
        )
    }

    fn any_levels() -> impl Strategy<Value = BTreeMap<String, Level>> {
        let level = prop_oneof![
            Just(Level::Off),
            Just(Level::Shadow),
            Just(Level::Warn),
            Just(Level::RequireApproval),
            Just(Level::Deny)
        ];
        proptest::collection::btree_map(prop_oneof!["a/a", "a/b", "a/c"], level, 0..3)
    }

    proptest! {
        #[test]
        fn another_finding_never_loosens(
            levels in any_levels(),
            violations in proptest::collection::vec(any_violation(), 0..20),
            more in any_violation(),
        ) {
            let before = decide(&levels, violations.clone()).decision;
            let mut with = violations.clone();
            with.push(more);
            prop_assert!(decide(&levels, with).decision >= before);
            let mut reversed = violations.clone();
            reversed.reverse();
            prop_assert_eq!(decide(&levels, violations), decide(&levels, reversed));
        }
    }
}
