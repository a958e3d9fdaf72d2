//! Lock files of Python: `poetry.lock`, `uv.lock`, `Pipfile.lock`.
//!
//! Must never take the project itself for a dependency.

use toml::{Table, Value};

use super::json::{members, object, text as member};
use super::{Dependency, Ecosystem, Kind, Manifest, Role, Source, spec};

fn packages(top: &Table) -> impl Iterator<Item = &Table> {
    top.get("package").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_table)
}

fn field<'a>(table: &'a Table, name: &str) -> Option<&'a str> {
    table.get(name).and_then(Value::as_str)
}

/// Reads `poetry.lock`.
pub fn poetry(text: &str) -> Option<Manifest> {
    let top: Table = toml::from_str(text).ok()?;
    let mut lock = Manifest::new(Ecosystem::Pypi, Role::Lock);
    // Until version 2 the hashes stand together at the end.
    let hashes = top.get("metadata").and_then(|m| m.get("files").or_else(|| m.get("hashes")));
    for package in packages(&top) {
        let Some(name) = field(package, "name") else { continue };
        let kind = match (field(package, "category"), package.get("optional").and_then(Value::as_bool)) {
            (Some("dev"), _) => Kind::Dev,
            (_, Some(true)) => Kind::Optional,
            _ => Kind::Normal,
        };
        let mut one =
            Dependency::new(spec::python_name(name), field(package, "version").unwrap_or_default(), kind);
        let files = package.get("files").or_else(|| hashes?.get(name));
        one.integrity = files.and_then(Value::as_array).is_some_and(|files| !files.is_empty());
        if let Some(source) = package.get("source").and_then(Value::as_table) {
            let url = field(source, "url").unwrap_or_default().to_owned();
            match field(source, "type") {
                Some("git") => {
                    one.pinned = field(source, "resolved_reference").is_some_and(spec::commit);
                    one.source = Source::Git(url);
                }
                Some("url") => {
                    one.pinned = one.integrity;
                    one.source = Source::Url(url);
                }
                Some("directory" | "file") => one.source = Source::Path(url),
                _ => one.source = registry(&url),
            }
        }
        lock.dependencies.push(one);
    }
    Some(lock)
}

fn registry(url: &str) -> Source {
    let own = url.is_empty() || ["pypi.org", "files.pythonhosted.org"].contains(&spec::host(url));
    match (own, url.starts_with("http://")) {
        (true, false) => Source::Registry(String::new()),
        (_, true) => Source::Url(url.to_owned()),
        _ => Source::Registry(spec::host(url).to_owned()),
    }
}

/// Reads `uv.lock`.
pub fn uv(text: &str) -> Option<Manifest> {
    let top: Table = toml::from_str(text).ok()?;
    let mut lock = Manifest::new(Ecosystem::Pypi, Role::Lock);
    for package in packages(&top) {
        let Some(name) = field(package, "name") else { continue };
        let mut one = Dependency::new(
            spec::python_name(name),
            field(package, "version").unwrap_or_default(),
            Kind::Normal,
        );
        let hashed = |file: &Value| file.get("hash").is_some();
        let wheels = package.get("wheels").and_then(Value::as_array);
        one.integrity = package.get("sdist").is_some_and(hashed)
            || wheels.is_some_and(|wheels| wheels.iter().any(hashed));
        if let Some(source) = package.get("source").and_then(Value::as_table) {
            if let Some(url) = field(source, "git") {
                let (address, rev) = url.split_once('#').unwrap_or((url, ""));
                one.source = Source::Git(address.split('?').next().unwrap_or_default().to_owned());
                one.pinned = spec::commit(rev);
            } else if let Some(url) = field(source, "url") {
                one.source = Source::Url(url.to_owned());
                one.pinned = one.integrity;
            } else if let Some(url) = field(source, "registry") {
                one.source = if url.contains("://") { registry(url) } else { Source::Path(url.to_owned()) };
            } else {
                one.source = Source::Path(String::new());
            }
        }
        lock.dependencies.push(one);
    }
    Some(lock)
}

/// Reads `Pipfile.lock`.
pub fn pipfile(text: &str) -> Option<Manifest> {
    let top = object(text)?;
    let mut lock = Manifest::new(Ecosystem::Pypi, Role::Lock);
    for (group, kind) in [("default", Kind::Normal), ("develop", Kind::Dev)] {
        for (name, entry) in members(&top, group) {
            let Some(entry) = entry.as_object() else { continue };
            let version = member(entry, "version").unwrap_or_default().trim_start_matches("==");
            let mut one = Dependency::new(spec::python_name(name), version, kind);
            one.integrity = entry.get("hashes").is_some();
            if let Some(url) = member(entry, "git") {
                one.source = Source::Git(url.to_owned());
                one.pinned = member(entry, "ref").is_some_and(spec::commit);
            } else if let Some(url) = member(entry, "file") {
                (one.source, one.pinned) = spec::python_url(url);
                one.pinned |= one.integrity;
            } else if let Some(path) = member(entry, "path") {
                one.source = Source::Path(path.to_owned());
            }
            lock.dependencies.push(one);
        }
    }
    Some(lock)
}
