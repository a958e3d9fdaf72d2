//! Files that earlier steps made: digests of what was tested, and measures before and after.
//!
//! Must never take a part of a file: one entry that cannot be read, and nothing of it counts.

use serde::Deserialize;

use super::{Collector, Gathered, Gathering, line};
use crate::artifact::digest::Digest;
use crate::artifact::id::CommitId;
use crate::artifact::types::release::{ArtifactDigest, ArtifactsSeen, DeltaSeen, FactName, Millionths};
use crate::ports::observe::{Seen, Unseen};

/// The collector.
pub struct FileCollector;

/// The most entries of a file.
pub(super) const MOST: usize = 10_000;

impl Collector for FileCollector {
    fn name(&self) -> &'static str {
        "file"
    }

    fn collect(&self, of: &Gathering<'_>, into: &mut Gathered) {
        if let Some((from, bytes)) = read(of, into, FactName::Tested, &of.environment.tested) {
            let seen = tested(&bytes);
            into.facts.tested = put(into, FactName::Tested, &from, &bytes, seen);
        }
        if let Some((from, bytes)) = read(of, into, FactName::Deltas, &of.environment.deltas) {
            let seen = deltas(&from, &bytes);
            into.facts.deltas = put(into, FactName::Deltas, &from, &bytes, seen);
        }
    }
}

/// Reads a file that the config names; nothing is noted where it names none.
pub(super) fn read(
    of: &Gathering<'_>,
    into: &mut Gathered,
    fact: FactName,
    path: &str,
) -> Option<(String, Vec<u8>)> {
    if path.is_empty() {
        into.absent(fact, "orch.yml", "orch.yml names no file for it");
        return None;
    }
    let seen = path.parse().map_err(|error| Unseen::new(format!("`{path}` cannot be read: {error}")));
    let seen = seen.and_then(|path| of.observe.file(&path));
    into.take(fact, path, seen).map(|bytes| (path.to_owned(), bytes))
}

/// Notes what became of a file.
pub(super) fn put<T>(
    into: &mut Gathered,
    fact: FactName,
    from: &str,
    bytes: &[u8],
    seen: Seen<T>,
) -> Option<T> {
    match seen {
        Ok(seen) => {
            into.found(fact, from, bytes);
            Some(seen)
        }
        Err(unseen) => {
            into.failed(fact, from, format!("`{from}` {unseen}"));
            None
        }
    }
}

/// Reads JSON of a form that has to be kept to.
pub(super) fn json<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Seen<T> {
    serde_json::from_slice(bytes).map_err(|error| Unseen::new(format!("cannot be read: {error}")))
}

/// Refuses lists that are too long to be honest.
pub(super) fn most<T>(list: Vec<T>) -> Seen<Vec<T>> {
    if list.len() > MOST { Err(Unseen::new(format!("has more than {MOST} entries"))) } else { Ok(list) }
}

/// Reads a number that is written as text.
pub(super) fn number(text: &str) -> Seen<Millionths> {
    text.parse().map_err(|error| Unseen::new(format!("has a number that cannot be taken: {error}")))
}

/// Reads a time, and returns it as text and in seconds.
pub(super) fn time(text: &str) -> Seen<(String, i64)> {
    let time: jiff::Timestamp =
        text.parse().map_err(|_| Unseen::new(format!("has `{}`, which is no time", line(text))))?;
    Ok((super::whole_seconds(time), time.as_second()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TestedFile {
    #[serde(default)]
    commit: Option<CommitId>,
    artifacts: Vec<ArtifactDigest>,
}

/// Reads digests: JSON, or lines as `sha256sum` writes them.
fn tested(bytes: &[u8]) -> Seen<ArtifactsSeen> {
    let (commit, mut artifacts) = if bytes.trim_ascii_start().first() == Some(&b'{') {
        let file: TestedFile = json(bytes)?;
        (file.commit, most(file.artifacts)?)
    } else {
        (None, most(sums(bytes)?)?)
    };
    artifacts.sort_by(|a, b| a.name.cmp(&b.name));
    if let Some(twice) = artifacts.windows(2).find(|pair| pair[0].name == pair[1].name) {
        return Err(Unseen::new(format!("names `{}` twice", line(&twice[0].name))));
    }
    Ok(ArtifactsSeen { commit, artifacts })
}

/// Reads the lines of `sha256sum`.
pub fn sums(bytes: &[u8]) -> Seen<Vec<ArtifactDigest>> {
    let text = std::str::from_utf8(bytes).map_err(|_| Unseen::new("is not UTF-8 text"))?;
    let one = |(at, text): (usize, &str)| {
        let wrong = || Unseen::new(format!("has line {}, which is no digest and name", at + 1));
        let (hex, name) = text.split_once("  ").or_else(|| text.split_once(" *")).ok_or_else(wrong)?;
        let digest: Digest = format!("sha256:{hex}").parse().map_err(|_| wrong())?;
        Ok(ArtifactDigest { name: line(name), digest })
    };
    text.lines().enumerate().filter(|(_, text)| !text.trim().is_empty()).map(one).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeltasFile {
    deltas: Vec<DeltaRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeltaRow {
    name: String,
    before: String,
    after: String,
}

fn deltas(from: &str, bytes: &[u8]) -> Seen<Vec<DeltaSeen>> {
    let file: DeltasFile = json(bytes)?;
    let one = |row: DeltaRow| {
        Ok(DeltaSeen {
            name: line(&row.name),
            before: number(&row.before)?,
            after: number(&row.after)?,
            source: from.to_owned(),
        })
    };
    most(file.deltas)?.into_iter().map(one).collect()
}
