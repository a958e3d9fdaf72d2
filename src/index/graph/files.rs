//! The files of a tree as resolvers see them: found by path, with what each says of itself.
//!
//! Must never lead out of the tree.

use std::collections::HashMap;

use super::Outline;

/// The files of a tree.
pub(super) struct Files<'a> {
    /// The paths, sorted.
    pub paths: &'a [String],
    /// What each says of itself; nothing where it is of no language.
    pub outlines: &'a [Option<Outline>],
    by_path: HashMap<&'a str, u32>,
    text: &'a dyn Fn(&str) -> Option<String>,
}

impl<'a> Files<'a> {
    /// Returns files; `text` reads one that steers how imports are resolved.
    pub fn of(
        paths: &'a [String],
        outlines: &'a [Option<Outline>],
        text: &'a dyn Fn(&str) -> Option<String>,
    ) -> Self {
        let by_path = paths.iter().enumerate().map(|(at, path)| (path.as_str(), at as u32)).collect();
        Self { paths, outlines, by_path, text }
    }

    /// Returns a file by its path.
    pub fn find(&self, path: &str) -> Option<u32> {
        self.by_path.get(path).copied()
    }

    /// Returns the path of a file.
    pub fn path(&self, file: u32) -> &'a str {
        self.paths.get(file as usize).map_or("", String::as_str)
    }

    /// Returns the text of a file that steers how imports are resolved.
    pub fn text(&self, path: &str) -> Option<String> {
        (self.text)(path)
    }

    /// Returns the files of one of the endings, with their numbers.
    pub fn ending<'b>(&'b self, endings: &'b [&str]) -> impl Iterator<Item = (u32, &'a str)> + 'b {
        self.paths.iter().enumerate().filter_map(|(at, path)| {
            let (_, ending) = path.rsplit_once('.')?;
            endings.contains(&ending).then_some((at as u32, path.as_str()))
        })
    }

    /// Returns the folders of all files of a name, the deepest first.
    pub fn named(&self, name: &str) -> Vec<&'a str> {
        let fits = |path: &&'a String| split(path).1 == name;
        let mut found: Vec<&str> = self.paths.iter().filter(fits).map(|path| split(path).0).collect();
        found.sort_by_key(|folder| std::cmp::Reverse(folder.len()));
        found
    }
}

/// Splits a path into its folder and its name.
pub(super) fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// Returns a path without the ending of its name.
pub(super) fn bare(path: &str) -> &str {
    let start = path.rfind('/').map_or(0, |at| at + 1);
    path[start..].rfind('.').map_or(path, |dot| &path[..start + dot])
}

/// Tells whether a path is a folder or below it.
pub(super) fn below(folder: &str, path: &str) -> bool {
    folder.is_empty() || path == folder || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// Joins a folder and a relative path; nothing where it leads out of the tree.
pub(super) fn join(folder: &str, name: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
