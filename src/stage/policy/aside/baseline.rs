//! `.orch/baseline.json`: what was there before, by fingerprint, so that day one is quiet and new findings count.
//!
//! Must never hold a secret: it keeps fingerprints, codes and paths.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::artifact::day::Day;
use crate::artifact::types::verdict::Finding;
use crate::config::check::is_code;

use super::waivers::is_fingerprint;
use super::{Codes, Standing, TEXT};

/// The largest file, in bytes.
const LARGEST: usize = 64 << 20;

/// Findings that were there before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// The version of the form.
    pub version: Version,
    /// The entries, by path, code and fingerprint.
    pub entries: Vec<Entry>,
}

/// The version of the form: 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct Version;

impl TryFrom<u64> for Version {
    type Error = String;

    fn try_from(version: u64) -> Result<Self, String> {
        if version == 1 {
            Ok(Self)
        } else {
            Err(format!("the version {version} is not known; this orch reads 1"))
        }
    }
}

impl From<Version> for u64 {
    fn from(_: Version) -> Self {
        1
    }
}

/// One finding to live with for now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The fingerprint of the finding.
    pub fingerprint: String,
    /// Its code.
    pub code: String,
    /// Its file, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The last day it counts.
    pub until: Day,
    /// Why.
    pub reason: String,
}

/// What an entry is about: code, fingerprint and file. The same thing in another file is another finding.
pub(super) type Key<'a> = (&'a str, &'a str, Option<&'a str>);

/// Returns what a finding is known by.
pub(super) fn key(finding: &Finding) -> Key<'_> {
    (&finding.code, &finding.fingerprint, finding.path.as_deref())
}

impl Entry {
    /// Returns what it is about.
    pub(super) fn key(&self) -> Key<'_> {
        (&self.code, &self.fingerprint, self.path.as_deref())
    }
}

/// What an update did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Updated {
    /// Entries that stay.
    pub kept: usize,
    /// Entries that are new.
    pub added: usize,
    /// Entries whose finding is gone.
    pub gone: usize,
    /// Findings that cannot be in a baseline: of the stage itself, or of a locked rule.
    pub refused: usize,
}

impl Baseline {
    /// Reads a file; the error says what is wrong, to be read after its name.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() > LARGEST {
            return Err(format!("it is larger than {LARGEST} bytes"));
        }
        let baseline: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        for (at, entry) in baseline.entries.iter().enumerate() {
            let fits = is_fingerprint(&entry.fingerprint)
                && is_code(&entry.code)
                && entry.reason.chars().any(char::is_alphanumeric)
                && entry.reason.chars().count() <= TEXT;
            if !fits {
                return Err(format!("entry {} has no fingerprint, code or reason", at + 1));
            }
        }
        Ok(baseline)
    }

    /// Returns the text of the file: one entry a line, so that diffs and merges are small.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        let mut text = String::from("{\n  \"version\": 1,\n  \"entries\": [");
        for (at, entry) in self.entries.iter().enumerate() {
            text.push_str(if at == 0 { "\n    " } else { ",\n    " });
            text.push_str(&serde_json::to_string(entry)?);
        }
        text.push_str(if self.entries.is_empty() { "]\n}\n" } else { "\n  ]\n}\n" });
        Ok(text)
    }

    /// Takes the findings of the whole tree: entries whose finding is gone go, and with `add` new findings come in.
    #[must_use]
    pub fn update(&self, findings: &[Finding], codes: &Codes, add: Option<(Day, &str)>) -> (Self, Updated) {
        let mut updated = Updated::default();
        let open = |finding: &&Finding| match codes.standing(&finding.code) {
            Standing::Open => true,
            Standing::Locked | Standing::Own | Standing::Unknown => {
                updated.refused += 1;
                false
            }
        };
        let there: BTreeSet<Key<'_>> = findings.iter().filter(open).map(key).collect();
        let mut entries: Vec<Entry> = Vec::new();
        let mut known = BTreeSet::new();
        for entry in &self.entries {
            if there.contains(&entry.key()) && known.insert(entry.key()) {
                entries.push(entry.clone());
            } else {
                updated.gone += 1;
            }
        }
        updated.kept = entries.len();
        if let Some((until, reason)) = add {
            entries.extend(there.difference(&known).map(|(code, mark, path)| Entry {
                fingerprint: (*mark).to_owned(),
                code: (*code).to_owned(),
                path: path.map(str::to_owned),
                until,
                reason: reason.to_owned(),
            }));
        }
        updated.added = entries.len() - updated.kept;
        entries.sort_by(|a, b| (&a.path, &a.code, &a.fingerprint).cmp(&(&b.path, &b.code, &b.fingerprint)));
        (Self { version: Version, entries }, updated)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_file_reads_back_and_refuses_what_it_does_not_know() {
        let entry = |mark: &str| Entry {
            fingerprint: mark.into(),
            code: "a/b".into(),
            path: Some("x \"y".into()),
            until: "2027-01-31".parse().unwrap(),
            reason: "there before".into(),
        };
        for entries in [vec![], vec![entry("0123456789")], vec![entry("0123456789"), entry("9876543210")]] {
            let baseline = Baseline { version: Version, entries };
            assert_eq!(Baseline::parse(baseline.to_text().unwrap().as_bytes()), Ok(baseline));
        }
        let text = Baseline { version: Version, entries: vec![entry("0123456789")] }.to_text().unwrap();
        for (from, to) in [
            ("\"version\": 1", "\"version\": 2"),
            ("0123456789", "x"),
            ("2027-01-31", "for ever"),
            ("there before", " "),
            ("\"reason\"", "\"why\""),
        ] {
            assert!(text.contains(from));
            assert!(Baseline::parse(text.replace(from, to).as_bytes()).is_err(), "{to}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Baseline::parse(&bytes);
        }
    }
}
