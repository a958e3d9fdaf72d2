//! Gradle: the simple forms of `build.gradle` and `build.gradle.kts`, and version catalogs.
//!
//! Must never run or guess what a script computes: what is not written out is left aside.

use toml::{Table, Value};

use super::{Dependency, Ecosystem, Kind, Manifest, Role, spec};

/// Returns what a configuration is for; `None` when the word is no configuration.
fn configuration(word: &str) -> Option<Kind> {
    let lower = word.to_ascii_lowercase();
    Some(match lower.as_str() {
        _ if lower.starts_with("test") || lower.starts_with("androidtest") => {
            ["implementation", "api", "compile", "runtimeonly", "compileonly", "runtime"]
                .iter()
                .any(|end| lower.ends_with(end))
                .then_some(Kind::Dev)?
        }
        "implementation" | "api" | "compile" | "runtime" | "runtimeonly" | "compileonly"
        | "compileonlyapi" | "developmentonly" => Kind::Normal,
        "classpath" | "annotationprocessor" | "kapt" | "ksp" => Kind::Build,
        _ if lower.ends_with("implementation") || lower.ends_with("runtimeonly") => Kind::Normal,
        _ => return None,
    })
}

/// Returns the texts in quotes on a line.
fn quoted(line: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut rest = line;
    while let Some(start) = rest.find(['\'', '"']) {
        let Some(quote) = rest[start..].chars().next() else { break };
        let body = &rest[start + 1..];
        let Some(end) = body.find(quote) else { break };
        out.push(&body[..end]);
        rest = &body[end + 1..];
    }
    out
}

/// Reads `build.gradle` or `build.gradle.kts`.
pub fn build(text: &str) -> Manifest {
    let mut out = Manifest::new(Ecosystem::Maven, Role::Manifest);
    for line in text.lines() {
        let line = line.trim();
        if line.starts_with("//") || line.starts_with('*') {
            continue;
        }
        let end = line.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(line.len());
        let (word, rest) = line.split_at(end);
        if matches!(word, "url" | "maven") && rest.contains("http") {
            out.indexes.extend(quoted(rest).iter().filter(|q| q.contains("://")).map(|q| (*q).to_owned()));
            continue;
        }
        let Some(kind) = configuration(word) else { continue };
        let texts = quoted(rest);
        let coordinates = match (rest.contains("group"), texts.as_slice()) {
            (true, [group, name, version, ..]) => format!("{group}:{name}:{version}"),
            (false, [one, ..]) => (*one).to_owned(),
            _ => continue,
        };
        out.dependencies.extend(artifact(&coordinates, kind));
    }
    out
}

fn artifact(coordinates: &str, kind: Kind) -> Option<Dependency> {
    let mut parts = coordinates.split(':');
    let (group, name) = (parts.next()?, parts.next()?);
    let version = parts.next().unwrap_or_default();
    let plain = |text: &str| !text.is_empty() && !text.contains(['$', ' ', '/']);
    if !plain(group) || !plain(name) {
        return None;
    }
    let mut one = Dependency::new(format!("{group}:{name}"), version, kind);
    one.pinned = spec::bounded_by(version) && !version.ends_with('+');
    Some(one)
}

/// Reads a version catalog.
pub fn catalog(text: &str) -> Option<Manifest> {
    let top: Table = toml::from_str(text).ok()?;
    let mut out = Manifest::new(Ecosystem::Maven, Role::Manifest);
    let versions = top.get("versions");
    let version_of = |asked: &Value| {
        let version = asked.get("version")?;
        let named = version.get("ref").and_then(Value::as_str);
        let version = named.map_or(Some(version), |name| versions?.get(name))?;
        version.as_str().map(str::to_owned)
    };
    for (_, asked) in top.get("libraries").and_then(Value::as_table).into_iter().flatten() {
        let field = |name: &str| asked.get(name).and_then(Value::as_str);
        let coordinates = match (asked.as_str(), field("module"), field("group"), field("name")) {
            (Some(all), ..) => all.to_owned(),
            (_, Some(module), ..) => format!("{module}:{}", version_of(asked).unwrap_or_default()),
            (.., Some(group), Some(name)) => {
                format!("{group}:{name}:{}", version_of(asked).unwrap_or_default())
            }
            _ => continue,
        };
        out.dependencies.extend(artifact(&coordinates, Kind::Normal));
    }
    for (_, asked) in top.get("plugins").and_then(Value::as_table).into_iter().flatten() {
        let field = |name: &str| asked.get(name).and_then(Value::as_str);
        let (id, version) = match (asked.as_str(), field("id")) {
            (Some(all), _) => {
                let (id, version) = all.split_once(':').unwrap_or((all, ""));
                (id, version.to_owned())
            }
            (_, Some(id)) => (id, version_of(asked).unwrap_or_default()),
            _ => continue,
        };
        // The marker artifact that Gradle resolves for a plugin.
        out.dependencies.extend(artifact(&format!("{id}:{id}.gradle.plugin:{version}"), Kind::Build));
    }
    Some(out)
}
