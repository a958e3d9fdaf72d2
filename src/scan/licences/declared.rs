//! The licence that a manifest names.
//!
//! Must never read a licence from a dependency that the manifest names.

use serde_json::Value;

use super::Expression;

/// Larger manifests are not read.
const LARGEST: usize = 1_000_000;

/// Returns the licence that a manifest names, as it writes it; alternatives as an expression.
pub fn declared(path: &str, bytes: &[u8]) -> Option<String> {
    if bytes.len() > LARGEST || memchr::memmem::find(bytes, b"icens").is_none() {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let name = path.rsplit('/').next().unwrap_or_default();
    let found = match name {
        "Cargo.toml" => cargo(text),
        "package.json" => npm(text),
        "composer.json" => composer(text),
        "pyproject.toml" => pyproject(text),
        "setup.cfg" => setup(text),
        "pom.xml" => pom(text),
        _ => gemspec(text),
    }?;
    let found = found.trim();
    let elsewhere = found.is_empty() || found.len() > 300 || found.to_ascii_lowercase().starts_with("see ");
    (!elsewhere).then(|| found.to_owned())
}

/// Returns the line on which a manifest names its licence, as a range of bytes.
pub fn place(text: &[u8]) -> std::ops::Range<usize> {
    let Some(at) = memchr::memmem::find(text, b"icense") else { return 0..0 };
    let start = text.get(..at).and_then(|before| memchr::memrchr(b'\n', before)).map_or(0, |end| end + 1);
    let end =
        text.get(at..).and_then(|after| memchr::memchr(b'\n', after)).map_or(text.len(), |end| at + end);
    start..end
}

fn cargo(text: &str) -> Option<String> {
    let table: toml::Table = toml::from_str(text).ok()?;
    let own = table.get("package").and_then(|package| package.get("license")).and_then(toml::Value::as_str);
    let shared = || {
        let package = table.get("workspace")?.get("package")?;
        package.get("license").and_then(toml::Value::as_str)
    };
    own.or_else(shared).map(str::to_owned)
}

fn npm(text: &str) -> Option<String> {
    let value: Value = serde_json::from_str(text).ok()?;
    let one = |value: &Value| {
        let name = value.as_str().or_else(|| value.get("type").and_then(Value::as_str));
        name.map(str::to_owned)
    };
    match (value.get("license"), value.get("licenses")) {
        (Some(list @ Value::Array(_)), _) | (None, Some(list)) => {
            any(list.as_array()?.iter().filter_map(one))
        }
        (Some(licence), _) => one(licence),
        (None, None) => None,
    }
}

fn composer(text: &str) -> Option<String> {
    let value: Value = serde_json::from_str(text).ok()?;
    match value.get("license")? {
        Value::Array(all) => any(all.iter().filter_map(|one| one.as_str().map(str::to_owned))),
        one => one.as_str().map(str::to_owned),
    }
}

fn pyproject(text: &str) -> Option<String> {
    let table: toml::Table = toml::from_str(text).ok()?;
    if let Some(project) = table.get("project") {
        let licence = project.get("license");
        let text = licence.and_then(|licence| {
            licence.as_str().or_else(|| licence.get("text").and_then(toml::Value::as_str))
        });
        // `text` may hold the whole licence.
        if let Some(text) = text.filter(|text| Expression::parse(text).is_some()) {
            return Some(text.to_owned());
        }
        let classifiers = project.get("classifiers").and_then(toml::Value::as_array);
        let names = classifiers.into_iter().flatten().filter_map(toml::Value::as_str);
        if let Some(found) = classified(names) {
            return Some(found);
        }
    }
    let poetry =
        table.get("tool").and_then(|tool| tool.get("poetry")).and_then(|poetry| poetry.get("license"));
    poetry.and_then(toml::Value::as_str).map(str::to_owned)
}

fn setup(text: &str) -> Option<String> {
    let own = text.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        let value = value.trim();
        let names = matches!(key.trim_end(), "license" | "licence" | "license_expression");
        (names && Expression::parse(value).is_some()).then(|| value.to_owned())
    });
    own.or_else(|| classified(text.lines().map(str::trim)))
}

