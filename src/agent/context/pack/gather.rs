//! What belongs to what fits: its tests, those who use it, a file most like it.
//!
//! Must never take a name that is everywhere for a use of what fits.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::agent::context::{Source, by_words, words};
use crate::ports::vcs::{Ranked, VcsError};
use crate::syntax;

use super::pieces::File;
use super::{Part, PartRole};

/// The most names that are looked for.
const MOST_NAMES: usize = 4;
/// The most files that are asked for one name.
const MOST_USERS: usize = 12;
/// The most tests and the most other users that are shown.
const MOST_TESTS: usize = 3;
const MOST_CALLERS: usize = 4;
/// The most files beside the best that are compared.
const MOST_BESIDE: usize = 60;
/// Names that say nothing about who uses them.
const COMMON: &[&str] = &[
    "call", "close", "config", "copy", "create", "data", "default", "drop", "error", "file", "from",
    "handle", "handler", "index", "init", "into", "item", "list", "load", "main", "name", "next", "open",
    "parse", "path", "read", "render", "result", "run", "save", "self", "send", "setup", "start", "state",
    "stop", "test", "text", "type", "update", "value", "write",
];

/// Files that were read once.
pub(super) struct Files<'a> {
    source: &'a dyn Source,
    read: BTreeMap<String, Option<Rc<File>>>,
}

impl<'a> Files<'a> {
    /// Returns none yet.
    pub fn of(source: &'a dyn Source) -> Self {
        Self { source, read: BTreeMap::new() }
    }

    /// Returns a file; nothing where it is no text.
    pub fn get(&mut self, path: &str) -> Result<Option<Rc<File>>, VcsError> {
        if let Some(known) = self.read.get(path) {
            return Ok(known.clone());
        }
        let file = self.source.text(path)?.filter(|text| !text.trim().is_empty()).map(|text| {
            let syntax = syntax::read(path, text.as_bytes());
            Rc::new(File { path: path.to_owned(), text, syntax })
        });
        self.read.insert(path.to_owned(), file.clone());
        Ok(file)
    }
}

/// Returns the files a text concerns: by the index, or by shared words where there is none.
pub(super) fn ranked(text: &str, source: &dyn Source, most: usize) -> Result<Vec<Ranked>, VcsError> {
    match source.ranked(text, most)? {
        Some(ranked) => Ok(ranked),
        None => by_words(text, source, most),
    }
}

/// Tells whether a path is that of a test.
pub(super) fn is_test(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let (folders, name) = lower.rsplit_once('/').unwrap_or(("", &lower));
    let in_tests =
        folders.split('/').any(|folder| matches!(folder, "test" | "tests" | "__tests__" | "spec" | "specs"));
    let stem = name.split('.').next().unwrap_or(name);
    in_tests
        || stem.starts_with("test_")
        || stem.ends_with("_test")
        || stem.ends_with("_tests")
        || name.contains(".test.")
        || name.contains(".spec.")
        || path.ends_with("Test.java")
        || path.ends_with("Tests.java")
}

fn stem(path: &str) -> &str {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = name.split('.').next().unwrap_or(name);
    let file_of_folder = matches!(stem, "mod" | "index" | "__init__" | "lib" | "main");
    if file_of_folder && !folder.is_empty() { folder.rsplit('/').next().unwrap_or(folder) } else { stem }
}

