//! Policy bundles put by beside a checkout, in `.orch/bundles`: fetched by an explicit command, read without any network.
//!
//! Must never be believed: who reads a bundle checks it against the commit id or digest that is asked for.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::program::git;
use super::{GitRepository, VcsError};

/// Where bundles are put by, from the root of the checkout.
pub const KEPT: &str = ".orch/bundles";

/// The most bytes that are read.
const LARGEST: u64 = 64 << 20;

const INIT_LIMIT: Duration = Duration::from_mins(1);
const FETCH_LIMIT: Duration = Duration::from_mins(10);

fn failed(what: String, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> VcsError {
    VcsError::Git { what, source: source.into() }
}

/// A name that is one: letters, digits and hyphens.
fn place(root: &Path, name: &str) -> Option<PathBuf> {
    let fits = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    fits.then(|| root.join(KEPT).join(name))
}

/// Reads a bundle; none where there is no regular file of that name.
pub(super) fn read(root: &Path, name: &str) -> Result<Option<Vec<u8>>, VcsError> {
    let Some(path) = place(root, name) else { return Ok(None) };
    if !fs::symlink_metadata(&path).is_ok_and(|found| found.is_file()) {
        return Ok(None);
    }
    read_bounded(&path).map(Some)
}

fn read_bounded(path: &Path) -> Result<Vec<u8>, VcsError> {
    let what = || format!("read {}", path.display());
    let file = fs::File::open(path).map_err(|error| failed(what(), error))?;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| failed(what(), error))?;
    if bytes.len() as u64 > LARGEST {
        return Err(failed(what(), format!("it is larger than {LARGEST} bytes")));
    }
    Ok(bytes)
}

impl GitRepository {
    /// Puts a bundle by: beside, then renamed.
    pub fn keep(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, VcsError> {
        let path =
            place(self.root(), name).ok_or_else(|| failed("put a bundle by".into(), "it has no name"))?;
        let folder = self.root().join(KEPT);
        let what = || format!("put {} by", path.display());
        for part in [self.root().join(".orch"), folder.clone()] {
            if part.is_symlink() {
                return Err(failed(what(), format!("{} is a symbolic link", part.display())));
            }
        }
        let write = || -> std::io::Result<()> {
            fs::create_dir_all(&folder)?;
            let ignore = folder.join(".gitignore");
            if fs::symlink_metadata(&ignore).is_err() {
                fs::write(&ignore, "# Policy bundles; `orch policy fetch` gets them.\n*\n")?;
            }
            let mut file = tempfile::NamedTempFile::new_in(&folder)?;
            file.write_all(bytes)?;
            file.persist(&path).map_err(|error| error.error)?;
            Ok(())
        };
        write().map_err(|error| failed(what(), error))?;
        Ok(path)
    }

    /// Reads a file of the working tree by its path; none where there is no regular file, and never through a link.
    pub fn working_file(&self, path: &str) -> Result<Option<Vec<u8>>, VcsError> {
        let mut whole = self.root().to_owned();
        for part in path.split('/') {
            whole.push(part);
            if whole.is_symlink() {
                return Ok(None);
            }
        }
        if whole.is_file() { read_bounded(&whole).map(Some) } else { Ok(None) }
    }

    /// Reads a file a person named in the config: relative to the root of the checkout, or absolute.
    pub fn named_file(&self, path: &str) -> Result<Vec<u8>, VcsError> {
        read_bounded(&self.root().join(path))
    }

    /// Fetches a commit of another repository into a folder of its own; no ref of this one moves.
    pub fn fetch_commit(&self, location: &str, commit: &str) -> Result<Fetched, VcsError> {
        let what = || format!("fetch {commit} of `{location}`");
        let folder = tempfile::Builder::new().prefix("orch-fetch-").tempdir();
        let folder = folder.map_err(|error| failed(what(), error))?;
        let here = !location.contains("://") && (location.starts_with(['.', '/']) || !location.contains(':'));
        let url = if here { self.root().join(location).display().to_string() } else { location.to_owned() };
        let run = |words: &[&str], limit| match git(folder.path(), words, limit) {
            Ok(said) if said.ok => Ok(()),
            Ok(said) => {
                let lines: Vec<&str> = said.stderr.lines().filter(|line| !line.trim().is_empty()).collect();
                Err(failed(what(), lines.join("; ")))
            }
            Err(why) => Err(failed(what(), why)),
        };
        run(&["init", "-q", "--bare", "."], INIT_LIMIT)?;
        // Not every server hands out a commit by its id: then all branches and tags are fetched.
        let one = run(&["fetch", "-q", "--no-tags", "--depth=1", "--", &url, commit], FETCH_LIMIT);
        if one.is_err() {
            let all =
                ["fetch", "-q", "--no-tags", "--", &url, "+refs/heads/*:refs/h/*", "+refs/tags/*:refs/t/*"];
            run(&all, FETCH_LIMIT)?;
        }
        let repo = gix::open_opts(folder.path(), gix::open::Options::isolated())
            .map_err(|error| failed(what(), error))?;
        Ok(Fetched { repo, _folder: folder })
    }
}

/// Objects that were fetched; gone when dropped.
pub struct Fetched {
    repo: gix::Repository,
    _folder: tempfile::TempDir,
}

impl Fetched {
    /// Returns the kind and the bytes of an object.
    pub fn object(&self, id: &str) -> Result<(gix::objs::Kind, Vec<u8>), String> {
        let missing = || format!("the object {id} is not in the repository");
        let id = gix::ObjectId::from_hex(id.as_bytes()).map_err(|_| missing())?;
        let found = self.repo.find_object(id).map_err(|_| missing())?;
        Ok((found.kind, found.data.clone()))
    }
}
