//! When a debate ends: the exit rules, and what they compare.
//!
//! Must never look at who says something or how often: what is compared are contents, evidence and results of checks.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::artifact::digest::Digest;
use crate::artifact::types::debate::{DebateRisk, Evidence};
use crate::artifact::types::plan::RiskLevel;

use crate::agent::context::words;

/// The rules that end a debate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExitRule {
    /// All required checks pass, and no high risk with evidence is open.
    Converged,
    /// The rounds of repair are used up.
    RepairRounds,
    /// The turns are used up.
    Turns,
    /// A critique repeats what was answered already.
    Repetition,
    /// A submission is one that was there before, or takes back most of the one before.
    Flapping,
    /// What fails is not less than before.
    NoProgress,
    /// A high risk with evidence was not mended.
    OpenRisk,
    /// The next call does not fit money, tokens or time.
    Budget,
    /// A model refused or was cut off twice.
    Refusal,
    /// No model of the route is left.
    RouteExhausted,
    /// A role says that it cannot be done.
    CannotBeDone,
    /// An event came that nobody asked for: a fault of this program.
    OutOfTurn,
}

impl ExitRule {
    /// Returns the name used in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Converged => "converged",
            Self::RepairRounds => "repair-rounds",
            Self::Turns => "turns",
            Self::Repetition => "repetition",
            Self::Flapping => "flapping",
            Self::NoProgress => "no-progress",
            Self::OpenRisk => "open-risk",
            Self::Budget => "budget",
            Self::Refusal => "refusal",
            Self::RouteExhausted => "route-exhausted",
            Self::CannotBeDone => "cannot-be-done",
            Self::OutOfTurn => "out-of-turn",
        }
    }
}

impl fmt::Display for ExitRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Tells whether a risk can hold a debate open: high, with evidence that resolved, and with a fix.
pub fn blocks(risk: &DebateRisk) -> bool {
    risk.severity == RiskLevel::High && !risk.evidence.is_empty() && !risk.fix.trim().is_empty()
}

/// Returns what a risk is recognised by when it comes again: its place with its rule, and its rule with its words.
pub fn keys(risk: &DebateRisk) -> BTreeSet<Digest> {
    let said: Vec<String> = words(&risk.why).into_iter().collect();
    let rule = if risk.rule.is_empty() { said.join(" ") } else { risk.rule.clone() };
    let mut keys = BTreeSet::new();
    for evidence in &risk.evidence {
        let place = match evidence {
            Evidence::Lines { path, first, last, .. } => {
                keys.extend(Digest::of_json(&("words", path, &rule, &said)));
                Digest::of_json(&("lines", path, first, last, &rule))
            }
            Evidence::Test { id } => Digest::of_json(&("test", id, &rule)),
            Evidence::Command { command, result } => Digest::of_json(&("command", command, result, &rule)),
        };
        keys.extend(place);
    }
    keys
}

/// Lines that came and went between two states, with how often.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    added: BTreeMap<Digest, u64>,
    removed: BTreeMap<Digest, u64>,
}

impl Change {
    /// Returns the change of one file; `None` is a file that is not there.
    pub fn of(path: &str, before: Option<&[u8]>, after: Option<&[u8]>) -> Self {
        let (before, after) = (lines(path, before), lines(path, after));
        Self { added: less(&after, &before), removed: less(&before, &after) }
    }

    /// Adds the change of another file.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        for (line, n) in other.added {
            *self.added.entry(line).or_default() += n;
        }
        for (line, n) in other.removed {
            *self.removed.entry(line).or_default() += n;
        }
        self
    }

    /// Returns how many lines came and went.
    pub fn size(&self) -> u64 {
        self.added.values().chain(self.removed.values()).sum()
    }

    /// Tells whether this change takes back most of an earlier one and does little else.
    pub fn reverses(&self, earlier: &Self) -> bool {
        let undone = shared(&self.added, &earlier.removed) + shared(&self.removed, &earlier.added);
        undone > 0 && undone * 2 > earlier.size() && undone * 2 > self.size()
    }
}

fn lines(path: &str, bytes: Option<&[u8]>) -> BTreeMap<Digest, u64> {
    let mut counted = BTreeMap::new();
    for line in bytes.unwrap_or_default().split(|b| *b == b'\n') {
        let line = line.trim_ascii();
        if !line.is_empty() {
            let key = Digest::of([path.as_bytes(), b"\0", line].concat());
            *counted.entry(key).or_default() += 1;
        }
    }
    counted
}

fn less(from: &BTreeMap<Digest, u64>, take: &BTreeMap<Digest, u64>) -> BTreeMap<Digest, u64> {
    let left = |(line, n): (&Digest, &u64)| {
        let n = n.saturating_sub(take.get(line).copied().unwrap_or_default());
        (n > 0).then(|| (line.clone(), n))
    };
    from.iter().filter_map(left).collect()
}

fn shared(a: &BTreeMap<Digest, u64>, b: &BTreeMap<Digest, u64>) -> u64 {
    a.iter().map(|(line, n)| (*n).min(b.get(line).copied().unwrap_or_default())).sum()
}

