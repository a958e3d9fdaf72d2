//! Whether lock files agree with their manifests after a change, where they did before.
//!
//! Must never compare what one side does not say: what cannot be told counts as agreed.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::scan::manifest::{self, Dependency, Ecosystem, Format, Kind, Manifest, Role, Source, Wanted};
use crate::scan::{Change, Confidence, Found, Tree};

use super::{File, LOCK_DRIFT, folder, is_ignored, listed};

/// Returns the lock files that a manifest may have; the flag says whether one in a folder above counts.
const fn locks(format: Format) -> &'static [(&'static str, Format, bool)] {
    match format {
        Format::Npm => &[
            ("package-lock.json", Format::NpmLock, true),
            ("npm-shrinkwrap.json", Format::NpmLock, false),
            ("pnpm-lock.yaml", Format::PnpmLock, true),
            ("yarn.lock", Format::YarnLock, true),
        ],
        Format::Pyproject => &[("uv.lock", Format::UvLock, true), ("poetry.lock", Format::PoetryLock, false)],
        Format::Pipfile => &[("Pipfile.lock", Format::PipfileLock, false)],
        Format::Cargo => &[("Cargo.lock", Format::CargoLock, true)],
        Format::GoMod => &[("go.sum", Format::GoSum, false)],
        _ => &[],
    }
}

const MANIFESTS: [&str; 5] = ["package.json", "pyproject.toml", "Pipfile", "Cargo.toml", "go.mod"];

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// Looks at every manifest of the change, and at those beside a lock file of the change.
pub fn look(change: &Change<'_>, files: &[File<'_>], sink: &mut dyn FnMut(&str, Found)) {
    let mut manifests: BTreeSet<String> = BTreeSet::new();
    for file in files {
        if !locks(file.format).is_empty() && file.after.manifest().is_some() {
            manifests.insert(file.path.to_owned());
        }
        if file.role() == Some(Role::Lock) {
            let beside = MANIFESTS.iter().map(|name| join(folder(file.path), name));
            manifests.extend(beside.filter(|path| has(change.tree, path)));
        }
    }
    let mut sides = Sides { change, files, read: BTreeMap::new() };
    for path in manifests.iter().filter(|path| !is_ignored(path) && !super::is_aside(path)) {
        sides.manifest(path, sink);
    }
}

fn has(tree: &dyn Tree, path: &str) -> bool {
    tree.paths().binary_search_by(|p| p.as_str().cmp(path)).is_ok()
}

struct Sides<'a> {
    change: &'a Change<'a>,
    files: &'a [File<'a>],
    /// Files outside the change, which are the same before and after.
    read: BTreeMap<String, Option<Manifest>>,
}

