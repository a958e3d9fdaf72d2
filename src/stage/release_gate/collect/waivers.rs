//! Waivers of release controls, as the released commit has them.
//!
//! Must never take a part of the file, nor decide whether a waiver is in force: that is the judge's.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::file::{most, put};
use super::{Collector, Gathered, Gathering, line};
use crate::artifact::day::Day;
use crate::artifact::id::{CommitId, Slug};
use crate::artifact::types::release::{FactName, WaiverSeen};
use crate::ports::observe::{Seen, Unseen};

/// The collector.
pub struct WaiversCollector;

/// The largest file, in bytes.
const LARGEST: usize = 256 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    waivers: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    control: String,
    #[serde(default)]
    environment: Option<Slug>,
    #[serde(default)]
    commit: Option<CommitId>,
    #[serde(default)]
    scope: Option<String>,
    reason: String,
    owner: String,
    expires: Day,
}

impl Collector for WaiversCollector {
    fn name(&self) -> &'static str {
        "waivers"
    }

    fn collect(&self, of: &Gathering<'_>, into: &mut Gathered) {
        let path = &of.config.release.waivers;
        let Some(tree) = &of.request.subject.tree else {
            return into.absent(FactName::Waivers, path, "the tree of the commit is not known");
        };
        match of.vcs.file(tree, path) {
            Ok(Some(bytes)) => {
                let seen = parse(&bytes);
                into.facts.waivers = put(into, FactName::Waivers, path, &bytes, seen);
            }
            Ok(None) => into.absent(FactName::Waivers, path, "the released commit has no such file"),
            Err(error) => into.failed(FactName::Waivers, path, error),
        }
    }
}

fn parse(bytes: &[u8]) -> Seen<Vec<WaiverSeen>> {
    if bytes.len() > LARGEST {
        return Err(Unseen::new(format!("is larger than {LARGEST} bytes")));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Unseen::new("is not UTF-8 text"))?;
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(Vec::new());
    }
    let file: File =
        serde_yaml::from_str(text).map_err(|error| Unseen::new(format!("cannot be read: {error}")))?;
    most(file.waivers)?.into_iter().enumerate().map(|(at, row)| waiver(at + 1, row)).collect()
}

fn waiver(at: usize, row: Row) -> Seen<WaiverSeen> {
    for (name, text) in [("reason", &row.reason), ("owner", &row.owner)] {
        if !text.chars().any(char::is_alphanumeric) {
            return Err(Unseen::new(format!("has entry {at}, which has an empty `{name}`")));
        }
    }
    let day = String::from(row.expires);
    let end = day.parse::<Date>().ok().and_then(|day| day.tomorrow().ok());
    let end = end.and_then(|day| day.to_zoned(TimeZone::UTC).ok()).map(|zoned| zoned.timestamp().as_second());
    let Some(expires_seconds) = end else {
        return Err(Unseen::new(format!("has entry {at}, which ends after the end of time")));
    };
    let Row { environment, commit, .. } = row;
    Ok(WaiverSeen {
        control: line(&row.control),
        environment,
        commit,
        scope: row.scope.map(|scope| line(&scope)),
        reason: line(&row.reason),
        owner: line(&row.owner),
        expires: day,
        expires_seconds,
    })
}
