//! What people decided to live with: comments beside the finding, which end.
//!
//! Must never let a comment count after its day.

use crate::artifact::day::Day;

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
        let in_force = until.parse::<Day>().is_ok() && self.today.is_some_and(|today| today <= until);
        named == code && reason && in_force
    }
}
