//! What detection may look at: the paths of a repository and the text of small files, from a folder or a git tree.
//!
//! Must never follow a link, and must never read a large file.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::artifact::id::TreeId;
use crate::ports::vcs::{EntryKind, VcsError, VcsRead};

/// The paths and small files of a repository.
pub trait Listing {
    /// Returns the paths of regular files, sorted, `/` between parts.
    fn paths(&self) -> &[String];

    /// Returns the text of a small file; `None` where there is none, or it is large or not UTF-8.
    fn text(&self, path: &str) -> Option<String>;

    /// Tells whether there is a file at a path.
    fn has(&self, path: &str) -> bool {
        self.paths().binary_search_by(|p| p.as_str().cmp(path)).is_ok()
    }
}

/// Manifests are smaller than this.
const MAX_BYTES: usize = 1024 * 1024;

/// A folder on disk.
#[derive(Debug)]
pub struct FolderListing {
    root: PathBuf,
    paths: Vec<String>,
}

/// How deep a folder is looked into, and how much of it.
const MAX_DEPTH: usize = 4;
const MAX_PATHS: usize = 50_000;
const SKIPPED: &[&str] = &["node_modules", "target", "venv", "__pycache__"];

impl FolderListing {
    /// Lists a folder; what cannot be read is left out.
    pub fn read(root: &Path) -> Self {
        let mut paths = Vec::new();
        collect(root, "", 0, &mut paths);
        paths.sort();
        Self { root: root.to_owned(), paths }
    }
}

fn collect(folder: &Path, prefix: &str, depth: usize, paths: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut folders = Vec::new();
    for entry in entries.flatten() {
        let (Ok(name), Ok(kind)) = (entry.file_name().into_string(), entry.file_type()) else { continue };
        if paths.len() >= MAX_PATHS {
            return;
        }
        if kind.is_file() {
            paths.push(format!("{prefix}{name}"));
        } else if kind.is_dir() && !name.starts_with('.') && !SKIPPED.contains(&name.as_str()) {
            folders.push(name);
        }
    }
    if depth < MAX_DEPTH {
        folders.sort();
        for name in folders {
            collect(&folder.join(&name), &format!("{prefix}{name}/"), depth + 1, paths);
        }
    }
}

impl Listing for FolderListing {
    fn paths(&self) -> &[String] {
        &self.paths
    }

    fn text(&self, path: &str) -> Option<String> {
        if !self.has(path) {
            return None;
        }
        let mut bytes = Vec::new();
        let file = fs::File::open(self.root.join(path)).ok()?;
        file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).ok()?;
        small_text(bytes)
    }
}

/// A tree of a git repository.
pub struct TreeListing<'a> {
    vcs: &'a dyn VcsRead,
    tree: &'a TreeId,
    paths: Vec<String>,
}

impl<'a> TreeListing<'a> {
    /// Lists a tree; paths that are not UTF-8 are left out.
    pub fn read(vcs: &'a dyn VcsRead, tree: &'a TreeId) -> Result<Self, VcsError> {
        let mut paths: Vec<String> = vcs
            .entries(tree)?
            .iter()
            .filter(|e| matches!(e.kind, EntryKind::File | EntryKind::Executable))
            .filter_map(|e| e.utf8_path().map(str::to_owned))
            .collect();
        paths.sort();
        Ok(Self { vcs, tree, paths })
    }
}

impl Listing for TreeListing<'_> {
    fn paths(&self) -> &[String] {
        &self.paths
    }

    fn text(&self, path: &str) -> Option<String> {
        if !self.has(path) {
            return None;
        }
        small_text(self.vcs.file(self.tree, path).ok().flatten()?)
    }
}

fn small_text(bytes: Vec<u8>) -> Option<String> {
    if bytes.len() > MAX_BYTES {
        return None;
    }
    let text = String::from_utf8(bytes).ok()?;
    Some(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}
