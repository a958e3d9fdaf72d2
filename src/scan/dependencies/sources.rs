//! Where dependencies come from: not pinned, not encrypted, from elsewhere than before, without digests.
//!
//! Must never show the login of a URL.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::scan::manifest::{Dependency, Ecosystem, Kind, Manifest, Role, Source, without_login};
use crate::scan::{Confidence, Found};

use super::{File, INSECURE, INTEGRITY_REMOVED, SOURCE_CHANGED, UNPINNED, listed, shown};

/// Looks at the sources of all files of a change.
pub fn look(files: &[File<'_>], sink: &mut dyn FnMut(&str, Found)) {
    let mut asked: HashSet<(Ecosystem, &str)> = HashSet::new();
    // Names that a manifest gives a source of its own: the lock file only follows.
    for role in [Role::Manifest, Role::Lock] {
        for file in files.iter().filter(|file| file.role() == Some(role)) {
            let Some((before, after)) = file.read() else { continue };
            if role == Role::Manifest {
                let odd = after.dependencies.iter().filter(|one| !is_own(&one.source));
                asked.extend(odd.map(|one| (after.ecosystem, one.name.as_str())));
            }
            unpinned(file, before, after, files, sink);
            insecure(file, before, after, sink);
            moved(file, before, after, &asked, sink);
            if role == Role::Lock {
                integrity(file, before, after, sink);
            }
        }
    }
}

fn is_own(source: &Source) -> bool {
    matches!(source, Source::Registry(host) if host.is_empty())
}

/// Returns what is asked for openly: how, in words and as an attribute.
pub fn open(one: &Dependency) -> Option<(&'static str, String)> {
    if one.pinned || one.kind == Kind::Peer {
        return None;
    }
    let name = shown(&one.name);
    Some(match &one.source {
        Source::Git(url) => {
            ("git", format!("`{name}` follows a branch or tag of `{}`", shown(&without_login(url))))
        }
        Source::Url(url) => {
            ("url", format!("`{name}` is whatever `{}` gives, without a digest", shown(&without_login(url))))
        }
        Source::Registry(_) => ("any", format!("`{name}` may be any version: `{}`", shown(&one.version))),
        Source::Path(_) => return None,
    })
}

fn unpinned(
    file: &File<'_>,
    before: Option<&Manifest>,
    after: &Manifest,
    files: &[File<'_>],
    sink: &mut dyn FnMut(&str, Found),
) {
    let was: HashSet<(&str, &Source)> = before
        .into_iter()
        .flat_map(|m| &m.dependencies)
        .filter(|one| !one.pinned)
        .map(|one| (one.name.as_str(), &one.source))
        .collect();
    let locked = |name: &str| {
        let locks = files.iter().filter_map(|f| f.after.manifest());
        locks
            .filter(|m| m.role == Role::Lock && m.ecosystem == after.ecosystem)
            .any(|lock| lock.dependencies.iter().any(|one| one.name == name && one.pinned))
    };
    let mut told = BTreeSet::new();
    for one in &after.dependencies {
        let Some((how, message)) = open(one) else { continue };
        if was.contains(&(one.name.as_str(), &one.source)) || !told.insert((&one.name, &one.source)) {
            continue;
        }
        // A long list of them would make this slow; the first hundred say enough.
        if told.len() > 100 {
            break;
        }
        let locked = after.role == Role::Manifest && locked(&one.name);
        let found = file
            .found(UNPINNED, &one.name, message, Confidence::High)
            .with("ecosystem", after.ecosystem.as_str())
            .with("name", shown(&one.name))
            .with("id", format!("{}:{}", after.ecosystem.as_str(), shown(&one.name)))
            .with("kind", one.kind.as_str())
            .with("how", how)
            .with("locked", locked.to_string());
        sink(file.path, found);
    }
}

/// Says that a dependency is fetched without encryption.
pub fn plain_text(one: &Dependency) -> String {
    let (Source::Registry(url) | Source::Git(url) | Source::Url(url) | Source::Path(url)) = &one.source;
    format!("`{}` is fetched without encryption from `{}`", shown(&one.name), shown(&without_login(url)))
}

/// Returns the same with what rules want to know of an insecure source.
pub fn described(found: Found, of: &Manifest, one: &Dependency) -> Found {
    found
        .with("ecosystem", of.ecosystem.as_str())
        .with("name", shown(&one.name))
        .with("integrity", (one.integrity && of.role == Role::Lock).to_string())
}

fn insecure(file: &File<'_>, before: Option<&Manifest>, after: &Manifest, sink: &mut dyn FnMut(&str, Found)) {
    let was: HashSet<&Source> = before
        .into_iter()
        .flat_map(|m| &m.dependencies)
        .map(|one| &one.source)
        .filter(|s| s.insecure())
        .collect();
    let mut told = BTreeSet::new();
    // A new file is looked at alone, as in a whole tree.
    let fresh = file.bytes.before.is_none();
    for one in
        after.dependencies.iter().filter(|one| !fresh && one.source.insecure() && !was.contains(&one.source))
    {
        if !told.insert((&one.name, &one.source)) {
            continue;
        }
        let found = file.found(INSECURE, &one.name, plain_text(one), Confidence::High);
        sink(file.path, described(found, after, one));
    }
    let was: HashSet<&String> = before.into_iter().flat_map(|m| &m.indexes).collect();
    for url in after.indexes.iter().collect::<BTreeSet<_>>().into_iter().filter(|url| !was.contains(url)) {
        let address = shown(&without_login(url));
        let insecure = Source::Url(url.clone()).insecure();
        let (code, message) = if insecure {
            (INSECURE, format!("packages are looked for without encryption at `{address}`"))
        } else {
            (SOURCE_CHANGED, format!("packages are also looked for at `{address}`"))
        };
        let mut found = Found::file(code, message, &format!("{} {url}", file.path), Confidence::High)
            .with("ecosystem", after.ecosystem.as_str())
            .with("to", "index")
            .with("host", shown(Source::Url(url.clone()).host()))
            .with("integrity", "false");
        if file.aside {
            found = found.with("place", "aside");
        }
        sink(file.path, found);
    }
}

type Places<'a> = HashMap<&'a str, BTreeSet<(&'static str, &'a str)>>;

fn places(manifest: &Manifest) -> Places<'_> {
    let mut out = Places::new();
    for one in &manifest.dependencies {
        let host = if matches!(one.source, Source::Path(_)) { "" } else { one.source.host() };
        out.entry(one.name.as_str()).or_default().insert((one.source.as_str(), host));
    }
    out
}

/// Looks for packages that come from another kind of place or another host.
fn moved(
    file: &File<'_>,
    before: Option<&Manifest>,
    after: &Manifest,
    asked: &HashSet<(Ecosystem, &str)>,
    sink: &mut dyn FnMut(&str, Found),
) {
    let Some(before) = before else { return };
    let (old, new) = (places(before), places(after));
    let known: HashSet<&(&str, &str)> = old.values().flatten().collect();
    let mut by_place: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    let mut arrived: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for (name, places) in &new {
        for place in places {
            // Back to the registry, or into the repository, is never for the worse.
            let harmless = *place == ("registry", "") || place.0 == "path";
            let follows = after.role == Role::Lock && asked.contains(&(after.ecosystem, *name));
            if harmless || follows {
                continue;
            }
            match old.get(name) {
                Some(was) if !was.contains(place) => {
                    by_place.entry(*place).or_default().insert(*name);
                }
                None if after.role == Role::Lock && !known.contains(place) => {
                    arrived.entry(*place).or_default().insert(*name);
                }
                _ => {}
            }
        }
    }
    for (place, names) in &by_place {
        let whole = names.len() > 5 && names.len() * 10 >= new.len() * 8;
        tell(file, after, *place, names, if whole { "whole" } else { "moved" }, sink);
    }
    for (place, names) in &arrived {
        tell(file, after, *place, names, "arrived", sink);
    }
}

fn tell(
    file: &File<'_>,
    after: &Manifest,
    (kind, host): (&str, &str),
    names: &BTreeSet<&str>,
    how: &'static str,
    sink: &mut dyn FnMut(&str, Found),
) {
    let what = match kind {
        "git" => "a git repository",
        "url" => "an address of its own",
        _ => "another registry",
    };
    let from = if host.is_empty() { what.to_owned() } else { format!("{what} at `{}`", shown(host)) };
    let many = names.len() > 1;
    let message = match (how, many) {
        ("arrived", false) => format!("{} is new and comes from {from}", listed(names.iter().copied())),
        ("arrived", true) => format!("{} are new and come from {from}", listed(names.iter().copied())),
        (_, false) => format!("{} now comes from {from}", listed(names.iter().copied())),
        (_, true) => format!("{} now come from {from}", listed(names.iter().copied())),
    };
    let first = names.first().copied().unwrap_or_default();
    let mut found = file.found(SOURCE_CHANGED, first, message, Confidence::High);
    found.secret =
        format!("{} {kind} {host} {}", file.path, names.iter().copied().collect::<Vec<_>>().join(" ")).into();
    let found = found
        .with("ecosystem", after.ecosystem.as_str())
        .with("name", shown(first))
        .with("to", kind)
        .with("host", shown(host))
        .with("how", how)
        .with("file", if after.role == Role::Lock { "lock" } else { "manifest" })
        .with("count", names.len().to_string());
    sink(file.path, found);
}

/// Looks for digests that are gone while the package is still fetched from the registry.
fn integrity(
    file: &File<'_>,
    before: Option<&Manifest>,
    after: &Manifest,
    sink: &mut dyn FnMut(&str, Found),
) {
    let Some(before) = before else { return };
    // A lock file that lacked some before only goes on as it was.
    let lacked: HashSet<&str> =
        before.dependencies.iter().filter(|one| !one.integrity).map(|one| one.name.as_str()).collect();
    let had: HashSet<&str> = before
        .dependencies
        .iter()
        .map(|one| one.name.as_str())
        .filter(|name| !lacked.contains(name))
        .collect();
    let gone: BTreeSet<&str> = after
        .dependencies
        .iter()
        .filter(|one| !one.integrity && matches!(one.source, Source::Registry(_) | Source::Url(_)))
        .map(|one| one.name.as_str())
        .filter(|name| had.contains(name))
        .collect();
    if gone.is_empty() {
        return;
    }
    let has = after.dependencies.iter().any(|one| one.integrity);
    let first = gone.first().copied().unwrap_or_default();
    let message = format!("the digest of {} is gone from the lock file", listed(gone.iter().copied()));
    let mut found = file.found(INTEGRITY_REMOVED, first, message, Confidence::High);
    found.secret = format!("{} {}", file.path, gone.iter().copied().collect::<Vec<_>>().join(" ")).into();
    let found = found
        .with("ecosystem", after.ecosystem.as_str())
        .with("count", gone.len().to_string())
        .with("all", (!has).to_string());
    sink(file.path, found);
}
