//! Python facts: the FastAPI app a route can be added to, how a test imports it, where tests and requirements stand.
//!
//! Must never name an app that cannot be extended at module level: what is unclear is a problem, with its reason.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;
use serde::Serialize;

use crate::ports::vcs::VcsError;

use super::super::ops::package;
use super::super::tree::Tree;
use super::statements::{Statement, statements};
use super::{Problem, is_foreign};

/// Python facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Python {
    /// Another web framework in use, as `flask`.
    pub other_web: Option<String>,
    /// The one app that can be extended.
    pub app: Option<App>,
    /// Why the FastAPI code that is there cannot be extended.
    pub problem: Option<Problem>,
    /// The folder of the tests.
    pub tests: String,
    /// Whether pytest is configured, in any file it reads.
    pub pytest_config: bool,
    /// The requirements file that pip would be given.
    pub requirements: Option<String>,
    /// Whether a `pyproject.toml` or `setup.py` declares the dependencies.
    pub project_file: Option<String>,
    /// Packages named in requirements and project files, normalised.
    pub packages: BTreeSet<String>,
}

/// A FastAPI app at module level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct App {
    /// The file.
    pub file: String,
    /// The name of the app in it.
    pub name: String,
    /// The module as a test imports it.
    pub module: String,
    /// The folder that has to be on the import path, `.` for the root.
    pub root: String,
    /// The line before which a route can be put: right after the app is made, so that no route shadows it.
    pub line: usize,
    /// The unit of indentation.
    pub indent: String,
    /// A name for the handler that the module does not use.
    pub handler: String,
    /// Every path that routes of the repository name.
    pub routes: BTreeSet<String>,
}

fn pattern(text: &'static str) -> Option<Regex> {
    Regex::new(text).ok()
}

static APP: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"^(?P<name>[A-Za-z_]\w*)\s*(?::[^=]*)?=\s*(?:\w+\.)*FastAPI\s*\("));
static FASTAPI: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"^(?:from|import)\s+fastapi\b"));
static OTHER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"^(?:from|import)\s+(flask|django|starlette|aiohttp|sanic|tornado|bottle|falcon|quart|litestar)\b",
    )
});
static ROUTE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r#"(?:^@|(?i:route|router|mount)\w*\s*\()[\s\S]*?\(?\s*(?:path\s*=\s*|prefix\s*=\s*)?[rf]?["'](/[^"']*)["']"#,
    )
});
static SETUP_ONLY: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"^(\w+)\.(?:add_middleware|add_exception_handler|state\.\w+\s*=)"));

fn ending(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(_, ending)| ending)
}

fn is_test(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    path.split('/').any(|p| matches!(p, "tests" | "test" | "docs" | "docs_src" | "examples" | "example"))
        || name.starts_with("test_")
        || name.ends_with("_test.py")
        || name == "conftest.py"
}

fn hit<'t>(pattern: &LazyLock<Option<Regex>>, text: &'t str) -> Option<regex::Captures<'t>> {
    pattern.as_ref().and_then(|p| p.captures(text))
}

/// What the Python sources of a repository say.
#[derive(Default)]
struct Seen {
    apps: Vec<(String, String)>,
    inner: Option<String>,
    importers: Vec<String>,
    routes: BTreeSet<String>,
    other: Option<String>,
}

impl Seen {
    fn read(&mut self, path: &str, source: &str) {
        for s in statements(source) {
            if let Some(found) = hit(&APP, s.text) {
                if s.indent.is_empty() {
                    self.apps.push((path.to_owned(), found["name"].to_owned()));
                } else {
                    self.inner.get_or_insert_with(|| path.to_owned());
                }
            }
            if hit(&FASTAPI, s.text).is_some() && self.importers.last().is_none_or(|p| p != path) {
                self.importers.push(path.to_owned());
            }
            if let Some(found) = hit(&OTHER, s.text) {
                self.other.get_or_insert_with(|| found[1].to_owned());
            }
            if let Some(found) = hit(&ROUTE, s.text) {
                self.routes.insert(found[1].to_owned());
            }
        }
    }
}