/// Tells whether what fails became less: something of it went, and nothing came.
pub fn shrank(before: &BTreeSet<String>, after: &BTreeSet<String>) -> bool {
    after.is_subset(before) && after.len() < before.len()
}

/// How far a submission got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// How many checks of this program it fails.
    pub faults: usize,
    /// How many high risks with evidence are open against it; absent: nobody judged it.
    pub open_high: Option<usize>,
    /// How many tests it passed; 0 where none were run.
    pub tests_passed: u64,
    /// How many lines it changes.
    pub size: u64,
    /// When it was submitted.
    pub turn: u32,
}

/// Orders submissions, the better one first: by checks, then by tests passed, then the smaller, then the later one.
///
/// Who is for it does not count, nor how many are: agreement of models says little about right and wrong.
pub fn prefer(a: &Standing, b: &Standing) -> Ordering {
    let open = |s: &Standing| s.open_high.unwrap_or(usize::MAX);
    a.faults
        .cmp(&b.faults)
        .then(open(a).cmp(&open(b)))
        .then(b.tests_passed.cmp(&a.tests_passed))
        .then(a.size.cmp(&b.size))
        .then(b.turn.cmp(&a.turn))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::agent::debate) fn risk(
        severity: RiskLevel,
        line: u32,
        rule: &str,
        why: &str,
    ) -> DebateRisk {
        let blob = Digest::of("x");
        let evidence = vec![Evidence::Lines { path: "a.py".parse().unwrap(), blob, first: line, last: line }];
        DebateRisk {
            id: "r".into(),
            severity,
            rule: rule.into(),
            why: why.into(),
            fix: "mend it".into(),
            evidence,
        }
    }

    #[test]
    fn only_high_risks_with_evidence_and_fix_block() {
        let high = risk(RiskLevel::High, 1, "x", "y");
        assert!(blocks(&high));
        assert!(!blocks(&risk(RiskLevel::Medium, 1, "x", "y")));
        assert!(!blocks(&DebateRisk { evidence: vec![], ..high.clone() }));
        assert!(!blocks(&DebateRisk { fix: " ".into(), ..high }));
    }

    #[test]
    fn a_risk_is_recognised_at_its_place_and_by_its_words() {
        let first = risk(RiskLevel::High, 3, "off-by-one", "The last item is lost");
        let again =
            |line, rule, why| !keys(&risk(RiskLevel::High, line, rule, why)).is_disjoint(&keys(&first));
        assert!(again(3, "off-by-one", "quite other words"));
        assert!(again(9, "off-by-one", "the LAST item... is lost"));
        assert!(!again(9, "off-by-one", "quite other words"));
        assert!(!again(3, "injection", "The last item is lost"));
        assert!(keys(&DebateRisk { evidence: vec![], ..first.clone() }).is_empty());
    }

    #[test]
    fn going_back_is_seen_and_rewriting_is_not_going_back() {
        let change = |a: &str, b: &str| Change::of("f", Some(a.as_bytes()), Some(b.as_bytes()));
        let (zero, one, other) = ("a\nb\nc\n", "a\nB\nC\n", "a\nx\ny\n");
        let forth = change(zero, one);
        assert_eq!(forth.size(), 4);
        assert!(change(one, zero).reverses(&forth));
        assert!(!change(one, "a\nB\nC\nd\ne\n").reverses(&forth));
        assert!(!change(one, other).reverses(&forth), "half of it goes, and as much is new");
        assert!(!forth.reverses(&forth));
        let made = Change::of("f", None, Some(b"1\n2\n3\n4\n"));
        assert!(!change("1\n2\n3\n4\n", "1\n2\n3\n5\n").reverses(&made));
        assert!(change("1\n2\n3\n4\n", "1\n").reverses(&made));
        assert!(!Change::default().reverses(&Change::default()));
    }

    #[test]
    fn progress_and_preference_are_facts_and_no_votes() {
        let set = |items: &[&str]| items.iter().map(|i| (*i).to_owned()).collect::<BTreeSet<_>>();
        assert!(shrank(&set(&["a", "b"]), &set(&["a"])));
        assert!(!shrank(&set(&["a"]), &set(&["a"])) && !shrank(&set(&["a", "b"]), &set(&["c"])));
        let base = Standing { faults: 0, open_high: Some(1), tests_passed: 3, size: 10, turn: 1 };
        for better in [
            Standing { open_high: Some(0), tests_passed: 0, size: 99, ..base },
            Standing { tests_passed: 4, size: 99, ..base },
            Standing { size: 9, ..base },
            Standing { turn: 2, ..base },
        ] {
            assert_eq!(prefer(&better, &base), Ordering::Less, "{better:?}");
        }
        assert_eq!(prefer(&Standing { faults: 1, open_high: Some(0), ..base }, &base), Ordering::Greater);
        assert_eq!(prefer(&base, &base), Ordering::Equal);
    }
}
