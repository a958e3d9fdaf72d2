//! One file alone: what is fetched openly or without encryption, for a look at a whole tree.
//!
//! Must never look into a file whose name is not a manifest's.

use crate::scan::manifest;
use crate::scan::{Confidence, Sink, View};

use super::places::Places;
use super::{INSECURE, at, is_aside, is_ignored, sources};

/// Looks at a manifest or lock file for sources without encryption.
pub fn scan(view: &View<'_>, sink: &mut Sink<'_>) {
    let path = view.source.path;
    // On a change, `sources` looks at both sides and knows what was there before.
    if view.source.changed.is_some() {
        return;
    }
    let Some(format) = manifest::format(path).filter(|_| !is_ignored(path)) else { return };
    if !["http://", "git://", "ftp://"]
        .iter()
        .any(|s| memchr::memmem::find(&view.text, s.as_bytes()).is_some())
    {
        return;
    }
    let Some(read) = manifest::read(format, &view.text) else { return };
    let odd: Vec<_> = read.dependencies.iter().filter(|one| one.source.insecure()).collect();
    if odd.is_empty() {
        return;
    }
    let places = Places::new(&[], &view.text);
    for one in odd {
        let key = format!("{path} {}", one.name);
        let place = places.of(&one.name);
        let message = sources::plain_text(one);
        let found = at(INSECURE, &view.text, place, message, &key, Confidence::High, is_aside(path));
        sink.add(sources::described(found, &read, one));
    }
}
