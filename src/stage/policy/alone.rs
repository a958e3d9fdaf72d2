//! The `input` of a change or a tree that no run made.
//!
//! Must never judge, and must never leave out what could not be read: it is named in the document, and the stage judges it.

use std::num::NonZero;
use std::sync::{Mutex, OnceLock, PoisonError};

use serde_json::{Map, Value};

use crate::artifact::id::TreeId;
use crate::artifact::types::change_set::FileMode;
use crate::artifact::types::policy_input::{
    ChangedFile, Origin, PolicyInput, Subject, UnreadFile, UnreadKind,
};
use crate::ports::vcs::{Delta, EntryKind, Side, Unread, VcsChanges, VcsError, VcsRead, WorkFile};
use crate::scan::{self, SCANNERS, Source, Surroundings, Tree};

use super::document::{shown, size};
use super::facts::{self, LEAST, Looked};
use super::reach::{self, Wanted};

/// What a document is made with, whatever it is of.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The settings of the rules.
    pub settings: Map<String, Value>,
    /// The day allow comments are judged on, as `2026-11-27`; without it none counts.
    pub today: Option<String>,
    /// Whether it is looked for what depends on what a change touches.
    pub reach: Wanted,
}

/// Returns the document of a change; `base` is the tree it was made on.
pub fn of_change(
    vcs: &dyn VcsRead,
    subject: Subject,
    base: &TreeId,
    deltas: Vec<Delta>,
    options: Options,
) -> Result<PolicyInput, VcsError> {
    let mut changes = Vec::with_capacity(deltas.len());
    let mut looked = Vec::with_capacity(deltas.len());
    let mut unread = Vec::new();
    for delta in deltas {
        let path = path(&delta.path);
        unread.extend(not_looked_at(&delta).map(|(kind, why)| UnreadFile { path: path.clone(), kind, why }));
        let mode = mode(delta.after.as_ref().or(delta.before.as_ref()));
        // Where it cannot be told what was, all that is counts as new.
        let before = delta.before.map(|side| side.content.unwrap_or_default());
        match delta.after.map(|side| side.content) {
            Some(Err(_)) => {
                changes.push(unknown(shown(&path, Origin::Git, mode, before.as_deref(), Some(b""))));
            }
            after => {
                let after = after.map(Result::unwrap_or_default);
                changes.push(shown(&path, Origin::Git, mode, before.as_deref(), after.as_deref()));
                looked.push(Looked { path, before, after });
            }
        }
    }
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    looked.sort_by(|a, b| a.path.cmp(&b.path));
    unread.sort();
    let after = facts::ChangedTree::new(vcs, base, &looked);
    let facts = facts::of_change(&looked, &after, options.today.as_deref());
    let facts = after.seen(facts)?;
    let paths: Vec<&str> = changes.iter().map(|change| change.path.as_str()).collect();
    let blast_radius = reach::of(vcs, base, &paths, options.reach)?;
    Ok(PolicyInput {
        subject,
        task: None,
        plan: None,
        size: Some(size(&changes)),
        blast_radius,
        changes: Some(changes),
        facts,
        unread,
        tests: None,
        settings: options.settings,
    })
}

/// A file of which only the name is known.
fn unknown(mut file: ChangedFile) -> ChangedFile {
    (file.binary, file.after, file.removed) = (true, None, 0);
    file
}

/// Returns why what a path is now was not looked at.
fn not_looked_at(delta: &Delta) -> Option<(UnreadKind, String)> {
    let after = delta.after.as_ref()?;
    match &after.content {
        Err(unread) => Some((kind(unread), unread.to_string())),
        Ok(_) => bad_name(&delta.path),
    }
}

fn bad_name(path: &[u8]) -> Option<(UnreadKind, String)> {
    std::str::from_utf8(path).is_err().then(|| (UnreadKind::Name, "its name is not UTF-8".into()))
}

const fn kind(unread: &Unread) -> UnreadKind {
    match unread {
        Unread::Large { .. } | Unread::Much => UnreadKind::Large,
        Unread::Submodule { .. } => UnreadKind::Submodule,
        Unread::Absent(_) | Unread::Conflict | Unread::Failed(_) => UnreadKind::Content,
    }
}

/// Returns a path as text; bytes that are no text become visible.
fn path(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| bytes.escape_ascii().to_string(), str::to_owned)
}

fn mode(side: Option<&Side>) -> FileMode {
    match side.map(|side| side.kind) {
        Some(EntryKind::Executable) => FileMode::Executable,
        _ => FileMode::Regular,
    }
}

/// Returns the document of every file of the working tree; it holds no change, only facts.
pub fn of_tree(vcs: &dyn VcsChanges, subject: Subject, options: Options) -> Result<PolicyInput, VcsError> {
    let files = vcs.working_files()?;
    let tree = WorkTree { vcs, files: &files, paths: OnceLock::new() };
    let around = Surroundings::of(&tree);
    let unread = Mutex::new(Vec::new());
    let note = |file: &WorkFile, kind, why| {
        let file = UnreadFile { path: path(&file.path), kind, why };
        unread.lock().unwrap_or_else(PoisonError::into_inner).push(file);
    };
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let today = options.today.as_deref();
    let facts = scan::scan_all(SCANNERS, files.iter(), threads, today, LEAST, |file, bytes, scan| {
        match vcs.read_working(file, bytes) {
            Ok(false) => {}
            Ok(true) => {
                if let Some((kind, why)) = bad_name(&file.path) {
                    note(file, kind, why);
                }
                // Facts of a file with an odd name are better than none.
                scan(&Source { around: Some(&around), ..Source::new(&path(&file.path), bytes) });
            }
            Err(why) => note(file, kind(&why), why.to_string()),
        }
    });
    let mut unread = unread.into_inner().unwrap_or_else(PoisonError::into_inner);
    unread.sort();
    Ok(PolicyInput {
        subject,
        task: None,
        plan: None,
        changes: None,
        size: None,
        blast_radius: None,
        facts: facts.into_iter().map(facts::shown).collect(),
        unread,
        tests: None,
        settings: options.settings,
    })
}

/// The working tree, asked for by name.
struct WorkTree<'a> {
    vcs: &'a dyn VcsChanges,
    files: &'a [WorkFile],
    paths: OnceLock<Vec<String>>,
}

impl Tree for WorkTree<'_> {
    fn paths(&self) -> &[String] {
        self.paths.get_or_init(|| {
            let regular = |file: &&WorkFile| matches!(file.kind, EntryKind::File | EntryKind::Executable);
            let text = |file: &WorkFile| std::str::from_utf8(&file.path).ok().map(str::to_owned);
            self.files.iter().filter(regular).filter_map(text).collect()
        })
    }

    fn file(&self, path: &str) -> Option<Vec<u8>> {
        let at = self.files.binary_search_by(|file| file.path.as_slice().cmp(path.as_bytes())).ok()?;
        let file = self.files.get(at)?;
        let mut bytes = Vec::new();
        let there = file.kind != EntryKind::Link && self.vcs.read_working(file, &mut bytes) == Ok(true);
        there.then_some(bytes)
    }
}
