//! Manifests, lock files and bills of materials: bytes in, dependencies out, one module per format.
//!
//! Must never fail on content: what cannot be read is `None`, and no shape of input takes more than linear time.

#![expect(
    clippy::case_sensitive_file_extension_comparisons,
    reason = "what is compared has been lowered, or the tool itself knows but this case"
)]

mod cargo;
mod go;
mod gradle;
mod json;
mod maven;
mod npm;
mod pnpm;
mod pylock;
mod pyproject;
mod requirements;
mod sbom;
mod spec;
#[cfg(test)]
mod tests;
mod yarn;

use std::collections::{BTreeMap, BTreeSet};

/// Where packages of one kind come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ecosystem {
    /// JavaScript packages of npm's registry.
    Npm,
    /// Python packages.
    Pypi,
    /// Rust crates.
    Crates,
    /// Go modules.
    Go,
    /// Java artifacts, `group:artifact`.
    Maven,
}

impl Ecosystem {
    /// Returns the name as in package URLs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::Pypi => "pypi",
            Self::Crates => "cargo",
            Self::Go => "golang",
            Self::Maven => "maven",
        }
    }
}

/// What a dependency is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// To run.
    Normal,
    /// To develop and test.
    Dev,
    /// To build.
    Build,
    /// To run, where somebody asks for it.
    Optional,
    /// Expected beside it, brought by somebody else.
    Peer,
}

impl Kind {
    /// Returns the name used in attributes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Dev => "dev",
            Self::Build => "build",
            Self::Optional => "optional",
            Self::Peer => "peer",
        }
    }
}

/// Where a dependency is fetched from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// A registry, by its host; empty for the ecosystem's own.
    Registry(String),
    /// A git repository.
    Git(String),
    /// A file behind a URL.
    Url(String),
    /// A folder or file of the repository.
    Path(String),
}

impl Source {
    /// Returns the name used in attributes.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Registry(_) => "registry",
            Self::Git(_) => "git",
            Self::Url(_) => "url",
            Self::Path(_) => "path",
        }
    }

    /// Returns the host it is fetched from; empty for the ecosystem's own registry and for paths.
    pub fn host(&self) -> &str {
        match self {
            Self::Registry(host) => host,
            Self::Git(url) | Self::Url(url) => spec::host(url),
            Self::Path(_) => "",
        }
    }

    /// Tells whether it is fetched without encryption.
    pub fn insecure(&self) -> bool {
        let (Self::Registry(url) | Self::Git(url) | Self::Url(url)) = self else { return false };
        let plain = ["http://", "git://", "git+http://", "ftp://"].iter().find_map(|p| url.strip_prefix(p));
        plain.is_some_and(|rest| !spec::local(rest))
    }
}

/// One dependency as a manifest or a lock file names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// The name in its registry, normalized where the ecosystem does so; not the name it is renamed to.
    pub name: String,
    /// The requirement in a manifest, the version in a lock file; empty when there is none.
    pub version: String,
    /// What it is needed for.
    pub kind: Kind,
    /// Where it is fetched from.
    pub source: Source,
    /// Whether what is fetched is bounded: by a version or range, a commit, a hash.
    pub pinned: bool,
    /// Whether a digest of the content is given.
    pub integrity: bool,
    /// The licence, where the file says it.
    pub licence: Option<String>,
    /// Whether a lock file says that code runs when it is installed.
    pub install_script: bool,
    /// The name it goes by here, where that is another.
    pub local: Option<String>,
}

impl Dependency {
    /// Returns a dependency from the ecosystem's own registry.
    pub fn new(name: impl Into<String>, version: impl Into<String>, kind: Kind) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            kind,
            source: Source::Registry(String::new()),
            pinned: true,
            integrity: false,
            licence: None,
            install_script: false,
            local: None,
        }
    }
}

/// What kind of file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// People write it: what is wanted.
    Manifest,
    /// A program writes it: what was chosen.
    Lock,
    /// A bill of materials.
    Sbom,
}

/// What a lock file says its packages ask for, so that it can be compared with the manifest.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Wanted {
    /// Nothing: only the names of the packages can be compared.
    #[default]
    Names,
    /// Requirements by name, by the folder of the manifest relative to the lock file; empty for its own.
    ByFolder(BTreeMap<String, BTreeMap<String, String>>),
    /// `name@requirement` of every package.
    Keys(BTreeSet<String>),
    /// `name version` of every package.
    Versions(BTreeSet<String>),
}

/// What a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Whose packages.
    pub ecosystem: Ecosystem,
    /// What kind of file.
    pub role: Role,
    /// The package's own name.
    pub name: Option<String>,
    /// The dependencies, in the order of the file.
    pub dependencies: Vec<Dependency>,
    /// What runs by itself when the package is installed or built, by name.
    pub scripts: Vec<(String, String)>,
    /// Registries and folders that packages are looked for in besides the usual.
    pub indexes: Vec<String>,
    /// What a lock file can be compared by.
    pub wanted: Wanted,
    /// Names of which a lock file has what somebody else asks for.
    pub overridden: BTreeSet<String>,
    /// Whether it begins a workspace of its own.
    pub root: bool,
}