impl Sides<'_> {
    fn file(&self, path: &str) -> Option<&File<'_>> {
        self.files.iter().find(|file| file.path == path)
    }

    fn load(&mut self, path: &str, format: Format) {
        if self.file(path).is_none() && !self.read.contains_key(path) {
            let read = self.change.tree.file(path).and_then(|bytes| manifest::read(format, &bytes));
            self.read.insert(path.to_owned(), read);
        }
    }

    /// Returns a file before and after; the same where the change leaves it alone.
    fn both(&self, path: &str) -> (Option<&Manifest>, Option<&Manifest>) {
        if let Some(file) = self.file(path) {
            (file.before.manifest(), file.after.manifest())
        } else {
            let read = self.read.get(path).and_then(Option::as_ref);
            (read, read)
        }
    }

    fn manifest(&mut self, path: &str, sink: &mut dyn FnMut(&str, Found)) {
        let Some(format) = manifest::format(path) else { return };
        let Some((lock, lock_format)) = self.lock_of(path, format) else { return };
        if self.file(path).is_none() && self.file(&lock).is_none() {
            return;
        }
        self.load(path, format);
        self.load(&lock, lock_format);
        let below = path.strip_prefix(folder(&lock)).unwrap_or(path).trim_start_matches('/');
        let below = folder(below).to_owned();
        let ((old, new), (old_lock, new_lock)) = (self.both(path), self.both(&lock));
        let (Some(new), Some(new_lock)) = (new, new_lock) else { return };
        let was = old.zip(old_lock).map(|(m, l)| missing(m, l, &below)).unwrap_or_default();
        let now: BTreeSet<String> = missing(new, new_lock, &below).difference(&was).cloned().collect();
        if now.is_empty() {
            return;
        }
        let siblings = self.siblings(new.ecosystem, &now);
        let now: BTreeSet<&str> =
            now.iter().map(String::as_str).filter(|name| !siblings.contains(*name)).collect();
        if now.is_empty() {
            return;
        }
        let (at, other) =
            if self.file(path).is_some() { (path, lock.as_str()) } else { (lock.as_str(), path) };
        let Some(file) = self.file(at) else { return };
        let names = now.iter().map(|name| name.strip_prefix('-').unwrap_or(name));
        let message = match (self.file(&lock).is_some(), self.file(path).is_some()) {
            (false, _) => {
                format!("`{path}` was changed and `{lock}` was not: it does not know {}", listed(names))
            }
            (true, true) => format!("`{path}` and `{lock}` do not agree on {}", listed(names)),
            (true, false) => {
                format!("`{lock}` was changed and does not agree with `{path}` on {}", listed(names))
            }
        };
        let first = now.first().map(|name| name.strip_prefix('-').unwrap_or(name)).unwrap_or_default();
        let mut found = file.found(LOCK_DRIFT, first, message, Confidence::High);
        found.secret = format!("{path} {}", now.iter().copied().collect::<Vec<_>>().join(" ")).into();
        let changed = match (self.file(&lock).is_some(), self.file(path).is_some()) {
            (false, _) => "manifest",
            (true, true) => "both",
            (true, false) => "lock",
        };
        let found = found
            .with("ecosystem", new.ecosystem.as_str())
            .with("changed", changed)
            .with("other", other)
            .with("count", now.len().to_string());
        sink(at, found);
    }

    /// Returns the lock file of a manifest: beside it, or in the nearest folder above that has one.
    fn lock_of(&self, path: &str, format: Format) -> Option<(String, Format)> {
        let root = self.both(path).1.is_some_and(|m| m.root);
        let mut at = folder(path);
        loop {
            for (name, lock, above) in locks(format) {
                let candidate = join(at, name);
                if (*above || at == folder(path)) && has(self.change.tree, &candidate) {
                    return Some((candidate, *lock));
                }
            }
            if at.is_empty() || root {
                return None;
            }
            at = folder(at);
        }
    }

    /// Returns which of the names are packages of the repository itself.
    fn siblings(&self, ecosystem: Ecosystem, names: &BTreeSet<String>) -> HashSet<String> {
        const FILES: usize = 300;
        let file = match ecosystem {
            Ecosystem::Npm => "package.json",
            Ecosystem::Crates => "Cargo.toml",
            Ecosystem::Pypi => "pyproject.toml",
            _ => return HashSet::new(),
        };
        let paths = self.change.tree.paths().iter();
        let own = paths.filter(|path| path.rsplit('/').next() == Some(file) && !is_ignored(path)).take(FILES);
        let read =
            own.filter_map(|path| manifest::read(manifest::format(path)?, &self.change.tree.file(path)?));
        read.filter_map(|m| m.name).filter(|name| names.contains(name)).collect()
    }
}

/// Returns what a lock file does not have of a manifest, and, with `-` before it, what it has and the manifest lacks.
fn missing(manifest: &Manifest, lock: &Manifest, below: &str) -> BTreeSet<String> {
    let mut out = differ(manifest, lock, below);
    out.retain(|name| {
        let name = name.strip_prefix('-').unwrap_or(name);
        !lock.overridden.contains(name) && !manifest.overridden.contains(name)
    });
    out
}

fn differ(manifest: &Manifest, lock: &Manifest, below: &str) -> BTreeSet<String> {
    let asked = manifest.dependencies.iter().filter(|one| one.kind != Kind::Peer);
    match &lock.wanted {
        Wanted::ByFolder(folders) => by_folder(&manifest.dependencies, folders, below),
        Wanted::Keys(keys) => {
            asked.filter(|one| !has_key(one, keys)).map(|one| local(one).to_owned()).collect()
        }
        Wanted::Versions(_) if manifest.ecosystem == Ecosystem::Crates => crates(manifest, lock),
        Wanted::Versions(versions) => asked
            .filter(|one| matches!(one.source, Source::Registry(_)))
            .filter(|one| !versions.contains(&format!("{} {}", one.name, one.version)))
            .map(|one| one.name.clone())
            .collect(),
        Wanted::Names => {
            let own = |one: &&Dependency| Some(&one.name) == manifest.name.as_ref();
            let member = lock.dependencies.iter().any(|one| {
                Some(&one.name) == manifest.name.as_ref() && matches!(one.source, Source::Path(_))
            });
            // A lock file above speaks only for the packages it names.
            if !below.is_empty() && !member {
                return BTreeSet::new();
            }
            let have: HashSet<&str> = lock.dependencies.iter().map(|one| one.name.as_str()).collect();
            asked
                .filter(|one| one.kind != Kind::Build && !own(one) && !matches!(one.source, Source::Path(_)))
                .filter(|one| !have.contains(one.name.as_str()))
                .map(|one| one.name.clone())
                .collect()
        }
    }
}