/// Detects Python facts.
pub fn detect(tree: &Tree<'_>) -> Result<Python, VcsError> {
    let mut seen = Seen::default();
    for path in tree.files().filter(|p| ending(p) == "py" && !is_foreign(p) && !is_test(p)) {
        if let Some(source) = tree.text(path)? {
            seen.read(path, &source);
        }
    }
    let (app, problem) = match choose(&seen) {
        Ok(None) => (None, None),
        Ok(Some((path, name))) => match extendable(tree, path, name, &seen.routes)? {
            Ok(app) => (Some(app), None),
            Err(why) => (None, Some(Problem { path: path.to_owned(), why })),
        },
        Err(problem) => (None, Some(problem)),
    };
    let fastapi = app.is_some() || problem.is_some();
    let requirements = requirements(tree, app.as_ref());
    let mut packages = BTreeSet::new();
    for path in [
        "requirements.txt",
        "requirements-dev.txt",
        "dev-requirements.txt",
        "requirements/dev.txt",
        "pyproject.toml",
    ]
    .into_iter()
    .chain(requirements.as_deref())
    {
        packages.extend(named_packages(path, &tree.text(path)?.unwrap_or_default()));
    }
    Ok(Python {
        other_web: seen.other.filter(|_| !fastapi),
        app,
        problem,
        tests: tests_folder(tree),
        pytest_config: pytest_config(tree)?,
        requirements,
        project_file: ["pyproject.toml", "setup.py", "setup.cfg", "Pipfile"]
            .into_iter()
            .find(|p| tree.has(p))
            .map(str::to_owned),
        packages,
    })
}

/// Picks the one app, or says why there is none to pick.
fn choose(seen: &Seen) -> Result<Option<(&str, &str)>, Problem> {
    let problem = |path: &str, why: String| Err(Problem { path: path.to_owned(), why });
    match (seen.apps.as_slice(), &seen.inner, seen.importers.first()) {
        ([(path, name)], ..) => Ok(Some((path, name))),
        ([], Some(path), _) => problem(
            path,
            "makes its FastAPI app inside a function or block, so there is no module-level app to add a route to".into(),
        ),
        ([], None, Some(path)) => {
            problem(path, "uses FastAPI, but no module has an app as in `app = FastAPI()`".into())
        }
        ([], None, None) => Ok(None),
        ([(path, _), rest @ ..], ..) => {
            let others: Vec<_> = rest.iter().map(|(p, n)| format!("`{n}` in `{p}`")).collect();
            problem(path, format!("is not the only place with a FastAPI app: there is {} too", others.join(", ")))
        }
    }
}

fn extendable(
    tree: &Tree<'_>,
    path: &str,
    name: &str,
    routes: &BTreeSet<String>,
) -> Result<Result<App, String>, VcsError> {
    let Some(source) = tree.text(path)? else { return Ok(Err("cannot be read as text".into())) };
    let all = statements(&source);
    let Some(at) = all
        .iter()
        .position(|s| s.indent.is_empty() && hit(&APP, s.text).is_some_and(|found| &found["name"] == name))
    else {
        return Ok(Err("has no module-level app".into()));
    };
    let handler = ["health", "health_check", "read_health", "service_health"].into_iter().find(|word| {
        Regex::new(&format!(r"\b{word}\b"))
            .is_ok_and(|used| all.iter().all(|s| !used.is_match(&without_strings(s.text))))
    });
    let Some(handler) = handler else { return Ok(Err("uses every name a health handler could have".into())) };
    let indent = all.iter().map(|s| s.indent).find(|i| !i.is_empty()).unwrap_or("    ");
    let (root, module) = import(tree, path)?;
    Ok(match module {
        None => Err("has a path that cannot be imported as a module".into()),
        Some(module) => Ok(App {
            file: path.to_owned(),
            name: name.to_owned(),
            module,
            root,
            line: place(&all[at..], name),
            indent: indent.to_owned(),
            handler: handler.to_owned(),
            routes: routes.clone(),
        }),
    })
}

