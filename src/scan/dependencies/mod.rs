//! Dependencies: what a change adds, where it comes from, what it runs, and whether lock files agree.
//!
//! Must never ask a registry: what is not in the repository is not known.

mod added;
mod drift;
mod file;
pub mod names;
mod places;
mod scripts;
mod sources;
#[cfg(test)]
mod tests;

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::ops::Range;

use super::licences;
use super::manifest::{self, Format, Manifest, Role};
use super::{Change, Confidence, FileChange, Found, Scanner, Sink, View};
use places::Places;

/// A package that the repository did not depend on.
pub const ADDED: &str = "dependencies/added";
/// A new package whose name looks like that of a well-known one.
pub const TYPOSQUAT: &str = "dependencies/typosquat";
/// Code that runs by itself when something is installed or built.
pub const INSTALL_SCRIPT: &str = "dependencies/install-script";
/// A dependency that may be anything tomorrow.
pub const UNPINNED: &str = "dependencies/unpinned";
/// A dependency that is fetched without encryption.
pub const INSECURE: &str = "dependencies/insecure-source";
/// A lock file that does not agree with the manifest.
pub const LOCK_DRIFT: &str = "dependencies/lock-drift";
/// A dependency that comes from elsewhere than before.
pub const SOURCE_CHANGED: &str = "dependencies/source-changed";
/// Digests that are gone from a lock file.
pub const INTEGRITY_REMOVED: &str = "dependencies/integrity-removed";
/// A manifest or lock file that cannot be read.
pub const UNREADABLE: &str = "dependencies/unreadable";

/// Looks at manifests and lock files.
#[derive(Clone, Copy, Debug)]
pub struct Dependencies;

impl Scanner for Dependencies {
    fn name(&self) -> &'static str {
        "dependencies"
    }

    fn codes(&self) -> &'static [&'static str] {
        &[
            ADDED,
            TYPOSQUAT,
            INSTALL_SCRIPT,
            UNPINNED,
            INSECURE,
            LOCK_DRIFT,
            SOURCE_CHANGED,
            INTEGRITY_REMOVED,
            licences::CONFLICT,
            UNREADABLE,
        ]
    }

    fn scan(&self, view: &View<'_>, sink: &mut Sink<'_>) {
        file::scan(view, sink);
    }

    fn change(&self, change: &Change<'_>, sink: &mut dyn FnMut(&str, Found)) {
        scripts::look(change, sink);
        let files: Vec<File<'_>> = change.files.iter().filter_map(File::new).collect();
        if files.is_empty() {
            return;
        }
        for file in &files {
            if file.after.is_unreadable() && !file.before.is_unreadable() {
                let message = format!("`{}` cannot be read as what its name says", shown(file.path));
                sink(file.path, Found::file(UNREADABLE, message, file.path, Confidence::High));
            }
        }
        added::look(change, &files, sink);
        sources::look(&files, sink);
        drift::look(change, &files, sink);
    }
}

/// What is read of one side of a file.
#[derive(Debug)]
enum State {
    Absent,
    Unreadable,
    Read(Box<Manifest>),
}

impl State {
    fn new(format: Format, bytes: Option<&[u8]>) -> Self {
        match bytes {
            None => Self::Absent,
            Some(bytes) => manifest::read(format, bytes)
                .map_or(Self::Unreadable, |manifest| Self::Read(Box::new(manifest))),
        }
    }

    fn manifest(&self) -> Option<&Manifest> {
        match self {
            Self::Read(manifest) => Some(manifest),
            _ => None,
        }
    }

    const fn is_unreadable(&self) -> bool {
        matches!(self, Self::Unreadable)
    }
}

/// A manifest or lock file of the change.
struct File<'a> {
    path: &'a str,
    format: Format,
    before: State,
    after: State,
    aside: bool,
    bytes: FileChange<'a>,
    places: OnceCell<Places>,
}