/// Returns what trove classifiers say; several are taken as alternatives, as packages use them.
fn classified<'a>(names: impl Iterator<Item = &'a str>) -> Option<String> {
    let names = names.filter(|name| name.starts_with("License ::") && *name != "License :: OSI Approved");
    any(names.filter_map(super::names::loose))
}

fn pom(text: &str) -> Option<String> {
    let document = roxmltree::Document::parse(text).ok()?;
    let licences = document.root_element().children().find(|node| node.has_tag_name_of("licenses"))?;
    let names = licences.children().filter(|node| node.has_tag_name_of("license")).filter_map(|licence| {
        let name = licence.children().find(|node| node.has_tag_name_of("name"))?;
        name.text().map(|text| text.trim().to_owned())
    });
    any(names)
}

/// Names of elements without regard to the name space, which old files leave out.
trait Named {
    fn has_tag_name_of(&self, name: &str) -> bool;
}

impl Named for roxmltree::Node<'_, '_> {
    fn has_tag_name_of(&self, name: &str) -> bool {
        self.is_element() && self.tag_name().name() == name
    }
}

fn gemspec(text: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        let key = key.trim_end();
        if !key.ends_with(".license") && !key.ends_with(".licenses") {
            return None;
        }
        let quoted = value.split(['\'', '"']).skip(1).step_by(2);
        any(quoted.map(str::to_owned))
    })
}

/// Joins alternatives; a name that is no expression is kept as it is when it is alone.
fn any(names: impl Iterator<Item = String>) -> Option<String> {
    let names: Vec<String> = names.collect();
    match names.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        all => {
            let read: Option<Vec<Expression>> = all.iter().map(|name| Expression::parse(name)).collect();
            Some(match read.and_then(Expression::any) {
                Some(read) => read.to_string(),
                None => all.join(" OR "),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_name_their_licence() {
        for (path, text, want) in [
            ("Cargo.toml", "[package]\nlicense = \"MIT/Apache-2.0\"\n", Some("MIT/Apache-2.0")),
            ("Cargo.toml", "[workspace.package]\nlicense = \"ISC\"\n", Some("ISC")),
            ("Cargo.toml", "[package]\nlicense.workspace = true\n", None),
            ("package.json", r#"{"license": "ISC"}"#, Some("ISC")),
            ("package.json", r#"{"license": {"type": "MIT"}}"#, Some("MIT")),
            (
                "package.json",
                r#"{"licenses": [{"type": "MIT"}, {"type": "GPL-2.0"}]}"#,
                Some("MIT OR GPL-2.0-only"),
            ),
            ("package.json", r#"{"license": "SEE LICENSE IN TERMS"}"#, None),
            ("composer.json", r#"{"license": ["LGPL-2.1-only", "MIT"]}"#, Some("LGPL-2.1-only OR MIT")),
            ("pyproject.toml", "[project]\nlicense = \"BSD-3-Clause\"\n", Some("BSD-3-Clause")),
            ("pyproject.toml", "[project]\nlicense = {text = \"MIT License\"}\n", Some("MIT License")),
            (
                "pyproject.toml",
                "[project]\nlicense = {file = \"LICENSE\"}\nclassifiers = [\"License :: OSI Approved :: MIT License\"]\n",
                Some("MIT"),
            ),
            ("pyproject.toml", "[tool.poetry]\nlicense = \"GPL-3.0-or-later\"\n", Some("GPL-3.0-or-later")),
            ("setup.cfg", "[metadata]\nlicense = GPLv3\nlicense_files = LICENSE\n", Some("GPLv3")),
            (
                "setup.cfg",
                "[metadata]\nclassifiers =\n    License :: OSI Approved :: BSD License\n",
                Some("BSD-3-Clause"),
            ),
            (
                "pom.xml",
                "<project xmlns='x'><licenses><license><name>Apache License, Version 2.0</name></license></licenses></project>",
                Some("Apache License, Version 2.0"),
            ),
            ("a.gemspec", "  spec.licenses = ['MIT', \"Ruby\"]\n", Some("MIT OR Ruby")),
            ("package.json", r#"{"dependencies": {"license-checker": "1"}}"#, None),
            ("package.json", "{ license", None),
        ] {
            assert_eq!(declared(path, text.as_bytes()).as_deref(), want, "{path}: {text}");
        }
    }
}
