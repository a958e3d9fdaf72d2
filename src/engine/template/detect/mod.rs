//! Facts about a repository, read from a tree of files: what `repo` holds in a template's expressions.
//!
//! Must never run or import repository code; a file that cannot be understood is no fact.

pub mod documents;
pub mod node;
pub mod python;
pub mod rust;
mod rust_text;
pub mod statements;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::engine::EngineError;

use super::manifest::{Detector, Language};
use super::tree::Tree;

/// Facts about a repository; only the detectors that were asked for have run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Facts {
    /// Languages with at least one source file.
    pub languages: Vec<Language>,
    /// Python.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub python: Option<python::Python>,
    /// Rust.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rust: Option<rust::Rust>,
    /// Node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<node::Node>,
    /// Documents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub documents: Option<documents::Documents>,
}

/// Why a file that is there cannot be extended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file.
    pub path: String,
    /// The reason, to be read after `it`.
    pub why: String,
}

/// Runs the detectors.
pub fn facts(tree: &Tree<'_>, detectors: &[Detector]) -> Result<Facts, EngineError> {
    let mut facts = Facts { languages: languages(tree), ..Facts::default() };
    for detector in detectors {
        match detector {
            Detector::Python => facts.python = Some(python::detect(tree)?),
            Detector::Rust => facts.rust = Some(rust::detect(tree)?),
            Detector::Node => facts.node = Some(node::detect(tree)?),
            Detector::Documents => facts.documents = Some(documents::detect(tree)?),
        }
    }
    Ok(facts)
}

/// Folders whose files are somebody else's or made by tools.
const FOREIGN: &[&str] = &[
    "node_modules",
    "vendor",
    "venv",
    ".venv",
    "env",
    "site-packages",
    "target",
    "dist",
    "build",
    ".tox",
    "third_party",
];

/// Tells whether a path is neither the repository's own source nor made by hand.
pub fn is_foreign(path: &str) -> bool {
    path.split('/').any(|part| FOREIGN.contains(&part))
}

/// Returns the languages of a tree, the one with most files first; where no source is there yet, those its manifests name.
pub fn languages(tree: &Tree<'_>) -> Vec<Language> {
    let mut counts: BTreeMap<Language, usize> = BTreeMap::new();
    for path in tree.files().filter(|path| !is_foreign(path)) {
        if let Some(language) = path.rsplit_once('.').and_then(|(_, ending)| by_ending(ending)) {
            *counts.entry(language).or_default() += 1;
        }
    }
    if counts.is_empty() {
        let manifests = tree.files().filter(|path| !is_foreign(path)).filter_map(by_manifest);
        manifests.for_each(|language| *counts.entry(language).or_default() += 1);
    }
    let mut found: Vec<_> = counts.into_iter().collect();
    found.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    found.into_iter().map(|(language, _)| language).collect()
}

fn by_manifest(path: &str) -> Option<Language> {
    Some(match path.rsplit('/').next()? {
        "requirements.txt" | "pyproject.toml" | "Pipfile" => Language::Python,
        "Cargo.toml" => Language::Rust,
        "tsconfig.json" => Language::Typescript,
        "package.json" => Language::Javascript,
        "go.mod" => Language::Go,
        _ => return None,
    })
}

fn by_ending(ending: &str) -> Option<Language> {
    Some(match ending {
        "py" => Language::Python,
        "rs" => Language::Rust,
        "ts" | "tsx" | "mts" | "cts" => Language::Typescript,
        "js" | "jsx" | "mjs" | "cjs" => Language::Javascript,
        "go" => Language::Go,
        "java" | "kt" => Language::Jvm,
        "rb" => Language::Ruby,
        "cs" => Language::Csharp,
        "php" => Language::Php,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_told_by_endings_without_foreign_files() {
        let tree = Tree::of_texts(&[
            ("a.py", ""),
            ("b.rs", ""),
            ("src/c.rs", ""),
            ("node_modules/x.js", ""),
            ("README", ""),
        ]);
        assert_eq!(languages(&tree), [Language::Rust, Language::Python]);
        assert!(languages(&Tree::of_texts(&[])).is_empty());
        let manifest = [("requirements.txt", "fastapi\n")];
        assert_eq!(languages(&Tree::of_texts(&manifest)), [Language::Python]);
        let with_source = [("requirements.txt", ""), ("src/a.rs", "")];
        assert_eq!(languages(&Tree::of_texts(&with_source)), [Language::Rust]);
    }
}
