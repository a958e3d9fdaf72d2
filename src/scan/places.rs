//! What a path says of a file: tested, made by a program, prose, words to translate, code.
//!
//! Must never look into a file.

/// What a path says; more than one may be so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
pub struct Place {
    /// A test, or data of tests.
    pub test: bool,
    /// Made by a program or somebody else: vendored, minified, built, locked.
    pub made: bool,
    /// Text for people.
    pub prose: bool,
    /// Texts in other languages.
    pub words: bool,
    /// A program.
    pub code: bool,
}

const TESTS: [&str; 22] = [
    "test",
    "tests",
    "spec",
    "specs",
    "__tests__",
    "testdata",
    "test-data",
    "test_data",
    "fixture",
    "fixtures",
    "__fixtures__",
    "mock",
    "mocks",
    "__mocks__",
    "testing",
    "e2e",
    "snapshots",
    "__snapshots__",
    "corpus",
    "fuzz",
    "benchmarks",
    "bench",
];
const MADE: [&str; 16] = [
    "vendor",
    "vendored",
    "node_modules",
    "third_party",
    "third-party",
    "thirdparty",
    "external",
    "dist",
    "build",
    "out",
    "generated",
    "gen",
    "_vendor",
    "bower_components",
    "site-packages",
    "deps",
];
const WORDS: [&str; 12] = [
    "locale",
    "locales",
    "i18n",
    "l10n",
    "lang",
    "langs",
    "language",
    "languages",
    "translations",
    "translation",
    "intl",
    "cldr",
];
const PROSE: [&str; 14] =
    ["md", "mdx", "mdc", "rst", "txt", "adoc", "html", "htm", "tex", "po", "pot", "org", "textile", "xhtml"];
const WORD_FILES: [&str; 9] = ["po", "pot", "ftl", "xlf", "xliff", "strings", "resx", "arb", "mo"];
const CODE: [&str; 52] = [
    "py", "pyi", "rs", "js", "jsx", "mjs", "cjs", "ts", "tsx", "mts", "cts", "go", "java", "kt", "kts",
    "scala", "rb", "php", "c", "h", "cc", "cpp", "cxx", "hpp", "hh", "cs", "swift", "m", "mm", "ex", "exs",
    "erl", "hs", "lua", "pl", "pm", "sh", "bash", "zsh", "fish", "ps1", "psm1", "bat", "cmd", "sql", "vue",
    "svelte", "dart", "zig", "sol", "groovy", "gradle",
];

impl Place {
    /// Looks at a path in lower case.
    pub fn of_lower(path: &str) -> Self {
        let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
        let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
        let mut place = Self {
            test: name.starts_with("test_")
                || ["_test", "_spec", ".test", ".spec", "tests", "_tests"]
                    .iter()
                    .any(|end| stem.ends_with(end))
                || extension == "snap",
            made: stem.strip_suffix(".min").is_some()
                || stem.strip_suffix(".bundle").is_some()
                || matches!(extension, "lock" | "map"),
            prose: PROSE.contains(&extension),
            words: WORD_FILES.contains(&extension),
            code: CODE.contains(&extension),
        };
        for folder in folders.split('/') {
            place.test |= TESTS.contains(&folder)
                || ["-tests", "_test", "_tests", "-test", ".tests"].iter().any(|end| folder.ends_with(end));
            place.made |= MADE.contains(&folder);
            place.words |= WORDS.contains(&folder);
        }
        place
    }

    /// Returns the place as facts name it (attribute `where`): `tests` for tests and their data, `made` for what programs made, `code` for the rest.
    pub const fn name(self) -> &'static str {
        if self.test {
            "tests"
        } else if self.made {
            "made"
        } else {
            "code"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_say_what_they_are() {
        for (path, want) in [
            ("src/a.rs", "code"),
            ("tests/a.rs", "tests"),
            ("a_test.go", "tests"),
            ("web/foo.spec.ts", "tests"),
            ("vendor/x/a.js", "made"),
            ("static/jquery.min.js", "made"),
            ("latest/contest.py", "code"),
        ] {
            assert_eq!(Place::of_lower(path).name(), want, "{path}");
        }
        assert!(Place::of_lower("app/locale/de/x.json").words);
        assert!(Place::of_lower("readme.md").prose && !Place::of_lower("readme.md").test);
    }
}
