//! The rules that judge: the pack in this binary and the packs of the repository, with one digest over all of it.
//!
//! Must never read the working tree: packs come from the base commit, so that a change cannot alter its own judge. A file
//! that is broken stays in the bundle as broken, and denies.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rust_embed::RustEmbed;

use crate::artifact::digest::{CanonicalError, Digest};
use crate::artifact::id::TreeId;
use crate::artifact::path::RepoPath;
use crate::config::Pack;
use crate::diagnostic::{Class, Failure};
use crate::ports::vcs::{EntryKind, VcsError, VcsRead};

use super::data::{DataFile, document, is_data};
use super::engine::Fault;
use super::pack::{self, Opened, PackError};
use super::prepared;
use super::rule::{Checked, Module, Ready, Rule, check};
use crate::rego::Policies;
use crate::rego::policies::Options;
use crate::rego::spread::spread;

#[derive(RustEmbed)]
#[folder = "policies/"]
struct Embedded;

/// Returns a file of the pack in this binary by its path in the repository of orch.
pub(super) fn embedded(path: &str) -> Option<Cow<'static, [u8]>> {
    Embedded::get(path.strip_prefix("policies/")?).map(|file| file.data)
}

/// Where the rules are that judge releases.
const RELEASE: &str = "release/";

/// The most files the packs of a repository may have together.
const MAX_FILES: usize = 1000;

/// Why the rules could not be gathered.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// A configured folder that is no folder of the repository.
    #[error("the policy pack `{folder}` {why}")]
    Folder {
        /// As it is in the config.
        folder: String,
        /// The reason, to be read after it.
        why: String,
    },
    /// A bundle from elsewhere that is not here, not what the config pins, or of no use.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// The repository could not be read.
    #[error(transparent)]
    Vcs(#[from] VcsError),
    /// The digest could not be made.
    #[error("the policy bundle has no digest")]
    Digest(#[from] CanonicalError),
}

impl Failure for BundleError {
    fn class(&self) -> Class {
        match self {
            Self::Folder { .. } => Class::Usage,
            Self::Pack(error) => error.class(),
            Self::Vcs(error) => error.class(),
            Self::Digest(_) => Class::Internal,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Folder { .. } => Some(
                "Packs are read from a commit: commit the folder first, or mend the list of packs in orch.yml."
                    .into(),
            ),
            Self::Pack(error) => error.help(),
            Self::Vcs(error) => error.help(),
            Self::Digest(_) => None,
        }
    }
}

/// A file of a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// `orch:<path>` for the pack in this binary, `bundle:<bundle>/<path>` for a bundle, else the path in the repository.
    pub name: String,
    /// Its bytes; absent when it is no regular file.
    pub bytes: Option<Vec<u8>>,
}

impl SourceFile {
    /// Tells whether it holds tests of a rule.
    pub fn is_test(&self) -> bool {
        self.name.ends_with("_test.rego")
    }
}

/// The files of a bundle, not parsed yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sources {
    files: Vec<SourceFile>,
    data: Vec<DataFile>,
    digest: Digest,
}

impl Sources {
    /// Returns the pack in this binary.
    pub fn embedded() -> Result<Self, BundleError> {
        Self::embedded_where(|path| !path.starts_with(RELEASE))
    }

    /// Returns the rules in this binary that judge releases: they read another document.
    pub fn of_releases() -> Result<Self, BundleError> {
        Self::embedded_where(|path| path.starts_with(RELEASE))
    }

    fn embedded_where(wanted: fn(&str) -> bool) -> Result<Self, BundleError> {
        let files = Embedded::iter().filter(|path| is_rego(path) && wanted(path)).map(|path| SourceFile {
            name: format!("orch:{path}"),
            bytes: Embedded::get(&path).map(|file| file.data.into_owned()),
        });
        Self::of(files.collect())
    }

    /// Returns the pack in this binary with the packs of the repository, as a tree has them.
    pub fn gather(vcs: &dyn VcsRead, tree: &TreeId, packs: &[Pack]) -> Result<Self, BundleError> {
        Self::embedded()?.and_packs(vcs, tree, packs)
    }

    /// Returns what packs hold as a tree has them, without the rules of this binary.
    pub fn packs(vcs: &dyn VcsRead, tree: &TreeId, packs: &[Pack]) -> Result<Opened, BundleError> {
        Ok(Self::of(Vec::new())?.and_packs(vcs, tree, packs)?.into_packs())
    }

