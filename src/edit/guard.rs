//! Whether a list of changes fits a place, decided before anything is written.
//!
//! Must never write, and must never let a change through that could land anywhere but at its own path.

use std::collections::{BTreeMap, BTreeSet};

use crate::artifact::digest::Digest;
use crate::artifact::types::change_set::{FileChange, FileOp};

use super::fold::fold;

/// A change that does not fit.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("cannot change `{path}`: it {why}")]
pub struct Refusal {
    /// The file.
    pub path: String,
    /// The reason, to be read after `it`.
    pub why: String,
}

/// Where changes are to be made: a git tree or a folder.
pub trait Place {
    /// What can go wrong with looking; a refusal is one of these.
    type Error: From<Refusal>;

    /// Returns the names directly in a folder, `""` being the root; `None` when there is no such folder.
    fn list(&self, folder: &str) -> Result<Option<Names>, Self::Error>;

    /// Returns the digest of a regular file's content; asked only where `list` named a file.
    fn digest(&self, path: &str) -> Result<Digest, Self::Error>;
}

/// The names directly in a folder, as bytes, and what they are.
pub type Names = Vec<(Vec<u8>, Kind)>;

/// What is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A submodule.
    Submodule,
    /// A device, a socket, a pipe.
    Other,
}

/// Checks that all the changes fit the place, together and each by itself.
///
/// The list must be sorted by path without duplicates; parents must be real folders or not there; a created file must
/// be new, any other a regular file with the digest `before`; no new name may be another spelling of a name there is.
pub fn check<P: Place>(place: &P, changes: &[FileChange]) -> Result<(), P::Error> {
    let mut folders = Folders { place, seen: BTreeMap::new() };
    check_list(changes)?;
    for change in changes {
        folders.check(change)?;
    }
    Ok(())
}

fn refuse(change: &FileChange, why: impl Into<String>) -> Refusal {
    Refusal { path: change.path.to_string(), why: why.into() }
}

/// What is wrong with the list whatever the place.
fn check_list(changes: &[FileChange]) -> Result<(), Refusal> {
    let mut spellings: BTreeMap<String, &str> = BTreeMap::new();
    let mut files = BTreeSet::new();
    for pair in changes.windows(2) {
        if pair[0].path == pair[1].path {
            return Err(refuse(&pair[1], "is changed twice"));
        }
        if pair[0].path > pair[1].path {
            return Err(refuse(&pair[1], "is out of order; changes are sorted by path"));
        }
    }
    for change in changes {
        change.bytes().map_err(|error| refuse(change, error.why))?;
        files.insert(change.path.as_str());
        let whole = change.path.as_str();
        for path in change.path.parents().chain([whole]) {
            let known = spellings.entry(fold_path(path)).or_insert(path);
            if *known != path {
                return Err(refuse(change, format!("is another spelling of `{known}`, which changes too")));
            }
        }
    }
    for change in changes {
        if let Some(parent) = change.path.parents().find(|p| files.contains(p)) {
            return Err(refuse(change, format!("is below `{parent}`, which changes as a file")));
        }
    }
    Ok(())
}

fn fold_path(path: &str) -> String {
    path.split('/').map(fold).collect::<Vec<_>>().join("/")
}

/// The folders looked at so far.
struct Folders<'a, P> {
    place: &'a P,
    seen: BTreeMap<String, Option<Folder>>,
}

/// The names of one folder, as they are and as other file systems see them.
struct Folder {
    names: BTreeMap<Vec<u8>, Kind>,
    folded: BTreeMap<String, String>,
}

impl<P: Place> Folders<'_, P> {
    fn check(&mut self, change: &FileChange) -> Result<(), P::Error> {
        let mut folder = "";
        for parent in change.path.parents() {
            match self.look(change, folder, parent)? {
                Some(Kind::Folder) => folder = parent,
                // Nothing there: nothing below it either.
                None if change.op == FileOp::Create => return Ok(()),
                None => return Err(refuse(change, "does not exist").into()),
                Some(kind) => {
                    return Err(refuse(change, format!("is below {}", describe(kind, parent))).into());
                }
            }
        }
        let path = change.path.as_str();
        match (change.op, self.look(change, folder, path)?) {
            (FileOp::Create, None) => Ok(()),
            (FileOp::Create, Some(_)) => Err(refuse(change, "exists already").into()),
            (FileOp::Modify | FileOp::Delete, None) => Err(refuse(change, "does not exist").into()),
            (FileOp::Modify | FileOp::Delete, Some(Kind::File)) => {
                if change.before.as_ref() == Some(&self.place.digest(path)?) {
                    Ok(())
                } else {
                    Err(refuse(change, "does not hold what the change was made for").into())
                }
            }
            (_, Some(kind)) => Err(refuse(change, format!("is {}", describe(kind, path))).into()),
        }
    }

    /// Returns what is at `path`, directly in `folder`; refuses a new name that is another spelling of an old one.
    fn look(&mut self, change: &FileChange, folder: &str, path: &str) -> Result<Option<Kind>, P::Error> {
        if !self.seen.contains_key(folder) {
            let listed = self.place.list(folder)?.map(Folder::new);
            self.seen.insert(folder.to_owned(), listed);
        }
        let Some(Some(listed)) = self.seen.get(folder) else { return Ok(None) };
        let name = path.rsplit('/').next().unwrap_or(path);
        if let Some(kind) = listed.names.get(name.as_bytes()) {
            return Ok(Some(*kind));
        }
        match listed.folded.get(&fold(name)) {
            Some(other) => {
                Err(refuse(change, format!("is another spelling of `{other}`, which exists")).into())
            }
            None => Ok(None),
        }
    }
}

