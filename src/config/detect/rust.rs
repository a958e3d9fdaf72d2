//! Rust: cargo, with the lock file respected and the network left alone.

use toml::{Table, Value};

use super::{Language, Listing, Part, folders_with, framework, join};
use crate::artifact::types::verification::CommandRole as Role;

const FRAMEWORKS: &[(&str, &str)] = &[
    ("axum", "Axum"),
    ("actix-web", "Actix Web"),
    ("rocket", "Rocket"),
    ("warp", "Warp"),
    ("tonic", "tonic"),
];

pub(super) fn detect(listing: &dyn Listing) -> Vec<Part> {
    folders_with(listing, &["Cargo.toml"]).iter().map(|folder| part(listing, folder)).collect()
}

fn part(listing: &dyn Listing, folder: &str) -> Part {
    let mut part = Part::new(Language::Rust, folder);
    part.manager = Some("cargo");
    let path = part.path("Cargo.toml");
    let text = listing.text(&path).unwrap_or_default();
    let manifest: Table = toml::from_str(&text).unwrap_or_default();
    part.framework = framework(&text, FRAMEWORKS);

    let workspace = manifest.contains_key("workspace");
    let locked = listing.has(&join(folder, "Cargo.lock"));
    let cargo = |verb: &str, tail: &[&str]| {
        let mut words = vec!["cargo".to_owned(), verb.to_owned()];
        if !folder.is_empty() {
            words.extend(["--manifest-path".to_owned(), path.clone()]);
        }
        if workspace && verb != "fmt" {
            words.push("--workspace".into());
        }
        if verb != "fmt" {
            words.extend(locked.then(|| "--locked".to_owned()));
            words.push("--offline".into());
        }
        words.extend(tail.iter().map(|w| (*w).to_owned()));
        words
    };

    let kind = if workspace { "is a cargo workspace" } else { "is there" };
    part.propose(Role::Build, cargo("build", &[]), format!("{path} {kind}"));
    let has = |name: &str| listing.has(&join(folder, name)) || listing.has(name);
    if has("rustfmt.toml") || has(".rustfmt.toml") {
        part.propose(Role::Lint, cargo("fmt", &["--check"]), "rustfmt.toml is there");
    }
    if has("clippy.toml") || has(".clippy.toml") {
        part.propose(Role::Lint, cargo("clippy", &["--all-targets"]), "clippy.toml is there");
    } else if has_lints(&manifest) {
        part.propose(Role::Lint, cargo("clippy", &["--all-targets"]), format!("{path} has a lints table"));
    }
    part.propose(Role::Test, cargo("test", &[]), format!("{path} {kind}"));
    if text.contains("dependencies]") {
        let note = "Dependencies come from cargo's own cache, without network: run `cargo fetch` once.";
        part.notes.push(note.into());
    }
    part
}

fn has_lints(manifest: &Table) -> bool {
    let workspace = manifest.get("workspace").and_then(Value::as_table);
    manifest.contains_key("lints") || workspace.is_some_and(|w| w.contains_key("lints"))
}
