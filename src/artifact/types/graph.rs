//! `graph.json`: modules of a tree, what they define and import, which tests cover them, who owns them.
//!
//! Modules are named by their number: a list of a hundred thousand files stays a few megabytes. Must never hold an edge
//! that was guessed: what could not be resolved is counted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::artifact::envelope::Artifact;
use crate::artifact::id::{CommitId, TreeId};
use crate::artifact::kind::ArtifactKind;

/// The modules of a tree and what they have to do with each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RepositoryGraph {
    /// The commit, where one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitId>,
    /// The tree.
    pub tree: TreeId,
    /// The folders modules are in, sorted; the root is empty.
    pub folders: Vec<String>,
    /// The groups of owners modules have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owners: Vec<Vec<String>>,
    /// The modules, sorted by path.
    pub modules: Vec<GraphModule>,
    /// How much there is, and how much could not be told.
    pub counts: GraphCounts,
}

/// A module: a file, or in a language that builds by folders all files of one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GraphModule {
    /// The number of its folder.
    pub folder: u32,
    /// The name of its file; absent where it is a whole folder.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The names of its files, where it is a whole folder.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// True for a test, a fixture, an example or a bench.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub test: bool,
    /// The numbers of the modules it imports, ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub imports: Vec<u32>,
    /// Of a test: the numbers of the modules it is for by its name and place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub covers: Vec<u32>,
    /// The number of the group of its owners by `CODEOWNERS`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owners: Option<u32>,
    /// What it defines at its outermost level, as `name:line`, in order; of a whole folder `file:name:line`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub symbols: Vec<String>,
}

/// How much there is, and how much could not be told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GraphCounts {
    /// Files of the tree.
    pub files: u64,
    /// Files that belong to a module.
    pub source_files: u64,
    /// Imports that lead to a file of the tree.
    pub resolved: u64,
    /// Imports of what the tree does not hold, as a library.
    pub outside: u64,
    /// Imports that should lead to a file of the tree and lead to none.
    pub unresolved: u64,
    /// Imports that fit several files.
    pub ambiguous: u64,
    /// Definitions that are not listed: there are too many.
    pub symbols_left_out: u64,
    /// Files that could not be read: too large, binary, or not in this clone.
    pub unread: u64,
}

impl RepositoryGraph {
    /// Returns the path of a module; of a whole folder, that of the folder with `/` after it.
    pub fn path(&self, module: u32) -> String {
        let Some(found) = self.modules.get(module as usize) else { return String::new() };
        let folder = self.folders.get(found.folder as usize).map_or("", String::as_str);
        match (folder, found.name.as_str()) {
            ("", "") => "./".to_owned(),
            ("", name) => name.to_owned(),
            (folder, name) => format!("{folder}/{name}"),
        }
    }
}

impl Artifact for RepositoryGraph {
    const KIND: ArtifactKind = ArtifactKind::Graph;
}