impl Folder {
    fn new(listed: Names) -> Self {
        let utf8 = |name: &[u8]| String::from_utf8(name.to_vec()).ok();
        let folded =
            listed.iter().filter_map(|(name, _)| utf8(name)).map(|name| (fold(&name), name)).collect();
        Self { names: listed.into_iter().collect(), folded }
    }
}

fn describe(kind: Kind, path: &str) -> String {
    match kind {
        Kind::File => format!("the file `{path}`"),
        Kind::Folder => format!("the folder `{path}`"),
        Kind::Link => format!("the symbolic link `{path}`"),
        Kind::Submodule => format!("the submodule `{path}`"),
        Kind::Other => format!("the special file `{path}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::types::change_set::FileMode;

    /// A place made of `(path, kind)`; a file holds its own path.
    struct Fixed(&'static [(&'static str, Kind)]);

    impl Place for Fixed {
        type Error = Refusal;

        fn list(&self, folder: &str) -> Result<Option<Names>, Refusal> {
            let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
            let below = self.0.iter().filter_map(|(p, k)| Some((p.strip_prefix(&prefix)?, *k)));
            Ok(Some(below.filter(|(p, _)| !p.contains('/')).map(|(p, k)| (p.into(), k)).collect()))
        }

        fn digest(&self, path: &str) -> Result<Digest, Refusal> {
            Ok(Digest::of(path))
        }
    }

    const PLACE: Fixed = Fixed(&[
        ("README.md", Kind::File),
        ("src", Kind::Folder),
        ("src/a.rs", Kind::File),
        ("link", Kind::Link),
        ("sub", Kind::Submodule),
        ("caf\u{e9}", Kind::Folder),
    ]);

    fn write(path: &str, before: Option<&str>) -> FileChange {
        let before = before.map(str::as_bytes);
        FileChange::write(path.parse().unwrap(), before, b"new".to_vec(), FileMode::Regular)
    }

    fn delete(path: &str, before: &str) -> FileChange {
        let before = Some(Digest::of(before));
        let path = path.parse().unwrap();
        FileChange { path, op: FileOp::Delete, mode: FileMode::Regular, before, after: None, content: None }
    }

    #[test]
    fn changes_that_fit_are_let_through() {
        let changes = [
            write("README.md", Some("README.md")),
            write("new/deep/x", None),
            delete("src/a.rs", "src/a.rs"),
            write("src/b.rs", None),
        ];
        assert_eq!(check(&PLACE, &changes), Ok(()));
        assert_eq!(check(&PLACE, &[]), Ok(()));
    }

    #[test]
    fn changes_that_do_not_fit_are_refused() {
        let cases: &[(&[FileChange], &str)] = &[
            (&[write("src/a.rs", None)], "exists already"),
            (&[write("src/b.rs", Some("x"))], "does not exist"),
            (&[delete("gone/b.rs", "x")], "does not exist"),
            (&[write("src/a.rs", Some("other"))], "does not hold"),
            (&[delete("src/a.rs", "other")], "does not hold"),
            (&[write("link", Some("link"))], "symbolic link"),
            (&[write("link/x", None)], "below the symbolic link"),
            (&[write("sub/x", None)], "below the submodule"),
            (&[write("README.md/x", None)], "below the file"),
            (&[write("src", Some("src"))], "the folder"),
            (&[write("readme.md", None)], "another spelling of `README.md`"),
            (&[write("SRC/b.rs", None)], "another spelling of `src`"),
            (&[write("cafe\u{301}/x", None)], "another spelling of `caf\u{e9}`"),
            (&[write("new", None), write("new", None)], "twice"),
            (&[write("z", None), write("a", None)], "out of order"),
            (&[write("New/a", None), write("new/b", None)], "another spelling of `New`"),
            (&[write("new", None), write("new/b", None)], "below `new`"),
        ];
        for (changes, why) in cases {
            let refusal = check(&PLACE, changes).unwrap_err();
            assert!(refusal.why.contains(why), "{why}: {refusal}");
        }
    }

    #[test]
    fn a_change_that_lies_about_its_content_is_refused() {
        let mut change = write("x", None);
        change.after = Some(Digest::of("other"));
        assert!(check(&PLACE, &[change]).unwrap_err().why.contains("digest"));
    }
}
