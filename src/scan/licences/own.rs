//! The licence a repository is published under.
//!
//! Must never take the licence of a part for that of the whole: only the root is looked at.

use super::cache;
use super::declared::declared;
use super::expression::Expression;

/// Manifests that name a licence, in the order in which they are asked.
const MANIFESTS: &[&str] =
    &["Cargo.toml", "package.json", "pyproject.toml", "setup.cfg", "composer.json", "pom.xml"];

/// Names under which the text is found.
const TEXTS: &[&str] = &[
    "LICENSE",
    "LICENSE.md",
    "LICENSE.txt",
    "LICENCE",
    "LICENCE.md",
    "LICENCE.txt",
    "COPYING",
    "COPYING.md",
    "COPYING.txt",
    "COPYING.LESSER",
    "UNLICENSE",
    "LICENSE-MIT",
    "LICENSE-APACHE",
    "LICENSE-APACHE-2.0",
    "LICENSE-BSD",
    "LICENSE-GPL",
    "LICENSE-MIT.txt",
    "LICENSE-APACHE.txt",
    "LICENSE-MIT.md",
    "LICENSE-APACHE.md",
    "LICENSE.MIT",
    "LICENSE.APACHE",
    "LICENSE.rst",
    "LICENSE.GPL",
    "COPYING.LIB",
    "License.txt",
    "license.txt",
    "license.md",
    "License.md",
    "license",
    "License",
];

/// Tells whether a file of the root takes part in saying what the repository is published under.
pub fn counts(path: &str) -> bool {
    MANIFESTS.contains(&path) || TEXTS.contains(&path)
}

/// Returns what a repository is published under; `file` returns a file of its root.
///
/// A manifest tells; without one, the texts do: several in files of their own are alternatives.
pub fn published(file: &dyn Fn(&str) -> Option<Vec<u8>>) -> Option<String> {
    let mut named: Vec<String> = Vec::new();
    for path in MANIFESTS {
        let Some(text) = file(path).and_then(|bytes| declared(path, &bytes)) else { continue };
        let text = Expression::parse(&text).map_or(text, |read| read.to_string());
        if !named.contains(&text) {
            named.push(text);
        }
    }
    match named.len() {
        0 => from_texts(file),
        1 => named.pop(),
        _ => Some(named.iter().map(|text| format!("({text})")).collect::<Vec<_>>().join(" AND ")),
    }
}

fn from_texts(file: &dyn Fn(&str) -> Option<Vec<u8>>) -> Option<String> {
    let mut found: Vec<Expression> = Vec::new();
    for path in TEXTS {
        let Some(bytes) = file(path) else { continue };
        let reading = cache::read(&String::from_utf8_lossy(&bytes));
        // What is not wholly known is no ground to judge others by.
        found.extend(reading.is_known().then(|| reading.expression()).flatten());
    }
    // The LGPL comes in two files, the second of them the GPL it is written over.
    let lesser = found.iter().any(|one| one.to_string().starts_with("LGPL-"));
    found.retain(|one| !(lesser && one.to_string().starts_with("GPL-")));
    Expression::any(found).map(|found| found.to_string())
}

#[cfg(test)]
mod tests {
    use crate::scan::{MemoryTree, Surroundings};

    fn of<const N: usize>(files: [(&str, &str); N]) -> Option<String> {
        let tree: MemoryTree = files.into_iter().collect();
        Surroundings::of(&tree).licence
    }

    #[test]
    fn manifests_tell_before_texts() {
        let mit = include_str!("../../../LICENSE-MIT");
        let apache = include_str!("../../../LICENSE-APACHE");
        assert_eq!(of([]), None);
        assert_eq!(of([("LICENSE", mit)]).as_deref(), Some("MIT"));
        assert_eq!(
            of([("LICENSE-MIT", mit), ("LICENSE-APACHE", apache)]).as_deref(),
            Some("MIT OR Apache-2.0")
        );
        assert_eq!(
            of([("LICENSE", mit), ("Cargo.toml", "[package]\nlicense = \"ISC\"")]).as_deref(),
            Some("ISC")
        );
        assert_eq!(of([("LICENSE", "Do as we say.")]), None);
        assert_eq!(of([("vendor/LICENSE", mit)]), None);
        let two =
            of([("Cargo.toml", "[package]\nlicense = \"ISC\""), ("package.json", "{\"license\": \"MIT\"}")]);
        assert_eq!(two.as_deref(), Some("(ISC) AND (MIT)"));
    }
}
