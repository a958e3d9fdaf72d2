//! Findings parted into those that count and those that are set aside.
//!
//! Must never drop a finding: it counts or it is listed.

use std::collections::BTreeMap;

use crate::artifact::day::Day;
use crate::artifact::types::verdict::{AsideBy, Finding, SetAside};

use super::super::decide::Violation;
use super::super::diags::Diag;
use super::baseline::{Entry, Key, key};
use super::waivers::Matcher;
use super::{Lists, Standing, note, too_far};

/// What counts, what does not, and what is to be said about the lists themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parted {
    /// The findings that count.
    pub count: Vec<Finding>,
    /// The findings that are set aside.
    pub set_aside: Vec<SetAside>,
    /// Warnings about entries that ended or do nothing.
    pub notes: Vec<Violation>,
}

/// Parts findings on a day; without a day nothing is set aside.
///
/// `whole` has the rules that judged, where it was the whole tree: only then is an entry without a finding one that does nothing.
pub fn aside(findings: Vec<Finding>, lists: &Lists, today: Option<Day>, whole: Option<&[String]>) -> Parted {
    let Some(today) = today else { return Parted { count: findings, ..Parted::default() } };
    let waivers: Vec<Matcher<'_>> = lists.waivers.entries.iter().map(|waiver| waiver.matcher()).collect();
    let covered: BTreeMap<Key<'_>, &Entry> =
        lists.baseline.entries.iter().map(|entry| (entry.key(), entry)).collect();
    let mut hits = vec![0_usize; waivers.len()];
    let mut ended: BTreeMap<Day, usize> = BTreeMap::new();
    let mut far = 0_usize;
    let mut parted = Parted::default();
    for finding in findings {
        if lists.codes.standing(&finding.code) != Standing::Open {
            parted.count.push(finding);
            continue;
        }
        let mut by = None;
        for (at, matcher) in waivers.iter().enumerate().filter(|(_, matcher)| matcher.is_about(&finding)) {
            if let Some(hit) = hits.get_mut(at) {
                *hit += 1;
            }
            let until = matcher.waiver.until;
            if by.is_none() && today <= until && !too_far(until, today) && !matcher.waiver.is_stale() {
                by = Some((AsideBy::Waiver, reason(matcher), until));
            }
        }
        if by.is_none()
            && let Some(entry) = covered.get(&key(&finding))
        {
            if entry.until < today {
                *ended.entry(entry.until).or_default() += 1;
            } else if too_far(entry.until, today) {
                far += 1;
            } else {
                by = Some((AsideBy::Baseline, entry.reason.clone(), entry.until));
            }
        }
        match by {
            None => parted.count.push(finding),
            Some((by, reason, until)) => {
                parted.set_aside.push(SetAside { finding, by, reason, until: Some(until.to_string()) });
            }
        }
    }
    for (matcher, hits) in waivers.iter().zip(hits) {
        parted.notes.extend(said(matcher, hits, lists, today, whole));
    }
    let file = &lists.baseline_file;
    parted.notes.extend(ended.into_iter().map(|(until, count)| {
        let message = format!("{}: what `{file}` has of them ended on {until}", again(count));
        note(Diag::WaiverExpired, message)
    }));
    if far > 0 {
        let message = format!("{} of `{file}` end more than a year ahead and do not count", entries_of(far));
        parted.notes.push(note(Diag::WaiverIgnored, message));
    }
    parted
}

fn reason(matcher: &Matcher<'_>) -> String {
    let waiver = matcher.waiver;
    let ticket = waiver.ticket.as_ref().map(|ticket| format!(", {ticket}")).unwrap_or_default();
    let owner = waiver.owner.as_ref().map(|owner| format!(", {owner} mends it")).unwrap_or_default();
    format!("{} (by {}{owner}{ticket})", waiver.reason, waiver.by)
}

