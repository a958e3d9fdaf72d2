//! orch init.
#![expect(clippy::unwrap_used, reason = "helpers of tests, as tests, panic where they must not go on")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use orch::artifact::id::TreeId;
use orch::artifact::types::task::Base;
use orch::config;
use orch::config::detect::{Detected, FolderListing, Language, Listing as _, TreeListing, detect_commands};
use orch::config::init::{InitError, draft};
use orch::config::starter::{one_line, role_name, summary};
use orch::ports::vcs::{EntryKind, ExportReport, TreeEntry, VcsError, VcsRead};

type Files = &'static [(&'static str, &'static str)];

/// Small repositories, one per kind; what is found in each is in the snapshot.
const REPOSITORIES: &[(&str, Files)] = &[
    ("empty", &[]),
    ("only a readme", &[("README.md", "# x\n")]),
    (
        "fastapi with requirements",
        &[
            ("requirements.txt", "fastapi==0.120\nuvicorn\npytest\nhttpx\n"),
            ("app/main.py", "from fastapi import FastAPI\n"),
            ("tests/test_main.py", "def test_x():\n    assert True\n"),
        ],
    ),
    (
        "poetry with ruff",
        &[
            (
                "pyproject.toml",
                "[tool.poetry]\nname = 'x'\n[tool.poetry.dependencies]\nflask = '*'\n[tool.ruff]\n[tool.pytest.ini_options]\n",
            ),
            ("poetry.lock", ""),
            ("x/__init__.py", ""),
        ],
    ),
    (
        "uv",
        &[
            ("pyproject.toml", "[project]\nname='x'\n[dependency-groups]\ndev=['pytest']\n"),
            ("uv.lock", ""),
            ("x.py", ""),
        ],
    ),
    (
        "unittest and flake8",
        &[
            ("setup.cfg", "[metadata]\nname = x\n[flake8]\nmax-line-length = 100\n"),
            ("test_x.py", "import unittest\n"),
            ("x.py", ""),
        ],
    ),
    (
        "tox",
        &[
            ("tox.ini", "[tox]\nenvlist = py\n[pytest]\naddopts = -q\n"),
            ("setup.py", "setup()\n"),
            ("x.py", ""),
        ],
    ),
    ("python without tests", &[("x.py", "print(1)\n")]),
    ("pyproject of a tool only", &[("pyproject.toml", "[tool.codespell]\n"), ("go.mod", "module x\n")]),
    (
        "rust with lock and lints",
        &[
            (
                "Cargo.toml",
                "[package]\nname='x'\n[lints.rust]\nunsafe_code='forbid'\n[dependencies]\naxum='*'\n",
            ),
            ("Cargo.lock", ""),
            ("rustfmt.toml", ""),
            ("src/main.rs", "fn main() {}\n"),
        ],
    ),
    (
        "rust workspace",
        &[("Cargo.toml", "[workspace]\nmembers=['a']\n"), ("a/Cargo.toml", "[package]\nname='a'\n")],
    ),
    ("rust without lock", &[("Cargo.toml", "[package]\nname='x'\n"), ("src/lib.rs", "")]),
    (
        "npm with scripts",
        &[
            (
                "package.json",
                r#"{"scripts":{"build":"tsc","lint":"eslint .","test":"vitest run"},"devDependencies":{"typescript":"5","vitest":"3"},"dependencies":{"express":"5"}}"#,
            ),
            ("package-lock.json", "{}"),
            ("tsconfig.json", "{}"),
        ],
    ),
    (
        "pnpm with vitest and no script",
        &[("package.json", r#"{"devDependencies":{"vitest":"3"}}"#), ("pnpm-lock.yaml", "")],
    ),
    (
        "yarn classic with jest",
        &[
            (
                "package.json",
                r#"{"scripts":{"test":"echo \"Error: no test specified\" && exit 1"},"devDependencies":{"jest":"30"}}"#,
            ),
            ("yarn.lock", "# yarn lockfile v1\n"),
        ],
    ),
    (
        "node's own runner",
        &[("package.json", "{\"type\":\"module\"}"), ("x.test.mjs", "import test from 'node:test'\n")],
    ),
    (
        "javascript without lock",
        &[("package.json", r#"{"scripts":{"test":"mocha"},"devDependencies":{"mocha":"11"}}"#)],
    ),
    ("broken package.json", &[("package.json", "{")]),
    (
        "go",
        &[
            ("go.mod", "module x\nrequire github.com/gin-gonic/gin v1\n"),
            ("go.sum", ""),
            ("main.go", "package main\n"),
        ],
    ),
    ("makefile only", &[("Makefile", "test: build\n\t./t\nbuild:\n\tcc x.c\nlint := no\n")]),
    ("justfile only", &[("justfile", "test:\n  ./t\n")]),
    (
        "monorepo",
        &[
            ("api/pyproject.toml", "[project]\nname='api'\ndependencies=['django','pytest']\n"),
            ("api/app.py", ""),
            ("web/package.json", r#"{"scripts":{"test":"node --test"}}"#),
            ("svc/go.mod", "module svc\n"),
            ("core/Cargo.toml", "[package]\nname='core'\n"),
            ("core/vendor/x/Cargo.toml", "[package]\nname='x'\n"),
            ("Makefile", "test:\n\ttrue\n"),
        ],
    ),
    (
        "odd names",
        &[
            ("a b/package.json", r#"{"scripts":{"test":"x # y"}}"#),
            ("it's: #1/go.mod", "module x\n"),
            ("z\u{2028}y/go.mod", "module z\n"),
        ],
    ),
];

fn repository(files: Files) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn detect(folder: &Path) -> Detected {
    detect_commands(&FolderListing::read(folder))
}

#[test]
fn commands_are_detected_with_reasons() {
    let mut page = String::new();
    for (name, files) in REPOSITORIES {
        let _ = writeln!(page, "## {name}");
        for part in detect(repository(files).path()).parts {
            let _ = writeln!(page, "{}", summary(&part));
            for p in &part.proposals {
                let network = if p.network { " (network)" } else { "" };
                let _ = write!(
                    page,
                    "  {}: {}{network}\n      {}\n",
                    role_name(p.role),
                    one_line(&shell_words::join(&p.command.0)),
                    one_line(&p.why)
                );
            }
            for note in &part.notes {
                let _ = writeln!(page, "  note: {note}");
            }
        }
        page += "\n";
    }
    insta::assert_snapshot!("init_detected", page);
}

#[test]
fn what_is_written_loads_and_equals_what_was_detected() {
    for (name, files) in REPOSITORIES {
        let folder = repository(files);
        let detected = detect(folder.path());
        draft(folder.path()).write().unwrap();
        let loaded = config::load(folder.path(), None).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(loaded.config.commands, detected.commands(), "{name}");
        assert_eq!(loaded.config.sandbox.setup_network, detected.needs_setup_network(), "{name}");
        let rest = config::Config {
            commands: config::Commands::default(),
            sandbox: config::Sandbox { setup_network: false, ..loaded.config.sandbox },
            ..loaded.config
        };
        assert_eq!(rest, config::Config::default(), "{name}");
    }
}

#[test]
fn the_written_file_reads_well() {
    let files = REPOSITORIES.iter().find(|(name, _)| *name == "fastapi with requirements").unwrap().1;
    insta::assert_snapshot!("init_fastapi", draft(repository(files).path()).text);
}

#[test]
fn init_says_what_it_found_and_never_overwrites() {
    let folder = repository(&[("go.mod", "module x\n")]);
    let mut out = Vec::new();
    let drafted = draft(folder.path());
    drafted.write().unwrap();
    drafted.explain(&mut out).unwrap();
    let said = String::from_utf8(out).unwrap();
    for part in [
        "Wrote ",
        "Found Go (go modules):",
        "go test ./...",
        "because go.mod is there",
        "no git repository yet",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }

    let path = folder.path().join("orch.yml");
    fs::write(&path, "service: mine\n").unwrap();
    let error = draft(folder.path()).write().unwrap_err();
    assert!(matches!(error, InitError::Exists { .. }), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "service: mine\n");
}

#[cfg(unix)]
#[test]
fn a_dangling_link_is_not_written_through() {
    let (folder, elsewhere) = (repository(&[]), repository(&[]));
    std::os::unix::fs::symlink(elsewhere.path().join("x"), folder.path().join("orch.yml")).unwrap();
    assert!(matches!(draft(folder.path()).write(), Err(InitError::Exists { .. })));
    assert!(!elsewhere.path().join("x").exists());
}

#[test]
fn inside_a_repository_the_file_goes_to_its_root() {
    let folder = repository(&[
        (".git/HEAD", "ref: refs/heads/main\n"),
        ("go.mod", "module x\n"),
        ("deep/er/x.txt", ""),
    ]);
    draft(&folder.path().join("deep/er")).write().unwrap();
    assert!(folder.path().join("orch.yml").exists());
}

/// A repository in memory, enough for a listing.
struct Tree(BTreeMap<&'static str, &'static str>);

impl VcsRead for Tree {
    fn head(&self) -> Result<Base, VcsError> {
        Err(VcsError::NoCommit { folder: "here".into(), branch: "`main`".into() })
    }

    fn entries(&self, _tree: &TreeId) -> Result<std::sync::Arc<[TreeEntry]>, VcsError> {
        let odd = TreeEntry { path: vec![0xff], kind: EntryKind::File };
        let link = TreeEntry { path: b"Cargo.toml".to_vec(), kind: EntryKind::Link };
        let entry = |p: &&str| TreeEntry { path: p.as_bytes().to_vec(), kind: EntryKind::File };
        Ok(self.0.keys().map(entry).chain([odd, link]).collect())
    }

    fn file(&self, _tree: &TreeId, path: &str) -> Result<Option<Vec<u8>>, VcsError> {
        Ok(self.0.get(path).map(|text| text.as_bytes().to_vec()))
    }

    fn export(&self, _tree: &TreeId, _folder: &Path) -> Result<ExportReport, VcsError> {
        Err(VcsError::MissingObject { what: "everything".into() })
    }
}

#[test]
fn a_tree_and_a_folder_give_the_same() {
    let tree: TreeId = "a".repeat(40).parse().unwrap();
    for (name, files) in REPOSITORIES {
        let vcs = Tree(files.iter().copied().collect());
        let listing = TreeListing::read(&vcs, &tree).unwrap();
        assert_eq!(detect_commands(&listing), detect(repository(files).path()), "{name}");
        assert!(
            !listing.has("Cargo.toml") || files.iter().any(|(p, _)| *p == "Cargo.toml"),
            "links are not listed"
        );
    }
}

#[test]
fn the_languages_are_all_known() {
    let of = |name: &str| detect(repository(REPOSITORIES.iter().find(|(n, _)| *n == name).unwrap().1).path());
    let languages: Vec<_> = of("monorepo").parts.iter().map(|p| p.language).collect();
    assert_eq!(languages, [Language::Rust, Language::Go, Language::Python, Language::JavaScript]);
    assert_eq!(of("npm with scripts").parts[0].language, Language::TypeScript);
}
