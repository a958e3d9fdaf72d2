//! The git hooks of a checkout: the policy stage before a commit and before a push.
//!
//! Must never change a hook that is not its own, nor write outside of this repository.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use gix::bstr::ByteSlice as _;

use super::GitRepository;
use crate::diagnostic::{Class, Failure};

/// A line of every hook that is ours.
const MARK: &str = "# Written by `orch init --hooks`";

/// The hooks: name and script.
const SCRIPTS: [(&str, &str); 2] =
    [("pre-commit", include_str!("pre-commit.sh")), ("pre-push", include_str!("pre-push.sh"))];

/// Why hooks were not written.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// The config points to a folder that other repositories share.
    #[error("`core.hooksPath` is {}, which is not in this repository", .0.display())]
    Shared(PathBuf),
    /// A hook of somebody else is there.
    #[error("{} is there already and is not of orch", path.display())]
    Foreign {
        /// The hook.
        path: PathBuf,
        /// Which hook it is.
        name: &'static str,
    },
    /// The config cannot be read.
    #[error("`core.hooksPath` cannot be used: {0}")]
    Config(String),
    /// The machine refused.
    #[error("cannot {what} {}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
}

impl Failure for HookError {
    fn class(&self) -> Class {
        match self {
            Self::Io { .. } => Class::Internal,
            _ => Class::Usage,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Shared(_) => Some(
                "Nothing was changed. Set `git config core.hooksPath` for this repository alone, or add to the shared hooks what \
                 `orch init --hooks=print` shows."
                    .into(),
            ),
            Self::Foreign { name: "pre-commit", .. } => Some(
                "Nothing was changed. Add this line to it: orch stage policy --staged || exit $?".into(),
            ),
            Self::Foreign { .. } => Some(
                "Nothing was changed. Add to it what `orch init --hooks=print` shows for pre-push; it reads what is pushed from \
                 standard input."
                    .into(),
            ),
            Self::Config(_) | Self::Io { .. } => None,
        }
    }
}

/// The folder of the hooks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookFolder(PathBuf);

/// What was done with a hook.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Hooks {
    /// The file.
    pub path: PathBuf,
    /// `written`, `unchanged`, `removed`, `absent` or `left`: not ours.
    pub done: &'static str,
}

impl GitRepository {
    /// Returns the name of the person git knows here.
    pub fn person(&self) -> Option<String> {
        let name = self.local().config_snapshot().string("user.name")?;
        let name = name.to_str().ok()?.trim();
        (!name.is_empty()).then(|| name.to_owned())
    }

    /// Returns the folder git looks for hooks in: `core.hooksPath`, else the one all worktrees share.
    pub fn hook_folder(&self) -> Result<HookFolder, HookError> {
        let repo = self.local();
        let config = repo.config_snapshot();
        let path =
            config.trusted_path("core.hooksPath").map_err(|error| HookError::Config(error.to_string()))?;
        let Some(path) = path else { return Ok(HookFolder(self.common_dir().join("hooks"))) };
        let path = self.root().join(path);
        // The part that is there tells where it really is.
        let there = path.ancestors().find_map(|part| part.canonicalize().ok()).unwrap_or_default();
        let climbs = path.components().any(|part| matches!(part, std::path::Component::ParentDir));
        if climbs || !(there.starts_with(self.root()) || there.starts_with(self.common_dir())) {
            return Err(HookError::Shared(path));
        }
        Ok(HookFolder(path))
    }
}

impl HookFolder {
    /// Writes the hooks; all or none: one that is not ours is refused first.
    pub fn write(&self) -> Result<Vec<Hooks>, HookError> {
        let found = self.look()?;
        for (name, path, found) in &found {
            if matches!(found, Found::Foreign) {
                return Err(HookError::Foreign { path: path.clone(), name });
            }
        }
        let mut done = Vec::new();
        for ((_, path, found), (_, script)) in found.into_iter().zip(SCRIPTS) {
            let same = matches!(&found, Found::Ours(text) if text == script) && is_executable(&path);
            if !same {
                self.put(&path, script).map_err(|source| HookError::Io {
                    what: "write",
                    path: path.clone(),
                    source,
                })?;
            }
            done.push(Hooks { path, done: if same { "unchanged" } else { "written" } });
        }
        Ok(done)
    }

    /// Removes the hooks that are ours.
    pub fn remove(&self) -> Result<Vec<Hooks>, HookError> {
        let mut done = Vec::new();
        for (_, path, found) in self.look()? {
            let what = match found {
                Found::Nothing => "absent",
                Found::Foreign => "left",
                Found::Ours(_) => {
                    let removed = fs::remove_file(&path);
                    removed.map_err(|source| HookError::Io { what: "remove", path: path.clone(), source })?;
                    "removed"
                }
            };
            done.push(Hooks { path, done: what });
        }
        Ok(done)
    }

    /// Returns the scripts, by name.
    pub const fn scripts() -> [(&'static str, &'static str); 2] {
        SCRIPTS
    }

    fn look(&self) -> Result<Vec<(&'static str, PathBuf, Found)>, HookError> {
        SCRIPTS
            .iter()
            .map(|(name, _)| {
                let path = self.0.join(name);
                let found = match fs::symlink_metadata(&path) {
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => Found::Nothing,
                    Err(source) => return Err(HookError::Io { what: "look at", path, source }),
                    Ok(about) if !about.is_file() => Found::Foreign,
                    Ok(_) => match fs::read(&path) {
                        Err(source) => return Err(HookError::Io { what: "read", path, source }),
                        Ok(bytes) => match String::from_utf8(bytes) {
                            Ok(text) if text.lines().nth(1).is_some_and(|line| line.starts_with(MARK)) => {
                                Found::Ours(text)
                            }
                            _ => Found::Foreign,
                        },
                    },
                };
                Ok((*name, path, found))
            })
            .collect()
    }

    fn put(&self, path: &Path, script: &str) -> std::io::Result<()> {
        fs::create_dir_all(&self.0)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.0)?;
        file.write_all(script.as_bytes())?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            file.as_file().set_permissions(fs::Permissions::from_mode(0o755))?;
        }
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }
}

enum Found {
    Nothing,
    Ours(String),
    Foreign,
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).is_ok_and(|about| about.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(_path: &Path) -> bool {
    true
}