/// Says what is to be said about a waiver.
fn said(
    matcher: &Matcher<'_>,
    hits: usize,
    lists: &Lists,
    today: Day,
    whole: Option<&[String]>,
) -> Option<Violation> {
    let (waiver, file) = (matcher.waiver, &lists.waivers_file);
    let (about, until) = (waiver.about(), waiver.until);
    let (diag, message) = if lists.codes.standing(&waiver.code) == Standing::Unknown {
        whole.map(|_| (Diag::WaiverIgnored, format!("the waiver of {about} is about a code no rule has")))?
    } else if waiver.is_stale() && (hits > 0 || whole.is_some()) {
        let why =
            format!("the waiver of {about} was changed after {} approved it, and does not count", waiver.by);
        (Diag::WaiverIgnored, why)
    } else if too_far(until, today) {
        let why =
            format!("the waiver of {about} ends on {until}, more than a year ahead, and does not count");
        (Diag::WaiverIgnored, why)
    } else if until < today && (hits > 0 || whole.is_some()) {
        let again = if hits > 0 { format!("; {}", again(hits)) } else { String::new() };
        (Diag::WaiverExpired, format!("the waiver of {about} ended on {until}{again}"))
    } else if hits == 0 && whole.is_some_and(|asked| asked.contains(&waiver.code)) {
        (Diag::WaiverIgnored, format!("the waiver of {about} is about nothing that is there"))
    } else {
        return None;
    };
    Some(Violation { path: Some(file.clone()), ..note(diag, message) })
}

fn again(count: usize) -> String {
    if count == 1 { "1 finding counts again".into() } else { format!("{count} findings count again") }
}

fn entries_of(count: usize) -> String {
    if count == 1 { "1 entry".into() } else { format!("{count} entries") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Codes;
    use super::super::baseline::{Baseline, Version};
    use super::super::waivers::{Waiver, Waivers};
    use super::*;
    use crate::artifact::types::verdict::{Effect, Severity};

    fn finding(code: &str, path: &str, mark: &str) -> Finding {
        Finding {
            code: code.into(),
            effect: Effect::Deny,
            severity: Severity::High,
            message: "m".into(),
            help: "h".into(),
            path: Some(path.into()),
            line: None,
            column: None,
            end_line: None,
            end_column: None,
            evidence: None,
            fingerprint: mark.into(),
        }
    }

    const CODES: [&str; 4] = ["a/open", "a/locked", "policy/rule-error", "a/unknown"];
    const PATHS: [&str; 3] = ["x", "d/x", "d/e/y"];
    const DAYS: [&str; 4] = ["2026-01-01", "2026-06-30", "2027-01-01", "2099-01-01"];

    fn lists(waivers: Vec<(usize, usize, usize)>, entries: Vec<(usize, usize, usize)>) -> Lists {
        let waiver = |(code, path, day): (usize, usize, usize)| Waiver {
            code: CODES[code].into(),
            path: Some(["**", "d/*", "x"][path].into()),
            fingerprint: None,
            lines: None,
            until: DAYS[day].parse().unwrap(),
            reason: "r".into(),
            owner: None,
            by: "b".into(),
            ticket: None,
            approved: None,
        };
        let entry = |(code, mark, day): (usize, usize, usize)| Entry {
            fingerprint: format!("mark-{mark}-0000"),
            code: CODES[code].into(),
            path: Some("x".into()),
            until: DAYS[day].parse().unwrap(),
            reason: "r".into(),
        };
        Lists {
            waivers: Waivers { entries: waivers.into_iter().map(waiver).collect() },
            baseline: Baseline { version: Version, entries: entries.into_iter().map(entry).collect() },
            codes: Codes([("a/open".to_owned(), false), ("a/locked".to_owned(), true)].into()),
            ..Lists::default()
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_only_open_rules_are_set_aside(
            waivers in proptest::collection::vec((0_usize..4, 0_usize..3, 0_usize..4), 0..5),
            entries in proptest::collection::vec((0_usize..4, 0_usize..3, 0_usize..4), 0..5),
            found in proptest::collection::vec((0_usize..4, 0_usize..3, 0_usize..3), 0..10),
            today in 0_usize..4,
        ) {
            let lists = lists(waivers, entries);
            let findings: Vec<Finding> = found
                .into_iter()
                .map(|(code, path, mark)| finding(CODES[code], PATHS[path], &format!("mark-{mark}-0000")))
                .collect();
            let day: Day = DAYS[today].parse().unwrap();
            let parted = aside(findings.clone(), &lists, Some(day), None);
            prop_assert_eq!(parted.count.len() + parted.set_aside.len(), findings.len());
            for one in &parted.set_aside {
                let until: Day = one.until.clone().unwrap().parse().unwrap();
                prop_assert_eq!(one.finding.code.as_str(), "a/open");
                prop_assert!(day <= until && until <= day.plus_year());
            }
            let without = aside(findings.clone(), &lists, None, None);
            prop_assert_eq!(without, Parted { count: findings, ..Parted::default() });
        }
    }
}
