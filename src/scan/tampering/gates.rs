//! Settings that say how much is checked: coverage thresholds, rules of linters and type checkers, steps of CI.
//!
//! Must never read a number or a rule in a file that is not one of the tools'.

#![expect(
    clippy::case_sensitive_file_extension_comparisons,
    reason = "what is compared has been lowered, or the tool itself knows but this case"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::LazyLock;

use regex::bytes::Regex;

use super::{COVERAGE, LINT, SKIPPED};
use crate::scan::{Confidence, FileChange, Found};

type Lazy = LazyLock<Option<Regex>>;

fn regex(pattern: &str) -> Option<Regex> {
    Regex::new(pattern).ok()
}

/// A setting with the place of its value.
struct Set {
    name: String,
    value: String,
    range: Range<usize>,
}

/// Reads all settings an expression finds: its first group is the name, its last the value.
fn settings(pattern: &Lazy, text: &[u8]) -> Vec<Set> {
    let Some(pattern) = pattern.as_ref() else { return Vec::new() };
    let own = |m: regex::bytes::Match<'_>| String::from_utf8_lossy(m.as_bytes()).into_owned();
    pattern
        .captures_iter(text)
        .filter_map(|found| {
            let name = found.get(1)?;
            let value = (2..found.len()).rev().find_map(|n| found.get(n))?;
            Some(Set { name: own(name), value: own(value), range: name.start()..value.end() })
        })
        .collect()
}