impl<'a> File<'a> {
    fn new(file: &FileChange<'a>) -> Option<Self> {
        let format = manifest::format(file.path).filter(|format| *format != Format::Sbom)?;
        if is_ignored(file.path) || file.before == file.after {
            return None;
        }
        Some(Self {
            path: file.path,
            format,
            before: State::new(format, file.before),
            after: State::new(format, file.after),
            aside: is_aside(file.path),
            bytes: *file,
            places: OnceCell::new(),
        })
    }

    /// Returns both sides where the file can be read afterwards.
    fn read(&self) -> Option<(Option<&Manifest>, &Manifest)> {
        Some((self.before.manifest(), self.after.manifest()?))
    }

    fn role(&self) -> Option<Role> {
        self.after.manifest().map(|m| m.role)
    }

    /// Returns a finding at a package's name.
    fn found(&self, code: &'static str, name: &str, message: String, confidence: Confidence) -> Found {
        let after = self.bytes.after.unwrap_or_default();
        let places = self.places.get_or_init(|| Places::new(self.bytes.before.unwrap_or_default(), after));
        at(code, after, places.of(name), message, &format!("{} {name}", self.path), confidence, self.aside)
    }
}

/// Returns a finding at a place; about the file as a whole where there is no place, or a login stands on its line.
fn at(
    code: &'static str,
    text: &[u8],
    range: Range<usize>,
    message: String,
    key: &str,
    confidence: Confidence,
    aside: bool,
) -> Found {
    let found = if range.is_empty() || has_login(text, &range) {
        Found::file(code, message, key, confidence)
    } else {
        Found::plain(code, range, message, key, confidence)
    };
    if aside { found.with("place", "aside") } else { found }
}

/// Tells whether the line around a place has a URL with a login.
fn has_login(text: &[u8], range: &Range<usize>) -> bool {
    const AROUND: usize = 512;
    let (from, to) = (range.start.saturating_sub(AROUND), text.len().min(range.end + AROUND));
    let head = text.get(from..range.start).unwrap_or_default();
    let from = head.iter().rposition(|b| *b == b'\n').map_or(from, |at| from + at + 1);
    let tail = text.get(range.end..to).unwrap_or_default();
    let to = tail.iter().position(|b| *b == b'\n').map_or(to, |at| range.end + at);
    let around = text.get(from..to).unwrap_or_default();
    memchr::memmem::find_iter(around, b"://").any(|at| {
        let rest = around.get(at + 3..).unwrap_or_default();
        rest.iter().take_while(|b| !matches!(b, b'/' | b'"' | b'\'' | b' ' | b'\n')).any(|b| *b == b'@')
    })
}

/// Returns a name as a message may show it.
fn shown(name: &str) -> String {
    let plain = crate::diagnostic::text::plain(name);
    match plain.char_indices().nth(80) {
        Some((at, _)) => format!("{}...", &plain[..at]),
        None => plain.clone(),
    }
}

/// Returns up to five names for a message.
fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: BTreeSet<&str> = names.into_iter().collect();
    let mut text =
        names.iter().take(5).map(|name| format!("`{}`", shown(name))).collect::<Vec<_>>().join(", ");
    if names.len() > 5 {
        text = format!("{text} and {} more", names.len() - 5);
    }
    text
}

/// Folders with manifests of others, or of nobody.
const IGNORED: [&str; 13] = [
    "node_modules",
    "vendor",
    "third_party",
    "site-packages",
    "fixtures",
    "fixture",
    "__fixtures__",
    "testdata",
    "test-data",
    "test_data",
    "snapshots",
    "__snapshots__",
    "__mocks__",
];

fn is_ignored(path: &str) -> bool {
    path.rsplit_once('/').is_some_and(|(folders, _)| folders.split('/').any(|f| IGNORED.contains(&f)))
}

fn is_aside(path: &str) -> bool {
    const ASIDE: [&str; 13] = [
        "test",
        "tests",
        "spec",
        "e2e",
        "example",
        "examples",
        "sample",
        "samples",
        "demo",
        "demos",
        "benchmarks",
        "docs",
        "doc",
    ];
    path.rsplit_once('/').is_some_and(|(folders, _)| folders.split('/').any(|f| ASIDE.contains(&f)))
}

/// Returns the folder of a path; empty at the root.
fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}