/// Returns tests and other users of what the best pieces define.
pub(super) fn uses(
    files: &mut Files<'_>,
    source: &dyn Source,
    ranked: &[Ranked],
    touched: &[Part],
) -> Result<Vec<Part>, VcsError> {
    let mut names: Vec<(&str, &str)> = Vec::new();
    for part in touched {
        let telling = part
            .names
            .iter()
            .filter(|name| name.len() >= 4 && !COMMON.contains(&name.to_ascii_lowercase().as_str()));
        names.extend(telling.map(|name| (name.as_str(), part.cite.path.as_str())));
    }
    names.truncate(MOST_NAMES);
    let (mut tests, mut callers) = (Vec::new(), Vec::new());
    for (name, home) in names {
        let mut paths: Vec<String> =
            self::ranked(name, source, MOST_USERS)?.into_iter().map(|found| found.path).collect();
        paths.extend(ranked.iter().map(|found| found.path.clone()));
        let mut seen = std::collections::BTreeSet::new();
        for path in paths.into_iter().filter(|path| path != home && seen.insert(path.clone())) {
            let Some(file) = files.get(&path)? else { continue };
            let Some(line) = file.syntax.uses(name, true).or_else(|| file.syntax.uses(name, false)) else {
                continue;
            };
            let knows = words(&file.text).is_superset(&words(stem(home)));
            let role = if is_test(&path) { PartRole::Test } else { PartRole::Caller };
            let part = match file.syntax.around(line) {
                Some(around) if around.last - around.first < 120 => file.definition(role, around),
                _ => file.whole(role).unwrap_or_else(|| {
                    let last = file.syntax.lines.min(line + 6);
                    file.part(role, line.saturating_sub(6).max(1), last, Vec::new())
                }),
            };
            let list = if role == PartRole::Test { &mut tests } else { &mut callers };
            list.push((!knows, part));
        }
    }
    let mut parts = Vec::new();
    for (mut list, most) in [(tests, MOST_TESTS), (callers, MOST_CALLERS)] {
        list.sort_by_key(|(far, _)| *far);
        let mut cited = std::collections::BTreeSet::new();
        parts.extend(
            list.into_iter().map(|(_, part)| part).filter(|part| cited.insert(part.cite.clone())).take(most),
        );
    }
    Ok(parts)
}

/// Returns the file beside the best one that is most like it: the same folder and ending, shared imports and words of names.
pub(super) fn neighbour(
    files: &mut Files<'_>,
    source: &dyn Source,
    touched: &[Part],
) -> Result<Option<Part>, VcsError> {
    let Some(best) = touched.iter().find(|part| !is_test(&part.cite.path)) else { return Ok(None) };
    let path = best.cite.path.clone();
    let Some(home) = files.get(&path)? else { return Ok(None) };
    let folder = |path: &str| path.rsplit_once('/').map(|(folder, _)| folder.to_owned()).unwrap_or_default();
    let ending = |path: &str| path.rsplit_once('.').map(|(_, ending)| ending.to_owned()).unwrap_or_default();
    let (own_folder, own_ending) = (folder(&path), ending(&path));
    let beside: Vec<String> = source
        .paths()
        .into_iter()
        .filter(|other| {
            *other != path && folder(other) == own_folder && ending(other) == own_ending && !is_test(other)
        })
        .take(MOST_BESIDE)
        .map(str::to_owned)
        .collect();
    let mut most: Option<(usize, Rc<File>)> = None;
    for other in beside {
        let Some(file) = files.get(&other)?.filter(|file| !file.syntax.definitions.is_empty()) else {
            continue;
        };
        let imports = file
            .syntax
            .imports
            .iter()
            .filter(|import| home.syntax.imports.iter().any(|own| own.text == import.text))
            .count();
        let names = |file: &File| -> std::collections::BTreeSet<String> {
            file.syntax.definitions.iter().flat_map(|d| words(&d.name)).collect()
        };
        let alike = 2 * imports
            + names(&file).intersection(&names(&home)).count()
            + words(&other).intersection(&words(&path)).count();
        if most.as_ref().is_none_or(|(before, _)| alike > *before) {
            most = Some((alike, file));
        }
    }
    Ok(most.filter(|(alike, _)| *alike > 0).and_then(|(_, file)| {
        let first = file.syntax.outer().find(|d| d.last - d.first >= 3 && d.last - d.first < 60);
        file.whole(PartRole::Neighbour).or_else(|| first.map(|d| file.definition(PartRole::Neighbour, d)))
    }))
}
