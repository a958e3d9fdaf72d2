//! Comments and attributes that switch off a linter, a type checker or the measuring of coverage.
//!
//! Must never report one that was there before, wherever it moved within its file.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::lex::lex;
use super::{COVERAGE, LINT, lang};
use crate::scan::{Confidence, FileChange, Found};

/// What lets a lint of Rust go, for an item and for a whole file; in pieces, since no line of this program may do so.
const ALLOW: &str = concat!("#[", "allow(");
const ALLOW_ALL: &str = concat!("#![", "allow(");

struct Directive {
    mark: &'static str,
    coverage: bool,
    /// Whether it switches off everything, or a whole file.
    broad: bool,
    /// Whether it is code and no comment.
    code: bool,
    /// Endings of the files it means something in; any where empty.
    endings: &'static [&'static str],
}

const PY: &[&str] = &["py", "pyi"];
const JS: &[&str] = &["js", "jsx", "mjs", "cjs", "ts", "tsx", "mts", "cts", "vue", "svelte"];
const RS: &[&str] = &["rs"];
const GO: &[&str] = &["go"];
const JVM: &[&str] = &["java", "kt", "kts", "scala", "groovy"];
const CS: &[&str] = &["cs"];
const RB: &[&str] = &["rb"];
const PHP: &[&str] = &["php"];
const C: &[&str] = &["c", "cc", "cpp", "cxx", "h", "hpp", "m", "mm"];

const fn lint(mark: &'static str, broad: bool, endings: &'static [&'static str]) -> Directive {
    Directive { mark, coverage: false, broad, code: false, endings }
}

const fn coverage(mark: &'static str, endings: &'static [&'static str]) -> Directive {
    Directive { mark, coverage: true, broad: false, code: false, endings }
}

const fn code(directive: Directive) -> Directive {
    Directive { code: true, ..directive }
}

/// The longer of two that begin alike comes first.
static DIRECTIVES: &[Directive] = &[
    lint("flake8: noqa", true, PY),
    lint("ruff: noqa", true, PY),
    lint("# noqa", false, PY),
    lint("#noqa", false, PY),
    lint("type: ignore", false, PY),
    lint("pyright: ignore", false, PY),
    lint("mypy: ignore-errors", true, PY),
    lint("pylint: disable", false, PY),
    lint("pylint: skip-file", true, PY),
    code(lint("@no_type_check", true, PY)),
    lint("eslint-disable-next-line", false, JS),
    lint("eslint-disable-line", false, JS),
    lint("eslint-disable", false, JS),
    lint("@ts-nocheck", true, JS),
    lint("@ts-ignore", false, JS),
    lint("@ts-expect-error", false, JS),
    lint("biome-ignore", false, JS),
    lint("oxlint-disable", false, JS),
    lint("tslint:disable", true, JS),
    code(lint(ALLOW_ALL, true, RS)),
    code(lint(ALLOW, false, RS)),
    lint("nolint", false, GO),
    lint("#nosec", false, GO),
    lint("lint:ignore", false, GO),
    code(lint("@SuppressWarnings", false, JVM)),
    code(lint("@Suppress(", false, JVM)),
    lint("CHECKSTYLE:OFF", true, JVM),
    lint("NOSONAR", false, &[]),
    code(lint("#pragma warning disable", false, CS)),
    lint("rubocop:disable", false, RB),
    lint("rubocop:todo", false, RB),
    lint("@phpstan-ignore", false, PHP),
    lint("@psalm-suppress", false, PHP),
    lint("phpcs:ignoreFile", true, PHP),
    lint("phpcs:disable", false, PHP),
    lint("phpcs:ignore", false, PHP),
    lint("NOLINT", false, C),
    coverage("pragma: no cover", PY),
    coverage("pragma: no branch", PY),
    coverage("istanbul ignore", JS),
    coverage("c8 ignore", JS),
    coverage("v8 ignore", JS),
    code(coverage("coverage(off)", RS)),
    code(coverage("not(tarpaulin_include)", RS)),
    coverage("@codeCoverageIgnore", PHP),
    code(coverage("[ExcludeFromCodeCoverage", CS)),
    coverage(":nocov:", RB),
    coverage("LCOV_EXCL", C),
];

static MARKS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder()
        .match_kind(aho_corasick::MatchKind::LeftmostFirst)
        .build(DIRECTIVES.iter().map(|d| d.mark))
        .ok()
});

struct Seen {
    text: String,
    which: usize,
    broad: bool,
    range: Range<usize>,
}

