//! Cargo: `Cargo.toml` and `Cargo.lock`.
//!
//! Must never take a crate's local name for its name in the registry.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::{Dependency, Ecosystem, Kind, Manifest, Role, Source, Wanted, spec};

const GROUPS: [(&str, Kind); 5] = [
    ("dependencies", Kind::Normal),
    ("dev-dependencies", Kind::Dev),
    ("dev_dependencies", Kind::Dev),
    ("build-dependencies", Kind::Build),
    ("build_dependencies", Kind::Build),
];

fn table<'a>(of: &'a Table, name: &str) -> Option<&'a Table> {
    of.get(name).and_then(Value::as_table)
}

/// Reads `Cargo.toml`.
pub fn manifest(text: &str) -> Option<Manifest> {
    let top: Table = toml::from_str(text).ok()?;
    let mut out = Manifest::new(Ecosystem::Crates, Role::Manifest);
    let package = table(&top, "package").or_else(|| table(&top, "project"));
    out.name = package.and_then(|p| p.get("name")?.as_str()).map(str::to_owned);
    out.root = top.contains_key("workspace");
    if let Some(build) = package.and_then(|p| p.get("build")?.as_str()) {
        out.scripts.push(("build".into(), build.to_owned()));
    }
    groups(&top, &mut out.dependencies);
    for (_, target) in table(&top, "target").into_iter().flatten() {
        if let Some(target) = target.as_table() {
            groups(target, &mut out.dependencies);
        }
    }
    if let Some(workspace) = table(&top, "workspace") {
        groups(workspace, &mut out.dependencies);
    }
    for (_, of) in table(&top, "patch").into_iter().flatten() {
        for (name, asked) in of.as_table().into_iter().flatten() {
            out.dependencies.extend(dependency(name, asked, Kind::Normal));
        }
    }
    Some(out)
}

fn groups(of: &Table, into: &mut Vec<Dependency>) {
    for (group, kind) in GROUPS {
        for (name, asked) in table(of, group).into_iter().flatten() {
            into.extend(dependency(name, asked, kind));
        }
    }
}

fn dependency(name: &str, asked: &Value, kind: Kind) -> Option<Dependency> {
    let field = |name: &str| asked.get(name).and_then(Value::as_str);
    let yes = |name: &str| asked.get(name).and_then(Value::as_bool) == Some(true);
    if yes("workspace") {
        // The workspace's own manifest says what it is.
        return None;
    }
    let version = asked.as_str().or_else(|| field("version")).unwrap_or_default();
    let kind = if kind == Kind::Normal && yes("optional") { Kind::Optional } else { kind };
    let mut out = Dependency::new(field("package").unwrap_or(name), version, kind);
    out.pinned = spec::bounded_by(version);
    if let Some(url) = field("git") {
        out.source = Source::Git(url.to_owned());
        out.pinned = field("rev").is_some_and(spec::commit);
    } else if let Some(path) = field("path") {
        out.source = Source::Path(path.to_owned());
        out.pinned = true;
    } else if let Some(host) = field("registry") {
        out.source = Source::Registry(host.to_owned());
    }
    Some(out)
}

/// Reads `Cargo.lock`.
pub fn lock(text: &str) -> Option<Manifest> {
    let top: Table = toml::from_str(text).ok()?;
    let mut lock = Manifest::new(Ecosystem::Crates, Role::Lock);
    let mut versions = BTreeSet::new();
    // The first version of the format keeps the digests apart.
    let apart = table(&top, "metadata").is_some();
    for package in top.get("package").and_then(Value::as_array).into_iter().flatten() {
        let field = |name: &str| package.get(name).and_then(Value::as_str);
        let Some(name) = field("name") else { continue };
        let version = field("version").unwrap_or_default();
        versions.insert(format!("{name} {version}"));
        let mut one = Dependency::new(name, version, Kind::Normal);
        match field("source") {
            Some(source) => {
                (one.source, one.pinned) = locked_source(source);
                let registry = matches!(one.source, Source::Registry(_));
                one.integrity = field("checksum").is_some() || (apart && registry);
            }
            None => one.source = Source::Path(String::new()),
        }
        lock.dependencies.push(one);
    }
    lock.wanted = Wanted::Versions(versions);
    Some(lock)
}

fn locked_source(source: &str) -> (Source, bool) {
    if let Some(git) = source.strip_prefix("git+") {
        let (address, rev) = git.split_once('#').unwrap_or((git, ""));
        let address = address.split('?').next().unwrap_or_default();
        return (Source::Git(address.to_owned()), spec::commit(rev));
    }
    let own = ["registry+https://github.com/rust-lang/crates.io-index", "sparse+https://index.crates.io"];
    if own.iter().any(|own| source.starts_with(own)) {
        return (Source::Registry(String::new()), true);
    }
    let url = source.split_once('+').map_or(source, |(_, url)| url);
    let source = if url.starts_with("http://") {
        Source::Url(url.into())
    } else {
        Source::Registry(spec::host(url).into())
    };
    (source, true)
}
