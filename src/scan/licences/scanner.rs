//! The scanner: licences that come into a repository, against the one it is published under.
//!
//! Must never judge a repository by a licence it does not say it is under.

use std::ops::Range;

use super::expression::Expression;
use super::files::{self, Role};
use super::matrix::{Conflict, Linkage, Severity, judge};
use super::text::Reading;
use super::{cache, declared, header, own};
use crate::scan::{Change, Confidence, Found, Scanner, Sink, View};

/// Something under a licence that does not go with the repository's.
///
/// The attributes: `licence`, `repository`, `linkage`, `severity` (`note`, `person`, `conflict`), `help`, and `place: aside`.
pub const CONFLICT: &str = "licences/conflict";
/// The repository's own licence became another; the attributes are `before` and `after`.
pub const CHANGED: &str = "licences/changed";
/// A licence text that is not on the list; the attribute `like` names the one it is a changed copy of.
pub const UNKNOWN: &str = "licences/unknown";
/// A licence text or a manifest of a part of the repository; the attribute `licence` is the expression.
pub const FOUND: &str = "licences/found";

/// Looks at licence texts, manifests and the headers of source files.
#[derive(Clone, Copy, Debug)]
pub struct Licences;

/// Texts shorter than this only point to another file.
const SHORTEST: usize = 20;

impl Scanner for Licences {
    fn name(&self) -> &'static str {
        "licences"
    }

    fn codes(&self) -> &'static [&'static str] {
        &[CONFLICT, CHANGED, UNKNOWN, FOUND]
    }

    fn scan(&self, view: &View<'_>, sink: &mut Sink<'_>) {
        if view.binary {
            return;
        }
        match files::role(view.source.path) {
            Role::Text => text(view, sink, false),
            Role::Notice => text(view, sink, true),
            Role::Manifest if !files::is_root(view.source.path) => manifest(view, sink),
            Role::Manifest => {}
            Role::Other => source(view, sink),
        }
    }

    fn change(&self, change: &Change<'_>, sink: &mut dyn FnMut(&str, Found)) {
        let Some(first) = change.files.iter().find(|file| own::counts(file.path)) else { return };
        let before = own::published(&|path| match change.files.iter().find(|file| file.path == path) {
            Some(file) => file.before.map(<[u8]>::to_vec),
            None => change.tree.file(path),
        });
        let after = own::published(&|path| change.tree.file(path));
        let Some(before) = before.filter(|before| Some(before) != after.as_ref()) else { return };
        let now = after.clone().unwrap_or_default();
        let message = match &after {
            Some(after) => format!("the repository's licence changes from {before} to {after}"),
            None => format!(
                "the repository no longer says that it is under {before}, or says it in words nobody knows"
            ),
        };
        let found = Found::file(CHANGED, message, &format!("{before} > {now}"), Confidence::High);
        sink(first.path, found.with("before", before).with("after", now));
    }
}

/// What comes in.
struct Inbound {
    licence: Expression,
    range: Range<usize>,
    /// Whether the licence itself and what it is for is certain.
    certain: bool,
    /// What says so.
    says: &'static str,
}

fn text(view: &View<'_>, sink: &mut Sink<'_>, notice: bool) {
    let reading = cache::read(&String::from_utf8_lossy(&view.text));
    let path = view.source.path;
    if !reading.is_known() && (!notice || !reading.changed.is_empty()) && reading.words >= SHORTEST {
        sink.add(unknown(view, &reading));
    }
    let Some(licence) = reading.expression() else { return };
    let range = reading.parts.first().map_or(0..0, |part| part.range.clone());
    let found = format!("`{path}` is the text of {licence}");
    let fact = Found::plain(FOUND, range.clone(), found, &licence.to_string(), Confidence::High);
    sink.add(fact.with("licence", licence.to_string()));
    // What is in the root is the repository's own.
    if files::is_root(path) {
        return;
    }
    let certain = reading.is_known() && !notice && !files::is_collection(path);
    conflict(view, sink, Inbound { licence, range, certain, says: "is the text of" });
}

