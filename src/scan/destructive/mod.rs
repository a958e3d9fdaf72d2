//! What cannot be undone: migrations that drop or rewrite data, commands that delete without asking.
//!
//! Must never call a way back destructive: a down migration undoes what its up migration made.

mod commands;
mod migrations;
mod sql;

use std::ops::Range;

use super::{Confidence, Found, Scanner, Sink, View};

/// A migration that drops or rewrites data; attribute `kind`.
pub const MIGRATION: &str = "data/destructive-migration";
/// A command that deletes without asking; attribute `kind`.
pub const COMMAND: &str = "ops/destructive-command";

/// Finds what cannot be undone.
#[derive(Clone, Copy, Debug)]
pub struct Destructive;

impl Scanner for Destructive {
    fn name(&self) -> &'static str {
        "destructive"
    }

    fn codes(&self) -> &'static [&'static str] {
        &[MIGRATION, COMMAND]
    }

    fn scan(&self, view: &View<'_>, sink: &mut Sink<'_>) {
        if view.binary {
            return;
        }
        let mut add = |code, range: Range<usize>, kind: &'static str, message: String, confidence| {
            let key = String::from_utf8_lossy(view.text.get(range.clone()).unwrap_or_default()).into_owned();
            let found = Found::plain(code, range, message, &key, confidence).with("kind", kind);
            sink.add(found.with("where", view.place().name()));
        };
        let lower = view.lower();
        if view.extension().eq_ignore_ascii_case("sql") {
            let undoes = migrations::undoes(lower);
            if !undoes {
                let sure =
                    if migrations::is_migration(lower) { Confidence::High } else { Confidence::Medium };
                sql::scan(&view.text, &mut |range, kind, message| add(MIGRATION, range, kind, message, sure));
            }
        } else if migrations::is_migration(lower) {
            migrations::scan(lower, &view.text, &mut |range, kind, message| {
                add(MIGRATION, range, kind, message, Confidence::High);
            });
        }
        if commands::is_script(view.file_name(), view.extension(), lower, &view.text) {
            commands::scan(&view.text, &mut |range, kind, message, confidence| {
                add(COMMAND, range, kind, message, confidence);
            });
        }
    }
}

/// Takes a place, a kind and what it is.
type Each<'e> = &'e mut dyn FnMut(Range<usize>, &'static str, String);

#[cfg(test)]
mod tests;
