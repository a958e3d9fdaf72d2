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

/// Checks the bytes of a bundle against what the config pins, and returns its rules.
pub fn open(pack: &Pack, bytes: &[u8]) -> Result<Vec<SourceFile>, PackError> {
    let mismatch = |why: String| PackError::Mismatch { pack: shown(pack), why };
    let form = |why: String| PackError::Form { pack: shown(pack), why };
    if bytes.len() > LARGEST {
        return Err(form(format!("it is larger than {LARGEST} bytes")));
    }
    let (label, files) = match pack {
        Pack::Folder(_) => return Ok(Vec::new()),
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
    let mut rules = Vec::new();
    for (path, bytes) in files {
        if let Some(rule) = file(&label, &path, bytes).map_err(form)? {
            rules.push(rule);
        }
    }
    if rules.is_empty() {
        return Err(form("it has no `.rego` file".into()));
    }
    Ok(rules)
}

/// Takes a file of a bundle: rules are taken, what OPA puts beside them is passed over, data is refused.
fn file(label: &str, path: &str, bytes: Option<Vec<u8>>) -> Result<Option<SourceFile>, String> {
    let name = path.rsplit('/').next().unwrap_or(path);
    if matches!(name, "data.json" | "data.yaml" | "data.yml") {
        let empty = bytes.as_deref().is_some_and(|bytes| {
            let value: Option<serde_json::Value> = serde_yaml::from_slice(bytes).ok();
            value.is_some_and(|value| {
                value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty)
            })
        });
        if empty {
            return Ok(None);
        }
        return Err(format!(
            "`{path}` holds data, which rules are not given here: they would see nothing and be content; give values by `policy.settings`"
        ));
    }
    if !name.rsplit_once('.').is_some_and(|(_, ending)| ending.eq_ignore_ascii_case("rego")) {
        return Ok(None);
    }
    if bytes.as_ref().is_some_and(|bytes| bytes.len() > LARGEST_FILE) {
        return Err(format!("`{path}` is larger than {LARGEST_FILE} bytes"));
    }
    Ok(Some(SourceFile { name: format!("bundle:{label}/{path}"), bytes }))
}

/// Checks a path inside a bundle.
fn inside(path: &str) -> Result<String, String> {
    match path.parse::<RepoPath>() {
        Ok(path) => Ok(path.as_str().to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
