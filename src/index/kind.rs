//! What a file is for, told by its path alone.
//!
//! Must never read a file.

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Source code.
    Source,
    /// A test, a fixture, an example or a bench.
    Test,
    /// Prose.
    Docs,
    /// Settings, data and all the rest.
    Other,
    /// Somebody else's code, kept here.
    Vendored,
}

impl Kind {
    /// Returns the share of a score that counts: a request is rarely for somebody else's code.
    pub const fn share(self) -> f32 {
        match self {
            Self::Source => 1.0,
            Self::Test => 0.85,
            Self::Docs => 0.7,
            Self::Other => 0.75,
            Self::Vendored => 0.4,
        }
    }

    /// Returns its name as shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Test => "test",
            Self::Docs => "docs",
            Self::Other => "other",
            Self::Vendored => "vendored",
        }
    }
}

const CODE: &[&str] = &[
    "astro", "bash", "bat", "c", "cc", "cjs", "clj", "cljs", "cmake", "cpp", "cs", "css", "cts", "cu", "cxx",
    "dart", "elm", "erl", "ex", "exs", "fish", "fs", "fsx", "go", "gradle", "graphql", "groovy", "h", "hcl",
    "hh", "hpp", "hrl", "hs", "htm", "html", "inc", "java", "jl", "js", "jsx", "kt", "kts", "less", "lua",
    "m", "mjs", "ml", "mli", "mm", "mts", "nim", "nix", "nu", "php", "pl", "pm", "proto", "ps1", "psm1",
    "py", "pyi", "pyx", "r", "rb", "rego", "rs", "sass", "scala", "scm", "scss", "sh", "sol", "sql",
    "svelte", "swift", "tcl", "tf", "thrift", "ts", "tsx", "twig", "v", "vb", "vim", "vue", "zig", "zsh",
];

const PROSE: &[&str] = &["adoc", "asciidoc", "md", "mdx", "markdown", "org", "rst", "txt"];

const TESTS: &[&str] = &[
    "__fixtures__",
    "__mocks__",
    "__snapshots__",
    "__test__",
    "__tests__",
    "acceptance",
    "androidtest",
    "bench",
    "benches",
    "benchmark",
    "benchmarks",
    "demo",
    "demos",
    "e2e",
    "example",
    "examples",
    "fixture",
    "fixtures",
    "integration",
    "mock",
    "mocks",
    "playground",
    "sample",
    "samples",
    "spec",
    "specs",
    "test",
    "testdata",
    "testing",
    "tests",
    "testsuite",
    "unit",
];

const DOCS: &[&str] =
    &[".github", "changelog", "changelogs", "doc", "docs", "documentation", "locale", "locales", "website"];

const VENDORED: &[&str] =
    &["bower_components", "node_modules", "third-party", "third_party", "thirdparty", "vendor", "vendored"];

/// Returns what a file is for.
pub fn of(path: &str) -> Kind {
    Kinds::default().of(path)
}

/// Tells what files are for, one after the other: what a folder says is looked up once for files that follow each other.
#[derive(Clone, Debug, Default)]
pub struct Kinds {
    folder: Option<String>,
    within: Within,
}

/// What the folders of a path say.
#[derive(Clone, Copy, Debug, Default)]
struct Within {
    vendored: bool,
    tests: bool,
    docs: bool,
}

impl Within {
    fn of(folders: &str) -> Self {
        let folders = folders.to_ascii_lowercase();
        let within = |list: &[&str]| folders.split('/').any(|folder| list.contains(&folder));
        Self { vendored: within(VENDORED), tests: folders.split('/').any(holds_tests), docs: within(DOCS) }
    }
}

impl Kinds {
    /// Returns what a file is for.
    pub fn of(&mut self, path: &str) -> Kind {
        let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
        if self.folder.as_deref() != Some(folders) {
            (self.folder, self.within) = (Some(folders.to_owned()), Within::of(folders));
        }
        let lower = name.to_ascii_lowercase();
        let (stem, end) = lower.rsplit_once('.').unwrap_or((&lower, ""));
        let minified =
            stem.rsplit_once('.').is_some_and(|(_, part)| part == "min") && matches!(end, "js" | "css");
        if self.within.vendored || minified {
            return Kind::Vendored;
        }
        let code = CODE.binary_search(&end).is_ok();
        if self.within.tests || (names_test(name, stem) && (code || end.is_empty())) {
            return Kind::Test;
        }
        if self.within.docs || PROSE.contains(&end) {
            return Kind::Docs;
        }
        if code { Kind::Source } else { Kind::Other }
    }
}

/// Tells whether a folder's name says that tests are in it.
fn holds_tests(folder: &str) -> bool {
    const ENDS: &[&str] = &["-test", "-tests", "_tests", ".tests"];
    TESTS.contains(&folder)
        || ENDS.iter().any(|end| folder.ends_with(end))
        || folder.starts_with("test-")
        || folder.starts_with("test_")
        || folder.contains("-test-")
}

/// Tells whether a file's name says that it is a test.
fn names_test(name: &str, stem: &str) -> bool {
    const ENDS: &[&str] = &["_test", "_tests", "-test", "_spec"];
    const CASED: &[&str] = &["Test", "Tests", "TestCase", "Spec"];
    let inner = stem.rsplit_once('.').map_or("", |(_, part)| part);
    let raw = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    stem.starts_with("test_")
        || matches!(stem, "test" | "tests" | "conftest")
        || matches!(inner, "test" | "spec" | "stories")
        || ENDS.iter().any(|end| stem.ends_with(end))
        || CASED.iter().any(|end| raw.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_tell_what_files_are_for() {
        for (path, kind) in [
            ("src/app.py", Kind::Source),
            ("src/test_app.py", Kind::Test),
            ("lib/FooTest.java", Kind::Test),
            ("lib/latest.rs", Kind::Source),
            ("web/a.spec.ts", Kind::Test),
            ("okhttp-testing-support/src/a.kt", Kind::Source),
            ("My.App.Tests/a.cs", Kind::Test),
            ("docs/a.py", Kind::Docs),
            ("README.md", Kind::Docs),
            ("vendor/a/b.go", Kind::Vendored),
            ("web/jquery.min.js", Kind::Vendored),
            ("Cargo.toml", Kind::Other),
        ] {
            assert_eq!(of(path), kind, "{path}");
        }
        assert!(CODE.is_sorted());
    }

    #[test]
    fn files_after_each_other_are_told_as_each_by_itself() {
        let mut kinds = Kinds::default();
        for path in
            ["a.rs", "tests/a.rs", "tests/b.rs", "src/b.rs", "Docs/a.rs", "b.rs", "/b.rs", "src/tests/b.rs"]
        {
            assert_eq!(kinds.of(path), of(path), "{path}");
        }
    }
}