fn find(path: &str, text: &[u8]) -> Vec<Seen> {
    let Some(marks) = MARKS.as_ref() else { return Vec::new() };
    let ending = path.rsplit_once('.').map_or("", |(_, e)| e);
    let hits: Vec<(usize, Range<usize>)> = marks
        .find_iter(text)
        .map(|hit| (hit.pattern().as_usize(), hit.range()))
        .filter(|(which, _)| {
            DIRECTIVES.get(*which).is_some_and(|d| d.endings.is_empty() || d.endings.contains(&ending))
        })
        .collect();
    if hits.is_empty() {
        return Vec::new();
    }
    let comments = lang::of_path(path).map(|lang| lex(text, lang.syntax).comments);
    hits.into_iter()
        .filter_map(|(which, range)| {
            let directive = DIRECTIVES.get(which)?;
            let inside = comments.as_ref().map(|all| {
                let next = all.partition_point(|c| c.start <= range.start);
                next.checked_sub(1).and_then(|n| all.get(n)).filter(|c| range.start < c.end).cloned()
            });
            // A word in a text or a variable is no directive; an attribute in a comment is none either.
            let stop = match (&inside, directive.code) {
                (Some(None), false) | (Some(Some(_)), true) => return None,
                (Some(Some(comment)), false) => comment.end,
                _ => text.len(),
            };
            // A directive begins its comment or a part of it: prose that names one has words before.
            if let Some(Some(comment)) = &inside {
                let lead = text.get(comment.start..range.start).unwrap_or_default();
                let lead = lead.rsplit(|b| matches!(b, b'#' | b'\n' | b';')).next().unwrap_or_default();
                if lead.iter().filter(|b| b.is_ascii_alphanumeric()).count() > 2 {
                    return None;
                }
            }
            let rest = text.get(range.start..stop.min(range.start + 160)).unwrap_or_default();
            let line = rest.split(|b| *b == b'\n').next().unwrap_or_default();
            let line = String::from_utf8_lossy(line);
            // What follows ` -- ` or ` # ` is the reason.
            let line = line.split(" -- ").next().unwrap_or_default();
            let said =
                line.split(" #").next().unwrap_or_default().trim_end_matches(['*', '/', ' ', '-', '>']);
            let said: String = said.chars().take(80).collect();
            Some(Seen {
                broad: directive.broad || is_bare(directive.mark, &said),
                text: said,
                which,
                range: range.start..range.end,
            })
        })
        .collect()
}

/// Tells whether it names no rule where it could.
fn is_bare(mark: &str, said: &str) -> bool {
    let rest = said.get(mark.len()..).unwrap_or_default().trim_start();
    let bare = rest.is_empty() || rest.starts_with('#');
    match mark {
        "eslint-disable" => true,
        "eslint-disable-next-line" | "eslint-disable-line" | "# noqa" | "#noqa" => bare,
        "pylint: disable" => rest.contains("all"),
        ALLOW => rest.starts_with("warnings") || rest.starts_with("clippy::all"),
        _ => false,
    }
}

/// Looks at one file.
pub fn look(file: &FileChange<'_>, sink: &mut dyn FnMut(&str, Found)) {
    let Some(after) = file.after else { return };
    let new = find(file.path, after);
    if new.is_empty() {
        return;
    }
    let mut had: BTreeMap<String, usize> = BTreeMap::new();
    let mut spare: BTreeMap<usize, usize> = BTreeMap::new();
    for seen in file.before.map(|text| find(file.path, text)).unwrap_or_default() {
        *had.entry(seen.text).or_default() += 1;
        *spare.entry(seen.which).or_default() += 1;
    }
    // One that was there in other words was changed, not added.
    let mut added: Vec<&Seen> = Vec::new();
    for seen in &new {
        if let Some(left) = had.get_mut(&seen.text).filter(|left| **left > 0) {
            *left -= 1;
            if let Some(spare) = spare.get_mut(&seen.which) {
                *spare = spare.saturating_sub(1);
            }
        } else {
            added.push(seen);
        }
    }
    for seen in added {
        let Some(directive) = DIRECTIVES.get(seen.which) else { continue };
        if let Some(spare) = spare.get_mut(&seen.which).filter(|spare| **spare > 0 && !seen.broad) {
            *spare -= 1;
            continue;
        }
        let (code, kind, what) = match (directive.coverage, seen.broad) {
            (true, _) => (COVERAGE, "exempt", "takes code out of the coverage"),
            (_, true) => (LINT, "broad", "switches off checks of all kinds"),
            (_, false) => (LINT, "narrow", "switches off a check"),
        };
        // An old file losing a check says more than a new one that comes with an exception.
        let sure = if file.before.is_some() && seen.broad { Confidence::High } else { Confidence::Medium };
        let message = format!("`{}` {what}", seen.text.replace('`', "'"));
        sink(file.path, Found::plain(code, seen.range.clone(), message, &seen.text, sure).with("kind", kind));
    }
}
