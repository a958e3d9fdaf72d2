//! The scanner over whole changes.
//!
//! Must never hold a test of the table or of texts alone.

use crate::scan::{Change, Fact, FileChange, MemoryTree, Source, Surroundings, Worker, scan_change};

use super::Licences;

const MIT: &str = include_str!("../../../LICENSE-MIT");
const APACHE: &str = include_str!("../../../LICENSE-APACHE");

fn facts(licence: Option<&str>, path: &str, text: &str) -> Vec<Fact> {
    let around = Surroundings { licence: licence.map(str::to_owned) };
    let mut worker = Worker::new(&[&Licences], None);
    worker.scan(&Source { around: Some(&around), ..Source::new(path, text.as_bytes()) });
    let mut facts = worker.into_facts();
    facts.retain(|fact| fact.code != super::FOUND);
    facts
}

/// The code, the severity where there is one, and the confidence.
fn shown(licence: Option<&str>, path: &str, text: &str) -> Vec<String> {
    let facts = facts(licence, path, text);
    let severity = |fact: &Fact| fact.attributes.get("severity").cloned().unwrap_or_default();
    facts.iter().map(|fact| format!("{} {} {:?}", fact.code, severity(fact), fact.confidence)).collect()
}

#[test]
fn what_comes_in_is_held_against_the_repositorys_licence() {
    let tag = "// SPDX-License-Identifier: GPL-3.0-or-later\nfn main() {}\n";
    let mit = Some("MIT");
    assert_eq!(shown(mit, "src/a.rs", tag), ["licences/conflict conflict High"]);
    assert_eq!(shown(mit, "tests/a.rs", tag), ["licences/conflict person Medium"]);
    assert_eq!(shown(Some("GPL-3.0-only"), "src/a.rs", tag), [""; 0]);
    assert_eq!(shown(None, "src/a.rs", tag), [""; 0]);
    assert_eq!(
        shown(mit, "src/a.rs", "// SPDX-License-Identifier: MPL-2.0\n"),
        ["licences/conflict note Medium"]
    );
    assert_eq!(
        shown(mit, "x/package.json", r#"{"license": "AGPL-3.0-only"}"#),
        ["licences/conflict person Medium"]
    );
    assert_eq!(shown(mit, "package.json", r#"{"license": "AGPL-3.0-only"}"#), [""; 0]);
    assert_eq!(shown(mit, "vendor/x/LICENSE", APACHE), [""; 0]);
    assert_eq!(shown(Some("GPL-2.0-only"), "vendor/x/LICENSE", APACHE), ["licences/conflict conflict High"]);
}

#[test]
fn the_message_says_what_to_do() {
    let fact = facts(Some("MIT"), "src/a.rs", "// SPDX-License-Identifier: GPL-2.0-only\n").remove(0);
    assert_eq!(
        fact.message,
        "`src/a.rs` says that it is under GPL-2.0-only, and the repository is under MIT: the whole would have to be under it"
    );
    assert!(fact.attributes["help"].starts_with("Remove the code"), "{fact:?}");
    assert_eq!(fact.evidence, "// SPDX-License-Identifier: GPL-2.0-only");
}

#[test]
fn a_text_with_other_terms_is_not_known() {
    let json =
        MIT.replace("THE SOFTWARE IS", "The Software shall be used for Good, not Evil.\n\nTHE SOFTWARE IS");
    assert_eq!(
        shown(Some("MIT"), "vendor/x/LICENSE", &json),
        ["licences/conflict conflict High"],
        "JSON is on the list"
    );
    let rider =
        MIT.replace("THE SOFTWARE IS", "The Software may not be used by competitors.\n\nTHE SOFTWARE IS");
    assert_eq!(shown(Some("MIT"), "vendor/x/LICENSE", &rider), ["licences/unknown  High"]);
    let after = format!("{MIT}\nThis software is for non-commercial use only.\n");
    assert_eq!(shown(Some("MIT"), "vendor/x/LICENSE", &after), ["licences/unknown  Medium"]);
    let own = "You may look at this source code and talk about it with your friends, but not run it, nor give it away to anybody else.";
    assert_eq!(shown(Some("MIT"), "vendor/x/LICENSE", own), ["licences/unknown  Medium"]);
    assert_eq!(shown(Some("MIT"), "vendor/x/LICENSE", "See LICENSE.txt of the project."), [""; 0]);
}

#[test]
fn the_repositorys_licence_is_compared_before_and_after() {
    let change = |before: &[(&str, &str)], after: &[(&str, &str)]| {
        let tree: MemoryTree = after.iter().copied().collect();
        let paths: std::collections::BTreeSet<&str> =
            before.iter().chain(after).map(|(path, _)| *path).collect();
        let find = |all: &[(&str, &str)], path: &str| {
            all.iter().find(|(p, _)| *p == path).map(|(_, t)| (*t).to_owned())
        };
        let texts: Vec<_> = paths.iter().map(|p| (*p, find(before, p), find(after, p))).collect();
        let files: Vec<FileChange<'_>> = texts
            .iter()
            .filter(|(_, b, a)| b != a)
            .map(|(path, b, a)| FileChange {
                path,
                before: b.as_deref().map(str::as_bytes),
                after: a.as_deref().map(str::as_bytes),
            })
            .collect();
        let facts = scan_change(&[&Licences], &Change { files: &files, tree: &tree }, None);
        facts.into_iter().map(|fact| fact.message).collect::<Vec<_>>()
    };
    let gpl = "{\"license\": \"GPL-3.0-only\"}";
    assert_eq!(
        change(&[("LICENSE", MIT)], &[("LICENSE", MIT), ("package.json", gpl)]),
        ["the repository's licence changes from MIT to GPL-3.0-only"]
    );
    assert_eq!(change(&[("LICENSE", MIT)], &[("LICENSE", APACHE)]).len(), 1);
    assert_eq!(
        change(&[("LICENSE", MIT)], &[("src/a", "x")]),
        ["the repository no longer says that it is under MIT, or says it in words nobody knows"]
    );
    let year = MIT.replace("2026", "2027");
    assert_eq!(change(&[("LICENSE", MIT)], &[("LICENSE", &year)]), [""; 0]);
    assert_eq!(change(&[], &[("LICENSE", MIT)]), [""; 0], "saying it for the first time changes nothing");
    assert_eq!(change(&[("LICENSE", MIT), ("a", "1")], &[("LICENSE", MIT), ("a", "2")]), [""; 0]);
}