/// Returns the line after the app is made and set up (middleware, handlers, state), before its first route.
fn place(from_app: &[Statement<'_>], name: &str) -> usize {
    let mut line = from_app.first().map_or(0, |s| s.end);
    for s in from_app.iter().skip(1).filter(|s| s.indent.is_empty()) {
        if hit(&SETUP_ONLY, s.text).is_none_or(|found| &found[1] != name) {
            break;
        }
        line = s.end;
    }
    line
}

fn without_strings(text: &str) -> String {
    static STRINGS: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r#""[^"\n]*"|'[^'\n]*'"#));
    STRINGS.as_ref().map_or_else(|| text.to_owned(), |p| p.replace_all(text, "''").into_owned())
}

/// Returns the folder on the import path and the module's dotted name.
fn import(tree: &Tree<'_>, path: &str) -> Result<(String, Option<String>), VcsError> {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = file.trim_end_matches(".py");
    let mut root = folder;
    while !root.is_empty() && tree.has(&format!("{root}/__init__.py")) {
        root = root.rsplit_once('/').map_or("", |(up, _)| up);
    }
    // A folder without `__init__.py` is a namespace package, unless it is a source root or its modules import each
    // other by their bare names.
    if root == folder && !root.is_empty() && !is_source_root(root) && !imports_siblings(tree, path, folder)? {
        root = root.rsplit_once('/').map_or("", |(up, _)| up);
    }
    let below = folder.strip_prefix(root).unwrap_or(folder).trim_start_matches('/');
    let mut parts: Vec<&str> = below.split('/').filter(|p| !p.is_empty()).collect();
    if stem != "__init__" {
        parts.push(stem);
    }
    let named = |part: &&str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let module = (!parts.is_empty() && parts.iter().all(named)).then(|| parts.join("."));
    let plain = root.chars().all(|c| c.is_ascii_alphanumeric() || "/_-.".contains(c));
    Ok((if root.is_empty() { ".".into() } else { root.to_owned() }, module.filter(|_| plain)))
}

fn is_source_root(folder: &str) -> bool {
    matches!(folder.rsplit('/').next(), Some("src" | "source" | "lib" | "python" | "backend" | "server"))
}

fn imports_siblings(tree: &Tree<'_>, path: &str, folder: &str) -> Result<bool, VcsError> {
    let source = tree.text(path)?.unwrap_or_default();
    let bare = |s: &Statement<'_>| {
        let mut words = s.text.split_whitespace();
        let first = matches!(words.next(), Some("from" | "import"));
        let module = words.next().unwrap_or_default().split(['.', ',']).next().unwrap_or_default();
        first
            && !module.is_empty()
            && (tree.has(&format!("{folder}/{module}.py"))
                || tree.has(&format!("{folder}/{module}/__init__.py")))
    };
    Ok(statements(&source).iter().any(bare))
}

fn tests_folder(tree: &Tree<'_>) -> String {
    ["tests", "test"].into_iter().find(|f| tree.has_folder(f)).unwrap_or("tests").to_owned()
}

fn pytest_config(tree: &Tree<'_>) -> Result<bool, VcsError> {
    for (path, mark) in [
        ("pytest.ini", ""),
        (".pytest.ini", ""),
        ("pytest.toml", ""),
        (".pytest.toml", ""),
        ("pyproject.toml", "[tool.pytest"),
        ("setup.cfg", "[tool:pytest]"),
        ("tox.ini", "[pytest]"),
    ] {
        if tree.has(path) && tree.text(path)?.unwrap_or_default().contains(mark) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns the requirements file nearest above the app.
fn requirements(tree: &Tree<'_>, app: Option<&App>) -> Option<String> {
    let mut folder = app.and_then(|a| a.file.rsplit_once('/')).map_or("", |(f, _)| f);
    loop {
        let path = if folder.is_empty() {
            "requirements.txt".to_owned()
        } else {
            format!("{folder}/requirements.txt")
        };
        if tree.has(&path) {
            return Some(path);
        }
        if folder.is_empty() {
            return None;
        }
        folder = folder.rsplit_once('/').map_or("", |(up, _)| up);
    }
}

fn named_packages(path: &str, text: &str) -> BTreeSet<String> {
    if ending(path) != "toml" {
        return text.lines().filter_map(package).collect();
    }
    // Any string or key of the project file that starts like a requirement will do: this only silences a warning.
    text.split(['"', '\'', '\n']).filter_map(package).collect()
}

#[cfg(test)]
#[path = "python_tests.rs"]
mod tests;
