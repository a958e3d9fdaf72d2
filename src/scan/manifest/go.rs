//! Go: `go.mod` and `go.sum`.
//!
//! Must never take a replaced module for the one that is fetched.

use std::collections::{BTreeMap, BTreeSet};

use super::{Dependency, Ecosystem, Kind, Manifest, Role, Source, Wanted};

/// Reads `go.mod`.
pub fn module(text: &str) -> Option<Manifest> {
    let mut out = Manifest::new(Ecosystem::Go, Role::Manifest);
    let mut replaced: BTreeMap<String, (String, String)> = BTreeMap::new();
    let mut block = String::new();
    for line in text.lines() {
        let (body, comment) = line.split_once("//").unwrap_or((line, ""));
        let mut words: Vec<&str> =
            body.split_whitespace().map(|word| word.trim_matches(['"', '`'])).collect();
        match words.as_slice() {
            [] => continue,
            [")"] => {
                block.clear();
                continue;
            }
            [verb, "("] => {
                (*verb).clone_into(&mut block);
                continue;
            }
            _ => {}
        }
        let verb = if block.is_empty() { words.remove(0) } else { block.as_str() };
        match (verb, words.as_slice()) {
            ("module", [name, ..]) => out.name = Some((*name).to_owned()),
            ("require", [name, version]) => {
                let kind = if comment.trim().starts_with("indirect") { Kind::Optional } else { Kind::Normal };
                out.dependencies.push(Dependency::new(*name, *version, kind));
            }
            ("replace", [from, "=>", to @ ..] | [from, _, "=>", to @ ..]) => {
                let to = (to.first().copied().unwrap_or_default(), to.get(1).copied().unwrap_or_default());
                replaced.insert((*from).to_owned(), (to.0.to_owned(), to.1.to_owned()));
            }
            _ => {}
        }
    }
    // A file without a module line is no go.mod.
    out.name.as_ref()?;
    for one in &mut out.dependencies {
        let Some((to, version)) = replaced.get(&one.name) else { continue };
        if to.starts_with(['.', '/']) {
            one.source = Source::Path(to.clone());
        } else if *to != one.name {
            one.source = Source::Git(format!("https://{to}"));
            one.name.clone_from(to);
            one.version.clone_from(version);
        } else {
            one.version.clone_from(version);
        }
    }
    Some(out)
}

/// Reads `go.sum`.
pub fn sums(text: &str) -> Manifest {
    let mut out = Manifest::new(Ecosystem::Go, Role::Lock);
    let mut versions = BTreeSet::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [name, version, digest] = words.as_slice() else { continue };
        versions.insert(format!("{name} {}", version.trim_end_matches("/go.mod")));
        if !version.ends_with("/go.mod") {
            let integrity = digest.starts_with("h1:");
            out.dependencies.push(Dependency { integrity, ..Dependency::new(*name, *version, Kind::Normal) });
        }
    }
    out.wanted = Wanted::Versions(versions);
    out
}
