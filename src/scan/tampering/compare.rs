//! Tests before and after a change: what they no longer see.
//!
//! Must never report what was moved, renamed, or said in other words.

use std::collections::{BTreeMap, BTreeSet};

use super::assertion::{Assertion, Strength, shape};
use super::lang::Role;
use super::model::{Test, TestFile};
use super::pairs::{self, Pair};
use super::{Around, Codes};
use crate::scan::{Confidence, Found};

/// A test file before and after.
pub struct Sides<'a> {
    /// Its path.
    pub path: &'a str,
    /// Before; absent when it is new.
    pub before: Option<TestFile<'a>>,
    /// After; absent when it is gone.
    pub after: Option<TestFile<'a>>,
}

type Key = (String, String, String);

/// What the tests of a change gained, and which test did.
#[derive(Default)]
struct Gained<'a> {
    keys: BTreeMap<Key, Vec<&'a Test>>,
    subjects: BTreeMap<&'a str, Vec<&'a Test>>,
}

impl<'a> Gained<'a> {
    fn add(&mut self, assertion: &'a Assertion, test: &'a Test) {
        if assertion.effective() > Strength::Trivial {
            self.keys.entry(assertion.key()).or_default().push(test);
            self.subjects.entry(&assertion.subject).or_default().push(test);
        }
    }

    /// Takes one that says the same, or looks at the same, in a test that has lines of the one it left.
    ///
    /// `assert response.status == 200` is in many tests: that a new one has it does not mean that it was moved there.
    fn take(&mut self, assertion: &Assertion, from: &Test) -> bool {
        let pick = |tests: Option<&mut Vec<&'a Test>>| {
            const LOOK: usize = 8;
            let Some(tests) = tests else { return false };
            let first = tests.len().saturating_sub(LOOK);
            let fits =
                |to: &&Test| to.role != Role::Test || from.rest.is_empty() || likeness(from, to).0 > 0.0;
            let at = tests.get(first..).and_then(|near| near.iter().position(fits));
            at.map(|at| tests.remove(first + at)).is_some()
        };
        pick(self.keys.get_mut(&assertion.key()))
            || (assertion.subject.len() > 3 && pick(self.subjects.get_mut(assertion.subject.as_str())))
    }
}

/// Compares all test files of a change.
pub fn compare(sides: &[Sides<'_>], around: &Around, sink: &mut dyn FnMut(&str, Found)) {
    let pairs = pairs::find(sides);
    let mut changes: Vec<Diff<'_>> = pairs.both.iter().map(|pair| Diff::new(pair)).collect();
    let mut gained = Gained::default();
    for change in &changes {
        change.added.iter().for_each(|a| gained.add(a, change.pair.new));
    }
    for (_, new) in &pairs.only_after {
        new.assertions.iter().for_each(|a| gained.add(a, new));
    }
    for change in &mut changes {
        change.report(sides, around, &mut gained, sink);
    }
    deleted(sides, &pairs, around, &mut gained, sink);
    skips(sides, &pairs, sink);
}

/// The assertions of a test that differ.
struct Diff<'a> {
    pair: &'a Pair<'a>,
    removed: Vec<&'a Assertion>,
    added: Vec<&'a Assertion>,
    looser: Vec<(&'a Assertion, &'a Assertion)>,
    edited: Vec<(&'a Assertion, &'a Assertion)>,
    whole: Vec<&'a Assertion>,
}

impl<'a> Diff<'a> {
    fn new(pair: &'a Pair<'a>) -> Self {
        let mut new: BTreeMap<Key, Vec<&Assertion>> = BTreeMap::new();
        for assertion in pair.new.assertions.iter().rev() {
            new.entry(assertion.key()).or_default().push(assertion);
        }
        let (mut removed, mut looser) = (Vec::new(), Vec::new());
        for old in &pair.old.assertions {
            match new.get_mut(&old.key()).and_then(Vec::pop) {
                None => removed.push(old),
                Some(same) if is_looser(old, same) => looser.push((old, same)),
                Some(_) => {}
            }
        }
        let mut added: Vec<&Assertion> = new.into_values().flatten().collect();
        added.sort_by_key(|a| a.at);
        const FEW: usize = 50;
        let whole = added.iter().filter(|a| a.effective() == Strength::Exact).take(FEW).copied().collect();
        let mut diff = Self { pair, removed, added, looser, edited: Vec::new(), whole };
        diff.match_up();
        diff
    }

