//! Why a test failed, judged by what was printed and by what the plan is to make.
//!
//! Must never call a failure `assertion` or `missing-behaviour` on a guess: what no rule names is `unclear`.

use super::pattern::{Pattern, patterns};
use crate::artifact::path::RepoPath;
use crate::artifact::types::plan::{FileRole, Plan};
use crate::artifact::types::verification::FailureClass;

/// Longer messages are judged by their start and their end.
const LOOKED_AT: usize = 32 * 1024;

/// What the change is going to make, as far as the plan tells.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// Files of the change, without their extension, parts separated by `/`.
    stems: Vec<String>,
    /// Files of the change.
    files: Vec<String>,
    /// Whether the change alters what is installed, and commands are configured that install it.
    installs: bool,
}

patterns! {
    NOT_JSON = r"is not valid JSON|in JSON at position|Unexpected end of JSON input|json\.decoder\.JSONDecodeError";
    ASSERTION = r"(?m)^(?:E\s+)?(?:[\w.]+\.)?Assertion(?:Error|FailedError)\b|^E\s+assert\b|^E\s+Failed: DID NOT RAISE|ERR_ASSERTION|^assertion (?:failed|`left)|^name: 'AssertionError'|\bexpect\(.*\)\.|^assert(?:\.\w+)*\(received|did not panic as expected|^E?\s*assert .* (?:==|!=|in|is) ";
    MODULE = r#"No module named '([^']+)'|[Cc]annot find (?:module|package) '([^']+)'|Failed to resolve import "([^"]+)"|unlinked crate `([^`]+)`|can't find crate for `([^`]+)`|provid(?:es|ing) package ([^\s;:]+)|package (\S+) is not in (?:GOROOT|std)|cannot find package "([^"]+)""#;
    IMPORT_NAME = r"cannot import name '[^']+' from (?:partially initialized module )?'([^']+)'(?: \(([^)]*)\))?";
    RUST_FILE = r"(?:couldn't|could not) read `([^`]+)`|file not found for module `([^`]+)`";
    ABSENT_FILE = r"(?:No such file or directory|ENOENT: no such file or directory)[^\n'`]*['`]([^'`\n]+)['`]";
    NO_EXPORT = r"does not provide an export named|has no exported member";
    SYNTAX = r"(?m)^(?:E\s+)?(?:SyntaxError|IndentationError|TabError)\b|Exception during run: SyntaxError|invalid JS syntax|Jest encountered an unexpected token|^\S+\.go:\d+:\d+: (?:syntax error|expected |string literal not terminated|rune literal not terminated|illegal character)|^\S+\.tsx?[:(]\d+.*error TS1\d{3}:";
    RUST_PLAIN = r"(?m)^error: (.*)\n +--> ";
    RUST_CODE = r"(?m)^error\[E(\d{4})\]";
    MACHINE = r"(?i)command not found|temporary failure in name resolution|could not resolve host|name or service not known|\bEAI_AGAIN\b|\bENETUNREACH\b|network is unreachable|\bEADDRINUSE\b|address already in use|\bEACCES\b|\bEPERM\b|permission ?denied|operation not permitted|no space left on device|cannot allocate memory|connection ?refused|\bECONNREFUSED\b|no matching package named|failed to (?:get|download|load source|fetch) |module lookup disabled|dial tcp|fixture '\w+' not found";
    MISSING = r"(?m)^(?:E\s+)?(?:AttributeError|NameError|NotImplementedError|UnboundLocalError)\b|^(?:E\s+)?(?:KeyError|TypeError)\b|^(?:Uncaught )?(?:TypeError|ReferenceError)\b|^name: '(?:TypeError|ReferenceError)'|is not a function\b|is not defined\b|Cannot read propert|\bundefined: |\bundefined \(type|unknown field |(?:not enough|too many) arguments in call|not (?:yet )?implemented|404 Not Found|HTTPStatusError|\berror TS2\d{3}:";
    TIMEOUT = r"(?i)\btimed out\b|\btimeout\b.*\bexceeded|Timeout >|exceeded timeout|test timed out after";
    FAILED_BY_TEST = r"(?m)^thread '.*' (?:\(\d+\) )?panicked at |^Error: |^\S+_test\.go:\d+: ";
}

