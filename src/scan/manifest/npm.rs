//! npm: `package.json` and `package-lock.json`, versions 1 to 3.
//!
//! Must never take a workspace's own package for a dependency.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::json::{is_true, items, members, object, text};
use super::{Dependency, Ecosystem, Kind, Manifest, Role, Source, Wanted, spec};

const GROUPS: [(&str, Kind); 4] = [
    ("dependencies", Kind::Normal),
    ("devDependencies", Kind::Dev),
    ("optionalDependencies", Kind::Optional),
    ("peerDependencies", Kind::Peer),
];

/// Scripts that npm runs by itself when somebody installs the package.
pub const HOOKS: [&str; 7] =
    ["preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare"];

/// Reads `package.json`.
pub fn manifest(text_: &str) -> Option<Manifest> {
    let top = object(text_)?;
    let mut manifest = Manifest::new(Ecosystem::Npm, Role::Manifest);
    manifest.name = text(&top, "name").map(str::to_owned);
    manifest.root = top.contains_key("workspaces");
    manifest
        .overridden
        .extend(["resolutions", "overrides"].iter().flat_map(|of| members(&top, of)).map(|(n, _)| n.clone()));
    for (group, kind) in GROUPS {
        for (name, asked) in members(&top, group) {
            if let Some(asked) = asked.as_str() {
                manifest.dependencies.push(dependency(name, asked, kind));
            }
        }
    }
    for (name, script) in members(&top, "scripts") {
        if let Some(script) = script.as_str().filter(|_| HOOKS.contains(&name.as_str())) {
            manifest.scripts.push((name.clone(), script.to_owned()));
        }
    }
    Some(manifest)
}

/// Returns a dependency as `package.json` asks for it.
fn dependency(name: &str, asked: &str, kind: Kind) -> Dependency {
    let (source, pinned, real) = spec::npm(asked);
    let local = real.is_some().then(|| name.to_owned());
    Dependency {
        source,
        pinned,
        local,
        ..Dependency::new(real.unwrap_or_else(|| name.to_owned()), asked, kind)
    }
}

/// Reads `package-lock.json` or `npm-shrinkwrap.json`.
pub fn lock(text_: &str) -> Option<Manifest> {
    let top = object(text_)?;
    let mut lock = Manifest::new(Ecosystem::Npm, Role::Lock);
    lock.name = text(&top, "name").map(str::to_owned);
    if top.get("packages").is_some_and(Value::is_object) {
        let mut wanted = BTreeMap::new();
        for (path, entry) in members(&top, "packages") {
            let Some(entry) = entry.as_object() else { continue };
            if let Some((_, name)) = path.rsplit_once("node_modules/") {
                lock.dependencies.extend(locked(text(entry, "name").unwrap_or(name), entry));
            } else {
                wanted.insert(path.clone(), wants(entry));
            }
        }
        lock.wanted = Wanted::ByFolder(wanted);
    } else {
        // Version 1 nests; the parser bounds how deep.
        nested(&top, &mut lock.dependencies);
    }
    Some(lock)
}

fn wants(entry: &Map<String, Value>) -> BTreeMap<String, String> {
    GROUPS
        .iter()
        .filter(|(_, kind)| *kind != Kind::Peer)
        .flat_map(|(group, _)| members(entry, group))
        .filter_map(|(name, asked)| Some((name.clone(), asked.as_str()?.to_owned())))
        .collect()
}

fn nested(of: &Map<String, Value>, into: &mut Vec<Dependency>) {
    for (name, entry) in members(of, "dependencies") {
        let Some(entry) = entry.as_object() else { continue };
        into.extend(locked(name, entry));
        nested(entry, into);
    }
}

fn locked(name: &str, entry: &Map<String, Value>) -> Option<Dependency> {
    if is_true(entry, "link") {
        return None;
    }
    let version = text(entry, "version").unwrap_or_default();
    let kind = match (is_true(entry, "dev"), is_true(entry, "optional")) {
        (true, _) => Kind::Dev,
        (_, true) => Kind::Optional,
        _ => Kind::Normal,
    };
    let mut out = Dependency::new(name, version, kind);
    if let Some(real) = version.strip_prefix("npm:") {
        // Version 1: an alias.
        let at = real.rfind('@').filter(|at| *at > 0).unwrap_or(real.len());
        real[..at].clone_into(&mut out.name);
    }
    out.source = match text(entry, "resolved") {
        Some(url) => spec::npm_resolved(url),
        None if version.contains("://") || version.contains('/') => spec::npm(version).0,
        None => Source::Registry(String::new()),
    };
    let fragment = text(entry, "resolved").or(Some(version)).and_then(|url| url.split_once('#'));
    // What is bundled with another package is covered by that one's digest.
    out.integrity = text(entry, "integrity").is_some_and(|hash| !hash.is_empty())
        || is_true(entry, "inBundle")
        || is_true(entry, "bundled");
    out.pinned = match &out.source {
        Source::Git(_) => fragment.is_some_and(|(_, rev)| spec::commit(rev)),
        Source::Url(_) => out.integrity,
        _ => true,
    };
    out.install_script = is_true(entry, "hasInstallScript");
    out.licence = licence(entry);
    Some(out)
}

/// Returns the licence that a manifest or a lock entry of npm names.
pub fn licence(entry: &Map<String, Value>) -> Option<String> {
    let named = |value: &Value| match value {
        Value::String(name) => Some(name.clone()),
        Value::Object(map) => text(map, "type").map(str::to_owned),
        _ => None,
    };
    let list = || {
        let all: Vec<String> = items(entry, "licenses").filter_map(named).collect();
        (!all.is_empty()).then(|| all.join(" OR "))
    };
    entry.get("license").and_then(named).or_else(list)
}
