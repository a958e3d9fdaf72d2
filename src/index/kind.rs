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
    let lower = path.to_ascii_lowercase();
    let (folders, name) =
        lower.rsplit_once('/').map_or(("", lower.as_str()), |(folders, name)| (folders, name));
    let (stem, end) = name.rsplit_once('.').unwrap_or((name, ""));
    let within = |list: &[&str]| folders.split('/').any(|folder| list.contains(&folder));
    if within(VENDORED) || name.ends_with(".min.js") || name.ends_with(".min.css") {
        return Kind::Vendored;
    }
    let code = CODE.contains(&end);
    let testing = folders.split('/').any(|f| {
        TESTS.contains(&f)
            || f.ends_with("-test")
            || f.ends_with("-tests")
            || f.ends_with("_tests")
            || f.starts_with("test-")
            || f.ends_with(".tests")
            || f.starts_with("test_")
            || f.contains("-test-")
    });
    let raw = path.rsplit('/').next().unwrap_or(path);
    let raw = raw.rsplit_once('.').map_or(raw, |(stem, _)| stem);
    let named = stem.starts_with("test_")
        || stem.ends_with("_test")
        || stem.ends_with("_tests")
        || stem.ends_with("-test")
        || stem.ends_with("_spec")
        || stem.ends_with(".test")
        || stem.ends_with(".spec")
        || stem.ends_with(".stories")
        || matches!(stem, "test" | "tests" | "conftest")
        || raw.ends_with("Test")
        || raw.ends_with("Tests")
        || raw.ends_with("TestCase")
        || raw.ends_with("Spec");
    if testing || (named && (code || end.is_empty())) {
        return Kind::Test;
    }
    if within(DOCS) || PROSE.contains(&end) {
        return Kind::Docs;
    }
    if code { Kind::Source } else { Kind::Other }
}
