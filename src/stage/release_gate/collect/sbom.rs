//! The list of components: `CycloneDX` or SPDX JSON, as its licences.
//!
//! Must never take a component without a licence for one with a good one, nor half of a file for all of it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::file::{json, put, read};
use super::{Collector, Gathered, Gathering, line};
use crate::artifact::digest::Digest;
use crate::artifact::types::release::{ArtifactDigest, FactName, Licence, LicenceState, SbomSeen};
use crate::ports::observe::{Seen, Unseen};
use crate::scan::licences::Expression;

/// The collector.
pub struct SbomCollector;

/// The most components, and the most ways to keep to one expression.
const MOST: usize = 100_000;
const CHOICES: usize = 64;

/// A component: its name, and its licence where the file says one.
type Component = (String, Option<String>);

impl Collector for SbomCollector {
    fn name(&self) -> &'static str {
        "sbom"
    }

    fn collect(&self, of: &Gathering<'_>, into: &mut Gathered) {
        if let Some((from, bytes)) = read(of, into, FactName::Sbom, &of.environment.sbom) {
            let seen = parse(&bytes);
            into.facts.sbom = put(into, FactName::Sbom, &from, &bytes, seen);
        }
    }
}

fn parse(bytes: &[u8]) -> Seen<SbomSeen> {
    let value: Value = json(bytes)?;
    let (form, about, components) = if value["bomFormat"] == "CycloneDX" {
        let mut all = Vec::new();
        cyclonedx(&value["components"], &mut all, 0)?;
        let version = value["specVersion"].as_str().unwrap_or("?");
        (format!("CycloneDX {}", line(version)), cyclonedx_about(&value), all)
    } else if let Some(version) = value["spdxVersion"].as_str() {
        let (about, all) = spdx(&value)?;
        (format!("SPDX {}", line(version.trim_start_matches("SPDX-"))), about, all)
    } else {
        return Err(Unseen::new("is neither CycloneDX nor SPDX as JSON"));
    };
    if components.len() > MOST {
        return Err(Unseen::new(format!("lists more than {MOST} components")));
    }
    let count = components.len() as u64;
    Ok(SbomSeen { form, digest: Digest::of(bytes), about, components: count, licences: licences(components) })
}

fn cyclonedx(list: &Value, all: &mut Vec<Component>, depth: usize) -> Seen<()> {
    let Some(list) = list.as_array() else {
        return if list.is_null() { Ok(()) } else { Err(Unseen::new("has components that are no list")) };
    };
    if depth > 16 {
        return Err(Unseen::new("has components within each other more than 16 deep"));
    }
    for component in list {
        let said = component["licenses"].as_array().map(Vec::as_slice).unwrap_or_default();
        let one = |said: &Value| {
            let text = |value: &Value| value.as_str().map(str::to_owned);
            text(&said["expression"])
                .or_else(|| text(&said["license"]["id"]))
                .or_else(|| text(&said["license"]["name"]))
        };
        let each: Option<Vec<String>> = said.iter().map(one).collect();
        // Several licences of one component: all of them hold, since nothing says that one may choose.
        let licence = each.filter(|all| !all.is_empty()).map(|all| match all.as_slice() {
            [one] => one.clone(),
            several => several.iter().map(|one| format!("({one})")).collect::<Vec<_>>().join(" AND "),
        });
        all.push((name(component), licence));
        cyclonedx(&component["components"], all, depth + 1)?;
    }
    Ok(())
}

fn name(component: &Value) -> String {
    let part = |key: &str| component[key].as_str().unwrap_or_default();
    let version = if part("version").is_empty() { part("versionInfo") } else { part("version") };
    line(&format!("{} {version}", part("name")))
}

fn cyclonedx_about(value: &Value) -> Vec<ArtifactDigest> {
    let component = &value["metadata"]["component"];
    let hashes = component["hashes"].as_array().map(Vec::as_slice).unwrap_or_default();
    let sha =
        hashes.iter().filter(|hash| hash["alg"] == "SHA-256").filter_map(|hash| hash["content"].as_str());
    sha.filter_map(|hex| digest(&line(component["name"].as_str().unwrap_or_default()), hex)).collect()
}

fn digest(name: &str, hex: &str) -> Option<ArtifactDigest> {
    let digest = format!("sha256:{}", hex.to_ascii_lowercase()).parse().ok()?;
    Some(ArtifactDigest { name: name.to_owned(), digest })
}

/// Reads SPDX: the packages the document describes are what it is about, all others are components.
fn spdx(value: &Value) -> Seen<(Vec<ArtifactDigest>, Vec<Component>)> {
    let Some(packages) = value["packages"].as_array() else {
        return Err(Unseen::new("has no list of packages"));
    };
    let described = value["documentDescribes"].as_array().map(Vec::as_slice).unwrap_or_default();
    let (mut about, mut all) = (Vec::new(), Vec::new());
    for package in packages {
        if described.contains(&package["SPDXID"]) {
            let sums = package["checksums"].as_array().map(Vec::as_slice).unwrap_or_default();
            let sha = sums.iter().filter(|sum| sum["algorithm"] == "SHA256");
            let own = line(package["name"].as_str().unwrap_or_default());
            about.extend(sha.filter_map(|sum| digest(&own, sum["checksumValue"].as_str()?)));
            continue;
        }
        let said =
            |key: &str| package[key].as_str().filter(|text| !matches!(*text, "NOASSERTION" | "NONE" | ""));
        let licence = said("licenseConcluded").or_else(|| said("licenseDeclared")).map(str::to_owned);
        all.push((name(package), licence));
    }
    Ok((about, all))
}

fn licences(components: Vec<Component>) -> Vec<Licence> {
    let mut by_text: BTreeMap<String, (u64, String)> = BTreeMap::new();
    for (name, licence) in components {
        let row = by_text.entry(licence.map(|text| line(&text)).unwrap_or_default()).or_insert((0, name));
        row.0 += 1;
    }
    let one = |(expression, (components, example)): (String, (u64, String))| {
        let (state, choices) = match expression.as_str() {
            "" => (LicenceState::Absent, Vec::new()),
            text => match Expression::parse(text).and_then(|read| choices(&read)) {
                Some(choices) => (LicenceState::Known, choices),
                None => (LicenceState::Unknown, Vec::new()),
            },
        };
        Licence { expression, state, choices, components, example }
    };
    by_text.into_iter().map(one).collect()
}

/// Returns the ways to keep to an expression; `None` where it names what is no licence, or has too many.
fn choices(expression: &Expression) -> Option<Vec<Vec<String>>> {
    let ways = match expression {
        Expression::Licence(term) => {
            return if term.listed { Some(vec![vec![term.id.clone()]]) } else { None };
        }
        Expression::Or(parts) => {
            let each: Option<Vec<_>> = parts.iter().map(choices).collect();
            each?.concat()
        }
        Expression::And(parts) => {
            let mut ways: Vec<Vec<String>> = vec![Vec::new()];
            for part in parts {
                let more = choices(part)?;
                if ways.len() * more.len() > CHOICES {
                    return None;
                }
                ways = ways
                    .iter()
                    .flat_map(|way| more.iter().map(move |m| [way.as_slice(), m].concat()))
                    .collect();
            }
            ways
        }
    };
    (ways.len() <= CHOICES).then_some(ways)
}
