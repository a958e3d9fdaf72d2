//! Tests before and after a change: what they no longer see.
//!
//! Must never report what was moved, renamed, or said in other words.

#![expect(
    clippy::items_after_statements,
    clippy::match_same_arms,
    reason = "limits stand beside what they limit, and words beside their meaning"
)]

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
            let fits = |to: &&Test| to.role != Role::Test || from.rest.is_empty() || shares(from, to);
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
    let mut changes: Vec<Diff<'_>> = pairs.both.iter().map(Diff::new).collect();
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
        // The surest first: the same but for the value; then the same subject; then the same expectation; then a part of it.
        self.match_by(|a| Some(format!("{}\0{}", a.subject, a.op)));
        self.match_by(|a| Some(a.subject.clone()));
        self.match_by(|a| (!a.expected.is_empty()).then(|| format!("{}\0{}", a.op, a.expected)));
        // `assert len(result) > 0` stands for `assert result == [1, 2]`; only a few are looked at for each.
        const FEW: usize = 64;
        let mut kept = Vec::new();
        for old in std::mem::take(&mut self.removed) {
            let at = self.added.iter().take(FEW).position(|new| part_of_it(old, new));
            match at {
                Some(at) => {
                    let new = self.added.remove(at);
                    self.replaced(old, new);
                }
                None => kept.push(old),
            }
        }
        self.removed = kept;
    }

    /// Pairs those that have the same of something, in their order.
    fn match_by(&mut self, part: impl Fn(&Assertion) -> Option<String>) {
        if self.removed.is_empty() || self.added.is_empty() {
            return;
        }
        let mut by_part: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, new) in self.added.iter().enumerate().rev() {
            if let Some(part) = part(new) {
                by_part.entry(part).or_default().push(at);
            }
        }
        let mut taken = BTreeSet::new();
        let mut kept = Vec::new();
        for old in std::mem::take(&mut self.removed) {
            let at = part(old).and_then(|part| by_part.get_mut(&part)).and_then(Vec::pop);
            let Some((at, new)) = at.and_then(|at| Some((at, *self.added.get(at)?))) else {
                kept.push(old);
                continue;
            };
            taken.insert(at);
            self.replaced(old, new);
        }
        self.removed = kept;
        let mut at = 0;
        self.added.retain(|_| {
            at += 1;
            !taken.contains(&(at - 1))
        });
    }

    fn replaced(&mut self, old: &'a Assertion, new: &'a Assertion) {
        if is_flipped(old, new) {
            self.edited.push((old, new));
        } else if new.effective() < old.effective() || is_looser(old, new) {
            self.looser.push((old, new));
        } else if old.op == new.op && old.subject == new.subject && old.dead == new.dead {
            self.edited.push((old, new));
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
                _ if gone => Confidence::Medium,
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
            let found = if gone { found.with("follows", "code") } else { found };
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
        lost.retain(|a| {
            let same = |w: &&&Assertion| w.op == a.op && w.subject == a.subject;
            !self.whole.iter().filter(same).any(|w| part_of_value(&a.expected, &w.expected))
        });
        let made = self.added.iter().filter(|a| a.effective() > Strength::Trivial).count();
        if lost.len() <= made || new.rows > old.rows {
            return;
        }
        let before = sides.get(self.pair.new_file).and_then(|s| s.before.as_ref());
        let gone = lost.iter().all(|a| {
            around.is_gone(&a.subject)
                || around.is_gone(&a.expected)
                || (a.helper && before.is_some_and(|file| helper_is_gone(file, &a.op, around)))
        });
        let left = new.assertions.iter().filter(|a| a.effective() > Strength::Trivial).count();
        // What is said once more stays, and what a helper asserts cannot be seen here.
        let unsure = lost.iter().all(|a| new.assertions.iter().any(|same| same.key() == a.key()))
            || lost.iter().all(|a| nothing_raised(&a.op))
            || lost.iter().all(|a| a.helper && !names_a_check(&a.op))
            || self.added.iter().any(|a| a.helper);
        let sure = match () {
            () if gone || unsure => Confidence::Medium,
            () if left == 0 && new.rest.is_empty() => Confidence::High,
            // Nothing else of the test changed: there was no other reason to touch it.
            () if kept >= 0.9 && others(old, new) <= 1 + old.rest.len() / 20 => Confidence::High,
            () => Confidence::Medium,
        };
        let count = lost.len() - made;
        let which = lost.iter().take(3).map(|a| format!("`{}`", shown(a))).collect::<Vec<_>>().join(", ");
        let more = if lost.len() > 3 { format!(" and {} more", lost.len() - 3) } else { String::new() };
        let message = format!("{} no longer asserts {which}{more}", title(new));
        let found =
            Found::plain(Codes::REMOVED, new.place.clone(), message, &key(&[&new.name, &which]), cap(sure));
        let found = if gone { found.with("follows", "code") } else { found };
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
            if is_flipped(was, is) {
                tell(after.place(is), said(&was.op), said(&is.op), &cut(&is.subject));
            } else if was.expected != is.expected && shape(&was.expected) == shape(&is.expected) {
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

/// Tells whether one looks at a part of what the other does; what a helper makes of it cannot be seen here.
fn part_of_it(old: &Assertion, new: &Assertion) -> bool {
    !new.helper && (within(&old.subject, &new.subject) || within(&new.subject, &old.subject))
}

/// Tells whether some tokens are among others.
fn within(part: &str, whole: &str) -> bool {
    super::steps::count(whole.len() / 8 + 1);
    part.len() <= whole.len() && part.contains(char::is_alphabetic) && {
        let (part, whole) = (part.as_bytes(), whole.as_bytes());
        memchr::memmem::find_iter(whole, part).any(|at| {
            let ends = at + part.len();
            (at == 0 || whole.get(at - 1) == Some(&b' ')) && whole.get(ends).is_none_or(|next| *next == b' ')
        })
    }
}

/// Tells whether the opposite is expected of the same.
fn is_flipped(old: &Assertion, new: &Assertion) -> bool {
    const OPPOSITES: [[&str; 2]; 2] = [["null", "there"], ["truthy", "falsy"]];
    let pair = [old.op.as_str(), new.op.as_str()];
    old.subject == new.subject
        && old.dead == new.dead
        && OPPOSITES.iter().any(|[one, other]| pair == [*one, *other] || pair == [*other, *one])
}

/// Tells whether a check says that nothing is raised: the bare call says so too.
fn nothing_raised(op: &str) -> bool {
    let low = op.to_ascii_lowercase().replace('_', "");
    ["nothingraised", "notthrow", "notraise", "notpanic"].iter().any(|part| low.contains(part))
}

/// Tells whether a helper says by its name that it checks something; others set up or clean up.
fn names_a_check(name: &str) -> bool {
    let low = name.to_ascii_lowercase();
    ["assert", "check", "expect", "require", "must", "verify", "should", "test"]
        .iter()
        .any(|lead| low.starts_with(lead))
}

/// Tells whether a value is one of several.
fn part_of_value(part: &str, whole: &str) -> bool {
    whole.split(" , ").any(|one| one == part)
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

/// Counts the lines that a test did not have before.
fn others(old: &Test, new: &Test) -> usize {
    new.rest.iter().filter(|line| old.rest.binary_search(line).is_err()).count()
}

/// Tells whether what a helper speaks of was taken out of the code.
fn helper_is_gone(file: &TestFile<'_>, name: &str, around: &Around) -> bool {
    let helper = file.tests.iter().find(|test| test.role == Role::Helper && test.own == name);
    helper.is_some_and(|helper| helper.words.iter().any(|word| around.gone.contains(word)))
}

/// Tells whether two tests have a line in common; the longer one is not walked.
fn shares(one: &Test, other: &Test) -> bool {
    let (short, long) =
        if one.rest.len() < other.rest.len() { (&one.rest, &other.rest) } else { (&other.rest, &one.rest) };
    short.iter().any(|line| {
        super::steps::count(1);
        long.binary_search(line).is_ok()
    })
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
        // Tests of what went are told apart: a person sees them, nothing more.
        let (of_gone, of_kept): (Vec<_>, Vec<_>) = lost.into_iter().partition(|(test, _)| subject_gone(test));
        let follows = of_kept.is_empty();
        let (lost, sure) = if follows { (of_gone, sure.min(Confidence::Medium)) } else { (of_kept, sure) };
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
        let found = if follows { found.with("follows", "code") } else { found };
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

/// Returns what a check says of what it looks at.
fn said(op: &str) -> &str {
    match op {
        "there" => "is there",
        "null" => "is null",
        "truthy" => "is true",
        "falsy" => "is false",
        other => other,
    }
}

/// Returns an assertion as people read it, long texts cut: they may hold what nobody should print.
pub fn shown(assertion: &Assertion) -> String {
    let op = match assertion.op.as_str() {
        "eq" => "==",
        "ne" => "!=",
        "constant" => "",
        "either" | "both" => "",
        other => said(other),
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
