//! The private folders of a run: a home, temporary files, caches; one set for each working directory.
//!
//! Must never lie inside the copy, and must never follow a link a command may have left.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tempfile::TempDir;

use super::toolchain::Toolchain;
use super::{Captured, Network, ProcessError};

/// How the folders are named, followed by the number of the process that made them.
const PREFIX: &str = "orch-private-";

/// What the folder is called in printed text.
const NAME: &str = "[private]";

/// Folders older than this whose process is gone are swept.
#[cfg(target_os = "linux")]
const STALE: std::time::Duration = std::time::Duration::from_hours(1);

/// All private folders of this process; they go away with it.
#[derive(Debug, Default)]
pub(super) struct PrivateFolders {
    folders: Mutex<BTreeMap<PathBuf, TempDir>>,
}

/// The private folders of one working directory.
#[derive(Clone, Debug)]
pub(super) struct Private {
    root: PathBuf,
}

impl PrivateFolders {
    /// Returns the folders of a working directory, made when they are not there yet.
    pub(super) fn of(
        &self,
        cwd: &Path,
        network: Network,
        tools: &Toolchain,
    ) -> Result<Private, ProcessError> {
        let failed = |source| ProcessError::System {
            what: "make a private folder for temporary files".into(),
            source,
        };
        let mut folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        let root = if let Some(folder) = folders.get(cwd) {
            folder.path().to_owned()
        } else {
            let folder = make().map_err(failed)?;
            folders.entry(cwd.to_owned()).or_insert(folder).path().to_owned()
        };
        let private = Private { root };
        private.fill(network, tools).map_err(failed)?;
        Ok(private)
    }
}

impl Private {
    /// Puts one name in the place of the private folder, which is another in each run.
    pub(super) fn rename_in(&self, captured: Captured) -> Captured {
        let Some(root) = self.root.to_str() else { return captured };
        Captured { text: captured.text.replace(root, NAME), ..captured }
    }

    /// The home folder a command sees.
    pub(super) fn home(&self) -> PathBuf {
        self.root.join("home")
    }

    /// Where a command puts temporary files.
    pub(super) fn temporary(&self) -> PathBuf {
        self.root.join("tmp")
    }

    /// The cargo home a command sees.
    pub(super) fn cargo(&self) -> PathBuf {
        self.root.join("cargo")
    }

    /// Where Go keeps what it builds and fetches.
    pub(super) fn go(&self) -> PathBuf {
        self.root.join("go")
    }

    /// The folders a command may write. The folder around them is not among them, so that none can be replaced.
    pub(super) fn writable(&self) -> [PathBuf; 4] {
        [self.home(), self.temporary(), self.cargo(), self.go()]
    }

    fn fill(&self, network: Network, tools: &Toolchain) -> io::Result<()> {
        for folder in self.writable() {
            match fs::create_dir(&folder) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        let Some(real) = &tools.cargo_home else { return Ok(()) };
        for part in ["config.toml", "config"] {
            borrow(&real.join(part), &self.cargo().join(part))?;
        }
        for part in ["registry", "git"] {
            let place = self.cargo().join(part);
            match network {
                Network::Off => borrow(&real.join(part), &place)?,
                // What is fetched goes into a folder of its own: the person's is not written.
                Network::Full => own(&place)?,
            }
        }
        Ok(())
    }
}

/// Links to the person's folder unless something is there already.
fn borrow(real: &Path, place: &Path) -> io::Result<()> {
    if !real.exists() || fs::symlink_metadata(place).is_ok() {
        return Ok(());
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink(real, place)?;
    Ok(())
}

/// Makes a folder of its own where a link was.
fn own(place: &Path) -> io::Result<()> {
    match fs::symlink_metadata(place) {
        Ok(meta) if meta.is_symlink() => fs::remove_file(place)?,
        Ok(_) => return Ok(()),
        Err(_) => {}
    }
    fs::create_dir(place)
}

fn make() -> io::Result<TempDir> {
    let around = fs::canonicalize(std::env::temp_dir())?;
    sweep(&around);
    tempfile::Builder::new().prefix(&format!("{PREFIX}{}-", std::process::id())).tempdir_in(around)
}

/// Removes folders whose process was killed before it could; young ones may belong to a process of another container.
#[cfg(target_os = "linux")]
fn sweep(around: &Path) {
    let stale = |entry: &fs::DirEntry| {
        let name = entry.file_name();
        let pid = name.to_str()?.strip_prefix(PREFIX)?.split('-').next()?.parse::<u32>().ok()?;
        let age = entry.metadata().ok()?.modified().ok()?.elapsed().ok()?;
        (age > STALE && !Path::new("/proc").join(pid.to_string()).exists()).then_some(())
    };
    for entry in fs::read_dir(around).into_iter().flatten().filter_map(Result::ok) {
        if stale(&entry).is_some() {
            // Another process may be sweeping too; what is left is swept next time.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn sweep(_around: &Path) {}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_is_borrowed_until_something_is_fetched() {
        let real = tempfile::tempdir().unwrap();
        fs::create_dir(real.path().join("registry")).unwrap();
        fs::write(real.path().join("credentials.toml"), "secret").unwrap();
        let tools = Toolchain { cargo_home: Some(real.path().to_owned()), ..Toolchain::default() };
        let folders = PrivateFolders::default();
        let private = folders.of(Path::new("/copy"), Network::Off, &tools).unwrap();
        assert!(private.cargo().join("registry").is_symlink());
        assert!(!private.cargo().join("credentials.toml").exists());
        let again = folders.of(Path::new("/copy"), Network::Full, &tools).unwrap();
        assert_eq!(again.cargo(), private.cargo());
        assert!(!again.cargo().join("registry").is_symlink() && again.cargo().join("registry").is_dir());
        let printed = Captured { text: format!("in {}/x", private.temporary().display()), bytes: 9 };
        assert_eq!(private.rename_in(printed).text, "in [private]/tmp/x");
        let off = folders.of(Path::new("/copy"), Network::Off, &tools).unwrap();
        assert!(!off.cargo().join("registry").is_symlink());
        let root = off.root.clone();
        drop(folders);
        assert!(!root.exists());
    }
}