/// Codes of rustc that say that something does not exist, is not reachable or has another form.
const RUST_MISSING: [&str; 28] = [
    "0026", "0027", "0046", "0050", "0053", "0061", "0063", "0107", "0277", "0282", "0308", "0369", "0404",
    "0405", "0407", "0412", "0422", "0423", "0425", "0432", "0433", "0437", "0531", "0560", "0599", "0603",
    "0609", "0616",
];

/// Files that say which packages a program needs.
const DEPENDENCY_FILES: [&str; 10] = [
    "requirements.txt",
    "requirements-dev.txt",
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "Pipfile",
    "package.json",
    "Cargo.toml",
    "go.mod",
    "Gemfile",
];

impl Known {
    /// Takes from a plan what the change is going to make; `setup`: whether commands are configured that install packages.
    pub(super) fn new(plan: &Plan, setup: bool) -> Self {
        let files: Vec<String> = plan
            .files
            .iter()
            .filter(|file| file.role == FileRole::Change)
            .map(|file| file.path.to_string())
            .collect();
        let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        let installs = setup && files.iter().any(|path| DEPENDENCY_FILES.contains(&last(path).as_str()));
        let stems = files.iter().map(|path| stem(path)).collect();
        Self { stems, files, installs }
    }

    /// Tells whether the change makes or alters a module: dotted, with `::`, or a path.
    fn makes(&self, module: &str) -> bool {
        let module =
            stem(module.trim_start_matches(super::excerpt::COPY).trim_start_matches(['.', '/', '@']));
        let module = if module.contains('/') { module } else { module.replace("::", "/").replace('.', "/") };
        !module.is_empty() && self.stems.iter().any(|stem| shares_parts(stem, &module))
    }

    /// Tells whether the change makes or alters a file.
    pub(super) fn makes_file(&self, path: &str) -> bool {
        let path = path.trim_start_matches(super::excerpt::COPY).trim_start_matches(['.', '/']);
        self.files.iter().any(|file| {
            file == path || path.ends_with(&format!("/{file}")) || file.ends_with(&format!("/{path}"))
        })
    }

    /// Tells whether the change makes or alters the crate root or manifest, so that a crate may come into being.
    fn makes_crate(&self, name: &str) -> bool {
        self.makes(name)
            || self
                .files
                .iter()
                .any(|f| f == "src/lib.rs" || f.ends_with("/src/lib.rs") || f.ends_with("Cargo.toml"))
    }
}

