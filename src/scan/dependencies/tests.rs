//! What a change of dependencies says, and what is nothing.

use proptest::prelude::*;

use super::*;
use crate::scan::{Fact, FileChange, MemoryTree, Source, Worker, scan_change};

/// A change: path, before, after; `same` stands on both sides.
fn facts(files: &[(&str, Option<&str>, Option<&str>)], same: &[(&str, &str)]) -> Vec<Fact> {
    let after = files.iter().filter_map(|(path, _, after)| Some((*path, (*after)?)));
    let tree: MemoryTree = after.chain(same.iter().copied()).collect();
    let mut pairs: Vec<FileChange<'_>> = files
        .iter()
        .map(|(path, before, after)| FileChange {
            path,
            before: before.map(str::as_bytes),
            after: after.map(str::as_bytes),
        })
        .collect();
    pairs.sort_by_key(|pair| pair.path);
    scan_change(&[&Dependencies], &Change { files: &pairs, tree: &tree }, None)
}

fn said(facts: &[Fact], code: &str) -> Vec<String> {
    facts.iter().filter(|f| f.code == code).map(|f| format!("{}:{} {}", f.path, f.line, f.message)).collect()
}

const PACKAGE: &str = "{\n  \"dependencies\": {\n    \"old\": \"^1\"\n  }\n}";
const PACKAGE_NEW: &str = "{\n  \"dependencies\": {\n    \"old\": \"^1\",\n    \"newcomer\": \"^2\"\n  }\n}";
const LOCK: &str = r#"{"packages": {"": {"dependencies": {"old": "^1"}},
"node_modules/old": {"version": "1.0.0", "resolved": "https://registry.npmjs.org/old/-/old-1.0.0.tgz", "integrity": "sha512-x"}}}"#;
const LOCK_NEW: &str = r#"{"packages": {"": {"dependencies": {"old": "^1", "newcomer": "^2"}},
"node_modules/old": {"version": "1.0.0", "resolved": "https://registry.npmjs.org/old/-/old-1.0.0.tgz", "integrity": "sha512-x"},
"node_modules/newcomer": {"version": "2.1.0", "license": "MIT"},
"node_modules/below": {"version": "3.0.0", "hasInstallScript": true}}}"#;

#[test]
fn a_new_dependency_is_told_of_once() {
    let found = facts(
        &[
            ("package.json", Some(PACKAGE), Some(PACKAGE_NEW)),
            ("package-lock.json", Some(LOCK), Some(LOCK_NEW)),
        ],
        &[],
    );
    assert_eq!(
        said(&found, ADDED),
        [
            "package-lock.json:4 1 more package comes in with the others: `below`",
            "package.json:4 `newcomer` is a new npm dependency, `2.1.0`, under `MIT`",
        ]
    );
    assert_eq!(
        said(&found, INSTALL_SCRIPT),
        ["package-lock.json:4 `below` is new and runs code when it is installed"]
    );
    assert_eq!(said(&found, LOCK_DRIFT), [] as [&str; 0]);
    let added = found.iter().find(|f| f.path == "package.json").unwrap();
    assert_eq!(added.attributes["id"], "npm:newcomer");
    assert_eq!(added.evidence, "\"newcomer\": \"^2\"");
}

#[test]
fn a_moved_or_updated_dependency_is_not_new() {
    let moved = [
        ("requirements.txt", Some("a==1\nb==1\n"), Some("a==2\n")),
        ("requirements-dev.txt", None, Some("b==1\n")),
    ];
    assert_eq!(facts(&moved, &[]), []);
    let package =
        [("packages/x/package.json", None, Some(PACKAGE)), ("package-lock.json", Some(LOCK), Some(LOCK_NEW))];
    assert_eq!(said(&facts(&package, &[]), ADDED).len(), 1);
}

#[test]
fn a_bill_of_materials_names_the_licence() {
    let bill = r#"{"components": [{"purl": "pkg:pypi/new-thing@1", "licenses": [{"license": {"id": "GPL-3.0-only"}}]}]}"#;
    let found = facts(&[("requirements.txt", Some(""), Some("New.Thing==1\n"))], &[("sbom.json", bill)]);
    assert_eq!(found[0].attributes["licence"], "GPL-3.0-only");
}

