//! Lock files in, packages out; manifests where there is no lock file.
//!
//! Must never take a requirement for a version, nor a file of tests or of what was vendored for the repository's own.

use std::collections::{BTreeMap, BTreeSet};

use crate::scan::Place;
use crate::scan::manifest::{self, Dependency, Ecosystem, Format, Kind, Manifest, Role, Source};

use super::purl::{from, purl, split};
use super::{Bill, BillFile, Need, Package};

/// Returns the format of a file that says something about packages; `None` for any other, and for those of tests and of
/// what others made.
pub fn takes(path: &str) -> Option<Format> {
    let place = Place::of_lower(&path.to_ascii_lowercase());
    // `package-lock.json` is made by a program, and is what is looked for.
    let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders).to_ascii_lowercase();
    let aside = place.test || Place::of_lower(&format!("{folders}/x")).made;
    manifest::format(path).filter(|format| !aside && !matches!(format, Format::Sbom | Format::GoSum))
}

/// Gathers the packages that files name, from path and content; content that could not be read is absent.
pub fn gather(files: &[(String, Format, Option<Vec<u8>>)]) -> Bill {
    let mut bill = Bill::default();
    let mut read = Vec::new();
    for (path, format, bytes) in files {
        match bytes.as_deref().map(|bytes| manifest::read(*format, bytes)) {
            Some(Some(manifest)) => read.push((path.as_str(), manifest)),
            Some(None) => bill.unread.push((path.clone(), "it is not what its name says".to_owned())),
            None => bill.unread.push((path.clone(), "it is no regular file".to_owned())),
        }
    }
    let locks: BTreeSet<(Ecosystem, &str)> = read
        .iter()
        .filter(|(_, manifest)| manifest.role == Role::Lock)
        .map(|(path, manifest)| (manifest.ecosystem, folder(path)))
        .collect();
    for (path, manifest) in &read {
        let locked = above(path).any(|folder| locks.contains(&(manifest.ecosystem, folder)));
        if manifest.role == Role::Manifest && locked {
            continue;
        }
        let mut packages = 0;
        for one in manifest.dependencies.iter().filter(|one| !matches!(one.source, Source::Path(_))) {
            packages += 1;
            add(&mut bill.packages, path, manifest, one);
        }
        if packages > 0 || manifest.role == Role::Lock {
            bill.files.push(BillFile { path: (*path).to_owned(), packages, whole: is_whole(manifest) });
        }
    }
    bill.files.sort_by(|a, b| a.path.cmp(&b.path));
    bill.unread.sort();
    bill
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The folder of a file and all above it.
fn above(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(folder(path)), |below| (!below.is_empty()).then(|| folder(below)))
}

/// A lock file names all that is used; `go.mod` does where it tells what is indirect, requirements do where all have a hash.
fn is_whole(manifest: &Manifest) -> bool {
    let all = &manifest.dependencies;
    manifest.role == Role::Lock
        || match manifest.ecosystem {
            Ecosystem::Go => all.iter().any(|one| one.kind == Kind::Optional),
            Ecosystem::Pypi => all.iter().all(|one| one.integrity),
            Ecosystem::Npm | Ecosystem::Crates | Ecosystem::Maven => false,
        }
}

fn add(packages: &mut BTreeMap<String, Package>, path: &str, manifest: &Manifest, one: &Dependency) {
    let ecosystem = manifest.ecosystem;
    let version = version(manifest, one);
    let (group, name) = split(ecosystem, &one.name);
    let need = match one.kind {
        Kind::Dev => Need::Development,
        // Go marks what is indirect so.
        Kind::Optional if ecosystem != Ecosystem::Go => Need::Optional,
        _ => Need::Required,
    };
    let package = packages.entry(purl(ecosystem, one, version)).or_insert_with(|| Package {
        group: group.map(str::to_owned),
        name: name.to_owned(),
        version: version.map(str::to_owned),
        licence: None,
        need,
        files: BTreeSet::new(),
        from: from(&one.source).map(|(_, from)| from),
    });
    package.need = package.need.max(need);
    package.files.insert(path.to_owned());
    if package.licence.is_none() {
        package.licence.clone_from(&one.licence);
    }
}