static FAIL_UNDER: Lazy = LazyLock::new(|| {
    regex(
        r#"(?i)\b(fail[_-]under(?:[_-]\w+)?|minimum_coverage(?:_by_file)?|fail-under-(?:lines|functions|regions)|minCoverage|coverage[_-]?threshold|min[_-]coverage)["']?\s*(?:[=: ]|=>)\s*["']?([0-9]+(?:\.[0-9]+)?)"#,
    )
});
static OF_JS: Lazy = LazyLock::new(|| {
    regex(r#"["']?\b(branches|functions|lines|statements)["']?\s*[:=]\s*(-?[0-9]+(?:\.[0-9]+)?)"#)
});
static OF_CODECOV: Lazy =
    LazyLock::new(|| regex(r#"(?m)^\s*(target|threshold)\s*:\s*["']?([0-9]+(?:\.[0-9]+)?)"#));
static OF_JVM: Lazy = LazyLock::new(|| {
    regex(r#"\b(minimum|minValue|minBound|minCoveredRatio)>?\s*(?:\(|=|\.set\()?\s*"?([0-9]+(?:\.[0-9]+)?)"#)
});
static STRICT_JSON: Lazy = LazyLock::new(|| {
    regex(
        r#""(strict\w*|no[A-Z]\w+|alwaysStrict|use(?:Unknown\w+|DefineFor\w+)|exact\w+)"\s*:\s*(true|false)"#,
    )
});
static STRICT_PY: Lazy = LazyLock::new(|| {
    regex(
        r"(?im)^[ \t]*(strict\w*|disallow_\w+|warn_\w+|check_untyped_defs|no_implicit_\w+|xfail_strict|extra_checks)\s*=\s*(true|false)\b",
    )
});
static IGNORE_ERRORS: Lazy =
    LazyLock::new(|| regex(r"(?im)^[ \t]*(ignore_errors|ignore_missing_imports)\s*=\s*(true)\b"));
static ESLINT: Lazy = LazyLock::new(|| {
    regex(r#"["']?([@a-zA-Z][\w@/-]+)["']?\s*:\s*\[?\s*(?:["'](off|warn|error)["']|([012])\b)"#)
});
static CARGO: Lazy =
    LazyLock::new(|| regex(r#"(?m)^([\w:-]+)\s*=\s*(?:\{[^}\n]*level\s*=\s*)?"(allow|warn|deny|forbid)""#));
static LISTS: Lazy = LazyLock::new(|| {
    regex(
        r"(?m)^[ \t]*((?:lint\.)?(?:extend-)?ignore|disable|disable_error_code|extend_ignore)\s*[=:]\s*(\[[^\]]*\]|[^\n]*(?:\n[ \t]+[^\n=\[]+)*)",
    )
});
static RUBOCOP: Lazy =
    LazyLock::new(|| regex(r"(?m)^(\w+(?:/\w+)*):\s*\n(?:[ \t]+[^\n]*\n)*?[ \t]+Enabled:\s*(false)"));
static SOFT: Lazy = LazyLock::new(|| {
    regex(
        r"(continue-on-error:\s*(?:true|\$\{\{)|allow_failure:\s*true|\|\|\s*(?:true\b|exit 0\b|:(?:\s|$|&|'))|--passWithNoTests|--pass-with-no-tests|-DskipTests|-Dmaven\.test\.skip|--no-run\b.*\btest)",
    )
});
static DESELECT: Lazy = LazyLock::new(|| {
    regex(
        r#"(--deselect[= ]\S+|--ignore(?:-glob)?[= ][^\s"',]*tests?[^\s"',]*|-k\s+["']?not [^"'\n]+|--skip[= ]\S+)"#,
    )
});

fn has(text: &[u8], words: &[&str]) -> bool {
    words.iter().any(|word| memchr::memmem::find(text, word.as_bytes()).is_some())
}

/// Looks at one file.
pub fn look(file: &FileChange<'_>, sink: &mut dyn FnMut(&str, Found)) {
    let (Some(before), Some(after)) = (file.before, file.after) else { return };
    let low = file.path.to_ascii_lowercase();
    let name = low.rsplit('/').next().unwrap_or_default();
    let ini = matches!(
        name,
        "pyproject.toml"
            | "setup.cfg"
            | "tox.ini"
            | "pytest.ini"
            | ".coveragerc"
            | "mypy.ini"
            | ".mypy.ini"
            | "ruff.toml"
            | ".ruff.toml"
            | ".flake8"
            | ".pylintrc"
            | "pylintrc"
            | "noxfile.py"
    );
    let js = name == "package.json"
        || [
            "jest.config.",
            "vitest.config.",
            "vite.config.",
            ".nycrc",
            ".c8rc",
            "karma.conf.",
            "nyc.config.",
        ]
        .iter()
        .any(|lead| name.starts_with(lead));
    let eslint = name.starts_with(".eslintrc") || name.starts_with("eslint.config.");
    let ci = (low.contains(".github/") || low.contains(".circleci/"))
        && (name.ends_with(".yml") || name.ends_with(".yaml"))
        || matches!(
            name,
            ".gitlab-ci.yml"
                | "azure-pipelines.yml"
                | "makefile"
                | "justfile"
                | "package.json"
                | "tox.ini"
                | ".travis.yml"
                | "noxfile.py"
                | "jenkinsfile"
                | "taskfile.yml"
        );
    let mut gate = Gate { path: file.path, before, after, sink };
    if ini
        || js
        || ci
        || matches!(
            name,
            "tarpaulin.toml" | ".tarpaulin.toml" | ".simplecov" | "spec_helper.rb" | "test_helper.rb"
        )
    {
        gate.numbers(&FAIL_UNDER, &[]);
    }
    if js && has(before, &["overage", "thresholds", "\"nyc\"", "\"c8\"", "check-coverage"]) {
        gate.numbers(&OF_JS, &[]);
    }
    if matches!(name, "codecov.yml" | ".codecov.yml" | "codecov.yaml" | ".codecov.yaml") {
        gate.numbers(&OF_CODECOV, &["threshold"]);
    }
    if (name.starts_with("build.gradle") || name == "pom.xml") && has(before, &["jacoco", "kover", "Jacoco"])
    {
        gate.numbers(&OF_JVM, &[]);
    }
    if name.starts_with("tsconfig") && name.ends_with(".json") {
        gate.switches(&STRICT_JSON);
    }
    if ini {
        gate.switches(&STRICT_PY);
        gate.lists();
        gate.more(&IGNORE_ERRORS);
    }
    if eslint || (name == "package.json" && has(after, &["eslintConfig"])) {
        gate.levels(&ESLINT, &["off", "warn", "error"]);
    }
    if name == "cargo.toml" && has(after, &["lints"]) {
        gate.levels(&CARGO, &["allow", "warn", "deny", "forbid"]);
    }
    if name == ".rubocop.yml" {
        gate.more(&RUBOCOP);
    }
    if ci {
        gate.steps();
    }
    if ci || ini {
        gate.deselected();
    }
}

struct Gate<'a> {
    path: &'a str,
    before: &'a [u8],
    after: &'a [u8],
    sink: &'a mut dyn FnMut(&str, Found),
}

impl Gate<'_> {
    fn tell(
        &mut self,
        code: &'static str,
        kind: &'static str,
        range: Range<usize>,
        key: &str,
        message: String,
        sure: Confidence,
    ) {
        (self.sink)(self.path, Found::plain(code, range, message, key, sure).with("kind", kind));
    }

    /// Reports numbers that fell; of those in `other` that rose.
    fn numbers(&mut self, pattern: &Lazy, other: &[&str]) {
        let (old, new) = (by_name(settings(pattern, self.before)), by_name(settings(pattern, self.after)));
        for (name, was) in old {
            let empty = Vec::new();
            let is = new.get(&name).unwrap_or(&empty);
            if is.len() < was.len() {
                let all = was.iter().map(|s| s.value.as_str()).collect::<Vec<_>>().join(", ");
                let message = format!("the coverage setting `{name}` of `{}` ({all}) is gone", self.path);
                self.tell(COVERAGE, "threshold", 0..0, &name, message, Confidence::Medium);
                continue;
            }
            for (was, is) in was.iter().zip(is) {
                let (Ok(a), Ok(b)) = (was.value.parse::<f64>(), is.value.parse::<f64>()) else { continue };
                if if other.contains(&name.as_str()) { b > a } else { b < a } {
                    let message = format!(
                        "the coverage setting `{name}` of `{}` was {} and is {}",
                        self.path, was.value, is.value
                    );
                    self.tell(COVERAGE, "threshold", is.range.clone(), &name, message, Confidence::High);
                }
            }
        }
    }

    /// Reports switches that were on and are off or gone.
    fn switches(&mut self, pattern: &Lazy) {
        let on = |s: &Set| s.value.eq_ignore_ascii_case("true");
        let new = by_name(settings(pattern, self.after));
        for (name, was) in by_name(settings(pattern, self.before)) {
            let is = new.get(&name);
            let left = is.map_or(0, |is| is.iter().filter(|s| on(s)).count());
            if was.iter().filter(|s| on(s)).count() <= left {
                continue;
            }
            let off = is.and_then(|is| is.iter().find(|s| !on(s)));
            // `strict` stands for all the others.
            if off.is_none() && name != "strict" && new.contains_key("strict") {
                continue;
            }
            let range = off.map_or(0..0, |s| s.range.clone());
            let message = format!(
                "`{name}` of `{}` was on and is {}",
                self.path,
                if off.is_some() { "off" } else { "gone" }
            );
            let sure = if off.is_some() { Confidence::High } else { Confidence::Medium };
            self.tell(LINT, "config", range, &name, message, sure);
        }
    }

    /// Reports rules whose level fell, and new ones at the lowest.
    fn levels(&mut self, pattern: &Lazy, levels: &[&str]) {
        let rank =
            |s: &Set| levels.iter().position(|l| *l == s.value).or_else(|| s.value.parse().ok()).unwrap_or(0);
        let old = by_name(settings(pattern, self.before));
        for (name, is) in by_name(settings(pattern, self.after)) {
            let was = old.get(&name).map_or(&[][..], Vec::as_slice);
            for (n, set) in is.iter().enumerate() {
                let before = was.get(n).or(was.last());
                let lower = before.is_some_and(|before| rank(set) < rank(before));
                let new_off = rank(set) == 0 && before.is_none();
                if lower || new_off {
                    let what = if lower { "is lowered to" } else { "is set to" };
                    let message = format!("`{name}` {what} `{}` in `{}`", set.value, self.path);
                    self.tell(
                        LINT,
                        "config",
                        set.range.clone(),
                        &name,
                        message,
                        if lower { Confidence::High } else { Confidence::Medium },
                    );
                }
            }
        }
    }

    /// Reports what lists of ignored rules gained.
    fn lists(&mut self) {
        let items = |set: &Set| -> Vec<String> {
            set.value
                .split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_')))
                .filter(|w| w.len() > 1)
                .map(str::to_owned)
                .collect()
        };
        let old: BTreeSet<String> = settings(&LISTS, self.before).iter().flat_map(items).collect();
        let known: BTreeSet<String> =
            settings(&LISTS, self.after).iter().flat_map(items).filter(|i| !old.contains(i)).collect();
        let rule = |item: &&String| {
            item.starts_with(|c: char| c.is_ascii_uppercase()) && item.ends_with(|c: char| c.is_ascii_digit())
                || item.contains('-')
        };
        let new: Vec<&String> = known.iter().filter(rule).collect();
        let Some(first) = new.first() else { return };
        let at = settings(&LISTS, self.after).into_iter().find(|s| s.value.contains(first.as_str()));
        let names = new.iter().take(5).map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
        let message = format!("`{}` ignores {names} as well", self.path);
        self.tell(
            LINT,
            "config",
            at.map_or(0..0, |s| s.range.start..s.range.start + 1),
            &names,
            message,
            Confidence::Medium,
        );
    }

    /// Reports settings that are there more often than before.
    fn more(&mut self, pattern: &Lazy) {
        let old = by_name(settings(pattern, self.before));
        for (name, is) in by_name(settings(pattern, self.after)) {
            let was = old.get(&name).map_or(0, Vec::len);
            if let Some(set) = is.get(was) {
                let message = format!(
                    "`{name}` is {} in `{}`",
                    if set.value.eq_ignore_ascii_case("false") { "switched off" } else { "set" },
                    self.path
                );
                self.tell(LINT, "config", set.range.clone(), &name, message, Confidence::Medium);
            }
        }
    }

    /// Reports steps of CI and commands whose failure no longer counts.
    fn steps(&mut self) {
        const CHECKS: [&str; 22] = [
            "test",
            "lint",
            "check",
            "jest",
            "mypy",
            "ruff",
            "flake8",
            "tsc",
            "clippy",
            "vet",
            "tox",
            "nox",
            "cov",
            "audit",
            "fmt",
            "build",
            "verify",
            "spec",
            "rubocop",
            "mocha",
            "continue-on-error",
            "allow_failure",
        ];
        let Some(soft) = SOFT.as_ref() else { return };
        let lines = |text: &[u8]| -> Vec<(String, String, Range<usize>)> {
            let mut at = 0;
            let mut all = Vec::new();
            for line in text.split(|b| *b == b'\n') {
                let range = at..at + line.len();
                at += line.len() + 1;
                let trimmed = line.trim_ascii();
                if trimmed.len() < 600
                    && !trimmed.starts_with(b"#")
                    && let Some(hit) = soft.find(trimmed)
                {
                    let said = String::from_utf8_lossy(trimmed).into_owned();
                    let bare: Vec<u8> = [trimmed.get(..hit.start()), trimmed.get(hit.end()..)]
                        .into_iter()
                        .flatten()
                        .flatten()
                        .copied()
                        .collect();
                    all.push((said, String::from_utf8_lossy(bare.trim_ascii()).into_owned(), range));
                }
            }
            all
        };
        let mut left: BTreeMap<String, usize> = BTreeMap::new();
        for (said, ..) in lines(self.before) {
            *left.entry(said).or_default() += 1;
        }
        let before = String::from_utf8_lossy(self.before);
        let had: BTreeSet<&str> = before.lines().map(str::trim).collect();
        for (said, bare, range) in lines(self.after) {
            if let Some(n) = left.get_mut(&said).filter(|n| **n > 0) {
                *n -= 1;
                continue;
            }
            if !CHECKS.iter().any(|word| said.contains(word)) {
                continue;
            }
            let became = bare.len() > 3 && had.contains(bare.as_str());
            // A step that was never a check may well leave the tests out.
            if !became && said.contains("kip") {
                continue;
            }
            let sure = if became || said.contains("continue-on-error: true") {
                Confidence::High
            } else {
                Confidence::Medium
            };
            let message = format!(
                "a failure no longer counts in `{}`: `{}`",
                self.path,
                said.replace('`', "'").chars().take(80).collect::<String>()
            );
            self.tell(LINT, "ci", range, &said, message, sure);
        }
    }

    /// Reports tests that are left out by an option of the runner.
    fn deselected(&mut self) {
        let all = |text: &[u8]| -> Vec<(String, Range<usize>)> {
            let Some(pattern) = DESELECT.as_ref() else { return Vec::new() };
            let tests = has(text, &["pytest", "addopts", "cargo test"]);
            pattern
                .find_iter(text)
                .filter(|_| tests)
                .map(|m| (String::from_utf8_lossy(m.as_bytes()).into_owned(), m.range()))
                .collect()
        };
        let had: BTreeSet<String> = all(self.before).into_iter().map(|(said, _)| said).collect();
        for (said, range) in all(self.after) {
            if !had.contains(&said) {
                let message = format!(
                    "`{}` leaves tests out: `{}`",
                    self.path,
                    said.replace('`', "'").chars().take(80).collect::<String>()
                );
                self.tell(SKIPPED, "option", range, &said, message, Confidence::Medium);
            }
        }
    }
}

fn by_name(sets: Vec<Set>) -> BTreeMap<String, Vec<Set>> {
    let mut all: BTreeMap<String, Vec<Set>> = BTreeMap::new();
    for set in sets {
        all.entry(set.name.to_ascii_lowercase()).or_default().push(set);
    }
    all
}
