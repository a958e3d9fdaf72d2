//! What the scanners say about what is judged, as rules see it.
//!
//! Must never judge, and must never keep what a scanner masked.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::ops::RangeInclusive;
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::artifact::id::TreeId;
use crate::artifact::types::policy_input::{Confidence, Fact};
use crate::ports::vcs::{EntryKind, VcsError, VcsRead};
use crate::scan::{self, Change, FileChange, SCANNERS, Source, Surroundings, Tree};

use super::lines::{lines, ranges};

/// A file before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// The path from the root of the repository.
    pub path: String,
    /// The content before; absent when the file is new.
    pub before: Option<Vec<u8>>,
    /// The content after; absent when the file is gone.
    pub after: Option<Vec<u8>>,
}

/// Facts less sure than this are not looked for.
pub const LEAST: Confidence = Confidence::Medium;

/// Returns the facts of a change: what is on its new lines, and what its files have become; files sorted by path.
///
/// `today` is the day allow comments are judged on; without it none counts.
pub fn of_change(files: &[Looked], tree: &dyn Tree, today: Option<&str>) -> Vec<Fact> {
    let around = Surroundings::of(tree);
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(files.len().div_ceil(8));
    let mut facts = scan::scan_all(SCANNERS, files.iter(), threads, today, LEAST, |file, _, scan| {
        let Some(after) = &file.after else { return };
        let new = file.before.as_ref().map(|before| changed(before, after));
        scan(&Source { changed: new.as_deref(), around: Some(&around), ..Source::new(&file.path, after) });
    });
    let pairs: Vec<FileChange<'_>> = files
        .iter()
        .map(|file| FileChange {
            path: &file.path,
            before: file.before.as_deref(),
            after: file.after.as_deref(),
        })
        .collect();
    let changed = scan::scan_change(SCANNERS, &Change { files: &pairs, tree }, today);
    facts.extend(changed.into_iter().filter(|fact| fact.confidence >= LEAST));
    facts.sort();
    facts.into_iter().map(shown).collect()
}

fn changed(before: &[u8], after: &[u8]) -> Vec<RangeInclusive<u32>> {
    // UTF-16 has line feeds of two bytes, so its lines are not those of the bytes.
    if after.contains(&0) { vec![1..=u32::MAX] } else { ranges(&lines(before, after).0) }
}

/// Returns a scanner's fact as rules see it.
pub fn shown(fact: scan::Fact) -> Fact {
    Fact {
        path: fact.path,
        line: fact.line,
        column: fact.column,
        end_line: fact.end_line,
        end_column: fact.end_column,
        code: fact.code.into(),
        scanner: fact.scanner.into(),
        message: fact.message,
        evidence: fact.evidence,
        fingerprint: fact.fingerprint,
        confidence: fact.confidence,
        attributes: fact.attributes.into_iter().map(|(name, value)| (name.into(), value)).collect(),
    }
}

/// A base tree with a change over it.
pub struct ChangedTree<'a> {
    vcs: &'a dyn VcsRead,
    base: &'a TreeId,
    files: &'a [Looked],
    paths: OnceLock<Vec<String>>,
    /// The first that could not be read: scanners are told that there is nothing, and the stage is told the truth.
    failed: Mutex<Option<VcsError>>,
}

impl<'a> ChangedTree<'a> {
    /// Returns the tree after the change; `files` are sorted by path.
    pub fn new(vcs: &'a dyn VcsRead, base: &'a TreeId, files: &'a [Looked]) -> Self {
        Self { vcs, base, files, paths: OnceLock::new(), failed: Mutex::default() }
    }

    /// Returns what the scanners were told, unless something could not be read for them.
    pub fn seen<T>(self, facts: T) -> Result<T, VcsError> {
        match self.failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            None => Ok(facts),
            Some(error) => Err(error),
        }
    }

    fn read<T>(&self, answer: Result<T, VcsError>) -> Option<T> {
        let note = |error| {
            self.failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        };
        answer.map_err(note).ok()
    }
}

impl Tree for ChangedTree<'_> {
    fn paths(&self) -> &[String] {
        self.paths.get_or_init(|| {
            let entries = self.read(self.vcs.entries(self.base)).unwrap_or_default();
            let regular =
                entries.iter().filter(|e| matches!(e.kind, EntryKind::File | EntryKind::Executable));
            let mut paths: BTreeSet<String> =
                regular.filter_map(|e| e.utf8_path().map(str::to_owned)).collect();
            for file in self.files {
                match file.after {
                    Some(_) => paths.insert(file.path.clone()),
                    None => paths.remove(&file.path),
                };
            }
            paths.into_iter().collect()
        })
    }

    fn file(&self, path: &str) -> Option<Vec<u8>> {
        match self.files.binary_search_by(|file| file.path.as_str().cmp(path)) {
            Ok(at) => self.files[at].after.clone(),
            Err(_) => self.read(self.vcs.file(self.base, path)).flatten(),
        }
    }
}
