//! `.orch/waivers.yml`: findings a person has decided to live with, each with a reason and an end.
//!
//! Must never take a part of a file: one entry that cannot be read and nothing is waived.

use globset::{GlobBuilder, GlobMatcher};
use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::artifact::day::Day;
use crate::artifact::digest::Digest;
use crate::artifact::types::verdict::Finding;
use crate::config::check::{glob_fault, is_code};

use super::{Codes, Standing, TEXT};

/// The largest file, in bytes.
const LARGEST: usize = 256 * 1024;

/// The most entries.
const MOST: usize = 1000;

/// The waivers of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waivers {
    /// In the order of the file.
    pub entries: Vec<Waiver>,
}

/// One waiver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// The code of the findings.
    pub code: String,
    /// A glob of the files, from the root of the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The fingerprint of one finding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// The lines it covers, as `12` or `12-40`; a finding without a line is not in them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<String>,
    /// The last day it counts.
    pub until: Day,
    /// Why.
    pub reason: String,
    /// Who is to mend it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Who approved it.
    pub by: String,
    /// Where it is tracked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// The digest of everything above, as it was approved: with it, an entry that was changed since does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<Digest>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    version: Option<u64>,
    #[serde(default, deserialize_with = "entries")]
    waivers: Vec<Waiver>,
}

impl Waivers {
    /// Reads a file; the error says what is wrong, to be read after its name.
    pub fn parse(bytes: &[u8], codes: &Codes) -> Result<Self, String> {
        let waivers = Self::read(bytes)?;
        for (at, waiver) in waivers.entries.iter().enumerate() {
            let refuse = |why: &str| Err(format!("entry {} (`{}`) {why}", at + 1, waiver.code));
            match codes.standing(&waiver.code) {
                Standing::Locked => return refuse("waives a rule that is locked and cannot be waived"),
                Standing::Own => return refuse("waives a code of the policy stage itself"),
                Standing::Open | Standing::Unknown => {}
            }
        }
        Ok(waivers)
    }

    /// Reads a file without looking at what may be waived.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() > LARGEST {
            return Err(format!("it is larger than {LARGEST} bytes"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())?;
        if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
            return Ok(Self::default());
        }
        let file: File = serde_yaml::from_str(text).map_err(|error| error.to_string())?;
        if file.version.is_some_and(|version| version != 1) {
            return Err("its `version` is not 1".into());
        }
        Ok(Self { entries: file.waivers })
    }
}

/// Reads the list one entry at a time, so that aliases cannot make it grow without end.
fn entries<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Waiver>, D::Error> {
    struct List;
    impl<'de> Visitor<'de> for List {
        type Value = Vec<Waiver>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a list of waivers")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Vec::new())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut entries = Vec::new();
            while let Some(waiver) = list.next_element::<Waiver>()? {
                let at = entries.len() + 1;
                if at > MOST {
                    return Err(A::Error::custom(format!("it has more than {MOST} entries")));
                }
                waiver.check().map_err(|why| A::Error::custom(format!("entry {at} {why}")))?;
                entries.push(waiver);
            }
            Ok(entries)
        }
    }
    deserializer.deserialize_any(List)
}

impl Waiver {
    /// Tells what is wrong with it by itself, to be read after its name.
    pub fn check(&self) -> Result<(), String> {
        if !is_code(&self.code) || self.code.len() > 120 {
            return Err("has a `code` that is not `category/rule`".into());
        }
        for (name, text) in [
            ("reason", Some(&self.reason)),
            ("by", Some(&self.by)),
            ("owner", self.owner.as_ref()),
            ("ticket", self.ticket.as_ref()),
        ] {
            let Some(text) = text else { continue };
            if !text.chars().any(char::is_alphanumeric) {
                return Err(format!("has an empty `{name}`"));
            }
            if text.chars().count() > TEXT || text.chars().any(|c| c.is_control() && c != '\n') {
                return Err(format!("has a `{name}` that is too long or holds a control character"));
            }
        }
        if self.path.is_none() && self.fingerprint.is_none() {
            return Err("has neither `path` nor `fingerprint`".into());
        }
        if let Some(path) = &self.path {
            if path.len() > TEXT {
                return Err("has a `path` that is too long".into());
            }
            if let Some((why, _)) = glob_fault(path) {
                return Err(format!("has a `path` that {why}"));
            }
        }
        if let Some(text) = &self.lines {
            if self.path.is_none() {
                return Err("has `lines` without a `path`".into());
            }
            if lines(text).is_none() {
                return Err("has `lines` that are not `12` or `12-40`".into());
            }
        }
        match &self.fingerprint {
            Some(mark) if !is_fingerprint(mark) => Err("has a `fingerprint` that is none".into()),
            _ => Ok(()),
        }
    }