fn local(one: &Dependency) -> &str {
    one.local.as_deref().unwrap_or(&one.name)
}

fn by_folder(
    dependencies: &[Dependency],
    folders: &BTreeMap<String, BTreeMap<String, String>>,
    below: &str,
) -> BTreeSet<String> {
    let Some(wanted) = folders.get(below) else { return BTreeSet::new() };
    // Peers may be in the lock file, and need not.
    let mut asked: BTreeMap<&str, (bool, BTreeSet<&str>)> = BTreeMap::new();
    for one in dependencies {
        let entry = asked.entry(local(one)).or_default();
        entry.0 |= one.kind != Kind::Peer;
        entry.1.insert(one.version.as_str());
    }
    let mut out = BTreeSet::new();
    for (name, (needed, versions)) in &asked {
        if *needed && wanted.get(*name).is_none_or(|have| !versions.contains(have.as_str())) {
            out.insert((*name).to_owned());
        }
    }
    out.extend(
        wanted.keys().filter(|name| !asked.contains_key(name.as_str())).map(|name| format!("-{name}")),
    );
    out
}

fn has_key(one: &Dependency, keys: &BTreeSet<String>) -> bool {
    // Catalogs, patches and workspaces are written another way in the lock file.
    if matches!(one.source, Source::Path(_)) || one.version.starts_with("catalog:") {
        return true;
    }
    let name = local(one);
    let range = one.version.as_str();
    keys.contains(&format!("{name}@{range}"))
        || keys.contains(&format!("{name}@npm:{range}"))
        || (matches!(one.source, Source::Git(_) | Source::Url(_)) && any_of(name, keys))
}

/// Tells whether there is any key of a name.
fn any_of(name: &str, keys: &BTreeSet<String>) -> bool {
    let from = format!("{name}@");
    keys.range(from.clone()..).next().is_some_and(|key| key.starts_with(&from))
}

fn crates(manifest: &Manifest, lock: &Manifest) -> BTreeSet<String> {
    let Some(own) = &manifest.name else { return BTreeSet::new() };
    let mut have: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut member = false;
    for one in &lock.dependencies {
        have.entry(one.name.as_str()).or_default().push(one.version.as_str());
        member |= &one.name == own && matches!(one.source, Source::Path(_));
    }
    // A crate that the lock file does not name is no member of its workspace.
    if !member {
        return BTreeSet::new();
    }
    let out = |one: &&Dependency| match have.get(one.name.as_str()) {
        // A requirement of the workspace that nobody uses is not locked.
        None => !manifest.root,
        Some(versions) => {
            let asked_of_registry = matches!(one.source, Source::Registry(_));
            asked_of_registry && !versions.iter().any(|version| satisfies(version, &one.version))
        }
    };
    manifest.dependencies.iter().filter(out).map(|one| one.name.clone()).collect()
}

/// Tells whether a version meets a requirement of Cargo; `true` where the requirement is not a simple one.
fn satisfies(version: &str, requirement: &str) -> bool {
    let requirement = requirement.trim();
    let simple = requirement.strip_prefix(['^', '~', '=']).unwrap_or(requirement).trim();
    if simple.is_empty() || simple.contains([',', '<', '>', '*', ' ', '=', '-', '+']) {
        return true;
    }
    let numbers = |text: &str| -> Vec<u64> {
        text.split(['-', '+'])
            .next()
            .unwrap_or_default()
            .split('.')
            .map_while(|part| part.parse().ok())
            .collect()
    };
    let (have, want) = (numbers(version), numbers(simple));
    let fixed = match requirement.chars().next() {
        Some('=') => want.len(),
        Some('~') => want.len().min(2),
        // Up to the first number that is not 0.
        _ => want.iter().position(|n| *n != 0).map_or(want.len(), |at| at + 1),
    };
    have.len() == 3 && have.get(..fixed) == want.get(..fixed) && have >= want
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_of_cargo_are_met_as_cargo_says() {
        for (version, requirement, want) in [
            ("1.2.3", "1", true),
            ("1.2.3", "1.2", true),
            ("1.2.3", "1.3", false),
            ("2.0.0", "1", false),
            ("0.3.5", "0.3", true),
            ("0.4.0", "0.3", false),
            ("1.2.3", "=1.2.3", true),
            ("1.2.4", "=1.2.3", false),
            ("1.2.9", "~1.2.3", true),
            ("1.3.0", "~1.2.3", false),
            ("9.0.0", ">=1, <3", true),
            ("1.2.3-rc.1", "1.2.3", true),
        ] {
            assert_eq!(satisfies(version, requirement), want, "{version} {requirement}");
        }
    }
}
