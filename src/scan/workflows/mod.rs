//! What CI files would let strangers do: the facts about GitHub workflows and actions, and a few about GitLab's.
//!
//! Must never guess what an action does that it does not know: what is not known is said with less confidence.

mod actions;
pub(crate) mod checkout;
pub(crate) mod expression;
mod gitlab;
mod injection;
pub(crate) mod model;
mod rights;

use std::ops::Range;

use super::yaml;
use super::{Confidence, Found, Scanner, Sink, View};
use model::Flow;

/// Code of a pull request is checked out, and run, with the rights of the repository.
pub const CHECKOUT: &str = "workflows/untrusted-checkout";
/// Text of strangers becomes part of a script.
pub const INJECTION: &str = "workflows/injection";
/// What an action or image is can be changed by its owner at any time; attributes `kind` and `action`.
pub const UNPINNED: &str = "workflows/unpinned-action";
/// A token that can write; attribute `kind`: `write-all`, `write`, `missing`.
pub const PERMISSIONS: &str = "workflows/permissions";
/// Secrets are given to more than needs them; attribute `kind`: `inherit`, `all`, `run`.
pub const SECRETS: &str = "workflows/secrets";
/// Code of pull requests runs on a machine that is kept.
pub const SELF_HOSTED: &str = "workflows/self-hosted";
/// A condition that is not what it seems; attribute `kind`: `actor`, `always`.
pub const TRUST: &str = "workflows/expression-trust";
/// What is published is built from a cache that others fill.
pub const CACHE: &str = "workflows/cache-poisoning";
/// The token of a checkout goes into an artifact.
pub const ARTIPACKED: &str = "workflows/artipacked";
/// A workflow that cannot be read.
pub const UNREADABLE: &str = "workflows/unreadable";

/// Finds what CI files would let strangers do.
#[derive(Clone, Copy, Debug)]
pub struct Workflows;

impl Scanner for Workflows {
    fn name(&self) -> &'static str {
        "workflows"
    }

    fn codes(&self) -> &'static [&'static str] {
        &[
            CHECKOUT,
            INJECTION,
            UNPINNED,
            PERMISSIONS,
            SECRETS,
            SELF_HOSTED,
            TRUST,
            CACHE,
            ARTIPACKED,
            UNREADABLE,
        ]
    }

    fn scan(&self, view: &View<'_>, sink: &mut Sink<'_>) {
        let Some(file) = File::of(view.source.path) else { return };
        let Some(root) = yaml::read(&view.text) else {
            let blank =
                view.text.split(|b| *b == b'\n').all(|line| matches!(line.trim_ascii(), [] | [b'#', ..]));
            if file.runs && !blank {
                let message = format!("`{}` cannot be read as YAML", view.source.path);
                sink.add(Found::file(UNREADABLE, message, view.source.path, Confidence::Medium));
            }
            return;
        };
        let mut report = Report { view, sink, file };
        if file.kind == Kind::GitLab {
            gitlab::scan(&root, &mut report);
            return;
        }
        let flow = Flow::new(&root, file.kind == Kind::Action);
        checkout::scan(&flow, &mut report);
        injection::scan(&flow, &mut report);
        actions::scan(&flow, &mut report);
        rights::scan(&flow, &mut report);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Workflow,
    Action,
    GitLab,
}

/// What a path says of a CI file.
#[derive(Clone, Copy, Debug)]
struct File {
    kind: Kind,
    /// Whether the forge runs it where it is; a template deeper in the tree is run elsewhere.
    runs: bool,
}

impl File {
    fn of(path: &str) -> Option<Self> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let (stem, extension) = name.rsplit_once('.')?;
        if !extension.eq_ignore_ascii_case("yml") && !extension.eq_ignore_ascii_case("yaml") {
            return None;
        }
        if folder.eq_ignore_ascii_case(".github/workflows") {
            return Some(Self { kind: Kind::Workflow, runs: true });
        }
        if folder.len() > 17 && folder.to_ascii_lowercase().ends_with("/.github/workflows") {
            return Some(Self { kind: Kind::Workflow, runs: false });
        }
        if stem.eq_ignore_ascii_case("action") {
            return Some(Self { kind: Kind::Action, runs: true });
        }
        (stem == ".gitlab-ci").then_some(Self { kind: Kind::GitLab, runs: folder.is_empty() })
    }
}

/// Takes facts about one file.
struct Report<'r, 'v> {
    view: &'r View<'v>,
    sink: &'r mut dyn Take,
    file: File,
}

/// A sink without its lifetime.
trait Take {
    fn take(&mut self, found: Found);
}

impl Take for Sink<'_> {
    fn take(&mut self, found: Found) {
        self.add(found);
    }
}

/// One fact on its way.
struct Note<'n> {
    code: &'static str,
    /// The places it is made of, the one to show first; it belongs to a change that touches any of them.
    places: &'n [Range<usize>],
    message: String,
    key: String,
    confidence: Confidence,
    kind: &'static str,
    /// What is taken from elsewhere; empty where nothing is.
    action: &'n str,
}

impl Report<'_, '_> {
    fn add(&mut self, note: Note<'_>) {
        let confidence =
            if self.file.runs { note.confidence } else { note.confidence.min(Confidence::Medium) };
        let lines = self.view.lines();
        let touched = |range: &&Range<usize>| {
            self.view
                .source
                .touches(lines.place(range.start).0, lines.place(range.end.max(range.start + 1) - 1).0)
        };
        let places: Vec<Range<usize>> = note.places.iter().map(|range| self.trimmed(range)).collect();
        let Some(range) = places.iter().find(touched).or(places.first()) else { return };
        let mut found = Found::plain(note.code, range.clone(), note.message, &note.key, confidence);
        if !note.kind.is_empty() {
            found = found.with("kind", note.kind);
        }
        if !note.action.is_empty() {
            found = found.with("action", note.action);
        }
        self.sink.take(found);
    }

    /// Leaves out the white space at the end: a block reaches to the next key.
    fn trimmed(&self, range: &Range<usize>) -> Range<usize> {
        let text = self.view.text.get(range.clone()).unwrap_or_default();
        range.start..range.start + text.trim_ascii_end().len()
    }

    /// Returns where a text stands in a part of the file, as it is written; the part where it is spelt otherwise.
    fn place(&self, within: &Range<usize>, text: &str) -> Range<usize> {
        let written = self.view.text.get(within.clone()).unwrap_or_default();
        match memchr::memmem::find(written, text.as_bytes()) {
            Some(at) => within.start + at..within.start + at + text.len(),
            None => within.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