#[test]
fn a_licence_that_does_not_go_with_the_repository() {
    let own = PACKAGE.replacen('{', "{\n  \"license\": \"MIT\",", 1);
    let own_new = PACKAGE_NEW.replacen('{', "{\n  \"license\": \"MIT\",", 1);
    for (licence, group, want) in [("GPL-3.0-only", "dependencies", 1), ("MIT", "dependencies", 0)] {
        let lock = LOCK_NEW.replace("\"license\": \"MIT\"", &format!("\"license\": \"{licence}\""));
        let (old, new) = (own.replace("dependencies", group), own_new.replace("dependencies", group));
        let files = [
            ("package.json", Some(&old[..]), Some(&new[..])),
            ("package-lock.json", Some(LOCK), Some(&lock[..])),
        ];
        let found = facts(&files, &[]);
        let conflicts: Vec<_> = found.iter().filter(|f| f.code == licences::CONFLICT).collect();
        assert_eq!(conflicts.len(), want, "{licence} {found:?}");
        for fact in conflicts {
            assert_eq!(
                (&fact.attributes["linkage"][..], &fact.attributes["licence"][..]),
                ("linked", licence)
            );
        }
    }
}

#[test]
fn lock_files_that_are_left_behind() {
    for (files, same, want) in [
        (
            vec![("package.json", Some(PACKAGE), Some(PACKAGE_NEW))],
            vec![("package-lock.json", LOCK)],
            vec![
                "package.json:4 `package.json` was changed and `package-lock.json` was not: it does not know `newcomer`",
            ],
        ),
        (
            vec![("package-lock.json", Some(LOCK), Some(LOCK_NEW))],
            vec![("package.json", PACKAGE)],
            vec![
                "package-lock.json:1 `package-lock.json` was changed and does not agree with `package.json` on `newcomer`",
            ],
        ),
        // Another package, which the lock file does not speak of.
        (
            vec![("x/package.json", Some(PACKAGE), Some(PACKAGE_NEW))],
            vec![("package-lock.json", LOCK)],
            vec![],
        ),
        (vec![("package.json", Some(PACKAGE), Some(PACKAGE_NEW))], vec![], vec![]),
        (
            vec![("go.mod", Some("module x\n"), Some("module x\nrequire github.com/a/b v1.0.0\n"))],
            vec![("go.sum", "")],
            vec!["go.mod:2 `go.mod` was changed and `go.sum` was not: it does not know `github.com/a/b`"],
        ),
        (
            vec![(
                "Cargo.toml",
                Some("[package]\nname = 'x'\n[dependencies]\na = '1'\n"),
                Some("[package]\nname = 'x'\n[dependencies]\na = '1.5'\nb = '1'\n"),
            )],
            vec![(
                "Cargo.lock",
                "[[package]]\nname = 'x'\nversion = '0.1.0'\n[[package]]\nname = 'a'\nversion = '1.5.2'\nsource = 'registry+https://github.com/rust-lang/crates.io-index'\n",
            )],
            vec!["Cargo.toml:5 `Cargo.toml` was changed and `Cargo.lock` was not: it does not know `b`"],
        ),
        (
            vec![("package.json", Some("{}"), Some(r#"{"dependencies": {"a": "^1", "mine": "^1"}}"#))],
            vec![
                ("yarn.lock", "# yarn lockfile v1\na@^1:\n  version \"1.0.0\"\n"),
                ("packages/mine/package.json", r#"{"name": "mine"}"#),
            ],
            vec![],
        ),
        (
            vec![("package.json", Some("{}"), Some(r#"{"dependencies": {"a": "^2"}}"#))],
            vec![("yarn.lock", "# yarn lockfile v1\na@^1:\n  version \"1.0.0\"\n")],
            vec!["package.json:1 `package.json` was changed and `yarn.lock` was not: it does not know `a`"],
        ),
        (
            vec![(
                "pyproject.toml",
                Some("[project]\nname = 'x'\n"),
                Some(
                    "[project]\nname = 'x'\ndependencies = ['a', 'x[y]']\n[build-system]\nrequires = ['z']\n",
                ),
            )],
            vec![("uv.lock", "version = 1\n[[package]]\nname = 'x'\nsource = {editable = '.'}\n")],
            vec!["pyproject.toml:3 `pyproject.toml` was changed and `uv.lock` was not: it does not know `a`"],
        ),
        (
            vec![(
                "package.json",
                Some("{}"),
                Some(r#"{"dependencies": {"a": "^2"}, "peerDependencies": {"p": "*"}}"#),
            )],
            vec![(
                "pnpm-lock.yaml",
                "lockfileVersion: '9.0'\noverrides:\n  a: 3\nimporters:\n  .:\n    dependencies:\n      a:\n        specifier: '3'\n      p:\n        specifier: '*'\n",
            )],
            vec![],
        ),
    ] {
        assert_eq!(said(&facts(&files, &same), LOCK_DRIFT), want, "{files:?}");
    }
}

#[test]
fn what_comes_from_elsewhere() {
    let moved = LOCK.replace("registry.npmjs.org", "npm.evil.example");
    let found = facts(&[("package-lock.json", Some(LOCK), Some(&moved))], &[("package.json", PACKAGE)]);
    assert_eq!(
        said(&found, SOURCE_CHANGED),
        ["package-lock.json:2 `old` now comes from another registry at `npm.evil.example`"]
    );
    assert_eq!((&found[0].attributes["file"][..], &found[0].attributes["how"][..]), ("lock", "moved"));
    // Back to the registry, or to its other name, is nothing.
    assert_eq!(facts(&[("package-lock.json", Some(&moved), Some(LOCK))], &[("package.json", PACKAGE)]), []);
    let yarn = LOCK.replace("registry.npmjs.org", "registry.yarnpkg.com");
    assert_eq!(facts(&[("package-lock.json", Some(LOCK), Some(&yarn))], &[("package.json", PACKAGE)]), []);
    // A manifest that asks for it answers for its lock file.
    let asked = PACKAGE.replace("^1", "git+https://git.example/old.git#main");
    let locked = LOCK.replace(
        "https://registry.npmjs.org/old/-/old-1.0.0.tgz",
        "git+https://git.example/old.git#0123456789abcdef0123456789abcdef01234567",
    );
    let files = [
        ("package.json", Some(PACKAGE), Some(&asked[..])),
        ("package-lock.json", Some(LOCK), Some(&locked[..])),
    ];
    let found = facts(&files, &[]);
    assert_eq!(
        said(&found, SOURCE_CHANGED),
        ["package.json:3 `old` now comes from a git repository at `git.example`"]
    );
    assert_eq!(
        said(&found, UNPINNED),
        ["package.json:3 `old` follows a branch or tag of `git+https://git.example/old.git`"]
    );
    let bare = LOCK.replace("\"integrity\"", "\"other\"");
    let found = facts(&[("package-lock.json", Some(LOCK), Some(&bare))], &[("package.json", PACKAGE)]);
    assert_eq!(
        said(&found, INTEGRITY_REMOVED),
        ["package-lock.json:2 the digest of `old` is gone from the lock file"]
    );
}

#[test]
fn logins_are_not_shown() {
    let after = "a @ git+https://user:hunter2@git.example/a@main\n--extra-index-url https://u:hunter2@pypi.example/simple?token=hunter2\nb @ http://u:hunter2@x.example/b.zip\n";
    for before in [None, Some("")] {
        let mut found = facts(&[("requirements.txt", before, Some(after))], &[]);
        let mut worker = Worker::new(&[&Dependencies], None);
        worker.scan(&Source::new("requirements.txt", after.as_bytes()));
        found.extend(worker.into_facts());
        assert!(found.iter().any(|f| f.code == INSECURE) && found.iter().any(|f| f.code == SOURCE_CHANGED));
        for fact in &found {
            assert!(!format!("{fact:?}").contains("hunter2"), "{fact:?}");
        }
    }
}

#[test]
fn code_that_runs_by_itself() {
    let hooks = r#"{"scripts": {"postinstall": "node x.js", "prepare": "husky", "test": "jest"}}"#;
    let found = facts(&[("package.json", Some("{}"), Some(hooks))], &[]);
    let known: Vec<_> =
        found.iter().map(|f| (&f.attributes["name"][..], &f.attributes["known"][..])).collect();
    assert_eq!(known, [("postinstall", "false"), ("prepare", "true")]);
    assert_eq!(facts(&[("package.json", Some(hooks), Some(&hooks.replace("jest", "vitest")))], &[]), []);
    let crate_ = [("Cargo.toml", "[package]\nname = 'x'\n")];
    let plain = facts(&[("build.rs", None, Some("fn main() {}"))], &crate_);
    assert_eq!(plain[0].attributes["known"], "true");
    let fetching =
        facts(&[("build.rs", Some("fn main() {}"), Some("fn main() { ureq::get(\"x\"); }"))], &crate_);
    assert_eq!(fetching[0].attributes["fetches"], "true");
    assert_eq!(facts(&[("build.rs", None, Some("fn main() {}"))], &[]), []);
    let setup = facts(&[("setup.py", Some("setup()"), Some("import subprocess\nsetup()"))], &[]);
    assert_eq!(
        said(&setup, INSTALL_SCRIPT),
        ["setup.py:1 `setup.py` runs when the package is installed and has `subprocess`"]
    );
}

#[test]
fn unreadable_files_are_told_of_where_they_were_not_before() {
    for (before, count) in [(None, 1), (Some("{}"), 1), (Some("{{"), 0)] {
        assert_eq!(said(&facts(&[("package.json", before, Some("{"))], &[]), UNREADABLE).len(), count);
    }
    assert_eq!(facts(&[("package.json", Some("{}"), None)], &[]), []);
    assert_eq!(facts(&[("a/node_modules/b/package.json", None, Some("{"))], &[]), []);
}

#[test]
fn an_imitation_is_found_in_manifests_and_lock_files() {
    let manifest = facts(&[("requirements.txt", Some(""), Some("reqeusts==2\n"))], &[]);
    assert_eq!(
        said(&manifest, TYPOSQUAT),
        ["requirements.txt:1 `reqeusts` is new, and its name looks like `requests`"]
    );
    let lock = facts(&[("go.sum", Some(""), Some("github.com/siruspen/logrus v1.0.0 h1:x=\n"))], &[]);
    assert_eq!(said(&lock, TYPOSQUAT).len(), 1);
    // A name that the repository's lock files have already is no news.
    let old = facts(
        &[("requirements.txt", Some(""), Some("reqeusts==2\n"))],
        &[("uv.lock", "[[package]]\nname = 'reqeusts'\n")],
    );
    assert_eq!(said(&old, TYPOSQUAT), [] as [&str; 0]);
}

proptest! {
    #[test]
    fn arbitrary_changes_never_panic(
        before in proptest::collection::vec(any::<u8>(), 0..200),
        after in proptest::collection::vec(any::<u8>(), 0..200),
        text in "[a-c@/:.\"{}\\[\\]= \n-]{0,120}",
    ) {
        for path in ["package.json", "requirements.txt", "Cargo.toml", "yarn.lock", "go.mod", "pnpm-lock.yaml", "setup.py", "build.gradle"] {
            let files = [FileChange { path, before: Some(&before), after: Some(&after) }];
            scan_change(&[&Dependencies], &Change { files: &files, tree: &MemoryTree::default() }, None);
            let files = [FileChange { path, before: None, after: Some(text.as_bytes()) }];
            scan_change(&[&Dependencies], &Change { files: &files, tree: &MemoryTree::default() }, None);
        }
    }

    #[test]
    fn arbitrary_names_never_panic(name in "\\PC{0,40}") {
        for ecosystem in [manifest::Ecosystem::Npm, manifest::Ecosystem::Pypi, manifest::Ecosystem::Crates, manifest::Ecosystem::Go, manifest::Ecosystem::Maven] {
            let _ = names::likeness(ecosystem, &name);
        }
    }
}
