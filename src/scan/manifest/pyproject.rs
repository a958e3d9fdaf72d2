//! `pyproject.toml` (PEP 621, PEP 735, Poetry, uv) and `Pipfile`.
//!
//! Must never take the interpreter for a package.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::{Dependency, Ecosystem, Kind, Manifest, Role, Source, spec};

fn at<'a>(mut table: &'a Table, path: &[&str]) -> Option<&'a Value> {
    let (last, folders) = path.split_last()?;
    for name in folders {
        table = table.get(*name)?.as_table()?;
    }
    table.get(*last)
}

fn tables<'a>(table: &'a Table, path: &[&str]) -> impl Iterator<Item = (&'a String, &'a Value)> {
    at(table, path).and_then(Value::as_table).into_iter().flatten()
}

fn list(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

/// Reads `pyproject.toml`.
pub fn pyproject(text: &str) -> Option<Manifest> {
    let top: Table = toml::from_str(text).ok()?;
    let mut out = Manifest::new(Ecosystem::Pypi, Role::Manifest);
    out.name = [&["project", "name"][..], &["tool", "poetry", "name"]]
        .iter()
        .find_map(|path| at(&top, path)?.as_str())
        .map(spec::python_name);
    out.root = at(&top, &["tool", "uv", "workspace"]).is_some();
    let sources: BTreeMap<String, &Value> = tables(&top, &["tool", "uv", "sources"])
        .map(|(name, value)| (spec::python_name(name), value))
        .collect();
    let mut all = |asked: Option<&Value>, kind: Kind| {
        for asked in list(asked).filter_map(Value::as_str) {
            let Some((name, version, source, pinned)) = spec::python(asked) else { continue };
            let mut one = Dependency { source, pinned, ..Dependency::new(name, version, kind) };
            if let Some(source) = sources.get(&one.name) {
                uv_source(source, &mut one);
            }
            out.dependencies.push(one);
        }
    };
    all(at(&top, &["project", "dependencies"]), Kind::Normal);
    for (_, group) in tables(&top, &["project", "optional-dependencies"]) {
        all(Some(group), Kind::Optional);
    }
    for (_, group) in tables(&top, &["dependency-groups"]) {
        all(Some(group), Kind::Dev);
    }
    all(at(&top, &["tool", "uv", "dev-dependencies"]), Kind::Dev);
    all(at(&top, &["build-system", "requires"]), Kind::Build);
    for (_, group) in tables(&top, &["tool", "pdm", "dev-dependencies"]) {
        all(Some(group), Kind::Dev);
    }
    poetry(&top, &mut out);
    for (path, key) in [(&["tool", "uv", "index"], "url"), (&["tool", "poetry", "source"], "url")] {
        out.indexes.extend(list(at(&top, path)).filter_map(|i| Some(i.get(key)?.as_str()?.to_owned())));
    }
    Some(out)
}

fn uv_source(source: &Value, into: &mut Dependency) {
    // A list gives one per platform; the first stands for all.
    let source = source.as_array().and_then(|list| list.first()).unwrap_or(source);
    let field = |name: &str| source.get(name).and_then(Value::as_str);
    if let Some(url) = field("git") {
        into.source = Source::Git(url.to_owned());
        into.pinned = field("rev").is_some_and(spec::commit);
    } else if let Some(url) = field("url") {
        into.source = Source::Url(url.to_owned());
        into.pinned = url.contains("sha256=");
    } else if field("path").is_some() || source.get("workspace").is_some() {
        into.source = Source::Path(field("path").unwrap_or_default().to_owned());
    }
}

fn poetry(top: &Table, out: &mut Manifest) {
    let mut add = |name: &String, asked: &Value, kind: Kind| {
        if name != "python" {
            out.dependencies.push(poetry_one(name, asked, kind));
        }
    };
    for (name, asked) in tables(top, &["tool", "poetry", "dependencies"]) {
        let optional = asked.get("optional").and_then(Value::as_bool) == Some(true);
        add(name, asked, if optional { Kind::Optional } else { Kind::Normal });
    }
    for (name, asked) in tables(top, &["tool", "poetry", "dev-dependencies"]) {
        add(name, asked, Kind::Dev);
    }
    for (_, group) in tables(top, &["tool", "poetry", "group"]) {
        for (name, asked) in group.get("dependencies").and_then(Value::as_table).into_iter().flatten() {
            add(name, asked, Kind::Dev);
        }
    }
}

/// Reads a dependency as Poetry and Pipenv write it: a range, or a table.
fn poetry_one(name: &str, asked: &Value, kind: Kind) -> Dependency {
    let asked = asked.as_array().and_then(|list| list.first()).unwrap_or(asked);
    let field = |name: &str| asked.get(name).and_then(Value::as_str);
    let version = asked.as_str().or_else(|| field("version")).unwrap_or_default();
    let mut out = Dependency::new(spec::python_name(name), version, kind);
    out.pinned = spec::bounded_by(version);
    if let Some(url) = field("git") {
        out.source = Source::Git(url.to_owned());
        out.pinned = field("rev").or_else(|| field("ref")).is_some_and(spec::commit);
    } else if let Some(url) = field("url").or_else(|| field("file")) {
        (out.source, out.pinned) = spec::python_url(url);
    } else if let Some(path) = field("path") {
        out.source = Source::Path(path.to_owned());
    }
    out
}

/// Reads `Pipfile`.
pub fn pipfile(text: &str) -> Option<Manifest> {
    let top: Table = toml::from_str(text).ok()?;
    let mut out = Manifest::new(Ecosystem::Pypi, Role::Manifest);
    for (group, kind) in [("packages", Kind::Normal), ("dev-packages", Kind::Dev)] {
        for (name, asked) in tables(&top, &[group]) {
            let mut one = poetry_one(name, asked, kind);
            // Pipenv itself writes `*` for whatever is added without a range; the lock file pins it.
            one.pinned |= matches!(one.source, Source::Registry(_));
            out.dependencies.push(one);
        }
    }
    let urls = list(top.get("source")).filter_map(|s| Some(s.get("url")?.as_str()?.to_owned()));
    out.indexes
        .extend(urls.filter(|url| spec::host(url) != "pypi.org" && spec::host(url) != "pypi.python.org"));
    Some(out)
}
