//! What a change does to the tests: assertions gone or weaker, tests skipped, expectations edited, gates loosened.
//!
//! Must never judge why: that the code changed as well is a fact beside the fact.

mod assertion;
mod compare;
mod directives;
mod gates;
mod lang;
mod lex;
mod model;
mod outcome;
mod pairs;
mod snapshots;
mod steps;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use super::{Change, Confidence, FileChange, Found, Scanner};
use compare::Sides;
use model::TestFile;

/// An assertion is gone or sees less; attributes `kind` (`removed`, `weakened`, `test-deleted`, `file-deleted`, `not-compared`), `test`, `language`, `count`.
pub const REMOVED: &str = "tests/assertion-removed";
/// A test no longer runs; attributes `kind` (`existing`, `new`, `only`), `when` (`always`, `sometimes`), `test`, `language`.
pub const SKIPPED: &str = "tests/skipped";
/// The same is looked at and another value expected; attributes `kind` (`value`, `snapshot`), `test`, `language`, `follows`.
pub const EDITED: &str = "tests/expectation-edited";
/// Less has to be covered; attribute `kind` (`threshold`, `exempt`).
pub const COVERAGE: &str = "tests/coverage-loosened";
/// Less is checked by linters, type checkers or CI; attribute `kind` (`broad`, `narrow`, `config`, `ci`).
pub const LINT: &str = "tests/lint-loosened";
/// Results are made, not found; attribute `kind`.
pub const OUTCOME: &str = "tests/outcome-rewritten";

/// The codes of the facts about assertions, in short.
pub(super) struct Codes;

impl Codes {
    pub(super) const REMOVED: &'static str = REMOVED;
    pub(super) const SKIPPED: &'static str = SKIPPED;
    pub(super) const EDITED: &'static str = EDITED;
}

/// Compares tests, and what guards them, before and after.
#[derive(Clone, Copy, Debug)]
pub struct Tampering;

/// What the code around the tests lost and gained.
#[derive(Debug, Default)]
pub struct Around {
    /// Words that the changed code no longer has.
    gone: BTreeSet<String>,
    /// Words that it did not have.
    new: BTreeSet<String>,
    /// Whether code that is no test changed.
    code: bool,
}

impl Around {
    fn of(change: &Change<'_>) -> Self {
        let (mut before, mut after) = (BTreeSet::new(), BTreeSet::new());
        let mut code = false;
        for file in change.files.iter().filter(|file| file.before != file.after && is_code(file)) {
            code = true;
            for (side, words) in [(file.before, &mut before), (file.after, &mut after)] {
                let text = code_of(file.path, side.unwrap_or_default());
                words.extend(model::words(text).filter(|word| compare::telling(word)));
            }
            let names: Vec<&str> = model::words(file.path.as_bytes()).collect();
            if file.before.is_some() {
                before.extend(names.iter().copied());
            }
            if file.after.is_some() {
                after.extend(names);
            }
        }
        let own = |words: BTreeSet<&str>| words.into_iter().map(str::to_owned).collect::<BTreeSet<String>>();
        Self {
            gone: own(before.difference(&after).copied().collect()),
            new: own(after.difference(&before).copied().collect()),
            code,
        }
    }

    /// Tells whether what a text speaks of was taken out of the code.
    fn is_gone(&self, text: &str) -> bool {
        model::words(text.as_bytes()).any(|word| self.gone.contains(word))
    }

    /// Tells whether what a text speaks of came into the code.
    fn is_new(&self, text: &str) -> bool {
        model::words(text.as_bytes()).any(|word| self.new.contains(word))
    }
}

/// Returns what of a file is not its tests: those that sit in the code they test follow it.
fn code_of<'a>(path: &str, text: &'a [u8]) -> &'a [u8] {
    let marks = lang::of_path(path).map_or(&[][..], |lang| lang.marks);
    let cut = marks.iter().filter_map(|mark| memchr::memmem::find(text, mark.as_bytes())).min();
    cut.and_then(|cut| text.get(..cut)).unwrap_or(text)
}

/// Tells whether a file is code that tests may be about.
fn is_code(file: &FileChange<'_>) -> bool {
    let Some(lang) = lang::of_path(file.path) else { return false };
    let text = |side: Option<&[u8]>| side.is_some_and(|text| text.len() <= LARGEST);
    !(lang.is_test)(&file.path.to_ascii_lowercase()) && (text(file.before) || text(file.after))
}

/// Larger files are not compared, and that is said: no person writes such tests.
const LARGEST: usize = 4 << 20;

/// Tells whether a text is one that can be compared.
fn is_readable(text: &[u8]) -> bool {
    text.len() <= LARGEST && !text.contains(&0)
}

/// Says that tests changed that nobody compared.
fn not_compared(file: &FileChange<'_>, lang: &lang::Lang, sink: &mut dyn FnMut(&str, Found)) {
    let message =
        format!("the tests in `{}` changed and were not compared: it is too large, or no text", file.path);
    let found = Found::file(REMOVED, message, file.path, Confidence::Medium);
    sink(file.path, found.with("kind", "not-compared").with("language", lang.name));
}

impl Scanner for Tampering {
    fn name(&self) -> &'static str {
        "tests"
    }

    fn codes(&self) -> &'static [&'static str] {
        &[REMOVED, SKIPPED, EDITED, COVERAGE, LINT, OUTCOME]
    }

    fn change(&self, change: &Change<'_>, sink: &mut dyn FnMut(&str, Found)) {
        let mut sides = Vec::new();
        for file in change.files.iter().filter(|file| file.before != file.after) {
            let lang = lang::of_path(file.path);
            let tests = lang.filter(|lang| {
                [file.before, file.after].into_iter().flatten().any(|t| lang::holds_tests(lang, file.path, t))
            });
            if ![file.before, file.after].into_iter().flatten().all(is_readable) {
                if let (Some(lang), true) = (tests, file.before.is_some()) {
                    not_compared(file, lang, sink);
                }
                continue;
            }
            directives::look(file, sink);
            gates::look(file, sink);
            snapshots::look(file, sink);
            let Some(lang) = tests else { continue };
            sides.push(Sides {
                path: file.path,
                before: file.before.map(|text| TestFile::read(lang, text)),
                after: file.after.map(|text| TestFile::read(lang, text)),
            });
        }
        if sides.is_empty() {
            return;
        }
        for side in &sides {
            outcome::look(side, sink);
        }
        compare::compare(&sides, &Around::of(change), sink);
    }
}
