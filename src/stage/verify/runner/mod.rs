//! What test runners print, read into single test results; one file per runner, one line to register it.
//!
//! A reader only reads: it must never judge what a result means, and must never panic or take more than linear time,
//! since every byte it sees was written by code that nobody has checked.

mod cargo;
mod go;
mod instrument;
mod jest;
mod junit;
mod mocha;
mod node;
mod pytest;
mod unittest;
mod vitest;

pub(super) use instrument::{alone, instrument, pytest_options, result_files};

use crate::artifact::types::verification::TestStatus;

/// What one command printed and wrote.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Printed<'a> {
    /// The words of the command.
    pub argv: &'a [String],
    /// What it printed.
    pub stdout: &'a str,
    /// What it printed as errors.
    pub stderr: &'a str,
    /// The JUnit files it wrote.
    pub junit: &'a [String],
}

/// The results a reader found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Parsed {
    /// Single tests, in the order they were told.
    pub cases: Vec<Case>,
    /// Files or packages that could not be loaded or compiled, so that none of their tests ran.
    pub broken: Vec<Broken>,
}

/// One test as its runner told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Case {
    /// Where it is.
    pub place: Place,
    /// Its names from the outside in: suites, classes or modules, then its own.
    pub path: Vec<String>,
    /// How it went.
    pub status: TestStatus,
    /// What it said when it did not pass.
    pub message: String,
}

/// Something that could not be loaded or compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Broken {
    /// Where it is.
    pub place: Place,
    /// What was said.
    pub message: String,
}

/// Where a test is, as far as its runner tells.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// Not told.
    Unknown,
    /// A file below the copy.
    File(String),
    /// A module path with dots, perhaps with classes behind it.
    Module(String),
    /// A package path with slashes: the folder is known, the file is not.
    Package(String),
}

impl Place {
    /// Returns a file's place; the copy's own folder is taken off.
    fn file(path: &str) -> Self {
        let path = path.trim();
        let path = path.strip_prefix("file://").unwrap_or(path);
        let path = path.strip_prefix(super::excerpt::COPY).map_or(path, |rest| rest.trim_start_matches('/'));
        Self::File(path.strip_prefix("./").unwrap_or(path).to_owned())
    }

    /// Returns the text shown before a test's name.
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Unknown => "",
            Self::File(text) | Self::Module(text) | Self::Package(text) => text,
        }
    }
}

impl Case {
    /// Returns the name that tells the test from all others, as far as the runner does.
    pub(super) fn id(&self) -> String {
        let path = self.path.join("::");
        if self.place.as_str().is_empty() { path } else { format!("{}::{path}", self.place.as_str()) }
    }
}

/// Reads the output of one runner; `None` when it is not that runner's.
type Read = fn(&Printed<'_>) -> Option<Parsed>;

/// Every reader, by the runner's name.
static READERS: &[(&str, Read)] = &[
    ("junit", junit::read),
    ("cargo", cargo::read),
    ("pytest", pytest::read),
    ("unittest", unittest::read),
    ("node", node::read),
    ("go", go::read),
    ("jest", jest::read),
    ("vitest", vitest::read),
    ("mocha", mocha::read),
];

/// Reads what a command printed: by its JUnit files and the runner its words name, else by whatever runner's output it shows.
///
/// Returns `None` when nothing was understood.
pub(super) fn read(printed: &Printed<'_>) -> Option<Parsed> {
    let named = instrument::named(printed.argv);
    let junit = junit::read(printed);
    let mut found: Vec<Parsed> = junit.into_iter().collect();
    let junit_tells = !found.is_empty();
    for (name, read) in &READERS[1..] {
        // Where the runner wrote a result file, its text says the same in fewer words.
        if named.map_or(junit_tells, |named| named != *name || (junit_tells && named == "pytest")) {
            continue;
        }
        found.extend(read(printed));
    }
    found.into_iter().reduce(|mut all, more| {
        all.cases.extend(more.cases);
        all.broken.extend(more.broken);
        all
    })
}

#[cfg(test)]
mod tests;
