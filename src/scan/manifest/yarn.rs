//! `yarn.lock`: the classic format and the YAML of later versions, which look nearly the same.
//!
//! Must never take the entry of a workspace for a package.

use std::collections::BTreeSet;

use super::{Dependency, Ecosystem, Kind, Manifest, Role, Source, Wanted, spec};

/// Reads `yarn.lock`.
pub fn lock(text: &str) -> Option<Manifest> {
    let mut lock = Manifest::new(Ecosystem::Npm, Role::Lock);
    let mut keys = BTreeSet::new();
    let mut entry: Option<Entry> = None;
    for line in text.lines() {
        if line.starts_with('#') || line.trim().is_empty() {
            continue;
        }
        if !line.starts_with(' ') {
            lock.dependencies.extend(entry.take().and_then(Entry::finish));
            let head = line.strip_suffix(':')?;
            let mut names = head.split(", ").map(|name| name.trim_matches('"'));
            let first = names.clone().next().unwrap_or_default();
            if first != "__metadata" {
                keys.extend(names.by_ref().map(str::to_owned));
                entry = Some(Entry { key: first.to_owned(), ..Entry::default() });
            }
            continue;
        }
        let Some(entry) = &mut entry else { continue };
        let Some(member) = line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')) else { continue };
        let Some((name, value)) = member.split_once(' ') else { continue };
        let value = value.trim().trim_matches('"');
        match name.trim_end_matches(':') {
            "version" => value.clone_into(&mut entry.version),
            "resolved" => value.clone_into(&mut entry.resolved),
            "resolution" => value.clone_into(&mut entry.resolution),
            "integrity" | "checksum" => entry.integrity = true,
            _ => {}
        }
    }
    lock.dependencies.extend(entry.take().and_then(Entry::finish));
    lock.wanted = Wanted::Keys(keys);
    Some(lock)
}

#[derive(Default)]
struct Entry {
    key: String,
    version: String,
    resolved: String,
    resolution: String,
    integrity: bool,
}

/// Splits `@scope/name@what` into name and what.
pub fn split(key: &str) -> Option<(&str, &str)> {
    let at = key.char_indices().skip(1).find(|(_, c)| *c == '@')?.0;
    Some((&key[..at], &key[at + 1..]))
}

impl Entry {
    fn finish(self) -> Option<Dependency> {
        let chosen = if self.resolution.is_empty() { &self.key } else { &self.resolution };
        let (name, what) = split(chosen)?;
        let mut out = Dependency::new(name, self.version.clone(), Kind::Normal);
        out.integrity = self.integrity || self.resolved.contains('#');
        if !self.resolved.is_empty() {
            out.source = spec::npm_resolved(self.resolved.split('#').next().unwrap_or_default());
            // Classic yarn names an alias by the alias; the address has the real name.
            if let Some(real) = what.strip_prefix("npm:").and_then(split) {
                real.0.clone_into(&mut out.name);
            }
            let fragment = self.resolved.split_once('#').map_or("", |(_, fragment)| fragment);
            out.pinned = match &out.source {
                Source::Git(_) => spec::commit(fragment),
                Source::Url(_) => out.integrity,
                _ => true,
            };
        } else if what.starts_with("workspace:") {
            return None;
        } else if what.starts_with("patch:") || what.starts_with("virtual:") {
            out.source = Source::Registry(String::new());
        } else {
            let (source, pinned, _) = spec::npm(what);
            out.pinned = pinned || out.integrity;
            out.source = source;
        }
        Some(out)
    }
}
