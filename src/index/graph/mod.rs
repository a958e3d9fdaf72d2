//! What depends on what: imports resolved to files, tests of a module, and what a change may reach.
//!
//! Must never run anything and never guess: an import that leads to no file of the tree, or to several, is counted and is
//! no edge. One file a language; what a file says of itself is read without its path, so it can be kept by its blob.

mod build;
mod cache;
mod cover;
mod files;
mod go;
mod jvm;
mod open;
mod other;
mod outline;
mod python;
mod query;
mod radius;
mod rust;
mod script;
#[cfg(test)]
mod tests;
mod tsconfig;

pub use build::{build, with_owners};
pub use cache::VERSION;
pub use open::{GraphTold, MAX_FILE, kept, of_reader, of_vcs, of_worktree};
pub use outline::Outline;
pub use query::{Query, Reached};
pub use radius::radius;

use super::kind::{Kind, Kinds};
use files::Files;

/// Where an import leads.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Hit {
    /// To files of the tree.
    Files(Vec<u32>),
    /// Out of the tree: a library.
    Outside,
    /// Into the tree, where no such file is.
    Nowhere,
    /// To several files, of which one is meant.
    Several,
}

impl Hit {
    fn of(files: Vec<u32>) -> Self {
        match files.len() {
            0 => Self::Nowhere,
            1 => Self::Files(files),
            _ => Self::Several,
        }
    }
}

/// A language: how its files are read, and where what they name leads.
trait Language: Sync {
    /// Returns the endings of its files, in lower case, without the dot.
    fn endings(&self) -> &'static [&'static str];

    /// Reads what a file imports; what it defines is read for all languages alike.
    fn read(&self, text: &str, outline: &mut Outline);

    /// Prepares to resolve the imports of a tree.
    fn resolver<'a>(&self, files: &'a Files<'a>) -> Box<dyn Resolve + 'a>;

    /// Tells whether what files define is needed to resolve what others import.
    fn by_name(&self) -> bool {
        false
    }

    /// Tells whether all files of a folder but its tests are one module.
    fn by_folder(&self) -> bool {
        false
    }
}

/// Resolves imports of one language in one tree.
trait Resolve {
    /// Returns where a name in a file leads; a name that begins with `~` is a use, not a statement, and may lead nowhere.
    fn resolve(&self, from: u32, name: &str) -> Hit;
}

/// Every language, one line each.
static LANGUAGES: &[&dyn Language] = &[
    &python::Python,
    &script::Script,
    &go::Go,
    &rust::Rust,
    &jvm::Jvm,
    &other::C,
    &other::Ruby,
    &other::Php,
];

/// Returns the number of the language of a file.
fn language(path: &str) -> Option<usize> {
    let name = path.rsplit('/').next()?;
    let (_, ending) = name.rsplit_once('.')?;
    LANGUAGES
        .iter()
        .position(|language| language.endings().iter().any(|known| known.eq_ignore_ascii_case(ending)))
}

/// Returns the number of the language of a file that can be a part of a module, with what the file is for; somebody else's
/// code that is kept here can not.
fn part(path: &str, kinds: &mut Kinds) -> Option<(usize, Kind)> {
    let language = language(path)?;
    Some((language, kinds.of(path))).filter(|(_, kind)| *kind != Kind::Vendored)
}

/// Tells whether a file can be a part of a module.
pub fn is_module(path: &str) -> bool {
    part(path, &mut Kinds::default()).is_some()
}

/// Returns how many of some paths can be parts of modules.
pub fn module_files<'a>(paths: impl Iterator<Item = &'a str>) -> usize {
    let mut kinds = Kinds::default();
    paths.filter(|path| part(path, &mut kinds).is_some()).count()
}