fn unknown(view: &View<'_>, reading: &Reading) -> Found {
    let path = view.source.path;
    let like = reading.changed.first();
    let message = match (like, reading.expression()) {
        (Some(like), _) => format!("`{path}` is like {} and asks for something else", like.id),
        (None, Some(licence)) => format!("`{path}` is {licence} with terms beside it that no list has"),
        (None, None) => format!("`{path}` is a licence that no list has"),
    };
    let confidence = if like.is_some() { Confidence::High } else { Confidence::Medium };
    let range = like.map_or(0..0, |like| like.range.clone());
    let found = Found::plain(UNKNOWN, range, message, path, confidence).with("place", place(view));
    match like.map(|like| like.id.to_owned()).or_else(|| reading.expression().map(|e| e.to_string())) {
        Some(like) => found.with("like", like),
        None => found,
    }
}

fn manifest(view: &View<'_>, sink: &mut Sink<'_>) {
    let Some(text) = declared::declared(view.source.path, &view.text) else { return };
    let Some(licence) = Expression::parse(&text) else { return };
    let range = declared::place(&view.text);
    let path = view.source.path;
    let found = format!("`{path}` says that its package is under {licence}");
    let fact = Found::plain(FOUND, range.clone(), found, &licence.to_string(), Confidence::High);
    sink.add(fact.with("licence", licence.to_string()));
    // A part of the repository may be under a licence of its own on purpose.
    conflict(view, sink, Inbound { licence, range, certain: false, says: "says that its package is under" });
}

fn source(view: &View<'_>, sink: &mut Sink<'_>) {
    let Some(outbound) = outbound(view) else { return };
    let patents = outbound.contains("GPL-2.0-only") || outbound.contains("GPL-2.1-only");
    let Some(found) = header::header(&view.text, view.extension(), patents) else { return };
    let inbound = Inbound {
        licence: found.licence,
        range: found.range,
        certain: found.certain,
        says: "says that it is under",
    };
    conflict(view, sink, inbound);
}

fn outbound<'v>(view: &View<'v>) -> Option<&'v str> {
    view.source.around.and_then(|around| around.licence.as_deref())
}

fn place(view: &View<'_>) -> &'static str {
    if view.aside() { "aside" } else { "code" }
}

/// Adds a fact where what comes in does not simply go with the repository's licence.
fn conflict(view: &View<'_>, sink: &mut Sink<'_>, inbound: Inbound) {
    let Some(around) = view.source.around else { return };
    let outbound = around.licence.as_deref().unwrap_or_default();
    let into = Expression::parse(outbound).unwrap_or_else(|| Expression::named(outbound));
    let Some(found) = judge(&into, &inbound.licence, Linkage::Copied) else { return };
    // Tests, examples and documents hold texts for other reasons than to use them.
    let sure = inbound.certain && !view.aside();
    let severity = if sure { found.severity } else { found.severity.min(Severity::Person) };
    let confidence =
        if sure && severity == Severity::Conflict { Confidence::High } else { Confidence::Medium };
    let message = message(view.source.path, inbound.says, &found);
    let fact = Found::plain(CONFLICT, inbound.range, message, &found.inbound, confidence)
        .with("licence", found.inbound)
        .with("repository", found.outbound)
        .with("linkage", Linkage::Copied.as_str())
        .with("severity", severity.as_str())
        .with("help", found.help)
        .with("place", place(view));
    sink.add(fact);
}

fn message(path: &str, says: &str, found: &Conflict) -> String {
    let Conflict { inbound, outbound, why, .. } = found;
    match outbound.as_str() {
        "" => format!("`{path}` {says} {inbound}: {why}"),
        _ => format!("`{path}` {says} {inbound}, and the repository is under {outbound}: {why}"),
    }
}