impl Manifest {
    /// Returns an empty one.
    pub const fn new(ecosystem: Ecosystem, role: Role) -> Self {
        Self {
            ecosystem,
            role,
            name: None,
            dependencies: Vec::new(),
            scripts: Vec::new(),
            indexes: Vec::new(),
            wanted: Wanted::Names,
            overridden: BTreeSet::new(),
            root: false,
        }
    }
}

/// A file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// `package.json`.
    Npm,
    /// `package-lock.json`, `npm-shrinkwrap.json`.
    NpmLock,
    /// `pnpm-lock.yaml`.
    PnpmLock,
    /// `yarn.lock`, classic and later.
    YarnLock,
    /// `requirements.txt` and its kin.
    Requirements,
    /// `pyproject.toml`.
    Pyproject,
    /// `poetry.lock`.
    PoetryLock,
    /// `uv.lock`.
    UvLock,
    /// `Pipfile`.
    Pipfile,
    /// `Pipfile.lock`.
    PipfileLock,
    /// `Cargo.toml`.
    Cargo,
    /// `Cargo.lock`.
    CargoLock,
    /// `go.mod`.
    GoMod,
    /// `go.sum`.
    GoSum,
    /// `pom.xml`.
    Maven,
    /// `build.gradle`, `build.gradle.kts`.
    Gradle,
    /// A version catalog.
    Catalog,
    /// `CycloneDX` or SPDX, as JSON.
    Sbom,
}

/// A larger file is not read.
const MOST: usize = 64 << 20;

/// Returns the format a file has by its name.
pub fn format(path: &str) -> Option<Format> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    Some(match name {
        "package.json" => Format::Npm,
        "package-lock.json" | "npm-shrinkwrap.json" => Format::NpmLock,
        "pnpm-lock.yaml" => Format::PnpmLock,
        "yarn.lock" => Format::YarnLock,
        "pyproject.toml" => Format::Pyproject,
        "poetry.lock" => Format::PoetryLock,
        "uv.lock" => Format::UvLock,
        "Pipfile" => Format::Pipfile,
        "Pipfile.lock" => Format::PipfileLock,
        "Cargo.toml" => Format::Cargo,
        "Cargo.lock" => Format::CargoLock,
        "go.mod" => Format::GoMod,
        "go.sum" => Format::GoSum,
        "pom.xml" => Format::Maven,
        "build.gradle" | "build.gradle.kts" => Format::Gradle,
        "bom.json" | "sbom.json" => Format::Sbom,
        _ if name.ends_with(".versions.toml") => Format::Catalog,
        _ if name.ends_with(".cdx.json") || name.ends_with(".spdx.json") => Format::Sbom,
        _ if name.ends_with(".txt") || name.ends_with(".in") => {
            let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
            let in_folder = folder == "requirements" || folder.ends_with("/requirements");
            let named = stem.starts_with("requirements") || stem.ends_with("requirements");
            (named || in_folder).then_some(Format::Requirements)?
        }
        _ => return None,
    })
}

/// Reads a file; `None` when it is not what its name says.
pub fn read(format: Format, bytes: &[u8]) -> Option<Manifest> {
    if bytes.len() > MOST {
        return None;
    }
    let text = std::str::from_utf8(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)).ok()?;
    match format {
        Format::Npm => npm::manifest(text),
        Format::NpmLock => npm::lock(text),
        Format::PnpmLock => pnpm::lock(text),
        Format::YarnLock => yarn::lock(text),
        Format::Requirements => Some(requirements::read(text)),
        Format::Pyproject => pyproject::pyproject(text),
        Format::PoetryLock => pylock::poetry(text),
        Format::UvLock => pylock::uv(text),
        Format::Pipfile => pyproject::pipfile(text),
        Format::PipfileLock => pylock::pipfile(text),
        Format::Cargo => cargo::manifest(text),
        Format::CargoLock => cargo::lock(text),
        Format::GoMod => go::module(text),
        Format::GoSum => Some(go::sums(text)),
        Format::Maven => maven::pom(text),
        Format::Gradle => Some(gradle::build(text)),
        Format::Catalog => gradle::catalog(text),
        // An SBOM names packages of many ecosystems: `sbom::components` tells them apart.
        Format::Sbom => None,
    }
}

pub use sbom::{Component, components};
pub use spec::{bounded_by, commit, without_login};

#[cfg(test)]
mod names {
    use super::*;

    #[test]
    fn files_are_known_by_name() {
        for (path, want) in [
            ("package.json", Some(Format::Npm)),
            ("a/b/Cargo.lock", Some(Format::CargoLock)),
            ("requirements-dev.txt", Some(Format::Requirements)),
            ("dev-requirements.txt", Some(Format::Requirements)),
            ("requirements/test.in", Some(Format::Requirements)),
            ("gradle/libs.versions.toml", Some(Format::Catalog)),
            ("docs/app.spdx.json", Some(Format::Sbom)),
            ("notes.txt", None),
            ("package.json.bak", None),
            ("", None),
        ] {
            assert_eq!(format(path), want, "{path}");
        }
    }
}