/// Returns the version that was chosen; `None` where a manifest leaves the choice open.
fn version<'a>(manifest: &Manifest, one: &'a Dependency) -> Option<&'a str> {
    let text = one.version.trim();
    let exact = match (manifest.role, manifest.ecosystem) {
        (Role::Lock, _) | (_, Ecosystem::Go) => text,
        (_, Ecosystem::Pypi) => text.strip_prefix("==")?.trim_start_matches('=').trim_start(),
        (_, Ecosystem::Crates) => text.strip_prefix('=')?.trim_start(),
        (_, Ecosystem::Npm | Ecosystem::Maven) => text.trim_start_matches('='),
    };
    let plain = exact.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-+!:~/@".contains(&b));
    let open = manifest.role == Role::Manifest
        && (exact.starts_with(['~', '@'])
            || exact.split('.').any(|part| matches!(part, "x" | "X" | "latest")));
    (!exact.is_empty() && plain && !open).then_some(exact)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bill(files: &[(&str, &str)]) -> Bill {
        let files: Vec<_> = files
            .iter()
            .filter_map(|(path, text)| {
                takes(path).map(|format| ((*path).to_owned(), format, Some(text.as_bytes().to_vec())))
            })
            .collect();
        gather(&files)
    }

    #[test]
    fn lock_files_stand_for_the_manifests_below_them() {
        let lock = "version = 4\n[[package]]\nname = \"own\"\nversion = \"0.1.0\"\n[[package]]\nname = \"serde\"\nversion = \"1.0.2\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n";
        let manifest = "[package]\nname = \"own\"\n[dependencies]\nserde = \"1\"\n";
        let found = bill(&[("Cargo.lock", lock), ("Cargo.toml", manifest), ("part/Cargo.toml", manifest)]);
        assert_eq!(found.packages.keys().collect::<Vec<_>>(), ["pkg:cargo/serde@1.0.2"]);
        assert!(found.is_whole() && found.files.len() == 1);
        let found = bill(&[("Cargo.toml", manifest)]);
        assert_eq!(found.packages.keys().collect::<Vec<_>>(), ["pkg:cargo/serde"]);
        assert!(!found.is_whole());
    }

    #[test]
    fn a_requirement_is_no_version() {
        let found = bill(&[("requirements.txt", "django==4.2.1\nflask>=2\nclick\n")]);
        let want = ["pkg:pypi/click", "pkg:pypi/django@4.2.1", "pkg:pypi/flask"];
        assert_eq!(found.packages.keys().collect::<Vec<_>>(), want);
        let text = r#"{"name": "a", "dependencies": {"b": "^1.0.0", "c": "2.0.1", "d": "1.x"}, "devDependencies": {"e": "*"}}"#;
        let found = bill(&[("package.json", text)]);
        assert_eq!(
            found.packages.keys().collect::<Vec<_>>(),
            ["pkg:npm/b", "pkg:npm/c@2.0.1", "pkg:npm/d", "pkg:npm/e"]
        );
        assert_eq!(found.packages["pkg:npm/e"].need, Need::Development);
    }

    #[test]
    fn what_others_made_and_what_tests_need_is_left_out() {
        for path in
            ["node_modules/a/package.json", "vendor/x/go.mod", "tests/fixtures/package-lock.json", "a.json"]
        {
            assert_eq!(takes(path), None, "{path}");
        }
        for path in ["package-lock.json", "web/yarn.lock", "go.mod"] {
            assert!(takes(path).is_some(), "{path}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        let found = bill(&[("Cargo.lock", "["), ("go.mod", "module a\nrequire b.dev/c v1.0.0\n")]);
        assert_eq!(found.unread[0].0, "Cargo.lock");
        assert!(!found.is_whole() && found.packages.contains_key("pkg:golang/b.dev/c@v1.0.0"));
    }
}
