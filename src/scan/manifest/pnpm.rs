//! `pnpm-lock.yaml`, versions 5 to 9, read by its indentation: a program writes it, always the same way.
//!
//! Must never follow an anchor or an alias, so that its size bounds the work.

use std::collections::{BTreeMap, BTreeSet};

use super::{Dependency, Ecosystem, Kind, Manifest, Role, Source, Wanted, spec, yarn};

/// Reads `pnpm-lock.yaml`.
pub fn lock(text: &str) -> Option<Manifest> {
    if !text.contains("lockfileVersion") {
        return None;
    }
    let mut reader = Reader::default();
    for line in text.lines() {
        reader.line(line);
    }
    reader.close();
    let mut lock = Manifest::new(Ecosystem::Npm, Role::Lock);
    lock.dependencies = reader.packages;
    lock.wanted = Wanted::ByFolder(reader.wanted);
    lock.overridden = reader.overridden;
    Some(lock)
}

#[derive(Default)]
struct Reader {
    /// The keys above the line, with their indents.
    above: Vec<(usize, String)>,
    packages: Vec<Dependency>,
    open: Option<Dependency>,
    wanted: BTreeMap<String, BTreeMap<String, String>>,
    overridden: BTreeSet<String>,
}

/// Splits `key: value`, the key with or without quotes.
fn member(line: &str) -> Option<(&str, &str)> {
    let (key, rest) = match line.strip_prefix('\'') {
        Some(quoted) => quoted.split_once('\'')?,
        None => line.split_at(line.find(": ").or_else(|| line.ends_with(':').then(|| line.len() - 1))?),
    };
    Some((key, rest.strip_prefix(':')?.trim().trim_matches(['\'', '"'])))
}

impl Reader {
    fn line(&mut self, line: &str) {
        let body = line.trim_start_matches(' ');
        let indent = line.len() - body.len();
        let Some((key, value)) = member(body) else { return };
        self.above.retain(|(at, _)| *at < indent);
        if self.above.len() > 8 {
            return;
        }
        let top = self.above.first().map_or(key, |(_, key)| key.as_str()).to_owned();
        match (top.as_str(), indent) {
            ("packages", 2) => self.package(key),
            ("packages", 4..) => self.detail(key, value),
            ("importers", 8..) => self.importer(key, value),
            // The lock file has what the override says, not what the manifest asks for.
            ("overrides", 2) => {
                let name = yarn::split(key).map_or(key, |(name, _)| name);
                self.overridden.insert(name.rsplit('>').next().unwrap_or(name).to_owned());
            }
            ("specifiers", 2) => self.want(String::new(), key, value),
            ("dependencies" | "devDependencies" | "optionalDependencies", 4) if key == "specifier" => {
                let name = self.above.last().map(|(_, name)| name.clone()).unwrap_or_default();
                self.want(String::new(), &name, value);
            }
            _ => {}
        }
        self.above.push((indent, key.to_owned()));
    }

    /// `importers` / folder / group / name / `specifier`, or in version 5 / `specifiers` / name.
    fn importer(&mut self, key: &str, value: &str) {
        let names: Vec<&str> = self.above.iter().map(|(_, key)| key.as_str()).collect();
        let (folder, name) = match names.as_slice() {
            [_, folder, "specifiers"] => (*folder, key),
            [_, folder, _, name] if key == "specifier" => (*folder, *name),
            _ => return,
        };
        let (folder, name) = (if folder == "." { "" } else { folder }.to_owned(), name.to_owned());
        self.want(folder, &name, value);
    }

    fn want(&mut self, folder: String, name: &str, value: &str) {
        self.wanted.entry(folder).or_default().insert(name.to_owned(), value.to_owned());
    }

    fn package(&mut self, key: &str) {
        self.close();
        let key = key.strip_prefix('/').unwrap_or(key);
        let key = key.split('(').next().unwrap_or_default();
        // Until version 5: `/@scope/name/1.2.3_peers`; later `@scope/name@1.2.3`.
        let scope = if key.starts_with('@') { key.find('/').map_or(0, |at| at + 1) } else { 0 };
        let old = key[scope..].find(['/', '@']).filter(|at| key[scope + at..].starts_with('/'));
        let split = match old {
            Some(at) => {
                let version = key[scope + at + 1..].split('_').next().unwrap_or_default();
                Some((&key[..scope + at], version))
            }
            None => yarn::split(key),
        };
        let Some((name, version)) = split else { return };
        let mut package = Dependency::new(name, version, Kind::Normal);
        if version.contains('/') || version.contains(':') {
            let (source, ..) = spec::npm(version);
            package.pinned = !matches!(source, Source::Registry(_));
            package.source = source;
        }
        self.open = Some(package);
    }

    fn detail(&mut self, key: &str, value: &str) {
        let Some(package) = &mut self.open else { return };
        match key {
            "resolution" => {
                package.integrity = value.contains("integrity:");
                let tarball = value.split_once("tarball:").map(|(_, rest)| rest.trim());
                if let Some(url) = tarball {
                    let url = url.split([',', '}', ' ']).next().unwrap_or_default();
                    package.source = spec::npm_resolved(url);
                    package.pinned = package.integrity || url.split(['/', '.']).any(spec::commit);
                } else if value.contains("commit:") {
                    let repo = value.split_once("repo:").map_or("", |(_, rest)| rest.trim());
                    let repo = repo.split([',', '}', ' ']).next().unwrap_or_default();
                    package.source = Source::Git(repo.to_owned());
                    package.pinned = true;
                } else if value.contains("directory:") {
                    package.source = Source::Path(String::new());
                }
            }
            "name" => value.clone_into(&mut package.name),
            "version" => value.clone_into(&mut package.version),
            "requiresBuild" => package.install_script = value == "true",
            "dev" if value == "true" => package.kind = Kind::Dev,
            "optional" if value == "true" => package.kind = Kind::Optional,
            _ => {}
        }
    }

    fn close(&mut self) {
        self.packages.extend(self.open.take());
    }
}