    fn and_packs(mut self, vcs: &dyn VcsRead, tree: &TreeId, packs: &[Pack]) -> Result<Self, BundleError> {
        if packs.is_empty() {
            return Ok(self);
        }
        for pack in packs {
            let Some(name) = pack::kept_as(pack) else { continue };
            let bytes = vcs.kept(&name)?.ok_or_else(|| PackError::Missing { pack: pack::shown(pack) })?;
            let opened = pack::open(pack, &bytes)?;
            self.files.extend(opened.rules);
            self.data.extend(opened.data);
        }
        let entries = vcs.entries(tree)?;
        let mut seen = BTreeSet::new();
        for pack in packs.iter().filter_map(Pack::folder) {
            let folder = folder(pack)?;
            let prefix = format!("{folder}/");
            let mut found = false;
            for entry in entries.iter() {
                let Some(path) = entry.utf8_path().filter(|p| is_rego(p) || is_data(p)) else { continue };
                let Some(within) = path.strip_prefix(&prefix) else { continue };
                found |= is_rego(path);
                if seen.insert(path.to_owned()) {
                    let regular = matches!(entry.kind, EntryKind::File | EntryKind::Executable);
                    let bytes = if regular { vcs.file(tree, path)? } else { None };
                    if is_data(path) {
                        self.data.push(DataFile::new(path.to_owned(), within, bytes));
                    } else {
                        self.files.push(SourceFile { name: path.to_owned(), bytes });
                    }
                }
            }
            let refuse = |why: &str| BundleError::Folder { folder: pack.to_owned(), why: why.into() };
            if !found {
                return Err(refuse("has no `.rego` file in the commit it is read from"));
            }
            if seen.len() > MAX_FILES {
                return Err(refuse("takes the packs over 1000 files"));
            }
        }
        Self::whole(self.files, self.data)
    }

    /// Returns a bundle of these files; for tests of rules.
    pub fn of(files: Vec<SourceFile>) -> Result<Self, BundleError> {
        Self::whole(files, Vec::new())
    }

    fn whole(mut files: Vec<SourceFile>, mut data: Vec<DataFile>) -> Result<Self, BundleError> {
        // The pack in this binary first: of two rules with one code the first one counts.
        files.sort_by(|a, b| {
            let own = |f: &SourceFile| !f.name.starts_with("orch:");
            (own(a), &a.name).cmp(&(own(b), &b.name))
        });
        data.sort_by(|a, b| a.name.cmp(&b.name));
        let rules = files.iter().map(|f| (&f.name, &f.bytes));
        let rows = rules.chain(data.iter().map(|f| (&f.name, &f.bytes)));
        let rows: Vec<_> = rows.map(|(name, bytes)| (name, bytes.as_ref().map(Digest::of))).collect();
        let digest = Digest::of_json(&rows)?;
        Ok(Self { files, data, digest })
    }

    /// Adds files; for tests of rules.
    pub fn with(mut self, files: impl IntoIterator<Item = SourceFile>) -> Result<Self, BundleError> {
        self.files.extend(files);
        Self::whole(self.files, self.data)
    }

    /// Adds what a pack holds.
    pub fn with_pack(mut self, pack: Opened) -> Result<Self, BundleError> {
        self.files.extend(pack.rules);
        self.data.extend(pack.data);
        Self::whole(self.files, self.data)
    }

    /// Returns what is not of the pack in this binary.
    pub fn into_packs(self) -> Opened {
        let rules = self.files.into_iter().filter(|file| !file.name.starts_with("orch:")).collect();
        Opened { rules, data: self.data }
    }

    /// Tells whether all files have names of the pack in this binary.
    pub fn is_embedded(&self) -> bool {
        self.data.is_empty() && self.files.iter().all(|file| file.name.starts_with("orch:"))
    }

    /// Returns the digest over all files, names and tests of rules included.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Returns the files, the pack in this binary first, then by name.
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    /// Returns what rules read as `data`, and the documents that cannot be used.
    pub fn data(&self) -> (serde_json::Value, Vec<Broken>) {
        document(&self.data)
    }
}

fn is_rego(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, extension)| extension.eq_ignore_ascii_case("rego"))
}

fn folder(pack: &str) -> Result<RepoPath, BundleError> {
    let trimmed = pack.trim_start_matches("./").trim_end_matches('/');
    trimmed.parse().map_err(|error| BundleError::Folder {
        folder: pack.to_owned(),
        why: format!("cannot be used: {error}"),
    })
}

fn unfinished(file: &str) -> Fault {
    Fault(format!("{file}: was not checked to its end"))
}

/// A file that should judge and cannot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The file.
    pub file: String,
    /// What is wrong with it.
    pub why: String,
}

