//! Paths inside a repository that are safe to write on every platform.
//!
//! Must never accept a path that can leave the repository, reach git's own files, or mean different files on different
//! file systems. The component rules are git's own (`core.protectHFS`, `core.protectNTFS`), through `gix-validate`.

use std::fmt;
use std::str::FromStr;

use gix::validate::path::component;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::diagnostic::text::is_hidden;
use unicode_normalization::UnicodeNormalization as _;

/// A checked, relative, `/`-separated UTF-8 path of a file in a repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct RepoPath(String);

/// Why a path was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the path {path:?} {why}")]
pub struct PathError {
    /// The path as it was given.
    pub path: String,
    /// The reason, to be read after the path.
    pub why: String,
}

const MAX_LENGTH: usize = 1024;

impl RepoPath {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the parts between the slashes.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }

    /// Returns the last part.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// Returns the folders above the file, outermost first.
    pub fn parents(&self) -> impl Iterator<Item = &str> {
        self.0.match_indices('/').map(|(at, _)| &self.0[..at])
    }
}

fn check(path: &str) -> Result<(), String> {
    if path.is_empty() {
        return Err("is empty".into());
    }
    if path.len() > MAX_LENGTH {
        return Err(format!("is longer than {MAX_LENGTH} bytes"));
    }
    if let Some(c) = path.chars().find(|c| c.is_control() || *c == '\\' || is_hidden(*c)) {
        return Err(format!("holds the character U+{:04X}", u32::from(c)));
    }
    if path.starts_with('/') {
        return Err("is absolute".into());
    }
    for part in path.split('/') {
        if part.is_empty() {
            return Err("has an empty part".into());
        }
        if part.len() > 255 {
            return Err("has a part longer than 255 bytes".into());
        }
        check_part(part)?;
        // Some file systems take compatibility forms (full-width dots, superscript digits) for the plain ones.
        let plain: String = part.nfkc().collect();
        if plain != part {
            check_part(&plain)?;
        }
    }
    Ok(())
}

fn check_part(part: &str) -> Result<(), String> {
    if part == "." || part == ".." {
        return Err(format!("has the part `{part}`"));
    }
    if part.contains(['/', '\\']) {
        return Err(format!("is not safe in `{part}`: it holds a separator"));
    }
    let options = component::Options { protect_windows: true, protect_hfs: true, protect_ntfs: true };
    gix::validate::path::component(part.into(), None, options)
        .map(drop)
        .map_err(|error| format!("is not safe in `{part}`: {error}"))
}

impl TryFrom<String> for RepoPath {
    type Error = PathError;

    fn try_from(path: String) -> Result<Self, PathError> {
        match check(&path) {
            Ok(()) => Ok(Self(path)),
            Err(why) => Err(PathError { path, why }),
        }
    }
}

impl FromStr for RepoPath {
    type Err = PathError;

    fn from_str(path: &str) -> Result<Self, PathError> {
        Self::try_from(path.to_owned())
    }
}

impl From<RepoPath> for String {
    fn from(path: RepoPath) -> Self {
        path.0
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_paths_are_taken() {
        for good in
            ["a", "src/main.rs", ".github/workflows/ci.yml", ".gitignore", "a b/ü.txt", "x/.gitattributes"]
        {
            assert!(good.parse::<RepoPath>().is_ok(), "{good}: {:?}", good.parse::<RepoPath>());
        }
    }

    #[test]
    fn tricks_are_refused() {
        for bad in [
            "",
            "/etc/passwd",
            "../x",
            "a/../b",
            "a//b",
            "a/",
            "./a",
            "a/.",
            "C:\\x",
            "C:x",
            "a\\b",
            ".git/config",
            ".GIT/config",
            "a/.git/hooks/x",
            ".g\u{200c}it/config",
            "git~1/config",
            "GIT~1",
            ".git /x",
            ".git./x",
            "aux",
            "con.txt",
            "NUL",
            "a/com1.log",
            "x.",
            "x ",
            "a:b",
            ".git::$INDEX_ALLOCATION/x",
            "a\0b",
            "a\nb",
            "a\u{202e}b",
            "\u{feff}a",
            "a/\u{e0041}b",
            "a\u{fe0f}",
            "\u{3164}",
            "a\u{2028}b",
            "COM\u{b9}",
            "conin$",
            "\u{ff0e}\u{ff0e}/x",
            "\u{ff0e}git/config",
            "a/\u{ff0e}\u{ff47}\u{ff49}\u{ff54}/hooks/x",
            "a\u{ff3c}..\u{ff3c}b",
            "a\u{2100}b",
            "x/..\u{200b}/y",
        ] {
            assert!(bad.parse::<RepoPath>().is_err(), "{bad:?}");
        }
    }
}
