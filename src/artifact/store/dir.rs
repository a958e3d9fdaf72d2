//! A run folder on disk.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use super::{ArtifactStore, StoreError};

/// The end of the name of a file that is being written.
const PARTIAL: &str = ".partial";

/// A run folder on disk; made when the first file is written.
#[derive(Debug)]
pub struct DirStore {
    root: PathBuf,
}

impl DirStore {
    /// Returns the store of a folder, which need not exist yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Returns the folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn fail(what: &'static str, path: &str) -> impl FnOnce(std::io::Error) -> StoreError {
        let path = path.to_owned();
        move |source| StoreError::Io { what, path, source }
    }

    /// Writes below `root` beside the target and renames: readers see the old file or the new one.
    fn place(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let target = self.root.join(path);
        let folder = target.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder).map_err(Self::fail("make the folder of", path))?;
        let beside = folder.join(format!(
            "{}.{}{PARTIAL}",
            target.file_name().unwrap_or_default().to_string_lossy(),
            std::process::id()
        ));
        let written = fs::File::create(&beside).and_then(|mut file| file.write_all(bytes));
        written.and_then(|()| fs::rename(&beside, &target)).map_err(|source| {
            let _ = fs::remove_file(&beside);
            StoreError::Io { what: "write", path: path.into(), source }
        })
    }
}

/// Calls `found` for every regular file below a folder; anything else but folders is refused.
fn walk(folder: &Path, base: &str, found: &mut dyn FnMut(String, &Path)) -> Result<(), StoreError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(DirStore::fail("list", base)(error)),
    };
    for entry in entries {
        let entry = entry.map_err(DirStore::fail("list", base))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if base.is_empty() { name } else { format!("{base}/{name}") };
        let kind = entry.file_type().map_err(DirStore::fail("look at", &path))?;
        if kind.is_dir() {
            walk(&entry.path(), &path, found)?;
        } else if kind.is_file() {
            found(path, &entry.path());
        } else {
            let what = if kind.is_symlink() { "a symbolic link" } else { "no regular file" };
            return Err(StoreError::Foreign { path, what });
        }
    }
    Ok(())
}

/// Tells whether a path is of a file, or in a folder, that is being written.
fn is_partial(path: &str) -> bool {
    path.ends_with(PARTIAL) || path.contains(".partial/")
}

impl ArtifactStore for DirStore {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let file = self.root.join(path);
        match fs::symlink_metadata(&file) {
            Ok(meta) if meta.is_file() => fs::read(&file).map(Some).map_err(Self::fail("read", path)),
            Ok(_) => Err(StoreError::Foreign { path: path.into(), what: "no regular file" }),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(Self::fail("read", path)(error)),
        }
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.place(path, bytes)
    }

    fn append(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let target = self.root.join(path);
        // A link here would let the bytes land elsewhere.
        if fs::symlink_metadata(&target).is_ok_and(|meta| !meta.is_file()) {
            return Err(StoreError::Foreign { path: path.into(), what: "no regular file" });
        }
        fs::create_dir_all(target.parent().unwrap_or(&self.root))
            .map_err(Self::fail("make the folder of", path))?;
        let opened = fs::OpenOptions::new().create(true).append(true).open(&target);
        opened.and_then(|mut file| file.write_all(bytes)).map_err(Self::fail("write", path))
    }

    fn remove(&self, path: &str) -> Result<(), StoreError> {
        match fs::remove_file(self.root.join(path)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(Self::fail("remove", path)(error)),
            _ => Ok(()),
        }
    }

    fn list(&self) -> Result<Vec<String>, StoreError> {
        let mut paths = Vec::new();
        walk(&self.root, "", &mut |path, _| {
            if !is_partial(&path) {
                paths.push(path);
            }
        })?;
        paths.sort_unstable();
        Ok(paths)
    }

    fn sweep(&self) -> Result<(), StoreError> {
        let mut left = Vec::new();
        walk(&self.root, "", &mut |path, file| {
            if is_partial(&path) {
                left.push((path, file.to_owned()));
            }
        })?;
        for (path, file) in left {
            fs::remove_file(file).map_err(Self::fail("remove", &path))?;
        }
        Ok(())
    }

    fn preserve(&self, paths: &[String], folder: &str) -> Result<(), StoreError> {
        let beside = format!("{folder}{PARTIAL}");
        for path in paths {
            if let Some(bytes) = self.read(path)? {
                self.place(&format!("{beside}/{path}"), &bytes)?;
            }
        }
        fs::rename(self.root.join(&beside), self.root.join(folder)).map_err(Self::fail("write", folder))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conforms() {
        let folder = tempfile::tempdir().unwrap();
        super::super::conforms(&DirStore::new(folder.path().join("run")));
    }

    #[test]
    fn leftovers_are_no_files_and_are_swept() {
        let folder = tempfile::tempdir().unwrap();
        let store = DirStore::new(folder.path());
        store.write("task.json", b"{}").unwrap();
        fs::write(folder.path().join("plan.json.7.partial"), b"{\"ki").unwrap();
        fs::create_dir_all(folder.path().join("attempts/1.partial/manifest")).unwrap();
        fs::write(folder.path().join("attempts/1.partial/manifest/x.json"), b"").unwrap();
        assert_eq!(store.list().unwrap(), ["task.json"]);
        store.sweep().unwrap();
        assert!(!folder.path().join("plan.json.7.partial").exists());
        assert!(!folder.path().join("attempts/1.partial/manifest/x.json").exists());
    }

    #[cfg(unix)]
    #[test]
    fn links_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store = DirStore::new(folder.path());
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("task.json")).unwrap();
        assert!(matches!(store.read("task.json"), Err(StoreError::Foreign { .. })));
        assert!(matches!(store.list(), Err(StoreError::Foreign { .. })));
    }
}
