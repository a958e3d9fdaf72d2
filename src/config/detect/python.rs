//! Python: pytest or unittest, run by the interpreter on `PATH`, which an active virtual environment puts first.

use toml::{Table, Value};

use super::{Language, Listing, Part, folders_with, framework, join};
use crate::artifact::types::verification::CommandRole as Role;

/// The name Python has in and outside virtual environments on Unix; Windows knows only the shorter one.
const PYTHON: &str = if cfg!(windows) { "python" } else { "python3" };

const MANIFESTS: &[&str] = &[
    "pyproject.toml",
    "requirements.txt",
    "setup.py",
    "setup.cfg",
    "Pipfile",
    "tox.ini",
    "pytest.ini",
    "uv.lock",
    "poetry.lock",
    "pdm.lock",
];

/// Files besides `pyproject.toml` that name dependencies.
const NAMING: &[&str] =
    &["requirements.txt", "requirements-dev.txt", "dev-requirements.txt", "Pipfile", "setup.py", "setup.cfg"];

const FRAMEWORKS: &[(&str, &str)] = &[
    ("fastapi", "FastAPI"),
    ("django", "Django"),
    ("flask", "Flask"),
    ("starlette", "Starlette"),
    ("aiohttp", "aiohttp"),
];

pub(super) fn detect(listing: &dyn Listing) -> Vec<Part> {
    let mut folders = folders_with(listing, MANIFESTS);
    if folders.is_empty() && listing.paths().iter().any(|p| is_python(p) && p.matches('/').count() <= 1) {
        folders.push(String::new());
    }
    folders.iter().filter_map(|folder| part(listing, folder)).collect()
}

fn is_python(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, extension)| extension == "py")
}

/// Returns the words that run a module.
fn module(words: &[&str]) -> Vec<String> {
    [PYTHON, "-m"].iter().chain(words).map(|w| (*w).to_owned()).collect()
}

/// What is read of a Python project.
struct Project<'a> {
    listing: &'a dyn Listing,
    folder: &'a str,
    pyproject: Table,
    /// All files that may name dependencies, one after the other.
    named: String,
}

fn part(listing: &dyn Listing, folder: &str) -> Option<Part> {
    let read = |name: &str| listing.text(&join(folder, name)).unwrap_or_default();
    let text = read("pyproject.toml");
    let others: String = NAMING.iter().map(|name| read(name) + "\n").collect();
    let has_others = !others.trim().is_empty();
    let named = format!("{text}\n{others}");
    let project = Project { listing, folder, pyproject: toml::from_str(&text).unwrap_or_default(), named };
    // A manifest alone may only configure a tool in another language's repository.
    let is_package = project.pyproject.contains_key("project") || project.tool("poetry");
    if project.files().next().is_none() && !is_package && !has_others {
        return None;
    }
    let mut part = Part::new(Language::Python, folder);
    part.framework = framework(&project.named, FRAMEWORKS);
    part.manager = project.manager();
    project.lint(&mut part);
    project.test(&mut part);
    if !project.named.trim().is_empty() {
        part.notes.push(
            "Packages come from the interpreter on PATH: activate the virtual environment first, or let `setup` make \
             one in the clean copy."
                .into(),
        );
    }
    Some(part)
}

