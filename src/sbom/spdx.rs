//! SPDX 2.3 as JSON (<https://spdx.github.io/spdx-spec/v2.3/>, ISO/IEC 5962).
//!
//! Must never conclude a licence: what a file declares is declared, and nothing more is known.

use serde_json::{Value, json};

use crate::artifact::digest::Digest;
use crate::scan::licences::Expression;

use super::{Bill, Need, Package, Subject};

const OWN: &str = "SPDXRef-Repository";
const UNKNOWN: &str = "NOASSERTION";

/// Renders a bill.
pub fn render(bill: &Bill, subject: &Subject) -> Value {
    let mut packages = vec![json!({
        "SPDXID": OWN,
        "name": subject.name,
        "versionInfo": subject.commit.as_str(),
        "downloadLocation": UNKNOWN,
        "filesAnalyzed": false,
        "licenseConcluded": UNKNOWN,
        "licenseDeclared": declared(subject.licence.as_deref()),
        "copyrightText": UNKNOWN,
        "primaryPackagePurpose": "APPLICATION",
    })];
    let mut relationships = vec![related("SPDXRef-DOCUMENT", "DESCRIBES", OWN)];
    for (url, one) in &bill.packages {
        let id = format!("SPDXRef-Package-{}", Digest::of(url).short());
        relationships.push(match one.need {
            Need::Required => related(OWN, "DEPENDS_ON", &id),
            Need::Optional => related(&id, "OPTIONAL_DEPENDENCY_OF", OWN),
            Need::Development => related(&id, "DEV_DEPENDENCY_OF", OWN),
        });
        packages.push(package(&id, url, one));
    }
    let digest = Digest::of(json!([packages, relationships]).to_string());
    let mut told: Vec<String> = Vec::new();
    if !bill.is_whole() {
        let part = bill.files.iter().filter(|file| !file.whole).map(|file| file.path.as_str());
        let part: Vec<&str> = part.chain(bill.unread.iter().map(|(path, _)| path.as_str())).collect();
        told.push(format!("Not whole, because of {}", part.join(", ")));
    }
    let mut document = json!({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": format!("{}@{}", subject.name, subject.commit),
        "documentNamespace": format!("urn:sha256:{}", digest.hex()),
        "creationInfo": {
            "created": subject.time.to_string(),
            "creators": [format!("Tool: orch-{}", env!("CARGO_PKG_VERSION"))],
        },
        "packages": packages,
        "relationships": relationships,
    });
    if !told.is_empty() {
        document["comment"] = told.concat().into();
    }
    document
}

fn package(id: &str, url: &str, one: &Package) -> Value {
    let name = one.group.as_ref().map_or_else(
        || one.name.clone(),
        |group| {
            let between = if url.starts_with("pkg:maven/") { ':' } else { '/' };
            format!("{group}{between}{}", one.name)
        },
    );
    let mut package = json!({
        "SPDXID": id,
        "name": name,
        "downloadLocation": one.from.as_deref().unwrap_or(UNKNOWN),
        "filesAnalyzed": false,
        "licenseConcluded": UNKNOWN,
        "licenseDeclared": declared(one.licence.as_deref()),
        "copyrightText": UNKNOWN,
        "externalRefs": [{
            "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": url,
        }],
        "sourceInfo": format!("named by {}", one.files.iter().cloned().collect::<Vec<_>>().join(", ")),
    });
    if let Some(version) = &one.version {
        package["versionInfo"] = version.as_str().into();
    }
    package
}

fn related(from: &str, how: &str, to: &str) -> Value {
    json!({ "spdxElementId": from, "relationshipType": how, "relatedSpdxElement": to })
}

/// A licence that is not on SPDX's list would need a text of its own, which no lock file has.
fn declared(text: Option<&str>) -> String {
    text.and_then(Expression::parse)
        .filter(|read| read.terms().iter().all(|term| term.listed))
        .map_or_else(|| UNKNOWN.to_owned(), |read| read.to_string())
}
