//! Bundles of an organisation: a folder of another repository by commit id, or a tarball by digest.
//!
//! Must never reach the network, and must never take bytes that are not what the config pins: every load is checked anew.

pub mod objects;
pub mod tar;

use crate::artifact::digest::Digest;
use crate::artifact::path::RepoPath;
use crate::config::Pack;
use crate::diagnostic::{Class, Failure};

use super::bundle::SourceFile;
use super::data::{DataFile, document, is_data};

/// The most bytes a bundle may have, packed and unpacked.
pub const LARGEST: usize = 64 << 20;

/// The most bytes one file of rules may have.
const LARGEST_FILE: usize = 1 << 20;

/// Why a bundle cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    /// It was not fetched.
    #[error("the policy bundle {pack} is not here")]
    Missing {
        /// As the config names it.
        pack: String,
    },
    /// It is not what the config pins.
    #[error("the policy bundle {pack} is not what orch.yml pins: {why}")]
    Mismatch {
        /// As the config names it.
        pack: String,
        /// How it differs.
        why: String,
    },
    /// It is what the config pins, and cannot be used.
    #[error("the policy bundle {pack} cannot be used: {why}")]
    Form {
        /// As the config names it.
        pack: String,
        /// What is wrong with it.
        why: String,
    },
}

impl Failure for PackError {
    fn class(&self) -> Class {
        match self {
            Self::Missing { .. } | Self::Form { .. } => Class::Usage,
            Self::Mismatch { .. } => Class::Denied,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Missing { .. } => "Run `orch policy fetch`: the policy stage itself never reaches the network.".into(),
            Self::Mismatch { .. } => {
                "Find out who changed it; then remove it from `.orch/bundles` and run `orch policy fetch`, or pin another."
                    .into()
            }
            Self::Form { .. } => "Have the bundle mended, and pin the new one in `policy.packs`.".into(),
        })
    }
}

/// Returns what a pack is called in messages.
pub fn shown(pack: &Pack) -> String {
    match pack {
        Pack::Folder(folder) => format!("`{folder}`"),
        Pack::Git(pack) if pack.folder.is_empty() => format!("`{}` at {}", pack.git, short(&pack.commit)),
        Pack::Git(pack) => format!("`{}` of `{}` at {}", pack.folder, pack.git, short(&pack.commit)),
        Pack::File(pack) => format!("`{}` (sha256 {})", pack.file, short(&pack.sha256)),
    }
}

fn short(hex: &str) -> &str {
    hex.get(..12).unwrap_or(hex)
}

/// Returns the name a bundle is kept under; none for a folder of the repository.
pub fn kept_as(pack: &Pack) -> Option<String> {
    match pack {
        Pack::Folder(_) => None,
        Pack::Git(pack) => {
            let folder = Digest::of(pack.folder.as_bytes()).hex()[..12].to_owned();
            Some(format!("git-{}-{folder}", pack.commit))
        }
        Pack::File(pack) => Some(format!("sha256-{}", pack.sha256)),
    }
}

/// What is taken from a bundle: anything else in it is passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// Its rules, libraries and tests.
    pub rules: Vec<SourceFile>,
    /// What they read as `data`.
    pub data: Vec<DataFile>,
}

/// Checks the bytes of a bundle against what the config pins, and returns what is in it.
pub fn open(pack: &Pack, bytes: &[u8]) -> Result<Opened, PackError> {
    let mismatch = |why: String| PackError::Mismatch { pack: shown(pack), why };
    let form = |why: String| PackError::Form { pack: shown(pack), why };
    if bytes.len() > LARGEST {
        return Err(form(format!("it is larger than {LARGEST} bytes")));
    }
    let (label, files) = match pack {
        Pack::Folder(_) => return Ok(Opened::default()),
        Pack::File(pin) => {
            let found = Digest::of(bytes).hex().to_owned();
            if found != pin.sha256 {
                return Err(mismatch(format!("its digest is {found}")));
            }
            let name = pin.file.rsplit(['/', '\\']).next().unwrap_or_default();
            (
                name.to_owned(),
                tar::read(bytes)
                    .map_err(form)?
                    .into_iter()
                    .map(|(path, bytes)| (path, Some(bytes)))
                    .collect(),
            )
        }
        Pack::Git(pin) => {
            let name = pin.git.trim_end_matches('/').rsplit(['/', '\\', ':']).next().unwrap_or_default();
            let name = format!("{}@{}", name.trim_end_matches(".git"), short(&pin.commit));
            let objects = objects::Objects::read(bytes).map_err(mismatch)?;
            let files =
                objects::walk(&pin.commit, &pin.folder, |id| objects.get(id)).map_err(
                    |fault| match fault {
                        objects::Fault::Object(why) => mismatch(why),
                        objects::Fault::Form(why) => form(why),
                    },
                )?;
            (name, files)
        }
    };
    let mut opened = Opened::default();
    for (path, bytes) in files {
        let name = format!("bundle:{label}/{path}");
        if is_data(&path) {
            opened.data.push(DataFile::new(name, &path, bytes));
        } else if path.rsplit_once('.').is_some_and(|(_, ending)| ending.eq_ignore_ascii_case("rego")) {
            if bytes.as_ref().is_some_and(|bytes| bytes.len() > LARGEST_FILE) {
                return Err(form(format!("`{path}` is larger than {LARGEST_FILE} bytes")));
            }
            opened.rules.push(SourceFile { name, bytes });
        }
    }
    if opened.rules.is_empty() {
        return Err(form("it has no `.rego` file".into()));
    }
    if let Some(broken) = document(&opened.data).1.into_iter().next() {
        return Err(form(broken.why));
    }
    Ok(opened)
}

/// Checks a path inside a bundle.
fn inside(path: &str) -> Result<String, String> {
    match path.parse::<RepoPath>() {
        Ok(path) => Ok(path.as_str().to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