/// The rules that judge.
#[derive(Clone)]
pub struct Bundle {
    /// The rules, by code.
    pub rules: Vec<Rule>,
    /// Files that should judge and cannot; each is a deny.
    pub broken: Vec<Broken>,
    /// The digest over all files.
    pub digest: Digest,
}

impl Bundle {
    /// Returns the rules of all files; what cannot be used is in [`Bundle::broken`].
    ///
    /// The pack in this binary by itself was checked before; all else is checked here.
    pub fn parse(sources: &Sources) -> Self {
        prepared::bundle(sources).unwrap_or_else(|| Self::checked(sources))
    }

    /// Parses and checks all files; what cannot be used is in [`Bundle::broken`].
    pub fn checked(sources: &Sources) -> Self {
        let (data, mut broken) = sources.data();
        let mut refuse = |file: &str, why: String| broken.push(Broken { file: file.to_owned(), why });
        let mut libraries = BTreeMap::new();
        let mut modules = Vec::new();
        let mut packages = BTreeSet::new();
        let files: Vec<&SourceFile> = sources.files().iter().filter(|f| !f.is_test()).collect();
        let parsed = spread(&files, |file| {
            let text = file.bytes.as_deref().and_then(|b| std::str::from_utf8(b).ok());
            let not_text = || Fault(format!("{}: is not a regular file with UTF-8 text", file.name));
            Module::parse(&file.name, text.ok_or_else(not_text)?)
        });
        for (file, parsed) in files.iter().zip(parsed) {
            match parsed.unwrap_or_else(|| Err(unfinished(&file.name))) {
                Err(fault) => refuse(&file.name, fault.to_string()),
                Ok(module) if !packages.insert(module.package()) => {
                    let package = module.package();
                    refuse(&file.name, format!("{}: the package `{package}` is there already", file.name));
                }
                Ok(module) if module.is_library() => drop(libraries.insert(module.package(), module)),
                Ok(module) => modules.push(module),
            }
        }
        let none = Arc::new(Policies::none());
        let mut checked = Vec::new();
        for (module, done) in
            modules.iter().zip(spread(&modules, |module| check(module, &libraries, &data, &none)))
        {
            match done.unwrap_or_else(|| Err(unfinished(module.file))) {
                Ok(rule) => checked.push(rule),
                Err(fault) => refuse(module.file, fault.to_string()),
            }
        }
        let mut rules = Vec::new();
        for (file, ready) in ready(checked, &regorus::Value::from(data)) {
            match ready {
                Ok(rule) => rules.push(rule),
                Err(fault) => refuse(&file, fault.to_string()),
            }
        }
        rules.sort_by(|a: &Rule, b: &Rule| a.metadata.code.cmp(&b.metadata.code));
        Self { rules, broken, digest: sources.digest().clone() }
    }
}

/// Makes rules ready in one engine, which costs less than one for each; a rule it cannot hold is tried by itself.
fn ready(checked: Vec<Checked<'_>>, data: &regorus::Value) -> Vec<(String, Result<Rule, Fault>)> {
    let mut seen = BTreeSet::new();
    let all = checked.iter().flat_map(|rule| rule.modules.iter().copied());
    let all: Vec<&Module<'_>> = all.filter(|module| seen.insert(module.file)).collect();
    let together = engine(&all, data);
    checked
        .into_iter()
        .map(|Checked { mut rule, modules }| {
            let fits = |policies: &Policies| {
                let refused = rule.entries.iter().find_map(|(path, _)| policies.refusal(path));
                refused.is_none() && modules.iter().all(|module| policies.has(module.file))
            };
            let alone = match &together {
                Ok(policies) if fits(policies) => Ok(Arc::clone(policies)),
                _ => engine(&modules, data).and_then(|alone| {
                    let refused = rule.entries.iter().find_map(|(path, _)| alone.refusal(path));
                    let broken = alone.broken.first().map(|broken| broken.why.clone());
                    refused.or(broken).map_or(Ok(alone), Err)
                }),
            };
            let file = rule.file.clone();
            let ready = alone.map(|policies| {
                rule.ready = Ready::Now {
                    policies,
                    modules: modules.iter().map(|module| module.file.to_owned()).collect(),
                };
                rule
            });
            (file, ready)
        })
        .collect()
}

fn engine(modules: &[&Module<'_>], data: &regorus::Value) -> Result<Arc<Policies>, Fault> {
    let modules = modules.iter().map(|module| module.rego.clone()).collect();
    Policies::of(modules, Vec::new(), data.clone(), Options::default()).map(Arc::new)
}
