//! Who owns what changes, by the `CODEOWNERS` of the base: who has to look, and what no longer has an owner.
//!
//! Must never ask the file of the change itself who owns the change.

mod codeowners;

use std::collections::BTreeMap;

use super::{Change, Confidence, Found, Scanner};
pub use codeowners::CodeOwners;

/// Attributes `kind`: `owned` (with `owners`, and `files`, one a line), `changed`, `unowned` (with `count`), `invalid`.
pub const OWNERS: &str = "paths/owners";

/// Where GitHub looks, in its order.
pub const PLACES: [&str; 3] = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"];

/// Compares changed paths with the code owners.
#[derive(Clone, Copy, Debug)]
pub struct Owners;

impl Scanner for Owners {
    fn name(&self) -> &'static str {
        "owners"
    }

    fn codes(&self) -> &'static [&'static str] {
        &[OWNERS]
    }

    fn change(&self, change: &Change<'_>, sink: &mut dyn FnMut(&str, Found)) {
        let before = PLACES.iter().find_map(|place| match change.files.iter().find(|f| f.path == *place) {
            Some(file) => file.before.map(<[u8]>::to_vec),
            None => change.tree.file(place),
        });
        let base = before.as_deref().map(CodeOwners::parse).unwrap_or_default();
        owned(change, &base, sink);
        let touched: Vec<_> =
            change.files.iter().filter(|f| PLACES.contains(&f.path) && f.before != f.after).collect();
        let Some(first) = touched.first() else { return };
        let after = PLACES.iter().find_map(|place| match change.files.iter().find(|f| f.path == *place) {
            Some(file) => file.after.map(<[u8]>::to_vec),
            None => change.tree.file(place),
        });
        let now = after.as_deref().map(CodeOwners::parse).unwrap_or_default();
        let tell = |message: String, kind: &str, count: usize| {
            let found = Found::file(OWNERS, message, &format!("{kind} {}", first.path), Confidence::High);
            found.with("kind", kind).with("count", count.to_string())
        };
        sink(first.path, tell(format!("`{}` changes who owns what", first.path), "changed", touched.len()));
        unowned(change, &base, &now, &mut |message, count| sink(first.path, tell(message, "unowned", count)));
        // What GitHub skips, in the file it reads; one that was there already is not of this change.
        for file in touched {
            let Some(text) = file.after else { continue };
            let old: Vec<&[u8]> = file.before.map(|t| t.split(|b| *b == b'\n').collect()).unwrap_or_default();
            let known: std::collections::BTreeSet<&[u8]> = old.into_iter().collect();
            for invalid in CodeOwners::parse(text).invalid {
                let line = text.get(invalid.range.clone()).unwrap_or_default();
                if known.contains(line) && !line.is_empty() {
                    continue;
                }
                let message = format!("GitHub skips a line of `{}`: the line {}", file.path, invalid.why);
                let key = String::from_utf8_lossy(line).into_owned();
                sink(
                    file.path,
                    Found::plain(OWNERS, invalid.range, message, &key, Confidence::High)
                        .with("kind", "invalid"),
                );
            }
        }
    }
}

/// Tells for each group of owners which of the changed files are theirs.
fn owned(change: &Change<'_>, base: &CodeOwners, sink: &mut dyn FnMut(&str, Found)) {
    const MOST: usize = 200;
    let mut groups: BTreeMap<&[String], Vec<&str>> = BTreeMap::new();
    for file in change.files.iter().filter(|file| file.before != file.after) {
        if let Some(owners) = base.owners(file.path).filter(|owners| !owners.is_empty()) {
            groups.entry(owners).or_default().push(file.path);
        }
    }
    for (owners, paths) in groups {
        let Some(first) = paths.first() else { continue };
        let names = owners.join(" ");
        let message = match paths.len() {
            1 => format!("`{first}` is owned by {names}"),
            n => format!("`{first}` and {} more are owned by {names}", n - 1),
        };
        let files: Vec<&str> = paths.iter().take(MOST).copied().collect();
        let found =
            Found::file(OWNERS, message, &format!("owned {names}"), Confidence::High).with("kind", "owned");
        sink(
            first,
            found
                .with("owners", names)
                .with("files", files.join("\n"))
                .with("count", paths.len().to_string()),
        );
    }
}

/// Finds files that had owners and have none.
fn unowned(change: &Change<'_>, base: &CodeOwners, now: &CodeOwners, tell: &mut dyn FnMut(String, usize)) {
    const MOST: usize = 50_000;
    let has = |rules: &CodeOwners, path: &str| rules.owners(path).is_some_and(|owners| !owners.is_empty());
    let lost: Vec<&str> = change
        .tree
        .paths()
        .iter()
        .take(MOST)
        .map(String::as_str)
        .filter(|path| has(base, path) && !has(now, path))
        .collect();
    if let Some(first) = lost.first() {
        let more = if lost.len() > 1 { format!(" and {} more", lost.len() - 1) } else { String::new() };
        let have = if lost.len() > 1 { "have" } else { "has" };
        tell(format!("`{first}`{more} {have} no owner any more"), lost.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::{FileChange, MemoryTree, scan_change};

    fn kinds(files: &[FileChange<'_>], tree: &[(&str, &str)]) -> Vec<(String, String)> {
        let tree: MemoryTree = tree.iter().map(|(p, t)| ((*p).to_owned(), (*t).to_owned())).collect();
        let facts = scan_change(&[&Owners], &Change { files, tree: &tree }, None);
        facts
            .into_iter()
            .map(|f| (f.attributes.get("kind").cloned().unwrap_or_default(), f.message))
            .collect()
    }

    #[test]
    fn owners_are_those_of_the_base() {
        let files = [
            FileChange {
                path: "CODEOWNERS",
                before: Some(b"* @all\n/src/ @core\n"),
                after: Some(b"*\n!x @a\n"),
            },
            FileChange { path: "src/a.rs", before: Some(b"1"), after: Some(b"2") },
            FileChange { path: "src/b.rs", before: None, after: Some(b"2") },
        ];
        let found = kinds(&files, &[("CODEOWNERS", "*\n"), ("src/a.rs", "2"), ("src/b.rs", "2")]);
        let mut told: Vec<&str> = found.iter().map(|(kind, _)| kind.as_str()).collect();
        told.sort_unstable();
        assert_eq!(told, ["changed", "invalid", "owned", "owned", "unowned"], "{found:?}");
        assert!(found.iter().any(|(_, m)| m == "`src/a.rs` and 1 more are owned by @core"), "{found:?}");
        assert!(
            found.iter().any(|(_, m)| m == "`CODEOWNERS` and 2 more have no owner any more"),
            "{found:?}"
        );
    }

    #[test]
    fn the_first_place_is_taken() {
        let files = [FileChange { path: "a.rs", before: Some(b"1"), after: Some(b"2") }];
        let found = kinds(&files, &[("CODEOWNERS", "* @root\n"), (".github/CODEOWNERS", "* @hub\n")]);
        assert_eq!(found, [("owned".into(), "`a.rs` is owned by @hub".into())]);
        assert!(kinds(&files, &[]).is_empty());
    }
}
