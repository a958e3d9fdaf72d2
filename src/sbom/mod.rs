//! The bill of materials of a repository: which packages its lock files chose, in the forms other tools read.
//!
//! A bill is made from files of one commit alone: the same commit gives the same bytes. Must never name a package that no file
//! names, guess a version from a requirement, or call a bill whole that is not.
//!
//! # Layout
//!
//! - `gather`: files in, packages out
//! - `purl`: package URLs
//! - `cyclonedx`, `spdx`: the forms

mod cyclonedx;
mod gather;
mod purl;
mod spdx;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::artifact::id::CommitId;

pub use gather::{gather, takes};

/// What a bill is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The repository's name.
    pub name: String,
    /// The commit.
    pub commit: CommitId,
    /// When it was made.
    pub time: Timestamp,
    /// What the repository is published under, where it says so.
    pub licence: Option<String>,
}

/// What a package is needed for, the strongest need of all files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// To develop and test.
    Development,
    /// To run, where somebody asks for it.
    Optional,
    /// To build or run.
    Required,
}

/// A package that was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// What stands before the name: npm's scope, Maven's group, the path of a Go module.
    pub group: Option<String>,
    /// The name.
    pub name: String,
    /// The version; absent where a file names none.
    pub version: Option<String>,
    /// The licence, as the file writes it.
    pub licence: Option<String>,
    /// What it is needed for.
    pub need: Need,
    /// The files that name it.
    pub files: BTreeSet<String>,
    /// Where it is fetched from, where that is no registry.
    pub from: Option<String>,
}

/// A file that was read for a bill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BillFile {
    /// The path.
    pub path: String,
    /// How many packages it names.
    pub packages: usize,
    /// Whether it names all that is used: a lock file does, a manifest names what is asked for.
    pub whole: bool,
}

/// The packages of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bill {
    /// By package URL.
    pub packages: BTreeMap<String, Package>,
    /// What was read, sorted.
    pub files: Vec<BillFile>,
    /// What should have been read and could not, with the reason, sorted.
    pub unread: Vec<(String, String)>,
}

impl Bill {
    /// Tells whether all that is used is in it, as far as the files can tell.
    pub fn is_whole(&self) -> bool {
        self.unread.is_empty() && self.files.iter().all(|file| file.whole)
    }
}

/// The forms of a bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// `CycloneDX` 1.6 as JSON (ECMA-424)
    Cyclonedx,
    /// SPDX 2.3 as JSON (ISO/IEC 5962)
    Spdx,
}

/// Renders a bill.
pub fn render(bill: &Bill, subject: &Subject, form: Form) -> Value {
    match form {
        Form::Cyclonedx => cyclonedx::render(bill, subject),
        Form::Spdx => spdx::render(bill, subject),
    }
}