    /// Pairs what was with what stands for it now.
    fn match_up(&mut self) {
        const MOST: usize = 400;
        if self.removed.len().saturating_mul(self.added.len()) > MOST * MOST {
            return;
        }
        // The surest first: the same but for the value; then the same subject; then the same expectation; then a part of it.
        for look in [same_but_value, same_subject, same_expectation, part_of_it] {
            let mut kept = Vec::new();
            for old in std::mem::take(&mut self.removed) {
                let Some(at) = self.added.iter().position(|new| look(old, new)) else {
                    kept.push(old);
                    continue;
                };
                let new = self.added.remove(at);
                if new.effective() < old.effective() || is_looser(old, new) {
                    self.looser.push((old, new));
                } else if old.op == new.op && old.subject == new.subject && old.dead == new.dead {
                    self.edited.push((old, new));
                }
            }
            self.removed = kept;
        }
    }

    fn report(
        &mut self,
        sides: &[Sides<'_>],
        around: &Around,
        gained: &mut Gained<'_>,
        sink: &mut dyn FnMut(&str, Found),
    ) {
        let (old, new) = (self.pair.old, self.pair.new);
        let Some((path, after)) =
            sides.get(self.pair.new_file).and_then(|s| Some((s.path, s.after.as_ref()?)))
        else {
            return;
        };
        let generic = after.lang.name == "generic";
        let (kept, same) = likeness(old, new);
        let cap = |sure: Confidence| {
            if generic || old.role != Role::Test { sure.min(Confidence::Medium) } else { sure }
        };
        for (was, is) in &self.looser {
            let gone = around.is_gone(&was.subject);
            let sure = match (was.effective(), is.effective()) {
                _ if gone => Confidence::Low,
                (_, Strength::Trivial) => Confidence::High,
                (Strength::Exact, _)
                    if was.subject == is.subject && ["truthy", "there"].contains(&is.op.as_str()) =>
                {
                    Confidence::High
                }
                _ if is_looser(was, is) => Confidence::High,
                _ => Confidence::Medium,
            };
            let how = match is.effective() {
                Strength::Trivial if is.dead => "can no longer fail there",
                Strength::Trivial => "cannot fail",
                _ if is_looser(was, is) => "allows more",
                _ => "sees less",
            };
            let message = format!("{} asserted `{}`; `{}` {how}", title(new), shown(was), shown(is));
            let found = Found::plain(
                Codes::REMOVED,
                after.place(is),
                message,
                &key(&[&new.name, &shown(was)]),
                cap(sure),
            );
            sink(
                path,
                found.with("kind", "weakened").with("test", &new.name).with("language", after.lang.name),
            );
        }
        self.report_edits(path, after, around, kept, same, sink);
        let mut lost: Vec<&Assertion> = std::mem::take(&mut self.removed);
        lost.retain(|a| a.effective() > Strength::Trivial && !gained.take(a, old));
        // One that sees all of a thing stands for several that saw parts of it.
        let whole: Vec<&str> = self.whole.iter().map(|a| a.subject.as_str()).collect();
        lost.retain(|a| !whole.iter().any(|subject| within(subject, &a.subject)));
        // `.expect(200, "hey")` is `.expect(200)` and `.expect("hey")`.
        let has = |all: &str, part: &str| format!(" {all} ").contains(&format!(" {part} "));
        lost.retain(|a| {
            !self
                .whole
                .iter()
                .any(|w| w.op == a.op && w.subject == a.subject && has(&w.expected, &a.expected))
        });
        let made = self.added.iter().filter(|a| a.effective() > Strength::Trivial).count();
        if lost.len() <= made || new.rows > old.rows {
            return;
        }
        let gone = lost.iter().all(|a| around.is_gone(&a.subject) || around.is_gone(&a.expected));
        let left = new.assertions.iter().filter(|a| a.effective() > Strength::Trivial).count();
        let sure = match () {
            () if gone => Confidence::Low,
            () if left == 0 && new.rest.is_empty() => Confidence::High,
            // Nothing else of the test changed: there was no other reason to touch it.
            () if kept >= 0.9 && new.rest.len() <= old.rest.len() + old.rest.len() / 10 + 1 => {
                Confidence::High
            }
            () => Confidence::Medium,
        };
        let count = lost.len() - made;
        let which = lost.iter().take(3).map(|a| format!("`{}`", shown(a))).collect::<Vec<_>>().join(", ");
        let more = if lost.len() > 3 { format!(" and {} more", lost.len() - 3) } else { String::new() };
        let message = format!("{} no longer asserts {which}{more}", title(new));
        let found =
            Found::plain(Codes::REMOVED, new.place.clone(), message, &key(&[&new.name, &which]), cap(sure));
        sink(
            path,
            found
                .with("kind", "removed")
                .with("test", &new.name)
                .with("language", after.lang.name)
                .with("count", count.to_string()),
        );
    }

    fn report_edits(
        &self,
        path: &str,
        after: &TestFile<'_>,
        around: &Around,
        kept: f64,
        same: bool,
        sink: &mut dyn FnMut(&str, Found),
    ) {
        let (old, new) = (self.pair.old, self.pair.new);
        let sure = match () {
            () if same => Confidence::High,
            () if kept >= 0.8 => Confidence::Medium,
            () => Confidence::Low,
        };
        let mut tell = |place, was: &str, is: &str, what: &str| {
            let message =
                format!("{} expected `{}` of `{what}` and now expects `{}`", title(new), cut(was), cut(is));
            let found = Found::plain(Codes::EDITED, place, message, &key(&[&new.name, what, was]), sure);
            let found = found.with("kind", "value").with("test", &new.name).with("language", after.lang.name);
            sink(path, if around.is_new(is) { found.with("follows", "code") } else { found });
        };
        for (was, is) in &self.edited {
            if was.expected != is.expected && shape(&was.expected) == shape(&is.expected) {
                tell(after.place(is), &was.expected, &is.expected, &cut(&is.subject));
            }
        }
        // Without a row around it a value is known by its turn: one more and all that follow are others.
        let before: BTreeMap<&str, &str> =
            old.bindings.iter().map(|(k, v, _)| (k.as_str(), v.as_str())).collect();
        if old.bindings.len() != new.bindings.len() {
            return;
        }
        for (key, value, range) in &new.bindings {
            if let Some(was) = before.get(key.as_str()).filter(|was| *was != value) {
                let name = key.split(' ').next().unwrap_or_default();
                tell(range.clone(), was, value, name);
            }
        }
    }
}

fn same_but_value(old: &Assertion, new: &Assertion) -> bool {
    old.subject == new.subject && old.op == new.op
}

fn same_subject(old: &Assertion, new: &Assertion) -> bool {
    old.subject == new.subject
}

fn same_expectation(old: &Assertion, new: &Assertion) -> bool {
    old.op == new.op && old.expected == new.expected && !old.expected.is_empty()
}

/// `assert len(result) > 0` stands for `assert result == [1, 2]`.
fn part_of_it(old: &Assertion, new: &Assertion) -> bool {
    within(&old.subject, &new.subject) || within(&new.subject, &old.subject)
}

fn within(part: &str, whole: &str) -> bool {
    part.contains(char::is_alphabetic) && format!(" {whole} ").contains(&format!(" {part} "))
}

fn is_looser(old: &Assertion, new: &Assertion) -> bool {
    match (old.tolerance, new.tolerance) {
        (Some((was, more)), Some((is, _))) => {
            if more {
                is > was
            } else {
                is < was
            }
        }
        _ => false,
    }
}

/// Tells how much of a test's other lines are still there, and whether all are and nothing else.
fn likeness(old: &Test, new: &Test) -> (f64, bool) {
    let (mut at, mut common) = (0, 0usize);
    for line in &old.rest {
        while new.rest.get(at).is_some_and(|other| other < line) {
            at += 1;
        }
        if new.rest.get(at) == Some(line) {
            common += 1;
            at += 1;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a share of lines")]
    let share = if old.rest.is_empty() { 1.0 } else { common as f64 / old.rest.len() as f64 };
    (share, old.rest == new.rest)
}

/// Reports tests that are gone while nothing stands for them.
fn deleted(
    sides: &[Sides<'_>],
    pairs: &pairs::Pairs<'_>,
    around: &Around,
    gained: &mut Gained<'_>,
    sink: &mut dyn FnMut(&str, Found),
) {
    for (index, side) in sides.iter().enumerate() {
        let gone: Vec<&Test> =
            pairs.only_before.iter().filter(|(file, _)| *file == index).map(|(_, test)| *test).collect();
        let Some(before) = side.before.as_ref().filter(|_| !gone.is_empty()) else { continue };
        let mut lost: Vec<(&Test, usize)> = Vec::new();
        for test in gone.iter().filter(|t| t.role == Role::Test) {
            let own: Vec<&Assertion> =
                test.assertions.iter().filter(|a| a.effective() > Strength::Trivial).collect();
            let left = own.iter().filter(|a| !gained.take(a, test)).count();
            // Most of it is elsewhere: it was moved or split.
            if left * 2 > own.len() {
                lost.push((test, left));
            }
        }
        let new: usize = pairs
            .only_after
            .iter()
            .filter(|(file, _)| *file == index)
            .map(|(_, t)| t.assertions.len().max(1) * t.rows)
            .sum();
        let grown = pairs.both.iter().any(|p| p.new_file == index && p.new.rows > p.old.rows);
        let sum: usize = lost.iter().map(|(_, left)| left).sum();
        if lost.is_empty() {
            continue;
        }
        let whole = side.after.is_none();
        let subject_gone = |test: &Test| {
            test.words.iter().any(|word| *word != test.own && around.gone.contains(word.as_str()))
        };
        // Tests that sit in the code went with it.
        let with_code = side.after.is_none() && !(before.lang.is_test)(&side.path.to_ascii_lowercase());
        let tests = before.tests.iter().filter(|t| t.role == Role::Test).count();
        let sure = match () {
            () if new >= sum || grown || with_code => Confidence::Low,
            () if before.lang.name == "generic" => Confidence::Medium,
            () if around.code => Confidence::Medium,
            () => Confidence::High,
        };
        lost.retain(|(test, _)| !subject_gone(test));
        let Some((first, _)) = lost.first() else { continue };
        let names =
            lost.iter().take(3).map(|(t, _)| format!("`{}`", cut(&t.name))).collect::<Vec<_>>().join(", ");
        let message = match (whole, lost.len()) {
            (true, _) => format!("`{}` is deleted with {tests} tests", side.path),
            (_, 1) => format!("the test {names} is deleted"),
            (_, n) if n > 3 => format!("the tests {names} and {} more are deleted", n - 3),
            _ => format!("the tests {names} are deleted"),
        };
        let found = Found::file(Codes::REMOVED, message, &key(&[side.path, &first.name]), sure);
        let kind = if whole { "file-deleted" } else { "test-deleted" };
        sink(
            side.path,
            found
                .with("kind", kind)
                .with("test", &first.name)
                .with("language", before.lang.name)
                .with("count", lost.len().to_string()),
        );
    }
}

/// Reports what keeps tests from running that did not before.
fn skips(sides: &[Sides<'_>], pairs: &pairs::Pairs<'_>, sink: &mut dyn FnMut(&str, Found)) {
    let mut had: BTreeMap<String, usize> = BTreeMap::new();
    for (_, test) in &pairs.only_before {
        for (skip, _) in &test.skips {
            *had.entry(skip.word.clone()).or_default() += 1;
        }
    }
    let mut tell = |file: usize, test: &Test, old: Option<&Test>| {
        let Some((path, after)) = sides.get(file).and_then(|s| Some((s.path, s.after.as_ref()?))) else {
            return;
        };
        let mut before: BTreeMap<&str, usize> = BTreeMap::new();
        let mut always = false;
        for (skip, _) in old.iter().flat_map(|old| &old.skips) {
            *before.entry(&skip.word).or_default() += 1;
            always |= skip.always && !skip.only;
        }
        for (skip, range) in &test.skips {
            if let Some(left) = before.get_mut(skip.word.as_str()).filter(|left| **left > 0) {
                *left -= 1;
                continue;
            }
            // Another marker for a test that did not run before, or one that came with a moved test.
            if always && !skip.only {
                continue;
            }
            if let Some(left) = had.get_mut(&skip.word).filter(|left| **left > 0 && old.is_none()) {
                *left -= 1;
                continue;
            }
            let sure = match (skip.only, skip.always, old) {
                (true, ..) => Confidence::High,
                (_, true, Some(_)) if before.is_empty() && !test.name.is_empty() => Confidence::High,
                (_, true, _) | (_, _, Some(_)) => Confidence::Medium,
                (_, _, None) => Confidence::Low,
            };
            let sure = if after.lang.name == "generic" { sure.min(Confidence::Medium) } else { sure };
            let (kind, message) = match (skip.only, old) {
                (true, _) => ("only", format!("`{}` keeps all other tests from running", skip.word)),
                (_, Some(_)) => ("existing", format!("{} is skipped by `{}`", title(test), skip.word)),
                (_, None) => ("new", format!("{} is new and skipped by `{}`", title(test), skip.word)),
            };
            let when = if skip.always { "always" } else { "sometimes" };
            let found =
                Found::plain(Codes::SKIPPED, range.clone(), message, &key(&[&test.name, &skip.word]), sure);
            sink(
                path,
                found
                    .with("kind", kind)
                    .with("when", when)
                    .with("test", &test.name)
                    .with("language", after.lang.name),
            );
        }
    };
    for pair in &pairs.both {
        tell(pair.new_file, pair.new, Some(pair.old));
    }
    for (file, test) in &pairs.only_after {
        tell(*file, test, None);
    }
}

fn title(test: &Test) -> String {
    match (test.role, test.name.is_empty()) {
        (_, true) => "the file".into(),
        (Role::Helper, _) => format!("the helper `{}`", cut(&test.name)),
        _ => format!("`{}`", cut(&test.name)),
    }
}

/// Returns an assertion as people read it, long texts cut: they may hold what nobody should print.
pub fn shown(assertion: &Assertion) -> String {
    let op = match assertion.op.as_str() {
        "eq" => "==",
        "ne" => "!=",
        "constant" => "",
        "there" => "is there",
        "null" => "is null",
        "truthy" => "is true",
        "falsy" => "is false",
        "either" | "both" => "",
        other => other,
    };
    let parts = [assertion.subject.as_str(), op, assertion.expected.as_str()];
    let text: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    cut(&text.join(" "))
}

/// Cuts a text for a message: at most 90 characters, texts in it at most 20; no spaces around brackets and dots.
pub fn cut(text: &str) -> String {
    const WIDEST: usize = 90;
    const TEXT: usize = 20;
    let mut out = String::new();
    let mut quote: Option<(char, usize)> = None;
    let mut chars =
        text.chars().filter(|c| *c != '`').map(|c| if c.is_control() { ' ' } else { c }).peekable();
    while let Some(c) = chars.next() {
        match &mut quote {
            Some((open, _)) if c == *open => {
                quote = None;
                out.push(c);
            }
            Some((_, inside)) => {
                *inside += 1;
                match (*inside).cmp(&TEXT) {
                    std::cmp::Ordering::Less => out.push(c),
                    std::cmp::Ordering::Equal => out.push('…'),
                    std::cmp::Ordering::Greater => {}
                }
            }
            None if c == '"' || c == '\'' => {
                quote = Some((c, 0));
                out.push(c);
            }
            None if c == ' ' => {
                let tight = out.ends_with(['(', '[', '.', '!', '@', ':'])
                    || chars
                        .peek()
                        .is_some_and(|n| matches!(n, ')' | ']' | '(' | '[' | '.' | ',' | ':' | '!' | '?'));
                if !tight {
                    out.push(c);
                }
            }
            None => out.push(c),
        }
        if out.chars().count() >= WIDEST {
            out.push('…');
            break;
        }
    }
    out
}

fn key(parts: &[&str]) -> String {
    parts.join("\0")
}

/// Words that tell nothing of a subject: they are everywhere.
pub fn telling(word: &str) -> bool {
    static COMMON: std::sync::LazyLock<BTreeSet<&str>> = std::sync::LazyLock::new(|| {
        [
            "self", "this", "the", "and", "assert", "test", "true", "false", "None", "null", "return",
            "import", "from", "name", "value", "result", "data",
        ]
        .into()
    });
    word.len() > 3 && !COMMON.contains(word)
}