/// Returns a path without its extension and without the part that only stands for its folder.
fn stem(path: &str) -> String {
    const EXTENSIONS: [&str; 10] =
        [".py", ".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".tsx", ".rs", ".go"];
    let bare = EXTENSIONS.iter().find_map(|e| path.strip_suffix(e)).unwrap_or(path);
    let index = ["/__init__", "/index", "/mod"].iter().find_map(|e| bare.strip_suffix(e));
    index.unwrap_or(bare).to_owned()
}

/// Tells whether `module` stands in `stem` as a run of whole parts, or `stem` ends `module`.
fn shares_parts(stem: &str, module: &str) -> bool {
    let framed = format!("/{stem}/");
    framed.contains(&format!("/{module}/")) || format!("/{module}/").ends_with(&framed)
}

/// Returns the class of a failure.
pub(super) fn classify(message: &str, known: &Known) -> FailureClass {
    let text = looked_at(message);
    let text = text.as_str();
    if NOT_JSON.is_match(text) || NO_EXPORT.is_match(text) {
        return FailureClass::MissingBehaviour;
    }
    // Before assertions: an error in the source of an assertion quotes that assertion.
    if SYNTAX.is_match(text) {
        return FailureClass::Syntax;
    }
    if ASSERTION.is_match(text) {
        return FailureClass::Assertion;
    }
    by_name(text, known)
        .or_else(|| by_compiler(text))
        .or_else(|| by_words(text))
        .unwrap_or(FailureClass::Unclear)
}

fn looked_at(message: &str) -> String {
    if message.len() <= 2 * LOOKED_AT {
        return message.to_owned();
    }
    let end = message.ceil_char_boundary(message.len() - LOOKED_AT);
    format!("{}\n{}", &message[..message.floor_char_boundary(LOOKED_AT)], &message[end..])
}

/// Judges failures that name what could not be found.
fn by_name(text: &str, known: &Known) -> Option<FailureClass> {
    let made = |yes| if yes { FailureClass::MissingBehaviour } else { FailureClass::Environment };
    let name = |pattern: &Pattern| {
        let found = pattern.captures(text)?;
        found.iter().skip(1).flatten().next().map(|m| (m.as_str().to_owned(), found[0].to_owned()))
    };
    if let Some((module, said)) = name(&MODULE) {
        let rust = said.contains("crate");
        let relative = module.starts_with('.') || module.starts_with(super::excerpt::COPY);
        return Some(match (rust, known.makes(&module)) {
            (_, true) => FailureClass::MissingBehaviour,
            (true, false) => made(known.installs || known.makes_crate(&module)),
            // A file of the repository that nobody is going to make: the test is wrong, not the machine.
            (false, false) if relative => FailureClass::Unclear,
            (false, false) => made(known.installs),
        });
    }
    if let Some(found) = IMPORT_NAME.captures(text) {
        let own = found.get(2).is_some_and(|m| m.as_str().starts_with(super::excerpt::COPY));
        return Some(made(known.makes(&found[1]) || own && !found[2].contains("site-packages")));
    }
    if let Some((file, _)) = name(&RUST_FILE).or_else(|| name(&ABSENT_FILE)) {
        let own = known.makes_file(&file) || known.makes(&file);
        return own.then_some(FailureClass::MissingBehaviour);
    }
    None
}

/// Judges compile errors of Rust, by their code.
fn by_compiler(text: &str) -> Option<FailureClass> {
    // An error without a code is one of the parser or of a macro.
    if RUST_PLAIN.captures(text).is_some_and(|found| !found[1].starts_with("cannot find")) {
        return Some(FailureClass::Syntax);
    }
    let mut codes = RUST_CODE.captures_iter(text).peekable();
    codes.peek()?;
    let all = codes.all(|found| RUST_MISSING.contains(&&found[1]));
    Some(if all { FailureClass::MissingBehaviour } else { FailureClass::Unclear })
}

fn by_words(text: &str) -> Option<FailureClass> {
    [
        (&MACHINE, FailureClass::Environment),
        (&TIMEOUT, FailureClass::Stopped),
        (&MISSING, FailureClass::MissingBehaviour),
        (&FAILED_BY_TEST, FailureClass::Assertion),
    ]
    .into_iter()
    .find_map(|(pattern, class)| pattern.is_match(text).then_some(class))
}

/// Tells whether an output names a test's file or the test itself, as a whole word.
pub(super) fn names(text: &str, path: &RepoPath, name: &str) -> bool {
    let word = |wanted: &str| {
        let part = |c: char| c.is_alphanumeric() || c == '_';
        wanted.len() > 2
            && text
                .match_indices(wanted)
                .any(|(at, _)| !text[..at].ends_with(part) && !text[at + wanted.len()..].starts_with(part))
    };
    word(path.as_str()) || word(name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::FailureClass::{Assertion, Environment, MissingBehaviour, Stopped, Syntax, Unclear};
    use super::*;

    fn known(files: &[&str], installs: bool) -> Known {
        let files: Vec<String> = files.iter().map(|f| (*f).to_owned()).collect();
        Known { stems: files.iter().map(|f| stem(f)).collect(), files, installs }
    }

    #[test]
    fn failures_are_classed() {
        let plan =
            known(&["app/health.py", "src/health.js", "src/lib.rs", "internal/health/health.go"], false);
        for (text, wanted) in [
            ("E   AssertionError: assert 404 == 200", Assertion),
            ("E       assert 404 == 200", Assertion),
            ("AssertionError: 'hi' != 'hello'", Assertion),
            ("thread 'x' (12) panicked at tests/a.rs:1:2:\nassertion `left == right` failed", Assertion),
            ("thread 'x' panicked at tests/a.rs:1:2:\na route", Assertion),
            ("demo_test.go:7: got hi, want hello", Assertion),
            ("error: 'boom'\ncode: 'ERR_ASSERTION'", Assertion),
            ("E   ModuleNotFoundError: No module named 'app.health'", MissingBehaviour),
            ("E   ModuleNotFoundError: No module named 'app'", MissingBehaviour),
            ("E   ModuleNotFoundError: No module named 'fastapi'", Environment),
            ("E   ModuleNotFoundError: No module named 'healthy'", Environment),
            ("E   ImportError: cannot import name 'x' from 'app' (<copy>/app.py)", MissingBehaviour),
            ("E   ImportError: cannot import name 'x' from 'yaml' (/usr/lib/python3/yaml.py)", Environment),
            ("Error: Cannot find module '../src/health.js'", MissingBehaviour),
            (
                "Error [ERR_MODULE_NOT_FOUND]: Cannot find module '<copy>/src/health.js' imported from x",
                MissingBehaviour,
            ),
            ("Error: Cannot find module '../nobody/makes.js'", Unclear),
            ("Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'left-pad' imported from x", Environment),
            (
                "SyntaxError: The requested module '../app.js' does not provide an export named 'health'",
                MissingBehaviour,
            ),
            ("SyntaxError: Unexpected token '<', \"<!DOC\" is not valid JSON", MissingBehaviour),
            ("SyntaxError: Unexpected token ','", Syntax),
            ("E   SyntaxError: invalid syntax", Syntax),
            ("E   IndentationError: unexpected indent", Syntax),
            ("error: mismatched closing delimiter: `}`\n  --> tests/health.rs:9:15\n", Syntax),
            (
                "error[E0425]: cannot find function `health` in crate `demo`\n --> tests/h.rs:9:22\n",
                MissingBehaviour,
            ),
            ("error[E0382]: use of moved value\n --> tests/h.rs:9:22\n", Unclear),
            ("./demo_test.go:7:5: undefined: Health", MissingBehaviour),
            ("demo_test.go:7:12: expected operand, found '!='", Syntax),
            ("E   PermissionError: [Errno 13] Permission denied: '/etc/shadow'", Environment),
            ("E   httpx.ConnectError: [Errno 111] Connection refused", Environment),
            ("sh: 1: psql: command not found", Environment),
            ("E   AttributeError: module 'app' has no attribute 'health'", MissingBehaviour),
            ("TypeError: app.health is not a function", MissingBehaviour),
            ("not yet implemented: the endpoint", MissingBehaviour),
            ("E   Failed: Timeout >1.0s", Stopped),
            ("Segmentation fault", Unclear),
            ("", Unclear),
        ] {
            assert_eq!(classify(text, &plan), wanted, "{text}");
        }
    }

    #[test]
    fn a_missing_package_counts_as_missing_behaviour_only_when_the_change_installs_it() {
        let text = "E   ModuleNotFoundError: No module named 'fastapi'";
        assert_eq!(classify(text, &known(&["requirements.txt"], true)), MissingBehaviour);
        assert_eq!(classify(text, &known(&["requirements.txt"], false)), Environment);
        let crate_ =
            "error[E0432]: unresolved import `demo`\n  | use of unresolved module or unlinked crate `demo`";
        assert_eq!(classify(crate_, &known(&["src/lib.rs"], false)), MissingBehaviour);
        assert_eq!(classify(crate_, &known(&["src/main.rs"], false)), Environment);
    }

    #[test]
    fn tests_are_named_as_whole_words() {
        let path: RepoPath = "tests/test_health.py".parse().unwrap();
        assert!(names("in tests/test_health.py:3", &path, "test_x"));
        assert!(names("FAIL test_x", &path, "test_x"));
        assert!(!names("FAIL test_xy", &path, "test_x"));
        assert!(!names("", &path, "test_x"));
    }

    proptest! {
        #[test]
        fn any_text_gets_a_class(text in "(?s).{0,500}") {
            classify(&text, &known(&["a/b.py"], false));
        }
    }
}
