//! What people decided to live with: comments beside the finding, and a baseline; both end.
//!
//! Must never let an entry count after its day.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Fact, View};

/// The comments of a file that allow findings.
#[derive(Debug)]
pub struct Comments<'a> {
    view: &'a View<'a>,
    today: Option<&'a str>,
    any: bool,
}

const OURS: &[u8] = b"orch:allow";
const THEIRS: [&[u8]; 3] = [b"gitleaks:allow", b"betterleaks:allow", b"pragma: allowlist secret"];

impl<'a> Comments<'a> {
    /// Looks whether a file has any.
    pub fn new(view: &'a View<'a>, today: Option<&'a str>) -> Self {
        let has = |mark: &[u8]| memchr::memmem::find(&view.text, mark).is_some();
        Self { view, today, any: has(OURS) || THEIRS.iter().any(|mark| has(mark)) }
    }

    /// Tells whether a comment on the fact's line, or alone on the line above, allows it.
    pub fn allow(&self, fact: &Fact) -> bool {
        if !self.any {
            return false;
        }
        let line = |number: u32| &self.view.text[self.view.lines().range(number)];
        let here = line(fact.line);
        if fact.scanner == "secrets" && THEIRS.iter().any(|mark| memchr::memmem::find(here, mark).is_some()) {
            return true;
        }
        self.ours(here, fact.code) || (fact.line > 1 && self.above(line(fact.line - 1), fact.code))
    }

    fn above(&self, line: &[u8], code: &str) -> bool {
        let start = memchr::memmem::find(line, OURS).unwrap_or(0);
        // Only a comment mark may stand before it.
        line[..start].iter().all(|b| b" \t#/*;-<!".contains(b)) && self.ours(line, code)
    }

    /// `orch:allow CODE until=2026-12-31 reason`: code, date and reason are all needed.
    fn ours(&self, line: &[u8], code: &str) -> bool {
        let Some(at) = memchr::memmem::find(line, OURS) else { return false };
        let rest = String::from_utf8_lossy(&line[at + OURS.len()..]);
        let mut words = rest.split_whitespace();
        let (Some(named), Some(until)) = (words.next(), words.next()) else { return false };
        let Some(until) = until.strip_prefix("until=") else { return false };
        let reason = words.any(|word| word.chars().any(char::is_alphanumeric));
        let in_force = is_day(until) && self.today.is_some_and(|today| today <= until);
        named == code && reason && in_force
    }
}

/// Findings that were there before, by fingerprint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// The entries.
    pub entries: Vec<Entry>,
}

/// One finding to live with for now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The fact's fingerprint.
    pub fingerprint: String,
    /// The fact's code.
    pub code: String,
    /// The last day it counts, `2026-12-31`.
    pub until: String,
    /// Why.
    pub reason: String,
}

impl Baseline {
    /// Splits facts into those that count and those the baseline covers on a day.
    pub fn split(&self, facts: Vec<Fact>, today: &str) -> (Vec<Fact>, Vec<Fact>) {
        let entries: BTreeMap<(&str, &str), &Entry> = self
            .entries
            .iter()
            .filter(|entry| is_day(&entry.until) && today <= entry.until.as_str())
            .map(|entry| ((entry.code.as_str(), entry.fingerprint.as_str()), entry))
            .collect();
        facts.into_iter().partition(|fact| !entries.contains_key(&(fact.code, fact.fingerprint.as_str())))
    }
}

fn is_day(text: &str) -> bool {
    text.parse::<jiff::civil::Date>().is_ok() && text.len() == 10
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::{SCANNERS, Source, Worker};

    #[test]
    fn a_baseline_covers_what_it_names_until_its_day() {
        let mut worker = Worker::new(SCANNERS, None);
        worker
            .scan(&Source::new("a.py", b"owner = 'maria.keller@posteo.de'\nother = 'jo.weber@posteo.de'\n"));
        let facts = worker.into_facts();
        assert_eq!(facts.len(), 2);
        let entry = |until: &str| Entry {
            fingerprint: facts[0].fingerprint.clone(),
            code: facts[0].code.into(),
            until: until.into(),
            reason: "there before".into(),
        };
        let covered = |until: &str, today: &str| {
            Baseline { entries: vec![entry(until)] }.split(facts.clone(), today).1.len()
        };
        assert_eq!(covered("2026-12-31", "2026-12-31"), 1);
        assert_eq!(covered("2026-12-31", "2027-01-01"), 0);
        assert_eq!(covered("for ever", "2026-01-01"), 0);
        let other = Entry { code: "pii/contact".into(), ..entry("2026-12-31") };
        assert_eq!(Baseline { entries: vec![other] }.split(facts.clone(), "2026-01-01").1, []);
    }
}
