//! Finds `orch.yml`, reads it once and makes the valid config of it.
//!
//! Must never follow the file out of the repository, wait on it, or read more of it than a config needs.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::artifact::digest::Digest;
use crate::diagnostic::{Place, Problem};

use super::error::ConfigError;
use super::{Config, check, raw};

/// The name of the config file.
pub const FILE_NAME: &str = "orch.yml";

/// Names people write instead.
const NEAR_NAMES: &[&str] = &["orch.yaml", ".orch.yml", ".orch.yaml", "orch.json", "orch.toml"];

/// The largest file that is read.
pub const MAX_BYTES: u64 = 256 * 1024;

/// A config and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The config.
    pub config: Config,
    /// The file; `None`: there is none, and the defaults hold.
    pub path: Option<PathBuf>,
    /// The digest of the file's bytes, of no bytes where there is no file.
    pub digest: Digest,
}

/// Loads the config of a repository: the file that was named, else `orch.yml` at the root, else the defaults.
pub fn load(root: &Path, explicit: Option<&Path>) -> Result<Loaded, ConfigError> {
    let path = match explicit {
        Some(path) => root.join(path),
        None => match find(root)? {
            Some(path) => path,
            None => return Ok(Loaded { config: Config::default(), path: None, digest: Digest::of(b"") }),
        },
    };
    let name = shown(root, &path);
    let bytes = read(&path, &name)?;
    let config = parse(&bytes, &name)?;
    Ok(Loaded { config, path: Some(path), digest: Digest::of(&bytes) })
}

/// Parses and checks the bytes of a config file; `name` is how errors call it.
pub fn parse(bytes: &[u8], name: &str) -> Result<Config, ConfigError> {
    let invalid = |problems| ConfigError::Invalid { path: name.to_owned(), problems };
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => return Err(invalid(vec![not_utf8(bytes, error.valid_up_to())])),
    };
    let raw = raw::parse(text).map_err(|problem| invalid(vec![problem]))?;
    check::check(raw, text).map_err(invalid)
}

fn not_utf8(bytes: &[u8], at: usize) -> Problem {
    let before = &bytes[..at];
    let line = before.split(|b| *b == b'\n').count();
    let column = before.iter().rev().take_while(|b| **b != b'\n').count() + 1;
    Problem {
        place: Some(Place { line, column }),
        what: "the text is not UTF-8".into(),
        help: Some("Save the file as UTF-8.".into()),
    }
}

fn find(root: &Path) -> Result<Option<PathBuf>, ConfigError> {
    let path = root.join(FILE_NAME);
    if path.symlink_metadata().is_ok() {
        let inside = |p: &Path| Some(p.canonicalize().ok()?.starts_with(root.canonicalize().ok()?));
        if inside(&path) == Some(false) {
            return Err(ConfigError::Unusable {
                path: FILE_NAME.into(),
                why: "is a link that leaves the repository".into(),
                help: "Put the file itself there, or name another with `--config`.".into(),
            });
        }
        return Ok(Some(path));
    }
    match NEAR_NAMES.iter().find(|name| root.join(name).symlink_metadata().is_ok()) {
        Some(near) => Err(ConfigError::Unusable {
            path: (*near).to_owned(),
            why: format!("is not read: the config file is called {FILE_NAME}"),
            help: format!("Rename it to {FILE_NAME}, or name it with `--config`."),
        }),
        None => Ok(None),
    }
}

fn read(path: &Path, name: &str) -> Result<Vec<u8>, ConfigError> {
    let fail = |source| ConfigError::Read { path: name.to_owned(), source };
    // Asked before opening: opening a pipe would wait for a writer.
    if !path.metadata().map_err(fail)?.is_file() {
        return Err(ConfigError::Unusable {
            path: name.to_owned(),
            why: "is not a regular file".into(),
            help: "Remove it, or name another file with `--config`.".into(),
        });
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes)).map_err(fail)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(ConfigError::Unusable {
            path: name.to_owned(),
            why: format!("is larger than {} KiB", MAX_BYTES / 1024),
            help: "Keep to the keys that differ from the defaults.".into(),
        });
    }
    Ok(bytes)
}

fn shown(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}
