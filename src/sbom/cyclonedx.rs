//! `CycloneDX` 1.6 as JSON (<https://cyclonedx.org/docs/1.6/json/>, ECMA-424).
//!
//! Must never hold what changes from one rendering to the next: the serial number is made of the content (a UUID of version 8,
//! RFC 9562), the time is the commit's.

use serde_json::{Value, json};

use crate::artifact::digest::Digest;
use crate::scan::licences::Expression;

use super::{Bill, Need, Package, Subject};

/// Renders a bill.
pub fn render(bill: &Bill, subject: &Subject) -> Value {
    let components: Vec<Value> = bill.packages.iter().map(|(url, package)| component(url, package)).collect();
    let own = own(subject);
    let depends: Vec<&String> = bill.packages.keys().collect();
    let files: Vec<Value> = bill
        .files
        .iter()
        .map(
            |file| json!({ "name": if file.whole { "orch:whole" } else { "orch:part" }, "value": file.path }),
        )
        .chain(bill.unread.iter().map(|(path, _)| json!({ "name": "orch:unread", "value": path })))
        .collect();
    let aggregate = if bill.is_whole() { "complete" } else { "incomplete" };
    let mut whole = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": subject.time.to_string(),
            "tools": { "components": [{
                "type": "application", "name": "orch", "version": env!("CARGO_PKG_VERSION"),
            }] },
            "component": own,
            "properties": files,
        },
        "components": components,
        "dependencies": [{ "ref": "repository", "dependsOn": depends }],
        "compositions": [{ "aggregate": aggregate, "assemblies": ["repository"] }],
    });
    let digest = Digest::of(whole.to_string());
    if let Value::Object(fields) = &mut whole {
        fields.insert("serialNumber".into(), serial(&digest).into());
    }
    whole
}

fn own(subject: &Subject) -> Value {
    let mut own = json!({
        "type": "application",
        "bom-ref": "repository",
        "name": subject.name,
        "version": subject.commit.as_str(),
    });
    if let Some(licence) = &subject.licence {
        own["licenses"] = licences(licence);
    }
    own
}

fn component(url: &str, package: &Package) -> Value {
    let mut component = json!({
        "type": "library",
        "bom-ref": url,
        "name": package.name,
        "purl": url,
        "scope": match package.need {
            Need::Required => "required",
            Need::Optional => "optional",
            Need::Development => "excluded",
        },
        "properties": package
            .files
            .iter()
            .map(|path| json!({ "name": "orch:file", "value": path }))
            .collect::<Vec<_>>(),
    });
    if let Some(group) = &package.group {
        component["group"] = group.as_str().into();
    }
    if let Some(version) = &package.version {
        component["version"] = version.as_str().into();
    }
    if let Some(licence) = &package.licence {
        component["licenses"] = licences(licence);
    }
    if let Some(from) = &package.from {
        component["externalReferences"] = json!([{ "type": "distribution", "url": from }]);
    }
    component
}

/// An SPDX expression where it is one, else the name as it was written.
fn licences(text: &str) -> Value {
    match Expression::parse(text).filter(|read| read.terms().iter().all(|term| term.listed)) {
        Some(read) => json!([{ "expression": read.to_string() }]),
        None => json!([{ "license": { "name": text } }]),
    }
}

fn serial(digest: &Digest) -> String {
    let hex = &digest.hex()[..32];
    // Version 8 and the variant stand in two digits; what is left says the content.
    format!("urn:uuid:{}-{}-8{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}