impl Project<'_> {
    fn has(&self, name: &str) -> bool {
        self.listing.has(&join(self.folder, name))
    }

    fn tool(&self, name: &str) -> bool {
        self.pyproject.get("tool").and_then(Value::as_table).is_some_and(|t| t.contains_key(name))
    }

    fn section(&self, file: &str, section: &str) -> bool {
        let text = self.listing.text(&join(self.folder, file)).unwrap_or_default();
        text.lines().any(|line| line.trim() == section)
    }

    fn files(&self) -> impl Iterator<Item = &str> {
        let prefix = if self.folder.is_empty() { String::new() } else { format!("{}/", self.folder) };
        self.listing.paths().iter().filter_map(move |p| p.strip_prefix(&prefix)).filter(|p| is_python(p))
    }

    fn manager(&self) -> Option<&'static str> {
        if self.has("uv.lock") || self.tool("uv") {
            Some("uv")
        } else if self.has("poetry.lock") || self.tool("poetry") {
            Some("poetry")
        } else if self.has("pdm.lock") || self.tool("pdm") {
            Some("pdm")
        } else if self.has("Pipfile") {
            Some("pipenv")
        } else if self.has("requirements.txt")
            || self.pyproject.contains_key("project")
            || self.has("setup.py")
        {
            Some("pip")
        } else {
            None
        }
    }

    fn target(&self) -> &str {
        if self.folder.is_empty() { "." } else { self.folder }
    }

    fn lint(&self, part: &mut Part) {
        if self.has("ruff.toml") || self.has(".ruff.toml") {
            part.propose(Role::Lint, module(&["ruff", "check", self.target()]), "ruff.toml is there");
        } else if self.tool("ruff") {
            part.propose(
                Role::Lint,
                module(&["ruff", "check", self.target()]),
                "pyproject.toml has [tool.ruff]",
            );
        } else if self.has(".flake8") {
            part.propose(Role::Lint, module(&["flake8", self.target()]), ".flake8 is there");
        } else if let Some(file) = ["setup.cfg", "tox.ini"].into_iter().find(|f| self.section(f, "[flake8]"))
        {
            part.propose(Role::Lint, module(&["flake8", self.target()]), format!("{file} has [flake8]"));
        }
    }

    fn test(&self, part: &mut Part) {
        let mut pytest = module(&["pytest"]);
        pytest.extend((!self.folder.is_empty()).then(|| self.folder.to_owned()));
        if let Some(why) = self.pytest_evidence() {
            part.propose(Role::Test, pytest, why);
        } else if let Some(file) = self.unittest_file() {
            let mut unittest = module(&["unittest", "discover"]);
            if !self.folder.is_empty() {
                unittest.extend(["-s".to_owned(), self.folder.to_owned()]);
            }
            part.propose(Role::Test, unittest, format!("{file} uses unittest and nothing names pytest"));
        } else if part.framework.is_some() {
            let why = format!(
                "{} is used, and its tests are usually written for pytest",
                part.framework.unwrap_or("it")
            );
            part.propose(Role::Test, pytest, why);
        } else {
            part.notes.push("No tests and no test runner were found: fill in `commands.test`.".into());
        }
    }

    fn pytest_evidence(&self) -> Option<String> {
        for name in ["pytest.ini", ".pytest.ini", "conftest.py"] {
            if self.has(name) {
                return Some(format!("{} is there", join(self.folder, name)));
            }
        }
        if self.tool("pytest") {
            return Some("pyproject.toml has [tool.pytest]".into());
        }
        if let Some((file, _)) = [("setup.cfg", "[tool:pytest]"), ("tox.ini", "[pytest]")]
            .into_iter()
            .find(|(file, section)| self.section(file, section))
        {
            return Some(format!("{file} configures pytest"));
        }
        if framework(&self.named, &[("pytest", "pytest")]).is_some() {
            return Some("pytest is named as a dependency".into());
        }
        let import = |text: &str| text.lines().any(|l| l.trim_start().starts_with("import pytest"));
        let file = self.test_files().find(|f| self.text_of(f).is_some_and(|t| import(&t)))?;
        Some(format!("{file} imports pytest"))
    }

    fn unittest_file(&self) -> Option<&str> {
        let import =
            |text: &str| text.lines().any(|l| l.contains("import unittest") || l.contains("from unittest"));
        self.test_files().find(|f| self.text_of(f).is_some_and(|t| import(&t)))
    }

    /// Returns the first test files; a few are enough to know the runner.
    fn test_files(&self) -> impl Iterator<Item = &str> {
        let is_test = |p: &&str| {
            let name = p.rsplit('/').next().unwrap_or(p);
            name.starts_with("test_") || name.ends_with("_test.py") || name == "tests.py"
        };
        self.files().filter(is_test).take(20)
    }

    fn text_of(&self, file: &str) -> Option<String> {
        self.listing.text(&join(self.folder, file))
    }
}