    /// Returns what tells whether it is about a finding.
    pub(super) fn matcher(&self) -> Matcher<'_> {
        let glob = |path: &String| {
            GlobBuilder::new(path).literal_separator(true).build().map(|glob| glob.compile_matcher())
        };
        Matcher { waiver: self, path: self.path.as_ref().and_then(|path| glob(path).ok()) }
    }

    /// Returns the digest an approval is bound to: of everything but itself.
    pub fn digest(&self) -> Option<Digest> {
        Digest::of_json(&Self { approved: None, ..self.clone() }).ok()
    }

    /// Tells whether it was changed since it was approved.
    pub fn is_stale(&self) -> bool {
        self.approved.is_some() && self.approved != self.digest()
    }

    /// Returns what it is about, for people.
    pub fn about(&self) -> String {
        let path = self.path.as_ref().map(|path| format!(" at `{path}`")).unwrap_or_default();
        let path = self.lines.as_ref().map_or_else(|| path.clone(), |lines| format!("{path} line {lines}"));
        let mark = self.fingerprint.as_ref().map(|mark| format!(" ({mark})")).unwrap_or_default();
        format!("`{}`{path}{mark}", self.code)
    }
}

/// Reads a line or a range of lines, from 1.
fn lines(text: &str) -> Option<(u32, u32)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let read = |part: &str| part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse::<u32>().ok())?;
    let (first, last) = (read(first)?, read(last)?);
    (0 < first && first <= last).then_some((first, last))
}

/// Tells whether a text can be a fingerprint.
pub(super) fn is_fingerprint(text: &str) -> bool {
    (8..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_:.".contains(&b))
}

/// A waiver, ready to be asked.
pub(super) struct Matcher<'a> {
    pub(super) waiver: &'a Waiver,
    path: Option<GlobMatcher>,
}

impl Matcher<'_> {
    /// Tells whether it is about a finding; a glob that cannot be built is about none.
    pub(super) fn is_about(&self, finding: &Finding) -> bool {
        let path = match (&self.path, &finding.path) {
            (Some(glob), Some(path)) => glob.is_match(path),
            _ => false,
        };
        let within = |text: &String| {
            let (Some((first, last)), Some(line)) = (lines(text), finding.line) else { return false };
            first <= line && finding.end_line.unwrap_or(line).max(line) <= last
        };
        (self.waiver.path.is_none() || path)
            && self.waiver.lines.as_ref().is_none_or(within)
            && self.waiver.code == finding.code
            && self.waiver.fingerprint.as_ref().is_none_or(|mark| *mark == finding.fingerprint)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = "# why\nversion: 1\nwaivers:\n  - code: a/b\n    path: src/**\n    until: 2027-01-31\n    reason: made up\n    by: jo\n    ticket: X-1\n";

    fn codes() -> Codes {
        Codes([("a/b".to_owned(), false), ("a/locked".to_owned(), true)].into())
    }

    #[test]
    fn a_file_is_read_whole_or_not_at_all() {
        let read = Waivers::parse(GOOD.as_bytes(), &codes()).unwrap();
        assert_eq!(read.entries[0].until.to_string(), "2027-01-31");
        for empty in ["", "# nothing\n", "waivers:\n", "waivers: []\n"] {
            assert_eq!(Waivers::parse(empty.as_bytes(), &codes()), Ok(Waivers::default()), "{empty:?}");
        }
        for (from, to, want) in [
            ("until: 2027-01-31", "until: 2027-02-30", "no day"),
            ("until: 2027-01-31", "untill: 2027-01-31", "untill"),
            ("    until: 2027-01-31\n", "", "missing field `until`"),
            ("reason: made up", "reason: '  '", "empty `reason`"),
            ("by: jo", "by: ''", "empty `by`"),
            ("    path: src/**\n", "", "neither `path` nor `fingerprint`"),
            ("path: src/**", "path: ../x", "`path` that has a part"),
            ("path: src/**", "fingerprint: x", "`fingerprint` that is none"),
            ("code: a/b", "code: A/B", "not `category/rule`"),
            ("code: a/b", "code: a/locked", "locked"),
            ("code: a/b", "code: policy/rule-error", "policy stage itself"),
            ("until:", "lines: 40-12\n    until:", "not `12` or `12-40`"),
            ("until:", "lines: '0'\n    until:", "not `12` or `12-40`"),
            (
                "    path: src/**\n",
                "    fingerprint: 0123456789\n    lines: 1-2\n",
                "`lines` without a `path`",
            ),
            ("by: jo", "owner: ''\n    by: jo", "empty `owner`"),
            ("by: jo", "by: jo\n    approved: yes", "is not a digest"),
            ("version: 1", "version: 2", "not 1"),
            ("waivers:", "waiver:", "waiver"),
        ] {
            let error = Waivers::parse(GOOD.replace(from, to).as_bytes(), &codes()).unwrap_err();
            assert!(error.contains(want), "{to}: {error}");
        }
        let bomb = format!(
            "waivers:\n  - &a {{code: a/b, path: x, until: 2027-01-31, reason: r, by: j}}\n{}",
            "  - *a\n".repeat(2000)
        );
        assert!(Waivers::parse(bomb.as_bytes(), &codes()).is_err());
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..300), cut in 0_usize..200) {
            let _ = Waivers::parse(&bytes, &codes());
            let mut mixed = GOOD.as_bytes().to_vec();
            mixed.truncate(cut);
            mixed.extend(bytes);
            let _ = Waivers::parse(&mixed, &codes());
        }
    }
}
