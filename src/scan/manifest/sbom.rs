//! Bills of materials: `CycloneDX` and SPDX, as JSON.
//!
//! Must never take a component without a package URL for a package.

use serde_json::{Map, Value};

use super::json::{items, object, text};
use super::{Ecosystem, spec};

/// One component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// Whose package.
    pub ecosystem: Ecosystem,
    /// The name in its registry.
    pub name: String,
    /// The version.
    pub version: String,
    /// The licence, where one is given.
    pub licence: Option<String>,
}

/// Reads the components of a bill; none when it is not one.
pub fn components(bytes: &[u8]) -> Vec<Component> {
    let Some(top) = std::str::from_utf8(bytes).ok().and_then(object) else { return Vec::new() };
    let cyclone = items(&top, "components").filter_map(Value::as_object).filter_map(cyclonedx);
    let spdx = items(&top, "packages").filter_map(Value::as_object).filter_map(spdx);
    cyclone.chain(spdx).collect()
}

fn cyclonedx(component: &Map<String, Value>) -> Option<Component> {
    let (ecosystem, name, version) = purl(text(component, "purl")?)?;
    let of = |entry: &Value| {
        let licence = entry.get("license");
        let named = licence.and_then(|l| l.get("id").or_else(|| l.get("name")));
        entry.get("expression").or(named).and_then(Value::as_str).map(str::to_owned)
    };
    let licences: Vec<String> = items(component, "licenses").filter_map(of).collect();
    let licence = (!licences.is_empty()).then(|| licences.join(" AND "));
    Some(Component { ecosystem, name, version, licence })
}

fn spdx(package: &Map<String, Value>) -> Option<Component> {
    let url = items(package, "externalRefs")
        .filter(|r| r.get("referenceType").and_then(Value::as_str) == Some("purl"))
        .find_map(|r| r.get("referenceLocator")?.as_str())?;
    let (ecosystem, name, version) = purl(url)?;
    let said = |name| text(package, name).filter(|l| !matches!(*l, "NOASSERTION" | "NONE" | ""));
    let licence = said("licenseConcluded").or_else(|| said("licenseDeclared")).map(str::to_owned);
    Some(Component { ecosystem, name, version, licence })
}

/// Reads a package URL.
fn purl(url: &str) -> Option<(Ecosystem, String, String)> {
    let rest = url.strip_prefix("pkg:")?;
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (kind, rest) = rest.trim_start_matches('/').split_once('/')?;
    let (name, version) = match rest.rfind('@').filter(|at| *at > 0) {
        Some(at) => (&rest[..at], &rest[at + 1..]),
        None => (rest, ""),
    };
    let name = name.replace("%40", "@");
    let (ecosystem, name) = match kind {
        "npm" => (Ecosystem::Npm, name),
        "pypi" => (Ecosystem::Pypi, spec::python_name(&name)),
        "cargo" => (Ecosystem::Crates, name),
        "golang" => (Ecosystem::Go, name),
        "maven" => (Ecosystem::Maven, name.replacen('/', ":", 1)),
        _ => return None,
    };
    Some((ecosystem, name, version.replace("%2B", "+")))
}
