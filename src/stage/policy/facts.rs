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
    leave_out_moved(files, &mut facts, threads, today);
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

/// What is read in a line, and means the same in another file.
static OF_LINES: &[&dyn scan::Scanner] = &[&scan::secrets::Secrets, &scan::pii::Pii, &scan::unicode::Unicode];

/// Leaves out what a new file has from one that the change takes away: a file that is moved brings nothing.
fn leave_out_moved(files: &[Looked], facts: &mut Vec<scan::Fact>, threads: usize, today: Option<&str>) {
    let is_new = |path: &str| {
        let at = files.binary_search_by(|file| file.path.as_str().cmp(path));
        at.is_ok_and(|at| files[at].before.is_none())
    };
    let mut gone = files.iter().filter(|file| file.after.is_none()).peekable();
    if gone.peek().is_none() || !facts.iter().any(|fact| is_new(&fact.path)) {
        return;
    }
    let mut moved = scan::scan_all(OF_LINES, gone, threads.max(1), today, LEAST, |file, _, scan| {
        scan(&Source::new(&file.path, file.before.as_deref().unwrap_or_default()));
    });
    let same = |a: &scan::Fact, b: &scan::Fact| {
        (a.code, &a.fingerprint, a.confidence, &a.attributes)
            == (b.code, &b.fingerprint, b.confidence, &b.attributes)
    };
    facts.retain(|fact| {
        let known = moved.iter().position(|old| same(old, fact)).filter(|_| is_new(&fact.path));
        // Each is moved once: a second copy is new.
        known.map(|at| moved.swap_remove(at)).is_none()
    });
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::MemoryTree;

    fn found(files: &[(&str, Option<&str>, Option<&str>)]) -> Vec<String> {
        let bytes = |text: Option<&str>| text.map(|text| text.as_bytes().to_vec());
        let files: Vec<Looked> = files
            .iter()
            .map(|(path, before, after)| Looked {
                path: (*path).to_owned(),
                before: bytes(*before),
                after: bytes(*after),
            })
            .collect();
        let facts = of_change(&files, &MemoryTree::default(), None);
        facts.into_iter().filter(|f| f.code.as_str() == "secrets/password").map(|f| f.path).collect()
    }

    #[test]
    fn a_file_that_is_moved_brings_nothing_new() {
        let text = "password = \"q7!kv2#LmZ8x\"\n";
        let more = format!("{text}secret = \"zK4!pw9#QtR2v\"\n");
        assert_eq!(found(&[("a.py", Some(text), None), ("b.py", None, Some(text))]), [""; 0]);
        assert_eq!(found(&[("a.py", Some(text), None), ("b.py", None, Some(&more))]), ["b.py"]);
        assert_eq!(found(&[("a.py", Some(text), Some(text)), ("b.py", None, Some(text))]), ["b.py"]);
        let twice = [("a.py", Some(text), None), ("b.py", None, Some(text)), ("c.py", None, Some(text))];
        assert_eq!(found(&twice).len(), 1);
        // Out of the tests it means something else.
        assert_eq!(found(&[("src/b.py", None, Some(text)), ("tests/a.py", Some(text), None)]), ["src/b.py"]);
    }
}
